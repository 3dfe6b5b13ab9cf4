// What an address of a Go process leads to, as a phrase: "heap", "stack of goroutine 17", "main.config+0x10",
// "func main.handle", "read-only data". For argument words whose type nothing tells.
//
// The heap is known without symbols: goroutine stacks are allocated from it, and it grows in arenas of 64 MiB, aligned
// to their size, each reserved whole (runtime/malloc.go, heapArenaBytes; mheap.go, sysAlloc). So an arena with a
// goroutine's stack in it is heap, and so are its neighbours as far as anonymous mappings fill them. Since Go 1.25 the
// runtime also names its mappings, where the kernel can (runtime/set_vma_name_linux.go).
//
//     AddressClasses classes(runtime.images(), modules, mapped, stacks);
//     context.classify = [&](RunAddress address) { return classes.phrase(address); };
#pragma once

#include "golang/image/go_image.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// One of the process' mappings.
struct MappedMemory {
  RunRange range;
  bool readable = false;
  bool writable = false;
  std::string name; ///< the file's path, or what the kernel calls it: "[stack]", "[anon: Go: heap]"; empty: anonymous
};

struct GoroutineStackRange {
  RunRange range;
  std::uint64_t goroutine = 0; ///< its id
};

class AddressClasses {
public:
  /// `images` and `modules` must outlive the object. Without mappings (a crash text) only what lies in the images is
  /// known, and addresses where the runtime asks for its heap (0xc000000000) are taken for it.
  AddressClasses(const std::vector<GoImage> &images, ModuleMap &modules, std::vector<MappedMemory> mapped,
                 std::vector<GoroutineStackRange> stacks);

  /// Empty: nothing is there, or nothing is known of it.
  std::string phrase(RunAddress address) const;

private:
  const MappedMemory *mapping(RunAddress address) const;
  const GoroutineStackRange *stack(RunAddress address) const;
  bool in_heap(RunAddress address, const MappedMemory &mapping) const;
  bool is_whole_arena(std::uint64_t number) const;
  void find_arenas();
  std::string module_phrase(Module &module, RunAddress address) const;
  std::string data_phrase(const Module &module, RunAddress address) const;

  const std::vector<GoImage> &images_;
  ModuleMap &modules_;
  std::vector<MappedMemory> mapped_;        ///< sorted
  std::vector<GoroutineStackRange> stacks_; ///< sorted
  std::vector<std::uint64_t> arenas_;       ///< sorted: addresses divided by an arena's size
};

} // namespace inspect
