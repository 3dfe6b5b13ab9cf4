// What wraps other values: pairs and tuples, optional, variant, any, function, smart pointers, container adaptors;
// error codes and exceptions.
//
// Sources: libstdc++-v3 of GCC 12, std/: tuple, optional, variant, any; bits/: std_function.h, shared_ptr_base.h,
// unique_ptr.h, atomic_base.h; libc++ 14 to 20, the headers of the types; Itanium C++ ABI: 2.9.5 (type_info), exception
// handling 2.2.1.
#include "dwarf/symbols/symbol_table.h"
#include "values/native/symbol_text.h"
#include "values/printers/cpp/cpp_parts.h"
#include "values/printers/library_type_name.h"

#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

constexpr std::size_t max_type_name_length = 4096;

/// "ns::f(int)", demangled; empty where no module has a symbol there.
std::string symbol_at(ValueEnvironment &environment, RunAddress address) {
  const auto place = symbol_place(address, environment);
  return place ? place->name : "";
}

/// The class that a type_info is of, demangled; empty where none is there.
std::string type_info_name(ValueEnvironment &environment, RunAddress type_info) {
  const auto name = read_word(environment.memory, type_info + 8);
  const auto text = name ? read_c_string(environment.memory, RunAddress{*name}, max_type_name_length)
                         : Result<std::string>(std::unexpected(name.error()));
  if (!text || text->empty())
    return {};
  // GCC marks the names that are unique to an image.
  const std::string_view mangled = std::string_view(*text).substr(text->front() == '*' ? 1 : 0);
  const std::string shown = demangle(fmt::format("_ZTS{}", mangled));
  constexpr std::string_view prefix = "typeinfo name for ";
  return shown.starts_with(prefix) ? shown.substr(prefix.size()) : std::string();
}

/// The class of a polymorphic object by its own type_info, demangled; empty where it is no such object.
std::string class_name_of(ValueEnvironment &environment, RunAddress object) {
  const auto table = read_word(environment.memory, object);
  const auto type_info = table ? read_word(environment.memory, RunAddress{*table} - 8) : table;
  return type_info ? type_info_name(environment, RunAddress{*type_info}) : std::string();
}

/// A pair has no label: {first = 1, second = 2}.
View pair(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  LibraryView view = sequence_view({});
  view.length = 2;
  std::size_t index = 0;
  for (const std::string_view name : {"first", "second"}) {
    const auto part = object.member(name);
    if (!part)
      return std::nullopt;
    if (index >= wanted.first && index - wanted.first < wanted.count)
      add_child(view, std::string(name), part->value());
    ++index;
  }
  return view;
}

/// libstdc++: of a _Tuple_impl<i, …> its own element is in its last base, _Head_base<i, T>: as _M_head_impl, or, of an
/// empty class, as a base of it.
std::optional<LibraryObject> head_of(const LibraryObject &implementation) {
  const std::size_t bases = implementation.base_count();
  const auto holder = bases > 0 ? implementation.base(bases - 1) : std::nullopt;
  if (!holder)
    return std::nullopt;
  if (auto held = holder->member("_M_head_impl"))
    return held;
  return holder->base_count() == 1 ? holder->base(0) : std::nullopt;
}

/// Each _Tuple_impl but the last has that of the elements behind it as its first base.
bool add_heads(LibraryView &view, const LibraryObject &tuple, ChildRange wanted) {
  std::uint64_t index = 0;
  for (auto implementation = tuple.base(0); implementation; ++index) {
    const auto head = head_of(*implementation);
    if (!head || index >= max_library_children)
      return false;
    if (index >= wanted.first && index - wanted.first < wanted.count)
      add_child(view, index_name(index + 1), head->value());
    implementation = implementation->base_count() > 1 ? implementation->base(0) : std::nullopt;
  }
  view.length = index;
  return true;
}

/// libc++: __tuple_impl has a base __tuple_leaf<i, T, empty> of each element.
bool add_leaves(LibraryView &view, const LibraryObject &implementation, ChildRange wanted) {
  view.length = implementation.base_count();
  for (std::uint64_t i = wanted.first; i < *view.length && i - wanted.first < wanted.count; ++i) {
    const auto leaf = implementation.base(i);
    auto element = leaf ? leaf->member("__value_") : std::nullopt;
    if (!element && leaf)
      element = leaf->base(0);
    if (!element || !add_child(view, index_name(i + 1), element->value()))
      return false;
  }
  return true;
}

View tuple(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto implementation = object.member("__base_");
  LibraryView view = sequence_view("std::tuple containing");
  if (implementation ? !add_leaves(view, *implementation, wanted) : !add_heads(view, object, wanted))
    return std::nullopt;
  if (view.length == 0U && object.argument_count() != 0)
    return std::nullopt;
  if (view.length == 0U)
    view.label = "empty std::tuple";
  return view;
}

View optional(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto engaged = object.number({"_M_payload._M_engaged", "_M_engaged", "__engaged_"});
  // Before GCC 9 the payload's payload was the value.
  const auto content = object.member({"_M_payload._M_payload._M_value", "_M_payload._M_payload", "_M_payload",
                                      "__val_"}); // the last but one: the experimental one's
  if (!engaged || !content)
    return std::nullopt;
  const std::string name = std_name_with_argument(object);
  if (*engaged > 1)
    return broken_view(name, "neither filled nor empty: not initialised?");
  return *engaged == 0 ? hollow_view(name + " [no contained value]") : single_view(name, "[contained value]", *content);
}

/// The alternatives all begin where the storage does.
View variant(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto index_member = object.member({"_M_index", "__impl_.__index", "__impl.__index"});
  const auto storage = object.member({"_M_u", "__impl_.__data", "__impl.__data"});
  if (!index_member || !storage)
    return std::nullopt;
  const auto index = index_member->number();
  if (!index)
    return std::nullopt;
  const std::size_t count = object.argument_count();
  std::string names;
  for (std::size_t i = 0; i < count; ++i) {
    const auto one = object.type_argument(i);
    if (!one)
      return std::nullopt;
    names += (names.empty() ? "" : ", ") + short_type_name(environment.types, *one);
  }
  const std::string name = fmt::format("{}<{}>", std_name(object), names);
  const std::uint64_t none = UINT64_MAX >> (64 - 8 * *index_member->size());
  if (*index == none)
    return hollow_view(name + " [no contained value]");
  if (*index >= count)
    return broken_view(name, fmt::format("an index of {} of {} alternatives: not initialised?", *index, count));
  return single_view(fmt::format("{} [index {}]", name, *index), {}, storage->as(*object.type_argument(*index)));
}

/// The T of a template's instance for T, by the name that demanglers give that; they write it in other ways than
/// compilers do.
std::optional<TypeHandle> argument_of(const LibraryObject &object, std::string_view template_name,
                                      const std::string &argument) {
  const auto &find_type = object.environment().find_type;
  const std::string unabridged =
      argument == "std::string" ? "std::basic_string<char, std::char_traits<char>, std::allocator<char> >" : argument;
  for (const std::string &written : {argument, argument + " ", unabridged, unabridged + " "})
    if (const auto found = find_type ? find_type(fmt::format("{}<{}>", template_name, written), object.value().language)
                                     : std::nullopt)
      if (const auto type = object.as(found->native).type_argument(0))
        return type;
  return std::nullopt;
}

/// Which type an any holds is known by the function that manages it.
View any(const Value &value, ChildRange, ValueEnvironment &environment) {
  struct Manager {
    std::string_view name;
    bool has_value_inside;
  };
  static constexpr Manager managers[] = {{"std::any::_Manager_internal", true},
                                         {"std::any::_Manager_external", false},
                                         {"std::experimental::fundamentals_v1::any::_Manager_internal", true},
                                         {"std::experimental::fundamentals_v1::any::_Manager_external", false},
                                         {"std::__1::__any_imp::_SmallHandler", true},
                                         {"std::__1::__any_imp::_LargeHandler", false}};
  const LibraryObject object(value, environment);
  const auto manager = object.pointer({"_M_manager", "__h_", "__h"});
  const auto pointer = object.pointer({"_M_storage._M_ptr", "__s_.__ptr", "__s.__ptr"});
  const auto buffer = object.member({"_M_storage._M_buffer", "__s_.__buf", "__s.__buf"});
  if (!manager || !pointer || !buffer)
    return std::nullopt;
  const std::string name = std_name(object);
  if (manager->address.value == 0)
    return hollow_view(name + " [no contained value]");
  const std::string symbol = symbol_at(environment, manager->address);
  for (const Manager &one : managers) {
    const auto arguments = template_arguments_in(symbol, one.name);
    if (arguments.empty())
      continue;
    const std::string label = fmt::format("{} containing {}", name, short_type_name(arguments[0]));
    const auto type = argument_of(object, one.name, arguments[0]);
    const RunAddress place = one.has_value_inside ? buffer->address().value_or(pointer->address) : pointer->address;
    return type ? single_view(label, "[contained value]", object.at(place, *type)) : plain_view(label);
  }
  return broken_view(name, fmt::format("managed by {:#x}, which is not a function that does so: not initialised?",
                                       manager->address.value));
}

struct FunctionParts {
  bool has_target = false;
  std::string target;                   ///< its type, demangled
  std::optional<std::uint64_t> pointer; ///< what is kept where the target is a plain function's address
  std::string problem = {};
};

/// _M_invoker is _Function_handler<signature, target>::_M_invoke.
std::optional<FunctionParts> libstdcxx_function(const LibraryObject &function) {
  const auto manager = function.pointer("_M_manager");
  const auto invoker = function.pointer("_M_invoker");
  const auto functor = function.member("_M_functor");
  if (!manager || !invoker || !functor)
    return std::nullopt;
  const auto arguments =
      template_arguments_in(symbol_at(function.environment(), invoker->address), "std::_Function_handler");
  FunctionParts parts{manager->address.value != 0, {}, functor->source().unsigned_at(0, 8)};
  if (arguments.size() < 2)
    parts.problem =
        fmt::format("called by {:#x}, which is not a function that does so: not initialised?", invoker->address.value);
  else
    parts.target = arguments[1];
  return parts;
}

/// __value_func::__f_ points to a __func<target, allocator, signature>, or is null.
std::optional<FunctionParts> libcxx_function(const LibraryObject &function) {
  const auto callable = function.pointer("__f_.__f_");
  if (!callable || !function.has("__f_.__buf_"))
    return std::nullopt;
  ValueEnvironment &environment = function.environment();
  const auto arguments =
      template_arguments_in(class_name_of(environment, callable->address), "std::__1::__function::__func");
  FunctionParts parts{callable->address.value != 0, {}, std::nullopt};
  if (const auto pointer = read_word(environment.memory, callable->address + 8))
    parts.pointer = *pointer;
  if (arguments.empty())
    parts.problem = fmt::format("nothing to call is at {:#x}: not initialised?", callable->address.value);
  else
    parts.target = arguments[0];
  return parts;
}

View function(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto parts = libstdcxx_function(object);
  if (!parts)
    parts = libcxx_function(object);
  if (!parts)
    return std::nullopt;
  const std::string name = std_name_with_argument(object);
  if (!parts->has_target)
    return plain_view(name + " [no target]");
  if (!parts->problem.empty())
    return broken_view(name, parts->problem);
  const std::string &target = parts->target;
  if (target.find("(*)") != std::string::npos && target.find("::{lambda") == std::string::npos && parts->pointer)
    if (const std::string called = symbol_at(environment, RunAddress{*parts->pointer}); !called.empty())
      return plain_view(fmt::format("{} calling {}", name, called));
  return plain_view(fmt::format("{} calling {}", name, short_type_name(target)));
}

View atomic(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  // libstdc++'s atomic<shared_ptr<T>>: the counts' address has a lock bit.
  if (const auto pointer = object.member("_M_impl._M_ptr"))
    return object.number("_M_impl._M_refcount._M_val._M_i")
               ? std::optional(single_view(std_name_with_argument(object), "get()", *pointer))
               : std::nullopt;
  // libstdc++'s atomic<bool> wraps a base, atomic<T *> an __atomic_base<T *>, atomic<double> derives from
  // __atomic_float.
  const auto content = object.member({"_M_base._M_i", "_M_b._M_p", "_M_i", "_M_fp", "__a_.__a_value"});
  if (!content)
    return std::nullopt;
  const auto type = object.type_argument(0);
  if (!type)
    return single_view(std_name(object), {}, *content);
  if (environment.types.size_of(*type) != content->size())
    return std::nullopt;
  return single_view(std_name_with_argument(object), {}, content->as(*type));
}

View reference_wrapper(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto pointer = object.member({"_M_data", "__f_"});
  return pointer && pointer->pointer() ? std::optional(single_view(std_name_with_argument(object), "get()", *pointer))
                                       : std::nullopt;
}

View unique_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto pointer = object.member("__ptr_");
  if (!pointer) {
    auto tuple = object.member("_M_t");
    if (tuple && tuple->type().name.starts_with("__uniq_ptr")) // since GCC 6
      tuple = tuple->member("_M_t");
    const auto implementation = tuple ? tuple->base(0) : std::nullopt;
    pointer = implementation ? head_of(*implementation) : std::nullopt;
  }
  return pointer ? std::optional(single_view(std_name_with_argument(object), "get()", *pointer)) : std::nullopt;
}

/// "use count 2, weak count 0" of a shared pointer's counts, where all owners together count as a weak one. libc++'s
/// are counted from -1, which is none.
std::optional<std::string> count_text(const LibraryObject &pointer, const TypedPointer &counts, std::string &problem) {
  if (counts.address.value == 0)
    return "empty";
  const LibraryObject counted = pointer.at(counts.address, counts.target);
  auto use_member = counted.member({"_M_use_count", "__shared_owners_"});
  auto weak_member = counted.member({"_M_weak_count", "__shared_weak_owners_"});
  const bool is_libcxx = !counted.has("_M_use_count");
  if (counted.type().is_declaration && counted.type().name == "__shared_weak_count") {
    // Its virtual table is in the library, and clang describes a class only where that is: {vptr, owners, weak owners}.
    const TypeHandle number = pointer.environment().types.base_type("long", TypeEncoding::signed_integer, 8);
    use_member = pointer.at(counts.address + 8, number);
    weak_member = pointer.at(counts.address + 16, number);
  }
  if (!use_member || !weak_member)
    return std::nullopt;
  auto use = use_member->signed_number();
  auto weak = weak_member->signed_number();
  if (!use || !weak) {
    problem = fmt::format("its counts at {:#x} cannot be read: not initialised?", counts.address.value);
    return "";
  }
  const bool is_plausible = *use <= INT32_MAX && *weak <= INT32_MAX;
  if (is_libcxx && is_plausible) {
    ++*use;
    ++*weak;
  }
  if (!is_plausible || *use < 0 || *weak < 0 || (*use > 0 && *weak == 0) || counts.address.value % 8 != 0) {
    problem = fmt::format("a use count of {}, a weak count of {}: not initialised?", *use, *weak);
    return "";
  }
  return *use == 0 ? fmt::format("expired, weak count {}", *weak)
                   : fmt::format("use count {}, weak count {}", *use, *weak - 1);
}

View shared_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto pointer = object.member({"_M_ptr", "__ptr_"});
  const auto counts = object.pointer({"_M_refcount._M_pi", "__cntrl_"});
  if (!pointer || !pointer->pointer() || !counts)
    return std::nullopt;
  std::string problem;
  const auto state = count_text(object, *counts, problem);
  if (!state)
    return std::nullopt;
  const std::string name = std_name_with_argument(object);
  LibraryView view = single_view(problem.empty() ? fmt::format("{} ({})", name, *state) : name, "get()", *pointer);
  view.problem = problem;
  return view;
}

/// A container adaptor: the container's view under its own name.
View adaptor(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto container = object.member("c");
  auto view = container ? library_view(container->value(), wanted, environment) : std::nullopt;
  if (view)
    view->label = fmt::format("{} wrapping: {}", std_name(object), view->label);
  return view;
}

std::string error_text(std::string_view type, std::int64_t number, RunAddress category, ValueEnvironment &environment) {
  const std::string name = class_name_of(environment, category);
  if (name.empty())
    return fmt::format("{} = {{category at {:#x}: {}}}", type, category.value, number);
  const bool is_generic = name.ends_with("generic_error_category");
  const bool is_system = name.ends_with("system_error_category");
  if (number == 0 && (type == "std::error_code" ? is_system : is_generic))
    return fmt::format("{} = {{ }}", type);
  const char *symbol = is_generic || is_system ? ::strerrorname_np(static_cast<int>(number)) : nullptr;
  const std::string shown = symbol != nullptr && number != 0 ? symbol : fmt::format("{}", number);
  if (is_generic || is_system)
    return fmt::format("{} = {{\"{}\": {}}}", type, is_generic ? "generic" : "system", shown);
  return fmt::format("{} = {{{}: {}}}", type, name, shown);
}

/// The category's name by its class, and the errno's name where it is of a category that has these.
View error_code(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto held = object.member({"_M_value", "__val_"});
  const auto number = held ? held->signed_number() : std::nullopt;
  const auto category = object.pointer({"_M_cat", "__cat_"});
  return number && category
             ? std::optional(plain_view(error_text(std_name(object), *number, category->address, environment)))
             : std::nullopt;
}

/// What an exception object in flight is, by the header that the Itanium C++ ABI puts before it.
View exception_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto thrown = LibraryObject(value, environment).pointer({"_M_exception_object", "__ptr_"});
  if (!thrown)
    return std::nullopt;
  const RunAddress object = thrown->address;
  if (object.value == 0)
    return plain_view("std::exception_ptr to no exception");
  // The last part of __cxa_exception, in both runtimes: exceptionType is 112 bytes before the exception.
  const auto type_info = read_word(environment.memory, object - 112);
  const std::string name = type_info ? type_info_name(environment, RunAddress{*type_info}) : std::string();
  if (name.empty())
    return broken_view("std::exception_ptr", fmt::format("no exception is at {:#x}: not initialised?", object.value));
  return plain_view(fmt::format("std::exception_ptr to {} at {:#x}", name, object.value));
}

} // namespace

std::span<const LibraryType> cpp_wrapper_types() {
  static constexpr LibraryType types[] = {
      {"std::pair", pair},
      {"std::tuple", tuple},
      {"std::optional", optional},
      {"std::experimental::optional", optional},
      {"std::variant", variant},
      {"std::any", any},
      {"std::experimental::any", any},
      {"std::function", function},
      {"std::atomic", atomic},
      {"std::atomic_flag", atomic},
      {"std::reference_wrapper", reference_wrapper},
      {"std::unique_ptr", unique_ptr},
      {"std::shared_ptr", shared_ptr},
      {"std::weak_ptr", shared_ptr},
      {"std::tr1::shared_ptr", shared_ptr},
      {"std::tr1::weak_ptr", shared_ptr},
      {"std::stack", adaptor},
      {"std::queue", adaptor},
      {"std::priority_queue", adaptor},
      {"std::error_code", error_code},
      {"std::error_condition", error_code},
      {"std::__exception_ptr::exception_ptr", exception_ptr}, // of libstdc++
      {"std::exception_ptr", exception_ptr},
  };
  return types;
}

} // namespace inspect
