#include "tests/dwarf/unwind/traced_target.h"

#include "machine/x86_64/registers.h"
#include "tests/dwarf/memory_of_self.h"

#include <cerrno>
#include <csignal>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect::test {
namespace {

const LocalFiles local_files;

[[noreturn]] void fail(const char *what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

int wait_for(pid_t thread) {
  int status = 0;
  while (::waitpid(thread, &status, __WALL) < 0) {
    if (errno != EINTR)
      fail("waitpid");
  }
  return status;
}

} // namespace

Result<void> ChildMemory::read(RunAddress address, std::span<std::byte> into) const {
  const ssize_t got = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(address.value));
  if (got != static_cast<ssize_t>(into.size()))
    return std::unexpected(Error(ErrorKind::unreadable, "not mapped"));
  return {};
}

ModuleMap modules_of(pid_t process, const MemoryView &memory) {
  const auto wanted = [](const std::string &path) { return path.starts_with("/") || path == "[vdso]"; };
  ModuleMap modules;
  for (auto &[path, segments] : mappings_of(std::to_string(process), wanted)) {
    ModuleInput input;
    input.path = path;
    input.segments = std::move(segments);
    if (auto file = local_files.open(path))
      input.file = std::move(*file);
    if (auto module = Module::open(std::move(input), memory, local_files, {}))
      modules.add(std::move(*module));
  }
  return modules;
}

TracedTarget::TracedTarget(pid_t process, pid_t thread) : thread_(thread != 0 ? thread : process), memory_(process) {
  if (::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) != 0)
    fail("PTRACE_SEIZE");
  if (::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0)
    fail("PTRACE_INTERRUPT");
  wait_for(thread_);
  modules_ = modules_of(process, memory_);
}

TracedTarget::~TracedTarget() {
  ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); // fails where it has ended: nothing is left to let go then
}

RegisterSet TracedTarget::registers() const {
  user_regs_struct raw;
  if (::ptrace(PTRACE_GETREGS, thread_, nullptr, &raw) != 0)
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

Stack TracedTarget::unwind(const UnwindLimits &limits) {
  return inspect::unwind(registers(), memory_, modules_, limits);
}

int TracedTarget::go_on(int request, int signal) {
  const auto data = static_cast<std::uintptr_t>(signal);
  if (::ptrace(static_cast<__ptrace_request>(request), thread_, nullptr, data) != 0)
    fail("ptrace");
  return wait_for(thread_);
}

int TracedTarget::resume(int signal) {
  return go_on(PTRACE_CONT, signal);
}

int TracedTarget::step(int signal) {
  return go_on(PTRACE_SINGLESTEP, signal);
}

} // namespace inspect::test
