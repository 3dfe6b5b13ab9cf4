// The types that a language has without anybody declaring them: "unsigned long", "u8", "uint32". They are made, so that
// they can be used where the program's DWARF does not have them.
#pragma once

#include "dwarf/types/type_reader.h"
#include "values/value.h"

#include <optional>
#include <string_view>

namespace inspect {

/// What an array of bytes is called that is Rust's text of so many bytes.
inline constexpr std::string_view rust_text_type = "str";

/// Of the language alone; "int" in C, but "u8" in Rust only. Of the words of C's names the order does not matter ("long
/// unsigned int"). Not for Go, whose types are others (GoTypePool::predeclared).
std::optional<TypeHandle> predeclared_type(std::string_view name, SourceLanguage language, TypeReader &types);
/// By the names of all languages, where the one of the frame has none: Go's uint32, <stdint.h>'s uint32_t, Rust's u32.
std::optional<TypeHandle> foreign_type(std::string_view name, TypeReader &types);

} // namespace inspect
