// Types as they are written in C, C++, Go and Rust, within expressions.
//
// Sources: C23 6.7.8 (type names), C++23 [dcl.name], the Go specification ("Types"), the Rust reference ("Types").
#pragma once

#include "values/expression/expression_cursor.h"
#include "values/value.h"

#include <string>

namespace inspect {

struct ParsedType {
  TypeSyntax type;
  /// It can be nothing else: "unsigned", "Foo *", "Foo<int>"; "Foo" might be a variable.
  bool certain = false;
};

/// The type that begins at the cursor, which moves behind it. On failure the cursor is anywhere: rewind it.
Result<ParsedType> parse_type_at(ExpressionCursor &cursor, SourceLanguage language);

/// "<int, 3>" at the cursor, as DWARF spells it: one blank after commas and between words. Moves behind it; nothing,
/// and the cursor is anywhere, where the brackets do not fit or hold what no template has.
std::optional<std::string> template_arguments(ExpressionCursor &cursor, SourceLanguage language);

} // namespace inspect
