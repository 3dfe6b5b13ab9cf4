// From names to addresses, and lists of names: what `funcs`, `sources`, `list FUNCTION`, completion and address
// expressions ask. Names are what people type: "write", "ns::Class::method", "ns::f(int)" or the mangled name.
#pragma once

#include "inspector/target/target.h"
#include "machine/cancellation.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct FoundSymbol {
  std::string name; ///< demangled
  RunAddress address;
  std::uint64_t size = 0; ///< 0: unknown
  bool is_function = false;
};

/// A demangled name without its parameters: "ns::f<int>" of "ns::f<int>(char) const".
std::string_view without_parameters(std::string_view name);

/// The first module in address order wins, so the executable comes before its libraries; a PLT entry only when nothing
/// else has the name. not_found otherwise.
Result<FoundSymbol> find_symbol(Target &target, std::string_view name, const Cancellation &cancellation);

/// Demangled names of functions for which `wanted` is true, sorted, each once.
Result<std::vector<std::string>> function_names(Target &target, const std::function<bool(const std::string &)> &wanted,
                                                const Cancellation &cancellation);

/// At most `limit` names of functions and variables that begin with `prefix`, sorted.
std::vector<std::string> names_beginning(Target &target, std::string_view prefix, std::size_t limit,
                                         const Cancellation &cancellation);

/// Source files of all modules, sorted, each once.
Result<std::vector<std::string>> source_files(Target &target, const Cancellation &cancellation);

} // namespace inspect
