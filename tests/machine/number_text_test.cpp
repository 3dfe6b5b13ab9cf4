#include "machine/number_text.h"

#include "tests/support/catch.h"

#include <utility>
#include <vector>

namespace inspect {
namespace {

TEST_CASE("sizes, counts and times are said in few digits") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {size_text(0), "0 B"},
      {size_text(999), "999 B"},
      {size_text(1000), "1.0 kB"},
      {size_text(4096), "4 kB"},
      {size_text(135'168), "132 kB"},
      {size_text(1'677'722), "1.6 MB"},
      {size_text(64ULL << 20U), "64 MB"},
      {size_text(1ULL << 30U), "1.0 GB"},
      {size_text(13'207'024'435), "12.3 GB"},
      {size_text(~0ULL), "16.0 EB"},
      {size_change_text(5, 5), "0 B"},
      {size_change_text(0, 48ULL << 20U), "+48 MB"},
      {size_change_text(135'168, 0), "-132 kB"},
      {human_size(10'240), "10M"},
      {with_thousands(94'000), "94,000"},
      {counted(1, "thread"), "1 thread"},
      {counted(9412, "goroutine"), "9,412 goroutines"},
      {duration_text(850), "850 ms"},
      {duration_text(2500), "2.5 s"},
      {duration_text(12'999), "12 s"},
      {duration_text(200'000), "3 min 20 s"},
      {duration_text(7'500'000), "2 h 5 min"},
      {duration_text(86'400'000), "1 day"},
      {duration_text(356'400'000), "4 days 3 h"},
      {pause_text(85), "85 ns"},
      {pause_text(85'123), "85.1 µs"},
      {pause_text(1'254'000), "1.25 ms"},
      {pause_text(2'310'000'000), "2.31 s"},
  };
  for (const auto &[text, expected] : rows)
    CHECK(text == expected);
}

TEST_CASE("per cent of sizes stay in range") {
  CHECK(percent_of(512, 1024) == 50);
  CHECK(percent_of(2, 3) == 67);
  CHECK(percent_of(5, 0) == 0);
  CHECK(percent_of(~0ULL, 1) == 1'000'000'000);
}

} // namespace
} // namespace inspect
