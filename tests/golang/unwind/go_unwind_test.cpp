// Stacks of real Go processes: parked goroutines against what the program itself says, running threads at whatever
// instruction they are.
#include "golang/unwind/go_unwind.h"

#include "golang/traceback/traceback_text.h"
#include "machine/x86_64/registers.h"
#include "tests/golang/unwind/stopped_go.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <random>
#include <sstream>

using namespace inspect;
using test::build_go;
using test::ChildProcess;
using test::GoToolchain;
using test::GoVariant;
using test::StoppedGo;

namespace {

bool same_frames(const Stack &one, const Stack &other) {
  return std::ranges::equal(one.frames, other.frames, [](const Frame &left, const Frame &right) {
    return left.pc == right.pc && left.cfa == right.cfa && left.origin == right.origin &&
           left.pc_is_return_address == right.pc_is_return_address;
  });
}

/// "main.recurse+0x2b": the same for a generic function, whose name the runtime shortens.
std::string place(std::string_view function, std::uint64_t offset) {
  return fmt::format("{}+{:#x}", function.substr(0, function.find('[')), offset);
}

/// What has code of its own; the runtime gives no offset for the rest.
std::vector<std::string> places_printed(const TracebackGoroutine &goroutine) {
  std::vector<std::string> places;
  for (const TracebackFrame &frame : goroutine.frames)
    if (frame.offset)
      places.push_back(place(frame.function == "panic" ? "runtime.gopanic" : frame.function, *frame.offset));
  return places;
}

std::vector<std::string> places_walked(StoppedGo &target, const Stack &stack) {
  std::vector<std::string> places;
  for (const Frame &frame : stack.frames) {
    const GoImage *image = target.runtime().find(frame.lookup_address());
    const auto function = image != nullptr ? image->table->find(frame.lookup_address()) : std::nullopt;
    if (function && function->func_id != GoFuncId::wrapper)
      places.push_back(place(function->name, frame.pc - function->entry));
  }
  return places;
}

/// Whether the walked places are the printed ones and besides what the runtime does not print: its own functions, and
/// those between C and Go, whose names have no dot.
bool agrees(const std::vector<std::string> &printed, const std::vector<std::string> &walked, bool elided) {
  std::size_t next = 0;
  for (const std::string &one : walked) {
    if (next < printed.size() && printed[next] == one)
      ++next;
    else if (!one.starts_with("runtime.") && one.contains('.') && !elided)
      return false;
  }
  return next == printed.size();
}

std::vector<TracebackGoroutine> dump_of(ChildProcess &zoo, const std::string &file) {
  zoo.write("dump\n");
  zoo.wait_for_line("dumped");
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  std::vector<TracebackGoroutine> goroutines;
  for (const Traceback &one : parse_tracebacks(text.str()))
    goroutines.insert(goroutines.end(), one.goroutines.begin(), one.goroutines.end());
  return goroutines;
}

} // namespace

TEST_CASE("The goroutines' stacks are those that the runtime prints, to the byte of each pc") {
  test::for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : test::go_variants()) {
      const test::TemporaryDirectory folder;
      const std::string file = folder.path() + "/dump";
      ChildProcess zoo({build_go(go, "goroutine_zoo", variant), file});
      zoo.wait_for_line("ready");
      StoppedGo target(zoo.pid());
      dump_of(zoo, file); // by then, what printed "ready" rests as well
      const std::vector<TracebackGoroutine> dump = dump_of(zoo, file);
      target.stop();
      const std::vector<Goroutine> goroutines = target.goroutines();
      std::size_t compared = 0;
      for (const TracebackGoroutine &printed : dump) {
        const auto goroutine = std::ranges::find(goroutines, printed.id, &Goroutine::id);
        const std::vector<std::string> expected = places_printed(printed);
        const bool serves = std::ranges::any_of(
            printed.frames, [](const TracebackFrame &frame) { return frame.function == "main.serve"; });
        if (serves || goroutine == goroutines.end())
          continue; // it wrote the dump; or it has ended since
        const Stack stack = target.walk_parked(*goroutine);
        std::string all;
        for (const std::string &one : expected)
          all += "\n  " + one;
        INFO(test::variant_name(variant) << ", goroutine " << printed.id << ": " << target.shown(stack)
                                         << "\nprinted:" << all);
        // To Go 1.20 the runtime stops at 100 frames, and says so only if none of them is hidden.
        const bool elided = printed.frames_elided != 0 || (go.minor <= 20 && stack.frames.size() > 100);
        CHECK(agrees(expected, places_walked(target, stack), elided));
        ++compared;
      }
      CHECK(compared > 40);
      CHECK(compared + 3 >= dump.size());
    }
  });
}

TEST_CASE("Every parked goroutine's stack is complete, by the general walk and by the fast one alike") {
  test::for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : test::go_variants()) {
      ChildProcess zoo({build_go(go, "goroutine_zoo", variant)});
      zoo.wait_for_line("ready");
      StoppedGo target(zoo.pid());
      target.stop();
      GoStackWalk fast(target.runtime());
      std::size_t parked = 0;
      std::size_t fast_ones = 0;
      for (const Goroutine &goroutine : target.goroutines()) {
        if (goroutine.status != GoroutineStatus::waiting)
          continue;
        ++parked;
        const Stack stack = target.walk_parked(goroutine);
        INFO(test::variant_name(variant) << ", goroutine " << goroutine.id << ": " << target.shown(stack));
        CHECK(stack.end == StackEnd::complete);
        CHECK(stack.frames.size() > 1);
        CHECK(target.function(stack.frames.back()) == "runtime.goexit");
        Stack again;
        if (fast.walk(goroutine, target.memory(), {}, again)) {
          ++fast_ones;
          INFO("fast: " << target.shown(again));
          CHECK(same_frames(stack, again));
          CHECK(again.end == stack.end);
        }
      }
      CHECK(parked > 40);
      CHECK(fast_ones + 5 >= parked);
    }
  });
}

TEST_CASE("A goroutine called back from C shows the C functions, every time it goes through C") {
  test::for_each_go([](const GoToolchain &go) {
    ChildProcess zoo({build_go(go, "goroutine_zoo", GoVariant::cgo)});
    zoo.wait_for_line("ready");
    StoppedGo target(zoo.pid());
    target.stop();
    std::vector<std::ptrdiff_t> depths;
    for (const Goroutine &goroutine : target.goroutines()) {
      const Stack stack = target.walk_parked(goroutine);
      const std::vector<std::string> names = target.functions(stack);
      if (std::ranges::count(names, "main.zooCalledBack") == 0)
        continue;
      INFO(target.shown(stack));
      CHECK(stack.end == StackEnd::complete);
      CHECK(names.back() == "runtime.goexit");
      // From inside to outside, once for each call through C.
      const std::vector<std::string> round = {
          "main.zooCalledBack", "runtime.cgocallback", "crosscall2",      "zooCalledBack",
          "zoo_call_back",      "runtime.asmcgocall",  "runtime.cgocall", "main._Cfunc_zoo_call_back"};
      auto at = names.begin();
      std::ptrdiff_t rounds = 0;
      for (bool found = true; found;) {
        for (const std::string &one : round) {
          at = std::find(at, names.end(), one);
          found = found && at != names.end();
        }
        rounds += found ? 1 : 0;
      }
      CHECK(std::ranges::count(names, "zoo_call_back") == rounds);
      CHECK(std::ranges::none_of(stack.frames, &Frame::guessed));
      depths.push_back(rounds);
    }
    std::ranges::sort(depths);
    CHECK(depths == std::vector<std::ptrdiff_t>{1, 3});
  });
}

TEST_CASE("A goroutine that has not run yet stands at its function's first instruction") {
  test::for_each_go([](const GoToolchain &go) {
    ChildProcess zoo({build_go(go, "goroutine_zoo", GoVariant::plain), "-spin"});
    zoo.wait_for_line("ready");
    StoppedGo target(zoo.pid());
    std::size_t created = 0;
    const bool found = test::wait_until([&] { // "ready" comes shortly before it is created
      target.stop();
      for (const Goroutine &goroutine : target.goroutines()) {
        if (goroutine.status != GoroutineStatus::runnable || goroutine.pc != goroutine.start_pc)
          continue;
        ++created;
        const Stack stack = target.walk_parked(goroutine);
        INFO(target.shown(stack));
        CHECK(stack.end == StackEnd::complete);
        CHECK_FALSE(stack.frames[0].pc_is_return_address);
        CHECK(target.function(stack.frames[0]).starts_with("main."));
        CHECK(stack.frames.size() == 2);
        CHECK(target.function(stack.frames.back()) == "runtime.goexit");
      }
      target.release();
      return created > 0;
    });
    CHECK(found);
  });
}

TEST_CASE("Stacks that are overwritten end with a reason, and never as complete ones that are not") {
  const auto toolchains = test::go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain is installed");
  ChildProcess zoo({build_go(toolchains.back(), "goroutine_zoo", GoVariant::cgo)});
  zoo.wait_for_line("ready");
  StoppedGo target(zoo.pid());
  target.stop();
  GoStackWalk fast(target.runtime());
  std::mt19937_64 random(4711);
  std::size_t ended = 0;
  for (const Goroutine &goroutine : target.goroutines()) {
    const RunAddress sp = goroutine.syscall_sp.value != 0 ? goroutine.syscall_sp : goroutine.sp;
    if (!goroutine.stack.contains(sp))
      continue;
    std::vector<std::byte> bytes(goroutine.stack.end - sp);
    REQUIRE(target.memory().read(sp, bytes));
    for (int round = 0; round < 20; ++round) {
      std::vector<std::byte> damaged = bytes;
      for (std::size_t at = 0; at + 8 <= damaged.size(); at += 8) {
        // Words of the stack itself, moved; small numbers; anything.
        std::uint64_t word = random();
        const std::uint64_t choice = word % 4;
        if (choice == 0)
          std::memcpy(&word, &bytes[word / 4 % (bytes.size() / 8) * 8], 8);
        else if (choice == 1)
          word = sp.value + word % damaged.size();
        if (choice != 3)
          std::memcpy(&damaged[at], &word, 8);
      }
      BufferMemory overwritten;
      overwritten.add(sp, std::move(damaged));
      const LayeredMemory memory({&overwritten, &target.memory()});
      const Stack stack = target.walk_parked(goroutine, &memory);
      INFO(target.shown(stack));
      CHECK(stack.frames.size() < 10000);
      if (stack.end == StackEnd::complete)
        CHECK_FALSE(target.function(stack.frames.back()).empty());
      else
        CHECK_FALSE(stack.end_reason.empty());
      ended += stack.end != StackEnd::complete ? 1 : 0;
      Stack again;
      if (fast.walk(goroutine, memory, {}, again))
        CHECK(same_frames(stack, again));
    }
  }
  CHECK(ended > 100);
}
