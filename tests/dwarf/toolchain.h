// Small programs built by the tests that need them, and what binutils says of them: the ground truth.
#pragma once

#include "dwarf/module/module.h"
#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace inspect::test {

/// What a shell command prints; fails the test where it fails.
std::string run(const std::string &command);
void write_file(const std::string &path, const std::string &text);
/// Compiles `source`, kept as `name` in the folder, to <folder>/a.out.
std::string build(const TemporaryDirectory &folder, const std::string &name, const std::string &source,
                  const std::string &compiler);

struct NmSymbol {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  char kind = 0;
  std::string name;
};
/// `nm -S` of a file (options may stand before it).
std::vector<NmSymbol> nm(const std::string &file);
/// Addresses and names ("write@plt") of the PLT entries as `objdump -d` prints them.
std::vector<std::pair<std::uint64_t, std::string>> objdump_plt(const std::string &file);
std::string libc_path();
/// libc's own function or variable, not the one that a sanitizer puts before it.
const void *libc_symbol(const char *name);

/// A module for a file that is not mapped anywhere: as if loaded at bias 0, with no memory to compare it with.
Result<std::unique_ptr<Module>> open_file(const std::string &path, const FileSource &files,
                                          const ModuleOptions &options = {});

} // namespace inspect::test
