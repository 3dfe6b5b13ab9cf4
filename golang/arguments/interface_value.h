// What an interface value holds: its dynamic type and where its data lies, from its two words.
//
// Source: runtime/runtime2.go, iface and eface; cmd/compile types.IsDirectIface.
#pragma once

#include "golang/arguments/word_values.h"
#include "machine/value_source.h"

#include <optional>

namespace inspect {

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

/// A type's name with the last part of the package's path only, as Go prints it: "fs.PathError" of "io/fs.PathError".
std::string short_go_type_name(std::string_view name);

} // namespace inspect
