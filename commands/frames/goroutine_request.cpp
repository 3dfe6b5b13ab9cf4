#include "commands/frames/goroutine_request.h"

#include "commands/cli/typed_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

class GoroutineRequestParser {
public:
  explicit GoroutineRequestParser(std::span<const std::string> words) : words_(words) {}

  Result<GoroutineRequest> parse() {
    while (!words_.empty()) {
      const std::string option = next();
      if (auto done = take(option); !done)
        return std::unexpected(done.error());
    }
    return std::move(request_);
  }

private:
  std::string next() {
    std::string word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }

  /// The words up to the next option: "userloc main.handle", "label tenant".
  std::string phrase() {
    std::string text;
    while (!words_.empty() && !words_.front().starts_with('-'))
      text += (text.empty() ? "" : " ") + next();
    return text;
  }

  Result<void> take(const std::string &option) {
    if (take_location(option))
      return {};
    if (option == "-t")
      return take_depth();
    if (option == "-l")
      request_.labels = true;
    else if (option == "-a")
      request_.internal = true;
    else if (option == "-with" || option == "-w")
      return add_condition(parse_goroutine_condition(phrase()), false);
    else if (option == "-without" || option == "-wo")
      return add_condition(parse_goroutine_condition(phrase()), true);
    else if (option == "-waiting")
      return take_wait();
    else if (option == "-group")
      return take_group();
    else if (option == "-chan")
      return take_channel();
    else if (option == "-exec")
      return take_command();
    else
      return std::unexpected(
          Error(ErrorKind::usage, fmt::format("goroutines has no option '{}'", option), "help goroutines"));
    return {};
  }

  bool take_location(const std::string &option) {
    if (option == "-u")
      request_.location = GoroutineLocation::user;
    else if (option == "-r")
      request_.location = GoroutineLocation::current;
    else if (option == "-g")
      request_.location = GoroutineLocation::created;
    else if (option == "-s")
      request_.location = GoroutineLocation::start;
    else
      return false;
    return true;
  }

  Result<void> take_depth() {
    request_.stacks = true;
    if (words_.empty() || words_.front().starts_with('-'))
      return {};
    const auto depth = parse_positive(next(), "-t");
    if (!depth)
      return std::unexpected(depth.error());
    request_.depth = *depth;
    return {};
  }

  Result<void> add_condition(Result<GoroutineTest> condition, bool negated) {
    if (!condition)
      return std::unexpected(condition.error());
    if (negated)
      request_.conditions.emplace_back(
          [test = std::move(*condition)](const GoReport &report, const GoroutineReport &goroutine) {
            return !test(report, goroutine);
          });
    else
      request_.conditions.push_back(std::move(*condition));
    return {};
  }

  Result<void> take_wait() {
    request_.by_wait = true;
    return add_condition(parse_goroutine_wait(phrase()), false);
  }

  Result<void> take_group() {
    const std::string text = phrase();
    auto key = parse_goroutine_key(text);
    if (!key)
      return std::unexpected(key.error());
    request_.group_place = location_named(text);
    request_.group_by = std::move(*key);
    return {};
  }

  Result<void> take_channel() {
    request_.channel = phrase();
    if (request_.channel.empty())
      return std::unexpected(Error(ErrorKind::usage, "-chan needs the address of a channel", "-chan 0xc000012120"));
    return {};
  }

  Result<void> take_command() {
    if (words_.empty())
      return std::unexpected(Error(ErrorKind::usage, "-exec needs a command", "goroutines -exec bt 3"));
    // What cannot be run at all is said once, not for each goroutine.
    const auto command = find_command(words_.front(), true);
    if (!command)
      return std::unexpected(command.error());
    if (const auto arguments = parse_arguments(**command, words_.subspan(1)); !arguments)
      return std::unexpected(Error(ErrorKind::usage,
                                   arguments.error().message() + " (-exec takes the rest of the line)",
                                   arguments.error().remedy()));
    request_.command.assign(words_.begin(), words_.end());
    request_.command_says_which = (*command)->name == "bt" || (*command)->name == "goroutine";
    words_ = {};
    return {};
  }

  std::span<const std::string> words_;
  GoroutineRequest request_;
};

} // namespace

bool GoroutineRequest::accepts(const GoReport &report, const GoroutineReport &goroutine) const {
  return (internal || !goroutine.system) &&
         std::ranges::all_of(conditions, [&](const GoroutineTest &test) { return test(report, goroutine); });
}

Result<GoroutineRequest> parse_goroutine_request(std::span<const std::string> words) {
  return GoroutineRequestParser(words).parse();
}

} // namespace inspect
