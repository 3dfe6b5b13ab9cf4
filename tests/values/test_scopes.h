// What names mean in tests of expressions: a table of values, with the types that the languages have by themselves.
#pragma once

#include "golang/signatures/type_conversion.h"
#include "tests/dwarf/memory_of_self.h"
#include "values/name_scope.h"

#include <map>
#include <string>
#include <type_traits>

namespace inspect::test {

/// C's, Rust's and Go's names of numbers.
std::optional<TypeHandle> number_type(std::string_view name, TypeReader &types);

class TableScope : public NameScope {
public:
  TableScope(SourceLanguage language, ValueEnvironment &environment) : language_(language), environment_(environment) {}

  void add(const std::string &name, Value value) { values_[name] = std::move(value); }
  Result<Value> find(std::string_view name) override;
  Result<ValueType> find_type(std::string_view name) override;
  /// "rax" alone, which holds 0x1122334455667788.
  Result<Value> find_register(std::string_view name) override;
  SourceLanguage language() const override { return language_; }
  ValueEnvironment &environment() override { return environment_; }
  std::vector<std::string> names_like(std::string_view, std::size_t) override { return {}; }

private:
  SourceLanguage language_;
  ValueEnvironment &environment_;
  std::map<std::string, Value, std::less<>> values_;
};

/// Everything that an environment refers to, with this process' own memory: the test's variables are the target's.
class OwnEnvironment {
public:
  OwnEnvironment() {
    environment.go.emplace();
    environment.go->pool = &pool_;
    environment.go->converter = &converter_;
  }

  /// A variable of the test, which must outlive its use.
  template <typename T> Value value(const T &variable, std::string_view type_name, SourceLanguage language) {
    const RunAddress address{reinterpret_cast<std::uint64_t>(&variable)};
    return {.type = {.native = *number_type(type_name, types_)},
            .language = language,
            .source = ValueSource::in_memory(memory_, address, sizeof(T))};
  }
  template <typename T> Value go_value(const T &variable, std::string_view type_name) {
    const RunAddress address{reinterpret_cast<std::uint64_t>(&variable)};
    return {.type = {.native = {}, .go = pool_.predeclared(type_name)},
            .language = SourceLanguage::go,
            .source = ValueSource::in_memory(memory_, address, sizeof(T))};
  }

private:
  OwnMemory memory_;
  ModuleMap modules_;
  TypeReader types_;
  GoTypePool pool_;
  GoTypeConverter converter_{types_, pool_};

public:
  ValueEnvironment environment{.memory = memory_, .modules = modules_, .types = types_};
};

} // namespace inspect::test
