#include "tests/dwarf/toolchain.h"
#include "dwarf/raw/elf/elf_image.h"
#include "tests/dwarf/memory_of_self.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <regex>

namespace inspect::test {

std::string run(const std::string &command) {
  std::FILE *pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), got);
  const int status = ::pclose(pipe);
  INFO(command);
  REQUIRE(status == 0);
  return text;
}

void write_file(const std::string &path, const std::string &text) {
  std::ofstream(path) << text;
}

std::string build(const TemporaryDirectory &folder, const std::string &name, const std::string &source,
                  const std::string &compiler) {
  write_file(folder / name, source);
  run("cd " + folder.path() + " && " + compiler + " " + name + " -o a.out");
  return folder / "a.out";
}

std::vector<NmSymbol> nm(const std::string &file) {
  static const std::regex line(R"(^([0-9a-f]{16})(?: ([0-9a-f]{16}))? (\w) (\S+)$)");
  std::istringstream output(run("nm -S " + file));
  std::vector<NmSymbol> symbols;
  std::string text;
  std::smatch parts;
  while (std::getline(output, text))
    if (std::regex_match(text, parts, line))
      symbols.push_back({std::stoull(parts[1], nullptr, 16),
                         parts[2].length() != 0 ? std::stoull(parts[2], nullptr, 16) : 0, parts[3].str()[0],
                         parts[4].str()});
  return symbols;
}

std::vector<std::pair<std::uint64_t, std::string>> objdump_plt(const std::string &file) {
  static const std::regex line(R"(^([0-9a-f]{16}) <(\w+@plt)>:$)");
  std::istringstream output(run("objdump -d " + file));
  std::vector<std::pair<std::uint64_t, std::string>> entries;
  std::string text;
  std::smatch parts;
  while (std::getline(output, text))
    if (std::regex_match(text, parts, line))
      entries.emplace_back(std::stoull(parts[1], nullptr, 16), parts[2]);
  return entries;
}

std::string libc_path() {
  const auto found = own_mappings([](const std::string &path) { return path.find("/libc.so") != std::string::npos; });
  return found.empty() ? std::string() : found.begin()->first;
}

const void *libc_symbol(const char *name) {
  static void *const libc = ::dlopen(libc_path().c_str(), RTLD_LAZY | RTLD_NOLOAD);
  REQUIRE(libc != nullptr);
  return ::dlsym(libc, name);
}

Result<std::unique_ptr<Module>> open_file(const std::string &path, const FileSource &files,
                                          const ModuleOptions &options) {
  static const BufferMemory nothing;
  auto opened = files.open(path);
  REQUIRE(opened);
  auto image = ElfImage::from_file(FileDescriptor(::dup(opened->descriptor.get())), path);
  if (!image)
    return std::unexpected(image.error());
  ModuleInput input;
  input.path = path;
  input.file = std::move(*opened);
  constexpr std::uint64_t page = 4095;
  for (const Elf64_Phdr &segment : image->segments())
    if (segment.p_type == PT_LOAD)
      input.segments.push_back({{{segment.p_vaddr & ~page}, {(segment.p_vaddr + segment.p_filesz + page) & ~page}},
                                {segment.p_offset & ~page},
                                (segment.p_flags & PF_X) != 0});
  return Module::open(std::move(input), nothing, files, options);
}

} // namespace inspect::test
