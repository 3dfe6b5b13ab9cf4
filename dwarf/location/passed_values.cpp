#include "dwarf/location/passed_values.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"
#include "dwarf/location/call_sites.h"
#include "dwarf/location/tail_caller_frames.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/symbols/symbol_table.h"

#include <algorithm>
#include <dwarf.h>
#include <fmt/format.h>
#include <functional>

namespace inspect {
namespace {

std::unexpected<Error> not_recoverable(std::string why) {
  return std::unexpected(Error(ErrorKind::not_found, std::move(why)));
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

bool Inquiry::is_callee(const Dwarf_Die &function) {
  return is_function_of_frame(function, callee_, frame_);
}

/// Of a call that does not name the function: through a pointer.
Result<void> Inquiry::verify_target(Dwarf_Die &site) {
  if (origin_of_call(site))
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
      const auto origin = origin_of_call(site);
      returns_here = !origin || is_callee(*origin) || reached.size() > max_tail_callees;
      const auto code = returns_here ? std::nullopt : code_of_function(*origin, frame_);
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

/// The caller called `first`, which left for this function, perhaps over others. Their frames are gone, but each of
/// them stood where this one stands now, and what it passed on may be a constant, or what it was passed itself.
Result<StackValue> Inquiry::ask_over_tail_calls(const PassedPlace &place, Dwarf_Die first) {
  const auto start = code_of_function(first, frame_);
  const auto way = start ? way_of_tail_calls(*start, callee_, frame_) : std::nullopt;
  if (!way || way->empty() || budget_.nesting + way->size() >= max_evaluation_nesting)
    return not_recoverable(
        fmt::format("what the caller passed is not known: it called {}, which left for this function",
                    demangle(linkage_name_of(first))));
  std::vector<RunAddress> behind_jumps;
  for (const LinkAddress behind : *way)
    behind_jumps.insert(behind_jumps.begin(), frame_.module->bias().to_run(behind - frame_.module->debug_offset()));
  const TailCallerFrames gone(frame_, behind_jumps);
  FrameContext here = frame_;
  here.caller = &gone.innermost();
  ++budget_.nesting;
  auto value = Inquiry(here, budget_).ask(place);
  --budget_.nesting;
  return value;
}

Result<StackValue> Inquiry::ask(const PassedPlace &place) {
  auto site = call();
  if (!site)
    return std::unexpected(site.error());
  if (const auto called = origin_of_call(*site); called && !is_callee(*called))
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
