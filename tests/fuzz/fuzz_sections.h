// Sections of DWARF and code as a fuzz target's input, which a fuzzer can change one by one without losing the file
// around them, and the files that are made of them. It needs neither libdw nor libdwarf.
//
//     FuzzInput input(bytes);
//     const FuzzSections sections = FuzzSections::take(input);
//     const FileDescriptor file = fuzz_file(sections.elf());
#pragma once

#include "machine/address.h"
#include "machine/file_descriptor.h"
#include "tests/fuzz/fuzz_input.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inspect::test {

/// A file without a name that holds these bytes.
FileDescriptor fuzz_file(std::string_view bytes);

/// The sections of a file that say something of code between two addresses.
struct FuzzSections {
  /// Those that an input can have, by their number in it.
  static constexpr std::array<std::string_view, 24> names{".eh_frame",
                                                          ".debug_frame",
                                                          ".debug_info",
                                                          ".debug_abbrev",
                                                          ".debug_str",
                                                          ".debug_line",
                                                          ".debug_line_str",
                                                          ".debug_aranges",
                                                          ".debug_ranges",
                                                          ".debug_rnglists",
                                                          ".debug_loc",
                                                          ".debug_loclists",
                                                          ".debug_addr",
                                                          ".debug_str_offsets",
                                                          ".debug_types",
                                                          ".debug_names",
                                                          ".gdb_index",
                                                          ".debug_info.dwo",
                                                          ".debug_abbrev.dwo",
                                                          ".debug_str.dwo",
                                                          ".debug_cu_index",
                                                          ".debug_tu_index",
                                                          ".debug_str_offsets.dwo",
                                                          ".debug_macro"};

  std::uint64_t code_begin = 0;
  std::string_view code;                                               ///< of the segment that is executable
  std::uint64_t eh_frame_address = 0;                                  ///< what its pointers are relative to
  std::vector<std::pair<std::string_view, std::string_view>> sections; ///< name and content

  /// The rest of the input.
  static FuzzSections take(FuzzInput &input);
  /// A seed, or the last part of one: those among `wanted` that the ELF file has (all of the above: empty), and its
  /// .text. Empty: there is no such file, or it is larger than `max_size`.
  static std::string seed(const std::string &path, std::size_t max_size, std::vector<std::string_view> wanted = {});

  /// One section; empty: there is none.
  std::string_view find(std::string_view name) const;
  std::string elf() const;
  /// Some addresses within the code, and one outside.
  std::vector<LinkAddress> addresses() const;
};

/// The path of a fixture, or of a file in its folder.
std::string fuzz_fixture(std::string_view name);
/// Seeds of these fixtures, those left out that were not built here.
std::vector<std::string> fixture_sections(std::vector<std::string_view> fixtures, std::size_t max_size,
                                          const std::vector<std::string_view> &wanted = {});

} // namespace inspect::test
