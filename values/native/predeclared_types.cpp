#include "values/native/predeclared_types.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace inspect {
namespace {

using Encoding = TypeEncoding;
constexpr std::uint64_t dwarf_rust = 0x1c; // DW_LANG_Rust

struct Predeclared {
  std::string_view name;
  std::uint64_t encoding;
  std::uint64_t size;
};

constexpr auto c_types = std::to_array<Predeclared>({
    {"char", Encoding::signed_character, 1},
    {"signed char", Encoding::signed_character, 1},
    {"unsigned char", Encoding::unsigned_character, 1},
    {"short", Encoding::signed_integer, 2},
    {"unsigned short", Encoding::unsigned_integer, 2},
    {"int", Encoding::signed_integer, 4},
    {"unsigned int", Encoding::unsigned_integer, 4},
    {"long", Encoding::signed_integer, 8},
    {"unsigned long", Encoding::unsigned_integer, 8},
    {"long long", Encoding::signed_integer, 8},
    {"unsigned long long", Encoding::unsigned_integer, 8},
    {"__int128", Encoding::signed_integer, 16},
    {"unsigned __int128", Encoding::unsigned_integer, 16},
    {"float", Encoding::floating, 4},
    {"double", Encoding::floating, 8},
    {"long double", Encoding::floating, 16},
    {"_Bool", Encoding::boolean, 1},
    {"bool", Encoding::boolean, 1},
    {"wchar_t", Encoding::signed_integer, 4},
    {"char8_t", Encoding::utf, 1},
    {"char16_t", Encoding::utf, 2},
    {"char32_t", Encoding::utf, 4},
});

constexpr auto rust_types = std::to_array<Predeclared>({
    {"i8", Encoding::signed_integer, 1},
    {"u8", Encoding::unsigned_integer, 1},
    {"i16", Encoding::signed_integer, 2},
    {"u16", Encoding::unsigned_integer, 2},
    {"i32", Encoding::signed_integer, 4},
    {"u32", Encoding::unsigned_integer, 4},
    {"i64", Encoding::signed_integer, 8},
    {"u64", Encoding::unsigned_integer, 8},
    {"i128", Encoding::signed_integer, 16},
    {"u128", Encoding::unsigned_integer, 16},
    {"isize", Encoding::signed_integer, 8},
    {"usize", Encoding::unsigned_integer, 8},
    {"f32", Encoding::floating, 4},
    {"f64", Encoding::floating, 8},
    {"bool", Encoding::boolean, 1},
    {"char", Encoding::utf, 4},
});

// Where C and Go have the same word for another size (int), C's own table is asked first.
constexpr auto others = std::to_array<Predeclared>({
    {"int8_t", Encoding::signed_integer, 1},    {"uint8_t", Encoding::unsigned_integer, 1},
    {"int16_t", Encoding::signed_integer, 2},   {"uint16_t", Encoding::unsigned_integer, 2},
    {"int32_t", Encoding::signed_integer, 4},   {"uint32_t", Encoding::unsigned_integer, 4},
    {"int64_t", Encoding::signed_integer, 8},   {"uint64_t", Encoding::unsigned_integer, 8},
    {"size_t", Encoding::unsigned_integer, 8},  {"ssize_t", Encoding::signed_integer, 8},
    {"intptr_t", Encoding::signed_integer, 8},  {"uintptr_t", Encoding::unsigned_integer, 8},
    {"ptrdiff_t", Encoding::signed_integer, 8}, {"int8", Encoding::signed_integer, 1},
    {"uint8", Encoding::unsigned_integer, 1},   {"byte", Encoding::unsigned_integer, 1},
    {"int16", Encoding::signed_integer, 2},     {"uint16", Encoding::unsigned_integer, 2},
    {"int32", Encoding::signed_integer, 4},     {"uint32", Encoding::unsigned_integer, 4},
    {"rune", Encoding::signed_integer, 4},      {"int64", Encoding::signed_integer, 8},
    {"uint64", Encoding::unsigned_integer, 8},  {"uint", Encoding::unsigned_integer, 8},
    {"uintptr", Encoding::unsigned_integer, 8}, {"float32", Encoding::floating, 4},
    {"float64", Encoding::floating, 8},
});

template <std::size_t Count>
std::optional<TypeHandle> find_in(const std::array<Predeclared, Count> &table, std::string_view name, TypeReader &types,
                                  std::uint64_t language = 0) {
  const auto found = std::ranges::find(table, name, &Predeclared::name);
  if (found == table.end())
    return std::nullopt;
  return types.base_type(found->name, found->encoding, found->size, language);
}

/// "long unsigned int" and "unsigned long" are the same words in another order, one of them superfluous. Empty where
/// these are not all words of C's integer types.
std::string canonical(std::string_view name) {
  std::size_t longs = 0;
  bool is_unsigned = false, is_signed = false, has_short = false, has_char = false, has_int = false, has_double = false;
  while (!name.empty()) {
    const std::size_t blank = std::min(name.find(' '), name.size());
    const std::string_view word = name.substr(0, blank);
    name.remove_prefix(std::min(blank + 1, name.size()));
    if (word == "long")
      ++longs;
    else if (word == "unsigned")
      is_unsigned = true;
    else if (word == "signed")
      is_signed = true;
    else if (word == "short")
      has_short = true;
    else if (word == "char")
      has_char = true;
    else if (word == "int")
      has_int = true;
    else if (word == "double")
      has_double = true;
    else if (!word.empty())
      return {};
  }
  const bool contradictory =
      longs > 2 || (is_signed && is_unsigned) || (has_short && longs > 0) ||
      (has_char && (longs > 0 || has_short || has_int)) ||
      (has_double && (longs > 1 || is_signed || is_unsigned || has_short || has_int || has_char));
  if (contradictory)
    return {};
  std::string text = is_unsigned ? "unsigned " : has_char && is_signed ? "signed " : "";
  if (has_double)
    return longs == 1 ? "long double" : "double";
  text += has_char ? "char" : has_short ? "short" : longs == 1 ? "long" : longs == 2 ? "long long" : "int";
  return text;
}

} // namespace

std::optional<TypeHandle> predeclared_type(std::string_view name, SourceLanguage language, TypeReader &types) {
  if (language == SourceLanguage::rust)
    return find_in(rust_types, name, types, dwarf_rust);
  if (name == "void")
    return TypeHandle();
  if (auto exact = find_in(c_types, name, types))
    return exact;
  return find_in(c_types, canonical(name), types);
}

std::optional<TypeHandle> foreign_type(std::string_view name, TypeReader &types) {
  if (auto found = find_in(others, name, types))
    return found;
  if (auto found = find_in(rust_types, name, types))
    return found;
  return predeclared_type(name, SourceLanguage::c, types);
}

} // namespace inspect
