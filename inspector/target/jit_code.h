// Code that a process made at run time, in anonymous executable memory: where it is, and what it is called as far as
// the program has told debuggers (inspector/target/jit_descriptor.h), or has written that down for perf, in
// /tmp/perf-PID.map. The file is looked for where the process itself sees it, and believed where its user owns it:
// anybody can write one into /tmp.
//
//     JitCode code(target);
//     if (auto found = code.at(pc)) … found->name, found->offset …
//
// Source: the kernel's tools/perf/Documentation/jit-interface.txt.
#pragma once

#include "inspector/target/target.h"
#include "machine/address.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// What is read of such a file; a large Java or Node server writes some 10 MB.
inline constexpr std::size_t max_perf_map = 256U << 20;

/// One line of it.
struct JitSymbol {
  RunRange range;
  std::string name;
};

/// The lines in their order; malformed ones are passed over.
std::vector<JitSymbol> parse_perf_map(std::string_view text);
/// Ascending and side by side. Where code was replaced, the later of those that overlap is the one that holds.
std::vector<JitSymbol> without_replaced(std::vector<JitSymbol> symbols);

class JitCode {
public:
  /// The target must outlive it. Nothing is read before it is asked.
  explicit JitCode(Target &target) : target_(target) {}

  struct Place {
    std::string_view name; ///< empty: not known; lives as long as this object
    std::uint64_t offset = 0;
  };
  /// Nothing where the address is not in anonymous executable memory.
  std::optional<Place> at(RunAddress address);

private:
  void load();
  std::vector<JitSymbol> mapped_symbols() const;

  Target &target_;
  bool loaded_ = false;
  std::vector<JitSymbol> symbols_;
};

/// What to say to whoever looks for the frames of a script or of managed code among native ones, and which tool shows
/// them: of Java, Python, Node.js and Ruby, and of programs that run under valgrind or qemu. Empty for all others.
std::string script_frames_note(Target &target);

} // namespace inspect
