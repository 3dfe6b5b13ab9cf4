#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <deque>

namespace inspect::test {
namespace {

/// Made on first use, since the targets are registered before main() in any order. A target stays where it is.
std::deque<FuzzTarget> &registered_targets() {
  static std::deque<FuzzTarget> all;
  return all;
}

} // namespace

RegisteredFuzzTarget::RegisteredFuzzTarget(const FuzzTarget &target) {
  registered_targets().push_back(target);
}

std::vector<FuzzTarget> fuzz_targets() {
  std::vector<FuzzTarget> all(registered_targets().begin(), registered_targets().end());
  std::ranges::sort(all, {}, &FuzzTarget::name);
  return all;
}

const FuzzTarget *find_fuzz_target(std::string_view name) {
  const auto found = std::ranges::find(registered_targets(), name, &FuzzTarget::name);
  return found == registered_targets().end() ? nullptr : &*found;
}

} // namespace inspect::test
