// What the containers of libc++ are put together from: pairs of a value and an allocator (or another class) that takes
// no room where it is empty. Up to version 19 such a pair is a __compressed_pair, a member of its own; since 20 its
// parts are members of the container, under names of their own.
//
// Source: libc++ 14, 15, 16 and 19, include/__memory/compressed_pair.h; 20, the same file: _LIBCPP_COMPRESSED_PAIR.
#pragma once

#include "values/printers/library_object.h"

#include <optional>
#include <string_view>

namespace inspect::libcxx {

/// The part of a __compressed_pair at this place; of index 0 and what is none the object itself.
std::optional<LibraryObject> pair_part(const LibraryObject &object, std::size_t index);
/// The first part of the member of an old name, or the member of a newer one.
std::optional<LibraryObject> first_part(const LibraryObject &object, std::string_view pair_name,
                                        std::string_view own_name);
/// The node type of an allocator: of that in the second part of a pair, or of the member with the allocator.
std::optional<TypeHandle> allocated_type(const LibraryObject &object, std::string_view pair_name,
                                         std::string_view own_name);

} // namespace inspect::libcxx
