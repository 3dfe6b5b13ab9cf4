// What all groupings of stacks share: identities of any parts, and the folding of what equal stacks have.
#include "inspector/stacks/stack_groups.h"

#include "tests/support/catch.h"

#include <array>
#include <string>
#include <string_view>

namespace inspect {
namespace {

/// Of a kind of frames that the product does not have.
struct Line {
  std::string text;
  int number = 0;
};

auto frame_identity(const Line &line) {
  return std::tuple(std::string_view(line.text), line.number);
}

struct Element {
  int state = 0;
  std::vector<Line> frames;
};

std::vector<std::vector<std::uint32_t>> members_of(const std::vector<Element> &elements) {
  std::vector<std::vector<std::uint32_t>> members;
  for (const StackGroup &group : group_by_identity(elements.size(), [&](std::size_t i) {
         return std::tuple(elements[i].state, FrameSequence(elements[i].frames));
       }))
    members.push_back(group.members);
  return members;
}

using Members = std::vector<std::vector<std::uint32_t>>;
using Numbers = std::vector<std::optional<int>>;

Numbers folded(std::initializer_list<std::vector<int>> all, bool &differ) {
  FoldedValues<int> values;
  for (const std::vector<int> &one : all)
    values.add(one);
  CHECK(values.known());
  differ = values.differ();
  return values.values();
}

TEST_CASE("elements are one group where all parts of their identity and all their frames are equal") {
  CHECK(members_of({}).empty());
  CHECK(members_of({{1, {{"a", 1}}}, {1, {{"a", 1}}}, {2, {{"a", 1}}}, {1, {{"a", 2}}}, {1, {{"a", 1}}}}) ==
        Members{{0, 1, 4}, {2}, {3}});
  // A stack that begins like another one, and one without frames.
  CHECK(members_of({{1, {{"a", 1}, {"b", 2}}}, {1, {{"a", 1}}}, {1, {}}, {1, {{"a", 1}, {"b", 2}}}}) ==
        Members{{0, 3}, {1}, {2}});
}

TEST_CASE("texts of an identity are compared by their characters, pointers by where they point") {
  const std::array<std::string, 2> texts{"same", "same"};
  CHECK(identity_classes(2, [&](std::size_t i) { return std::tuple(std::string_view(texts[i])); }) ==
        std::vector<std::uint32_t>{0, 0});
  CHECK(identity_classes(2, [&](std::size_t i) { return std::tuple(texts[i].data()); }) ==
        std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("the longest wait comes first, equal ones stay in their order, what is not known comes last") {
  std::vector<StackGroup> groups = group_by_identity(5, [](std::size_t) { return std::tuple(0); });
  constexpr std::array<std::optional<std::int64_t>, 5> waits{std::nullopt, 5, 0, 61, 5};
  order_by_wait(groups, [&](std::uint32_t member) { return waits[member]; });
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].members == std::vector<std::uint32_t>{3, 1, 4, 2, 0});
  CHECK(groups[0].longest_wait_minutes == 61);
  CHECK_FALSE(groups[0].shortest_wait_minutes.has_value());
}

TEST_CASE("folded values are kept where they are equal for all") {
  bool differ = false;
  CHECK(folded({{1, 2, 3}}, differ) == Numbers{1, 2, 3});
  CHECK_FALSE(differ);
  CHECK(folded({{1, 2}, {1, 2}}, differ) == Numbers{1, 2});
  CHECK_FALSE(differ);
  CHECK(folded({{1, 2, 3}, {1, 4, 3}, {1, 2, 5}}, differ) == Numbers{1, std::nullopt, std::nullopt});
  CHECK(differ);
  // Another number of them: what one does not have differs.
  CHECK(folded({{1, 2}, {1}}, differ) == Numbers{1, std::nullopt});
  CHECK(differ);
  CHECK(folded({{1}, {1, 2}}, differ) == Numbers{1});
  CHECK(differ);
}

TEST_CASE("folded values are not known without any, and where those of one are not") {
  FoldedValues<int> values;
  CHECK_FALSE(values.known());
  const std::vector<int> one{1};
  values.add(one);
  CHECK(values.known());
  values.add(std::nullopt);
  values.add(one);
  CHECK_FALSE(values.known());
  CHECK(values.values().empty());
}

} // namespace
} // namespace inspect
