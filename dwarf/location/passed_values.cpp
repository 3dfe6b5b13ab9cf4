#include "dwarf/location/passed_values.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/symbols/symbol_table.h"
#include "machine/x86_64/registers.h"

#include <algorithm>
#include <dwarf.h>
#include <fmt/format.h>
#include <functional>

namespace inspect {
namespace {

/// Blocks in blocks of one function.
constexpr int max_levels = 200;
/// Calls of one function; generated ones have some ten thousand.
constexpr std::size_t max_call_sites = 1'000'000;
/// Functions that tail calls are followed through.
constexpr std::size_t max_tail_callees = 64;

std::unexpected<Error> not_recoverable(std::string why) {
  return std::unexpected(Error(ErrorKind::not_found, std::move(why)));
}

bool has_flag(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr(&die, attribute, &found) != nullptr && dwarf_formflag(&found, &value) == 0 && value;
}

bool is_call_site(int tag) {
  return tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site;
}

/// Calls `visit` for each call that the function's code makes, in its blocks and in calls inlined into it too, until it
/// returns false; `blocks` chooses which blocks are looked into.
class CallSites {
public:
  CallSites(std::function<bool(Dwarf_Die &)> visit, std::function<bool(Dwarf_Die &)> blocks)
      : visit_(std::move(visit)), blocks_(std::move(blocks)) {}

  bool walk(Dwarf_Die &parent, int level = 0) {
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

private:
  std::function<bool(Dwarf_Die &)> visit_;
  std::function<bool(Dwarf_Die &)> blocks_;
  std::size_t count_ = 0;
};

std::optional<std::uint64_t> return_address_of(Dwarf_Die &site) {
  Dwarf_Attribute found;
  Dwarf_Addr address = 0;
  const unsigned attribute = dwarf_tag(&site) == DW_TAG_call_site ? DW_AT_call_return_pc : DW_AT_low_pc;
  if (!dwarf_attr(&site, attribute, &found) || dwarf_formaddr(&found, &address) != 0)
    return std::nullopt;
  return address;
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

std::optional<Dwarf_Die> origin_of(Dwarf_Die &site) {
  const unsigned attribute = dwarf_tag(&site) == DW_TAG_call_site ? DW_AT_call_origin : DW_AT_abstract_origin;
  return referred_die(site, attribute);
}

std::optional<RunAddress> run_entry_of(Dwarf_Die function, Module &module) {
  const auto entry = entry_of(function);
  return entry ? std::optional(module.bias().to_run(*entry - module.debug_offset())) : std::nullopt;
}

/// The function with code that a call's origin is, where that is in the frame's module and can be found.
std::optional<Dwarf_Die> code_of(Dwarf_Die origin, const FrameContext &frame) {
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

/// One frame's question to its caller.
class Inquiry {
public:
  Inquiry(const FrameContext &frame, EvaluationBudget &budget) : frame_(frame), budget_(budget) {}

  Result<StackValue> ask(const PassedPlace &place);

private:
  Result<Dwarf_Die> call();
  Result<StackValue> ask_over_tail_calls(const PassedPlace &place, Dwarf_Die first);
  Result<void> verify_target(Dwarf_Die &site);
  Result<void> verify_address(Dwarf_Attribute &target);
  Result<void> verify_no_tail_call_to_itself();
  bool is_callee(const Dwarf_Die &function);
  bool is_symbol_of_callee(const std::string &name);
  Result<StackValue> evaluate_in_caller(Dwarf_Attribute &attribute);
  std::optional<Dwarf_Die> parameter_of(Dwarf_Die &site, const PassedPlace &place);
  static bool fits(Dwarf_Die &parameter, const PassedPlace &place);

  const FrameContext &frame_;
  EvaluationBudget &budget_;
  Dwarf_Die callee_{};
};

Result<Dwarf_Die> Inquiry::call() {
  if (frame_.caller == nullptr || frame_.caller->module == nullptr)
    return not_recoverable("what the caller passed is not known, as the caller is not");
  const auto callee = physical_function(frame_);
  if (!callee)
    return std::unexpected(callee.error());
  callee_ = *callee;
  const FrameContext &caller = *frame_.caller;
  const auto function = physical_function(caller);
  if (!function)
    return not_recoverable("what the caller passed is not known: no debug information describes it");
  const LinkAddress return_address = caller.module->bias().to_link(caller.pc) + caller.module->debug_offset();
  const auto site = find_call_site(*function, return_address);
  if (!site)
    return not_recoverable("what the caller passed is not known: its debug information does not describe the call");
  return *site;
}

bool Inquiry::is_symbol_of_callee(const std::string &name) {
  const auto entry = run_entry_of(callee_, *frame_.module);
  if (name.empty() || !entry)
    return false;
  const auto symbol = symbols_of(*frame_.module).by_name(name);
  return symbol && frame_.module->bias().to_run(symbol->address) == *entry;
}

/// Whether the function that a call names is the frame's. Names say so only of functions that are the same everywhere.
bool Inquiry::is_callee(const Dwarf_Die &function) {
  if (same_description(function, callee_))
    return true;
  if (!is_external(function))
    return false;
  const std::string name = linkage_name_of(function);
  return (is_external(callee_) && !name.empty() && name == linkage_name_of(callee_)) || is_symbol_of_callee(name);
}

/// Of a call that does not name the function: through a pointer.
Result<void> Inquiry::verify_target(Dwarf_Die &site) {
  if (origin_of(site))
    return {};
  Dwarf_Attribute target;
  const unsigned attribute = dwarf_tag(&site) == DW_TAG_call_site ? DW_AT_call_target : DW_AT_GNU_call_site_target;
  if (!dwarf_attr(&site, attribute, &target))
    return not_recoverable("what the caller passed is not known: which function it called is not said");
  return verify_address(target);
}

Result<void> Inquiry::verify_address(Dwarf_Attribute &target) {
  const auto called = evaluate_in_caller(target);
  if (!called)
    return not_recoverable("what the caller passed is not known: which function it called cannot be told any more");
  const auto address = called->address();
  const auto entry = run_entry_of(callee_, *frame_.module);
  if (!address || !entry || *address != entry->value)
    return not_recoverable("what the caller passed is not known: it called another function, which left for this one");
  return {};
}

/// A function that leaves for itself, at once or over others, has in its registers what it passed to itself, while the
/// call that the caller made tells what the first of them got.
Result<void> Inquiry::verify_no_tail_call_to_itself() {
  std::vector<Dwarf_Die> reached = {callee_};
  bool returns_here = false;
  for (std::size_t next = 0; next < reached.size() && !returns_here; ++next) {
    const auto is_harmless = [&](Dwarf_Die &site) {
      if (!is_tail_call(site))
        return true;
      const auto origin = origin_of(site);
      returns_here = !origin || is_callee(*origin) || reached.size() > max_tail_callees;
      const auto code = returns_here ? std::nullopt : code_of(*origin, frame_);
      if (code && std::ranges::find(reached, code->addr, &Dwarf_Die::addr) == reached.end())
        reached.push_back(*code);
      return !returns_here;
    };
    Dwarf_Die function = reached[next];
    CallSites(is_harmless, [](Dwarf_Die &) { return true; }).walk(function);
  }
  if (returns_here)
    return not_recoverable("what the caller passed is not known: the function may have gone on to itself since");
  return {};
}

Result<StackValue> Inquiry::evaluate_in_caller(Dwarf_Attribute &attribute) {
  const auto operations = operations_at(attribute, *frame_.caller);
  if (!operations)
    return std::unexpected(operations.error());
  LocationMachine machine({*frame_.caller, budget_});
  if (const auto done = machine.run(*operations, &attribute); !done)
    return std::unexpected(done.error());
  return machine.value();
}

bool Inquiry::fits(Dwarf_Die &parameter, const PassedPlace &place) {
  if (place.kind == PassedPlace::Kind::parameter) {
    for (const unsigned attribute : {DW_AT_call_parameter, DW_AT_abstract_origin})
      if (const auto named = referred_die(parameter, attribute); named && same_description(*named, place.parameter))
        return true;
    return false;
  }
  Dwarf_Attribute location;
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  if (!dwarf_attr(&parameter, DW_AT_location, &location) || !holds_whole_expression(location) ||
      dwarf_getlocation(&location, &operations, &count) != 0 || count != 1)
    return false;
  const Dwarf_Op &op = operations[0];
  if (place.kind == PassedPlace::Kind::on_stack)
    return op.atom == DW_OP_breg7 && static_cast<std::int64_t>(op.number) == place.stack_offset; // rsp's
  if (op.atom == DW_OP_regx)
    return op.number == place.number;
  return op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31 && place.number + DW_OP_reg0 == op.atom;
}

std::optional<Dwarf_Die> Inquiry::parameter_of(Dwarf_Die &site, const PassedPlace &place) {
  std::optional<Dwarf_Die> found;
  each_child(site, [&](Dwarf_Die &child, std::uint64_t) {
    const int tag = dwarf_tag(&child);
    if ((tag == DW_TAG_call_site_parameter || tag == DW_TAG_GNU_call_site_parameter) && fits(child, place))
      found = child;
    return !found;
  });
  return found;
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
      auto origin = origin_of(site);
      const auto code = origin ? code_of(*origin, frame_) : std::nullopt;
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

/// The caller called `first`, which left for this function, perhaps over others. Their frames are gone, but each of
/// them stood where this one stands now, and what it passed on may be a constant, or what it was passed itself.
Result<StackValue> Inquiry::ask_over_tail_calls(const PassedPlace &place, Dwarf_Die first) {
  const auto start = code_of(first, frame_);
  const auto way = start ? TailCalls(frame_).way(*start, callee_) : std::nullopt;
  if (!way || way->empty() || budget_.nesting + way->size() >= max_evaluation_nesting)
    return not_recoverable(
        fmt::format("what the caller passed is not known: it called {}, which left for this function",
                    demangle(linkage_name_of(first))));
  RegisterSet registers = frame_.caller->registers != nullptr ? *frame_.caller->registers : RegisterSet();
  if (frame_.cfa) // before a jump the return address is on top of the stack
    registers.set(x86_64::rsp, frame_.cfa->value - 8);
  else
    registers.forget(x86_64::rsp);
  std::vector<FrameContext> gone(way->size(), *frame_.caller);
  for (std::size_t i = 0; i < gone.size(); ++i) {
    gone[i].module = frame_.module;
    gone[i].pc = frame_.module->bias().to_run((*way)[i] - frame_.module->debug_offset());
    gone[i].lookup = gone[i].pc - 1;
    gone[i].cfa = frame_.cfa;
    gone[i].registers = &registers;
    gone[i].caller = i == 0 ? frame_.caller : &gone[i - 1];
  }
  FrameContext here = frame_;
  here.caller = &gone.back();
  ++budget_.nesting;
  auto value = Inquiry(here, budget_).ask(place);
  --budget_.nesting;
  return value;
}

Result<StackValue> Inquiry::ask(const PassedPlace &place) {
  auto site = call();
  if (!site)
    return std::unexpected(site.error());
  if (const auto called = origin_of(*site); called && !is_callee(*called))
    return ask_over_tail_calls(place, *called);
  if (const auto verified = verify_target(*site); !verified)
    return std::unexpected(verified.error());
  if (const auto verified = verify_no_tail_call_to_itself(); !verified)
    return std::unexpected(verified.error());
  auto parameter = parameter_of(*site, place);
  Dwarf_Attribute value;
  const bool found =
      parameter &&
      (dwarf_attr(&*parameter, place.pointed_to ? DW_AT_call_data_value : DW_AT_call_value, &value) != nullptr ||
       dwarf_attr(&*parameter, place.pointed_to ? DW_AT_GNU_call_site_data_value : DW_AT_GNU_call_site_value, &value) !=
           nullptr);
  if (!found)
    return not_recoverable("the caller does not know any more what it passed");
  return evaluate_in_caller(value);
}

} // namespace

Result<StackValue> passed_value(const PassedPlace &place, const FrameContext &frame, EvaluationBudget &budget) {
  if (frame.modules == nullptr || frame.module == nullptr)
    return not_recoverable("what the caller passed is not known: this frame is in no module");
  return Inquiry(frame, budget).ask(place);
}

} // namespace inspect
