// An expression as people type it after `print` or on either side of `set`'s equals sign, taken apart: one tree for C,
// C++, Rust, Go and what gdb and dlv add to them. The parser knows the syntax, and nothing about the program; what the
// names mean is asked for when it is evaluated.
//
//     const auto expression = parse_expression("((Foo*)ptr)->bar[2:5]", {SourceLanguage::cpp});
//     const auto value = evaluate(*expression, scope);             // values/expression/expression_evaluator.h
//
// Sources: C23 6.5 (expressions), C++23 [expr], the Go specification ("Expressions"), the Rust reference
// ("Expressions"); gdb's {type} address and *array@count; dlv's (*type)(address) and x.(data).
#pragma once

#include "machine/error.h"
#include "values/number.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// A type as it is written: names, and what is made of them.
struct TypeSyntax {
  enum class Shape : std::uint8_t {
    named,   ///< `name`: "unsigned long", "ns::Foo<int>", "pkg.T", "&str", "map[string]int"
    pointer, ///< to parts[0]
    reference,
    array,     ///< of `length` times parts[0]
    slice,     ///< Go's []T, Rust's &[T]: parts[0] is T
    qualified, ///< parts[0] with the qualifier `name`: "const", "volatile"
    function,  ///< what gives parts[0] and takes the others; `is_variadic`
  };
  Shape shape = Shape::named;
  std::string name = {};
  std::uint64_t length = 0;
  bool is_variadic = false;
  std::vector<TypeSyntax> parts = {};
  std::size_t begin = 0; ///< where it stands in the text, in bytes
  std::size_t end = 0;
};

struct ExpressionNode {
  enum class Kind : std::uint8_t {
    number,         ///< `number`; `untyped` where the language lets the other operand decide; `text`: its type's name
    text,           ///< a string literal: `text` has its characters; `is_bytes`: Rust's b"…"
    null_pointer,   ///< nil, NULL, nullptr
    name,           ///< "x", "ns::x", "file.c::x"
    register_name,  ///< $rip
    unary,          ///< `text` is the operator: + - ! ~ * &
    binary,         ///< the operator in Go's or C's spelling, gdb's @ too
    conditional,    ///< a ? b : c
    member,         ///< `text` of operands[0]; of tuples "0"
    element,        ///< operands[0][operands[1]]
    slice,          ///< operands[0][low:high], each present where has_low and has_high say so
    cast,           ///< operands[0] to `type`, in any spelling
    dynamic_cast_,  ///< C++'s dynamic_cast
    type_assertion, ///< x.(T)
    type_data,      ///< dlv's x.(data)
    call,           ///< operands[0](operands[1], …): a conversion or a builtin function, never one of the program's
    composite,      ///< Go's `type`{operands…}; `text`: the fields' names with a blank behind each, or empty
    size_of,        ///< of `type` or of operands[0]; with both, of whatever the name is
  };
  Kind kind = Kind::number;
  std::string text = {};
  Number number = {};
  bool untyped = false;
  bool is_bytes = false;
  bool has_low = false;
  bool has_high = false;
  std::vector<ExpressionNode> operands = {};
  std::optional<TypeSyntax> type = {};
  std::size_t begin = 0; ///< where it stands in the text, in bytes
  std::size_t end = 0;
  std::size_t mark = 0; ///< where errors about it point: of operators and members not their beginning
  unsigned depth = 1;   ///< of the tree from here
};

struct Expression {
  std::string text; ///< all of it, as it was typed
  ExpressionNode root;
};

/// Longer ones are refused.
constexpr std::size_t max_expression_length = 4096;
/// Of brackets and operators inside of each other.
constexpr std::size_t max_expression_nesting = 100;

/// usage: "at column 7: expected ')'". Columns count bytes from 1.
Error expression_error(std::size_t offset, std::string_view message);
/// The same error, with the place it is about in front unless it has one already.
Error at_offset(const Error &error, std::size_t offset);
/// What an error's message names, counting from 1; nothing where it names none.
std::optional<std::size_t> column_of(const Error &error);
/// Two lines: the text, and a caret below that column; control characters are replaced. Of a long text the part
/// around the column.
std::string caret_line(std::string_view text, std::size_t column);

} // namespace inspect
