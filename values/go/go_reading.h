// How Go's values lie in memory: the words of strings, slices, maps and channels, read and checked before anything
// believes them. Operations and printing share it.
//
// Source: runtime/string.go, slice.go, chan.go (hchan), Go 1.16 to 1.26.
#pragma once

#include "golang/arguments/map_entries.h"
#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inspect {

/// No slice, string or array is longer than the address space.
inline constexpr std::uint64_t max_go_list_length = 1ULL << 47;

/// The type with what it consists of, which types made of DWARF lack beyond a few steps.
const GoType &whole(const GoType &type, const ValueEnvironment &environment);
ValueContext go_value_context(const ValueEnvironment &environment);
GoVersion go_version_of(const ValueEnvironment &environment);

/// A value that is nowhere: `bytes` are all of it.
Value go_value_of_bytes(const GoType &type, std::span<const std::byte> bytes);
Value go_value_of_words(const GoType &type, std::initializer_list<std::uint64_t> words);

/// The value's bytes; not_found with what is missing.
Result<ValueSource> source_of(const Value &value);
/// Little endian at `offset`; unreadable.
Result<std::uint64_t> read_number(const ValueSource &source, std::uint64_t offset, std::size_t size);
Error unreadable_at(RunAddress address);

/// Of a string or a slice. corrupt: a length that cannot be.
struct GoList {
  std::optional<RunAddress> address; ///< none: a literal
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
  std::optional<ValueSource> literal; ///< the bytes where there is no address

  /// The element of `size` bytes at `index`, which is below the length.
  ValueSource element(std::uint64_t index, std::uint64_t size, const MemoryView &memory) const;
};
Result<GoList> read_go_string(const ValueSource &source);
Result<GoList> read_go_slice(const ValueSource &source);
/// At most `limit` bytes of it.
Result<std::string> read_go_text(const GoList &list, std::size_t limit, const MemoryView &memory);

struct GoChannel {
  std::uint64_t count = 0;
  std::uint64_t capacity = 0;
  bool closed = false;
  RunAddress buffer;
  std::uint64_t first = 0; ///< index of the element that is received next
};
/// Nothing of a nil channel.
Result<std::optional<GoChannel>> read_go_channel(const ValueSource &source, const ValueEnvironment &environment);

} // namespace inspect
