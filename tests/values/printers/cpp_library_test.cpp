#include "tests/support/catch.h"
#include "tests/support/skip.h"
#include "tests/values/printers/library_fixture.h"
#include "values/printers/library_object.h"
#include "values/printers/library_type_name.h"
#include "values/printers/library_view.h"
#include "values/value_operations.h"

#include <fmt/format.h>
#include <set>
#include <utility>
#include <vector>

namespace inspect {
namespace {

/// A child as the program itself writes its elements: numbers in decimal, texts as they are.
std::string plain_text(const Value &value, ValueEnvironment &environment) {
  if (const auto view = library_view(value, {}, environment); view && view->shape == LibraryView::Shape::text) {
    std::string text(view->length.value_or(0), '\0');
    return view->characters && view->characters->read(0, std::as_writable_bytes(std::span(text))) ? text : "unreadable";
  }
  const auto number = operations_of(value).number(value, environment);
  return number ? fmt::format("{}", static_cast<long long>(number->integer)) : number.error().message();
}

std::string elements_text(const LibraryView &view, ValueEnvironment &environment) {
  std::string text;
  if (view.shape == LibraryView::Shape::text) {
    for (std::uint64_t i = 0; i < view.length.value_or(0) && i < 64; ++i)
      text += fmt::format("{}{}", i > 0 ? " " : "",
                          view.characters->unsigned_at(i * view.character_size, view.character_size).value_or(0));
    return text;
  }
  for (const LibraryChild &child : view.children)
    text += (&child == view.children.data() ? "" : " ") + (child.key ? plain_text(*child.key, environment) + ":" : "") +
            plain_text(child.value, environment);
  return text;
}

/// A string_view's characters count as its elements; lengths of those that must be walked are known when all were.
void check_facts(const std::string &name, const test::LibraryFixture::Facts &facts, test::LibraryFixture &fixture) {
  ValueEnvironment &environment = fixture.values().environment();
  INFO(name);
  const auto view = library_view(fixture.values().variable(name), {0, 64}, environment);
  REQUIRE(view.has_value());
  CHECK(view->problem.empty());
  CHECK(view->length == std::stoull(facts.at("length")));
  if (facts.contains("capacity"))
    CHECK(view->capacity == std::stoull(facts.at("capacity")));
  CHECK(elements_text(*view, environment) == facts.at("elements"));
}

TEST_CASE("objects of the C++ libraries have the lengths, capacities and elements that their program says") {
  std::size_t programs = 0;
  for (const std::string_view program : test::library_programs()) {
    INFO(program);
    ++programs;
    test::LibraryFixture fixture(program);
    std::size_t checked = 0;
    for (const auto &[name, facts] : fixture.facts())
      if (facts.contains("length")) {
        check_facts(name, facts, fixture);
        ++checked;
      }
    CHECK(checked == 45);
    const auto &counts = fixture.facts();
    CHECK(fixture.text("shared").find("(use count " + counts.at("shared").at("") + ", weak count 1)") !=
          std::string::npos);
    CHECK(fixture.text("weak").find("(use count " + counts.at("weak").at("") + ",") != std::string::npos);
    CHECK(counts.at("weak_expired").at("") == "0");
    CHECK(fixture.text("weak_expired").find("(expired, weak count 1)") != std::string::npos);
  }
  CHECK(programs >= 3);
}

TEST_CASE("a part of a container is what is at that place") {
  for (const std::string_view program : test::library_programs()) {
    INFO(program);
    test::LibraryFixture fixture(program);
    ValueEnvironment &environment = fixture.values().environment();
    const auto part = [&](const char *name, std::size_t first, std::size_t count) {
      const auto view = library_view(fixture.values().variable(name), {first, count}, environment);
      return view ? elements_text(*view, environment) : "no view";
    };
    CHECK(part("queue_many", 665, 10) == "999");
    CHECK(part("queue_many", 300, 2) == "634 635");
    CHECK(part("tree", 998, 5) == "998:714 999:857");
    CHECK_FALSE(part("hashed_many", 999, 5).empty());
    CHECK(part("hashed_many", 1000, 5).empty());
    CHECK(part("linked", 1, 1) == "2");
    CHECK(part("forward", 2, SIZE_MAX) == "3");
    CHECK(part("words", 1, 2) == " three, which is longer than fits inside");
    CHECK(part("flags", 1, 2) == "0 1");
    CHECK(part("bits", 2, 1) == "1");
    CHECK(part("bits", 3, 1) == "0");
    CHECK(part("numbers", 3, 1).empty());
    CHECK(part("numbers", SIZE_MAX, SIZE_MAX).empty());
  }
}

struct Row {
  const char *name;
  std::string text; ///< with PID and WORKER for the ids of its threads, 0x… for addresses
};

/// Where the libraries differ, or their compilers do, the row is of libstdc++ and below is libc++'s.
const std::vector<Row> &rows() {
  static const std::vector<Row> all = {
      {"text_short", R"("small")"},
      {"text_long", R"("a text that is too long to lie within the object itself")"},
      {"text_empty", R"("")"},
      {"text_nul", R"("a\000b")"},
      {"text_wide", R"(L"wide é中")"},
      {"text_16", R"(u"sixteen é中")"},
      {"text_32", R"(U"thirty-two 😀")"},
      {"view_text", R"("a text that is too long to lie within the object itself")"},
      {"numbers", "std::vector of length 3, capacity 4 = {1, 2, 3}"},
      {"numbers_empty", "std::vector of length 0, capacity 0"},
      {"words", R"(std::vector of length 3, capacity 3 = {"one", "", "three, which is longer than fits inside"})"},
      {"flags", "std::vector<bool> of length 4, capacity 64 = {true, false, true, true}"},
      {"nested", "std::vector of length 3, capacity 3 = {std::vector of length 1, capacity 1 = {1}, std::vector of "
                 "length 0, capacity 0, std::vector of length 2, capacity 2 = {2, 3}}"},
      {"points", "std::vector of length 2, capacity 2 = {{x = 1, y = 2}, {x = 3, y = 4}}"},
      {"fixed", "std::array of length 3 = {4, 5, 6}"},
      {"fixed_empty", "std::array of length 0"},
      {"queue_numbers", "std::deque with 3 elements = {1, 2, 3}"},
      {"queue_empty", "std::deque with 0 elements"},
      {"linked", "std::__cxx11::list = {[0] = 1, [1] = 2, [2] = 3}"},
      {"linked_empty", "empty std::__cxx11::list"},
      {"forward", "std::forward_list = {[0] = 1, [1] = 2, [2] = 3}"},
      {"forward_empty", "empty std::forward_list"},
      {"ages", R"(std::map with 3 elements = {["ann"] = 31, ["bob"] = 27, ["cleo"] = 44})"},
      {"ages_empty", "std::map with 0 elements"},
      {"deep", R"(std::map with 2 elements = {["a"] = std::vector of length 2, capacity 2 = {std::optional<int> = )"
               R"({[contained value] = 1}, std::optional<int> [no contained value]}, ["b"] = std::vector of length 0, )"
               R"(capacity 0})"},
      {"many_keys", "std::multimap with 3 elements = {[1] = 97 'a', [1] = 98 'b', [2] = 99 'c'}"},
      {"sorted", "std::set with 3 elements = {[0] = 1, [1] = 2, [2] = 3}"},
      {"sorted_down", "std::set with 3 elements = {[0] = 3, [1] = 2, [2] = 1}"},
      {"sorted_twice", "std::multiset with 3 elements = {[0] = 1, [1] = 2, [2] = 2}"},
      {"hashed", R"(std::unordered_map with 1 element = {[1] = "one"})"},
      {"hashed_text", R"(std::unordered_map with 1 element = {["k"] = 5})"},
      {"hashed_set", "std::unordered_set with 1 element = {[0] = 42}"},
      {"hashed_twice", "std::unordered_multimap with 2 elements = {[1] = 10, [1] = 10}"},
      {"hashed_set_twice", "std::unordered_multiset with 2 elements = {[0] = 5, [1] = 5}"},
      {"couple", R"({first = 1, second = "two"})"},
      {"triple", R"(std::tuple containing = {[1] = 1, [2] = "two", [3] = 2.5})"},
      {"triple_hollow", "std::tuple containing = {[1] = {<No data fields>}, [2] = 3}"},
      {"triple_empty", "empty std::tuple"},
      {"maybe", "std::optional<int> = {[contained value] = 3}"},
      {"maybe_not", "std::optional<int> [no contained value]"},
      {"maybe_text", R"(std::optional<std::string> = {[contained value] = "text"})"},
      {"maybe_numbers", "std::optional<std::vector<int>> = {[contained value] = std::vector of length 2, capacity 2 = "
                        "{1, 2}}"},
      {"either_number", "std::variant<int, std::string, double> [index 0] = {7}"},
      {"either_text", R"(std::variant<int, std::string, double> [index 1] = {"text"})"},
      {"either_real", "std::variant<int, std::string, double> [index 2] = {2.5}"},
      {"either_none", "std::variant<int, Thrower> [no contained value]"},
      {"any_number", "std::any containing int = {[contained value] = 5}"},
      {"any_text", R"(std::any containing std::string = {[contained value] = "text"})"},
      {"any_empty", "std::any [no contained value]"},
      {"any_large", "std::any containing Large = {[contained value] = {words = {0 <repeats 80 times>}}}"},
      {"owner", "std::unique_ptr<int> = {get() = 0x…}"},
      {"owner_empty", "std::unique_ptr<int> = {get() = 0x0}"},
      {"owner_closing", "std::unique_ptr<Point> = {get() = 0x…}"},
      {"shared", "std::shared_ptr<int> (use count 2, weak count 1) = {get() = 0x…}"},
      {"shared_empty", "std::shared_ptr<int> (empty) = {get() = 0x0}"},
      {"shared_alone", "std::shared_ptr<Point> (use count 1, weak count 0) = {get() = 0x…}"},
      {"weak_empty", "std::weak_ptr<int> (empty) = {get() = 0x0}"},
      {"call_function", "std::function<int (int)> calling add_one(int)"},
      {"call_empty", "std::function<int (int)> [no target]"},
      {"call_lambda", "std::function<int (int)> calling call_lambda::{lambda(int)#1}"},
      {"span_any", "std::span of length 3 = {1, 2, 3}"},
      {"span_fixed", "std::span of length 3 = {4, 5, 6}"},
      {"listed", "std::initializer_list of length 2 = {8, 9}"},
      {"atomic_number", "std::atomic<int> = {11}"},
      {"atomic_flag", "std::atomic<bool> = {true}"},
      {"atomic_pointer", "std::atomic<int *> = {0x0}"},
      {"atomic_real", "std::atomic<double> = {1.5}"},
      {"atomic_point", "std::atomic<Point> = {{x = 5, y = 6}}"},
      {"bits", "std::bitset = {[0] = 1, [2] = 1, [9] = 1}"},
      {"bits_many", "std::bitset = {[0] = 1, [71] = 1}"},
      {"bits_none", "std::bitset"},
      {"bits_empty", "std::bitset"},
      {"stacked", "std::stack wrapping: std::deque with 3 elements = {1, 2, 3}"},
      {"queued", "std::queue wrapping: std::deque with 3 elements = {1, 2, 3}"},
      {"ranked", "std::priority_queue wrapping: std::vector of length 3, capacity 4 = {3, 1, 2}"},
      {"complex_number", "1 + -2i"},
      {"complex_single", "0.5 + 2i"},
      {"reference_number", "std::reference_wrapper<int> = {get() = 0x… <fixed+4>}"},
      {"three_seconds", "3s"},
      {"quarter", "250ms"},
      {"nanoseconds", "-7ns"},
      {"two_hours", "2h"},
      {"real_seconds", "1.5s"},
      {"five_days", "5d"},
      {"frames", "50[1/25]s"},
      {"moment", "2023-11-14 22:13:20.123456789 UTC"},
      {"steady", "12345ms of std::chrono::steady_clock"},
      {"mutex_free", "std::mutex, not locked"},
      {"mutex_held", "std::mutex locked by thread PID"},
      {"mutex_twice", "std::recursive_mutex locked 2 times by thread PID"},
      {"mutex_timed", "std::timed_mutex locked by thread PID"},
      {"shared_free", "std::shared_mutex, not locked"},
      {"shared_written", "std::shared_mutex locked for writing by thread PID"},
      {"shared_read", "std::shared_mutex locked for reading by 1 thread"},
      {"condition", "std::condition_variable, 1 thread waits"},
      {"worker", "std::thread, thread WORKER"},
      {"worker_none", "std::thread, not running"},
      {"worker_id", "std::thread::id WORKER"},
      {"place", R"(filesystem::path "/usr/lib/x.so")"},
      {"place_empty", R"(filesystem::path "")"},
      {"error_none", "std::error_code = { }"},
      {"error_missing", R"(std::error_code = {"generic": ENOENT})"},
      {"condition_none", "std::error_condition = { }"},
      {"exception_none", "std::exception_ptr to no exception"},
      {"exception_some", "std::exception_ptr to std::out_of_range at 0x…"},
      {"at_number", "2"},
      {"at_nothing", "non-dereferenceable iterator for std::vector"},
      {"at_flag", "true"},
      {"at_linked", "1"},
      {"at_forward", "1"},
      {"at_age", R"({first = "ann", second = 31})"},
      {"at_sorted", "1"},
      {"at_queue", "1"},
      {"at_hashed", R"({first = 1, second = "one"})"},
  };
  return all;
}

/// The old ABI's list is in no namespace of its own, as libc++'s. What is behind a lock of libc++'s with a virtual
/// table or without inline functions, clang does not describe.
std::optional<std::string> other_text(std::string_view program, std::string_view name) {
  const bool is_libcxx = program.starts_with("values_libcxx");
  if (program == "values_gcc_old" || is_libcxx) {
    if (name == "linked")
      return "std::list = {[0] = 1, [1] = 2, [2] = 3}";
    if (name == "linked_empty")
      return "empty std::list";
  }
  if (!is_libcxx)
    return std::nullopt;
  if (name == "call_lambda")
    return "std::function<int (int)> calling $_0";
  if (name == "mutex_timed")
    return "<incomplete type>";
  if (name.starts_with("shared_free") || name.starts_with("shared_written") || name.starts_with("shared_read"))
    return "{__base = <incomplete type>}";
  return std::nullopt;
}

std::string with_places(std::string text, const std::string &process, const std::string &worker) {
  const auto replace = [&text](const std::string &what, const std::string &by) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
      text.replace(at, what.size(), by);
  };
  replace("thread " + process, "thread PID");
  replace("thread " + worker, "thread WORKER");
  replace("id " + worker, "id WORKER");
  for (std::size_t at = 0; (at = text.find("0x", at)) != std::string::npos; at += 2) {
    const std::size_t end = text.find_first_not_of("0123456789abcdef", at + 2);
    const std::size_t digits = (end == std::string::npos ? text.size() : end) - at - 2;
    if (digits > 1)
      text.replace(at + 2, digits, "…");
  }
  return text;
}

TEST_CASE("objects of the C++ libraries print as gdb's printers would") {
  for (const std::string_view program : test::library_programs()) {
    INFO(program);
    test::LibraryFixture fixture(program);
    const std::string process = fixture.facts().at("process").at("");
    const std::string worker = fixture.facts().at("thread").at("");
    for (const Row &row : rows()) {
      INFO(row.name);
      const std::string wanted = other_text(program, row.name).value_or(row.text);
      CHECK(with_places(fixture.text(row.name), process, worker) == wanted);
    }
  }
}

TEST_CASE("no two printers are for types of one name") {
  std::set<std::string_view> names;
  for (const auto &types :
       {cpp_string_types(), cpp_sequence_types(), cpp_node_types(), cpp_wrapper_types(), cpp_thread_types(),
        cpp_number_types(), rust_pointer_types(), rust_sequence_types(), rust_map_types(), rust_wrapper_types()})
    for (const LibraryType &type : types) {
      INFO(type.name);
      CHECK(names.insert(type.name).second);
      // Else no type would ever be looked up by it.
      CHECK(without_inline_namespaces(type.name) == type.name);
    }
}

TEST_CASE("a path leads from member to member, and the first of several that leads anywhere is taken") {
  test::LibraryFixture fixture("values_gcc");
  const LibraryObject numbers(fixture.values().variable("numbers"), fixture.values().environment());
  const auto start = numbers.pointer("_M_impl._M_start");
  REQUIRE(start);
  CHECK(numbers.has("_M_impl"));
  CHECK(numbers.pointer({"__begin_", "_M_impl._M_start"})->address == start->address);
  CHECK(numbers.pointer({"_M_impl._M_start", "_M_impl._M_finish"})->address == start->address);
  for (const std::string_view nowhere : {"", ".", "_M_impl.", "_M_impl._M_start._M_start", "__begin_", "._M_impl"})
    CHECK_FALSE(numbers.has(nowhere));
  CHECK_FALSE(numbers.number("_M_impl._M_start"));
  CHECK_FALSE(numbers.paired_with("_M_impl"));
}

TEST_CASE("the inline namespaces of the libraries are taken away, also one within another") {
  const std::pair<const char *, const char *> names[] = {
      {"std::__1::vector", "std::vector"},
      {"std::__ndk1::__fs::filesystem::path", "std::__fs::filesystem::path"},
      {"std::__8::__cxx11::basic_string", "std::basic_string"},
      {"std::__debug::list", "std::list"},
      {"std::filesystem::__cxx11::path", "std::filesystem::path"},
      {"std::map<std::__cxx11::list, std::__1::set>", "std::map<std::list, std::set>"},
      {"mine::__1::vector", "mine::__1::vector"},
      {"", ""},
  };
  for (const auto &[whole, wanted] : names)
    CHECK(without_inline_namespaces(whole) == wanted);
}

TEST_CASE("names of types lose what nobody writes") {
  const std::pair<const char *, const char *> names[] = {
      {"int", "int"},
      {"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string"},
      {"std::__1::basic_string<wchar_t, std::__1::char_traits<wchar_t>, std::__1::allocator<wchar_t> >",
       "std::wstring"},
      {"const std::vector<int, std::allocator<int> > *", "const std::vector<int> *"},
      {"std::vector<int, mine::allocator<int> >", "std::vector<int, mine::allocator<int>>"},
      {"std::map<int, ns::T, std::less<int>, std::allocator<std::pair<int const, ns::T> > >", "std::map<int, ns::T>"},
      {"std::map<int, int, std::greater<int>, std::allocator<std::pair<int const, int> > >",
       "std::map<int, int, std::greater<int>>"},
      {"std::pair<int, std::less<int> >", "std::pair<int, std::less<int>>"},
      {"std::unique_ptr<T, std::default_delete<T> >", "std::unique_ptr<T>"},
      {"std::queue<int, std::deque<int, std::allocator<int> > >", "std::queue<int>"},
      {"std::priority_queue<int, std::vector<int, std::allocator<int> >, std::less<int> >", "std::priority_queue<int>"},
      {"std::function<void (std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >)>",
       "std::function<void (std::string)>"},
      {"broken<int", "broken<int"},
      {"int>", "int>"},
      {"<>", "<>"},
      {"", ""},
  };
  for (const auto &[whole, shortened] : names)
    CHECK(short_type_name(whole) == shortened);
  // A name that is made to exhaust the stack.
  CHECK_FALSE(short_type_name(std::string(100'000, '<')).empty());
  std::string deep;
  for (int i = 0; i < 2000; ++i)
    deep = "a<" + deep + ">";
  CHECK(short_type_name(deep).size() <= deep.size());
}

} // namespace
} // namespace inspect
