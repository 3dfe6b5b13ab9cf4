// Finds what a mere declaration of a type stands for: the type unit whose signature it carries, or the definition of
// the same name in its unit (which also stands where one DIE refers to a declaration that comes before the definition).
//
// Source: DWARF 5 sections 2.13.2, 3.1.4 (type units), 5.7.1 (incomplete types).
#pragma once

#include <elfutils/libdw.h>
#include <memory>
#include <optional>
#include <unordered_map>

namespace inspect {

class TypeCompletion {
public:
  TypeCompletion();
  ~TypeCompletion();

  std::optional<Dwarf_Die> of(Dwarf_Die declaration);

private:
  struct UnitTypes;
  std::unordered_map<Dwarf_CU *, std::unique_ptr<UnitTypes>> units_;
};

} // namespace inspect
