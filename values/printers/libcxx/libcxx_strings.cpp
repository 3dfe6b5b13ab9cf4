#include "values/printers/libcxx/libcxx_parts.h"
#include "values/printers/libcxx/libcxx_views.h"
#include "values/printers/library_walks.h"

#include <fmt/format.h>

namespace inspect::libcxx {
namespace {

/// string: __rep {union {__long __l; __short __s; …}}. Since version 15 the flags are bit-fields, which are where the
/// masked bits were before. _LIBCPP_ABI_ALTERNATE_STRING_LAYOUT (Apple's on arm64) has the characters first.
struct StringLayout {
  TypedPointer long_characters;
  LibraryObject short_characters;
  std::uint64_t character_size = 1;
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
  bool is_long = false;
};

constexpr std::uint64_t object_size = 24;

std::optional<StringLayout> layout_of(const LibraryObject &string) {
  const auto storage = first_part(string, "__r_", "__rep_");
  const auto outside = storage ? storage->member("__l") : std::nullopt;
  const auto inside = storage ? storage->member("__s") : std::nullopt;
  const auto pointer = pointer_of(outside, {"__data_"});
  const auto length = number_of(outside, {"__size_"});
  const auto characters = inside ? inside->member("__data_") : std::nullopt;
  if (!pointer || !length || !characters || storage->size() != object_size)
    return std::nullopt;
  const auto size = string.environment().types.size_of(pointer->target);
  if (!size || (*size != 1 && *size != 2 && *size != 4))
    return std::nullopt;
  StringLayout layout{*pointer, *characters, *size};
  const std::uint64_t place = outside->offset_of("__data_").value_or(UINT64_MAX);
  const bool alternate = place == 0;
  const auto flags = storage->source().unsigned_at(alternate ? object_size - 1 : 0, 1);
  const auto capacity = storage->source().unsigned_at(alternate ? object_size - 8 : 0, 8);
  if (!flags || !capacity || (!alternate && place != 16))
    return std::nullopt;
  layout.is_long = (*flags & (alternate ? 0x80 : 1)) != 0;
  if (layout.is_long) {
    layout.length = *length;
    // Allocated is one more, for the NUL.
    const std::uint64_t allocated = *capacity & ~(alternate ? std::uint64_t{1} << 63 : std::uint64_t{1});
    layout.capacity = allocated == 0 ? 0 : allocated - 1;
  } else {
    layout.length = alternate ? *flags & 0x7f : *flags >> 1;
    layout.capacity = (object_size - 1) / *size - 1;
  }
  return layout;
}

} // namespace

View string_view(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto data = object.member_of_names({"__data_", "__data"}); // __data up to version 15
  const auto size = object.member_of_names({"__size_", "__size"});
  const auto characters = pointer_of(data);
  const auto length = number_of(size);
  LibraryView view;
  if (!characters || !length || !add_text(view, characters->address, *length, characters->target, object))
    return std::nullopt;
  return view;
}

View string(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto layout = layout_of(object);
  if (!layout)
    return std::nullopt;
  LibraryView view;
  const RunAddress place = layout->is_long
                               ? layout->long_characters.address
                               : layout->short_characters.address().value_or(layout->long_characters.address);
  const TypeHandle &character = layout->long_characters.target;
  if (layout->is_long && !add_text(view, place, layout->length, character, object))
    return std::nullopt;
  view.shape = LibraryView::Shape::text;
  view.character_size = static_cast<unsigned>(layout->character_size);
  view.child_type = ValueType{.native = character};
  view.length = layout->length;
  view.capacity = layout->capacity;
  if (view.problem.empty() && layout->length > layout->capacity)
    view.problem =
        fmt::format("a length of {}, above its capacity of {}: not initialised?", layout->length, layout->capacity);
  if (!layout->is_long && view.problem.empty())
    view.characters = layout->short_characters.source();
  // It ends with a NUL that is not counted.
  if (view.problem.empty() &&
      view.characters->unsigned_at(layout->length * layout->character_size, layout->character_size) != 0U &&
      LibraryObject(character,
                    ValueSource::in_memory(environment.memory, place + layout->length * layout->character_size,
                                           layout->character_size),
                    value.language, environment)
              .number() != 0U)
    view.problem = fmt::format("a length of {}, and no end there: not initialised?", layout->length);
  return view;
}

View path(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const auto name = LibraryObject(value, environment).member("__pn_");
  auto view = name ? string(name->value(), wanted, environment) : std::nullopt;
  if (view)
    view->label = "filesystem::path";
  return view;
}

} // namespace inspect::libcxx
