// One type description of the runtime, as it lies in memory: its own words, checked as far as they can be checked by
// themselves, and the addresses of the descriptions it refers to.
//
// Source: internal/abi/type.go and map_*.go; before 1.21 runtime/type.go. The common part has not changed from 1.16 to
// 1.27, nor have the parts read here of the kinds' own words (a map's key and value come first in every map layout).
//
// Types that package reflect makes while the program runs (SliceOf, PointerTo, StructOf, …) have their descriptions on
// the heap, so any heap word may seem to lead to one. They are told from other memory by their hash, which reflect
// computes from the hashes of their parts, and they are named from their parts, because where their names lie only the
// runtime's own tables know (reflect/type.go and reflect/map.go, Go 1.16 to 1.27).
#pragma once

#include "golang/types/go_type.h"
#include "golang/types/type_bytes.h"

#include <optional>
#include <string>
#include <vector>

namespace inspect {

struct TypeDescription {
  struct Field {
    std::string name;
    std::string tag;
    RunAddress type;
    std::uint64_t offset = 0;
    bool embedded = false;
  };
  enum class Direction : std::uint8_t { receive = 1, send = 2, both = 3 };

  RunAddress address;
  const GoImage *image = nullptr; ///< null: made at run time, outside the images
  GoKind kind = GoKind::unknown;
  bool named = false;
  std::uint64_t size = 0;
  std::uint64_t alignment = 1;
  std::uint32_t hash = 0;
  std::string name; ///< empty where it was made at run time
  std::string package_path;

  RunAddress element; ///< of array, channel, map, pointer, slice
  RunAddress key;     ///< of map
  std::uint64_t length = 0;
  Direction direction = Direction::both; ///< of channel
  std::vector<Field> fields;             ///< of structure
  std::vector<RunAddress> parameters;    ///< of function
  std::vector<RunAddress> results;
  bool variadic = false;
  std::uint64_t method_count = 0; ///< of interface
};

/// Nothing where the bytes are not a description.
std::optional<TypeDescription> read_type_description(TypeBytes &bytes, GoVersion version, RunAddress address);

/// How many bytes the description takes with the lists right behind it (internal/abi/type.go, DescriptorSize, Go 1.27):
/// where the linker puts them one behind the other, the next one follows, aligned to 8. Nothing where no description
/// is.
std::optional<std::uint64_t> type_description_bytes(TypeBytes &bytes, GoVersion version, RunAddress address);

/// Only what names the type, for lists of many: its name and package path.
struct TypeTitle {
  std::string name;
  std::string package_path; ///< of a type with a name
  GoKind kind = GoKind::unknown;
  RunAddress element; ///< of a pointer
};
std::optional<TypeTitle> read_type_title(TypeBytes &bytes, RunAddress address);

/// The name of the type at `address`, inside the images or made; nothing where no type is, or its name is longer than
/// any that is worth printing. For a made type this is the check that it is one, its parts included.
std::optional<std::string> verified_type_name(TypeBytes &bytes, GoVersion version, RunAddress address);

} // namespace inspect
