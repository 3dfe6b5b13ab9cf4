// The names of types as people write them: "std::vector<std::string>" where DWARF has
// "std::__1::vector<std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char> >, …>". Inline
// namespaces of the libraries, default arguments and their typedefs' expansions are taken away, as gdb's type printers
// for libstdc++ do.
#pragma once

#include "dwarf/types/type_reader.h"

#include <string>
#include <string_view>
#include <vector>

namespace inspect {

std::string short_type_name(std::string_view name);
/// "std::vector" of "std::__1::vector"; the same of all of those namespaces in the text.
std::string without_inline_namespaces(std::string_view name);
/// "int", "std::less<int>" of "<int, std::less<int>>…": what is between the bracket that the text begins with and its
/// counterpart; empty where there is none.
std::vector<std::string> template_arguments_of(std::string_view text);
/// The arguments of the first template of this name in the text.
std::vector<std::string> template_arguments_in(std::string_view text, std::string_view template_name);
std::string short_type_name(TypeReader &types, const TypeHandle &type);

} // namespace inspect
