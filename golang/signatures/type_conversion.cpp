#include "golang/signatures/type_conversion.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

/// Pointers, slices, maps and channels on the way from a parameter: one more than a ValueContext follows by default, so
/// that what ends the way still has its type's name.
constexpr int steps_followed = 3;
constexpr int max_type_nesting = 100;
constexpr int max_aliases = 64;

constexpr std::uint64_t encoding_boolean = 0x02;
constexpr std::uint64_t encoding_float = 0x04;
constexpr std::uint64_t encoding_signed = 0x05;
constexpr std::uint64_t encoding_signed_char = 0x06;

/// Types that are not Go's own (cgo) have no Go kind.
GoKind kind_without_attribute(const DwarfType &type) {
  const std::uint64_t size = type.byte_size.value_or(0);
  const bool is_power = size == 1 || size == 2 || size == 4 || size == 8;
  switch (type.kind) {
  case DwarfTypeKind::pointer:
    return type.name == "unsafe.Pointer" ? GoKind::unsafe_pointer : GoKind::pointer;
  case DwarfTypeKind::structure:
    return GoKind::structure;
  case DwarfTypeKind::array:
    return GoKind::array;
  case DwarfTypeKind::base:
    if (!is_power)
      return GoKind::unknown;
    if (type.encoding == encoding_boolean && size == 1)
      return GoKind::boolean;
    if (type.encoding == encoding_float)
      return size == 4 ? GoKind::float32 : size == 8 ? GoKind::float64 : GoKind::unknown;
    if (type.encoding == encoding_signed || type.encoding == encoding_signed_char)
      return size == 1   ? GoKind::integer8
             : size == 2 ? GoKind::integer16
             : size == 4 ? GoKind::integer32
                         : GoKind::integer64;
    return size == 1   ? GoKind::unsigned8
           : size == 2 ? GoKind::unsigned16
           : size == 4 ? GoKind::unsigned32
                       : GoKind::unsigned64;
  default:
    return GoKind::unknown;
  }
}

/// Where the type ends that begins at `at`: at a comma, a bracket or a blank that is not inside it.
std::size_t end_of_type(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (depth == 0 && std::string_view(",]}); ").contains(c) && !text.substr(0, at).ends_with("struct") &&
        !text.substr(0, at).ends_with("interface"))
      break;
    depth += std::string_view("[{(").contains(c) ? 1 : std::string_view("]})").contains(c) ? -1 : 0;
  }
  return at;
}

/// "go.shape.string_0" is what all types that are strings share in a generic function; the number is gone since 1.20.
std::string without_shapes(std::string text) {
  constexpr std::string_view shape = "go.shape.";
  for (std::size_t at = 0; (at = text.find(shape, at)) != std::string::npos;) {
    text.erase(at, shape.size());
    const std::size_t end = end_of_type(text, at);
    std::size_t number = end;
    while (number > at && text[number - 1] >= '0' && text[number - 1] <= '9')
      --number;
    if (number < end && number > at && text[number - 1] == '_')
      text.erase(number - 1, end - number + 1);
  }
  return text;
}

std::string printed_name(std::string_view name) {
  std::string text = without_shapes(short_go_type_name(name));
  for (std::size_t at = 0; (at = text.find("%2e", at)) != std::string::npos;)
    text.erase(at + 1, 2)[at] = '.';
  return text;
}

} // namespace

GoTypeConverter::Described GoTypeConverter::describe(const TypeHandle &handle) {
  Described described;
  const DwarfType *type = &reader_.read(handle);
  for (int steps = 0; steps < max_aliases; ++steps) {
    // The parameters of generic functions have typedefs of their own: ".param0".
    if (described.name.empty() && !type->name.starts_with(".param"))
      described.name = type->name;
    described.type = type;
    if (type->go && go_kind(type->go->kind) != GoKind::unknown) {
      described.kind = type->go->kind;
      break;
    }
    if (type->kind != DwarfTypeKind::alias && type->kind != DwarfTypeKind::qualified)
      break;
    type = &reader_.read(type->target);
  }
  return described;
}

const GoType *GoTypeConverter::convert(const TypeHandle &handle) {
  return convert(handle, steps_followed, 0);
}

void GoTypeConverter::complete(const GoType &type) {
  const auto known = descriptions_.find(&type);
  if (known == descriptions_.end())
    return;
  const TypeHandle handle = known->second;
  convert(handle, steps_followed, 0);
}

const std::vector<GoConstant> &GoTypeConverter::constants(const GoType &type) {
  const auto [place, is_new] = constants_of_.try_emplace(&type);
  const auto known = descriptions_.find(&type);
  if (is_new && known != descriptions_.end() && known->second.die)
    place->second = constants_.of(*known->second.die);
  return place->second;
}

GoType *GoTypeConverter::convert(const TypeHandle &handle, int steps, int nesting) {
  const void *made = handle.made;
  Converted &known = converted_[made == nullptr && handle.die ? handle.die->addr : made];
  if (known.type && (known.steps >= steps || nesting > max_type_nesting))
    return known.type;
  const Described described = describe(handle);
  if (!known.type) {
    GoType &type = pool_.add();
    known.type = &type;
    descriptions_.emplace(&type, handle);
    type.name = printed_name(described.name);
    type.kind = described.kind != 0 ? go_kind(described.kind) : kind_without_attribute(*described.type);
    type.size = type.kind == GoKind::unknown || type.kind >= GoKind::array ? reader_.size_of(handle).value_or(8)
                                                                           : size_of_kind(type.kind);
    type.alignment = alignment_of_kind(type.kind);
  }
  GoType &type = *known.type;
  if (steps >= 0 && nesting <= max_type_nesting) {
    known.steps = steps; // before it is filled: it may hold itself
    fill(type, described, steps, nesting + 1);
  }
  return &type;
}

void GoTypeConverter::fill(GoType &type, const Described &described, int steps, int nesting) {
  const DwarfType &dwarf = *described.type;
  switch (type.kind) {
  case GoKind::pointer:
    if (dwarf.target.die)
      type.element = convert(dwarf.target, steps - 1, nesting);
    break;
  case GoKind::slice:
  case GoKind::channel:
  case GoKind::map:
    if (dwarf.go && dwarf.go->element.die)
      type.element = convert(dwarf.go->element, steps - 1, nesting);
    if (dwarf.go && dwarf.go->key.die)
      type.key = convert(dwarf.go->key, steps - 1, nesting);
    break;
  case GoKind::interface:
    // A typedef of the structure that stands for all interfaces with methods, or of the one for those without.
    type.has_methods = reader_.underlying(dwarf.target).name == "runtime.iface";
    break;
  case GoKind::array:
    fill_array(type, described, steps, nesting);
    break;
  case GoKind::structure:
    fill_structure(type, described, steps, nesting);
    break;
  default:
    break;
  }
}

void GoTypeConverter::fill_array(GoType &type, const Described &described, int steps, int nesting) {
  const DwarfType &dwarf = *described.type;
  GoType *element = convert(dwarf.target, steps, nesting);
  type.element = element;
  type.alignment = element->alignment;
  type.length = dwarf.dimensions.empty() ? 0 : dwarf.dimensions.front().value_or(0);
  std::uint64_t size = 0;
  // What lies beyond the array's size is not there, whatever its length says.
  if (element->size > 0 && (__builtin_mul_overflow(element->size, type.length, &size) || size > type.size))
    type.length = type.size / element->size;
}

void GoTypeConverter::fill_structure(GoType &type, const Described &described, int steps, int nesting) {
  std::vector<GoField> fields;
  for (const DwarfMember &member : described.type->members) {
    const GoType *field = convert(member.type, steps, nesting);
    if (member.offset > type.size || member.bit_size)
      continue;
    type.alignment = std::max(type.alignment, field->alignment);
    fields.push_back({member.name, field, member.offset, member.go_embedded});
  }
  type.fields = std::move(fields);
}

} // namespace inspect
