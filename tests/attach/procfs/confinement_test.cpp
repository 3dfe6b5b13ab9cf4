// What limits and confines a process: limits, capabilities, namespaces, security state, each against what the process
// was given or what the kernel's own calls say.
#include "attach/procfs/capabilities.h"
#include "attach/procfs/hidden_processes.h"
#include "attach/procfs/namespaces.h"
#include "attach/procfs/process_limits.h"
#include "attach/procfs/security_state.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

ProcessDirectory directory_of(pid_t process) {
  auto directory = ProcessDirectory::open_living(process);
  REQUIRE(directory.has_value());
  return std::move(*directory);
}

int ready_and_wait() {
  test::say_line("ready");
  for (;;)
    ::pause();
}

std::optional<std::uint64_t> value_of(rlim_t limit) {
  return limit == RLIM_INFINITY ? std::nullopt : std::optional<std::uint64_t>(limit);
}

TEST_CASE("limits are those that prlimit says, and the table of every kernel is read") {
  auto child = ChildProcess::forked([] {
    const rlimit files{123, 456};
    const rlimit stack{1 << 20, 1 << 21};
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::setrlimit(RLIMIT_STACK, &stack);
    return ready_and_wait();
  });
  child.wait_for_line("ready");
  const auto limits = read_process_limits(directory_of(child.pid()));
  REQUIRE(limits.has_value());
  struct Known {
    __rlimit_resource resource;
    const char *name;
    const char *unit;
  };
  for (const Known &known : {Known{RLIMIT_NOFILE, "Max open files", "files"},
                             {RLIMIT_STACK, "Max stack size", "bytes"},
                             {RLIMIT_CORE, "Max core file size", "bytes"},
                             {RLIMIT_MEMLOCK, "Max locked memory", "bytes"},
                             {RLIMIT_NPROC, "Max processes", "processes"},
                             {RLIMIT_NICE, "Max nice priority", ""}}) {
    INFO(known.name);
    rlimit told{};
    REQUIRE(::prlimit(child.pid(), known.resource, nullptr, &told) == 0);
    const ProcessLimit *limit = limits->find(known.name);
    REQUIRE(limit != nullptr);
    CHECK(limit->soft == value_of(told.rlim_cur));
    CHECK(limit->hard == value_of(told.rlim_max));
    CHECK(limit->unit == known.unit);
  }
  CHECK(limits->find("Max open files")->soft == 123);
  CHECK(limits->all.size() == RLIM_NLIMITS);
  CHECK(limits->find("no such") == nullptr);
  const std::string heading = "Limit                     Soft Limit           Hard Limit           Units     \n";
  for (const char *line : {"Max open files", "Max open files            12", "Max open files            x 1 files"})
    CHECK(parse_process_limits(heading + line).error().kind() == ErrorKind::corrupt);
  CHECK(parse_process_limits("")->all.empty());
}

/// The sets that capget(2) says of a process.
Capabilities told_capabilities(pid_t process) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, process};
  std::array<__user_cap_data_struct, 2> data{};
  REQUIRE(::syscall(SYS_capget, &header, data.data()) == 0);
  const auto joined = [&](auto member) { return static_cast<std::uint64_t>(data[1].*member) << 32 | data[0].*member; };
  Capabilities told;
  told.effective = joined(&__user_cap_data_struct::effective);
  told.permitted = joined(&__user_cap_data_struct::permitted);
  told.inheritable = joined(&__user_cap_data_struct::inheritable);
  return told;
}

Capabilities read_capabilities(pid_t process) {
  const auto status = read_process_status(process);
  REQUIRE(status.has_value());
  REQUIRE(status->capabilities.has_value());
  return *status->capabilities;
}

TEST_CASE("capabilities are those that capget says, under the names of getpcaps") {
  auto child = ChildProcess::forked([] {
    // Only takes away, which everybody may.
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    ::syscall(SYS_capget, &header, data.data());
    data[0].effective &= 1U << CAP_NET_ADMIN;
    data[1] = {};
    ::syscall(SYS_capset, &header, data.data());
    return ready_and_wait();
  });
  child.wait_for_line("ready");
  for (const pid_t process : {child.pid(), ::getpid()}) {
    const Capabilities ours = read_capabilities(process);
    const Capabilities told = told_capabilities(process);
    CHECK(ours.effective == told.effective);
    CHECK(ours.permitted == told.permitted);
    CHECK(ours.inheritable == told.inheritable);
    for (unsigned number = 0; process == ::getpid() && number < 64; ++number) {
      const bool bounded = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1;
      CHECK((ours.bounding >> number & 1U) == (bounded ? 1U : 0U));
      CHECK((known_capabilities() >> number & 1U) == (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0 ? 1U : 0U));
    }
  }
  CHECK(capability_names(0).empty());
  CHECK(capability_names(1ULL << CAP_SYS_PTRACE | 1ULL << CAP_CHOWN | 1ULL << CAP_CHECKPOINT_RESTORE | 1ULL << 63) ==
        std::vector<std::string>{"cap_chown", "cap_sys_ptrace", "cap_checkpoint_restore", "cap_63"});
  CHECK(capability_names(~0ULL).size() == 64);

  if (!test::have_program("capsh"))
    SKIP_TEST("capsh is not installed");
  for (unsigned number = 0; number <= CAP_LAST_CAP; ++number) {
    const std::string decoded = test::run_command({"capsh", fmt::format("--decode={:x}", 1ULL << number)}).out;
    if (const std::size_t equals = decoded.find("=cap_"); equals != std::string::npos)
      CHECK(capability_names(1ULL << number).front() + "\n" == decoded.substr(equals + 1));
  }
}

TEST_CASE("namespaces that are not ours are told by their numbers") {
  auto child = ChildProcess::forked([] {
    if (::unshare(CLONE_NEWUTS | CLONE_NEWIPC) != 0) {
      test::say_line("refused");
      return 0;
    }
    return ready_and_wait();
  });
  const bool refused = child.read_line() == "refused";
  const auto own = read_namespaces(directory_of(::getpid()));
  REQUIRE(own.has_value());
  CHECK(own->size() >= 7);
  CHECK(std::ranges::all_of(*own, &NamespaceMembership::ours));
  CHECK(std::ranges::all_of(*own, [](const NamespaceMembership &one) { return one.inode != 0; }));
  if (refused)
    SKIP_TEST("only root may make namespaces");
  const auto theirs = read_namespaces(directory_of(child.pid()));
  REQUIRE(theirs.has_value());
  for (const NamespaceMembership &one : *theirs) {
    INFO(one.name);
    CHECK(one.ours == (one.name != "uts" && one.name != "ipc"));
  }
}

SecurityState state_of(pid_t process) {
  const auto status = read_process_status(process);
  REQUIRE(status.has_value());
  return read_security_state(directory_of(process), *status);
}

TEST_CASE("seccomp, no_new_privs and dumpable are as the process set them") {
  struct Case {
    bool no_new_privileges;
    bool filtered;
    bool dumpable;
  };
  const passwd *nobody = ::getpwnam("nobody");
  const bool other_user = ::geteuid() == 0 && nobody != nullptr;
  for (const Case &one : {Case{false, false, true}, {true, true, false}, {true, false, true}}) {
    if (!one.dumpable && hiding_mount())
      continue; // such a process is hidden from its own user, too
    auto child = ChildProcess::forked([&] {
      // Of root's processes it cannot be told whether they are dumpable.
      if (other_user && (::setgid(nobody->pw_gid) != 0 || ::setuid(nobody->pw_uid) != 0))
        return 1;
      ::prctl(PR_SET_DUMPABLE, one.dumpable ? 1 : 0);
      if (one.no_new_privileges)
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
      const sock_fprog program{1, &allow};
      if (one.filtered)
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
      return ready_and_wait();
    });
    child.wait_for_line("ready");
    const SecurityState state = state_of(child.pid());
    const int inherited = state_of(::getpid()).seccomp_mode.value_or(0);
    CHECK(state.no_new_privileges == one.no_new_privileges);
    CHECK(state.seccomp_mode == (one.filtered ? 2 : inherited));
    CHECK(state.tracer == 0);
    CHECK_FALSE(state.dumping_core);
    if (other_user || ::geteuid() != 0)
      CHECK(state.dumpable == one.dumpable);
    else
      CHECK_FALSE(state.dumpable.has_value());
  }
}

} // namespace
} // namespace inspect
