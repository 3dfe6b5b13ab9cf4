// What production does to processes, through the built program: other roots, other mount and process-id namespaces,
// user namespaces, replaced and deleted files, files that are not files, very many libraries.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/foreign_root.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

using namespace inspect::test;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

#define NEEDS_ROOT()                                                                                                   \
  if (::geteuid() != 0)                                                                                                \
  SKIP_TEST("this needs root")

#define NEEDS_NAMESPACES(...)                                                                                          \
  if (!can_run({"unshare", __VA_ARGS__, "true"}))                                                                      \
  SKIP_TEST("namespaces cannot be made here")

const std::vector<std::string> as_nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};

#define NEEDS_NOBODY()                                                                                                 \
  NEEDS_ROOT();                                                                                                        \
  if (run_as_nobody({"--version"}).status != 0)                                                                        \
  SKIP_TEST("setpriv is missing, or the user nobody may not run this build")

CommandResult run_as_nobody(const std::vector<std::string> &arguments) {
  std::vector<std::string> words = as_nobody;
  words.emplace_back(INSPECT_BINARY_DIRECTORY "/inspect");
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_command(words);
}

struct Frame {
  std::string function;
  std::string file;
  int line = 0;
};

std::string text_of(const json &value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// Every frame of every thread, and the thread ids.
struct Stacks {
  int status = 0;
  std::string err;
  std::set<pid_t> threads;
  std::vector<Frame> frames;

  explicit Stacks(const CommandResult &result) : status(result.status), err(result.err) {
    const json all = json::parse(result.out, nullptr, false);
    if (all.is_discarded() || !all.contains("threads"))
      return;
    for (const json &thread : all["threads"]) {
      threads.insert(thread["tid"].get<pid_t>());
      for (const json &frame : thread["frames"])
        frames.push_back({text_of(frame["function"]), text_of(frame["file"]),
                          frame["line"].is_number() ? frame["line"].get<int>() : 0});
    }
  }

  const Frame *find(std::string_view function) const {
    const auto found = std::ranges::find(frames, function, &Frame::function);
    return found != frames.end() ? &*found : nullptr;
  }
  std::ptrdiff_t count(std::string_view function) const {
    return std::ranges::count(frames, function, &Frame::function);
  }
  std::string functions() const {
    std::string all = err;
    for (const Frame &frame : frames)
      all += fmt::format("{} {}:{}\n", frame.function, frame.file, frame.line);
    return all;
  }
};

Stacks stacks_of(pid_t process, const std::vector<std::string> &options = {}) {
  std::vector<std::string> words = {"stacks", std::to_string(process), "--json"};
  words.insert(words.end(), options.begin(), options.end());
  return Stacks(run_inspect(words));
}

/// Where fixtures/dwarf/module/guest.c calls the function that blocks.
int line_of_block() {
  std::ifstream source(INSPECT_SOURCE_DIRECTORY "/fixtures/dwarf/module/guest.c");
  int number = 0;
  for (std::string line; std::getline(source, line);) {
    ++number;
    if (line == "  block();")
      return number;
  }
  return -1;
}

/// The target runs the older release, and a newer one lies at the same path outside.
void check_old_release(const Stacks &stacks) {
  INFO(stacks.functions());
  CHECK(stacks.status == 0);
  CHECK(stacks.find("wait_in_new_release") == nullptr);
  const Frame *own = stacks.find("wait_in_old_release");
  REQUIRE(own != nullptr);
  CHECK(own->file.ends_with("fixtures/dwarf/module/guest.c"));
  CHECK(own->line == line_of_block());
  CHECK(stacks.find("run_in_library") != nullptr);
  CHECK(stacks.find("wait_for_end_of_input") != nullptr);
  CHECK(stacks.find("main") != nullptr);
}

std::set<pid_t> thread_ids(pid_t process) {
  std::set<pid_t> all;
  for (const auto &thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process)))
    all.insert(std::stoi(thread.path().filename().string()));
  return all;
}

const std::string host = fixture_path("library_host");
const std::string old_release = fixture_path("guest_old.so");
const std::string new_release = fixture_path("guest_new.so");

} // namespace

TEST_CASE("another root: names and lines are those of the target's files, not of ours at the same path") {
  NEEDS_ROOT();
  const TemporaryFolder folder;
  const std::string root = folder / "root";
  const std::string server = folder / "app/server";
  const std::string library = folder / "app/guest.so";
  copy_with_libraries(host, root, server);
  copy_file_to(old_release, root + library);
  copy_file_to(fixture_path("heartbeats"), server);
  copy_file_to(new_release, library);
  ChildProcess target({"chroot", root, server, library});
  target.wait_for_line();
  check_old_release(stacks_of(target.pid()));
  const CommandResult listed = run_inspect({"attach", std::to_string(target.pid()), "-e", "libraries", "-e", "bt"});
  CHECK(listed.status == 0);
  CHECK_THAT(listed.out, Contains("wait_in_old_release") && Contains(library));
}

TEST_CASE("another root: paths that do not exist outside") {
  NEEDS_ROOT();
  const TemporaryFolder folder;
  copy_with_libraries(host, folder / "root", "/only-inside/server");
  copy_file_to(old_release, folder / "root/only-inside/guest.so");
  ChildProcess target({"chroot", folder / "root", "/only-inside/server", "/only-inside/guest.so"});
  target.wait_for_line();
  check_old_release(stacks_of(target.pid()));
}

TEST_CASE("another root and overlayfs, looked at by a plain user, to whom map_files is closed") {
  NEEDS_NOBODY();
  const TemporaryFolder folder;
  copy_with_libraries(host, folder / "root", folder / "app/server");
  copy_file_to(old_release, (folder / "root") + (folder / "app/guest.so"));
  copy_file_to(new_release, folder / "app/guest.so");
  {
    ChildProcess target(
        {"chroot", "--userspec=65534:65534", folder / "root", folder / "app/server", folder / "app/guest.so"});
    target.wait_for_line();
    check_old_release(Stacks(run_as_nobody({"stacks", std::to_string(target.pid()), "--json"})));
  }
  copy_file_to(host, folder / "lower/server");
  copy_file_to(new_release, folder / "lower/guest.so");
  copy_file_to(old_release, folder / "upper/guest.so");
  std::filesystem::create_directory(folder / "work");
  const std::string mount =
      R"(mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/app")";
  if (!can_run({"unshare", "--mount", "sh", "-c", mount, "sh", folder.path()}))
    SKIP_TEST("overlayfs cannot be mounted here");
  const std::string start =
      R"( && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$1/app/server" "$1/app/guest.so")";
  ChildProcess target({"unshare", "--mount", "sh", "-c", mount + start, "sh", folder.path()});
  target.wait_for_line();
  check_old_release(Stacks(run_as_nobody({"stacks", std::to_string(target.pid()), "--json"})));
}

TEST_CASE("another root: the separate debug file inside it is found") {
  NEEDS_ROOT();
  const TemporaryFolder folder;
  const std::string library = folder / "root/app/guest.so";
  copy_with_libraries(host, folder / "root", "/app/server");
  copy_file_to(old_release, library);
  if (!separate_debug_file(library, folder / "root"))
    SKIP_TEST("objcopy or readelf is missing");
  ChildProcess target({"chroot", folder / "root", "/app/server", "/app/guest.so"});
  target.wait_for_line();
  check_old_release(stacks_of(target.pid()));
}

TEST_CASE("another mount namespace: a bind mount hides what we see") {
  NEEDS_ROOT();
  NEEDS_NAMESPACES("--mount");
  const TemporaryFolder folder;
  copy_file_to(host, folder / "inside/server");
  copy_file_to(old_release, folder / "inside/guest.so");
  copy_file_to(fixture_path("heartbeats"), folder / "app/server");
  copy_file_to(new_release, folder / "app/guest.so");
  ChildProcess target({"unshare", "--mount", "sh", "-c",
                       R"(mount --bind "$1/inside" "$1/app" && exec "$1/app/server" "$1/app/guest.so")", "sh",
                       folder.path()});
  target.wait_for_line();
  check_old_release(stacks_of(target.pid()));
}

TEST_CASE("overlayfs: lower files, and an upper file over a lower one") {
  NEEDS_ROOT();
  NEEDS_NAMESPACES("--mount");
  const TemporaryFolder folder;
  copy_file_to(host, folder / "lower/server");
  copy_file_to(new_release, folder / "lower/guest.so");
  copy_file_to(old_release, folder / "upper/guest.so");
  for (const char *name : {"work", "app"})
    std::filesystem::create_directory(folder / name);
  const std::string mount =
      R"(mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/app")";
  if (!can_run({"unshare", "--mount", "sh", "-c", mount, "sh", folder.path()}))
    SKIP_TEST("overlayfs cannot be mounted here");
  ChildProcess target(
      {"unshare", "--mount", "sh", "-c", mount + R"( && exec "$1/app/server" "$1/app/guest.so")", "sh", folder.path()});
  target.wait_for_line();
  check_old_release(stacks_of(target.pid()));
}

TEST_CASE("another process-id namespace: found by its outer id, with outer thread ids") {
  NEEDS_ROOT();
  NEEDS_NAMESPACES("--pid", "--fork", "--mount-proc");
  ChildProcess launcher(
      {"unshare", "--pid", "--fork", "--kill-child", "--mount-proc", host, old_release, old_release, old_release});
  launcher.wait_for_line();
  const std::vector<pid_t> children = children_of(launcher.pid());
  if (children.empty())
    SKIP_TEST("this kernel does not list children");
  const Stacks stacks = stacks_of(children.front());
  check_old_release(stacks);
  CHECK(stacks.threads == thread_ids(children.front()));
  const CommandResult session =
      run_inspect({"attach", std::to_string(children.front()), "--stop", "-e", "threads", "-e", "bt"});
  CHECK(session.status == 0);
  CHECK_THAT(session.out, Contains("wait_in_old_release"));
  CHECK(what_is_wrong_with(children.front()) == "");
}

TEST_CASE("inside a process-id namespace of its own, inspect sees what is in there") {
  NEEDS_ROOT();
  NEEDS_NAMESPACES("--pid", "--fork", "--mount-proc");
  const CommandResult result = run_command(
      {"unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
       R"("$1" "$2" < /dev/zero > /dev/null & until "$3" stacks $! --threads 2>/dev/null | grep wait_in_; do sleep 0.1; done; "$3" ps)",
       "sh", host, old_release, INSPECT_BINARY_DIRECTORY "/inspect"});
  CHECK_THAT(result.out, Contains("wait_in_old_release") && Contains("library_host"));
  CHECK(result.status == 0);
}

TEST_CASE("a user namespace: from outside as root, and as the plain user who made it") {
  NEEDS_NOBODY();
  const TemporaryFolder folder;
  copy_file_to(host, folder / "server");
  copy_file_to(old_release, folder / "guest.so");
  std::vector<std::string> command = as_nobody;
  command.insert(command.end(), {"unshare", "--user", "--map-root-user", folder / "server", folder / "guest.so"});
  if (!can_run({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user", "true"}))
    SKIP_TEST("plain users may not make user namespaces here");
  ChildProcess target(command);
  target.wait_for_line();
  check_old_release(stacks_of(target.pid()));
  check_old_release(Stacks(run_as_nobody({"stacks", std::to_string(target.pid()), "--json"})));
}

namespace {

/// Runs a copy of the program that has no name in any folder.
ChildProcess start_from_memory(const std::vector<std::string> &user, const std::string &library) {
  return ChildProcess::forked([&] {
    const int program = ::open(host.c_str(), O_RDONLY | O_CLOEXEC);
    const int copy = ::memfd_create("payload", MFD_CLOEXEC);
    const auto size = std::filesystem::file_size(host);
    if (::sendfile(copy, program, nullptr, size) != static_cast<ssize_t>(size))
      return 1;
    if (!user.empty() && (::setgid(65534) != 0 || ::setuid(65534) != 0))
      return 2;
    const char *arguments[] = {"payload", library.c_str(), nullptr};
    ::fexecve(copy, const_cast<char **>(arguments), environ);
    return 3;
  });
}

} // namespace

TEST_CASE("a program that runs from a memfd") {
  NEEDS_ROOT();
  ChildProcess target = start_from_memory({}, old_release);
  target.wait_for_line();
  check_old_release(stacks_of(target.pid()));
  CHECK_THAT(run_inspect({"ps", std::to_string(target.pid())}).out, Contains("payload"));
}

TEST_CASE("a program that runs from a memfd, looked at by its own plain user") {
  NEEDS_NOBODY();
  const TemporaryFolder folder; // the build may lie where nobody may not look
  copy_file_to(old_release, folder / "guest.so");
  ChildProcess target = start_from_memory(as_nobody, folder / "guest.so");
  target.wait_for_line();
  check_old_release(Stacks(run_as_nobody({"stacks", std::to_string(target.pid()), "--json"})));
}

TEST_CASE("an executable and a library that were replaced: the names of what runs, never of the new files") {
  NEEDS_ROOT();
  const TemporaryFolder folder;
  copy_file_to(host, folder / "server");
  copy_file_to(old_release, folder / "guest.so");
  ChildProcess target({folder / "server", folder / "guest.so"});
  target.wait_for_line();
  copy_file_to(fixture_path("heartbeats"), folder / "server");
  copy_file_to(new_release, folder / "guest.so");
  check_old_release(stacks_of(target.pid()));
  std::filesystem::remove(folder / "server");
  std::filesystem::remove(folder / "guest.so");
  check_old_release(stacks_of(target.pid()));
}

TEST_CASE("replaced files, looked at by a plain user: fewer names, and no wrong one") {
  NEEDS_NOBODY();
  const TemporaryFolder folder;
  copy_file_to(host, folder / "server");
  copy_file_to(old_release, folder / "guest.so");
  std::vector<std::string> command = as_nobody;
  command.insert(command.end(), {folder / "server", folder / "guest.so"});
  ChildProcess target(command);
  target.wait_for_line();
  const std::vector<std::string> words = {"stacks", std::to_string(target.pid()), "--json"};
  check_old_release(Stacks(run_as_nobody(words)));
  copy_file_to(fixture_path("heartbeats"), folder / "server");
  copy_file_to(new_release, folder / "guest.so");
  const Stacks stacks(run_as_nobody(words));
  INFO(stacks.functions());
  CHECK(stacks.status == 0);
  CHECK(stacks.find("wait_in_new_release") == nullptr);
  CHECK(stacks.find("run_in_library") != nullptr);        // from the dynamic symbols in memory
  CHECK(stacks.find("wait_for_end_of_input") != nullptr); // the executable is open to its user as /proc/PID/exe
  CHECK(stacks.find("main") != nullptr);
}

TEST_CASE("a library that is loaded three times (dlmopen), and the C library with it") {
  ChildProcess target({host, "--namespaces", old_release, old_release, old_release});
  target.wait_for_line();
  const Stacks stacks = stacks_of(target.pid());
  check_old_release(stacks);
  CHECK(stacks.count("wait_in_old_release") == 3);
  CHECK(stacks.count("run_in_library") == 3);
}

TEST_CASE("five hundred libraries") {
  const TemporaryFolder folder;
  std::vector<std::string> command = {host};
  for (int i = 0; i < 500; ++i) {
    command.push_back(folder / fmt::format("guest{}.so", i));
    copy_file_to(i % 2 == 0 ? old_release : new_release, command.back());
  }
  ChildProcess target(command);
  target.wait_for_line();
  const Stacks stacks = stacks_of(target.pid());
  CHECK(stacks.status == 0);
  CHECK(stacks.count("wait_in_old_release") == 250);
  CHECK(stacks.count("wait_in_new_release") == 250);
  CHECK(stacks.threads.size() == 500);
}

TEST_CASE("debug information that is compressed with zstd is used, or the reason says so") {
  const TemporaryFolder folder;
  const std::string build = "cd \"$1\" && gcc -O1 -g \"$2\" -o server -ldl -pthread && "
                            "objcopy --compress-debug-sections=zstd server";
  if (!can_run(
          {"sh", "-c", build, "sh", folder.path(), INSPECT_SOURCE_DIRECTORY "/fixtures/dwarf/module/library_host.c"}))
    SKIP_TEST("no gcc here, or an objcopy without zstd");
  ChildProcess target({folder / "server", old_release});
  target.wait_for_line();
  const auto result = run_inspect({"stacks", std::to_string(target.pid())});
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK((result.out.find("library_host.c") != std::string::npos ||
         result.err.find("is compressed with zstd, which the elfutils here cannot unpack") != std::string::npos));
}

TEST_CASE("a split DWARF file that is a FIFO is not waited for") {
  const TemporaryFolder folder;
  const std::string build = "cd \"$1\" && gcc -O1 -g -gsplit-dwarf -c \"$2\" -o server.o && "
                            "gcc server.o -o server -ldl -pthread && rm server.dwo && mkfifo server.dwo";
  if (!can_run(
          {"sh", "-c", build, "sh", folder.path(), INSPECT_SOURCE_DIRECTORY "/fixtures/dwarf/module/library_host.c"}))
    SKIP_TEST("no gcc here");
  ChildProcess target({folder / "server", old_release});
  target.wait_for_line();
  check_old_release(Stacks(run_command({"timeout", "-s", "KILL", "30", INSPECT_BINARY_DIRECTORY "/inspect", "stacks",
                                        std::to_string(target.pid()), "--json"})));
}
