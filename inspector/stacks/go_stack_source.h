// Joins the copying of goroutines (golang/goroutines/goroutine_copy.h) to the snapshot's stop
// (attach/snapshot/snapshot.h).
#pragma once

#include "attach/snapshot/snapshot.h"
#include "golang/goroutines/goroutine_copy.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace inspect {

class GoStackSource final : public StackSource {
public:
  GoStackSource(GoRuntime &goroutines_of, const MemoryView &memory, GoroutineCopy::Stacks stacks)
      : runtime(goroutines_of), copy_(goroutines_of, memory, stacks) {}

  void prepare() override { prepared_ = copy_.prepare(); }
  std::vector<RunRange> stacks(std::span<const RunAddress> stack_pointers) override {
    return prepared_ ? copy_.copy(stack_pointers) : std::vector<RunRange>();
  }
  std::uint64_t expected_bytes() const override { return prepared_ ? copy_.expected_stack_bytes() : 0; }
  std::vector<RunAddress> further_stack_pointers() const override { return copy_.c_stack_pointers(); }
  void list() override {
    if (prepared_)
      copy_.copy({});
  }
  std::optional<RunRange> stack_at(RunAddress stack_pointer) const override {
    return prepared_ ? copy_.stack_at(stack_pointer) : std::nullopt;
  }
  std::vector<SnapshotMemory::Range> copy_running(std::span<const Held> held, std::uint64_t limit_bytes,
                                                  const Room &room) override;
  /// An error says why the goroutines could not be found.
  const Result<void> &prepared() const { return prepared_; }
  GoroutineCopy &copy() { return copy_; }

  GoRuntime &runtime;

private:
  GoroutineCopy copy_;
  Result<void> prepared_;
};

/// Those of several runtimes in one process, whose stacks lie apart.
class JoinedStackSource final : public StackSource {
public:
  explicit JoinedStackSource(std::span<const std::unique_ptr<GoStackSource>> all) : all_(all) {}

  void prepare() override;
  std::vector<RunRange> stacks(std::span<const RunAddress> stack_pointers) override;
  std::uint64_t expected_bytes() const override;
  std::vector<RunAddress> further_stack_pointers() const override;
  void list() override;
  std::optional<RunRange> stack_at(RunAddress stack_pointer) const override;
  std::vector<SnapshotMemory::Range> copy_running(std::span<const Held> held, std::uint64_t limit_bytes,
                                                  const Room &room) override;

private:
  std::span<const std::unique_ptr<GoStackSource>> all_;
};

} // namespace inspect
