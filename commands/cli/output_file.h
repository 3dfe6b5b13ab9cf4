// The file of `-o FILE`. It takes the place of an older one only when it is complete: a full disk, an error or a signal
// leaves the older one as it was.
//
//     auto file = OutputFile::open(path);
//     …write to file->stream()…
//     if (auto done = file->finish(); !done) …
//
// What is no regular file (/dev/stdout, a pipe, /dev/null) is written to directly. So is a file in a folder where none
// can be made: there it is the file or nothing. A symbolic link stays, and the file it leads to is replaced.
// Permissions stay those of the older file, and its owner where we may give files away.
#pragma once

#include "machine/new_file.h"

#include <cstdio>
#include <memory>
#include <optional>

namespace inspect {

class OutputFile {
public:
  /// An error names the path.
  static Result<OutputFile> open(const std::string &path);

  std::FILE *stream() const { return stream_.get(); }
  /// Writes what is left and puts the file in its place. Where that fails, or anything written before did, the older
  /// file stays.
  Result<void> finish();

private:
  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  explicit OutputFile(std::string path) : path_(std::move(path)) {}
  static Result<OutputFile> written_directly(OutputFile file);
  Error failure(int error_number) const;

  std::string path_; ///< as the user gave it
  std::string name_; ///< in the folder
  std::unique_ptr<FileDescriptor> folder_;
  std::optional<NewFile> new_file_; ///< none: it is written directly
  std::unique_ptr<std::FILE, Close> stream_;
};

} // namespace inspect
