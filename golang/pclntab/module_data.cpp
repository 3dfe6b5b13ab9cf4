#include "golang/pclntab/module_data.h"

#include <array>
#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

// The words of the structure up to typelinks, Go 1.26; those up to epclntab, Go 1.27, are fewer.
constexpr std::size_t max_words = 48;
// Tables are addressed by 32-bit offsets.
constexpr std::uint64_t max_bytes = std::uint64_t{1} << 32;

Error contradiction(RunAddress address, std::string_view what) {
  return Error(ErrorKind::corrupt, fmt::format("the Go module data at {:#x} is damaged: {}", address.value, what));
}

class WordReader {
public:
  explicit WordReader(std::span<const std::uint64_t> words) : words_(words) {}
  std::uint64_t word() { return words_[at_++]; }
  RunAddress address() { return {word()}; }
  RunRange range() {
    const RunAddress begin = address();
    return {begin, address()};
  }
  GoSlice slice() {
    const RunAddress data = address();
    const std::uint64_t length = word();
    skip(1); // its capacity
    return {data, length};
  }
  void skip(std::size_t count) { at_ += count; }
  /// The word that many behind the next one.
  std::uint64_t ahead(std::size_t count) const { return words_[at_ + count]; }
  /// Whether the next three words can be a slice that the linker made: as long as its capacity.
  bool at_full_slice() const { return words_[at_ + 1] != 0 && words_[at_ + 1] == words_[at_ + 2]; }

private:
  std::span<const std::uint64_t> words_;
  std::size_t at_ = 0;
};

/// Since 1.27 types, typedesclen, etypes, itaboffset, itabsize: the descriptions and the interface tables lie between
/// types and etypes. Before, types, etypes, rodata, gofunc (a word less before 1.18), and rodata lies before etypes.
bool describes_types_in_a_row(const WordReader &reader) {
  const std::uint64_t types = reader.ahead(0);
  const std::uint64_t length = reader.ahead(1);
  const std::uint64_t end = reader.ahead(2);
  const std::uint64_t tables = reader.ahead(3);
  if (end < types || end - types > max_bytes)
    return false;
  const std::uint64_t size = end - types;
  return length <= size && tables <= size && reader.ahead(4) <= size - tables;
}

void read_types_in_a_row(WordReader &reader, ModuleData &data) {
  data.types.begin = reader.address();
  data.type_descriptions = {data.types.begin, data.types.begin + reader.word()};
  data.types.end = reader.address();
  reader.skip(2); // itaboffset, itabsize
  data.read_only_data = reader.address();
  data.function_data = reader.address();
}

ModuleData decode(std::span<const std::uint64_t> words, PclntabFormat format) {
  ModuleData data;
  WordReader reader(words);
  data.header = reader.address();
  data.function_names = reader.slice();
  data.compilation_units = reader.slice();
  data.file_names = reader.slice();
  data.pc_tables = reader.slice();
  data.function_records = reader.slice();
  data.function_table = reader.slice();
  reader.skip(1); // findfunctab
  data.pcs = reader.range();
  data.text = reader.range();
  data.pointer_free_data = reader.range();
  data.data = reader.range();
  data.bss = reader.range();
  data.pointer_free_bss = reader.range();
  if (format == PclntabFormat::go1_20)
    reader.skip(2); // covctrs, ecovctrs
  reader.skip(3);   // end, gcdata, gcbss
  if (describes_types_in_a_row(reader)) {
    read_types_in_a_row(reader, data);
    return data;
  }
  data.types = reader.range();
  if (format != PclntabFormat::go1_16) {
    data.read_only_data = reader.address();
    data.function_data = reader.address();
  }
  if (!reader.at_full_slice())
    reader.skip(1); // epclntab, since 1.26
  reader.skip(3);   // textsectmap
  data.type_links = reader.slice();
  return data;
}

std::string_view contradiction_in(const ModuleData &data) {
  if (data.text.begin >= data.text.end || data.text.size() > max_bytes)
    return "its text is empty or too large";
  if (data.pcs.begin < data.text.begin || data.pcs.end > data.text.end || data.pcs.begin >= data.pcs.end)
    return "its functions lie outside its text";
  if (data.function_table.length != data.table.functions + 1)
    return "the number of functions is not that of the function table's header";
  for (const GoSlice &table : {data.function_names, data.compilation_units, data.file_names, data.pc_tables,
                               data.function_records, data.function_table})
    if (table.length == 0 || table.length > max_bytes || table.data < data.header)
      return "a table is empty, too large, or not behind the header";
  for (const RunRange &range : {data.pointer_free_data, data.data, data.bss, data.pointer_free_bss})
    if (range.end < range.begin)
      return "a range ends before it begins";
  return {};
}

/// Whether the function table begins and ends where the functions do.
bool covers_functions(const ModuleData &data, const MemoryView &memory) {
  const bool addresses = data.table.format == PclntabFormat::go1_16;
  const auto entry = [&](std::uint64_t index) -> std::optional<RunAddress> {
    const RunAddress at = data.function_table.data + index * (addresses ? 16 : 8);
    const auto value = read_word(memory, at);
    if (!value)
      return std::nullopt;
    return addresses ? RunAddress{*value} : data.text.begin + (*value & 0xffffffff);
  };
  return entry(0) == data.pcs.begin && entry(data.table.functions) == data.pcs.end;
}

} // namespace

Result<ModuleData> read_module_data(const MemoryView &memory, RunAddress address) {
  std::array<std::uint64_t, max_words> words{};
  if (auto done = memory.read(address, std::as_writable_bytes(std::span(words))); !done)
    return std::unexpected(done.error().while_doing("reading the Go module data"));
  std::array<std::byte, pclntab_header_size> bytes;
  if (auto done = memory.read(RunAddress{words[0]}, bytes); !done)
    return std::unexpected(done.error().while_doing("reading the header of the Go function table"));
  const auto header = read_pclntab_header(bytes);
  if (!header)
    return std::unexpected(header.error());
  ModuleData data = decode(words, header->format);
  data.address = address;
  data.table = *header;
  if (const auto what = contradiction_in(data); !what.empty())
    return std::unexpected(contradiction(address, what));
  if (!covers_functions(data, memory))
    return std::unexpected(contradiction(address, "its function table does not cover its functions"));
  if (data.types.end < data.types.begin || data.types.size() > max_bytes) {
    data.types = {};
    data.type_links = {};
  }
  return data;
}

} // namespace inspect
