// Characters and strings of C and C++ as gdb shows them: what is not a visible character as an octal escape, long runs
// of one character as a count.
//
//     "abc", 'x' <repeats 20 times>, "\n"...
//
// Source: gdb manual, "Print Settings" (repeats, elements), and its behaviour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct CharacterType {
  unsigned size = 0;       ///< bytes of one: 1, 2, 4; 0: no character type
  const char *prefix = ""; ///< "L", "u", "U", "u8"
};

/// 'a', '\n', '\377', L'€': a code unit by itself.
std::string quoted_character(std::uint32_t unit, const CharacterType &type);
/// The units in `bytes`; `more`: there are others behind them, said with "...".
std::string quoted_text(std::span<const std::byte> bytes, const CharacterType &type, bool more);
/// How many units are shown where a limit holds: as gdb does, all of a run that begins within it.
std::size_t characters_within(std::span<const std::byte> bytes, unsigned size, std::size_t limit);
/// Without quotes and without counting runs, but escaped where it is not a visible character.
std::string plain_text(std::span<const std::byte> bytes, const CharacterType &type);

/// Rust's: "a\n", 'a', '\u{200b}'.
std::string rust_quoted_text(std::string_view text);
std::string rust_quoted_character(std::uint32_t code);

} // namespace inspect
