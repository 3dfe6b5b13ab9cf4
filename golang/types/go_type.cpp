#include "golang/types/go_type.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

struct KindSize {
  std::uint8_t size;
  std::uint8_t alignment;
};

/// cmd/compile's types/size.go, CalcSize, for amd64.
KindSize kind_size(GoKind kind) {
  switch (kind) {
  case GoKind::boolean:
  case GoKind::integer8:
  case GoKind::unsigned8:
    return {1, 1};
  case GoKind::integer16:
  case GoKind::unsigned16:
    return {2, 2};
  case GoKind::integer32:
  case GoKind::unsigned32:
  case GoKind::float32:
    return {4, 4};
  case GoKind::complex64:
    return {8, 4};
  case GoKind::complex128:
  case GoKind::interface:
  case GoKind::string:
    return {16, 8};
  case GoKind::slice:
    return {24, 8};
  case GoKind::array:
  case GoKind::structure:
    return {0, 1};
  default:
    return {8, 8};
  }
}

struct Predeclared {
  std::string_view name;
  GoKind kind;
  std::string_view printed = {};
};

constexpr auto predeclared_types = std::to_array<Predeclared>({
    {"bool", GoKind::boolean},
    {"int", GoKind::integer},
    {"int8", GoKind::integer8},
    {"int16", GoKind::integer16},
    {"int32", GoKind::integer32},
    {"int64", GoKind::integer64},
    {"uint", GoKind::unsigned_integer},
    {"uint8", GoKind::unsigned8},
    {"uint16", GoKind::unsigned16},
    {"uint32", GoKind::unsigned32},
    {"uint64", GoKind::unsigned64},
    {"uintptr", GoKind::uintptr},
    {"float32", GoKind::float32},
    {"float64", GoKind::float64},
    {"complex64", GoKind::complex64},
    {"complex128", GoKind::complex128},
    {"string", GoKind::string},
    {"byte", GoKind::unsigned8, "uint8"},
    {"rune", GoKind::integer32, "int32"},
    {"error", GoKind::interface},
    {"any", GoKind::interface, "interface {}"},
    {"interface {}", GoKind::interface},
    {"unsafe.Pointer", GoKind::unsafe_pointer},
});

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t alignment) {
  return alignment <= 1 ? value : (value + alignment - 1) / alignment * alignment;
}

} // namespace

GoType &GoTypePool::composed(GoKind kind, std::string name, const GoType *element, const GoType *key) {
  const auto [place, is_new] = composed_.try_emplace({kind, name, element, key}, nullptr);
  if (!is_new)
    return *place->second;
  GoType &type = add(kind, std::move(name));
  type.element = element;
  type.key = key;
  place->second = &type;
  return type;
}

GoType &GoTypePool::add(GoKind kind, std::string name) {
  GoType &type = add();
  type.kind = kind;
  type.name = std::move(name);
  type.size = size_of_kind(kind);
  type.alignment = alignment_of_kind(kind);
  return type;
}

const GoType *GoTypePool::predeclared(std::string_view name) {
  const auto *const found = std::ranges::find(predeclared_types, name, &Predeclared::name);
  if (found == predeclared_types.end())
    return nullptr;
  GoType &type = composed(found->kind, std::string(found->printed.empty() ? name : found->printed), nullptr, nullptr);
  type.has_methods = name == "error";
  return &type;
}

const GoType *GoTypePool::pointer_to(const GoType &element) {
  return &composed(GoKind::pointer, "*" + element.name, &element, nullptr);
}

const GoType *GoTypePool::slice_of(const GoType &element) {
  return &composed(GoKind::slice, "[]" + element.name, &element, nullptr);
}

const GoType *GoTypePool::map_of(const GoType &key, const GoType &value) {
  return &composed(GoKind::map, fmt::format("map[{}]{}", key.name, value.name), &value, &key);
}

const GoType *GoTypePool::channel_of(const GoType &element, std::string_view prefix) {
  return &composed(GoKind::channel, channel_text(prefix, element.name), &element, nullptr);
}

const GoType *GoTypePool::array_of(const GoType &element, std::uint64_t length) {
  GoType &type = composed(GoKind::array, fmt::format("[{}]{}", length, element.name), &element, nullptr);
  type.length = length;
  type.alignment = element.alignment;
  if (__builtin_mul_overflow(element.size, length, &type.size))
    type.size = UINT64_MAX;
  return &type;
}

GoType &GoTypePool::structure_of(std::vector<GoField> fields, std::string name) {
  GoType &type = add();
  type.kind = GoKind::structure;
  type.name = std::move(name);
  type.fields = std::move(fields);
  lay_out_structure(type);
  return type;
}

std::uint64_t size_of_kind(GoKind kind) {
  return kind_size(kind).size;
}

std::uint64_t alignment_of_kind(GoKind kind) {
  return kind_size(kind).alignment;
}

void lay_out_structure(GoType &type) {
  std::uint64_t end = 0;
  type.alignment = 1;
  for (GoField &field : type.fields) {
    field.offset = end = round_up(end, field.type->alignment);
    type.alignment = std::max(type.alignment, field.type->alignment);
    if (__builtin_add_overflow(end, field.type->size, &end))
      end = UINT64_MAX - 64;
  }
  // A pointer to a last field without size must not point beyond the structure: it gets a byte.
  if (end != 0 && type.fields.back().type->size == 0)
    ++end;
  type.size = round_up(end, type.alignment);
}

std::string_view printed_predeclared(std::string_view name) {
  const auto *const found = std::ranges::find(predeclared_types, name, &Predeclared::name);
  return found == predeclared_types.end() || found->printed.empty() ? name : found->printed;
}

std::string channel_text(std::string_view direction, std::string_view element) {
  // "chan <-chan T" would read as "chan<- chan T".
  const bool ambiguous = direction == "chan" && element.starts_with('<');
  return fmt::format(fmt::runtime(ambiguous ? "{} ({})" : "{} {}"), direction, element);
}

std::string signature_text(const std::vector<std::string> &parameters, const std::vector<std::string> &results) {
  std::string text = fmt::format("({})", fmt::join(parameters, ", "));
  if (!results.empty())
    text += fmt::format(fmt::runtime(results.size() == 1 ? " {}" : " ({})"), fmt::join(results, ", "));
  return text;
}

std::string field_text(std::string_view name, std::string_view type, std::string_view tag) {
  return fmt::format("{}{}{}{}{}", name, name.empty() ? "" : " ", type, tag.empty() ? "" : " ", tag);
}

std::string quoted_tag(std::string_view tag) {
  std::string text = "\"";
  for (const char c : tag) {
    if (c == '"' || c == '\\')
      text += '\\';
    text += static_cast<unsigned char>(c) < 0x20 ? fmt::format("\\x{:02x}", c) : std::string(1, c);
  }
  return text + "\"";
}

std::string members_text(std::string_view keyword, const std::vector<std::string> &members) {
  return members.empty() ? fmt::format("{} {{}}", keyword)
                         : fmt::format("{} {{ {} }}", keyword, fmt::join(members, "; "));
}

bool is_signed_integer(GoKind kind) {
  return kind >= GoKind::integer && kind <= GoKind::integer64;
}

bool is_unsigned_integer(GoKind kind) {
  return kind >= GoKind::unsigned_integer && kind <= GoKind::uintptr;
}

bool is_pointer_shaped(const GoType &type, GoVersion version) {
  const GoType *current = &type;
  for (int depth = 0; depth < 64 && current && current->size == 8; ++depth) { // cmd/compile types.IsDirectIface
    switch (current->kind) {
    case GoKind::channel:
    case GoKind::function:
    case GoKind::map:
    case GoKind::pointer:
    case GoKind::unsafe_pointer:
      return true;
    case GoKind::array:
      current = current->length == 1 ? current->element : nullptr;
      break;
    case GoKind::structure: {
      const auto holder = std::ranges::find_if(current->fields, [](const GoField &field) { return field.type->size; });
      const bool alone = current->fields.size() == 1 || version >= GoVersion{1, 26};
      current = alone && holder != current->fields.end() ? holder->type : nullptr;
      break;
    }
    default:
      return false;
    }
  }
  return false;
}

std::string short_go_type_name(std::string_view name) {
  std::string text;
  // Each path in "map[a/b.K]*c/d.V" loses what stands before its last slash.
  std::size_t word = 0;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    const bool ends = i == name.size() || std::string_view("[]*(){} ,;").contains(name[i]);
    if (!ends)
      continue;
    const std::string_view path = name.substr(word, i - word);
    text += path.substr(path.rfind('/') + 1); // npos + 1 is 0
    if (i < name.size())
      text += name[i];
    word = i + 1;
  }
  return text;
}

} // namespace inspect
