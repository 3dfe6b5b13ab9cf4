// What a hostile target or a small machine can ask of `inspect stacks`: it answers within bounds, says what is missing,
// and one bad process takes no other with it.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/elf_writer.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define INSPECT_TEST_SANITIZED 1
#else
#define INSPECT_TEST_SANITIZED 0
#endif

namespace inspect::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// The value of one figure of --stats.
std::uint64_t figure(const std::string &text, const std::string &name) {
  const std::size_t at = text.find(name + "=");
  REQUIRE(at != std::string::npos);
  return std::stoull(text.substr(at + name.size() + 1));
}

struct Running {
  ChildProcess process;
  explicit Running(const std::vector<std::string> &command) : process(command) { process.wait_for_line(); }
  std::string pid() const { return std::to_string(process.pid()); }
};

/// A copy of a program that has one more symbol table: 48 GB long, all of it a hole. False: no such file can be here.
bool make_sparse_copy(const std::string &program, const std::string &path) {
  std::ifstream input(program, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(input)), std::istreambuf_iterator<char>());
  Elf64_Ehdr header;
  std::memcpy(&header, text.data(), sizeof header);
  constexpr std::uint64_t hole = std::uint64_t{48} << 30;
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    char *at = text.data() + header.e_shoff + i * sizeof section;
    std::memcpy(&section, at, sizeof section);
    if (section.sh_type != SHT_SYMTAB)
      continue;
    section.sh_offset = (text.size() + 4095) / 4096 * 4096;
    section.sh_size = hole;
    std::memcpy(at, &section, sizeof section);
    std::ofstream(path, std::ios::binary) << text;
    return ::truncate(path.c_str(), static_cast<off_t>(section.sh_offset + hole)) == 0 &&
           ::chmod(path.c_str(), 0755) == 0;
  }
  return false;
}

} // namespace

TEST_CASE("rules that make a function its own caller cost a few frames, in every thread, and the reason is said") {
  const Running target({fixture_path("endless_rules"), "8"});
  const auto result = run_inspect({"stacks", target.pid(), "--json", "--stats", "--args", "values"});
  REQUIRE(result.status == 0);
  const auto report = nlohmann::json::parse(result.out);
  std::size_t endless = 0;
  for (const auto &group : report["threads"]) {
    const auto &frames = group["frames"];
    CHECK(frames.size() < 20);
    if (frames.empty() || frames[0]["function"] != "its_own_caller")
      continue;
    ++endless;
    CHECK(group["end"]["reason"] == "no_progress");
    CHECK_THAT(group["end"]["detail"].get<std::string>(), Contains("its own caller"));
  }
  CHECK(endless == 8);
  CHECK(figure(result.err, "frames") < 200);
  if (!INSPECT_TEST_SANITIZED)
    CHECK(figure(result.err, "peak_rss_kb") < 200'000);
  CHECK(what_is_wrong_with(target.process.pid()).empty());
}

TEST_CASE("a process whose file has a symbol table of 48 GB is shown, and so are those before and behind it") {
  const TemporaryDirectory folder;
  const std::string copy = folder / "sparse";
  if (!make_sparse_copy(fixture_path("many_threads"), copy))
    SKIP_TEST("this file system takes no sparse files of 48 GB");
  const Running good({fixture_path("many_threads"), "2", "3"});
  const Running bad({copy, "2", "3"});
  const auto result = run_inspect({"stacks", good.pid(), bad.pid(), good.pid()});
  CHECK(result.status == 0);
  INFO(result.err);
  std::size_t shown = 0;
  for (std::size_t at = result.out.find("process "); at != std::string::npos; at = result.out.find("process ", at + 1))
    ++shown;
  CHECK(shown >= 3);
  CHECK_THAT(result.err, Contains("sparse: its section .symtab has"));
  CHECK(what_is_wrong_with(bad.process.pid()).empty());
}

TEST_CASE("too little memory ends in a sentence and status 1, never in a signal, and the target runs on") {
  if (INSPECT_TEST_SANITIZED)
    SKIP_TEST("a sanitizer needs terabytes of address space");
  const Running target({fixture_path("many_threads"), "40", "20"});
  std::size_t refused = 0;
  for (const char *limit : {"-v", "-d"})
    // With less the kernel cannot even start it, and kills.
    for (int megabytes = 12; megabytes <= 256; megabytes += megabytes < 64 ? 4 : 32)
      for (const std::string &command :
           {"stacks " + target.pid() + " --json", "attach " + target.pid() + " --stop -e bt -e 'p 1+1'",
            "mem " + target.pid(), "ps " + target.pid()}) {
        const std::string script = fmt::format("ulimit -c 0; ulimit {} {}; exec {} {}", limit, megabytes * 1024,
                                               INSPECT_BINARY_DIRECTORY "/inspect", command);
        const auto result = run_command({"sh", "-c", script});
        INFO(script << "\n" << result.err);
        if (result.status == 127 || result.err.find("error while loading shared libraries") != std::string::npos ||
            result.err.find("cannot allocate memory") != std::string::npos)
          continue; // it did not even start
        CHECK((result.status == 0 || result.status == 1));
        if (result.status == 1) {
          ++refused;
          CHECK_THAT(result.err, Contains("inspect: "));
        }
        CHECK(what_is_wrong_with(target.process.pid()).empty());
      }
  CHECK(refused > 0); // else no limit was tight
}

namespace {

/// A control group of our own for memory, below the root of the version 1 hierarchy, or else of version 2. It must end
/// after who is in it.
class MemoryGroup {
public:
  MemoryGroup() {
    const auto made = run_command(
        {"sh", "-c",
         "one=$(awk '$3 == \"cgroup\" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts); "
         "two=$(awk '$3 == \"cgroup2\" { print $2; exit }' /proc/mounts); group=${one:-$two}/inspect-test-$$; "
         "mkdir \"$group\" && ls \"$group\"/memory.limit_in_bytes \"$group\"/memory.max 2>/dev/null | grep . || rmdir "
         "\"$group\""});
    limit_file_ = made.out.substr(0, made.out.find('\n'));
  }
  ~MemoryGroup() {
    if (possible())
      wait_until([&] { return ::rmdir(directory().c_str()) == 0; }, std::chrono::seconds(5));
  }
  MemoryGroup(const MemoryGroup &) = delete;
  MemoryGroup &operator=(const MemoryGroup &) = delete;

  bool possible() const { return limit_file_.starts_with('/'); }
  std::string directory() const { return limit_file_.substr(0, limit_file_.rfind('/')); }
  /// What runs a command of a shell in it, with so much memory.
  std::string run(int megabytes, const std::string &command) const {
    return fmt::format("echo {} > {} && echo $$ > {}/cgroup.procs && exec {}", std::uint64_t{1} * megabytes << 20,
                       limit_file_, directory(), command);
  }
  /// How many of its processes the kernel has killed for want of memory.
  std::string kills() const {
    const auto result = run_command(
        {"sh", "-c",
         fmt::format("cat {0}/memory.events {0}/memory.oom_control 2>/dev/null | grep oom_kill", directory())});
    return result.out;
  }

private:
  std::string limit_file_;
};

} // namespace

TEST_CASE("too little memory in the control group ends in a sentence before the kernel kills") {
  if (INSPECT_TEST_SANITIZED)
    SKIP_TEST("a sanitizer takes memory for what is freed");
  const MemoryGroup group;
  if (!group.possible())
    SKIP_TEST("no control group with a limit on memory can be made here");
  const Running target({fixture_path("many_threads"), "40", "20"});
  std::size_t refused = 0;
  std::size_t shown = 0;
  for (const int megabytes : {4, 8, 12, 16, 96})
    for (const std::string &command :
         {"stacks " + target.pid(), "mem " + target.pid(), "attach " + target.pid() + " --stop -e bt -e 'threads'"}) {
      const auto result =
          run_command({"sh", "-c", group.run(megabytes, INSPECT_BINARY_DIRECTORY "/inspect " + command)});
      INFO(command << " with " << megabytes << " MB\n" << result.err << group.kills());
      CHECK((result.status == 0 || result.status == 1));
      if (result.status == 1) {
        ++refused;
        CHECK_THAT(result.err, Contains("control group)"));
      }
      shown += result.status == 0 ? 1 : 0;
      CHECK_THAT(group.kills(), !Contains("oom_kill 1"));
      CHECK(what_is_wrong_with(target.process.pid()).empty());
    }
  CHECK(refused > 0);
  CHECK(shown >= 3);
}

TEST_CASE("where memory runs out all the same, inspect is the first that the kernel ends") {
  const Running target({fixture_path("many_threads"), "2", "3"});
  ChildProcess session({INSPECT_BINARY_DIRECTORY "/inspect", "attach", target.pid(), "--no-stop"});
  const std::string file = fmt::format("/proc/{}/oom_score_adj", session.pid());
  CHECK(wait_until([&] { return run_command({"cat", file}).out == "1000\n"; }, std::chrono::seconds(20)));
}

} // namespace inspect::test
