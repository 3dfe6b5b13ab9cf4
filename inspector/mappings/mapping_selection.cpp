#include "inspector/mappings/mapping_selection.h"

#include "machine/number_text.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <unordered_map>

namespace inspect {
namespace {

std::uint64_t amount_of(const MemoryAmounts &amounts, MappingOrder order) {
  switch (order) {
  case MappingOrder::address:
    return 0;
  case MappingOrder::reserved:
    return amounts.reserved;
  case MappingOrder::resident:
    return amounts.resident;
  case MappingOrder::proportional:
    return amounts.proportional;
  case MappingOrder::dirty:
    return amounts.dirty();
  case MappingOrder::swapped:
    return amounts.swapped;
  case MappingOrder::lazily_freed:
    return amounts.lazily_freed;
  case MappingOrder::huge:
    return amounts.huge + amounts.hugetlb;
  }
  return 0;
}

std::string thread_text(const ClassifiedMapping &mapping) {
  if (mapping.thread == 0)
    return {};
  return mapping.thread_name.empty() ? fmt::format("thread {}", mapping.thread)
                                     : fmt::format("thread {} \"{}\"", mapping.thread, mapping.thread_name);
}

/// What the kind says more of this one; empty: nothing.
std::string owner_text(const ClassifiedMapping &mapping) {
  switch (mapping.kind) {
  case MappingKind::thread_stack:
    return mapping.depth ? fmt::format("{} ({} deep)", thread_text(mapping), size_text(*mapping.depth))
                         : thread_text(mapping);
  case MappingKind::guard:
    return mapping.thread != 0 ? fmt::format("of {}", thread_text(mapping)) : std::string();
  case MappingKind::go_heap:
    return mapping.goroutine_stacks.value_or(0) > 0
               ? fmt::format("{} of it goroutine stacks", size_text(*mapping.goroutine_stacks))
               : std::string();
  case MappingKind::malloc_arena:
    return mapping.arena ? fmt::format("arena {:#x}", mapping.arena->value) : std::string();
  default:
    return {};
  }
}

bool contains(const std::string &text, const std::string &part) {
  return ::strcasestr(text.c_str(), part.c_str()) != nullptr;
}

std::string file_of(const ClassifiedMapping &mapping) {
  const Mapping &one = mapping.usage.mapping;
  if (one.inode == 0 || one.path.empty())
    return fmt::format("[{}]", mapping_kind_text(mapping.kind));
  return one.deleted ? one.path + " (deleted)" : one.path;
}

} // namespace

std::string describe_mapping(const ClassifiedMapping &mapping) {
  const Mapping &one = mapping.usage.mapping;
  std::string text = one.path;
  if (one.deleted)
    text += " (deleted)";
  for (const std::string &more : {owner_text(mapping), mapping.note, std::string(mapping.guessed ? "(guessed)" : "")})
    if (!more.empty())
      text += (text.empty() ? "" : " ") + more;
  return text;
}

void select_mappings(std::vector<ClassifiedMapping> &mappings, const MappingSelection &selection) {
  std::erase_if(mappings, [&](const ClassifiedMapping &one) {
    if (!selection.kinds.empty() && std::ranges::find(selection.kinds, one.kind) == selection.kinds.end())
      return true;
    return !selection.text.empty() && !contains(describe_mapping(one), selection.text) &&
           !contains(std::string(mapping_kind_text(one.kind)), selection.text);
  });
}

void sort_mappings(std::vector<ClassifiedMapping> &mappings, MappingOrder order) {
  // They come ascending by address, and what is equal stays so.
  if (order != MappingOrder::address)
    std::ranges::stable_sort(mappings, std::ranges::greater{},
                             [&](const ClassifiedMapping &one) { return amount_of(one.usage.amounts, order); });
}

std::vector<MappingGroup> group_mappings(std::span<const ClassifiedMapping> mappings, MappingGrouping grouping) {
  std::vector<MappingGroup> groups;
  std::unordered_map<std::string, std::size_t> places;
  for (const ClassifiedMapping &one : mappings) {
    if (!one.usage.counted)
      continue;
    std::string name = grouping == MappingGrouping::kind ? std::string(mapping_kind_text(one.kind)) : file_of(one);
    const auto [place, is_new] = places.try_emplace(name, groups.size());
    if (is_new)
      groups.push_back({.name = std::move(name), .first = one.usage.mapping.range.begin, .amounts = {}});
    MappingGroup &group = groups[place->second];
    group.first = std::min(group.first, one.usage.mapping.range.begin);
    ++group.mappings;
    group.amounts += one.usage.amounts;
  }
  return groups;
}

void sort_groups(std::vector<MappingGroup> &groups, MappingOrder order) {
  if (order == MappingOrder::address)
    std::ranges::sort(groups, {}, &MappingGroup::first);
  else
    std::ranges::stable_sort(groups, std::ranges::greater{},
                             [&](const MappingGroup &group) { return amount_of(group.amounts, order); });
}

MemoryAmounts total_of(std::span<const ClassifiedMapping> mappings) {
  MemoryAmounts sum;
  for (const ClassifiedMapping &one : mappings)
    if (one.usage.counted)
      sum += one.usage.amounts;
  return sum;
}

} // namespace inspect
