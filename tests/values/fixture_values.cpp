#include "tests/values/fixture_values.h"

#include "dwarf/die/die.h"
#include "dwarf/types/type_name.h"

#include <cstring>
#include <dwarf.h>
#include <stdexcept>
#include <sys/uio.h>

namespace inspect::test {
namespace {

/// rustc opens a block for each variable.
constexpr int max_depth = 400;

bool is_scope(int tag) {
  switch (tag) {
  case DW_TAG_namespace:
  case DW_TAG_structure_type:
  case DW_TAG_class_type:
  case DW_TAG_union_type:
  case DW_TAG_subprogram:
  case DW_TAG_lexical_block:
    return true;
  default:
    return false;
  }
}

bool is_type(int tag) {
  switch (tag) {
  case DW_TAG_structure_type:
  case DW_TAG_class_type:
  case DW_TAG_union_type:
  case DW_TAG_enumeration_type:
  case DW_TAG_base_type:
  case DW_TAG_typedef:
    return true;
  default:
    return false;
  }
}

std::optional<std::uint64_t> static_address(Dwarf_Die &die) {
  Dwarf_Attribute location;
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  if (!dwarf_attr(&die, DW_AT_location, &location) || dwarf_getlocation(&location, &operations, &count) != 0 ||
      count != 1)
    return std::nullopt;
  if (operations[0].atom == DW_OP_addr)
    return operations[0].number;
  // Clang writes an index into the unit's addresses.
  Dwarf_Attribute indexed;
  Dwarf_Addr address = 0;
  if (dwarf_getlocation_attr(&location, &operations[0], &indexed) != 0 || dwarf_formaddr(&indexed, &address) != 0)
    return std::nullopt;
  return address;
}

} // namespace

Result<void> FixtureValues::Memory::read(RunAddress address, std::span<std::byte> into) const {
  iovec local{into.data(), into.size()};
  iovec remote{reinterpret_cast<void *>(address.value), into.size()};
  const ssize_t got = ::process_vm_readv(process_, &local, 1, &remote, 1, 0);
  if (got != static_cast<ssize_t>(into.size()))
    return std::unexpected(Error(ErrorKind::unreadable, "not mapped"));
  return {};
}

FixtureValues::FixtureValues(const std::vector<std::string> &command, SourceLanguage language)
    : language_(language), child_(command), memory_(child_.pid()) {}

FixtureValues::~FixtureValues() = default;

void FixtureValues::open() {
  add_modules();
  environment_ =
      std::make_unique<ValueEnvironment>(ValueEnvironment{.memory = memory_, .modules = modules_, .types = types_});
  environment_->find_type = [this](std::string_view name, SourceLanguage) { return type(name); };
  bool any = false;
  for (Module *module : modules_.modules())
    if (module->name().find(".so") == std::string_view::npos && module->dwarf() != nullptr) {
      add_names(*module);
      any = true;
    }
  if (!any)
    throw std::runtime_error("the fixture has no DWARF");
}

void FixtureValues::add_modules() {
  const auto all =
      mappings_of(std::to_string(child_.pid()), [](const std::string &path) { return path.front() == '/'; });
  for (const auto &[path, segments] : all) {
    ModuleInput input{path, {}, segments};
    if (auto file = files_.open(path))
      input.file = std::move(*file);
    if (auto module = Module::open(std::move(input), memory_, files_, {}))
      modules_.add(std::move(*module));
  }
}

void FixtureValues::add_names(Module &module) {
  Dwarf_CU *unit = nullptr;
  Dwarf_Die die;
  Dwarf_Half version = 0;
  std::uint8_t type = 0;
  while (dwarf_get_units(module.dwarf(), unit, &unit, &version, &type, &die, nullptr) == 0)
    each_child(die, [&](Dwarf_Die &child, std::uint64_t) {
      add_name(child, "", module, 0);
      return true;
    });
}

void FixtureValues::add_name(Dwarf_Die &die, const std::string &scope, Module &module, int depth) {
  const int tag = dwarf_tag(&die);
  const char *name = nullptr;
  each_description(die, [&](Dwarf_Die &one) {
    name = string_attribute(one, DW_AT_name);
    return name == nullptr;
  });
  const std::string whole = name != nullptr ? scope + name : scope;
  if (tag == DW_TAG_variable && name != nullptr) {
    // A definition outside of its class or namespace says which declaration it is of.
    const auto declared = referred_die(die, DW_AT_specification);
    if (const auto address = static_address(die)) {
      const RunAddress place = module.bias().to_run(LinkAddress{*address});
      variables_.try_emplace(declared ? inspect::qualified_name(*declared) : whole, Variable{type_of(die), place});
    }
    if (depth > 0)
      locals_.try_emplace(whole, type_of(die));
    return;
  }
  if (is_type(tag) && name != nullptr && !has_flag_attribute(die, DW_AT_declaration))
    types_by_name_.try_emplace(whole, TypeHandle{.die = die});
  if (!is_scope(tag) || depth > max_depth)
    return;
  std::string inner = scope;
  if (tag == DW_TAG_namespace || is_type(tag))
    inner = name != nullptr ? whole + "::" : tag == DW_TAG_namespace ? scope + "(anonymous namespace)::" : scope;
  each_child(die, [&](Dwarf_Die &child, std::uint64_t) {
    add_name(child, inner, module, depth + 1);
    return true;
  });
}

Value FixtureValues::variable(std::string_view qualified_name) {
  const auto found = variables_.find(qualified_name);
  if (found == variables_.end())
    throw std::runtime_error("no variable is called " + std::string(qualified_name));
  const std::uint64_t size = types_.size_of(found->second.type).value_or(0);
  return {.type = {.native = found->second.type},
          .language = language_,
          .source = ValueSource::in_memory(memory_, found->second.address, size)};
}

Value FixtureValues::local(std::string_view name, RunAddress address) {
  const auto found = locals_.find(name);
  if (found == locals_.end())
    throw std::runtime_error("no local variable is called " + std::string(name));
  return {.type = {.native = found->second},
          .language = language_,
          .source = ValueSource::in_memory(memory_, address, types_.size_of(found->second).value_or(0))};
}

bool FixtureValues::has_local(std::string_view name) const {
  return locals_.contains(name);
}

bool FixtureValues::has_variable(std::string_view qualified_name) const {
  return variables_.contains(qualified_name);
}

std::optional<ValueType> FixtureValues::type(std::string_view qualified_name) const {
  const auto found = types_by_name_.find(qualified_name);
  return found == types_by_name_.end() ? std::nullopt : std::optional(ValueType{.native = found->second});
}

std::vector<std::string> FixtureValues::variable_names() const {
  std::vector<std::string> names;
  for (const auto &[name, variable] : variables_)
    names.push_back(name);
  return names;
}

std::map<std::string, TypeHandle> FixtureValues::variable_types(std::string_view prefix) const {
  std::map<std::string, TypeHandle> types;
  for (const auto &[name, variable] : variables_)
    if (name.starts_with(prefix))
      types.emplace(name, variable.type);
  for (const auto &[name, type] : locals_)
    if (name.starts_with(prefix))
      types.emplace(name, type);
  return types;
}

} // namespace inspect::test
