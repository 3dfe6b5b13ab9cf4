#include "inspector/process/process_table.h"

#include "inspector/process/process_tree.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <pwd.h>
#include <set>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

ProcessTable whole_table(bool kernel_threads = false) {
  auto table = read_process_table({.kernel_threads = kernel_threads});
  REQUIRE(table.has_value());
  return std::move(*table);
}

ProcessRow row_of(pid_t process) {
  const ProcessTable table = whole_table();
  const auto row = std::ranges::find(table.rows, process, &ProcessRow::process);
  REQUIRE(row != table.rows.end());
  return *row;
}

std::string output_of(const std::string &command) {
  std::string text;
  std::FILE *pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), count);
  ::pclose(pipe);
  return text;
}

int sleep_for_ever() {
  test::say_line("ready");
  for (;;)
    ::pause();
}

TEST_CASE("every figure is what ps says of the same process") {
  auto child = ChildProcess::forked([] {
    std::jthread other([] { sleep_for_ever(); });
    return 0;
  });
  child.wait_for_line("ready");
  const ProcessRow row = row_of(child.pid());
  std::istringstream told(output_of(fmt::format("ps -o pid=,ppid=,nlwp=,vsz=,rss=,state=,user= -p {}", child.pid())));
  pid_t process = 0, parent = 0;
  std::int64_t threads = 0, size = 0, resident = 0;
  std::string state, user;
  REQUIRE(told >> process >> parent >> threads >> size >> resident >> state >> user);
  CHECK(row.process == process);
  CHECK(row.parent == parent);
  CHECK(row.threads == threads);
  CHECK(row.threads == 2);
  CHECK(static_cast<std::int64_t>(row.virtual_kb) == size);
  // The kernel counts resident pages per processor and adds them up late, in stat otherwise than in status.
  CHECK(std::abs(static_cast<std::int64_t>(row.resident_kb) - resident) < 2048);
  CHECK(std::string(1, row.state) == state);
  CHECK(row.user.starts_with(user.substr(0, user.find('+'))));
  CHECK(row.not_seen.empty());
  CHECK(row.runtime.language == "c++"); // it is a copy of this test

  const std::int64_t start = std::stoll(output_of(fmt::format("date -d \"$(ps -o lstart= -p {})\" +%s", child.pid())));
  CHECK(std::abs(row.started_at - start) <= 1);
}

TEST_CASE("a busy process has the CPU percentage of ps, an idle one none") {
  auto busy = ChildProcess::forked([] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    while (std::chrono::steady_clock::now() < end) {
    }
    return sleep_for_ever();
  });
  busy.wait_for_line("ready");
  const ProcessRow row = row_of(busy.pid());
  CHECK(row.cpu_percent > 0);
  CHECK(row.cpu_percent < 110);
  auto idle = ChildProcess::forked(sleep_for_ever);
  idle.wait_for_line("ready");
  REQUIRE(test::wait_until([&] { return row_of(idle.pid()).cpu_percent < 10; }));
}

TEST_CASE("no process that ps sees is missing") {
  auto child = ChildProcess::forked(sleep_for_ever);
  child.wait_for_line("ready");
  const auto numbers = [] {
    std::istringstream told(output_of("ps -e -o pid="));
    std::set<pid_t> found;
    for (pid_t process; told >> process;)
      found.insert(process);
    return found;
  };
  // Others come and go meanwhile: those that ps sees before and after were there all the time.
  const std::set<pid_t> before = numbers();
  const ProcessTable table = whole_table(true);
  const std::set<pid_t> after = numbers();
  std::size_t compared = 0;
  for (const pid_t process : before) {
    if (!after.contains(process))
      continue;
    INFO(process);
    CHECK(std::ranges::binary_search(table.rows, process, {}, &ProcessRow::process));
    ++compared;
  }
  CHECK(compared > 2);
  const auto kernel = std::ranges::find(table.rows, pid_t{2}, &ProcessRow::process);
  if (kernel != table.rows.end() && kernel->kernel_thread) {
    CHECK(kernel->name == "kthreadd");
    CHECK(kernel->command.empty());
    CHECK(kernel->executable.empty());
    CHECK_FALSE(kernel->not_seen.empty());
    const ProcessTable without = whole_table(false);
    CHECK(std::ranges::none_of(without.rows, &ProcessRow::kernel_thread));
  }
}

TEST_CASE("names with spaces, parentheses, line ends and escape sequences do not confuse") {
  for (const std::string name : {"a b", "x) R 1 (y", ") S 1 2 3", "two\nlines", "\x1b[31mred", "(((", "\xff\xfe"}) {
    auto child = ChildProcess::forked([&] {
      ::prctl(PR_SET_NAME, name.c_str());
      return sleep_for_ever();
    });
    child.wait_for_line("ready");
    const ProcessRow row = row_of(child.pid());
    CHECK(row.name == name);
    CHECK(row.parent == ::getpid());
    CHECK(row.threads == 1);
  }
}

TEST_CASE("the command line keeps its words, and the executable is told when deleted") {
  std::string directory = (std::filesystem::temp_directory_path() / "inspect-ps-XXXXXX").string();
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  const std::string program = directory + "/a sleeper";
  std::filesystem::copy_file("/bin/sleep", program);
  const ChildProcess sleeper({program, "1000", "2000"});
  REQUIRE(test::wait_until([&] { return row_of(sleeper.pid()).executable == program; }));
  CHECK(row_of(sleeper.pid()).command == std::vector<std::string>{program, "1000", "2000"});
  CHECK_FALSE(row_of(sleeper.pid()).executable_deleted);
  std::filesystem::remove_all(directory);
  const ProcessRow row = row_of(sleeper.pid());
  CHECK(row.executable == program);
  CHECK(row.executable_deleted);
  CHECK(row.runtime.language == "c");
  CHECK(row.not_seen.empty());
}

TEST_CASE("a zombie is listed with what is known") {
  auto parent = ChildProcess::forked([] {
    const pid_t zombie = ::fork();
    if (zombie == 0)
      ::_exit(0);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT);
    test::say_line(std::to_string(zombie));
    return sleep_for_ever();
  });
  const pid_t zombie = std::stoi(parent.read_line());
  const ProcessRow row = row_of(zombie);
  CHECK(row.state == 'Z');
  CHECK(row.command.empty());
  CHECK(row.executable.empty());
  CHECK(row.runtime.language.empty());
  CHECK_FALSE(row.not_permitted);
  CHECK_FALSE(row.not_seen.empty());
}

TEST_CASE("processes of other users are listed, and say why they could not be looked into") {
  const passwd *nobody = ::getpwnam("nobody");
  if (::geteuid() != 0 || nobody == nullptr)
    SKIP_TEST("only root can become somebody else");
  auto target = ChildProcess::forked(sleep_for_ever);
  target.wait_for_line("ready");
  auto other = ChildProcess::forked([&] {
    if (::setgid(nobody->pw_gid) != 0 || ::setuid(nobody->pw_uid) != 0)
      return 1;
    const auto table = read_process_table({});
    if (!table)
      return 2;
    const auto row = std::ranges::find(table->rows, target.pid(), &ProcessRow::process);
    if (row == table->rows.end())
      return 3;
    test::say_line(fmt::format("{}|{}|{}|{}|{}|{}", row->user, row->threads, row->not_permitted, row->executable,
                               row->runtime.language, row->not_seen));
    return 0;
  });
  CHECK(other.read_line() == "root|1|true|||could not be inspected: missing CAP_SYS_PTRACE (a process of user root)");
  CHECK(other.wait() == 0);
}

ProcessRow made(pid_t process, pid_t parent) {
  ProcessRow row;
  row.process = process;
  row.parent = parent;
  return row;
}

std::string drawn(const std::vector<ProcessRow> &rows) {
  std::string text;
  for (const TreeNode &node : process_tree(rows)) {
    text += fmt::format("{}", rows[node.row].process);
    for (const bool last : node.last_of_parents)
      text += last ? '`' : '|';
    text += ' ';
  }
  return text;
}

TEST_CASE("the tree is depth first, in the order of the rows, and complete even where parents form a ring") {
  CHECK(drawn({made(1, 0), made(5, 1), made(3, 1), made(9, 5), made(7, 100)}) == "1 5| 9|` 3` 7 ");
  CHECK(drawn({made(1, 1), made(2, 3), made(3, 2)}) == "1 2 3` ");
  std::vector<ProcessRow> chain;
  for (pid_t process = 1; process <= 50'000; ++process)
    chain.push_back(made(process, process - 1));
  const auto nodes = process_tree(chain);
  CHECK(nodes.size() == chain.size());
  CHECK(nodes.back().last_of_parents.size() == 32);
}

} // namespace
} // namespace inspect
