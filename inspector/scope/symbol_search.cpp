#include "inspector/scope/symbol_search.h"

#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/symbols/symbol_table.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace inspect {
std::string_view without_parameters(std::string_view name) {
  // "operator()" keeps its parentheses; the parameters are the last pair that closes at depth 0.
  const std::size_t close = name.rfind(')');
  if (close == std::string_view::npos || name.find("::", close) != std::string_view::npos ||
      name.find('>', close) != std::string_view::npos)
    return name; // "ns::(anonymous namespace)::f" and "wait<f()::<lambda()> >" have none
  if (name.ends_with("operator()"))
    return name;
  int depth = 0;
  for (std::size_t at = close + 1; at-- > 0;) {
    if (name[at] == ')')
      ++depth;
    else if (name[at] == '(' && --depth == 0)
      return at == 0 ? name : name.substr(0, at);
  }
  return name;
}

namespace {

Error cancelled() {
  return Error(ErrorKind::cancelled, "cancelled");
}

/// Without the template arguments at its end: "ns::f" of "ns::f<int>".
std::string_view without_template_arguments(std::string_view name) {
  int depth = 0;
  for (std::size_t at = name.ends_with('>') ? name.size() : 0; at-- > 0;) {
    if (name[at] == '>')
      ++depth;
    else if (name[at] == '<' && --depth == 0)
      return name.substr(0, at);
  }
  return name;
}

/// What people call a function: "ns::f" of "int ns::f<int>(char) const", whose return type is there because it is a
/// template.
std::string_view plain_name(std::string_view demangled) {
  const std::string_view name = without_template_arguments(without_parameters(demangled));
  if (name.find("operator") != std::string_view::npos)
    return name; // "operator bool", "operator<": blanks and brackets mean something else there
  int depth = 0;
  for (std::size_t at = name.size(); at-- > 0;) {
    if (name[at] == ')' || name[at] == '>')
      ++depth;
    else if (name[at] == '(' || name[at] == '<')
      --depth;
    else if (name[at] == ' ' && depth == 0)
      return name.substr(at + 1);
  }
  return name;
}

/// The part of a qualified name that every mangled form of it holds as it is: "method" of "ns::Class::method(int)".
std::string_view last_identifier(std::string_view name) {
  name = plain_name(name);
  const std::size_t colons = name.rfind("::");
  name = colons == std::string_view::npos ? name : name.substr(colons + 2);
  // Operators are abbreviated in mangled names; what all of those have is their first letter.
  return name.starts_with("operator") ? std::string_view("_") : name;
}

bool is_mangled(std::string_view name) {
  return name.starts_with("_Z") || name.starts_with("_R");
}

bool matches(const Symbol &symbol, std::string_view wanted, std::string_view identifier) {
  if (symbol.name == wanted)
    return true;
  if (!is_mangled(symbol.name) || symbol.name.find(identifier) == std::string_view::npos)
    return false;
  const std::string demangled = demangle(symbol.name);
  return demangled == wanted || without_parameters(demangled) == wanted || plain_name(demangled) == wanted;
}

FoundSymbol found(const Module &module, const Symbol &symbol) {
  return {demangle(symbol.name), module.bias().to_run(symbol.address), symbol.size, symbol.is_function};
}

} // namespace

Result<FoundSymbol> find_symbol(Target &target, std::string_view name, const Cancellation &cancellation) {
  std::optional<FoundSymbol> in_plt;
  for (Module *module : target.modules().modules()) {
    const auto symbol = symbols_of(*module).by_name(name);
    if (symbol && !symbol->is_plt)
      return found(*module, *symbol);
    if (symbol && !in_plt)
      in_plt = found(*module, *symbol);
  }
  const std::string_view identifier = last_identifier(name);
  std::optional<FoundSymbol> match;
  for (Module *module : target.modules().modules()) {
    if (identifier.empty())
      break;
    symbols_of(*module).each([&](const Symbol &symbol) {
      if (!symbol.is_plt && matches(symbol, name, identifier))
        match = found(*module, symbol);
      return !match && !cancellation.requested();
    });
    if (cancellation.requested())
      return std::unexpected(cancelled());
    if (match)
      return *match;
  }
  if (in_plt)
    return *in_plt;
  return std::unexpected(
      Error(ErrorKind::not_found, fmt::format("no symbol is named '{}'", name), fmt::format("funcs {}", identifier)));
}

Result<std::vector<std::string>> function_names(Target &target, const std::function<bool(const std::string &)> &wanted,
                                                const Cancellation &cancellation) {
  std::vector<std::string> names;
  for (Module *module : target.modules().modules()) {
    symbols_of(*module).each([&](const Symbol &symbol) {
      if (symbol.is_function && !symbol.is_plt) {
        if (std::string name = demangle(symbol.name); wanted(name))
          names.push_back(std::move(name));
      }
      return !cancellation.requested();
    });
    if (cancellation.requested())
      return std::unexpected(cancelled());
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

std::vector<std::string> names_beginning(Target &target, std::string_view prefix, std::size_t limit,
                                         const Cancellation &cancellation) {
  std::vector<std::string> names;
  const std::string_view identifier = last_identifier(prefix);
  for (Module *module : target.modules().modules()) {
    symbols_of(*module).each([&](const Symbol &symbol) {
      if (symbol.name.starts_with(prefix)) {
        names.emplace_back(symbol.name);
      } else if (is_mangled(symbol.name) && symbol.name.find(identifier) != std::string_view::npos) {
        const std::string demangled = demangle(symbol.name);
        if (const std::string_view plain = plain_name(demangled); plain.starts_with(prefix))
          names.emplace_back(plain);
      }
      return names.size() < 4 * limit && !cancellation.requested();
    });
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  names.resize(std::min(names.size(), limit));
  return names;
}

Result<std::vector<std::string>> source_files(Target &target, const Cancellation &cancellation) {
  std::vector<std::string> files;
  for (Module *module : target.modules().modules()) {
    std::vector<std::string> more = lines_of(*module).files(&cancellation);
    if (cancellation.requested())
      return std::unexpected(cancelled());
    std::ranges::move(more, std::back_inserter(files));
  }
  std::ranges::sort(files);
  const auto repeated = std::ranges::unique(files);
  files.erase(repeated.begin(), repeated.end());
  return files;
}

} // namespace inspect
