// Two full backtraces of one stopped process, row by row: each frame, each argument, each local.
#pragma once

#include "tests/commands/truth/full_backtrace.h"
#include "tests/commands/truth/truth_tally.h"

#include <string>
#include <sys/types.h>

namespace inspect::test {

struct ComparedSnapshot {
  pid_t process = 0;
  std::string program; ///< the line of the table
  std::string place;   ///< to find it again
};

void compare_snapshots(TruthTally &tally, const ComparedSnapshot &snapshot, const FullBacktrace &ours,
                       const FullBacktrace &theirs);

} // namespace inspect::test
