#include "golang/pclntab/function_tables.h"

#include "dwarf/raw/elf/byte_reader.h"
#include "machine/cancellation_point.h"

#include <array>

namespace inspect {
namespace {

// A stretch is at least one byte of code, so that no function has more; it bounds what a damaged table costs.
constexpr std::uint64_t max_stretches = 1 << 22;

std::optional<std::uint32_t> varint(std::span<const std::byte> bytes, std::size_t &at) {
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 35 && at < bytes.size(); shift += 7) {
    const auto next = std::to_integer<std::uint32_t>(bytes[at++]);
    value |= (next & 0x7f) << shift;
    if ((next & 0x80) == 0)
      return value;
  }
  return std::nullopt;
}

} // namespace

std::optional<FunctionRecord> read_function_record(std::span<const std::byte> bytes, PclntabFormat format) {
  ByteReader reader(bytes);
  const auto word = [&reader] { return static_cast<std::uint32_t>(reader.number(4)); };
  FunctionRecord record;
  reader.skip(format == PclntabFormat::go1_16 ? 8 : 4); // its entry, which the function table has, too
  record.name = word();
  record.arguments_size = static_cast<std::int32_t>(word());
  record.defer_return = word();
  record.stack_deltas = word();
  record.files = word();
  record.lines = word();
  record.pc_data_count = word();
  record.compilation_unit = word();
  if (format == PclntabFormat::go1_20)
    record.start_line = static_cast<std::int32_t>(word());
  record.id = reader.byte();
  record.flags = reader.byte();
  reader.skip(1);
  record.function_data_count = reader.byte();
  record.size = reader.position();
  if (!reader.ok())
    return std::nullopt;
  return record;
}

std::optional<std::int32_t> pc_value(std::span<const std::byte> bytes, std::uint64_t offset) {
  // Unsigned, so that hostile deltas wrap as they do in the runtime.
  auto value = static_cast<std::uint32_t>(-1);
  std::uint64_t end = 0;
  std::size_t at = 0;
  for (std::uint64_t stretch = 0; stretch < max_stretches; ++stretch) {
    cancellation_point();
    const auto value_delta = varint(bytes, at);
    if (!value_delta || (*value_delta == 0 && end != 0))
      return std::nullopt;
    const auto pc_delta = varint(bytes, at);
    if (!pc_delta)
      return std::nullopt;
    value += (*value_delta & 1) != 0 ? ~(*value_delta >> 1) : *value_delta >> 1;
    end += *pc_delta;
    if (offset < end)
      return static_cast<std::int32_t>(value);
  }
  return std::nullopt;
}

std::optional<InlinedCall> read_inlined_call(const ImageBytes &bytes, RunAddress tree, std::uint32_t index,
                                             PclntabFormat format) {
  std::array<std::byte, 20> buffer;
  const auto record = std::span(buffer).first(format == PclntabFormat::go1_20 ? 16 : 20);
  if (!bytes.read(tree + std::uint64_t{index} * record.size(), record))
    return std::nullopt;
  ByteReader reader(record);
  const auto word = [&reader] { return static_cast<std::uint32_t>(reader.number(4)); };
  InlinedCall call;
  if (format == PclntabFormat::go1_20) {
    call.id = reader.byte();
    reader.skip(3);
    call.name = word();
    call.parent_pc = word();
    call.start_line = static_cast<std::int32_t>(word());
  } else {
    reader.skip(2); // index of the parent
    call.id = reader.byte();
    reader.skip(1 + 8); // file and line of the call, which the tables have for parent_pc, too
    call.name = word();
    call.parent_pc = word();
  }
  return call;
}

} // namespace inspect
