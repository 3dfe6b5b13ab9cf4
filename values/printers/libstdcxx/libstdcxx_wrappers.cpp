#include "values/printers/library_parts.h"
#include "values/printers/library_type_name.h"
#include "values/printers/library_walks.h"
#include "values/printers/libstdcxx/libstdcxx_views.h"

#include <fmt/format.h>

namespace inspect::libstdcxx {
namespace {

/// Of a _Tuple_impl<i, …>: its own element is in its last base, _Head_base<i, T>: as _M_head_impl, or, of an empty
/// class, as a base of it (std/tuple).
std::optional<LibraryObject> head_of(const LibraryObject &implementation) {
  const std::size_t bases = implementation.base_count();
  const auto holder = bases > 0 ? implementation.base(bases - 1) : std::nullopt;
  if (!holder)
    return std::nullopt;
  if (auto held = holder->member("_M_head_impl"))
    return held;
  return holder->base_count() == 1 ? holder->base(0) : std::nullopt;
}

std::optional<LibraryObject> first_of_tuple(const LibraryObject &tuple) {
  const auto implementation = tuple.base(0);
  return implementation ? head_of(*implementation) : std::nullopt;
}

/// _Sp_counted_base's counts: all weak ones, and one more while there are strong ones.
std::optional<std::string> count_text(const LibraryObject &pointer, const TypedPointer &counts, std::string &problem) {
  if (counts.address.value == 0)
    return "empty";
  const LibraryObject counted = pointer.at(counts.address, counts.target);
  const auto use_member = counted.member("_M_use_count");
  const auto weak_member = counted.member("_M_weak_count");
  if (!use_member || !weak_member)
    return std::nullopt;
  const auto use = use_member->signed_number();
  const auto weak = weak_member->signed_number();
  if (!use || !weak) {
    problem = fmt::format("its counts at {:#x} cannot be read: not initialised?", counts.address.value);
    return "";
  }
  if (*use < 0 || *weak < 0 || (*use > 0 && *weak == 0) || counts.address.value % 8 != 0) {
    problem = fmt::format("a use count of {}, a weak count of {}: not initialised?", *use, *weak);
    return "";
  }
  return *use == 0 ? fmt::format("expired, weak count {}", *weak)
                   : fmt::format("use count {}, weak count {}", *use, *weak - 1);
}

/// The T of _Manager_internal<T>, which demanglers write in other ways than compilers do.
std::optional<TypeHandle> managed_type(const LibraryObject &any, std::string_view manager, const std::string &name) {
  const auto &find_type = any.environment().find_type;
  std::string unabridged = name;
  if (name == "std::string")
    unabridged = "std::basic_string<char, std::char_traits<char>, std::allocator<char> >";
  for (const std::string &argument : {name, name + " ", unabridged, unabridged + " "})
    if (const auto found =
            find_type ? find_type(fmt::format("{}<{}>", manager, argument), any.value().language) : std::nullopt)
      return any.as(found->native).type_argument(0);
  return std::nullopt;
}

std::optional<LibraryObject> atomic_content(const LibraryObject &atomic) {
  // atomic<bool> wraps a base, atomic<T *> an __atomic_base<T *>, atomic<double> derives from __atomic_float.
  if (const auto base = atomic.member("_M_base"))
    return base->member("_M_i");
  if (const auto base = atomic.member("_M_b"))
    return base->member("_M_p");
  return atomic.member_of_names({"_M_i", "_M_fp"});
}

} // namespace

View tuple(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  std::uint64_t index = 0;
  for (auto implementation = object.base(0); implementation; ++index) {
    const auto head = head_of(*implementation);
    if (!head || index >= max_library_children)
      return std::nullopt;
    if (index >= wanted.first && index - wanted.first < wanted.count)
      add_child(view, {.name = index_name(index + 1), .key = std::nullopt, .value = head->value()});
    implementation = implementation->base_count() > 1 ? implementation->base(0) : std::nullopt;
  }
  view.length = index;
  view.label = index == 0 ? "empty std::tuple" : "std::tuple containing";
  return view;
}

View optional(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto payload = object.member("_M_payload");
  const auto engaged = number_of(payload, {"_M_engaged"});
  auto content = payload ? payload->member({"_M_payload", "_M_value"}) : std::nullopt;
  if (!content && payload)
    content = payload->member("_M_payload"); // before GCC 9
  if (!engaged || !content)
    return std::nullopt;
  const std::string name = std_name_with_argument(object);
  if (*engaged > 1)
    return broken_view(name, "neither filled nor empty: not initialised?");
  return *engaged == 0 ? hollow_view(name + " [no contained value]") : single_view(name, "[contained value]", *content);
}

View variant(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto index = object.member("_M_index");
  const auto number = number_of(index);
  const auto storage = object.member("_M_u");
  if (!number || !storage)
    return std::nullopt;
  return variant_view(object, *number, static_cast<unsigned>(*index->size()), *storage);
}

/// std/any: which type it holds is known by the function that manages it.
View any(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto manager = object.pointer("_M_manager");
  const auto pointer = object.pointer("_M_storage", "_M_ptr");
  const auto buffer = object.member({"_M_storage", "_M_buffer"});
  if (!manager || !pointer || !buffer)
    return std::nullopt;
  if (manager->address.value == 0)
    return hollow_view("std::any [no contained value]");
  const std::string symbol = symbol_at(environment, manager->address);
  for (const std::string_view kind : {"std::any::_Manager_internal", "std::any::_Manager_external"}) {
    const auto arguments = arguments_in_name(symbol, kind);
    if (arguments.empty())
      continue;
    const auto type = managed_type(object, kind, arguments[0]);
    const bool inside = kind.ends_with("internal") && buffer->address();
    return any_view(object, arguments[0], type, inside ? *buffer->address() : pointer->address);
  }
  return broken_view("std::any", fmt::format("managed by {:#x}, which is no function that does so: not initialised?",
                                             manager->address.value));
}

/// std_function.h: _M_invoker is _Function_handler<signature, target>::_M_invoke.
View function(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto manager = object.pointer("_M_manager");
  const auto invoker = object.pointer("_M_invoker");
  const auto functor = object.member("_M_functor");
  if (!manager || !invoker || !functor)
    return std::nullopt;
  const std::string name = std_name_with_argument(object);
  if (manager->address.value == 0)
    return plain_view(name + " [no target]");
  const auto arguments = arguments_in_name(symbol_at(environment, invoker->address), "std::_Function_handler");
  if (arguments.size() < 2)
    return broken_view(name, fmt::format("called by {:#x}, which is no function that does so: not initialised?",
                                         invoker->address.value));
  // Of a plain function the pointer is what is kept.
  if (arguments[1].find("(*)") != std::string::npos && arguments[1].find("::{lambda") == std::string::npos)
    if (const auto target = functor->source().unsigned_at(0, 8))
      if (const std::string called = symbol_at(environment, RunAddress{*target}); !called.empty())
        return plain_view(fmt::format("{} calling {}", name, called));
  return plain_view(fmt::format("{} calling {}", name, short_type_name(arguments[1])));
}

View atomic(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  if (const auto implementation = object.member("_M_impl"); implementation && implementation->member("_M_ptr")) {
    // atomic<shared_ptr<T>>: the counts' address has a lock bit.
    const auto counts = implementation->number("_M_refcount", "_M_val", "_M_i");
    const auto pointer = implementation->member("_M_ptr");
    return counts ? std::optional(single_view(std_name_with_argument(object), "get()", *pointer)) : std::nullopt;
  }
  const auto content = atomic_content(object);
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
  const auto pointer = object.member("_M_data");
  if (!pointer || !pointer->pointer())
    return std::nullopt;
  return single_view(std_name_with_argument(object), "get()", *pointer);
}

View unique_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  auto tuple = object.member("_M_t");
  if (tuple && tuple->type().name.starts_with("__uniq_ptr")) // since GCC 6
    tuple = tuple->member("_M_t");
  const auto pointer = tuple ? first_of_tuple(*tuple) : std::nullopt;
  return pointer ? std::optional(single_view(std_name_with_argument(object), "get()", *pointer)) : std::nullopt;
}

View shared_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto pointer = object.member("_M_ptr");
  const auto counts = object.pointer("_M_refcount", "_M_pi");
  if (!pointer || !pointer->pointer() || !counts)
    return std::nullopt;
  std::string problem;
  const auto state = count_text(object, *counts, problem);
  return state ? std::optional(counted_pointer_view(object, *pointer, *state, problem)) : std::nullopt;
}

View error_code(const Value &value, ChildRange, ValueEnvironment &environment) {
  return error_view(LibraryObject(value, environment), "_M_value", "_M_cat");
}

View exception_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto thrown = LibraryObject(value, environment).pointer("_M_exception_object");
  return thrown ? std::optional(exception_view(thrown->address, environment)) : std::nullopt;
}

} // namespace inspect::libstdcxx
