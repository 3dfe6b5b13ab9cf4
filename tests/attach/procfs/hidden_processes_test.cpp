#include "attach/procfs/hidden_processes.h"

#include "attach/procfs/process_status.h"
#include "attach/ptrace/stopped_process.h"
#include "tests/attach/snapshot/heartbeat.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <fmt/format.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using test::Heartbeat;

constexpr gid_t group_that_sees = 65533;

/// Runs `body` as the user nobody, who sees no processes of others in a /proc that is mounted so; its exit status, 90
/// where such a mount cannot be had.
int where_hidden(const char *mode, bool in_group, const std::function<int()> &body) {
  constexpr uid_t nobody = 65534;
  ChildProcess child = ChildProcess::forked([&] {
    const std::string options = fmt::format("hidepid={},gid={}", mode, group_that_sees);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("proc", "/proc", "proc", 0, options.c_str()) != 0)
      return 90;
    if (::setgroups(in_group ? 1 : 0, &group_that_sees) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0)
      return 98;
    return body();
  });
  const int status = child.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

/// Errors of all that a command asks first.
std::vector<Error> errors_for(pid_t process) {
  std::vector<Error> errors;
  if (const auto stat = read_process_stat(process); !stat)
    errors.push_back(stat.error());
  if (const auto stopped = StoppedProcess::stop(process, {}); !stopped)
    errors.push_back(stopped.error());
  return errors;
}

bool names_the_mount(const Error &error, std::string_view mode) {
  return error.kind() == ErrorKind::not_permitted && error.message().find(mode) != std::string::npos &&
         error.remedy().find("as root") != std::string::npos &&
         error.remedy().find(fmt::format("gid={}", group_that_sees)) != std::string::npos;
}

} // namespace

TEST_CASE("the mount of /proc says what it hides, and from whom") {
  const std::string other = "30 1 0:30 / / rw - ext4 /dev/vda rw\n";
  CHECK_FALSE(parse_hiding_mount(""));
  CHECK_FALSE(parse_hiding_mount(other + "31 30 0:5 / /proc rw,nosuid shared:5 - proc proc rw\n"));
  CHECK_FALSE(parse_hiding_mount(other + "31 30 0:5 / /proc rw shared:5 - proc proc rw,hidepid=off\n"));
  CHECK_FALSE(parse_hiding_mount("31 30 0:5 / /jail/proc rw - proc proc rw,hidepid=invisible\n"));
  CHECK_FALSE(parse_hiding_mount("31 30 0:5 / /proc rw - tmpfs none rw,hidepid=invisible\n"));
  const auto mount =
      parse_hiding_mount(other + "31 30 0:5 / /proc rw shared:5 master:2 - proc proc rw,gid=27,hidepid=invisible\n");
  REQUIRE(mount);
  CHECK(mount->mode == "invisible");
  CHECK(mount->group == gid_t{27});
  CHECK(mount->invisible());
  CHECK(describe_hiding(*mount) == "/proc is mounted with hidepid=invisible");
  CHECK(remedy_for_hiding(*mount).find("gid=27") != std::string::npos);
  const auto old = parse_hiding_mount("31 30 0:5 / /proc rw - proc proc rw,hidepid=1\n");
  REQUIRE(old);
  CHECK_FALSE(old->invisible());
  CHECK_FALSE(old->group);
  // Another mount in the same place covers it.
  CHECK_FALSE(
      parse_hiding_mount("31 30 0:5 / /proc rw - proc proc rw,hidepid=2\n32 31 0:5 / /proc rw - proc proc rw\n"));
}

TEST_CASE("a process that the mount of /proc hides is told from one that does not exist") {
  if (::geteuid() != 0)
    SKIP_TEST("needs root to mount /proc and to become another user");
  const Heartbeat target(2);
  for (const char *mode : {"2", "4", "1"}) {
    const std::string name = *mode == '2'   ? "hidepid=invisible"
                             : *mode == '4' ? "hidepid=ptraceable"
                                            : "hidepid=noaccess";
    const int status = where_hidden(mode, false, [&] {
      const std::vector<Error> errors = errors_for(target.pid());
      if (errors.size() != 2)
        return 1;
      for (const Error &error : errors)
        if (!names_the_mount(error, name))
          return 2;
      const auto own = read_process_stat(::getpid());
      const auto none = read_process_stat(4194303);
      return own && !none && none.error().kind() == ErrorKind::no_such_process ? 0 : 3;
    });
    if (status == 90)
      SKIP_TEST("/proc cannot be mounted here");
    INFO(name);
    CHECK(status == 0);
  }
  // The group sees it, and has the other reason for not looking into it.
  CHECK(where_hidden("2", true, [&] {
          const std::vector<Error> errors = errors_for(target.pid());
          if (errors.size() != 1 || hiding_mount())
            return 1;
          return errors[0].message().find("hidepid") == std::string::npos &&
                         errors[0].remedy().find("CAP_SYS_PTRACE") != std::string::npos
                     ? 0
                     : 2;
        }) == 0);
  CHECK_FALSE(explain_hidden(target.pid())); // we are root
  CHECK(target.every_thread_runs());
}

} // namespace inspect
