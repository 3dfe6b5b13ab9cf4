// A Go program as it was at one moment: its modules and images, and all of its memory. It is started once in a run, and
// stays stopped.
#pragma once

#include "tests/fuzz/recorded_memory.h"
#include "tests/golang/go_process.h"

#include <memory>

namespace inspect::test {

struct RecordedGo {
  std::unique_ptr<GoProcess> process;
  std::unique_ptr<BufferMemory> memory;
};

inline constexpr std::string_view no_go_toolchain = "no Go toolchain of 1.16 or later is installed";

/// A fixture of fixtures/golang, built with the newest toolchain; null: there is none.
std::unique_ptr<RecordedGo> record_go(std::string_view fixture);

} // namespace inspect::test
