// The global variables of a running fixture as Values, with the environment to look into them: found by a walk over the
// program's DIEs, so that tests of values/ need neither frames nor a name index.
//
//     FixtureValues fixture({fixture_path("values_c")}, SourceLanguage::c);
//     fixture.child().wait_for_line("ready");
//     fixture.open();
//     value_text(fixture.variable("numbers"), fixture.environment(), {})
//
// Only the executable and the libraries it has loaded by open() are known. Statics of functions, templates' and class
// members are variables as well: by their qualified names.
#pragma once

#include "dwarf/module/module_map.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/support/child_process.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

class FixtureValues {
public:
  FixtureValues(const std::vector<std::string> &command, SourceLanguage language);
  ~FixtureValues();
  FixtureValues(const FixtureValues &) = delete;
  FixtureValues &operator=(const FixtureValues &) = delete;

  ChildProcess &child() { return child_; }
  /// Opens its modules. Throws std::runtime_error where the executable has no DWARF.
  void open();
  /// Throws std::runtime_error where no variable with an address is called so ("count", "ns::count").
  Value variable(std::string_view qualified_name);
  /// A local variable at an address that the program itself tells; its type is that of any variable of this name in the
  /// namespace: "values_rust::count".
  Value local(std::string_view name, RunAddress address);
  bool has_local(std::string_view name) const;
  bool has_variable(std::string_view qualified_name) const;
  /// A type's definition by its qualified name; nothing where there is none.
  std::optional<ValueType> type(std::string_view qualified_name) const;
  ValueEnvironment &environment() { return *environment_; }
  const MemoryView &memory() const { return memory_; }
  std::vector<std::string> variable_names() const;
  /// Of all variables and locals whose qualified name begins so.
  std::map<std::string, TypeHandle> variable_types(std::string_view prefix) const;

private:
  struct Variable {
    TypeHandle type;
    RunAddress address;
  };
  class Memory final : public MemoryView {
  public:
    explicit Memory(pid_t process) : process_(process) {}
    Result<void> read(RunAddress address, std::span<std::byte> into) const override;

  private:
    pid_t process_;
  };
  void add_modules();
  void add_names(Module &module);
  void add_name(Dwarf_Die &die, const std::string &scope, Module &module, int depth);

  SourceLanguage language_;
  ChildProcess child_;
  Memory memory_;
  LocalFiles files_;
  ModuleMap modules_;
  TypeReader types_;
  std::unique_ptr<ValueEnvironment> environment_;
  std::map<std::string, Variable, std::less<>> variables_;
  std::map<std::string, TypeHandle, std::less<>> locals_;
  std::map<std::string, TypeHandle, std::less<>> types_by_name_;
};

} // namespace inspect::test
