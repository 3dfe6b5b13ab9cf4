// The mappings of a process as a human-readable table, and as JSON for programs.
#pragma once

#include "commands/cli/output.h"
#include "inspector/mappings/mapping_selection.h"
#include "inspector/mappings/process_mappings.h"

#include <functional>
#include <span>

namespace inspect {

/// A table of those mappings: columns of which all are 0 are left out. `stop`, asked now and then, ends it early.
void write_mappings_text(Output &output, const ProcessMappings &mappings, const std::function<bool()> &stop);
void write_mapping_groups_text(Output &output, const ProcessMappings &mappings, std::span<const MappingGroup> groups,
                               MappingGrouping grouping);
/// One object, inspect.maps/1 (docs/json.md). With groups it has these instead of mappings.
void write_mappings_json(Output &output, const ProcessMappings &mappings);
void write_mapping_groups_json(Output &output, const ProcessMappings &mappings, std::span<const MappingGroup> groups);

} // namespace inspect
