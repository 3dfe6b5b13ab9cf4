// The functions that an ELF file names which a process keeps in its memory for debuggers, not as a part of a loaded
// module: what a compiler at run time has made.
//
//     for (const ObjectFunction &one : functions_of_object(std::move(bytes), size)) …
//
// Source: System V gABI, "Symbol Table"; the gdb manual, "JIT Compilation Interface".
#pragma once

#include "dwarf/raw/elf/elf_image.h"
#include "machine/address.h"

#include <cstddef>
#include <string>
#include <vector>

namespace inspect {

struct ObjectFunction {
  RunRange range;
  std::string name; ///< demangled
};

/// Those of .symtab that have a name and a size. In a relocatable file symbols count from their section, whose address
/// is where the compiler has put it. Empty where the bytes are no ELF file of this machine.
std::vector<ObjectFunction> functions_of_object(LazyBytes bytes, std::size_t size);

} // namespace inspect
