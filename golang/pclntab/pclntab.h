// The pclntab ("pc/line table"): for every pc of a Go image its function, file, line, inlined calls, frame size, and
// where the function's argument description lies. The runtime needs it for tracebacks and garbage collection, so no
// linker flag strips it.
//
//     const auto function = table.find(pc);
//     const auto frame_bytes = table.stack_delta(*function, pc);   // CFA = stack pointer + frame_bytes + 8
//     for (const GoSourceFrame &frame : table.frames(*function, pc)) …   // innermost first
//
// All bytes are hostile: counts and offsets are checked against the tables they index, varints and walks are capped.
//
// Sources: runtime/symtab.go and internal/abi/symtab.go, Go 1.16 to 1.27; "Go 1.2 Runtime Symbol Information".
#pragma once

#include "dwarf/module/module.h"
#include "golang/pclntab/func_id.h"
#include "golang/pclntab/module_data.h"
#include "golang/pclntab/pclntab_header.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace inspect {

struct GoFunction {
  RunAddress entry;
  RunAddress end; ///< the next function's entry
  std::string_view
      name; ///< as linked: "main.(*Server).handle-fm", "main.Map[go.shape.int]" (golang/pclntab/function_name.h
            ///< has what is printed); lives as long as the table and the module
  GoFuncId func_id = GoFuncId::normal;
  bool top_frame = false;            ///< the outermost frame of any stack (since 1.17; earlier by name)
  bool writes_stack_pointer = false; ///< assembly that sets SP: its stack delta holds only where it is the innermost
  bool assembly = false;             ///< since 1.17
  std::int32_t arguments_size = 0;   ///< bytes; negative: unknown (variadic assembly)
  std::uint32_t defer_return = 0;    ///< offset of the deferreturn call from entry; 0: none
  std::int32_t start_line = 0;       ///< of the func keyword, since 1.20; 0: unknown
  std::uint64_t record = 0;          ///< where its _func lies in function_records, for the table's own use
};

/// One function at a pc: several where calls were inlined.
struct GoSourceFrame {
  std::string_view function; ///< as linked
  std::string_view file;     ///< "?" where unknown
  int line = 0;
  GoFuncId func_id = GoFuncId::normal;
  bool inlined = false; ///< its code is part of the next frame's function
  std::int32_t start_line = 0;
  RunAddress pc = {}; ///< whose file and line these are: of an outer frame a place in the inlined call
};

/// Indices of pc-data and function-data tables: internal/abi/symtab.go.
enum class GoPcData : std::uint32_t { unsafe_point = 0, stack_map = 1, inline_tree = 2, argument_liveness = 3 };
enum class GoFunctionData : std::uint32_t {
  arguments_pointer_maps = 0,
  locals_pointer_maps = 1,
  stack_objects = 2,
  inline_tree = 3,
  open_coded_defers = 4,
  argument_info = 5,
  argument_liveness = 6,
};

class Pclntab {
public:
  /// The tables that `data` names. `memory` must hold them (live memory, or a file's image) and outlive the object.
  /// Where `module` is given, it must outlive the object, too, and what its file holds as it is in memory is used from
  /// there instead of being copied: a large program has 100 MB of tables.
  static Result<std::unique_ptr<Pclntab>> read(const ModuleData &data, GoVersion version, const MemoryView &memory,
                                               const Module *module = nullptr);
  ~Pclntab();
  Pclntab(const Pclntab &) = delete;
  Pclntab &operator=(const Pclntab &) = delete;

  std::size_t function_count() const;
  /// By index, ascending by entry; for listing.
  std::optional<GoFunction> function(std::size_t index) const;
  /// The function with this pc in it.
  std::optional<GoFunction> find(RunAddress pc) const;
  /// The function of this name, as linked or as printed; of several the first that is not a wrapper. An index is built
  /// on first use.
  std::optional<GoFunction> find(std::string_view name) const;
  /// All of this name: one as printed stands for every instance of a generic function. Ascending by entry.
  std::vector<GoFunction> find_all(std::string_view name) const;

  /// Bytes between the stack pointer and the return address's slot at `pc`; nothing where the table does not say.
  std::optional<std::int32_t> stack_delta(const GoFunction &function, RunAddress pc) const;
  std::optional<std::int32_t> pc_data(const GoFunction &function, GoPcData table, RunAddress pc) const;
  /// Run-time address; nothing where the function has none.
  std::optional<RunAddress> function_data(const GoFunction &function, GoFunctionData which) const;
  /// The physical function and the calls inlined at `pc`, innermost first, at least one. For a return address pass it
  /// minus one byte.
  std::vector<GoSourceFrame> frames(const GoFunction &function, RunAddress pc) const;
  /// Every file named for the function's compilation unit is not needed; `sources` lists all of the image.
  std::vector<std::string_view> files() const;

private:
  struct State;
  explicit Pclntab(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace inspect
