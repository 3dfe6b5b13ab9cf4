#include "inspector/target/library_list.h"

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

} // namespace inspect
