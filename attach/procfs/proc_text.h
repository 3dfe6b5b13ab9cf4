// What the kernel adds to names in the texts of /proc, which are taken apart by machine/words.h.
//
// Source: man page proc(5).
#pragma once

#include "machine/words.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

/// Takes the kernel's " (deleted)" off the name of a file or a control group; whether it was there.
bool take_deleted_mark(std::string_view &name);
bool take_deleted_mark(std::string &name);

/// 4026531840 of "net:[4026531840]", the text of a link; nothing where it has no number in brackets.
std::optional<std::uint64_t> inode_in_link(std::string_view link);

} // namespace inspect
