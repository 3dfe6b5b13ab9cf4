#include "values/printers/libcxx/libcxx_parts.h"

namespace inspect::libcxx {

std::optional<LibraryObject> pair_part(const LibraryObject &object, std::size_t index) {
  if (!object.type().name.starts_with("__compressed_pair"))
    return index == 0 ? std::optional(object) : std::nullopt;
  const auto holder = object.base(index);
  if (!holder)
    return std::nullopt;
  // An empty class is a base of its holder.
  if (auto value = holder->member("__value_"))
    return value;
  return holder->base(0);
}

std::optional<LibraryObject> first_part(const LibraryObject &object, std::string_view pair_name,
                                        std::string_view own_name) {
  if (const auto pair = object.member(pair_name))
    return pair_part(*pair, 0);
  return object.member(own_name);
}

std::optional<TypeHandle> allocated_type(const LibraryObject &object, std::string_view pair_name,
                                         std::string_view own_name) {
  const auto pair = object.member(pair_name);
  const auto allocator = pair ? pair_part(*pair, 1) : object.member(own_name);
  return allocator ? allocator->type_argument(0) : std::nullopt;
}

} // namespace inspect::libcxx
