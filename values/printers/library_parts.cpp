#include "values/printers/library_parts.h"

#include "values/native/symbol_text.h"
#include "values/printers/library_type_name.h"
#include "values/printers/library_walks.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

bool bit_at(const ValueSource &words, std::uint64_t bit, bool &known) {
  const auto byte = words.unsigned_at(bit / 8, 1);
  known = byte.has_value();
  return known && (*byte >> (bit % 8) & 1) != 0;
}

} // namespace

std::string std_name(const LibraryObject &object) {
  const std::string &name = object.type().name;
  return "std::" + name.substr(0, name.find('<'));
}

std::string std_name_with_argument(const LibraryObject &object, std::size_t index) {
  const auto argument = object.type_argument(index);
  return argument ? fmt::format("{}<{}>", std_name(object), short_type_name(object.environment().types, *argument))
                  : std_name(object);
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

LibraryView single_view(std::string label, std::string child_name, const LibraryObject &child) {
  LibraryView view = plain_view(std::move(label));
  view.shape = LibraryView::Shape::single;
  view.child_type = ValueType{.native = child.handle()};
  view.children.push_back({.name = std::move(child_name), .key = std::nullopt, .value = child.value()});
  return view;
}

LibraryView counted_pointer_view(const LibraryObject &owner, const LibraryObject &pointer, std::string_view counts,
                                 const std::string &problem) {
  const std::string name = std_name_with_argument(owner);
  LibraryView view = single_view(problem.empty() ? fmt::format("{} ({})", name, counts) : name, "get()", pointer);
  view.problem = problem;
  return view;
}

LibraryView hollow_view(std::string label) {
  LibraryView view = plain_view(std::move(label));
  view.shape = LibraryView::Shape::single;
  return view;
}

std::optional<LibraryView> wrapping_view(const LibraryObject &adaptor, ChildRange wanted) {
  const auto container = adaptor.member("c");
  auto view = container ? library_view(container->value(), wanted, adaptor.environment()) : std::nullopt;
  if (view)
    view->label = fmt::format("{} wrapping: {}", std_name(adaptor), view->label);
  return view;
}

std::optional<LibraryView> pair_view(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.length = 2;
  std::size_t index = 0;
  for (const std::string_view name : {"first", "second"}) {
    const auto part = object.member(name);
    if (!part)
      return std::nullopt;
    if (index >= wanted.first && index - wanted.first < wanted.count)
      add_child(view, {.name = std::string(name), .key = std::nullopt, .value = part->value()});
    ++index;
  }
  return view;
}

std::optional<LibraryView> adaptor_view(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  return wrapping_view(LibraryObject(value, environment), wanted);
}

std::optional<LibraryView> array_view(const LibraryObject &object, const LibraryObject &elements, ChildRange wanted) {
  const auto length = object.value_argument(1);
  const auto element = object.type_argument(0);
  const std::uint64_t size = bytes_of(element, object.environment());
  std::uint64_t bytes = 0;
  if (!length || *length < 0 || size == 0 ||
      __builtin_mul_overflow(static_cast<std::uint64_t>(*length), size, &bytes) ||
      (*length > 0 && elements.size() != bytes))
    return std::nullopt;
  LibraryView view;
  view.shape = LibraryView::Shape::sequence;
  view.length = static_cast<std::uint64_t>(*length);
  view.label = fmt::format("std::array of length {}", *length);
  view.child_type = ValueType{.native = *element};
  for (std::uint64_t i = wanted.first; i < *view.length && i - wanted.first < wanted.count; ++i) {
    Value child = elements.as(*element).value();
    child.source = elements.source().at(i * size);
    if (!add_child(view, {.name = {}, .key = std::nullopt, .value = std::move(child)}))
      break;
  }
  return view;
}

bool add_bits(LibraryView &view, const BitSequence &bits, const TypeHandle &type, ChildRange wanted,
              const LibraryObject &around) {
  view.length = bits.length;
  view.child_type = ValueType{.native = type};
  for (std::uint64_t i = wanted.first; i < bits.length; ++i) {
    if (!bits.only_set && i - wanted.first >= wanted.count)
      break;
    bool known = false;
    const bool bit = bit_at(bits.words, bits.first_bit + i, known);
    if (!known)
      return false;
    if (bits.only_set && !bit && wanted.count != 1)
      continue;
    if (view.children.size() >= wanted.count)
      break;
    const Value value = made_value(type, bit ? 1 : 0, around.value().language, around.environment());
    if (around.environment().out_of_time() ||
        !add_child(view, {.name = bits.only_set ? index_name(i) : "", .key = std::nullopt, .value = value}))
      break;
  }
  return true;
}

std::optional<LibraryView> variant_view(const LibraryObject &variant, std::uint64_t index, unsigned index_size,
                                        const LibraryObject &storage) {
  const std::size_t count = variant.argument_count();
  std::string names;
  for (std::size_t i = 0; i < count; ++i) {
    const auto one = variant.type_argument(i);
    if (!one)
      return std::nullopt;
    names += (names.empty() ? "" : ", ") + short_type_name(variant.environment().types, *one);
  }
  const std::string name = fmt::format("{}<{}>", std_name(variant), names);
  const std::uint64_t none = index_size >= 8 ? UINT64_MAX : (std::uint64_t{1} << (8 * index_size)) - 1;
  if (index == none)
    return hollow_view(name + " [no contained value]");
  if (index >= count)
    return broken_view(name, fmt::format("an index of {} of {} alternatives: not initialised?", index, count));
  return single_view(fmt::format("{} [index {}]", name, index), {}, storage.as(*variant.type_argument(index)));
}

std::string symbol_at(ValueEnvironment &environment, RunAddress address) {
  const auto place = symbol_place(address, environment);
  return place ? place->name : "";
}

LibraryView any_view(const LibraryObject &any, std::string_view type_name, std::optional<TypeHandle> type,
                     RunAddress place) {
  const std::string label = "std::any containing " + short_type_name(type_name);
  return type ? single_view(label, "[contained value]", any.at(place, *type)) : plain_view(label);
}

std::vector<std::string> arguments_in_name(std::string_view name, std::string_view template_name) {
  const std::size_t begin = name.find(fmt::format("{}<", template_name));
  return begin == std::string_view::npos ? std::vector<std::string>()
                                         : template_arguments_of(name.substr(begin + template_name.size()));
}

} // namespace inspect
