// What binutils' addr2line says of an address of a process: a third reader, where inspect and gdb tell different lines.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

/// "file.c:7" of the address and of the calls around it that were inlined, innermost first; empty where it knows none.
std::vector<std::string> lines_by_addr2line(pid_t process, std::uint64_t address);

} // namespace inspect::test
