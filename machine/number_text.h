// Human-readable numbers: sizes ("1.6 GB"), counts ("94,000 goroutines"), times ("3 min 20 s"). Sentences that are made
// below commands/ and the tables above them say a number in the same words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace inspect {

/// 9412 as "9,412".
std::string with_thousands(std::uint64_t number);

/// "1 thread", "9,412 goroutines": what takes an s.
std::string counted(std::uint64_t number, std::string_view what);

/// A size in units of 1024: "0 B", "132 kB", "1.6 MB", "170 MB", "12.3 GB". Two digits at least, and one more from ten
/// gigabytes on, where a whole unit is much.
std::string size_text(std::uint64_t bytes);

/// A difference of sizes with its sign: "+48 MB", "-132 kB", "0 B".
std::string size_change_text(std::uint64_t before, std::uint64_t after);

/// A size in KiB as tables of processes have it: "0", "512K", "1.2G"; at most four characters up to 9999 of the largest
/// unit.
std::string human_size(std::uint64_t kilobytes);

/// Whole per cent of a whole that is not 0, rounded.
unsigned percent_of(std::uint64_t part, std::uint64_t whole);

/// A span of time in its two largest units: "850 ms", "12 s", "3 min 20 s", "2 h 5 min", "4 days 3 h".
std::string duration_text(std::uint64_t milliseconds);

/// A pause, from nanoseconds, in three digits: "85 µs", "1.25 ms", "2.31 s".
std::string pause_text(std::uint64_t nanoseconds);

} // namespace inspect
