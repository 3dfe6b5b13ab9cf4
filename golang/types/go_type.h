// A Go type as plain data, wherever it was learned: from DWARF, from the runtime's own type data, or from a declaration
// that a person gave. Types live in a GoTypePool and point at each other freely, cycles included.
//
// Sizes and offsets are those of the amd64 compiler: go.dev/ref/spec, "Size and alignment guarantees", and
// cmd/compile's types/size.go.
#pragma once

#include "golang/go_version.h"
#include "machine/address.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace inspect {

/// The numbers are those of reflect.Kind (internal/abi/type.go), which have not changed from Go 1.16 to 1.27.
enum class GoKind : std::uint8_t {
  unknown, ///< only the name is known
  boolean,
  integer,
  integer8,
  integer16,
  integer32,
  integer64,
  unsigned_integer,
  unsigned8,
  unsigned16,
  unsigned32,
  unsigned64,
  uintptr,
  float32,
  float64,
  complex64,
  complex128,
  array,
  channel,
  function,
  interface,
  map,
  pointer,
  slice,
  string,
  structure,
  unsafe_pointer,
};

/// Of a reflect.Kind without its flags; unknown where it is none.
constexpr GoKind go_kind(std::uint64_t number) {
  return number <= static_cast<std::uint64_t>(GoKind::unsafe_pointer) ? static_cast<GoKind>(number) : GoKind::unknown;
}

struct GoType;

struct GoField {
  std::string name; ///< "_" and embedded ones included
  const GoType *type = nullptr;
  std::uint64_t offset = 0; ///< bytes from the structure's start
  bool embedded = false;    ///< its fields are the structure's, too
};

struct GoType {
  GoKind kind = GoKind::unknown;
  std::string name;                ///< as Go prints it: "[]string", "*pkg.T", "map[string]int", "pkg.T"
  std::uint64_t size = 0;          ///< bytes
  std::uint64_t alignment = 1;     ///< bytes
  const GoType *element = nullptr; ///< of array, channel, map (its value), pointer, slice
  const GoType *key = nullptr;     ///< of map
  std::uint64_t length = 0;        ///< of array
  std::vector<GoField> fields;     ///< of structure
  bool has_methods = false;        ///< interface: not the empty one, so that its first word is an itab
  RunAddress runtime_type;         ///< where the runtime's description lies; 0: not known
};

/// Owns types; they do not move. The composing functions name what they make as Go does, and give back the same type
/// for the same parts.
class GoTypePool {
public:
  GoType &add() { return types_.emplace_back(); }
  /// With size and alignment of its kind.
  GoType &add(GoKind kind, std::string name);

  /// "int", "string", "error", "any", …; null for any other name.
  const GoType *predeclared(std::string_view name);
  const GoType *pointer_to(const GoType &element);
  const GoType *slice_of(const GoType &element);
  const GoType *map_of(const GoType &key, const GoType &value);
  /// `prefix`: "chan", "<-chan" or "chan<-".
  const GoType *channel_of(const GoType &element, std::string_view prefix = "chan");
  const GoType *array_of(const GoType &element, std::uint64_t length);
  /// The fields' offsets are computed from their types.
  GoType &structure_of(std::vector<GoField> fields, std::string name);

private:
  GoType &composed(GoKind kind, std::string name, const GoType *element, const GoType *key);

  std::deque<GoType> types_;
  std::map<std::tuple<GoKind, std::string, const GoType *, const GoType *>, GoType *> composed_;
};

/// Bytes and alignment of the kinds that have the same in every type: all but array and structure, which need their
/// elements'.
std::uint64_t size_of_kind(GoKind kind);
std::uint64_t alignment_of_kind(GoKind kind);
/// Sets the offsets of `type`'s fields, its size and its alignment from the fields' types.
void lay_out_structure(GoType &type);

// How Go writes types that have no name of their own (cmd/compile's types/fmt.go, reflect/type.go).

/// "uint8" of "byte", "interface {}" of "any"; any other name as it is.
std::string_view printed_predeclared(std::string_view name);
/// `direction`: "chan", "<-chan" or "chan<-".
std::string channel_text(std::string_view direction, std::string_view element);
/// "(int, ...string) (bool, error)".
std::string signature_text(const std::vector<std::string> &parameters, const std::vector<std::string> &results);
/// `a int "json:\"b\""`; an embedded field has no name. The tag is quoted already; empty: none.
std::string field_text(std::string_view name, std::string_view type, std::string_view tag);
/// As strconv.Quote, for what tags hold.
std::string quoted_tag(std::string_view tag);
/// "struct { a int; b string }", "interface {}".
std::string members_text(std::string_view keyword, const std::vector<std::string> &members);
/// A type's name with the last part of the package's path only, as Go prints it: "fs.PathError" of "io/fs.PathError".
std::string short_go_type_name(std::string_view name);

bool is_signed_integer(GoKind kind);
bool is_unsigned_integer(GoKind kind); ///< uintptr included
/// Whether an interface value holds such a value in its data word itself instead of a pointer to it: those that are one
/// pointer and, before Go 1.26, have no other field, not even one without size.
bool is_pointer_shaped(const GoType &type, GoVersion version);

struct GoParameter {
  std::string name; ///< may be empty or "_"
  const GoType *type = nullptr;
  /// Bytes from the argument area's start, where it is known (Go ≤ 1.16 from DWARF); else they follow each other.
  std::optional<std::uint64_t> offset;
};

/// A function's parameters, the receiver first, and its results.
struct GoSignature {
  std::string function; ///< "main.f", "pkg.(*T).f"; from a declaration without its package: "f", "(*T).f"
  std::vector<GoParameter> parameters;
  std::vector<GoParameter> results;
  bool has_receiver = false;
  /// The compiler left unnamed and blank parameters out of the DWARF (before Go 1.25): there may be more of them,
  /// anywhere.
  bool may_lack_blanks = false;
};

} // namespace inspect
