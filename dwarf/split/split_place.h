// Where the .dwo file of a skeleton unit lies. libdw looks by itself, in our root, at two places: the name beside the
// file that holds the skeleton, and below the compilation directory, which it takes relative to the former. A name that
// leads to a FIFO would block it for ever, one that leads to a device would open the device, and a file system that
// does not answer would hold it: so what lies there is always opened by a FileSource first.
//
// Sources: DWARF 5 section 3.1.2 and appendix F; libdw's libdw_find_split_unit.c.
#pragma once

#include "machine/file_source.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// The file with the skeleton, and how files that its units name are opened.
struct SkeletonFile {
  int descriptor = -1; ///< open; -1: its folder is not known, and relative names start from the working directory
  const FileSource *files = nullptr;             ///< must outlive this; null: they are opened as they are
  std::function<void(const Error &)> unusable{}; ///< told of files that do not answer; may be empty
};

/// Of an error of open_split_file(): the file may be there, and whoever opens it by itself may wait for ever.
bool may_hang(const Error &error);

/// What to say of such an error.
std::string missing_split_file(const Error &error);

/// In the order of libdw. Either name may be absolute.
std::vector<std::string> split_file_places(const SkeletonFile &skeleton, std::string_view name,
                                           std::string_view compilation_directory);
/// The errors of FileSource::open_here; those that say more than that there is no such file are told to `unusable`.
Result<OpenedFile> open_split_file(const SkeletonFile &skeleton, const std::string &path);

} // namespace inspect
