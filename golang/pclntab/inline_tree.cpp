#include "golang/pclntab/inline_tree.h"

#include "dwarf/raw/elf/byte_reader.h"

#include <array>

namespace inspect {

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
