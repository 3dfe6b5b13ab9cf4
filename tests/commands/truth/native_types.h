// Types of generated C and C++ programs, with values for them: what the declarations are written from, and what tells
// which questions can be asked of a variable.
#pragma once

#include "tests/commands/truth/seeded_choice.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace inspect::test {

struct NativeType;
using NativeTypeRef = std::shared_ptr<const NativeType>;

struct NativeField {
  std::string name;
  NativeTypeRef type;
  int bits = 0; ///< of a bit-field; 0: none
};

struct NativeType {
  enum class Kind : std::uint8_t {
    integer, ///< bool and characters, too
    floating,
    enumeration,
    text, ///< const char *
    pointer,
    array,
    structure,
    one_of,  ///< a union
    library, ///< a class of the standard library: only whole values of it are asked for
  };
  Kind kind = Kind::integer;
  std::string name;                     ///< as it is spelled; empty for pointers and arrays
  NativeTypeRef target;                 ///< a pointer's or an array's
  std::size_t count = 0;                ///< an array's
  std::vector<NativeField> fields;      ///< of a structure, those of its bases, too
  std::vector<std::string> enumerators; ///< as they are spelled in an expression
  std::vector<std::string> values;      ///< initialisers to choose from, of integers, floats and library types
};

using NativeKind = NativeType::Kind;

struct NativeVariable {
  std::string name; ///< as it is spelled in an expression
  NativeTypeRef type;
};

/// A pointer to one of these shows what lies behind it as text, which the program has not written.
bool is_wide_character(const NativeTypeRef &type);

/// "int *rows[3]".
std::string declaration(const NativeTypeRef &type, const std::string &name);

/// The types of one program, and the text that defines those that have names.
class NativeTypes {
public:
  NativeTypes(SeededChoice &choice, bool is_cpp);

  /// Defines enumerations, structures, unions; in C++ classes with bases, templates.
  const std::string &definitions() const { return definitions_; }
  /// Any type that a variable can have. A pointer is to the type of one of `objects`, and can therefore be initialised.
  NativeTypeRef any(const std::vector<NativeVariable> &objects);
  /// Text that initialises a variable of the type.
  std::string value(const NativeTypeRef &type, const std::vector<NativeVariable> &objects);
  const std::vector<NativeTypeRef> &structures() const { return structures_; }

private:
  NativeTypeRef scalar();
  NativeTypeRef field_type();
  void define_enumeration();
  void define_structure(bool is_union);
  void define_classes();
  std::string named(std::string_view prefix);

  SeededChoice &choice_;
  bool is_cpp_;
  std::size_t names_ = 0;
  std::string definitions_;
  std::vector<NativeTypeRef> scalars_;
  std::vector<NativeTypeRef> enumerations_;
  std::vector<NativeTypeRef> structures_;
  std::vector<NativeTypeRef> library_;
};

} // namespace inspect::test
