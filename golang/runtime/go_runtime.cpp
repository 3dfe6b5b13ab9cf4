#include "golang/runtime/go_runtime.h"

#include "dwarf/symbols/named_symbols.h"
#include "golang/runtime/goroutine_search.h"
#include "golang/runtime/layout_check.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <utility>

namespace inspect {
namespace {

struct FoundLists {
  RunAddress goroutines; ///< runtime.allgs
  RunAddress runtime_ms; ///< runtime.allm; 0: not known
  std::size_t count = 0; ///< of goroutines that were looked at; 0 before the runtime has begun
  LayoutCheck check;     ///< of them and of the Ms
};

/// The layouts to try: that of the version, then the others, the nearest first.
std::vector<const RuntimeLayout *> layouts_for(const RuntimeLayout &chosen) {
  const auto known = known_runtime_layouts();
  std::vector<const RuntimeLayout *> order;
  for (const RuntimeLayout &layout : known)
    order.push_back(&layout);
  const auto distance = [&](const RuntimeLayout *layout) {
    const auto places = layout - &chosen;
    return places < 0 ? -places : places;
  };
  std::ranges::stable_sort(order, {}, distance);
  return order;
}

std::string name_of(GoVersion version) {
  return fmt::format("Go {}.{}", version.major, version.minor);
}

std::string versions_known() {
  const auto known = known_runtime_layouts();
  return fmt::format("{}.{} to {}.{}", known.front().version.major, known.front().version.minor,
                     known.back().version.major, known.back().version.minor);
}

/// One image and what is tried with it.
class ListFinder {
public:
  ListFinder(GoImage &image, const std::vector<GoImage> &images, const MemoryView &memory)
      : image_(image), images_(images), memory_(memory) {
    constexpr auto names = std::to_array<std::string_view>({"runtime.allgs", "runtime.allm"});
    const std::vector<LinkAddress> found = find_named_symbols(*image.module, names);
    const auto in_data = [&](LinkAddress address) {
      const RunAddress there = image.module->bias().to_run(address);
      return address != LinkAddress{} && image.module->contains(there) ? there : RunAddress{};
    };
    goroutines_ = in_data(found[0]);
    runtime_ms_ = in_data(found[1]);
  }

  bool has_symbol() const { return goroutines_.value != 0; }
  const std::string &problem() const { return problem_; }

  std::optional<FoundLists> find(const RuntimeLayout &layout) {
    if (has_symbol())
      return by_symbol(layout);
    const auto found = search_goroutine_list(image_, layout, images_, memory_);
    if (found.empty())
      return std::nullopt;
    const RunAddress runtime_ms = search_m_list(image_, layout, images_, memory_);
    return FoundLists{found.front().header, runtime_ms, found.front().check.goroutines, found.front().check};
  }

private:
  std::optional<FoundLists> by_symbol(const RuntimeLayout &layout) {
    const LayoutChecker checker(layout, images_, memory_);
    const RunAddress runtime_m{runtime_ms_.value != 0 ? read_word(memory_, runtime_ms_).value_or(0) : 0};
    const std::vector<RunAddress> goroutines = sample_goroutines(goroutines_, memory_);
    const LayoutCheck check = checker.check(goroutines, runtime_m);
    if (goroutines.empty() || check.believable())
      return FoundLists{goroutines_, runtime_ms_, check.goroutines, check};
    if (problem_.empty())
      problem_ = check.problem;
    return std::nullopt;
  }

  GoImage &image_;
  const std::vector<GoImage> &images_;
  const MemoryView &memory_;
  RunAddress goroutines_;
  RunAddress runtime_ms_;
  std::string problem_;
};

} // namespace

/// Those of all runtimes of a process, and what was found in each.
struct GoRuntime::Images {
  std::vector<GoImage> all;
  std::vector<const GoImage *> with_runtime; ///< pointers into `all`
};

struct GoRuntime::State {
  const MemoryView *memory = nullptr;
  std::shared_ptr<Images> images;
  GoImage *own = nullptr; ///< the one with the runtime in it
  RuntimeLayoutChoice choice;
  std::optional<FoundLists> lists;
  std::optional<Error> failure; ///< why there are no lists
  std::vector<std::string> warnings;

  void find_lists();
  bool has_goroutines() const { return lists && lists->count > 0; }
  void warn_of_guess();
  std::string checks_text() const;
};

namespace {

std::vector<GoImage> open_images(ModuleMap &modules, const MemoryView &memory, std::optional<Error> &failed) {
  std::vector<GoImage> images;
  for (Module *module : modules.modules()) {
    auto image = open_go_image(*module, memory);
    if (image)
      images.push_back(std::move(*image));
    else if (image.error().kind() != ErrorKind::not_found && !failed)
      failed = image.error();
  }
  return images;
}

} // namespace

void GoRuntime::State::find_lists() {
  GoImage &image = *own;
  ListFinder finder(image, images->all, *memory);
  const RuntimeLayoutChoice by_version =
      runtime_layout(image.version, image.version == GoVersion{} ? 0 : go_patch_release(image.version_text));
  choice = by_version;
  // The process runs meanwhile: threads and goroutines are being made, and what fails once need not fail again.
  constexpr int attempts = 3;
  for (const RuntimeLayout *layout : layouts_for(*by_version.layout))
    for (int attempt = 0; attempt < (layout == by_version.layout ? attempts : 1); ++attempt)
      if (const auto found = finder.find(*layout)) {
        lists = found;
        choice = {layout, layout->version == image.version};
        return;
      }
  const std::string version = image.version_text.empty() ? "a Go of unknown version" : image.version_text;
  if (finder.has_symbol())
    failure = Error(ErrorKind::unsupported,
                    fmt::format("the goroutines of {} ({}) cannot be read: none of the layouts known, those of Go {}, "
                                "fits what is in memory ({})",
                                image.module->path(), version, versions_known(), finder.problem()),
                    "use a newer inspect, or look at the threads with --threads");
  else
    failure = Error(ErrorKind::not_found,
                    fmt::format("no list of goroutines is in the data of {} ({}): it has no symbols, and no slice in "
                                "it leads to goroutines as any of Go {} lays them out",
                                image.module->path(), version, versions_known()),
                    "if the program has only just started, try again; else look at the threads with --threads");
}

std::string GoRuntime::State::checks_text() const {
  const LayoutCheck &check = lists->check;
  if (check.goroutines + check.runtime_ms == 0)
    return "there was nothing to check it by";
  return fmt::format("{} of {} checks held", check.sound + check.sound_ms, check.goroutines + check.runtime_ms);
}

void GoRuntime::State::warn_of_guess() {
  if (choice.exact)
    return;
  const std::string used = name_of(choice.layout->version);
  const std::string verified = checks_text();
  const GoVersion newest = known_runtime_layouts().back().version;
  if (own->version == GoVersion{})
    warnings.push_back(fmt::format("{} does not tell its Go version; the layout of {} is used: {}", own->module->path(),
                                   used, verified));
  else if (own->version > newest)
    warnings.push_back(fmt::format("{} is newer than this program knows; the layout of {} is used: {}",
                                   own->version_text, used, verified));
  else
    warnings.push_back(fmt::format("the runtime of {} ({}) is not laid out as that version's; the layout of {} is "
                                   "used: {}",
                                   own->module->path(), own->version_text, used, verified));
}

GoRuntime::GoRuntime(std::unique_ptr<State> state) : state_(std::move(state)) {}
GoRuntime::~GoRuntime() = default;

/// A runtime is in each image whose list has goroutines: a plugin uses that of its program, two c-shared libraries have
/// one each. Where no list has any, it is in the first image with a list, which has only just started, or in the first
/// of all, which says why it cannot be read.
Result<std::vector<std::unique_ptr<GoRuntime>>> GoRuntime::open_all(ModuleMap &modules, const MemoryView &memory) {
  std::optional<Error> failed;
  auto images = std::make_shared<Images>();
  images->all = open_images(modules, memory, failed);
  if (images->all.empty())
    return std::unexpected(failed.value_or(Error(ErrorKind::not_found, "no Go program or library is in the process")));
  std::vector<std::unique_ptr<State>> states;
  for (GoImage &image : images->all) {
    auto state = std::make_unique<State>();
    state->memory = &memory;
    state->images = images;
    state->own = &image;
    state->find_lists();
    states.push_back(std::move(state));
  }
  const auto lives = [](const std::unique_ptr<State> &state) { return state->has_goroutines(); };
  if (std::ranges::any_of(states, lives)) {
    std::erase_if(states, std::not_fn(lives));
  } else {
    auto chosen = std::ranges::find_if(states, [](const auto &state) { return state->lists.has_value(); });
    auto only = std::move(chosen != states.end() ? *chosen : states.front());
    states.clear();
    states.push_back(std::move(only));
  }
  if (failed)
    states.front()->warnings.push_back(failed->message());
  std::vector<std::unique_ptr<GoRuntime>> runtimes;
  for (auto &state : states) {
    if (state->lists)
      state->warn_of_guess();
    images->with_runtime.push_back(state->own);
    runtimes.push_back(std::unique_ptr<GoRuntime>(new GoRuntime(std::move(state))));
  }
  return runtimes;
}

Result<std::unique_ptr<GoRuntime>> GoRuntime::open(ModuleMap &modules, const MemoryView &memory) {
  auto all = open_all(modules, memory);
  if (!all)
    return std::unexpected(all.error());
  return std::move(all->front());
}

const std::vector<GoImage> &GoRuntime::images() const {
  return state_->images->all;
}

const GoImage &GoRuntime::own_image() const {
  return *state_->own;
}

bool GoRuntime::runs(const GoImage &image) const {
  // Only an executable loads plugins, and no more than one executable is in a process.
  const std::vector<const GoImage *> &with_runtime = state_->images->with_runtime;
  return &image == state_->own ||
         (state_->own == with_runtime.front() && std::ranges::find(with_runtime, &image) == with_runtime.end());
}

const GoImage *GoRuntime::find(RunAddress pc) const {
  const auto found = std::ranges::find_if(images(), [&](const GoImage &image) { return image.data.text.contains(pc); });
  return found != images().end() ? &*found : nullptr;
}

std::optional<GoRuntime::Place> GoRuntime::function_at(RunAddress pc) const {
  const GoImage *image = find(pc);
  if (image == nullptr)
    return std::nullopt;
  auto function = image->table->find(pc);
  return function ? std::optional(Place{image, std::move(*function)}) : std::nullopt;
}

GoVersion GoRuntime::version() const {
  return state_->own->version;
}

const std::string &GoRuntime::version_text() const {
  return state_->own->version_text;
}

const RuntimeLayout &GoRuntime::layout() const {
  return *state_->choice.layout;
}

std::string GoRuntime::layout_note() const {
  if (!state_->lists || state_->choice.exact)
    return {};
  const bool newer = state_->own->version > known_runtime_layouts().back().version;
  return fmt::format("{}; {}",
                     newer ? "newer than this program knows"
                           : fmt::format("read as {}", name_of(state_->choice.layout->version)),
                     state_->checks_text());
}

Result<RunAddress> GoRuntime::goroutine_list() {
  if (!state_->lists)
    return std::unexpected(*state_->failure);
  return state_->lists->goroutines;
}

RunAddress GoRuntime::m_list() {
  return state_->lists ? state_->lists->runtime_ms : RunAddress{};
}

std::vector<std::string> GoRuntime::take_warnings() {
  return std::exchange(state_->warnings, {});
}

} // namespace inspect
