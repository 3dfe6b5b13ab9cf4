// What `inspect stacks` gets wrong by its nature: processes that cannot be, or hardly can be, inspected. Each is told
// in one sentence with the right exit status, and the process stays as it was.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inspect::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

std::string number(pid_t process) {
  return std::to_string(process);
}

CommandResult stacks_of(pid_t process) {
  return run_inspect({"stacks", number(process)});
}

void check_one_sentence(const CommandResult &result) {
  const auto lines = static_cast<std::size_t>(std::ranges::count(result.err, '\n'));
  INFO(result.err);
  CHECK(result.err.starts_with("inspect: "));
  CHECK(lines <= 2); // the sentence, and the remedy
}

ChildProcess sleeper() {
  return ChildProcess::forked([] {
    say_line("ready");
    for (;;)
      ::pause();
    return 0;
  });
}

TEST_CASE("no such process: status 3") {
  const ChildProcess gone = [] {
    ChildProcess child = ChildProcess::forked([] { return 0; });
    child.wait();
    return child;
  }();
  const CommandResult result = stacks_of(gone.pid());
  CHECK(result.status == 3);
  check_one_sentence(result);
  CHECK(stacks_of(99999999).status == 3);
}

TEST_CASE("wrong usage: status 2") {
  CHECK(run_inspect({"stacks"}).status == 2);
  CHECK(run_inspect({"stacks", "no-such-process-here"}).status == 3);
  CHECK(run_inspect({"stacks", "-1"}).status == 2);
  CHECK(run_inspect({"stacks", "1", "--format", "xml"}).status == 2);
  CHECK(run_inspect({"stacks", "1", "--depth", "none"}).status == 2);
}

TEST_CASE("of several processes, what can be printed is printed, and the status tells of the other") {
  ChildProcess child = sleeper();
  child.wait_for_line("ready");
  const CommandResult result = run_inspect({"stacks", "99999999", number(child.pid())});
  CHECK(result.status == 3);
  CHECK_THAT(result.out, Contains("pause"));
}

TEST_CASE("a kernel thread has no user stack") {
  if (::access("/proc/2/stat", R_OK) != 0)
    SKIP_TEST("no kernel threads in this pid namespace");
  const CommandResult result = stacks_of(2);
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("kernel thread"));
  check_one_sentence(result);
}

TEST_CASE("a zombie names its parent") {
  ChildProcess child = ChildProcess::forked([] { return 0; });
  REQUIRE(wait_until([&] { return status_field(child.pid(), "State").starts_with("Z"); }));
  const CommandResult result = stacks_of(child.pid());
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("zombie"));
  CHECK_THAT(result.err, Contains(number(::getpid())));
  check_one_sentence(result);
}

TEST_CASE("inspect does not inspect itself") {
  const CommandResult result = run_command({"/bin/sh", "-c", "exec " INSPECT_BINARY_DIRECTORY "/inspect stacks $$"});
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("itself"));
  check_one_sentence(result);
}

TEST_CASE("init is dumped like any other, or refused in a sentence") {
  const CommandResult result = stacks_of(1);
  INFO(result.err);
  CHECK((result.status == 0 || result.status == 4));
  if (::access("/proc/1/stat", R_OK) != 0) // the mount of /proc hides it from us
    CHECK_THAT(result.err, Contains("hidepid="));
  else
    CHECK(what_is_wrong_with(1).empty());
}

TEST_CASE("a process of another user: status 4 and the missing right") {
  if (::getuid() != 0)
    SKIP_TEST("only root can become another user");
  ChildProcess child = sleeper();
  child.wait_for_line("ready");
  const fs::path copy = fs::temp_directory_path() / fmt::format("inspect-copy-{}", ::getpid());
  fs::copy_file(INSPECT_BINARY_DIRECTORY "/inspect", copy, fs::copy_options::overwrite_existing);
  fs::permissions(copy, fs::perms(0755));
  const CommandResult result = run_command({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                            copy.string(), "stacks", number(child.pid())});
  fs::remove(copy);
  CHECK(result.status == 4);
  CHECK_THAT(result.err, Contains("sudo"));
  check_one_sentence(result);
  CHECK(what_is_wrong_with(child.pid()).empty());
}

TEST_CASE("a process that is traced already is read without a stop, and its tracer named where a stop is needed") {
  ChildProcess child = sleeper();
  child.wait_for_line("ready");
  ChildProcess tracer = ChildProcess::forked([&] {
    const pid_t target = child.pid();
    if (::ptrace(PTRACE_SEIZE, target, nullptr, nullptr) != 0)
      return 1;
    say_line("ready");
    for (;;)
      ::pause();
    return 0;
  });
  tracer.wait_for_line("ready");
  const CommandResult read = stacks_of(child.pid());
  CHECK(read.status == 0);
  CHECK_THAT(read.out, Contains(fmt::format("({})\n", tracer.pid())) && Contains("traced by "));
  const CommandResult result = run_inspect({"attach", number(child.pid()), "--stop", "-e", "bt"});
  CHECK(result.status == 4);
  CHECK_THAT(result.err, Contains(number(tracer.pid())));
  check_one_sentence(result);
}

/// A 32-bit program of one instruction loop: pause() for ever.
fs::path write_32_bit_program() {
  const fs::path path = fs::temp_directory_path() / fmt::format("inspect-32-bit-{}", ::getpid());
  constexpr std::uint32_t base = 0x08048000;
  constexpr std::array<unsigned char, 9> code{0xb8, 0x1d, 0,    0,   0,
                                              0xcd, 0x80, 0xeb, 0xf7}; // mov $29,%eax; int $0x80; jmp
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_386;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf32_Phdr);
  header.e_phnum = 1;
  header.e_entry = base + sizeof header + sizeof(Elf32_Phdr);
  Elf32_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_vaddr = segment.p_paddr = base;
  segment.p_filesz = segment.p_memsz = static_cast<Elf32_Word>(sizeof header + sizeof segment + code.size());
  segment.p_flags = PF_R | PF_X;
  segment.p_align = 0x1000;
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(&header), sizeof header);
  file.write(reinterpret_cast<const char *>(&segment), sizeof segment);
  file.write(reinterpret_cast<const char *>(code.data()), code.size());
  file.close();
  fs::permissions(path, fs::perms(0755));
  return path;
}

TEST_CASE("a 32-bit process is refused by name") {
  const fs::path program = write_32_bit_program();
  pid_t process = ::fork();
  if (process == 0) {
    ::execl(program.c_str(), program.c_str(), nullptr);
    ::_exit(126);
  }
  REQUIRE(process > 0);
  const bool started = wait_until([&] {
    std::error_code error;
    return fs::read_symlink(fmt::format("/proc/{}/exe", process), error) == program ||
           status_field(process, "State").starts_with("Z");
  });
  const bool can_run = started && !status_field(process, "State").starts_with("Z");
  const CommandResult result = stacks_of(process);
  ::kill(process, SIGKILL);
  ::waitpid(process, nullptr, 0);
  fs::remove(program);
  if (!can_run)
    SKIP_TEST("this kernel runs no 32-bit programs");
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("32-bit"));
  check_one_sentence(result);
}

TEST_CASE("a process stopped by SIGSTOP is dumped and stays stopped") {
  ChildProcess child = sleeper();
  child.wait_for_line("ready");
  child.signal(SIGSTOP);
  REQUIRE(wait_until([&] { return status_field(child.pid(), "State").starts_with("T"); }));
  const CommandResult result = stacks_of(child.pid());
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("pause"));
  CHECK_THAT(result.out, Contains("stopped by a signal"));
  CHECK(status_field(child.pid(), "State").starts_with("T"));
  CHECK(status_field(child.pid(), "TracerPid") == "0");
  child.signal(SIGCONT);
  CHECK(wait_until([&] { return status_field(child.pid(), "State").starts_with("S"); }));
}

TEST_CASE("a zombie leader's live threads are dumped") {
  ChildProcess child({fixture_path("zombie_leader")});
  child.wait_for_line("ready");
  REQUIRE(wait_until([&] { return status_field(child.pid(), "State").starts_with("Z"); }));
  const CommandResult result = stacks_of(child.pid());
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("survivor"));
  CHECK(what_is_wrong_with(child.pid()).empty());
}

TEST_CASE("a stack that points to itself ends with a reason") {
  ChildProcess child({fixture_path("odd_stacks"), "cyclic"});
  child.wait_for_line("ready");
  const CommandResult result = stacks_of(child.pid());
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("the stack ends here"));
}

TEST_CASE("code without unwind tables is walked by its frame pointers, and says so") {
  ChildProcess child({fixture_path("no_unwind_tables")});
  child.wait_for_line("ready");
  const CommandResult result = stacks_of(child.pid());
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("outer_without_tables"));
  CHECK_THAT(result.out, Contains("(guessed)"));
}

TEST_CASE("a deleted executable is read through the kernel or from memory") {
  const fs::path copy = fs::temp_directory_path() / fmt::format("inspect-deleted-{}", ::getpid());
  fs::copy_file(fixture_path("blocked_gcc"), copy, fs::copy_options::overwrite_existing);
  ChildProcess child({copy.string()});
  child.wait_for_line("ready");
  fs::remove(copy);
  const CommandResult result = stacks_of(child.pid());
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("service::locker"));
}

TEST_CASE("a truncated file behind a mapping costs its names, not the dump") {
  ChildProcess child({fixture_path("odd_stacks"), "truncated-module"});
  child.wait_for_line("ready");
  const CommandResult result = stacks_of(child.pid());
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("pause"));
}

TEST_CASE("a process that ends or executes another program meanwhile gives a dump or a sentence") {
  for (int round = 0; round < 20; ++round) {
    ChildProcess child = ChildProcess::forked([round] {
      say_line("ready");
      ::usleep(static_cast<useconds_t>(round * 1000));
      if (round % 2 == 0)
        ::execlp("sleep", "sleep", "0.02", nullptr);
      return 0;
    });
    child.wait_for_line("ready");
    const CommandResult result = stacks_of(child.pid());
    INFO(result.err);
    CHECK((result.status == 0 || result.status == 1 || result.status == 3));
    if (result.status != 0)
      check_one_sentence(result);
  }
}

TEST_CASE("a process that is killed while it is read was read whole, or has ended") {
  for (int round = 0; round < 20; ++round) {
    ChildProcess target({fixture_path("many_threads"), "400", "5"});
    target.wait_for_line("ready");
    std::atomic<bool> over{false};
    std::thread killer([&] {
      while (!over.load() && status_field(target.pid(), "TracerPid") == "0")
        ::sched_yield();
      ::usleep(static_cast<useconds_t>(round * 250));
      target.signal(SIGKILL);
    });
    const CommandResult result = run_inspect({"stacks", number(target.pid()), "--json"});
    over.store(true);
    killer.join();
    INFO(result.err);
    if (result.status != 0) {
      CHECK(result.status == 3);
      CHECK_THAT(result.err, Contains("has ended"));
      check_one_sentence(result);
      continue;
    }
    const auto report = nlohmann::json::parse(result.out); // it must outlive the loop
    for (const auto &thread : report["threads"])
      CHECK(thread["end"]["reason"] == "complete");
  }
}

} // namespace
} // namespace inspect::test
