#include "attach/ptrace/seized_thread.h"

#include <cerrno>
#include <csignal>
#include <linux/elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <utility>

namespace inspect {

std::expected<SeizedThread, int> SeizedThread::seize(pid_t thread) {
  // No options: with none set the kernel undoes everything should we be killed (harm_test.cpp: "killed at random").
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0)
    return std::unexpected(errno);
  return SeizedThread(thread);
}

SeizedThread::SeizedThread(SeizedThread &&other) noexcept
    : id_(other.id_), state_(std::exchange(other.state_, State::released)), group_stopped_(other.group_stopped_),
      has_registers_(other.has_registers_), is_32_bit_(other.is_32_bit_), pending_signal_(other.pending_signal_),
      registers_(other.registers_), vector_registers_(std::move(other.vector_registers_)) {}

SeizedThread &SeizedThread::operator=(SeizedThread &&other) noexcept {
  if (this != &other) {
    release();
    id_ = other.id_;
    state_ = std::exchange(other.state_, State::released);
    group_stopped_ = other.group_stopped_;
    has_registers_ = other.has_registers_;
    is_32_bit_ = other.is_32_bit_;
    pending_signal_ = other.pending_signal_;
    registers_ = other.registers_;
    vector_registers_ = std::move(other.vector_registers_);
  }
  return *this;
}

void SeizedThread::interrupt() {
  // ESRCH: it is ending, which poll() will see.
  if (state_ == State::running)
    ::ptrace(PTRACE_INTERRUPT, id_, nullptr, nullptr);
}

SeizedThread::State SeizedThread::poll() {
  if (state_ != State::running)
    return state_;
  // WNOWAIT, for two reasons. To take note of a signal-delivery-stop takes the signal away until PTRACE_DETACH gives it
  // back, so that it would be lost if we were killed in between; untouched, the kernel delivers it
  // (harm_test.cpp: "signals survive"). And the end of a process is for its parent to take note of, which may be us.
  siginfo_t info{};
  int result = 0;
  do
    result = ::waitid(P_PID, static_cast<id_t>(id_), &info,
                      WSTOPPED | WEXITED | WNOHANG | WNOWAIT | static_cast<int>(__WALL) | __WNOTHREAD);
  while (result != 0 && errno == EINTR);
  if (result == 0 && info.si_pid == 0)
    return state_;
  if (result == 0 && info.si_code != CLD_EXITED && info.si_code != CLD_KILLED && info.si_code != CLD_DUMPED)
    note_stop(info.si_status);
  else
    // Ended, or no longer ours under this id: a thread that calls execve takes the id of its leader.
    state_ = State::ended;
  return state_;
}

void SeizedThread::reap(pid_t thread) {
  siginfo_t info;
  while (::waitid(P_PID, static_cast<id_t>(thread), &info, WEXITED | WNOHANG | static_cast<int>(__WALL)) != 0 &&
         errno == EINTR) {
  }
}

void SeizedThread::note_stop(int status) {
  state_ = State::stopped;
  const int signal = status & 0x7f;
  const int event = status >> 8;
  // An event stop with SIGTRAP is our interrupt; with a stop signal it is a group-stop, which the kernel keeps up when
  // we detach. Without an event a signal is about to be delivered.
  group_stopped_ = event == PTRACE_EVENT_STOP && signal != SIGTRAP;
  pending_signal_ = event == 0 ? signal : 0;
}

void SeizedThread::read_registers() {
  if (state_ != State::stopped)
    return;
  iovec area{&registers_, sizeof registers_};
  if (::ptrace(PTRACE_GETREGSET, id_, NT_PRSTATUS, &area) != 0) {
    // A stopped tracee answers ESRCH only once it was killed; poll() then finds its end.
    state_ = State::running;
    poll();
    return;
  }
  is_32_bit_ = area.iov_len != sizeof registers_;
  has_registers_ = !is_32_bit_;
}

void SeizedThread::read_vector_registers() {
  if (!has_registers_)
    return;
  auto registers = std::make_unique<user_fpregs_struct>();
  iovec area{registers.get(), sizeof *registers};
  if (::ptrace(PTRACE_GETREGSET, id_, NT_PRFPREG, &area) == 0 && area.iov_len == sizeof *registers)
    vector_registers_ = std::move(registers);
}

int SeizedThread::write_registers(const user_regs_struct &registers) {
  if (state_ != State::stopped)
    return ESRCH;
  user_regs_struct copy = registers;
  iovec area{&copy, sizeof copy};
  if (::ptrace(PTRACE_SETREGSET, id_, NT_PRSTATUS, &area) != 0)
    return errno;
  registers_ = registers;
  return 0;
}

void SeizedThread::release() {
  if (state_ == State::released || state_ == State::ended)
    return;
  // One that did not stop in time may have stopped since.
  if (state_ == State::running)
    poll();
  const auto detach = [&] {
    return ::ptrace(PTRACE_DETACH, id_, nullptr, reinterpret_cast<void *>(static_cast<std::intptr_t>(pending_signal_)));
  };
  if (state_ == State::stopped && detach() != 0 && errno == ESRCH) {
    // It left the stop without us, which only SIGKILL can do; should it be in another stop all the same, that one is
    // ended too. Whatever else it is in, the end of the tracing thread detaches it.
    state_ = State::running;
    if (poll() == State::stopped)
      detach();
  }
  if (state_ != State::ended)
    state_ = State::released;
}

} // namespace inspect
