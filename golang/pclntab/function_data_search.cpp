#include "golang/pclntab/function_data_search.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

constexpr std::size_t functions_tried = 32;
constexpr std::uint64_t max_code_searched = 4096;
constexpr std::size_t max_believed_depth = 100;

/// The first place of the function that an inlined call made; nothing where there is none.
std::optional<RunAddress> first_inlined(const Pclntab &table, const GoFunction &function) {
  if (!table.function_data(function, GoFunctionData::inline_tree))
    return std::nullopt;
  const RunAddress end = std::min(function.end, function.entry + max_code_searched);
  for (RunAddress pc = function.entry; pc < end; pc = pc + 1)
    if (table.pc_data(function, GoPcData::inline_tree, pc).value_or(-1) >= 0)
      return pc;
  return std::nullopt;
}

} // namespace

bool inlined_calls_make_sense(const Pclntab &table) {
  std::size_t tried = 0;
  for (std::size_t i = 0; i < table.function_count() && tried < functions_tried; ++i) {
    const auto function = table.function(i);
    const auto pc = function ? first_inlined(table, *function) : std::nullopt;
    if (!pc)
      continue;
    ++tried;
    const auto frames = table.frames(*function, *pc);
    const auto sound = [](const GoSourceFrame &frame) { return frame.line > 0 && !frame.function.empty(); };
    if (frames.size() < 2 || frames.size() > max_believed_depth || !std::ranges::all_of(frames, sound))
      return false;
  }
  return true;
}

std::vector<RunAddress> other_function_data(const ModuleData &data, const MemoryView &memory) {
  // From the field after `types` on; Go 1.26 has it at word 40.
  constexpr std::uint64_t first_word = 37;
  std::vector<RunAddress> found;
  const auto words = read_value<std::array<std::uint64_t, 16>>(memory, data.address + first_word * 8);
  if (!words)
    return found;
  for (const std::uint64_t word : *words)
    if (word != 0 && word != data.function_data.value)
      found.push_back(RunAddress{word});
  return found;
}

} // namespace inspect
