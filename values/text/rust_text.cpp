// How NativePrinter writes Rust's values: as {:?} does, as far as that is unambiguous. What a program may print
// otherwise by its own Debug is not asked.
//
// Source: the Rust reference, "Type layout"; library/core/src/fmt/builders.rs for the form.
#include "values/text/native_printer.h"

#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/native_members.h"
#include "values/native/symbol_text.h"
#include "values/operations/native_operations.h"
#include "values/printers/rust/rust_types.h"
#include "values/text/scalar_format.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

namespace inspect {
namespace {

constexpr int max_rust_nesting = 20;

bool is_natural(NumberFormat format) {
  return format == NumberFormat::natural || format == NumberFormat::text || format == NumberFormat::quoted;
}

std::string without_arguments(const std::string &name) {
  return name.starts_with('(') ? std::string() : name.substr(0, name.find('<'));
}

/// "__0", "__1": the fields of tuples and of structures without names.
bool is_numbered(const std::string &name) {
  return name.starts_with("__") && name.size() > 2 &&
         std::all_of(name.begin() + 2, name.end(), [](char one) { return one >= '0' && one <= '9'; });
}

/// Enumerations whose own Debug shows what the variant holds and not its name.
bool shows_content_only(std::string_view qualified_name) {
  constexpr auto all = std::to_array<std::string_view>(
      {"alloc::borrow::Cow", "core::net::ip_addr::IpAddr", "core::net::socket_addr::SocketAddr", "std::net::ip::IpAddr",
       "std::net::addr::SocketAddr", "std::net::ip_addr::IpAddr", "std::net::socket_addr::SocketAddr"});
  return std::ranges::find(all, qualified_name.substr(0, qualified_name.find('<'))) != all.end();
}

/// "PhantomData<&str>", as type_name has it: without the arguments that are there by default.
std::string phantom_text(std::string name) {
  for (const std::string_view usual :
       {", alloc::alloc::Global", ", std::hash::random::RandomState", ", std::collections::hash::map::RandomState"})
    for (std::size_t at = name.find(usual); at != std::string::npos; at = name.find(usual, at))
      name.erase(at, usual.size());
  return name;
}

/// Those that Rust follows by itself; raw pointers and functions are shown as addresses.
bool is_followed(const std::string &name) {
  return name.starts_with('&') || name.starts_with("alloc::boxed::Box<") || name.starts_with("Box<");
}

} // namespace

void NativePrinter::rust(const Value &value, const DwarfType &type, int depth) {
  if (depth >= max_rust_nesting) {
    out_ += "..";
    return;
  }
  if (is_pointer(type))
    return rust_pointer(value, type, depth);
  if (is_structure(type) && type.variants)
    return rust_variants(value, type, depth);
  if (is_structure(type)) {
    if (type.name.starts_with("Range") && rust_range(value, type, depth))
      return;
    if (const auto view = view_of(value, {0, options_.limits.elements}, environment_))
      return rust_library(*view, depth);
    return rust_structure(value, type, without_arguments(type.name), depth);
  }
  if (type.kind == DwarfTypeKind::array) {
    if (const auto text = view_of(value, {0, options_.limits.elements}, environment_))
      return rust_library(*text, depth);
    return rust_array(value, type, depth);
  }
  const ScalarKind kind = scalar_kind(type);
  if (type.name == "()" || (type.kind == DwarfTypeKind::base && type.byte_size == 0U)) {
    out_ += type.name == "()" ? "()" : "!";
    return;
  }
  if (kind == ScalarKind::none)
    return by_kind(value, type, depth);
  rust_scalar(value, type, kind);
}

/// 1..5, ..=3 and the others, whatever their ends are. False: it is none of the library's.
bool NativePrinter::rust_range(const Value &value, const DwarfType &type, int depth) {
  const std::string qualified = environment_.types.qualified_name(value.type.native);
  if (!qualified.starts_with("core::ops::range::Range") && !qualified.starts_with("core::range::Range"))
    return false;
  const auto part = [&](std::string_view name) -> std::optional<Value> {
    const auto member = std::ranges::find(type.members, name, &DwarfMember::name);
    if (member == type.members.end())
      return std::nullopt;
    return part_of(value, member->offset, member->type, environment_);
  };
  if (const auto start = part("start"))
    NativePrinter::value(*start, depth + 1);
  out_ += without_arguments(type.name).ends_with("Inclusive") ? "..=" : "..";
  if (const auto end = part("end") ? part("end") : part("last"))
    NativePrinter::value(*end, depth + 1);
  if (const auto exhausted = part("exhausted"); exhausted && exhausted->source && !ended())
    out_ += exhausted->source->unsigned_at(0, 1).value_or(0) != 0 ? " (exhausted)" : "";
  return true;
}

void NativePrinter::rust_scalar(const Value &value, const DwarfType &type, ScalarKind kind) {
  const bool natural = is_natural(options_.format);
  if (kind == ScalarKind::floating && natural) {
    std::byte bytes[16] = {};
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(type.byte_size.value_or(0), sizeof bytes));
    if (!value.source->read(0, std::span(bytes, size)))
      return problem(value);
    out_ += rust_float_text(std::span(bytes, size));
    return;
  }
  const auto raw = natural ? raw_bits(value, environment_) : Result<RawBits>(RawBits{});
  if (!raw && raw.error().kind() == ErrorKind::unreadable)
    return problem(value);
  if (natural && raw && kind == ScalarKind::character) {
    const auto code = static_cast<std::uint32_t>(raw->bits);
    const bool is_character = code <= 0x10ffff && (code < 0xd800 || code >= 0xe000);
    out_ += is_character ? rust_quoted_character(code) : fmt::format("<0x{:x} is not a char>", code);
    return;
  }
  if (natural && raw && kind == ScalarKind::enumeration) {
    const unsigned __int128 mask =
        raw->width >= 128 ? ~static_cast<unsigned __int128>(0) : (static_cast<unsigned __int128>(1) << raw->width) - 1;
    for (const DwarfEnumerator &one : type.enumerators)
      if ((static_cast<unsigned __int128>(static_cast<__int128>(one.value)) & mask) == raw->bits) {
        out_ += one.name;
        return;
      }
    out_ += fmt::format("<{} is not of type {}>", decimal_text(raw->bits), type.name);
    return;
  }
  if (natural && raw && kind == ScalarKind::boolean && raw->bits > 1) {
    out_ += fmt::format("<{} is not a bool>", decimal_text(raw->bits));
    return;
  }
  scalar(value, type, kind);
}

void NativePrinter::rust_pointer(const Value &value, const DwarfType &type, int depth) {
  const auto address = pointer_target(value, environment_);
  if (!address)
    return problem(value);
  const bool is_function = environment_.types.underlying(type.target).kind == DwarfTypeKind::subroutine;
  const auto place = std::pair(address->value, &environment_.types.underlying(type.target));
  const bool is_circle = std::ranges::find(followed_, place) != followed_.end();
  const bool is_natural_reference = is_natural(options_.format) && !is_function && is_followed(type.name);
  if (!is_natural_reference || is_circle || depth >= max_nesting_of(options_) || address->value == 0) {
    out_ += fmt::format("0x{:x}", address->value);
    const std::string symbol = is_natural(options_.format) ? symbol_text(*address, environment_) : "";
    if (is_function && !symbol.empty())
      out_ += " " + symbol;
    return;
  }
  followed_.push_back(place);
  NativePrinter::value(value_at(*address, type.target, value.language, environment_), depth + 1);
  followed_.pop_back();
}

void NativePrinter::rust_structure(const Value &value, const DwarfType &type, const std::string &name, int depth) {
  if (type.is_declaration) {
    out_ += fmt::format("{} {{ .. }}", name);
    return;
  }
  const bool tuple = std::ranges::all_of(type.members, [](const DwarfMember &one) { return is_numbered(one.name); });
  out_ += name;
  if (type.members.empty())
    return void(name == "PhantomData" ? out_.replace(out_.size() - name.size(), name.size(), phantom_text(type.name))
                                      : out_ += name.empty() ? "()" : "");
  if (depth >= max_nesting_of(options_)) {
    out_ += tuple ? "(..)" : " { .. }";
    return;
  }
  out_ += tuple ? "(" : " { ";
  std::size_t printed = 0;
  for (const DwarfMember &member : type.members) {
    if (ended())
      return;
    if (printed++ > 0)
      out_ += ", ";
    if (printed > options_.limits.fields) {
      out_ += "..";
      break;
    }
    if (!tuple)
      out_ += member.name + ": ";
    NativePrinter::value(part_of(value, member.offset, member.type, environment_), depth + 1);
  }
  if (!ended_)
    out_ += tuple ? (name.empty() && type.members.size() == 1 ? ",)" : ")") : " }";
}

void NativePrinter::rust_variants(const Value &value, const DwarfType &type, int depth) {
  const auto variant = rust_variant(value, type, environment_);
  if (!variant) {
    out_ += fmt::format("<{}>", variant.error().message());
    return;
  }
  const DwarfType &shape = environment_.types.underlying(variant->value.type.native);
  if (shape.members.size() == 1 && shows_content_only(environment_.types.qualified_name(value.type.native)))
    return NativePrinter::value(part_of(variant->value, shape.members[0].offset, shape.members[0].type, environment_),
                                depth + 1);
  rust_structure(variant->value, shape, variant->name, depth);
}

void NativePrinter::rust_array(const Value &value, const DwarfType &type, int depth) {
  const std::uint64_t length = array_length(type).value_or(0);
  const TypeHandle element = element_type(type, environment_.types);
  const std::uint64_t size = environment_.types.size_of(element).value_or(0);
  out_ += "[";
  std::uint64_t index = 0;
  for (; index < length && index < options_.limits.elements && !ended(); ++index) {
    std::uint64_t offset = 0;
    if (__builtin_mul_overflow(index, size, &offset))
      break;
    out_ += index > 0 ? ", " : "";
    NativePrinter::value(part_of(value, offset, element, environment_), depth + 1);
  }
  if (!ended_)
    out_ += index < length ? "...]" : "]";
}

void NativePrinter::rust_library(const LibraryView &view, int depth) {
  if (!view.problem.empty()) {
    out_ += fmt::format("{}<{}>", view.label.empty() ? "" : view.label + " ", view.problem);
    return;
  }
  const bool is_map = view.shape == LibraryView::Shape::map;
  const bool is_set = view.label == "{}"; // a sequence in the braces of a set
  switch (view.shape) {
  case LibraryView::Shape::text:
    return library_text(view, true);
  case LibraryView::Shape::plain:
    out_ += view.label;
    return;
  case LibraryView::Shape::single: {
    const bool numbered = !view.children.empty() && is_numbered(view.children.front().name);
    const bool named = !numbered && !view.children.empty() && !view.children.front().name.empty();
    out_ += view.label;
    if (view.children.empty())
      return;
    out_ += numbered ? "(" : named ? " { " : view.label.empty() ? "" : " ";
    for (std::size_t i = 0; i < view.children.size() && !ended(); ++i) {
      out_ += i > 0 ? ", " : "";
      out_ += named ? view.children[i].name + ": " : "";
      value(view.children[i].value, depth + 1);
    }
    if (numbered && !ended_)
      out_ += ")";
    if (named && !ended_)
      out_ += view.label.starts_with("Mutex") || view.label.starts_with("RwLock") ? ", .. }" : " }";
    return;
  }
  default:
    break;
  }
  out_ += is_map || is_set ? "{" : "[";
  std::size_t printed = 0;
  for (const LibraryChild &child : view.children) {
    if (ended())
      return;
    out_ += printed++ > 0 ? ", " : "";
    if (child.key) {
      value(*child.key, depth + 1);
      out_ += ": ";
    }
    value(child.value, depth + 1);
  }
  if (view.length && printed < *view.length)
    out_ += "...";
  out_ += is_map || is_set ? "}" : "]";
}

} // namespace inspect
