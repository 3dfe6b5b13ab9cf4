// Session::evaluate: what people type where an address is wanted.
#include "commands/session.h"
#include "commands/typed_text.h"
#include "inspector/symbol_search.h"
#include "machine/x86_64/registers.h"

#include <cstdlib>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Where the last + or - outside of brackets stands, npos without: "a+b-4" is split before the 4. Not the first
/// character, which is a sign.
std::size_t last_operator(std::string_view text) {
  int depth = 0;
  for (std::size_t at = text.size(); at-- > 1;) {
    const char character = text[at];
    if (character == ')' || character == '>' || character == ']')
      ++depth;
    else if (character == '(' || character == '<' || character == '[')
      --depth;
    else if (depth == 0 && (character == '+' || character == '-'))
      return at;
  }
  return std::string_view::npos;
}

} // namespace

Result<std::uint64_t> Session::register_value(unsigned dwarf_number, std::string_view name) {
  const auto frame = selected_physical_frame();
  if (!frame)
    return std::unexpected(frame.error());
  if (dwarf_number == x86_64::return_address)
    return (*frame)->pc.value;
  if (const auto &known = (*frame)->registers; known != nullptr && known->knows(dwarf_number))
    return *known->get(dwarf_number);
  return std::unexpected(
      Error(ErrorKind::not_found, fmt::format("{} is not recoverable in frame {}", name, selected_frame_), "frame 0"));
}

Result<std::uint64_t> Session::evaluate(std::string_view text) {
  text = trimmed(text);
  constexpr std::size_t longest = 4096;
  if (text.empty() || text.size() > longest)
    return std::unexpected(Error(ErrorKind::usage, "an address is missing", "help x"));
  if (const auto number = parse_number(text))
    return *number;
  if (text.starts_with('(') && text.ends_with(')') && text.find('(', 1) == std::string_view::npos)
    return evaluate(text.substr(1, text.size() - 2));

  std::string_view name = text;
  const bool dollar = name.starts_with('$') || name.starts_with('%');
  const bool ampersand = name.starts_with('&');
  if (dollar || ampersand)
    name.remove_prefix(1);
  if (const auto number = ampersand ? std::nullopt : x86_64::register_by_name(name))
    return register_value(*number, name);
  if (dollar) {
    // Runbooks pass addresses in the environment: ADDR=0x… inspect attach PID -e 'x $ADDR'.
    const char *variable = std::getenv(std::string(name).c_str());
    if (const auto number = variable == nullptr ? std::nullopt : parse_number(variable))
      return *number;
  }
  // Names of operators hold + and -, so that the whole text is tried as a name first.
  const std::size_t split = last_operator(text);
  auto symbol = find_symbol(*target_, name, cancellation_);
  if (symbol)
    return symbol->address.value;
  if (split == std::string_view::npos && dollar && symbol.error().kind() == ErrorKind::not_found)
    return std::unexpected(Error(ErrorKind::not_found,
                                 fmt::format("'{}' is no register, no number in the environment and no symbol", text),
                                 "regs -a"));
  if (split == std::string_view::npos || symbol.error().kind() == ErrorKind::cancelled)
    return std::unexpected(symbol.error());
  const auto left = evaluate(text.substr(0, split));
  if (!left)
    return std::unexpected(left.error());
  const auto right = evaluate(text.substr(split + 1));
  if (!right)
    return std::unexpected(right.error());
  return text[split] == '+' ? *left + *right : *left - *right;
}

} // namespace inspect
