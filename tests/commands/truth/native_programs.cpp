#include "tests/commands/truth/native_programs.h"

#include "tests/commands/truth/native_questions.h"
#include "tests/commands/truth/native_types.h"

#include <fmt/format.h>
#include <utility>

namespace inspect::test {
namespace {

constexpr std::size_t levels = 4;
constexpr std::size_t globals = 14;
constexpr std::size_t questions_of_a_frame = 30;

constexpr std::string_view beginning_of_c = "#include <stdio.h>\n#include <unistd.h>\n#include <wchar.h>\n";
constexpr std::string_view beginning_of_cpp =
    "#include <array>\n#include <atomic>\n#include <bitset>\n#include <chrono>\n#include <complex>\n#include <cstdio>\n"
    "#include <deque>\n#include <forward_list>\n#include <list>\n#include <map>\n#include <memory>\n#include "
    "<optional>\n"
    "#include <set>\n#include <string>\n#include <string_view>\n#include <tuple>\n#include <unistd.h>\n"
    "#include <unordered_map>\n#include <unordered_set>\n#include <variant>\n#include <vector>\n";

/// What keeps a variable alive without saying where: by its address, or as a value behind the call. The functions can
/// be called from elsewhere and are not copied, so that each frame has the name that is asked for.
constexpr std::string_view keepers = R"(#ifdef __clang__
#define FRAME __attribute__((noinline))
#else
#define FRAME __attribute__((noinline, noclone))
#endif
volatile int stop;
FRAME void keep(const volatile void *p) { __asm__ volatile("" : : "r"(p) : "memory"); }
#ifdef TELL
#undef TELL
#include <setjmp.h>
#include <signal.h>
static sigjmp_buf failed;
static void fail(int number) { siglongjmp(failed, number); }
#ifdef __cplusplus
static void tell(long double n) { printf("%.21Lg\n", n); }
static void tell(double n) { printf("%.17g\n", n); }
static void tell(float n) { printf("%.9g\n", (double)n); }
static void tell(unsigned long long n) { printf("%llu\n", n); }
static void tell(unsigned long n) { printf("%lu\n", n); }
template <typename T> static void tell(T n) { printf("%lld\n", (long long)n); }
#else
#define tell(n) \
  printf(_Generic((n), long double: "%.21Lg\n", double: "%.17g\n", float: "%.9g\n", unsigned long: "%lu\n", \
                  unsigned long long: "%llu\n", default: "%lld\n"), \
         _Generic((n), long double: (n), double: (n), float: (double)(n), unsigned long: (n), \
                  unsigned long long: (n), default: (long long)(n)))
#endif
#define TELL(number, expression) \
  if (signal(SIGFPE, fail), signal(SIGSEGV, fail), sigsetjmp(failed, 1) == 0) { printf("told %d ", number); tell(expression); } else puts("");
#endif
FRAME int rest(int n) { puts("ready"); fflush(stdout); while (!stop) pause(); return n; }
)";

class Composer {
public:
  Composer(NativeLanguage language, std::uint64_t seed)
      : choice_(seed), is_cpp_(language == NativeLanguage::cpp), types_(choice_, is_cpp_) {}

  NativeProgram compose() {
    program_.source =
        fmt::format("{}\n{}\n{}\n", is_cpp_ ? beginning_of_cpp : beginning_of_c, types_.definitions(), keepers);
    for (std::size_t i = 0; i < globals; ++i)
      add_global(i);
    std::string callee = "rest";
    std::vector<NativeVariable> of_callee;
    for (std::size_t i = 0; i < levels; ++i)
      add_level(i, callee, of_callee);
    program_.source += "int main(int argc, char **argv) {\n  (void)argv;\n";
    for (const NativeVariable &object : objects_)
      program_.source += fmt::format("  keep(&{});\n", object.name);
    program_.source += fmt::format("  return {}(argc{});\n}}\n", callee, arguments(of_callee, {}));
    return std::move(program_);
  }

private:
  void add_global(std::size_t number) {
    NativeVariable variable{fmt::format("g{}", number), types_.any(objects_)};
    const std::string place = choice_.one_in(2) ? "static " : "";
    program_.source += fmt::format("{}{} = {};\n", place, declaration(variable.type, variable.name),
                                   types_.value(variable.type, objects_));
    objects_.push_back(std::move(variable));
  }

  static bool can_be_passed(const NativeTypeRef &type) { return type->kind != NativeKind::array; }

  std::string parameter(const NativeVariable &variable) const {
    return variable.type->kind == NativeKind::library ? fmt::format("const {} &{}", variable.type->name, variable.name)
                                                      : declaration(variable.type, variable.name);
  }

  std::string new_value(const NativeTypeRef &type) {
    const std::string value = types_.value(type, objects_);
    if (type->kind == NativeKind::library)
      return type->name + (value.starts_with('{') ? value : "(" + value + ")");
    if (type->kind != NativeKind::structure && type->kind != NativeKind::one_of)
      return value;
    return is_cpp_ ? type->name + value : fmt::format("({}){}", type->name, value);
  }

  /// What is passed: something of the type that is visible, or a new value.
  std::string arguments(const std::vector<NativeVariable> &parameters, const std::vector<NativeVariable> &visible) {
    std::string text;
    for (const NativeVariable &wanted : parameters) {
      std::vector<std::string> fitting;
      for (const auto *list : {&visible, static_cast<const std::vector<NativeVariable> *>(&objects_)})
        for (const NativeVariable &one : *list)
          if (one.type == wanted.type)
            fitting.push_back(one.name);
      const bool braces = wanted.type->kind == NativeKind::structure || wanted.type->kind == NativeKind::one_of;
      if (!fitting.empty() && (braces || !choice_.one_in(3)))
        text += ", " + choice_.of(fitting);
      else
        text += ", " + new_value(wanted.type);
    }
    return text;
  }

  /// A function that calls the one made before it. `of_callee` are that one's parameters behind the first, and become
  /// this one's.
  void add_level(std::size_t number, std::string &callee, std::vector<NativeVariable> &of_callee) {
    const std::string name = fmt::format("level{}", number);
    std::vector<NativeVariable> parameters;
    for (std::size_t i = choice_.below(6); i > 0; --i)
      if (NativeVariable one{fmt::format("p{}_{}", number, i), types_.any(objects_)}; can_be_passed(one.type))
        parameters.push_back(std::move(one));
    std::string head = fmt::format("FRAME int {}(int input", name);
    for (const NativeVariable &one : parameters)
      head += ", " + parameter(one);
    std::string body;
    std::string after;
    std::vector<NativeVariable> visible = parameters;
    for (std::size_t i = 2 + choice_.below(6); i > 0; --i)
      add_local(number, i, visible, body, after);
    ask(name, visible);
    body += tellings(name);
    body += fmt::format("  int result = {}(input + {}{});\n", callee, choice_.below(9),
                        callee == "rest" ? "" : arguments(of_callee, visible));
    program_.source += fmt::format("{}) {{\n{}{}  return result + input;\n}}\n", head, body, after);
    callee = name;
    of_callee = std::move(parameters);
  }

  void add_local(std::size_t level, std::size_t number, std::vector<NativeVariable> &visible, std::string &body,
                 std::string &after) {
    NativeVariable variable{fmt::format("v{}_{}", level, number), types_.any(objects_)};
    const bool counts = variable.type->kind == NativeKind::integer && variable.type->name != "bool";
    std::string value = types_.value(variable.type, objects_);
    // A compiler cannot know what `input` is.
    if (counts && choice_.one_in(2))
      value = fmt::format("({})(input * {} + {})", variable.type->name, choice_.between(-50, 50), choice_.below(1000));
    body += fmt::format("  {} = {};\n", declaration(variable.type, variable.name), value);
    switch (choice_.below(3)) {
    case 0:
      break;
    case 1:
      after += fmt::format("  keep(&{});\n", variable.name);
      break;
    default:
      if (counts)
        after += fmt::format("  __asm__ volatile(\"\" : : \"g\"({}));\n", variable.name);
      else
        body += fmt::format("  keep(&{});\n", variable.name);
    }
    visible.push_back(std::move(variable));
  }

  void ask(const std::string &function, std::vector<NativeVariable> visible) {
    visible.push_back({"input", input_type_});
    add(NativeQuestions(choice_, function, visible).about_each_variable());
    if (function == "level0")
      add(NativeQuestions(choice_, function, objects_).about_each_variable());
    visible.insert(visible.end(), objects_.begin(), objects_.end());
    add(NativeQuestions(choice_, function, visible).expressions(questions_of_a_frame));
  }

  void add(std::vector<NativeQuestion> questions) {
    for (NativeQuestion &question : questions)
      program_.questions.push_back(std::move(question));
  }

  /// What the program says of the function's questions itself.
  std::string tellings(const std::string &function) const {
    std::string text = "#ifdef TELL\n";
    for (std::size_t i = 0; i < program_.questions.size(); ++i)
      if (const NativeQuestion &question = program_.questions[i];
          question.function == function && !question.number.empty())
        text += fmt::format("  TELL({}, {});\n", i, question.number);
    return text + "#endif\n";
  }

  static NativeTypeRef type_of_input() {
    NativeType type;
    type.name = "int";
    return std::make_shared<NativeType>(std::move(type));
  }

  SeededChoice choice_;
  bool is_cpp_;
  NativeTypes types_;
  NativeTypeRef input_type_ = type_of_input();
  std::vector<NativeVariable> objects_; ///< globals
  NativeProgram program_;
};

} // namespace

NativeProgram native_program(NativeLanguage language, std::uint64_t seed) {
  return Composer(language, seed).compose();
}

} // namespace inspect::test
