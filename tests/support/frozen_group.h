// A control group of our own that freezes a process for the time of a scope, as `docker pause` does.
//
//     const auto frozen = FrozenGroup::freeze(FreezerVersion::one, child.pid());
//     if (!frozen) SKIP_TEST("no freezer of version 1 can be used here");
//
// It must end before the process does: a frozen process cannot be killed.
#pragma once

#include <memory>
#include <string>
#include <sys/types.h>

namespace inspect::test {

enum class FreezerVersion { one, two };

class FrozenGroup {
public:
  /// Null where that hierarchy is not mounted, or no group can be made or frozen in it.
  static std::unique_ptr<FrozenGroup> freeze(FreezerVersion version, pid_t process);
  FrozenGroup(const FrozenGroup &) = delete;
  FrozenGroup &operator=(const FrozenGroup &) = delete;
  /// Thaws the process, puts it back where it was, and removes the group.
  ~FrozenGroup();
  /// As /proc/PID/cgroup names it.
  const std::string &path() const { return path_; }

private:
  FrozenGroup() = default;
  bool enter_and_freeze();

  FreezerVersion version_{};
  pid_t process_ = 0;
  std::string parent_; ///< the directory of the group that the process was in
  std::string directory_;
  std::string path_;
};

} // namespace inspect::test
