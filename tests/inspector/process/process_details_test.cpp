#include "inspector/process/process_details.h"

#include "attach/procfs/hidden_processes.h"
#include "machine/file_descriptor.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/descriptor_fixture.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <pwd.h>
#include <set>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using namespace std::chrono_literals;

ProcessDetails details_of(pid_t process, std::chrono::milliseconds over = 0ms) {
  auto details = read_process_details(process, {.over = over});
  if (!details)
    INFO(details.error().message());
  REQUIRE(details.has_value());
  return std::move(*details);
}

int rest() {
  test::say_line("ready");
  for (;;)
    ::pause();
}

TEST_CASE("parents, user, directory, times and states of a process are as the process has them") {
  const test::TemporaryDirectory folder;
  const std::string directory = std::filesystem::canonical(folder.path()).string();
  auto child = ChildProcess::forked([&] {
    if (::chdir(directory.c_str()) != 0)
      return 1;
    return rest();
  });
  child.wait_for_line("ready");
  ProcessDetails details = details_of(child.pid());
  CHECK(details.row.process == child.pid());
  REQUIRE_FALSE(details.parents.empty());
  CHECK(details.parents.front().process == ::getpid());
  CHECK((details.parents.back().process == 1 || hiding_mount())); // init may be hidden from us
  REQUIRE(details.users.has_value());
  CHECK(details.users->effective_user == details.row.user);
  REQUIRE(details.working_directory.has_value());
  CHECK(details.working_directory->path == directory);
  CHECK_FALSE(details.working_directory->deleted);
  CHECK_FALSE(details.root.has_value());
  CHECK(details.threads_by_state.size() == 1);
  CHECK(details.times.elapsed < 600'000);
  REQUIRE(details.memory.has_value());
  CHECK(details.memory->resident.value_or(0) > 0);
  CHECK(details.machine_memory > *details.memory->resident);
  REQUIRE(details.build.has_value());
  CHECK(details.build->build_id.size() == 40);
  CHECK(details.build->dynamic);
  CHECK(std::ranges::any_of(details.build->compilers, [](const std::string &one) { return one.starts_with("GCC: "); }));
  CHECK(std::ranges::any_of(*details.libraries,
                            [](const MappedLibrary &one) { return one.path.ends_with("/libc.so.6"); }));
  CHECK(std::ranges::none_of(*details.libraries,
                             [&](const MappedLibrary &one) { return one.path == details.row.executable; }));
  CHECK(details.not_permitted.what.empty());
  CHECK(details.warnings.empty());
  CHECK_FALSE(details.control_groups.empty());
  REQUIRE(details.out_of_memory.has_value());
  CHECK(details.out_of_memory->adjustment >= -1000);

  std::filesystem::remove(directory);
  details = details_of(child.pid());
  CHECK(details.working_directory->path == directory);
  CHECK(details.working_directory->deleted);
}

TEST_CASE("sockets of a process are found with their roles, and connections are summed by peer") {
  const test::DescriptorFixture fixture;
  const ProcessDetails details = details_of(fixture.pid());
  REQUIRE(details.sockets.has_value());
  CHECK(details.sockets->not_in_tables == 0);
  std::set<std::string> listening;
  std::size_t accepted = 0;
  for (const SocketGroup &group : group_sockets(details.sockets->sockets)) {
    if (group.role == SocketRole::listening)
      listening.insert(group.protocol + " " + group.local);
    if (group.role == SocketRole::accepted && group.protocol == "tcp") {
      CHECK(group.remote == "127.0.0.1");
      CHECK(group.states == std::map<std::string_view, std::size_t>{{"established", group.count}});
      accepted += group.count;
    }
  }
  CHECK(listening == fixture.listening());
  CHECK(accepted == static_cast<std::size_t>(fixture.accepted()));
  const auto connected = std::ranges::count_if(details.sockets->sockets, [](const OpenSocket &socket) {
    return socket.role == SocketRole::connected && socket.entry.protocol == "tcp";
  });
  CHECK(connected == fixture.accepted());
  CHECK(details.descriptor_count == static_cast<std::size_t>(fixture.total()));
}

TEST_CASE("a descriptor that was duplicated, and one of another network namespace, are counted once and said") {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  const FileDescriptor one(pair[0]);
  const FileDescriptor two(pair[1]);
  const FileDescriptor again(::fcntl(one.get(), F_DUPFD_CLOEXEC, 0));
  const std::size_t before = details_of(::getpid()).sockets->not_in_tables;
  const FileDescriptor fresh(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); // in no table before it is bound
  const ProcessDetails details = details_of(::getpid());
  const auto found = std::ranges::find_if(details.sockets->sockets, [&](const OpenSocket &socket) {
    return std::ranges::count(socket.descriptors, one.get()) == 1;
  });
  REQUIRE(found != details.sockets->sockets.end());
  CHECK(found->descriptors == std::vector<int>{one.get(), again.get()});
  CHECK(found->entry.type == "seqpacket");
  CHECK(details.sockets->not_in_tables == before + 1);
}

TEST_CASE("the name of the service at the other end of a unix socket is found") {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = fmt::format("inspect\x1b service {}", ::getpid()); // an abstract name may hold any byte
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const FileDescriptor server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(server.get(), reinterpret_cast<const sockaddr *>(&address), length) == 0);
  REQUIRE(::listen(server.get(), 4) == 0);
  std::vector<FileDescriptor> ends;
  for (int i = 0; i < 3; ++i) {
    ends.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(ends.back().get(), reinterpret_cast<const sockaddr *>(&address), length) == 0);
    ends.emplace_back(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  const auto groups = group_sockets(details_of(::getpid()).sockets->sockets);
  const auto connected = std::ranges::find(groups, "@" + name, &SocketGroup::remote);
  REQUIRE(connected != groups.end());
  CHECK(connected->role == SocketRole::connected);
  CHECK(connected->count == 3);
  for (const SocketRole role : {SocketRole::listening, SocketRole::accepted}) {
    const auto found = std::ranges::find_if(
        groups, [&](const SocketGroup &group) { return group.role == role && group.local == "@" + name; });
    REQUIRE(found != groups.end());
    CHECK(found->count == (role == SocketRole::accepted ? 3U : 1U));
  }
}

TEST_CASE("processor use over a time is that of the busy thread") {
  auto child = ChildProcess::forked([] {
    std::thread busy([] {
      ::prctl(PR_SET_NAME, "busy one");
      for (;;) {
      }
    });
    return rest();
  });
  child.wait_for_line("ready");
  const auto before = take_processor_sample(child.pid());
  REQUIRE(before.has_value());
  // Other programs may keep the thread from running: until it has had half a second.
  REQUIRE(test::wait_until([&] {
    const auto now = take_processor_sample(child.pid());
    return now && now->user + now->system >= before->user + before->system + 50;
  }));
  const ProcessorUse use = processor_use(*before, *take_processor_sample(child.pid()));
  CHECK(use.over >= 400ms);
  CHECK(use.user > 0);
  CHECK(use.user + use.system < 110);
  REQUIRE(use.threads.size() == 1);
  CHECK(use.threads.front().name == "busy one");
  CHECK(use.threads.front().thread != child.pid());
  CHECK(std::abs(use.threads.front().user + use.threads.front().system - use.user - use.system) < 10);
  const ProcessDetails details = details_of(child.pid(), 50ms);
  REQUIRE(details.recent_use.has_value());
  CHECK(details.recent_use->over >= 50ms);
  CHECK(details.row.threads == 2);
}

TEST_CASE("ticks are compared thread by thread, also of threads that come, go and take over numbers") {
  ProcessorSample before;
  ProcessorSample after;
  const auto now = std::chrono::steady_clock::now();
  before.taken = now;
  after.taken = now + 1s;
  before.user = 1000;
  after.user = 1080;
  before.system = 500;
  after.system = 499; // the kernel splits anew
  before.threads = {{1, "a", 'S', 5, 100, 10}, {2, "b", 'S', 5, 100, 10}, {3, "old", 'S', 5, 900, 0}};
  after.threads = {{1, "a", 'S', 5, 100, 10}, {2, "b", 'R', 5, 130, 10}, {3, "new", 'R', 77, 50, 0}};
  const ProcessorUse use = processor_use(before, after);
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  CHECK(use.user == 100 * 80 / ticks);
  CHECK(use.system == 0);
  REQUIRE(use.threads.size() == 2);
  CHECK(use.threads[0].name == "new");
  CHECK(use.threads[0].user == 100 * 50 / ticks);
  CHECK(use.threads[1].thread == 2);
  CHECK(use.threads[1].user == 100 * 30 / ticks);
  CHECK(processor_use(before, before).threads.empty());
}

TEST_CASE("zombies and kernel threads have what can be known, and no errors") {
  auto parent = ChildProcess::forked([] {
    const pid_t zombie = ::fork();
    if (zombie == 0)
      ::_exit(0);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT);
    test::say_line(std::to_string(zombie));
    return rest();
  });
  const ProcessDetails zombie = details_of(std::stoi(parent.read_line()), 10ms);
  CHECK(zombie.row.state == 'Z');
  CHECK(zombie.parents.front().process == parent.pid());
  CHECK(zombie.users.has_value());
  CHECK_FALSE(zombie.descriptors.has_value());
  CHECK(zombie.not_permitted.what.empty());
  CHECK(zombie.warnings.empty());

  const auto kernel = read_process_details(2, {});
  if (!kernel || !kernel->row.kernel_thread)
    SKIP_TEST("no kernel thread is to be seen here");
  CHECK(kernel->row.name == "kthreadd");
  CHECK_FALSE(kernel->limits.has_value());
  CHECK_FALSE(kernel->security.has_value());
  CHECK(kernel->not_permitted.what.empty());
  CHECK(kernel->warnings.empty());
}

TEST_CASE("a process whose first thread has ended is seen through the others") {
  ChildProcess program({test::fixture_path("zombie_leader")});
  program.wait_for_line("ready");
  REQUIRE(test::wait_until([&] { return details_of(program.pid()).threads_by_state.contains('Z'); }));
  const ProcessDetails details = details_of(program.pid());
  // What the main thread has no more is that of the others.
  CHECK(details.row.state == 'S');
  CHECK(details.row.main_thread_ended);
  CHECK(details.row.executable == test::fixture_path("zombie_leader"));
  CHECK(details.row.runtime.language == "c");
  CHECK(details.row.virtual_kb > 0);
  CHECK(details.row.resident_kb > 0);
  CHECK_FALSE(details.row.command.empty());
  CHECK(details.threads_by_state.size() > 1);
  CHECK(details.descriptors.has_value());
  CHECK(details.working_directory.has_value());
  CHECK(details.memory->resident.value_or(0) > 0);
  CHECK(details.id_in_namespace == 0);
  CHECK(details.not_permitted.what.empty());
  CHECK(details.warnings.empty());
}

TEST_CASE("numbers that are no process, threads, and processes that end meanwhile are no such process") {
  const auto ends_while_watched = [] {
    auto child = ChildProcess::forked(rest);
    child.wait_for_line("ready");
    std::thread killer([&] {
      std::this_thread::sleep_for(20ms);
      child.signal(SIGKILL);
    });
    const auto ended = read_process_details(child.pid(), {.over = 60s});
    killer.join();
    // It was a zombie from the start where this thread did not get to run for so long: then once more.
    return !ended && ended.error().kind() == ErrorKind::no_such_process;
  };
  CHECK(test::wait_until(ends_while_watched));

  auto child = ChildProcess::forked(rest);
  child.wait_for_line("ready");
  CHECK(is_process(child.pid()));
  child.signal(SIGKILL);
  child.wait();
  CHECK_FALSE(is_process(child.pid()));
  CHECK(read_process_details(child.pid(), {}).error().kind() == ErrorKind::no_such_process);

  ChildProcess threads({test::fixture_path("many_threads"), "2", "1"});
  threads.wait_for_line("ready");
  const auto stats = take_processor_sample(threads.pid());
  REQUIRE(stats->threads.size() == 3);
  const pid_t thread = stats->threads.back().thread;
  CHECK_FALSE(is_process(thread));
  const auto refused = read_process_details(thread, {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind() == ErrorKind::no_such_process);
  CHECK(refused.error().remedy() == fmt::format("{} is a thread of process {}", thread, threads.pid()));
}

TEST_CASE("what another user may not see is named once, and the rest is there") {
  const passwd *nobody = ::getpwnam("nobody");
  if (::geteuid() != 0 || nobody == nullptr)
    SKIP_TEST("only root can become somebody else");
  auto target = ChildProcess::forked(rest);
  target.wait_for_line("ready");
  auto other = ChildProcess::forked([&] {
    if (::setgid(nobody->pw_gid) != 0 || ::setuid(nobody->pw_uid) != 0)
      return 1;
    const auto details = read_process_details(target.pid(), {});
    if (!details)
      return 2;
    test::say_line(fmt::format("{}", fmt::join(details->not_permitted.what, "|")));
    test::say_line(details->not_permitted.remedy);
    test::say_line(fmt::format("{} {} {} {} {}", details->limits.has_value(), details->memory->resident.has_value(),
                               details->capabilities.has_value(), details->security.has_value(),
                               details->warnings.size()));
    return 0;
  });
  CHECK(other.read_line() == "executable|working directory|root directory|open files and sockets|namespaces|mapped "
                             "libraries");
  CHECK(other.read_line() == "run inspect as root (sudo), as that user, or with CAP_SYS_PTRACE");
  CHECK(other.read_line() == "true true true true 0");
  CHECK(other.wait() == 0);
}

} // namespace
} // namespace inspect
