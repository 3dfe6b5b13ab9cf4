// Which language runtime a program was built with, told from its executable alone: Go by its build info, C++ and Rust
// by what they link and carry, interpreters by their libraries. One executable is looked at once, however many
// processes run it.
#pragma once

#include "attach/procfs/memory_map.h"
#include "machine/error.h"

#include <string>
#include <vector>

namespace inspect {

/// A Go library in a process that is no Go program itself, with a runtime of its own.
struct HostedRuntime {
  std::string version; ///< "go1.22.1"; empty: unknown
  std::string library; ///< its path
};

/// What stands in the `runtime` object of the JSON formats.
struct RuntimeInfo {
  std::string language;  ///< "go", "c++", "c", "rust", "python", "java", "node", "other"; empty: may not look
  std::string version;   ///< "go1.22.1", "3.11" …; empty: unknown
  std::string module;    ///< Go: path of the main module
  bool stripped = false; ///< neither symbol table nor DWARF in the executable
  bool is_32_bit = false;
  std::vector<HostedRuntime> hosts; ///< of a process, where its mappings were looked at

  /// "go" or "native", as in the JSON of `stacks`.
  std::string_view kind() const { return language == "go" ? "go" : "native"; }
};

/// From an open ELF executable. `name` helps with interpreters ("python3.11", "java", "node").
Result<RuntimeInfo> detect_runtime(int descriptor, std::string_view name);

} // namespace inspect
