#include "values/text/native_printer.h"

#include "dwarf/types/type_name.h"
#include "values/native/dynamic_type.h"
#include "values/native/exact_float.h"
#include "values/native/native_layout.h"
#include "values/native/native_members.h"
#include "values/native/symbol_text.h"
#include "values/text/scalar_format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

__extension__ using UnsignedWide = unsigned __int128;
constexpr int max_aliases = 32;

bool is_textual(NumberFormat format) {
  return format == NumberFormat::natural || format == NumberFormat::text || format == NumberFormat::quoted;
}

/// Enumerators that may be or-ed: each has bits side by side. Several names of one number are no obstacle.
bool is_flags(const DwarfType &type) {
  for (const DwarfEnumerator &one : type.enumerators) {
    const auto bits = static_cast<std::uint64_t>(one.value);
    if (one.value < 0)
      return false;
    if (std::popcount(bits) > 1) {
      const std::uint64_t low = bits >> std::countr_zero(bits);
      if ((low & (low + 1)) != 0)
        return false;
    }
  }
  return true;
}

/// What stands in front of the enumerators' names: the enumeration's own name where it is scoped, else what is around.
std::string enumerator_prefix(const std::string &qualified, const DwarfType &type) {
  if (type.is_scoped)
    return qualified + "::";
  const std::size_t end = qualified.size() - std::min(type.name.size(), qualified.size());
  return qualified.substr(0, end);
}

std::string signature(const std::string &scope, const DwarfMethod &method, ValueEnvironment &environment) {
  const DwarfType &function = environment.types.read(method.type);
  std::string arguments;
  for (std::size_t i = 1; i < function.parameters.size() && i < 32; ++i)
    arguments += (i > 1 ? ", " : "") + type_name(environment.types, function.parameters[i]);
  std::string text = scope + "::" + method.name + "(" + arguments + ")";
  const TypeHandle self = function.parameters.empty() ? TypeHandle{} : function.parameters.front();
  const DwarfType &object = environment.types.read(environment.types.underlying(self).target);
  return object.kind == DwarfTypeKind::qualified && object.name == "const" ? text + " const" : text;
}

/// The class or the nearest base that has a function at this place of its virtual table.
std::string virtual_method_name(const TypeHandle &container, std::uint64_t slot, ValueEnvironment &environment,
                                int depth) {
  const std::string scope = type_name(environment.types, container);
  const DwarfType &type = environment.types.underlying(container);
  for (const DwarfMethod &method : type.methods)
    if (method.is_virtual && method.virtual_slot == slot)
      return signature(scope, method, environment);
  for (const DwarfMember &member : type.members)
    if (member.is_base && !member.is_virtual && member.offset == 0 && depth < max_aliases)
      return virtual_method_name(member.type, slot, environment, depth + 1);
  return fmt::format("{}::<function {} of its table>", scope, slot);
}

/// A bit-field's number as one of its type, which is what gdb formats.
RawBits widened(const RawBits &raw, bool with_sign, const DwarfType &type) {
  const auto width = static_cast<unsigned>(8 * type.byte_size.value_or(0));
  if (width <= raw.width || width > 128)
    return raw;
  RawBits wide{with_sign ? static_cast<UnsignedWide>(sign_extended(raw)) : raw.bits, width};
  if (width < 128)
    wide.bits &= (UnsignedWide{1} << width) - 1;
  return wide;
}

/// "char" and the names of wider characters: of a pointer to these gdb does not say the type. A typedef of such a
/// pointer has a name that is said.
bool leads_to_text(const Value &value, ValueEnvironment &environment) {
  const auto bare = [&](TypeHandle handle) -> const DwarfType & {
    const DwarfType *type = &environment.types.read(handle);
    for (int steps = 0; steps < max_aliases && type->kind == DwarfTypeKind::qualified; ++steps)
      type = &environment.types.read(type->target);
    return *type;
  };
  const DwarfType &pointer = bare(value.type.native);
  if (!is_pointer(pointer) || !pointer.name.empty())
    return false;
  const std::string &name = bare(pointer.target).name;
  return name == "char" || name == "wchar_t" || name == "char8_t" || name == "char16_t" || name == "char32_t";
}

/// The base of a class that begins at the offset; without one the class.
TypeHandle base_at(const TypeHandle &container, std::uint64_t offset, ValueEnvironment &environment, int depth) {
  if (offset == 0 || depth >= max_aliases)
    return container;
  for (const DwarfMember &member : environment.types.underlying(container).members) {
    const std::uint64_t end = member.offset + environment.types.size_of(member.type).value_or(0);
    if (member.is_base && !member.is_virtual && member.offset <= offset && offset < end)
      return base_at(member.type, offset - member.offset, environment, depth + 1);
  }
  return container;
}

} // namespace

CharacterType NativePrinter::character_type(const TypeHandle &handle) {
  TypeHandle current = handle;
  for (int steps = 0; steps < max_aliases; ++steps) {
    const DwarfType &type = environment_.types.read(current);
    const unsigned size = static_cast<unsigned>(environment_.types.size_of(current).value_or(0));
    // C has them as names of integers.
    if (type.name == "wchar_t" && (size == 2 || size == 4))
      return {size, "L"};
    if (type.name == "char16_t" && size == 2)
      return {size, "u"};
    if (type.name == "char32_t" && size == 4)
      return {size, "U"};
    if (type.name == "char8_t" && size == 1)
      return {size, ""};
    if (type.kind == DwarfTypeKind::base) {
      const bool is_character = scalar_kind(type) == ScalarKind::character;
      return is_character && (size == 1 || size == 2 || size == 4) ? CharacterType{size, size == 1   ? ""
                                                                                         : size == 2 ? "u"
                                                                                                     : "U"}
                                                                   : CharacterType{};
    }
    if (type.kind != DwarfTypeKind::alias && type.kind != DwarfTypeKind::qualified)
      break;
    current = type.target;
  }
  return {};
}

void NativePrinter::heading(const Value &value, const DwarfType &type) {
  if (!is_textual(options_.format))
    return;
  const bool leads = is_pointer(type) || is_reference(type);
  if (is_structure(type)) {
    if (is_polymorphic(type, environment_))
      if (const auto name = dynamic_class(value, environment_))
        out_ += fmt::format("({}) ", *name);
    return;
  }
  const bool is_method = type.kind == DwarfTypeKind::member_pointer &&
                         environment_.types.underlying(type.target).kind == DwarfTypeKind::subroutine &&
                         (value.source->unsigned_at(0, 8).value_or(1) & 1) == 0; // a virtual one says so itself
  if (is_method || (leads && !leads_to_text(value, environment_))) {
    std::string name = type_name(environment_.types, value.type.native);
    const auto address = leads ? pointer_target(value, environment_) : Result<RunAddress>(RunAddress{0});
    const DwarfType &target = environment_.types.underlying(type.target);
    if (leads && address && address->value != 0 && is_polymorphic(target, environment_)) {
      const Value object = value_at(*address, type.target, value.language, environment_);
      if (const auto whole = dynamic_object(object, environment_)) {
        if (is_pointer(type))
          whole_object_ = whole->source->address();
        name = type_name(environment_.types, whole->type.native) + (is_pointer(type) ? " *" : " &");
      }
    }
    out_ += fmt::format("({}) ", name);
  }
}

void NativePrinter::scalar(const Value &value, const DwarfType &type, ScalarKind kind) {
  if (kind == ScalarKind::floating)
    return floating(value, type);
  const auto raw = raw_bits(value, environment_);
  if (!raw) {
    if (raw.error().kind() == ErrorKind::unreadable)
      problem(value);
    else
      out_ += fmt::format("<{}>", raw.error().message());
    return;
  }
  const bool with_sign = is_signed(type, environment_);
  if (!is_textual(options_.format)) {
    out_ += formatted_bits(value.bits ? widened(*raw, with_sign, type) : *raw, with_sign, options_.format);
    if (options_.format == NumberFormat::address)
      if (const std::string symbol = symbol_text(RunAddress{static_cast<std::uint64_t>(raw->bits)}, environment_);
          !symbol.empty())
        out_ += " " + symbol;
    return;
  }
  if (kind == ScalarKind::boolean && raw->bits <= 1) {
    out_ += raw->bits != 0 ? "true" : "false";
  } else if (kind == ScalarKind::enumeration) {
    enumeration(value, type, *raw);
  } else {
    out_ += formatted_bits(*raw, with_sign, NumberFormat::natural);
    if (const CharacterType characters = character_type(value.type.native); characters.size != 0 && !value.bits)
      out_ += " " + quoted_character(static_cast<std::uint32_t>(raw->bits), characters);
  }
}

void NativePrinter::floating(const Value &value, const DwarfType &type) {
  std::byte bytes[16] = {};
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(type.byte_size.value_or(0), sizeof bytes));
  if (!value.source->read(0, std::span(bytes, size)))
    return problem(value);
  if (options_.format == NumberFormat::character || options_.format == NumberFormat::address) {
    // gdb converts to an integer here, where other formats show the bits.
    if (const auto real = float_from_bytes(std::span(bytes, size), type.name); real && std::fabs(*real) < 0x1p63L) {
      const auto whole = static_cast<std::uint64_t>(static_cast<std::int64_t>(*real));
      out_ += formatted_bits({whole, 64}, true, options_.format);
      return;
    }
  }
  if (!is_textual(options_.format) && options_.format != NumberFormat::floating) { // as gdb since version 8: its bits
    RawBits raw{.bits = 0, .width = static_cast<unsigned>(8 * size)};
    std::memcpy(&raw.bits, bytes, size);
    out_ += formatted_bits(raw, true, options_.format);
    return;
  }
  if (type.encoding == TypeEncoding::decimal_float) {
    out_ += decimal_float_text(std::span(bytes, size)).value_or(fmt::format("<{} bytes>", size));
    return;
  }
  out_ += float_value_text(std::span(bytes, size), type.name);
}

void NativePrinter::complex(const Value &value, const DwarfType &type) {
  std::byte bytes[32] = {};
  const std::size_t half = static_cast<std::size_t>(std::min<std::uint64_t>(type.byte_size.value_or(0), 32) / 2);
  if (!value.source->read(0, std::span(bytes, 2 * half)))
    return problem(value);
  out_ += fmt::format("{} + {}i", float_value_text(std::span(bytes, half), type.name),
                      float_value_text(std::span(bytes).subspan(half, half), type.name));
}

void NativePrinter::enumeration(const Value &value, const DwarfType &type, const RawBits &raw) {
  const auto number = static_cast<std::uint64_t>(
      is_signed(type, environment_) ? static_cast<UnsignedWide>(sign_extended(raw)) : raw.bits);
  const TypeHandle enumeration = without_aliases(value.type.native, environment_.types);
  const std::string prefix = enumerator_prefix(environment_.types.qualified_name(enumeration), type);
  for (const DwarfEnumerator &one : type.enumerators)
    if (static_cast<std::uint64_t>(one.value) == number) {
      out_ += prefix + one.name;
      return;
    }
  if (!is_flags(type) || type.enumerators.empty()) {
    out_ += formatted_bits(raw, is_signed(type, environment_), NumberFormat::natural);
    return;
  }
  std::string parts;
  std::uint64_t left = number;
  for (const DwarfEnumerator &one : type.enumerators) {
    const auto bits = static_cast<std::uint64_t>(one.value);
    if (bits == 0 || (left & bits) != bits)
      continue;
    parts += (parts.empty() ? "" : " | ") + prefix + one.name;
    left &= ~bits;
  }
  if (left != 0)
    parts += fmt::format("{}unknown: 0x{:x}", parts.empty() ? "" : " | ", left);
  out_ += parts.empty() ? "0" : fmt::format("({})", parts);
}

void NativePrinter::pointer(const Value &value, const DwarfType &type) {
  const auto address = pointer_target(value, environment_);
  if (!address)
    return problem(value);
  if (!is_textual(options_.format) && options_.format != NumberFormat::address) {
    out_ += formatted_bits({address->value, 64}, false, options_.format);
    return;
  }
  const RunAddress shown = std::exchange(whole_object_, std::nullopt).value_or(*address);
  const CharacterType characters = character_type(type.target);
  const bool bare = options_.format == NumberFormat::text && characters.size != 0 && address->value != 0;
  if (!bare)
    out_ += fmt::format("0x{:x}", shown.value);
  if (const std::string symbol = bare ? "" : symbol_text(shown, environment_); !symbol.empty())
    out_ += " " + symbol;
  if (characters.size == 0 || address->value == 0 || options_.format == NumberFormat::address)
    return;
  if (!bare)
    out_ += " ";
  text_behind(*address, characters);
}

/// Read in pieces, so that a text which ends before unreadable memory is shown.
void NativePrinter::text_behind(RunAddress address, const CharacterType &characters) {
  std::vector<std::byte> bytes;
  std::vector<std::byte> unit(characters.size);
  bool ends = false;
  bool cut = false;
  while (!ends && !cut) {
    if (bytes.size() / characters.size >= options_.limits.string_bytes) {
      cut = true;
      break;
    }
    const RunAddress next = address + bytes.size();
    if (!environment_.memory.read(next, unit)) {
      if (!bytes.empty())
        out_ += quoted_text(bytes, characters, false);
      out_ += fmt::format("{}<unreadable at 0x{:x}>", bytes.empty() ? "" : ", ", next.value);
      return;
    }
    ends = std::ranges::all_of(unit, [](std::byte one) { return one == std::byte{0}; });
    if (!ends)
      bytes.insert(bytes.end(), unit.begin(), unit.end());
  }
  // A text that is exactly as long as the limit is whole.
  if (cut && environment_.memory.read(address + bytes.size(), unit))
    cut = !std::ranges::all_of(unit, [](std::byte one) { return one == std::byte{0}; });
  if (options_.format == NumberFormat::text)
    out_ += plain_text(bytes, characters) + (cut ? "..." : "");
  else
    out_ += quoted_text(bytes, characters, cut);
}

void NativePrinter::reference(const Value &value, const DwarfType &type, int depth) {
  const auto address = pointer_target(value, environment_);
  if (!address)
    return problem(value);
  if (is_textual(options_.format))
    out_ += fmt::format("@0x{:x}: ", address->value);
  Value target = value_at(*address, type.target, value.language, environment_);
  if (depth == 0 && is_polymorphic(environment_.types.underlying(type.target), environment_))
    if (auto whole = dynamic_object(target, environment_))
      target = std::move(*whole);
  NativePrinter::value(target, depth + 1);
}

void NativePrinter::member_pointer(const Value &value, const DwarfType &type) {
  if (environment_.types.underlying(type.target).kind == DwarfTypeKind::subroutine)
    return method_pointer(value, type);
  const auto offset = value.source->unsigned_at(0, 8);
  if (!offset)
    return problem(value);
  if (*offset == UINT64_MAX) {
    out_ += "NULL";
    return;
  }
  if (const auto place = member_at_offset(type.container, *offset, environment_)) {
    out_ += fmt::format("&{}::{}", type_name(environment_.types, place->owner), place->member.name);
    return;
  }
  out_ += fmt::format("{}", static_cast<std::int64_t>(*offset));
}

/// Itanium C++ ABI, 2.3: a function's address, or 1 plus the place in the virtual table; then what is added to `this`.
void NativePrinter::method_pointer(const Value &value, const DwarfType &type) {
  const auto word = value.source->unsigned_at(0, 8);
  const auto adjustment = value.source->unsigned_at(8, 8);
  if (!word || !adjustment)
    return problem(value);
  if (*word == 0) {
    out_ += "NULL";
    return;
  }
  if ((*word & 1) == 0) {
    const std::string symbol = symbol_text(RunAddress{*word}, environment_);
    out_ += fmt::format("0x{:x}{}{}", *word, symbol.empty() ? "" : " ", symbol);
  } else {
    // The table is that of the part which `this` then is.
    const TypeHandle part = base_at(type.container, *adjustment, environment_, 0);
    out_ += "&virtual " + virtual_method_name(part, (*word - 1) / 8, environment_, 0);
    return;
  }
  if (*adjustment != 0)
    out_ += fmt::format(", this adjustment {}", static_cast<std::int64_t>(*adjustment));
}

} // namespace inspect
