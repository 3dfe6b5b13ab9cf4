#include "values/go/go_closures.h"

#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/variables/go_captures.h"
#include "machine/near_misses.h"
#include "values/go/go_variables.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// A closure with more in it is none.
constexpr std::uint64_t max_closure_size = 1 << 20;

} // namespace

std::vector<std::pair<std::string, Value>> go_captured_values(RunAddress closure, RunAddress code,
                                                              ValueEnvironment &environment) {
  Module *module = environment.modules.find(code);
  if (module == nullptr)
    return {};
  std::vector<std::pair<std::string, Value>> captured;
  for (const GoCapture &capture : go_captures(lines_of(*module), module->bias().to_link(code))) {
    if (capture.offset > max_closure_size)
      continue;
    const std::uint64_t size = environment.types.size_of(capture.type).value_or(8);
    captured.emplace_back(
        capture.name, go_value(capture.type, ValueSource::in_memory(environment.memory, closure + capture.offset, size),
                               capture.by_reference, environment));
  }
  return captured;
}

Result<Value> go_captured_member(const Value &function, std::string_view name, ValueEnvironment &environment) {
  const auto source = source_of(function);
  if (!source)
    return std::unexpected(source.error());
  const auto closure = read_number(*source, 0, 8);
  if (!closure)
    return std::unexpected(closure.error());
  if (*closure == 0)
    return std::unexpected(Error(ErrorKind::unreadable, fmt::format("the {} is nil", function.type.go->name)));
  const auto code = read_word(environment.memory, RunAddress{*closure});
  if (!code)
    return std::unexpected(code.error());
  auto captured = go_captured_values(RunAddress{*closure}, RunAddress{*code}, environment);
  std::vector<std::string> names;
  for (auto &[captured_name, value] : captured) {
    if (captured_name == name)
      return std::move(value);
    names.push_back(captured_name);
  }
  return std::unexpected(Error(ErrorKind::not_found, fmt::format("the function has captured nothing named {}{}", name,
                                                                 did_you_mean(name, names))));
}

} // namespace inspect
