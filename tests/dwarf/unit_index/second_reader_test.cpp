// Two libraries by different authors read the same file; what they say must be the same.
#include "machine/file_descriptor.h"
#include "tests/dwarf/built_programs.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"
#include "tests/support/this_build.h"

#include <algorithm>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <memory>

namespace inspect::test {
namespace {

/// The lines of tests/second_reader/main.cpp, from libdw.
class LibdwReader {
public:
  explicit LibdwReader(const std::string &path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), dwarf_(dwarf_begin(file_.get(), DWARF_C_READ)) {
    REQUIRE(dwarf_ != nullptr);
  }
  LibdwReader(const LibdwReader &) = delete;
  LibdwReader &operator=(const LibdwReader &) = delete;
  ~LibdwReader() { dwarf_end(dwarf_); }

  std::vector<std::string> read() {
    Dwarf_CU *unit = nullptr;
    Dwarf_Die root;
    while (dwarf_get_units(dwarf_, unit, &unit, nullptr, nullptr, &root, nullptr) == 0)
      describe(root);
    return std::move(lines_);
  }

private:
  static std::string name_of(Dwarf_Die &die) {
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(&die, DW_AT_name, &attribute));
    return name != nullptr ? name : "";
  }

  void describe(Dwarf_Die &root) {
    const Dwarf_Off offset = dwarf_dieoffset(&root);
    Dwarf_Attribute attribute;
    Dwarf_Word language = 0;
    dwarf_formudata(dwarf_attr(&root, DW_AT_language, &attribute), &language);
    const char *name = dwarf_formstring(dwarf_attr(&root, DW_AT_name, &attribute));
    lines_.push_back(fmt::format("unit {:x} {:x} {}", offset, language, name != nullptr ? name : ""));
    Dwarf_Addr base = 0, low = 0, high = 0;
    for (ptrdiff_t next = 0; (next = dwarf_ranges(&root, next, &base, &low, &high)) > 0;)
      if (low < high)
        lines_.push_back(fmt::format("range {:x} {:x} {:x}", offset, low, high));
    add_rows(root);
    Dwarf_Die child;
    if (dwarf_child(&root, &child) == 0)
      add_functions(child);
  }

  void add_rows(Dwarf_Die &root) {
    Dwarf_Lines *rows = nullptr;
    std::size_t count = 0;
    Dwarf_Attribute attribute;
    const char *directory = dwarf_formstring(dwarf_attr(&root, DW_AT_comp_dir, &attribute));
    const std::filesystem::path base = directory != nullptr ? directory : "";
    if (dwarf_getsrclines(&root, &rows, &count) != 0)
      return;
    for (std::size_t index = 0; index < count; ++index) {
      Dwarf_Line *row = dwarf_onesrcline(rows, index);
      Dwarf_Addr address = 0;
      int number = 0;
      bool end = false;
      dwarf_lineaddr(row, &address);
      dwarf_lineno(row, &number);
      dwarf_lineendsequence(row, &end);
      const char *source = dwarf_linesrc(row, nullptr, nullptr);
      // libdw leaves relative what libdwarf completes with the unit's folder.
      const std::string path = (base / (source != nullptr ? source : "")).lexically_normal().string();
      lines_.push_back(end ? fmt::format("end {:x}", address) : fmt::format("line {:x} {} {}", address, number, path));
    }
  }

  void add_functions(Dwarf_Die die) {
    do {
      Dwarf_Addr low = 0;
      if (dwarf_tag(&die) == DW_TAG_subprogram && dwarf_lowpc(&die, &low) == 0)
        lines_.push_back(fmt::format("function {:x} {:x} {}", dwarf_dieoffset(&die), low, name_of(die)));
      Dwarf_Die child;
      if (dwarf_child(&die, &child) == 0)
        add_functions(child);
    } while (dwarf_siblingof(&die, &die) == 0);
  }

  FileDescriptor file_;
  Dwarf *dwarf_;
  std::vector<std::string> lines_;
};

long count_of(const std::vector<std::string> &lines, std::string_view kind) {
  return std::ranges::count_if(lines, [&](const std::string &line) { return line.starts_with(kind); });
}

void check_same(const std::string &path) {
  INFO(path);
  const CommandResult said = run_command({built_program("second_reader"), path});
  REQUIRE(said.status == 0);
  std::vector<std::string> theirs = split_lines(said.out);
  std::vector<std::string> ours = LibdwReader(path).read();
  std::ranges::sort(theirs);
  std::ranges::sort(ours);
  std::vector<std::string> only_theirs, only_ours;
  std::ranges::set_difference(theirs, ours, std::back_inserter(only_theirs));
  std::ranges::set_difference(ours, theirs, std::back_inserter(only_ours));
  CHECK((only_theirs.empty() ? "" : "only libdwarf: " + only_theirs.front()) == "");
  CHECK((only_ours.empty() ? "" : "only libdw: " + only_ours.front()) == "");
  CHECK(only_theirs.size() + only_ours.size() == 0);
  CHECK(count_of(ours, "unit ") > 0);
  CHECK(count_of(ours, "range ") > 0);
  CHECK(count_of(ours, "line ") > 0);
}

void check_compiler(const std::string &compiler_and_flags) {
  if (!have_program(compiler_and_flags.substr(0, compiler_and_flags.find(' '))))
    SKIP_TEST("the compiler is not installed");
  const TemporaryDirectory folder;
  check_same(build_program(folder, compiler_and_flags));
}

TEST_CASE("libdwarf and libdw read the same of what GCC writes, in DWARF 5 and 4, compressed and split") {
  for (const char *flags : {"g++ -O2 -g -gdwarf-5", "g++ -O2 -g -gdwarf-4", "g++ -O0 -g -gz", "g++ -O2 -g -gdwarf-3",
                            "g++ -O2 -g -gsplit-dwarf", "g++ -O2 -g -gsplit-dwarf -gdwarf-4",
                            "g++ -O2 -g -ffunction-sections -Wl,--gc-sections"})
    check_compiler(flags);
}

TEST_CASE("libdwarf and libdw read the same of what clang writes, in DWARF 5 and 4 and split") {
  for (const char *flags : {"clang++ -O2 -g -gdwarf-5", "clang++ -O2 -g -gdwarf-4", "clang++ -O2 -g -gsplit-dwarf"})
    check_compiler(flags);
}

TEST_CASE("libdwarf and libdw read the same of a program with the standard library in it") {
  check_same(fixture_path("demo_service"));
}

/// Whether a file is one of ours that runs: an ELF executable in the folder of the built programs.
std::vector<std::string> built_executables() {
  std::vector<std::string> paths;
  for (const auto &entry : std::filesystem::directory_iterator(built_programs_folder()))
    if (entry.is_regular_file() && ::access(entry.path().c_str(), X_OK) == 0)
      paths.push_back(entry.path().string());
  return paths;
}

TEST_CASE("no program we build holds both libdw and libdwarf, and only the index worker and its peer hold libdwarf") {
  if (!have_program("nm") || !have_program("ldd"))
    SKIP_TEST("nm or ldd is not installed");
  const std::vector<std::string> paths = built_executables();
  REQUIRE_FALSE(paths.empty());
  int with_libdwarf = 0, with_libdw = 0;
  for (const std::string &path : paths) {
    INFO(path);
    const CommandResult libraries = run_command({"ldd", path});
    REQUIRE(libraries.status == 0);
    // Linked in statically, the libraries would show by functions that only one of the two has.
    const CommandResult symbols = run_command({"nm", "--defined-only", path});
    const bool libdw = libraries.out.find("libdw.so") != std::string::npos ||
                       symbols.out.find(" T dwarf_attr_integrate") != std::string::npos;
    const bool libdwarf = libraries.out.find("libdwarf.so") != std::string::npos ||
                          symbols.out.find(" T dwarf_srclines_b") != std::string::npos;
    CHECK_FALSE((libdw && libdwarf));
    const std::string name = std::filesystem::path(path).filename().string();
    CHECK(libdwarf == (name == "inspect-dwarfindex" || name == "second_reader"));
    with_libdwarf += libdwarf;
    with_libdw += libdw;
  }
  CHECK(with_libdwarf > 0);
  CHECK(with_libdw > 0);
}

} // namespace
} // namespace inspect::test
