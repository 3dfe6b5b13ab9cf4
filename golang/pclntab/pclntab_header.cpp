#include "golang/pclntab/pclntab_header.h"

#include "dwarf/raw/elf/byte_reader.h"

#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint32_t magic_1_2 = 0xfffffffb;
constexpr std::uint32_t magic_1_16 = 0xfffffffa;
constexpr std::uint32_t magic_1_18 = 0xfffffff0;
constexpr std::uint32_t magic_1_20 = 0xfffffff1;
// Of a function table entry, a _func and two tables at least a dozen bytes each: more would not fit in an address
// space.
constexpr std::uint64_t max_functions = 1 << 26;

Error corrupt(std::string message) {
  return Error(ErrorKind::corrupt, std::move(message));
}

} // namespace

Result<PclntabHeader> read_pclntab_header(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  PclntabHeader header;
  const auto magic = static_cast<std::uint32_t>(reader.number(4));
  const std::uint64_t padding = reader.number(2);
  const std::uint8_t quantum = reader.byte();
  const std::uint8_t pointer_size = reader.byte();
  if (!reader.ok() || padding != 0)
    return std::unexpected(corrupt("there is no Go function table"));
  switch (magic) {
  case magic_1_2:
    return std::unexpected(Error(ErrorKind::unsupported, "the program was built with Go 1.15 or older",
                                 "rebuild it with Go 1.16 or newer"));
  case magic_1_16:
    header.format = PclntabFormat::go1_16;
    break;
  case magic_1_18:
    header.format = PclntabFormat::go1_18;
    break;
  case magic_1_20:
    header.format = PclntabFormat::go1_20;
    break;
  default:
    // The runtime's own constants all begin like this, so that one more of them is a format yet to come.
    if (magic >= 0xffffff00 && quantum == 1 && pointer_size == 8)
      return std::unexpected(Error(ErrorKind::unsupported,
                                   fmt::format("the Go function table has the unknown format {:#x}", magic),
                                   "a newer inspect may know it"));
    return std::unexpected(corrupt("there is no Go function table"));
  }
  if (quantum != 1 || pointer_size != 8)
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("the Go function table is not one of x86-64: instruction quantum {}, "
                                                  "pointers of {} bytes",
                                                  quantum, pointer_size)));
  header.functions = reader.number(8);
  header.files = reader.number(8);
  if (header.format != PclntabFormat::go1_16)
    header.text_start = reader.number(8);
  if (!reader.ok() || header.functions == 0 || header.functions > max_functions)
    return std::unexpected(corrupt(
        fmt::format("the header of the Go function table is damaged: it counts {} functions", header.functions)));
  return header;
}

} // namespace inspect
