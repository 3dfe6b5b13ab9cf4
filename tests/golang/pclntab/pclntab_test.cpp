// What the pclntab says is compared with what the Go runtime of the same program says.
#include "golang/image/file_image.h"
#include "golang/pclntab/function_name.h"

#include "tests/golang/process_modules.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <random>
#include <set>
#include <sstream>

namespace inspect {
namespace {

using namespace test;

std::unique_ptr<GoFileImage> open_image(const std::string &path) {
  static const LocalFiles files;
  auto opened = GoFileImage::open(path, files);
  if (!opened)
    FAIL(opened.error().message());
  return std::move(*opened);
}

std::uint64_t from_hex(const std::string &text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

/// The program running, to be asked; its addresses are the file's plus `bias`.
struct Oracle {
  ChildProcess process;
  std::uint64_t bias;

  Oracle(const std::string &program, const GoImage &image)
      : process({program}), bias(from_hex(process.read_line()) - image.table->find("main.main")->entry.value) {}

  std::vector<std::string> ask(const std::string &questions) {
    process.write(questions);
    process.close_stdin();
    return lines_of(process.read_all());
  }
};

/// A few places in every function of the program: its ends, its middle, and two at random.
std::vector<RunAddress> places_in(const Pclntab &table) {
  std::mt19937_64 random(1);
  std::vector<RunAddress> places;
  for (std::size_t i = 0; i < table.function_count(); ++i) {
    const auto function = table.function(i);
    REQUIRE(function);
    const std::uint64_t size = function->end - function->entry;
    for (const std::uint64_t offset :
         {std::uint64_t{0}, size / 2, size - 1, random() % (size + 1), random() % (size + 1)})
      if (offset + 1 < size) // the last byte cannot be asked for: its "return address" is the next function's entry
        places.push_back(function->entry + offset);
  }
  return places;
}

struct Place {
  std::string entry, function, rest;
};

Place our_place(const GoImage &image, RunAddress pc, std::uint64_t bias) {
  const Pclntab &table = *image.table;
  const auto function = table.find(pc);
  if (!function)
    return {};
  const GoSourceFrame frame = table.frames(*function, pc).front();
  return {fmt::format("{:x}", function->entry.value + bias), printed_function_name(frame.function, image.version),
          fmt::format("{}\t{}", frame.file, frame.line)};
}

Place their_place(const std::string &line) {
  const std::size_t first = line.find('\t');
  const std::size_t second = line.find('\t', first + 1);
  REQUIRE(second != std::string::npos);
  return {line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)};
}

/// Every place of the program, as the runtime has it.
void check_places(const std::string &program, const GoImage &image) {
  Oracle oracle(program, image);
  const std::vector<RunAddress> places = places_in(*image.table);
  REQUIRE(places.size() > 3000);
  std::string questions;
  for (const RunAddress pc : places)
    questions += fmt::format("pc {:x}\n", pc.value + oracle.bias);
  const std::vector<std::string> answers = oracle.ask(questions);
  REQUIRE(answers.size() == places.size() + 1);
  REQUIRE(answers[0] == "ready");
  std::set<std::string> nameless;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place ours = our_place(image, places[i], oracle.bias);
    const Place theirs = their_place(answers[i + 1]);
    // The runtime takes the name that is the first in its table for none.
    if (theirs.function.empty())
      nameless.insert(ours.function);
    if (ours.entry != theirs.entry || ours.rest != theirs.rest ||
        (ours.function != theirs.function && !theirs.function.empty()))
      FAIL_CHECK(fmt::format("{:#x}: {} {} {} and not {}", places[i].value, ours.entry, ours.function, ours.rest,
                             answers[i + 1]));
  }
  CHECK(nameless.size() <= 1);
}

/// The whole chain of inlined calls at return addresses, as the runtime has it.
void check_chain(const std::string &program, const GoImage &image) {
  Oracle oracle(program, image);
  const std::vector<std::string> answers = oracle.ask("chain\n");
  const auto equals = std::ranges::find(answers, "=");
  REQUIRE(equals != answers.end());
  const std::vector<std::string> expected(std::next(equals), answers.end());
  std::vector<std::string> ours;
  std::size_t inlined = 0;
  // The addresses of inlined calls in the list stand for the callers, which frames() gives with the innermost.
  for (std::size_t i = 1; answers[i] != "=" && i < answers.size();) {
    const RunAddress pc{from_hex(answers[i]) - oracle.bias - 1};
    const auto function = image.table->find(pc);
    REQUIRE(function);
    const auto frames = image.table->frames(*function, pc);
    for (const GoSourceFrame &frame : frames) {
      ours.push_back(
          fmt::format("{}\t{}\t{}", printed_function_name(frame.function, image.version), frame.file, frame.line));
      inlined += frame.inlined ? 1 : 0;
    }
    i += frames.size();
  }
  CHECK(inlined >= 4);
  CHECK(ours == expected);
}

} // namespace

TEST_CASE("functions, files and lines are what the Go runtime says they are") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : go_variants()) {
      DYNAMIC_SECTION(variant_name(variant)) {
        const std::string program = build_go(go, "function_places", variant);
        const auto image = open_image(program);
        CHECK(image->image().version_text == go.version);
        check_places(program, image->image());
        if (variant != GoVariant::unoptimised)
          check_chain(program, image->image());
      }
    }
  });
}

TEST_CASE("without section headers a Go image is found by its content") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : go_variants()) {
      DYNAMIC_SECTION(variant_name(variant)) {
        const std::string program = build_go(go, "function_places", variant);
        std::vector<char> bytes = bytes_of_file(program);
        remove_section_headers(bytes);
        const TemporaryDirectory folder;
        const std::string bare = folder.write("bare", {bytes.data(), bytes.size()}, 0755);
        const auto image = open_image(bare);
        CHECK(image->image().version_text.starts_with(go.version));
        check_places(bare, image->image());
      }
    }
  });
}

} // namespace inspect
