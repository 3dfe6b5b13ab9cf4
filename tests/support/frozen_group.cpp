#include "tests/support/frozen_group.h"

#include "tests/support/child_process.h"

#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect::test {
namespace {

std::string text_of(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool write_text(const std::string &path, const std::string &text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

/// Where the hierarchy is mounted, by /proc/mounts; empty: it is not.
std::string mount_point(FreezerVersion version) {
  std::ifstream mounts("/proc/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, point, type, options;
    words >> device >> point >> type >> options;
    const bool fits = version == FreezerVersion::two
                          ? type == "cgroup2"
                          : type == "cgroup" && ("," + options + ",").find(",freezer,") != std::string::npos;
    if (fits)
      return point;
  }
  return {};
}

/// The path in the process' line of that hierarchy.
std::string group_of(FreezerVersion version, pid_t process) {
  std::istringstream lines(text_of(fmt::format("/proc/{}/cgroup", process)));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (version == FreezerVersion::two ? line.starts_with("0::") : controllers.find(",freezer,") != std::string::npos)
      return line.substr(second + 1);
  }
  return {};
}

} // namespace

std::unique_ptr<FrozenGroup> FrozenGroup::freeze(FreezerVersion version, pid_t process) {
  const std::string mount = mount_point(version);
  const std::string group = group_of(version, process);
  if (mount.empty() || group.empty())
    return nullptr;
  std::unique_ptr<FrozenGroup> frozen(new FrozenGroup);
  frozen->version_ = version;
  frozen->process_ = process;
  frozen->parent_ = mount + (group == "/" ? "" : group);
  frozen->path_ = (group == "/" ? "" : group) + fmt::format("/inspect-test-{}", process);
  frozen->directory_ = mount + frozen->path_;
  return frozen->enter_and_freeze() ? std::move(frozen) : nullptr;
}

bool FrozenGroup::enter_and_freeze() {
  if (::mkdir(directory_.c_str(), 0755) != 0)
    return false;
  if (!write_text(directory_ + "/cgroup.procs", std::to_string(process_)))
    return false;
  const bool first = version_ == FreezerVersion::one;
  return write_text(directory_ + (first ? "/freezer.state" : "/cgroup.freeze"), first ? "FROZEN" : "1") &&
         wait_until([&] {
           return first ? text_of(directory_ + "/freezer.state") == "FROZEN\n"
                        : text_of(directory_ + "/cgroup.events").find("frozen 1") != std::string::npos;
         });
}

FrozenGroup::~FrozenGroup() {
  const bool first = version_ == FreezerVersion::one;
  write_text(directory_ + (first ? "/freezer.state" : "/cgroup.freeze"), first ? "THAWED" : "0");
  write_text(parent_ + "/cgroup.procs", std::to_string(process_));
  wait_until([&] { return ::rmdir(directory_.c_str()) == 0 || errno == ENOENT; }, std::chrono::seconds(5));
}

} // namespace inspect::test
