#include "dwarf/types/type_name.h"

#include "dwarf/die/die.h"

#include <cctype>
#include <dwarf.h>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

/// Types nest a dozen deep in what people write; crafted files nest without end.
constexpr int max_depth = 48;
constexpr std::size_t max_length = 8192;
constexpr std::size_t max_parameters = 64;
constexpr int max_steps = 512;
constexpr int max_scopes = 64;

/// What stands left of the name that is declared and what stands right of it.
struct Declarator {
  std::string text;        ///< "*", "* const", "(*)(char)"
  bool is_pointer = false; ///< its outermost part, which needs parentheses before (…) and […]
};

/// Each once, const first, as gdb orders them.
void add_qualifier(std::string &qualifiers, const std::string &one) {
  if (qualifiers.find(one) != std::string::npos)
    return;
  const bool goes_first = one == "const" && !qualifiers.empty();
  qualifiers = qualifiers.empty() ? one : goes_first ? one + " " + qualifiers : qualifiers + " " + one;
}

/// "unsigned long" of "long unsigned int", as GCC names it: clang, gdb and the demangler have the short form. Also
/// between the brackets of a template's name.
std::string with_short_integer_names(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"long long unsigned int", "unsigned long long"}, {"long long int", "long long"},
      {"long unsigned int", "unsigned long"},           {"long int", "long"},
      {"short unsigned int", "unsigned short"},         {"short int", "short"},
      {"__int128 unsigned", "unsigned __int128"},
  };
  const auto in_a_name = [&](std::size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_');
  };
  if (!text.contains(" int") && !text.contains("__int128 "))
    return text;
  for (const auto &[from, to] : names)
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;) {
      if ((at > 0 && in_a_name(at - 1)) || in_a_name(at + from.size())) {
        at += from.size();
        continue;
      }
      text.replace(at, from.size(), to);
      at += to.size();
    }
  return text;
}

class NameWriter {
public:
  explicit NameWriter(TypeReader &types) : types_(types) {}

  std::string name(const TypeHandle &handle, const Declarator &declarator, int depth) {
    if (depth >= max_depth || ++steps_ > max_steps || declarator.text.size() > max_length)
      return "…";
    std::string qualifiers;
    const DwarfType *type = &types_.read(handle);
    TypeHandle bare = handle;
    for (int steps = 0; type->kind == DwarfTypeKind::qualified; ++steps) {
      if (steps >= max_depth)
        return "…";
      add_qualifier(qualifiers, type->name);
      bare = type->target;
      type = &types_.read(bare);
    }
    return described(bare, *type, qualifiers, declarator, depth);
  }

private:
  std::string described(const TypeHandle &handle, const DwarfType &type, const std::string &qualifiers,
                        const Declarator &declarator, int depth) {
    switch (type.kind) {
    case DwarfTypeKind::pointer:
    case DwarfTypeKind::reference:
    case DwarfTypeKind::rvalue_reference:
      if (!type.name.empty()) // Rust's have names
        return ended(type.name, declarator);
      return through(type, sign_of(type.kind), qualifiers, declarator, depth);
    case DwarfTypeKind::member_pointer: {
      const std::string sign = (type.container.is_void() ? "?" : types_.qualified_name(type.container)) + "::*";
      return through(type, sign, qualifiers, declarator, depth);
    }
    case DwarfTypeKind::array:
      return array(type, qualifiers, declarator, depth);
    case DwarfTypeKind::subroutine:
      return function(type, declarator, depth);
    default:
      return ended((qualifiers.empty() ? "" : qualifiers + " ") + own_name(handle, type), declarator);
    }
  }

  static std::string sign_of(DwarfTypeKind kind) {
    return kind == DwarfTypeKind::pointer ? "*" : kind == DwarfTypeKind::reference ? "&" : "&&";
  }

  static std::string ended(std::string base, const Declarator &declarator) {
    if (!declarator.text.empty())
      base += " " + declarator.text;
    return base;
  }

  /// The type that a pointer leads to, with the pointer in its declarator.
  std::string through(const DwarfType &type, const std::string &sign, const std::string &qualifiers,
                      const Declarator &declarator, int depth) {
    std::string text = sign;
    if (!qualifiers.empty())
      text += " " + qualifiers + (declarator.text.empty() ? "" : " ");
    return name(type.target, {text + declarator.text, true}, depth + 1);
  }

  std::string array(const DwarfType &type, const std::string &qualifiers, const Declarator &declarator, int depth) {
    std::string lengths;
    if (!type.name.empty()) // Rust's str
      return ended(type.name, declarator);
    if (is_rust_language(type.language))
      return ended(rust_array(type, depth), declarator);
    for (const std::optional<std::uint64_t> &length : type.dimensions)
      lengths += length ? fmt::format("[{}]", *length) : "[]";
    if (type.dimensions.empty())
      lengths = "[]";
    if (type.is_vector)
      lengths = fmt::format("__attribute__ ((vector_size({})))",
                            !type.dimensions.empty() && type.dimensions[0] ? *type.dimensions[0] : 0);
    const std::string inner = declarator.is_pointer ? "(" + declarator.text + ")" : declarator.text;
    const TypeHandle element = type.target;
    std::string whole = name(element, {inner + lengths, false}, depth + 1);
    // What qualifies an array qualifies its elements.
    return qualifiers.empty() || whole.starts_with(qualifiers) ? whole : qualifiers + " " + whole;
  }

  std::string rust_array(const DwarfType &type, int depth) {
    std::string text = name(type.target, {}, depth + 1);
    for (const std::optional<std::uint64_t> &length : type.dimensions)
      text = length ? fmt::format("[{}; {}]", text, *length) : fmt::format("[{}]", text);
    return text;
  }

  std::string function(const DwarfType &type, const Declarator &declarator, int depth) {
    std::string arguments;
    std::size_t count = 0;
    for (const TypeHandle &parameter : type.parameters) {
      if (++count > max_parameters || arguments.size() > max_length) {
        arguments += ", …";
        break;
      }
      const bool is_this = type.is_method && count == 1;
      arguments += (arguments.empty() ? "" : ", ") + name(parameter, {}, depth + 1);
      if (is_this && arguments.ends_with('*')) // `this` cannot be changed, which DWARF leaves out
        arguments += " const";
    }
    if (type.is_variadic)
      arguments += arguments.empty() ? "..." : ", ...";
    else if (arguments.empty())
      arguments = "void";
    const std::string inner = declarator.is_pointer ? "(" + declarator.text + ")" : declarator.text;
    return name(type.target, {inner + "(" + arguments + ")", false}, depth + 1);
  }

  std::string own_name(const TypeHandle &handle, const DwarfType &type) {
    if (handle.is_void())
      return "void";
    std::string name = types_.qualified_name(handle);
    if (name.empty())
      name = type.name;
    if (!is_rust_language(type.language))
      name = with_short_integer_names(std::move(name));
    const char *keyword = type.kind == DwarfTypeKind::structure     ? "struct"
                          : type.kind == DwarfTypeKind::class_type  ? "class"
                          : type.kind == DwarfTypeKind::union_type  ? "union"
                          : type.kind == DwarfTypeKind::enumeration ? "enum"
                                                                    : nullptr;
    if (type.name.empty() && (keyword == nullptr || name.empty() || name.ends_with("::")))
      return keyword != nullptr ? fmt::format("{} {{...}}", keyword) : "<unnamed type>";
    return keyword != nullptr && is_c_language(type.language) ? fmt::format("{} {}", keyword, name) : name;
  }

  TypeReader &types_;
  int steps_ = 0;
};

/// The DIE that stands where the entity was first declared: a definition outside of its namespace refers to it.
Dwarf_Die declared_at(Dwarf_Die die) {
  Dwarf_Die last = die;
  each_description(die, [&](Dwarf_Die &one) {
    last = one;
    return true;
  });
  return last;
}

std::string own_name_of(Dwarf_Die &die, TypeReader *types);

std::string scope_name(Dwarf_Die &scope, TypeReader *types) {
  const char *name = nullptr;
  switch (dwarf_tag(&scope)) {
  case DW_TAG_namespace:
    name = string_attribute(scope, DW_AT_name);
    return name != nullptr ? name : "(anonymous namespace)";
  case DW_TAG_structure_type:
  case DW_TAG_class_type:
  case DW_TAG_union_type:
  case DW_TAG_interface_type:
  case DW_TAG_module:
    return own_name_of(scope, types);
  default:
    return {};
  }
}

/// Arguments in arguments; a file's that are each other's have no end.
constexpr int max_argument_nesting = 12;
constexpr std::size_t max_arguments = 256;

std::string value_argument(const DwarfType &type, std::int64_t value) {
  if (type.kind == DwarfTypeKind::enumeration) {
    for (const DwarfEnumerator &one : type.enumerators)
      if (one.value == value)
        return (type.is_scoped ? type.name + "::" : std::string()) + one.name;
    return fmt::format("({}){}", type.name, value);
  }
  if (type.encoding == TypeEncoding::boolean)
    return value != 0 ? "true" : "false";
  const bool is_unsigned = type.encoding == TypeEncoding::unsigned_integer;
  const bool is_long = type.name.contains("long");
  return is_unsigned ? fmt::format("{}{}", static_cast<std::uint64_t>(value), is_long ? "UL" : "U")
                     : fmt::format("{}{}", value, is_long ? "L" : "");
}

void add_arguments(Dwarf_Die &parent, TypeReader &types, std::vector<std::string> &arguments) {
  each_child(parent, [&](Dwarf_Die &child, std::uint64_t) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_GNU_template_parameter_pack)
      add_arguments(child, types, arguments);
    else if (tag == DW_TAG_template_type_parameter)
      arguments.push_back(NameWriter(types).name(type_of(child), {}, 0));
    else if (tag == DW_TAG_GNU_template_template_param)
      arguments.emplace_back(string_attribute(child, DW_AT_GNU_template_name) != nullptr
                                 ? string_attribute(child, DW_AT_GNU_template_name)
                                 : "?");
    else if (tag == DW_TAG_template_value_parameter) {
      Dwarf_Attribute found;
      Dwarf_Sword value = 0;
      const bool known =
          dwarf_attr(&child, DW_AT_const_value, &found) != nullptr && dwarf_formsdata(&found, &value) == 0;
      arguments.push_back(known ? value_argument(types.underlying(type_of(child)), value) : "?");
    }
    return arguments.size() < max_arguments;
  });
}

bool has_template_parameters(Dwarf_Die &die) {
  bool found = false;
  each_child(die, [&](Dwarf_Die &child, std::uint64_t) {
    const int tag = dwarf_tag(&child);
    found = tag == DW_TAG_template_type_parameter || tag == DW_TAG_template_value_parameter ||
            tag == DW_TAG_GNU_template_parameter_pack || tag == DW_TAG_GNU_template_template_param;
    // They come first in what compilers write.
    return !found && (tag == DW_TAG_inheritance || tag == DW_TAG_formal_parameter);
  });
  return found;
}

bool may_lack_arguments(Dwarf_Die &die, std::string_view name) {
  const int tag = dwarf_tag(&die);
  const bool is_class = tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
  return is_class && !name.empty() && !name.contains('<');
}

std::string own_name_of(Dwarf_Die &die, TypeReader *types) {
  static thread_local int nesting = 0;
  const char *text = string_attribute(die, DW_AT_name);
  std::string name = text != nullptr ? text : "";
  if (!may_lack_arguments(die, name) || !has_template_parameters(die))
    return name;
  Dwarf_Die unit;
  if (dwarf_diecu(&die, &unit, nullptr, nullptr) == nullptr ||
      is_rust_language(unsigned_attribute(unit, DW_AT_language).value_or(0)))
    return name; // whose names have them, or mean something else
  if (nesting >= max_argument_nesting)
    return name + "<…>";
  ++nesting;
  std::vector<std::string> arguments;
  TypeReader own_reader;
  add_arguments(die, types != nullptr ? *types : own_reader, arguments);
  --nesting;
  return fmt::format("{}<{}>", name, fmt::join(arguments, ", "));
}

std::string qualified(Dwarf_Die die, EnclosingScopes &scopes, TypeReader *types, int depth) {
  const Dwarf_Die declared = declared_at(die);
  std::string prefix;
  for (Dwarf_Die &scope : scopes.around(declared)) {
    const int tag = dwarf_tag(&scope);
    // What is local to a method that is defined outside of its class belongs where that was declared.
    if (tag == DW_TAG_subprogram && depth < max_scopes && dwarf_hasattr(&scope, DW_AT_specification)) {
      const std::string function = qualified(scope, scopes, types, depth + 1);
      const std::size_t end = function.rfind("::");
      prefix = end == std::string::npos ? "" : function.substr(0, end + 2);
      continue;
    }
    if (const std::string name = scope_name(scope, types); !name.empty())
      prefix += name + "::";
  }
  std::string name;
  each_description(die, [&](Dwarf_Die &one) {
    name = own_name_of(one, types);
    return name.empty();
  });
  return name.empty() ? name : prefix + name;
}

} // namespace

std::string type_name(TypeReader &types, const TypeHandle &handle) {
  return NameWriter(types).name(handle, {}, 0);
}

std::string declaration(TypeReader &types, const TypeHandle &handle, std::string_view name) {
  if (is_rust_language(types.read(handle).language))
    return fmt::format("{}: {}", name, type_name(types, handle));
  return NameWriter(types).name(handle, {std::string(name), false}, 0);
}

std::string qualified_name(Dwarf_Die die) {
  EnclosingScopes scopes;
  return qualified(die, scopes, nullptr, 0);
}

std::string qualified_name(Dwarf_Die die, EnclosingScopes &scopes) {
  return qualified(die, scopes, nullptr, 0);
}

std::string qualified_name(Dwarf_Die die, EnclosingScopes &scopes, TypeReader &types) {
  return qualified(die, scopes, &types, 0);
}

std::string name_with_arguments(Dwarf_Die die, TypeReader &types) {
  return own_name_of(die, &types);
}

} // namespace inspect
