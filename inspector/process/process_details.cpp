#include "inspector/process/process_details.h"

#include "attach/files/file_opener.h"
#include "attach/procfs/account_names.h"
#include "attach/procfs/memory_map.h"
#include "attach/procfs/permission.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_end.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <unistd.h>
#include <unordered_set>

namespace inspect {
namespace {

ProcessUsers users_of(const ProcessStatus &status) {
  return {user_name(status.real_user), user_name(status.effective_user), group_name(status.real_group),
          group_name(status.effective_group)};
}

/// All of it has ended, and its parent has not taken note.
bool is_zombie(const ProcessorSample &sample) {
  return sample.threads.size() == 1 && has_ended(sample.threads.front().state);
}

Error gone(pid_t process) {
  return Error(ErrorKind::no_such_process, fmt::format("process {} ended while it was looked at", process));
}

/// Fills ProcessDetails part by part; what fails is noted and left out.
class DetailsReader {
public:
  DetailsReader(pid_t process, ProcessDirectory directory) : process_(process), directory_(std::move(directory)) {}

  Result<ProcessDetails> read(const ProcessDetailsOptions &options);

private:
  void read_status();
  void read_parents();
  void read_times(const ProcessStat &stat);
  void read_directories();
  void read_descriptors();
  void read_libraries();
  void read_build();
  void read_scores();
  void read_open_parts();
  void read_closed_parts();

  /// The value, or nothing and a note about why.
  template <typename T> std::optional<T> noted(std::string_view what, Result<T> result) {
    if (result)
      return std::move(*result);
    note(what, result.error());
    return std::nullopt;
  }
  void note(std::string_view what, const Error &error);
  std::optional<LinkedDirectory> linked_directory(std::string_view what, const char *name);
  std::optional<int> small_number(const char *name);

  pid_t process_;
  ProcessDirectory directory_; ///< of a living thread
  ProcessDetails details_;
  std::string buffer_;
};

void DetailsReader::note(std::string_view what, const Error &error) {
  if (error.kind() == ErrorKind::no_such_process)
    return; // said once, at the end
  if (error.kind() != ErrorKind::not_permitted) {
    details_.warnings.push_back(fmt::format("{}: {}", what, error.message()));
    return;
  }
  NotPermitted &missing = details_.not_permitted;
  if (missing.what.empty()) {
    const Error explained = explain_not_readable(process_, error.error_number(), fmt::format("reading its {}", what));
    missing.why = explained.message();
    missing.remedy = explained.remedy();
  }
  missing.what.emplace_back(what);
}

std::optional<LinkedDirectory> DetailsReader::linked_directory(std::string_view what, const char *name) {
  auto link = noted(what, directory_.link(name));
  if (!link)
    return std::nullopt;
  LinkedDirectory linked{std::move(*link), false};
  linked.deleted = take_deleted_mark(linked.path);
  return linked;
}

void DetailsReader::read_directories() {
  details_.working_directory = linked_directory("working directory", "cwd");
  auto root = linked_directory("root directory", "root");
  if (root && root->path != "/")
    details_.root = std::move(root);
}

void DetailsReader::read_status() {
  const auto text = noted("status", directory_.read("status", buffer_));
  const auto status = text ? noted("status", parse_process_status(*text)) : std::nullopt;
  if (!status)
    return;
  details_.users = users_of(*status);
  // Through a thread of a leader that has ended the last number would be the thread's.
  if (status->id_in_namespace != process_ && !details_.row.main_thread_ended)
    details_.id_in_namespace = status->id_in_namespace;
  details_.capabilities = status->capabilities;
  if (details_.capabilities)
    details_.capabilities->known = known_capabilities();
  if (details_.row.kernel_thread)
    return;
  details_.memory = status->memory;
  details_.security = read_security_state(directory_, *status);
}

void DetailsReader::read_parents() {
  // Parents that change meanwhile could make a ring of numbers used again.
  constexpr std::size_t max_parents = 100;
  for (pid_t parent = details_.row.parent; parent > 0 && details_.parents.size() < max_parents;) {
    const auto stat = read_process_stat(parent);
    if (!stat)
      break;
    details_.parents.push_back({parent, stat->name});
    parent = stat->parent;
  }
}

void DetailsReader::read_times(const ProcessStat &stat) {
  const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto milliseconds = [&](std::uint64_t ticks) { return ticks * 1000 / ticks_per_second; };
  details_.times.user = milliseconds(stat.user_ticks);
  details_.times.system = milliseconds(stat.system_ticks);
  timespec now{};
  if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0)
    return;
  const auto uptime = static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
  details_.times.elapsed = uptime - std::min(uptime, milliseconds(stat.start_ticks));
}

void DetailsReader::read_descriptors() {
  if (const auto count = count_descriptors(directory_))
    details_.descriptor_count = *count;
  auto list = noted("open files and sockets", list_descriptors(directory_));
  if (!list)
    return;
  DescriptorSummary summary;
  summary.truncated = list->truncated;
  for (const OpenDescriptor &descriptor : list->descriptors) {
    ++summary.by_kind[descriptor.kind];
    if (!descriptor.deleted)
      continue;
    ++summary.deleted;
    summary.deleted_bytes += descriptor.bytes;
  }
  details_.descriptor_count = list->descriptors.size();
  details_.sockets = read_open_sockets(directory_, list->descriptors);
  summary.all = std::move(list->descriptors);
  details_.descriptors = std::move(summary);
}

void DetailsReader::read_libraries() {
  const auto mappings = noted("mapped libraries", read_memory_map(process_));
  if (!mappings)
    return;
  std::vector<MappedLibrary> libraries;
  std::unordered_set<std::string_view> seen = {details_.row.executable};
  for (const Mapping &mapping : *mappings)
    if (mapping.executable && mapping.inode != 0 && mapping.path.starts_with('/') && seen.insert(mapping.path).second)
      libraries.push_back({mapping.path, mapping.deleted});
  details_.libraries = std::move(libraries);
}

void DetailsReader::read_build() {
  FileOpener files;
  const auto file = noted("executable", files.open(executable_of(process_, details_.row.executable)));
  if (!file)
    return;
  auto build = read_program_build(file->descriptor.get());
  if (build)
    details_.build = std::move(*build);
  else if (build.error().kind() != ErrorKind::unsupported) // no ELF file: the row says what it is
    note("executable", build.error());
}

std::optional<int> DetailsReader::small_number(const char *name) {
  const auto text = directory_.read(name, buffer_);
  return text ? whole_number<int>(trimmed(*text)) : std::nullopt;
}

void DetailsReader::read_scores() {
  const auto score = small_number("oom_score");
  const auto adjustment = small_number("oom_score_adj");
  if (score && adjustment)
    details_.out_of_memory = OutOfMemoryScore{*score, *adjustment};
}

/// What the kernel shows to everybody.
void DetailsReader::read_open_parts() {
  read_status();
  if (const auto text = noted("control groups", directory_.read("cgroup", buffer_)))
    details_.control_groups = parse_control_groups(*text);
  if (details_.row.kernel_thread)
    return;
  details_.limits = noted("limits", read_process_limits(directory_));
  read_scores();
  const auto pages = ::sysconf(_SC_PHYS_PAGES);
  const auto page_size = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_size > 0)
    details_.machine_memory = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_size);
}

/// What needs CAP_SYS_PTRACE for processes of others (man page ptrace(2), PTRACE_MODE_READ).
void DetailsReader::read_closed_parts() {
  if (details_.row.kernel_thread)
    return;
  read_build();
  read_directories();
  read_descriptors();
  details_.namespaces = noted("namespaces", read_namespaces(directory_));
  read_libraries();
}

Result<ProcessDetails> DetailsReader::read(const ProcessDetailsOptions &options) {
  auto row = read_process_row(process_);
  if (!row)
    return std::unexpected(row.error());
  details_.row = std::move(*row);
  const auto before = take_processor_sample(process_);
  if (!before)
    return std::unexpected(before.error());
  const bool ended = is_zombie(*before);
  read_parents();
  if (!ended) {
    read_open_parts();
    read_closed_parts();
  } else if (const auto text = directory_.read("status", buffer_)) {
    if (const auto status = parse_process_status(*text))
      details_.users = users_of(*status);
  }
  if (options.over.count() > 0 && !ended) {
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before->taken);
    if (passed < options.over && ends_within(process_, options.over - passed))
      return std::unexpected(gone(process_));
  }
  const auto after = take_processor_sample(process_);
  if (!after || after->start != before->start || (!ended && is_zombie(*after)))
    return std::unexpected(gone(process_));
  if (options.over.count() > 0)
    details_.recent_use = processor_use(*before, *after);
  for (const ThreadTicks &thread : after->threads)
    ++details_.threads_by_state[thread.state];
  const auto stat = read_process_stat(process_);
  if (!stat || stat->start_ticks != before->start)
    return std::unexpected(gone(process_));
  read_times(*stat);
  return std::move(details_);
}

} // namespace

bool is_process(pid_t number) {
  const auto status = read_process_status(number);
  return status && status->thread_group == number;
}

Result<ProcessDetails> read_process_details(pid_t process, const ProcessDetailsOptions &options) {
  const auto status = read_process_status(process);
  if (!status)
    return std::unexpected(status.error());
  if (status->thread_group != process)
    return std::unexpected(Error(ErrorKind::no_such_process, fmt::format("there is no process {}", process),
                                 fmt::format("{} is a thread of process {}", process, status->thread_group)));
  auto directory = ProcessDirectory::open_living(process);
  if (!directory) // all of it has ended: what is left lies in its own directory
    directory = ProcessDirectory::open(process);
  if (!directory)
    return std::unexpected(directory.error());
  return DetailsReader(process, std::move(*directory)).read(options);
}

} // namespace inspect
