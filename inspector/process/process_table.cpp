#include "inspector/process/process_table.h"

#include "attach/files/file_opener.h"
#include "attach/files/target_files.h"
#include "attach/procfs/account_names.h"
#include "attach/procfs/hidden_processes.h"
#include "attach/procfs/loaded_program.h"
#include "attach/procfs/memory_map.h"
#include "attach/procfs/permission.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_directory.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "golang/image/build_info.h"
#include "inspector/process/container.h"
#include "machine/elf_file.h"
#include "machine/thrown_error.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>
#include <unistd.h>
#include <unordered_map>

namespace inspect {
namespace {

/// What one pass over all processes needs again and again.
class Reader {
public:
  static Result<Reader> prepare();
  /// Nothing when the process ended meanwhile.
  std::optional<ProcessRow> read(pid_t process, const ProcessTableOptions &options);

private:
  const std::string &user_name(uid_t user);
  void read_command(const ProcessDirectory &directory, ProcessRow &row);
  void read_executable(const ProcessDirectory &directory, ProcessRow &row);
  void read_hosted_runtimes(ProcessRow &row);
  void read_container(const ProcessDirectory &directory, ProcessRow &row);
  void fill_times(const ProcessStat &stat, ProcessRow &row) const;

  double ticks_per_second_ = 100;
  double uptime_ = 0;
  std::int64_t boot_time_ = 0;
  std::string pid_namespace_; ///< ours; empty: unknown
  std::string buffer_;
  std::unordered_map<uid_t, std::string> users_;
  struct Looked {
    RuntimeInfo runtime;
    std::string not_seen;
  };
  std::map<FileIdentity, Looked> looked_;
  /// By device and inode of a library: the Go version in it; nothing: it has none.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::optional<std::string>> libraries_;
  std::unique_ptr<FileOpener> files_ = std::make_unique<FileOpener>();
  const Looked &look_at(const FileWish &executable, const FileIdentity &identity, std::string_view name);
};

Result<Reader> Reader::prepare() {
  Reader reader;
  const auto boot = boot_time();
  if (!boot)
    return std::unexpected(boot.error());
  timespec now{};
  // Start times count from boot, time asleep included.
  if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0)
    return std::unexpected(Error::from_errno(errno, "reading the time since boot"));
  reader.boot_time_ = *boot;
  reader.uptime_ = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  reader.ticks_per_second_ = static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (const auto self = ProcessDirectory::open(::getpid())) {
    if (auto link = self->link("ns/pid"))
      reader.pid_namespace_ = std::move(*link);
  }
  return reader;
}

const std::string &Reader::user_name(uid_t user) {
  const auto [place, is_new] = users_.try_emplace(user);
  if (is_new)
    place->second = inspect::user_name(user);
  return place->second;
}

void Reader::read_command(const ProcessDirectory &directory, ProcessRow &row) {
  const auto text = directory.read("cmdline", buffer_);
  if (!text)
    return; // it ended, which the next reader of it will say
  std::string_view rest = *text;
  // A process that writes over its arguments (setproctitle) leaves padding behind them.
  while (rest.ends_with(std::string_view("\0\0", 2)))
    rest.remove_suffix(1);
  while (!rest.empty()) {
    row.command.emplace_back(take_until(rest, '\0'));
  }
}

const Reader::Looked &Reader::look_at(const FileWish &executable, const FileIdentity &identity, std::string_view name) {
  const auto [place, is_new] = looked_.try_emplace(identity);
  if (!is_new)
    return place->second;
  const auto file = files_->open(executable);
  auto runtime = file ? detect_runtime(file->descriptor.get(), name) : std::unexpected(file.error());
  if (runtime)
    place->second.runtime = std::move(*runtime);
  else if (runtime.error().kind() == ErrorKind::unsupported)
    place->second.runtime.language = "other"; // not ELF: the kernel runs other formats too (man page binfmt_misc)
  else
    place->second.not_seen = runtime.error().message();
  return place->second;
}

void Reader::read_executable(const ProcessDirectory &directory, ProcessRow &row) {
  auto link = directory.link("exe");
  if (!link) {
    if (row.kernel_thread)
      row.not_seen = "a kernel thread has no executable";
    else if (has_ended(row.state))
      row.not_seen = "it has ended and waits for its parent to notice";
    else if (row.not_permitted = link.error().kind() == ErrorKind::not_permitted; row.not_permitted)
      row.not_seen = fmt::format("could not be inspected: {} (a process of user {})", missing_right(), row.user);
    else
      row.not_seen = link.error().message();
    return;
  }
  row.executable_deleted = take_deleted_mark(*link);
  row.executable = std::move(*link);
  if (is_dynamic_loader(row.executable))
    if (auto program = program_of_loader(row.process))
      row.executable = std::move(*program);
  const FileWish executable = executable_of(row.process, row.executable);
  const auto file = files_->look(executable);
  // The process that is meant must still be there: only of its directory that is sure.
  if (const auto still = directory.link("exe"); !file || !still) {
    row.not_seen = file ? still.error().message() : file.error().message();
    return;
  }
  const std::string_view path = row.executable;
  const Looked &looked = look_at(executable, {file->st_dev, file->st_ino}, path.substr(path.rfind('/') + 1));
  row.runtime = looked.runtime;
  row.not_seen = looked.not_seen;
}

std::optional<std::string> go_version_of(const TargetFiles &files, const Mapping &library) {
  const auto file = files.open_mapped(library);
  const auto elf = file ? ElfFile::read(file->descriptor.get()) : std::unexpected(file.error());
  // The linker's section; to search a library without it takes as long as to read it.
  if (!elf || elf->section(".go.buildinfo") == nullptr)
    return std::nullopt;
  const auto build = read_go_build_info(*elf);
  return build ? build->go_version.substr(0, build->go_version.find(' ')) : std::string();
}

/// c-shared libraries. Of a Go program there is no need to look: its plugins use its runtime.
void Reader::read_hosted_runtimes(ProcessRow &row) {
  if (row.runtime.language.empty() || row.runtime.language == "go" || row.runtime.is_32_bit)
    return;
  const auto maps = read_memory_map(row.process);
  if (!maps)
    return; // it may be listed, and not looked into
  std::optional<TargetFiles> files;
  for (const Mapping &mapping : *maps) {
    if (!mapping.executable || mapping.inode == 0 || mapping.path == row.executable ||
        files_->is_remote(row.process, mapping.device))
      continue;
    const auto [known, is_new] = libraries_.try_emplace({mapping.device, mapping.inode});
    if (is_new) {
      if (!files)
        files.emplace(row.process);
      known->second = go_version_of(*files, mapping);
    }
    const auto has_it = [&](const HostedRuntime &one) { return one.library == mapping.path; };
    if (known->second && std::ranges::none_of(row.runtime.hosts, has_it))
      row.runtime.hosts.push_back({*known->second, mapping.path});
  }
}

void Reader::read_container(const ProcessDirectory &directory, ProcessRow &row) {
  if (const auto cgroup = directory.read("cgroup", buffer_))
    row.container = container_of(parse_control_groups(*cgroup));
  if (!row.container.empty() || row.kernel_thread || pid_namespace_.empty())
    return;
  // No runtime that is known by name; but in a process id namespace of its own it is somebody's container.
  if (const auto link = directory.link("ns/pid"); link && *link != pid_namespace_)
    if (const auto inode = inode_in_link(*link))
      row.container = fmt::format("pid namespace {}", *inode);
}

void Reader::fill_times(const ProcessStat &stat, ProcessRow &row) const {
  const double started = static_cast<double>(stat.start_ticks) / ticks_per_second_;
  const double elapsed = uptime_ - started;
  const double used = static_cast<double>(stat.user_ticks + stat.system_ticks) / ticks_per_second_;
  row.started_at = boot_time_ + static_cast<std::int64_t>(started);
  // Below one tick the quotient says nothing.
  row.cpu_percent = elapsed * ticks_per_second_ >= 1 ? 100 * used / elapsed : 0;
}

std::optional<ProcessRow> Reader::read(pid_t process, const ProcessTableOptions &options) {
  auto directory = ProcessDirectory::open(process);
  if (!directory)
    return std::nullopt;
  const auto text = directory->read("stat", buffer_);
  if (!text)
    return std::nullopt;
  auto stat = parse_process_stat(*text);
  if (!stat || (stat->is_kernel_thread() && !options.kernel_threads))
    return std::nullopt;
  ProcessRow row;
  // A main thread that ended before the others shows nothing of the process any more: they do.
  if (has_ended(stat->state))
    if (auto living = ProcessDirectory::open_living(process)) {
      const auto of_thread = living->read("stat", buffer_);
      if (const auto seen = of_thread ? parse_process_stat(*of_thread) : std::unexpected(of_thread.error());
          seen && !has_ended(seen->state)) {
        stat->state = seen->state;
        stat->virtual_bytes = seen->virtual_bytes;
        stat->resident_bytes = seen->resident_bytes;
        row.main_thread_ended = true;
        directory = std::move(living);
      }
    }
  row.process = process;
  row.parent = stat->parent;
  row.name = stat->name;
  row.state = stat->state;
  row.threads = stat->threads;
  row.virtual_kb = stat->virtual_bytes >> 10;
  row.resident_kb = stat->resident_bytes >> 10;
  row.kernel_thread = stat->is_kernel_thread();
  fill_times(*stat, row);
  if (const auto owner = directory->owner())
    row.user = user_name(*owner);
  read_command(*directory, row);
  // A file that asks for too much keeps no other process from being listed.
  const auto looked = caught([&]() -> Result<void> {
    read_executable(*directory, row);
    read_hosted_runtimes(row);
    return {};
  });
  if (!looked)
    row.not_seen = looked.error().message();
  read_container(*directory, row);
  return row;
}

} // namespace

Result<ProcessTable> read_process_table(const ProcessTableOptions &options) {
  const auto processes = list_processes();
  if (!processes)
    return std::unexpected(processes.error());
  auto reader = Reader::prepare();
  if (!reader)
    return std::unexpected(reader.error());
  ProcessTable table;
  table.rows.reserve(processes->size());
  for (const pid_t process : *processes) {
    if (auto row = reader->read(process, options))
      table.rows.push_back(std::move(*row));
  }
  return table;
}

Result<ProcessRow> read_process_row(pid_t process) {
  auto reader = Reader::prepare();
  if (!reader)
    return std::unexpected(reader.error());
  if (auto row = reader->read(process, {.kernel_threads = true}))
    return std::move(*row);
  return std::unexpected(no_process(process));
}

} // namespace inspect
