#include "attach/cgroup/control_groups.h"

#include "attach/procfs/proc_text.h"

namespace inspect {

bool lists_name(std::string_view names, std::string_view wanted) {
  while (!names.empty()) {
    if (take_until(names, ',') == wanted)
      return true;
  }
  return false;
}

bool ControlGroup::controls(std::string_view controller) const {
  return lists_name(controllers, controller);
}

std::string ControlGroup::path_with_mark() const {
  return removed ? path + " (deleted)" : path;
}

std::vector<ControlGroup> parse_control_groups(std::string_view text) {
  std::vector<ControlGroup> groups;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n'); // hierarchy-ID:controllers:path; the path may hold colons
    const auto hierarchy = whole_number<unsigned>(take_until(line, ':'));
    ControlGroup group;
    group.controllers = take_until(line, ':');
    group.removed = take_deleted_mark(line);
    group.path = line;
    if (hierarchy && group.controllers.empty() == (*hierarchy == 0) && group.path.starts_with('/'))
      groups.push_back(std::move(group));
  }
  return groups;
}

} // namespace inspect
