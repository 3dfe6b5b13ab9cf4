#include "golang/image/version_text.h"

#include "dwarf/raw/elf/byte_reader.h"
#include "dwarf/raw/elf/elf_image.h"

#include <array>
#include <string_view>

namespace inspect {
namespace {

constexpr std::string_view marker = "\xff Go buildinf:";
constexpr std::size_t header_size = 32;
constexpr std::uint64_t alignment = 16;
constexpr std::size_t max_version_length = 256;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// Offset of the block. Programs that look for the marker hold it as a string, at any alignment.
std::optional<std::uint64_t> find_marker(std::span<const std::byte> bytes, std::uint64_t address) {
  for (std::size_t at = (alignment - address % alignment) % alignment; at + header_size <= bytes.size();
       at += alignment)
    if (std::memcmp(bytes.data() + at, marker.data(), marker.size()) == 0)
      return at;
  return std::nullopt;
}

std::optional<RunAddress> find_block(const Module &module) {
  const ElfImage &image = module.image();
  const auto sections = image.sections();
  for (const ImageSection &section : sections)
    if (section.name == ".go.buildinfo")
      return module.bias().to_run(LinkAddress{section.header.sh_addr});
  if (!sections.empty())
    return std::nullopt; // the linker makes the section: only where the headers are gone is a search needed
  for (const GElf_Phdr &segment : image.segments())
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) == 0)
      if (const auto at = find_marker(image.bytes_from(LinkAddress{segment.p_vaddr}), segment.p_vaddr))
        return module.bias().to_run(LinkAddress{segment.p_vaddr + *at});
  return std::nullopt;
}

std::optional<std::string> text_of(const MemoryView &memory, RunAddress address, std::uint64_t length) {
  std::string text(std::min<std::uint64_t>(length, max_version_length), '\0');
  if (length == 0 || length > max_version_length || !memory.read(address, std::as_writable_bytes(std::span(text))))
    return std::nullopt;
  return text;
}

std::optional<std::string> go_string(const MemoryView &memory, RunAddress header) {
  const auto words = read_value<std::array<std::uint64_t, 2>>(memory, header);
  return words ? text_of(memory, RunAddress{(*words)[0]}, (*words)[1]) : std::nullopt;
}

} // namespace

std::optional<std::string> go_version_text(const Module &module, const MemoryView &memory) {
  const auto block = find_block(module);
  if (!block)
    return std::nullopt;
  const auto header = read_value<std::array<std::byte, header_size>>(memory, *block);
  if (!header || !as_text(*header).starts_with(marker))
    return std::nullopt;
  const auto flags = std::to_integer<unsigned>((*header)[15]);
  if ((flags & 2) == 0) {
    std::uint64_t version = 0;
    std::memcpy(&version, header->data() + 16, sizeof version);
    return go_string(memory, RunAddress{version});
  }
  const auto length_bytes = read_value<std::array<std::byte, 10>>(memory, *block + header_size);
  if (!length_bytes)
    return std::nullopt;
  ByteReader reader(*length_bytes);
  const std::uint64_t length = reader.unsigned_leb();
  return reader.ok() ? text_of(memory, *block + header_size + reader.position(), length) : std::nullopt;
}

std::optional<std::string> go_version_by_symbol(Module &module, ModuleMap &modules, const MemoryView &memory) {
  SymbolTable *symbols = modules.symbols(module);
  const auto symbol = symbols != nullptr ? symbols->by_name("runtime.buildVersion") : std::nullopt;
  return symbol ? go_string(memory, module.bias().to_run(symbol->address)) : std::nullopt;
}

} // namespace inspect
