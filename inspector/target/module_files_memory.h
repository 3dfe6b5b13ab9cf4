// The read-only bytes of all modules, from their files: right whatever the target does meanwhile.
#pragma once

#include "dwarf/module/module_map.h"
#include "machine/memory_view.h"

#include <fmt/format.h>

namespace inspect {

class ModuleFilesMemory final : public MemoryView {
public:
  /// `modules` must outlive the object.
  explicit ModuleFilesMemory(const ModuleMap &modules) : modules_(modules) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    const Module *module = modules_.find(address);
    if (module == nullptr)
      return std::unexpected(Error(ErrorKind::unreadable, fmt::format("no module at {:#x}", address.value)));
    return module->file_memory().read(address, into);
  }

private:
  const ModuleMap &modules_;
};

} // namespace inspect
