// What the printers of libstdc++ and libc++ share besides their walks: labels, what wraps one value, and the types that
// are little more than what the C library has.
#pragma once

#include "values/printers/library_object.h"
#include "values/printers/library_view.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// "std::vector" of every vector: the type's own name up to its template arguments.
std::string std_name(const LibraryObject &object);
/// "std::optional<std::string>" with this type argument.
std::string std_name_with_argument(const LibraryObject &object, std::size_t index = 0);

LibraryView plain_view(std::string label);
LibraryView broken_view(std::string label, std::string problem);
LibraryView single_view(std::string label, std::string child_name, const LibraryObject &child);
/// A shared or weak pointer: `counts` as "use count 2, weak count 0", or `problem` says why they cannot be believed.
LibraryView counted_pointer_view(const LibraryObject &owner, const LibraryObject &pointer, std::string_view counts,
                                 const std::string &problem);
/// Nothing in it.
LibraryView hollow_view(std::string label);
/// A container adaptor: the container's view under its own name.
std::optional<LibraryView> wrapping_view(const LibraryObject &adaptor, ChildRange wanted);
/// A pair has no label: {first = 1, second = 2}.
std::optional<LibraryView> pair_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> adaptor_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
/// An array's elements, within the object.
std::optional<LibraryView> array_view(const LibraryObject &object, const LibraryObject &elements, ChildRange wanted);
/// Bits in words of memory as booleans: of a vector<bool> all; of bitsets, as gdb has it, those set, named by their
/// place, but one that is asked for alone in any case.
struct BitSequence {
  ValueSource words;
  std::uint64_t first_bit = 0;
  std::uint64_t length = 0;
  bool only_set = false;
};
bool add_bits(LibraryView &view, const BitSequence &bits, const TypeHandle &type, ChildRange wanted,
              const LibraryObject &around);
/// The active one of a variant's alternatives, which all begin where `storage` does.
std::optional<LibraryView> variant_view(const LibraryObject &variant, std::uint64_t index, unsigned index_size,
                                        const LibraryObject &storage);

/// "ns::f(int)", demangled; empty where no module has a symbol there.
std::string symbol_at(ValueEnvironment &environment, RunAddress address);
/// The class of a polymorphic object by its own type_info, demangled; empty where it is no such object.
std::string class_name_of(ValueEnvironment &environment, RunAddress object);
/// The arguments of the first template of this name in a demangled name.
std::vector<std::string> arguments_in_name(std::string_view name, std::string_view template_name);
/// What std::any holds: as a typed value where the type is known by name, else only its name in the label.
LibraryView any_view(const LibraryObject &any, std::string_view type_name, std::optional<TypeHandle> type,
                     RunAddress place);

/// "3s", "250ms", "50[1/25]s" as std::format has them.
std::optional<std::string> duration_text(const LibraryObject &duration, const LibraryObject &count);
std::optional<std::string> time_text(const LibraryObject &time_point, const LibraryObject &count,
                                     const LibraryObject &duration);
std::optional<LibraryView> complex_view(const LibraryObject &real, const LibraryObject &imaginary);
/// Of glibc's and musl's pthread types, as sentences behind a type's name: ", not locked", " locked by thread 12".
std::optional<std::string> mutex_text(const LibraryObject &mutex);
std::optional<std::string> shared_mutex_text(const LibraryObject &lock);
std::optional<std::string> condition_text(const LibraryObject &condition);
/// With the thread's id, where the handle leads to what looks like glibc's description of a thread.
LibraryView thread_view(std::string_view name, std::uint64_t handle, ValueEnvironment &environment);

/// Of an error_code or error_condition with these members: the category's name by its class, and the errno's name where
/// it is of a category that has these.
std::optional<LibraryView> error_view(const LibraryObject &error, std::string_view number, std::string_view category);
/// What an exception object in flight is, by the header that the Itanium C++ ABI (section 2.2.1) puts before it.
LibraryView exception_view(RunAddress object, ValueEnvironment &environment);

} // namespace inspect
