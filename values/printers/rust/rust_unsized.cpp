#include "values/printers/rust/rust_unsized.h"

#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/symbol_text.h"
#include "values/printers/library_type_name.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace inspect {
namespace {

/// User space ends there: no object is larger.
constexpr std::uint64_t max_size = std::uint64_t{1} << 47;
constexpr int max_depth = 32;
/// A table's words before those of its trait: drop_in_place, size, alignment.
constexpr std::uint64_t first_method = 3;
constexpr std::uint64_t max_methods_tried = 64;

/// "T" of "&mut T", "*const T", "alloc::boxed::Box<T, A>", "NonNull<T>".
std::string pointee_of(const std::string &name) {
  for (const std::string_view sign : {"&mut ", "*const ", "*mut ", "&"})
    if (name.starts_with(sign))
      return name.substr(sign.size());
  const std::size_t bracket = name.find('<');
  const auto arguments =
      bracket == std::string::npos ? std::vector<std::string>() : template_arguments_of(name.substr(bracket));
  return arguments.empty() ? std::string() : arguments.front();
}

/// "ns::Type" of "<ns::Type as ns::Trait>::method" and of "core::ptr::drop_in_place<ns::Type>".
std::optional<std::string> implementing_type(const std::string &function) {
  constexpr std::string_view drop = "core::ptr::drop_in_place<";
  if (function.starts_with(drop) && function.ends_with('>'))
    return function.substr(drop.size(), function.size() - drop.size() - 1);
  if (!function.starts_with('<'))
    return std::nullopt;
  // The type may have such a bracket itself: "<<A as B>::from::Type as ns::Trait>::method".
  int depth = 0;
  for (std::size_t at = 1; at < function.size(); ++at) {
    if (function[at] == '<')
      ++depth;
    else if (function[at] == '>' && function[at - 1] != '-' && --depth < 0)
      break;
    else if (depth == 0 && function.compare(at, 4, " as ") == 0)
      return function.substr(1, at - 1);
  }
  return std::nullopt;
}

/// "Type" of "<A as B>::from::Type", a type within a function: DWARF has it in a namespace of another name. The
/// library's StringError, which texts become as errors, is described nowhere, and is only a String in a structure.
std::string own_name(const std::string &name) {
  if (!name.starts_with('<') || name.ends_with('>'))
    return name;
  const std::string own = name.substr(name.rfind(':') + 1);
  return own == "StringError" && name.starts_with("<alloc::boxed::Box<dyn ") ? "alloc::string::String" : own;
}

bool is_text(std::string_view name) {
  return name == "str" || name == "std::path::Path" || name == "std::ffi::os_str::OsStr";
}

/// Where the type that the tail has is known: as an error the reason why it is not.
struct SizedTail {
  TypeHandle type;
  std::uint64_t size = 0;
  std::uint64_t alignment = 1;
};

class TailSearch {
public:
  TailSearch(const FatPointer &pointer, ValueEnvironment &environment) : pointer_(pointer), environment_(environment) {}

  /// `name` is the type's as it is written around it; empty: not known.
  Result<SizedTail> sized(const TypeHandle &handle, const std::string &name, int depth) {
    TypeReader &types = environment_.types;
    const DwarfType &type = types.underlying(handle);
    if (pointer_.table && (type.name.starts_with("dyn ") || type.name.starts_with("(dyn ")))
      return behind_table();
    if (pointer_.length && name.starts_with('['))
      return elements(handle);
    if (pointer_.length && (is_text(name) || is_text(type.name)))
      return text();
    if (!is_structure(type) || type.kind == DwarfTypeKind::union_type || type.members.empty() || type.variants)
      return pointer_.length ? elements(handle) : std::unexpected(unknown());
    if (depth >= max_depth)
      return std::unexpected(unknown());
    return structure(handle, type, depth);
  }

private:
  static Error unknown() { return {ErrorKind::unsupported, "the size of what it leads to is not known"}; }

  Result<SizedTail> elements(const TypeHandle &element) {
    const auto size = environment_.types.size_of(element);
    std::uint64_t bytes = 0;
    if (!size)
      return std::unexpected(Error(ErrorKind::unsupported, "elements of an unknown size"));
    if (__builtin_mul_overflow(*pointer_.length, *size, &bytes) || bytes > max_size || *pointer_.length > max_size)
      return std::unexpected(
          Error(ErrorKind::corrupt, fmt::format("a length of {}: not initialised?", *pointer_.length)));
    return SizedTail{environment_.types.array_of(element, *pointer_.length), bytes,
                     alignment_of(environment_.types, element)};
  }

  Result<SizedTail> text() {
    auto tail = elements(environment_.types.base_type("u8", TypeEncoding::unsigned_integer, 1));
    if (tail)
      tail->type = environment_.types.array_of(environment_.types.base_type("u8", TypeEncoding::unsigned_integer, 1),
                                               *pointer_.length, rust_text_type);
    return tail;
  }

  Result<SizedTail> behind_table() {
    const auto table = rust_table(RunAddress{*pointer_.table}, pointer_.table_words, environment_);
    if (!table)
      return std::unexpected(
          Error(ErrorKind::not_found, fmt::format("no description of the table at 0x{:x}", *pointer_.table)));
    if (!table->type)
      return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} at 0x{:x}, which the debug information does "
                                                                     "not describe",
                                                                     table->name, pointer_.data.address.value)));
    return SizedTail{*table->type, environment_.types.size_of(*table->type).value_or(0), table->alignment};
  }

  /// The name that the member's type has among the arguments of the structure's: "[u8]" for T of Tail<[u8]>.
  std::string argument_name(const DwarfType &structure, const TypeHandle &member) {
    const std::size_t bracket = structure.name.find('<');
    if (!member.die || bracket == std::string::npos)
      return {};
    const auto names = template_arguments_of(structure.name.substr(bracket));
    for (std::size_t i = 0; i < structure.template_arguments.size() && i < names.size(); ++i) {
      const TypeHandle &argument = structure.template_arguments[i].type;
      if (argument.die && argument.die->addr == member.die->addr)
        return names[i];
    }
    return {};
  }

  /// Whether DWARF's size of a structure leaves a tail out.
  bool lacks_tail(const DwarfType &type, int depth) {
    if (!is_structure(type) || type.members.empty() || depth >= max_depth)
      return type.name.starts_with("dyn ");
    const DwarfMember &last = *std::ranges::max_element(type.members, {}, &DwarfMember::offset);
    const std::uint64_t end = last.offset + environment_.types.size_of(last.type).value_or(0);
    return end > type.byte_size.value_or(UINT64_MAX) || lacks_tail(environment_.types.underlying(last.type), depth + 1);
  }

  Result<SizedTail> structure(const TypeHandle &handle, const DwarfType &type, int depth) {
    std::size_t index = 0; // of those at the same place the last
    for (std::size_t i = 1; i < type.members.size(); ++i)
      if (type.members[i].offset >= type.members[index].offset)
        index = i;
    const DwarfMember last = type.members[index];
    const DwarfType &inner = environment_.types.underlying(last.type);
    std::string name = argument_name(type, last.type);
    if (name.empty() && type.name.starts_with('(') && type.name.ends_with("])"))
      name = "["; // the tuple's last type is a slice
    if (pointer_.length && name.empty() && is_structure(inner) && !is_text(inner.name) && !lacks_tail(inner, 0)) {
      // A slice of these, or one of these whose padding hides that it has a tail.
      const std::uint64_t end = last.offset + inner.byte_size.value_or(0);
      if (end <= type.byte_size.value_or(0))
        return std::unexpected(unknown());
      name = "[";
    }
    auto tail = sized(last.type, name, depth + 1);
    if (!tail)
      return tail;
    const std::uint64_t offset = round_up(last.offset, pointer_.table ? tail->alignment : 1);
    const std::uint64_t alignment =
        std::max(tail->alignment, std::max<std::uint64_t>(alignment_of(environment_.types, handle), 1));
    const std::uint64_t size = round_up(offset + tail->size, alignment);
    return SizedTail{
        environment_.types.with_member(without_aliases(handle, environment_.types), index, tail->type, offset, size),
        size, alignment};
  }

  const FatPointer &pointer_;
  ValueEnvironment &environment_;
};

} // namespace

std::optional<FatPointer> fat_pointer(const LibraryObject &object) {
  if (object.size() != 16U)
    return std::nullopt;
  if (const auto data = object.pointer("data_ptr"))
    if (const auto length = object.number("length"))
      return FatPointer{*data, pointee_of(object.type().name), length, std::nullopt};
  if (const auto data = object.pointer("pointer"))
    if (const auto table = object.pointer("vtable")) {
      const DwarfType &words = object.environment().types.underlying(table->target);
      const bool says = words.kind == DwarfTypeKind::array && words.dimensions.size() == 1;
      return FatPointer{*data, pointee_of(object.type().name), std::nullopt, table->address.value,
                        says ? words.dimensions.front().value_or(0) : 0};
    }
  return std::nullopt;
}

Value unsized_target(const FatPointer &pointer, const LibraryObject &object) {
  ValueEnvironment &environment = object.environment();
  const auto tail = TailSearch(pointer, environment).sized(pointer.data.target, pointer.pointee, 0);
  if (!tail)
    return missing_value({.native = pointer.data.target}, SourceLanguage::rust, tail.error().message());
  return value_at(pointer.data.address, tail->type, SourceLanguage::rust, environment);
}

std::optional<RustTable> rust_table(RunAddress table, std::uint64_t words, ValueEnvironment &environment) {
  const auto size = read_word(environment.memory, table + 8);
  const auto alignment = read_word(environment.memory, table + 16);
  if (!size || !alignment || *size > max_size || !std::has_single_bit(*alignment) || *alignment > max_size)
    return std::nullopt;
  if (const auto described = environment.find_rust_table ? environment.find_rust_table(table) : std::nullopt;
      described && environment.types.size_of(*described) == *size)
    return RustTable{type_name(environment.types, *described), described, *alignment};
  // Behind its own functions stand those of the next table.
  const std::uint64_t end = std::min(words, first_method + max_methods_tried);
  std::optional<std::string> name;
  for (std::uint64_t slot = 0; slot < std::max<std::uint64_t>(end, 1) && !name;
       slot = slot == 0 ? first_method : slot + 1) {
    const auto function = read_word(environment.memory, table + 8 * slot);
    const auto place = function && *function != 0 ? symbol_place(RunAddress{*function}, environment) : std::nullopt;
    if (place && place->offset == 0)
      name = implementing_type(place->name);
  }
  if (!name)
    return std::nullopt;
  RustTable found{*name, std::nullopt, *alignment};
  const auto type = environment.find_type ? environment.find_type(own_name(*name), SourceLanguage::rust) : std::nullopt;
  // Generic types are named otherwise in symbols; a size that differs says that it is another one.
  if (type && type->go == nullptr && environment.types.size_of(type->native) == *size)
    found.type = type->native;
  return found;
}

} // namespace inspect
