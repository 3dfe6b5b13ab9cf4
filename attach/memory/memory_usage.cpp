#include "attach/memory/memory_usage.h"

#include "attach/memory/memory_usage_parser.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <span>
#include <unistd.h>

namespace inspect {
namespace {

FileDescriptor open_to_read(const std::string &path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

ssize_t read_some(int descriptor, std::span<char> into) {
  for (;;) {
    const ssize_t count = ::read(descriptor, into.data(), into.size());
    if (count >= 0 || errno != EINTR)
      return count;
  }
}

/// Reads to the end, or to the first malformed line; the error number of a read that failed, or 0.
int read_into(MemoryUsageParser &parser, int descriptor) {
  // The kernel hands out a page at a time, whatever it is asked for; parsed at once it is still in the cache.
  std::array<char, 65'536> buffer;
  for (;;) {
    const ssize_t count = read_some(descriptor, buffer);
    if (count < 0)
      return errno;
    if (count == 0 || !parser.take({buffer.data(), static_cast<std::size_t>(count)}))
      return 0;
  }
}

std::string sentence(const Error &error) {
  return error.remedy().empty() ? error.message() : fmt::format("{}; {}", error.message(), error.remedy());
}

/// Why a smaps file that could not be opened or read, was not, where the process is still there.
std::string why_closed(pid_t process, const std::string &smaps, int error_number, std::size_t mappings_so_far) {
  if (error_number == ENOENT)
    return fmt::format("there is no {}: this kernel was built without CONFIG_PROC_PAGE_MONITOR, or its /proc is not "
                       "a whole one",
                       smaps);
  const std::string tried = mappings_so_far == 0 ? fmt::format("reading {}", smaps)
                                                 : fmt::format("reading {} after {} mappings", smaps, mappings_so_far);
  return sentence(proc_error(process, error_number, tried));
}

/// What one look at smaps gave: mappings, or why there are none; neither where the process left its memory meanwhile.
struct Measurement {
  std::vector<MappingUsage> mappings;
  std::string why_not;
  bool look_again = false; ///< execve or the end of a thread may be the cause
};

Measurement measure(pid_t process, const std::string &maps, const std::string &smaps) {
  // At the end of the process, and in execve, the kernel ends the text of smaps wherever it is, without an error. A
  // descriptor of maps that was opened before and still gives something afterwards shows that the memory was there all
  // the while; a page of it costs no walk over page tables.
  const FileDescriptor witness = open_to_read(maps);
  const FileDescriptor file = open_to_read(smaps);
  const int refused = file ? 0 : errno;
  if (refused != 0)
    return {{}, why_closed(process, smaps, refused, 0), refused == ENOENT || refused == ESRCH};
  MemoryUsageParser parser;
  const int failed = read_into(parser, file.get());
  std::array<char, 4096> unused;
  const bool gone = witness && read_some(witness.get(), unused) <= 0;
  if (gone || failed == ESRCH)
    return {{}, {}, true};
  if (failed != 0)
    return {{}, why_closed(process, smaps, failed, parser.mapping_count()), false};
  auto mappings = parser.finish();
  if (!mappings)
    return {{}, fmt::format("{} cannot be understood: {}", smaps, mappings.error().message()), false};
  if (mappings->empty() && witness)
    return {{}, fmt::format("{} is empty: something is mounted over it, or a security module closes it", smaps), true};
  return {std::move(*mappings), {}, false};
}

Result<MemoryUsage> from_maps(pid_t process, std::string why_not_measured) {
  auto mappings = read_memory_map(process);
  if (!mappings)
    return std::unexpected(mappings.error());
  MemoryUsage usage;
  usage.why_not_measured = std::move(why_not_measured);
  usage.mappings.reserve(mappings->size());
  for (Mapping &mapping : *mappings) {
    MappingUsage &one = usage.mappings.emplace_back();
    one.mapping = std::move(mapping);
    one.amounts.reserved = one.mapping.range.size();
    one.counted = is_counted(one.mapping);
    one.grows_down = one.mapping.path == "[stack]"; // the only one that the kernel names
  }
  remove_overlaps(usage.mappings);
  return usage;
}

Result<MemoryUsage> read_usage(pid_t process, const std::string *instead_of_smaps) {
  // In execve a process has no memory for a moment, and its leader may be replaced; a thread may end between the
  // choice of it and the opening of its files. A second look then finds them. A kernel thread stays without memory.
  constexpr int attempts = 5;
  Measurement found;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const auto directory = living_directory(process);
    if (!directory)
      return std::unexpected(directory.error());
    found =
        measure(process, *directory + "maps", instead_of_smaps != nullptr ? *instead_of_smaps : *directory + "smaps");
    if (!found.look_again)
      break;
  }
  if (!found.why_not.empty())
    return from_maps(process, std::move(found.why_not));
  return MemoryUsage{std::move(found.mappings), true, {}};
}

} // namespace

MemoryAmounts &MemoryAmounts::operator+=(const MemoryAmounts &other) {
  reserved += other.reserved;
  resident += other.resident;
  proportional += other.proportional;
  shared_clean += other.shared_clean;
  shared_dirty += other.shared_dirty;
  private_clean += other.private_clean;
  private_dirty += other.private_dirty;
  referenced += other.referenced;
  anonymous += other.anonymous;
  lazily_freed += other.lazily_freed;
  huge += other.huge;
  hugetlb += other.hugetlb;
  swapped += other.swapped;
  swapped_proportional += other.swapped_proportional;
  locked += other.locked;
  return *this;
}

MemoryAmounts MemoryUsage::total() const {
  MemoryAmounts sum;
  for (const MappingUsage &one : mappings) {
    if (one.counted)
      sum += one.amounts;
  }
  return sum;
}

Result<std::vector<MappingUsage>> parse_memory_usage(std::string_view text) {
  MemoryUsageParser parser;
  parser.take(text);
  return parser.finish();
}

Result<MemoryUsage> read_memory_usage(pid_t process) {
  return read_usage(process, nullptr);
}

Result<MemoryUsage> read_memory_usage(pid_t process, const std::string &smaps) {
  return read_usage(process, &smaps);
}

Result<MemoryAmounts> read_memory_rollup(pid_t process) {
  const auto text = read_living_file(process, "smaps_rollup");
  const auto unsupported = [&](std::string_view why) {
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("there is no smaps_rollup of process {}: {}", process, why)));
  };
  if (!text && text.error().kind() == ErrorKind::not_found)
    return unsupported("Linux has it since 4.14, where it was built with CONFIG_PROC_PAGE_MONITOR");
  if (!text) {
    const auto stat = read_process_stat(process);
    if (stat && stat->is_kernel_thread())
      return unsupported("a kernel thread has no memory of its own");
    return std::unexpected(text.error());
  }
  auto sum = parse_memory_usage(*text);
  if (!sum)
    return std::unexpected(sum.error().while_doing(fmt::format("reading smaps_rollup of process {}", process)));
  if (sum->size() != 1)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("smaps_rollup of process {} holds {} sums", process, sum->size())));
  sum->front().amounts.reserved = 0;
  return sum->front().amounts;
}

} // namespace inspect
