// FrameScope's variables of generic Go functions: DWARF has them as the shape that the function's code is for, in which
// every pointer is a *uint8; the dictionary of the call says what they are.
//
// Source: cmd/compile/internal/noder/reader.go (the dictionary begins with the words that lead to the types).
#include "inspector/scope/frame_scope.h"

#include <algorithm>

namespace inspect {
namespace {

/// Whether the shape stands for pointers to anything.
bool hides_pointers(const TypeHandle &shape, TypeReader &types) {
  return types.read(shape).name.contains("go.shape.*");
}

bool is_same_die(const TypeHandle &one, const TypeHandle &other) {
  return one.die && other.die && one.die->addr == other.die->addr;
}

} // namespace

const GoType *FrameScope::go_type_of_call(const GoDictionaryType &type) {
  if (!go_dictionary_) {
    go_dictionary_.emplace();
    const auto variable = std::ranges::find(function_->variables, go_dictionary_name, &ScopeVariable::name);
    if (variable != function_->variables.end()) {
      const Value value = value_as_described(*variable);
      const auto word = value.source && !value.at_entry ? value.source->unsigned_at(0, 8) : std::nullopt;
      if (word && *word != 0)
        go_dictionary_ = RunAddress{*word};
    }
  }
  if (!*go_dictionary_ || environment_.go->types == nullptr)
    return nullptr;
  const auto word = read_word(environment_.memory, **go_dictionary_ + 8 * type.index);
  return word && *word != 0 ? environment_.go->types->at(RunAddress{*word}) : nullptr;
}

Value FrameScope::with_go_type_of_call(Value value, const ScopeVariable &variable) {
  if (value.type.go == nullptr || !function_)
    return value;
  const auto own = go_dictionary_type(variable.type);
  std::optional<GoDictionaryType> in_dictionary = own;
  bool of_element = false; // the entry is of the variable's type, which the location's pointer leads to
  if (!own && variable.escaped) {
    const TypeHandle pointee = environment_.types.underlying(variable.type).target;
    for (const GoDictionaryType &one : go_dictionary_types(function_->function)) {
      of_element = is_same_die(one.shape, pointee);
      if (of_element || is_same_die(one.shape, variable.type))
        in_dictionary = one;
      if (of_element)
        break;
    }
  }
  const TypeHandle shape = own ? own->shape : variable.type;
  const GoType *type = in_dictionary ? go_type_of_call(*in_dictionary) : nullptr;
  if (type != nullptr && variable.escaped && !of_element)
    type = type->element;
  if (type != nullptr && type->kind == value.type.go->kind && type->size == value.type.go->size) {
    value.type.go = type;
    return value;
  }
  if (!hides_pointers(shape, environment_.types))
    return value;
  value.type.go = &environment_.go->pool->add(GoKind::unknown, "?");
  return value.source ? missing_value(value.type, value.language,
                                      "its type is a parameter of the function, and what it is in this call is not "
                                      "known")
                      : value;
}

} // namespace inspect
