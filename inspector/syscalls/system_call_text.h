// Builds the text of one system call, argument by argument, with what memory and the file table know:
//
//     read(5 </var/log/x>)    poll([3 <pipe:[77]>, 4]), timeout 3 s    nanosleep(2.5 s)
//
// Used by inspector/syscalls/system_call.cpp and the decoders of single calls; not of interest elsewhere.
#pragma once

#include "attach/files/file_table.h"
#include "machine/memory_view.h"
#include "machine/x86_64/system_call.h"

#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// "3 s", "2.5 s", "250 ms".
std::string duration_text(std::chrono::nanoseconds duration);

class SystemCallText {
public:
  /// `files` may be null.
  SystemCallText(const SystemCall &call, const MemoryView &memory, FileTable *files)
      : call_(call), memory_(memory), files_(files) {}

  std::int64_t number() const { return call_.number; }
  std::uint64_t word(unsigned index) const { return call_.word(index); }
  std::int32_t integer(unsigned index) const { return call_.integer(index); }
  const MemoryView &memory() const { return memory_; }

  /// Adds a word between the parentheses.
  void add(std::string word) { words_.push_back(std::move(word)); }
  /// Adds what stands behind them: "timeout 3 s".
  void add_tail(std::string words) { tail_ = std::move(words); }

  std::string descriptor(std::int32_t number) const; ///< "5 </var/log/x>"
  std::string path(std::uint64_t address) const;     ///< "\"/etc/x\""; the address where it cannot be read
  std::string signal_set(std::uint64_t address) const;
  std::string socket_address(std::uint64_t address, std::uint64_t length) const;

  /// The struct timespec at `address`; nothing where it cannot be read.
  std::optional<timespec> time_at(std::uint64_t address) const;
  std::string duration_at(std::uint64_t address) const;
  /// Tails for a relative and an absolute struct timespec, a struct timeval, and milliseconds; null and negative: none.
  void add_timeout(std::uint64_t address);
  void add_timeout_until(std::uint64_t address, clockid_t clock);
  void add_timeval_timeout(std::uint64_t address);
  void add_milliseconds_timeout(std::int32_t milliseconds);

  std::string text(std::string_view name) const;

private:
  void add_relative(std::optional<std::chrono::nanoseconds> duration, std::uint64_t address);

  SystemCall call_;
  const MemoryView &memory_;
  FileTable *files_;
  std::vector<std::string> words_;
  std::string tail_;
};

/// Adds the arguments as far as they tell something about a wait (the man pages of section 2); false when the call is
/// none of those known here.
bool add_known_arguments(SystemCallText &call);
/// Those of `futex(0x7f…, FUTEX_WAIT_PRIVATE, 2), no timeout` (man page futex(2), linux/futex.h).
void describe_futex(SystemCallText &call);

/// How long from now until a time of a clock; "now" is this machine's, which is also the target's.
std::chrono::nanoseconds time_left(const timespec &until, clockid_t clock);

} // namespace inspect
