// What came of questions that were put to inspect and to somebody who knows: gdb, dlv, or the program itself.
//
//     TruthTally tally("C and C++");
//     tally.add({.program = "gcc -O2", .question = "p total", .place = "seed 7, work", .ours = …, .truth = …},
//               TruthVerdict::equal);
//     tally.finish(); // fails the test for each row that is wrong, or missing without a reason
//
// `./dev truth` runs the tests of this folder over many programs and makes docs/truth.md of what finish() writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace inspect::test {

enum class TruthVerdict : std::uint8_t {
  equal,
  other_notation, ///< the same value in other words, the reason says by which rule
  only_ours,      ///< the peer has no answer, and ours was seen to be right by other means, which the reason names
  peer_wrong,     ///< the peer's answer contradicts what the program itself says, ours does not
  missing,        ///< we have no answer, or a part of it is missing; the reason says why
  wrong,
};

struct TruthRow {
  std::string program;  ///< its line in the table: language, compiler, flags
  std::string question; ///< as it is typed
  std::string place;    ///< seed and frame, to find it again
  std::string ours;     ///< empty: none
  std::string truth;    ///< empty: none
};

class TruthTally {
public:
  /// The name is the heading of its table.
  explicit TruthTally(std::string name);
  /// A row that is missing needs a reason, or it counts as a fault as one that is wrong does.
  void add(TruthRow row, TruthVerdict verdict, std::string reason = {});
  std::size_t rows() const { return rows_.size(); }
  /// Prints a line for each program, writes the table and all faults to the folder that INSPECT_TRUTH_REPORT names, and
  /// fails the test for the faults, of which it shows the first twenty.
  void finish() const;

private:
  struct Judged {
    TruthRow row;
    TruthVerdict verdict;
    std::string reason;
  };
  static bool is_fault(const Judged &judged);
  static std::string in_full(const Judged &judged);
  std::string table() const;
  std::string reasons() const;

  std::string name_;
  std::vector<Judged> rows_;
};

/// How many programs each kind gets: INSPECT_TRUTH_PROGRAMS, else `short_form`.
std::size_t truth_programs(std::size_t short_form);
/// The first program's seed, INSPECT_TRUTH_SEED; those of the others follow.
std::uint64_t truth_seed();

} // namespace inspect::test
