// `-o FILE`: the file is there completely or not at all, and an older one stays until the new one takes its place.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

std::string text_of(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

struct Sleeper {
  ChildProcess process = ChildProcess::forked([] {
    say_line("ready");
    for (;;)
      ::pause();
    return 0;
  });
  Sleeper() { process.wait_for_line(); }
  std::string pid() const { return std::to_string(process.pid()); }
};

std::ptrdiff_t entries_of(const TemporaryDirectory &folder) {
  return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
}

} // namespace

TEST_CASE("output to a file (-o) replaces it, keeps its permissions, follows its link, and leaves nothing else in the "
          "folder") {
  const Sleeper sleeper;
  const TemporaryDirectory folder;
  const std::string path = folder.write("out", "old");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  fs::create_symlink("out", folder / "link");
  fs::create_symlink("fresh", folder / "dangling");
  const auto result = run_inspect({"stacks", sleeper.pid(), "-o", folder / "link"});
  INFO(result.err);
  CHECK(result.status == 0);
  CHECK(result.out.empty());
  CHECK_THAT(text_of(path), Contains("pause"));
  CHECK(fs::is_symlink(folder / "link"));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
  CHECK(run_inspect({"stacks", sleeper.pid(), "-o", folder / "dangling"}).status == 0);
  CHECK(fs::is_symlink(folder / "dangling"));
  CHECK_THAT(text_of(folder / "fresh"), Contains("pause"));
  CHECK(entries_of(folder) == 4);
}

TEST_CASE("output to a file (-o) writes what is no regular file directly") {
  const Sleeper sleeper;
  const auto to_output = run_inspect({"stacks", sleeper.pid(), "-o", "/dev/stdout"});
  CHECK(to_output.status == 0);
  CHECK_THAT(to_output.out, Contains("pause"));
  CHECK(run_inspect({"stacks", sleeper.pid(), "-o", "/dev/null"}).status == 0);
  CHECK(fs::is_character_file("/dev/null"));
  const auto to_full = run_inspect({"stacks", sleeper.pid(), "-o", "/dev/full"});
  CHECK(to_full.status == 1);
  CHECK(to_full.err == "inspect: writing to /dev/full: No space left on device\n");
}

TEST_CASE("a file that cannot be written is said, with status 1 or 4, and nothing is left") {
  const Sleeper sleeper;
  const TemporaryDirectory folder;
  const auto nowhere = run_inspect({"stacks", sleeper.pid(), "-o", folder / "none/out"});
  CHECK(nowhere.status == 1);
  CHECK_THAT(nowhere.err, Contains("none/out"));
  const auto a_folder = run_inspect({"stacks", sleeper.pid(), "-o", folder.path()});
  CHECK(a_folder.status == 1);
  CHECK_THAT(a_folder.err, Contains("Is a directory"));
  CHECK(entries_of(folder) == 0);
}

TEST_CASE("a process that is not there leaves the older file as it was; one that is there is worth a file") {
  const Sleeper sleeper;
  const TemporaryDirectory folder;
  const std::string path = folder.write("out", "old");
  CHECK(run_inspect({"stacks", "999999999", "-o", path}).status == 3);
  CHECK(text_of(path) == "old");
  CHECK(run_inspect({"stacks", sleeper.pid(), "999999999", "-o", path}).status == 3);
  CHECK_THAT(text_of(path), Contains("pause"));
}

TEST_CASE("a full disk leaves the older file as it was") {
  if (::geteuid() != 0)
    SKIP_TEST("only root mounts a small file system");
  const Sleeper sleeper;
  const TemporaryDirectory folder;
  // Fills the file system but for a few kilobytes, so that the beginning of the output still fits.
  const std::string script = fmt::format(
      "mount -t tmpfs -o size=64k none {0} && echo old > {0}/out && head -c 49152 /dev/zero > {0}/filler && "
      "{1} stacks {2} {2} {2} {2} {2} {2} {2} {2} --json --no-group -o {0}/out; "
      "echo status $?; cat {0}/out; ls -A {0}",
      folder.path(), INSPECT_BINARY_DIRECTORY "/inspect", sleeper.pid());
  const auto result = run_command({"unshare", "-m", "sh", "-c", script});
  if (result.out.find("status") == std::string::npos || result.err.find("mount:") != std::string::npos)
    SKIP_TEST("no file system can be mounted here");
  INFO(result.err);
  CHECK(result.out == "status 1\nold\nfiller\nout\n");
  CHECK_THAT(result.err, Contains("No space left on device"));
}

} // namespace inspect::test
