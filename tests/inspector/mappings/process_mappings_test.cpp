// The mappings of live processes against what these know of themselves.
#include "attach/procfs/process_status.h"
#include "inspector/mappings/mapping_selection.h"
#include "inspector/mappings/process_mappings.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <unistd.h>

namespace inspect::test {
namespace {

/// Lines "NAME=WORDS" up to "ready".
std::map<std::string, std::string> read_facts(ChildProcess &process) {
  std::map<std::string, std::string> facts;
  for (;;) {
    const std::string line = process.read_line();
    if (line == "ready")
      return facts;
    const auto equals = line.find('=');
    REQUIRE(equals != std::string::npos);
    facts[line.substr(0, equals)] = line.substr(equals + 1);
  }
}

const ClassifiedMapping *find(const ProcessMappings &mappings, std::uint64_t address) {
  const auto found = std::ranges::find_if(mappings.mappings, [&](const ClassifiedMapping &one) {
    return one.usage.mapping.range.contains(RunAddress{address});
  });
  return found == mappings.mappings.end() ? nullptr : &*found;
}

ProcessMappings read(pid_t process) {
  auto mappings = read_process_mappings(process);
  if (!mappings)
    FAIL(mappings.error().message());
  return std::move(*mappings);
}

/// Those that come to sleep do so a moment after they have said that they are there.
void wait_for_sleepers(pid_t process, std::string_view running) {
  REQUIRE(wait_until([&] {
    const auto threads = read_thread_stack_pointers(process);
    return threads && std::ranges::all_of(*threads, [&](const ThreadStackPointer &one) {
             return one.stack_pointer || one.name == running;
           });
  }));
}

std::uint64_t of_kind(const ProcessMappings &mappings, MappingKind kind, std::uint64_t MemoryAmounts::*amount) {
  std::uint64_t sum = 0;
  for (const ClassifiedMapping &one : mappings.mappings)
    if (one.kind == kind && one.usage.counted)
      sum += one.usage.amounts.*amount;
  return sum;
}

void check_sum(const ProcessMappings &mappings) {
  const auto status = read_living_status(mappings.process);
  REQUIRE(status);
  CHECK(total_of(mappings.mappings).reserved == status->memory.virtual_size);
}

TEST_CASE("each mapping of a program that knows its memory has the kind that the program says") {
  ChildProcess process({fixture_path("memory_kinds")});
  const auto facts = read_facts(process);
  wait_for_sleepers(process.pid(), "");
  const ProcessMappings mappings = read(process.pid());
  CHECK(mappings.command == "memory_kinds");
  CHECK(mappings.executable == fixture_path("memory_kinds"));
  CHECK(mappings.measured);
  CHECK(mappings.warnings == std::vector<std::string>());
  check_sum(mappings);
  const std::map<std::string, MappingKind> kinds = {
      {"shared_with_child", MappingKind::shared_memory},
      {"copy_on_write", MappingKind::anonymous},
      {"reserved", MappingKind::reserved},
      {"untouched", MappingKind::anonymous},
      {"anonymous", MappingKind::anonymous},
      {"jit", MappingKind::jit},
      {"lazily_freed", MappingKind::anonymous},
      {"locked", MappingKind::anonymous},
      {"huge", MappingKind::anonymous},
      {"shared_anonymous", MappingKind::shared_memory},
      {"memfd", MappingKind::memfd},
      {"system_v", MappingKind::shared_memory},
      {"posix_shm", MappingKind::shared_memory},
      {"file", MappingKind::file},
      {"file_written", MappingKind::file},
      {"main_heap", MappingKind::main_heap},
      {"malloc_mapped", MappingKind::malloc_mapped},
      {"stack", MappingKind::thread_stack},
      {"guard", MappingKind::guard},
      {"arena", MappingKind::malloc_arena},
  };
  const pid_t thread = std::stoi(facts.at("stack_thread"));
  for (const auto &[name, kind] : kinds) {
    INFO(name);
    const ClassifiedMapping *found = find(mappings, std::stoull(facts.at(name), nullptr, 16));
    REQUIRE(found != nullptr);
    CHECK(mapping_kind_name(found->kind) == mapping_kind_name(kind));
    CHECK_FALSE(found->guessed);
    if (name == "stack" || name == "guard")
      CHECK(found->thread == thread);
    if (name == "arena") // both parts of its 64 MB
      CHECK(find(mappings, found->usage.mapping.range.end.value)->arena == found->arena);
  }
}

TEST_CASE("each stack is its thread's, as deep as the thread knows") {
  const std::string name = GENERATE("thread_stacks", "thread_stacks_static");
  ChildProcess process({fixture_path(name)});
  const auto facts = read_facts(process);
  wait_for_sleepers(process.pid(), "running");
  const ProcessMappings mappings = read(process.pid());
  check_sum(mappings);
  for (const auto &[thread_name, words] : facts) {
    INFO(name << " " << thread_name);
    pid_t thread = 0;
    std::uint64_t low = 0;
    std::uint64_t size = 0;
    std::uint64_t frame = 0;
    std::istringstream(words) >> thread >> std::hex >> low >> std::dec >> size >> std::hex >> frame;
    const ClassifiedMapping *found = find(mappings, frame);
    REQUIRE(found != nullptr);
    if (thread_name == "reused")
      continue;
    if (thread_name == "heap" || thread_name == "bss") {
      CHECK(found->kind == (thread_name == "heap" ? MappingKind::main_heap : MappingKind::program_data));
      continue;
    }
    CHECK(mapping_kind_name(found->kind) == "thread_stack");
    CHECK_FALSE(found->guessed);
    CHECK(found->thread == thread);
    if (thread_name == "ended") {
      CHECK(found->note == "of a thread that has ended, kept for the next one");
      continue;
    }
    CHECK(found->thread_name == thread_name);
    if (thread_name != "running") {
      REQUIRE(found->depth);
      CHECK(*found->depth >= low + size - frame);
      CHECK(*found->depth < low + size - frame + 1024);
    }
    const ClassifiedMapping *below = find(mappings, low - 1);
    const bool guarded = thread_name != "unguarded" && thread_name != "mapped";
    CHECK((below != nullptr && below->kind == MappingKind::guard && below->thread == thread) == guarded);
    if (thread_name == "wide guard")
      CHECK(find(mappings, low - (64U << 10U))->thread == thread);
  }
}

/// Without the right to open it, or as here: not this process itself.
TEST_CASE("where a process cannot be opened its mappings alone tell the kinds, and a warning says so") {
  const ProcessMappings mappings = read(::getpid());
  REQUIRE(mappings.warnings.size() == 1);
  CHECK(mappings.warnings.front().starts_with("kinds are told from the mappings alone: "));
  const auto *stack = find(mappings, reinterpret_cast<std::uint64_t>(&mappings));
  const auto *text = find(mappings, reinterpret_cast<std::uint64_t>(&find_mapping));
  REQUIRE((stack != nullptr && text != nullptr));
  CHECK(stack->kind == MappingKind::thread_stack);
  CHECK(stack->thread == ::getpid());
  CHECK(text->kind == MappingKind::program_text);
}

TEST_CASE("a process without memory has no mappings to tell") {
  ChildProcess zombie({"true"});
  REQUIRE(wait_until([&] {
    const auto stat = read_process_stat(zombie.pid());
    return stat && stat->state == 'Z';
  }));
  CHECK_FALSE(read_process_mappings(zombie.pid()));
  const auto nobody = read_process_mappings(1 << 22);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().kind() == ErrorKind::no_such_process);
}

TEST_CASE("the memory of a Go program is its heap, its stacks and its runtime's tables, whatever the build") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped, GoVariant::cgo}) {
      INFO(variant_name(variant));
      ChildProcess process({build_go(go, "memory_stacks", variant), "3000"});
      std::string line = process.read_line();
      REQUIRE(line.starts_with("ready "));
      const std::uint64_t stacks = std::stoull(line.substr(line.find("stacks=") + 7));
      const ProcessMappings mappings = read(process.pid());
      CHECK(mappings.warnings == std::vector<std::string>());
      std::uint64_t on_stacks = 0;
      for (const ClassifiedMapping &one : mappings.mappings) {
        on_stacks += one.goroutine_stacks.value_or(0);
        // Until Go 1.25; since then the heap lies anywhere.
        if (const std::uint64_t begin = one.usage.mapping.range.begin.value; begin >> 32U == 0xc0)
          CHECK(one.kind == MappingKind::go_heap);
        CHECK_FALSE(one.guessed);
      }
      CHECK(on_stacks >= stacks);
      CHECK(on_stacks < 2 * stacks);
      CHECK(of_kind(mappings, MappingKind::go_metadata, &MemoryAmounts::resident) > 0);
      if (variant != GoVariant::cgo) { // a Go runtime alone: all private memory is its own
        CHECK(of_kind(mappings, MappingKind::anonymous, &MemoryAmounts::resident) < 256U << 10U);
        CHECK(of_kind(mappings, MappingKind::reserved, &MemoryAmounts::reserved) < 1U << 20U);
      }
    }
  });
}

} // namespace
} // namespace inspect::test
