// FrameScope's names that C++ has in a scope without their standing there: by using-directives, using-declarations and
// aliases of namespaces.
//
// Source: C++23 [namespace.udir]: a directive's names appear in the nearest namespace around both itself and what it
// names; [basic.lookup.unqual].
#include "inspector/scope/frame_scope.h"

#include <algorithm>
#include <ranges>
#include <set>

namespace inspect {
namespace {

constexpr std::size_t max_targets = 64;

/// "a::" of "a::b::" and "a::c::"; empty where they share nothing.
std::string_view common_scope(std::string_view one, std::string_view other) {
  std::size_t common = 0;
  for (std::size_t at = 0; at < one.size() && at < other.size() && one[at] == other[at]; ++at)
    if (one[at] == ':' && at > 0 && one[at - 1] == ':')
      common = at + 1;
  return one.substr(0, common);
}

} // namespace

const std::vector<ImportedName> &FrameScope::imports() {
  if (!imports_) {
    imports_.emplace();
    if (function_ && language_ == SourceLanguage::cpp && input_.frame != nullptr && input_.frame->module != nullptr) {
      Module &module = *input_.frame->module;
      const LinkAddress address = module.bias().to_link(input_.frame->lookup);
      imports_ = imported_names(function_->function, lines_of(module).in_debug_info(address));
    }
  }
  return *imports_;
}

/// A using-declaration of the innermost block that has one; its depth against that of a local variable.
std::optional<std::pair<std::string, unsigned>> FrameScope::declared_in_block(std::string_view name) {
  for (const ImportedName &one : imports() | std::views::reverse)
    if (one.in_function && one.kind == ImportedName::Kind::declaration && one.name == name)
      return std::pair(one.target, one.depth);
  return std::nullopt;
}

/// The name with what its first part is an alias of.
std::string FrameScope::without_alias(std::string_view name) {
  const std::size_t colons = name.find("::");
  if (colons == std::string_view::npos || colons == 0)
    return std::string(name);
  const std::string_view first = name.substr(0, colons);
  for (const bool in_function : {true, false})
    for (const ImportedName &one : imports() | std::views::reverse)
      if (one.kind == ImportedName::Kind::alias && one.in_function == in_function && one.name == first &&
          (in_function || one.scope.empty() || std::ranges::find(scopes_, one.scope) != scopes_.end()))
        return one.target + std::string(name.substr(colons));
  return std::string(name);
}

/// What the name may stand for in this scope ("ns::", empty: the global one) besides what is declared there.
std::vector<std::string> FrameScope::imported_targets(std::string_view scope, std::string_view name) {
  std::vector<std::string> targets;
  const auto add = [&](std::string target) {
    if (targets.size() < max_targets && std::ranges::find(targets, target) == targets.end())
      targets.push_back(std::move(target));
  };
  const auto home = [this](const ImportedName &one) {
    return !one.in_function ? one.scope : scopes_.empty() ? std::string() : scopes_.front();
  };
  // A namespace that is imported may import others.
  std::set<std::string> seen;
  std::vector<std::string> pending;
  for (const ImportedName &one : imports()) {
    if (one.kind == ImportedName::Kind::declaration && !one.in_function && one.scope == scope && one.name == name)
      add(one.target);
    const bool is_around =
        one.in_function || scope.starts_with(one.scope) || (!scopes_.empty() && scopes_.front().starts_with(one.scope));
    if (one.kind == ImportedName::Kind::directive && is_around && common_scope(home(one), one.target + "::") == scope)
      pending.push_back(one.target + "::");
  }
  while (!pending.empty() && seen.size() < max_targets) {
    const std::string inside = std::move(pending.back());
    pending.pop_back();
    if (!seen.insert(inside).second)
      continue;
    add(inside + std::string(name));
    for (const ImportedName &one : imports()) {
      if (one.in_function || one.scope != inside)
        continue;
      if (one.kind == ImportedName::Kind::directive)
        pending.push_back(one.target + "::");
      else if (one.kind == ImportedName::Kind::declaration && one.name == name)
        add(one.target);
    }
  }
  return targets;
}

} // namespace inspect
