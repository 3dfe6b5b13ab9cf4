// A process that a signal has stopped and a control group has frozen: the kernel holds PTRACE_SEIZE until it is thawed.
#include "attach/procfs/process_status.h"
#include "attach/ptrace/thread_stops.h"
#include "attach/ptrace/tracing_thread.h"
#include "tests/attach/snapshot/heartbeat.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

bool write_file(const std::string &path, std::string_view text) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// A control group of version 2 that can be frozen; thawed and removed at the end.
class FreezerGroup {
public:
  FreezerGroup() {
    for (const char *root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      path_ = fmt::format("{}/inspect-test-{}", root, ::getpid());
      if (::mkdir(path_.c_str(), 0755) == 0 && ::access((path_ + "/cgroup.freeze").c_str(), W_OK) == 0)
        return;
      ::rmdir(path_.c_str());
    }
    path_.clear();
  }
  FreezerGroup(const FreezerGroup &) = delete;
  FreezerGroup &operator=(const FreezerGroup &) = delete;
  ~FreezerGroup() {
    if (path_.empty())
      return;
    thaw();
    for (int i = 0; i < 1000 && ::rmdir(path_.c_str()) != 0; ++i)
      ::usleep(1000); // its process is ending
  }
  bool is_there() const { return !path_.empty(); }
  bool freeze(pid_t process) const {
    return write_file(path_ + "/cgroup.procs", std::to_string(process)) && write_file(path_ + "/cgroup.freeze", "1");
  }
  void thaw() const { write_file(path_ + "/cgroup.freeze", "0"); }

private:
  std::string path_;
};

TEST_CASE("a process that is stopped and frozen is given up, and let go as soon as it is thawed") {
  const FreezerGroup group;
  if (!group.is_there())
    SKIP_TEST("no control group can be made here that can be frozen");
  ChildProcess child = ChildProcess::forked([] {
    test::say_line("ready");
    ::raise(SIGSTOP);
    test::say_line("goes on");
    ::pause();
    return 0;
  });
  child.wait_for_line();
  int status = 0;
  REQUIRE(::waitpid(child.pid(), &status, WUNTRACED) == child.pid());
  REQUIRE(WIFSTOPPED(status));
  REQUIRE(group.freeze(child.pid()));
  ::usleep(50'000); // freezing takes effect a moment after it was asked for
  {
    auto tracing = TracingThread::start().value();
    auto stops = std::make_shared<ThreadStops>(child.pid(), StopOptions{});
    auto outcome = std::make_shared<Result<void>>();
    const bool done = tracing->run(
        [stops, outcome] {
          *outcome = stops->seize_all();
          stops->release_all();
        },
        [stops] { return stops->unblock_seizing(); });
    // Kernels differ in whether the wait is there at all (kernel/ptrace.c, JOBCTL_TRAPPING).
    if (!done) {
      CHECK(stops->seizing_error().message().find("frozen by its control group") != std::string::npos);
      CHECK_FALSE(tracing->run([] {}));
    }
  }
  group.thaw();
  // It wakes for a moment, to be let go, and stays stopped.
  const auto state = [&] {
    const auto stat = read_process_stat(child.pid());
    return stat ? stat->state : '?';
  };
  for (int look = 0; look < 5000 && state() != 'T'; ++look)
    ::usleep(1000);
  CHECK(state() == 'T');
  ::usleep(20'000);
  CHECK(state() == 'T');
  child.signal(SIGCONT);
  CHECK(child.read_line() == "goes on");
  CHECK(test::is_left_alone(child.pid()));
}

} // namespace
} // namespace inspect
