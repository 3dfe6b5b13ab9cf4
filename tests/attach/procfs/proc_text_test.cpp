#include "attach/procfs/proc_text.h"

#include "attach/procfs/account_names.h"
#include "tests/support/catch.h"

#include <cstdlib>
#include <unistd.h>

namespace inspect {
namespace {

TEST_CASE("texts are taken apart at separators and blanks, to their end") {
  std::string_view text = "a:b c\n\nlast";
  CHECK(take_until(text, ':') == "a");
  CHECK(take_until(text, '\n') == "b c");
  CHECK(take_until(text, '\n').empty());
  CHECK(take_until(text, '\n') == "last");
  CHECK(take_until(text, '\n').empty());
  std::string_view line = " \tone  two\n";
  CHECK(take_word(line) == "one");
  CHECK(take_word(line) == "two");
  CHECK(take_word(line).empty());
  CHECK(trimmed(" \ta b\n") == "a b");
  CHECK(trimmed(" \t").empty());
}

TEST_CASE("a number is the whole text or nothing") {
  CHECK(whole_number<std::uint64_t>("18446744073709551615") == 18446744073709551615U);
  CHECK(whole_number<std::uint64_t>("ff", 16) == 255U);
  for (const char *text : {"", " 1", "1 ", "-1", "+1", "18446744073709551616", "0x1"}) {
    INFO(text);
    CHECK_FALSE(whole_number<std::uint64_t>(text).has_value());
  }
  CHECK(inode_in_link("net:[4026531840]") == 4026531840U);
  for (const char *text : {"net:[4026531840", "net:[]", "net", "[x]", "]["})
    CHECK_FALSE(inode_in_link(text).has_value());
}

TEST_CASE("the mark of a deleted file is taken off once") {
  std::string name = "/x (deleted) (deleted)";
  CHECK(take_deleted_mark(name));
  CHECK(name == "/x (deleted)");
  std::string other = "/x(deleted)";
  CHECK_FALSE(take_deleted_mark(other));
  CHECK(other == "/x(deleted)");
}

TEST_CASE("users and groups have their names, numbers without one stay numbers") {
  CHECK(user_name(0) == "root");
  CHECK(group_name(0) == "root");
  CHECK(user_name(3999999999U) == "3999999999");
  CHECK(group_name(3999999999U) == "3999999999");
}

} // namespace
} // namespace inspect
