// The fixture malloc_arenas at rest: what it says of its malloc, and its modules and memory, for MallocReader.
//
//     MallocProcess process("malloc_arenas", {.debug_directories = {}});
//     CHECK(process.told().totals["arena"] == …);
#pragma once

#include "allocators/malloc_reader.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/support/child_process.h"

#include <map>
#include <string>
#include <vector>

namespace inspect::test {

/// A process' memory as it is now.
class LiveChildMemory final : public MemoryView {
public:
  explicit LiveChildMemory(pid_t process) : process_(process) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;

private:
  pid_t process_;
};

/// Its modules, with the debug files that the options allow. With `from_memory` no file is opened.
ModuleMap modules_of_child(pid_t process, const MemoryView &memory, const ModuleOptions &options,
                           bool from_memory = false);

struct ToldArena {            ///< by malloc_info(3)
  std::uint64_t fast = 0;     ///< bytes
  std::uint64_t rest = 0;     ///< bytes: other free chunks, the top chunk included
  std::uint64_t system = 0;   ///< bytes
  std::uint64_t subheaps = 0; ///< a count; 0 of the main arena
};

struct ToldByMalloc { ///< either may be missing

  std::map<std::string, std::uint64_t> totals; ///< by mallinfo2(3)
  std::vector<ToldArena> arenas;               ///< in the order of malloc's own circle
  std::vector<RunRange> mapped_blocks;         ///< of chunks that were mapped by themselves, ascending
};

class MallocProcess {
public:
  explicit MallocProcess(const std::vector<std::string> &command, const ModuleOptions &options = {},
                         bool from_memory = false);

  const ToldByMalloc &told() const { return told_; }
  const MemoryView &memory() const { return memory_; }
  ModuleMap &modules() { return modules_; }
  ChildProcess &child() { return child_; }
  /// What it says until the next line "ready".
  ToldByMalloc listen();
  /// All private anonymous mappings, with "[heap]" and such.
  std::vector<std::pair<RunRange, std::string>> mappings() const;

private:
  ChildProcess child_;
  ToldByMalloc told_;
  LiveChildMemory memory_;
  ModuleMap modules_;
};

} // namespace inspect::test
