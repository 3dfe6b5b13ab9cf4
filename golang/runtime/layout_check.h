// Whether goroutines read with a layout are plausible: a saved stack pointer lies in its goroutine's stack, a saved pc
// in Go code, a start function begins where the function table says one begins, a goroutine's M points back at it.
//
// Layouts of neighbouring versions differ in a few fields, so a layout is believed only where all of its fields that
// can be checked are sound; a running process may change under the reading, so a few unsound goroutines are forgiven.
//
// Source of the invariants: runtime/proc.go (newproc1, casgstatus, execute), runtime/stack.go (stackalloc), Go 1.16 to
// 1.27.
#pragma once

#include "golang/image/go_image.h"
#include "golang/runtime/goroutine.h"
#include "golang/runtime/runtime_layout.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct LayoutCheck {
  std::size_t goroutines = 0; ///< looked at, those that never ran or are dead left out
  std::size_t sound = 0;      ///< of them
  std::size_t parked = 0;     ///< of the sound ones those with a start function and a saved place in a stack
  std::size_t runtime_ms = 0;
  std::size_t sound_ms = 0;
  std::string problem; ///< of the first that is not sound: "goroutine at 0xc000102000: status 77"

  bool believable() const;
};

class LayoutChecker {
public:
  /// All must outlive the object.
  LayoutChecker(const RuntimeLayout &layout, const std::vector<GoImage> &images, const MemoryView &memory)
      : layout_(layout), images_(images), memory_(memory) {}

  /// `goroutines` are addresses of g structures, at most some hundreds of them; `machine` is one of an m, 0: none
  /// known. The Ms that the goroutines point to are checked, too.
  LayoutCheck check(std::span<const RunAddress> goroutines, RunAddress runtime_m) const;
  /// Whether there is an m at this address: its g0 points back at it, and its numbers are plausible.
  bool is_m(RunAddress address) const;
  /// What is wrong with one goroutine; empty: nothing.
  std::string problem_of(const Goroutine &goroutine) const;

private:
  bool is_code(RunAddress pc) const;
  bool is_function(RunAddress entry) const;
  std::string m_problem(RunAddress address, std::span<const Goroutine> goroutines) const;

  const RuntimeLayout &layout_;
  const std::vector<GoImage> &images_;
  const MemoryView &memory_;
};

} // namespace inspect
