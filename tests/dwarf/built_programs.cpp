#include "tests/dwarf/built_programs.h"

#include <algorithm>
#include <stdexcept>

namespace inspect::test {
namespace {

constexpr std::string_view first_unit = R"(
struct Counter { int value = 0; int add(int by); };
template <typename T> __attribute__((noinline)) T twice(T x) { return x + x; }
static inline int square(int x) { return x * x; }
__attribute__((cold, noinline)) int rare(int x) { return square(x) - 7; }
int second_unit(int);
int Counter::add(int by) {
  value += square(by);
  if (value > 1000)
    value = rare(value);
  return value;
}
int main(int count, char **) {
  Counter counter;
  return counter.add(count) + twice(count) + static_cast<int>(twice(count * 1.5)) + second_unit(count);
}
)";

constexpr std::string_view second_unit = R"(
namespace deep { namespace deeper {
__attribute__((noinline)) int function(int x) {
  auto inner = [x](int y) __attribute__((noinline)) { return x ^ y; };
  return inner(3 * x);
}
} }
int second_unit(int x) { return deep::deeper::function(x) + 1; }
)";

} // namespace

std::string build_program(const TemporaryDirectory &folder, const std::string &compiler_and_flags) {
  folder.write("first.cpp", first_unit);
  folder.write("second.cpp", second_unit);
  const CommandResult built = run_command(
      {"/bin/sh", "-c", "cd " + folder.path() + " && " + compiler_and_flags + " first.cpp second.cpp -o program 2>&1"});
  if (built.status != 0)
    throw std::runtime_error(compiler_and_flags + ": " + built.out);
  return folder.path() + "/program";
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

} // namespace inspect::test
