#include "dwarf/location/call_sites.h"

#include "dwarf/die/die.h"
#include "dwarf/location/location_machine.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/symbols/symbol_table.h"

#include <algorithm>
#include <dwarf.h>

namespace inspect {
namespace {

/// Blocks in blocks of one function.
constexpr int max_levels = 200;
/// Calls of one function; generated ones have some ten thousand.
constexpr std::size_t max_call_sites = 1'000'000;

bool has_flag(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr(&die, attribute, &found) != nullptr && dwarf_formflag(&found, &value) == 0 && value;
}

bool is_call_site(int tag) {
  return tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site;
}

std::optional<std::uint64_t> return_address_of(Dwarf_Die &site) {
  Dwarf_Attribute found;
  Dwarf_Addr address = 0;
  const unsigned attribute = dwarf_tag(&site) == DW_TAG_call_site ? DW_AT_call_return_pc : DW_AT_low_pc;
  if (!dwarf_attr(&site, attribute, &found) || dwarf_formaddr(&found, &address) != 0)
    // Clang says where the jump of a tail call is instead: one byte behind it is in it, or next to it.
    return dwarf_attr(&site, DW_AT_call_pc, &found) != nullptr && dwarf_formaddr(&found, &address) == 0
               ? std::optional(address + 1)
               : std::nullopt;
  return address;
}

/// Whether both describe one function: one of them is, in whatever way, an instance of what the other is one of.
bool same_description(const Dwarf_Die &left, const Dwarf_Die &right) {
  bool same = false;
  each_description(left, [&](Dwarf_Die &one) {
    each_description(right, [&](Dwarf_Die &other) {
      same = same || one.addr == other.addr;
      return !same;
    });
    return !same;
  });
  return same;
}

/// Where the function's code begins.
std::optional<LinkAddress> entry_of(Dwarf_Die function) {
  Dwarf_Addr entry = 0;
  if (dwarf_entrypc(&function, &entry) == 0 && entry != 0)
    return LinkAddress{entry};
  std::optional<LinkAddress> first;
  each_range(function, 1, [&](LinkRange range) { first = range.begin; });
  return first;
}

} // namespace

bool CallSites::walk(Dwarf_Die &parent, int level) {
  bool go_on = level < max_levels;
  each_child(parent, [&](Dwarf_Die &child, std::uint64_t) {
    const int tag = dwarf_tag(&child);
    if (is_call_site(tag))
      go_on = ++count_ < max_call_sites && visit_(child);
    else if ((tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_try_block ||
              tag == DW_TAG_catch_block) &&
             blocks_(child))
      go_on = walk(child, level + 1);
    return go_on;
  });
  return go_on;
}

std::optional<Dwarf_Die> find_call_site(Dwarf_Die function, LinkAddress return_address) {
  std::optional<Dwarf_Die> found;
  const auto is_wanted = [&](Dwarf_Die &site) {
    if (return_address_of(site) == return_address.value)
      found = site;
    return !found;
  };
  const auto holds_call = [&](Dwarf_Die &block) { return coverage(block, return_address - 1) != Coverage::outside; };
  CallSites(is_wanted, holds_call).walk(function);
  return found;
}

std::string linkage_name_of(Dwarf_Die die) {
  std::string name;
  std::string linkage;
  each_description(die, [&](Dwarf_Die &one) {
    for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name})
      if (const char *text = string_attribute(one, attribute); text && linkage.empty())
        linkage = text;
    if (const char *text = string_attribute(one, DW_AT_name); text && name.empty())
      name = text;
    return linkage.empty();
  });
  return linkage.empty() ? name : linkage;
}

bool is_external(Dwarf_Die die) {
  bool external = false;
  each_description(die, [&](Dwarf_Die &one) {
    external = has_flag(one, DW_AT_external);
    return !external;
  });
  return external;
}

std::optional<Dwarf_Die> origin_of_call(Dwarf_Die &site) {
  const unsigned attribute = dwarf_tag(&site) == DW_TAG_call_site ? DW_AT_call_origin : DW_AT_abstract_origin;
  return referred_die(site, attribute);
}

std::optional<RunAddress> run_entry_of(Dwarf_Die function, Module &module) {
  const auto entry = entry_of(function);
  return entry ? std::optional(module.bias().to_run(*entry - module.debug_offset())) : std::nullopt;
}

std::optional<Dwarf_Die> code_of_function(Dwarf_Die origin, const FrameContext &frame) {
  if (entry_of(origin))
    return origin;
  if (is_external(origin)) {
    const auto symbol = symbols_of(*frame.module).by_name(linkage_name_of(origin));
    return symbol ? lines_of(*frame.module).function_at(symbol->address) : std::nullopt;
  }
  // The description of a function that was inlined elsewhere: its own code is another DIE of the unit.
  std::optional<Dwarf_Die> instance;
  Dwarf_Die unit;
  if (dwarf_diecu(&origin, &unit, nullptr, nullptr) != nullptr)
    each_child(unit, [&](Dwarf_Die &child, std::uint64_t) {
      if (dwarf_tag(&child) == DW_TAG_subprogram && entry_of(child) && same_description(child, origin))
        instance = child;
      return !instance;
    });
  return instance;
}

bool is_tail_call(Dwarf_Die &site) {
  return has_flag(site, DW_AT_call_tail_call) || has_flag(site, DW_AT_GNU_tail_call);
}

namespace {

bool is_symbol_of(const std::string &name, const Dwarf_Die &function, const FrameContext &frame) {
  const auto entry = run_entry_of(function, *frame.module);
  if (name.empty() || !entry)
    return false;
  const auto symbol = symbols_of(*frame.module).by_name(name);
  return symbol && frame.module->bias().to_run(symbol->address) == *entry;
}

/// The one way of tail calls from a function to another.
class TailCalls {
public:
  explicit TailCalls(const FrameContext &frame) : frame_(frame) {}

  /// The return address of each tail call on the way, in order; nothing where there is none, or several, or one that
  /// goes who knows where.
  std::optional<std::vector<LinkAddress>> way(const Dwarf_Die &first, const Dwarf_Die &last) {
    reached_.push_back({first, 0, {}, false});
    for (std::size_t next = 0; next < reached_.size(); ++next)
      if (!same_description(reached_[next].function, last) && !follow(next))
        return std::nullopt;
    const auto end =
        std::ranges::find_if(reached_, [&](const Step &step) { return same_description(step.function, last); });
    std::vector<LinkAddress> addresses;
    if (end == reached_.end())
      return std::nullopt;
    for (std::size_t at = static_cast<std::size_t>(end - reached_.begin()); at != 0; at = reached_[at].from) {
      if (reached_[at].by_several || reached_[0].by_several)
        return std::nullopt;
      addresses.insert(addresses.begin(), reached_[at].return_address);
    }
    return addresses;
  }

private:
  struct Step {
    Dwarf_Die function{};
    std::size_t from = 0; ///< index of the step before
    LinkAddress return_address;
    bool by_several = false;
  };

  bool follow(std::size_t from) {
    bool all_known = true;
    const auto visit = [&](Dwarf_Die &site) {
      if (!is_tail_call(site))
        return true;
      auto origin = origin_of_call(site);
      const auto code = origin ? code_of_function(*origin, frame_) : std::nullopt;
      const auto address = return_address_of(site);
      // What has no code here is another module's, and does not come back.
      all_known = origin && address && (code || is_external(*origin)) && reached_.size() <= max_tail_callees;
      if (!code || !all_known)
        return all_known;
      const auto known =
          std::ranges::find_if(reached_, [&](const Step &step) { return step.function.addr == code->addr; });
      if (known != reached_.end())
        known->by_several = true;
      else
        reached_.push_back({*code, from, LinkAddress{*address}, false});
      return true;
    };
    Dwarf_Die function = reached_[from].function;
    CallSites(visit, [](Dwarf_Die &) { return true; }).walk(function);
    return all_known;
  }

  const FrameContext &frame_;
  std::vector<Step> reached_;
};

} // namespace

bool is_function_of_frame(const Dwarf_Die &named, const Dwarf_Die &function, const FrameContext &frame) {
  if (same_description(named, function))
    return true;
  if (!is_external(named))
    return false;
  const std::string name = linkage_name_of(named);
  return (is_external(function) && !name.empty() && name == linkage_name_of(function)) ||
         is_symbol_of(name, function, frame);
}

std::optional<std::vector<LinkAddress>> way_of_tail_calls(const Dwarf_Die &first, const Dwarf_Die &last,
                                                          const FrameContext &frame) {
  return TailCalls(frame).way(first, last);
}

std::vector<RunAddress> missing_tail_callers(const FrameContext &frame) {
  std::vector<RunAddress> missing;
  if (frame.module == nullptr || frame.caller == nullptr || frame.caller->module == nullptr)
    return missing;
  const FrameContext &caller = *frame.caller;
  const auto calling = physical_function(caller);
  const auto function = calling ? physical_function(frame) : std::unexpected(calling.error());
  if (!function)
    return missing;
  auto site = find_call_site(*calling, caller.module->bias().to_link(caller.pc) + caller.module->debug_offset());
  const auto named = site ? origin_of_call(*site) : std::nullopt;
  if (!named || is_function_of_frame(*named, *function, frame))
    return missing;
  const auto first = code_of_function(*named, frame);
  const auto way = first ? way_of_tail_calls(*first, *function, frame) : std::nullopt;
  if (way)
    for (const LinkAddress behind : *way)
      missing.insert(missing.begin(), frame.module->bias().to_run(behind - frame.module->debug_offset()));
  return missing;
}

} // namespace inspect
