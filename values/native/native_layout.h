// Values that lie inside of others or at an address, and the few questions that everything which works on DWARF's types
// asks of them.
//
//     const Value object = without_references(value, environment);
//     const Value field = part_of(object, member.offset, member.type, environment);
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstdint>
#include <optional>
#include <string>

namespace inspect {

/// A value of this type in the target's memory.
Value value_at(RunAddress address, const TypeHandle &type, SourceLanguage language, ValueEnvironment &environment);
/// What lies `offset` bytes from the start of `whole`, be it behind its end as C's flexible arrays are. A missing value
/// has missing parts.
Value part_of(const Value &whole, std::uint64_t offset, const TypeHandle &type, ValueEnvironment &environment);
/// A value that is nowhere in the target: computed.
Value computed_value(std::vector<std::byte> bytes, const TypeHandle &type, SourceLanguage language);
/// The lowest `size` bytes of the bits, as they are in memory; behind 16, zeros.
std::vector<std::byte> low_bytes(unsigned __int128 bits, std::size_t size);

/// What a C++ reference refers to, in Rust nothing: its references are pointers.
Value without_references(const Value &value, ValueEnvironment &environment);
/// Bytes of the value; of those whose type does not say so, nothing.
std::optional<std::uint64_t> size_of(const Value &value, ValueEnvironment &environment);
/// The address that a pointer or reference holds; unreadable where its bytes cannot be read.
Result<RunAddress> pointer_target(const Value &value, ValueEnvironment &environment);

/// The same value, but where its class is only declared in its own unit, with the definition from another one.
Value completed(const Value &value, ValueEnvironment &environment);

/// The type itself behind typedefs and qualifiers, where TypeReader::underlying says what it is; of a circle of them
/// one of these.
TypeHandle without_aliases(TypeHandle type, TypeReader &types);

/// The type of an array's elements: of several dimensions, that of its rows.
TypeHandle element_type(const DwarfType &array, TypeReader &types);

bool is_structure(const DwarfType &type); ///< struct, class or union
bool is_pointer(const DwarfType &type);   ///< not references, not pointers to members
bool is_reference(const DwarfType &type);

/// Why the value's bytes are not there, or cannot be read.
Error missing_error(const Value &value);
Error unreadable_error(const Value &value, ValueEnvironment &environment);

} // namespace inspect
