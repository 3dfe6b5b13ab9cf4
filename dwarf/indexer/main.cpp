// inspect-dwarfindex: reads the DWARF of one ELF file through a descriptor it inherited and writes the index of
// dwarf/raw/units/unit_index_format.h to another, or the table of dwarf/raw/names/name_table_format.h. `inspect` starts
// it; it is the only program of the project with libdwarf in it, which reads the addresses. Names are read by
// dwarf/raw/names/name_walk.h, as they are in `inspect` where there is no worker.
//
//     inspect-dwarfindex --fd 3 --output-fd 4 [--build-id HEX]
//     inspect-dwarfindex --what names --fd 3 --output-fd 4 [--build-id HEX] [--common-fd 5] [--package-fd 6]
//                        [--other-files NUMBER]
//
//     inspect-dwarfindex --version
//
// Exit status: 0 the index is complete; 1 it could not be made, with the reason in one line on stderr; 2 wrong usage;
// 3 names are in .dwo files, which only those who may open files can read.
#include "dwarf/indexer/confinement.h"
#include "dwarf/indexer/unit_range_reader.h"
#include "dwarf/raw/names/index_builder.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fmt/format.h>
#include <optional>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {
namespace {

struct Arguments {
  int input = -1;
  int output = -1;
  UnitIndexHeader header; ///< with the build-id
  bool names = false;
  int common = -1;
  int package = -1;
  std::uint64_t other_files = 0;
};

constexpr unsigned seconds_for_names = 120;
constexpr int status_split = 3; ///< dwarf/unit_index/unit_index_worker.cpp

bool parse_build_id(std::string_view hex, UnitIndexHeader &header) {
  if (hex.empty() || hex.size() % 2 != 0 || hex.size() / 2 > max_unit_index_build_id_size)
    return false;
  for (std::size_t index = 0; index < hex.size() / 2; ++index) {
    const char *digits = hex.data() + 2 * index;
    const auto parsed = std::from_chars(digits, digits + 2, header.build_id[index], 16);
    if (parsed.ec != std::errc{} || parsed.ptr != digits + 2)
      return false;
  }
  header.build_id_size = hex.size() / 2;
  return true;
}

bool parse_descriptor(std::string_view text, int &descriptor) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), descriptor);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && descriptor >= 3;
}

bool parse_number(std::string_view text, std::uint64_t &number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

std::optional<Arguments> parse(std::span<char *> words) {
  Arguments arguments;
  for (std::size_t index = 1; index + 1 < words.size(); index += 2) {
    const std::string_view name = words[index];
    const std::string_view value = words[index + 1];
    const bool understood = name == "--fd"            ? parse_descriptor(value, arguments.input)
                            : name == "--output-fd"   ? parse_descriptor(value, arguments.output)
                            : name == "--build-id"    ? parse_build_id(value, arguments.header)
                            : name == "--what"        ? (arguments.names = value == "names")
                            : name == "--common-fd"   ? parse_descriptor(value, arguments.common)
                            : name == "--package-fd"  ? parse_descriptor(value, arguments.package)
                            : name == "--other-files" ? parse_number(value, arguments.other_files)
                                                      : false;
    if (!understood)
      return std::nullopt;
  }
  const bool complete =
      words.size() % 2 == 1 && arguments.input >= 0 && arguments.output >= 0 && arguments.input != arguments.output;
  return complete ? std::optional(arguments) : std::nullopt;
}

Result<void> write_all(int descriptor, const void *bytes, std::size_t size) {
  const char *at = static_cast<const char *>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, at, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return std::unexpected(Error::from_errno(errno, "writing the index"));
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return {};
}

Result<void> make_names(const Arguments &arguments) {
  struct stat status {};
  if (::fstat(arguments.input, &status) != 0)
    return std::unexpected(Error::from_errno(errno, "looking at the file"));
  NameTableHeader header;
  header.file_size = static_cast<std::uint64_t>(status.st_size);
  header.file_modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  header.build_id_size = arguments.header.build_id_size;
  static_assert(sizeof header.build_id == sizeof arguments.header.build_id);
  std::ranges::copy(arguments.header.build_id, header.build_id);
  header.other_files = arguments.other_files;
  const auto table = build_name_index({.descriptor = arguments.input,
                                       .common = arguments.common,
                                       .package = arguments.package,
                                       .path = "the file",
                                       .header = header});
  if (!table)
    return std::unexpected(table.error());
  return write_all(arguments.output, table->bytes.data(), table->bytes.size());
}

Result<void> make_index(Arguments arguments) {
  struct stat status {};
  if (::fstat(arguments.input, &status) != 0)
    return std::unexpected(Error::from_errno(errno, "looking at the file"));
  auto file = LibdwarfFile::open(arguments.input);
  if (!file)
    return std::unexpected(file.error());
  auto ranges = read_unit_ranges(*file);
  if (!ranges)
    return std::unexpected(ranges.error());
  if (ranges->records.size() > max_unit_index_records)
    return std::unexpected(Error(ErrorKind::unsupported, "the file has more code ranges than an index holds"));
  UnitIndexHeader &header = arguments.header;
  header.file_size = static_cast<std::uint64_t>(status.st_size);
  header.file_modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  header.debug_info_size = ranges->debug_info_size;
  header.record_count = ranges->records.size();
  header.checksum = unit_index_checksum(header, ranges->records);
  if (auto written = write_all(arguments.output, &header, sizeof header); !written)
    return written;
  return write_all(arguments.output, ranges->records.data(), ranges->records.size() * sizeof(UnitIndexRecord));
}

int run(std::span<char *> words) {
  if (words.size() == 2 && std::string_view(words[1]) == "--version") {
    fmt::print("inspect-dwarfindex {} (libdwarf {})\n", INSPECT_VERSION, ::dwarf_package_version());
    return 0;
  }
  const auto arguments = parse(words);
  if (!arguments) {
    std::fputs("usage: inspect-dwarfindex --fd N --output-fd M [--build-id HEX]\n"
               "       inspect-dwarfindex --version\n",
               stderr);
    return 2;
  }
  ConfinementLimits limits{.input_descriptor = arguments->input, .output_descriptor = arguments->output};
  for (const int descriptor : {arguments->common, arguments->package})
    if (descriptor >= 0)
      limits.further_inputs.push_back(descriptor);
  if (arguments->names)
    limits.cpu_seconds = seconds_for_names;
  auto made = confine(limits);
  if (made)
    made = arguments->names ? make_names(*arguments) : make_index(*arguments);
  if (made)
    return 0;
  fmt::print(stderr, "{}\n", made.error().message());
  return made.error().kind() == ErrorKind::unsupported && arguments->names ? status_split : 1;
}

} // namespace
} // namespace inspect

int main(int count, char **words) {
  return inspect::run(std::span(words, static_cast<std::size_t>(count)));
}
