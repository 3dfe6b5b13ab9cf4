// The arguments of goroutines with the same stack, folded: what is equal for all is shown, what differs is `*`. A
// pointer that stands in several places gets a number where it is shown first, "#1=0xc000012120", and is "#1" from then
// on.
//
//     ArgumentFolder folder(report, ArgumentDetail::words);
//     const FoldedStack folded = folder.fold(group.members);
//     folder.note_pointers(folded, true);           // of all that will be printed, before the first is
//     folder.text(folded, 0);                       // "(#1=0xc000012120, {*, 0x7})"
#pragma once

#include "commands/stacks/stack_writers.h"
#include "golang/arguments/pointer_numbers.h"
#include "inspector/stacks/goroutine_report.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct FoldedStack {
  std::span<const std::uint32_t> members;          ///< whoever folded them keeps them
  std::uint32_t example = 0;                       ///< the member whose frames and values are shown
  std::vector<FoldedValues<std::uint64_t>> frames; ///< their words; not known where those of one could not be read
};

class ArgumentFolder {
public:
  /// `report` must outlive it.
  ArgumentFolder(const GoReport &report, ArgumentDetail detail) : report_(report), detail_(detail) {}

  /// Of goroutines with the same stack: at least one.
  FoldedStack fold(std::span<const std::uint32_t> members) const;
  /// Counts the pointers that text() will show, so that those in several places get a number.
  void note_pointers(const FoldedStack &stack, bool with_hidden);
  /// In parentheses, and escaped; empty where nothing is known or wanted.
  std::string text(const FoldedStack &stack, std::size_t frame);

private:
  std::optional<std::string> values_text(const FoldedStack &stack, std::size_t frame,
                                         const FoldedValues<std::uint64_t> &folded);
  bool values_are_equal(const FoldedStack &stack, std::size_t frame, std::size_t argument, std::string_view value);

  const GoReport &report_;
  ArgumentDetail detail_;
  PointerNumbers pointers_;
};

} // namespace inspect
