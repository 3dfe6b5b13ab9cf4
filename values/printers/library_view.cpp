#include "values/printers/library_view.h"

#include "dwarf/types/type_name.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace inspect {
namespace {

/// Adaptors hold containers, which are looked at in turn; a type that pretends to hold itself must end.
constexpr int max_nesting = 8;
thread_local int nesting = 0;

struct Nesting {
  Nesting() { ++nesting; }
  ~Nesting() { --nesting; }
  Nesting(const Nesting &) = delete;
  Nesting &operator=(const Nesting &) = delete;
};

/// Both libraries have a std::initializer_list: one of the printers of a name recognises the members.
using ViewTable = std::unordered_multimap<std::string_view, ViewFunction>;

const ViewTable &known_types() {
  static const ViewTable all = [] {
    ViewTable table;
    for (const auto &types : {libstdcxx_types(), libcxx_types(), rust_types()})
      for (const LibraryType &type : types)
        table.emplace(type.name, type.view);
    return table;
  }();
  return all;
}

std::string_view without_arguments(std::string_view name) {
  return name.substr(0, name.find('<'));
}

/// The last components of all names: nearly every type of a program is told apart by them, without its namespaces.
bool may_be_known(std::string_view name) {
  static const std::unordered_map<std::string_view, bool> last_parts = [] {
    std::unordered_map<std::string_view, bool> parts;
    for (const auto &[name_of_type, view] : known_types()) {
      const std::size_t colon = name_of_type.rfind(':');
      parts.emplace(colon == std::string_view::npos ? name_of_type : name_of_type.substr(colon + 1), true);
    }
    return parts;
  }();
  return last_parts.contains(without_arguments(name));
}

/// Namespaces that hold variants of a library's types with the same members: libstdc++'s debug mode and its versioned
/// ABI, libc++'s of Android's NDK.
std::string with_usual_namespaces(std::string name) {
  static constexpr std::pair<std::string_view, std::string_view> unusual[] = {{"std::__debug::", "std::"},
                                                                              {"std::__cxx1998::", "std::"},
                                                                              {"std::__8::", "std::"},
                                                                              {"std::__ndk1::", "std::__1::"}};
  for (const auto &[one, usual] : unusual)
    if (name.starts_with(one))
      return std::string(usual) + name.substr(one.size());
  return name;
}

} // namespace

std::optional<LibraryView> library_view(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  if (value.type.go != nullptr || !value.source || value.bits || nesting >= max_nesting)
    return std::nullopt;
  // The definition may be in a type unit; the DIE at hand has the name and the namespaces in any case.
  TypeHandle handle = value.type.native;
  for (int steps = 0; handle.die && steps < 64; ++steps) {
    const DwarfType &type = environment.types.read(handle);
    if (type.kind != DwarfTypeKind::alias && type.kind != DwarfTypeKind::qualified)
      break;
    handle = type.target;
  }
  const DwarfType &type = environment.types.read(handle);
  if (!handle.die || type.name.empty() || !may_be_known(type.name))
    return std::nullopt;
  const std::string name = with_usual_namespaces(environment.types.qualified_name(handle));
  const Nesting inside;
  Value stripped = value;
  stripped.type.native = handle;
  const auto [begin, end] = known_types().equal_range(without_arguments(name));
  for (auto printer = begin; printer != end; ++printer)
    if (auto view = printer->second(stripped, wanted, environment))
      return view;
  return std::nullopt;
}

} // namespace inspect
