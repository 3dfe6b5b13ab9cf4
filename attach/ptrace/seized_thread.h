// One thread seized with PTRACE_SEIZE: a guard that lets it go. All functions belong to the OS thread that seized it.
//
// Source: man page ptrace(2), "Group-stop", "PTRACE_EVENT stops", "Detaching of the tracee".
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <sys/types.h>
#include <sys/user.h>

namespace inspect {

class SeizedThread {
public:
  /// Does not stop it. The error number of ptrace(2) on failure; EPERM also stands for a thread that is ending.
  static std::expected<SeizedThread, int> seize(pid_t thread);

  SeizedThread(SeizedThread &&other) noexcept;
  SeizedThread &operator=(SeizedThread &&other) noexcept;
  SeizedThread(const SeizedThread &) = delete;
  SeizedThread &operator=(const SeizedThread &) = delete;
  ~SeizedThread() { release(); }

  enum class State : std::uint8_t {
    running, ///< or not known to have stopped
    stopped, ///< in a ptrace-stop
    ended,
    released, ///< by us, or left to the end of the tracing thread
  };
  State state() const { return state_; }
  pid_t id() const { return id_; }

  /// Asks it to stop.
  void interrupt();
  /// Looks, without waiting, whether it has stopped or ended. Any ptrace-stop will do: a signal that was about to be
  /// delivered is kept and handed back by release().
  State poll();
  /// Takes note of the end of a thread that any thread of this program traces, so that the kernel can forget it. Not
  /// for a thread-group leader.
  static void reap(pid_t thread);
  /// Of a stopped thread; it counts as ended when they cannot be read, because then it was killed.
  void read_registers();
  /// The same for its vector registers, which few questions need; where they cannot be read they are not there.
  void read_vector_registers();
  /// Lets it go on as it would have without us. Does nothing the second time. A thread that has not stopped cannot be
  /// detached by anyone: the kernel does it when the tracing OS thread ends.
  void release();

  bool was_group_stopped() const { return group_stopped_; }
  bool has_registers() const { return has_registers_; }
  /// It runs 32-bit code: the kernel gave a register set of that size.
  bool is_32_bit() const { return is_32_bit_; }
  const user_regs_struct &registers() const { return registers_; }
  /// Null: not read.
  const user_fpregs_struct *vector_registers() const { return vector_registers_.get(); }
  /// The error number, or 0.
  int write_registers(const user_regs_struct &registers);

private:
  explicit SeizedThread(pid_t thread) : id_(thread) {}
  void note_stop(int status);

  pid_t id_;
  State state_ = State::running;
  bool group_stopped_ = false;
  bool has_registers_ = false;
  bool is_32_bit_ = false;
  int pending_signal_ = 0;
  user_regs_struct registers_{};
  std::unique_ptr<user_fpregs_struct> vector_registers_;
};

} // namespace inspect
