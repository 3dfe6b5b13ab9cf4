#include "golang/image/build_info.h"

#include <cstring>
#include <elf.h>
#include <optional>
#include <string_view>

namespace inspect {
namespace {

constexpr std::string_view marker = "\xff Go buildinf:";
constexpr std::uint64_t header_size = 32;
constexpr std::uint64_t alignment = 16;
constexpr std::size_t max_modules = 100'000;
constexpr std::uint64_t max_string_bytes = 16 << 20;
/// The linker puts the block at the start of the data segment, so a longer search finds nothing in a real Go binary and
/// costs time in every other program.
constexpr std::uint64_t max_searched = 1 << 20;
/// The module text is framed by two 16-byte marks of the linker's.
constexpr std::size_t frame_size = 16;

Error corrupt(std::string_view what) {
  return Error(ErrorKind::corrupt, std::string(what));
}

std::optional<FileOffset> find_marker(const ElfFile &file, FileOffset offset, std::uint64_t size) {
  const std::uint64_t end = offset.value + std::min(size, max_searched);
  FileOffset from = offset;
  while (from.value < end) {
    const auto hit = file.find(marker, from, end - from.value, max_searched);
    if (!hit)
      return std::nullopt;
    // Programs that look for the marker hold it as a string, at any alignment.
    if ((*hit - offset) % alignment == 0)
      return hit;
    from = *hit + 1;
  }
  return std::nullopt;
}

std::optional<FileOffset> find_block(const ElfFile &file) {
  if (const ElfSection *section = file.section(".go.buildinfo"))
    return find_marker(file, section->offset, section->size);
  if (!file.sections().empty())
    return std::nullopt; // the Go linker always makes the section: only where headers are gone is a search needed
  for (const ElfSegment &segment : file.segments()) {
    if (segment.type == PT_LOAD && (segment.flags & PF_W) != 0) {
      if (auto found = find_marker(file, segment.offset, segment.file_size))
        return found;
    }
  }
  return std::nullopt;
}

/// A varint length and that many bytes; `at` moves behind them.
std::optional<std::string> inline_string(const ElfFile &file, FileOffset &at) {
  const std::string head = file.bytes(at, 10, 10);
  std::uint64_t length = 0;
  std::size_t used = 0;
  for (;; ++used) {
    if (used >= head.size() || used > 8)
      return std::nullopt;
    length |= static_cast<std::uint64_t>(head[used] & 0x7f) << (7 * used);
    if ((head[used] & 0x80) == 0)
      break;
  }
  at = at + used + 1;
  if (length > max_string_bytes || at.value + length > file.size())
    return std::nullopt;
  std::string text = file.bytes(at, length, length);
  at = at + length;
  return text;
}

std::uint64_t pointer_in(std::string_view bytes, std::size_t at, std::size_t size, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at + (big_endian ? i : size - 1 - i)]);
    value = value << 8 | byte;
  }
  return value;
}

/// A Go string header (address, length) at a link-time address. Empty where the file holds no such thing: in
/// position-independent binaries before Go 1.18 the words are filled in by relocations.
std::string string_behind(const ElfFile &file, std::uint64_t address, std::size_t pointer_size, bool big_endian) {
  const auto header_offset = file.offset_of({address});
  if (!header_offset)
    return {};
  const std::string header = file.bytes(*header_offset, 2 * pointer_size, 16);
  if (header.size() < 2 * pointer_size)
    return {};
  const auto text_offset = file.offset_of({pointer_in(header, 0, pointer_size, big_endian)});
  const std::uint64_t length = pointer_in(header, pointer_size, pointer_size, big_endian);
  if (!text_offset || length > max_string_bytes)
    return {};
  return file.bytes(*text_offset, length, max_string_bytes);
}

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

Result<GoBuildInfo> read_go_build_info(const ElfFile &file) {
  const auto block = find_block(file);
  if (!block)
    return std::unexpected(Error(ErrorKind::not_found, "no Go build information"));
  const std::string header = file.bytes(*block, header_size, header_size);
  if (header.size() < header_size)
    return std::unexpected(corrupt("the Go build information is cut short"));
  const auto pointer_size = static_cast<unsigned char>(header[14]);
  const auto flags = static_cast<unsigned char>(header[15]);

  GoBuildInfo info;
  std::string modules;
  if ((flags & 2) != 0) {
    FileOffset at = *block + header_size;
    auto version = inline_string(file, at);
    auto module_text = version ? inline_string(file, at) : std::nullopt;
    if (!module_text)
      return std::unexpected(corrupt("the strings of the Go build information reach beyond the file"));
    info.go_version = std::move(*version);
    modules = std::move(*module_text);
  } else {
    if (pointer_size != 4 && pointer_size != 8)
      return std::unexpected(corrupt("the Go build information has an unknown pointer size"));
    const bool big_endian = (flags & 1) != 0;
    info.go_version = string_behind(file, pointer_in(header, 16, pointer_size, big_endian), pointer_size, big_endian);
    modules =
        string_behind(file, pointer_in(header, 16 + pointer_size, pointer_size, big_endian), pointer_size, big_endian);
  }
  if (modules.size() > 2 * frame_size && modules[modules.size() - frame_size - 1] == '\n')
    parse_module_text(std::string_view(modules).substr(frame_size, modules.size() - 2 * frame_size), info);
  return info;
}

} // namespace inspect
