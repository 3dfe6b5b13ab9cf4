#include "dwarf/symbols/symbol_table.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <sstream>

using namespace inspect;

TEST_CASE("C++ names are shown as declared") {
  CHECK(demangle("_ZN2ns1fEi") == "ns::f(int)");
  CHECK(demangle("_ZNSt6vectorIiSaIiEE9push_backERKi") ==
        "std::vector<int, std::allocator<int> >::push_back(int const&)");
  CHECK(demangle("_ZN1AD0Ev") == "A::~A()");
  CHECK(demangle("_GLOBAL__sub_I__Z4mainv") == "_GLOBAL__sub_I__Z4mainv");
}

TEST_CASE("clones that the compiler made are said to be clones") {
  CHECK(demangle("_Z1fi.cold") == "f(int) [clone .cold]");
  CHECK(demangle("_Z1fi.isra.0") == "f(int) [clone .isra.0]");
  CHECK(demangle("_Z1fi.constprop.0.cold") == "f(int) [clone .constprop.0] [clone .cold]");
  CHECK(demangle("_Z1fi.part.0") == "f(int) [clone .part.0]");
  CHECK(demangle("_Z1fi.llvm.123456789") == "f(int) [clone .llvm.123456789]");
  CHECK(demangle("main.cold") == "main.cold");
}

TEST_CASE("Rust names lose their hash, in the old form and in the new") {
  CHECK(demangle("_ZN3std2rt10lang_start17h0123456789abcdefE") == "std::rt::lang_start");
  CHECK(demangle(
            "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE") ==
        "<Test + 'static as foo::Bar<Test>>::bar");
  CHECK(demangle("_RNvC6_123foo3bar") == "123foo::bar");
  CHECK(demangle("_RNvNtCs1234_7mycrate3foo3bar") == "mycrate::foo::bar");
}

TEST_CASE("what is not mangled is left alone") {
  for (const char *name : {"", "main", "_start", "_", "_Z", "_R", "_ZN", "i", "memcpy", "runtime.main", "_Zqqqq"})
    CHECK(demangle(name) == name);
}

TEST_CASE("every name of libstdc++ is demangled as c++filt does it") {
  const std::string path = test::run("ls /usr/lib/x86_64-linux-gnu/libstdc++.so.6 2>/dev/null || true");
  if (path.empty() || !test::have_program("c++filt"))
    SKIP_TEST("libstdc++.so.6 or c++filt is not there");
  const test::TemporaryDirectory folder;
  std::string names;
  for (const auto &symbol : test::nm("-D /usr/lib/x86_64-linux-gnu/libstdc++.so.6"))
    names += symbol.name.substr(0, symbol.name.find('@')) + "\n";
  test::write_file(folder / "names", names);
  std::istringstream truth(test::run("c++filt -i < " + (folder / "names")));
  std::istringstream input(names);
  std::string name;
  std::string expected;
  std::size_t compared = 0;
  while (std::getline(input, name) && std::getline(truth, expected)) {
    CHECK(demangle(name) == expected);
    ++compared;
  }
  CHECK(compared > 3000);
}

TEST_CASE("hostile names neither fill memory nor the stack") {
  // Deep: each of these prefixes nests once more.
  for (const char *prefix : {"P", "RK", "N", "F", "I", "M", "X", "Dp", "cv", "L_Z"}) {
    for (const std::size_t length : {1000u, 8000u, 100000u}) {
      std::string name = "_Z1f";
      while (name.size() < length)
        name += prefix;
      CHECK(!demangle(name + "i").empty());
    }
  }
  // Wide: each pair doubles what the one before stands for.
  std::string doubling = "_Z1fSt4pairIiiE";
  for (const char *level : {"S0_", "S1_", "S2_", "S3_", "S4_", "S5_", "S6_", "S7_", "S8_", "S9_", "SA_", "SB_", "SC_",
                            "SD_", "SE_", "SF_", "SG_", "SH_", "SI_", "SJ_", "SK_", "SL_", "SM_", "SN_", "SO_"})
    doubling += std::string("St4pairI") + level + level + "E";
  CHECK(demangle(doubling).size() < (1 << 20));
  // Rust's back references to themselves.
  CHECK(!demangle("_RYB_B_").empty());
  CHECK(!demangle("_RINvC1a1bTB2_B2_B2_B2_EE").empty());
}
