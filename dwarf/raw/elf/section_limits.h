// What sections of an ELF file may ask for. A file of some kilobytes can say that it has billions of symbols (its table
// is a hole of a sparse file) or unpack to gigabytes; whoever believed that would run out of memory or of time before
// the first answer. A section that asks for more is taken as one without content (SHT_NOBITS), in libelf's copy of the
// headers, so that neither the readers here nor libdw see it; what it would have told is missing, and that is said.
//
// The figures stand in docs/limits.md.
#pragma once

#include "machine/elf_headers.h"
#include "machine/error.h"

#include <cstdint>
#include <libelf.h>
#include <string>
#include <vector>

namespace inspect {

/// Of a file that is opened as ELF at all. Address space is what a larger one would cost.
inline constexpr std::uint64_t max_elf_file_size = std::uint64_t{64} << 30;
/// Linkers write some forty sections; a file has one of its own for each function before it is linked.
inline constexpr std::uint64_t max_elf_sections = 65'536;
/// Of one symbol table: 24 bytes each in the file and here. Browsers with all their symbols have two million.
inline constexpr std::uint64_t max_symbols = std::uint64_t{8} << 20;
/// .eh_frame and .debug_frame, which libdw reads entry by entry. The largest known are of 60 MB.
inline constexpr std::uint64_t max_unwind_table_size = std::uint64_t{512} << 20;
/// A compressed section that unpacks to more than this must not unpack to more than so many times its size: compilers'
/// output is packed two to ten times, zeros a thousand times.
inline constexpr std::uint64_t max_unpacked_unasked = std::uint64_t{64} << 20;
inline constexpr std::uint64_t max_unpacking_ratio = 64;
/// All compressed sections of a file together: libdw unpacks them all, into memory.
inline constexpr std::uint64_t max_unpacked_size = std::uint64_t{4} << 30;
/// A section larger than this must not be larger than so many times what the file takes on disk. File systems that
/// compress store programs in a half or a third of their size.
inline constexpr std::uint64_t max_size_unasked = std::uint64_t{64} << 20;
inline constexpr std::uint64_t max_sparseness = 32;

/// corrupt: the file says, in its header, that it has too many sections. To be asked before libelf, which keeps a
/// record of some hundred bytes for each.
Result<void> check_section_count(const ElfBytes &read);

/// Empties the sections that ask for too much, and says what they were: sentences without the file's name.
/// `bytes_on_disk`: 0 where that is not known.
std::vector<std::string> drop_oversized_sections(Elf *elf, std::uint64_t bytes_on_disk);

} // namespace inspect
