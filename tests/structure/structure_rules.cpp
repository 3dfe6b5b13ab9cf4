#include "tests/structure/structure_rules.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <regex>
#include <span>
#include <sstream>
#include <utility>

namespace inspect::structure {
namespace {

struct Layer {
  std::string_view name;
  std::string_view may_include; ///< names of layers, a blank around each
  /// In the order in which they build on each other, a blank between two; each may include those in front of it. "." is
  /// the layer's own folder. Files for one architecture (x86_64/) belong to the room around them.
  std::string_view rooms;
};

constexpr auto layers = std::to_array<Layer>({
    {"machine", " machine ", "."},
    {"attach", " attach machine ", "procfs files cgroup memory ptrace snapshot unstopped"},
    {"dwarf", " dwarf machine ",
     "raw/elf raw/units raw/names indexer elf die expression split module symbols types unit_index cfi unwind "
     "symbolize location names variables"},
    {"allocators", " allocators dwarf machine ", "."},
    {"golang", " golang dwarf machine ",
     ". pclntab image runtime goroutines memstats unwind types values arguments signatures traceback"},
    {"values", " values golang dwarf machine ",
     ". go native expression printers printers/cpp printers/rust operations assign text"},
    {"inspector", " inspector values golang allocators dwarf attach machine ",
     "target syscalls process mappings memory scope stacks explain"},
    {"commands", " commands inspector values golang allocators dwarf attach machine ",
     "cli session process memory stacks values explain frames program"},
});

/// A pattern that must not stand in the code of some folders.
struct Ban {
  std::string_view what;
  std::regex pattern;
  bool in_strings;                    ///< the pattern is about string literals
  std::string_view except;            ///< folders where it may stand, a blank around each
  std::string_view except_below = ""; ///< a path prefix where it may stand
  std::string_view only_below = "";   ///< the path prefix that the rule is about, where it is not about all
};

const std::vector<Ban> &bans() {
  static const std::vector<Ban> all = {
      {"only attach/ calls ptrace and process_vm_readv",
       std::regex(R"(\b(ptrace|process_vm_readv|process_vm_writev)\s*\(|<sys/ptrace\.h>|\bPTRACE_[A-Z]+)"), false,
       " attach "},
      {"only attach/ reads /proc", std::regex(R"("/proc(/|"))"), true, " attach "},
      {"only commands/ prints",
       std::regex(R"(\b(fmt::print|v?f?printf|f?puts|putchar|std::cout|std::cerr|std::clog|stdout|stderr)\b)"), false,
       " commands ", "dwarf/indexer/"},
      {"only dwarf/ includes libdw", std::regex(R"(#\s*include\s*<(elfutils/|libdw|dwarf\.h))"), false, " dwarf "},
      {"dwarf/raw/ uses no library but libelf", std::regex(R"(#\s*include\s*<(elfutils/|libdw))"), false, " ", "",
       "dwarf/raw/"},
      {"only dwarf/ includes libelf", std::regex(R"(#\s*include\s*<(libelf|gelf)\.h>)"), false, " dwarf "},
      {"commands/ knows nothing of ELF", std::regex(R"(#\s*include\s*<elf\.h>)"), false,
       " machine attach dwarf allocators golang values inspector "},
      {"dwarf/indexer/ is a program of its own", std::regex(R"(#\s*include\s*"dwarf/indexer/)"), false, " ",
       "dwarf/indexer/"},
      {"only dwarf/indexer includes libdwarf", std::regex(R"(#\s*include\s*<libdwarf)"), false, " ", "dwarf/indexer/"},
  };
  return all;
}

std::string_view first_component(std::string_view path) {
  return path.substr(0, path.find('/'));
}

bool holds_word(std::string_view words, std::string_view word) {
  return words.find(fmt::format(" {} ", word)) != std::string_view::npos;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The path that a line includes, where it names a folder.
std::optional<std::string> included_path(std::string_view line) {
  static const std::regex pattern(R"(^\s*#\s*include\s*[<"]([a-z_0-9]+/[^>"]+)[>"])");
  std::match_results<std::string_view::const_iterator> match;
  if (!std::regex_search(line.begin(), line.end(), match, pattern))
    return std::nullopt;
  return match[1].str();
}

/// The room of a file of the layer: "raw/elf" of "dwarf/raw/elf/elf_image.h".
std::string_view room_of(std::string_view layer, std::string_view path) {
  constexpr std::string_view architecture = "/x86_64";
  std::string_view folder = path.substr(0, path.rfind('/'));
  if (folder.ends_with(architecture))
    folder.remove_suffix(architecture.size());
  return folder == layer ? "." : folder.substr(layer.size() + 1);
}

/// The place of a room in the order of its layer; nothing where it is not listed.
std::optional<std::size_t> rank_of(const Layer &layer, std::string_view room) {
  const std::string listed = fmt::format(" {} ", layer.rooms);
  const std::size_t at = listed.find(fmt::format(" {} ", room));
  return at == std::string::npos ? std::nullopt : std::optional(at);
}

void check_includes(const Layer &layer, std::string_view path, std::span<const std::string_view> lines,
                    std::vector<Violation> &found) {
  const std::string_view room = room_of(layer.name, path);
  const std::optional<std::size_t> rank = rank_of(layer, room);
  if (!rank)
    found.push_back(
        {0, fmt::format("{}/ has no room {}: tests/structure/structure_rules.cpp lists them", layer.name, room)});
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::optional<std::string> included = included_path(lines[i]);
    if (!included)
      continue;
    const std::string_view target = first_component(*included);
    const bool is_layer = std::ranges::find(layers, target, &Layer::name) != layers.end();
    if ((is_layer && !holds_word(layer.may_include, target)) || target == "tests" || target == "fixtures") {
      found.push_back({static_cast<int>(i) + 1, fmt::format("{}/ may not include {}/", layer.name, target)});
    } else if (target == layer.name && rank) {
      const std::string_view other = room_of(layer.name, *included);
      const std::optional<std::size_t> other_rank = rank_of(layer, other);
      if (other_rank && *other_rank > *rank)
        found.push_back({static_cast<int>(i) + 1,
                         fmt::format("{}/{} may not include {}/{}, which stands after it in the order of rooms",
                                     layer.name, room, layer.name, other)});
    }
  }
}

void check_bans(std::string_view path, std::string_view folder, std::span<const std::string_view> code,
                std::span<const std::string_view> code_with_strings, std::vector<Violation> &found) {
  for (const Ban &ban : bans()) {
    if (!path.starts_with(ban.only_below) || holds_word(ban.except, folder) ||
        (!ban.except_below.empty() && path.starts_with(ban.except_below)))
      continue;
    const auto lines = ban.in_strings ? code_with_strings : code;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (std::regex_search(lines[i].begin(), lines[i].end(), ban.pattern))
        found.push_back({static_cast<int>(i) + 1, std::string(ban.what)});
  }
}

/// Walks C++ source and says of each character whether it is code, comment or string.
class Scanner {
public:
  Scanner(std::string_view text, bool keep_strings) : text_(text), keep_strings_(keep_strings), result_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//"))
        blank_until("\n", false);
      else if (starts("/*"))
        blank_until("*/", true);
      else if (starts("R\"") && !follows_word())
        raw_string();
      else if (text_[at_] == '"')
        quoted('"');
      else if (text_[at_] == '\'' && !follows_word())
        quoted('\'');
      else
        ++at_;
    }
    return std::move(result_);
  }

private:
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  /// A quote after a letter or digit separates digits (1'000), and an R there ends a longer name.
  bool follows_word() const {
    return at_ > 0 && (std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) != 0 || text_[at_ - 1] == '_');
  }
  void blank(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      if (result_[i] != '\n')
        result_[i] = ' ';
  }
  void blank_until(std::string_view end_mark, bool include_mark) {
    const std::size_t found = text_.find(end_mark, at_ + 2);
    const std::size_t end =
        found == std::string_view::npos ? text_.size() : found + (include_mark ? end_mark.size() : 0);
    blank(at_, end);
    at_ = end;
  }
  void quoted(char mark) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != mark && text_[end] != '\n')
      end += text_[end] == '\\' ? 2 : 1;
    end = std::min(end, text_.size());
    // The file name of an #include is in quotes too, and is code.
    if (!keep_strings_ && !on_include_line())
      blank(at_ + 1, end);
    at_ = std::min(end + 1, text_.size());
  }
  void raw_string() {
    const std::size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) {
      at_ += 2;
      return;
    }
    const std::string close = fmt::format("){}\"", text_.substr(at_ + 2, open - at_ - 2));
    const std::size_t end = std::min(text_.find(close, open), text_.size());
    if (!keep_strings_)
      blank(open + 1, end);
    at_ = std::min(end + close.size(), text_.size());
  }
  bool on_include_line() const {
    const std::size_t line = text_.rfind('\n', at_) + 1;
    const std::string_view before = text_.substr(line, at_ - line);
    return before.find('#') != std::string_view::npos && before.find("include") != std::string_view::npos;
  }

  std::string_view text_;
  bool keep_strings_;
  std::string result_;
  std::size_t at_ = 0;
};

/// The parameter list without names and defaults, so that what can be overloaded differs.
std::string parameter_types(std::string_view list) {
  std::string types;
  std::string one;
  int depth = 0;
  const auto finish = [&] {
    one = one.substr(0, one.find(" = "));
    const std::size_t end = one.find_last_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (end != std::string::npos && end > 0)
      one.resize(end + (one[end] == ' ' ? 0 : 1));
    types += (types.empty() ? "" : ", ") + std::exchange(one, {});
  };
  for (const char c : list) {
    depth += c == '<' || c == '(' ? 1 : c == '>' || c == ')' ? -1 : 0;
    if (c == ',' && depth == 0)
      finish();
    else if (c != ' ' || !one.empty())
      one += c;
  }
  finish();
  return types;
}

/// What a declaration in a namespace defines; empty for an alias.
std::string defined_name(const std::string &declaration) {
  static const std::regex skipped(R"(^(__extension__ )?(using|namespace|static_assert|extern)\b)");
  static const std::regex type(R"(^(?:struct|class|enum class|enum|union) (\w+)(?: final)?(?: ?:.*)?$)");
  static const std::regex function(R"(^[^=(]* [&*]?(\w+)\((.*)\)(?: const| noexcept)*$)");
  static const std::regex variable(R"(^\w[^=(]* [&*]?(\w+)(?: ?[\[={(].*)?$)");
  std::smatch match;
  if (std::regex_search(declaration, skipped))
    return {};
  if (std::regex_match(declaration, match, type))
    return match[1].str();
  if (std::regex_match(declaration, match, function))
    return fmt::format("{}({})", match[1].str(), parameter_types(match[2].str()));
  return std::regex_match(declaration, match, variable) ? match[1].str() : std::string();
}

} // namespace

std::vector<std::string> internal_names(std::string_view text) {
  static const std::regex directives(R"((^|\n)\s*#[^\n]*)");
  static const std::regex noise(R"(\[\[[^\]]*\]\] ?|^\s*template <[^\n]*> (?=struct|class|[^<>]*\())");
  static const std::regex blanks(R"(\s+)");
  static const std::regex aliases(R"(\n(?:__extension__ )?(?:using|namespace) (\w+\s=[^;]+);)");
  constexpr std::string_view opening = "namespace {";
  const std::string code = std::regex_replace(without_comments(text, false), directives, "$1");
  std::vector<std::string> names;
  for (std::sregex_iterator alias(code.begin(), code.end(), aliases), end; alias != end; ++alias)
    names.push_back(std::regex_replace((*alias)[1].str(), blanks, " "));
  for (std::size_t at = code.find(opening); at != std::string::npos; at = code.find(opening, at)) {
    at += opening.size();
    int depth = 0;
    for (std::string declaration; at < code.size() && (depth > 0 || code[at] != '}'); ++at) {
      const char c = code[at];
      if (depth == 0 && (c == '{' || c == ';')) {
        declaration = std::regex_replace(std::regex_replace(declaration, blanks, " "), noise, "");
        declaration.erase(0, declaration.find_first_not_of(' '));
        declaration.erase(declaration.find_last_not_of(' ') + 1);
        if (std::string name = defined_name(std::exchange(declaration, {})); !name.empty())
          names.push_back(std::move(name));
      } else if (depth == 0) {
        declaration += c;
      }
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    }
  }
  return names;
}

std::vector<std::string_view> layer_names() {
  std::vector<std::string_view> names;
  for (const Layer &layer : layers)
    names.push_back(layer.name);
  return names;
}

std::vector<std::string> rooms_of(std::string_view layer) {
  std::vector<std::string> rooms;
  if (const auto *const found = std::ranges::find(layers, layer, &Layer::name); found != layers.end()) {
    std::istringstream listed{std::string(found->rooms)};
    rooms.assign(std::istream_iterator<std::string>(listed), {});
  }
  return rooms;
}

std::string without_comments(std::string_view text, bool keep_strings) {
  return Scanner(text, keep_strings).run();
}

std::vector<Violation> check_source(std::string_view path, std::string_view text) {
  constexpr std::size_t max_lines = 800;
  std::vector<Violation> found;
  const auto *const layer = std::ranges::find(layers, first_component(path), &Layer::name);
  if (layer == layers.end())
    return found;
  const std::string code = without_comments(text, false);
  const std::string code_with_strings = without_comments(text, true);
  const auto code_lines = split_lines(code);
  check_includes(*layer, path, code_lines, found);
  check_bans(path, layer->name, code_lines, split_lines(code_with_strings), found);
  if (code_lines.size() > max_lines)
    found.push_back({0, fmt::format("{} lines; a file has at most {}", code_lines.size(), max_lines)});
  if (path.ends_with(".h") && !text.starts_with("//"))
    found.push_back({1, "a header opens with what it is for"});
  return found;
}

std::vector<std::string> defined_types(std::string_view text) {
  static const std::regex pattern(
      R"(^(?:template <.*> )?(?:struct|class|enum(?: class)?)(?: \[\[.*\]\])? (\w+)(?!\w|::)[^;]*\{)");
  const std::string code = without_comments(text, false);
  std::vector<std::string> names;
  for (const std::string_view line : split_lines(code)) {
    std::match_results<std::string_view::const_iterator> match;
    if (std::regex_search(line.begin(), line.end(), match, pattern))
      names.push_back(match[1].str());
  }
  return names;
}

} // namespace inspect::structure
