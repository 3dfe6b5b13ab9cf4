#include "inspector/memory/memory_report.h"

#include "attach/files/file_opener.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "machine/number_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <tuple>
#include <unistd.h>
#include <utility>

namespace inspect {
namespace {

/// The kernel counts the pages of a thread in batches of its own (since Linux 6.2 in counters for each processor), so
/// that VmRSS lags behind the page tables, which smaps walks: by 64 pages for each thread or processor at worst.
constexpr std::uint64_t resident_lag = 64 * 4096;

std::int64_t now_in_milliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string with_remedy(const Error &error) {
  return error.remedy().empty() ? error.message() : fmt::format("{} ({})", error.message(), error.remedy());
}

RuntimeInfo executable_runtime(pid_t process, const std::string &name) {
  FileOpener files;
  const auto file = files.open(executable_of(process, name));
  return file ? detect_runtime(file->descriptor.get(), name).value_or(RuntimeInfo{}) : RuntimeInfo{};
}

} // namespace

struct MemoryReader::State {
  pid_t process = 0;
  Target *target = nullptr; ///< null: it could not be opened
  std::unique_ptr<Target> own_target;
  std::string why_no_target;
  std::uint64_t generation = 0;          ///< of the target's modules, that the readers were opened with
  std::optional<RuntimeReaders> readers; ///< after the target that they read through
  std::vector<OtherAllocator> other_allocators;
  RuntimeInfo runtime;
  std::optional<std::uint64_t> start_ticks; ///< of the first look
  std::vector<bool> go_copied;              ///< in this look, of each of the readers
  bool malloc_copied = false;

  Result<MemoryReport> begin_report();
  void open_reader();
  void copy_structures(MemoryReport &report, const MemoryReadOptions &options);
  void copy_stopped(MemoryReport &report);
  void copy_each(MemoryReport &report);
  void decode_statistics(MemoryReport &report);
  Result<ProcessMappings> read_mappings() const;
};

Result<std::unique_ptr<MemoryReader>> MemoryReader::open(pid_t process, const TargetOptions &options) {
  auto state = std::make_unique<State>();
  state->process = process;
  auto target = Target::open(process, options);
  if (target) {
    state->own_target = std::move(*target);
    state->target = state->own_target.get();
  } else {
    // Of a process that may not be opened, and of one that is not a 64-bit program, the kernel still tells much.
    const auto status = read_living_status(process);
    if (target.error().kind() == ErrorKind::no_such_process || process == ::getpid() || !status ||
        !status->memory.virtual_size)
      return std::unexpected(target.error());
    state->why_no_target = with_remedy(target.error());
  }
  return std::unique_ptr<MemoryReader>(new MemoryReader(std::move(state)));
}

MemoryReader::MemoryReader(Target &target) : state_(std::make_unique<State>()) {
  state_->process = target.process();
  state_->target = &target;
}

MemoryReader::MemoryReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
MemoryReader::~MemoryReader() = default;

Result<MemoryReport> MemoryReader::State::begin_report() {
  auto stat = read_process_stat(process);
  if (!stat)
    return std::unexpected(stat.error());
  if (start_ticks && *start_ticks != stat->start_ticks)
    return std::unexpected(Error(ErrorKind::no_such_process,
                                 fmt::format("process {} has ended; its number is another process' now", process)));
  if (!start_ticks)
    runtime = executable_runtime(process, stat->name);
  start_ticks = stat->start_ticks;
  MemoryReport report;
  report.process = process;
  report.command = std::move(stat->name);
  if (auto link = read_executable_link(process))
    report.executable = std::move(link->path);
  report.runtime = runtime;
  report.taken_at = now_in_milliseconds();
  report.start_ticks = stat->start_ticks;
  report.thread_count = static_cast<std::size_t>(std::max<std::int64_t>(stat->threads, 0));
  report.cgroup = read_cgroup_memory(process);
  return report;
}

void MemoryReader::State::open_reader() {
  if (target == nullptr || (readers && generation == target->generation()))
    return;
  readers = open_runtime_readers(*target);
  other_allocators = find_other_allocators(target->modules());
  generation = target->generation();
}

void MemoryReader::State::copy_each(MemoryReport &report) {
  const auto copy = [&](auto &from, std::string_view whose) {
    if (from == nullptr)
      return false;
    const Result<void> copied = from->copy();
    if (!copied)
      report.warnings.push_back(fmt::format("{} statistics are missing: {}", whose, with_remedy(copied.error())));
    return copied.has_value();
  };
  go_copied.clear();
  for (const GoRuntimeReader &go : readers->go)
    go_copied.push_back(copy(go.reader, "the Go runtime's"));
  malloc_copied = copy(readers->malloc_reader, "malloc's");
}

void MemoryReader::State::copy_stopped(MemoryReport &report) {
  if (readers->malloc_reader != nullptr)
    readers->malloc_reader->prepare();
  auto limited = target->memory().limit_reads(LiveMemory::stop_patience);
  if (!limited) {
    report.warnings.push_back(fmt::format("the allocators' statistics are missing: {}", with_remedy(limited.error())));
    return;
  }
  auto stopped = StoppedProcess::stop(process, {});
  if (!stopped) {
    report.warnings.push_back(fmt::format("the allocators' statistics are missing, for it cannot be stopped: {}",
                                          with_remedy(stopped.error())));
    return;
  }
  copy_each(report);
  stopped->release();
  report.pause = stopped->pause();
  if ((*limited)->expired())
    report.warnings.emplace_back("the process's memory was not answered in time while it was stopped: the allocators' "
                                 "statistics are missing or not complete");
  const auto runs_on = std::ranges::count_if(stopped->threads(), [](const StoppedThread &thread) {
    return thread.state == StopState::did_not_stop || thread.state == StopState::not_traceable;
  });
  if (runs_on > 0)
    report.warnings.push_back(fmt::format("{} could not be stopped: the runtimes' figures may not be of one moment",
                                          counted(static_cast<std::uint64_t>(runs_on), "thread")));
}

void MemoryReader::State::copy_structures(MemoryReport &report, const MemoryReadOptions &options) {
  if (!readers)
    return;
  report.other_allocators = other_allocators;
  if (readers->go.empty() && readers->malloc_reader == nullptr)
    return;
  if (options.held)
    copy_each(report);
  else if (options.stop)
    copy_stopped(report);
  // Where the arenas lie tells kinds apart, and is worth a look at the running process.
  if (!malloc_copied && readers->malloc_reader != nullptr)
    if (const Result<void> copied = readers->malloc_reader->copy(0); !copied)
      report.warnings.push_back(fmt::format("malloc's arenas cannot be read: {}", with_remedy(copied.error())));
}

void MemoryReader::State::decode_statistics(MemoryReport &report) {
  const std::vector<bool> copied = std::exchange(go_copied, {});
  for (std::size_t i = 0; i < copied.size(); ++i) {
    if (!copied[i])
      continue;
    const GoRuntimeReader &go = readers->go[i];
    auto figures = go.reader->statistics();
    if (!figures) {
      report.warnings.push_back(
          fmt::format("the Go runtime's memory statistics are missing: {}", with_remedy(figures.error())));
    } else if (!report.go) {
      report.go = std::move(*figures);
      report.go_image = go.image;
    } else {
      report.other_go.push_back({go.version, go.image, std::move(*figures)});
    }
    std::ranges::move(go.reader->take_warnings(), std::back_inserter(report.warnings));
  }
  if (std::exchange(malloc_copied, false)) {
    report.malloc_statistics = readers->malloc_reader->statistics();
    if (!report.malloc_statistics->complete)
      report.warnings.push_back(
          fmt::format("malloc's figures are not complete: {}", report.malloc_statistics->why_incomplete));
  }
}

Result<ProcessMappings> MemoryReader::State::read_mappings() const {
  return target != nullptr ? read_process_mappings(*target, *readers) : read_process_mappings(process);
}

Result<MemoryReport> MemoryReader::read(const MemoryReadOptions &options) {
  auto report = state_->begin_report();
  if (!report)
    return std::unexpected(report.error());
  // A stack's top, an arena's header may lie where nobody answers. Where no process can be started for it, they are
  // read as they are.
  const auto limited = state_->target != nullptr ? state_->target->memory().limit_reads(LiveMemory::command_patience)
                                                 : Result<std::unique_ptr<LiveMemory::LimitedReads>>(nullptr);
  state_->open_reader();
  if (!state_->why_no_target.empty())
    report->warnings.push_back(fmt::format("only the kernel's figures are here: {}", state_->why_no_target));
  if (state_->readers && report->runtime.language != "go")
    for (const GoRuntimeReader &go : state_->readers->go)
      report->runtime.hosts.push_back({go.version.substr(0, go.version.find(' ')), go.image});
  state_->copy_structures(*report, options);
  state_->decode_statistics(*report);

  const auto before = read_living_status(state_->process);
  if (!before)
    return std::unexpected(before.error());
  auto mappings = state_->read_mappings();
  if (!mappings && mappings.error().kind() != ErrorKind::not_permitted)
    return std::unexpected(mappings.error());
  const auto after = read_living_status(state_->process);
  if (!after)
    return std::unexpected(after.error());
  report->status = after->memory;
  // The memory of a process goes before its number does.
  if (!report->status.virtual_size)
    return std::unexpected(Error(ErrorKind::no_such_process, fmt::format("process {} has ended", state_->process)));
  if (!mappings) {
    report->refused = mappings.error();
    report->warnings.clear(); // they would say the same
    report->findings = find_memory_findings(*report, {});
    return report;
  }
  report->measured = mappings->measured;
  report->why_not_measured = mappings->why_not_measured;
  if (state_->target != nullptr) // else they say again why it could not be opened
    std::ranges::move(mappings->warnings, std::back_inserter(report->warnings));
  add_up_mappings(*report, mappings->mappings);
  std::ranges::move(check_memory_sums(*report, before->memory, after->memory), std::back_inserter(report->warnings));
  report->findings = find_memory_findings(*report, mappings->mappings);
  return report;
}

KindUsage MemoryReport::usage_of(MappingKind kind) const {
  const auto found = std::ranges::find(kinds, kind, &KindUsage::kind);
  return found == kinds.end() ? KindUsage{.kind = kind, .mappings = 0, .amounts = {}} : *found;
}

void add_up_mappings(MemoryReport &report, std::span<const ClassifiedMapping> mappings) {
  std::map<MappingKind, KindUsage> by_kind;
  report.total = {};
  report.mapping_count = 0;
  report.goroutine_stack_bytes = 0;
  for (const ClassifiedMapping &mapping : mappings) {
    if (!mapping.usage.counted)
      continue;
    KindUsage &usage = by_kind[mapping.kind];
    usage.kind = mapping.kind;
    ++usage.mappings;
    usage.amounts += mapping.usage.amounts;
    ++report.mapping_count;
    report.total += mapping.usage.amounts;
    report.goroutine_stack_bytes += mapping.goroutine_stacks.value_or(0);
  }
  report.kinds.clear();
  for (const auto &[kind, usage] : by_kind)
    report.kinds.push_back(usage);
  std::ranges::stable_sort(report.kinds, [](const KindUsage &left, const KindUsage &right) {
    return std::tuple(left.amounts.resident, left.amounts.reserved) >
           std::tuple(right.amounts.resident, right.amounts.reserved);
  });
}

std::vector<std::string> check_memory_sums(const MemoryReport &report, const MemoryStatus &before,
                                           const MemoryStatus &after) {
  std::vector<std::string> sentences;
  const auto difference = [](std::uint64_t left, std::uint64_t right) {
    return left > right ? fmt::format("{} more", size_text(left - right))
                        : fmt::format("{} less", size_text(right - left));
  };
  if (before.virtual_size && after.virtual_size && report.total.reserved != *before.virtual_size &&
      report.total.reserved != *after.virtual_size)
    sentences.push_back(fmt::format(
        "the mappings add up to {}, {} than VmSize{}", size_text(report.total.reserved),
        difference(report.total.reserved, *after.virtual_size),
        before.virtual_size != after.virtual_size ? ": the process mapped or unmapped memory during the read" : ""));
  if (!report.measured || !before.resident || !after.resident)
    return sentences;
  const std::uint64_t lag = resident_lag * std::max<std::uint64_t>(report.thread_count, 1) +
                            resident_lag * static_cast<std::uint64_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
  const std::uint64_t least = std::min(*before.resident, *after.resident);
  const std::uint64_t most = std::max(*before.resident, *after.resident);
  if (report.total.resident > most + lag || report.total.resident + lag < least)
    sentences.push_back(
        fmt::format("the resident pages of the mappings add up to {}, {} than VmRSS{}",
                    size_text(report.total.resident), difference(report.total.resident, *after.resident),
                    most - least > lag ? ": the process used or gave back memory during the read" : ""));
  return sentences;
}

} // namespace inspect
