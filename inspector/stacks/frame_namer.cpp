#include "inspector/stacks/frame_namer.h"

#include "dwarf/location/call_sites.h"
#include "golang/pclntab/function_name.h"
#include "golang/traceback/traceback_rules.h"

namespace inspect {

FrameNamer::FrameNamer(Target &target, const GoRuntime *runtime, TextPool &texts, std::deque<ArgumentLayout> *layouts,
                       const MemoryView &memory)
    : symbolizer_(target.symbolizer()), modules_(target.modules()), jit_code_(target), runtime_(runtime), texts_(texts),
      layouts_(layouts), memory_(memory) {}

FrameNamer::~FrameNamer() = default;

std::uint32_t FrameNamer::name(const Stack &stack, std::vector<ReportFrame> &into) {
  TracebackFilter filter(runtime_ != nullptr ? runtime_->version() : GoVersion{});
  std::uint32_t words = 0;
  for (std::size_t i = 0; i < stack.frames.size(); ++i) {
    const Frame &frame = stack.frames[i];
    const bool signal = i + 1 < stack.frames.size() && stack.frames[i + 1].origin == FrameOrigin::signal_frame;
    std::size_t elided = i == stack.elided_at ? stack.elided : 0;
    for (const Named &known : names_at(frame.pc, frame.lookup_address())) {
      ReportFrame &named = into.emplace_back(known.frame);
      named.elided_before = std::exchange(elided, 0);
      named.pc = frame.pc;
      named.guessed = frame.guessed();
      named.signal = signal;
      named.physical = i;
      if (!named.inlined && !named.go && frame.pc_is_return_address && !named.function.empty())
        ++named.offset;
      if (named.go)
        named.hidden_in_traceback = filter.hides(named.function, known.func_id);
      if (named.arguments != nullptr) {
        named.first_word = words;
        words += static_cast<std::uint32_t>(named.arguments->word_count());
      }
    }
    if (signal || i + 1 >= stack.frames.size() || (stack.elided != 0 && i + 1 == stack.elided_at))
      continue;
    for (const RunAddress behind_jump : tail_callers(frame, stack.frames[i + 1]))
      for (const Named &known : names_at(behind_jump, behind_jump - 1)) {
        ReportFrame &named = into.emplace_back(known.frame);
        named.pc = behind_jump;
        named.tail_call = true;
        named.physical = no_physical_frame;
      }
  }
  return words;
}

const std::vector<RunAddress> &FrameNamer::tail_callers(const Frame &frame, const Frame &caller) {
  static const std::vector<RunAddress> none;
  if (frame.guessed() || caller.guessed() || !caller.pc_is_return_address)
    return none;
  const RunAddress lookup = frame.lookup_address();
  if (runtime_ != nullptr && (runtime_->find(lookup) != nullptr || runtime_->find(caller.pc - 1) != nullptr))
    return none;
  const auto [entry, is_new] = tail_callers_.try_emplace({lookup, caller.pc});
  Module *module = is_new ? modules_.find(lookup) : nullptr;
  Module *calling = module != nullptr ? modules_.find(caller.pc - 1) : nullptr;
  if (calling != nullptr) {
    FrameContext outer;
    outer.module = calling;
    outer.pc = caller.pc;
    outer.lookup = caller.pc - 1;
    FrameContext inner;
    inner.module = module;
    inner.pc = frame.pc;
    inner.lookup = lookup;
    inner.caller = &outer;
    inner.modules = outer.modules = &modules_;
    entry->second = missing_tail_callers(inner);
  }
  return entry->second;
}

const std::vector<FrameNamer::Named> &FrameNamer::names_at(RunAddress pc, RunAddress lookup) {
  // An address is looked up as a call's or as an exact pc's, never as both in one function but for rare exceptions: the
  // key is the address looked at.
  const auto [entry, is_new] = known_.try_emplace(lookup);
  if (!is_new)
    return entry->second;
  if (runtime_ != nullptr)
    if (const GoImage *image = runtime_->find(lookup))
      entry->second = go_names(*image, pc, lookup);
  if (entry->second.empty())
    entry->second = native_names(lookup);
  return entry->second;
}

std::vector<FrameNamer::Named> FrameNamer::go_names(const GoImage &image, RunAddress pc, RunAddress lookup) {
  std::vector<Named> names;
  const auto function = image.table->find(lookup);
  if (!function)
    return names;
  const std::string_view module = texts_.intern(image.module->name());
  const std::vector<GoSourceFrame> frames = image.table->frames(*function, lookup);
  for (const GoSourceFrame &frame : frames) {
    Named named{.frame = {}, .func_id = frame.func_id};
    named.frame.function = texts_.intern(printed_function_name(frame.function, image.version));
    named.frame.offset = pc - function->entry;
    named.frame.file = texts_.intern(frame.file);
    named.frame.line = frame.line;
    named.frame.module = module;
    named.frame.inlined = frame.inlined;
    named.frame.go = true;
    names.push_back(named);
  }
  if (layouts_ != nullptr && !names.empty()) {
    // Up to Go 1.20 the runtime's traceback takes the liveness of arguments at the line it prints for the function,
    // which is that of the outermost inlined call (test: "The go format equals what the runtime prints …").
    const RunAddress at = image.version < GoVersion{1, 21} ? frames.back().pc : lookup;
    layouts_->push_back(argument_layout(image, *function, at, memory_));
    names.back().frame.arguments = &layouts_->back();
  }
  return names;
}

std::vector<FrameNamer::Named> FrameNamer::native_names(RunAddress lookup) {
  std::vector<Named> names;
  const Symbolized &symbolized = symbolizer_.at(lookup);
  const std::string_view module = symbolized.module != nullptr ? texts_.intern(symbolized.module->name()) : "";
  for (const SourceFrame &frame : symbolized.frames) {
    ReportFrame named;
    named.function = texts_.intern(frame.function);
    named.offset = frame.offset;
    named.file = texts_.intern(frame.file);
    named.line = frame.line;
    named.column = frame.column;
    named.module = module;
    named.inlined = frame.inlined;
    names.push_back({.frame = named});
  }
  if (!names.empty())
    return names;
  ReportFrame &unnamed = names.emplace_back().frame;
  unnamed.pc = lookup;
  unnamed.module = module;
  const auto place = symbolized.module == nullptr ? jit_code_.at(lookup) : std::nullopt;
  if (place) {
    unnamed.anonymous_code = true;
    unnamed.function = texts_.intern(place->name);
    unnamed.offset = place->offset;
  }
  return names;
}

} // namespace inspect
