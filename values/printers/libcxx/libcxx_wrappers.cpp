#include "values/printers/libcxx/libcxx_parts.h"
#include "values/printers/libcxx/libcxx_views.h"
#include "values/printers/library_parts.h"
#include "values/printers/library_type_name.h"
#include "values/printers/library_walks.h"

#include <fmt/format.h>

namespace inspect::libcxx {
namespace {

/// __shared_weak_count: owners are counted from 0 (-1: none left), weak ones too, and all owners together as one weak.
std::optional<std::string> count_text(const LibraryObject &pointer, const TypedPointer &counts, std::string &problem) {
  if (counts.address.value == 0)
    return "empty";
  const LibraryObject counted = pointer.at(counts.address, counts.target);
  auto owners_member = counted.member("__shared_owners_");
  auto weak_member = counted.member("__shared_weak_owners_");
  if (counted.type().is_declaration && counted.type().name == "__shared_weak_count") {
    // Its virtual table is in the library, and clang describes a class only where that is: {vptr, owners, weak owners}.
    const TypeHandle number = pointer.environment().types.base_type("long", TypeEncoding::signed_integer, 8);
    owners_member = pointer.at(counts.address + 8, number);
    weak_member = pointer.at(counts.address + 16, number);
  }
  if (!owners_member || !weak_member)
    return std::nullopt;
  const auto owners = owners_member->signed_number();
  const auto weak = weak_member->signed_number();
  if (!owners || !weak) {
    problem = fmt::format("its counts at {:#x} cannot be read: not initialised?", counts.address.value);
    return "";
  }
  if (*owners < -1 || *weak < -1 || *owners > INT32_MAX || *weak > INT32_MAX || counts.address.value % 8 != 0) {
    problem = fmt::format("counts of {} owners and {} weak ones: not initialised?", *owners, *weak);
    return "";
  }
  return *owners == -1 ? fmt::format("expired, weak count {}", *weak + 1)
                       : fmt::format("use count {}, weak count {}", *owners + 1, *weak);
}

} // namespace

/// __tuple_impl has a base __tuple_leaf<i, T, empty> of each element.
View tuple(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto implementation = object.member("__base_");
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.length = implementation ? implementation->base_count() : 0;
  if (!implementation && object.argument_count() != 0)
    return std::nullopt;
  for (std::uint64_t i = wanted.first; i < *view.length && i - wanted.first < wanted.count; ++i) {
    const auto leaf = implementation->base(i);
    auto element = leaf ? leaf->member("__value_") : std::nullopt;
    if (!element && leaf)
      element = leaf->base(0);
    if (!element || !add_child(view, {.name = index_name(i + 1), .key = std::nullopt, .value = element->value()}))
      return std::nullopt;
  }
  view.label = *view.length == 0 ? "empty std::tuple" : "std::tuple containing";
  return view;
}

View optional(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto engaged = object.number("__engaged_");
  const auto content = object.member("__val_");
  if (!engaged || !content)
    return std::nullopt;
  const std::string name = std_name_with_argument(object);
  if (*engaged > 1)
    return broken_view(name, "neither filled nor empty: not initialised?");
  return *engaged == 0 ? hollow_view(name + " [no contained value]") : single_view(name, "[contained value]", *content);
}

View variant(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto implementation = object.member_of_names({"__impl_", "__impl"});
  const auto index = implementation ? implementation->member("__index") : std::nullopt;
  const auto number = number_of(index);
  const auto storage = implementation ? implementation->member("__data") : std::nullopt;
  if (!number || !storage)
    return std::nullopt;
  return variant_view(object, *number, static_cast<unsigned>(*index->size()), *storage);
}

/// any: which type it holds is known by the function that handles it.
View any(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto handler = object.member_of_names({"__h_", "__h"});
  const auto storage = object.member_of_names({"__s_", "__s"});
  const auto function = pointer_of(handler);
  const auto pointer = pointer_of(storage, {"__ptr"});
  const auto buffer = storage ? storage->member("__buf") : std::nullopt;
  if (!function || !pointer || !buffer)
    return std::nullopt;
  if (function->address.value == 0)
    return hollow_view("std::any [no contained value]");
  const std::string symbol = symbol_at(environment, function->address);
  for (const std::string_view kind : {"std::__1::__any_imp::_SmallHandler", "std::__1::__any_imp::_LargeHandler"}) {
    const auto arguments = arguments_in_name(symbol, kind);
    if (arguments.empty())
      continue;
    std::optional<TypeHandle> type;
    for (const char *space : {"", " "})
      if (const auto found =
              environment.find_type
                  ? environment.find_type(fmt::format("{}<{}{}>", kind, arguments[0], space), value.language)
                  : std::nullopt;
          found && !type)
        type = object.as(found->native).type_argument(0);
    const bool inside = kind.ends_with("_SmallHandler") && buffer->address();
    return any_view(object, arguments[0], type, inside ? *buffer->address() : pointer->address);
  }
  return broken_view("std::any", fmt::format("handled by {:#x}, which is no function that does so: not initialised?",
                                             function->address.value));
}

/// __function/function.h: __value_func::__f_ points to a __func<target, allocator, signature>, or is null.
View function(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto holder = object.member("__f_");
  const auto callable = pointer_of(holder, {"__f_"});
  if (!callable || !holder->member("__buf_"))
    return std::nullopt;
  const std::string name = std_name_with_argument(object);
  if (callable->address.value == 0)
    return plain_view(name + " [no target]");
  const auto arguments =
      arguments_in_name(class_name_of(environment, callable->address), "std::__1::__function::__func");
  if (arguments.empty())
    return broken_view(name, fmt::format("nothing to call is at {:#x}: not initialised?", callable->address.value));
  if (arguments[0].find("(*)") != std::string::npos)
    if (const auto target = read_word(environment.memory, callable->address + 8))
      if (const std::string called = symbol_at(environment, RunAddress{*target}); !called.empty())
        return plain_view(fmt::format("{} calling {}", name, called));
  return plain_view(fmt::format("{} calling {}", name, short_type_name(arguments[0])));
}

View atomic(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto content = object.member({"__a_", "__a_value"});
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
  const auto pointer = object.member("__f_");
  if (!pointer || !pointer->pointer())
    return std::nullopt;
  return single_view(std_name_with_argument(object), "get()", *pointer);
}

View unique_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto pointer = first_part(object, "__ptr_", "__ptr_");
  return pointer ? std::optional(single_view(std_name_with_argument(object), "get()", *pointer)) : std::nullopt;
}

View shared_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto pointer = object.member("__ptr_");
  const auto counts = object.pointer("__cntrl_");
  if (!pointer || !pointer->pointer() || !counts)
    return std::nullopt;
  std::string problem;
  const auto state = count_text(object, *counts, problem);
  return state ? std::optional(counted_pointer_view(object, *pointer, *state, problem)) : std::nullopt;
}

View error_code(const Value &value, ChildRange, ValueEnvironment &environment) {
  return error_view(LibraryObject(value, environment), "__val_", "__cat_");
}

View exception_ptr(const Value &value, ChildRange, ValueEnvironment &environment) {
  const auto thrown = LibraryObject(value, environment).pointer("__ptr_");
  return thrown ? std::optional(exception_view(thrown->address, environment)) : std::nullopt;
}

} // namespace inspect::libcxx
