#include "inspector/scope/program_values.h"

#include "dwarf/die/function_entry.h"
#include "dwarf/names/static_address.h"
#include "dwarf/variables/function_signature.h"
#include "dwarf/variables/go_dictionary.h"
#include "dwarf/variables/rust_tables.h"

#include <algorithm>

namespace inspect {

ProgramValues::ProgramValues(Target &target)
    : target_(target), generation_(target.generation()), names_(target.modules()) {
  const auto runtime = target.go_runtime();
  if (!runtime)
    return; // no Go; or none that can be used, and then its types are not known either
  go_.emplace(types_);
  go_->version = (*runtime)->version();
  go_->images = &(*runtime)->images();
  go_->types.emplace(*go_->images, go_->version, target.memory());
}

ProgramValues::~ProgramValues() = default;

ValueEnvironment ProgramValues::environment(const MemoryView &memory, const Cancellation *cancellation) {
  ValueEnvironment environment{.memory = memory, .modules = target_.modules(), .types = types_};
  environment.cancellation = cancellation;
  environment.find_type = [this, cancellation](std::string_view name, SourceLanguage language) {
    return find_type(name, language, cancellation);
  };
  environment.find_rust_table = [this, cancellation](RunAddress table) { return find_rust_table(table, cancellation); };
  if (go_)
    environment.go = GoValueEnvironment{.version = go_->version,
                                        .pool = &go_->pool,
                                        .converter = &go_->converter,
                                        .types = &*go_->types,
                                        .images = go_->images,
                                        .classify = [this](RunAddress address) { return classify(address); },
                                        .find_function =
                                            [this, cancellation](std::string_view name, const MemoryView &from) {
                                              return find_go_function(name, from, cancellation);
                                            }};
  return environment;
}

/// The first that defines it: of several modules with a type of one name any will do, and the executable's comes first.
std::optional<ValueType> ProgramValues::find_type(std::string_view name, SourceLanguage language,
                                                  const Cancellation *cancellation) {
  std::string key(name);
  key += static_cast<char>(language);
  if (const auto known = found_types_.find(key); known != found_types_.end())
    return known->second;
  std::optional<ValueType> type;
  for (const NamedDie &found : names_.find(name, NameKind::type, cancellation)) {
    const TypeHandle handle{.die = found.die};
    if (types_.read(handle).is_declaration)
      continue;
    type = ValueType{.native = handle, .go = nullptr};
    if (language == SourceLanguage::go && go_)
      type->go = go_->converter.convert(handle);
    break;
  }
  if (cancellation == nullptr || !cancellation->requested())
    found_types_.emplace(std::move(key), type);
  return type;
}

Value ProgramValues::go_function(const NamedDie &named, const MemoryView &memory) {
  const FunctionSignature signature = function_signature(named.die);
  std::vector<std::string> parameters, results;
  for (const FunctionParameter &parameter : signature.parameters)
    if (parameter.name != go_dictionary_name)
      (parameter.is_result ? results : parameters).push_back(go_->converter.convert(parameter.type)->name);
  GoType &type = go_->pool.add(GoKind::function, "func" + signature_text(parameters, results));
  Value value = missing_value({.native = {}, .go = &type}, SourceLanguage::go, {});
  value.function_name = named.name;
  const auto entry = function_entry(named.die);
  if (entry && named.module != nullptr)
    value.source = ValueSource::in_memory(memory, named.module->bias().to_run(*entry), 0);
  else
    value.missing = "the compiler left no instance of this function";
  return value;
}

std::optional<Value> ProgramValues::find_go_function(std::string_view name, const MemoryView &memory,
                                                     const Cancellation *cancellation) {
  for (const NamedDie &found : names_.find(name, NameKind::function, cancellation))
    if (found.name == name || found.name.ends_with("/" + std::string(name)))
      return go_function(found, memory);
  return std::nullopt;
}

/// rustc describes each table by a variable "<T as Trait>::{vtable}", whose type contains T.
std::optional<TypeHandle> ProgramValues::find_rust_table(RunAddress address, const Cancellation *cancellation) {
  constexpr std::size_t max_tables = 200'000;
  if (!rust_tables_) {
    std::unordered_map<std::uint64_t, TypeHandle> tables;
    for (const std::string &name : names_.names_like("{vtable}", NameKind::variable, max_tables, cancellation))
      for (const NamedDie &table : names_.find(name, NameKind::variable, cancellation))
        if (const auto described = rust_table_type(table.die); described && table.module != nullptr)
          if (const auto place = static_address(table.die))
            tables.try_emplace(table.module->bias().to_run(LinkAddress{*place}).value, *described);
    if (cancellation != nullptr && cancellation->requested())
      return std::nullopt;
    rust_tables_ = std::move(tables);
  }
  const auto found = rust_tables_->find(address.value);
  return found == rust_tables_->end() ? std::nullopt : std::optional(found->second);
}

std::string ProgramValues::classify(RunAddress address) {
  if (!go_->classes) {
    std::vector<MappedMemory> mapped;
    for (const Mapping &mapping : target_.maps())
      mapped.push_back({mapping.range, mapping.readable, mapping.writable, mapping.path});
    go_->classes.emplace(*go_->images, target_.modules(), std::move(mapped), std::vector<GoroutineStackRange>());
  }
  return go_->classes->phrase(address);
}

} // namespace inspect
