// All modules of a running process, its files used or not; and Go files with damaged headers.
#pragma once

#include "dwarf/module/module_map.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/golang/go_process.h"

#include <cstddef>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

class ProcessModules {
public:
  /// With `from_memory` no file is opened, as if all had been deleted.
  explicit ProcessModules(pid_t process, bool from_memory = false) : memory_(process) {
    const auto all = mappings_of(std::to_string(process), [](const std::string &path) { return path.front() == '/'; });
    for (const auto &[path, segments] : all) {
      ModuleInput input{path, {}, segments};
      if (auto file = files_.open(path); file && !from_memory)
        input.file = std::move(*file);
      if (auto module = Module::open(std::move(input), memory_, files_, {}))
        modules_.add(std::move(*module));
    }
  }

  /// The module of this file; null: none.
  Module *module(const std::string &path) {
    for (Module *module : modules_.modules())
      if (module->path() == path)
        return module;
    return nullptr;
  }
  ModuleMap &modules() { return modules_; }
  const MemoryView &memory() const { return memory_; }

private:
  ProcessMemory memory_;
  LocalFiles files_;
  ModuleMap modules_;
};

inline std::vector<char> bytes_of_file(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// As sstrip leaves a file: without section headers.
inline void remove_section_headers(std::vector<char> &file) {
  auto *header = reinterpret_cast<Elf64_Ehdr *>(file.data());
  header->e_shoff = 0;
  header->e_shnum = 0;
  header->e_shstrndx = 0;
}

} // namespace inspect::test
