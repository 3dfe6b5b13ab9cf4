#include "inspector/scope/frame_scope.h"

#include "dwarf/die/die.h"
#include "dwarf/die/unit_of_die.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/types/type_name.h"
#include "inspector/scope/frame_registers.h"
#include "inspector/scope/source_language.h"
#include "inspector/scope/symbol_search.h"
#include "inspector/scope/variable_reading.h"
#include "machine/near_misses.h"
#include "values/go/go_variables.h"
#include "values/value_operations.h"

#include <algorithm>
#include <fmt/format.h>
#include <ranges>

namespace inspect {
namespace {

constexpr std::size_t max_listed = 8;         // of several that are meant equally
constexpr std::size_t max_candidates = 2'000; // for near misses
/// Go's names of the program itself, where the frame is in another package.
constexpr std::string_view main_package = "main.";

/// "ns::Class::", "ns::" of "ns::Class::method"; "main." of "main.(*Server).serve". Brackets of templates and of Go's
/// receivers belong to the part that they stand in.
std::vector<std::string> enclosing_scopes(std::string_view function, SourceLanguage language) {
  std::vector<std::string> scopes;
  if (language == SourceLanguage::go) {
    const std::size_t slash = function.rfind('/');
    const std::size_t dot = function.find('.', slash == std::string_view::npos ? 0 : slash);
    if (dot != std::string_view::npos)
      scopes.emplace_back(function.substr(0, dot + 1));
    return scopes;
  }
  int depth = 0;
  for (std::size_t at = function.size(); at-- > 1;) {
    const char character = function[at];
    if (character == '>' || character == ')' || character == '}')
      ++depth;
    else if (character == '<' || character == '(' || character == '{')
      --depth;
    else if (depth == 0 && character == ':' && function[at - 1] == ':')
      scopes.emplace_back(function.substr(0, at + 1));
  }
  return scopes;
}

/// Names as people type them: "Table" for "main.Table", too.
void add_last_parts(std::vector<std::string> &names) {
  const std::size_t count = names.size();
  for (std::size_t i = 0; i < count; ++i)
    if (const std::size_t end = names[i].find_last_of(".:"); end != std::string::npos)
      names.push_back(names[i].substr(end + 1));
}

} // namespace

FrameScope::FrameScope(const Input &input)
    : input_(input), environment_(input.program.environment(input.memory, input.cancellation)) {
  no_frame_.memory = &input_.memory;
  no_frame_.modules = &input_.program.target().modules();
  const Module *place = input_.frame != nullptr ? input_.frame->module : executable();
  if (is_go_image(place))
    language_ = SourceLanguage::go; // be it stripped
  if (input_.frame == nullptr || input_.frame->module == nullptr)
    return;
  Module &module = *input_.frame->module;
  auto functions = function_scopes(lines_of(module), module.bias().to_link(input_.frame->lookup));
  if (functions.empty())
    return;
  function_ = std::move(functions[std::min(input_.inlined, functions.size() - 1)]);
  if (const SourceLanguage known = source_language(function_->language); known != SourceLanguage::unknown)
    language_ = known;
  if (language_ == SourceLanguage::go)
    hide_undeclared(lines_of(module).at(module.bias().to_link(input_.frame->lookup)));
  scopes_ = enclosing_scopes(qualified_name(function_->function), language_);
  if (language_ == SourceLanguage::go && std::ranges::find(scopes_, main_package) == scopes_.end())
    scopes_.emplace_back(main_package);
}

/// What Go's variables hold before their declaration has run is nobody's value. As dlv's reader.Variables has it
/// (pkg/dwarf/reader/variables.go): a local is there behind the line that declares it.
void FrameScope::hide_undeclared(const std::vector<SourceFrame> &frames) {
  if (input_.inlined >= frames.size() || frames[input_.inlined].line == 0)
    return;
  const int line = static_cast<int>(frames[input_.inlined].line);
  std::erase_if(function_->variables, [line](const ScopeVariable &variable) {
    const bool is_local = !variable.is_parameter && !variable.is_result;
    return variable.line != 0 && (is_local ? variable.line >= line : variable.line > line);
  });
  for (ScopeVariable &variable : function_->variables)
    variable.shadowed = std::ranges::any_of(function_->variables, [&](const ScopeVariable &other) {
      return other.depth > variable.depth && other.name == variable.name;
    });
}

Value FrameScope::value_of(const ScopeVariable &variable) {
  used_frame_ = used_frame_ || !variable.is_static;
  return with_go_type_of_call(value_as_described(variable), variable);
}

std::optional<Value> FrameScope::passed_value_of(const ScopeVariable &parameter) {
  if (language_ == SourceLanguage::go || !parameter.is_parameter || parameter.is_result)
    return std::nullopt;
  return passed_value(parameter, language_, context(), environment_);
}

Value FrameScope::value_as_described(const ScopeVariable &variable) {
  if (language_ != SourceLanguage::go || !environment_.go || !function_)
    return variable_value(variable, language_, context(), environment_);
  if (!go_parameters_)
    go_parameters_.emplace(*function_, context(), environment_);
  return go_variable_value(variable, *go_parameters_, context(), environment_);
}

std::optional<Value> FrameScope::find_in_frame(std::string_view name) {
  if (!function_)
    return std::nullopt;
  // The innermost block's come last, and hide those of the blocks around them.
  for (const ScopeVariable &variable : function_->variables | std::views::reverse)
    if (variable.name == name)
      return value_of(variable);
  return std::nullopt;
}

bool FrameScope::has_local_within(std::string_view name, unsigned depth) const {
  return function_ && std::ranges::any_of(function_->variables, [&](const ScopeVariable &variable) {
           return variable.name == name && !variable.is_parameter && variable.depth >= depth;
         });
}

/// A member of the object that the function is a method of, where its language lets one leave out `this`.
std::optional<Result<Value>> FrameScope::find_member(std::string_view name) {
  if (language_ != SourceLanguage::cpp)
    return std::nullopt;
  for (const std::string_view object_name : {"this", "__this"}) {
    const auto object = find_in_frame(object_name);
    if (!object)
      continue;
    if (auto captured = find_captured(*object, name))
      return captured;
  }
  return std::nullopt;
}

/// A lambda's `this` is its closure, which names what it has captured "x" (clang) or "__x" (GCC), and the `this` of the
/// function around it "this" or "__this".
std::optional<Result<Value>> FrameScope::find_captured(const Value &closure, std::string_view name) {
  const ValueOperations &operations = operations_of(closure);
  const auto names = operations.member_names(closure, environment_);
  const auto has = [&](std::string_view wanted) { return std::ranges::find(names, wanted) != names.end(); };
  if (has(name))
    return operations.member(closure, name, environment_);
  if (const std::string captured = "__" + std::string(name); has(captured))
    return operations.member(closure, captured, environment_);
  for (const std::string_view outer : {"__this", "this"})
    if (has(outer))
      if (const auto object = operations.member(closure, outer, environment_)) {
        const auto members = operations_of(*object).member_names(*object, environment_);
        if (std::ranges::find(members, name) != members.end())
          return operations_of(*object).member(*object, name, environment_);
      }
  return std::nullopt;
}

std::vector<NamedDie> FrameScope::named(std::string_view name, NameKind kind) {
  if (input_.before_names)
    input_.before_names();
  return input_.program.names().find(name, kind, input_.cancellation);
}

ValueType FrameScope::typed(const TypeHandle &handle) const {
  ValueType type{.native = handle, .go = nullptr};
  if (language_ == SourceLanguage::go && environment_.go)
    type.go = environment_.go->converter->convert(handle);
  return type;
}

Value FrameScope::value_of(const NamedDie &named) {
  const SourceLanguage of_unit = source_language(unit_language(named.die));
  if (named.kind == NameKind::function)
    return function_value(named);
  return global_value(named, of_unit, context(), environment_);
}

/// One that is meant, as the linker sees it: those of the frame's own unit before all others, the frame's module and
/// the program before other libraries, Go's names before C's in a Go program, what has external linkage before files'
/// own statics. Nothing decides between the program's static and that of the library that the frame is in: both are
/// listed.
std::optional<Result<Value>> FrameScope::choose(std::vector<NamedDie> found, std::string_view name) {
  if (found.empty())
    return std::nullopt;
  const auto prefer = [&found](const auto &wanted) {
    if (found.size() > 1 && std::ranges::any_of(found, wanted))
      std::erase_if(found, [&](const NamedDie &one) { return !wanted(one); });
  };
  if (function_)
    prefer([&](const NamedDie &one) { return in_same_unit(one.die, function_->function); });
  if (environment_.go && language_ != SourceLanguage::c && language_ != SourceLanguage::cpp)
    prefer([](const NamedDie &one) { return source_language(unit_language(one.die)) == SourceLanguage::go; });
  prefer([&, program = executable()](const NamedDie &one) {
    return one.module != nullptr && (one.module == context().module || one.module == program);
  });
  prefer([](const NamedDie &one) { return has_external_linkage(one.die); });
  if (found.size() == 1)
    return value_of(found.front());
  std::vector<std::string> names;
  for (const NamedDie &one : found) {
    const std::string file = unit_file(one.die);
    const std::size_t slash = file.rfind('/');
    names.push_back(file.empty() ? one.name
                                 : fmt::format("{} of {}", one.name, std::string_view(file).substr(slash + 1)));
  }
  std::ranges::sort(names);
  const bool more = names.size() > max_listed;
  names.resize(std::min(names.size(), max_listed));
  return std::unexpected(Error(ErrorKind::usage,
                               fmt::format("'{}' is ambiguous: {}{}", name, fmt::join(names, ", "), more ? ", …" : ""),
                               "the whole qualified name, or 'file.c'::name"));
}

bool FrameScope::is_go_image(const Module *module) const {
  return module != nullptr && environment_.go && environment_.go->images != nullptr &&
         std::ranges::any_of(*environment_.go->images, [&](const GoImage &image) { return image.module == module; });
}

const Module *FrameScope::executable() const {
  Target &target = input_.program.target();
  const auto modules = target.modules().modules();
  const auto found =
      std::ranges::find_if(modules, [&](const Module *module) { return module->path() == target.executable(); });
  return found == modules.end() ? nullptr : *found;
}

/// gdb's 'file.c'::name.
std::optional<Result<Value>> FrameScope::find_in_unit(std::string_view name) {
  const std::size_t colons = name.find("::");
  if (colons == std::string_view::npos || colons == 0)
    return std::nullopt;
  std::string_view file = name.substr(0, colons);
  if (file.size() > 2 && (file.front() == '\'' || file.front() == '"'))
    file = file.substr(1, file.size() - 2);
  if (file.find('.') == std::string_view::npos)
    return std::nullopt;
  const std::string_view rest = name.substr(colons + 2);
  for (const NameKind kind : {NameKind::variable, NameKind::function}) {
    std::vector<NamedDie> found = named(rest, kind);
    std::erase_if(found, [&](const NamedDie &one) {
      const std::string path = unit_file(one.die);
      return path != file && !path.ends_with("/" + std::string(file));
    });
    if (auto chosen = choose(std::move(found), name))
      return chosen;
  }
  return std::nullopt;
}

bool FrameScope::is_constructor(std::string_view name) {
  name = name.substr(0, name.find('('));
  const std::size_t last = name.rfind("::");
  if (last == std::string_view::npos)
    return false;
  const std::string_view scope = name.substr(0, last);
  const std::size_t before = scope.rfind("::");
  std::string_view around = scope.substr(before == std::string_view::npos ? 0 : before + 2);
  around = around.substr(0, around.find('<'));
  return around == name.substr(last + 2);
}

/// Those of this name from its beginning, but for inline and unnamed namespaces.
std::vector<NamedDie> FrameScope::exactly(const std::string &name, NameKind kind) {
  std::vector<NamedDie> found = named(name, kind);
  const std::size_t end = name.find_first_of(":.");
  const std::string_view first = std::string_view(name).substr(0, std::min(end, name.size()));
  std::erase_if(found, [&](const NamedDie &one) {
    const bool is_longer = one.name.size() > name.size() && end != std::string::npos && one.name.starts_with(first) &&
                           one.name.substr(first.size()).starts_with("::");
    return one.name != name && !is_longer;
  });
  return found;
}

std::optional<Result<Value>> FrameScope::find_global(std::string_view name) {
  for (const NameKind kind : {NameKind::variable, NameKind::function}) {
    // Of the scopes around the function the innermost that has one wins, as in the language.
    std::vector<std::string> around = scopes_;
    if (language_ == SourceLanguage::cpp)
      around.emplace_back();
    for (const std::string &scope : around) {
      std::vector<NamedDie> here = exactly(scope + std::string(name), kind);
      if (language_ == SourceLanguage::cpp)
        for (const std::string &target : imported_targets(scope, name))
          std::ranges::move(exactly(target, kind), std::back_inserter(here));
      if (scope.empty())
        std::erase_if(here, [&](const NamedDie &one) { return is_librarys_own(one); });
      if (auto chosen = choose(std::move(here), name))
        return chosen;
    }
    std::vector<NamedDie> all = named(name, kind);
    if (kind == NameKind::function && language_ != SourceLanguage::go)
      std::erase_if(all, [&](const NamedDie &one) { return is_constructor(one.name) && !is_constructor(name); });
    // A static of some library is not meant where the program has one of the name in any of its scopes.
    if (!all.empty() && std::ranges::all_of(all, [&](const NamedDie &one) { return is_librarys_own(one); })) {
      std::vector<NamedDie> inside = input_.program.names().find_inside(name, kind, input_.cancellation);
      const auto is_programs = [&](const NamedDie &one) { return one.module == executable(); };
      if (std::ranges::any_of(inside, is_programs))
        all = std::move(inside);
      else if (std::ranges::any_of(named(name, NameKind::type), is_programs))
        all.clear(); // nor where it has a type of the name
    }
    if (auto chosen = choose(std::move(all), name))
      return chosen;
  }
  return std::nullopt;
}

/// A file's own, in a library that the frame is not in.
bool FrameScope::is_librarys_own(const NamedDie &one) const {
  return one.module != executable() && one.module != context().module && !has_external_linkage(one.die);
}

Result<Value> FrameScope::find(std::string_view name) {
  if (name == "runtime.curg" && input_.goroutine.value != 0 && environment_.go)
    if (const auto type = environment_.find_type("runtime.g", SourceLanguage::go); type && type->go != nullptr)
      return go_value_of_words(*environment_.go->pool->pointer_to(*type->go), {input_.goroutine.value});
  const auto declared = declared_in_block(name);
  if (declared && !has_local_within(name, declared->second))
    if (auto target = find_global(declared->first))
      return *std::move(target);
  if (auto local = find_in_frame(name))
    return *std::move(local);
  if (auto member = find_member(name))
    return *std::move(member);
  if (auto in_unit = find_in_unit(name))
    return *std::move(in_unit);
  const std::string global = without_alias(name.starts_with("::") ? name.substr(2) : name);
  if (auto found = find_global(global))
    return *std::move(found);
  if (auto symbol = find_symbol_value(global))
    return *std::move(symbol);
  if (input_.cancellation != nullptr && input_.cancellation->requested())
    return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
  return std::unexpected(unknown(name));
}

Result<Value> FrameScope::find_register(std::string_view name) {
  used_frame_ = true;
  return register_value(name, input_.frame, language_, environment_);
}

Error FrameScope::unknown(std::string_view name) {
  std::vector<std::string> candidates;
  if (function_)
    for (const ScopeVariable &variable : function_->variables)
      candidates.push_back(variable.name);
  if (language_ == SourceLanguage::cpp)
    if (const auto object = find_in_frame("this"))
      std::ranges::move(operations_of(*object).member_names(*object, environment_), std::back_inserter(candidates));
  // A typing error is seldom in the first letters.
  const std::string_view beginning = name.substr(0, std::min<std::size_t>(name.size(), 3));
  for (const NameKind kind : {NameKind::variable, NameKind::function})
    std::ranges::move(input_.program.names().names_like(beginning, kind, max_candidates, input_.cancellation),
                      std::back_inserter(candidates));
  add_last_parts(candidates);
  return Error(ErrorKind::not_found, fmt::format("nothing here is named '{}'{}", name, did_you_mean(name, candidates)),
               function_ ? "locals, args, or vars to see what there is" : "vars and funcs list what the program has");
}

std::vector<std::string> FrameScope::names_like(std::string_view prefix, std::size_t limit) {
  std::vector<std::string> names;
  if (function_)
    for (const ScopeVariable &variable : function_->variables)
      names.push_back(variable.name);
  if (const auto object = find_in_frame("this"))
    std::ranges::move(operations_of(*object).member_names(*object, environment_), std::back_inserter(names));
  if (!prefix.empty() && input_.program.names().progress().finished())
    for (const NameKind kind : {NameKind::variable, NameKind::function})
      std::ranges::move(input_.program.names().names_like(prefix, kind, max_candidates, input_.cancellation),
                        std::back_inserter(names));
  std::erase_if(names, [&](const std::string &name) { return !name.starts_with(prefix); });
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  names.resize(std::min(names.size(), limit));
  return names;
}

} // namespace inspect
