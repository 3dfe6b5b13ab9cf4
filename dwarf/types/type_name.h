// A type's name as one writes it in its language, put together from what DWARF keeps apart: qualifiers, pointers,
// namespaces, arrays, functions.
//
//     "const ns::Foo<int> *", "int (*)(char)", "unsigned char [16]", "&mut [u8]", "*main.T"
//
// Sources: DWARF 5 sections 5.2 to 5.13, 3.2.2 (namespaces); the C++ and Rust references for the spelling.
#pragma once

#include "dwarf/die/enclosing_scopes.h"
#include "dwarf/types/type_reader.h"

#include <elfutils/libdw.h>
#include <string>
#include <string_view>

namespace inspect {

/// With the namespaces and classes around it. `types` must outlive the call only.
std::string type_name(TypeReader &types, const TypeHandle &handle);
/// As a variable or member of the type is declared: "int (*callback)(char)", "char name[16]"; Rust: "name: [u8; 16]".
std::string declaration(TypeReader &types, const TypeHandle &handle, std::string_view name);
/// A DIE's own name. Where the compiler left a template's arguments out of it (clang's -gsimple-template-names), with
/// those that its parameters' DIEs tell: "Cache<std::string, long>". Empty where it has none.
std::string name_with_arguments(Dwarf_Die die, TypeReader &types);
/// A DIE's own name behind those of the namespaces, classes and modules around it: "ns::Class::method"; in Rust as the
/// compiler has it. Empty where the DIE has no name; anonymous namespaces are "(anonymous namespace)".
std::string qualified_name(Dwarf_Die die);
/// The same, for many DIEs.
std::string qualified_name(Dwarf_Die die, EnclosingScopes &scopes);
std::string qualified_name(Dwarf_Die die, EnclosingScopes &scopes, TypeReader &types);

} // namespace inspect
