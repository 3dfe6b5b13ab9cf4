#include "golang/goroutines/goroutine_copy.h"

#include "golang/runtime/goroutine_decoder.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

namespace inspect {
namespace {

using namespace test;

/// Another memory with some words changed.
class PatchedMemory final : public MemoryView {
public:
  explicit PatchedMemory(const MemoryView &under) : under_(under) {}
  void patch(RunAddress address, std::uint64_t word) { words_[address.value] = word; }
  void clear() { words_.clear(); }

  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    if (auto done = under_.read(address, into); !done)
      return done;
    for (auto word = words_.lower_bound(address.value);
         word != words_.end() && word->first + sizeof word->second <= address.value + into.size(); ++word)
      std::memcpy(into.data() + (word->first - address.value), &word->second, sizeof word->second);
    return {};
  }

private:
  const MemoryView &under_;
  std::map<std::uint64_t, std::uint64_t> words_; ///< by address, which is a multiple of eight
};

std::unique_ptr<GoRuntime> runtime_of(GoProcess &process) {
  auto runtime = GoRuntime::open(process.modules(), process.memory());
  if (!runtime)
    FAIL(runtime.error().message());
  return std::move(*runtime);
}

std::set<pid_t> threads_of(pid_t process) {
  std::set<pid_t> threads;
  for (const auto &entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task"))
    threads.insert(std::stoi(entry.path().filename()));
  return threads;
}

/// Stops it, so that what is read at different times is the same. It is killed later, stopped as it is.
void hold(GoProcess &process) {
  process.child().signal(SIGSTOP);
  const auto is_held = [&](pid_t thread) {
    std::ifstream file("/proc/" + std::to_string(process.child().pid()) + "/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(") ");
    return name_end != std::string::npos && text[name_end + 2] == 'T';
  };
  REQUIRE(wait_until([&] { return std::ranges::all_of(threads_of(process.child().pid()), is_held); }));
}

const RunRange *range_at(const std::vector<RunRange> &stacks, RunAddress address) {
  const auto after = std::ranges::upper_bound(stacks, address, {}, &RunRange::begin);
  return after != stacks.begin() && std::prev(after)->contains(address) ? &*std::prev(after) : nullptr;
}

void check_order(const std::vector<RunRange> &stacks) {
  REQUIRE(std::ranges::all_of(stacks, [](const RunRange &one) { return one.begin < one.end; }));
  REQUIRE(std::ranges::adjacent_find(
              stacks, [](const RunRange &low, const RunRange &high) { return high.begin < low.end; }) == stacks.end());
}

std::uint64_t bytes_of(const std::vector<RunRange> &stacks) {
  std::uint64_t sum = 0;
  for (const RunRange &one : stacks)
    sum += one.size();
  return sum;
}

TEST_CASE("the goroutines of a process at rest are copied with the live parts of their stacks") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "goroutine_zoo")});
    process.child().wait_for_line();
    process.open();
    hold(process);
    const auto runtime = runtime_of(process);
    GoroutineCopy copy(*runtime, process.memory());
    REQUIRE(copy.prepare().has_value());
    const auto stacks = copy.copy({});
    check_order(stacks);
    std::map<std::uint64_t, Goroutine> by_id;
    for (const Goroutine &one : copy.goroutines()) {
      CHECK(is_live(one.status));
      CHECK(by_id.emplace(one.id, one).second);
    }
    const auto parked = process.parked_goroutines();
    CHECK(parked.size() > 20);
    for (const ParkedGoroutine &one : parked) {
      REQUIRE(by_id.contains(one.id));
      const Goroutine &goroutine = by_id.at(one.id);
      CHECK(goroutine.status == GoroutineStatus::waiting);
      CHECK(goroutine.stack == one.stack);
      const RunRange *live = range_at(stacks, goroutine.sp);
      REQUIRE(live != nullptr);
      CHECK(live->begin == goroutine.sp);
      CHECK(live->end == one.stack.end);
    }
    CHECK(copy.expected_stack_bytes() <= bytes_of(stacks));
    CHECK(copy.expected_stack_bytes() > bytes_of(stacks) / 2);
    CHECK(copy.take_warnings().empty());
  });
}

TEST_CASE("every thread of a Go process is one of its Ms, and a goroutine's m is one of them") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped}) {
      GoProcess process({build_go(go, "goroutine_zoo", variant), "-running", "3"});
      process.child().wait_for_line();
      process.open();
      const auto runtime = runtime_of(process);
      // A thread that was just started tells its number a moment later.
      const auto all_known = [&] {
        GoroutineCopy copy(*runtime, process.memory());
        copy.copy({});
        std::set<pid_t> threads;
        std::set<RunAddress> addresses;
        for (const GoM &runtime_m : copy.runtime_ms()) {
          threads.insert(runtime_m.thread);
          addresses.insert(runtime_m.address);
          CHECK(runtime_m.g0_stack.size() > 0);
          CHECK(runtime_m.gsignal_stack.size() > 0);
        }
        return threads == threads_of(process.child().pid()) &&
               std::ranges::all_of(copy.goroutines(),
                                   [&](const Goroutine &one) { return one.m.value == 0 || addresses.contains(one.m); });
      };
      CHECK(wait_until(all_known));
    }
  });
}

TEST_CASE("stack pointers of threads widen what is live") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "goroutine_zoo")});
    process.child().wait_for_line();
    process.open();
    hold(process);
    const auto runtime = runtime_of(process);
    GoroutineCopy first(*runtime, process.memory());
    first.copy({});
    const auto in_call = std::ranges::find(first.goroutines(), GoroutineStatus::in_syscall, &Goroutine::status);
    REQUIRE(in_call != first.goroutines().end());
    const GoM &runtime_m = first.runtime_ms().at(0);
    const std::vector<RunAddress> pointers{in_call->syscall_sp - 256, runtime_m.gsignal_stack.end - 512};
    GoroutineCopy copy(*runtime, process.memory());
    const auto stacks = copy.copy(pointers);
    check_order(stacks);
    for (const RunAddress pointer : pointers)
      CHECK(range_at(stacks, pointer) != nullptr);
    CHECK(range_at(stacks, in_call->syscall_sp - 256)->end == in_call->stack.end);
  });
}

constexpr const char *growing_program = R"(package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

func main() {
	never := make(chan int)
	fmt.Println("ready")
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		count, _ := strconv.Atoi(strings.TrimSpace(line))
		started := make(chan int)
		for i := 0; i < count; i++ {
			go func() {
				started <- 1
				<-never
			}()
		}
		for i := 0; i < count; i++ {
			<-started
		}
		fmt.Println("more")
	}
}
)";

std::size_t count_waiting(GoroutineCopy &copy) {
  return static_cast<std::size_t>(std::ranges::count(copy.goroutines(), GoroutineStatus::waiting, &Goroutine::status));
}

TEST_CASE("goroutines born after the preparation are copied, too") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go_text(go, "growing", growing_program)});
    process.child().wait_for_line();
    process.open();
    const auto runtime = runtime_of(process);
    GoroutineCopy copy(*runtime, process.memory());
    process.child().write("3000\n");
    process.child().wait_for_line("more");
    REQUIRE(copy.prepare().has_value());
    process.child().write("20000\n");
    process.child().wait_for_line("more");
    REQUIRE(wait_until([&] {
      GoroutineCopy look(*runtime, process.memory());
      look.copy({});
      return count_waiting(look) >= 23'000;
    }));
    hold(process);
    const auto stacks = copy.copy({});
    check_order(stacks);
    std::size_t on_never = 0;
    for (const Goroutine &one : copy.goroutines()) {
      const RunRange *live = one.status == GoroutineStatus::waiting ? range_at(stacks, one.sp) : nullptr;
      on_never += live != nullptr && live->end == one.stack.end;
    }
    CHECK(on_never >= 23'000);
    CHECK(copy.take_warnings().empty());
    CHECK(copy.take_goroutines().size() >= 23'000);
  });
}

std::int64_t monotonic_now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

TEST_CASE("the time of the copy is known, on the clock that the runtime uses") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    return;
  GoProcess process({build_go(toolchains.back(), "goroutine_zoo")});
  process.child().wait_for_line();
  process.open();
  hold(process);
  const auto runtime = runtime_of(process);
  GoroutineCopy copy(*runtime, process.memory());
  REQUIRE(copy.prepare().has_value());
  const std::int64_t before = monotonic_now();
  copy.copy({});
  CHECK(copy.now() >= before);
  CHECK(copy.now() <= monotonic_now());
}

TEST_CASE("one goroutine that is damaged is said, and the others are there") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    return;
  GoProcess process({build_go(toolchains.back(), "goroutine_zoo")});
  process.child().wait_for_line();
  process.open();
  hold(process);
  const auto runtime = runtime_of(process);
  const auto &g = runtime->layout().g;
  const auto parked = process.parked_goroutines();
  PatchedMemory memory(process.memory());
  GoroutineCopy whole(*runtime, memory);
  whole.copy({});
  const std::size_t all = whole.goroutines().size();
  const auto victim = std::ranges::find(whole.goroutines(), parked.front().id, &Goroutine::id);
  REQUIRE(victim != whole.goroutines().end());
  const auto field = [&](FieldOffset offset) { return victim->address + static_cast<std::uint64_t>(offset); };
  const auto check_kept = [&](std::size_t kept) {
    GoroutineCopy copy(*runtime, memory);
    const auto stacks = copy.copy({});
    check_order(stacks);
    CHECK(range_at(stacks, victim->sp) == nullptr);
    CHECK(copy.goroutines().size() == kept);
    CHECK(copy.take_warnings().size() == 1);
    memory.clear();
  };
  memory.patch(field(g.stack_hi), ~0ULL);
  check_kept(all);
  memory.patch(field(g.sched_sp), 0x1000);
  check_kept(all);
  memory.patch(field(g.status), 77);
  check_kept(all - 1);
}

TEST_CASE("damaged lists of goroutines and Ms do no harm") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    return;
  GoProcess process({build_go(toolchains.back(), "goroutine_zoo")});
  process.child().wait_for_line();
  process.open();
  hold(process);
  const auto runtime = runtime_of(process);
  GoroutineCopy whole(*runtime, process.memory());
  whole.copy({});
  const RunAddress header = runtime->goroutine_list().value();
  std::mt19937_64 random(20'26);
  const auto interesting = [&](std::uint64_t number) -> std::uint64_t {
    const std::uint64_t values[] = {0,          1,
                                    ~0ULL,      1ULL << 47,
                                    0x7fffffff, header.value,
                                    random(),   whole.goroutines()[random() % whole.goroutines().size()].address.value};
    return values[number % std::size(values)];
  };
  for (int round = 0; fuzz_goes_on(round, 300); ++round) {
    PatchedMemory memory(process.memory());
    for (std::size_t i = 0; i < 1 + random() % 8; ++i) {
      const Goroutine &one = whole.goroutines()[random() % whole.goroutines().size()];
      const GoM &runtime_m = whole.runtime_ms()[random() % whole.runtime_ms().size()];
      const RunAddress places[] = {one.address, runtime_m.address, runtime_m.g0, header, runtime->m_list()};
      const RunAddress place = places[random() % std::size(places)];
      const std::uint64_t offset = place == header ? random() % 3 * 8 : random() % 50 * 8;
      memory.patch(place + (place == runtime->m_list() ? 0 : offset), interesting(random()));
    }
    GoroutineCopy copy(*runtime, memory);
    if (round % 2 == 0)
      static_cast<void>(copy.prepare());
    check_order(copy.copy(std::vector<RunAddress>{{random()}, {0}, {~0ULL}}));
    CHECK(copy.goroutines().size() <= whole.goroutines().size() + 8);
    CHECK(copy.take_warnings().size() < 10);
  }
}

} // namespace
} // namespace inspect
