// Crash texts that are damaged, or made to be slow to read.
#include "golang/traceback/traceback_text.h"

#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"

#include <algorithm>
#include <random>
#include <string>

namespace inspect {

TEST_CASE("hostile texts are read in linear time and never fail") {
  std::string many;
  for (const std::string_view piece : {"goroutine ", "goroutine 1 [", "{", "main.f(", ", ", "0x1 +0x1 ", "]:", "\n",
                                       "\t", "[signal ", "(", "a.b(c("}) {
    many.clear();
    while (many.size() < 2'000'000)
      many += piece;
    CHECK(parse_tracebacks(many).size() <= 1);
    CHECK(parse_tracebacks("goroutine 1 [running]:\n" + many).size() <= 1);
    CHECK(parse_tracebacks(many + "goroutine 1 [running]:\nmain.f(" + many).size() <= 2);
  }
  std::mt19937 random(20211);
  const std::string seed = R"(12:00 | panic: boom [recovered]
12:01 | [signal SIGSEGV: segmentation violation code=0x1 addr=0x50 pc=0x5046c9]
12:02 |
12:03 | goroutine 54 gp=0xc000007340 m=3 mp=0xc00004f008 [chan receive, 5 minutes, locked to thread]:
12:04 | main.(*T).f(0x0, {0x1, 0x2?}, _, ...)
12:05 | 	/src/a b.go:227 +0x59 fp=0x1 sp=0x2 pc=0x3
12:06 | created by main.main in goroutine 1
12:07 | 	/src/a.go:1 +0x5
12:08 | ...5 frames elided...

goroutine 7 [running]:
	goroutine running on other thread; stack unavailable
{"log":"goroutine 9 [idle]:\nmain.g(0x1)\n\t/a.go:1 +0x1\n"}
rax    0x1
exit status 2
)";
  std::size_t found = 0;
  for (int round = 0; test::fuzz_goes_on(round, 2000); ++round) {
    std::string text = seed;
    for (int change = 0; change < 1 + round % 40; ++change) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 20);
      else if (random() % 2 == 0)
        text.insert(at, text.substr(random() % text.size(), random() % 30));
      else
        text[at] = static_cast<char>(random());
    }
    found += parse_tracebacks(text).size();
  }
  CHECK(found > 0);
}

TEST_CASE("hostile carriers are taken off in bounded time, and lines keep their numbers") {
  for (const std::string_view piece :
       {"goroutine 1 [running]: x y\n", "{\"a\":\"goroutine 1 [running]:\\n\"}\n", "\"", "a=\"b\" ", "=\n", "\\n",
        "|goroutine 2 [a]:;", "a.b(c\n", "a.b c.go:1\n", "QUFB QUFB\n", "x stderr P a", "created by a\n",
        "'a': 'goroutine 1 [x]:',", "{\"m\":[1,2,3,", "%0A+", "&#10;", "1 @ 0x1\n", "/a.go:1 (0x1)\n\tf: x\n"}) {
    std::string many = "goroutine 7 [running]:\nmain.f(0x1)\n\t/a.go:1 +0x1\n";
    while (many.size() < 300'000)
      many += piece;
    const auto lines = static_cast<std::size_t>(std::ranges::count(many, '\n')) + 1;
    const std::vector<Traceback> tracebacks = parse_tracebacks(many);
    CAPTURE(piece);
    REQUIRE(!tracebacks.empty());
    std::size_t outside = 0;
    for (const Traceback &traceback : tracebacks)
      for (const TracebackGoroutine &goroutine : traceback.goroutines)
        outside += goroutine.text_line == 0 || goroutine.text_line > lines ? 1 : 0;
    CHECK(outside == 0);
  }
}

} // namespace inspect
