#include "dwarf/unit_index/indexed_file.h"

#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>

namespace inspect {

Result<IndexedFile> IndexedFile::of(int descriptor, std::span<const std::uint8_t> build_id) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0)
    return std::unexpected(Error::from_errno(errno, "looking at a file to be indexed"));
  IndexedFile identity;
  if (build_id.size() <= max_build_id_size)
    identity.build_id.assign(build_id.begin(), build_id.end());
  identity.size = static_cast<std::uint64_t>(status.st_size);
  identity.modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  identity.device = status.st_dev;
  identity.inode = status.st_ino;
  return identity;
}

std::string IndexedFile::build_id_hex() const {
  std::string hex;
  for (const std::uint8_t byte : build_id)
    hex += fmt::format("{:02x}", byte);
  return hex;
}

std::string IndexedFile::entry_name(std::string_view suffix) const {
  return build_id.empty() ? fmt::format("file-{:x}-{:x}-{:x}-{:x}{}", device, inode, size, modified_ns, suffix)
                          : fmt::format("{}-{:x}{}", build_id_hex(), size, suffix);
}

} // namespace inspect
