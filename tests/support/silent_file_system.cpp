#include "tests/support/silent_file_system.h"

#include "machine/file_descriptor.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <linux/fuse.h>
#include <new>
#include <sstream>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <vector>

namespace inspect::test {
namespace {

constexpr std::uint64_t root_node = FUSE_ROOT_ID;
constexpr std::uint64_t file_node = 2;
constexpr std::uint64_t remembered_seconds = 1; // so that the kernel soon asks again

std::string content_of_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

/// Answers requests, one after the other.
class FuseServer {
public:
  FuseServer(int device, std::string content) : device_(device), content_(std::move(content)) {}

  /// False: the kernel has ended the connection.
  bool take(std::vector<char> &request) {
    const ssize_t count = ::read(device_, request.data(), request.size());
    if (count < 0)
      return errno == EINTR || errno == ENOENT || errno == EAGAIN;
    std::memcpy(&header_, request.data(), sizeof header_);
    taken_ = true;
    return true;
  }
  bool has_request() { return std::exchange(taken_, false); }
  bool wants_an_answer() const {
    return header_.opcode != FUSE_FORGET && header_.opcode != FUSE_BATCH_FORGET && header_.opcode != FUSE_INTERRUPT;
  }
  /// Who has the file open and ends waits for an answer to these, and a test waits for the end of its targets.
  bool is_about_closing() const { return header_.opcode == FUSE_FLUSH || header_.opcode == FUSE_RELEASE; }

  void answer(const char *argument) {
    switch (header_.opcode) {
    case FUSE_INIT: {
      fuse_init_in asked{};
      std::memcpy(&asked, argument, offsetof(fuse_init_in, flags) + sizeof asked.flags);
      fuse_init_out out{};
      out.major = FUSE_KERNEL_VERSION;
      out.minor = std::min<std::uint32_t>(asked.minor, 31);
      out.max_readahead = 4096;
      out.max_write = 4096;
      return reply(&out, sizeof out);
    }
    case FUSE_LOOKUP: {
      if (header_.nodeid != root_node || std::strcmp(argument, "plugin.so") != 0)
        return fail(ENOENT);
      fuse_entry_out out{};
      out.nodeid = file_node;
      out.entry_valid = out.attr_valid = remembered_seconds;
      out.attr = attributes(file_node);
      return reply(&out, sizeof out);
    }
    case FUSE_GETATTR: {
      fuse_attr_out out{};
      out.attr_valid = remembered_seconds;
      out.attr = attributes(header_.nodeid);
      return reply(&out, sizeof out);
    }
    case FUSE_OPEN:
    case FUSE_OPENDIR: {
      fuse_open_out out{};
      out.open_flags = header_.opcode == FUSE_OPEN ? FOPEN_KEEP_CACHE : 0;
      return reply(&out, sizeof out);
    }
    case FUSE_READ: {
      fuse_read_in in{};
      std::memcpy(&in, argument, sizeof in);
      const std::size_t at = std::min<std::size_t>(in.offset, content_.size());
      return reply(content_.data() + at, std::min<std::size_t>(in.size, content_.size() - at));
    }
    case FUSE_STATFS: {
      fuse_statfs_out out{};
      return reply(&out, sizeof out);
    }
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_ACCESS:
      return reply(nullptr, 0);
    default:
      return fail(ENOSYS);
    }
  }

private:
  fuse_attr attributes(std::uint64_t node) const {
    fuse_attr attributes{};
    attributes.ino = node;
    attributes.nlink = 1;
    attributes.blksize = 4096;
    attributes.mode = node == root_node ? S_IFDIR | 0755 : S_IFREG | 0755;
    attributes.size = node == root_node ? 0 : content_.size();
    return attributes;
  }
  void fail(int error_number) { send(-error_number, nullptr, 0); }
  void reply(const void *bytes, std::size_t size) { send(0, bytes, size); }
  void send(int error, const void *bytes, std::size_t size) {
    std::vector<char> message(sizeof(fuse_out_header) + size);
    fuse_out_header out{};
    out.unique = header_.unique;
    out.error = error;
    out.len = static_cast<std::uint32_t>(message.size());
    std::memcpy(message.data(), &out, sizeof out);
    if (size != 0)
      std::memcpy(message.data() + sizeof out, bytes, size);
    // A request that was interrupted meanwhile is gone (ENOENT), which is no fault.
    [[maybe_unused]] const ssize_t written = ::write(device_, message.data(), message.size());
  }

  int device_;
  std::string content_;
  fuse_in_header header_{};
  bool taken_ = false;
};

} // namespace

bool SilentFileSystem::possible() {
  return ::geteuid() == 0 && FileDescriptor(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
}

SilentFileSystem::SilentFileSystem(const std::string &content) {
  const std::string bytes = content_of_file(content);
  const std::string mount_point = folder();
  if (::mkdir(mount_point.c_str(), 0755) != 0)
    throw std::runtime_error("no folder for a mount");
  void *place = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED)
    throw std::runtime_error("no shared memory");
  shared_ = new (place) Shared;
  // The device is the server's alone: with it goes the connection, and all who wait are let go.
  server_ = std::make_unique<ChildProcess>(ChildProcess::forked([&] {
    const FileDescriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    const std::string options = fmt::format("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.get());
    if (::mount("inspect-test", mount_point.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
      say_line("no mount");
      return 1;
    }
    say_line("ready");
    FuseServer server(device.get(), bytes);
    std::vector<char> request(1 << 20);
    while (server.take(request)) {
      if (!server.has_request() || !server.wants_an_answer())
        continue;
      if (shared_->silent && !server.is_about_closing())
        ++shared_->unanswered;
      else
        server.answer(request.data() + sizeof(fuse_in_header));
    }
    return 0;
  }));
  if (server_->read_line() != "ready")
    throw std::runtime_error("FUSE cannot be mounted here");
}

SilentFileSystem::~SilentFileSystem() {
  server_.reset();
  ::umount2(folder().c_str(), MNT_DETACH);
  ::munmap(shared_, sizeof(Shared));
}

void SilentFileSystem::fall_silent() {
  shared_->silent = true;
}

int SilentFileSystem::unanswered() const {
  return shared_->unanswered;
}

} // namespace inspect::test
