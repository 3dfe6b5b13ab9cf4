// The fixture many_descriptors, started, with what it said of itself.
#pragma once

#include "tests/support/child_process.h"

#include <map>
#include <set>
#include <string>

namespace inspect::test {

class DescriptorFixture {
public:
  /// Opens about that many descriptors, or the fewest that have one of each kind. Returns when all are open: from then
  /// on it rests.
  explicit DescriptorFixture(int count = 0);

  pid_t pid() const { return process_.pid(); }
  const std::map<std::string, int> &kinds() const { return kinds_; }    ///< JSON name of the kind → how many
  const std::set<std::string> &listening() const { return listening_; } ///< "tcp 127.0.0.1:4711", "unix @name"
  const std::string &deleted_path() const { return deleted_path_; }
  int accepted() const { return accepted_; }
  int total() const { return total_; }

private:
  ChildProcess process_;
  std::map<std::string, int> kinds_;
  std::set<std::string> listening_;
  std::string deleted_path_;
  int accepted_ = 0;
  int total_ = 0;
};

} // namespace inspect::test
