// Finds what holds a module's debugging information, where that is not the module itself: by build-id
// (<directory>/.build-id/xx/yyyy.debug), then by .gnu_debuglink (beside the file, in .debug/, below the debug
// directories), then from a debuginfod server. A file counts only if its build-id, or else the checksum of the link, is
// the right one. Also the common part that dwz moved out of it (.gnu_debugaltlink), the package of its split units, and
// the small symbol table that some distributions leave in stripped programs.
//
// Sources: gdb manual, "Separate Debug Files" and "MiniDebugInfo"; dwz(1); debuginfod_find_debuginfo(3).
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"

namespace inspect {

struct DebugFile {
  ElfImage image;
  std::string path;
};

/// not_found, with a sentence on what was looked for. `warnings` receives one for each file that was found and refused.
Result<DebugFile> find_debug_file(const ElfImage &image, const std::string &module_path,
                                  const std::vector<std::uint8_t> &build_id, const FileSource &files,
                                  const ModuleOptions &options, std::vector<std::string> &warnings);

/// The file that .gnu_debugaltlink of `image` names. not_found also where it names none (then with an empty message).
Result<DebugFile> find_common_debug_file(const ElfImage &image, const std::string &path, const FileSource &files,
                                         const ModuleOptions &options);

/// The .dwp package of a program: "PROGRAM.dwp" for each of the paths, then in the debug directories, by path and by
/// build-id. That its units are the program's, their ids say.
Result<DebugFile> find_split_package(const std::vector<std::string> &paths, const std::vector<std::uint8_t> &build_id,
                                     const FileSource &files, const ModuleOptions &options);

/// Asks the debuginfod servers in $DEBUGINFOD_URLS. Only where the user wants it: a server may take long. The client
/// library is loaded on first use, so that the program runs where it is not installed. not_found where no server has
/// the file; unsupported where the library or the servers' addresses are missing.
Result<OpenedFile> fetch_debug_file(const std::vector<std::uint8_t> &build_id);

/// The xz-compressed ELF image in the section .gnu_debugdata with the symbols that .dynsym lacks. not_found where there
/// is none (then with an empty message); corrupt where it cannot be unpacked.
Result<ElfImage> read_mini_debug_info(const ElfImage &image, const std::string &path);

} // namespace inspect
