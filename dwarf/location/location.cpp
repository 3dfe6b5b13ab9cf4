#include "dwarf/location/location.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"
#include "dwarf/expression/location_list_bytes.h"
#include "dwarf/expression/stack_arithmetic.h"
#include "dwarf/location/location_machine.h"
#include "dwarf/location/passed_values.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/symbols/symbol_table.h"
#include "dwarf/types/type_reader.h"

#include <algorithm>
#include <dwarf.h>
#include <fmt/format.h>
#include <functional>
#include <span>

namespace inspect {
namespace {

std::unexpected<Error> optimized_out() {
  return std::unexpected(Error(ErrorKind::not_found, "optimized out"));
}

LinkAddress debug_address(RunAddress address, Module &module) {
  return module.bias().to_link(address) + module.debug_offset();
}

template <typename Integer> std::vector<std::byte> bytes_of(Integer value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

/// DW_AT_const_value in any of its forms. Numbers are widened to 16 bytes; the variable's type takes what it needs.
Result<Location> constant_location(Dwarf_Attribute &attribute, const FrameContext &frame) {
  LocationPiece piece;
  piece.kind = LocationPiece::Kind::implicit;
  Dwarf_Block block;
  Dwarf_Sword number = 0;
  Dwarf_Word bits = 0;
  Dwarf_Addr address = 0;
  const unsigned form = dwarf_whatform(&attribute);
  const bool is_signed = form == DW_FORM_sdata || form == DW_FORM_implicit_const;
  if (dwarf_formblock(&attribute, &block) == 0) { // DW_FORM_data16 too
    const auto bytes = std::as_bytes(std::span(block.data, block.length));
    piece.bytes.assign(bytes.begin(), bytes.end());
  } else if (const char *text = dwarf_formstring(&attribute)) {
    const auto bytes = std::as_bytes(std::span(text, std::strlen(text) + 1));
    piece.bytes.assign(bytes.begin(), bytes.end());
  } else if (is_signed && dwarf_formsdata(&attribute, &number) == 0) {
    __extension__ using Wide = __int128;
    piece.bytes = bytes_of(static_cast<Wide>(number));
  } else if (!is_signed && dwarf_formudata(&attribute, &bits) == 0) {
    __extension__ using Wide = unsigned __int128;
    piece.bytes = bytes_of(static_cast<Wide>(bits));
  } else if (frame.module != nullptr && dwarf_formaddr(&attribute, &address) == 0) {
    const LinkAddress link{address - frame.module->debug_offset()};
    piece.bytes = bytes_of(frame.module->bias().to_run(link).value);
  } else {
    return std::unexpected(
        Error(ErrorKind::corrupt, "the constant that a variable has is in no form that DWARF knows"));
  }
  Location location;
  location.pieces.push_back(std::move(piece));
  return location;
}

/// Registers that are not recoverable are as good as optimized out, each with its reason.
Result<Location> with_known_registers(Location location, const FrameContext &frame) {
  for (LocationPiece &piece : location.pieces) {
    if (piece.kind != LocationPiece::Kind::in_register)
      continue;
    const auto held = register_bytes(piece.dwarf_register, frame);
    if (held)
      continue;
    if (location.pieces.size() == 1)
      return std::unexpected(held.error());
    piece.kind = LocationPiece::Kind::missing;
    piece.reason = held.error().message();
  }
  return location;
}

Result<Location> evaluated(Dwarf_Attribute &attribute, std::span<const Dwarf_Op> operations, const FrameContext &frame,
                           EvaluationBudget &budget) {
  if (operations.empty())
    return optimized_out();
  LocationMachine machine({frame, budget});
  if (const auto done = machine.run(operations, &attribute); !done)
    return std::unexpected(done.error());
  auto location = machine.location();
  return location ? with_known_registers(std::move(*location), frame) : location;
}

std::string symbol_name_of(Dwarf_Die variable) {
  const char *name = nullptr;
  each_description(variable, [&](Dwarf_Die &one) {
    for (const unsigned attribute : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name})
      name = name == nullptr ? string_attribute(one, attribute) : name;
    return name == nullptr;
  });
  if (name == nullptr)
    name = string_attribute(variable, DW_AT_name);
  return name == nullptr ? std::string() : name;
}

/// Of `extern int x;` and of a class' static member: the symbol, of the own module before others'.
Result<Location> declared_elsewhere(Dwarf_Die variable, const FrameContext &frame) {
  const std::string name = symbol_name_of(variable);
  if (name.empty() || frame.modules == nullptr)
    return optimized_out();
  std::vector<Module *> modules = frame.modules->modules();
  if (frame.module != nullptr)
    modules.insert(modules.begin(), frame.module);
  for (Module *module : modules) {
    const auto symbol = symbols_of(*module).by_name(name);
    if (!symbol || symbol->is_function)
      continue;
    Location location;
    location.pieces.emplace_back();
    location.pieces.back().kind = LocationPiece::Kind::memory;
    location.pieces.back().address = module->bias().to_run(symbol->address);
    return location;
  }
  return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} is declared, and no module defines it", name)));
}

bool is_declaration(Dwarf_Die variable) {
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr(&variable, DW_AT_declaration, &found) != nullptr && dwarf_formflag(&found, &value) == 0 && value;
}

bool has_no_bytes(Dwarf_Die variable) {
  const TypeHandle type = type_of(variable);
  if (!type.die)
    return false;
  Dwarf_Die die = *type.die;
  return unsigned_attribute(die, DW_AT_byte_size) == 0U;
}

/// Whether the function's frame base is its CFA, so that what fbreg says is an offset from the stack of its caller.
bool bases_on_cfa(Dwarf_Die function) {
  Dwarf_Attribute base;
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  return dwarf_attr(&function, DW_AT_frame_base, &base) != nullptr && holds_whole_expression(base) &&
         dwarf_getlocation(&base, &operations, &count) == 0 && count == 1 && operations[0].atom == DW_OP_call_frame_cfa;
}

/// Not of a call that was inlined: nobody passed its parameters.
bool is_parameter_of(Dwarf_Die parameter, Dwarf_Die function) {
  bool found = false;
  each_child(function, [&](Dwarf_Die &child, std::uint64_t) {
    found = child.addr == parameter.addr;
    return !found;
  });
  return found;
}

/// Where the parameter is when the function is entered.
std::optional<PassedPlace> place_at_entry(Dwarf_Die parameter, Dwarf_Die function) {
  Dwarf_Attribute attribute;
  Dwarf_Addr entry = 0;
  if (!dwarf_attr(&parameter, DW_AT_location, &attribute) || !holds_whole_expression(attribute) ||
      !holds_whole_list(attribute))
    return std::nullopt;
  if (dwarf_entrypc(&function, &entry) != 0)
    each_range(function, 1, [&](LinkRange range) { entry = range.begin.value; });
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  if (dwarf_getlocation_addr(&attribute, entry, &operations, &count, 1) != 1 || count != 1)
    return std::nullopt;
  const Dwarf_Op &op = operations[0];
  PassedPlace place;
  if (op.atom == DW_OP_fbreg && bases_on_cfa(function)) {
    place.kind = PassedPlace::Kind::on_stack;
    place.stack_offset = static_cast<std::int64_t>(op.number);
    return place;
  }
  if (op.atom == DW_OP_regx)
    place.number = op.number;
  else if (op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31)
    place.number = op.atom - DW_OP_reg0;
  else
    return std::nullopt;
  return place;
}

} // namespace

namespace {

/// Go 1.16 writes DWARF 4 with the block forms of DWARF 3, which libdw takes for no expression in it. A block whose
/// length is one byte, below 128, is encoded as DW_FORM_exprloc is.
void accept_old_block(Dwarf_Attribute &attribute) {
  Dwarf_Block block;
  const bool is_old = attribute.form == DW_FORM_block1 || attribute.form == DW_FORM_block;
  if (is_old && dwarf_formblock(&attribute, &block) == 0 && block.length < 0x80)
    attribute.form = DW_FORM_exprloc;
}

} // namespace

Result<std::span<const Dwarf_Op>> operations_at(Dwarf_Attribute &attribute, const FrameContext &frame) {
  accept_old_block(attribute);
  if (!holds_whole_expression(attribute) || !holds_whole_list(attribute))
    return std::unexpected(corrupt_expression("ends within an operator"));
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  const std::uint64_t address = frame.module != nullptr ? debug_address(frame.lookup, *frame.module).value : 0;
  const int found = dwarf_getlocation_addr(&attribute, address, &operations, &count, 1);
  if (found < 0)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("a DWARF location cannot be decoded: {}", dwarf_errmsg(-1))));
  return found == 0 ? std::span<const Dwarf_Op>() : std::span<const Dwarf_Op>(operations, count);
}

Result<Dwarf_Die> physical_function(const FrameContext &frame) {
  if (frame.module != nullptr)
    if (const auto function = lines_of(*frame.module).function_at(frame.module->bias().to_link(frame.lookup)))
      return *function;
  return std::unexpected(Error(ErrorKind::not_found, "no debug information describes the function"));
}

Result<Location> locate_within(Dwarf_Die variable, const FrameContext &frame, EvaluationBudget &budget) {
  Dwarf_Attribute attribute;
  std::optional<Result<Location>> found;
  each_description(variable, [&](Dwarf_Die &one) {
    if (dwarf_attr(&one, DW_AT_location, &attribute)) {
      const auto operations = operations_at(attribute, frame);
      found = operations ? evaluated(attribute, *operations, frame, budget) : std::unexpected(operations.error());
    } else if (dwarf_attr(&one, DW_AT_const_value, &attribute)) {
      found = constant_location(attribute, frame);
    }
    return !found;
  });
  if (found)
    return *found;
  return is_declaration(variable) ? declared_elsewhere(variable, frame) : optimized_out();
}

bool is_of_unoptimised_unit(Dwarf_Die die) {
  Dwarf_Die unit;
  const char *producer =
      dwarf_diecu(&die, &unit, nullptr, nullptr) != nullptr ? string_attribute(unit, DW_AT_producer) : nullptr;
  return producer != nullptr && std::string_view(producer).find(" -N") != std::string_view::npos;
}

bool has_location_list(Dwarf_Die variable) {
  Dwarf_Attribute attribute;
  bool has_list = false;
  each_description(variable, [&](Dwarf_Die &one) {
    if (!dwarf_attr(&one, DW_AT_location, &attribute))
      return true;
    const unsigned form = dwarf_whatform(&attribute);
    has_list = form == DW_FORM_sec_offset || form == DW_FORM_loclistx || form == DW_FORM_data4 || form == DW_FORM_data8;
    return false;
  });
  return has_list;
}

namespace {

/// The expressions of a location list, until `take` wants no more; false where there is no sound list.
bool each_expression(Dwarf_Die variable, const std::function<bool(std::span<const Dwarf_Op>)> &take) {
  bool is_sound = false;
  each_description(variable, [&](Dwarf_Die &one) {
    Dwarf_Attribute attribute;
    if (!dwarf_attr(&one, DW_AT_location, &attribute))
      return true;
    std::ptrdiff_t position = 0;
    Dwarf_Addr base = 0, begin = 0, end = 0;
    Dwarf_Op *operations = nullptr;
    std::size_t count = 0;
    while ((position = dwarf_getlocations(&attribute, position, &base, &begin, &end, &operations, &count)) > 0)
      if (!take(std::span<const Dwarf_Op>(operations, count)))
        break;
    is_sound = position >= 0;
    return false;
  });
  return is_sound;
}

} // namespace

bool has_one_frame_place(Dwarf_Die variable) {
  std::optional<Dwarf_Word> place;
  bool only_one = true;
  const bool is_sound = each_expression(variable, [&](std::span<const Dwarf_Op> expression) {
    only_one = expression.size() == 1 && expression[0].atom == DW_OP_fbreg &&
               place.value_or(expression[0].number) == expression[0].number;
    place = only_one ? expression[0].number : 0;
    return only_one;
  });
  return is_sound && only_one && place;
}

bool is_ever_in_frame(Dwarf_Die variable) {
  bool found = false;
  each_expression(variable, [&](std::span<const Dwarf_Op> expression) {
    found = std::ranges::any_of(expression, [](const Dwarf_Op &operation) {
      return operation.atom == DW_OP_fbreg || operation.atom == DW_OP_call_frame_cfa;
    });
    return !found;
  });
  return found;
}

Result<Location> locate(Dwarf_Die variable, const FrameContext &frame) {
  EvaluationBudget budget;
  auto location = locate_within(variable, frame, budget);
  if (location || !has_no_bytes(variable))
    return location;
  // Rust's unit types and closures that capture nothing: there is nothing to be lost.
  Location empty;
  empty.pieces.emplace_back().kind = LocationPiece::Kind::implicit;
  return empty;
}

namespace {

bool is_whole(const Location &location) {
  return std::ranges::none_of(location.pieces,
                              [](const LocationPiece &piece) { return piece.kind == LocationPiece::Kind::missing; });
}

/// The location behind the call, without what is in registers: those are the callee's by then.
Result<Location> locate_behind_call(Dwarf_Die variable, const FrameContext &frame) {
  FrameContext behind = frame;
  behind.lookup = frame.pc;
  const auto inside = physical_function(frame);
  const auto outside = physical_function(behind);
  if (!inside || !outside || inside->addr != outside->addr) // the call was the last instruction, which does not return
    return optimized_out();
  auto location = locate(variable, behind);
  if (location)
    for (LocationPiece &piece : location->pieces)
      if (piece.kind == LocationPiece::Kind::in_register) {
        piece.kind = LocationPiece::Kind::missing;
        piece.reason = "optimized out";
      }
  return location;
}

bool same_pieces(const Location &left, const Location &right) {
  return std::ranges::equal(left.pieces, right.pieces, {}, &LocationPiece::bit_size, &LocationPiece::bit_size);
}

} // namespace

Result<Location> locate_across_call(Dwarf_Die variable, const FrameContext &frame) {
  auto location = locate(variable, frame);
  if (frame.lookup == frame.pc || (location && is_whole(*location)))
    return location;
  auto behind = locate_behind_call(variable, frame);
  if (!behind)
    return location;
  const bool has_any = std::ranges::any_of(
      behind->pieces, [](const LocationPiece &piece) { return piece.kind != LocationPiece::Kind::missing; });
  if (!location)
    return has_any ? behind : location;
  if (!same_pieces(*location, *behind))
    return is_whole(*behind) ? behind : location;
  for (std::size_t i = 0; i < location->pieces.size(); ++i)
    if (location->pieces[i].kind == LocationPiece::Kind::missing)
      location->pieces[i] = std::move(behind->pieces[i]);
  return location;
}

Result<Location> locate_at_entry(Dwarf_Die parameter, const FrameContext &frame) {
  const auto function = physical_function(frame);
  if (!function)
    return std::unexpected(function.error());
  PassedPlace place;
  const auto at_entry = is_parameter_of(parameter, *function) ? place_at_entry(parameter, *function) : std::nullopt;
  if (at_entry) {
    place = *at_entry;
  } else {
    place.kind = PassedPlace::Kind::parameter;
    place.parameter = parameter;
  }
  EvaluationBudget budget;
  const auto value = passed_value(place, frame, budget);
  if (!value)
    return std::unexpected(value.error());
  Location location;
  location.at_entry = true;
  LocationPiece &piece = location.pieces.emplace_back();
  piece.kind = LocationPiece::Kind::implicit;
  piece.bytes.assign(value->content().begin(), value->content().end());
  return location;
}

Result<RunAddress> frame_base_within(Dwarf_Die function, const FrameContext &frame, EvaluationBudget &budget) {
  Dwarf_Attribute attribute;
  if (!dwarf_attr(&function, DW_AT_frame_base, &attribute))
    return std::unexpected(Error(ErrorKind::not_found, "the function's debug information has no frame base"));
  const auto operations = operations_at(attribute, frame);
  if (!operations)
    return std::unexpected(operations.error());
  const auto location = evaluated(attribute, *operations, frame, budget);
  if (!location)
    return std::unexpected(location.error());
  const LocationPiece &piece = location->pieces.front();
  if (location->pieces.size() == 1 && piece.kind == LocationPiece::Kind::memory)
    return piece.address;
  std::uint64_t value = 0;
  if (location->pieces.size() == 1 && piece.kind == LocationPiece::Kind::in_register) {
    const auto held = register_bytes(piece.dwarf_register, frame);
    if (!held)
      return std::unexpected(held.error());
    std::memcpy(&value, held->data(), sizeof value);
    return RunAddress{value};
  }
  if (location->pieces.size() == 1 && piece.kind == LocationPiece::Kind::implicit &&
      piece.bytes.size() == sizeof value) {
    std::memcpy(&value, piece.bytes.data(), sizeof value);
    return RunAddress{value};
  }
  return std::unexpected(corrupt_expression("gives no address where a frame base is wanted"));
}

Result<RunAddress> frame_base_of(const FrameContext &frame, EvaluationBudget &budget) {
  const auto function = physical_function(frame);
  if (!function)
    return std::unexpected(function.error());
  return frame_base_within(*function, frame, budget);
}

Result<RunAddress> frame_base(Dwarf_Die function, const FrameContext &frame) {
  EvaluationBudget budget;
  return frame_base_within(function, frame, budget);
}

} // namespace inspect
