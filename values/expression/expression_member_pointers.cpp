// C++'s pointers to members: &Class::member, object.*pointer, pointer->*pointer.
//
// Source: Itanium C++ ABI, section 2.3: of data the offset in the class, of functions their address, or 1 plus the
// place in the virtual table in bytes; then what is added to `this`.
#include "values/expression/expression_evaluation.h"
#include "values/native/native_layout.h"
#include "values/native/native_members.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {

using Operand = EvaluationOperand;

namespace {

Value words_value(std::initializer_list<std::uint64_t> words, const TypeHandle &type) {
  std::vector<std::byte> bytes;
  for (const std::uint64_t word : words)
    std::ranges::copy(low_bytes(word, 8), std::back_inserter(bytes));
  return computed_value(std::move(bytes), type, SourceLanguage::cpp);
}

constexpr int max_depth = 32;

struct MethodPlace {
  DwarfMethod method;
  TypeHandle owner; ///< the class or the base that declares it
};

std::optional<MethodPlace> method_named(const TypeHandle &type, std::string_view name, TypeReader &types, int depth) {
  const DwarfType &known = types.underlying(type);
  const auto found = std::ranges::find_if(
      known.methods, [&](const DwarfMethod &method) { return method.name == name && !method.is_artificial; });
  if (found != known.methods.end())
    return MethodPlace{*found, without_aliases(type, types)};
  for (const DwarfMember &member : known.members)
    if (member.is_base && depth < max_depth)
      if (auto inherited = method_named(member.type, name, types, depth + 1))
        return inherited;
  return std::nullopt;
}

} // namespace

std::optional<Result<Value>> ExpressionEvaluation::member_pointer(std::string_view name) {
  const std::size_t colons = name.rfind("::");
  if (colons == std::string_view::npos || colons == 0)
    return std::nullopt;
  const auto type = scope_.find_type(name.substr(0, colons));
  if (!type || type->go != nullptr || !is_structure(environment_.types.underlying(type->native)))
    return std::nullopt;
  TypeReader &types = environment_.types;
  const std::string_view member = name.substr(colons + 2);
  if (const auto place = member_place(type->native, member, environment_))
    return words_value({place->member.offset}, types.member_pointer_to(place->member.type, place->owner));
  const auto found = method_named(type->native, member, types, 0);
  if (!found || !types.read(found->method.type).is_method)
    return std::nullopt;
  const TypeHandle pointer = types.member_pointer_to(found->method.type, found->owner);
  if (found->method.is_virtual && found->method.virtual_slot)
    return words_value({1 + 8 * *found->method.virtual_slot, 0}, pointer);
  const auto function = scope_.find(types.qualified_name(found->owner) + "::" + found->method.name);
  const auto address = function && function->source ? function->source->address() : std::nullopt;
  if (!address)
    return std::nullopt;
  return words_value({address->value, 0}, pointer);
}

Result<Operand> ExpressionEvaluation::through_member_pointer(const ExpressionNode &node) {
  auto object = evaluate_value(node.operands[0]);
  if (!object)
    return std::unexpected(object.error());
  if (node.text == "->*") {
    object = operations_of(*object).dereference(*object, environment_);
    if (!object)
      return std::unexpected(object.error());
  }
  const auto evaluated = evaluate_value(node.operands[1]);
  if (!evaluated)
    return std::unexpected(evaluated.error());
  if (object->type.go != nullptr || evaluated->type.go != nullptr)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("Go has no {}", node.text)));
  const Value whole = completed(without_references(*object, environment_), environment_);
  const Value pointer = without_references(*evaluated, environment_);
  const DwarfType &type = environment_.types.underlying(pointer.type.native);
  if (type.kind != DwarfTypeKind::member_pointer)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("behind {} stands a pointer to a member", node.text)));
  if (!pointer.source)
    return std::unexpected(missing_error(pointer));
  const auto base = find_base(whole, environment_.types.underlying(type.container), environment_);
  if (!base || !*base)
    return std::unexpected(base ? Error(ErrorKind::usage, "the pointer is to a member of another class")
                                : base.error());
  const auto word = pointer.source->unsigned_at(0, 8);
  if (!word)
    return std::unexpected(unreadable_error(pointer, environment_));
  if (environment_.types.underlying(type.target).kind != DwarfTypeKind::subroutine) {
    if (*word == UINT64_MAX)
      return std::unexpected(Error(ErrorKind::unreadable, "the pointer is null"));
    return of_value(part_of(**base, *word, type.target, environment_));
  }
  RunAddress code{*word};
  if (*word == 0)
    return std::unexpected(Error(ErrorKind::unreadable, "the pointer is null"));
  if ((*word & 1) != 0) {
    const auto adjustment = pointer.source->unsigned_at(8, 8);
    const auto place = (*base)->source ? (*base)->source->address() : std::nullopt;
    if (!adjustment || !place)
      return std::unexpected(Error(ErrorKind::usage, "the object is not in memory, so has no virtual table"));
    const auto table = read_word(environment_.memory, *place + *adjustment);
    const auto entry = table ? read_word(environment_.memory, RunAddress{*table} + (*word - 1)) : table;
    if (!entry)
      return std::unexpected(entry.error());
    code = RunAddress{*entry};
  }
  return of_value(Value{.type = {.native = type.target},
                        .language = whole.language,
                        .source = ValueSource::in_memory(environment_.memory, code, 0)});
}

} // namespace inspect
