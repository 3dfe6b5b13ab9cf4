#include "tests/dwarf/dwarf_file.h"

#include <algorithm>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

namespace inspect {

DwarfFile::DwarfFile(const std::string &path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  elf_version(EV_CURRENT);
  elf_ = elf_begin(descriptor_, ELF_C_READ_MMAP, nullptr);
  dwarf_ = dwarf_begin_elf(elf_, DWARF_C_READ, nullptr);
  read_symbols();
}

DwarfFile::DwarfFile(std::vector<char> bytes) : bytes_(std::move(bytes)) {
  elf_version(EV_CURRENT);
  elf_ = elf_memory(bytes_.data(), bytes_.size());
  dwarf_ = dwarf_begin_elf(elf_, DWARF_C_READ, nullptr);
  read_symbols();
}

DwarfFile::~DwarfFile() {
  dwarf_end(dwarf_);
  elf_end(elf_);
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void DwarfFile::read_symbols() {
  for (Elf_Scn *section = nullptr; elf_ && (section = elf_nextscn(elf_, section)) != nullptr;) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB || header.sh_entsize == 0)
      continue;
    Elf_Data *data = elf_getdata(section, nullptr);
    for (int i = 0; i < static_cast<int>(header.sh_size / header.sh_entsize); ++i) {
      GElf_Sym symbol;
      if (!gelf_getsym(data, i, &symbol) || GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_size == 0)
        continue;
      const char *name = elf_strptr(elf_, header.sh_link, symbol.st_name);
      functions_.push_back(
          {{LinkAddress{symbol.st_value}, LinkAddress{symbol.st_value + symbol.st_size}}, name ? name : ""});
    }
  }
}

std::vector<LinkAddress> DwarfFile::function_addresses(std::size_t stride) const {
  std::vector<LinkAddress> addresses;
  for (const Function &function : functions_)
    for (LinkAddress address = function.range.begin; address < function.range.end; address = address + stride)
      addresses.push_back(address);
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

std::vector<std::string> DwarfFile::symbols_at(LinkAddress address) const {
  std::vector<std::string> names;
  for (const Function &function : functions_)
    if (function.range.contains(address))
      names.push_back(function.name);
  return names;
}

bool fixture_exists(const std::string &name) {
  return ::access(fixture_path(name).c_str(), R_OK) == 0;
}

} // namespace inspect
