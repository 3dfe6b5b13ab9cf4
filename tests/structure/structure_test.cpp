// Every source of every layer keeps the rules; and each rule notices when it is broken.
#include "tests/structure/structure_rules.h"

#include "tests/support/catch.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>

namespace inspect::structure {
namespace {

std::string read_text(const std::filesystem::path &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool breaks(std::string_view path, std::string_view text, std::string_view rule) {
  for (const Violation &found : check_source(path, text))
    if (found.rule.find(rule) != std::string::npos)
      return true;
  return false;
}

TEST_CASE("every source file keeps the rules of its layer") {
  const std::filesystem::path root = INSPECT_SOURCE_DIRECTORY;
  int checked = 0;
  for (const std::string_view layer : layer_names()) {
    for (const auto &entry : std::filesystem::recursive_directory_iterator(root / layer)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp" && extension != ".c")
        continue;
      ++checked;
      const std::string path = entry.path().lexically_relative(root);
      for (const Violation &found : check_source(path, read_text(entry.path())))
        FAIL_CHECK(fmt::format("{}:{}: {}", path, found.line, found.rule));
    }
  }
  CHECK(checked > 30); // a wrong root would make this test pass over nothing
}

TEST_CASE("no two headers define the same type") {
  CHECK(defined_types("struct A;\nclass [[nodiscard]] B {\n  struct Inner {};\n};\nenum class C : int { d };\n"
                      "template <typename T> class D {\n};\n// struct E {\nstruct F final {\nstruct F::Inner {") ==
        std::vector<std::string>{"B", "C", "D", "F"});
  const std::filesystem::path root = INSPECT_SOURCE_DIRECTORY;
  std::map<std::string, std::string> header_of;
  for (const std::string_view layer : layer_names()) {
    for (const auto &entry : std::filesystem::recursive_directory_iterator(root / layer)) {
      if (entry.path().extension() != ".h")
        continue;
      const std::string path = entry.path().lexically_relative(root);
      for (const std::string &type : defined_types(read_text(entry.path()))) {
        INFO(type << " in " << path << " and in " << header_of[type]);
        CHECK(header_of[type].empty());
        header_of[type] = path;
      }
    }
  }
  CHECK(header_of.size() > 100);
}

TEST_CASE("no two files of a room define the same name for themselves") {
  CHECK(
      internal_names("int outside;\nnamespace {\n#define X {\nconstexpr int max_depth = 4; // a name\n"
                     "constexpr auto rows = std::to_array<Row>({{1, \"}\"}, {2, 0}});\n"
                     "using Json = nlohmann::json;\nclass [[nodiscard]] Walk : public Base {\n  int inner = 0;\n};\n"
                     "template <typename T> bool fits(const T &value,\n    int bits = 8) {\n  int local;\n}\n"
                     "bool fits(std::map<int, int> *one) {\n}\nconst char *const words[] = {nullptr};\n} // namespace\n"
                     "int after;\nnamespace {\nenum class Kind { one };\n}\n") ==
      std::vector<std::string>{"Json = nlohmann::json", "max_depth", "rows", "Walk", "fits(const T &, int)",
                               "fits(std::map<int, int> *)", "words", "Kind"});
  const std::filesystem::path root = INSPECT_SOURCE_DIRECTORY;
  struct Definition {
    std::string name;
    std::string path;
  };
  std::map<std::string, Definition> first_of;
  std::vector<std::string_view> folders = layer_names();
  folders.emplace_back("tests");
  for (const std::string_view folder : folders) {
    for (const auto &entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string path = entry.path().lexically_relative(root);
      if (entry.path().extension() != ".cpp" || path.starts_with("dwarf/indexer/")) // programs, each by itself
        continue;
      for (const std::string &name : internal_names(read_text(entry.path()))) {
        const bool is_alias = name.find(" = ") != std::string::npos;
        Definition &first = first_of[entry.path().parent_path().string() + ' ' + name.substr(0, name.find(" = "))];
        INFO(name << " in " << path << ", and " << first.name << " in " << first.path);
        CHECK((first.path.empty() || first.path == path || (is_alias && first.name == name)));
        first = {name, path};
      }
    }
  }
  CHECK(first_of.size() > 500);
}

TEST_CASE("an include against the direction of dependencies is found") {
  CHECK(breaks("machine/a.cpp", "#include \"attach/ptrace/stopped_process.h\"\n", "machine/ may not include attach/"));
  CHECK(breaks("attach/procfs/a.cpp", "#include \"dwarf/module/module.h\"\n", "attach/ may not include dwarf/"));
  CHECK(breaks("dwarf/elf/a.h", "// A.\n#  include \"attach/ptrace/stopped_process.h\"\n",
               "dwarf/ may not include attach/"));
  CHECK(breaks("golang/a.cpp", "#include \"inspector/target/target.h\"\n", "golang/ may not include inspector/"));
  CHECK(breaks("inspector/target/a.cpp", "#include <commands/cli/output.h>\n", "inspector/ may not include commands/"));
  CHECK(breaks("commands/cli/a.cpp", "#include \"tests/support/skip.h\"\n", "may not include tests/"));
  CHECK(check_source("inspector/target/a.cpp",
                     "#include \"attach/ptrace/stopped_process.h\"\n#include \"dwarf/module/module.h\"\n")
            .empty());
  CHECK(check_source("dwarf/elf/a.cpp", "// #include \"attach/ptrace/stopped_process.h\"\n").empty());
}

TEST_CASE("an include against the order of a layer's rooms is found") {
  CHECK(breaks("dwarf/elf/a.cpp", "#include \"dwarf/unwind/unwinder.h\"\n",
               "dwarf/elf may not include dwarf/unwind, which stands after it"));
  CHECK(breaks("dwarf/cfi/x86_64/a.cpp", "#include \"dwarf/unwind/x86_64/heuristic_unwinder.h\"\n",
               "dwarf/cfi may not include dwarf/unwind"));
  CHECK(breaks("golang/pclntab/a.h", "// A.\n#include \"golang/types/go_type.h\"\n", "may not include golang/types"));
  CHECK(breaks("values/a.h", "// A.\n#include \"values/go/go_text.h\"\n", "values/. may not include values/go"));
  CHECK(breaks("dwarf/names/a.cpp", "#include \"dwarf/indexer/confinement.h\"\n", "a program of its own"));
  CHECK(breaks("dwarf/elsewhere/a.cpp", "int a;\n", "no room elsewhere"));
  CHECK(check_source("dwarf/unwind/a.cpp", "#include \"dwarf/elf/range_table.h\"\n").empty());
  CHECK(check_source("dwarf/unwind/a.cpp", "#include \"dwarf/unwind/x86_64/heuristic_unwinder.h\"\n").empty());
  CHECK(check_source("dwarf/unwind/x86_64/a.cpp", "#include \"dwarf/unwind/unwinder.h\"\n").empty());
  CHECK(check_source("values/go/a.cpp", "#include \"values/value.h\"\n").empty());
}

TEST_CASE("every room is described, in its place in the order") {
  const std::string text = read_text(std::filesystem::path(INSPECT_SOURCE_DIRECTORY) / "docs/architecture.md");
  std::size_t described = 0;
  for (const std::string_view layer : layer_names()) {
    std::size_t before = 0;
    for (const std::string &room : rooms_of(layer)) {
      if (room == ".")
        continue;
      const std::size_t at = text.find(fmt::format("| `{}/{}/` |", layer, room));
      INFO(layer << "/" << room);
      CHECK(at != std::string::npos);
      CHECK(at >= before);
      before = at;
      ++described;
    }
  }
  CHECK(described > 40);
}

TEST_CASE("ptrace and /proc outside attach/ are found, in code and not in comments") {
  CHECK(breaks("inspector/target/a.cpp", "long r = ptrace(PTRACE_SEIZE, 1, 0, 0);\n", "ptrace"));
  CHECK(breaks("dwarf/elf/a.cpp", "#include <sys/ptrace.h>\n", "ptrace"));
  CHECK(breaks("inspector/target/a.cpp", "process_vm_readv(1, a, 1, b, 1, 0);\n", "process_vm_readv"));
  CHECK(breaks("inspector/target/a.cpp", "auto p = fmt::format(\"/proc/{}/maps\", 1);\n", "/proc"));
  CHECK(breaks("commands/cli/a.cpp", "DIR *d = opendir(\"/proc\");\n", "/proc"));
  CHECK(check_source("attach/procfs/a.cpp", "ptrace(PTRACE_SEIZE, 1, 0, 0); open(\"/proc/1/mem\", 0);\n").empty());
  CHECK(check_source("inspector/target/a.cpp", "// ptrace(1) and \"/proc/1\"\n/* ptrace(\n*/ int a;\n").empty());
  CHECK(check_source("inspector/target/a.cpp", "auto s = \"ptrace(2) says so; see /proc/sys\";\n").empty());
}

TEST_CASE("printing below commands/ is found") {
  CHECK(breaks("inspector/target/a.cpp", "fmt::print(\"x\");\n", "prints"));
  CHECK(breaks("machine/a.cpp", "std::printf(\"x\");\n", "prints"));
  CHECK(breaks("attach/procfs/a.cpp", "std::fputs(\"x\", stderr);\n", "prints"));
  CHECK(breaks("dwarf/elf/a.cpp", "std::cerr << 1;\n", "prints"));
  CHECK(check_source("commands/cli/a.cpp", "std::fputs(\"x\", stderr);\n").empty());
  CHECK(check_source("dwarf/elf/a.cpp", "std::snprintf(buffer, 4, \"x\");\n").empty());
}

TEST_CASE("a library outside the folder that owns it is found") {
  CHECK(breaks("dwarf/raw/elf/a.cpp", "#include <elfutils/libdw.h>\n", "dwarf/raw/ uses no library"));
  CHECK(breaks("inspector/target/a.cpp", "#include <elfutils/libdw.h>\n", "libdw"));
  CHECK(breaks("golang/a.cpp", "#include <dwarf.h>\n", "libdw"));
  CHECK(breaks("commands/cli/a.cpp", "#include <elf.h>\n", "ELF"));
  CHECK(breaks("machine/a.cpp", "#include <gelf.h>\n", "libelf"));
  CHECK(breaks("dwarf/elf/a.cpp", "#include <libdwarf-0/libdwarf.h>\n", "libdwarf"));
  CHECK(check_source("dwarf/elf/a.cpp", "#include <elfutils/libdw.h>\n").empty());
  CHECK(check_source("dwarf/indexer/a.cpp", "#include <libdwarf/libdwarf.h>\n").empty());
}

TEST_CASE("a file that is too long and a header without its opening are found") {
  std::string text = "// A.\n";
  for (int i = 0; i < 800; ++i)
    text += "int a;\n";
  CHECK(breaks("machine/a.cpp", text, "801 lines"));
  CHECK(breaks("machine/a.h", "#pragma once\n", "opens with"));
}

TEST_CASE("comments and strings are told from code") {
  CHECK(without_comments("a // b\nc", false) == "a     \nc");
  CHECK(without_comments("a /* b\n */ c", false) == "a     \n    c");
  CHECK(without_comments("f(\"a\\\"b//c\")", false) == "f(\"       \")");
  CHECK(without_comments("1'000'000 // x", false) == "1'000'000     ");
  CHECK(without_comments("R\"(// \"x)\" y", false) == "R\"(     )\" y");
  CHECK(without_comments("\"//\" '\"' // c", true) == "\"//\" '\"'     ");
}

} // namespace
} // namespace inspect::structure
