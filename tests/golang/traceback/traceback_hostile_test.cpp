// Crash texts that are damaged, or made to be slow to read.
#include "golang/traceback/traceback_text.h"

#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"

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

} // namespace inspect
