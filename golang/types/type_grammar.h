// Go types as text: the one grammar that everything reads that has to do with types as people and linkers write them,
// "map[string][]*net/http.Server", "main.Pair[int,string]", "func(a, b int, rest ...string) error".
//
// GoTypeParser makes a GoTypeSyntax of the text, which knows no types yet. A GoTypeResolver makes a GoType of that:
// what a name means is its business, because names come from declarations in the same text, from DWARF, or from the
// runtime's types.
//
//     GoTokens tokens(text);
//     GoTypeParser parser(tokens);
//     const GoTypeSyntax syntax = parser.type();
//     if (parser.failure()) …
//     const Result<const GoType *> type = resolver.resolve(syntax);
//
// Source: go.dev/ref/spec, "Lexical elements" and "Types". Besides what the specification has, names may have their
// package's path as linkers write it ("net/http.Server") or in quotes ("net/http".Server), and type arguments may be
// left out as the runtime does in traces ("List[...]") or be shapes ("Pair[go.shape.int]").
#pragma once

#include "golang/types/go_type.h"
#include "machine/error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// Line ends are kept as a mark on the token after them, because they end a declaration where a semicolon could stand.
struct GoToken {
  enum class Kind : std::uint8_t {
    name,
    number, ///< an integer as it is written: "0x10", "1_000"
    text,   ///< a string or a rune, quotes included
    sign,
    invalid, ///< a string without end, a byte that Go does not have: nothing is read behind it
    end,
  };
  Kind kind = Kind::end;
  std::string_view text;
  std::size_t offset = 0; ///< bytes from the beginning of the whole text
  bool after_line_end = false;

  bool is(std::string_view what) const { return (kind == Kind::sign || kind == Kind::name) && text == what; }
  std::size_t end() const { return offset + text.size(); }
};

/// Reads tokens as they are asked for, so that a type can be read out of a text that goes on as something else.
/// Comments are left out.
class GoTokens {
public:
  /// From byte `begin` of `text` on, which must outlive the object.
  explicit GoTokens(std::string_view text, std::size_t begin = 0) : text_(text), at_(begin) {}

  std::string_view text() const { return text_; }
  /// `ahead`: at most 2. Good until the next take().
  const GoToken &peek(std::size_t ahead = 0);
  GoToken take();
  /// Where the token that was taken last ends.
  std::size_t last_end() const { return last_end_; }
  /// From here on there is only the end.
  void stop();

private:
  GoToken read();
  void skip_blanks();
  void measure(GoToken &token) const;

  std::string_view text_;
  std::size_t at_;
  std::size_t last_end_ = 0;
  bool line_end_ = false;
  std::array<GoToken, 3> next_{};
  std::size_t known_ = 0; ///< of `next_`
};

/// "column 7", or "line 2, column 7" where the text has several lines; both count from 1.
std::string place_in_text(std::string_view text, std::size_t offset);

/// Of types in types; a person writes three.
constexpr int max_go_type_nesting = 100;

struct GoTypePart;

/// A type as it is written.
struct GoTypeSyntax {
  enum class Shape : std::uint8_t {
    named, ///< `name`, type arguments as linkers write them included: "main.Pair[int,string]"
    pointer,
    slice,
    array,    ///< of `length` times parts[0]
    map,      ///< from parts[0] to parts[1]
    channel,  ///< `name` is "chan", "<-chan" or "chan<-"
    function, ///< its parameters, then `result_count` results
    structure,
    interface, ///< its methods and type sets
    type_set,  ///< "~int | string": in interfaces only
  };
  using Part = GoTypePart;

  Shape shape = Shape::named;
  std::string name;
  std::uint64_t length = 0;
  std::size_t result_count = 0;
  std::vector<Part> parts; ///< the types that it is made of, if any, in the order of the text
  std::size_t begin = 0;   ///< where it stands in the text, in bytes
  std::size_t end = 0;
  std::size_t weight = 0; ///< about the bytes that it takes in memory, its parts included
};

/// One of the types that a type is made of.
struct GoTypePart {
  std::string name = {}; ///< of a field, a method or a parameter; may be empty
  GoTypeSyntax type = {};
  std::string tag = {};    ///< of a field, quoted as strconv.Quote does; empty: none
  bool embedded = false;   ///< a field
  bool variadic = false;   ///< a parameter: a slice of `type`
  bool underlying = false; ///< a term of a type set: with a ~
};

/// As Go prints it: "map[string]uint8" of "map [string] byte".
std::string go_type_text(const GoTypeSyntax &type);

/// Reads types, each from the next token to its end; time and memory are linear in the length of the text. The first
/// failure is kept; after it there are no more tokens, and what is returned means nothing.
class GoTypeParser {
public:
  struct Failure {
    std::size_t offset = 0; ///< bytes from the beginning of the text
    std::string what;       ///< "expected a type, but there is ')' here"
  };
  /// What the type stands in. What goes on after a name may belong to the expression around it, so that a path needs
  /// quotes there unless it was clear before that this is a type ("*net/http.Server").
  enum class Around : std::uint8_t { nothing, expression, type_in_expression };

  explicit GoTypeParser(GoTokens &tokens, Around around = Around::nothing)
      : tokens_(tokens), in_expression_(around != Around::nothing), paths_(around != Around::expression),
        repeatable_(64 * 1024 + 16 * tokens.text().size()) {}

  GoTypeSyntax type();
  /// A function's parameters and results: "(a, b int) error".
  GoTypeSyntax signature();
  /// With the brackets.
  std::vector<GoTypeSyntax::Part> parameter_list();

  const std::optional<Failure> &failure() const { return failure_; }

  // For grammars around this one.
  const GoToken &next();
  const GoToken &after_next() { return tokens_.peek(1); }
  GoToken take();
  bool accept(std::string_view what);
  /// `where`: "after the type".
  bool expect(std::string_view what, std::string_view where);
  /// `what`: "a field's name".
  std::string take_name(std::string_view what);
  void fail(std::size_t offset, std::string what);
  void fail_here(std::string_view expected);

private:
  GoTypeSyntax made(GoTypeSyntax::Shape shape, GoTypeSyntax of);
  GoTypeSyntax repeated(const GoTypeSyntax &type);
  GoTypeSyntax any_type();
  GoTypeSyntax bracketed();
  GoTypeSyntax map();
  GoTypeSyntax channel();
  GoTypeSyntax structure();
  std::vector<GoTypeSyntax::Part> fields_of_line();
  GoTypeSyntax interface();
  GoTypeSyntax type_set();
  GoTypeSyntax named();
  std::string type_arguments(std::size_t begin);
  bool takes_path_sign(std::string &name);
  bool takes_lone_name(GoTypeSyntax &into);
  bool ends_member();

  GoTokens &tokens_;
  bool in_expression_;
  bool paths_;
  std::size_t repeatable_; ///< bytes
  int nesting_ = 0;
  std::optional<Failure> failure_;
};

/// Makes types of what was read. Types that have no name of their own are made in the pool.
class GoTypeResolver {
public:
  /// The pool must outlive the object.
  explicit GoTypeResolver(GoTypePool &pool) : pool_(pool) {}
  virtual ~GoTypeResolver() = default;
  GoTypeResolver(const GoTypeResolver &) = delete;
  GoTypeResolver &operator=(const GoTypeResolver &) = delete;

  /// Never a null pointer. usage: no such type can be, an array longer than memory or a type set; other errors are
  /// those of named(). What functions take and interfaces have is not looked up: nothing can be read of it in their
  /// values.
  Result<const GoType *> resolve(const GoTypeSyntax &type);

protected:
  /// `name` as GoTypeSyntax has it; predeclared ones, too.
  virtual Result<const GoType *> named(const std::string &name) = 0;
  virtual Result<const GoType *> array_of(const GoType &element, std::uint64_t length);
  virtual const GoType *structure_of(std::vector<GoField> fields, std::string name);

  GoTypePool &pool_;
};

} // namespace inspect
