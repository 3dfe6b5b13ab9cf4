#include "golang/image/build_info.h"

#include "machine/elf_file.h"
#include "machine/file_descriptor.h"
#include "tests/support/catch.h"
#include "tests/support/elf_writer.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <array>
#include <cstdlib>
#include <elf.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <set>
#include <sys/mman.h>

namespace inspect {
namespace {

namespace fs = std::filesystem;

std::string output_of(const std::string &command) {
  std::string text;
  std::FILE *pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), count);
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

/// The Go toolchains of this machine: the one in PATH and Debian's versioned ones.
std::vector<std::string> go_tools() {
  std::vector<std::string> tools;
  if (std::system("go version >/dev/null 2>&1") == 0)
    tools.push_back("go");
  for (const char *version : {"1.11", "1.15", "1.17", "1.18", "1.19", "1.21", "1.22", "1.23", "1.24"}) {
    const std::string tool = fmt::format("/usr/lib/go-{}/bin/go", version);
    if (fs::exists(tool))
      tools.push_back(tool);
  }
  return tools;
}

void write_program(const fs::path &directory) {
  std::ofstream(directory / "go.mod") << "module example.com/some/service\n\ngo 1.16\n\n"
                                         "require example.com/part v1.2.3\n\nreplace example.com/part => ./part\n";
  std::ofstream(directory / "main.go") << "package main\n\nimport \"example.com/part\"\n\nvar told = \"\"\n\n"
                                          "func main() { println(told, part.Number) }\n";
  fs::create_directory(directory / "part");
  std::ofstream(directory / "part/go.mod") << "module example.com/part\n\ngo 1.16\n";
  std::ofstream(directory / "part/part.go") << "package part\n\nvar Number = 1\n";
}

std::string build(const std::string &tool, const fs::path &directory, const std::string &name,
                  const std::string &flags) {
  const std::string file = (directory / name).string();
  output_of(fmt::format("cd {} && GOTOOLCHAIN=local GOFLAGS=-mod=mod GOCACHE=${{GOCACHE:-/tmp/inspect-go-cache}} {} "
                        "build -o {} {} . 2>&1",
                        directory.string(), tool, file, flags));
  return file;
}

Result<GoBuildInfo> read(const std::string &path) {
  const FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(descriptor);
  auto file = ElfFile::read(descriptor.get());
  if (!file)
    return std::unexpected(file.error());
  return read_go_build_info(*file);
}

/// The same lines as `go version -m` prints below its first.
std::set<std::string> as_lines(const GoBuildInfo &info) {
  std::set<std::string> lines = {"\tpath\t" + info.package_path,
                                 fmt::format("\tmod\t{}\t{}", info.module_path, info.module_version)};
  const auto words = [](std::string line, const std::string &word) { return word.empty() ? line : line + "\t" + word; };
  for (const GoModule &module : info.dependencies) {
    lines.insert(words("\tdep\t" + module.path + "\t" + module.version, module.sum));
    if (!module.replacement.empty())
      lines.insert(words("\t=>\t" + module.replacement, module.replacement_version));
  }
  for (const auto &[key, value] : info.settings) {
    const bool quoted = value.find_first_of(" \"`") != std::string::npos;
    lines.insert(quoted ? fmt::format("\tbuild\t{}=\"{}\"", key, value) : fmt::format("\tbuild\t{}={}", key, value));
  }
  return lines;
}

TEST_CASE("build information is what `go version -m` says, of every toolchain here, stripped and not") {
  const auto tools = go_tools();
  if (tools.empty())
    SKIP_TEST("no Go toolchain is installed");
  const test::TemporaryDirectory folder;
  const fs::path directory = folder.path();
  write_program(directory);
  for (const std::string &tool : tools) {
    for (const std::string flags : {"", "-ldflags='-s -w -X main.told=yes'", "-buildmode=pie -trimpath"}) {
      INFO(tool << " build " << flags);
      const std::string file = build(tool, directory, "service", flags);
      const auto info = read(file);
      REQUIRE(info.has_value());
      const std::string told = output_of(fmt::format("{} version -m {}", tool, file));
      CHECK(told.substr(0, told.find('\n')) == fmt::format("{}: {}", file, info->go_version));
      CHECK(info->module_path == "example.com/some/service");
      CHECK(info->dependencies.size() == 1);
      std::string expected = told.substr(told.find('\n') + 1);
      std::set<std::string> expected_lines;
      for (std::size_t end; (end = expected.find('\n')) != std::string::npos; expected.erase(0, end + 1)) {
        std::string line = expected.substr(0, end);
        while (line.ends_with('\t')) // an empty checksum
          line.pop_back();
        if (!line.empty()) // one comes before "=>"
          expected_lines.insert(line);
      }
      CHECK(as_lines(*info) == expected_lines);
    }
  }
}

TEST_CASE("build information is found when the section headers are gone") {
  const auto tools = go_tools();
  if (tools.empty())
    SKIP_TEST("no Go toolchain is installed");
  const test::TemporaryDirectory folder;
  const fs::path directory = folder.path();
  write_program(directory);
  const std::string file = build(tools.front(), directory, "service", "-ldflags='-s -w'");
  const auto before = read(file);
  REQUIRE(before.has_value());
  {
    std::fstream patch(file, std::ios::in | std::ios::out | std::ios::binary);
    const std::array<char, 8> zero{};
    patch.seekp(offsetof(Elf64_Ehdr, e_shoff));
    patch.write(zero.data(), zero.size());
  }
  const auto after = read(file);
  REQUIRE(after.has_value());
  CHECK(after->go_version == before->go_version);
  CHECK(after->settings == before->settings);
}

TEST_CASE("other files are told apart from Go binaries") {
  CHECK(read("/proc/self/exe").error().kind() == ErrorKind::not_found);
  CHECK(read("/etc/passwd").error().kind() == ErrorKind::unsupported);
}

/// A minimal ELF file with one writable segment that holds `data` at address 0x1000.
Result<GoBuildInfo> read_made(const std::string &data) {
  test::ElfWriter writer;
  writer.has_section_headers = false;
  const std::string file = writer.load("", 0x1000, data, PF_W).text();
  const FileDescriptor descriptor = test::file_in_memory(file);
  auto elf = ElfFile::read(descriptor.get());
  REQUIRE(elf.has_value());
  return read_go_build_info(*elf);
}

std::string word(std::uint64_t value) {
  return {reinterpret_cast<const char *>(&value), sizeof value};
}

TEST_CASE("the form before Go 1.18, with pointers to strings, is read") {
  const std::string frame(16, '#');
  const std::string modules = frame + "path\texample.com/old\nmod\texample.com/old\tv1.0.0\th1:x=\n" + frame;
  std::string data = "\xff Go buildinf:" + std::string("\x08\x00", 2) + word(0x1020) + word(0x1030);
  data += word(0x1040) + word(8) + word(0x1048) + word(modules.size()) + "go1.16.1" + modules;
  const auto info = read_made(data);
  REQUIRE(info.has_value());
  CHECK(info->go_version == "go1.16.1");
  CHECK(info->module_path == "example.com/old");
  CHECK(info->module_version == "v1.0.0");
}

TEST_CASE("pointers of 32 bits are read, too") {
  const auto half = [](std::uint32_t value) {
    return std::string(reinterpret_cast<const char *>(&value), sizeof value);
  };
  const auto info = read_made("\xff Go buildinf:" + std::string("\x04\x00", 2) + half(0x1020) + half(0x1030) +
                              std::string(8, '\0') + half(0x1028) + half(8) + "go1.16.1");
  REQUIRE(info.has_value());
  CHECK(info->go_version == "go1.16.1");
  CHECK(info->module_path.empty());
}

TEST_CASE("the block is found behind other data, at a multiple of 16 bytes only") {
  const std::string block =
      "\xff Go buildinf:" + std::string("\x08\x02", 2) + std::string(16, '\0') + "\x08go1.22.1" + std::string(1, '\0');
  CHECK(read_made(std::string(3 << 20, '.') + block)->go_version == "go1.22.1");
  CHECK(read_made(std::string((256 << 10) - 16, '.') + block)->go_version == "go1.22.1");
  CHECK(read_made(std::string(40, '.') + block).error().kind() == ErrorKind::not_found);
  CHECK(read_made(std::string(40, '.') + block + std::string(16 - (40 + block.size()) % 16, '.') + block)->go_version ==
        "go1.22.1");
}

TEST_CASE("lengths and pointers that lead nowhere are errors or empty, never read") {
  const std::string inline_header = "\xff Go buildinf:" + std::string("\x08\x02", 2) + std::string(16, '\0');
  CHECK(read_made(inline_header + "\x7fgo1").error().kind() == ErrorKind::corrupt);
  CHECK(read_made(inline_header + std::string(12, '\xff')).error().kind() == ErrorKind::corrupt);
  CHECK(read_made("\xff Go buildinf:").error().kind() == ErrorKind::corrupt);
  const auto lost = read_made("\xff Go buildinf:" + std::string("\x08\x00", 2) + word(0xdead0000) + word(1));
  REQUIRE(lost.has_value());
  CHECK(lost->go_version.empty());
}

} // namespace
} // namespace inspect
