#include "machine/near_misses.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Optimal string alignment: Levenshtein's distance with swaps of neighbours as one step.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> steps(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
  for (std::size_t row = 0; row <= left.size(); ++row)
    steps[row][0] = row;
  for (std::size_t column = 0; column <= right.size(); ++column)
    steps[0][column] = column;
  for (std::size_t row = 1; row <= left.size(); ++row) {
    for (std::size_t column = 1; column <= right.size(); ++column) {
      const std::size_t change = left[row - 1] == right[column - 1] ? 0 : 1;
      steps[row][column] =
          std::min({steps[row - 1][column] + 1, steps[row][column - 1] + 1, steps[row - 1][column - 1] + change});
      if (row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1])
        steps[row][column] = std::min(steps[row][column], steps[row - 2][column - 2] + 1);
    }
  }
  return steps[left.size()][right.size()];
}

} // namespace

std::vector<std::string> near_misses(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t max_word_length = 64; // more is not a typing error, and the distance is quadratic
  if (word.empty() || word.size() > max_word_length)
    return {};
  struct Near {
    std::size_t distance;
    std::string name;
  };
  std::vector<Near> found;
  const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  for (const std::string &candidate : candidates) {
    if (candidate.size() > max_word_length)
      continue;
    const std::size_t steps = candidate.starts_with(word) ? 0 : distance(word, candidate);
    if (steps <= allowed && steps < std::max(word.size(), candidate.size()))
      found.push_back({steps, candidate});
  }
  std::ranges::stable_sort(found, {}, &Near::distance);
  std::vector<std::string> names;
  for (Near &near : found) {
    if (names.size() < 3 && std::ranges::find(names, near.name) == names.end())
      names.push_back(std::move(near.name));
  }
  return names;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::vector<std::string> names = near_misses(word, candidates);
  if (names.empty())
    return {};
  std::string sentence = "; did you mean ";
  for (std::size_t index = 0; index < names.size(); ++index) {
    const char *separator = index == 0 ? "" : index + 1 == names.size() ? " or " : ", ";
    sentence += fmt::format("{}'{}'", separator, names[index]);
  }
  return sentence + "?";
}

} // namespace inspect
