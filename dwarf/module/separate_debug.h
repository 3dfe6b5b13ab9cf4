// Finds the file that holds a module's debugging information, where that is not the module itself: by build-id
// (<directory>/.build-id/xx/yyyy.debug), then by .gnu_debuglink (beside the file, in .debug/, below the debug
// directories). A file counts only if its build-id, or else the checksum of the link, is the right one. Also the common
// part that dwz moved out of it (.gnu_debugaltlink).
//
// Sources: gdb manual, "Separate Debug Files"; dwz(1).
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

} // namespace inspect
