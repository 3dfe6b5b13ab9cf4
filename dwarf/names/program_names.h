// Names to DIEs: functions, types and globals of one module, by their qualified names. It is read from .debug_names or
// .gdb_index where they exist, else made by a walk over all units: by the worker inspect-dwarfindex, which keeps it in
// the cache by build-id, and in our own process where there is no worker or it fails.
//
//     ProgramNames names(modules);
//     names.start();                                   // in the background; the session is usable meanwhile
//     for (const NamedDie &found : names.find("ns::Foo", NameKind::type)) …
//
// A name may be written as its language writes it ("ns::Class::method", "net/http.Server", "crate::module::f"), with
// any spelling of template arguments (dwarf/raw/names/name_spelling.h: "Foo<unsigned long, 3>" finds "Foo<long unsigned
// int, 3ul>"), with or without inline and unnamed namespaces, and beginning anywhere in its scopes. A function's static
// variable is "function::x", a file's "file.c::x" or "x".
//
// Sources: DWARF 5 sections 6.1.1 (.debug_names), 3.2 (namespaces); gdb manual, "Index Section Format" (.gdb_index
// versions 7 and 8).
#pragma once

#include "dwarf/module/module_map.h"
#include "dwarf/raw/names/name_record.h"
#include "machine/cancellation.h"

#include <cstddef>
#include <cstdint>
#include <elfutils/libdw.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct NamedDie {
  Dwarf_Die die;
  Module *module = nullptr;
  NameKind kind = NameKind::variable;
  std::string name; ///< qualified: "ns::Foo<int>", "main.config", "crate::module::f"
};

class ProgramNames {
public:
  explicit ProgramNames(ModuleMap &modules);
  ~ProgramNames();
  ProgramNames(const ProgramNames &) = delete;
  ProgramNames &operator=(const ProgramNames &) = delete;

  /// Begins to make the indexes that are missing, in the background. Without it find() makes them when it is asked.
  void start();
  struct Progress {
    std::size_t modules_done = 0;
    std::size_t modules = 0;
    bool finished() const { return modules_done >= modules; }
  };
  Progress progress() const;

  /// Definitions of this qualified name, or where there are none, those whose qualified name ends in "::name" or
  /// ".name"; of functions, where there is none of these either, those that differ by template arguments only.
  /// Declarations only where nothing is defined. A function's out-of-line and abstract instances count as one. Asked
  /// for a variable, it finds constants (enumerators, Go's constants) as well, since the languages' own rules do: the
  /// kind of what is found tells. Several where the name is ambiguous; a typedef of a type of the same name is left
  /// out. Waits for the modules' indexes, until `cancellation` says no.
  std::vector<NamedDie> find(std::string_view name, NameKind kind, const Cancellation *cancellation = nullptr);
  /// The same, but also those that only end so where others are of this name: all that a person may mean.
  std::vector<NamedDie> find_inside(std::string_view name, NameKind kind, const Cancellation *cancellation = nullptr);
  /// Qualified names that hold `part`, sorted, at most `limit`: completion, near misses, `types REGEX`.
  std::vector<std::string> names_like(std::string_view part, NameKind kind, std::size_t limit,
                                      const Cancellation *cancellation = nullptr);
  /// After modules came or went.
  void refresh();
  /// Why a module's names are missing, each sentence once.
  std::vector<std::string> take_warnings();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
