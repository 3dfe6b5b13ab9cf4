// Small programs that tests compile on the spot, each by a compiler and with flags that write DWARF differently.
//
//     const TemporaryDirectory folder;
//     if (!have_program("clang++")) SKIP_TEST("clang++ is not installed");
//     const std::string program = build_program(folder, "clang++ -O2 -g");
#pragma once

#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

/// Two C++ units with inlined, cold and templated functions, linked by `compiler_and_flags`. Throws with the compiler's
/// words where that fails.
std::string build_program(const TemporaryDirectory &folder, const std::string &compiler_and_flags);

std::vector<std::string> split_lines(std::string_view text);

} // namespace inspect::test
