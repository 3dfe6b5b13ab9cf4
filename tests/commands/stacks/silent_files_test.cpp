// Targets with files on a file system that stops answering, through the built program: it ends, and says of the one
// module what it could not read.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/run_command.h"
#include "tests/support/silent_file_system.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <sys/wait.h>
#include <thread>

using namespace inspect::test;
using Catch::Matchers::Contains;

namespace {

#define NEEDS_FUSE()                                                                                                   \
  if (!SilentFileSystem::possible())                                                                                   \
  SKIP_TEST("a FUSE mount needs root and /dev/fuse")

/// Ended from outside where it hangs: far beyond what it needs, which is one wait of two seconds.
CommandResult run_with_deadline(const std::vector<std::string> &arguments) {
  std::vector<std::string> words = {"timeout", "--signal=KILL", "60", INSPECT_BINARY_DIRECTORY "/inspect"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_command(words);
}

/// Until the kernel has forgotten what it was told of names, and has to ask again.
void wait_for_names_to_be_forgotten() {
  std::this_thread::sleep_for(std::chrono::seconds(2));
}

} // namespace

TEST_CASE("a library on a file system that stops answering costs that library's names and a sentence") {
  NEEDS_FUSE();
  SilentFileSystem files(fixture_path("guest_old.so"));
  ChildProcess host({fixture_path("library_host"), fixture_path("guest_new.so"), files.file()});
  host.wait_for_line();
  const std::string process = std::to_string(host.pid());
  const CommandResult before = run_with_deadline({"stacks", process});
  INFO(before.out << before.err);
  CHECK(before.status == 0);
  CHECK_THAT(before.out, Contains("wait_in_old_release") && Contains("guest.c:") && Contains("wait_in_new_release"));
  CHECK(before.err.empty());

  files.fall_silent();
  wait_for_names_to_be_forgotten();
  const CommandResult after = run_with_deadline({"stacks", process});
  INFO(after.out << after.err);
  CHECK(after.status == 0);
  CHECK_THAT(after.err, Contains(files.file() + " does not answer (fuse); its functions have no names"));
  CHECK_THAT(after.out, Contains("wait_in_new_release") && Contains("guest.c:") && Contains("wait_for_end_of_input") &&
                            !Contains("wait_in_old_release"));
  const CommandResult session = run_with_deadline({"attach", process, "-e", "threads", "-e", "bt", "-e", "libraries"});
  INFO(session.out << session.err);
  CHECK(session.status == 0);
  CHECK_THAT(session.out, Contains("main"));
  CHECK_THAT(session.err, Contains("does not answer (fuse)"));
  for (const char *command : {"mem", "maps"})
    CHECK(run_with_deadline({command, process}).status == 0);
}

TEST_CASE("debug directories that do not answer cost their time once") {
  NEEDS_FUSE();
  SilentFileSystem files(fixture_path("guest_old.so"));
  ChildProcess host({fixture_path("library_host"), fixture_path("guest_new.so")});
  host.wait_for_line();
  files.fall_silent();
  const CommandResult result =
      run_with_deadline({"stacks", std::to_string(host.pid()), "--debug-directory", files.folder()});
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("wait_in_new_release") && Contains("main"));
  CHECK_THAT(result.err, Contains("does not answer (fuse)"));
}

TEST_CASE("a .dwo file that does not answer costs what it describes and a sentence") {
  NEEDS_FUSE();
  const TemporaryDirectory folder;
  // The name that is served is as long as the one that the compiler gave.
  const CommandResult built =
      run_command({"sh", "-c",
                   "cd \"$1\" && cp \"$2\" hosts.c && mkdir -p elsewhere && "
                   "gcc -O1 -g -gsplit-dwarf -fdebug-prefix-map=\"$1\"=\"$1\"/served -c hosts.c -o hosts.o && "
                   "sed -i 's/hosts[.]dwo/plugin.so/' hosts.o && gcc hosts.o -o hosts -ldl -pthread && "
                   "mv hosts.dwo elsewhere",
                   "sh", folder.path(), INSPECT_SOURCE_DIRECTORY "/fixtures/dwarf/module/library_host.c"});
  if (built.status != 0)
    SKIP_TEST("gcc here does not build split DWARF");
  SilentFileSystem files(folder / "elsewhere/hosts.dwo");
  std::filesystem::create_directory_symlink(files.folder(), folder / "served");
  ChildProcess host({folder / "hosts", fixture_path("guest_new.so")});
  host.wait_for_line();
  const std::string process = std::to_string(host.pid());
  const std::vector<std::string> variables = {"attach", process, "-e", "print main"};
  const CommandResult before = run_with_deadline(variables);
  INFO(before.out << before.err);
  CHECK_THAT(before.out, Contains("int (int, char **)"));
  CHECK(before.err.empty());

  files.fall_silent();
  wait_for_names_to_be_forgotten();
  const CommandResult after = run_with_deadline({"stacks", process});
  INFO(after.out << after.err);
  CHECK(after.status == 0);
  CHECK_THAT(after.out, Contains("main") && Contains("wait_in_new_release"));
  CHECK_THAT(after.err, Contains("plugin.so does not answer (its file system); what is described there is not known"));
  const CommandResult session = run_with_deadline(variables);
  INFO(session.out << session.err);
  CHECK_THAT(session.err, Contains("plugin.so does not answer"));
  CHECK_THAT(session.out, !Contains("char **"));
}

TEST_CASE("ps lists a process whose executable does not answer") {
  NEEDS_FUSE();
  SilentFileSystem files(fixture_path("many_threads"));
  // It has the file open, too.
  ChildProcess program({"sh", "-c", R"(exec "$0" 1 1 3<"$0")", files.file()});
  program.wait_for_line();
  const std::string process = std::to_string(program.pid());
  CHECK(run_with_deadline({"ps", process}).status == 0);
  files.fall_silent();
  wait_for_names_to_be_forgotten();
  const CommandResult list = run_with_deadline({"ps", "--json"});
  CHECK(list.status == 0);
  CHECK_THAT(list.out, Contains("\"pid\":" + process) || Contains("\"pid\": " + process));
  CHECK_THAT(list.out, Contains("does not answer (fuse)"));
  CHECK(run_with_deadline({"ps", process}).status == 0);
  const CommandResult stacks = run_with_deadline({"stacks", process});
  INFO(stacks.out << stacks.err);
  CHECK_THAT(stacks.err, Contains("does not answer (fuse)"));
}

TEST_CASE("Ctrl-C ends a wait for a file") {
  NEEDS_FUSE();
  SilentFileSystem files(fixture_path("guest_old.so"));
  ChildProcess host({fixture_path("library_host"), files.file()});
  host.wait_for_line();
  files.fall_silent();
  wait_for_names_to_be_forgotten();
  ChildProcess inspect({INSPECT_BINARY_DIRECTORY "/inspect", "stacks", std::to_string(host.pid())});
  REQUIRE(wait_until([&] { return files.unanswered() > 0; }));
  inspect.signal(SIGINT);
  const int status = inspect.wait(); // it does not wait for what is stuck
  CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) != 0));
}
