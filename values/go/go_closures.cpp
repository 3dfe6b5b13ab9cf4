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

/// "&x" is also what a variable is called that was captured by value and that the closure's own code moves to the heap.
/// Then the value itself is in the closure: the room up to the next captured variable tells, or that what is there is
/// no address.
bool holds_value(const GoCapture &capture, RunAddress place, std::uint64_t room, ValueEnvironment &environment) {
  const TypeHandle target = environment.types.underlying(capture.type).target;
  const auto size = environment.types.size_of(target);
  if (!size)
    return false;
  if (room > 8)
    return room >= *size && *size > 8;
  if (room == 8 && *size > 8)
    return false;
  const auto word = read_word(environment.memory, place);
  return word && (*word == 0 || !read_word(environment.memory, RunAddress{*word}));
}

} // namespace

std::vector<std::pair<std::string, Value>> go_captured_values(RunAddress closure, RunAddress code,
                                                              ValueEnvironment &environment) {
  Module *module = environment.modules.find(code);
  if (module == nullptr)
    return {};
  std::vector<std::pair<std::string, Value>> captured;
  const std::vector<GoCapture> captures = go_captures(lines_of(*module), module->bias().to_link(code));
  for (std::size_t i = 0; i < captures.size(); ++i) {
    const GoCapture &capture = captures[i];
    if (capture.offset > max_closure_size)
      continue;
    const RunAddress place = closure + capture.offset;
    const std::uint64_t room = i + 1 < captures.size() ? captures[i + 1].offset - capture.offset : 0;
    const bool is_value = !capture.by_reference || holds_value(capture, place, room, environment);
    const TypeHandle type =
        is_value && capture.by_reference ? environment.types.underlying(capture.type).target : capture.type;
    const std::uint64_t size = environment.types.size_of(type).value_or(8);
    captured.emplace_back(
        capture.name, go_value(type, ValueSource::in_memory(environment.memory, place, size), !is_value, environment));
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
