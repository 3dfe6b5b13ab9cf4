#include "inspector/target/runtime_kind.h"

#include "machine/elf_file.h"
#include "machine/file_descriptor.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <cstdlib>
#include <elf.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <random>
#include <sys/mman.h>

namespace inspect {
namespace {

namespace fs = std::filesystem;

bool runs(const std::string &command) {
  return std::system(("(" + command + ") >/dev/null 2>&1").c_str()) == 0;
}

RuntimeInfo look_at(const fs::path &path) {
  const FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(descriptor);
  const auto info = detect_runtime(descriptor.get(), path.filename().string());
  REQUIRE(info.has_value());
  return *info;
}

constexpr const char *c_source = "#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n";
constexpr const char *cxx_source =
    "#include <stdexcept>\n#include <iostream>\nint main(int n, char **) {\n  try { if (n > 5) throw "
    "std::runtime_error(\"x\"); }\n  catch (const std::exception &e) { std::cout << e.what(); }\n}\n";

/// Builds `source` and looks at the result, as it is and stripped.
void check_built(const std::string &compiler, const std::string &flags, const std::string &extension,
                 const char *source, const std::string &language) {
  const test::TemporaryDirectory folder;
  const fs::path directory = folder.path();
  const fs::path file = directory / ("program." + extension);
  const fs::path program = directory / "program";
  std::ofstream(file) << source;
  INFO(compiler << " " << flags);
  REQUIRE(runs(
      fmt::format("cd {} && {} {} {} -o {}", directory.string(), compiler, flags, file.string(), program.string())));
  RuntimeInfo info = look_at(program);
  CHECK(info.language == language);
  CHECK_FALSE(info.stripped);
  CHECK_FALSE(info.is_32_bit);
  REQUIRE(runs("strip -s " + program.string()));
  info = look_at(program);
  CHECK(info.language == language);
  CHECK(info.stripped);
}

TEST_CASE("C and C++ are told apart: dynamic, static, stripped") {
  check_built("gcc", "-O2", "c", c_source, "c");
  check_built("gcc", "-O2 -static", "c", c_source, "c");
  check_built("g++", "-O2", "cpp", cxx_source, "c++");
  check_built("g++", "-O2 -static", "cpp", cxx_source, "c++");
  check_built("g++", "-O2 -static-libstdc++ -static-libgcc", "cpp", cxx_source, "c++");
}

TEST_CASE("clang's and musl's programs are told") {
  if (!runs("clang++ --version") || !runs("musl-gcc --version"))
    SKIP_TEST("clang or musl-gcc is not installed");
  check_built("clang++", "-O2", "cpp", cxx_source, "c++");
  check_built("musl-gcc", "-O2", "c", c_source, "c");
  check_built("musl-gcc", "-O2 -static", "c", c_source, "c");
}

TEST_CASE("Rust is told with its version, stripped or not") {
  if (!runs("rustc --version"))
    SKIP_TEST("rustc is not installed");
  const test::TemporaryDirectory folder;
  const fs::path directory = folder.path();
  const fs::path program = directory / "program";
  std::ofstream(directory / "program.rs") << "fn main() { println!(\"{:?}\", std::env::args().count()); }\n";
  REQUIRE(runs(fmt::format("cd {} && rustc -O program.rs && rustc --version >version", directory.string())));
  std::string word, version;
  std::ifstream(directory / "version") >> word >> version;
  CHECK(look_at(program).language == "rust");
  CHECK_FALSE(look_at(program).stripped);
  // Debian 12's compiler is older than the note.
  const bool has_note = runs(fmt::format("readelf -p .comment {} | grep -q rustc", program.string()));
  CHECK(look_at(program).version == (has_note ? version : ""));
  REQUIRE(runs("strip -s " + program.string()));
  CHECK(look_at(program).language == "rust");
  CHECK(look_at(program).stripped);
  // Without the compiler's note the paths in panics still tell.
  REQUIRE(runs("objcopy -R .comment " + program.string()));
  CHECK(look_at(program).language == "rust");
  CHECK(look_at(program).version.empty());
}

TEST_CASE("Go is told with version and module") {
  if (!runs("go version"))
    SKIP_TEST("no Go toolchain is installed");
  const test::TemporaryDirectory folder;
  const fs::path directory = folder.path();
  std::ofstream(directory / "go.mod") << "module example.com/some/service\n\ngo 1.16\n";
  std::ofstream(directory / "main.go") << "package main\n\nfunc main() { println(1) }\n";
  REQUIRE(
      runs(fmt::format("cd {} && GOTOOLCHAIN=local GOCACHE=${{GOCACHE:-/tmp/inspect-go-cache}} go build -ldflags='-s "
                       "-w' -o program . && go env GOVERSION >version",
                       directory.string())));
  std::string version;
  std::getline(std::ifstream(directory / "version"), version);
  const RuntimeInfo info = look_at(directory / "program");
  CHECK(info.language == "go");
  CHECK(info.version == version);
  CHECK(info.module == "example.com/some/service");
  CHECK(info.stripped);
  CHECK(info.kind() == "go");
}

TEST_CASE("interpreters are told with their versions, and programs that only embed one are not") {
  int seen = 0;
  for (const char *path : {"/usr/bin/python3.11", "/usr/bin/python3.12", "/usr/bin/python3.13"}) {
    if (!fs::exists(path))
      continue;
    ++seen;
    CHECK(look_at(path).language == "python");
    CHECK("python" + look_at(path).version == fs::path(path).filename().string());
    // Under another name, as in a virtual environment that copies it.
    const FileDescriptor descriptor(::open(path, O_RDONLY | O_CLOEXEC));
    CHECK(detect_runtime(descriptor.get(), "worker")->language == "python");
  }
  if (fs::exists("/usr/bin/gdb")) { // links libpython
    ++seen;
    CHECK(look_at("/usr/bin/gdb").language == "c++");
  }
  if (runs("node --version")) {
    ++seen;
    CHECK(look_at(fs::canonical(fs::exists("/usr/bin/node") ? "/usr/bin/node" : "/usr/local/bin/node")).language ==
          "node");
  }
  if (fs::exists("/usr/bin/java")) {
    ++seen;
    const RuntimeInfo info = look_at(fs::canonical("/usr/bin/java"));
    CHECK(info.language == "java");
    CHECK(info.version.find('.') != std::string::npos);
  }
  if (seen == 0)
    SKIP_TEST("no interpreter is installed");
}

TEST_CASE("a program that only speaks of Rust or Go is neither") {
  // Our own test program holds the markers that are searched for.
  const RuntimeInfo info = look_at("/proc/self/exe");
  CHECK(info.language == "c++");
}

TEST_CASE("a 32-bit executable is marked") {
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  const auto file = test::file_in_memory({reinterpret_cast<const char *>(&header), sizeof header});
  const auto info = detect_runtime(file.get(), "program");
  REQUIRE(info.has_value());
  CHECK(info->is_32_bit);
  CHECK(info->stripped);
  CHECK(info->language == "other");
}

TEST_CASE("what is not an ELF file is an error of its own kind") {
  CHECK(detect_runtime(test::file_in_memory("#!/bin/sh\n").get(), "x").error().kind() == ErrorKind::unsupported);
  CHECK(detect_runtime(test::file_in_memory("").get(), "x").error().kind() == ErrorKind::unsupported);
  CHECK(detect_runtime(test::file_in_memory("\x7f"
                                            "ELF")
                           .get(),
                       "x")
            .error()
            .kind() == ErrorKind::unsupported);
}

TEST_CASE("truncated and damaged executables never do harm") {
  std::ifstream file("/bin/true", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(whole.size() > 4096);
  std::mt19937 random(7);
  std::size_t answers = 0;
  for (int round = 0; test::fuzz_goes_on(round, 300); ++round) {
    std::string damaged = whole;
    if (round % 3 == 0)
      damaged.resize(random() % whole.size());
    for (int i = 0; i < 20 && !damaged.empty(); ++i) // headers at both ends matter most
      damaged[random() % 2 == 0 ? random() % std::min<std::size_t>(damaged.size(), 1024)
                                : damaged.size() - 1 - random() % std::min<std::size_t>(damaged.size(), 2048)] =
          static_cast<char>(random());
    const auto info = detect_runtime(test::file_in_memory(damaged).get(), "true");
    CHECK((info.has_value() || !info.error().message().empty()));
    answers += info.has_value() ? 1 : 0;
  }
  CHECK(answers > 0);
}

} // namespace
} // namespace inspect
