// By what a kept index is known to belong to a file: its build-id and size, or without a build-id its place on the disk
// and the time of its last change.
#pragma once

#include "machine/error.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct IndexedFile {
  static constexpr std::size_t max_build_id_size = 64;

  std::vector<std::uint8_t> build_id;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  /// A build-id longer than an index has room for counts as none.
  static Result<IndexedFile> of(int descriptor, std::span<const std::uint8_t> build_id);

  std::string build_id_hex() const;
  /// Under which it is kept. A stripped file and its debug file share the build-id, not the size.
  std::string entry_name(std::string_view suffix) const;
  /// Whether an index says in its header that it is of this file.
  template <typename Header> bool fits(const Header &header) const {
    const std::span kept(header.build_id);
    return std::ranges::equal(build_id, kept.first(std::min<std::uint64_t>(header.build_id_size, kept.size()))) &&
           header.file_size == size && (!build_id.empty() || header.file_modified_ns == modified_ns);
  }
};

} // namespace inspect
