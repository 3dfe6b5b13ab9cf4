// What inspect says of optimized programs that stand still, frame by frame and value by value, against `gdb bt full` of
// the same moment. The long form takes redis, lua and sqlite, built by tools/get_truth_subjects.sh into the folder that
// INSPECT_TRUTH_SUBJECTS names.
#include "tests/commands/truth/gdb_full_backtrace.h"
#include "tests/commands/truth/inspect_full_backtrace.h"
#include "tests/commands/truth/snapshot_comparison.h"
#include "tests/commands/truth/snapshot_subjects.h"
#include "tests/support/catch.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <random>
#include <string>

namespace inspect::test {
namespace {

void take_snapshot(TruthTally &tally, const ComparedSnapshot &snapshot, const SnapshotPlace &place,
                   const std::function<void()> &start) {
  const FullBacktrace theirs = gdb_full_backtrace(snapshot.process, place, start);
  REQUIRE(wait_until([&] { return status_field(snapshot.process, "State").starts_with("T (stopped"); }));
  compare_snapshots(tally, snapshot, inspect_full_backtrace(snapshot.process), theirs);
}

TEST_CASE("truth: snapshots of optimized fixtures") {
  if (!have_program("gdb"))
    SKIP_TEST("gdb is not installed");
  TruthTally tally("Snapshots of optimized fixtures");
  for (const char *fixture : {"tail_calls_gcc", "tail_calls_clang", "optimized_values_gcc", "blocked_gcc"}) {
    if (!std::filesystem::exists(fixture_path(fixture)))
      continue;
    ChildProcess program({fixture_path(fixture)});
    program.wait_for_line();
    REQUIRE(wait_until([&] { return status_field(program.pid(), "State").starts_with("S"); }));
    take_snapshot(tally, {.process = program.pid(), .program = fixture, .place = "where it waits"}, {}, [] {});
  }
  tally.finish();
}

/// The folder of the programs; nothing where it is not given.
std::optional<std::string> subjects_folder() {
  const char *folder = std::getenv("INSPECT_TRUTH_SUBJECTS");
  return folder != nullptr && std::filesystem::exists(folder) ? std::optional<std::string>(folder) : std::nullopt;
}

void take_snapshots(const std::string &folder, const SnapshotProgram &program) {
  TruthTally tally("Snapshots of optimized " + program.name);
  std::mt19937_64 random(truth_seed());
  for (const std::string &function : program.functions) {
    SnapshotPlace place{.function = function};
    place.passes = static_cast<unsigned>(random() % 12);
    place.steps = static_cast<unsigned>(random() % 60);
    const std::string text = fmt::format("{} passed {} times and {} instructions", function, place.passes, place.steps);
    INFO(text);
    const auto subject = program.launch(folder);
    take_snapshot(tally, {.process = subject->pid(), .program = program.name, .place = text}, place,
                  [&] { subject->start(); });
  }
  tally.finish();
}

#define NEEDS_SUBJECTS(folder)                                                                                         \
  const auto folder = subjects_folder();                                                                               \
  if (!folder)                                                                                                         \
    SKIP_TEST("INSPECT_TRUTH_SUBJECTS names no folder; tools/get_truth_subjects.sh makes one");                        \
  if (!have_program("gdb"))                                                                                            \
  SKIP_TEST("gdb is not installed")

TEST_CASE("truth: snapshots of optimized lua") {
  NEEDS_SUBJECTS(folder);
  take_snapshots(*folder, snapshot_program("lua"));
}

TEST_CASE("truth: snapshots of optimized redis") {
  NEEDS_SUBJECTS(folder);
  take_snapshots(*folder, snapshot_program("redis"));
}

TEST_CASE("truth: snapshots of optimized sqlite") {
  NEEDS_SUBJECTS(folder);
  take_snapshots(*folder, snapshot_program("sqlite"));
}

} // namespace
} // namespace inspect::test
