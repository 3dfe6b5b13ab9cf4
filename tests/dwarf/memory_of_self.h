// This process as a target: its own maps, memory and files, for tests of `dwarf/` that need a real one.
#pragma once

#include "dwarf/module/module.h"

#include <fcntl.h>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/uio.h>
#include <unistd.h>

namespace inspect::test {

/// process_vm_readv on ourselves: an unmapped address fails instead of crashing.
class OwnMemory final : public MemoryView {
public:
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    iovec local{into.data(), into.size()};
    iovec remote{reinterpret_cast<void *>(address.value), into.size()};
    const ssize_t got = ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0);
    if (got != static_cast<ssize_t>(into.size()))
      return std::unexpected(Error(ErrorKind::unreadable, "not mapped"));
    return {};
  }
};

class LocalFiles final : public FileSource {
public:
  Result<OpenedFile> open(const std::string &path) const override {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
      return std::unexpected(Error(ErrorKind::not_found, path + " is not there"));
    return OpenedFile{FileDescriptor(descriptor), path};
  }
  Result<OpenedFile> open_here(const std::string &path) const override { return open(path); }
};

/// The mappings of a process ("self", or its number) whose path satisfies `wanted`, by path.
template <typename Predicate>
std::map<std::string, std::vector<MappedSegment>> mappings_of(const std::string &process, Predicate wanted) {
  std::map<std::string, std::vector<MappedSegment>> found;
  std::ifstream maps("/proc/" + process + "/maps");
  std::string line;
  while (std::getline(maps, line)) {
    std::istringstream fields(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    char dash = 0;
    std::string rights;
    std::string device;
    std::string inode;
    std::string path;
    fields >> std::hex >> begin >> dash >> end >> rights >> offset >> device >> inode;
    std::getline(fields >> std::ws, path);
    if (!path.empty() && wanted(path))
      found[path].push_back({{{begin}, {end}}, {offset}, rights.size() > 2 && rights[2] == 'x'});
  }
  return found;
}

template <typename Predicate> std::map<std::string, std::vector<MappedSegment>> own_mappings(Predicate wanted) {
  return mappings_of("self", wanted);
}

} // namespace inspect::test
