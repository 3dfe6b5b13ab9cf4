#include "dwarf/variables/frame_variables.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"

#include <algorithm>
#include <dwarf.h>
#include <set>
#include <unordered_map>

namespace inspect {
namespace {

/// Blocks in blocks of one function.
constexpr unsigned max_depth = 200;
constexpr std::size_t max_variables = 65'536;

bool has_flag(Dwarf_Die die, unsigned attribute) {
  bool value = false;
  each_description(die, [&](Dwarf_Die &one) {
    Dwarf_Attribute found;
    value = dwarf_attr(&one, attribute, &found) != nullptr && dwarf_formflag(&found, &value) == 0 && value;
    return !value;
  });
  return value;
}

/// Whether the location is one that no frame changes: an address, or a place in the thread's block.
bool is_static_location(Dwarf_Die die) {
  bool fixed = false;
  each_description(die, [&](Dwarf_Die &one) {
    Dwarf_Attribute location;
    Dwarf_Op *operations = nullptr;
    std::size_t count = 0;
    if (!dwarf_attr(&one, DW_AT_location, &location))
      return true;
    if (holds_whole_expression(location) && dwarf_getlocation(&location, &operations, &count) == 0 && count > 0) {
      const auto first = operations[0].atom;
      const auto last = operations[count - 1].atom;
      fixed = first == DW_OP_addr || first == DW_OP_addrx || first == DW_OP_GNU_addr_index ||
              last == DW_OP_form_tls_address || last == DW_OP_GNU_push_tls_address;
    }
    return false;
  });
  return fixed;
}

/// The variables of one function at one address.
class Collector {
public:
  explicit Collector(LinkAddress address) : address_(address) {}

  FunctionScope collect(Dwarf_Die function) {
    scope_.function = function;
    scope_.inlined = dwarf_tag(&function) == DW_TAG_inlined_subroutine;
    Dwarf_Die unit;
    if (dwarf_diecu(&function, &unit, nullptr, nullptr))
      scope_.language = unsigned_attribute(unit, DW_AT_language).value_or(0);
    visit_block(function, 0);
    put_in_order(function);
    mark_shadowed();
    return std::move(scope_);
  }

private:
  void visit_block(Dwarf_Die block, unsigned depth);
  void visit(Dwarf_Die &child, Dwarf_Die &block, unsigned depth);
  void add_missing(Dwarf_Die block, unsigned depth);
  void add(Dwarf_Die die, unsigned depth, bool is_parameter, const std::string &pack = {});
  void add_pack(Dwarf_Die pack, unsigned depth);
  bool has_started(Dwarf_Die &variable, Dwarf_Die &block) const;
  void put_in_order(Dwarf_Die function);
  void mark_shadowed();

  LinkAddress address_;
  FunctionScope scope_;
  std::set<const void *> described_; ///< DIEs that some instance found here refers to
};

std::string name_of(Dwarf_Die die) {
  std::string name;
  each_description(die, [&](Dwarf_Die &one) {
    const char *text = string_attribute(one, DW_AT_name);
    name = text ? text : "";
    return name.empty();
  });
  return name;
}

void Collector::add(Dwarf_Die die, unsigned depth, bool is_parameter, const std::string &pack) {
  ScopeVariable variable;
  variable.name = name_of(die);
  each_description(die, [&](Dwarf_Die &one) {
    described_.insert(one.addr);
    return true;
  });
  if (variable.name.empty())
    variable.name = pack;
  if (variable.name.empty() || scope_.variables.size() >= max_variables)
    return; // a parameter that the source does not name cannot be asked for either
  if (variable.name.starts_with('&')) {
    variable.name.erase(0, 1);
    variable.escaped = true;
  }
  variable.type = type_of(die);
  variable.die = die;
  variable.is_parameter = is_parameter;
  variable.is_result = has_flag(die, DW_AT_variable_parameter);
  variable.is_artificial = has_flag(die, DW_AT_artificial);
  const bool declared = !is_parameter && has_flag(die, DW_AT_declaration);
  variable.is_static = declared || (!is_parameter && is_static_location(die));
  variable.depth = depth;
  each_description(die, [&](Dwarf_Die &one) {
    variable.line = static_cast<int>(unsigned_attribute(one, DW_AT_decl_line).value_or(0));
    return variable.line == 0;
  });
  scope_.variables.push_back(std::move(variable));
}

/// The parameters that a pack was expanded to: "args#0", "args#1", as GCC calls them; GCC 12 leaves the name of the
/// pack itself out, and then they are "#0", "#1".
void Collector::add_pack(Dwarf_Die pack, unsigned depth) {
  const std::string name = name_of(pack);
  std::size_t index = 0;
  each_child(pack, [&](Dwarf_Die &child, std::uint64_t) {
    if (dwarf_tag(&child) == DW_TAG_formal_parameter)
      add(child, depth, true, name + "#" + std::to_string(index++));
    return scope_.variables.size() < max_variables;
  });
}

/// DW_AT_start_scope as a number: how far into the block's code the variable's scope begins.
bool Collector::has_started(Dwarf_Die &variable, Dwarf_Die &block) const {
  const auto start = unsigned_attribute(variable, DW_AT_start_scope);
  Dwarf_Addr low = 0;
  if (!start || dwarf_lowpc(&block, &low) != 0)
    return true;
  return address_.value >= low + *start;
}

void Collector::visit(Dwarf_Die &child, Dwarf_Die &block, unsigned depth) {
  switch (dwarf_tag(&child)) {
  case DW_TAG_formal_parameter:
    add(child, depth, true);
    break;
  case DW_TAG_GNU_formal_parameter_pack:
    add_pack(child, depth);
    break;
  case DW_TAG_variable:
  case DW_TAG_constant:
    if (has_started(child, block))
      add(child, depth, false);
    break;
  case DW_TAG_lexical_block:
  case DW_TAG_try_block:
  case DW_TAG_catch_block: {
    const Coverage covers = coverage(child, address_);
    each_description(child, [&](Dwarf_Die &one) {
      described_.insert(one.addr);
      return true;
    });
    // A block without addresses stands for nothing in the code: its variables are those of the block around it.
    if (covers != Coverage::outside && depth < max_depth)
      visit_block(child, depth + (covers == Coverage::inside ? 1 : 0));
    break;
  }
  default:
    break;
  }
}

void Collector::visit_block(Dwarf_Die block, unsigned depth) {
  if (depth >= max_depth)
    return;
  // Inner blocks come behind the variables of the block itself, whose list is not always before them.
  std::vector<Dwarf_Die> inner;
  each_child(block, [&](Dwarf_Die &child, std::uint64_t) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block)
      inner.push_back(child);
    else
      visit(child, block, depth);
    return scope_.variables.size() < max_variables && inner.size() < max_variables;
  });
  for (Dwarf_Die &one : inner)
    visit(one, block, depth);
  // Last: GCC puts the variables of an inlined function into a block within it.
  add_missing(block, depth);
}

/// What the abstract description of the block has and this instance of it does not mention: optimized out, or a
/// constant.
void Collector::add_missing(Dwarf_Die block, unsigned depth) {
  auto origin = referred_die(block, DW_AT_abstract_origin);
  if (!origin)
    return;
  each_child(*origin, [&](Dwarf_Die &child, std::uint64_t) {
    const int tag = dwarf_tag(&child);
    const bool is_parameter = tag == DW_TAG_formal_parameter;
    if ((is_parameter || tag == DW_TAG_variable) && !described_.contains(child.addr))
      add(child, depth, is_parameter);
    return scope_.variables.size() < max_variables;
  });
}

/// Parameters come first, in the order in which the function declares them.
void Collector::put_in_order(Dwarf_Die function) {
  std::unordered_map<const void *, std::size_t> declared;
  if (auto origin = referred_die(function, DW_AT_abstract_origin))
    each_child(*origin, [&](Dwarf_Die &child, std::uint64_t) {
      declared.emplace(child.addr, declared.size());
      return declared.size() < max_variables;
    });
  const auto place = [&](const ScopeVariable &variable) {
    std::size_t found = SIZE_MAX;
    each_description(variable.die, [&](Dwarf_Die &one) {
      if (const auto known = declared.find(one.addr); known != declared.end())
        found = known->second;
      return found == SIZE_MAX;
    });
    return found;
  };
  const auto locals = std::stable_partition(scope_.variables.begin(), scope_.variables.end(),
                                            [](const ScopeVariable &variable) { return variable.is_parameter; });
  if (!declared.empty())
    std::stable_sort(scope_.variables.begin(), locals,
                     [&](const ScopeVariable &left, const ScopeVariable &right) { return place(left) < place(right); });
  std::stable_sort(locals, scope_.variables.end(),
                   [](const ScopeVariable &left, const ScopeVariable &right) { return left.depth < right.depth; });
}

void Collector::mark_shadowed() {
  std::unordered_map<std::string_view, unsigned> innermost;
  for (const ScopeVariable &variable : scope_.variables) {
    unsigned &depth = innermost[variable.name];
    depth = std::max(depth, variable.depth);
  }
  for (ScopeVariable &variable : scope_.variables)
    variable.shadowed = variable.depth < innermost[variable.name];
}

} // namespace

std::vector<FunctionScope> function_scopes(LineResolver &lines, LinkAddress address) {
  std::vector<FunctionScope> scopes;
  for (const Dwarf_Die &function : lines.functions_at(address))
    scopes.push_back(Collector(lines.in_debug_info(address)).collect(function));
  return scopes;
}

} // namespace inspect
