// One frame as the expressions of variables see it: registers as they were in it, its CFA, memory, and the frame that
// called it, for what only the caller still knows (DW_OP_entry_value).
#pragma once

#include "dwarf/module/module_map.h"
#include "machine/address.h"
#include "machine/error.h"
#include "machine/memory_view.h"
#include "machine/registers.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace inspect {

struct FrameContext {
  Module *module = nullptr; ///< null: the pc is in none, and nothing but registers is known
  RunAddress pc;
  RunAddress lookup;                      ///< the address that names are looked up at: of return addresses one less
  const RegisterSet *registers = nullptr; ///< the recovered ones; null: not kept
  std::optional<RunAddress> cfa;
  const MemoryView *memory = nullptr;
  ModuleMap *modules = nullptr;
  /// The physical frame that called this one; null: there is none, or it is guessed, and then entry values are not
  /// recoverable. Must outlive the context.
  const FrameContext *caller = nullptr;
  /// Where the thread has its own copy of what lies `offset` bytes into the module's TLS segment. May be empty.
  std::function<Result<RunAddress>(Module &module, std::uint64_t offset)> thread_local_address = {};
};

} // namespace inspect
