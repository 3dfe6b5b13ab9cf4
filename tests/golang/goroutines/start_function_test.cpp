// Which function a go statement meant, of statements of every form.
#include "golang/goroutines/start_function.h"

#include "golang/goroutines/goroutine_list.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"

#include <map>
#include <mutex>
#include <string>

namespace inspect {
namespace {

using namespace test;

// Each function says the line of its `func` keyword by its place in the file.
constexpr std::string_view starts_source = R"(package main

import (
	"fmt"
	"time"
)

type server struct{ number int }

var waiting = make(chan int, 100)

//go:noinline
func plain() { wait() }

//go:noinline
func with(number int, text string) { fmt.Sprint(number, text); wait() }

//go:noinline
func (s *server) handle(number int) { fmt.Sprint(s.number, number); wait() }

//go:noinline
func wait() {
	waiting <- 1
	select {}
}

func small(number int) { wait() }

func main() {
	s := &server{1}
	go plain()
	go with(len(waiting), "text")
	go s.handle(2)
	go small(len(waiting))
	go func() { wait() }()
	for len(waiting) < 5 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
)";

int line_of(std::string_view words) {
  const std::size_t at = starts_source.find(words);
  return 1 + static_cast<int>(std::ranges::count(starts_source.substr(0, at), '\n'));
}

} // namespace

TEST_CASE("a goroutine's start function is the one of its go statement, whatever the compiler put around it") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped, GoVariant::unoptimised}) {
      INFO(variant_name(variant));
      GoProcess process({build_go_text(go, "starts", starts_source, variant)});
      process.child().wait_for_line("ready");
      process.open();
      const auto runtime = GoRuntime::open(process.modules(), process.memory());
      REQUIRE(runtime);
      const auto header = (*runtime)->goroutine_list();
      REQUIRE(header);
      GoroutineList list((*runtime)->layout(), process.memory());
      REQUIRE(list.find(*header));
      std::map<std::string, int> lines;
      std::mutex guard;
      list.read([&](std::size_t, std::size_t, const Goroutine &goroutine) {
        if (goroutine.status != GoroutineStatus::waiting)
          return;
        const auto start = start_function(**runtime, process.memory(), goroutine.start_pc);
        const std::scoped_lock lock(guard);
        if (start && start->function.starts_with("main.")) {
          lines[std::string(start->function)] = start->line;
          CHECK(start->file.ends_with("main.go"));
        }
      });
      CHECK(lines["main.plain"] == line_of("func plain("));
      CHECK(lines["main.with"] == line_of("func with("));
      CHECK(lines["main.(*server).handle"] == line_of("func (s *server) handle("));
      CHECK(lines["main.small"] == line_of("func small("));
      CHECK(lines.size() == 5); // and the closure, which is called main.main.func1, 3 or 4
    }
  });
}

} // namespace inspect
