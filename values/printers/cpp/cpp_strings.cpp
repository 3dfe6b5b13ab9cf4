// Strings, views of strings, and paths.
//
// Sources: libstdc++-v3 of GCC 12, bits/: basic_string.h, cow_string.h (before GCC 5, and with
// _GLIBCXX_USE_CXX11_ABI=0); libc++ 14 to 20: string.
#include "values/printers/cpp/cpp_parts.h"

#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

struct StringParts {
  TypeHandle character;
  RunAddress characters; ///< where the object has them itself, and is nowhere in memory: 0
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
  std::optional<ValueSource> inside; ///< the characters, where the object has them itself
  std::string problem;
};

/// {_M_dataplus {_M_p}, _M_string_length, union {_M_local_buf, _M_allocated_capacity}}.
std::optional<StringParts> counted_string(const LibraryObject &string, const TypedPointer &characters) {
  constexpr std::uint64_t local_bytes = 15; // _S_local_capacity
  const auto length = string.number("_M_string_length");
  const auto local = string.member("_M_local_buf");
  const auto allocated = string.number("_M_allocated_capacity");
  const std::uint64_t size = bytes_of(characters.target, string.environment());
  if (!length || !local || !allocated || size == 0)
    return std::nullopt;
  StringParts parts{characters.target, characters.address, *length, *allocated, std::nullopt, {}};
  if (local->address() == characters.address) {
    parts.capacity = local_bytes / size;
    parts.inside = local->source();
  }
  return parts;
}

/// _Rep_base {_M_length, _M_capacity, _M_refcount} before the characters.
std::optional<StringParts> shared_string(const LibraryObject &string, const TypedPointer &characters) {
  constexpr std::uint64_t header = 24;
  if (string.size() != 8U)
    return std::nullopt;
  const MemoryView &memory = string.environment().memory;
  const auto length = read_word(memory, characters.address - header);
  const auto capacity = read_word(memory, characters.address - (header - 8));
  StringParts parts{characters.target, characters.address, length.value_or(0), capacity.value_or(0), std::nullopt, {}};
  if (!length || !capacity)
    parts.problem = fmt::format("its text at {:#x} cannot be read: not initialised?", characters.address.value);
  return parts;
}

/// {__rep {union {__long __l; __short __s; …}}}. Since version 15 the flags are bit-fields, which are where the masked
/// bits were before. _LIBCPP_ABI_ALTERNATE_STRING_LAYOUT (Apple's on arm64) has the characters first.
std::optional<StringParts> libcxx_string(const LibraryObject &string) {
  constexpr std::uint64_t object_size = 24;
  const auto storage = string.member({"__r_", "__rep_"});
  const auto outside = storage ? storage->member("__l") : std::nullopt;
  const auto pointer = outside ? outside->pointer("__data_") : std::nullopt;
  const auto length = outside ? outside->number("__size_") : std::nullopt;
  const auto inside = storage ? storage->member("__s.__data_") : std::nullopt;
  if (!pointer || !length || !inside || storage->size() != object_size)
    return std::nullopt;
  const std::uint64_t place = outside->offset_of("__data_").value_or(UINT64_MAX);
  const bool alternate = place == 0;
  const auto flags = storage->source().unsigned_at(alternate ? object_size - 1 : 0, 1);
  const auto capacity = storage->source().unsigned_at(alternate ? object_size - 8 : 0, 8);
  const std::uint64_t size = bytes_of(pointer->target, string.environment());
  if (!flags || !capacity || size == 0 || (!alternate && place != 16))
    return std::nullopt;
  if ((*flags & (alternate ? 0x80 : 1)) != 0) {
    // Allocated is one more, for the NUL.
    const std::uint64_t allocated = *capacity & ~(alternate ? std::uint64_t{1} << 63 : std::uint64_t{1});
    return StringParts{
        pointer->target, pointer->address, *length, allocated == 0 ? 0 : allocated - 1, std::nullopt, {}};
  }
  return StringParts{pointer->target,
                     inside->address().value_or(RunAddress{}),
                     alternate ? *flags & 0x7f : *flags >> 1,
                     (object_size - 1) / size - 1,
                     inside->source(),
                     {}};
}

/// The same as counted_string where the class is only declared: the pointer, the length, then the characters or the
/// capacity.
std::optional<StringParts> declared_string(const LibraryObject &string) {
  TypeReader &types = string.environment().types;
  const auto character = string.type_argument(0);
  const auto address = string.address();
  const std::uint64_t size = bytes_of(character, string.environment());
  const auto holder = string.member("_M_dataplus"); // may be all that is declared
  const bool is_declared =
      declared_string_size(types, string.handle()) != 0 || (holder && holder->type().is_declaration);
  if (!is_declared || !character || !address || size == 0)
    return std::nullopt;
  const MemoryView &memory = string.environment().memory;
  const auto characters = read_word(memory, *address);
  const auto length = read_word(memory, *address + 8);
  const auto capacity = read_word(memory, *address + 16);
  if (!characters || !length || !capacity)
    return std::nullopt;
  const bool inside = *characters == address->value + 16;
  return StringParts{*character, RunAddress{*characters}, *length, inside ? 15 / size : *capacity, std::nullopt, {}};
}

std::optional<StringParts> string_parts(const LibraryObject &string) {
  const auto characters = string.pointer("_M_dataplus._M_p");
  if (!characters)
    if (auto declared = declared_string(string))
      return declared;
  if (!characters)
    return libcxx_string(string);
  return string.has("_M_string_length") ? counted_string(string, *characters) : shared_string(string, *characters);
}

/// A string ends with a NUL that its length does not count.
bool has_end(const StringParts &parts, std::uint64_t size, const ValueEnvironment &environment) {
  const std::uint64_t length = parts.length * size;
  if (parts.inside && parts.inside->unsigned_at(length, size) == 0U)
    return true;
  return ValueSource::in_memory(environment.memory, parts.characters + length, size).unsigned_at(0, size) == 0U;
}

View string(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto parts = string_parts(object);
  if (!parts)
    return std::nullopt;
  LibraryView view;
  if (!add_text(view, parts->characters, parts->length, parts->character, object))
    return std::nullopt;
  if (!parts->problem.empty()) {
    view.problem = parts->problem;
    view.length.reset();
    return view;
  }
  view.capacity = parts->capacity;
  // It may have been read together with what is around it, and be nowhere else.
  if (parts->inside && parts->characters.value == 0)
    view.problem.clear();
  if (view.problem.empty() && parts->length > parts->capacity)
    view.problem =
        fmt::format("a length of {}, above its capacity of {}: not initialised?", parts->length, parts->capacity);
  if (view.problem.empty() && parts->inside)
    view.characters = parts->inside;
  if (view.problem.empty() && !has_end(*parts, view.character_size, environment))
    view.problem = fmt::format("a length of {}, and no end there: not initialised?", parts->length);
  return view;
}

View string_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto characters = object.pointer({"_M_str", "__data_", "__data"}); // __data up to version 15
  const auto length = object.number({"_M_len", "__size_", "__size"});
  LibraryView view;
  if (!characters || !length || !add_text(view, characters->address, *length, characters->target, object))
    return std::nullopt;
  return view;
}

View path(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const auto name = LibraryObject(value, environment).member({"_M_pathname", "__pn_"});
  auto view = name ? string(name->value(), wanted, environment) : std::nullopt;
  if (view)
    view->label = "filesystem::path";
  return view;
}

} // namespace

std::span<const LibraryType> cpp_string_types() {
  static constexpr LibraryType types[] = {
      {"std::basic_string", string},
      {"std::basic_string_view", string_view},
      {"std::experimental::basic_string_view", string_view},
      {"std::filesystem::path", path},
      {"std::__fs::filesystem::path", path}, // of libc++
  };
  return types;
}

} // namespace inspect
