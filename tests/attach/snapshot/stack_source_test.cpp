#include "attach/procfs/process_status.h"
#include "attach/snapshot/copy_buffer.h"
#include "attach/snapshot/snapshot.h"
#include "machine/x86_64/registers.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <sys/mman.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;
using Stacks = std::function<std::vector<RunRange>(std::span<const RunAddress>)>;

/// Notes how it is used.
class RecordingSource final : public StackSource {
public:
  RecordingSource(pid_t process, Stacks stacks) : process_(process), stacks_(std::move(stacks)) {}
  void prepare() override { prepared_under_ = read_process_status(process_)->tracer; }
  std::vector<RunRange> stacks(std::span<const RunAddress> stack_pointers) override {
    state_ = read_process_stat(process_)->state;
    given_.assign(stack_pointers.begin(), stack_pointers.end());
    return stacks_(stack_pointers);
  }

  std::vector<RunAddress> further_stack_pointers() const override { return further_; }

  std::vector<RunAddress> further_;
  std::optional<pid_t> prepared_under_;
  char state_ = '?';
  std::vector<RunAddress> given_;

private:
  pid_t process_;
  Stacks stacks_;
};

Snapshot snapshot_with(pid_t process, StackSource &source, SnapshotOptions options = {}) {
  const auto memory = LiveMemory::open(process).value();
  options.source = &source;
  auto snapshot = take_snapshot(process, *memory, read_memory_map(process).value(), options);
  if (!snapshot)
    FAIL(snapshot.error().message());
  return std::move(*snapshot);
}

constexpr std::size_t heap_bytes = 8 << 20;

/// Sleeps with a heap in which every word tells its own offset; its only line of output is the heap's address.
ChildProcess start_with_heap() {
  return ChildProcess::forked([] {
    void *memory = mmap(nullptr, heap_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    auto *words = static_cast<std::uint64_t *>(memory);
    std::iota(words, words + heap_bytes / sizeof *words, 0);
    test::say_line(std::to_string(reinterpret_cast<std::uintptr_t>(memory)));
    pause();
    return 0;
  });
}

RunAddress heap_of(ChildProcess &child) {
  const RunAddress heap{std::stoull(child.read_line())};
  REQUIRE(test::wait_until([&] { return read_process_stat(child.pid())->state == 'S'; }));
  return heap;
}

void check_heap_words(const SnapshotMemory &memory, RunAddress heap, RunRange range) {
  std::vector<std::uint64_t> words(range.size() / sizeof(std::uint64_t));
  REQUIRE(memory.read(range.begin, std::as_writable_bytes(std::span(words))).has_value());
  std::vector<std::uint64_t> expected(words.size());
  std::iota(expected.begin(), expected.end(), (range.begin - heap) / sizeof(std::uint64_t));
  CHECK(words == expected);
}

/// `count` stacks of 2 KiB whose live parts are the last bytes, of differing size.
std::vector<RunRange> small_stacks(RunAddress heap, std::size_t count) {
  constexpr std::size_t stack = 2048;
  std::vector<RunRange> ranges;
  for (std::size_t i = 0; i < count; ++i)
    ranges.push_back({heap + i * stack + 8 * (64 + i % 150), heap + (i + 1) * stack});
  return ranges;
}

TEST_CASE("a source's stacks are copied in the same stop, and the threads' own, too") {
  ChildProcess child = start_with_heap();
  const RunAddress heap = heap_of(child);
  const auto wanted = small_stacks(heap, heap_bytes / 2048);
  RecordingSource source(child.pid(), [&](auto) { return wanted; });
  const Snapshot snapshot = snapshot_with(child.pid(), source);
  CHECK(source.prepared_under_ == 0);
  CHECK(source.state_ == 't');
  REQUIRE(source.given_.size() == 1);
  CHECK(source.given_[0].value == snapshot.threads[0].registers.get(x86_64::rsp));
  CHECK(snapshot.memory.holds(source.given_[0]));
  CHECK(snapshot.warnings.empty());
  for (const RunRange &one : wanted) {
    REQUIRE_FALSE(snapshot.memory.holds(one.begin - 1));
    check_heap_words(snapshot.memory, heap, one);
  }
}

TEST_CASE("a stack pointer in one of the source's ranges is taken care of by it") {
  ChildProcess child = start_with_heap();
  heap_of(child);
  RecordingSource source(child.pid(), [](std::span<const RunAddress> stack_pointers) {
    return std::vector<RunRange>{{stack_pointers[0], stack_pointers[0] + 256}};
  });
  const Snapshot snapshot = snapshot_with(child.pid(), source);
  CHECK(snapshot.memory.size_in_bytes() == 256);
  CHECK(snapshot.memory.holds(source.given_[0] + 255));
}

TEST_CASE("where a source's range meets a thread's stack nothing is copied twice") {
  ChildProcess child = start_with_heap();
  heap_of(child);
  RecordingSource source(child.pid(), [](std::span<const RunAddress> stack_pointers) {
    return std::vector<RunRange>{{stack_pointers[0] + 64, stack_pointers[0] + 128}};
  });
  const Snapshot snapshot = snapshot_with(child.pid(), source);
  std::array<std::byte, 512> bytes;
  CHECK(snapshot.memory.read(source.given_[0] - 128, bytes).has_value());
  CHECK(snapshot.warnings.empty());
}

TEST_CASE("a source works on what is stopped already") {
  ChildProcess child = start_with_heap();
  const RunAddress heap = heap_of(child);
  const RunRange wanted{heap + 4096, heap + 8192};
  RecordingSource source(child.pid(), [&](auto) { return std::vector{wanted}; });
  auto stopped = StoppedProcess::stop(child.pid(), {});
  REQUIRE(stopped.has_value());
  SnapshotOptions options;
  options.source = &source;
  const auto memory = LiveMemory::open(child.pid()).value();
  const Snapshot snapshot =
      copy_stopped(*stopped, child.pid(), *memory, read_memory_map(child.pid()).value(), options).value();
  CHECK(source.prepared_under_.has_value());
  check_heap_words(snapshot.memory, heap, wanted);
  CHECK(snapshot.memory.holds(source.given_[0]));
}

TEST_CASE("a source's stacks have a limit of their own, which is said") {
  ChildProcess child = start_with_heap();
  const RunAddress heap = heap_of(child);
  const auto wanted = small_stacks(heap, 1000);
  RecordingSource source(child.pid(), [&](auto) { return wanted; });
  SnapshotOptions options;
  options.total_limit_bytes = 0;
  const Snapshot whole = snapshot_with(child.pid(), source, options);
  CHECK(std::ranges::all_of(wanted, [&](const RunRange &one) { return whole.memory.holds(one.end - 1); }));
  options.source_limit_bytes = 1000 * 512;
  const Snapshot cut = snapshot_with(child.pid(), source, options);
  CHECK(cut.memory.size_in_bytes() <= 1000 * 512);
  CHECK(std::ranges::all_of(wanted, [&](const RunRange &one) { return cut.memory.holds(one.begin + 255); }));
  CHECK(cut.warnings.size() == whole.warnings.size() + 1);
}

TEST_CASE("what a source names and is not there is no harm to the rest") {
  ChildProcess child = start_with_heap();
  const RunAddress heap = heap_of(child);
  std::vector<RunRange> wanted{{RunAddress{16}, RunAddress{48}}};
  for (const RunRange &one : small_stacks(heap, 3000))
    wanted.push_back(one);
  wanted.push_back({heap + heap_bytes - 64, heap + heap_bytes - 32});
  wanted.push_back({RunAddress{~0ULL << 32}, RunAddress{~0ULL}});
  RecordingSource source(child.pid(), [&](auto) { return wanted; });
  SnapshotOptions options;
  options.source_limit_bytes = 64 << 20;
  const Snapshot snapshot = snapshot_with(child.pid(), source, options);
  CHECK_FALSE(snapshot.memory.holds(RunAddress{16}));
  for (std::size_t i = 1; i + 1 < wanted.size(); ++i)
    check_heap_words(snapshot.memory, heap, wanted[i]);
  CHECK(snapshot.warnings.size() == 2); // cut, and not readable
}

TEST_CASE("a native stack that no thread is on is copied where the source asks for it") {
  ChildProcess child = start_with_heap();
  const RunAddress heap = heap_of(child);
  RecordingSource source(child.pid(), [&](auto) { return std::vector{RunRange{heap + 8192, heap + 12288}}; });
  source.further_ = {heap + heap_bytes - 4096, RunAddress{16}, heap + 8192 + 64};
  const Snapshot snapshot = snapshot_with(child.pid(), source);
  check_heap_words(snapshot.memory, heap, {heap + heap_bytes - 4096 - 128, heap + heap_bytes});
  CHECK_FALSE(snapshot.memory.holds(heap + 12288));
  CHECK(snapshot.memory.holds(source.given_[0]));
  CHECK(snapshot.warnings.empty());
}

TEST_CASE("a copy buffer hands out what was asked for, prepared or not") {
  CopyBuffer buffer;
  buffer.prepare(10'000);
  buffer.expect(50'000'000);
  std::vector<std::byte *> taken;
  for (std::size_t i = 0; i < 5000; ++i) {
    taken.push_back(buffer.take(10'000));
    REQUIRE(taken.back() != nullptr);
    std::fill_n(taken.back(), 10'000, static_cast<std::byte>(i));
  }
  for (std::size_t i = 0; i < taken.size(); ++i)
    REQUIRE(std::all_of(taken[i], taken[i] + 10'000, [&](std::byte one) { return one == static_cast<std::byte>(i); }));
  CHECK(buffer.take(1ULL << 60) == nullptr);
  CHECK(buffer.take(100) != nullptr);
}

} // namespace
} // namespace inspect
