#include "commands/values/assignment.h"

#include "commands/cli/typed_text.h"
#include "machine/near_misses.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

struct TypeSize {
  std::string_view name;
  std::size_t in_c;
  std::size_t in_go;
};

// Where the languages differ (int), the syntax tells which one is meant: *(*int) is Go's, {int} and *(int*) are C's.
constexpr auto types = std::to_array<TypeSize>({
    {"int8", 1, 1},    {"uint8", 1, 1},    {"byte", 1, 1},      {"bool", 1, 1},    {"char", 1, 1},
    {"int16", 2, 2},   {"uint16", 2, 2},   {"short", 2, 2},     {"int32", 4, 4},   {"uint32", 4, 4},
    {"rune", 4, 4},    {"int", 4, 8},      {"uint", 4, 8},      {"int64", 8, 8},   {"uint64", 8, 8},
    {"uintptr", 8, 8}, {"long", 8, 8},     {"long long", 8, 8}, {"size_t", 8, 8},  {"int8_t", 1, 1},
    {"uint8_t", 1, 1}, {"int16_t", 2, 2},  {"uint16_t", 2, 2},  {"int32_t", 4, 4}, {"uint32_t", 4, 4},
    {"int64_t", 8, 8}, {"uint64_t", 8, 8}, {"uintptr_t", 8, 8}, {"i8", 1, 1},      {"u8", 1, 1},
    {"i16", 2, 2},     {"u16", 2, 2},      {"i32", 4, 4},       {"u32", 4, 4},     {"i64", 8, 8},
    {"u64", 8, 8},     {"usize", 8, 8},    {"isize", 8, 8},     {"void *", 8, 8},  {"char *", 8, 8},
});

Result<std::size_t> size_of_type(std::string_view name, bool in_go) {
  std::string_view plain = trimmed(name);
  for (const std::string_view prefix : {"unsigned ", "signed "}) {
    if (plain.starts_with(prefix))
      plain = trimmed(plain.substr(prefix.size()));
  }
  if (plain == "unsigned" || plain == "signed")
    plain = "int";
  const auto found = std::ranges::find(types, plain, &TypeSize::name);
  if (found != types.end())
    return in_go ? found->in_go : found->in_c;
  std::vector<std::string> names;
  names.reserve(std::size(types));
  for (const TypeSize &type : types)
    names.emplace_back(type.name);
  return std::unexpected(Error(ErrorKind::usage,
                               fmt::format("'{}' is not a type that set knows{}", plain, did_you_mean(plain, names)),
                               "set -size 4 ADDRESS = VALUE"));
}

Error no_sense(std::string_view text) {
  return Error(ErrorKind::usage, fmt::format("set does not understand '{}'", text), "set -size 4 ADDRESS = VALUE");
}

Result<std::size_t> plain_size(std::string_view text) {
  text = trimmed(text);
  for (const std::size_t size : {1, 2, 4, 8}) {
    if (text == fmt::format("{}", size))
      return size;
  }
  return std::unexpected(Error(ErrorKind::usage, fmt::format("a size is 1, 2, 4 or 8 bytes, not '{}'", text)));
}

/// "*(*uint32)(ADDRESS)" and "*(int *)ADDRESS".
Result<Assignment> parse_dereference(std::string_view target, std::string_view value) {
  const std::string_view rest = trimmed(target.substr(1));
  const std::size_t close = rest.find(')');
  if (!rest.starts_with('(') || close == std::string_view::npos)
    return std::unexpected(no_sense(target));
  std::string_view type = trimmed(rest.substr(1, close - 1));
  const bool in_go = type.starts_with('*');
  if (!in_go && !type.ends_with('*')) {
    // dlv-like without the inner star: *(uint32)ADDRESS
  } else if (in_go) {
    type.remove_prefix(1);
  } else {
    type.remove_suffix(1);
  }
  const auto size = size_of_type(type, in_go);
  if (!size)
    return std::unexpected(size.error());
  return Assignment{std::string(trimmed(rest.substr(close + 1))), std::string(value), *size};
}

/// "{int}ADDRESS".
Result<Assignment> parse_braces(std::string_view target, std::string_view value) {
  const std::size_t close = target.find('}');
  if (close == std::string_view::npos)
    return std::unexpected(no_sense(target));
  const auto size = size_of_type(target.substr(1, close - 1), false);
  if (!size)
    return std::unexpected(size.error());
  return Assignment{std::string(trimmed(target.substr(close + 1))), std::string(value), *size};
}

/// "-size 4 ADDRESS", "ADDRESS:4", "ADDRESS".
Result<Assignment> parse_plain(std::string_view target, std::string_view value) {
  Assignment assignment{std::string(target), std::string(value), 0};
  if (target.starts_with("-size")) {
    std::string_view rest = target.substr(5);
    rest = trimmed(rest.starts_with('=') ? rest.substr(1) : rest);
    const std::size_t blank = std::min(rest.find(' '), rest.size());
    const auto size = plain_size(rest.substr(0, blank));
    if (!size)
      return std::unexpected(size.error());
    assignment.size = *size;
    assignment.address = trimmed(rest.substr(blank));
    return assignment;
  }
  const std::size_t colon = target.rfind(':');
  const bool in_scope_operator = colon != std::string_view::npos && colon > 0 && target[colon - 1] == ':';
  if (colon == std::string_view::npos || in_scope_operator)
    return assignment;
  const auto size = plain_size(target.substr(colon + 1));
  if (!size)
    return std::unexpected(size.error());
  assignment.size = *size;
  assignment.address = trimmed(target.substr(0, colon));
  return assignment;
}

} // namespace

Result<Assignment> parse_assignment(std::string_view text) {
  // gdb's "set var …" and "set variable …".
  text = trimmed(text);
  for (const std::string_view word : {"variable ", "var "}) {
    if (text.starts_with(word))
      text = trimmed(text.substr(word.size()));
  }
  const std::size_t search_from = text.starts_with("-size=") ? 6 : 0;
  const std::size_t equals = text.find('=', search_from);
  if (equals == std::string_view::npos)
    return std::unexpected(Error(ErrorKind::usage, "set needs ADDRESS = VALUE", "help set"));
  const std::string_view target = trimmed(text.substr(0, equals));
  const std::string_view value = trimmed(text.substr(equals + 1));
  if (target.empty() || value.empty())
    return std::unexpected(Error(ErrorKind::usage, "set needs ADDRESS = VALUE", "help set"));
  auto assignment = target.starts_with('*')   ? parse_dereference(target, value)
                    : target.starts_with('{') ? parse_braces(target, value)
                                              : parse_plain(target, value);
  if (assignment && assignment->address.empty())
    return std::unexpected(Error(ErrorKind::usage, "set needs an address before the =", "help set"));
  return assignment;
}

Result<std::vector<std::byte>> bytes_of(std::uint64_t value, std::size_t size) {
  if (size < 8) {
    const std::uint64_t values = std::uint64_t{1} << (size * 8);
    const bool fits = value < values || value >= std::uint64_t{0} - values / 2;
    if (!fits)
      return std::unexpected(Error(ErrorKind::usage,
                                   fmt::format("{:#x} does not fit into {} byte{}", value, size, size == 1 ? "" : "s"),
                                   "a larger size"));
  }
  std::vector<std::byte> bytes(size);
  for (std::size_t at = 0; at < size; ++at)
    bytes[at] = static_cast<std::byte>(value >> (at * 8) & 0xffU);
  return bytes;
}

} // namespace inspect
