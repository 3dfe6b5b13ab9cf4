#include "golang/memstats/go_memory_reader.h"

#include "golang/memstats/memory_copy.h"
#include "golang/memstats/memory_ranges.h"
#include "golang/memstats/memory_statistics.h"
#include "golang/memstats/memory_variables.h"

#include <fmt/format.h>
#include <utility>

namespace inspect {

struct GoMemoryReader::State {
  const MemoryView *memory = nullptr;
  MemoryVariables variables;
  std::optional<MemoryCopy> copy;
  std::vector<std::string> warnings;
};

GoMemoryReader::GoMemoryReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
GoMemoryReader::~GoMemoryReader() = default;

Result<std::unique_ptr<GoMemoryReader>> GoMemoryReader::open(GoRuntime &runtime, const MemoryView &memory) {
  auto variables = find_memory_variables(runtime, memory);
  if (!variables)
    return std::unexpected(variables.error());
  auto state = std::make_unique<State>();
  state->memory = &memory;
  state->warnings = std::exchange(variables->warnings, {});
  state->variables = std::move(*variables);
  return std::unique_ptr<GoMemoryReader>(new GoMemoryReader(std::move(state)));
}

Result<void> GoMemoryReader::copy() {
  auto copied = copy_memory_structures(state_->variables, *state_->memory);
  if (!copied)
    return std::unexpected(copied.error());
  if (copied->unreadable > 0)
    state_->warnings.push_back(fmt::format("{} of the Ps' caches and spans could not be read: what they handed out is "
                                           "missing in the numbers of objects",
                                           copied->unreadable));
  state_->copy = std::move(*copied);
  return {};
}

Result<GoMemoryStatistics> GoMemoryReader::statistics() const {
  if (!state_->copy)
    return std::unexpected(
        Error(ErrorKind::not_found, "nothing of the Go runtime's memory statistics has been copied yet"));
  return memory_statistics(*state_->variables.layout, *state_->copy, state_->warnings);
}

Result<std::vector<GoMemoryRange>> GoMemoryReader::ranges() const {
  return read_memory_ranges(state_->variables, *state_->memory);
}

std::vector<std::string> GoMemoryReader::take_warnings() {
  return std::exchange(state_->warnings, {});
}

} // namespace inspect
