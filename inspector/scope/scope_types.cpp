// FrameScope's types and what it makes of names without a variable's DIE: functions, symbols.
#include "dwarf/die/function_entry.h"
#include "dwarf/die/unit_of_die.h"
#include "dwarf/types/type_name.h"
#include "inspector/scope/frame_scope.h"
#include "inspector/scope/source_language.h"
#include "inspector/scope/symbol_search.h"
#include "machine/near_misses.h"
#include "values/go/go_type_names.h"
#include "values/native/predeclared_types.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_type_candidates = 2'000;

std::string_view without_keyword(std::string_view name) {
  for (const std::string_view keyword : {"struct ", "class ", "union ", "enum ", "typename "})
    if (name.starts_with(keyword))
      return name.substr(keyword.size());
  return name;
}

} // namespace

/// A function is a value at its entry: its type is its own DIE, which reads as a subroutine.
Value FrameScope::function_value(const NamedDie &named) {
  const SourceLanguage language = source_language(unit_language(named.die));
  if (language == SourceLanguage::go && environment_.go)
    return input_.program.go_function(named, input_.memory);
  const ValueType type{.native = {.die = named.die, .made = nullptr}, .go = nullptr};
  const auto entry = function_entry(named.die);
  if (!entry || named.module == nullptr) {
    if (const auto symbol = find_symbol_value(named.name))
      return {.type = type, .language = language, .source = symbol->source};
    return missing_value(type, language, "the compiler left no instance of this function");
  }
  return {.type = type,
          .language = language,
          .source = ValueSource::in_memory(input_.memory, named.module->bias().to_run(*entry), 0)};
}

/// What only the symbol table names has no type: its address can be taken, and a cast says what it is.
std::optional<Value> FrameScope::find_symbol_value(std::string_view name) {
  static const Cancellation never;
  const auto symbol =
      find_symbol(input_.program.target(), name, input_.cancellation != nullptr ? *input_.cancellation : never);
  // What the compiler keeps for a class ("vtable for A", "typeinfo name for A") is not called as the class.
  const bool is_about = symbol && symbol->name != name && symbol->name.contains(" for ");
  if (!symbol || is_about || (is_constructor(symbol->name) && !is_constructor(name)))
    return std::nullopt;
  return Value{.type = {},
               .language = language_,
               .source =
                   ValueSource::in_memory(input_.memory, symbol->address, symbol->is_function ? 0 : symbol->size)};
}

std::optional<Result<ValueType>> FrameScope::find_declared_type(std::string_view name) {
  const std::string known = without_alias(name);
  if (known != name)
    if (auto found = environment_.find_type(known, language_))
      return *found;
  if (const auto declared = declared_in_block(name))
    if (auto found = environment_.find_type(declared->first, language_))
      return *found;
  for (const std::string &scope : scopes_)
    if (auto found = environment_.find_type(scope + std::string(name), language_))
      return *found;
  const std::vector<NamedDie> found = named(name, NameKind::type);
  if (found.empty())
    return std::nullopt;
  std::vector<std::string> names;
  for (const NamedDie &one : found) {
    if (function_ && in_same_unit(one.die, function_->function))
      return typed({.die = one.die, .made = nullptr});
    names.push_back(one.name);
  }
  // The same header gives each unit its own copy.
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  if (names.size() > 1)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("'{}' is ambiguous: {}", name, fmt::join(names, ", ")),
                                 "the whole qualified name"));
  return typed({.die = found.front().die, .made = nullptr});
}

Result<ValueType> FrameScope::find_type(std::string_view name) {
  const bool in_go = language_ == SourceLanguage::go && environment_.go.has_value();
  if (in_go)
    if (auto type = parse_go_type(name, environment_); type || type.error().kind() != ErrorKind::not_found)
      return type;
  name = without_keyword(name);
  if (!in_go)
    if (const auto type = predeclared_type(name, language_, environment_.types))
      return ValueType{.native = *type, .go = nullptr};
  if (auto found = find_declared_type(name.starts_with("::") ? name.substr(2) : name))
    return *std::move(found);
  if (const auto type = foreign_type(name, environment_.types))
    return ValueType{.native = *type, .go = nullptr};
  if (!in_go && environment_.go)
    if (auto type = parse_go_type(name, environment_))
      return type;
  const std::string_view beginning = name.substr(0, std::min<std::size_t>(name.size(), 3));
  const auto candidates =
      input_.program.names().names_like(beginning, NameKind::type, max_type_candidates, input_.cancellation);
  return std::unexpected(Error(ErrorKind::not_found,
                               fmt::format("there is no type '{}'{}", name, did_you_mean(name, candidates)),
                               "types lists those that the debug information has"));
}

} // namespace inspect
