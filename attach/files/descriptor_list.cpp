#include "attach/files/descriptor_list.h"

#include "attach/procfs/proc_text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <span>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace inspect {
namespace {

constexpr std::size_t max_descriptors = 4'000'000;

/// A link's text that begins so means this kind.
struct KnownLink {
  std::string_view begins_with;
  DescriptorKind kind;
};

constexpr auto known_links = std::to_array<KnownLink>({
    {"socket:[", DescriptorKind::socket},
    {"pipe:[", DescriptorKind::pipe},
    {"/memfd:", DescriptorKind::memory},
    {"anon_inode:[eventpoll]", DescriptorKind::event_poll},
    {"anon_inode:[eventfd", DescriptorKind::event_counter},
    {"anon_inode:[timerfd]", DescriptorKind::timer},
    {"anon_inode:[signalfd]", DescriptorKind::signal},
    {"anon_inode:inotify", DescriptorKind::inotify},
    {"anon_inode:[fanotify]", DescriptorKind::fanotify},
    {"anon_inode:[pidfd]", DescriptorKind::process},
    {"pidfd:[", DescriptorKind::process}, // a file system of its own since Linux 6.9
    {"anon_inode:[io_uring]", DescriptorKind::io_uring},
    {"anon_inode:[perf_event]", DescriptorKind::perf_event},
    {"anon_inode:bpf", DescriptorKind::bpf},
    {"anon_inode:[bpf", DescriptorKind::bpf},
    {"anon_inode:", DescriptorKind::other_anonymous},
    {"net:[", DescriptorKind::name_space},
    {"mnt:[", DescriptorKind::name_space},
    {"pid:[", DescriptorKind::name_space},
    {"user:[", DescriptorKind::name_space},
    {"uts:[", DescriptorKind::name_space},
    {"ipc:[", DescriptorKind::name_space},
    {"cgroup:[", DescriptorKind::name_space},
    {"time:[", DescriptorKind::name_space},
});

DescriptorKind kind_of_mode(unsigned mode) {
  switch (mode & S_IFMT) {
  case S_IFREG:
    return DescriptorKind::regular;
  case S_IFDIR:
    return DescriptorKind::directory;
  case S_IFCHR:
    return DescriptorKind::character_device;
  case S_IFBLK:
    return DescriptorKind::block_device;
  case S_IFIFO:
    return DescriptorKind::pipe;
  case S_IFSOCK:
    return DescriptorKind::socket;
  default:
    return DescriptorKind::unknown;
  }
}

/// What is behind a link of /proc/PID/fd, with the attributes that the machine has at hand.
std::optional<struct statx> ask_file(int directory, const char *name) {
  struct statx file {};
  if (::statx(directory, name, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_NLINK | STATX_BLOCKS | STATX_INO, &file) != 0)
    return std::nullopt;
  return file;
}

void look_at_file(int directory, const char *name, OpenDescriptor &descriptor) {
  std::string plain = descriptor.target;
  const bool marked = take_deleted_mark(plain);
  const auto file = ask_file(directory, name);
  if (file) {
    constexpr std::uint64_t block = 512; // statx(2): stx_blocks, whatever the file system's own block is
    if (descriptor.kind == DescriptorKind::unknown)
      descriptor.kind = kind_of_mode(file->stx_mode);
    descriptor.deleted = marked && file->stx_nlink == 0 && descriptor.kind != DescriptorKind::memory;
    if (descriptor.deleted || descriptor.kind == DescriptorKind::memory)
      descriptor.bytes = file->stx_blocks * block;
    if (descriptor.kind == DescriptorKind::pipe || descriptor.kind == DescriptorKind::socket)
      descriptor.inode = file->stx_ino;
  }
  if (marked && (descriptor.deleted || descriptor.kind == DescriptorKind::memory))
    descriptor.target = std::move(plain);
}

enum class Outcome { taken, gone, refused };

Outcome read_descriptor(int directory, const char *name, int number, std::vector<OpenDescriptor> &into) {
  std::array<char, PATH_MAX> text;
  const ssize_t length = ::readlinkat(directory, name, text.data(), text.size());
  if (length < 0)
    return errno == EACCES || errno == EPERM ? Outcome::refused : Outcome::gone;
  OpenDescriptor descriptor;
  descriptor.number = number;
  descriptor.target.assign(text.data(), static_cast<std::size_t>(length));
  const auto *const known = std::ranges::find_if(
      known_links, [&](const KnownLink &link) { return descriptor.target.starts_with(link.begins_with); });
  if (known != known_links.end())
    descriptor.kind = known->kind;
  if (descriptor.kind == DescriptorKind::socket || descriptor.kind == DescriptorKind::pipe)
    descriptor.inode = inode_in_link(descriptor.target).value_or(0);
  else if (descriptor.kind == DescriptorKind::unknown || descriptor.kind == DescriptorKind::memory)
    look_at_file(directory, name, descriptor);
  into.push_back(std::move(descriptor));
  return Outcome::taken;
}

/// One record of what getdents64(2) fills its buffer with.
struct DirectoryEntry {
  std::uint16_t size = 0;
  const char *name = nullptr;
};

DirectoryEntry entry_at(std::span<const char> bytes) {
  // ino64 (8), off (8), reclen (2), type (1), name
  constexpr std::size_t size_offset = 16;
  constexpr std::size_t name_offset = 19;
  DirectoryEntry entry;
  if (bytes.size() > name_offset) {
    std::memcpy(&entry.size, bytes.data() + size_offset, sizeof entry.size);
    entry.name = bytes.data() + name_offset;
  }
  return entry;
}

/// False: not permitted.
bool read_entries(int directory, std::span<const char> bytes, DescriptorList &list) {
  while (!bytes.empty() && !list.truncated) {
    const DirectoryEntry entry = entry_at(bytes);
    if (entry.size == 0 || entry.size > bytes.size())
      return true;
    int number = 0;
    const char *end = entry.name + std::strlen(entry.name);
    const auto parsed = std::from_chars(entry.name, end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) // not "." and ".."
      if (read_descriptor(directory, entry.name, number, list.descriptors) == Outcome::refused)
        return false;
    list.truncated = list.descriptors.size() >= max_descriptors;
    bytes = bytes.subspan(entry.size);
  }
  return true;
}

} // namespace

std::string_view kind_name(DescriptorKind kind) {
  constexpr auto names = std::to_array<std::string_view>({"regular file", "directory", "character device",
                                                          "block device", "pipe",      "socket",
                                                          "eventpoll",    "eventfd",   "timerfd",
                                                          "signalfd",     "inotify",   "fanotify",
                                                          "memfd",        "namespace", "pidfd",
                                                          "io_uring",     "bpf",       "perf event",
                                                          "other",        "unknown"});
  return names.at(static_cast<std::size_t>(kind));
}

Result<DescriptorList> list_descriptors(const ProcessDirectory &process) {
  const auto directory = process.open_file("fd");
  if (!directory)
    return std::unexpected(directory.error());
  constexpr std::size_t buffer_size = 256 << 10;
  const auto buffer = std::make_unique<char[]>(buffer_size);
  DescriptorList list;
  while (!list.truncated) {
    const auto filled = ::syscall(SYS_getdents64, directory->get(), buffer.get(), buffer_size);
    if (filled < 0)
      return std::unexpected(Error::from_errno(errno, "listing the open descriptors"));
    if (filled == 0)
      break;
    if (!read_entries(directory->get(), {buffer.get(), static_cast<std::size_t>(filled)}, list))
      return std::unexpected(Error::from_errno(EACCES, "reading what the open descriptors are"));
  }
  std::ranges::sort(list.descriptors, {}, &OpenDescriptor::number);
  return list;
}

Result<std::uint64_t> count_descriptors(const ProcessDirectory &process) {
  const auto attributes = process.attributes("fd");
  if (!attributes)
    return std::unexpected(attributes.error());
  if (attributes->st_size <= 0) // older kernels say 0, and so does one without any
    return std::unexpected(Error(ErrorKind::not_found, "this kernel does not say how many descriptors are open"));
  return static_cast<std::uint64_t>(attributes->st_size);
}

} // namespace inspect
