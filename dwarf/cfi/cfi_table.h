// How to get from a frame to its caller at a given pc: the call frame information of one module, decoded through libdw
// from .eh_frame and .debug_frame into rows of plain data, and kept by pc, since decoding costs a thousand times more
// than applying (dwarf/unwind/unwind_step.h).
//
// Sources: DWARF 5 section 6.4, "Call Frame Information"; LSB core, ".eh_frame"; System V psABI for x86-64,
// section 3.7.
#pragma once

#include "dwarf/expression/cfi_expression.h"
#include "machine/address.h"
#include "machine/error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace inspect {

class Module;
class ModuleMap;

/// How one register of the caller (or the CFA) is computed: DWARF's register rules, by their names there.
struct RegisterRule {
  enum class Kind : std::uint8_t {
    undefined,      ///< not recoverable
    same_value,     ///< the callee did not touch it
    offset,         ///< saved at CFA + offset
    val_offset,     ///< equals CFA + offset
    in_register,    ///< in another register + offset
    expression,     ///< saved where the expression points
    val_expression, ///< the expression's value
  };
  Kind kind = Kind::undefined;
  unsigned dwarf_number = 0; ///< whose rule this is; of the CFA rule: unused
  unsigned from_register = 0;
  std::int64_t offset = 0;
  CfiExpression expression; ///< of the kinds expression and val_expression
};

/// One row of the table that call frame information encodes: the rules that hold for a range of pcs.
struct CfiRow {
  RegisterRule cfa;                    ///< in_register or val_expression
  std::vector<RegisterRule> registers; ///< those whose rule is not the ABI's default
  unsigned return_address_register = 16;
  bool signal_frame = false; ///< the augmentation has 'S': the caller's pc is exact, not a return address
  LinkRange valid;           ///< the row holds for these pcs
};

class CfiTable {
public:
  explicit CfiTable(Module &module);
  ~CfiTable();
  CfiTable(const CfiTable &) = delete;
  CfiTable &operator=(const CfiTable &) = delete;

  /// Parses the tables' headers, so that at() opens no file.
  void warm_up();
  /// Null where no table covers the pc (`reason()` of the last miss says more). The row lives as long as this object.
  const CfiRow *at(LinkAddress pc);
  /// Why the last at() that returned null found nothing, one clause.
  const std::string &reason() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The module's own, kept with it.
CfiTable &cfi_of(Module &module);
/// Warms up those of all modules, so that nothing is opened or parsed while the target is stopped.
void open_cfi_tables(ModuleMap &modules);

} // namespace inspect
