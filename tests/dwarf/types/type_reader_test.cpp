#include "dwarf/types/type_name.h"
#include "dwarf/types/type_reader.h"
#include "dwarf/variables/function_signature.h"

#include "tests/dwarf/dwarf_file.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <gelf.h>
#include <iterator>
#include <map>
#include <random>
#include <sstream>

namespace inspect {
namespace {

/// Prints with sizeof and offsetof what the reader must say; `take` leads to every type.
constexpr const char *program = R"(
#include <cstddef>
#include <cstdint>
#include <cstdio>
struct Point { int x; short y; double z; };
struct Base { virtual ~Base() = default; int number = 0; };
struct Derived : Base, Point { static int shared; char letters[3][5]; Point *where; Derived *next; };
int Derived::shared;
union Either { std::uint64_t number; float parts[4]; };
enum class Small : unsigned char { none, some = 200, all = 255 };
enum Signed { minus = -3, plus = 4 };
struct Bits { unsigned a : 3; unsigned b : 9; std::uint64_t c : 40; int d; };
namespace outer { struct Hidden; struct Inner { Hidden *hidden; struct Deeper { char c; } deeper; }; }
namespace outer { struct Hidden { long secret[2]; }; }
template <typename Of, int count, typename... Others> struct Made { Of items[count]; };
struct Never;
typedef const Point Fixed;
using Function = int (*)(Point *, long);
struct All {
  Point point; Derived derived; Either either; Small small; Signed with_sign; Bits bits; outer::Inner inner;
  Fixed *fixed; const volatile int *qualified; Function function; Never *never; void *nothing; bool truth;
  unsigned char byte; float single; long double longest; int Point::*member; decltype(nullptr) null; int &&moved;
  Made<Point, 3, char, double> made;
};
struct Shape { int side; __attribute__((noinline)) int area(int scale, const Point &at); };
int Shape::area(int scale, const Point &at) { return side * scale + at.x; }
static inline int inlined(int a, const char *b) { return a + b[0]; }
__attribute__((noinline)) int take(All *all, int count, const char *name, Shape shape) {
  return all->point.x + count + name[0] + shape.area(3, all->point) + inlined(count, name);
}
#define SIZE(type) std::printf("size %s %zu\n", #type, sizeof(type))
#define PLACE(type, field) std::printf("place %s.%s %zu\n", #type, #field, offsetof(type, field))
int main(int count, char **names) {
  SIZE(Point); SIZE(Derived); SIZE(Either); SIZE(Small); SIZE(Signed); SIZE(Bits); SIZE(All); SIZE(Base);
  PLACE(Point, x); PLACE(Point, y); PLACE(Point, z); PLACE(Either, number); PLACE(Either, parts); PLACE(Bits, d);
  PLACE(All, point); PLACE(All, derived); PLACE(All, either); PLACE(All, small); PLACE(All, with_sign);
  PLACE(All, bits); PLACE(All, inner); PLACE(All, fixed); PLACE(All, qualified); PLACE(All, function);
  PLACE(All, never); PLACE(All, nothing); PLACE(All, truth); PLACE(All, byte); PLACE(All, single);
  PLACE(All, longest); PLACE(All, member); PLACE(All, null);
  PLACE(Derived, letters); PLACE(Derived, where); PLACE(Derived, next);
  Derived made; // compilers describe a class with virtual functions where they emit them
  if (count > 100) { std::printf("%d", made.number); All *other = nullptr; std::printf("%d", take(other, count, names[0], Shape{count})); }
  return 0;
}
)";

class BuiltProgram {
public:
  explicit BuiltProgram(const std::string &compiler)
      : path_(test::build(folder_, "types.cpp", program, compiler)), file_(path_), lines_(file_.dwarf()) {
    REQUIRE(file_.dwarf() != nullptr);
  }
  std::optional<FunctionSignature> signature(const std::string &part) {
    for (const test::NmSymbol &symbol : test::nm(path_))
      if (symbol.name.find(part) != std::string::npos)
        return function_signature(lines_, LinkAddress{symbol.address});
    return std::nullopt;
  }
  const std::string &path() const { return path_; }
  const DwarfFile &file() const { return file_; }

private:
  test::TemporaryDirectory folder_;
  std::string path_;
  DwarfFile file_;
  LineResolver lines_;
};

const DwarfMember &member(const DwarfType &type, std::string_view name) {
  for (const DwarfMember &one : type.members)
    if (one.name == name)
      return one;
  FAIL("no member " << name << " in " << type.name);
  return type.members.front();
}

/// All that `take`'s first parameter leads to, by name.
std::map<std::string, const DwarfType *> types_of_all(TypeReader &types, const FunctionSignature &take) {
  const DwarfType &all = types.underlying(types.underlying(take.parameters.at(0).type).target);
  std::map<std::string, const DwarfType *> found = {{"All", &all}};
  for (const DwarfMember &one : all.members) {
    const DwarfType &type = types.underlying(one.type);
    found[type.name] = &type;
    for (const DwarfMember &inner : type.members)
      if (inner.is_base)
        found[types.underlying(inner.type).name] = &types.underlying(inner.type);
  }
  return found;
}

void check_told_layout(const BuiltProgram &built, TypeReader &types, const FunctionSignature &take) {
  const auto by_name = types_of_all(types, take);
  std::istringstream told(test::run(built.path()));
  std::size_t compared = 0;
  for (std::string what, name; told >> what >> name; ++compared) {
    std::uint64_t number = 0;
    told >> number;
    INFO(what << " " << name);
    const std::size_t dot = name.find('.');
    REQUIRE(by_name.contains(name.substr(0, dot)));
    const DwarfType &type = *by_name.at(name.substr(0, dot));
    if (what == "size")
      CHECK(type.byte_size == number);
    else
      CHECK(member(type, name.substr(dot + 1)).offset == number);
  }
  CHECK(compared == 35);
}

void check_kinds(TypeReader &types, const FunctionSignature &take) {
  const auto by_name = types_of_all(types, take);
  const DwarfType &all = *by_name.at("All");
  const auto of = [&](const char *name) -> const DwarfType & { return types.read(member(all, name).type); };
  CHECK(of("point").kind == DwarfTypeKind::structure);
  CHECK(of("either").kind == DwarfTypeKind::union_type);
  CHECK(of("small").kind == DwarfTypeKind::enumeration);
  CHECK(of("small").enumerators.at(1).value == 200);
  CHECK(of("small").enumerators.at(2).name == "all");
  CHECK(of("with_sign").enumerators.at(0).value == -3);
  CHECK(types.read(of("fixed").target).kind == DwarfTypeKind::alias);
  CHECK(types.underlying(of("fixed").target).name == "Point");
  CHECK(types.underlying(of("qualified").target).name == "int");
  CHECK(of("nothing").kind == DwarfTypeKind::pointer);
  CHECK_FALSE(of("nothing").target.die.has_value());
  CHECK(of("truth").encoding == 2); // DW_ATE_boolean
  CHECK(of("longest").byte_size == sizeof(long double));
  CHECK(of("member").kind == DwarfTypeKind::member_pointer);
  CHECK(types.underlying(member(all, "null").type).kind == DwarfTypeKind::unspecified);
  // DWARF 3 knows one kind of reference.
  CHECK((of("moved").kind == DwarfTypeKind::rvalue_reference || of("moved").kind == DwarfTypeKind::reference));
  CHECK(types.size_of(member(all, "moved").type) == 8);
  const DwarfType &function = types.underlying(types.underlying(member(all, "function").type).target);
  CHECK(function.kind == DwarfTypeKind::subroutine);
  REQUIRE(function.parameters.size() == 2);
  CHECK(types.underlying(function.parameters[1]).name == "long int");
  CHECK(types.read(function.target).name == "int");
  CHECK(types.underlying(of("never").target).is_declaration);
  const std::pair<const char *, const char *> spelled[] = {
      {"function", "Function"},     {"qualified", "const volatile int *"},
      {"fixed", "Fixed *"},         {"inner", "outer::Inner"},
      {"member", "int Point::*"},   {"nothing", "void *"},
      {"null", "decltype(nullptr)"}};
  for (const auto &[name, text] : spelled)
    CHECK(type_name(types, member(all, name).type) == text);
  const std::vector<DwarfTemplateArgument> &given = of("made").template_arguments;
  REQUIRE(given.size() == 4);
  CHECK(types.read(given[0].type).name == "Point");
  CHECK_FALSE(given[0].is_value);
  CHECK(given[1].name == "count");
  CHECK(given[1].is_value);
  CHECK(given[1].value == 3);
  CHECK(types.read(given[2].type).name == "char");
  CHECK(types.read(given[3].type).name == "double");

  const DwarfType &derived = *by_name.at("Derived");
  CHECK(member(derived, "letters").type.die.has_value());
  CHECK(types.size_of(member(derived, "letters").type) == 15);
  CHECK(types.underlying(member(derived, "letters").type).dimensions ==
        std::vector<std::optional<std::uint64_t>>{3, 5});
  CHECK(&types.underlying(types.read(member(derived, "next").type).target) == &derived);
  CHECK(std::ranges::none_of(derived.members, [](const DwarfMember &one) { return one.name == "shared"; }));
  CHECK(std::ranges::count_if(derived.members, &DwarfMember::is_base) == 2);

  const DwarfType &bits = *by_name.at("Bits");
  CHECK(member(bits, "a").bit_size == 3U);
  CHECK(member(bits, "a").bit_offset == 0);
  CHECK(member(bits, "b").bit_offset == 3);
  CHECK(member(bits, "c").bit_offset == 12);
  CHECK_FALSE(member(bits, "d").bit_size.has_value());

  // Declared before it is defined, and pointed to in between.
  const DwarfType &hidden = types.underlying(types.read(member(of("inner"), "hidden").type).target);
  CHECK_FALSE(hidden.is_declaration);
  CHECK(hidden.byte_size == 2 * sizeof(long));
}

std::string parameters_text(TypeReader &types, const FunctionSignature &signature) {
  std::string text;
  for (const FunctionParameter &one : signature.parameters)
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", one.name, types.size_of(one.type).value_or(0));
  return text;
}

TEST_CASE("types and signatures are what the program itself says with sizeof and offsetof") {
  const auto compiler = GENERATE(as<std::string>(), "g++ -g -gdwarf-5", "g++ -g -gdwarf-4 -O2", "g++ -g -gdwarf-3",
                                 "g++ -g -fdebug-types-section", "clang++ -g", "clang++ -g -gdwarf-4 -O1");
  if (!test::have_program(compiler.substr(0, compiler.find(' '))))
    SKIP_TEST(compiler.c_str());
  INFO(compiler);
  BuiltProgram built(compiler + " -std=c++17 -w");
  TypeReader types;
  const auto take = built.signature("4take");
  REQUIRE(take.has_value());
  CHECK(take->name == "take");
  CHECK(parameters_text(types, *take) == "all:8 count:4 name:8 shape:4");
  CHECK(types.read(take->returned).name == "int");
  check_told_layout(built, types, *take);

  const auto area = built.signature("5Shape4area");
  REQUIRE(area.has_value());
  CHECK(area->name == "area");
  CHECK(parameters_text(types, *area) == "this:8 scale:4 at:8");
  CHECK(area->parameters.at(0).is_artificial);
  CHECK(area->parameters.at(1).die.has_value());
  CHECK_FALSE(area->parameters.at(0).is_result);
}

TEST_CASE("kinds, names, bit-fields, enumerators and bases of types are read") {
  const auto compiler = GENERATE(as<std::string>(), "g++ -g -gdwarf-5", "g++ -g -gdwarf-3 -O1");
  INFO(compiler);
  BuiltProgram built(compiler + " -std=c++17 -w");
  TypeReader types;
  const auto take = built.signature("4take");
  REQUIRE(take.has_value());
  check_kinds(types, *take);
}

TEST_CASE("an address without a function has no signature") {
  BuiltProgram built("g++ -g -w");
  LineResolver lines(built.file().dwarf());
  CHECK_FALSE(function_signature(lines, LinkAddress{0}).has_value());
  CHECK_FALSE(function_signature(lines, LinkAddress{0xffffffffffff}).has_value());
  LineResolver nothing(nullptr);
  CHECK_FALSE(function_signature(nothing, LinkAddress{0x1000}).has_value());
}

/// Follows everything, to a depth; how many types were named.
std::size_t visit(TypeReader &types, const TypeHandle &handle, int depth) {
  const DwarfType &type = types.read(handle);
  std::size_t named = type.name.empty() ? 0 : 1;
  static_cast<void>(types.size_of(handle));
  static_cast<void>(types.underlying(handle));
  if (depth == 0)
    return named;
  // Names are put together from all that a type refers to, which may go in circles.
  if (depth == 5)
    CHECK(type_name(types, handle).size() < 1'000'000);
  named += visit(types, type.target, depth - 1);
  for (std::size_t i = 0; i < type.members.size() && i < 8; ++i)
    named += visit(types, type.members[i].type, depth - 1);
  for (std::size_t i = 0; i < type.parameters.size() && i < 8; ++i)
    named += visit(types, type.parameters[i], depth - 1);
  return named;
}

TEST_CASE("damaged descriptions of types end every reading, with whatever answer") {
  BuiltProgram built("g++ -g -std=c++17 -w -gz=none");
  std::ifstream in(built.path(), std::ios::binary);
  const std::vector<char> sound{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::vector<std::pair<std::size_t, std::size_t>> sections;
  std::size_t names = 0;
  elf_getshdrstrndx(built.file().elf(), &names);
  for (Elf_Scn *section = nullptr; (section = elf_nextscn(built.file().elf(), section)) != nullptr;) {
    GElf_Shdr header;
    const char *name = gelf_getshdr(section, &header) ? elf_strptr(built.file().elf(), names, header.sh_name) : nullptr;
    if (name && (std::strcmp(name, ".debug_info") == 0 || std::strcmp(name, ".debug_abbrev") == 0))
      sections.emplace_back(header.sh_offset, header.sh_size);
  }
  REQUIRE(sections.size() == 2);
  const std::vector<LinkAddress> addresses = built.file().function_addresses(40);
  std::mt19937 random(20'261'121);
  std::size_t named = 0;
  for (int round = 0; test::fuzz_goes_on(round, 150); ++round) {
    std::vector<char> bytes = sound;
    for (int flips = 1 << (round % 7); flips > 0; --flips) {
      const auto &[offset, size] = sections[random() % sections.size()];
      bytes[offset + random() % size] ^= static_cast<char>(1U << (random() % 8));
    }
    const DwarfFile damaged(std::move(bytes));
    LineResolver lines(damaged.dwarf());
    TypeReader types;
    for (const LinkAddress address : addresses)
      if (const auto signature = function_signature(lines, address))
        for (const FunctionParameter &one : signature->parameters)
          named += visit(types, one.type, 5);
  }
  CHECK(named > 0);
}

} // namespace
} // namespace inspect
