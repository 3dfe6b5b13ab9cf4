// Objects of the C++ libraries in memory of which some bytes are not what the program wrote: as those of objects that
// were not initialised yet, are being changed, or were freed.
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/values/printers/library_fixture.h"
#include "values/printers/library_view.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace inspect {
namespace {

constexpr std::uint64_t page_size = 4096;

/// A copy, made page by page as it is asked for, so that the target is read once in all rounds; some bytes of it other
/// than they are, the same ones for the same round. Counts what is read of it.
class DamagedMemory final : public MemoryView {
public:
  explicit DamagedMemory(const MemoryView &intact) : intact_(intact) {}

  void begin_round(std::uint64_t round) {
    round_ = round;
    // From one byte in five to one in some thousands.
    rate_ = std::uint64_t{5} << (round % 11);
  }
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    ++reads;
    const std::vector<std::byte> *page = nullptr;
    for (std::size_t i = 0; i < into.size(); ++i) {
      const RunAddress place = address + i;
      if (i == 0 || place.value % page_size == 0)
        page = &page_of(place);
      if (page->empty())
        return std::unexpected(Error(ErrorKind::unreadable, "not mapped"));
      into[i] = (*page)[place.value % page_size];
      const std::uint64_t dice = mixed(place.value ^ mixed(round_));
      if (round_ != 0 && dice % rate_ == 0)
        into[i] = damaged(into[i], dice >> 32);
    }
    return {};
  }

  mutable std::uint64_t reads = 0;

private:
  static std::uint64_t mixed(std::uint64_t bits) { // splitmix64
    bits += 0x9e37'79b9'7f4a'7c15;
    bits = (bits ^ bits >> 30) * 0xbf58'476d'1ce4'e5b9;
    bits = (bits ^ bits >> 27) * 0x94d0'49bb'1331'11eb;
    return bits ^ bits >> 31;
  }
  /// A flipped bit, nothing, everything, or anything.
  static std::byte damaged(std::byte byte, std::uint64_t dice) {
    switch (dice % 4) {
    case 0:
      return byte ^ std::byte{1} << (dice >> 8) % 8;
    case 1:
      return std::byte{0};
    case 2:
      return std::byte{0xff};
    default:
      return static_cast<std::byte>(dice >> 16);
    }
  }
  const std::vector<std::byte> &page_of(RunAddress address) const {
    const std::uint64_t number = address.value / page_size;
    auto [found, is_new] = pages_.try_emplace(number);
    if (is_new) {
      found->second.resize(page_size);
      if (!intact_.read(RunAddress{number * page_size}, found->second))
        found->second.clear();
    }
    return found->second;
  }

  const MemoryView &intact_;
  mutable std::map<std::uint64_t, std::vector<std::byte>> pages_;
  std::uint64_t round_ = 0;
  std::uint64_t rate_ = 1;
};

/// Every variable once: views of the first and of later elements, and texts. How many views said that they are broken.
std::size_t look_at_all(test::LibraryFixture &fixture, DamagedMemory &memory, ValueEnvironment &environment) {
  std::size_t broken = 0;
  PrintOptions tight;
  tight.limits.elements = 8;
  tight.limits.text_bytes = 4096;
  for (const std::string &name : fixture.values().variable_names()) {
    Value value = fixture.values().variable(name);
    const std::uint64_t size = environment.types.size_of(value.type.native).value_or(0);
    value.source = ValueSource::in_memory(memory, *value.source->address(), size);
    for (const std::size_t first : {std::size_t{0}, std::size_t{700}}) {
      memory.reads = 0;
      if (const auto view = library_view(value, {first, 16}, environment)) {
        broken += view->problem.empty() ? 0 : 1;
        CHECK(view->children.size() <= 16);
      }
      // Every node is read a few times, of a tree's as many as it is high.
      if (memory.reads > 200'000)
        FAIL_CHECK(name << ": " << memory.reads << " reads");
    }
    CHECK(native_value_text(value, environment, tight).size() < 3 * tight.limits.text_bytes);
  }
  return broken;
}

TEST_CASE("damaged objects of the C++ libraries print as something, in bounded time, and say so") {
  for (const std::string_view program : test::library_programs()) {
    if (program != "values_gcc" && program != "values_libcxx")
      continue;
    INFO(program);
    test::LibraryFixture fixture(program);
    ValueEnvironment &intact = fixture.values().environment();
    DamagedMemory memory(intact.memory);
    ValueEnvironment environment{.memory = memory, .modules = intact.modules, .types = intact.types};
    environment.find_type = intact.find_type;
    CHECK(look_at_all(fixture, memory, environment) == 0);
    std::size_t broken = 0;
    for (int round = 1; round <= test::fuzz_rounds(11); ++round) {
      INFO(round);
      memory.begin_round(static_cast<std::uint64_t>(round));
      broken += look_at_all(fixture, memory, environment);
    }
    CHECK(broken > 100);
  }
}

/// Bytes at a place, by a name that leads there.
struct Damage {
  const char *variable;
  std::uint64_t offset;
  std::uint64_t value;
  const char *text; ///< in what is printed then; addresses as 0x…
};

class OneWordChanged final : public MemoryView {
public:
  OneWordChanged(const MemoryView &intact, RunAddress place, std::uint64_t word)
      : intact_(intact), place_(place), word_(word) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    auto done = intact_.read(address, into);
    for (std::size_t i = 0; i < into.size(); ++i)
      if (const std::uint64_t at = address.value + i - place_.value; at < 8)
        into[i] = static_cast<std::byte>(word_ >> (8 * at));
    return done;
  }

private:
  const MemoryView &intact_;
  RunAddress place_;
  std::uint64_t word_;
};

TEST_CASE("what cannot be a value says why") {
  // libstdc++'s own offsets: {begin, end, end of storage}, {pointer, length, local}, {…, header, count}, …
  const Damage all[] = {
      {"numbers", 8, 0, "it ends before it begins: not initialised?"},
      {"numbers", 16, 8, "above its capacity: not initialised?"},
      {"numbers", 0, 1, "not initialised?"},
      {"text_short", 8, std::uint64_t{1} << 60, "a length of 1152921504606846976: not initialised?"},
      {"text_short", 8, 16, "a length of 16, above its capacity of 15: not initialised?"},
      {"text_short", 8, 4, "a length of 4, and no end there: not initialised?"},
      {"text_long", 0, 8, "cannot be read: not initialised?"},
      {"ages", 40, 4, "it counts 4 elements and has 3"},
      {"ages", 40, 2, "it counts 2 elements and has more"},
      {"ages", 40, 0, "a count of 0, with a root"},
      {"ages", 24, 8, "its element 0 at 0x8 cannot be read"},
      {"linked", 16, 2, "it counts 2 elements and has more"},
      {"linked", 0, 8, "its element 0 at 0x8 cannot be read"},
      {"hashed", 24, 5, "it counts 5 elements and has 1"},
      {"hashed", 8, 0, "no buckets: not initialised?"},
      {"queue_numbers", 16, 1, "its ends do not fit together: not initialised?"},
      {"flags", 8, 64, "bits that are outside of their word: not initialised?"},
      {"flags", 0, 0, "std::vector<bool> <"},
      {"flags", 32, std::uint64_t{1} << 62, "std::vector<bool> <a length of 4, above its capacity: not initialised?>"},
      {"maybe", 4, 7, "neither filled nor empty: not initialised?"},
      {"either_number", 32, 9, "an index of 9 of 3 alternatives: not initialised?"},
      {"any_number", 0, 9, "managed by 0x9, which is not a function that does so: not initialised?"},
      {"call_function", 24, 9, "called by 0x9, which is not a function that does so: not initialised?"},
      {"shared", 8, 8, "its counts at 0x8 cannot be read: not initialised?"},
      {"mutex_held", 0, 77, "a lock word of 77"},
      {"view_text", 0, std::uint64_t{1} << 62, "a length of 4611686018427387904: not initialised?"},
      {"span_any", 8, std::uint64_t{1} << 62, "a length of 4611686018427387904: not initialised?"},
      {"exception_some", 0, 9, "no exception is at 0x9: not initialised?"},
  };
  test::LibraryFixture fixture("values_gcc");
  ValueEnvironment &intact = fixture.values().environment();
  for (const Damage &one : all) {
    INFO(one.variable << "+" << one.offset);
    Value value = fixture.values().variable(one.variable);
    const RunAddress address = *value.source->address();
    const OneWordChanged memory(intact.memory, address + one.offset, one.value);
    ValueEnvironment environment{.memory = memory, .modules = intact.modules, .types = intact.types};
    value.source = ValueSource::in_memory(memory, address, *intact.types.size_of(value.type.native));
    CHECK_THAT(native_value_text(value, environment, {}), Catch::Contains(one.text));
  }
}

TEST_CASE("nodes in a circle end where it is noticed") {
  test::LibraryFixture fixture("values_gcc");
  ValueEnvironment &intact = fixture.values().environment();
  const auto text_with = [&](const char *name, RunAddress place, RunAddress target) {
    Value value = fixture.values().variable(name);
    const OneWordChanged memory(intact.memory, place, target.value);
    ValueEnvironment environment{.memory = memory, .modules = intact.modules, .types = intact.types};
    value.source = ValueSource::in_memory(memory, *value.source->address(), *intact.types.size_of(value.type.native));
    PrintOptions options;
    options.limits.elements = 1'000'000;
    return native_value_text(value, environment, options);
  };
  const auto word = [&](const char *name, std::uint64_t offset) {
    return RunAddress{fixture.values().variable(name).source->unsigned_at(offset, 8).value_or(0)};
  };
  // The first node leads to itself.
  const RunAddress first = word("forward", 0);
  CHECK_THAT(text_with("forward", first, first), Catch::Contains("its elements go in a circle"));
  const RunAddress linked = word("linked", 0);
  CHECK_THAT(text_with("linked", linked, linked), Catch::Contains("go in a circle"));
  // A tree's leftmost node is its own right child.
  const RunAddress leftmost = word("tree", 24);
  CHECK_THAT(text_with("tree", leftmost + 24, leftmost), Catch::Contains("does not know its parent"));
  const RunAddress hashed = word("hashed_many", 16);
  CHECK_THAT(text_with("hashed_many", hashed, hashed), Catch::Contains("its elements go in a circle"));
}

} // namespace
} // namespace inspect
