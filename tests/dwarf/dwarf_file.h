// What the tests of line information share: DWARF straight from a file or from bytes, and the addresses of its
// functions.
#pragma once

#include "machine/address.h"

#include "tests/support/child_process.h"

#include <cstddef>
#include <elfutils/libdw.h>
#include <map>
#include <string>
#include <vector>

namespace inspect {

class DwarfFile {
public:
  explicit DwarfFile(const std::string &path);
  /// An ELF image in memory; the bytes are kept.
  explicit DwarfFile(std::vector<char> bytes);
  ~DwarfFile();
  DwarfFile(const DwarfFile &) = delete;
  DwarfFile &operator=(const DwarfFile &) = delete;

  Dwarf *dwarf() const { return dwarf_; } ///< null: none
  Elf *elf() const { return elf_; }
  /// Every `stride`-th address of every function symbol that has a size.
  std::vector<LinkAddress> function_addresses(std::size_t stride) const;
  /// Function symbols that begin at or before the address and end after it.
  std::vector<std::string> symbols_at(LinkAddress address) const;

private:
  struct Function {
    LinkRange range;
    std::string name;
  };
  void read_symbols();

  std::vector<char> bytes_;
  int descriptor_ = -1;
  Elf *elf_ = nullptr;
  Dwarf *dwarf_ = nullptr;
  std::vector<Function> functions_;
};

using test::fixture_path;
bool fixture_exists(const std::string &name);

} // namespace inspect
