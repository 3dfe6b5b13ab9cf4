#include "commands/memory/maps_writers.h"

#include "inspector/memory/memory_figures.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/sysmacros.h>
#include <vector>

namespace inspect {
namespace {

struct AmountColumn {
  std::string_view heading;
  std::uint64_t (*amount)(const MemoryAmounts &);
  bool measured = true;  ///< only known where the usage was measured
  bool optional = false; ///< left out where it is 0 everywhere
};

constexpr std::array amount_columns = {
    AmountColumn{"VSZ", [](const MemoryAmounts &a) { return a.reserved; }, false},
    AmountColumn{"RSS", [](const MemoryAmounts &a) { return a.resident; }},
    AmountColumn{"PSS", [](const MemoryAmounts &a) { return a.proportional; }},
    AmountColumn{"DIRTY", [](const MemoryAmounts &a) { return a.dirty(); }},
    AmountColumn{"SWAP", [](const MemoryAmounts &a) { return a.swapped; }, true, true},
    AmountColumn{"LAZY", [](const MemoryAmounts &a) { return a.lazily_freed; }, true, true},
    AmountColumn{"HUGE", [](const MemoryAmounts &a) { return a.huge + a.hugetlb; }, true, true},
    AmountColumn{"LOCKED", [](const MemoryAmounts &a) { return a.locked; }, true, true},
};
constexpr std::size_t amount_width = 6;

std::vector<AmountColumn> columns_for(const MemoryAmounts &total, bool measured) {
  std::vector<AmountColumn> columns;
  for (const AmountColumn &column : amount_columns)
    if ((measured || !column.measured) && (!column.optional || column.amount(total) > 0))
      columns.push_back(column);
  return columns;
}

std::string amounts_text(const std::vector<AmountColumn> &columns, const MemoryAmounts &amounts) {
  std::string text;
  for (const AmountColumn &column : columns)
    text += fmt::format(" {:>{}}", human_size(column.amount(amounts) / 1024), amount_width);
  return text;
}

std::string headings_text(const std::vector<AmountColumn> &columns) {
  std::string text;
  for (const AmountColumn &column : columns)
    text += fmt::format(" {:>{}}", column.heading, amount_width);
  return text;
}

std::string range_text(RunRange range) {
  return fmt::format("{:#014x}-{:#014x}", range.begin.value, range.end.value);
}

std::string rights_text(const Mapping &mapping) {
  return {mapping.readable ? 'r' : '-', mapping.writable ? 'w' : '-', mapping.executable ? 'x' : '-',
          mapping.shared ? 's' : 'p'};
}

void write_heading(Output &output, const ProcessMappings &mappings) {
  output.write(output.styled(Style::heading, fmt::format("process {} {}", mappings.process, escape(mappings.command))) +
               fmt::format("  {}\n", escape(mappings.executable)));
}

void write_footer(Output &output, const ProcessMappings &mappings) {
  if (!mappings.measured)
    output.write(output.styled(Style::dim, fmt::format("Only sizes are known: {}", escape(mappings.why_not_measured))) +
                 "\n");
}

using Json = nlohmann::ordered_json;

std::string hex(RunAddress address) {
  return fmt::format("{:#x}", address.value);
}

Json text_or_null(const std::string &text) {
  return text.empty() ? Json() : Json(text);
}

void add_amounts(Json &json, const MemoryAmounts &amounts, bool measured) {
  for (const AmountName &one : memory_amounts())
    if (measured || one.amount == &MemoryAmounts::reserved)
      json[one.name] = amounts.*one.amount;
}

Json to_json(const ClassifiedMapping &one, bool measured) {
  const Mapping &mapping = one.usage.mapping;
  Json json;
  json["start"] = hex(mapping.range.begin);
  json["end"] = hex(mapping.range.end);
  json["rights"] = rights_text(mapping);
  json["offset"] = mapping.offset.value;
  json["device"] =
      mapping.inode != 0 ? Json(fmt::format("{:02x}:{:02x}", major(mapping.device), minor(mapping.device))) : Json();
  json["inode"] = mapping.inode != 0 ? Json(mapping.inode) : Json();
  json["path"] = text_or_null(mapping.path);
  json["deleted"] = mapping.deleted;
  json["kind"] = mapping_kind_name(one.kind);
  json["guessed"] = one.guessed;
  if (one.thread != 0) {
    json["thread"] = one.thread;
    json["thread_name"] = text_or_null(one.thread_name);
  }
  if (one.depth)
    json["depth"] = *one.depth;
  if (one.goroutine_stacks)
    json["goroutine_stacks"] = *one.goroutine_stacks;
  if (one.arena)
    json["arena"] = hex(*one.arena);
  if (!one.note.empty())
    json["note"] = one.note;
  json["counted"] = one.usage.counted;
  add_amounts(json, one.usage.amounts, measured);
  return json;
}

Json head_json(const ProcessMappings &mappings) {
  Json json;
  json["schema"] = "inspect.maps/1";
  json["pid"] = mappings.process;
  json["command"] = mappings.command;
  json["executable"] = text_or_null(mappings.executable);
  json["measured"] = mappings.measured;
  json["why_not_measured"] = text_or_null(mappings.why_not_measured);
  Json total;
  add_amounts(total, total_of(mappings.mappings), mappings.measured);
  json["total"] = std::move(total);
  json["warnings"] = mappings.warnings;
  return json;
}

/// Pure ASCII, one line for each of many, so that neither a name breaks it nor a reader chokes on it.
void write_document(Output &output, const Json &head, std::string_view member, std::span<const Json> rows) {
  const auto dump = [](const Json &json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); };
  std::string text = dump(head);
  text.pop_back();
  output.write(fmt::format("{},\"{}\":[", text, member));
  for (std::size_t i = 0; i < rows.size(); ++i)
    output.write((i > 0 ? ",\n" : "\n") + dump(rows[i]));
  output.write("]}\n");
}

} // namespace

void write_mappings_text(Output &output, const ProcessMappings &mappings, const std::function<bool()> &stop) {
  constexpr std::size_t rows_between_looks = 512;
  const MemoryAmounts total = total_of(mappings.mappings);
  const auto columns = columns_for(total, mappings.measured);
  std::size_t kind_width = 4;
  for (const ClassifiedMapping &one : mappings.mappings)
    kind_width = std::max(kind_width, mapping_kind_text(one.kind).size());
  write_heading(output, mappings);
  output.write(output.styled(Style::dim, fmt::format("{:29} {:4}{} {:{}}  WHAT", "ADDRESS", "MODE",
                                                     headings_text(columns), "KIND", kind_width)) +
               "\n");
  for (std::size_t i = 0; i < mappings.mappings.size(); ++i) {
    if (i % rows_between_looks == 0 && stop && stop())
      return;
    const ClassifiedMapping &one = mappings.mappings[i];
    std::string line = fmt::format("{} {}{} {:{}}  {}", range_text(one.usage.mapping.range),
                                   rights_text(one.usage.mapping), amounts_text(columns, one.usage.amounts),
                                   mapping_kind_text(one.kind), kind_width, escape(describe_mapping(one)));
    line.erase(line.find_last_not_of(' ') + 1);
    output.write(line + "\n");
  }
  output.write(output.styled(Style::heading, fmt::format("{:29} {:4}{}", counted(mappings.mappings.size(), "mapping"),
                                                         "", amounts_text(columns, total))) +
               "\n");
  write_footer(output, mappings);
}

void write_mapping_groups_text(Output &output, const ProcessMappings &mappings, std::span<const MappingGroup> groups,
                               MappingGrouping grouping) {
  const MemoryAmounts total = total_of(mappings.mappings);
  const auto columns = columns_for(total, mappings.measured);
  write_heading(output, mappings);
  output.write(output.styled(Style::dim, fmt::format("{:>8}{}  {}", "MAPPINGS", headings_text(columns),
                                                     grouping == MappingGrouping::kind ? "KIND" : "FILE")) +
               "\n");
  std::size_t count = 0;
  for (const MappingGroup &group : groups) {
    count += group.mappings;
    output.write(
        fmt::format("{:>8}{}  {}\n", group.mappings, amounts_text(columns, group.amounts), escape(group.name)));
  }
  output.write(output.styled(Style::heading, fmt::format("{:>8}{}  total", count, amounts_text(columns, total))) +
               "\n");
  write_footer(output, mappings);
}

void write_mappings_json(Output &output, const ProcessMappings &mappings) {
  std::vector<Json> rows;
  rows.reserve(mappings.mappings.size());
  for (const ClassifiedMapping &one : mappings.mappings)
    rows.push_back(to_json(one, mappings.measured));
  write_document(output, head_json(mappings), "mappings", rows);
}

void write_mapping_groups_json(Output &output, const ProcessMappings &mappings, std::span<const MappingGroup> groups) {
  std::vector<Json> rows;
  rows.reserve(groups.size());
  for (const MappingGroup &group : groups) {
    Json &json = rows.emplace_back();
    json["name"] = group.name;
    json["mappings"] = group.mappings;
    add_amounts(json, group.amounts, mappings.measured);
  }
  write_document(output, head_json(mappings), "groups", rows);
}

} // namespace inspect
