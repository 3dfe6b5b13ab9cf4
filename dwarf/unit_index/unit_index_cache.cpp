#include "dwarf/unit_index/unit_index_cache.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>
#include <tuple>
#include <vector>

namespace inspect {
namespace {

constexpr std::time_t abandoned_after_seconds = 3600;

bool is_ours(const struct stat &status) {
  return status.st_uid == ::geteuid() && (status.st_mode & 022) == 0;
}

Result<void> make_directories(const std::string &directory) {
  const std::filesystem::path path(directory);
  std::filesystem::path made;
  for (const auto &part : path) {
    made /= part;
    if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST)
      return std::unexpected(Error::from_errno(errno, fmt::format("creating the cache folder {}", made.string())));
  }
  return {};
}

struct Entry {
  timespec used{};
  std::uint64_t size = 0;
  std::string name;
};

} // namespace

Result<UnitIndexCache> UnitIndexCache::open(const std::string &directory) {
  if (auto made = make_directories(directory); !made)
    return std::unexpected(made.error());
  FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!opened || ::fstat(opened.get(), &status) != 0)
    return std::unexpected(Error::from_errno(errno, fmt::format("opening the cache folder {}", directory)));
  if (!is_ours(status))
    return std::unexpected(
        Error(ErrorKind::not_permitted, fmt::format("the cache folder {} can be written by another user", directory)));
  return UnitIndexCache(std::move(opened));
}

Result<FileDescriptor> UnitIndexCache::find(const std::string &name) const {
  FileDescriptor entry(::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!entry || ::fstat(entry.get(), &status) != 0)
    return std::unexpected(Error::from_errno(errno, fmt::format("opening the cached index {}", name)));
  if (!S_ISREG(status.st_mode) || !is_ours(status))
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("the cached index {} is not ours", name)));
  ::futimens(entry.get(), nullptr);
  return entry;
}

Result<NewFile> UnitIndexCache::begin() const {
  return NewFile::create(directory_.get(), 0600);
}

void UnitIndexCache::remove(const std::string &name) const {
  ::unlinkat(directory_.get(), name.c_str(), 0);
}

void UnitIndexCache::shrink_to(std::uint64_t limit) const {
  const int copy = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = copy >= 0 ? ::fdopendir(copy) : nullptr;
  if (stream == nullptr) {
    const FileDescriptor closed(copy);
    return;
  }
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  while (const dirent *found = ::readdir(stream)) {
    const std::string name = found->d_name;
    struct stat status {};
    if (::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
      continue;
    if (name.ends_with(hidden_name_suffix) && status.st_mtime + abandoned_after_seconds < ::time(nullptr))
      remove(name);
    if (!name.ends_with(unit_index_suffix) && !name.ends_with(name_table_suffix))
      continue;
    entries.push_back({status.st_mtim, static_cast<std::uint64_t>(status.st_size), name});
    total += entries.back().size;
  }
  ::closedir(stream);
  std::ranges::sort(entries, {}, [](const Entry &entry) {
    return std::make_tuple(entry.used.tv_sec, entry.used.tv_nsec, std::string_view(entry.name));
  });
  for (const Entry &entry : entries) {
    if (total <= limit)
      return;
    remove(entry.name);
    total -= entry.size;
  }
}

} // namespace inspect
