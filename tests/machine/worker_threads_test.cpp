#include "machine/worker_threads.h"

#include "machine/cancellation_point.h"
#include "machine/thrown_error.h"
#include "tests/support/catch.h"

#include <atomic>
#include <new>
#include <stdexcept>
#include <system_error>

using namespace inspect;

TEST_CASE("what a worker throws arrives at its caller when all workers have ended") {
  for (std::size_t thrower = 0; thrower < 3; ++thrower) {
    INFO(thrower);
    std::atomic<std::size_t> ended{0};
    const auto work = [&](std::size_t worker) {
      if (worker == thrower)
        throw std::bad_alloc();
      ++ended;
    };
    CHECK_THROWS_AS(run_workers(3, work), std::bad_alloc);
    CHECK(ended == 2);
  }
}

TEST_CASE("cancellation points obey the innermost scope of their thread, in workers, too") {
  Cancellation outer;
  Cancellation inner;
  outer.request();
  CHECK_NOTHROW(cancellation_point()); // outside of every scope
  const CancellationScope scope(&outer);
  CHECK_THROWS_AS(cancellation_point(), Cancelled);
  CHECK_THROWS_AS(run_workers(3, [](std::size_t) { cancellation_point(); }), Cancelled);
  {
    const CancellationScope other(&inner);
    CHECK_NOTHROW(cancellation_point());
    inner.request();
    CHECK_THROWS_AS(cancellation_point(), Cancelled);
  }
  outer.clear();
  CHECK_NOTHROW(cancellation_point());
}

TEST_CASE("what is thrown becomes an error with a sentence") {
  const auto error_of = [](auto exception) { return caught([&]() -> Result<void> { throw exception; }).error(); };
  CHECK(error_of(std::bad_alloc()).message() == "there is not enough memory");
  CHECK_FALSE(error_of(std::bad_alloc()).remedy().empty());
  CHECK(error_of(std::length_error("vector::reserve")).message() == "there is not enough memory");
  CHECK(error_of(Cancelled()).kind() == ErrorKind::cancelled);
  const auto no_thread = std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  CHECK(error_of(no_thread).kind() == ErrorKind::system);
  CHECK(error_of(no_thread).message().find("thread") != std::string::npos);
  CHECK(error_of(std::runtime_error("odd")).message().find("odd") != std::string::npos);
  CHECK(error_of(7).message().find("fault of inspect") != std::string::npos);
  CHECK(caught([]() -> Result<int> { return 7; }) == 7);
}
