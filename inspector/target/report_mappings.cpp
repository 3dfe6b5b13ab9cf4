#include "inspector/target/report_mappings.h"

#include <algorithm>

namespace inspect {

std::vector<ReportMapping> report_mappings(Target &target) {
  std::vector<ReportMapping> mappings;
  for (const Mapping &mapping : target.maps()) {
    if (!mapping.executable)
      continue;
    const Module *module = target.modules().find(mapping.range.begin);
    mappings.push_back(
        {mapping.range, mapping.offset, mapping.path, module != nullptr ? to_hex(module->build_id()) : std::string()});
  }
  std::ranges::stable_partition(mappings,
                                [&](const ReportMapping &mapping) { return mapping.path == target.executable(); });
  return mappings;
}

} // namespace inspect
