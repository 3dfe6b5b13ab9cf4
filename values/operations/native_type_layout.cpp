// ptype /o: where each member of a structure lies, how large it is, and the holes between them, as gdb writes it.
//
// Source: gdb's typeprint.c (print_offset_data).
#include "values/operations/native_operations.h"

#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"

#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_layout_lines = 4000;
constexpr int max_layout_depth = 8;
/// What stands in front of a line that has no offset.
constexpr std::size_t column = 27;

class LayoutWriter {
public:
  explicit LayoutWriter(ValueEnvironment &environment) : environment_(environment) {}

  std::string write(const TypeHandle &handle) {
    const DwarfType &type = environment_.types.underlying(handle);
    text_ = "/* offset      |    size */  type = " + heading(handle, type) + "\n";
    members(type, 0, 0);
    end(handle, 0, "");
    return std::move(text_);
  }

private:
  static std::string_view access_of(const DwarfMember &base, const DwarfType &type) {
    switch (base.access) {
    case DwarfAccess::public_access:
      return "public ";
    case DwarfAccess::protected_access:
      return "protected ";
    case DwarfAccess::private_access:
      return "private ";
    default:
      return type.kind == DwarfTypeKind::class_type ? "private " : "public ";
    }
  }

  std::string heading(const TypeHandle &handle, const DwarfType &type) {
    const std::string_view keyword = type.kind == DwarfTypeKind::union_type   ? "union"
                                     : type.kind == DwarfTypeKind::class_type ? "class"
                                                                              : "struct";
    if (type.name.empty())
      return fmt::format("{} {{", keyword);
    std::string text =
        fmt::format("{} {} ", keyword, environment_.types.qualified_name(without_aliases(handle, environment_.types)));
    std::string_view before = ": ";
    for (const DwarfMember &member : type.members)
      if (member.is_base) {
        text += fmt::format("{}{}{}{}", before, access_of(member, type), member.is_virtual ? "virtual " : "",
                            type_name(environment_.types, member.type));
        before = ", ";
      }
    return text + (before == ", " ? " {" : "{");
  }

  void hole(std::uint64_t bits, std::string_view what) {
    if (bits % 8 != 0)
      text_ += fmt::format("/* XXX {:2}-bit {:<11}*/\n", bits % 8, what);
    if (bits / 8 != 0)
      text_ += fmt::format("/* XXX {:2}-byte {:<10}*/\n", bits / 8, what);
  }

  /// `base`: bytes from the start of the whole.
  void members(const DwarfType &type, std::uint64_t base, int depth) {
    const bool is_union = type.kind == DwarfTypeKind::union_type;
    std::uint64_t end_bit = 0; // of what came before, from the start of this structure
    for (const DwarfMember &member : type.members) {
      const std::uint64_t size = environment_.types.size_of(member.type).value_or(0);
      const std::uint64_t begin_bit = member.bit_size ? member.bit_offset : 8 * member.offset;
      const std::uint64_t bits = member.bit_size.value_or(8 * size);
      if (!member.is_base && !member.is_artificial && !is_union && begin_bit > end_bit && end_bit != 0)
        hole(begin_bit - end_bit, "hole");
      end_bit = std::max(end_bit, begin_bit + bits);
      if (member.is_base || member.is_artificial || member.name.starts_with("_vptr"))
        continue;
      if (++lines_ > max_layout_lines)
        return;
      if (is_union)
        text_ += fmt::format("/* {:21} */", size);
      else if (member.bit_size)
        text_ += fmt::format("/* {:6}:{:2}   | {:7} */", base + begin_bit / 8, begin_bit % 8, size);
      else
        text_ += fmt::format("/* {:6}      | {:7} */", base + member.offset, size);
      line(member, base, depth);
    }
    if (!is_union && type.byte_size && 8 * *type.byte_size > end_bit && end_bit != 0)
      hole(8 * *type.byte_size - end_bit, "padding");
  }

  void line(const DwarfMember &member, std::uint64_t base, int depth) {
    text_ += std::string(static_cast<std::size_t>(4 * depth + 4), ' ');
    const DwarfType &inner = environment_.types.read(member.type);
    if (is_structure(inner) && !inner.is_declaration && depth < max_layout_depth) {
      text_ += heading(member.type, inner) + "\n";
      members(inner, base + member.offset, depth + 1);
      end(member.type, depth + 1, " " + member.name + ";");
      text_ += "\n";
      return;
    }
    text_ += declaration(environment_.types, member.type, member.name);
    if (member.bit_size)
      text_ += fmt::format(" : {}", *member.bit_size);
    text_ += ";\n";
  }

  void end(const TypeHandle &handle, int depth, const std::string &behind) {
    const std::string indent(column + 2 + static_cast<std::size_t>(4 * depth), ' ');
    const std::string inner = indent + "  ";
    text_ +=
        fmt::format("\n{}/* total size (bytes): {:4} */\n{}}}{}", depth == 0 ? inner : indent + "  ",
                    environment_.types.size_of(handle).value_or(0), depth == 0 ? indent : indent.substr(2), behind);
  }

  ValueEnvironment &environment_;
  std::string text_;
  std::size_t lines_ = 0;
};

} // namespace

std::string native_type_layout(const TypeHandle &type, ValueEnvironment &environment) {
  TypeHandle defined = type;
  for (int steps = 0; steps < max_layout_depth; ++steps) {
    const DwarfType &one = environment.types.underlying(defined);
    if (!is_pointer(one) && !is_reference(one))
      break;
    defined = one.target;
  }
  const DwarfType &known = environment.types.underlying(defined);
  if (!is_structure(known) || known.is_declaration || is_rust_language(known.language))
    return native_type_definition(type, environment);
  return LayoutWriter(environment).write(defined);
}

} // namespace inspect
