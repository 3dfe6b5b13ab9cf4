#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <chrono>
#include <dlfcn.h>
#include <fmt/format.h>
#include <set>

using namespace inspect;

namespace {

const test::LocalFiles files;

} // namespace

TEST_CASE("functions of a program are found at their start, in the middle, and not behind their end") {
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "p.c",
                                   "static int twice(int x) { return x * 2; }\n"
                                   "__attribute__((noinline)) int work(int x) { return twice(x) + 1; }\n"
                                   "int data_word = 5;\n"
                                   "int main(void) { return work(data_word); }\n",
                                   "gcc -O1 -Wl,-z,lazy");
  auto module = test::open_file(program, files);
  REQUIRE(module);
  SymbolTable table(**module);
  std::size_t compared = 0;
  for (const auto &truth : test::nm(program)) {
    if (truth.size == 0 || (truth.kind != 'T' && truth.kind != 't'))
      continue;
    INFO(truth.name);
    const auto first = table.at(LinkAddress{truth.address});
    const auto last = table.at(LinkAddress{truth.address + truth.size - 1});
    const auto behind = table.at(LinkAddress{truth.address + truth.size});
    REQUIRE(first);
    REQUIRE(last);
    CHECK(first->name == truth.name);
    CHECK(last->name == truth.name);
    CHECK((!behind || behind->address.value == truth.address + truth.size));
    ++compared;
  }
  CHECK(compared >= 3);
  const auto data = table.by_name("data_word");
  REQUIRE(data);
  CHECK_FALSE(data->is_function);
  CHECK(table.at(data->address + 3)->name == "data_word");
  CHECK_FALSE(table.by_name("no_such_symbol"));
}

TEST_CASE("every address of libc has the symbol that nm gives for it") {
  const std::string libc = test::libc_path();
  auto module = test::open_file(libc, files);
  REQUIRE(module);
  SymbolTable table(**module);
  std::size_t compared = 0;
  std::map<std::uint64_t, std::set<std::string>> truth;
  for (const auto &one : test::nm("-D " + libc))
    if (std::string("TtWi").find(one.kind) != std::string::npos)
      truth[one.address].insert(one.name.substr(0, one.name.find('@')));
  for (const auto &[address, names] : truth) {
    const auto found = table.at(LinkAddress{address});
    REQUIRE(found);
    INFO(fmt::format("{:#x} {}", address, found->name));
    CHECK(found->address.value == address);
    CHECK(names.contains(std::string(found->name)));
    CHECK(found->name.find('@') == std::string_view::npos);
    ++compared;
  }
  CHECK(compared > 1000);
}

TEST_CASE("of several symbols at one address the one people know is taken") {
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "alias.s",
                                   ".text\n.globl __known\n.globl known\n.weak a_weak\n"
                                   ".type known,@function\n.type __known,@function\n.type a_weak,@function\n"
                                   ".type local,@function\n"
                                   "local:\na_weak:\n__known:\nknown: nop\nnop\nret\n"
                                   ".globl __public_name\n.weak public_name\n.type __public_name,@function\n"
                                   ".type public_name,@function\n__public_name:\npublic_name: ret\n"
                                   ".size __public_name,1\n.size public_name,1\n"
                                   ".size known,3\n.size __known,3\n.size a_weak,3\n.size local,3\n",
                                   "gcc -shared -nostdlib");
  auto module = test::open_file(program, files);
  REQUIRE(module);
  SymbolTable table(**module);
  const auto known = table.by_name("known");
  REQUIRE(known);
  CHECK(table.at(known->address)->name == "known");
  CHECK(table.at(known->address + 2)->name == "known");
  const auto weak_one = table.by_name("public_name");
  REQUIRE(weak_one);
  CHECK(table.at(weak_one->address)->name == "public_name");
}

TEST_CASE("an unsized assembler label reaches to the next symbol and not out of its section") {
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "labels.s",
                                   ".text\n.globl sized\n.type sized,@function\nsized: nop\nnop\ninner: nop\n"
                                   ".size sized,.-sized\nnop\ntrampoline: mov $15,%rax\nsyscall\nnext: ret\n"
                                   ".section .other,\"ax\"\nnop\nnop\nin_other: ret\n",
                                   "gcc -shared -nostdlib");
  auto module = test::open_file(program, files);
  REQUIRE(module);
  SymbolTable table(**module);
  const auto sized = table.by_name("sized");
  const auto trampoline = table.by_name("trampoline");
  const auto next = table.by_name("next");
  const auto other = table.by_name("in_other");
  REQUIRE((sized && trampoline && next && other));
  CHECK(table.at(sized->address + 2)->name == "sized"); // the label `inner` does not cut the function in two
  CHECK(table.at(trampoline->address + 5)->name == "trampoline");
  CHECK(table.at(trampoline->address - 1)->name == "trampoline"); // the padding before: a return address minus one
  CHECK(table.at(next->address)->name == "next");
  CHECK_FALSE(table.at(other->address - 2));
}

TEST_CASE("PLT entries are named as objdump names them") {
  const std::string source = "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n#include <math.h>\n"
                             "int main(int n, char **v) { void (*volatile f)(int) = exit; puts(v[0]);\n"
                             "  if (write(1, v[0], 1) < 0) f(n); free(malloc((size_t)getpid())); return 0; }\n";
  const std::string flags = GENERATE(
      std::string("gcc -O1 -Wl,-z,lazy -fcf-protection=none"), std::string("gcc -O1 -Wl,-z,now -fcf-protection=none"),
      std::string("gcc -O1 -Wl,-z,ibtplt -Wl,-z,lazy -fcf-protection"), std::string("gcc -O1 -fuse-ld=gold"),
      std::string("clang -O1 -fuse-ld=lld"), std::string("gcc -O1 -no-pie"));
  INFO(flags);
  if (flags.find("lld") != std::string::npos && !test::have_program("ld.lld"))
    SKIP_TEST("lld is not installed");
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "plt.c", source, flags);
  auto module = test::open_file(program, files);
  REQUIRE(module);
  SymbolTable table(**module);
  std::size_t compared = 0;
  for (const auto &[address, name] : test::objdump_plt(program)) {
    INFO(fmt::format("{:#x} {}", address, name));
    const auto found = table.at(LinkAddress{address});
    REQUIRE(found);
    CHECK(found->is_plt);
    CHECK(std::string(found->name) + "@plt" == name);
    ++compared;
  }
  CHECK(compared >= 3);
}

TEST_CASE("without section headers the dynamic symbols are found as the dynamic linker finds them") {
  const test::OwnMemory memory;
  const std::string path = test::libc_path();
  const auto mapped = test::own_mappings([&](const std::string &one) { return one == path; });
  ModuleInput input;
  input.path = path;
  input.segments = mapped.begin()->second;
  auto module = Module::open(std::move(input), memory, files, {});
  REQUIRE(module);
  REQUIRE((*module)->from_memory());
  CHECK((*module)->image().sections().empty());
  SymbolTable table(**module);
  for (const char *name : {"qsort", "write", "getenv", "printf"}) {
    INFO(name);
    const RunAddress truth{reinterpret_cast<std::uint64_t>(test::libc_symbol(name))};
    const auto found = table.by_name(name);
    REQUIRE(found);
    CHECK((*module)->bias().to_run(found->address) == truth);
    CHECK(table.at((*module)->bias().to_link(truth) + 2)->address == found->address);
  }
}

TEST_CASE("the vDSO's functions have names") {
  const test::OwnMemory memory;
  auto mapped = test::own_mappings([](const std::string &one) { return one == "[vdso]"; });
  REQUIRE(!mapped.empty());
  ModuleInput input;
  input.path = "[vdso]";
  input.segments = mapped["[vdso]"];
  auto module = Module::open(std::move(input), memory, files, {});
  REQUIRE(module);
  SymbolTable table(**module);
  const auto found = table.by_name("__vdso_clock_gettime");
  REQUIRE(found);
  CHECK(table.at(found->address + 1)->address == found->address);
}

TEST_CASE("MiniDebugInfo gives a stripped program the names it lost") {
  if (!test::have_program("xz"))
    SKIP_TEST("xz is not installed");
  const test::TemporaryDirectory folder;
  const auto program = test::build(folder, "mini.c",
                                   "__attribute__((noinline)) static int hidden(int x) { return x * 3; }\n"
                                   "int main(int n, char **v) { (void)v; return hidden(n); }\n",
                                   "gcc -O1");
  const auto truth = test::nm(program);
  test::run("cd " + folder.path() + " && objcopy --only-keep-debug a.out mini && xz -k mini && strip -s a.out && " +
            "objcopy --add-section .gnu_debugdata=mini.xz a.out");
  auto module = test::open_file(program, files);
  REQUIRE(module);
  SymbolTable table(**module);
  const auto found = table.by_name("hidden");
  REQUIRE(found);
  const auto expected = std::ranges::find(truth, "hidden", &test::NmSymbol::name);
  REQUIRE(expected != truth.end());
  CHECK(found->address.value == expected->address);
}
