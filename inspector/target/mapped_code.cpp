#include "inspector/target/mapped_code.h"

#include "machine/elf_headers.h"

#include <algorithm>

namespace inspect {

std::vector<LibraryRow> list_libraries(Target &target) {
  std::vector<LibraryRow> rows;
  for (Module *module : target.modules().modules()) {
    module->dwarf(); // finding it is what settles the reason
    rows.push_back({module->range(), module->path(), to_hex(module->build_id()), module->debug_info_reason(),
                    module->from_memory()});
  }
  return rows;
}

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
