#include "inspector/memory/memory_rules.h"

#include <algorithm>

namespace inspect {

std::uint64_t MemoryEvidence::resident() const {
  return report.measured ? report.total.resident : report.status.resident.value_or(0);
}

std::uint64_t MemoryEvidence::virtual_size() const {
  return report.mapping_count > 0 ? report.total.reserved : report.status.virtual_size.value_or(0);
}

bool MemoryEvidence::is_large(std::uint64_t resident_part) const {
  return resident_part >= memory_thresholds::resident_bytes &&
         at_least_percent(resident_part, resident(), memory_thresholds::resident_percent);
}

std::vector<MemoryFinding> find_memory_findings(const MemoryReport &report,
                                                std::span<const ClassifiedMapping> mappings) {
  const MemoryEvidence evidence{report, mappings};
  std::vector<MemoryFinding> findings;
  for (const auto rules : {kernel_memory_rules(), go_memory_rules(), malloc_memory_rules()})
    for (const MemoryRule rule : rules)
      if (auto finding = rule(evidence))
        findings.push_back(std::move(*finding));
  std::ranges::stable_sort(findings, std::greater(), &MemoryFinding::bytes);
  return findings;
}

} // namespace inspect
