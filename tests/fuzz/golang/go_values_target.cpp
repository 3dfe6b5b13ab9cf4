// Go's values of every kind as they are printed, in memory that is the input itself.
#include "golang/signatures/signatures.h"
#include "golang/values/value_writer.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace inspect::test {
namespace {

constexpr std::uint64_t value_begin = 0x10000;

/// The parameters of one declaration.
const std::vector<GoParameter> &parameters_of_all_kinds() {
  static GoTypePool pool;
  static const auto declared =
      parse_go_declarations("type node struct { next *node; all []node; byName map[string]*node; any interface{}; err "
                            "error; f func(); c chan node; "
                            "grid [1000][1000]node2; b []byte; s string; bad bool }\ntype node2 struct { p **node; "
                            "bags bag }\ntype bag []bag\n"
                            "func f(n node, m map[string]map[int]node, b bag, s []string, t time.Time, d "
                            "time.Duration, c complex128, u chan string, "
                            "r [7]rune, i interface{}, g map[[2]int8]bool, p *[4]string)",
                            pool);
  fuzz_check(declared.has_value(), "the declarations are sound");
  return declared->front().signature.parameters;
}

bool run_go_values(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const auto &parameters = parameters_of_all_kinds();
  const GoType &type = *parameters[input.number(1) % parameters.size()].type;
  const std::uint64_t flags = input.number(1);
  const std::string_view content = input.rest();
  if (content.empty())
    return false;
  BufferMemory memory;
  memory.add(RunAddress{value_begin}, as_byte_vector(content));
  ValueContext context;
  context.memory = &memory;
  context.version = {1, (flags & 1) == 0 ? 22 : 25};
  context.memory_is_partial = (flags & 2) != 0;
  context.print.brief = (flags & 4) != 0;
  context.print.limits.recursion = 1 + (flags >> 4 & 7);
  context.print.format = static_cast<NumberFormat>(flags >> 3 & 7);
  const std::string text =
      write_go_value(type, ValueSource::in_memory(memory, RunAddress{value_begin}, type.size), context);
  fuzz_check(text.size() < 8 * context.print.limits.text_bytes, "a value's text is bounded");
  static_cast<void>(error_text(type, ValueSource::in_memory(memory, RunAddress{value_begin}, type.size), context));
  return !text.empty();
}

std::vector<std::string> go_values_seeds() {
  std::vector<std::string> seeds;
  for (std::uint64_t kind = 0; kind < parameters_of_all_kinds().size(); ++kind) {
    FuzzSeed seed;
    seed.number(kind, 1).number(kind * 16 + kind % 2, 1);
    for (std::uint64_t word = 0; word < 40; ++word)
      seed.number(word % 3 == 0 ? value_begin + word * 8 + 24 : word % 3 == 1 ? 2 : 4, 8);
    seeds.push_back(seed.text());
  }
  return seeds;
}

const RegisteredFuzzTarget go_values_target{
    {.name = "go-values", .run = run_go_values, .seeds = go_values_seeds, .rounds = 200, .max_size = 1024}};

} // namespace
} // namespace inspect::test
