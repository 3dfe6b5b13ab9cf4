// The rules behind the findings: each is a function that looks at the figures and says its sentence only where they
// hold. docs/memory.md has all of them with their thresholds; it and the constants here must agree.
//
// To add a rule: write the function, put it into its file's list, describe it in docs/memory.md, and give it a row in
// tests/inspector/memory/memory_findings_test.cpp.
#pragma once

#include "inspector/memory/memory_report.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace inspect {

namespace memory_thresholds {
constexpr std::uint64_t megabyte = 1ULL << 20U;
constexpr std::uint64_t gigabyte = 1ULL << 30U;

/// What is resident is worth a sentence from here on, if it is also this part of RSS.
constexpr std::uint64_t resident_bytes = 16 * megabyte;
constexpr unsigned resident_percent = 20;
/// Address space alone costs nothing: a sentence is worth it where people ask.
constexpr std::uint64_t reserved_bytes = 2 * gigabyte;
constexpr unsigned reserved_percent = 50;
/// Many arenas, and thread stacks.
constexpr std::size_t arena_count = 8;
constexpr std::uint64_t arena_bytes = 512 * megabyte;
constexpr unsigned arena_percent = 20; ///< of VSZ
constexpr std::size_t stack_count = 64;
constexpr std::uint64_t stack_bytes = gigabyte;
/// What lies beside RSS, or is bound up in the kernel.
constexpr std::uint64_t kernel_bytes = 64 * megabyte;
constexpr unsigned page_table_percent = 10;
constexpr unsigned swap_percent = 10;
constexpr std::uint64_t huge_bytes = gigabyte;
constexpr unsigned huge_percent = 50;
/// Near a limit.
constexpr unsigned group_percent = 85;
constexpr unsigned go_limit_percent = 90;
/// Of the heap in use, that is not objects.
constexpr unsigned fragmented_percent = 50;
/// Growth between two looks.
constexpr std::uint64_t growth_bytes = 16 * megabyte;
constexpr unsigned growth_percent = 20;
constexpr unsigned same_goroutines_percent = 10;
} // namespace memory_thresholds

/// What a rule sees.
struct MemoryEvidence {
  const MemoryReport &report;
  std::span<const ClassifiedMapping> mappings;

  std::uint64_t resident() const;     ///< of the whole process
  std::uint64_t virtual_size() const; ///< of the whole process
  MemoryAmounts of(MappingKind kind) const { return report.usage_of(kind).amounts; }
  /// Enough to say a word about it.
  bool is_large(std::uint64_t resident_part) const;
};

using MemoryRule = std::optional<MemoryFinding> (*)(const MemoryEvidence &);

std::span<const MemoryRule> go_memory_rules();     ///< memory_findings_go.cpp
std::span<const MemoryRule> malloc_memory_rules(); ///< memory_findings_malloc.cpp
std::span<const MemoryRule> kernel_memory_rules(); ///< memory_findings_kernel.cpp

/// Whether the sentence about what is outside of Go's statistics (go-outside) holds. It speaks of mapped files, too.
bool is_outside_of_go(const MemoryEvidence &evidence);

/// `left` less `right`, and 0 where that is less than nothing: figures of two moments.
constexpr std::uint64_t less(std::uint64_t left, std::uint64_t right) {
  return left > right ? left - right : 0;
}
/// Whether `part` is at least so many per cent of `whole`.
constexpr bool at_least_percent(std::uint64_t part, std::uint64_t whole, unsigned percent) {
  return static_cast<double>(part) * 100 >= static_cast<double>(whole) * percent;
}

} // namespace inspect
