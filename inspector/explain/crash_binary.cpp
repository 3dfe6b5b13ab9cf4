#include "inspector/explain/crash_binary.h"

#include "attach/files/target_files.h"
#include "dwarf/symbolize/symbolizer.h"
#include "dwarf/symbols/symbol_table.h"
#include "golang/pclntab/function_name.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t max_wrapper_size = 4096; // bytes; of a real one a few hundred
/// Where Go's heap and the goroutines' stacks begin: runtime/malloc.go, mallocinit (amd64 and others; arm64).
constexpr RunRange heap_amd64{{0xc000000000}, {0x10000000000}};
constexpr RunRange heap_arm64{{0x4000000000}, {0x4100000000}};

/// What the program cannot have changed since it was linked: from the text to where writable data begins. No value lies
/// in the text itself: a word that points there is a return address, or what a register held before.
class ConstantMemory final : public MemoryView {
public:
  ConstantMemory(const MemoryView &memory, const ModuleData &data) : memory_(memory) {
    range_.begin = data.types.begin.value != 0 ? std::min(data.text.begin, data.types.begin) : data.text.begin;
    range_.end = std::min(data.pointer_free_data.begin, data.data.begin);
    text_ = data.text;
  }
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    if (!range_.contains(address) || into.size() > range_.end - address || text_.contains(address))
      return std::unexpected(
          Error(ErrorKind::unreadable, fmt::format("{:#x} is not in the binary's read-only data", address.value)));
    return memory_.read(address, into);
  }

private:
  const MemoryView &memory_;
  RunRange range_;
  RunRange text_;
};

std::string_view last_part(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// For a return address the line is that of the call before it; where a signal struck, of the instruction itself.
bool has_line(const Pclntab &table, const GoFunction &function, RunAddress pc, const TracebackFrame &frame) {
  for (const RunAddress at : {pc - 1, pc}) {
    if (at < function.entry || at >= function.end)
      continue;
    const auto frames = table.frames(function, at);
    if (!frames.empty() && frames.back().line == frame.line && last_part(frames.back().file) == last_part(frame.file))
      return true;
  }
  return false;
}

} // namespace

struct CrashBinary::State {
  TargetFiles files{::getpid()};
  std::unique_ptr<GoFileImage> image;
  std::unique_ptr<ConstantMemory> constants;
  std::unique_ptr<GoRuntimeTypes> types;
  std::unique_ptr<GoSignatures> signatures;
  LoadBias bias;
  bool addresses_known = false;
  bool position_independent = false;
  /// Functions with type parameters, by the name that tracebacks print for all of their instances.
  std::unordered_map<std::string, std::vector<std::size_t>> generic;
  bool generic_listed = false;
};

CrashBinary::CrashBinary(std::string path, std::unique_ptr<State> state)
    : path_(std::move(path)), state_(std::move(state)) {}
CrashBinary::~CrashBinary() = default;

Result<std::unique_ptr<CrashBinary>> CrashBinary::open(const std::string &path) {
  std::unique_ptr<CrashBinary> binary(new CrashBinary(path, std::make_unique<State>()));
  if (auto done = binary->load_at({}); !done)
    return std::unexpected(done.error());
  State &state = *binary->state_;
  state.position_independent = state.image->position_independent();
  state.addresses_known = !state.position_independent;
  return binary;
}

Result<void> CrashBinary::load_at(LoadBias bias) {
  State &state = *state_;
  std::error_code ignored; // a path that cannot be made absolute cannot be opened, either, and that is reported
  const std::string absolute = std::filesystem::absolute(path_, ignored).string();
  auto image = GoFileImage::open(absolute.empty() ? path_ : absolute, state.files, bias);
  if (!image)
    return std::unexpected(image.error());
  state.signatures.reset();
  state.types.reset();
  state.constants.reset();
  state.image = std::move(*image);
  state.bias = bias;
  state.constants = std::make_unique<ConstantMemory>(state.image->memory(), state.image->image().data);
  state.types =
      std::make_unique<GoRuntimeTypes>(state.image->images(), state.image->image().version, state.image->memory());
  state.signatures = std::make_unique<GoSignatures>();
  return {};
}

GoVersion CrashBinary::version() const {
  return state_->image->image().version;
}

const std::string &CrashBinary::version_text() const {
  return state_->image->image().version_text;
}

Result<bool> CrashBinary::place(const Traceback &traceback) {
  std::unordered_map<std::uint64_t, std::size_t> votes; // by bias
  const auto vote = [&](const TracebackFrame &frame, std::optional<std::uint64_t> pc) {
    const auto function = frame.offset && pc ? function_of(frame) : std::nullopt;
    if (!function)
      return;
    const std::uint64_t bias = *pc - *frame.offset - state_->bias.to_link(function->entry).value;
    if (bias % page == 0)
      ++votes[bias];
  };
  constexpr std::size_t enough = 64;
  std::size_t frames = 0;
  for (const TracebackGoroutine &goroutine : traceback.goroutines) {
    for (const TracebackFrame &frame : goroutine.frames) {
      // The signal's pc is in the frame that it struck, which is one of the first.
      vote(frame, frame.pc ? frame.pc : traceback.signal && frames < 4 ? traceback.signal->pc : std::nullopt);
      ++frames;
    }
    if (frames > enough)
      break;
  }
  const auto best = std::ranges::max_element(votes, {}, &std::pair<const std::uint64_t, std::size_t>::second);
  if (best == votes.end()) {
    if (state_->position_independent)
      state_->addresses_known = false;
    return state_->addresses_known;
  }
  if (!state_->position_independent && best->first != 0)
    return std::unexpected(Error(ErrorKind::corrupt,
                                 fmt::format("{} has its functions at other addresses than the text", path_),
                                 "give the binary that crashed"));
  if (best->first != state_->bias.value)
    if (auto done = load_at({best->first}); !done)
      return std::unexpected(done.error());
  return state_->addresses_known = true;
}

std::optional<GoFunction> CrashBinary::function_of(const TracebackFrame &frame) const {
  const Pclntab &table = *state_->image->image().table;
  if (frame.function == "panic") // runtime/traceback.go, printFuncName
    return table.find(std::string_view("runtime.gopanic"));
  if (frame.function.find('[') == std::string::npos)
    return table.find(std::string_view(frame.function));
  if (!std::exchange(state_->generic_listed, true))
    for (std::size_t i = 0; i < table.function_count(); ++i)
      if (const auto function = table.function(i); function && function->name.find('[') != std::string_view::npos)
        state_->generic[printed_function_name(function->name, {})].push_back(i);
  const auto instances = state_->generic.find(printed_function_name(frame.function, {}));
  if (instances == state_->generic.end())
    return std::nullopt;
  std::optional<GoFunction> first;
  for (const std::size_t index : instances->second) {
    const auto function = table.function(index);
    if (!function)
      continue;
    if (!frame.offset || has_line(table, *function, function->entry + *frame.offset, frame))
      return function;
    if (!first)
      first = function;
  }
  return first;
}

CrashBinary::FrameCheck CrashBinary::check(const TracebackFrame &frame, const TracebackFrame *physical) const {
  const Pclntab &table = *state_->image->image().table;
  if (!frame.offset && !frame.has_arguments) {
    const auto outer = physical != nullptr ? function_of(*physical) : std::nullopt;
    if (!outer)
      return {};
    const RunAddress at = outer->entry + physical->offset.value_or(0);
    for (const RunAddress pc : {at - 1, at})
      for (const GoSourceFrame &source : table.frames(*outer, pc))
        if (printed_function_name(source.function, {}) == printed_function_name(frame.function, {}) &&
            source.line == frame.line)
          return {{}, true};
    if (is_inlined_into_wrapper(frame))
      return {{}, true};
    return {fmt::format("the binary has no call of it inlined into {}+{:#x}", physical->function,
                        physical->offset.value_or(0)),
            true};
  }
  const std::uint64_t offset = frame.offset.value_or(0); // none is printed at the function's first instruction
  const auto function = function_of(frame);
  if (!function)
    return {"the binary has no function of this name", true};
  const std::uint64_t size = function->end - function->entry;
  if (offset > size)
    return {fmt::format("+{:#x} lies beyond the function's end: in the binary it has {:#x} bytes", offset, size), true};
  if (frame.line == 0 || has_line(table, *function, function->entry + offset, frame))
    return {{}, true};
  const auto frames = table.frames(*function, function->entry + (offset == 0 ? 0 : offset - 1));
  if (frames.empty())
    return {"the binary knows no line at this offset", true};
  return {fmt::format("the binary has {}:{} at this offset", last_part(frames.back().file), frames.back().line), true};
}

bool CrashBinary::is_text(std::uint64_t address) const {
  return state_->addresses_known && state_->image->image().data.text.contains(RunAddress{address});
}

/// The runtime leaves out what the compiler made (methods of pointers and of embedded fields, method values, wrappers
/// of go and defer) and prints what is inlined there, whose physical frame is then not in the text.
bool CrashBinary::is_inlined_into_wrapper(const TracebackFrame &frame) const {
  const Pclntab &table = *state_->image->image().table;
  const std::string name = printed_function_name(frame.function, {});
  const std::string_view method = std::string_view(name).substr(name.rfind('.') + 1);
  for (std::size_t i = 0; i < table.function_count(); ++i) {
    const auto function = table.function(i);
    if (!function || function->func_id != GoFuncId::wrapper || function->end - function->entry > max_wrapper_size)
      continue;
    const std::string_view wrapper = function->name;
    if (!wrapper.ends_with(method) && !wrapper.contains("wrap") && !wrapper.ends_with("-fm"))
      continue;
    for (RunAddress pc = function->entry; pc < function->end; pc = pc + 1)
      for (const GoSourceFrame &source : table.frames(*function, pc))
        if (source.inlined && source.line == frame.line && printed_function_name(source.function, {}) == name)
          return true;
  }
  return false;
}

std::optional<std::string> CrashBinary::c_function_at(std::uint64_t pc) const {
  const RunAddress address{pc};
  if (!state_->addresses_known || state_->image->image().table->find(address))
    return std::nullopt;
  Symbolizer symbolizer(state_->image->modules());
  std::string text;
  for (const SourceFrame &frame : symbolizer.at(address).frames) {
    if (frame.function.empty())
      continue;
    text += (text.empty() ? "" : ", inlined into ") + std::string(frame.function);
    if (!frame.file.empty())
      text += fmt::format(" at {}:{}", frame.file, frame.line);
  }
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

const GoSignature *CrashBinary::signature(const TracebackFrame &frame) {
  const auto function = function_of(frame);
  if (!function)
    return nullptr;
  return state_->signatures->at(*state_->image->image().module, function->entry, function->name);
}

ValueContext CrashBinary::context() {
  ValueContext context;
  context.version = version();
  if (!state_->addresses_known)
    return context;
  context.memory = state_->constants.get();
  context.memory_is_partial = true;
  context.types = state_->types.get();
  context.classify = [this](RunAddress address) -> std::string {
    const GoImage &image = state_->image->image();
    if (heap_amd64.contains(address) || heap_arm64.contains(address))
      return "heap or a goroutine's stack";
    if (const auto function = image.data.text.contains(address) ? image.table->find(address) : std::nullopt)
      return function->entry == address ? fmt::format("func {}", function->name)
                                        : fmt::format("func {}+{:#x}", function->name, address - function->entry);
    const RunRange variables{std::min(image.data.pointer_free_data.begin, image.data.data.begin),
                             std::max(image.data.bss.end, image.data.pointer_free_bss.end)};
    if (!variables.contains(address))
      return {};
    const LinkAddress place = state_->bias.to_link(address);
    const auto symbol = symbols_of(*image.module).at(place);
    if (!symbol)
      return "a global variable";
    return symbol->address == place ? std::string(symbol->name)
                                    : fmt::format("{}+{:#x}", symbol->name, place - symbol->address);
  };
  return context;
}

} // namespace inspect
