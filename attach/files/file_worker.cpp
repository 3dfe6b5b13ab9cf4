#include "attach/files/file_worker.h"

#include "attach/files/regular_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <mutex>
#include <poll.h>
#include <span>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <vector>

namespace inspect {
namespace {

using Clock = std::chrono::steady_clock;

enum class Wish : std::uint8_t { open, pass, copy };

constexpr std::uint64_t progress_step = 1 << 20;

/// Workers that did not end when they were told to. They are collected when they have, so that they stay no zombies.
class LateWorkers {
public:
  void add(pid_t process) {
    const std::lock_guard lock(mutex_);
    processes_.push_back(process);
  }
  void collect() {
    const std::lock_guard lock(mutex_);
    std::erase_if(processes_, [](pid_t process) { return ::waitpid(process, nullptr, WNOHANG) != 0; });
  }

private:
  std::mutex mutex_;
  std::vector<pid_t> processes_;
};

LateWorkers &late_workers() {
  static LateWorkers all;
  return all;
}

/// In the worker: every descriptor but one. Others may be pipes whose readers wait for their end.
void close_all_but(int kept) {
  const auto number = static_cast<unsigned>(kept);
  if ((number == 0 || ::syscall(SYS_close_range, 0U, number - 1, 0U) == 0) &&
      ::syscall(SYS_close_range, number + 1, ~0U, 0U) == 0)
    return;
  const long most = std::clamp(::sysconf(_SC_OPEN_MAX), 1024L, 1L << 20);
  for (int descriptor = 0; descriptor < most; ++descriptor) // kernels before Linux 5.9
    if (descriptor != kept)
      ::close(descriptor);
}

/// A message with at most one descriptor. The number of bytes, -1 with errno.
ssize_t send_message(int socket, const void *bytes, std::size_t size, int attached) {
  iovec part{std::bit_cast<void *>(bytes), size}; // the kernel only reads there
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (attached >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof attached);
    std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
  }
  ssize_t sent = -1;
  do
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent;
}

ssize_t receive_message(int socket, void *bytes, std::size_t size, FileDescriptor &attached) {
  iovec part{bytes, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t received = -1;
  do
    received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  const cmsghdr *header = received < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    attached = FileDescriptor(descriptor);
  }
  return received;
}

bool is_zero(std::span<const char> bytes) {
  return std::ranges::all_of(bytes, [](char one) { return one == 0; });
}

int write_at(int descriptor, std::span<const char> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno != EINTR)
      return errno;
    if (count <= 0)
      continue;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return 0;
}

} // namespace

struct FileWorker::Request {
  Wish wish = Wish::open;
  bool has_root = false;
  bool has_rights = false;
  FileRights rights;
  std::uint64_t max_bytes = 0;
  std::array<char, PATH_MAX> root{};
  std::array<char, PATH_MAX> path{};
};

struct FileWorker::Reply {
  int error = 0;
  bool finished = true; ///< false: a sign of life
  FoundFile found;
};

/// The whole life of the worker. It was forked from a program that may have threads: no heap, no locks.
void FileWorker::serve(int socket) {
  close_all_but(socket);
  ::prctl(PR_SET_NAME, "inspect-files");
  RegularFile file;
  Request request;
  const auto answer = [&](const Reply &reply, int attached) {
    if (send_message(socket, &reply, sizeof reply, attached) < 0)
      ::_exit(0); // nobody listens any more
  };
  const auto copy = [&](int into) -> int {
    std::array<char, 128 << 10> buffer;
    std::uint64_t done = 0, told = 0;
    for (;;) {
      const ssize_t count = ::pread(file.descriptor.get(), buffer.data(), buffer.size(), static_cast<off_t>(done));
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        return errno;
      if (count == 0)
        return ::ftruncate(into, static_cast<off_t>(done)) == 0 ? 0 : errno;
      const std::span<const char> bytes(buffer.data(), static_cast<std::size_t>(count));
      if (bytes.size() > request.max_bytes - done)
        return EFBIG;
      if (!is_zero(bytes))
        if (const int error_number = write_at(into, bytes, done); error_number != 0)
          return error_number;
      done += bytes.size();
      if (done - told < progress_step)
        continue;
      told = done;
      Reply sign;
      sign.finished = false;
      answer(sign, -1);
    }
  };
  for (;;) {
    FileDescriptor attached;
    if (receive_message(socket, &request, sizeof request, attached) != sizeof request)
      ::_exit(0);
    Reply reply;
    switch (request.wish) {
    case Wish::open:
      file = RegularFile(); // closing may wait, too
      file = open_regular_file(request.has_root ? request.root.data() : nullptr, request.path.data(),
                               request.has_rights ? &request.rights : nullptr);
      reply.error = file.descriptor ? 0 : file.error;
      reply.found = {file.status, file.descriptor ? mount_id_of(file.descriptor.get()) : 0};
      answer(reply, -1);
      break;
    case Wish::pass:
      reply.error = file.descriptor ? 0 : EBADF;
      answer(reply, file.descriptor.get());
      break;
    case Wish::copy:
      reply.error = copy(attached.get());
      file = RegularFile();
      answer(reply, -1);
      break;
    }
  }
}

Result<std::unique_ptr<FileWorker>> FileWorker::start() {
  late_workers().collect();
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return std::unexpected(Error::from_errno(errno, "making a socket for the process that reads files"));
  FileDescriptor ours(ends[0]), theirs(ends[1]);
  // Signals are ours alone: Ctrl-C reaches it, too.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t process = ::fork();
  if (process == 0)
    serve(theirs.get());
  const int error_number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (process < 0)
    return std::unexpected(Error::from_errno(error_number, "starting a process that reads files"));
  return std::unique_ptr<FileWorker>(new FileWorker(process, std::move(ours)));
}

FileWorker::~FileWorker() {
  constexpr std::chrono::milliseconds end_within{100};
  socket_ = FileDescriptor();
  if (::waitpid(process_, nullptr, WNOHANG) != 0)
    return;
  ::kill(process_, SIGKILL); // not collected, so the number is still its own
  for (const auto deadline = Clock::now() + end_within; Clock::now() < deadline; ::usleep(100))
    if (::waitpid(process_, nullptr, WNOHANG) != 0)
      return;
  late_workers().add(process_);
}

Result<void> FileWorker::send(const Request &request, int attached) {
  if (send_message(socket_.get(), &request, sizeof request, attached) < 0)
    return std::unexpected(lost(Error(ErrorKind::system, "the process that reads files has ended")));
  return {};
}

Error FileWorker::lost(Error why) {
  usable_ = false;
  return why;
}

Result<FileWorker::Reply> FileWorker::receive(const Patience &patience, FileDescriptor *attached) {
  constexpr std::chrono::milliseconds look_up{50};
  const auto end = Clock::now() + patience.limit;
  for (;;) {
    if (patience.cancellation != nullptr && patience.cancellation->requested())
      return std::unexpected(lost(Error(ErrorKind::cancelled, "cancelled")));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0)
      return std::unexpected(
          lost(Error(ErrorKind::timed_out, fmt::format("no answer within {} ms", patience.limit.count()))));
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::min(left, look_up).count())) <= 0)
      continue;
    Reply reply;
    FileDescriptor received;
    if (receive_message(socket_.get(), &reply, sizeof reply, received) != sizeof reply)
      return std::unexpected(lost(Error(ErrorKind::system, "the process that reads files has ended")));
    if (attached != nullptr)
      *attached = std::move(received);
    return reply;
  }
}

Result<FileWorker::FoundFile> FileWorker::open(const std::string &root, const std::string &path,
                                               const FileRights *rights, const Patience &patience) {
  Request request;
  if (path.size() >= request.path.size() || root.size() >= request.root.size())
    return std::unexpected(Error::from_errno(ENAMETOOLONG, fmt::format("opening {}", path)));
  request.has_root = !root.empty();
  request.has_rights = rights != nullptr;
  if (rights != nullptr)
    request.rights = *rights;
  std::ranges::copy(root, request.root.begin());
  std::ranges::copy(path, request.path.begin());
  if (auto sent = send(request, -1); !sent)
    return std::unexpected(sent.error());
  auto reply = receive(patience, nullptr);
  if (!reply)
    return std::unexpected(reply.error());
  if (reply->error != 0)
    return std::unexpected(Error::from_errno(reply->error, fmt::format("opening {}", path)));
  return reply->found;
}

Result<FileDescriptor> FileWorker::pass(const Patience &patience) {
  Request request;
  request.wish = Wish::pass;
  if (auto sent = send(request, -1); !sent)
    return std::unexpected(sent.error());
  FileDescriptor passed;
  const auto reply = receive(patience, &passed);
  if (!reply)
    return std::unexpected(reply.error());
  if (reply->error != 0 || !passed)
    return std::unexpected(Error(ErrorKind::system, "the process that reads files handed over no file"));
  return passed;
}

Result<void> FileWorker::copy(int into, std::uint64_t max_bytes, std::chrono::milliseconds total,
                              const Patience &patience) {
  Request request;
  request.wish = Wish::copy;
  request.max_bytes = max_bytes;
  if (auto sent = send(request, into); !sent)
    return std::unexpected(sent.error());
  const auto end = Clock::now() + total;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    const auto reply = receive({std::min(patience.limit, left), patience.cancellation}, nullptr);
    if (!reply)
      return std::unexpected(reply.error());
    if (!reply->finished)
      continue;
    if (reply->error == EFBIG)
      return std::unexpected(Error(ErrorKind::unsupported, fmt::format("it holds more than {} bytes", max_bytes)));
    if (reply->error != 0)
      return std::unexpected(Error::from_errno(reply->error, "reading a file"));
    return {};
  }
}

} // namespace inspect
