// Expressions of C and C++ that gdb answers as well, on the same process; and what Rust's and coroutines' programs are.
#include "tests/commands/values/value_rows.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/gdb_answers.h"
#include "tests/support/process_health.h"
#include "tests/support/skip.h"

#include <filesystem>
#include <set>

using namespace inspect::test;
using Catch::Matchers::Contains;

namespace {

void wait_until_it_rests(ChildProcess &program) {
  program.wait_for_line("ready");
  REQUIRE(wait_until([&] { return status_field(program.pid(), "State").starts_with("S"); }));
}

void compare(const std::string &fixture, const std::string &frame, const std::vector<std::string> &commands) {
  ChildProcess program({fixture_path(fixture)});
  wait_until_it_rests(program);
  std::vector<ValueRow> rows;
  std::vector<GdbQuestion> questions;
  for (const std::string &command : commands) {
    rows.push_back({frame, command, {}});
    questions.push_back({frame, command});
  }
  std::string errors;
  const std::vector<std::string> own = evaluate_rows(program.pid(), rows, errors);
  const std::vector<std::string> expected = gdb_answers(program.pid(), questions);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    INFO(fixture << " in " << frame << ": " << commands[i] << "\n" << errors);
    CHECK(own[i] == expected[i]);
  }
}

} // namespace

TEST_CASE("arrays, vectors and unusual numbers of C are worth what gdb says") {
  if (!has_gdb() || !std::filesystem::exists(fixture_path("expressions_c")))
    SKIP_TEST("gdb or the fixture is missing");
  compare("expressions_c", "main",
          {"p *grid",
           "p *(grid+1)",
           "p grid+1",
           "whatis grid+1",
           "p *(*(grid+2)+1)",
           "p **grid",
           "p (grid+3)[0][2]",
           "p *(*(*(block+1))+1)",
           "whatis *block",
           "whatis block[0]+1",
           "p block+1 - block",
           "p &grid[2] - grid",
           "p sizeof(*grid)",
           "p sizeof(grid)/sizeof(grid[0])",
           "p *row@3",
           "p (long)row == (long)&row[0]",
           "p small_vector",
           "p large_vector",
           "p large_vector[1]",
           "p large_vector+1",
           "p large_vector*large_vector",
           "p (int)small_vector",
           "p impedance",
           "p impedance*impedance",
           "p impedance+1",
           "p -impedance",
           "p impedance/2",
           "p impedance == impedance",
           "p (double)impedance",
           "p small_impedance+small_impedance",
           "p price",
           "p balance",
           "p tiny",
           "p/x price",
           "p exact.number",
           "p smallest.number",
           "p smallest",
           "p/x rate",
           "p/x huge_number",
           "p/x mixed",
           "p/d rate",
           "p/t rate",
           "p both",
           "p (enum flags)2",
           "p (enum flags)5",
           "p (enum flags)8",
           "p ten_zeros",
           "p eleven_zeros",
           "p/x eleven_zeros",
           "ptype /o struct layout",
           "ptype /o laid_out",
           "p/x narrow",
           "p/x narrow.few",
           "p/t narrow",
           "p/z narrow",
           "p/z narrow.more",
           "p/u narrow",
           "p/o narrow.few",
           "p/c narrow.few",
           "p/c fraction",
           "p/c negative",
           "p/a fraction",
           "p/x fraction",
           "p/z fraction",
           "p/z minus_one",
           "p/z row",
           "p/z signed_text",
           "p tenth",
           "p least",
           "p tenth * 3",
           "whatis ushort",
           "whatis row[0] / (ushort - 65535)",
           "p wide_letter - 200",
           "whatis wide_letter + 1",
           "whatis rows_of_long",
           "whatis to_short",
           "ptype struct layout",
           "p to_short",
           "p &ushort",
           "p &rows_of_long",
           "p to_signed",
           "p to_unsigned",
           "p to_letter",
           "p &letter[1]",
           "p named_text",
           "p &unsigned_text"});
}

TEST_CASE("values of which the compiler kept parts are told part by part, as gdb does") {
  if (!has_gdb())
    SKIP_TEST("gdb is not installed");
  for (const std::string fixture : {"kept_parts_gcc", "kept_parts_clang"}) {
    if (!std::filesystem::exists(fixture_path(fixture)))
      continue;
    if (fixture == "kept_parts_gcc") // of clang's rows gdb says that two are pointers
      compare(fixture, "hold", {"p kept"});
    compare(fixture, "hold",
            {"p kept.rows[1]", "p kept.few", "p/x kept.more", "p kept.amount", "p kept.letters", "whatis kept.letters",
             "p sizeof(kept.letters)", "whatis lost", "p sizeof(lost)", "whatis *lost", "p sizeof(*lost)",
             "whatis lost->ratio + 1", "p sizeof(lost->rows[1])", "whatis &lost->rows", "whatis lost->rows[1] << 2"});
  }
}

TEST_CASE("names and members of C++ are those that gdb finds") {
  if (!has_gdb())
    SKIP_TEST("gdb is not installed");
  for (const std::string fixture : {"names_cpp", "names_cpp_clang"}) {
    if (!std::filesystem::exists(fixture_path(fixture)))
      continue;
    compare(fixture, "with_declaration", {"p value", "p second::value", "p alias::value", "p second::inner::deep"});
    compare(fixture, "outer::call",
            {"p only", "p letter", "p value", "p around", "p alias::only", "p count", "p third::value"});
    compare(fixture, "main",
            {"p top.Ground::x",
             "p top.Middle::x",
             "p top.Top::x",
             "p top.Ground::a",
             "p (&top)->Middle::b",
             "p top.x",
             "p shared.Ground::x",
             "p shared.Ground::a",
             "p settings",
             "p settings.ratio",
             "p Settings::number",
             "p to_x",
             "p to_c",
             "p top.*to_x",
             "p top.*to_c",
             "p (&top)->*to_x",
             "p virtual_method",
             "p &Ground::x",
             "p &Top::c",
             "whatis &Ground::x",
             "whatis to_c",
             "whatis method",
             "p sizeof(to_c)",
             "p sizeof(method)",
             "p sizeof(Top)",
             "whatis ((Top*)0)->c",
             "whatis nothing->Ground::x",
             "p &((Top*)0)->c",
             "p sizeof(nothing->c)",
             "whatis (const int)amount",
             "whatis (const char*)text",
             "whatis (volatile int*)&amount",
             "whatis const Ground",
             "whatis int(*)(int)",
             "whatis char (*(*)())[23]",
             "whatis int[3]",
             "whatis int*[2]",
             "whatis amount",
             "whatis Amount",
             "whatis Count",
             "p L'x'"});
  }
}

TEST_CASE("a name that several scopes have is told with all of them") {
  if (!std::filesystem::exists(fixture_path("names_cpp")))
    SKIP_TEST("the fixture is missing");
  ChildProcess program({fixture_path("names_cpp")});
  wait_until_it_rests(program);
  std::string errors;
  evaluate_rows(program.pid(), {{"main", "p value", {}}, {"main", "p letter", {}}}, errors);
  CHECK_THAT(errors, Contains("first::value") && Contains("second::value") && Contains("third::value"));
  CHECK_THAT(errors, Contains("first::letter") && Contains("second::letter"));
}

TEST_CASE("Rust's unsized values, trait objects and variants print as the program itself does") {
  if (!std::filesystem::exists(fixture_path("unsized_rust")))
    SKIP_TEST("there is no rustc");
  const std::set<std::string> labelled{"counted"};
  ChildProcess program({fixture_path("unsized_rust")});
  std::vector<ValueRow> rows;
  for (std::string line = program.read_line(); line != "ready"; line = program.read_line()) {
    const std::size_t tab = line.find('\t');
    rows.push_back({"unsized_rust::main", "p " + line.substr(0, tab), line.substr(tab + 1)});
  }
  rows.push_back({"unsized_rust::main", "p small", "77"});
  rows.push_back({"unsized_rust::main", "p large", "Pair(78, 79)"});
  rows.push_back({"unsized_rust::main", "p 200u8 + 100u8", "44"});
  rows.push_back({"unsized_rust::main", "p shared.data", "UnsafeCell { value: [7, 8] }"});
  REQUIRE(wait_until([&] { return status_field(program.pid(), "State").starts_with("S"); }));
  CHECK(rows.size() > 30);
  check_rows(program.pid(), rows);
  std::string errors;
  const auto answers = evaluate_rows(program.pid(),
                                     {{"unsized_rust::main", "p future", {}},
                                      {"unsized_rust::main", "p shape.nothing", {}},
                                      {"unsized_rust::main", "p 1u8 + 1u16", {}}},
                                     errors);
  CHECK_THAT(answers.front(), Contains("Suspend0 {"));
  CHECK_THAT(errors, Contains("has no member nothing"));
  CHECK_THAT(errors, Contains("u8 and u16 do not mix"));
}

TEST_CASE("coroutines say which they are, where they were suspended and who awaits them") {
  if (!std::filesystem::exists(fixture_path("coroutine_cpp")))
    SKIP_TEST("the fixture is missing");
  ChildProcess program({fixture_path("coroutine_cpp")});
  wait_until_it_rests(program);
  const std::string inner = "std::coroutine_handle of inner(int, std::string)";
  check_rows(
      program.pid(),
      {{"-", "p parked",
        "std::coroutine_handle of sleeper(int), last suspended at coroutine_cpp.cpp:59 = {promise = {continuation = "
        "std::coroutine_handle (null)}}"},
       {"-", "p finished",
        "std::coroutine_handle of ended(), done = {promise = {continuation = std::coroutine_handle (null)}}"},
       {"-", "p none", "std::coroutine_handle (null)"},
       {"inner", "p order", "21"},
       {"inner", "p customer", "\"customer\""},
       {"inner", "p _Coro_promise",
        "{continuation = std::coroutine_handle of outer(int), last suspended at coroutine_cpp.cpp:54 = {promise = "
        "{continuation = std::coroutine_handle (null)}}}"}});
  std::string errors;
  const auto locals = evaluate_rows(program.pid(), {{"inner", "locals", {}}}, errors);
  INFO(errors);
  CHECK_THAT(locals.front(), Contains("order = 21\n") && Contains("customer = \"customer\"\n") &&
                                 Contains("doubled = 42") && Contains("_Coro_self_handle = " + inner));
}

TEST_CASE("coroutines that are optimised, or made by clang, say the same") {
  for (const std::string fixture : {"coroutine_cpp_O2", "coroutine_cpp_clang", "coroutine_cpp_clang_O2"}) {
    if (!std::filesystem::exists(fixture_path(fixture)))
      continue;
    INFO(fixture);
    ChildProcess program({fixture_path(fixture)});
    wait_until_it_rests(program);
    check_rows(program.pid(),
               {{"-", "p parked",
                 "std::coroutine_handle of sleeper(int), last suspended at coroutine_cpp.cpp:59 = {promise = "
                 "{continuation = std::coroutine_handle (null)}}"},
                {"-", "p finished",
                 "std::coroutine_handle of ended(), done = {promise = {continuation = std::coroutine_handle (null)}}"},
                {"-", "p none", "std::coroutine_handle (null)"}});
  }
}

TEST_CASE("classes whose names lack their arguments have them again") {
  if (!std::filesystem::exists(fixture_path("simple_templates")))
    SKIP_TEST("there is no clang");
  ChildProcess program({fixture_path("simple_templates")});
  wait_until_it_rests(program);
  std::string errors;
  const auto answers = evaluate_rows(program.pid(),
                                     {{"main", "whatis other", {}},
                                      {"main", "p cache", {}},
                                      {"main", "p cache.entries[\"key\"][0]", {}},
                                      {"main", "p sizeof(Cache<int, char, 2>)", {}}},
                                     errors);
  INFO(errors);
  CHECK(answers[0] == "Cache<int, char, 2>");
  CHECK(answers[1] == "{entries = std::map with 1 element = {[\"key\"] = std::vector of length 1, capacity 1 = {41}}, "
                      "spare = {0, 0, 0}}");
  CHECK(answers[2] == "41");
  CHECK(answers[3] == "56");
}
