#include "tests/values/go/go_values.h"

#include "dwarf/die/die.h"
#include "values/go/go_operations.h"
#include "values/go/go_type_names.h"

#include <charconv>
#include <dwarf.h>
#include <fmt/format.h>
#include <stdexcept>

namespace inspect::test {
namespace {

bool is_type(int tag) {
  return tag == DW_TAG_typedef || tag == DW_TAG_structure_type || tag == DW_TAG_base_type ||
         tag == DW_TAG_pointer_type || tag == DW_TAG_array_type || tag == DW_TAG_subroutine_type;
}

Value number_value(const Number &number, ValueEnvironment &environment) {
  const ValueType type = go_operations().type_of_number(number, environment);
  const auto bytes = go_operations().encode(number, type, environment);
  auto image = std::make_shared<ValueImage>(bytes->size());
  image->bytes = *bytes;
  image->known.assign(bytes->size(), ValueImage::whole_byte);
  Value value;
  value.type = type;
  value.language = SourceLanguage::go;
  value.source = ValueSource::of_image(std::move(image));
  return value;
}

/// "5", "-1", "1.5", "\"text\"", or "@" and steps from the root.
Result<Value> key_value(std::string_view text, const Value &root, ValueEnvironment &environment) {
  if (text.starts_with('"'))
    return go_text_literal(text.substr(1, text.size() - 2), environment);
  if (text.starts_with('@')) {
    std::string steps(text.substr(1));
    if (const std::size_t bracket = steps.find('['); bracket != std::string::npos)
      steps.insert(bracket, " ");
    return take_steps(root, steps, environment);
  }
  Number number;
  if (text.find('.') != std::string_view::npos) {
    number.kind = Number::Kind::floating;
    number.real = std::stold(std::string(text));
  } else {
    number.integer = std::stoll(std::string(text));
  }
  return number_value(number, environment);
}

Result<Value> bracket_step(const Value &value, std::string_view inside, const Value &root,
                           ValueEnvironment &environment) {
  const ValueOperations &operations = operations_of(value);
  const std::size_t colon = inside.starts_with('"') ? std::string_view::npos : inside.find(':');
  if (colon == std::string_view::npos) {
    const auto key = key_value(inside, root, environment);
    return key ? operations.element(value, *key, environment) : key;
  }
  const auto bound = [](std::string_view text) { return std::stoull(std::string(text)); };
  const std::string_view end = inside.substr(colon + 1);
  return operations.slice(value, bound(inside.substr(0, colon)),
                          end.empty() ? std::nullopt : std::optional<std::uint64_t>(bound(end)), environment);
}

Result<Value> count_value(Result<std::uint64_t> count, ValueEnvironment &environment) {
  if (!count)
    return std::unexpected(count.error());
  Number number;
  number.integer = *count;
  return number_value(number, environment);
}

Result<Value> one_step(const Value &value, std::string_view step, const Value &root, ValueEnvironment &environment) {
  const ValueOperations &operations = operations_of(value);
  if (step == "*")
    return operations.dereference(value, environment);
  if (step == "&")
    return operations.address_of(value, environment);
  if (step == "len")
    return count_value(operations.length(value, environment), environment);
  if (step == "cap")
    return count_value(operations.capacity(value, environment), environment);
  if (step == "data")
    return go_dynamic_value(value, environment);
  if (step.starts_with('['))
    return bracket_step(value, step.substr(1, step.size() - 2), root, environment);
  if (step.starts_with(".(") || step.starts_with("as(")) {
    const std::size_t begin = step.find('(') + 1;
    const auto type = parse_go_type(step.substr(begin, step.size() - begin - 1), environment);
    if (!type)
      return std::unexpected(type.error());
    return step.starts_with('.') ? operations.assert_type(value, *type, environment)
                                 : operations.cast(value, *type, environment);
  }
  return operations.member(value, step.substr(step.starts_with('.') ? 1 : 0), environment);
}

} // namespace

GoValues::GoValues(const std::vector<std::string> &command) : process_(command) {}

void GoValues::open() {
  process_.open();
  types_ = std::make_unique<GoRuntimeTypes>(process_.images(), process_.image().version, process_.memory());
  index_types();
  environment_.emplace(with_memory(process_.memory()));
}

ValueEnvironment GoValues::with_memory(const MemoryView &memory) const {
  auto *self = const_cast<GoValues *>(this);
  ValueEnvironment environment{.memory = memory, .modules = self->process_.modules(), .types = self->reader_};
  GoValueEnvironment go;
  go.version = process_.image().version;
  go.pool = &self->pool_;
  go.converter = &self->converter_;
  go.types = types_.get();
  go.images = &process_.images();
  go.classify = [this](RunAddress address) {
    const auto function = process_.image().table->find(address);
    return function ? fmt::format("func {}", function->name) : std::string();
  };
  environment.go = std::move(go);
  environment.find_type = [this](std::string_view name, SourceLanguage) -> std::optional<ValueType> {
    const auto found = dies_.find(name);
    if (found == dies_.end())
      return std::nullopt;
    return ValueType{.native = {.die = found->second}};
  };
  return environment;
}

void GoValues::index_types() {
  Dwarf *dwarf = process_.image().module->dwarf();
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root;
  while (dwarf && dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &root, nullptr) == 0)
    each_child(root, [&](Dwarf_Die &die, std::uint64_t) {
      if (const char *name = is_type(dwarf_tag(&die)) ? string_attribute(die, DW_AT_name) : nullptr)
        dies_.try_emplace(name, die);
      return true;
    });
}

Result<Value> take_steps(const Value &root, std::string_view steps, ValueEnvironment &environment) {
  Result<Value> value = root;
  while (!steps.empty() && value) {
    const std::size_t end = std::min(steps.find(' '), steps.size());
    value = one_step(*value, steps.substr(0, end), root, environment);
    steps.remove_prefix(std::min(end + 1, steps.size()));
  }
  return value;
}

} // namespace inspect::test
