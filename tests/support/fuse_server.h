// A FUSE server with one file, by the kernel's protocol, whose answers can be withheld: for tests, and for a target
// that serves itself. It needs no library.
//
//     FuseServer server(device, content);
//     server.run(silent, unanswered);
//
// Source: the kernel's include/uapi/linux/fuse.h.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <linux/fuse.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace inspect::test {

class FuseServer {
public:
  static constexpr const char *file_name = "plugin.so";

  FuseServer(int device, std::string content) : device_(device), content_(std::move(content)) {}

  /// Answers requests, one after the other, until the kernel ends the connection. While `silent` is set it counts in
  /// `unanswered` what it takes, and does not answer but to what closes files.
  template <typename Number> void run(const std::atomic<bool> &silent, std::atomic<Number> &unanswered) {
    std::vector<char> request(1 << 20);
    while (take(request)) {
      if (!std::exchange(taken_, false) || !wants_an_answer())
        continue;
      if (silent && !is_about_closing())
        ++unanswered;
      else
        answer(request.data() + sizeof(fuse_in_header));
    }
  }

private:
  static constexpr std::uint64_t root_node = FUSE_ROOT_ID;
  static constexpr std::uint64_t file_node = 2;
  static constexpr std::uint64_t remembered_seconds = 1; // so that the kernel soon asks again

  /// False: the kernel has ended the connection.
  bool take(std::vector<char> &request) {
    const ssize_t count = ::read(device_, request.data(), request.size());
    if (count < 0)
      return errno == EINTR || errno == ENOENT || errno == EAGAIN;
    std::memcpy(&header_, request.data(), sizeof header_);
    taken_ = true;
    return true;
  }
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
      if (header_.nodeid != root_node || std::strcmp(argument, file_name) != 0)
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

} // namespace inspect::test
