// The words of `goroutines`: conditions, keys, waiting times, places.
#include "commands/frames/goroutine_request.h"

#include "tests/support/catch.h"
#include "tests/support/report_builder.h"

namespace inspect {
namespace {

using Catch::Matchers::Contains;

/// Goroutines 1 (main), 2 (waits in a mutex' Lock for 400 s, labelled), 3 (a server's connection, of the standard
/// library alone), 4 (a worker of the collector), 5 (runs).
struct Zoo {
  ProcessReport process = empty_report();
  GoReportBuilder build{process};

  Zoo() {
    const std::uint32_t creation = build.add_creation("main.serve", 41);
    build.add(1, build.add_stack({build.frame("runtime.gopark", 402), build.frame("main.main", 9),
                                  build.frame("runtime.main", 290), build.frame("runtime.goexit", 1700)}));
    GoroutineReport &locked = build.add(
        2,
        build.add_stack({build.frame("runtime.gopark", 402), build.frame("internal/sync.runtime_SemacquireMutex", 95),
                         build.frame("sync.(*Mutex).Lock", 46), build.frame("github.com/x/y.(*T).take", 12),
                         build.frame("main.handle", 33), build.frame("runtime.goexit", 1700)}));
    locked.creation = creation;
    locked.wait_seconds = 400;
    locked.labels = build.add_labels({{"tenant", "7"}});
    build.add(3,
              build.add_stack({build.frame("internal/poll.runtime_pollWait", 351), build.frame("net.(*conn).Read", 196),
                               build.frame("net/http.(*conn).serve", 2039), build.frame("runtime.goexit", 1700)}));
    build
        .add(4, build.add_stack({build.frame("runtime.gopark", 402), build.frame("runtime.gcBgMarkWorker", 1400),
                                 build.frame("runtime.goexit", 1700)}))
        .system = true;
    GoroutineReport &running = build.add(5, build.add_stack({build.frame("main.compute", 77)}));
    running.status = GoroutineStatus::running;
    running.thread = 4253;
  }

  std::vector<std::uint64_t> chosen(const std::vector<std::string> &words) {
    const auto request = parse_goroutine_request(words);
    REQUIRE(request);
    std::vector<std::uint64_t> ids;
    for (const GoroutineReport &goroutine : build.go().goroutines)
      if (request->accepts(build.go(), goroutine))
        ids.push_back(goroutine.id);
    return ids;
  }
  std::string location(std::size_t index, GoroutineLocation location) {
    return location_text(build.go(), build.go().goroutines[index], location);
  }
};

using Ids = std::vector<std::uint64_t>;

TEST_CASE("a goroutine's place is the caller of the standard library") {
  Zoo zoo;
  CHECK(zoo.location(0, GoroutineLocation::user) == "main.main at /src/svc.go:9");
  CHECK(zoo.location(1, GoroutineLocation::user) == "github.com/x/y.(*T).take at /src/svc.go:12");
  CHECK(zoo.location(1, GoroutineLocation::current) == "runtime.gopark at /go/src/runtime/proc.go:402");
  CHECK(zoo.location(1, GoroutineLocation::created) == "main.serve at /src/svc.go:41");
  CHECK(zoo.location(1, GoroutineLocation::start) == "main.handle at /src/svc.go:33");
  CHECK(zoo.location(2, GoroutineLocation::user) == "net/http.(*conn).serve at /src/svc.go:2039");
  CHECK(zoo.location(3, GoroutineLocation::user) == "runtime.gcBgMarkWorker at /go/src/runtime/proc.go:1400");
  CHECK(zoo.location(0, GoroutineLocation::created).empty());
}

TEST_CASE("conditions choose goroutines") {
  Zoo zoo;
  CHECK(zoo.chosen({}) == Ids{1, 2, 3, 5});
  CHECK(zoo.chosen({"-a"}) == Ids{1, 2, 3, 4, 5});
  CHECK(zoo.chosen({"-with", "userloc", "main\\."}) == Ids{1, 5});
  CHECK(zoo.chosen({"-w", "userloc", "svc\\.go:12"}) == Ids{2});
  CHECK(zoo.chosen({"-with", "curloc", "gopark"}) == Ids{1, 2});
  CHECK(zoo.chosen({"-with", "goloc", "serve"}) == Ids{2});
  CHECK(zoo.chosen({"-with", "startloc", "^main\\.handle "}) == Ids{2});
  CHECK(zoo.chosen({"-without", "userloc", "main\\."}) == Ids{2, 3});
  CHECK(zoo.chosen({"-wo", "running"}) == Ids{1, 2, 3});
  CHECK(zoo.chosen({"-with", "running"}) == Ids{5});
  CHECK(zoo.chosen({"-a", "-without", "user"}) == Ids{4});
  CHECK(zoo.chosen({"-with", "label", "tenant"}) == Ids{2});
  CHECK(zoo.chosen({"-with", "label", "tenant=7"}) == Ids{2});
  CHECK(zoo.chosen({"-with", "label", "tenant=8"}).empty());
  CHECK(zoo.chosen({"-with", "curloc", "gopark", "-without", "label", "tenant"}) == Ids{1});
}

TEST_CASE("waiting times compare") {
  Zoo zoo;
  for (const std::string match :
       {">5m", ">=400s", "400s", "400.0s", ">399s", "<401s", "<=400s", "<1h", "<1d", ">6", "6m"}) {
    CAPTURE(match);
    CHECK(zoo.chosen({"-waiting", match}) == Ids{2});
  }
  for (const std::string miss : {">7m", ">400s", "<400s", ">=401s", ">1d"}) {
    CAPTURE(miss);
    CHECK(zoo.chosen({"-waiting", miss}).empty());
  }
}

TEST_CASE("keys group goroutines") {
  Zoo zoo;
  const auto key_of = [&](std::string_view text, std::size_t index) {
    const auto key = parse_goroutine_key(text);
    REQUIRE(key);
    return (*key)(zoo.build.go(), zoo.build.go().goroutines[index]);
  };
  CHECK(key_of("userloc", 0) == "main.main at /src/svc.go:9");
  CHECK(key_of("goloc", 1) == "main.serve at /src/svc.go:41");
  CHECK(key_of("running", 4) == "on a thread");
  CHECK(key_of("running", 0) == "on no thread");
  CHECK(key_of("user", 3) == "the runtime's own");
  CHECK(key_of("label tenant", 1) == "tenant=7");
  CHECK(key_of("label tenant", 0) == "no label tenant");
}

TEST_CASE("depths, places and commands are taken from the words") {
  const auto parse = [](std::vector<std::string> words) {
    const auto request = parse_goroutine_request(words);
    REQUIRE(request);
    return *request;
  };
  CHECK(parse({"-t"}).stacks);
  CHECK(parse({"-t"}).depth == 0);
  CHECK(parse({"-t", "5", "-l"}).depth == 5);
  CHECK(parse({"-t", "5", "-l"}).labels);
  CHECK(parse({"-g"}).location == GoroutineLocation::created);
  CHECK(parse({"-chan", "0xc000012120"}).channel == "0xc000012120");
  CHECK(parse({"-exec", "bt", "3"}).command == std::vector<std::string>{"bt", "3"});
  CHECK(parse({"-exec", "bt", "3"}).command_says_which);
  CHECK_FALSE(parse({"-exec", "deferred"}).command_says_which);
}

TEST_CASE("invalid words are refused in one sentence with a remedy") {
  struct Row {
    std::vector<std::string> words;
    std::string sentence;
    std::string remedy;
  };
  const Row rows[] = {
      {{"-with", "nonsense"}, "'nonsense' is not a condition on goroutines", "userloc REGEX"},
      {{"-with"}, "a condition is missing", "userloc REGEX"},
      {{"-with", "userloc"}, "'userloc' is not a condition on goroutines", "userloc REGEX"},
      {{"-without", "label"}, "label needs a key", "label tenant"},
      {{"-with", "userloc", "("}, "'(' is not a valid regular expression", ""},
      {{"-waiting", "abc"}, "'abc' is not a waiting time", ">5m"},
      {{"-waiting", ">"}, "'>' is not a waiting time", ">5m"},
      {{"-waiting", "5y"}, "'5y' is not a waiting time", ">5m"},
      {{"-waiting", ">nan"}, "'>nan' is not a waiting time", ">5m"},
      {{"-waiting"}, "a waiting time is missing", ">5m"},
      {{"-group"}, "what to group goroutines by is missing", "label KEY"},
      {{"-group", "colour"}, "goroutines cannot be grouped by 'colour'", "label KEY"},
      {{"-group", "label"}, "goroutines cannot be grouped by 'label'", "label KEY"},
      {{"-chan"}, "-chan needs the address of a channel", "-chan 0xc000012120"},
      {{"-exec"}, "-exec needs a command", "goroutines -exec bt 3"},
      {{"-exec", "nonsense"}, "there is no command 'nonsense'", "help"},
      {{"-exec", "bt", "-with", "running"}, "bt has no option '-with' (-exec takes the rest of the line)", "help bt"},
      {{"-t", "0"}, "-t", ""},
      {{"-x"}, "goroutines has no option '-x'", "help goroutines"},
      {{"17"}, "goroutines has no option '17'", "help goroutines"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.sentence);
    const auto request = parse_goroutine_request(row.words);
    REQUIRE_FALSE(request);
    CHECK(request.error().kind() == ErrorKind::usage);
    CHECK_THAT(request.error().message(), Contains(row.sentence));
    CHECK_THAT(request.error().remedy(), Contains(row.remedy));
  }
}

} // namespace
} // namespace inspect
