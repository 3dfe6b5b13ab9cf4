#include "attach/cgroup/own_memory_limit.h"

#include "attach/cgroup/control_group_place.h"
#include "machine/file_descriptor.h"
#include "machine/words.h"

#include <algorithm>
#include <fcntl.h>
#include <pthread.h>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace inspect {
namespace {

/// A thread's stack counts as data, whole, however little of it is touched.
constexpr std::size_t thread_stack = 2U << 20;

void be_the_first_to_go() {
  constexpr std::string_view most_likely = "1000";
  const FileDescriptor file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file) [[maybe_unused]]
    const ssize_t written = ::write(file.get(), most_likely.data(), most_likely.size());
}

/// Private writable memory of this process, which is what RLIMIT_DATA counts, and the stack of its first thread, in
/// bytes.
std::uint64_t data_in_use() {
  const FileDescriptor directory(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto text = read_small_file(directory.get(), "statm", 256);
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  for (int field = 0; field < 5; ++field) // size, resident, shared, text, lib
    take_until(rest, ' ');
  return whole_number<std::uint64_t>(take_until(rest, ' ')).value_or(0) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

std::optional<std::uint64_t> memory_left(const ControlGroupMemory &group) {
  const MemoryLimit *nearest = group.nearest_limit();
  if (nearest == nullptr)
    return std::nullopt;
  return nearest->room() + std::min(group.reclaimable.value_or(0), nearest->current);
}

void keep_within_control_group() {
  be_the_first_to_go();
  const auto group = read_cgroup_memory(::getpid());
  const auto left = group ? memory_left(*group) : std::nullopt;
  const std::uint64_t data = left ? data_in_use() : 0;
  rlimit limit{};
  if (data == 0 || ::getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur <= data + *left)
    return;
  limit.rlim_cur = data + *left;
  ::setrlimit(RLIMIT_DATA, &limit);
  pthread_attr_t attributes;
  if (::pthread_getattr_default_np(&attributes) != 0)
    return;
  std::size_t usual = 0;
  if (::pthread_attr_getstacksize(&attributes, &usual) == 0 && usual > thread_stack &&
      ::pthread_attr_setstacksize(&attributes, thread_stack) == 0)
    ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
}

} // namespace inspect
