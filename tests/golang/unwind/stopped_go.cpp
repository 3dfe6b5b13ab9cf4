#include "tests/golang/unwind/stopped_go.h"

#include "dwarf/symbolize/symbolizer.h"
#include "machine/x86_64/registers.h"
#include "tests/dwarf/memory_of_self.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <stdexcept>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

namespace inspect::test {
namespace {

const LocalFiles files_here;
constexpr std::size_t max_ms = 10000;

[[noreturn]] void fail(const char *what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

ModuleMap modules_of_process(pid_t process, const MemoryView &memory) {
  const auto wanted = [](const std::string &path) { return path.starts_with("/") || path == "[vdso]"; };
  ModuleMap modules;
  for (auto &[path, segments] : mappings_of(std::to_string(process), wanted)) {
    ModuleInput input;
    input.path = path;
    input.segments = std::move(segments);
    if (auto file = files_here.open(path))
      input.file = std::move(*file);
    if (auto module = Module::open(std::move(input), memory, files_here, {}))
      modules.add(std::move(*module));
  }
  return modules;
}

int wait_for(pid_t thread) {
  int status = 0;
  while (::waitpid(thread, &status, __WALL) < 0) {
    if (errno != EINTR)
      return 0;
  }
  return status;
}

} // namespace

Result<void> StoppedMemory::read(RunAddress address, std::span<std::byte> into) const {
  iovec local{into.data(), into.size()};
  iovec remote{reinterpret_cast<void *>(address.value), into.size()};
  if (::process_vm_readv(process_, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(into.size()))
    return std::unexpected(Error(ErrorKind::unreadable, "not mapped"));
  return {};
}

StoppedGo::StoppedGo(pid_t process)
    : process_(process), memory_(process), modules_(modules_of_process(process, memory_)) {
  auto runtime = GoRuntime::open(modules_, memory_);
  if (!runtime)
    throw std::runtime_error(runtime.error().message());
  runtime_ = std::move(*runtime);
  unwind_ = std::make_unique<GoUnwind>(*runtime_);
  all_ms_ = runtime_->m_list();
}

StoppedGo::~StoppedGo() {
  release();
}

void StoppedGo::seize_new_threads() {
  for (const auto &entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process_))) {
    const pid_t thread = std::stoi(entry.path().filename().string());
    if (std::ranges::count(threads_, thread) > 0)
      continue;
    if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
      if (errno == ESRCH || errno == EPERM) // it has ended, or is about to
        continue;
      fail("PTRACE_SEIZE");
    }
    ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
    const int status = wait_for(thread);
    if (!WIFSTOPPED(status))
      continue;
    if (status >> 16 == 0) // a signal came first: hand it on when the thread goes on
      pending_.emplace_back(thread, WSTOPSIG(status));
    threads_.push_back(thread);
  }
}

void StoppedGo::stop() {
  std::size_t known = 0;
  do {
    known = threads_.size();
    seize_new_threads();
  } while (known != threads_.size());
  if (threads_.empty())
    throw std::runtime_error("the process has no thread that can be stopped");
}

void StoppedGo::release() {
  for (const pid_t thread : threads_) {
    const auto signal = std::ranges::find(pending_, thread, &std::pair<pid_t, int>::first);
    const auto data = static_cast<std::uintptr_t>(signal != pending_.end() ? signal->second : 0);
    // Where it has ended its end waits to be taken; the first thread's is the process' own, for who started it.
    if (::ptrace(PTRACE_DETACH, thread, nullptr, data) != 0 && errno == ESRCH && thread != process_)
      wait_for(thread);
  }
  threads_.clear();
  pending_.clear();
}

RegisterSet StoppedGo::registers(pid_t thread) const {
  user_regs_struct raw;
  if (::ptrace(PTRACE_GETREGS, thread, nullptr, &raw) != 0)
    fail("PTRACE_GETREGS");
  RegisterSet known;
  const std::pair<x86_64::Register, std::uint64_t> all[] = {
      {x86_64::rax, raw.rax}, {x86_64::rbx, raw.rbx},         {x86_64::rcx, raw.rcx},
      {x86_64::rdx, raw.rdx}, {x86_64::rsi, raw.rsi},         {x86_64::rdi, raw.rdi},
      {x86_64::rbp, raw.rbp}, {x86_64::rsp, raw.rsp},         {x86_64::r8, raw.r8},
      {x86_64::r9, raw.r9},   {x86_64::r10, raw.r10},         {x86_64::r11, raw.r11},
      {x86_64::r12, raw.r12}, {x86_64::r13, raw.r13},         {x86_64::r14, raw.r14},
      {x86_64::r15, raw.r15}, {x86_64::fs_base, raw.fs_base}, {x86_64::return_address, raw.rip}};
  for (const auto &[number, value] : all)
    known.set(number, value);
  return known;
}

/// Whether its next instruction waits for another thread: one that is stopped, too.
bool StoppedGo::would_wait(pid_t thread) const {
  user_regs_struct raw;
  if (::ptrace(PTRACE_GETREGS, thread, nullptr, &raw) != 0)
    return true;
  // Linux include/linux/errno.h: ERESTARTSYS to ERESTART_RESTARTBLOCK, what an interrupted call leaves in rax.
  const auto result = static_cast<std::int64_t>(raw.rax);
  if (static_cast<std::int64_t>(raw.orig_rax) >= 0 && result <= -512 && result >= -516)
    return true;
  constexpr std::uint16_t system_call = 0x050f;
  static const std::set<std::uint64_t> waiting{
      SYS_futex, SYS_nanosleep, SYS_clock_nanosleep, SYS_epoll_wait, SYS_epoll_pwait, SYS_read, SYS_poll, SYS_wait4};
  const auto code = read_value<std::uint16_t>(memory_, RunAddress{raw.rip});
  return code && *code == system_call && waiting.contains(raw.rax);
}

bool StoppedGo::step(pid_t thread) {
  if (would_wait(thread))
    return false;
  const auto signal = std::ranges::find(pending_, thread, &std::pair<pid_t, int>::first);
  std::uintptr_t data = 0;
  if (signal != pending_.end()) {
    data = static_cast<std::uintptr_t>(signal->second);
    pending_.erase(signal);
  }
  if (::ptrace(PTRACE_SINGLESTEP, thread, nullptr, data) != 0)
    return false;
  const int status = wait_for(thread);
  if (!WIFSTOPPED(status))
    return false;
  if (status >> 16 == 0 && WSTOPSIG(status) != SIGTRAP)
    pending_.emplace_back(thread, WSTOPSIG(status));
  return true;
}

std::uint64_t StoppedGo::field(RunAddress structure, FieldOffset offset) const {
  if (offset < 0)
    return 0;
  return read_word(memory_, structure + static_cast<std::uint64_t>(offset)).value_or(0);
}

std::optional<Goroutine> StoppedGo::goroutine_at(RunAddress address) {
  const auto &layout = runtime_->layout().g;
  if (address.value == 0 || !read_word(memory_, address))
    return std::nullopt;
  Goroutine found;
  found.address = address;
  found.id = field(address, layout.id);
  found.status = static_cast<GoroutineStatus>(field(address, layout.status) & 0xffU);
  found.stack = {{field(address, layout.stack_lo)}, {field(address, layout.stack_hi)}};
  found.pc = {field(address, layout.sched_pc)};
  found.sp = {field(address, layout.sched_sp)};
  found.bp = {field(address, layout.sched_bp)};
  found.syscall_pc = {field(address, layout.syscall_pc)};
  found.syscall_sp = {field(address, layout.syscall_sp)};
  found.syscall_bp = {field(address, layout.syscall_bp)};
  found.m = {field(address, layout.m)};
  found.locked_m = {field(address, layout.locked_m)};
  found.start_pc = {field(address, layout.start_pc)};
  return found;
}

std::vector<Goroutine> StoppedGo::goroutines() {
  const auto list = runtime_->goroutine_list();
  if (!list)
    throw std::runtime_error(list.error().message());
  const RunAddress data{read_word(memory_, *list).value_or(0)};
  const std::uint64_t length = read_word(memory_, *list + 8).value_or(0);
  std::vector<Goroutine> found;
  for (std::uint64_t i = 0; i < length; ++i) {
    const auto one = goroutine_at({read_word(memory_, data + 8 * i).value_or(0)});
    if (one && one->status != GoroutineStatus::idle && one->status != GoroutineStatus::dead &&
        one->status != GoroutineStatus::dead_extra)
      found.push_back(*one);
  }
  return found;
}

std::vector<GoM> StoppedGo::runtime_ms() {
  const auto &layout = runtime_->layout();
  std::vector<GoM> found;
  RunAddress m{read_word(memory_, all_ms_).value_or(0)};
  while (m.value != 0 && found.size() < max_ms) {
    GoM one;
    one.address = m;
    one.thread = static_cast<pid_t>(field(m, layout.m.process_id));
    one.g0 = {field(m, layout.m.g0)};
    one.gsignal = {field(m, layout.m.gsignal)};
    one.current_g = {field(m, layout.m.current_g)};
    one.g0_sp = {field(one.g0, layout.g.sched_sp)};
    one.vdso_sp = {field(m, layout.m.vdso_sp)};
    one.vdso_pc = {field(m, layout.m.vdso_pc)};
    found.push_back(one);
    m = {field(m, layout.m.all_link)};
  }
  return found;
}

std::optional<GoM> StoppedGo::m_of(pid_t thread) {
  const auto all = runtime_ms();
  const auto found = std::ranges::find(all, thread, &GoM::thread);
  return found != all.end() ? std::optional(*found) : std::nullopt;
}

Stack StoppedGo::walk_thread(pid_t thread) {
  const auto runtime_m = m_of(thread);
  const auto goroutine = runtime_m ? goroutine_at(runtime_m->current_g) : std::nullopt;
  unwind_->begin({goroutine ? &*goroutine : nullptr, runtime_m ? &*runtime_m : nullptr});
  UnwindLimits limits;
  limits.extension = unwind_.get();
  return inspect::unwind(registers(thread), memory_, modules_, limits);
}

Stack StoppedGo::walk_parked(const Goroutine &goroutine, const MemoryView *memory) {
  const auto all = runtime_ms();
  const RunAddress m = goroutine.m.value != 0 ? goroutine.m : goroutine.locked_m;
  const auto runtime_m = std::ranges::find(all, m, &GoM::address);
  unwind_->begin({&goroutine, runtime_m != all.end() ? &*runtime_m : nullptr});
  UnwindLimits limits;
  limits.extension = unwind_.get();
  limits.starts_at_return_address = true;
  return inspect::unwind(parked_registers(goroutine), memory != nullptr ? *memory : memory_, modules_, limits);
}

std::string StoppedGo::function(const Frame &frame) {
  const RunAddress inside = frame.lookup_address();
  if (const GoImage *image = runtime_->find(inside))
    if (const auto found = image->table->find(inside))
      return std::string(found->name);
  Symbolizer symbolizer(modules_);
  const Symbolized &where = symbolizer.at(inside);
  return where.frames.empty() ? std::string() : where.frames.back().function;
}

std::vector<std::string> StoppedGo::functions(const Stack &stack) {
  std::vector<std::string> names;
  for (const Frame &frame : stack.frames)
    names.push_back(function(frame));
  return names;
}

std::string StoppedGo::shown(const Stack &stack) {
  std::string text =
      stack.end == StackEnd::complete ? "complete" : fmt::format("{} at {:#x}", stack.end_reason, stack.at.value);
  for (const Frame &frame : stack.frames)
    text += fmt::format("\n  {:#x} {}{}{} cfa={:#x}", frame.pc.value, function(frame),
                        frame.guessed() ? " guessed" : "", frame.pc_is_return_address ? "" : " exact", frame.cfa.value);
  return text;
}

} // namespace inspect::test
