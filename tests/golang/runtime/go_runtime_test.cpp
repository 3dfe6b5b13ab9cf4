#include "golang/runtime/go_runtime.h"

#include "dwarf/symbols/named_symbols.h"
#include "golang/runtime/goroutine_search.h"
#include "tests/golang/changed_memory.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"

#include <array>
#include <csignal>
#include <sys/wait.h>

namespace inspect {
namespace {

using namespace test;

RunAddress symbol(const GoImage &image, std::string_view name) {
  const std::vector<LinkAddress> found = find_named_symbols(*image.module, std::span(&name, 1));
  REQUIRE(found[0] != LinkAddress{});
  return image.module->bias().to_run(found[0]);
}

std::uint64_t word_at(const GoProcess &process, RunAddress address) {
  return read_word(process.memory(), address).value_or(0);
}

std::unique_ptr<GoRuntime> open_runtime(GoProcess &process) {
  auto runtime = GoRuntime::open(process.modules(), process.memory());
  if (!runtime)
    FAIL(runtime.error().message());
  return std::move(*runtime);
}

// The process goes on while it is read: a thread may leave the goroutine that it ran between the reading of the one and
// of the other, and the check then says so. It is asked again until nothing moved.
std::vector<FoundGoroutineList> search_at_rest(const GoProcess &process, const RuntimeLayout &layout) {
  std::vector<FoundGoroutineList> found;
  for (int attempt = 0; attempt < 50; ++attempt) {
    found = search_goroutine_list(process.image(), layout, process.images(), process.memory());
    if (!found.empty() && found[0].check.problem.empty())
      break;
  }
  return found;
}

} // namespace

TEST_CASE("the list of goroutines is found by scan where the symbol says it is") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : go_variants()) {
      if (variant == GoVariant::stripped)
        continue;
      INFO(variant_name(variant));
      GoProcess process({build_go(go, "goroutine_zoo", variant)});
      process.child().wait_for_line();
      process.open();
      const GoImage &image = process.image();
      const RuntimeLayoutChoice choice = runtime_layout(image.version, go.patch);
      CHECK(choice.exact);
      const auto found = search_at_rest(process, *choice.layout);
      REQUIRE_FALSE(found.empty());
      CHECK(found[0].header == symbol(image, "runtime.allgs"));
      CHECK(found[0].check.sound == found[0].check.goroutines);
      INFO(found[0].check.problem);
      CHECK(found[0].check.problem.empty());
      const RunAddress runtime_ms = search_m_list(image, *choice.layout, process.images(), process.memory());
      // An M may be made between the two reads.
      CHECK(
          wait_until([&] { return word_at(process, runtime_ms) == word_at(process, symbol(image, "runtime.allm")); }));
      const auto runtime = open_runtime(process);
      CHECK(runtime->goroutine_list().value() == found[0].header);
      CHECK(runtime->m_list() == symbol(image, "runtime.allm"));
      CHECK(runtime->version().minor == go.minor);
      CHECK(&runtime->layout() == choice.layout);
      CHECK(runtime->take_warnings().empty());
    }
  });
}

TEST_CASE("the runtime of a stripped program is found") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "goroutine_zoo", GoVariant::stripped)});
    process.child().wait_for_line();
    process.open();
    const auto runtime = open_runtime(process);
    const auto list = runtime->goroutine_list();
    if (!list)
      FAIL(list.error().message());
    const std::vector<RunAddress> goroutines = sample_goroutines(*list, process.memory());
    CHECK(goroutines.size() > 50);
    CHECK(runtime->m_list().value != 0);
    CHECK(runtime->take_warnings().empty());
  });
}

// What else points to Ms (those that wait for work, those that have ended) comes and goes with the threads.
TEST_CASE("the list of Ms is found by scan while threads begin and end") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "stack_switches"), "lock"});
    process.child().wait_for_line();
    process.open();
    const RuntimeLayout &layout = *runtime_layout(process.image().version, go.patch).layout;
    const RunAddress list = symbol(process.image(), "runtime.allm");
    int elsewhere = 0;
    for (int search = 0; search < 300; ++search)
      elsewhere += search_m_list(process.image(), layout, process.images(), process.memory()) == list ? 0 : 1;
    CHECK(elsewhere == 0);
  });
}

TEST_CASE("the list of Ms is found while its first one is being made, and while one that has ended is kept") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "goroutine_zoo")});
    process.child().wait_for_line();
    process.open();
    process.child().signal(SIGSTOP);
    REQUIRE(::waitpid(process.child().pid(), nullptr, WUNTRACED) == process.child().pid());
    const GoImage &image = process.image();
    const RuntimeLayout &layout = *runtime_layout(image.version, go.patch).layout;
    const RunAddress list = symbol(image, "runtime.allm");
    const RunAddress newest{word_at(process, list)};
    const auto initialiser = image.table->find("runtime.mcommoninit");
    REQUIRE(initialiser);
    for (const bool by_code : {true, false}) {
      INFO((by_code ? "by the code that changes it" : "by what it leads to"));
      ChangedMemory code(process.memory());
      if (!by_code)
        for (RunAddress at = initialiser->entry; at < initialiser->end; at = at + 1)
          code.write(at, 0);
      const MemoryView &memory = code;
      ChangedMemory beginning(memory);
      ChangedMemory ended(memory);
      // runtime/proc.go, allocm: on the list, with a gsignal, not yet with a g0.
      beginning.write_word(newest + static_cast<std::uint64_t>(layout.m.g0), 0);
      CHECK(search_m_list(image, layout, process.images(), beginning) == list);
      // mexit: its gsignal is gone, it is off the list, but sched.freem has it; here a variable in front does.
      const RunAddress next = newest + static_cast<std::uint64_t>(layout.m.all_link);
      ended.write_word(list, word_at(process, next));
      ended.write_word(newest + static_cast<std::uint64_t>(layout.m.gsignal), 0);
      ended.write_word(RunAddress{(image.data.bss.begin.value + 7) / 8 * 8}, newest.value);
      CHECK(search_m_list(image, layout, process.images(), ended) == list);
    }
  });
}

TEST_CASE("the layout of its own version fits a process, and none whose goroutines differ") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "goroutine_zoo")});
    process.child().wait_for_line();
    process.open();
    const RunAddress list = symbol(process.image(), "runtime.allgs");
    const std::vector<RunAddress> goroutines = sample_goroutines(list, process.memory());
    const RunAddress runtime_m{word_at(process, symbol(process.image(), "runtime.allm"))};
    const RuntimeLayout &own = *runtime_layout({1, go.minor}, go.patch).layout;
    for (const RuntimeLayout &layout : known_runtime_layouts()) {
      const LayoutCheck check = LayoutChecker(layout, process.images(), process.memory()).check(goroutines, runtime_m);
      INFO("Go 1." << layout.version.minor << "." << layout.first_patch << ": " << check.problem);
      if (&layout == &own)
        CHECK(check.believable());
      else if (layout.g.start_pc != own.g.start_pc || layout.g.created_pc != own.g.created_pc ||
               layout.g.status != own.g.status)
        CHECK_FALSE(check.believable());
    }
  });
}

} // namespace inspect
