#include "golang/pclntab/function_record.h"

#include "dwarf/raw/elf/byte_reader.h"

namespace inspect {

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

} // namespace inspect
