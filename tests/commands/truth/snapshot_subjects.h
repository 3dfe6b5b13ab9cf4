// The programs that snapshots are taken of, and the places where.
#pragma once

#include "tests/commands/truth/gdb_full_backtrace.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_directory.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace inspect::test {

/// One that runs, and waits to be set going.
class SnapshotSubject {
public:
  virtual ~SnapshotSubject() = default;
  virtual pid_t pid() const = 0;
  /// Sets going what leads to the places.
  virtual void start() = 0;
};

struct SnapshotProgram {
  std::string name;
  std::vector<std::string> functions; ///< a snapshot in each
  std::unique_ptr<SnapshotSubject> (*launch)(const std::string &folder);
};

/// One of those that tools/get_truth_subjects.sh builds: "lua", "redis", "sqlite".
const SnapshotProgram &snapshot_program(std::string_view name);

} // namespace inspect::test
