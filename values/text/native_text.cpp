#include "values/text/native_printer.h"

#include "dwarf/types/type_name.h"
#include "values/native/dynamic_type.h"
#include "values/native/native_layout.h"
#include "values/native/native_members.h"
#include "values/native/symbol_text.h"
#include "values/operations/native_operations.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// As deep as gdb goes by default.
constexpr int max_nesting = 20;
/// Longer runs of equal elements are counted.
constexpr std::size_t max_shown_repeats = 10;
constexpr std::size_t max_run_read = 4096; // bytes of a text that are looked at for runs
/// An array's run is not followed further than that behind the elements that are printed.
constexpr std::uint64_t max_run = 1'000'000;
constexpr std::size_t max_compared = 4096;
constexpr std::size_t max_piece_size = 65'536;

bool is_rust_value(const Value &value, const DwarfType &type) {
  return value.language == SourceLanguage::rust || is_rust_language(type.language);
}

/// The same of a value that was put together, of which parts may not be known: so many have the same bytes, or none.
std::uint64_t run_in_image(const Value &array, std::uint64_t first, std::uint64_t count, std::size_t size) {
  std::vector<std::byte> one(size);
  std::vector<std::byte> other(size);
  const bool known = array.source->read(first * size, one);
  if (!known && !array.source->knows_none(first * size, size))
    return 1;
  const auto is_same = [&](std::uint64_t offset) {
    return known ? array.source->read(offset, other) && one == other : array.source->knows_none(offset, size);
  };
  std::uint64_t run = 1;
  while (first + run < count && run < max_run && is_same((first + run) * size))
    ++run;
  return run;
}

/// How many elements from `first` on have the same bytes; read in pieces, since large arrays are not copied at once.
std::uint64_t run_length(const Value &array, std::uint64_t first, std::uint64_t count, std::size_t size) {
  if (size == 0 || size > max_compared)
    return 1;
  if (!array.source->address())
    return run_in_image(array, first, count, size);
  std::uint64_t run = 1;
  std::vector<std::byte> one(size);
  std::vector<std::byte> piece;
  // Most runs have one element: the first piece is small.
  for (std::uint64_t wanted = 8; first + run < count && run < max_run; wanted = max_piece_size / size) {
    const std::uint64_t elements = std::min(std::max<std::uint64_t>(wanted, 1), count - first - run);
    piece.resize(static_cast<std::size_t>(elements * size));
    if ((run == 1 && !array.source->read(first * size, one)) || !array.source->read((first + run) * size, piece))
      return run;
    for (std::uint64_t i = 0; i < elements; ++i, ++run)
      if (!std::equal(one.begin(), one.end(), piece.begin() + static_cast<std::ptrdiff_t>(i * size)))
        return run;
  }
  return run;
}

} // namespace

int max_nesting_of(const PrintOptions &options) {
  return options.limits.recursion == 0 ? 1 : max_nesting;
}

std::string native_value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options) {
  return NativePrinter(environment, options).print(value);
}

std::string NativePrinter::print(const Value &given) {
  const DwarfType &type = environment_.types.underlying(given.type.native);
  if (options_.headed && given.source && !is_rust_value(given, type)) {
    heading(given, type);
    if (is_structure(type) && is_polymorphic(type, environment_)) {
      const auto whole = dynamic_object(given, environment_);
      value(whole ? *whole : given, 0);
      return std::move(out_);
    }
  }
  value(given, 0);
  return std::move(out_);
}

bool NativePrinter::ended() {
  if (ended_)
    return true;
  if (out_.size() < options_.limits.text_bytes && !environment_.out_of_time())
    return false;
  ended_ = true;
  out_ += "…";
  return true;
}

void NativePrinter::missing(const Value &value) {
  out_ += fmt::format("<{}>", value.missing.empty() ? "not known" : value.missing);
}

void NativePrinter::problem(const Value &value) {
  const auto address = value.source ? value.source->address() : std::nullopt;
  if (address)
    out_ += fmt::format("<unreadable at 0x{:x}>", address->value);
  else
    out_ +=
        fmt::format("<{}>", !value.source || value.source->missing().empty() ? "not known" : value.source->missing());
}

void NativePrinter::value(const Value &value, int depth) {
  if (ended())
    return;
  if (value.type.go != nullptr) {
    out_ += go_value_text(value, environment_, options_);
    return;
  }
  if (!value.source) {
    missing(value);
    return;
  }
  const DwarfType &type = environment_.types.underlying(value.type.native);
  // Rust's own ways come first: its views are of its own types.
  if (is_rust_value(value, type)) {
    rust(value, type, depth);
    return;
  }
  const bool may_be_library = is_structure(type) && !value.bits;
  if (const auto view = may_be_library ? view_of(value, {0, options_.limits.elements}, environment_) : std::nullopt) {
    library(*view, depth);
    return;
  }
  by_kind(value, type, depth);
}

void NativePrinter::by_kind(const Value &value, const DwarfType &type, int depth) {
  const ScalarKind kind = scalar_kind(type);
  switch (type.kind) {
  case DwarfTypeKind::structure:
  case DwarfTypeKind::class_type:
  case DwarfTypeKind::union_type:
    return structure(value, type, depth);
  case DwarfTypeKind::array:
    return array(value, type, depth);
  case DwarfTypeKind::pointer:
    return pointer(value, type);
  case DwarfTypeKind::reference:
  case DwarfTypeKind::rvalue_reference:
    return reference(value, type, depth);
  case DwarfTypeKind::member_pointer:
    return member_pointer(value, type);
  case DwarfTypeKind::subroutine: {
    const auto address = value.source->address();
    // Go's functions are values, which dlv prints by their names.
    const auto place = value.language == SourceLanguage::go && address ? symbol_place(*address, environment_)
                                                                       : std::optional<SymbolPlace>();
    if (place && place->offset == 0) {
      out_ += place->name;
      return;
    }
    out_ += fmt::format("{{{}}}", type_name(environment_.types, value.type.native));
    if (address)
      out_ += fmt::format(" 0x{:x}", address->value);
    if (const std::string symbol = address ? symbol_text(*address, environment_) : ""; !symbol.empty())
      out_ += " " + symbol;
    return;
  }
  case DwarfTypeKind::unknown:
    out_ += value.type.native.is_void() ? "void" : "<of an unknown type>";
    return;
  default:
    break;
  }
  if (type.kind == DwarfTypeKind::base && type.encoding == TypeEncoding::complex_float)
    return complex(value, type);
  scalar(value, type, kind);
}

void NativePrinter::structure(const Value &value, const DwarfType &type, int depth) {
  if (type.is_declaration) {
    const Value whole = completed(value, environment_);
    const DwarfType &definition = environment_.types.underlying(whole.type.native);
    if (definition.is_declaration)
      out_ += "<incomplete type>";
    else
      structure(whole, definition, depth);
    return;
  }
  if (depth >= max_nesting_of(options_)) {
    out_ += "{...}";
    return;
  }
  out_ += "{";
  std::size_t printed = 0;
  // In few words they are left out: they are the same in every object.
  auto shared = options_.brief ? type.static_members.end() : type.static_members.begin();
  const auto print_next = [&](const auto &print) {
    const std::size_t before = out_.size();
    if (printed > 0)
      out_ += ", ";
    if (printed >= options_.limits.fields) {
      out_ += "...";
      return false;
    }
    if (print())
      ++printed;
    else
      out_.resize(before);
    return !ended();
  };
  bool goes_on = !ended();
  for (auto own = type.members.begin();
       goes_on && (own != type.members.end() || shared != type.static_members.end());) {
    const bool is_shared =
        shared != type.static_members.end() && (own == type.members.end() || shared->place < own->place);
    goes_on = is_shared ? print_next([&] { return static_member(*shared++, value.language, depth); })
                        : print_next([&] { return member(value, *own++, depth); });
  }
  if (ended_)
    return;
  out_ += printed == 0 && options_.limits.fields > 0 ? "<No data fields>}" : "}";
}

bool NativePrinter::static_member(const DwarfStaticMember &member, SourceLanguage language, int depth) {
  const Value shared = static_member_value(member, language, environment_);
  const auto address = shared.source ? shared.source->address() : std::nullopt;
  out_ += fmt::format("static {} = ", member.name);
  // One that is of the class itself has itself.
  if (address && is_structure(environment_.types.underlying(member.type)) &&
      !printed_statics_.insert(address->value).second)
    out_ += "<same as static member of an already seen type>";
  else if (!shared.source)
    out_ += "<optimized out>";
  else
    value(shared, depth + 1);
  return true;
}

bool NativePrinter::member(const Value &object, const DwarfMember &member, int depth) {
  const auto part = member_value(object, member, environment_);
  if (member.is_base) {
    const std::string name = type_name(environment_.types, member.type);
    if (member.is_virtual && part && part->source && part->source->address() &&
        !printed_bases_.emplace(part->source->address()->value, name).second)
      return false; // it is in the object once, and was printed with another base
    out_ += fmt::format("<{}> = ", name);
  } else if (!member.name.empty()) {
    out_ += member.name + " = ";
  }
  if (!part) {
    out_ += fmt::format("<{}>", part.error().message());
    return true;
  }
  const DwarfType &type = environment_.types.underlying(member.type);
  if (is_reference(type) && part->source && !is_rust_value(object, type)) {
    const auto address = pointer_target(*part, environment_);
    if (address)
      out_ += fmt::format("@0x{:x}", address->value);
    else
      problem(*part);
    return true;
  }
  value(*part, depth + 1);
  return true;
}

void NativePrinter::array(const Value &value, const DwarfType &type, int depth) {
  const std::optional<std::uint64_t> length = array_length(type);
  const bool natural = options_.format == NumberFormat::natural || options_.format == NumberFormat::text ||
                       options_.format == NumberFormat::quoted;
  if (natural && array_as_text(value, type))
    return;
  if (!length) { // a flexible one, whose length the program keeps somewhere
    const auto address = value.source->address();
    out_ += address ? fmt::format("0x{:x}", address->value) : "{...}";
    return;
  }
  if (depth >= max_nesting) {
    out_ += "{...}";
    return;
  }
  TypeHandle element = element_type(type, environment_.types);
  // A SIMD register's bytes are numbers.
  if (const DwarfType &one = environment_.types.underlying(element); type.is_vector && one.byte_size == 1U)
    element = environment_.types.base_type(
        one.name, is_signed(one, environment_) ? TypeEncoding::signed_integer : TypeEncoding::unsigned_integer, 1);
  elements(value, element, *length, depth);
}

bool NativePrinter::array_as_text(const Value &value, const DwarfType &type) {
  const CharacterType characters = character_type(type.target);
  const std::optional<std::uint64_t> length = array_length(type);
  if (characters.size == 0 || type.dimensions.size() != 1 || !length || type.is_vector)
    return false;
  // Shown is all of a run that begins within the limit: a long one is a few words, however long it is.
  const std::uint64_t limit = options_.limits.string_bytes;
  const std::uint64_t ahead = std::min(*length, std::max<std::uint64_t>(limit, max_run_read / characters.size));
  std::vector<std::byte> bytes(static_cast<std::size_t>(ahead * characters.size));
  if (!value.source->read(0, bytes)) {
    bytes.resize(static_cast<std::size_t>(std::min(*length, limit) * characters.size));
    if (!value.source->read(0, bytes)) {
      if (!value.source->address())
        return false; // some of its characters may be known
      problem(value);
      return true;
    }
  }
  const std::uint64_t shown = characters_within(bytes, characters.size, limit);
  bytes.resize(static_cast<std::size_t>(shown * characters.size));
  const bool more = shown < *length;
  // The last character of a text that is whole is the NUL that ends it.
  if (!more && !bytes.empty() &&
      std::all_of(bytes.end() - characters.size, bytes.end(), [](std::byte one) { return one == std::byte{0}; }))
    bytes.resize(bytes.size() - characters.size);
  out_ += options_.format == NumberFormat::text ? plain_text(bytes, characters) : quoted_text(bytes, characters, more);
  return true;
}

void NativePrinter::elements(const Value &value, const TypeHandle &element, std::uint64_t count, int depth) {
  const auto size = environment_.types.size_of(element);
  if (!size) {
    out_ += "<elements of an unknown size>";
    return;
  }
  out_ += "{";
  std::size_t printed = 0;
  std::uint64_t index = 0;
  while (index < count && printed < options_.limits.elements && !ended()) {
    if (printed > 0)
      out_ += ", ";
    const std::uint64_t run = run_length(value, index, count, static_cast<std::size_t>(*size));
    std::uint64_t offset = 0;
    if (__builtin_mul_overflow(index, *size, &offset))
      break;
    NativePrinter::value(part_of(value, offset, element, environment_), depth + 1);
    if (run > max_shown_repeats) {
      out_ += fmt::format(" <repeats {} times>", run);
      index += run;
      printed += max_shown_repeats;
    } else {
      ++index;
      ++printed;
    }
  }
  if (!ended_)
    out_ += index < count ? "...}" : "}";
}

void NativePrinter::library(const LibraryView &view, int depth) {
  if (depth >= max_nesting) {
    out_ += "{...}";
    return;
  }
  if (!view.problem.empty()) {
    out_ += fmt::format("{}<{}>", view.label.empty() ? "" : view.label + " ", view.problem);
    return;
  }
  const bool has_children = !view.children.empty();
  switch (view.shape) {
  case LibraryView::Shape::text:
    if (!view.label.empty())
      out_ += view.label + " ";
    library_text(view, false);
    return;
  case LibraryView::Shape::plain:
    out_ += view.label;
    return;
  case LibraryView::Shape::single:
    if (view.label.empty() && has_children && view.children.front().name.empty())
      return NativePrinter::value(view.children.front().value, depth + 1);
    break;
  default:
    break;
  }
  const bool is_bare = view.label.empty();
  out_ += view.label;
  if (has_children || is_bare) {
    out_ += is_bare ? "{" : " = {";
    library_children(view, depth);
  } else if (view.length.value_or(0) > 0 && options_.limits.elements == 0) {
    out_ += " = {...}";
  }
}

void NativePrinter::library_children(const LibraryView &view, int depth) {
  std::size_t printed = 0;
  for (const LibraryChild &child : view.children) {
    if (ended())
      return;
    if (printed >= options_.limits.elements)
      break;
    if (printed++ > 0)
      out_ += ", ";
    if (child.key) {
      out_ += "[";
      value(*child.key, depth + 1);
      out_ += "] = ";
    } else if (!child.name.empty()) {
      out_ += child.name + " = ";
    }
    value(child.value, depth + 1);
  }
  const bool counted = view.shape == LibraryView::Shape::sequence || view.shape == LibraryView::Shape::map;
  if (!ended_)
    out_ += counted && !view.sparse && view.length && printed < *view.length ? "...}" : "}";
}

void NativePrinter::library_text(const LibraryView &view, bool is_rust) {
  const unsigned size = std::max(view.character_size, 1U);
  const std::uint64_t length = view.length.value_or(0);
  const std::uint64_t shown = std::min<std::uint64_t>(length, options_.limits.string_bytes);
  std::vector<std::byte> bytes(static_cast<std::size_t>(shown * size));
  if (!bytes.empty() && (!view.characters || !view.characters->read(0, bytes))) {
    const auto address = view.characters ? view.characters->address() : std::nullopt;
    out_ += address ? fmt::format("<unreadable at 0x{:x}>", address->value) : "<not known>";
    return;
  }
  CharacterType type{size, size == 2 ? "u" : size == 4 ? "U" : ""};
  if (view.child_type)
    if (const CharacterType known = character_type(view.child_type->native); known.size == size)
      type = known;
  const bool more = shown < length;
  switch (options_.format) {
  case NumberFormat::hexadecimal:
  case NumberFormat::padded_hexadecimal:
    for (const std::byte byte : bytes)
      out_ += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    out_ += more ? "..." : "";
    return;
  case NumberFormat::text:
    out_ += plain_text(bytes, type) + (more ? "..." : "");
    return;
  default:
    break;
  }
  if (is_rust && size == 1)
    out_ += rust_quoted_text({reinterpret_cast<const char *>(bytes.data()), bytes.size()}) + (more ? "..." : "");
  else
    out_ += quoted_text(bytes, type, more);
}

} // namespace inspect
