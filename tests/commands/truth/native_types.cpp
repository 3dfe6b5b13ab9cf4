#include "tests/commands/truth/native_types.h"

#include <fmt/format.h>

namespace inspect::test {
namespace {

NativeTypeRef simple(NativeKind kind, std::string name, std::vector<std::string> values) {
  NativeType type;
  type.kind = kind;
  type.name = std::move(name);
  type.values = std::move(values);
  return std::make_shared<NativeType>(std::move(type));
}

NativeTypeRef pointer_to(NativeTypeRef target) {
  NativeType type;
  type.kind = NativeKind::pointer;
  type.target = std::move(target);
  return std::make_shared<NativeType>(std::move(type));
}

NativeTypeRef array_of(NativeTypeRef element, std::size_t count) {
  NativeType type;
  type.kind = NativeKind::array;
  type.target = std::move(element);
  type.count = count;
  return std::make_shared<NativeType>(std::move(type));
}

std::vector<NativeTypeRef> scalars_of_c(bool is_cpp) {
  std::vector<NativeTypeRef> types{
      simple(NativeKind::integer, "char", {"'a'", "'\\n'", "0", "127", "'\\''", "-1", "'\\\\'"}),
      simple(NativeKind::integer, "signed char", {"-128", "127", "0", "65", "-1"}),
      simple(NativeKind::integer, "unsigned char", {"255", "0", "200", "65", "7"}),
      simple(NativeKind::integer, "short", {"-32768", "32767", "0", "1000", "-7"}),
      simple(NativeKind::integer, "unsigned short", {"65535", "0", "40000", "12"}),
      simple(NativeKind::integer, "int", {"-2147483647 - 1", "2147483647", "0", "42", "-17", "1000000"}),
      simple(NativeKind::integer, "unsigned int", {"4294967295u", "0", "3000000000u", "12"}),
      simple(NativeKind::integer, "long",
             {"-9223372036854775807L - 1", "9223372036854775807L", "0", "123456789012L", "-3"}),
      simple(NativeKind::integer, "unsigned long", {"18446744073709551615ul", "0", "1ul << 63", "77"}),
      simple(NativeKind::integer, "long long", {"-5ll", "1234567890123456789ll", "0"}),
      simple(NativeKind::integer, is_cpp ? "bool" : "_Bool", {"1", "0"}),
      simple(NativeKind::floating, "float", {"1.5f", "-0.0f", "3.4028234e38f", "1e-45f", "0.1f", "16777217.0f", "0"}),
      simple(NativeKind::floating, "double",
             {"2.25", "-1e300", "0.1", "5e-324", "1.0/0.0", "-1.0/0.0", "123456789.125", "0"}),
      simple(NativeKind::floating, "long double", {"1.25L", "0.1L", "-1e400L", "0"}),
      simple(NativeKind::text, "const char *",
             {"\"short\"", "\"\"", "\"with \\\"quotes\\\" and \\t tabs\"", "0", "\"caf\\303\\251\"",
              "\"a text that is somewhat longer than the others are, so that it does not fit on any line\"",
              "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""}),
  };
  if (is_cpp)
    for (const auto &extra : {simple(NativeKind::integer, "char16_t", {"u'x'", "u'\\u4e2d'"}),
                              simple(NativeKind::integer, "char32_t", {"U'y'", "U'\\U0001f600'"}),
                              simple(NativeKind::integer, "wchar_t", {"L'w'", "L'\\u00e9'"})})
      types.push_back(extra);
  return types;
}

/// Only whole values of these are asked for; their text is that of libstdc++'s printers in gdb.
std::vector<NativeTypeRef> library_classes() {
  const auto library = [](std::string name, std::vector<std::string> values) {
    return simple(NativeKind::library, std::move(name), std::move(values));
  };
  return {
      library("std::string", {"\"small\"", "\"\"", "std::string(40, 'z') + \"end\"",
                              "\"a text that is too long to lie within the object\"", "std::string(\"a\\0b\", 3)"}),
      library("std::vector<int>", {"{}", "{1, 2, 3}", "std::vector<int>(250, 7)", "{-1}"}),
      library("std::vector<std::string>", {"{}", "{\"one\", \"\", \"three, which is longer than fits inside\"}"}),
      library("std::vector<bool>", {"{true, false, true}", "std::vector<bool>(70, true)", "{}"}),
      library("std::vector<std::vector<short>>", {"{{1}, {}, {2, 3}}", "{}"}),
      library("std::deque<long>", {"{1, 2, 3}", "std::deque<long>(200, 5)", "{}"}),
      library("std::list<double>", {"{0.5, 1.5}", "{}"}),
      library("std::forward_list<char>", {"{'a', 'b'}", "{}"}),
      library("std::map<std::string, int>", {"{{\"ann\", 31}, {\"bob\", 27}}", "{}"}),
      library("std::map<int, std::vector<int>>", {"{{1, {2, 3}}, {-4, {}}}", "{}"}),
      library("std::set<unsigned long>", {"{3, 1, 2}", "{}"}),
      library("std::multimap<int, char>", {"{{1, 'a'}, {1, 'b'}, {2, 'c'}}"}),
      library("std::unordered_map<int, std::string>", {"{{1, \"one\"}}", "{}"}),
      library("std::unordered_set<long>", {"{42}", "{}"}),
      library("std::pair<int, std::string>", {"{1, \"two\"}", "{-1, \"\"}"}),
      library("std::tuple<int, double, std::string>", {"{1, 2.5, \"three\"}"}),
      library("std::array<short, 3>", {"{4, 5, 6}", "{}"}),
      library("std::optional<int>", {"3", "std::nullopt"}),
      library("std::optional<std::string>", {"\"text\"", "std::nullopt"}),
      library("std::variant<int, std::string, double>", {"7", "\"text\"", "2.5"}),
      library("std::unique_ptr<int>", {"nullptr"}),
      library("std::shared_ptr<int>", {"nullptr"}),
      library("std::bitset<20>", {"0b1010101", "0"}),
      library("std::atomic<int>", {"11", "-4"}),
      library("std::chrono::milliseconds", {"std::chrono::milliseconds(1500)", "std::chrono::milliseconds(0)"}),
      library("std::string_view", {"\"seen\"", "\"\""}),
      library("std::complex<double>", {"{1.5, -2}"}),
  };
}

} // namespace

bool is_wide_character(const NativeTypeRef &type) {
  return type->name == "char16_t" || type->name == "char32_t" || type->name == "wchar_t";
}

std::string declaration(const NativeTypeRef &type, const std::string &name) {
  switch (type->kind) {
  case NativeKind::array:
    return declaration(type->target, fmt::format("{}[{}]", name, type->count));
  case NativeKind::pointer:
    return declaration(type->target, type->target->kind == NativeKind::array ? "(*" + name + ")" : "*" + name);
  default:
    return type->name + (type->name.ends_with('*') ? "" : " ") + name;
  }
}

NativeTypes::NativeTypes(SeededChoice &choice, bool is_cpp)
    : choice_(choice), is_cpp_(is_cpp), scalars_(scalars_of_c(is_cpp)) {
  for (int i = 0; i < 3; ++i)
    define_enumeration();
  for (int i = 0; i < 6; ++i)
    define_structure(i == 3);
  if (is_cpp) {
    define_classes();
    library_ = library_classes();
  }
}

std::string NativeTypes::named(std::string_view prefix) {
  return fmt::format("{}{}", prefix, names_++);
}

NativeTypeRef NativeTypes::scalar() {
  return choice_.one_in(6) ? choice_.of(enumerations_) : choice_.of(scalars_);
}

NativeTypeRef NativeTypes::field_type() {
  switch (choice_.below(8)) {
  case 0:
    return array_of(scalar(), 1 + choice_.below(5));
  case 1:
    return array_of(array_of(scalar(), 1 + choice_.below(3)), 1 + choice_.below(3));
  case 2:
    return structures_.empty() ? scalar() : choice_.of(structures_);
  case 3:
    return structures_.empty() ? scalar() : array_of(choice_.of(structures_), 1 + choice_.below(3));
  case 4:
    return array_of(scalars_.front(), 3 + choice_.below(12));
  default:
    return scalar();
  }
}

void NativeTypes::define_enumeration() {
  NativeType type;
  type.kind = NativeKind::enumeration;
  const std::string name = named("kind");
  const bool scoped = is_cpp_ && choice_.one_in(2);
  const bool flags = choice_.one_in(2);
  type.name = (is_cpp_ ? "" : "enum ") + name;
  std::string list;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string one = fmt::format("{}_{}", name, i);
    const std::int64_t number = flags ? std::int64_t{1} << i : static_cast<std::int64_t>(i * 3) - 2;
    list += fmt::format("{} = {}, ", one, number);
    type.enumerators.push_back(scoped ? name + "::" + one : one);
  }
  definitions_ += fmt::format("enum {}{}{} {{ {}}};\n", scoped ? "class " : "", name,
                              is_cpp_ && choice_.one_in(2) ? " : short" : "", list);
  enumerations_.push_back(std::make_shared<NativeType>(std::move(type)));
}

void NativeTypes::define_structure(bool is_union) {
  NativeType type;
  type.kind = is_union ? NativeKind::one_of : NativeKind::structure;
  const std::string word = is_union ? "union" : "struct";
  const std::string name = named("record");
  type.name = is_cpp_ ? name : word + " " + name;
  std::string body;
  const std::size_t count = 2 + choice_.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    NativeField field{named("m"), is_union ? scalar() : field_type(), 0};
    // Of bit-fields only those of int and unsigned, whose width holds what their type's values are cut to.
    if (!is_union && choice_.one_in(5)) {
      field.type = choice_.one_in(2) ? simple(NativeKind::integer, "unsigned int", {"1", "5", "0"})
                                     : simple(NativeKind::integer, "int", {"-1", "3", "0"});
      field.bits = 3 + static_cast<int>(choice_.below(20));
    }
    body +=
        "  " + declaration(field.type, field.name) + (field.bits > 0 ? fmt::format(" : {}", field.bits) : "") + ";\n";
    type.fields.push_back(std::move(field));
  }
  definitions_ += fmt::format("{} {} {{\n{}}};\n", word, name, body);
  structures_.push_back(std::make_shared<NativeType>(std::move(type)));
}

/// Bases of one and several, virtual functions, a static member, a template.
void NativeTypes::define_classes() {
  const std::string ground = named("Ground");
  const std::string other = named("Other");
  const std::string top = named("Top");
  const std::string box = named("Box");
  const auto whole = scalars_[5];
  const auto real = scalars_[12];
  definitions_ +=
      fmt::format("struct {0} {{\n  int level;\n  double ratio;\n  static int made;\n  {0}(int l, double r) : "
                  "level(l), ratio(r) {{}}\n  virtual ~{0}() = default;\n  virtual int score() {{ return level; "
                  "}}\n}};\nint {0}::made = {1};\n",
                  ground, choice_.between(-100, 100));
  definitions_ += fmt::format("struct {} {{\n  int code;\n  int pair[2];\n}};\n", other);
  definitions_ +=
      fmt::format("struct {0} : {1}, {2} {{\n  int code;\n  {0}(int l, double r, int a, int b) : {1}(l, r), "
                  "{2}{{a, {{b, a + b}}}}, code(a - b) {{}}\n  int score() override {{ return code; }}\n}};\n",
                  top, ground, other);
  definitions_ +=
      fmt::format("template <typename T, int N> struct {} {{\n  T item;\n  int size = N;\n  T rest[N];\n}};\n", box);
  const auto add = [&](std::string name, std::vector<NativeField> fields, std::vector<std::string> values) {
    NativeType type;
    type.kind = NativeKind::structure;
    type.name = std::move(name);
    type.fields = std::move(fields);
    type.values = std::move(values);
    structures_.push_back(std::make_shared<NativeType>(std::move(type)));
  };
  add(ground, {{"level", whole}, {"ratio", real}, {"made", whole}}, {"{7, 0.5}", "{-1, 1e10}"});
  add(top,
      {{"level", whole},
       {"ratio", real},
       {"made", whole},
       {"code", whole},
       {"pair", array_of(whole, 2)},
       {other + "::code", whole}},
      {"{1, 2.5, 30, 4}", "{-5, 0, 6, 6}"});
  add(box + "<int, 2>", {{"item", whole}, {"size", whole}, {"rest", array_of(whole, 2)}}, {"{1, 2, {3, 4}}"});
  add(box + "<double, 3>", {{"item", real}, {"size", whole}, {"rest", array_of(real, 3)}}, {"{1.5, 3, {2.5, 3.5}}"});
}

NativeTypeRef NativeTypes::any(const std::vector<NativeVariable> &objects) {
  if (!library_.empty() && choice_.one_in(3))
    return choice_.of(library_);
  if (!objects.empty() && choice_.one_in(4)) {
    const NativeTypeRef target = choice_.of(objects).type;
    if (!is_wide_character(target))
      return pointer_to(target);
  }
  if (choice_.one_in(3))
    return choice_.of(structures_);
  return field_type();
}

std::string NativeTypes::value(const NativeTypeRef &type, const std::vector<NativeVariable> &objects) {
  if (!type->values.empty())
    return choice_.of(type->values);
  switch (type->kind) {
  case NativeKind::enumeration:
    return choice_.of(type->enumerators);
  case NativeKind::pointer: {
    std::vector<std::string> targets;
    for (const NativeVariable &object : objects)
      if (object.type == type->target)
        targets.push_back("&" + object.name);
    return targets.empty() ? "0" : choice_.of(targets);
  }
  case NativeKind::array: {
    if (type->target->name == "char" && choice_.one_in(2))
      return fmt::format("\"{}\"", std::string(choice_.below(type->count), static_cast<char>('k' + choice_.below(5))));
    std::string list;
    for (std::size_t i = 0; i < type->count; ++i)
      list += (i == 0 ? "" : ", ") + value(type->target, objects);
    return "{" + list + "}";
  }
  case NativeKind::one_of:
    return "{" + value(type->fields.front().type, objects) + "}";
  case NativeKind::structure: {
    std::string list;
    for (const NativeField &field : type->fields)
      list += (list.empty() ? "" : ", ") + value(field.type, objects);
    return "{" + list + "}";
  }
  default:
    return "{}";
  }
}

} // namespace inspect::test
