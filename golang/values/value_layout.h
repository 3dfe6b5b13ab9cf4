// How Go's values lie in memory: the words of strings, slices, maps, channels and interfaces, read and checked before
// anything believes them; and what is known of a process or a binary besides its values' bytes. Expressions, the text
// of values and argument words share it.
//
// Every byte may be absent (ValueSource), and every word a lie: a variable that is not initialised yet, a stale
// argument word, a structure that another thread is changing.
//
//     const auto list = read_go_slice(source);
//     if (list) … list->element(0, type.element->size, memory) …
//
// Source: runtime/string.go, slice.go, chan.go (hchan), runtime2.go (iface, eface), cmd/compile types.IsDirectIface;
// of maps runtime/map.go, internal/abi/map_noswiss.go, internal/runtime/maps/{map,table,group}.go; Go 1.16 to 1.26.
#pragma once

#include "golang/go_version.h"
#include "golang/types/go_type.h"
#include "golang/types/runtime_types.h"
#include "machine/error.h"
#include "machine/memory_view.h"
#include "machine/print_options.h"
#include "machine/value_source.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// A variable that a function value carries with it.
struct GoCapturedValue {
  std::string name;
  const GoType *type = nullptr;      ///< null: not known
  std::optional<ValueSource> source; ///< nothing: `missing` says why
  std::string missing;
};

/// What only debug information tells, and whether there is time to ask.
class GoValueDetails {
public:
  virtual ~GoValueDetails() = default;
  /// Adds what `type` consists of, which types made of DWARF lack beyond a few steps.
  virtual void complete(const GoType &type) = 0;
  /// "Green", "Read|Execute"; empty where the type's constants do not make up the number.
  virtual std::string constant_name(const GoType &type, std::uint64_t number) = 0;
  /// Of the closure that lies there.
  virtual std::vector<GoCapturedValue> captures(RunAddress closure, RunAddress code) = 0;
  virtual bool out_of_time() = 0;
};

/// What is known besides a value's bytes; every part may be missing.
struct ValueContext {
  const MemoryView *memory = nullptr; ///< the target's, or the binary's read-only data
  /// `memory` is a file's: what is not in it is not unreadable, only not here. Addresses are written then.
  bool memory_is_partial = false;
  GoRuntimeTypes *types = nullptr;
  /// A phrase for an address that nothing else explains: "heap", "stack of this goroutine", "main.config+0x10",
  /// "func main.handle"; empty: nothing known.
  std::function<std::string(RunAddress)> classify;
  GoVersion version;
  /// Why bytes of a value are not known, as one clause; empty: they are written as "...", as in a Go traceback.
  std::string_view absent;
  GoValueDetails *details = nullptr;
  PrintOptions print = {.limits = {.string_bytes = 64, .elements = 8, .recursion = 1, .fields = 16, .text_bytes = 400},
                        .brief = true};
};

/// No slice, string, array or channel is longer than the address space.
inline constexpr std::uint64_t max_go_list_length = 1ULL << 47;

/// Little endian at `offset`; unreadable, or not_found where there are no words for it.
Result<std::uint64_t> read_number(const ValueSource &source, std::uint64_t offset, std::size_t size);
Error unreadable_at(RunAddress address);

/// Of a string or a slice.
struct GoList {
  std::optional<RunAddress> address; ///< none: a literal
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
  std::optional<ValueSource> literal; ///< the bytes, or elements, where there is no address

  /// The element of `size` bytes at `index`, which is below the length.
  ValueSource element(std::uint64_t index, std::uint64_t size, const MemoryView &memory) const;
};

/// corrupt: no list has these words, as far as they are known.
Result<void> check_go_list(std::optional<std::uint64_t> address, std::optional<std::uint64_t> length,
                           std::optional<std::uint64_t> capacity);
/// corrupt, unreadable; not_found where not all of the words are known.
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
/// Of the channel whose structure lies there. corrupt, unreadable.
Result<GoChannel> read_go_channel(RunAddress address, GoVersion version, const MemoryView &memory);

/// What an interface value holds: its dynamic type and where its data lies.
struct InterfaceValue {
  std::uint64_t type_word = 0; ///< 0: the interface is nil
  std::uint64_t data = 0;
  const GoType *type = nullptr; ///< the dynamic one; null: not known
};
/// Nothing where its words are not known.
std::optional<InterfaceValue> interface_value(const GoType &type, const ValueSource &source,
                                              const ValueContext &context);
/// Where the bytes of the dynamic value are; nothing where that needs memory which is not there.
std::optional<ValueSource> dynamic_source(const InterfaceValue &value, const ValueContext &context);

/// Up to Go 1.23 (and later with GOEXPERIMENT=noswissmap) a map is an array of buckets of eight with overflow chains;
/// since 1.24 a directory of tables of groups of eight, or one group where it is small.
struct MapEntry {
  RunAddress key;
  RunAddress value;
};
/// Whether to go on.
using MapVisitor = std::function<bool(const MapEntry &)>;

struct MapWalk {
  std::uint64_t count = 0; ///< entries that the map says it has
  bool complete = false;   ///< all of its memory was visited
};
/// Visits the entries of the map whose header lies there, in the order of memory, looking at no more than `max_groups`
/// groups or buckets of eight. The types of key and value must be complete. Of an unknown version (0.0) the layout that
/// fits. corrupt, unreadable.
Result<MapWalk> walk_map(const GoType &map, RunAddress header, GoVersion version, const MemoryView &memory,
                         int max_groups, const MapVisitor &visit);

} // namespace inspect
