#include "tests/commands/truth/truth_tally.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>

namespace inspect::test {
namespace {

constexpr std::size_t verdicts = 6;
using VerdictCounts = std::array<std::size_t, verdicts>;

std::uint64_t number_of_environment(const char *name, std::uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::stoull(text);
}

/// A cell or a list's entry of Markdown: on one line, not longer than a reader wants.
std::string in_markdown(std::string text) {
  constexpr std::size_t longest = 160;
  std::replace(text.begin(), text.end(), '\n', ' ');
  text = std::regex_replace(text, std::regex("/[^ ]*/inspect-test-[A-Za-z0-9]+/"), ""); // TemporaryDirectory's
  if (text.size() > longest)
    text.replace(longest, std::string::npos, "…");
  return "`" + text + "`";
}

std::string_view verdict_heading(TruthVerdict verdict) {
  switch (verdict) {
  case TruthVerdict::equal:
    return "equal";
  case TruthVerdict::other_notation:
    return "other notation";
  case TruthVerdict::only_ours:
    return "only inspect has it";
  case TruthVerdict::peer_wrong:
    return "the peer is wrong";
  case TruthVerdict::missing:
    return "missing";
  case TruthVerdict::wrong:
    return "wrong";
  }
  return "";
}

} // namespace

TruthTally::TruthTally(std::string name) : name_(std::move(name)) {}

void TruthTally::add(TruthRow row, TruthVerdict verdict, std::string reason) {
  rows_.push_back({std::move(row), verdict, std::move(reason)});
}

bool TruthTally::is_fault(const Judged &judged) {
  return judged.verdict == TruthVerdict::wrong || (judged.verdict == TruthVerdict::missing && judged.reason.empty());
}

std::string TruthTally::in_full(const Judged &judged) {
  const TruthRow &row = judged.row;
  return fmt::format("{} ({}, {}) is {}:\n  {}\nand is in truth:\n  {}\n{}", row.question, row.program, row.place,
                     verdict_heading(judged.verdict), row.ours, row.truth, judged.reason);
}

std::string TruthTally::table() const {
  std::map<std::string, VerdictCounts> programs;
  VerdictCounts all{};
  for (const Judged &judged : rows_) {
    ++programs[judged.row.program][static_cast<std::size_t>(judged.verdict)];
    ++all[static_cast<std::size_t>(judged.verdict)];
  }
  std::string text = "| program | rows |";
  for (std::size_t i = 0; i < verdicts; ++i)
    text += fmt::format(" {} |", verdict_heading(static_cast<TruthVerdict>(i)));
  text += "\n|---|---|---|---|---|---|---|---|\n";
  const auto line = [&](const std::string &program, const VerdictCounts &counts) {
    std::size_t sum = 0;
    std::string cells;
    for (const std::size_t count : counts) {
      sum += count;
      cells += fmt::format(" {} |", count);
    }
    text += fmt::format("| {} | {} |{}\n", program, sum, cells);
  };
  for (const auto &[program, counts] : programs)
    line(program, counts);
  line("all", all);
  return text;
}

std::string TruthTally::reasons() const {
  struct Kind {
    std::size_t count = 0;
    const Judged *example = nullptr;
  };
  std::map<std::pair<TruthVerdict, std::string>, Kind> kinds;
  for (const Judged &judged : rows_)
    if (judged.verdict != TruthVerdict::equal) {
      Kind &kind = kinds[{judged.verdict, judged.reason}];
      ++kind.count;
      if (kind.example == nullptr)
        kind.example = &judged;
    }
  std::string text;
  for (const auto &[key, kind] : kinds) {
    const TruthRow &row = kind.example->row;
    text += fmt::format("- {}, {}: {}. {}: {} is {} here and {} there.\n", verdict_heading(key.first), kind.count,
                        key.second.empty() ? "no reason known" : key.second, row.program, in_markdown(row.question),
                        row.ours.empty() ? "without an answer" : in_markdown(row.ours),
                        row.truth.empty() ? "without one" : in_markdown(row.truth));
  }
  return text;
}

void TruthTally::finish() const {
  const std::string tables = table();
  fmt::print("{}\n{}", name_, tables);
  if (const char *folder = std::getenv("INSPECT_TRUTH_REPORT"); folder != nullptr && *folder != '\0') {
    std::ofstream file(fmt::format("{}/{}.md", folder, name_));
    file << "## " << name_ << "\n\n" << tables << "\n" << reasons();
    REQUIRE(file.flush());
    std::ofstream all_faults(fmt::format("{}/{}.faults", folder, name_));
    for (const Judged &judged : rows_)
      if (is_fault(judged))
        all_faults << in_full(judged) << "\n";
  }
  constexpr std::size_t most_in_full = 20;
  std::size_t faults = 0;
  for (const Judged &judged : rows_)
    if (is_fault(judged) && ++faults <= most_in_full)
      FAIL_CHECK(in_full(judged));
  INFO("see docs/truth.md; ./dev truth makes it anew");
  CHECK(faults == 0);
}

std::size_t truth_programs(std::size_t short_form) {
  return number_of_environment("INSPECT_TRUTH_PROGRAMS", short_form);
}

std::uint64_t truth_seed() {
  return number_of_environment("INSPECT_TRUTH_SEED", 1);
}

} // namespace inspect::test
