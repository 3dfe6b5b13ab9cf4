// The memory account of a control group: in trees made for the purpose, which stand for the layouts of machines and
// containers, and on this machine.
#include "attach/cgroup/cgroup_memory.h"

#include "attach/cgroup/control_group_place.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <random>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr pid_t process = 42;
constexpr std::uint64_t megabyte = 1U << 20;

/// A root with a /proc and control groups of its own.
class Tree {
public:
  void write(const std::string &path, std::string_view content) const {
    std::filesystem::create_directories(std::filesystem::path(scratch_ / path).parent_path());
    std::ofstream(scratch_ / path) << content;
  }
  void write_group(const std::string &path, const std::map<std::string, std::string> &files) const {
    std::filesystem::create_directories(scratch_ / path);
    for (const auto &[name, content] : files)
      write(path + "/" + name, content);
  }
  /// A line of mountinfo; `device` tells the mount apart from others, the right one where it is left out.
  std::string mount(std::string_view group, std::string_view point, std::string_view type, std::string_view options,
                    std::string_view device = {}) const {
    struct stat status;
    REQUIRE(stat(scratch_.path().c_str(), &status) == 0);
    const std::string own = fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev));
    return fmt::format("31 23 {} {} {} rw,relatime shared:9 master:2 - {} cgroup rw,{}\n",
                       device.empty() ? own : std::string(device), group, point, type, options);
  }
  Result<ControlGroupMemory> read() const { return read_cgroup_memory(process, scratch_.path()); }
  const test::TemporaryDirectory &scratch() const { return scratch_; }

private:
  test::TemporaryDirectory scratch_;
};

std::string bytes(std::uint64_t megabytes) {
  return fmt::format("{}\n", megabytes * megabyte);
}

TEST_CASE("a group of version 2 has the limits of all groups above it, and tells which is the nearest") {
  const Tree tree;
  tree.write("proc/42/cgroup", "0::/pod/web/worker\n");
  tree.write("proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n" +
                                        tree.mount("/", "/sys/fs/cgroup\\040two", "cgroup2", "nsdelegate"));
  const std::string top = "sys/fs/cgroup two";
  tree.write_group(top, {{"cgroup.controllers", "memory\n"}, {"memory.stat", "anon 5\n"}});
  tree.write_group(top + "/pod",
                   {{"cgroup.type", "domain\n"}, {"memory.current", bytes(900)}, {"memory.max", bytes(1000)}});
  tree.write_group(top + "/pod/web",
                   {{"memory.current", bytes(300)},
                    {"memory.max", bytes(800)},
                    {"memory.high", bytes(700)},
                    {"memory.peak", bytes(400)},
                    {"memory.swap.current", bytes(3)},
                    {"memory.swap.max", "max\n"},
                    {"memory.stat", "anon 11\nfile 12\nkernel 13\nkernel_stack 1\ninactive_file 14\n"},
                    {"memory.events", "low 0\nhigh 21\nmax 22\noom 23\noom_kill 24\nodd\nodd x\n"}});
  tree.write_group(top + "/pod/web/worker", {{"cgroup.type", "threaded\n"}}); // no account of its own

  const auto memory = tree.read();
  REQUIRE(memory.has_value());
  CHECK(memory->version == 2);
  CHECK(memory->path == "/pod/web");
  CHECK(memory->current == 300 * megabyte);
  CHECK(memory->limit == 800 * megabyte);
  CHECK(memory->limit_path == "/pod/web");
  CHECK(memory->limit_current == 300 * megabyte);
  REQUIRE(memory->limits.size() == 2);
  CHECK(memory->limits[0].room() == 500 * megabyte);
  REQUIRE(memory->nearest_limit() != nullptr);
  CHECK(memory->nearest_limit()->path == "/pod"); // larger, and nearly full
  CHECK(memory->nearest_limit()->room() == 100 * megabyte);
  CHECK_FALSE(memory->limits_may_be_hidden); // what is mounted has no type, so it is the root
  CHECK(memory->high == 700 * megabyte);
  CHECK(memory->peak == 400 * megabyte);
  CHECK(memory->swap_current == 3 * megabyte);
  CHECK_FALSE(memory->swap_limit.has_value());
  CHECK(memory->anonymous == 11U);
  CHECK(memory->file == 12U);
  CHECK(memory->kernel == 13U);
  CHECK(memory->reclaimable == 14U);
  CHECK(memory->events == std::vector<std::pair<std::string, std::uint64_t>>{
                              {"low", 0}, {"high", 21}, {"max", 22}, {"oom", 23}, {"oom_kill", 24}});

  // Equal limits: the upper one holds the lower, and is reached first.
  tree.write(top + "/pod/memory.max", bytes(800));
  CHECK(tree.read()->limit_path == "/pod");
  CHECK(tree.read()->nearest_limit()->room() == 0); // 900 of 800
  // None at all; and what is not a number is none.
  tree.write(top + "/pod/memory.max", "max\n");
  tree.write(top + "/pod/web/memory.max", "99999999999999999999999\n");
  CHECK_FALSE(tree.read()->limit.has_value());
  CHECK(tree.read()->limits.empty());
  CHECK(tree.read()->nearest_limit() == nullptr);
  tree.write(top + "/pod/web/memory.current", "many\n");
  CHECK(tree.read().error().kind() == ErrorKind::corrupt);
}

TEST_CASE("a group of version 1 has the limit that results from all above it, on a machine with both versions, too") {
  const Tree tree;
  const auto no_limit = "9223372036854771712\n";
  tree.write("proc/42/cgroup", "9:name=systemd:/x\n7:cpu,memory:/a:b/c\n3:cpuset:/\n0::/unified\n");
  tree.write("proc/self/mountinfo", tree.mount("/", "/cg/cpuset", "cgroup", "cpuset") +
                                        tree.mount("/", "/cg/unified", "cgroup2", "") +
                                        tree.mount("/", "/cg/memory", "cgroup", "cpu,memory"));
  tree.write_group("cg/unified/unified", {{"memory.current", bytes(1)}}); // not the one
  tree.write_group("cg/memory", {{"memory.usage_in_bytes", bytes(5000)}, {"memory.limit_in_bytes", no_limit}});
  tree.write_group("cg/memory/a:b", {{"memory.usage_in_bytes", bytes(60)}, {"memory.limit_in_bytes", bytes(64)}});
  const std::string group = "cg/memory/a:b/c";
  tree.write_group(group, {{"memory.usage_in_bytes", bytes(50)},
                           {"memory.limit_in_bytes", bytes(100)},
                           {"memory.max_usage_in_bytes", bytes(99)},
                           {"memory.kmem.usage_in_bytes", bytes(4)},
                           {"memory.failcnt", "7\n"},
                           {"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"},
                           {"memory.stat", "cache 1\nrss 2\nhierarchical_memory_limit 67108864\ntotal_cache 31\n"
                                           "total_rss 32\ntotal_inactive_file 33\ntotal_swap 34\n"}});
  const auto memory = tree.read();
  REQUIRE(memory.has_value());
  CHECK(memory->version == 1);
  CHECK(memory->path == "/a:b/c");
  CHECK(memory->current == 50 * megabyte);
  CHECK(memory->limit == 64 * megabyte);
  CHECK(memory->limit_path == "/a:b");
  CHECK(memory->limit_current == 60 * megabyte);
  CHECK(memory->limits.size() == 2);
  CHECK(memory->peak == 99 * megabyte);
  CHECK(memory->kernel == 4 * megabyte);
  CHECK(memory->file == 31U);
  CHECK(memory->anonymous == 32U);
  CHECK(memory->reclaimable == 33U);
  CHECK(memory->swap_current == 34U);
  CHECK(memory->events == std::vector<std::pair<std::string, std::uint64_t>>{{"failcnt", 7}, {"oom_kill", 3}});

  // One above all that is mounted; and a group without hierarchy, to which those above do not count.
  tree.write(group + "/memory.stat", "hierarchical_memory_limit 1048576\n");
  CHECK(tree.read()->limit == megabyte);
  CHECK(tree.read()->limit_path.empty());
  CHECK(tree.read()->nearest_limit()->path == "/a:b");
  tree.write(group + "/memory.stat", "hierarchical_memory_limit 104857600\n");
  CHECK(tree.read()->limit == 100 * megabyte);
  CHECK(tree.read()->limits.size() == 1);
  tree.write(group + "/memory.stat", fmt::format("hierarchical_memory_limit {}", no_limit));
  tree.write(group + "/memory.limit_in_bytes", no_limit);
  CHECK_FALSE(tree.read()->limit.has_value());
}

TEST_CASE("a container's group is found through the mounts that show it") {
  // Each row: the process' group, our mount and that of the process (which group, which device), and what is found:
  // where, or a part of the error.
  const struct {
    std::string what;
    std::string group;
    std::string ours;
    std::string theirs;
    std::string device_of_ours;
    std::string found_path;
    std::uint64_t found; ///< the account's megabytes: 1 in the mounted group of ours, 2 below it, 3 of theirs
    std::string error;
  } rows[] = {
      {"ours is the container's, and the process is in it", "/docker/1", "/docker/1", "", "", "/docker/1", 1, ""},
      {"below the container's", "/docker/1/below", "/docker/1", "", "", "/docker/1/below", 2, ""},
      {"a name that only begins the same", "/docker/12", "/docker/1", "", "", "", 0, "show /docker/1 at /cg"},
      {"in a neighbour container, which its own mount shows", "/../2", "/", "/../2", "", "/../2", 3, ""},
      {"a path that would lead out of the mount", "/../../below", "/", "", "", "", 0, "cannot be seen from here"},
      {"ours is mounted over", "/below", "/", "/below", "0:9999", "/below", 3, ""},
      {"mounted over, and nothing else", "/below", "/", "", "0:9999", "", 0, "No such file"},
      {"gone", "/below (deleted)", "/", "", "", "", 0, "has been removed"},
      {"a group that is not there", "/nowhere", "/", "", "", "", 0, "should show it below"},
  };
  for (const auto &row : rows) {
    INFO(row.what);
    const Tree tree;
    tree.write("proc/42/cgroup", fmt::format("0::{}\n", row.group));
    tree.write("proc/self/mountinfo", tree.mount(row.ours, "/cg", "cgroup2", "", row.device_of_ours));
    tree.write("proc/42/mountinfo", row.theirs.empty() ? "" : tree.mount(row.theirs, "/theirs", "cgroup2", ""));
    tree.write_group("cg", {{"memory.current", bytes(1)}, {"cgroup.type", "domain\n"}});
    tree.write_group("cg/below", {{"memory.current", bytes(2)}});
    tree.write_group("below", {{"memory.current", bytes(4)}}); // beside the mounts
    tree.write_group("proc/42/root/theirs", {{"memory.current", bytes(3)}, {"cgroup.type", "domain\n"}});
    const auto memory = tree.read();
    if (!row.error.empty()) {
      REQUIRE_FALSE(memory.has_value());
      CHECK(memory.error().kind() == ErrorKind::not_found);
      CAPTURE(memory.error().message());
      CHECK(memory.error().message().find(row.error) != std::string::npos);
      continue;
    }
    REQUIRE(memory.has_value());
    CHECK(memory->path == row.found_path);
    CHECK(memory->current == row.found * megabyte);
    CHECK(memory->limits_may_be_hidden);
  }
}

TEST_CASE("a process whose memory is not accounted has no account, and the error says so") {
  const Tree tree;
  CHECK(tree.read().error().kind() == ErrorKind::not_found);
  tree.write("proc/42/cgroup", "3:cpuset:/\n2:memory:relative\nnonsense\n");
  CHECK(tree.read().error().message().find("names no control group") != std::string::npos);
  tree.write("proc/42/cgroup", "0::/a\n");
  CHECK(tree.read().error().message().find("our mounts cannot be read") != std::string::npos);
  tree.write("proc/self/mountinfo", tree.mount("/", "/cg", "cgroup", "cpu,memory") + "1 2 x / / -\n - cgroup2\n\n");
  CHECK(tree.read().error().message().find("our mounts show no such hierarchy") != std::string::npos);
  tree.write("proc/self/mountinfo", tree.mount("/", "/cg", "cgroup2", ""));
  tree.write_group("cg/a", {});
  CHECK(tree.read().error().message().find("has memory.current") != std::string::npos);
  // What another process mounted may be anything: nobody waits for the writer of a FIFO, or for the end of a file.
  REQUIRE(mkfifo((tree.scratch() / "cg/a/memory.current").c_str(), 0600) == 0);
  CHECK(tree.read().error().kind() == ErrorKind::corrupt);
  std::filesystem::remove(tree.scratch() / "cg/a/memory.current");
  std::filesystem::create_symlink("/dev/zero", tree.scratch() / "cg/a/memory.current");
  CHECK(tree.read().error().kind() == ErrorKind::corrupt);
}

TEST_CASE("no damaged list of groups or mounts ends the search for a group") {
  const std::string groups = "9:name=systemd:/x\n7:cpu,memory:/a/b\n0::/../unified/x (deleted)\n";
  const std::string mounts = "31 23 0:28 /.. /sys/fs\\040/cgroup rw shared:9 master:2 - cgroup2 cgroup rw,nsdelegate\n"
                             "32 23 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  std::mt19937 random(7);
  const auto damaged = [&](std::string text) {
    for (auto changes = random() % 6 + 1; changes > 0 && !text.empty(); --changes) {
      const std::size_t place = random() % text.size();
      if (random() % 3 == 0)
        text.erase(place, random() % 20);
      else if (random() % 2 == 0)
        text[place] = static_cast<char>(random());
      else
        text.insert(place, text.substr(random() % text.size(), random() % 40));
    }
    return text;
  };
  for (int round = 0; test::fuzz_goes_on(round, 3000); ++round) {
    const auto group = memory_group(parse_control_groups(damaged(groups)));
    for (const ControlGroupMount &mount : parse_control_group_mounts(damaged(mounts))) {
      REQUIRE((mount.version == 1 || mount.version == 2));
      const auto names = names_below(mount, group ? group->path : "/");
      for (std::size_t i = 0; names && i < names->size(); ++i)
        REQUIRE((names->at(i) != ".." && names->at(i).find('/') == std::string::npos));
    }
  }
}

/// The directory of the memory controller, version 1, of this machine; empty without one.
std::string memory_hierarchy() {
  std::ifstream file("/proc/self/mountinfo");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const ControlGroupMount &mount : parse_control_group_mounts(text)) {
    if (mount.version == 1 && mount.group == "/" && lists_name(mount.controllers, "memory"))
      return mount.mount_point;
  }
  return {};
}

std::uint64_t number_in(const std::string &path) {
  std::uint64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

TEST_CASE("the account of a process of this machine is the one in its group's files") {
  const auto memory = read_cgroup_memory(::getpid());
  if (!memory)
    SKIP_TEST(memory.error().message().c_str());
  CHECK(memory->current > 0);
  CHECK(memory->path.starts_with('/'));
  const std::string hierarchy = memory_hierarchy();
  if (memory->version == 1 && !hierarchy.empty()) {
    // The limits do not change by themselves.
    std::uint64_t least = ~0ULL;
    for (std::string path = memory->path; path.size() > 1; path.resize(path.rfind('/')))
      least = std::min(least, number_in(hierarchy + path + "/memory.limit_in_bytes"));
    CHECK(memory->limit.value_or(9223372036854771712U) == std::min<std::uint64_t>(least, 9223372036854771712U));
    CHECK(memory->peak.value_or(0) > 0);
    CHECK(memory->events.front().first == "failcnt");
  }
  // A process whose leader has ended is in its group all the same.
  test::ChildProcess zombie({test::fixture_path("zombie_leader")});
  zombie.wait_for_line();
  CHECK(read_cgroup_memory(zombie.pid())->path == memory->path);
  zombie.signal(9);
  zombie.wait();
  CHECK(read_cgroup_memory(zombie.pid()).error().kind() == ErrorKind::no_such_process);
}

TEST_CASE("the kernel's own files of nested groups of version 1 are read with their limits") {
  // Two new groups, which no process enters: what is read of them is what the kernel writes there.
  const std::string hierarchy = memory_hierarchy();
  if (hierarchy.empty())
    SKIP_TEST("no hierarchy of version 1 with the memory controller is mounted whole");
  const std::string name = fmt::format("/inspect-test-{}", ::getpid());
  struct Groups {
    std::string outer;
    std::string inner;
    ~Groups() {
      ::rmdir(inner.c_str());
      ::rmdir(outer.c_str());
    }
  } const groups{hierarchy + name, hierarchy + name + "/inner"};
  if (::mkdir(groups.outer.c_str(), 0755) != 0 || ::mkdir(groups.inner.c_str(), 0755) != 0)
    SKIP_TEST("new control groups cannot be made here");
  const auto limit_to = [](const std::string &group, std::uint64_t megabytes) {
    std::ofstream(group + "/memory.limit_in_bytes") << megabytes * megabyte;
    return number_in(group + "/memory.limit_in_bytes") == megabytes * megabyte;
  };
  REQUIRE(limit_to(groups.outer, 64));
  REQUIRE(limit_to(groups.inner, 256));

  const Tree tree;
  tree.write("proc/42/cgroup", fmt::format("4:memory:{}/inner\n", name));
  struct stat status;
  REQUIRE(stat(hierarchy.c_str(), &status) == 0);
  tree.write("proc/self/mountinfo", tree.mount("/", "/linked", "cgroup", "memory",
                                               fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev))));
  std::filesystem::create_symlink(hierarchy, tree.scratch() / "linked");
  const auto memory = tree.read();
  REQUIRE(memory.has_value());
  CHECK(memory->path == name + "/inner");
  CHECK(memory->current < megabyte); // the kernel charges groups for what they cost itself
  CHECK(memory->limit == 64 * megabyte);
  CHECK(memory->limit_path == name);
  CHECK(memory->limits.size() >= 2);
  CHECK(memory->nearest_limit()->path == name);
  CHECK(memory->nearest_limit()->room() + memory->limit_current == 64 * megabyte);
  CHECK(memory->anonymous == 0U);
  CHECK(memory->file == 0U);
  CHECK(memory->reclaimable == 0U);
  CHECK(memory->events == std::vector<std::pair<std::string, std::uint64_t>>{{"failcnt", 0}, {"oom_kill", 0}});
}

} // namespace
} // namespace inspect
