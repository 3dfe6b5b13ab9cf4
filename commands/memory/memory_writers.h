// The formats of a memory report and of the difference between two. Plain data in; text from processes is escaped here.
#pragma once

#include "commands/cli/output.h"
#include "inspector/memory/memory_difference.h"
#include "inspector/memory/memory_report.h"

#include <string>
#include <string_view>

namespace inspect {

struct MemoryTextOptions {
  bool unicode = true; ///< bars of blocks, "µs", "×"
};

/// One screen: totals, kinds, the allocators' statistics, findings.
void write_memory_text(Output &output, const MemoryReport &report, const MemoryTextOptions &options);

/// What grew and what shrank, by kind, in the manner of `pprof -base`; one line where nothing did.
void write_memory_difference_text(Output &output, const MemoryDifference &difference, const MemoryTextOptions &options);

/// One object, inspect.mem/1 (docs/json.md). `difference` may be null. On one line where many follow each other.
void write_memory_json(Output &output, const MemoryReport &report, const MemoryDifference *difference,
                       bool on_one_line);

/// Reads an earlier output of write_memory_json; of several documents the first. The text is hostile: corrupt, with
/// what is wrong, where it is not such a document; `name` is the file's.
Result<MemoryFigures> read_memory_json(std::string_view text, std::string_view name);

} // namespace inspect
