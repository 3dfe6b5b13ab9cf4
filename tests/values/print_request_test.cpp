#include "values/print_request.h"

#include "tests/support/catch.h"

#include <array>

namespace inspect {
namespace {

struct RequestRow {
  std::string_view text;
  NumberFormat format;
  std::string_view expression; ///< empty: an error
  std::size_t offset = 0;
};

constexpr auto rows = std::to_array<RequestRow>({
    {"x", NumberFormat::natural, "x", 0},
    {"%x s.lookup", NumberFormat::hexadecimal, "s.lookup", 3},
    {"%d x", NumberFormat::decimal, "x", 3},
    {"%o x", NumberFormat::octal, "x", 3},
    {"%b x", NumberFormat::binary, "x", 3},
    {"%#v x", NumberFormat::natural, "x", 4},
    {"%v x", NumberFormat::natural, "x", 3},
    {"%q x", NumberFormat::quoted, "x", 3},
    {"%c x", NumberFormat::character, "x", 3},
    {"%f x", NumberFormat::floating, "x", 3},
    {"%s x", NumberFormat::text, "x", 3},
    {"%rax", NumberFormat::natural, "%rax", 0},
    {"%rax + 1", NumberFormat::natural, "%rax + 1", 0},
    {"/x a", NumberFormat::hexadecimal, "a", 3},
    {"  /x  a + b ", NumberFormat::hexadecimal, "a + b", 6},
    {"/d a", NumberFormat::decimal, "a", 3},
    {"/u a", NumberFormat::unsigned_decimal, "a", 3},
    {"/o a", NumberFormat::octal, "a", 3},
    {"/t a", NumberFormat::binary, "a", 3},
    {"/c a", NumberFormat::character, "a", 3},
    {"/a a", NumberFormat::address, "a", 3},
    {"/f a", NumberFormat::floating, "a", 3},
    {"/s a", NumberFormat::text, "a", 3},
    {"/x(a)", NumberFormat::hexadecimal, "(a)", 2},
    {"-a", NumberFormat::natural, "-a", 0},
    {"-elements + 1", NumberFormat::natural, "", 0},
    {"-elements 5 -- -a", NumberFormat::natural, "-a", 15},
    {"-- -elements", NumberFormat::natural, "-elements", 3},
    {"", NumberFormat::natural, "", 0},
    {"/x", NumberFormat::natural, "", 0},
    {"/k a", NumberFormat::natural, "", 0},
    {"/xx a", NumberFormat::natural, "", 0},
    {"%k a", NumberFormat::natural, "", 0},
});

} // namespace

TEST_CASE("print's formats are dlv's and gdb's") {
  for (const RequestRow &row : rows) {
    CAPTURE(row.text);
    const auto request = parse_print_request(row.text, {});
    REQUIRE(request.has_value() == !row.expression.empty());
    if (!request)
      continue;
    CHECK(request->options.format == row.format);
    CHECK(request->expression == row.expression);
    CHECK(request->offset == row.offset);
  }
}

TEST_CASE("print's limits replace those that it is given") {
  PrintOptions defaults;
  defaults.limits.elements = 3;
  const auto request = parse_print_request("-max-string-len 9 /x -depth 2 -fields unlimited %v a", defaults);
  REQUIRE(request);
  CHECK(request->options.limits.elements == 3);
  CHECK(request->options.limits.string_bytes == 9);
  CHECK(request->options.limits.recursion == 2);
  CHECK(request->options.limits.fields == SIZE_MAX);
  CHECK_FALSE(request->options.with_types);
  CHECK_FALSE(parse_print_request("-depth a", defaults));
  CHECK_FALSE(parse_print_request("-depth", defaults));
}

} // namespace inspect
