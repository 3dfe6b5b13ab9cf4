// The folder in which indexes are kept between runs. It and its files belong to the user who runs us and to nobody
// else, or they are not used: under sudo with the user's HOME, root neither believes nor writes the user's files.
//
// Files appear by rename and are never changed afterwards; several `inspect` may use the folder at once.
//
// Source: XDG Base Directory Specification, XDG_CACHE_HOME.
#pragma once

#include "machine/error.h"
#include "machine/file_descriptor.h"
#include "machine/new_file.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace inspect {

/// How the names of entries end, by what they are: indexes by address, and tables of names.
inline constexpr std::string_view unit_index_suffix = ".units";
inline constexpr std::string_view name_table_suffix = ".names";

class UnitIndexCache {
public:
  /// Creates the folder and its parents with mode 0700. not_permitted: it belongs to another user.
  static Result<UnitIndexCache> open(const std::string &directory);

  /// An existing entry, and marks it as used now. not_found where there is none that is ours.
  Result<FileDescriptor> find(const std::string &name) const;
  /// An empty file, to be published under its entry's name. The cache must outlive it.
  Result<NewFile> begin() const;
  void remove(const std::string &name) const;
  /// Removes the entries longest unused until all together are within `limit` bytes, and what dead runs left behind.
  void shrink_to(std::uint64_t limit) const;

private:
  explicit UnitIndexCache(FileDescriptor directory) : directory_(std::move(directory)) {}
  FileDescriptor directory_;
};

} // namespace inspect
