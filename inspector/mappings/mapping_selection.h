// Which mappings are shown, and in which order: what the options of `maps` ask for, over plain data.
#pragma once

#include "inspector/mappings/mapping_kind.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// By address ascending, by amounts from large to small.
enum class MappingOrder { address, reserved, resident, proportional, dirty, swapped, lazily_freed, huge };

struct MappingSelection {
  std::vector<MappingKind> kinds; ///< empty: all
  std::string text;               ///< that path, name of the thread, note or kind must contain, in either case
};

/// Mappings that belong together, added up. [vsyscall] is in none.
struct MappingGroup {
  std::string name; ///< the kind's text, or a path
  std::size_t mappings = 0;
  RunAddress first; ///< where the lowest of them begins
  MemoryAmounts amounts;
};

/// "file" of what has none is its kind, in brackets: "[thread stack]".
enum class MappingGrouping { kind, file };

/// What a mapping is beside its kind, in words: a path, whose stack, which arena. Not escaped.
std::string describe_mapping(const ClassifiedMapping &mapping);

void select_mappings(std::vector<ClassifiedMapping> &mappings, const MappingSelection &selection);
void sort_mappings(std::vector<ClassifiedMapping> &mappings, MappingOrder order);
std::vector<MappingGroup> group_mappings(std::span<const ClassifiedMapping> mappings, MappingGrouping grouping);
void sort_groups(std::vector<MappingGroup> &groups, MappingOrder order);
/// Of those that are counted.
MemoryAmounts total_of(std::span<const ClassifiedMapping> mappings);

} // namespace inspect
