#include "tests/commands/truth/full_backtrace.h"

namespace inspect::test {

std::string file_name_of(const std::string &path) {
  return path.substr(path.rfind('/') + 1);
}

} // namespace inspect::test
