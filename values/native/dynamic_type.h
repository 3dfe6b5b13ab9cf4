// Which class an object really is of, when all that is known is one of its bases: polymorphic objects begin with a
// pointer to their class' virtual table, whose symbol or type information names the class, and which says how far
// before this base the whole object begins.
//
// Source: Itanium C++ ABI, sections 2.5.2 (virtual tables: offset to top at -16, typeinfo at -8), 2.9.4 (typeinfo: the
// mangled name is the second word), 5.1.4.1 (special names).
#pragma once

#include "values/value.h"
#include "values/value_environment.h"

#include <optional>
#include <string>

namespace inspect {

/// The whole object that `object`, a class instance, is part of, as its own class. Nothing where the class has no
/// virtual functions, where its virtual table is none, or where no description of the real class is found.
std::optional<Value> dynamic_object(const Value &object, ValueEnvironment &environment);
/// The name of the real class, also where its description is not found.
std::optional<std::string> dynamic_class(const Value &object, ValueEnvironment &environment);
/// Whether objects of the class have a virtual table at all.
bool is_polymorphic(const DwarfType &type, ValueEnvironment &environment);

} // namespace inspect
