#include "attach/ptrace/stopped_process.h"

#include "attach/ptrace/thread_stops.h"
#include "attach/ptrace/tracing_thread.h"
#include "machine/x86_64/registers.h"

#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect {

namespace {

/// A thread that was stopped in a system call returns from it, or starts it again, when it goes on: the kernel then
/// replaces rax, and moves rip back to the system call's instruction (arch/x86/kernel/signal.c,
/// arch_do_signal_or_restart). What was written there would not be what the thread runs on with.
Result<void> check_system_call(const user_regs_struct &raw, const RegisterSet &wanted) {
  if (static_cast<std::int64_t>(raw.orig_rax) < 0)
    return {};
  const auto changes = [&](unsigned number, std::uint64_t now) { return wanted.get(number).value_or(now) != now; };
  if (!changes(x86_64::rax, raw.rax) && !changes(x86_64::return_address, raw.rip))
    return {};
  return std::unexpected(Error(ErrorKind::unsupported,
                               "the thread is in a system call, whose return or restart replaces rax and rip",
                               "set other registers, or memory"));
}

} // namespace

struct StoppedProcess::State {
  State(std::shared_ptr<ThreadStops> shared, std::unique_ptr<TracingThread> thread)
      : tracing(std::move(thread)), stops(std::move(shared)) {}

  std::unique_ptr<TracingThread> tracing; ///< null once released
  std::shared_ptr<ThreadStops> stops;     ///< a tracing thread that was given up still uses it
  std::vector<StoppedThread> threads;
};

Result<StoppedProcess> StoppedProcess::stop(pid_t process, const StopOptions &options) {
  auto tracing = start_tracing(process);
  if (!tracing)
    return std::unexpected(tracing.error());
  auto stops = std::make_shared<ThreadStops>(process, options);
  StoppedProcess stopped(std::make_unique<State>(stops, std::move(*tracing)));
  auto outcome = std::make_shared<Result<void>>();
  const bool done = stopped.state_->tracing->run(
      [stops, outcome] {
        *outcome = stops->seize_all();
        if (*outcome)
          *outcome = stops->stop_all();
        else
          stops->release_all();
      },
      [stops] { return stops->unblock_seizing(); });
  if (!done)
    return std::unexpected(stops->seizing_error());
  if (!*outcome)
    return std::unexpected(outcome->error());
  stopped.state_->threads = stops->describe();
  return stopped;
}

StoppedProcess::StoppedProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}
StoppedProcess::StoppedProcess(StoppedProcess &&) noexcept = default;

StoppedProcess &StoppedProcess::operator=(StoppedProcess &&other) noexcept {
  if (this != &other) {
    release();
    state_ = std::move(other.state_);
  }
  return *this;
}

StoppedProcess::~StoppedProcess() {
  release();
}

std::span<const StoppedThread> StoppedProcess::threads() const {
  return state_->threads;
}

Result<void> StoppedProcess::write_registers(pid_t thread, const RegisterSet &registers) {
  SeizedThread *seized = state_->tracing ? state_->stops->find(thread) : nullptr;
  if (seized == nullptr || !seized->has_registers())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("thread {} is not stopped", thread)));
  user_regs_struct raw = seized->registers();
  if (auto allowed = check_system_call(raw, registers); !allowed)
    return allowed;
  apply_register_set(registers, raw);
  int error_number = 0;
  state_->tracing->run([&] { error_number = seized->write_registers(raw); });
  if (error_number != 0)
    return std::unexpected(Error::from_errno(error_number, fmt::format("writing the registers of thread {}", thread)));
  for (StoppedThread &known : state_->threads)
    if (known.thread == thread) {
      known.registers = to_register_set(raw);
      if (seized->vector_registers() != nullptr)
        add_vector_registers(*seized->vector_registers(), known.registers);
    }
  return {};
}

void StoppedProcess::release() {
  if (!state_ || !state_->tracing)
    return;
  state_->tracing->run([&] { state_->stops->release_all(); });
  state_->tracing.reset();
}

std::chrono::microseconds StoppedProcess::pause() const {
  return state_->stops->pause();
}

} // namespace inspect
