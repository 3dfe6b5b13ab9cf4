// The text of a source file that the target's debugging information names. A program may name any file there is, and
// whoever inspects it may read more than its owner: so a file is shown only where the target sees it, in its own root,
// with the rights of its user, and if it is a source file by name and content.
//
//     auto text = read_source_text(target, "/build/server.cpp");
#pragma once

#include "inspector/target/target.h"

#include <string>
#include <string_view>

namespace inspect {

/// No source file is larger: the largest generated ones have some ten megabytes.
constexpr std::uint64_t max_source_size = 64ULL << 20;

/// Whether source files of a compiled language are called so: by the suffix (".cpp", ".rs", ".S", …). Without a suffix
/// only the headers of a C++ library are ("/usr/include/c++/12/vector").
bool is_source_name(std::string_view path);

/// not_found: there is none where the target sees it; not_permitted: its user may not read it; unsupported: no name of
/// a source file, no text, or too large; timed_out, cancelled.
Result<std::string> read_source_text(const Target &target, const std::string &path);

} // namespace inspect
