// What reading a value takes besides the value: memory, modules, types. One per look at a process; not thread-safe, as
// libdw is not.
#pragma once

#include "dwarf/module/module_map.h"
#include "dwarf/types/type_reader.h"
#include "golang/arguments/word_values.h"
#include "golang/signatures/type_conversion.h"
#include "golang/types/runtime_types.h"
#include "machine/cancellation.h"
#include "machine/memory_view.h"
#include "values/value.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace inspect {

/// Of a Go process; absent members cost what they are for.
struct GoValueEnvironment {
  GoVersion version;
  GoTypePool *pool = nullptr; ///< never null; where types made of DWARF or of expressions live
  /// Never null; makes types of DWARF in that pool, and one for all looks, since it completes the types that it made.
  GoTypeConverter *converter = nullptr;
  GoRuntimeTypes *types = nullptr; ///< null: not found in the binary
  const std::vector<GoImage> *images = nullptr;
  std::function<std::string(RunAddress)> classify; ///< as ValueContext::classify
  /// The function or method of this name ("main.f", "main.(*T).m"); nothing where the program has none. May be empty.
  std::function<std::optional<Value>(std::string_view name, const MemoryView &memory)> find_function = {};
};

struct ValueEnvironment {
  const MemoryView &memory; ///< the copied stacks first, then files, then the live process
  ModuleMap &modules;
  TypeReader &types;
  std::optional<GoValueEnvironment> go = {}; ///< none: no Go in the process
  /// The type of this qualified name ("ns::Foo<int>", "main.T"), the definition, from any module; nothing where there
  /// is none. May be empty.
  std::function<std::optional<ValueType>(std::string_view name, SourceLanguage language)> find_type = {};
  /// Of a Rust trait object's table of functions at this address: the type that it is for, as the table's own
  /// description says. May be empty.
  std::function<std::optional<TypeHandle>(RunAddress table)> find_rust_table = {};
  /// Where symbols are that were looked for, which takes long in large programs; nothing: no module has it.
  std::unordered_map<std::string, std::optional<RunAddress>> symbol_places = {};
  /// Whoever evaluates wants types and places alone.
  bool null_is_a_place = false;
  /// Whoever evaluates wants types alone: what a value is does not matter, and need not be known.
  bool types_alone = false;
  const Cancellation *cancellation = nullptr;
  /// When whoever prints has no time left: values end with "..." there.
  std::optional<std::chrono::steady_clock::time_point> deadline = {};

  bool out_of_time() const {
    return (cancellation != nullptr && cancellation->requested()) ||
           (deadline && std::chrono::steady_clock::now() >= *deadline);
  }
};

} // namespace inspect
