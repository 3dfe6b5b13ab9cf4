#include "values/operations/native_operations.h"

#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_lines = 2000;
constexpr int max_nesting = 8;

const char *access_name(DwarfAccess access) {
  switch (access) {
  case DwarfAccess::public_access:
    return "public";
  case DwarfAccess::protected_access:
    return "protected";
  default:
    return "private";
  }
}

class DefinitionWriter {
public:
  explicit DefinitionWriter(ValueEnvironment &environment) : environment_(environment) {}

  std::string definition(const TypeHandle &handle, int depth) {
    const DwarfType &type = environment_.types.underlying(handle);
    std::string name = type_name(environment_.types, behind_aliases(handle));
    if (type.kind == DwarfTypeKind::enumeration)
      return is_rust_language(type.language) ? rust_enumeration(type, name) : enumeration(type, name);
    if (!is_structure(type))
      return name;
    if (is_rust_language(type.language))
      return rust_structure(type, name);
    return structure(type, name, depth);
  }

private:
  TypeHandle behind_aliases(TypeHandle handle) {
    for (int steps = 0; steps < 64; ++steps) {
      const DwarfType &type = environment_.types.read(handle);
      if (type.kind != DwarfTypeKind::alias)
        break;
      handle = type.target;
    }
    return handle;
  }

  static std::string heading(const DwarfType &type, const std::string &name) {
    const char *keyword = type.kind == DwarfTypeKind::class_type    ? "class "
                          : type.kind == DwarfTypeKind::union_type  ? "union "
                          : type.kind == DwarfTypeKind::enumeration ? "enum "
                                                                    : "struct ";
    if (type.name.empty())
      return keyword;
    return (name.find(keyword) != std::string::npos ? name : keyword + name) + " ";
  }

  std::string enumeration(const DwarfType &type, const std::string &name) {
    std::string text = heading(type, name);
    if (type.is_scoped && text.starts_with("enum "))
      text.insert(5, "class ");
    if (!type.target.is_void() && !is_c_language(type.language))
      text += ": " + type_name(environment_.types, type.target) + " ";
    text += "{";
    std::int64_t expected = 0;
    for (std::size_t i = 0; i < type.enumerators.size() && i < max_lines; ++i) {
      const DwarfEnumerator &one = type.enumerators[i];
      text += (i == 0 ? "" : ", ") + one.name;
      if (one.value != expected)
        text += fmt::format(" = {}", one.value);
      expected = static_cast<std::int64_t>(static_cast<std::uint64_t>(one.value) + 1);
    }
    return text + (type.enumerators.size() > max_lines ? ", …}" : "}");
  }

  std::string bases(const DwarfType &type) {
    std::string text;
    for (const DwarfMember &member : type.members) {
      if (!member.is_base)
        continue;
      const DwarfAccess unsaid =
          type.kind == DwarfTypeKind::class_type ? DwarfAccess::private_access : DwarfAccess::public_access;
      text += text.empty() ? ": " : ", ";
      text += access_name(member.access == DwarfAccess::unsaid ? unsaid : member.access);
      text += (member.is_virtual ? " virtual " : " ") + type_name(environment_.types, member.type);
    }
    return text.empty() ? text : text + " ";
  }

  std::string structure(const DwarfType &type, const std::string &name, int depth) {
    const std::string indent(static_cast<std::size_t>(4 * depth + 4), ' ');
    std::string text = heading(type, name) + bases(type) + "{\n";
    const bool is_class = type.kind == DwarfTypeKind::class_type;
    const DwarfAccess standard = is_class ? DwarfAccess::private_access : DwarfAccess::public_access;
    DwarfAccess current = is_class ? DwarfAccess::unsaid : standard;
    bool any = false;
    const auto line = [&](DwarfAccess access, const std::string &what) {
      const DwarfAccess said = access == DwarfAccess::unsaid ? standard : access;
      if (said != current)
        text += std::string(static_cast<std::size_t>(4 * depth + 2), ' ') + access_name(said) + ":\n";
      current = said;
      any = true;
      if (++lines_ <= max_lines)
        text += indent + what + ";\n";
      else if (lines_ == max_lines + 1)
        text += indent + "…\n";
    };
    for (const DwarfMember &member : type.members)
      if (!member.is_base && !member.is_artificial && !member.name.starts_with("_vptr"))
        line(member.access, member_line(member, depth));
    for (const DwarfStaticMember &member : type.static_members)
      line(member.access, "static " + declaration(environment_.types, member.type, member.name));
    for (const DwarfMethod &method : type.methods)
      if (!method.is_artificial)
        line(method.access, method_line(method));
    if (type.is_declaration)
      text += indent + "<incomplete type>\n";
    else if (!any)
      text += indent + "<no data fields>\n";
    return text + std::string(static_cast<std::size_t>(4 * depth), ' ') + "}";
  }

  std::string member_line(const DwarfMember &member, int depth) {
    const DwarfType &type = environment_.types.read(member.type);
    if (is_structure(type) && type.name.empty() && depth < max_nesting && lines_ < max_lines)
      return definition(member.type, depth + 1) + (member.name.empty() ? "" : " " + member.name);
    std::string text = declaration(environment_.types, member.type, member.name);
    if (member.bit_size)
      text += fmt::format(" : {}", *member.bit_size);
    return text;
  }

  std::string method_line(const DwarfMethod &method) {
    const DwarfType &function = environment_.types.read(method.type);
    std::string arguments;
    for (std::size_t i = function.is_method ? 1 : 0; i < function.parameters.size() && i < 64; ++i)
      arguments += (arguments.empty() ? "" : ", ") + type_name(environment_.types, function.parameters[i]);
    if (function.is_variadic)
      arguments += arguments.empty() ? "..." : ", ...";
    std::string text = method.is_virtual ? "virtual " : method.is_static && !function.is_method ? "static " : "";
    if (!function.target.is_void())
      text += type_name(environment_.types, function.target) + " ";
    else if (!function.is_method || !is_constructor_name(method.name))
      text += "void ";
    return text + method.name + "(" + arguments + ")" + (takes_constant(function) ? " const" : "");
  }

  /// DWARF does not tell them from methods that return nothing, but by their names.
  bool is_constructor_name(const std::string &method) const {
    return method.starts_with("~") || std::ranges::find(classes_, method) != classes_.end();
  }

  bool takes_constant(const DwarfType &function) {
    if (!function.is_method || function.parameters.empty())
      return false;
    const DwarfType &self = environment_.types.underlying(function.parameters.front());
    const DwarfType &object = environment_.types.read(self.target);
    return object.kind == DwarfTypeKind::qualified && object.name == "const";
  }

  std::string rust_enumeration(const DwarfType &type, const std::string &name) {
    std::string text = "enum " + name + " {\n";
    for (std::size_t i = 0; i < type.enumerators.size() && i < max_lines; ++i)
      text += fmt::format("    {} = {},\n", type.enumerators[i].name, type.enumerators[i].value);
    return text + "}";
  }

  std::string rust_fields(const DwarfType &type, const std::string &indent) {
    std::string text;
    const bool is_tuple =
        std::ranges::all_of(type.members, [](const DwarfMember &one) { return one.name.starts_with("__"); });
    for (const DwarfMember &member : type.members)
      if (++lines_ <= max_lines)
        text += indent +
                (is_tuple ? type_name(environment_.types, member.type)
                          : declaration(environment_.types, member.type, member.name)) +
                ",\n";
    return text;
  }

  std::string rust_structure(const DwarfType &type, const std::string &name) {
    if (!type.variants) {
      const char *keyword = type.kind == DwarfTypeKind::union_type ? "union " : "struct ";
      return keyword + name + " {\n" + rust_fields(type, "    ") + "}";
    }
    std::string text = "enum " + name + " {\n";
    for (const DwarfVariant &variant : type.variants->variants) {
      const DwarfType &shape = environment_.types.underlying(variant.member.type);
      text += "    " + (variant.member.name.empty() ? shape.name : variant.member.name);
      text += shape.members.empty() ? ",\n" : " {\n" + rust_fields(shape, "        ") + "    },\n";
      if (++lines_ > max_lines)
        break;
    }
    return text + "}";
  }

public:
  void set_class(const TypeHandle &handle) {
    const std::string &name = environment_.types.underlying(handle).name;
    classes_.push_back(name);
    classes_.push_back(name.substr(0, name.find('<')));
  }

private:
  ValueEnvironment &environment_;
  std::size_t lines_ = 0;
  std::vector<std::string> classes_; ///< whose constructors have their names
};

} // namespace

std::string native_type_definition(const TypeHandle &type, ValueEnvironment &environment) {
  TypeHandle defined = type;
  std::string signs;
  // As gdb: what pointers and references lead to, and how.
  for (int steps = 0; steps < max_nesting; ++steps) {
    const DwarfType &one = environment.types.underlying(defined);
    if ((!is_pointer(one) && !is_reference(one)) || !one.name.empty())
      break;
    signs.insert(0, is_pointer(one) ? "*" : one.kind == DwarfTypeKind::reference ? "&" : "&&");
    defined = one.target;
  }
  const DwarfType &end = environment.types.underlying(defined);
  if (!signs.empty() && !is_structure(end) && end.kind != DwarfTypeKind::enumeration)
    return type_name(environment.types, type);
  DefinitionWriter writer(environment);
  writer.set_class(defined);
  return writer.definition(defined, 0) + (signs.empty() ? "" : " " + signs);
}

} // namespace inspect
