#include "golang/goroutines/deferred_calls.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_deferred = 100'000;
constexpr std::uint32_t max_open_coded = 8; // one bit each in one byte
constexpr std::uint64_t frame_pointer_and_return_address = 16;

/// Where a closure's code begins: its first word.
RunAddress code_of(const MemoryView &memory, RunAddress closure) {
  const auto code = closure.value != 0 ? read_word(memory, closure) : Result<std::uint64_t>(0);
  return RunAddress{code.value_or(0)};
}

/// Reads varints of function data, which ends nowhere in particular.
class VarintReader {
public:
  VarintReader(const MemoryView &memory, RunAddress at) : memory_(memory), at_(at) {}

  std::optional<std::uint32_t> next() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 32; shift += 7) {
      const auto byte = read_value<std::uint8_t>(memory_, at_);
      if (!byte)
        return std::nullopt;
      at_ = at_ + 1;
      value |= static_cast<std::uint32_t>(*byte & 0x7f) << shift;
      if ((*byte & 0x80) == 0)
        return value;
    }
    return std::nullopt;
  }
  bool skip(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i)
      if (!next())
        return false;
    return true;
  }

private:
  const MemoryView &memory_;
  RunAddress at_;
};

/// What the function data says of the open-coded defers of one function: where the bits and the closures lie, as bytes
/// below the locals' end.
struct OpenCodedPlaces {
  std::uint32_t bits = 0;
  std::array<std::uint32_t, max_open_coded> closures{};
  std::uint32_t count = 0;
};

std::optional<OpenCodedPlaces> read_places(const MemoryView &memory, RunAddress data, GoVersion version) {
  VarintReader reader(memory, data);
  OpenCodedPlaces places;
  if (version < GoVersion{1, 18} && !reader.skip(1)) // the size of the largest arguments
    return std::nullopt;
  const auto bits = reader.next();
  const auto second = reader.next();
  if (!bits || !second)
    return std::nullopt;
  places.bits = *bits;
  if (version >= GoVersion{1, 22}) { // the slots stand in a row
    places.count = max_open_coded;
    for (std::uint32_t i = 0; i < max_open_coded; ++i)
      places.closures[i] = *second - 8 * i;
    return places;
  }
  places.count = std::min(*second, max_open_coded);
  for (std::uint32_t i = places.count; i-- > 0;) { // the last one deferred comes first
    if (version < GoVersion{1, 18} && !reader.skip(1))
      return std::nullopt;
    const auto closure = reader.next();
    if (!closure)
      return std::nullopt;
    places.closures[i] = *closure;
    if (version < GoVersion{1, 18}) {
      const auto arguments = reader.next();
      if (!arguments || *arguments > 1024 || !reader.skip(*arguments * 3))
        return std::nullopt;
    }
  }
  return places;
}

void add_open_coded(const GoRuntime &runtime, const MemoryView &memory, std::span<const GoPhysicalFrame> frames,
                    std::vector<GoDeferredCall> &into) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto place = runtime.function_at(frames[i].pc);
    if (!place || place->function.defer_return == 0)
      continue;
    const auto data = place->image->table->function_data(place->function, GoFunctionData::open_coded_defers);
    const auto places = data ? read_places(memory, *data, runtime.version()) : std::nullopt;
    if (!places)
      continue;
    const RunAddress locals_end = frames[i].cfa - frame_pointer_and_return_address;
    const auto bits = read_value<std::uint8_t>(memory, locals_end - places->bits);
    for (std::uint32_t slot = places->count; bits && slot-- > 0;) {
      if ((*bits >> slot & 1) == 0)
        continue;
      const auto closure = read_word(memory, locals_end - places->closures[slot]);
      into.push_back({code_of(memory, RunAddress{closure.value_or(0)}), {}, i, true});
    }
  }
}

/// The frame whose stack pointer at the defer statement was `sp`: the first whose CFA is above it.
std::size_t frame_of(RunAddress sp, std::span<const GoPhysicalFrame> frames) {
  const auto found = std::ranges::find_if(frames, [&](const GoPhysicalFrame &frame) { return frame.cfa > sp; });
  return static_cast<std::size_t>(found - frames.begin());
}

void add_listed(const GoRuntime &runtime, const MemoryView &memory, RunAddress first,
                std::span<const GoPhysicalFrame> frames, std::vector<GoDeferredCall> &into,
                std::vector<std::string> &warnings) {
  const RuntimeLayout::Defer &layout = runtime.layout().deferred;
  const auto word = [&](RunAddress record, FieldOffset field) -> Result<std::uint64_t> {
    if (field < 0)
      return 0;
    return read_word(memory, record + static_cast<std::uint64_t>(field));
  };
  RunAddress record = first;
  for (std::size_t i = 0; record.value != 0; ++i) {
    const auto function = word(record, layout.function);
    const auto link = word(record, layout.link);
    if (!function || !link || i == max_deferred) {
      warnings.push_back(fmt::format("the list of deferred calls cannot be followed beyond {:#x}: {}", record.value,
                                     i == max_deferred ? "it is too long" : "it is not readable"));
      return;
    }
    // Up to Go 1.21 a record without a function stands for a frame with open-coded defers.
    if (*function != 0) {
      const RunAddress sp{word(record, layout.sp).value_or(0)};
      const std::size_t frame = frame_of(sp, frames);
      into.push_back(
          {code_of(memory, RunAddress{*function}), RunAddress{word(record, layout.pc).value_or(0)}, frame, false});
    }
    record = RunAddress{*link};
  }
}

} // namespace

std::vector<GoDeferredCall> deferred_calls(const GoRuntime &runtime, const MemoryView &memory, RunAddress first_defer,
                                           std::span<const GoPhysicalFrame> frames,
                                           std::vector<std::string> &warnings) {
  std::vector<GoDeferredCall> calls;
  add_listed(runtime, memory, first_defer, frames, calls, warnings);
  add_open_coded(runtime, memory, frames, calls);
  std::ranges::stable_sort(calls, {}, &GoDeferredCall::frame);
  return calls;
}

} // namespace inspect
