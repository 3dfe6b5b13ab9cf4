#include "golang/runtime/go_runtime.h"

#include "dwarf/symbols/named_symbols.h"
#include "golang/runtime/goroutine_search.h"
#include "golang/runtime/layout_check.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
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

struct GoRuntime::State {
  const MemoryView *memory = nullptr;
  std::vector<GoImage> images;
  const GoImage *main = nullptr; ///< the one with the runtime in it; points into images
  RuntimeLayoutChoice choice;
  std::optional<FoundLists> lists;
  std::optional<Error> failure; ///< why there are no lists
  std::vector<std::string> warnings;

  void open_images(ModuleMap &modules, std::optional<Error> &failed);
  void choose_by_version(const GoImage &image);
  void find_lists();
  bool find_lists_in(GoImage &image);
  bool take(const GoImage &image, const RuntimeLayout &layout, const FoundLists &found);
  void warn_of_guess();
  std::string checks_text() const;
};

void GoRuntime::State::open_images(ModuleMap &modules, std::optional<Error> &failed) {
  for (Module *module : modules.modules()) {
    auto image = open_go_image(*module, *memory);
    if (image)
      images.push_back(std::move(*image));
    else if (image.error().kind() != ErrorKind::not_found && !failed)
      failed = image.error();
  }
}

void GoRuntime::State::choose_by_version(const GoImage &image) {
  main = &image;
  choice = runtime_layout(image.version, image.version == GoVersion{} ? 0 : go_patch_release(image.version_text));
}

/// The runtime is in the image whose list has goroutines: a plugin uses that of its program. Two c-shared libraries
/// have one each.
void GoRuntime::State::find_lists() {
  std::vector<const GoImage *> others;
  for (GoImage &image : images) {
    const GoImage *before = lists && lists->count > 0 ? main : nullptr;
    if (find_lists_in(image) && before != nullptr)
      others.push_back(main == before ? &image : before);
  }
  for (const GoImage *other : others)
    warnings.push_back(fmt::format("the process has another Go runtime, that of {}, whose goroutines are not shown",
                                   other->module->path()));
  if (lists) {
    failure.reset();
    warn_of_guess();
  }
}

/// True where the image has goroutines of its own.
bool GoRuntime::State::find_lists_in(GoImage &image) {
  ListFinder finder(image, images, *memory);
  const RuntimeLayoutChoice by_version =
      runtime_layout(image.version, image.version == GoVersion{} ? 0 : go_patch_release(image.version_text));
  // The process runs meanwhile: threads and goroutines are being made, and what fails once need not fail again.
  constexpr int attempts = 3;
  for (const RuntimeLayout *layout : layouts_for(*by_version.layout))
    for (int attempt = 0; attempt < (layout == by_version.layout ? attempts : 1); ++attempt)
      if (const auto found = finder.find(*layout))
        return take(image, *layout, *found);
  const std::string version = image.version_text.empty() ? "a Go of unknown version" : image.version_text;
  if (finder.has_symbol())
    failure = Error(ErrorKind::unsupported,
                    fmt::format("the goroutines of {} ({}) cannot be read: none of the layouts known, those of Go {}, "
                                "fits what is in memory ({})",
                                image.module->path(), version, versions_known(), finder.problem()),
                    "use a newer inspect, or look at the threads with --threads");
  else if (!failure)
    failure = Error(ErrorKind::not_found,
                    fmt::format("no list of goroutines is in the data of {} ({}): it has no symbols, and no slice in "
                                "it leads to goroutines as any of Go {} lays them out",
                                image.module->path(), version, versions_known()),
                    "if the program has only just started, try again; else look at the threads with --threads");
  return false;
}

bool GoRuntime::State::take(const GoImage &image, const RuntimeLayout &layout, const FoundLists &found) {
  if (!lists || found.count > lists->count) {
    lists = found;
    main = &image;
    choice = {&layout, layout.version == image.version};
  }
  return found.count > 0;
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
  if (main->version == GoVersion{})
    warnings.push_back(fmt::format("{} does not tell its Go version; the layout of {} is used: {}",
                                   main->module->path(), used, verified));
  else if (main->version > newest)
    warnings.push_back(fmt::format("{} is newer than this program knows; the layout of {} is used: {}",
                                   main->version_text, used, verified));
  else
    warnings.push_back(fmt::format("the runtime of {} ({}) is not laid out as that version's; the layout of {} is "
                                   "used: {}",
                                   main->module->path(), main->version_text, used, verified));
}

GoRuntime::GoRuntime(std::unique_ptr<State> state) : state_(std::move(state)) {}
GoRuntime::~GoRuntime() = default;

Result<std::unique_ptr<GoRuntime>> GoRuntime::open(ModuleMap &modules, const MemoryView &memory) {
  auto state = std::make_unique<State>();
  state->memory = &memory;
  std::optional<Error> failed;
  state->open_images(modules, failed);
  if (state->images.empty())
    return std::unexpected(failed.value_or(Error(ErrorKind::not_found, "no Go program or library is in the process")));
  if (failed)
    state->warnings.push_back(failed->message());
  state->choose_by_version(state->images.front());
  state->find_lists();
  return std::unique_ptr<GoRuntime>(new GoRuntime(std::move(state)));
}

const std::vector<GoImage> &GoRuntime::images() const {
  return state_->images;
}

const GoImage *GoRuntime::find(RunAddress pc) const {
  const auto found =
      std::ranges::find_if(state_->images, [&](const GoImage &image) { return image.data.text.contains(pc); });
  return found != state_->images.end() ? &*found : nullptr;
}

std::optional<GoRuntime::Place> GoRuntime::function_at(RunAddress pc) const {
  const GoImage *image = find(pc);
  if (image == nullptr)
    return std::nullopt;
  auto function = image->table->find(pc);
  return function ? std::optional(Place{image, std::move(*function)}) : std::nullopt;
}

GoVersion GoRuntime::version() const {
  return state_->main->version;
}

const std::string &GoRuntime::version_text() const {
  return state_->main->version_text;
}

const RuntimeLayout &GoRuntime::layout() const {
  return *state_->choice.layout;
}

std::string GoRuntime::layout_note() const {
  if (!state_->lists || state_->choice.exact)
    return {};
  const bool newer = state_->main->version > known_runtime_layouts().back().version;
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
