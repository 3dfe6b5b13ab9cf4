#include "commands/cli/command_spec.h"
#include "machine/near_misses.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

using namespace inspect;

namespace {

CommandSpec examine() {
  CommandSpec spec;
  spec.name = "examine";
  spec.options = {{.name = "-fmt", .value = "hex|dec", .help = ""},
                  {.name = "-count", .value = "N", .help = ""},
                  {.name = "-x", .value = "EXPR", .help = ""},
                  {.name = "--output", .short_name = "-o", .value = "FILE", .help = ""},
                  {.name = "-e", .value = "COMMAND", .help = "", .repeatable = true},
                  {.name = "--all", .short_name = "-a", .help = ""}};
  spec.positionals = {{.name = "ADDRESS", .help = "", .required = true},
                      {.name = "MORE", .help = "", .repeatable = true}};
  return spec;
}

/// "option=value …|positional …", or "error: sentence".
std::string parsed(const CommandSpec &spec, const std::vector<std::string> &words) {
  const auto arguments = parse_arguments(spec, words);
  if (!arguments)
    return "error: " + arguments.error().message();
  std::string text;
  for (const auto &given : arguments->given_)
    text += fmt::format("{}={} ", given.option, given.value);
  return fmt::format("{}|{}", text, fmt::join(arguments->positional(), " "));
}

} // namespace

TEST_CASE("words become options and positionals") {
  struct Row {
    std::vector<std::string> words;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {{"0x10"}, "|0x10"},
      {{"-fmt", "hex", "0x10"}, "-fmt=hex |0x10"},
      {{"0x10", "-fmt", "hex"}, "-fmt=hex |0x10"},
      {{"-fmt=dec", "0x10"}, "-fmt=dec |0x10"},
      {{"-5"}, "|-5"},
      {{"-0x10", "-.5"}, "|-0x10 -.5"},
      {{"-count", "-5", "a"}, "-count=-5 |a"},
      {{"-x", "-fmt", "a"}, "-x=-fmt |a"},
      {{"--all", "a"}, "--all= |a"},
      {{"-a", "a"}, "--all= |a"},
      {{"-o", "f", "a"}, "--output=f |a"},
      {{"-of", "a"}, "--output=f |a"},
      {{"--output=a=b", "a"}, "--output=a=b |a"},
      {{"--output=", "a"}, "--output= |a"},
      {{"-e", "bt", "-e", "regs -a", "a"}, "-e=bt -e=regs -a |a"},
      {{"--", "-fmt", "--all"}, "|-fmt --all"},
      {{"-", "b"}, "|- b"},
      {{"a", "b", "c"}, "|a b c"},
      {{"-fmt"}, "error: -fmt needs a value: hex|dec"},
      {{"-fmt", "hx", "a"}, "error: invalid value 'hx' for -fmt; it takes hex|dec; did you mean 'hex'?"},
      {{"-fnt", "hex", "a"}, "error: examine has no option '-fnt'; did you mean '-fmt'?"},
      {{"--al", "a"}, "error: examine has no option '--al'; did you mean '--all'?"},
      {{"--all=1", "a"}, "error: --all takes no value"},
      {{"--zzzzzz=1", "a"}, "error: examine has no option '--zzzzzz'"},
      {{}, "error: examine needs ADDRESS"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.words);
    CHECK(parsed(examine(), row.words) == row.expected);
  }
}

TEST_CASE("too many positionals are refused, raw words are not looked at") {
  CommandSpec spec;
  spec.name = "one";
  spec.positionals = {{.name = "A", .help = ""}};
  CHECK(parsed(spec, {"a", "b"}) == "error: 'b' is one argument too many for one");
  spec.raw_arguments = true;
  CHECK(parsed(spec, {"a", "--b", "--", "-c"}) == "|a --b -- -c");
}

TEST_CASE("the last value of an option counts, and all are kept") {
  const auto arguments = parse_arguments(examine(), std::vector<std::string>{"-count", "1", "-count", "2", "a"});
  REQUIRE(arguments);
  CHECK(arguments->value("-count") == "2");
  CHECK(arguments->values("-count") == std::vector<std::string>{"1", "2"});
  CHECK(arguments->has("-count"));
  CHECK_FALSE(arguments->has("-fmt"));
  CHECK_FALSE(arguments->value("-fmt"));
}

TEST_CASE("a line is split at blanks, quotes and backslashes group") {
  struct Row {
    std::string line;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {"", ""},
      {"  \t ", ""},
      {"bt 5", "bt,5"},
      {"  x   -fmt hex\t0x10 ", "x,-fmt,hex,0x10"},
      {"source 'a b'", "source,a b"},
      {R"(source "a \"b\"" c)", "source,a \"b\",c"},
      {R"(a\ b c)", "a b,c"},
      {R"('a\b')", "a\\b"},
      {"a'b'\"c\"d", "abcd"},
      {"''", ""},
      {"trailing\\", "trailing\\"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.line);
    const auto words = split_words(row.line);
    REQUIRE(words);
    CHECK(fmt::format("{}", fmt::join(*words, ",")) == row.expected);
  }
  CHECK(split_words("''")->size() == 1);
  CHECK(split_words("say 'it").error().kind() == ErrorKind::usage);
  CHECK(split_words("say \"it").error().kind() == ErrorKind::usage);
}

TEST_CASE("near misses are near") {
  const std::vector<std::string> names = {"stacks", "stop", "source", "regs", "threads", "thread"};
  CHECK(did_you_mean("stakcs", names) == "; did you mean 'stacks'?");
  CHECK(did_you_mean("thraed", names) == "; did you mean 'thread' or 'threads'?");
  CHECK(did_you_mean("st", names) == "; did you mean 'stacks' or 'stop'?");
  CHECK(did_you_mean("elephant", names).empty());
  CHECK(did_you_mean("", names).empty());
  CHECK(did_you_mean(std::string(100000, 's'), names).empty());
}

TEST_CASE("every error kind has its exit status") {
  CHECK(exit_status(Error(ErrorKind::usage, "")) == ExitStatus::usage);
  CHECK(exit_status(Error(ErrorKind::no_such_process, "")) == ExitStatus::no_such_process);
  CHECK(exit_status(Error(ErrorKind::not_permitted, "")) == ExitStatus::not_permitted);
  CHECK(exit_status(Error(ErrorKind::already_traced, "")) == ExitStatus::not_permitted);
  for (const ErrorKind kind : {ErrorKind::unsupported, ErrorKind::not_found, ErrorKind::unreadable, ErrorKind::corrupt,
                               ErrorKind::timed_out, ErrorKind::cancelled, ErrorKind::system})
    CHECK(exit_status(Error(kind, "")) == ExitStatus::failure);
}
