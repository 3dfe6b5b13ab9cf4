#include "golang/goroutines/start_function.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace inspect {
namespace {

constexpr std::uint64_t max_wrapper_size = 4096; // a wrapper copies its captured words and calls
constexpr int max_wrappers = 4;                  // a method's wrapper may be called by that of the go statement

bool is_wrapper(const GoFunction &function) {
  const std::string_view name = function.name;
  const std::size_t last = name.rfind('.');
  return function.func_id == GoFuncId::wrapper || name.find("·dwrap·") != std::string_view::npos ||
         (last != std::string_view::npos && name.substr(last + 1).starts_with("gowrap"));
}

/// What is called for the runtime's own purposes: a larger stack, the race detector.
bool is_of_runtime(std::string_view name) {
  return name.starts_with("runtime.");
}

GoStartFunction described(const Pclntab &table, const GoFunction &function) {
  const GoSourceFrame place = table.frames(function, function.entry).back();
  return {function.name, place.file, function.start_line > 0 ? function.start_line : place.line};
}

std::optional<GoStartFunction> inlined_in(const Pclntab &table, const GoFunction &wrapper) {
  if (!table.function_data(wrapper, GoFunctionData::inline_tree))
    return std::nullopt;
  for (RunAddress pc = wrapper.entry; pc < wrapper.end && pc - wrapper.entry < max_wrapper_size; pc = pc + 1) {
    const std::vector<GoSourceFrame> frames = table.frames(wrapper, pc);
    if (frames.size() < 2)
      continue;
    const GoSourceFrame &called = frames[frames.size() - 2];
    if (is_of_runtime(called.function))
      continue;
    if (const auto body = table.find(called.function))
      return described(table, *body);
    return GoStartFunction{called.function, called.file, called.start_line > 0 ? called.start_line : called.line};
  }
  return std::nullopt;
}

/// The first direct call of a function's first instruction: bytes that look like one by chance lead nowhere.
std::optional<GoFunction> called_by(const Pclntab &table, const GoFunction &wrapper, const MemoryView &memory) {
  constexpr std::size_t call_size = 5;
  constexpr std::byte call_opcode{0xe8};
  std::vector<std::byte> code(std::min<std::uint64_t>(wrapper.end - wrapper.entry, max_wrapper_size));
  if (code.size() < call_size || !memory.read(wrapper.entry, code))
    return std::nullopt;
  for (std::size_t at = 0; at + call_size <= code.size(); ++at) {
    if (code[at] != call_opcode)
      continue;
    std::int32_t distance = 0;
    std::memcpy(&distance, code.data() + at + 1, sizeof distance);
    const RunAddress target = wrapper.entry + at + call_size + static_cast<std::uint64_t>(std::int64_t{distance});
    const auto called = table.find(target);
    if (called && called->entry == target && !is_of_runtime(called->name))
      return called;
  }
  return std::nullopt;
}

} // namespace

std::optional<GoStartFunction> start_function(const GoRuntime &runtime, const MemoryView &memory, RunAddress start_pc) {
  const auto place = runtime.function_at(start_pc);
  if (!place)
    return std::nullopt;
  const Pclntab &table = *place->image->table;
  GoFunction function = place->function;
  for (int i = 0; i < max_wrappers && is_wrapper(function); ++i) {
    if (const auto inlined = inlined_in(table, function))
      return inlined;
    const auto called = called_by(table, function, memory);
    if (!called)
      break;
    function = *called;
  }
  return described(table, function);
}

} // namespace inspect
