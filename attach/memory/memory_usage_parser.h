// Takes the text of smaps as it comes from the kernel, in pieces of any length, and makes mappings of it.
//
//     MemoryUsageParser parser;
//     while (… read(…)) if (!parser.take(piece)) break;
//     auto mappings = parser.finish();
//
// 65,000 mappings are 40 megabytes of text: nothing is kept of it but a line that is not complete yet, nothing is
// allocated for a line, and no field is searched for that stands where the kernel last put it.
//
// Source: the kernel's fs/proc/task_mmu.c, show_smap() and __show_smap().
#pragma once

#include "attach/memory/memory_usage.h"

namespace inspect {

class MemoryUsageParser {
public:
  /// False, and for good, once the text has made no sense; finish() says what.
  bool take(std::string_view piece);
  /// Sorted and without overlaps. corrupt, with the malformed line.
  Result<std::vector<MappingUsage>> finish();

  std::size_t mapping_count() const { return mappings_.size(); }

private:
  bool line(std::string_view text);
  bool field(std::string_view text);
  bool fail(std::string_view text, std::string_view why);

  std::vector<MappingUsage> mappings_;
  std::string unfinished_; ///< the beginning of a line whose end has not come yet
  std::size_t expected_ = 0;
  std::string failure_;
};

/// Puts them in order; of two that overlap the first stays.
void remove_overlaps(std::vector<MappingUsage> &mappings);

/// [vsyscall] is a page of the kernel that every process shows and none is charged for (fs/proc/task_mmu.c: the gate
/// area).
bool is_counted(const Mapping &mapping);

} // namespace inspect
