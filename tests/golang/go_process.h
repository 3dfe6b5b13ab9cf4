// A Go program that a test started, opened for reading while it rests: its memory, modules and Go images, and the
// frames of its parked goroutines, walked with the pclntab alone.
//
//     GoProcess process({build_go(go, "argument_kinds")});
//     process.child().wait_for_line("ready");
//     process.open();
//     for (const ParkedGoroutine &goroutine : process.parked_goroutines()) …
#pragma once

#include "golang/goroutines/address_classes.h"
#include "golang/image/go_image.h"
#include "tests/support/child_process.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace inspect::test {

/// The live memory of a child.
class ProcessMemory final : public MemoryView {
public:
  explicit ProcessMemory(pid_t process) : process_(process) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;

private:
  pid_t process_;
};

struct ParkedFrame {
  const GoImage *image = nullptr;
  GoFunction function;
  RunAddress pc;  ///< the return address, or where the goroutine goes on
  RunAddress cfa; ///< where the caller's stack pointer was before the call
};

struct ParkedGoroutine {
  std::uint64_t id = 0;
  RunRange stack;
  std::vector<ParkedFrame> frames; ///< innermost first, up to runtime.goexit
};

class GoProcess {
public:
  explicit GoProcess(const std::vector<std::string> &command);
  ~GoProcess();
  GoProcess(const GoProcess &) = delete;
  GoProcess &operator=(const GoProcess &) = delete;

  ChildProcess &child() { return child_; }
  /// Opens its modules and images, which must be mapped by now. Throws std::runtime_error where no image is found.
  void open();

  const MemoryView &memory() const { return memory_; }
  ModuleMap &modules() { return modules_; }
  const std::vector<GoImage> &images() const { return images_; }
  const GoImage &image() const { return images_.front(); }

  /// Its mappings as they are now.
  std::vector<MappedMemory> mapped() const;
  /// Of the goroutines that wait (status 4), through the symbol runtime.allgs: the program must not be stripped.
  std::vector<ParkedGoroutine> parked_goroutines();

private:
  ChildProcess child_;
  ProcessMemory memory_;
  ModuleMap modules_;
  std::vector<GoImage> images_;
};

} // namespace inspect::test
