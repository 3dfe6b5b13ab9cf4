#include "golang/image/build_info.h"

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"
#include "machine/cancellation_point.h"
#include "machine/elf_file.h"
#include "machine/memory_view.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <elf.h>
#include <string_view>

namespace inspect {
namespace {

constexpr std::string_view marker = "\xff Go buildinf:";
constexpr std::size_t header_size = 32;
constexpr std::uint64_t alignment = 16;
constexpr std::size_t max_modules = 100'000;
constexpr std::uint64_t max_version_length = 256;
constexpr std::uint64_t max_module_text = 16 << 20;
/// Of each place. Without section headers the block may lie behind other data of the linker's.
constexpr std::uint64_t max_searched = 16 << 20;
/// The module text is framed by two 16-byte marks of the linker's.
constexpr std::size_t frame_size = 16;

Error corrupt(std::string_view what) {
  return Error(ErrorKind::corrupt, std::string(what));
}

/// A file as if it were loaded at its link addresses, before any relocation.
class FileMemory final : public MemoryView {
public:
  explicit FileMemory(const ElfFile &file) : file_(file) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    const auto offset = file_.offset_of(LoadBias().to_link(address));
    if (!offset)
      return std::unexpected(corrupt("the address is in no segment"));
    return file_.read_at(*offset, {reinterpret_cast<char *>(into.data()), into.size()});
  }

private:
  const ElfFile &file_;
};

/// Where the block may be: the section's range; where there are no section headers, the data that the file has. The Go
/// linker always makes the section: only where the headers are gone is a search needed.
std::vector<RunRange> places(const ElfFile &file) {
  const auto range = [](LinkAddress begin, std::uint64_t size) {
    const RunAddress at = LoadBias().to_run(begin);
    return RunRange{at, at + std::min(size, max_searched)};
  };
  std::vector<RunRange> found;
  if (const ElfSection *section = file.section(".go.buildinfo"))
    found.push_back(range(section->address, section->size));
  if (!file.sections().empty())
    return found;
  for (const Elf64_Phdr &segment : file.segments())
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0)
      found.push_back(range(LinkAddress{segment.p_vaddr}, segment.p_filesz));
  return found;
}

std::vector<RunRange> places(const Module &module) {
  const auto range = [&module](std::uint64_t begin, std::uint64_t size) {
    const RunAddress at = module.bias().to_run(LinkAddress{begin});
    return RunRange{at, at + std::min(size, max_searched)};
  };
  std::vector<RunRange> found;
  const auto sections = module.image().sections();
  for (const ImageSection &section : sections)
    if (section.name == ".go.buildinfo")
      found.push_back(range(section.header.sh_addr, section.header.sh_size));
  if (!sections.empty())
    return found;
  for (const Elf64_Phdr &segment : module.image().segments())
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0)
      found.push_back(range(segment.p_vaddr, segment.p_filesz));
  return found;
}

/// Programs that look for the marker hold it as a string, at any alignment.
std::optional<RunAddress> find_marker(const std::vector<RunRange> &ranges, const MemoryView &memory) {
  for (const RunRange &range : ranges) {
    std::vector<std::byte> chunk(std::min<std::uint64_t>(range.size(), 256 << 10));
    const RunAddress begin = range.begin + (alignment - range.begin.value % alignment) % alignment;
    for (RunAddress at = begin; at < range.end; at = at + chunk.size()) {
      cancellation_point();
      const auto bytes = std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), range.end - at));
      if (!memory.read(at, bytes))
        break;
      for (std::size_t i = 0; i + marker.size() <= bytes.size(); i += alignment)
        if (std::memcmp(bytes.data() + i, marker.data(), marker.size()) == 0)
          return at + i;
    }
  }
  return std::nullopt;
}

std::optional<std::string> text_at(const MemoryView &memory, RunAddress address, std::uint64_t length,
                                   std::uint64_t max_length) {
  if (length > max_length)
    return std::nullopt;
  std::string text(length, '\0');
  if (length > 0 && !memory.read(address, std::as_writable_bytes(std::span(text))))
    return std::nullopt;
  return text;
}

/// The two strings of a block, one after the other.
class BlockStrings {
public:
  /// corrupt: no block is there, or one that cannot be.
  static Result<BlockStrings> at(RunAddress block, const MemoryView &memory) {
    const auto header = read_value<std::array<unsigned char, header_size>>(memory, block);
    if (!header || std::memcmp(header->data(), marker.data(), marker.size()) != 0)
      return std::unexpected(corrupt("the Go build information is truncated"));
    BlockStrings strings(memory);
    strings.pointer_size_ = (*header)[14];
    strings.inline_ = ((*header)[15] & 2) != 0;
    strings.at_ = strings.inline_ ? block + header_size : block + 16;
    if (!strings.inline_ && strings.pointer_size_ != 4 && strings.pointer_size_ != 8)
      return std::unexpected(corrupt("the Go build information has an unknown pointer size"));
    return strings;
  }

  /// Empty where the pointers of the form before Go 1.18 lead nowhere: in the file of a position-independent binary
  /// they are filled in by relocations.
  Result<std::string> next(std::uint64_t max_length) {
    auto text = inline_ ? inline_string(max_length) : string_behind(max_length).value_or("");
    if (!text)
      return std::unexpected(corrupt("the strings of the Go build information reach beyond the file"));
    return *std::move(text);
  }

private:
  explicit BlockStrings(const MemoryView &memory) : memory_(memory) {}

  /// A varint length and that many bytes.
  std::optional<std::string> inline_string(std::uint64_t max_length) {
    std::uint64_t length = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = read_value<std::uint8_t>(memory_, at_);
      if (!byte || shift > 56)
        return std::nullopt;
      at_ = at_ + 1;
      length |= std::uint64_t{*byte & 0x7fU} << shift;
      if ((*byte & 0x80) == 0)
        break;
    }
    auto text = text_at(memory_, at_, length, max_length);
    at_ = at_ + length;
    return text;
  }

  std::optional<std::uint64_t> pointer(RunAddress address) const {
    std::uint64_t value = 0; // little-endian, as all that ElfFile and ElfImage read
    if (!memory_.read(address, std::as_writable_bytes(std::span(&value, 1)).first(pointer_size_)))
      return std::nullopt;
    return value;
  }

  /// A Go string header (address, length) behind a pointer.
  std::optional<std::string> string_behind(std::uint64_t max_length) {
    const auto header = pointer(at_);
    at_ = at_ + pointer_size_;
    const auto text = header ? pointer(RunAddress{*header}) : std::nullopt;
    const auto length = text ? pointer(RunAddress{*header + pointer_size_}) : std::nullopt;
    return length ? text_at(memory_, RunAddress{*text}, *length, max_length) : std::nullopt;
  }

  const MemoryView &memory_;
  RunAddress at_;
  std::size_t pointer_size_ = 8;
  bool inline_ = true;
};

std::string_view next_field(std::string_view &line) {
  const std::size_t tab = line.find('\t');
  const std::string_view field = line.substr(0, tab);
  line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
  return field;
}

/// A setting's value is quoted as a Go string where it has blanks or quotes in it.
std::string unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back() || (text.front() != '"' && text.front() != '`'))
    return std::string(text);
  const bool raw = text.front() == '`';
  text = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!raw && text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\'))
      ++i;
    plain += text[i];
  }
  return plain;
}

void parse_setting(std::string_view text, GoBuildInfo &info) {
  // The key itself may be quoted, then '=' stands behind the closing quote.
  const std::size_t search_from = text.starts_with('"') ? text.find('"', 1) : 0;
  const std::size_t equals = search_from == std::string_view::npos ? search_from : text.find('=', search_from);
  if (equals != std::string_view::npos)
    info.settings.emplace_back(unquote(text.substr(0, equals)), unquote(text.substr(equals + 1)));
}

void parse_module_text(std::string_view text, GoBuildInfo &info) {
  GoModule *replaced = nullptr; // the module that a line "=>" is about
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view key = next_field(line);
    if (key == "path") {
      info.package_path = line;
    } else if (key == "mod") {
      info.module_path = next_field(line);
      info.module_version = next_field(line);
      replaced = nullptr;
    } else if (key == "dep" && info.dependencies.size() < max_modules) {
      GoModule &module = info.dependencies.emplace_back();
      module.path = next_field(line);
      module.version = next_field(line);
      module.sum = next_field(line);
      replaced = &module;
    } else if (key == "=>" && replaced != nullptr) {
      replaced->replacement = next_field(line);
      replaced->replacement_version = next_field(line);
    } else if (key == "build") {
      parse_setting(line, info);
    }
  }
}

} // namespace

namespace {

/// Between two marks that the runtime finds the text by.
void parse_framed_modules(std::string_view text, GoBuildInfo &info) {
  if (text.size() > 2 * frame_size && text[text.size() - frame_size - 1] == '\n')
    parse_module_text(text.substr(frame_size, text.size() - 2 * frame_size), info);
}

} // namespace

Result<GoBuildInfo> read_go_build_info(const ElfFile &file) {
  const FileMemory memory(file);
  const auto block = find_marker(places(file), memory);
  if (!block)
    return std::unexpected(Error(ErrorKind::not_found, "no Go build information"));
  auto strings = BlockStrings::at(*block, memory);
  if (!strings)
    return std::unexpected(strings.error());
  auto version = strings->next(max_version_length);
  const auto modules = version ? strings->next(max_module_text) : version;
  if (!modules)
    return std::unexpected(modules.error());
  GoBuildInfo info;
  info.go_version = std::move(*version);
  parse_framed_modules(*modules, info);
  return info;
}

std::optional<std::string> go_version_text(const Module &module, const MemoryView &memory) {
  const auto block = find_marker(places(module), memory);
  auto strings = block ? BlockStrings::at(*block, memory) : std::unexpected(corrupt("no block"));
  auto version = strings ? strings->next(max_version_length) : std::unexpected(strings.error());
  if (!version || version->empty())
    return std::nullopt;
  return *std::move(version);
}

std::string go_build_setting(const Module &module, const MemoryView &memory, std::string_view key) {
  const auto block = find_marker(places(module), memory);
  auto strings = block ? BlockStrings::at(*block, memory) : std::unexpected(corrupt("no block"));
  const auto version = strings ? strings->next(max_version_length) : std::unexpected(strings.error());
  const auto modules = version ? strings->next(max_module_text) : version;
  GoBuildInfo info;
  if (modules)
    parse_framed_modules(*modules, info);
  for (const auto &[name, value] : info.settings)
    if (name == key)
      return value;
  return {};
}

std::optional<std::string> go_version_by_symbol(Module &module, const MemoryView &memory) {
  const auto symbol = symbols_of(module).by_name("runtime.buildVersion");
  const auto words = symbol ? read_value<std::array<std::uint64_t, 2>>(memory, module.bias().to_run(symbol->address))
                            : std::unexpected(corrupt("no symbol"));
  return words && (*words)[1] > 0 ? text_at(memory, RunAddress{(*words)[0]}, (*words)[1], max_version_length)
                                  : std::nullopt;
}

} // namespace inspect
