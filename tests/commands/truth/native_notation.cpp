#include "tests/commands/truth/native_notation.h"

#include "values/printers/library_type_name.h"

#include <array>
#include <regex>
#include <string_view>

namespace inspect::test {
namespace {

std::string replaced(const std::string &text, const char *pattern, const char *with) {
  return std::regex_replace(text, std::regex(pattern), with);
}

std::string with_short_types(std::string text) {
  text = without_inline_namespaces(text);
  if (!text.contains('<'))
    return text;
  text = replaced(text, "> >", ">>");
  return replaced(short_type_name(text), "> >", ">>");
}

struct Rule {
  std::string_view name;
  std::string (*apply)(std::string); ///< to both
};

constexpr auto rules = std::to_array<Rule>({
    {"memory that cannot be read",
     [](std::string text) {
       return replaced(text, "<error: Cannot access memory at address (0x[0-9a-f]+)>", "<unreadable at $1>");
     }},
    {"gdb's comment on the type of a polymorphic object",
     [](std::string text) { return replaced(text, "/\\* real type = .* \\*/\\n", ""); }},
    {"the version of a symbol", [](std::string text) { return replaced(text, "@+[A-Z]+_[0-9.]+>", ">"); }},
    {"blanks within the braces of std::atomic",
     [](std::string text) { return replaced(text, "(std::atomic<[^{}]*>) = \\{ ([^{}]*) \\}", "$1 = {$2}"); }},
    {"the type and the address of a reference, which gdb's printers leave out",
     [](std::string text) { return replaced(text, "^\\([^@]* &\\) @0x[0-9a-f]+: ", ""); }},
    {"durations with their unit, for which libstdc++ 12 has no printer",
     [](std::string text) { return replaced(replaced(text, "\\{__r = (-?[0-9]+)\\}", "$1"), "^(-?[0-9]+)ms$", "$1"); }},
    {"std::array and std::complex by their parts, for which libstdc++ 12 has no printers",
     [](std::string text) {
       text = replaced(text, "std::array of length [0-9]+ = ", "");
       return replaced(replaced(text, "\\{_M_elems = (\\{[^{}]*\\})\\}", "$1"), "\\{_M_value = ([^{}]*)\\}", "$1");
     }},
    {"pointers that were optimized away, though not what they lead to",
     [](std::string text) { return replaced(text, "<synthetic pointer>", "<optimized out>"); }},
    {"the pointer to the virtual table, which gdb shows as one in any format",
     [](std::string text) { return replaced(text, "_vptr[.$][A-Za-z0-9]+ = (0x)?[0-9a-f]+( <[^<>]*>)?", "_vptr"); }},
    {"long for long long, which is of the same size",
     [](std::string text) { return replaced(text, "^(unsigned )?long long$", "$1long"); }},
    {"capacities, which libraries choose", [](std::string text) { return replaced(text, ", capacity [0-9]+", ""); }},
    {"the suffix of a number in a template's arguments, which clang writes and GCC does not",
     [](std::string text) { return replaced(text, "([<, ][0-9]+)[uU][lL]([,>])", "$1$2"); }},
    {"default arguments and inline namespaces in the names of types", with_short_types},
});

} // namespace

std::optional<SameMeaning> same_meaning(std::string ours, std::string gdb) {
  SameMeaning same;
  for (const Rule &rule : rules) {
    std::string one = rule.apply(ours);
    std::string other = rule.apply(gdb);
    if (one == ours && other == gdb)
      continue;
    // A rule that changes both alike was not needed.
    const bool needed = (one == ours) != (other == gdb) || one == other;
    ours = std::move(one);
    gdb = std::move(other);
    if (needed)
      same.rules += (same.rules.empty() ? "" : "; ") + std::string(rule.name);
    if (ours == gdb)
      return same;
  }
  return std::nullopt;
}

} // namespace inspect::test
