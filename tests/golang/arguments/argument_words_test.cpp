#include "golang/arguments/argument_words.h"

#include "golang/traceback/traceback_text.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"

#include <array>
#include <fmt/format.h>
#include <map>
#include <random>

namespace inspect {
namespace {

using Kind = ArgumentToken::Kind;
using namespace test;

ArgumentToken word(bool stale = false) {
  return {.kind = Kind::word, .stale = stale};
}
constexpr ArgumentToken open = {.kind = Kind::open};
constexpr ArgumentToken close = {.kind = Kind::close};
constexpr ArgumentToken dots = {.kind = Kind::ellipsis};
constexpr ArgumentToken far_away = {.kind = Kind::offset_too_large};

TEST_CASE("words are printed with braces, commas and marks as the runtime puts them") {
  struct Row {
    std::vector<ArgumentToken> tokens;
    std::vector<std::uint64_t> words;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {{}, {}, ""},
      {{word()}, {0}, "0x0"},
      {{word(), word()}, {0xc000012120, ~std::uint64_t{0}}, "0xc000012120, 0xffffffffffffffff"},
      {{open, word(), word(), close}, {0x4c3839, 7}, "{0x4c3839, 0x7}"},
      {{word(), open, word(), word(true), close, word()}, {1, 2, 3, 4}, "0x1, {0x2, 0x3?}, 0x4"},
      {{open, open, word(), close, close, word(true)}, {5, 6}, "{{0x5}}, 0x6?"},
      {{open, close, word()}, {1}, "{}, 0x1"},
      {{open, close, open, close}, {}, "{}, {}"},
      {{open, far_away, far_away, close, word()}, {2}, "{_, _}, 0x2"},
      {{open, word(), dots, close, dots}, {1}, "{0x1, ...}, ..."},
      {{open, open, open, open, open, dots, close, close, close, close, close}, {}, "{{{{{...}}}}}"},
  };
  for (const Row &row : rows) {
    ArgumentLayout layout{.tokens = row.tokens, .known = true};
    CHECK(argument_text(layout, row.words) == row.expected);
    CHECK(layout.word_count() == row.words.size());
  }
}

TEST_CASE("words are read with their sizes, zero-extended, and missing ones are told") {
  BufferMemory memory;
  std::vector<std::byte> bytes(16);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(0xf0 + i);
  memory.add({0x1000}, bytes);
  ArgumentLayout layout;
  for (const std::uint8_t size : std::to_array<std::uint8_t>({1, 2, 4, 8}))
    layout.tokens.push_back({.offset = size, .size = size});
  std::vector<std::uint64_t> words = {99};
  CHECK(read_argument_words(layout, {0x1000}, memory, words));
  CHECK(words == std::vector<std::uint64_t>{0xf1, 0xf3f2, 0xf7f6f5f4, 0xfffefdfcfbfaf9f8});
  layout.tokens.push_back({.offset = 16});
  CHECK_FALSE(read_argument_words(layout, {0x1000}, memory, words));
  CHECK(words == std::vector<std::uint64_t>{0xf1, 0xf3f2, 0xf7f6f5f4, 0xfffefdfcfbfaf9f8, 0});
}

std::string traceback_of(GoProcess &process) {
  std::string text;
  for (std::string line; (line = process.child().read_line()) != "end of traceback";)
    text += line + "\n";
  return text;
}

/// The frames of the program's own functions, innermost first, as "main.f(0x1, 0x2)".
std::vector<std::string> own_frames(const ParkedGoroutine &goroutine, const MemoryView &memory) {
  std::vector<std::string> lines;
  for (const ParkedFrame &frame : goroutine.frames) {
    if (!frame.function.name.starts_with("main.") || frame.function.func_id == GoFuncId::wrapper)
      continue;
    const RunAddress pc = frame.pc - 1;
    for (const GoSourceFrame &source : frame.image->table->frames(frame.function, pc)) {
      if (source.inlined) {
        lines.push_back(std::string(source.function) + " inlined");
        continue;
      }
      const ArgumentLayout layout = argument_layout(*frame.image, frame.function, pc, memory);
      std::vector<std::uint64_t> words;
      REQUIRE(read_argument_words(layout, frame.cfa, memory, words));
      lines.push_back(fmt::format("{}({})", frame.function.name, argument_text(layout, words)));
    }
  }
  return lines;
}

std::vector<std::string> told_frames(const TracebackGoroutine &goroutine) {
  std::vector<std::string> lines;
  for (const TracebackFrame &frame : goroutine.frames) {
    if (!frame.function.starts_with("main."))
      continue;
    lines.push_back(frame.has_arguments
                        ? fmt::format("{}({})", frame.function, argument_text(frame.layout, frame.words))
                        : frame.function + " inlined");
  }
  return lines;
}

/// The runtime prints "main.f[...]" for each instance of a generic function since 1.21.
std::string without_type_arguments(std::string text) {
  const std::size_t end = text.find('(', text.starts_with("main.(") ? 6 : 0);
  const std::size_t bracket = text.find('[');
  if (bracket == std::string::npos || bracket > end)
    return text;
  std::size_t last = bracket;
  for (int depth = 0; last < text.size(); ++last) {
    depth += text[last] == '[' ? 1 : text[last] == ']' ? -1 : 0;
    if (depth == 0)
      break;
  }
  return text.replace(bracket, last - bracket + 1, "[...]");
}

void check_program(const GoToolchain &go, GoVariant variant) {
  GoProcess process({build_go(go, "argument_kinds", variant)});
  const std::string text = traceback_of(process);
  process.child().wait_for_line("ready");
  process.open();
  const auto tracebacks = parse_tracebacks(text);
  REQUIRE(tracebacks.size() == 1);
  std::map<std::uint64_t, std::vector<std::string>> told;
  for (const TracebackGoroutine &goroutine : tracebacks.front().goroutines)
    told[goroutine.id] = told_frames(goroutine);
  std::size_t compared = 0;
  for (const ParkedGoroutine &goroutine : process.parked_goroutines()) {
    auto lines = own_frames(goroutine, process.memory());
    if (lines.empty() || goroutine.id == 1)
      continue;
    auto expected = told[goroutine.id];
    for (auto *list : {&lines, &expected}) {
      for (std::string &line : *list)
        line = without_type_arguments(line);
    }
    CHECK(lines == expected);
    ++compared;
  }
  CHECK(compared == (go.minor >= 18 ? 30 : 26));
}

TEST_CASE("the argument words of every kind of signature are those of the program's own traceback") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::unoptimised}) {
      INFO(variant_name(variant));
      check_program(go, variant);
    }
  });
}

TEST_CASE("damaged descriptions of arguments give no words, or no more than there is room for") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty() || toolchains.back().minor < 17)
    SKIP_TEST("no Go toolchain of 1.17 or later is installed");
  GoProcess process({build_go(toolchains.back(), "argument_kinds", GoVariant::plain)});
  process.child().wait_for_line("ready");
  process.open();
  const GoImage &image = process.image();
  const auto function = image.table->find("main.interfaces");
  REQUIRE(function.has_value());
  const auto description = image.table->function_data(*function, GoFunctionData::argument_info);
  REQUIRE(description.has_value());
  const RunAddress pc = function->entry;
  CHECK(argument_layout(image, *function, pc, process.memory()).word_count() == 8);

  const auto layout_with = [&](std::vector<std::byte> program) {
    BufferMemory memory;
    memory.add(*description, std::move(program));
    return argument_layout(image, *function, pc, memory);
  };
  CHECK_FALSE(layout_with({}).known);
  CHECK_FALSE(layout_with({std::byte{0}, std::byte{8}}).known); // no end
  CHECK_FALSE(layout_with({std::byte{0}}).known);               // no size
  CHECK_FALSE(layout_with(std::vector(1000, std::byte{0xfe})).known);
  const ArgumentLayout vector = layout_with({std::byte{8}, std::byte{64}, std::byte{0xff}});
  REQUIRE(vector.tokens.size() == 1);
  CHECK(vector.tokens.front().size == 8);
  std::mt19937 random(3);
  for (int round = 0; fuzz_goes_on(round, 200); ++round) {
    std::vector<std::byte> program(random() % 400);
    for (std::byte &byte : program)
      byte = static_cast<std::byte>(random() % 2 == 0 ? random() : 0xf9 + random() % 7);
    const ArgumentLayout layout = layout_with(program);
    CHECK(layout.tokens.size() < 256);
    std::vector<std::uint64_t> words;
    CHECK((layout.word_count() == 0 || !read_argument_words(layout, {0x10}, process.memory(), words)));
    CHECK(argument_text(layout, words).size() < 256 * 24);
  }
}

} // namespace
} // namespace inspect
