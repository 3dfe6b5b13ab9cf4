// Expressions against what a compiler makes of them: a fixture that prints its own, and random ones that this test's
// compiler computes with the same operands.
#include "values/expression/expression_evaluator.h"

#include "tests/support/catch.h"
#include "tests/support/fuzz_rounds.h"
#include "tests/values/damaged_memory.h"
#include "tests/values/fixture_values.h"
#include "tests/values/test_scopes.h"
#include "values/value_operations.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <random>
#include <variant>

namespace inspect {
namespace {

using namespace test;
using enum SourceLanguage;

std::string number_text(const Number &number) {
  if (number.kind == Number::Kind::floating)
    return fmt::format("{:a}", number.real);
  return number.kind == Number::Kind::unsigned_integer || number.kind == Number::Kind::address
             ? fmt::format("{}", static_cast<std::uint64_t>(number.integer))
             : fmt::format("{}", static_cast<std::int64_t>(number.integer));
}

/// The number, or the error's message.
std::string outcome(std::string_view text, NameScope &scope) {
  const auto value = evaluate(text, scope);
  if (!value)
    return value.error().message();
  const auto number = operations_of(*value).number(*value, scope.environment());
  if (number)
    return number->kind == Number::Kind::floating ? fmt::format("{}", static_cast<double>(number->real))
                                                  : number_text(*number);
  const auto string = operations_of(*value).text(*value, 1000, scope.environment());
  return string ? "\"" + *string + "\"" : number.error().message();
}

/// All of a fixture's variables by their names.
void add_all(TableScope &scope, FixtureValues &fixture) {
  for (const std::string &name : fixture.variable_names())
    scope.add(name, fixture.variable(name));
}

} // namespace

TEST_CASE("expressions are worth what the program says they are") {
  FixtureValues fixture({fixture_path("expression_values")}, cpp);
  std::vector<std::string> lines;
  for (std::string line = fixture.child().read_line(); line != "ready"; line = fixture.child().read_line())
    lines.push_back(line);
  REQUIRE(lines.size() > 120);
  fixture.open();
  TableScope scope(cpp, fixture.environment());
  add_all(scope, fixture);
  for (const std::string &line : lines) {
    CAPTURE(line);
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    const std::string text = line.substr(0, first);
    const std::uint64_t size = std::strtoull(line.c_str() + first + 1, nullptr, 10);
    const std::string said = line.substr(second + 1);
    const auto value = evaluate(text, scope);
    if (!value)
      FAIL(value.error().message());
    const auto number = operations_of(*value).number(*value, scope.environment());
    if (!number)
      FAIL(number.error().message());
    if (number->kind == Number::Kind::floating)
      CHECK(std::strtold(said.c_str(), nullptr) == number->real);
    else
      CHECK(number_text(*number) == said);
    CHECK(operations_of(*value).size_of(value->type, scope.environment()) == size);
  }
}

namespace {

using HostNumber =
    std::variant<signed char, unsigned char, short, unsigned short, int, unsigned, long, unsigned long, float, double>;
constexpr auto host_names =
    std::to_array<std::string_view>({"signed char", "unsigned char", "short", "unsigned short", "int", "unsigned int",
                                     "long", "unsigned long", "float", "double"});

template <typename T> T random_number(std::mt19937_64 &random) {
  const auto bits = random();
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(static_cast<double>(static_cast<std::int64_t>(bits)) / std::ldexp(1.0, bits % 64));
  // Small numbers and those at the ends, where conversions matter.
  return static_cast<T>(bits % 3 == 0   ? bits >> 40 & 0x7
                        : bits % 3 == 1 ? ~std::uint64_t{0} >> (bits >> 8 & 63)
                                        : bits);
}

template <std::size_t... Index> HostNumber random_host_number(std::mt19937_64 &random, std::index_sequence<Index...>) {
  const std::size_t chosen = random() % sizeof...(Index);
  HostNumber number;
  static_cast<void>(
      ((chosen == Index && (number = random_number<std::variant_alternative_t<Index, HostNumber>>(random), true)) ||
       ...));
  return number;
}

/// A text and what it is worth to the compiler; nothing where C says nothing about it (overflow, division by zero).
struct RandomExpression {
  std::string text;
  std::optional<HostNumber> worth;
};

template <typename T> HostNumber promoted_host(T value) {
  if constexpr (std::is_same_v<T, bool>)
    return HostNumber(static_cast<int>(value));
  else
    return HostNumber(value);
}

template <typename A, typename B> std::optional<HostNumber> host_binary(std::string_view sign, A a, B b) {
  using Common = decltype(a + b);
  const auto left = static_cast<Common>(a);
  const auto right = static_cast<Common>(b);
  Common result{};
  if constexpr (std::is_integral_v<Common>) {
    if (sign == "/" || sign == "%") {
      if (right == 0 || (std::is_signed_v<Common> && right == static_cast<Common>(-1)))
        return std::nullopt;
      return promoted_host(sign == "/" ? left / right : left % right);
    }
    if (sign == "&" || sign == "|" || sign == "^")
      return promoted_host(sign == "&" ? left & right : sign == "|" ? left | right : left ^ right);
    if (sign == "<<" || sign == ">>") {
      using Promoted = decltype(+a);
      if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
        if (b < 0 || static_cast<std::uint64_t>(b) >= sizeof(Promoted) * 8)
          return std::nullopt;
        return promoted_host(sign == "<<" ? static_cast<Promoted>(+a << b) : static_cast<Promoted>(+a >> b));
      }
    }
    const bool overflow = sign == "+"   ? __builtin_add_overflow(left, right, &result)
                          : sign == "-" ? __builtin_sub_overflow(left, right, &result)
                                        : sign == "*" && __builtin_mul_overflow(left, right, &result);
    if (std::is_signed_v<Common> && overflow)
      return std::nullopt;
    if (sign == "+" || sign == "-" || sign == "*")
      return promoted_host(result);
  } else if (sign == "+" || sign == "-" || sign == "*" || sign == "/") {
    if (sign == "/" && right == 0)
      return std::nullopt;
    return promoted_host(sign == "+"   ? left + right
                         : sign == "-" ? left - right
                         : sign == "*" ? left * right
                                       : left / right);
  }
  if (sign == "<" || sign == "==" || sign == ">=")
    return promoted_host(sign == "<" ? left < right : sign == "==" ? left == right : left >= right);
  return std::nullopt;
}

class RandomExpressions {
public:
  RandomExpressions(std::mt19937_64 &random, const std::vector<HostNumber> &variables)
      : random_(random), variables_(variables) {}

  RandomExpression make(int depth) {
    if (depth == 0 || random_() % 4 == 0) {
      const std::size_t index = random_() % variables_.size();
      return {fmt::format("v{}", index), variables_[index]};
    }
    if (random_() % 5 == 0)
      return unary(make(depth - 1));
    constexpr auto signs =
        std::to_array<std::string_view>({"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "==", ">="});
    const std::string_view sign = signs[random_() % signs.size()];
    const RandomExpression left = make(depth - 1);
    const RandomExpression right = make(depth - 1);
    RandomExpression both{fmt::format("({} {} {})", left.text, sign, right.text), std::nullopt};
    if (left.worth && right.worth)
      both.worth = std::visit([sign](auto a, auto b) { return host_binary(sign, a, b); }, *left.worth, *right.worth);
    return both;
  }

private:
  RandomExpression unary(const RandomExpression &operand) {
    const char sign = "-~!"[random_() % 3];
    RandomExpression result{fmt::format("({}{})", sign, operand.text), std::nullopt};
    if (operand.worth)
      result.worth = std::visit([sign](auto a) { return apply(sign, a); }, *operand.worth);
    return result;
  }

  template <typename T> static std::optional<HostNumber> apply(char sign, T value) {
    if (sign == '!')
      return HostNumber(static_cast<int>(!value));
    if constexpr (std::is_integral_v<T>) {
      using Promoted = decltype(+value);
      if (sign == '~')
        return HostNumber(static_cast<Promoted>(~value));
      Promoted negated{};
      if (__builtin_sub_overflow(Promoted{0}, static_cast<Promoted>(value), &negated) && std::is_signed_v<Promoted>)
        return std::nullopt;
      return HostNumber(negated);
    } else {
      return sign == '-' ? std::optional(HostNumber(-value)) : std::nullopt;
    }
  }

  std::mt19937_64 &random_;
  const std::vector<HostNumber> &variables_;
};

std::string host_text(const HostNumber &number) {
  return std::visit(
      [](auto value) {
        if constexpr (std::is_floating_point_v<decltype(value)>)
          return fmt::format("{:a}", static_cast<long double>(value));
        else
          return fmt::format("{}", +value);
      },
      number);
}

} // namespace

TEST_CASE("random arithmetic is that of this test's compiler") {
  int compared = 0;
  int rounds = 0;
  for (int round = 0; fuzz_goes_on(round, 400); ++round, ++rounds) {
    std::mt19937_64 random(static_cast<unsigned>(round));
    std::vector<HostNumber> variables;
    for (int count = 0; count < 10; ++count)
      variables.push_back(random_host_number(random, std::make_index_sequence<std::variant_size_v<HostNumber>>()));
    OwnEnvironment own;
    TableScope scope(cpp, own.environment);
    for (std::size_t index = 0; index < variables.size(); ++index)
      std::visit(
          [&](const auto &one) {
            scope.add(fmt::format("v{}", index), own.value(one, host_names[variables[index].index()], cpp));
          },
          variables[index]);
    RandomExpressions expressions(random, variables);
    for (int count = 0; count < 20; ++count) {
      const RandomExpression expression = expressions.make(4);
      CAPTURE(round, expression.text);
      const auto value = evaluate(expression.text, scope);
      if (!expression.worth)
        continue; // evaluated all the same: the sanitizers watch
      if (!value)
        FAIL(value.error().message());
      const auto number = operations_of(*value).number(*value, own.environment);
      REQUIRE(number);
      ++compared;
      const bool nan = number->kind == Number::Kind::floating && std::isnan(number->real);
      CHECK(
          (nan ? host_text(*expression.worth).contains("nan") : number_text(*number) == host_text(*expression.worth)));
    }
  }
  CHECK(compared > rounds * 5);
}

namespace {

struct EvaluationRow {
  SourceLanguage language;
  std::string_view text;
  std::string_view expected; ///< a number, a text in quotes, or what the error's message begins with
};

constexpr auto strict_rows = std::to_array<EvaluationRow>({
    // Go: one type, constants adapt and do not wrap.
    {go, "small + 1", "101"},
    {go, "small * 2", "-56"},
    {go, "small + 200", "at column 7: 200 does not fit into int8"},
    {go, "small + other", "at column 7: int8 and int64 do not mix"},
    {go, "small == 100", "1"},
    {go, "other / 7", "-142"},
    {go, "other % 7", "-6"},
    {go, "other >> 70", "-1"},
    {go, "other << 70", "0"},
    {go, "other << -1", "at column 7: a shift by a negative number"},
    {go, "other / 0", "at column 7: division by zero"},
    {go, "1 << 62 << 2 >> 60", "16"},
    {go, "1 << 200", "at column 3: the constant is too large"},
    {go, "7 / 2", "3"},
    {go, "7 / 2.0", "3.5"},
    {go, "'a' + 1", "98"},
    {go, "^small", "-101"},
    {go, "word &^ 0xff", "65280"},
    {go, "-small", "-100"},
    {go, "real * 2", "5"},
    {go, "real + small", "at column 6: float64 and int8 do not mix"},
    {go, "small + 1.5", "at column 7: 1.5"},
    {go, "small + 2.0", "102"},
    {go, "yes && small > 5", "1"},
    {go, "!yes", "0"},
    {go, "!small", "at column 1: a condition must be true or false"},
    {go, "yes + yes", "at column 5: bool has no operator +"},
    {go, "int64(small) + other", "-900"},
    {go, "uint8(200) + 100", "44"},
    {go, "uint8(300)", "at column 6: 300 does not fit"},
    {go, "float64(7) / 2", "3.5"},
    {go, "len(\"abc\")", "3"},
    {go, "\"ab\" + \"c\" == \"abc\"", "1"},
    {go, "small ? 1 : 2", "at column 7: expected an operator"},
    {go, "nothing", "nothing here is named 'nothing'"},
    {go, "1 + nothing", "at column 5: nothing here is named 'nothing'"},
    {go, "pkg.Nothing", "at column 1: nothing here is named"},
    {go, "fmt.Println(1)", "at column 1: fmt.Println is not called"},
    {go, "unsafe.Sizeof(other)", "8"},
    {go, "$rax == 0x1122334455667788", "1"},
    {go, "RAX & 0xff", "136"},
    // Rust.
    {rust, "byte + 1", "201"},
    {rust, "byte + 100", "44"},
    {rust, "byte + 300", "at column 6: 300 does not fit"},
    {rust, "byte + wide", "at column 6: u8 and i64 do not mix"},
    {rust, "byte as i64 + wide", "-800"},
    {rust, "!byte", "55"},
    {rust, "-wide", "1000"},
    {rust, "wide as u8", "24"},
    {rust, "300.7 as u8", "255"},
    {rust, "-5.5 as u8", "0"},
    {rust, "(0.0 - 3e10) as i32", "-2147483648"},
    {rust, "wide >> 3", "-125"},
    {rust, "byte << 8", "at column 6: a shift by 8 of a number of 8 bits"},
    {rust, "1_000 == 1000", "1"},
    {rust, "2u64 + 3", "5"},
    // C.
    {c, "1 << 40", "at column 3: a shift by 40 of a number of 32 bits"},
    {c, "1 / 0", "at column 3: division by zero"},
    {c, "5 % (1 - 1)", "at column 3: division by zero"},
    {c, "0 && 1 / 0", "0"},
    {c, "1 || 1 / 0", "1"},
    {c, "1.5 % 2", "at column 5: % takes whole numbers"},
    {c, "~1.5", "at column 1: ~ takes whole numbers"},
    {c, "\"abc\" == \"abc\"", "1"},
    {c, "&5", "at column 1: it is not in memory"},
    {c, "*5", "at column 1: "},
    {c, "(unsigned char)300", "44"},
    {c, "(unsigned long)-1 > 0", "1"},
    {c, "(missing_type)5", "at column 2: there is no type 'missing_type'"},
    {c, "sizeof(long) * 8", "64"},
    {c, "1 ? 2 : nothing", "2"},
    {c, "main(1)", "at column 1: there is no type 'main'"},
    {c, "NULL == 0", "1"},
    {c, "0 - 1 < 1u", "0"},
});

} // namespace

TEST_CASE("expressions in Go, Rust and C follow their language, and errors say where") {
  OwnEnvironment own;
  const std::int8_t small = 100;
  const std::int64_t other = -1000;
  const std::uint16_t word = 0xffff;
  const double real = 2.5;
  const bool yes = true;
  const std::uint8_t byte = 200;
  TableScope scopes[] = {{go, own.environment}, {rust, own.environment}, {c, own.environment}};
  scopes[0].add("small", own.go_value(small, "int8"));
  scopes[0].add("other", own.go_value(other, "int64"));
  scopes[0].add("word", own.go_value(word, "uint16"));
  scopes[0].add("real", own.go_value(real, "float64"));
  scopes[0].add("yes", own.go_value(yes, "bool"));
  scopes[1].add("byte", own.value(byte, "u8", rust));
  scopes[1].add("wide", own.value(other, "i64", rust));
  for (const EvaluationRow &row : strict_rows) {
    CAPTURE(row.text, static_cast<int>(row.language));
    TableScope &scope = scopes[row.language == go ? 0 : row.language == rust ? 1 : 2];
    const std::string actual = outcome(row.text, scope);
    const bool number = row.expected.find_first_not_of("0123456789abcdefpx.+-") == std::string_view::npos;
    CHECK((number ? actual : actual.substr(0, row.expected.size())) == row.expected);
  }
}

TEST_CASE("expressions over damaged memory have a value or an error") {
  FixtureValues fixture({fixture_path("expression_values")}, cpp);
  std::vector<std::string> texts;
  for (std::string line = fixture.child().read_line(); line != "ready"; line = fixture.child().read_line())
    texts.push_back(line.substr(0, line.find('\t')));
  fixture.open();
  for (int round = 0; fuzz_goes_on(round, 20); ++round) {
    CAPTURE(round);
    std::mt19937_64 random(static_cast<unsigned>(round));
    const DamagedMemory memory(fixture.memory(), random, 8);
    ValueEnvironment environment = damaged_environment(fixture, memory);
    TableScope scope(cpp, environment);
    for (const std::string &name : fixture.variable_names())
      scope.add(name, damaged_variable(fixture, name, memory));
    for (const std::string &text : texts) {
      // Two expressions of the fixture joined, or one as it is.
      const std::string other = texts[random() % texts.size()];
      const std::string joined =
          random() % 2 == 0 ? text : fmt::format("({}) {} ({})", text, "+-*/%<&@"[random() % 8], other);
      CAPTURE(joined);
      const auto value = evaluate(joined, scope);
      if (!value)
        CHECK_FALSE(value.error().message().empty());
      static_cast<void>(type_of_expression(joined, scope));
    }
  }
}

} // namespace inspect
