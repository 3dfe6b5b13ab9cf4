// Prints the variables of programs in C and C++ and compares them with what the sources say and with gdb.
#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"
#include "tests/values/fixture_values.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <unistd.h>

namespace inspect {
namespace {

struct Row {
  const char *name;
  const char *text;
  const char *type;
};

constexpr Row c_rows[] = {
    {"whole", "-42", "int"},
    {"positive", "4000000000", "unsigned int"},
    {"large", "-9000000000000000000", "long"},
    {"largest", "18446744073709551615", "unsigned long"},
    {"small", "-7", "short"},
    {"letter", "97 'a'", "char"},
    {"line_end", "10 '\\n'", "char"},
    {"tiny", "-1 '\\377'", "signed char"},
    {"byte", "200 '\\310'", "unsigned char"},
    {"yes", "true", "_Bool"},
    {"single", "3.25", "float"},
    {"tenth", "0.10000000000000001", "double"},
    {"endless", "inf", "double"},
    {"pair", "1.5 + 2.5i", "complex float"},
    {"wide", "-1267650600228229401496703205376", "__int128"},
    {"unsigned_wide", "340282366920938463463374607431768211455", "__int128 unsigned"},
    {"letter32", "8364 U'€'", "char32_t"},
    {"color", "green", "enum Color"},
    {"odd_color", "9", "enum Color"},
    {"flags", "(flag_a | flag_c)", "enum Flags"},
    {"odd_flags", "(flag_a | unknown: 0x8)", "enum Flags"},
    {"no_flags", "0", "enum Flags"},
    {"point", "{x = 1, y = -2, z = 3.5}", "struct Point"},
    {"bits", "{a = 5, b = -3, c = 737894404660, d = true, e = green}", "struct Bits"},
    {"empty", "{<No data fields>}", "struct Empty"},
    {"size", "{width = 640, height = 480}", "Size"},
    {"matrix", "{{1, 2, 3}, {4, 5, 6}}", "int [2][3]"},
    {"zeros", "{0 <repeats 20 times>}", "int [20]"},
    {"text", "\"hello\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\"", "char [16]"},
    {"full", "\"abcd\"", "char [4]"},
    {"filled", "'f' <repeats 20 times>, '\\000' <repeats 11 times>", "char [32]"},
    {"wide_text", "L\"wide\\000\"", "wchar_t [6]"},
    {"no_word", "0x0", "const char *"},
    {"bad_word", "0x10 <unreadable at 0x10>", "char *"},
    {"last", "{value = 3, next = 0x0}", "struct Node"},
    {"guarded", "8", "const volatile int"},
};

/// Types whose spelling differs between compilers are compared with these taken away.
std::string usual_spelling(std::string type) {
  const std::pair<std::string, std::string> spellings[] = {{"long int", "long"},
                                                           {"long unsigned int", "unsigned long"},
                                                           {"short int", "short"},
                                                           {"complex", "complex float"},
                                                           {"unsigned __int128", "__int128 unsigned"}};
  for (const auto &[one, other] : spellings)
    if (type == one)
      return other;
  return type;
}

/// What gdb's `output` prints of each variable; those that it refuses are left out.
std::map<std::string, std::string> values_by_gdb(pid_t process, const std::vector<std::string> &names,
                                                 const std::string &language) {
  const test::TemporaryDirectory folder;
  std::string script = "set width 0\nset print object on\nset language " + language + "\n";
  for (const std::string &name : names)
    script += "python\ntry: print('@" + name + "=' + gdb.execute('output " + name +
              "', to_string=True))\nexcept gdb.error: pass\nend\n";
  const auto result = test::run_command({"env", "LC_ALL=C.UTF-8", "gdb", "-q", "-nx", "-batch", "-p",
                                         std::to_string(process), "-x", folder.write("commands", script)});
  std::map<std::string, std::string> values;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);)
    if (const std::size_t equals = line.find('='); line.starts_with('@') && equals != std::string::npos)
      values[line.substr(1, equals - 1)] = line.substr(equals + 1);
  return values;
}

bool is_installed(const std::string &fixture) {
  return ::access(test::fixture_path(fixture).c_str(), X_OK) == 0;
}

void compare_with_gdb(const std::string &fixture, SourceLanguage language) {
  // Statics of functions, whose symbols each compiler spells in its way; and errors, which are worded otherwise.
  const std::vector<std::string> left_out = {"bad_word", "long_word", "flexible", "to_plain", "to_box"};
  test::FixtureValues program({test::fixture_path(fixture)}, language);
  program.child().wait_for_line();
  program.open();
  const auto names = program.variable_names();
  const auto expected = values_by_gdb(program.child().pid(), names, language == SourceLanguage::c ? "c" : "c++");
  PrintOptions options;
  options.headed = true;
  options.limits.elements = 200;
  options.limits.string_bytes = 200;
  std::size_t compared = 0;
  for (const auto &[name, text] : expected) {
    // Clang leaves out descriptions of classes, of which we say so.
    const std::string own = value_text(program.variable(name), program.environment(), options);
    if (std::ranges::find(left_out, name) != left_out.end() || own.find("<incomplete type>") != std::string::npos)
      continue;
    INFO(fixture << ": " << name);
    CHECK(own == text);
    ++compared;
  }
  CHECK(compared >= 25);
}

TEST_CASE("the variables of a C program print as its source says") {
  for (const std::string fixture : {"values_c", "values_c_clang"}) {
    if (!is_installed(fixture))
      continue;
    test::FixtureValues program({test::fixture_path(fixture)}, SourceLanguage::c);
    program.child().wait_for_line();
    program.open();
    for (const Row &row : c_rows) {
      INFO(fixture << ": " << row.name);
      const Value value = program.variable(row.name);
      CHECK(value_text(value, program.environment(), {}) == row.text);
      CHECK(usual_spelling(native_operations().type_name(value.type, program.environment())) == row.type);
    }
  }
}

TEST_CASE("gdb prints the same of C and C++ variables") {
  if (!test::have_program("gdb"))
    SKIP_TEST("gdb is not installed");
  compare_with_gdb("values_c", SourceLanguage::c);
  compare_with_gdb("values_cpp", SourceLanguage::cpp);
  if (is_installed("values_cpp_clang"))
    compare_with_gdb("values_cpp_clang", SourceLanguage::cpp);
}

TEST_CASE("formats apply to each part of a value") {
  struct FormatRow {
    const char *name;
    NumberFormat format;
    const char *text;
  };
  constexpr FormatRow rows[] = {
      {"whole", NumberFormat::hexadecimal, "0xffffffd6"},
      {"whole", NumberFormat::unsigned_decimal, "4294967254"},
      {"whole", NumberFormat::octal, "037777777726"},
      {"numbers", NumberFormat::hexadecimal, "{0x1, 0x2, 0x3, 0x4, 0x5}"},
      {"point", NumberFormat::hexadecimal, "{x = 0x1, y = 0xfffe, z = 0x400c000000000000}"},
      {"color", NumberFormat::decimal, "5"},
      {"color", NumberFormat::binary, "101"},
      {"letter", NumberFormat::decimal, "97"},
      {"small", NumberFormat::character, "-7 '\\371'"},
      {"full", NumberFormat::hexadecimal, "{0x61, 0x62, 0x63, 0x64}"},
      {"text16", NumberFormat::character, "{117 'u', 49 '1', 54 '6', 0 '\\000', 0 '\\000'}"},
      {"either", NumberFormat::floating, "{number = 3.14159274, real = 3.14159274, bytes = {219, 15, 73, 64}}"},
      {"no_word", NumberFormat::hexadecimal, "0x0"},
  };
  test::FixtureValues program({test::fixture_path("values_c")}, SourceLanguage::c);
  program.child().wait_for_line();
  program.open();
  for (const FormatRow &row : rows) {
    INFO(row.name << " in format " << static_cast<int>(row.format));
    PrintOptions options;
    options.format = row.format;
    CHECK(value_text(program.variable(row.name), program.environment(), options) == row.text);
  }
}

TEST_CASE("limits end long values") {
  test::FixtureValues program({test::fixture_path("values_c")}, SourceLanguage::c);
  program.child().wait_for_line();
  program.open();
  PrintOptions options;
  options.limits = {.string_bytes = 5, .elements = 3, .recursion = 0, .fields = 2, .text_bytes = 65'536};
  const auto text = [&](const char *name) {
    return value_text(program.variable(name), program.environment(), options);
  };
  CHECK(text("many") == "{0, 1, 2...}");
  CHECK(text("point") == "{x = 1, y = -2, ...}");
  CHECK(text("first").starts_with("{value = 1, next = 0x"));
  CHECK(text("nested") == "{at = {...}, {...}, ...}");
  CHECK(text("word").ends_with(" \"a wor\"..."));
  options.limits = {};
  options.limits.text_bytes = 10;
  CHECK(text("many").size() < 40);
  CHECK(text("many").ends_with("…"));
}

} // namespace
} // namespace inspect
