// What names mean in one frame of a live process: its locals and arguments, members of `this`, what its lambda has
// captured, then the statics of its unit and its namespaces, then all of the program, at last symbols without debug
// information. Expressions are evaluated in it (values/name_scope.h).
//
//     FrameScope scope({program, memory, &contexts.at(frame.physical), inlined, &cancellation, {}});
//     auto value = evaluate("request->path", scope);
#pragma once

#include "dwarf/location/frame_context.h"
#include "dwarf/variables/frame_variables.h"
#include "dwarf/variables/go_dictionary.h"
#include "dwarf/variables/imported_names.h"
#include "inspector/scope/go_variable_reading.h"
#include "inspector/scope/program_values.h"
#include "values/name_scope.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inspect {

class FrameScope final : public NameScope {
public:
  struct Input {
    ProgramValues &program;
    const MemoryView &memory;            ///< the copied stacks first, then files, then the live process
    const FrameContext *frame = nullptr; ///< null: no frame, and only what the program has for all
    std::size_t inlined = 0;             ///< which of the functions at its pc: 0 is the innermost inlined one
    const Cancellation *cancellation = nullptr;
    /// The g of the goroutine that the frame is of, dlv's runtime.curg; 0: none, or not known.
    RunAddress goroutine = {};
    /// Called before names of the whole program are looked up, which may have to wait for their index. May be empty.
    std::function<void()> before_names = {};
  };
  /// What the input refers to must outlive the object, as it must the values.
  explicit FrameScope(const Input &input);

  Result<Value> find(std::string_view name) override;
  std::optional<Value> find_in_frame(std::string_view name) override;
  Result<ValueType> find_type(std::string_view name) override;
  Result<Value> find_register(std::string_view name) override;
  SourceLanguage language() const override { return language_; }
  ValueEnvironment &environment() override { return environment_; }
  std::vector<std::string> names_like(std::string_view prefix, std::size_t limit) override;

  /// The function of the frame, with its arguments and locals; null where there is no debug information for it.
  const FunctionScope *function() const { return function_ ? &*function_ : nullptr; }
  /// Of a generic Go function's, as the type that it has in this call.
  Value value_of(const ScopeVariable &variable);
  /// What the caller passed, where it is still known; not of Go, whose callers are not described.
  std::optional<Value> passed_value_of(const ScopeVariable &parameter);
  /// Whether anything that was found since the start belongs to the frame: gone when the frame is.
  bool used_frame() const { return used_frame_; }

private:
  std::optional<Result<Value>> find_member(std::string_view name);
  std::optional<Result<Value>> find_captured(const Value &closure, std::string_view name);
  std::optional<Result<Value>> find_global(std::string_view name);
  std::vector<NamedDie> exactly(const std::string &name, NameKind kind);
  /// "ns::Class::Class": who writes the class' name means the class.
  static bool is_constructor(std::string_view name);
  bool is_librarys_own(const NamedDie &one) const;
  bool has_local_within(std::string_view name, unsigned depth) const;
  const std::vector<ImportedName> &imports();
  std::optional<std::pair<std::string, unsigned>> declared_in_block(std::string_view name);
  std::string without_alias(std::string_view name);
  std::vector<std::string> imported_targets(std::string_view scope, std::string_view name);
  std::optional<Result<Value>> find_in_unit(std::string_view name);
  std::optional<Result<Value>> choose(std::vector<NamedDie> found, std::string_view name);
  std::optional<Value> find_symbol_value(std::string_view name);
  void hide_undeclared(const std::vector<SourceFrame> &frames);
  /// As DWARF types it, which in a generic function is by the shape of its arguments.
  Value value_as_described(const ScopeVariable &variable);
  Value with_go_type_of_call(Value value, const ScopeVariable &variable);
  const GoType *go_type_of_call(const GoDictionaryType &type);
  Value value_of(const NamedDie &named);
  Value function_value(const NamedDie &named);
  std::vector<NamedDie> named(std::string_view name, NameKind kind);
  std::optional<Result<ValueType>> find_declared_type(std::string_view name);
  ValueType typed(const TypeHandle &handle) const;
  Error unknown(std::string_view name);
  const Module *executable() const; ///< null: not among the modules
  bool is_go_image(const Module *module) const;
  const FrameContext &context() const { return input_.frame != nullptr ? *input_.frame : no_frame_; }

  Input input_;
  ValueEnvironment environment_;
  FrameContext no_frame_; ///< of threads without frames
  std::optional<FunctionScope> function_;
  SourceLanguage language_ = SourceLanguage::unknown;
  std::optional<GoParameters> go_parameters_; ///< made when a Go variable is first asked for
  std::vector<std::string> scopes_; ///< around the function, innermost first, with the separator: "ns::Class::", "ns::"
  bool used_frame_ = false;
  std::optional<std::vector<ImportedName>> imports_; ///< once they were asked for
  /// Of a generic Go function, once it was looked for: where the words lie that describe its types in this call.
  std::optional<std::optional<RunAddress>> go_dictionary_;
};

} // namespace inspect
