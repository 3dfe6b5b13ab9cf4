#include "machine/x86_64/registers.h"

#include "tests/support/catch.h"

#include <limits>

namespace inspect {
namespace {

TEST_CASE("a register is known or not, and no number is out of bounds") {
  RegisterSet registers;
  CHECK_FALSE(registers.knows(x86_64::return_address));
  registers.set(x86_64::rsp, 0);
  CHECK(registers.get(x86_64::rsp) == std::uint64_t{0});
  registers.forget(x86_64::rsp);
  CHECK_FALSE(registers.get(x86_64::rsp).has_value());
  for (const unsigned number : {RegisterSet::capacity, std::numeric_limits<unsigned>::max()}) {
    registers.set(number, 1);
    registers.forget(number);
    CHECK_FALSE(registers.knows(number));
    CHECK_FALSE(registers.get(number).has_value());
  }
}

TEST_CASE("register names lead to numbers and back") {
  for (const x86_64::RegisterName &one : x86_64::register_names())
    CHECK(x86_64::register_by_name(one.name) == one.number);
  CHECK(x86_64::register_by_name("RIP") == x86_64::return_address);
  CHECK(x86_64::register_by_name("r8") == x86_64::r8);
  for (const char *nonsense : {"", "r", "r88", "rip ", "xmm0", "%rip"})
    CHECK_FALSE(x86_64::register_by_name(nonsense).has_value());
}

} // namespace
} // namespace inspect
