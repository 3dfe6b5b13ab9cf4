#include "golang/traceback/traceback_rules.h"

#include "golang/pclntab/function_name.h"
#include "tests/support/catch.h"

namespace inspect {
namespace {

constexpr GoVersion oldest{1, 16};
constexpr GoVersion newest{1, 26};

bool hidden_alone(std::string_view function, GoVersion version, GoFuncId func_id = GoFuncId::normal) {
  return TracebackFilter(version).hides(function, func_id);
}

TEST_CASE("names are printed as the Go runtime does") {
  CHECK(printed_function_name("main.Map[go.shape.int].func1", newest) == "main.Map[...].func1");
  CHECK(printed_function_name("main.f", newest) == "main.f");
  CHECK(printed_function_name("main.]f[", newest) == "main.]f[");
}

TEST_CASE("a traceback leaves out what is internal to the runtime") {
  CHECK_FALSE(hidden_alone("main.main", oldest));
  CHECK_FALSE(hidden_alone("runtime.Gosched", oldest));
  CHECK_FALSE(hidden_alone("runtime/pprof.writeGoroutine", newest));
  CHECK(hidden_alone("runtime.gopark", newest));
  CHECK(hidden_alone("runtime.", newest));
  CHECK(hidden_alone("main", newest));
}

TEST_CASE("methods of the runtime's exported types are shown since Go 1.23") {
  CHECK(hidden_alone("runtime.(*Func).Entry", {1, 22}));
  CHECK_FALSE(hidden_alone("runtime.(*Func).Entry", {1, 23}));
  CHECK(hidden_alone("runtime.(*mheap).Entry", {1, 23}));
}

TEST_CASE("a wrapper is shown only where it called a panic") {
  TracebackFilter calls(newest);
  CHECK_FALSE(calls.hides("main.T.f", GoFuncId::normal));
  CHECK(calls.hides("main.(*T).f", GoFuncId::wrapper));
  TracebackFilter panics(newest);
  CHECK(panics.hides("runtime.panicwrap", GoFuncId::panicwrap));
  CHECK_FALSE(panics.hides("main.(*T).f", GoFuncId::wrapper));
}

TEST_CASE("a panic is shown in the middle of a stack, not at its top") {
  TracebackFilter filter(newest);
  CHECK(filter.hides("runtime.gopanic", GoFuncId::gopanic));
  CHECK_FALSE(filter.hides("main.deferred", GoFuncId::normal));
  CHECK_FALSE(filter.hides("runtime.gopanic", GoFuncId::gopanic));
}

TEST_CASE("the runtime's goroutines are told from the program's by where they began") {
  CHECK(is_system_goroutine("runtime.bgsweep", GoFuncId::normal));
  CHECK_FALSE(is_system_goroutine("runtime.main", GoFuncId::runtime_main));
  CHECK_FALSE(is_system_goroutine("main.worker", GoFuncId::normal));
}

} // namespace
} // namespace inspect
