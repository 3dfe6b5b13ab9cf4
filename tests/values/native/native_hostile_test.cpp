// Memory that lies: every type of the C, C++ and Rust programs is read from bytes that mean nothing, or that lead back
// to themselves. What is printed does not matter; that it ends, and stays within its limits, does.
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/skip.h"
#include "tests/values/fixture_values.h"
#include "values/native/native_layout.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <cstring>
#include <random>
#include <unistd.h>

namespace inspect {
namespace {

constexpr RunAddress place{0x10000};
constexpr std::size_t room = 8192;

std::vector<std::byte> words_of(std::uint64_t word) {
  std::vector<std::byte> bytes(room);
  for (std::size_t i = 0; i + sizeof word <= room; i += sizeof word)
    std::memcpy(bytes.data() + i, &word, sizeof word);
  return bytes;
}

/// Words that are pointers into the same memory, small numbers, or anything.
std::vector<std::byte> random_words(std::mt19937_64 &random) {
  std::vector<std::byte> bytes(room);
  for (std::size_t i = 0; i + 8 <= room; i += 8) {
    const std::uint64_t any = random();
    const std::uint64_t word = any % 4 == 0   ? place.value + (any >> 8) % room
                               : any % 4 == 1 ? (any >> 8) % 16
                               : any % 4 == 2 ? place.value
                                              : any;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  return bytes;
}

void look_at(const TypeHandle &type, SourceLanguage language, const std::vector<std::byte> &bytes,
             test::FixtureValues &program) {
  BufferMemory memory;
  memory.add(place, bytes);
  ValueEnvironment environment{
      .memory = memory, .modules = program.environment().modules, .types = program.environment().types};
  environment.find_type = program.environment().find_type;
  const Value value = value_at(place, type, language, environment);
  PrintOptions options;
  options.headed = true;
  options.limits.text_bytes = 10'000;
  CHECK(value_text(value, environment, options).size() < 40'000);
  const ValueOperations &operations = native_operations();
  // The answers are not looked at: any is right, as long as there is one.
  static_cast<void>(operations.length(value, environment));
  static_cast<void>(operations.text(value, 100, environment));
  static_cast<void>(operations.dereference(value, environment));
  static_cast<void>(operations.number(value, environment));
  for (const std::string &name : operations.member_names(value, environment))
    static_cast<void>(operations.member(value, name, environment));
  if (const auto address = operations.address_of(value, environment)) {
    static_cast<void>(operations.element(value, *address, environment));
    static_cast<void>(operations.slice(value, 0, 10, environment));
  }
}

TEST_CASE("values of nonsense end") {
  std::mt19937_64 random(20);
  std::vector<std::vector<std::byte>> contents;
  for (const std::uint64_t word : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX, place.value, place.value + 8,
                                   std::uint64_t{1} << 60, std::uint64_t{0x5a5a5a5a5a5a5a5a}})
    contents.push_back(words_of(word));
  for (int i = 0; i < test::fuzz_rounds(6); ++i)
    contents.push_back(random_words(random));
  const std::pair<const char *, SourceLanguage> fixtures[] = {{"values_c", SourceLanguage::c},
                                                              {"values_cpp", SourceLanguage::cpp},
                                                              {"values_gcc", SourceLanguage::cpp},
                                                              {"values_rust", SourceLanguage::rust}};
  std::size_t types = 0;
  for (const auto &[fixture, language] : fixtures) {
    if (::access(test::fixture_path(fixture).c_str(), X_OK) != 0)
      continue;
    test::FixtureValues program({test::fixture_path(fixture)}, language);
    program.child().wait_for_line();
    program.open();
    for (const auto &[name, type] : program.variable_types(language == SourceLanguage::rust ? "values_rust::" : "")) {
      INFO(fixture << ": " << name);
      ++types;
      for (const std::vector<std::byte> &bytes : contents)
        look_at(type, language, bytes, program);
    }
  }
  CHECK(types >= 100);
}

} // namespace
} // namespace inspect
