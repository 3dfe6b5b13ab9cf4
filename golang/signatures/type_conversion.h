// Makes Go types of what DWARF says of them: the attribute DW_AT_go_kind tells strings, slices, maps, channels and
// interfaces from the structures and pointers that stand for them.
//
// What pointers lead to is converted a few steps far only, because the types that one parameter leads to may be half of
// the program's; beyond that only name and size are known.
//
// Source: cmd/link/internal/ld/dwarf.go, newtype and the synthesize functions, Go 1.16 to 1.26.
#pragma once

#include "dwarf/types/go_constants.h"
#include "dwarf/types/type_reader.h"
#include "golang/types/go_type.h"

#include <unordered_map>

namespace inspect {

class GoTypeConverter {
public:
  /// Both must outlive the object; the types live in the pool.
  GoTypeConverter(TypeReader &reader, GoTypePool &pool) : reader_(reader), pool_(pool) {}

  /// Never null; of kind unknown where the DIE says nothing that is Go's.
  const GoType *convert(const TypeHandle &handle);
  /// Of a type that convert() reached but did not follow, or only part of the way: what it consists of, in place. Types
  /// from elsewhere stay as they are.
  void complete(const GoType &type);
  /// The constants of an integer type that was made here; empty where there are none.
  const std::vector<GoConstant> &constants(const GoType &type);

private:
  struct Converted {
    GoType *type = nullptr;
    int steps = -1; ///< how far it was followed; -1: only its name, kind and size
  };
  /// A DIE with the typedefs before it.
  struct Described {
    std::string name;
    const DwarfType *type = nullptr; ///< the first with a Go kind, else the last
    unsigned kind = 0;               ///< reflect.Kind; 0: none
  };

  GoType *convert(const TypeHandle &handle, int steps, int nesting);
  Described describe(const TypeHandle &handle);
  void fill(GoType &type, const Described &described, int steps, int nesting);
  void fill_structure(GoType &type, const Described &described, int steps, int nesting);
  void fill_array(GoType &type, const Described &described, int steps, int nesting);

  TypeReader &reader_;
  GoTypePool &pool_;
  std::unordered_map<const void *, Converted> converted_;       ///< by DIE, or by what the reader made
  std::unordered_map<const GoType *, TypeHandle> descriptions_; ///< of the types made here
  GoConstants constants_;
  std::unordered_map<const GoType *, std::vector<GoConstant>> constants_of_;
};

} // namespace inspect
