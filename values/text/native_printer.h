// Writes one value of C, C++ or Rust as text. What native_value_text is made of; one object prints one value.
//
// Depth, length and time are bounded at every step: text that has grown too long or taken too long ends in "…".
#pragma once

#include "values/native/native_numbers.h"
#include "values/printers/library_view.h"
#include "values/text/character_text.h"
#include "values/value_text.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace inspect {

class NativePrinter {
public:
  NativePrinter(ValueEnvironment &environment, const PrintOptions &options)
      : environment_(environment), options_(options) {}

  std::string print(const Value &value);

private:
  void value(const Value &value, int depth);
  void by_kind(const Value &value, const DwarfType &type, int depth);
  /// Whether the text must end here; then says so, once.
  bool ended();
  void problem(const Value &value);
  void missing(const Value &value);

  // native_text.cpp: what is put together
  void structure(const Value &value, const DwarfType &type, int depth);
  bool member(const Value &object, const DwarfMember &member, int depth);
  bool static_member(const DwarfStaticMember &member, SourceLanguage language, int depth);
  void array(const Value &value, const DwarfType &type, int depth);
  bool array_as_text(const Value &value, const DwarfType &type);
  void elements(const Value &value, const TypeHandle &element, std::uint64_t count, int depth);
  void library(const LibraryView &view, int depth);
  void library_children(const LibraryView &view, int depth);
  void library_text(const LibraryView &view, bool is_rust);

  // native_scalar_text.cpp: what is one
  void heading(const Value &value, const DwarfType &type);
  void scalar(const Value &value, const DwarfType &type, ScalarKind kind);
  void floating(const Value &value, const DwarfType &type);
  void complex(const Value &value, const DwarfType &type);
  void enumeration(const Value &value, const DwarfType &type, const RawBits &raw);
  void pointer(const Value &value, const DwarfType &type);
  void reference(const Value &value, const DwarfType &type, int depth);
  void text_behind(RunAddress address, const CharacterType &characters);
  void member_pointer(const Value &value, const DwarfType &type);
  void method_pointer(const Value &value, const DwarfType &type);
  CharacterType character_type(const TypeHandle &handle);

  // rust_text.cpp
  void rust(const Value &value, const DwarfType &type, int depth);
  bool rust_range(const Value &value, const DwarfType &type, int depth);
  void rust_scalar(const Value &value, const DwarfType &type, ScalarKind kind);
  void rust_pointer(const Value &value, const DwarfType &type, int depth);
  void rust_structure(const Value &value, const DwarfType &type, const std::string &name, int depth);
  void rust_variants(const Value &value, const DwarfType &type, int depth);
  void rust_array(const Value &value, const DwarfType &type, int depth);
  void rust_library(const LibraryView &view, int depth);

  ValueEnvironment &environment_;
  const PrintOptions &options_;
  std::string out_;
  bool ended_ = false;
  std::optional<RunAddress> whole_object_;  ///< what a pointer to a base is headed as, until it is printed
  std::set<std::uint64_t> printed_statics_; ///< structures, by address: each once
  std::set<std::pair<std::uint64_t, std::string>> printed_bases_;     ///< virtual ones: each once, by address and name
  std::vector<std::pair<std::uint64_t, const DwarfType *>> followed_; ///< Rust's pointers on the way here
};

/// Where a depth is limited by options.recursion: structures in structures.
int max_nesting_of(const PrintOptions &options);

} // namespace inspect
