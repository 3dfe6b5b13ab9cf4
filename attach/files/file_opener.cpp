#include "attach/files/file_opener.h"

#include "attach/files/file_worker.h"
#include "attach/files/regular_file.h"
#include "attach/procfs/loaded_program.h"
#include "attach/procfs/machine_memory.h"
#include "attach/procfs/mount_table.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <set>
#include <sys/mman.h>
#include <utility>

namespace inspect {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds first_patience{2000};
constexpr milliseconds least_patience{50};
constexpr milliseconds patience_for_a_copy{60'000};

const std::string &shown(const FileWish &wish) {
  return wish.shown.empty() ? wish.path : wish.shown;
}

Error failure(const FileWish &wish, int error_number) {
  return Error::from_errno(error_number, fmt::format("opening {}", shown(wish)));
}

/// The kernel's own mount for memory files (memfd_create(2), System V shared memory), which no mountinfo lists.
std::optional<std::uint64_t> memory_device() {
  const FileDescriptor file(::memfd_create("inspect-device", MFD_CLOEXEC));
  struct stat status {};
  return file && ::fstat(file.get(), &status) == 0 ? std::optional<std::uint64_t>(status.st_dev) : std::nullopt;
}

/// Mounts as they are now, or were a moment ago.
class KnownMounts {
public:
  const MountTable &of(pid_t process) {
    constexpr std::chrono::seconds good_for{1};
    if (!read_ || Clock::now() - *read_ > good_for) {
      table_ = {};
      seen_.clear();
      last_ = 0;
      complete_ = add("/proc/self/mountinfo");
      read_ = Clock::now();
    }
    if (std::exchange(last_, process) != process)
      look_at(process);
    return table_;
  }
  /// False: a list could not be read, and anything may be mounted.
  bool complete() const { return complete_; }

private:
  void look_at(pid_t process) {
    // Nearly all processes see the same; a chroot changes what one sees of its mount namespace.
    const std::string root = living_link(process, "root");
    const std::string what_it_sees = link_text(living_link(process, "ns/mnt")) + link_text(root);
    if (what_it_sees.empty() || seen_.insert(what_it_sees).second)
      complete_ = add(root.substr(0, root.rfind('/')) + "/mountinfo") && complete_;
  }
  bool add(const std::string &path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const auto text = file ? read_to_end(file.get(), max_mount_text) : std::unexpected(errno);
    if (!text)
      return text.error() != EACCES && text.error() != EPERM; // else it has ended
    table_.add(*text);
    return true;
  }

  MountTable table_;
  std::set<std::string> seen_;
  pid_t last_ = 0;
  bool complete_ = true;
  std::optional<Clock::time_point> read_;
};

} // namespace

struct FileOpener::State {
  std::mutex mutex;
  KnownMounts mounts;
  const std::optional<std::uint64_t> memory = memory_device();
  std::unique_ptr<FileWorker> worker;
  const Cancellation *cancellation = nullptr;
  milliseconds patience = first_patience;
  std::set<std::uint64_t> silent_devices;
  std::set<std::string> silent_folders;

  bool may_hang(const FileWish &wish, const MountTable &table) const;
  bool is_silent(const FileWish &wish) const;
  static std::string_view expected_type(const FileWish &wish, const MountTable &table);
  static std::string_view type_of(const FileWorker::FoundFile &found, const MountTable &table);
  static Error silence(const FileWish &wish, std::string_view type);
  Error no_answer(const FileWish &wish, const Error &why, std::string_view type, const MountTable &table);
  Result<FoundFile> open_in_worker(const FileWish &wish, const MountTable &table);
  Result<FileWorker::FoundFile> find(const FileWish &wish, const MountTable &table);
  Result<FileDescriptor> fetch(const FileWish &wish, const FileWorker::FoundFile &found, const MountTable &table);
  Result<FileDescriptor> copy(const FileWish &wish, const FileWorker::FoundFile &found, const MountTable &table);
};

bool FileOpener::State::may_hang(const FileWish &wish, const MountTable &table) const {
  if (wish.device)
    return wish.device != memory && table.may_hang(*wish.device);
  return table.any_may_hang() || !mounts.complete();
}

std::string_view FileOpener::State::expected_type(const FileWish &wish, const MountTable &table) {
  if (wish.device)
    return table.type_of_device(*wish.device);
  const MountTable::RemotePoint *point = table.remote_point_above(shown(wish));
  return point == nullptr ? std::string_view() : std::string_view(point->type);
}

Error FileOpener::State::silence(const FileWish &wish, std::string_view type) {
  return Error(ErrorKind::timed_out,
               fmt::format("{} does not answer ({})", shown(wish), type.empty() ? "its file system" : type));
}

bool FileOpener::State::is_silent(const FileWish &wish) const {
  if (wish.device && silent_devices.contains(*wish.device))
    return true;
  const std::string path = wish.root + wish.path;
  return std::ranges::any_of(silent_folders, [&](const std::string &folder) { return path.starts_with(folder); });
}

/// Remembers who did not answer, and says it. `why` is of the worker.
Error FileOpener::State::no_answer(const FileWish &wish, const Error &why, std::string_view type,
                                   const MountTable &table) {
  worker.reset();
  if (why.kind() != ErrorKind::timed_out)
    return why;
  // Who asks for a thousand files of a place that is not known to be one shall not wait a thousand times as long.
  patience = std::max(least_patience, patience / 2);
  if (wish.device) {
    silent_devices.insert(*wish.device);
  } else {
    const MountTable::RemotePoint *point = table.remote_point_above(wish.path);
    silent_folders.insert(wish.root +
                          (point != nullptr ? point->path + "/" : wish.path.substr(0, wish.path.rfind('/') + 1)));
  }
  return silence(wish, type);
}

Result<FileWorker::FoundFile> FileOpener::State::find(const FileWish &wish, const MountTable &table) {
  const std::string_view type = expected_type(wish, table);
  if (is_silent(wish))
    return std::unexpected(silence(wish, type));
  if (worker == nullptr || wish.rights != nullptr) {
    auto started = FileWorker::start();
    if (!started)
      return std::unexpected(started.error());
    worker = std::move(*started);
  }
  auto found = worker->open(wish.root, wish.path, wish.rights, {patience, cancellation});
  if (!found && !worker->usable())
    return std::unexpected(no_answer(wish, found.error(), type, table));
  if (!found)
    return std::unexpected(failure(wish, found.error().error_number()));
  return found;
}

/// By its mount, which is exact; by its device where the kernel does not say the mount (before Linux 5.8).
std::string_view FileOpener::State::type_of(const FileWorker::FoundFile &found, const MountTable &table) {
  const std::string_view type = table.type_of_mount(found.mount);
  return type.empty() ? table.type_of_device(found.status.st_dev) : type;
}

Result<FileDescriptor> FileOpener::State::copy(const FileWish &wish, const FileWorker::FoundFile &found,
                                               const MountTable &table) {
  std::string_view type = type_of(found, table);
  if (type.empty())
    type = "a file system that is not mounted here";
  const auto left = available_memory();
  const std::uint64_t limit = std::min(max_copied_file, left ? *left / 4 : max_copied_file);
  // The size may be wrong, or grow; what is read has the limit, too.
  const auto said = static_cast<std::uint64_t>(std::max<off_t>(found.status.st_size, 0));
  const auto too_large = [&] {
    return std::unexpected(Error(ErrorKind::unsupported,
                                 fmt::format("{} is on {}, which can stop answering, and has more than the {} MB that "
                                             "inspect copies of such a file",
                                             shown(wish), type, limit >> 20),
                                 "copy it to a local disk and name its folder with --debug-directory"));
  };
  if (said > limit)
    return too_large();
  FileDescriptor memory_file(::memfd_create("inspect-copy", MFD_CLOEXEC));
  if (!memory_file)
    return std::unexpected(Error::from_errno(errno, "creating a file in memory"));
  auto done = worker->copy(memory_file.get(), limit, patience_for_a_copy, {patience, cancellation});
  if (!done && !worker->usable())
    return std::unexpected(no_answer(wish, done.error(), type, table));
  if (!done && done.error().kind() == ErrorKind::unsupported)
    return too_large();
  if (!done)
    return std::unexpected(Error::from_errno(done.error().error_number(), fmt::format("reading {}", shown(wish))));
  patience = first_patience;
  return memory_file;
}

Result<FileDescriptor> FileOpener::State::fetch(const FileWish &wish, const FileWorker::FoundFile &found,
                                                const MountTable &table) {
  const std::string_view type = type_of(found, table);
  const bool local =
      type.empty() ? found.status.st_dev == memory || !table.may_hang(found.status.st_dev) : is_local_file_system(type);
  if (!local)
    return copy(wish, found, table);
  auto passed = worker->pass({patience, cancellation});
  if (!passed && !worker->usable())
    return std::unexpected(no_answer(wish, passed.error(), type, table));
  return passed;
}

Result<FoundFile> FileOpener::State::open_in_worker(const FileWish &wish, const MountTable &table) {
  const auto found = find(wish, table);
  if (!found)
    return std::unexpected(found.error());
  auto descriptor = fetch(wish, *found, table);
  if (!descriptor)
    return std::unexpected(descriptor.error());
  return FoundFile{std::move(*descriptor), found->status};
}

FileWish executable_of(pid_t process, std::string shown) {
  const std::string link = living_link(process, "exe");
  // What the dynamic loader was started with is not what the link leads to.
  if (is_dynamic_loader(link_text(link)) && !is_dynamic_loader(shown))
    return {.process = process, .root = living_link(process, "root"), .path = shown, .shown = shown};
  return {.process = process, .root = {}, .path = link, .shown = std::move(shown)};
}

FileOpener::FileOpener() : state_(std::make_unique<State>()) {}
FileOpener::~FileOpener() = default;

Result<FoundFile> FileOpener::open(const FileWish &wish) {
  const std::lock_guard lock(state_->mutex);
  const MountTable &table = state_->mounts.of(wish.process);
  if (wish.rights == nullptr && !state_->may_hang(wish, table)) {
    RegularFile file = open_regular_file(wish.root.empty() ? nullptr : wish.root.c_str(), wish.path.c_str(), nullptr);
    if (!file.descriptor)
      return std::unexpected(failure(wish, file.error));
    return FoundFile{std::move(file.descriptor), file.status};
  }
  auto file = state_->open_in_worker(wish, table);
  if (wish.rights != nullptr)
    state_->worker.reset(); // it has those rights alone
  return file;
}

Result<struct stat> FileOpener::look(const FileWish &wish) {
  const std::lock_guard lock(state_->mutex);
  const MountTable &table = state_->mounts.of(wish.process);
  if (state_->may_hang(wish, table)) {
    const auto found = state_->find(wish, table);
    if (!found)
      return std::unexpected(found.error());
    return found->status;
  }
  struct stat status {};
  if (::stat((wish.root + wish.path).c_str(), &status) != 0)
    return std::unexpected(failure(wish, errno));
  return status;
}

bool FileOpener::is_remote(pid_t process, std::uint64_t device) {
  const std::lock_guard lock(state_->mutex);
  const std::string_view type = state_->mounts.of(process).type_of_device(device);
  return !type.empty() && !is_local_file_system(type);
}

void FileOpener::cancel_with(const Cancellation *cancellation) {
  const std::lock_guard lock(state_->mutex);
  state_->cancellation = cancellation;
}

void FileOpener::forget_silence() {
  const std::lock_guard lock(state_->mutex);
  state_->patience = first_patience;
  state_->silent_devices.clear();
  state_->silent_folders.clear();
}

} // namespace inspect
