#include "values/printers/library_view.h"

#include "values/native/native_layout.h"
#include "values/printers/library_type_name.h"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace inspect {
namespace {

/// Adaptors hold containers, which are looked at in turn; a type that pretends to hold itself must end.
constexpr int max_views = 8;
thread_local int nesting = 0;

struct Nesting {
  Nesting() { ++nesting; }
  ~Nesting() { --nesting; }
  Nesting(const Nesting &) = delete;
  Nesting &operator=(const Nesting &) = delete;
};

using ViewTable = std::unordered_map<std::string_view, ViewFunction>;

const ViewTable &known_types() {
  static const ViewTable all = [] {
    ViewTable table;
    for (const auto &types :
         {cpp_string_types(), cpp_sequence_types(), cpp_node_types(), cpp_wrapper_types(), cpp_thread_types(),
          cpp_number_types(), cpp_coroutine_types(), cpp_extension_types(), cpp_calendar_types(), rust_pointer_types(),
          rust_sequence_types(), rust_map_types(), rust_wrapper_types(), rust_network_types(), rust_error_types()})
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
  static const std::unordered_set<std::string_view> last_parts = [] {
    std::unordered_set<std::string_view> parts;
    for (const auto &[name_of_type, view] : known_types())
      parts.insert(name_of_type.substr(name_of_type.rfind(':') + 1)); // of npos: from the start
    return parts;
  }();
  return last_parts.contains(without_arguments(name));
}

/// As the tables have it. libstdc++'s debug mode has the usual types in a namespace that is not inline, with the same
/// members.
std::string table_name(std::string_view qualified_name) {
  constexpr std::string_view usual_in_debug_mode = "std::__cxx1998::";
  std::string name(without_arguments(qualified_name));
  if (name.starts_with(usual_in_debug_mode))
    name.replace(0, usual_in_debug_mode.size(), "std::");
  return without_inline_namespaces(name);
}

} // namespace

std::optional<LibraryView> library_view(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  if (value.type.go != nullptr || !value.source || value.bits || nesting >= max_views)
    return std::nullopt;
  // The definition may be in a type unit; the DIE at hand has the name and the namespaces in any case.
  const TypeHandle handle = without_aliases(value.type.native, environment.types);
  const DwarfType &type = environment.types.read(handle);
  if (!handle.die || type.name.empty() || !may_be_known(type.name))
    return std::nullopt;
  const auto printer = known_types().find(table_name(environment.types.qualified_name(handle)));
  if (printer == known_types().end())
    return std::nullopt;
  const Nesting inside;
  Value stripped = value;
  stripped.type.native = handle;
  return printer->second(stripped, wanted, environment);
}

bool add_child(LibraryView &view, std::string name, Value value, std::optional<Value> key) {
  if (view.children.size() >= max_library_children)
    return false;
  view.children.push_back({std::move(name), std::move(key), std::move(value)});
  return true;
}

LibraryView plain_view(std::string label) {
  LibraryView view;
  view.label = std::move(label);
  return view;
}

LibraryView broken_view(std::string label, std::string problem) {
  LibraryView view = plain_view(std::move(label));
  view.problem = std::move(problem);
  return view;
}

LibraryView sequence_view(std::string label) {
  LibraryView view = plain_view(std::move(label));
  view.shape = LibraryView::Shape::sequence;
  return view;
}

LibraryView hollow_view(std::string label) {
  LibraryView view = plain_view(std::move(label));
  view.shape = LibraryView::Shape::single;
  return view;
}

LibraryView single_view(std::string label, std::string child_name, Value child) {
  LibraryView view = hollow_view(std::move(label));
  add_child(view, std::move(child_name), std::move(child));
  return view;
}

} // namespace inspect
