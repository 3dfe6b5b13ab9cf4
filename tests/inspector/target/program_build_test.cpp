#include "inspector/target/program_build.h"

#include "machine/file_descriptor.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/temporary_directory.h"

#include <fstream>
#include <iterator>
#include <random>
#include <sys/mman.h>

namespace inspect {
namespace {

std::string content_of(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_CASE("the build of a damaged or hostile executable is read within bounds, or refused") {
  const std::string whole = content_of(test::fixture_path("known_words"));
  REQUIRE(whole.size() > 4096);
  const auto intact = read_program_build(test::file_in_memory(whole).get());
  REQUIRE(intact.has_value());
  CHECK(intact->build_id.size() == 40);
  CHECK(intact->dynamic);
  CHECK_FALSE(intact->needed.empty());
  CHECK_FALSE(intact->compilers.empty());

  CHECK(read_program_build(test::file_in_memory("#!/bin/sh\n").get()).error().kind() == ErrorKind::unsupported);
  std::mt19937 random(42);
  std::size_t read = 0;
  for (int round = 0; test::fuzz_goes_on(round, 300); ++round) {
    std::string damaged = whole;
    // Headers, notes and the dynamic section lie in front; section headers behind.
    const std::size_t from = round % 2 == 0 ? 0 : damaged.size() - 4096;
    for (int i = 0; i < 8; ++i)
      damaged[from + random() % 4096] = static_cast<char>(random());
    if (round % 5 == 0)
      damaged.resize(random() % damaged.size());
    const auto build = read_program_build(test::file_in_memory(damaged).get());
    if (!build)
      continue;
    ++read;
    CHECK(build->build_id.size() <= 128);
    CHECK(build->compilers.size() <= 64);
  }
  CHECK(read > 0);
}

} // namespace
} // namespace inspect
