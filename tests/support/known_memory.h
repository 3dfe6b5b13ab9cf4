// What the fixture memory_kinds prints of its memory: the address, size and used bytes of each kind, by its name.
//
//     ChildProcess child({fixture_path("memory_kinds")});
//     const KnownMemory known = KnownMemory::read(child);
//     known.at("anonymous").used
#pragma once

#include "machine/address.h"
#include "tests/support/child_process.h"

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace inspect::test {

struct KnownRange {
  RunAddress address;
  std::uint64_t size = 0; ///< bytes
  std::uint64_t used = 0; ///< bytes
};

class KnownMemory {
public:
  /// Reads its lines up to "ready".
  static KnownMemory read(ChildProcess &child) {
    KnownMemory known;
    for (std::string line = child.read_line(); line != "ready"; line = child.read_line()) {
      const auto equals = line.find('=');
      const std::string name = line.substr(0, equals);
      std::size_t length = 0;
      std::string rest = line.substr(equals + 1);
      KnownRange range;
      range.address.value = std::stoull(rest, &length, 0);
      if (name == "stack_thread") {
        known.stack_thread_ = static_cast<pid_t>(range.address.value);
        continue;
      }
      rest = rest.substr(length);
      range.size = std::stoull(rest, &length, 10);
      range.used = std::stoull(rest.substr(length), nullptr, 10);
      known.ranges_[name] = range;
    }
    return known;
  }

  /// Throws where the fixture printed no such name.
  const KnownRange &at(std::string_view name) const {
    const auto found = ranges_.find(std::string(name));
    if (found == ranges_.end())
      throw std::runtime_error("memory_kinds printed no " + std::string(name));
    return found->second;
  }
  /// The thread whose stack `stack` is.
  pid_t stack_thread() const { return stack_thread_; }

private:
  std::map<std::string, KnownRange> ranges_;
  pid_t stack_thread_ = 0;
};

} // namespace inspect::test
