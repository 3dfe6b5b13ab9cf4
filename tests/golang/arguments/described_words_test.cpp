#include "golang/arguments/argument_words.h"
#include "golang/arguments/receiver_name.h"
#include "golang/arguments/word_values.h"
#include "golang/types/runtime_types.h"
#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"

#include <fmt/format.h>
#include <map>
#include <random>

namespace inspect {
namespace {

using namespace test;
using Kind = ArgumentToken::Kind;

/// A process at rest with all that describes its words.
class DescribedProcess {
public:
  explicit DescribedProcess(const std::string &program) : process_({program}) {
    for (std::string line; (line = process_.child().read_line()) != "ready";)
      told_[line.substr(0, line.find(' '))] = std::stoull(line.substr(line.find(' ') + 1), nullptr, 0);
    process_.open();
    goroutines_ = process_.parked_goroutines();
    std::vector<GoroutineStackRange> stacks;
    for (const ParkedGoroutine &goroutine : goroutines_)
      stacks.push_back({goroutine.stack, goroutine.id});
    classes_ = std::make_unique<AddressClasses>(process_.images(), process_.modules(), process_.mapped(), stacks);
    types_ = std::make_unique<GoRuntimeTypes>(process_.images(), process_.image().version, process_.memory());
    context_.memory = &process_.memory();
    context_.types = types_.get();
    context_.version = process_.image().version;
    context_.classify = [this](RunAddress address) { return classes_->phrase(address); };
  }

  const std::vector<ParkedGoroutine> &goroutines() const { return goroutines_; }
  std::uint64_t told(const std::string &what) const { return told_.at(what); }
  const AddressClasses &classes() const { return *classes_; }
  const ValueContext &context() const { return context_; }
  const GoProcess &process() const { return process_; }

  std::vector<DecodedArgument> describe(const ParkedFrame &frame) const {
    const MemoryView &memory = process_.memory();
    const ArgumentLayout layout = argument_layout(*frame.image, frame.function, frame.pc - 1, memory);
    std::vector<std::uint64_t> words;
    REQUIRE(read_argument_words(layout, frame.cfa, memory, words));
    return describe_words(frame.function.name, layout, words, context_);
  }

private:
  GoProcess process_;
  std::map<std::string, std::uint64_t> told_;
  std::vector<ParkedGoroutine> goroutines_;
  std::unique_ptr<AddressClasses> classes_;
  std::unique_ptr<GoRuntimeTypes> types_;
  ValueContext context_;
};

struct Expected {
  std::string type;
  std::string value; ///< its beginning; its end where it begins with a parenthesis
};

std::multimap<std::string, std::vector<Expected>> expected_arguments(std::uint64_t points_goroutine) {
  return {
      {"main.(*server).handle",
       {{"*main.server", "*main.server {name: \"alpha\", limit: 3}"}, {"", "probably \"/index.html\""}}},
      {"main.point.visit",
       {{"main.point", "main.point {x: 5, y: 6}"}, {"", "probably a slice: len 15, cap 15, \"a note of bytes\""}}},
      {"main.fails",
       {{"error", "error(*errors.errorString) \"disk is full\""},
        {"", "probably interface {}(main.temperature) 36.6"}}},
      {"main.fails",
       {{"error", "error(*main.failure) *{what: \"custom failure\"}"},
        {"", "probably interface {}(string) \"an interface's text\""}}},
      {"main.writes", {{"io.Writer", "io.Writer(*os.File) "}, {"", "probably a slice: len 3, cap 3, heap"}}},
      {"main.calls", {{"", "probably func main.main.func1"}, {"", "probably func main.double"}}},
      {"main.points",
       {{"", "(heap)"}, {"", "(main.global)"}, {"", fmt::format("(stack of goroutine {})", points_goroutine)}}},
      {"main.mixes", {{"", "probably \"grüße\""}}},
  };
}

/// A word that is marked as stale may mean anything.
bool fits(const std::vector<DecodedArgument> &arguments, const std::vector<Expected> &expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i >= arguments.size())
      return false;
    const std::string &value = arguments[i].value;
    const std::string &wanted = expected[i].value;
    const bool same = wanted.starts_with('(') ? value.ends_with(wanted) : value.starts_with(wanted);
    if (!arguments[i].stale && (arguments[i].type != expected[i].type || !same))
      return false;
  }
  return true;
}

std::string as_text(const std::vector<DecodedArgument> &arguments) {
  std::string text;
  for (const DecodedArgument &argument : arguments)
    text += fmt::format("[{}] [{}] [{}] {}\n", argument.type, argument.value, argument.words, argument.stale);
  return text;
}

void check_arguments(const DescribedProcess &process) {
  std::uint64_t points_goroutine = 0;
  std::map<std::string, std::vector<std::vector<DecodedArgument>>> described;
  for (const ParkedGoroutine &goroutine : process.goroutines()) {
    for (const ParkedFrame &frame : goroutine.frames) {
      if (frame.function.name == "main.points")
        points_goroutine = goroutine.id;
      if (frame.function.name.starts_with("main."))
        described[std::string(frame.function.name)].push_back(process.describe(frame));
    }
  }
  for (const auto &[function, expected] : expected_arguments(points_goroutine)) {
    INFO(function);
    const auto &calls = described[function];
    std::string all;
    for (const auto &arguments : calls)
      all += as_text(arguments);
    INFO(all);
    CHECK(std::ranges::any_of(calls, [&](const auto &arguments) { return fits(arguments, expected); }));
  }
}

TEST_CASE("argument words are described without debug information, guesses as such") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::unoptimised}) {
      INFO(variant_name(variant));
      check_arguments(DescribedProcess(build_go(go, "described_words", variant)));
    }
  });
}

TEST_CASE("addresses of a live process are told apart: heap, stacks, globals, functions, read-only data") {
  for_each_go([](const GoToolchain &go) {
    const DescribedProcess process(build_go(go, "described_words", GoVariant::plain));
    const AddressClasses &classes = process.classes();
    const GoImage &image = process.process().image();
    CHECK(classes.phrase({process.told("heap")}) == "heap");
    CHECK(classes.phrase({process.told("stack")}).starts_with("stack of goroutine "));
    CHECK(classes.phrase({process.told("global")}) == "main.global");
    CHECK(classes.phrase({process.told("global") + 8}) == "main.global+0x8");
    const auto function = image.table->find("main.double");
    REQUIRE(function.has_value());
    CHECK(classes.phrase(function->entry) == "func main.double");
    CHECK(classes.phrase(function->entry + 1) == "main.double+0x1");
    CHECK_FALSE(classes.phrase(image.data.types.begin + 64).empty());
    CHECK(classes.phrase({0}).empty());
    CHECK(classes.phrase({64}).empty());
    CHECK(classes.phrase({~std::uint64_t{0}}).empty());
  });
}

TEST_CASE("the heap is found from a goroutine's stack, and grows no further than anonymous memory reaches") {
  constexpr std::uint64_t arena = 64 << 20;
  constexpr std::uint64_t base = 0x2c02000000; // not aligned: the heap's base is random since Go 1.26
  constexpr std::uint64_t first = base / arena * arena;
  const std::vector<GoImage> images;
  ModuleMap modules;
  const std::vector<MappedMemory> mapped = {
      {{{first - arena}, {first - 4096}}, true, true, ""}, // a gap before the heap
      {{{first}, {first + 4096}}, true, true, ""},
      {{{first + 4096}, {first + arena}}, false, false, ""},
      {{{first + arena}, {first + 2 * arena}}, true, true, "[anon: some]"},
      {{{first + 2 * arena}, {first + 3 * arena}}, true, true, "/dev/shm/file"},
      {{{0x7f0000000000}, {0x7f0000001000}}, true, true, "[anon: Go: heap]"},
      {{{0x7f0000001000}, {0x7f0000002000}}, true, true, ""},
      {{{0x7ffc00000000}, {0x7ffc00100000}}, true, true, "[stack]"},
  };
  const AddressClasses classes(images, modules, mapped, {{{{first + 256}, {first + 512}}, 17}});
  CHECK(classes.phrase({first + 256}) == "stack of goroutine 17");
  CHECK(classes.phrase({first + 512}) == "heap");
  CHECK(classes.phrase({first + 8192}).empty()); // only reserved
  CHECK(classes.phrase({first + arena + 8}) == "heap");
  CHECK(classes.phrase({first + 2 * arena}) == "/dev/shm/file");
  CHECK(classes.phrase({first - arena}) == "memory outside the heap");
  CHECK(classes.phrase({0x7f0000000008}) == "heap");
  CHECK(classes.phrase({0x7f0000001008}) == "memory outside the heap");
  CHECK(classes.phrase({0x7ffc00000008}) == "stack of the main thread");
  const AddressClasses without_maps(images, modules, {}, {});
  CHECK(without_maps.phrase({0xc000012120}) == "heap");
  CHECK(without_maps.phrase({0x7f0000001008}).empty());
}

TEST_CASE("a method's name tells its receiver, a closure's does not") {
  struct Row {
    std::string function;
    std::string package;
    std::string type;
    std::string printed;
  };
  const std::vector<Row> rows = {
      {"main.(*Server).handle", "main", "Server", "*main.Server"},
      {"net/http.(*conn).serve", "net/http", "conn", "*http.conn"},
      {"net/http.HandlerFunc.ServeHTTP", "net/http", "HandlerFunc", "http.HandlerFunc"},
      {"gopkg.in/yaml%2ev2.(*Decoder).Decode", "gopkg.in/yaml.v2", "Decoder", "*yaml.v2.Decoder"},
      {"main.(*Stack[...]).Push", "main", "Stack[...]", "*main.Stack[...]"},
      {"main.(*Stack[go.shape.struct { a/b.X int }]).Push", "main", "Stack[go.shape.struct { a/b.X int }]",
       "*main.Stack[go.shape.struct { a/b.X int }]"},
  };
  for (const Row &row : rows) {
    INFO(row.function);
    const auto receiver = receiver_of(row.function);
    REQUIRE(receiver.has_value());
    CHECK(receiver->package_path == row.package);
    CHECK(receiver->type == row.type);
    CHECK(receiver->printed() == row.printed);
  }
  for (const char *function : {"main.main", "main.main.func1.2", "main.(*Server).handle.func1",
                               "main.(*Server).handle-fm", "main.Map[...]", "main.Map[go.shape.int]", "main", "", ".",
                               "main.(*", "main.(*T)", "main.(*T).", "main.(*).x", "a/b", "%", "main.([.x"}) {
    INFO(function);
    CHECK_FALSE(receiver_of(function).has_value());
  }
}

TEST_CASE("without a process words are still grouped, and strings in the binary are read") {
  BufferMemory memory;
  const std::string text = "hello, world\n\xff\xfe binary";
  const auto bytes = std::as_bytes(std::span(text));
  memory.add({0x4c3000}, {bytes.begin(), bytes.end()});
  ValueContext context;
  context.memory = &memory;
  context.version = {1, 22};
  const ArgumentToken word = {.offset = 0};
  const ArgumentToken byte = {.offset = 0, .size = 1};
  ArgumentLayout layout;
  layout.tokens = {{.kind = Kind::open}, word, word, {.kind = Kind::close}, byte,
                   {.kind = Kind::open}, word, word, {.kind = Kind::close}, {.kind = Kind::ellipsis}};
  const std::vector<std::uint64_t> words = {0x4c3000, 12, 1, 0x4c3000, 20};
  const auto arguments = describe_words("main.f", layout, words, context);
  REQUIRE(arguments.size() == 3);
  CHECK(arguments[0].value == "probably \"hello, world\"");
  CHECK(arguments[0].words == "{0x4c3000, 0xc}");
  CHECK(arguments[1].value.empty());
  CHECK(arguments[2].value.empty()); // not text to its end
  CHECK(arguments[2].words == "{0x4c3000, 0x14}");
}

TEST_CASE("any tokens and words are described without harm") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain is installed");
  const DescribedProcess process(build_go(toolchains.back(), "described_words", GoVariant::plain));
  const ModuleData &data = process.process().image().data;
  std::mt19937_64 random(7);
  const std::vector<std::uint64_t> bases = {0,
                                            process.told("heap"),
                                            process.told("stack"),
                                            process.told("global"),
                                            data.types.begin.value,
                                            data.text.begin.value,
                                            data.data.begin.value,
                                            ~std::uint64_t{0} - 64};
  for (int round = 0; fuzz_goes_on(round, 300); ++round) {
    ArgumentLayout layout;
    std::vector<std::uint64_t> words;
    for (std::size_t i = random() % 40; i > 0; --i) {
      ArgumentToken token;
      token.kind = static_cast<Kind>(random() % 5);
      token.size = static_cast<std::uint8_t>(1U << random() % 4);
      layout.tokens.push_back(token);
      if (token.kind == Kind::word && random() % 50 != 0) // sometimes there are too few
        words.push_back(bases[random() % bases.size()] + random() % 4096 / 8 * 8);
    }
    for (const GoVersion version : {GoVersion{1, 16}, GoVersion{1, 22}}) {
      ValueContext context = process.context();
      context.version = version;
      std::size_t described = 0;
      for (const DecodedArgument &argument : describe_words("main.(*server).handle", layout, words, context)) {
        described += argument.words.empty() ? 0 : 1;
        CHECK(argument.value.size() < 4096);
      }
      CHECK(described <= layout.tokens.size());
    }
  }
}

} // namespace
} // namespace inspect
