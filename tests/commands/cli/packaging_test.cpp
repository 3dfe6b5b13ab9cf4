// The manual page and the completions, judged by the programs that read them.
#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <fmt/format.h>

using namespace inspect::test;
using Catch::Matchers::Contains;

namespace {

/// The status and the complaints of a checker that reads a generated text from standard input.
CommandResult checked(const std::string &what, const std::string &checker) {
  return run_command(
      {"bash", "-c", fmt::format("{}/inspect --generate {} | {}", INSPECT_BINARY_DIRECTORY, what, checker)});
}

} // namespace

TEST_CASE("the manual page is clean roff and names every command") {
  const CommandResult page = run_inspect({"--generate", "man"});
  REQUIRE(page.status == 0);
  for (const char *command : {".SS stacks", ".SS ps", ".SS attach", ".SS bt", ".SS examinemem", ".SS set"})
    CHECK_THAT(page.out, Contains(command));
  for (const char *section : {".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH EXIT STATUS", ".SH ENVIRONMENT"})
    CHECK_THAT(page.out, Contains(section));
  if (!have_program("groff"))
    SKIP_TEST("groff is not installed");
  const CommandResult result = checked("man", "groff -man -Tutf8 -Kutf8 -ww -z");
  CHECK(result.status == 0);
  CHECK(result.err.empty());
}

TEST_CASE("man shows the manual page without warnings") {
  if (!have_program("man"))
    SKIP_TEST("man is not installed");
  const CommandResult result = checked("man", "MANWIDTH=100 LC_ALL=C.UTF-8 man -l --warnings=all -");
  CHECK(result.status == 0);
  CHECK(result.err.empty());
}

TEST_CASE("the bash completion is valid and completes") {
  const CommandResult syntax = checked("bash", "bash -n");
  CHECK(syntax.status == 0);
  CHECK(syntax.err.empty());
  const auto completed = [&](const std::string &words, int position) {
    return run_command(
               {"bash", "-c",
                fmt::format("source <({}/inspect --generate bash); COMP_WORDS=({}); COMP_CWORD={}; _inspect; echo "
                            "\"${{COMPREPLY[*]}}\"",
                            INSPECT_BINARY_DIRECTORY, words, position)})
        .out;
  };
  CHECK(completed("inspect sta", 1) == "stacks\n");
  CHECK(completed("inspect stacks --form", 2) == "--format\n");
  CHECK(completed("inspect stacks --format fol", 3) == "folded\n");
  CHECK(completed("inspect attach --read", 2) == "--read-only\n");
  CHECK_THAT(completed("inspect attach ''", 2), Contains("1"));
  CHECK(completed("inspect help atta", 2) == "attach\n");
}

TEST_CASE("the zsh completion is valid") {
  if (!have_program("zsh"))
    SKIP_TEST("zsh is not installed");
  const CommandResult result = checked("zsh", "zsh -n /dev/stdin");
  CHECK(result.status == 0);
  CHECK(result.err.empty());
}

TEST_CASE("the fish completion is valid") {
  if (!have_program("fish"))
    SKIP_TEST("fish is not installed");
  const CommandResult result = checked("fish", "fish -n");
  CHECK(result.status == 0);
  CHECK(result.err.empty());
}

TEST_CASE("nothing else is generated") {
  CHECK(run_inspect({"--generate", "csh"}).status == 2);
  CHECK(run_inspect({"--generate"}).status == 2);
}
