// Pieces that the screens of memory are made of: tables with columns of numbers, bars, wrapped sentences.
#pragma once

#include "commands/cli/output.h"
#include "inspector/memory/memory_report.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// A bar of at most `width` columns for `part` of `whole`; what is not nothing has a stroke at least.
std::string share_bar(std::uint64_t part, std::uint64_t whole, std::size_t width, bool unicode);

/// "µs" and "×" in letters that every terminal has.
std::string in_ascii(std::string text);

/// Broken at blanks into lines of at most `width` columns; each line after the first begins with `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::string_view indent);

/// Columns for prose: those of the terminal, within reason.
std::size_t prose_width(const Output &output);

/// Rows of cells: the first is the heading, the first column is left-aligned, the others right. Columns without a
/// single entry ("-") below the heading are left out, except the first `kept`. Text must be ASCII; the rows end without
/// a line end, so that a bar can follow.
std::vector<std::string> aligned_table(std::span<const std::vector<std::string>> rows, std::size_t kept);

/// A finding as a paragraph: its sentence, then what to see.
std::string finding_text(const Output &output, const MemoryFinding &finding, bool unicode);

} // namespace inspect
