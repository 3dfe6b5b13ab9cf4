#include "attach/cgroup/freezer.h"

#include "attach/cgroup/control_group_place.h"
#include "attach/procfs/proc_text.h"

#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_freezer_text = 4096;

std::string text_in(const ControlGroupPlace &place, const std::string &name) {
  const FileDescriptor directory = place.open(place.depth());
  return directory ? read_small_file(directory.get(), name, max_freezer_text).value_or(std::string()) : std::string();
}

/// freezer.state is "FROZEN" also where a group above is frozen; "FREEZING" while one of its threads still runs.
bool is_frozen_by_version_1(const ControlGroupPlace &place) {
  const std::string state = text_in(place, "freezer.state");
  return trimmed(state) == "FROZEN" || trimmed(state) == "FREEZING";
}

/// cgroup.events tells the state, whichever group above asked for it; cgroup.freeze tells what is asked of this one.
bool is_frozen_by_version_2(const ControlGroupPlace &place) {
  const std::string events = text_in(place, "cgroup.events");
  std::string_view rest = events;
  while (!rest.empty())
    if (trimmed(take_until(rest, '\n')) == "frozen 1")
      return true;
  const std::string asked = text_in(place, "cgroup.freeze");
  return trimmed(asked) == "1";
}

} // namespace

std::optional<FrozenGroup> find_freezer(pid_t process) {
  return find_freezer(process, {});
}

std::optional<FrozenGroup> find_freezer(pid_t process, const std::string &root) {
  const std::string directory = fmt::format("/proc/{}", process);
  const auto groups = read_control_groups(directory, root);
  if (!groups)
    return std::nullopt;
  if (const auto group = group_of_controller(*groups, "freezer"))
    if (const auto place = find_group(*group, directory, root); place && is_frozen_by_version_1(*place))
      return FrozenGroup{1, group->path};
  if (const auto group = group_of_version_2(*groups))
    if (const auto place = find_group(*group, directory, root); place && is_frozen_by_version_2(*place))
      return FrozenGroup{2, group->path};
  return std::nullopt;
}

} // namespace inspect
