// Types of Rust made up from a seed, values of them, and the ways from a value to its parts: as a question to inspect
// writes each way, and as the program itself does.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

struct RustType;
using RustTypeRef = std::shared_ptr<const RustType>;

struct RustField {
  std::string name; ///< "0", "1" of a tuple's
  RustTypeRef type;
};

/// A structure's fields, or those of a variant of an enumeration.
struct RustShape {
  std::string name; ///< "Shape", "Shape::Circle"
  bool has_names = true;
  std::vector<RustField> fields = {};
};

struct RustType {
  enum class Kind : std::uint8_t {
    integer,
    floating,
    boolean,
    character,
    text,        ///< String and what derefs to str
    structure,   ///< tuples too
    enumeration, ///< with shapes
    wrapper,     ///< of one value: Box, RefCell, Option
    sequence,
    set,
    map,
    other,
  };
  Kind kind = Kind::other;
  std::string name = {}; ///< as Rust writes it
  std::vector<RustTypeRef> parts = {};
  std::vector<RustShape> shapes = {};
  std::string made = {};         ///< how a value is made of its parts' text, which stands for {}
  std::string_view ours = {};    ///< the way to a wrapper's content, {} being the wrapper: "(*{})"
  std::string_view program = {}; ///< the same as the program writes it
  bool is_copy = false;
  bool is_key = false;    ///< has an order and a hash
  bool has_index = false; ///< sequences
  std::size_t length = 0; ///< arrays
};

/// A part of a value, or the value itself.
struct RustPlace {
  std::string ours;    ///< "(*shape).width"
  std::string program; ///< a place of Rust's: "(*match &*shape { Shape::Rect { width, .. } => width, _ => panic!() })"
  RustTypeRef type;
};

struct RustValue {
  RustTypeRef type;
  std::string text;         ///< an expression of Rust's
  std::string literal = {}; ///< of texts, the literal in it
  /// Places of parts, with {} for the value's own place.
  struct Part {
    std::string ours;
    std::string program;
    std::shared_ptr<const RustValue> value;
  };
  std::vector<Part> parts = {};
  std::size_t length = 0; ///< of sequences, sets, maps and texts
};

/// The text with `inner` for each {}.
std::string filled_in(std::string_view pattern, std::string_view inner);

class RustMaker {
public:
  explicit RustMaker(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }
  bool one_in(std::size_t many) { return below(many) == 0; }
  template <typename List> const auto &any_of(const List &list) { return list[below(std::size(list))]; }

  /// Makes a definition; its text is added to definitions().
  void define(std::size_t number);
  const std::string &definitions() const { return definitions_; }

  RustTypeRef scalar();
  RustTypeRef type(int depth);
  RustValue value(const RustTypeRef &type);
  std::string integer_literal(const std::string &type);
  std::string float_literal(const std::string &type);
  static unsigned width_of(const std::string &integer_type);

private:
  RustTypeRef leaf();
  RustTypeRef key();
  RustTypeRef tuple(int depth);
  RustTypeRef wrapper(int depth);
  RustTypeRef collection(int depth);
  RustTypeRef defined();
  void define_structure(const std::string &name);
  void define_enumeration(const std::string &name);
  void define_plain_enumeration(const std::string &name);
  void define_generic(const std::string &name);
  RustShape shape(const std::string &name, bool has_names);
  std::string character();
  std::string text();
  RustValue shaped_value(const RustTypeRef &type);
  RustValue wrapped_value(const RustTypeRef &type);
  RustValue collected_value(const RustTypeRef &type);
  RustValue leaf_value(const RustTypeRef &type);

  std::mt19937_64 random_;
  std::vector<RustTypeRef> defined_;
  std::string definitions_;
};

} // namespace inspect::test
