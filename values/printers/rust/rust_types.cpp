#include "values/printers/rust/rust_types.h"

#include "values/native/native_layout.h"
#include "values/printers/rust/rust_unsized.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// User space ends there: no object is larger.
constexpr std::uint64_t address_space = std::uint64_t{1} << 47;
/// Of which values are made at once.
constexpr std::size_t max_children = 1'000'000;

bool is_text_name(std::string_view name) {
  for (const std::string_view prefix : {"&mut ", "*const ", "*mut ", "&", "alloc::boxed::Box<", "Box<",
                                        "alloc::rc::Rc<", "Rc<", "alloc::sync::Arc<", "Arc<"})
    if (name.starts_with(prefix)) {
      name.remove_prefix(prefix.size());
      break;
    }
  name = name.substr(0, name.find_first_of(",>"));
  return name == "str" || name == "std::path::Path" || name == "std::ffi::os_str::OsStr" ||
         name == "core::ffi::c_str::CStr";
}

/// A text's bytes; of a CStr without the NUL that ends it.
LibraryView text_behind(const FatPointer &pointer, std::uint64_t header, const std::string &name,
                        ValueEnvironment &environment) {
  const bool has_nul = name.contains("c_str::CStr") && *pointer.length > 0;
  return rust_text_view(pointer.data.address + header, *pointer.length - (has_nul ? 1 : 0), environment);
}

std::optional<LibraryView> pointer(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto pointer = fat_pointer(object);
  if (!pointer)
    return std::nullopt;
  if (pointer->length && is_text_name(object.type().name))
    return text_behind(*pointer, 0, object.type().name, environment);
  if (pointer->length && pointer->pointee.starts_with('['))
    return rust_sequence(pointer->data.address, *pointer->length, pointer->data.target, value, wanted, environment);
  Value target = unsized_target(*pointer, object);
  if (!target.source && pointer->table)
    if (const auto table = rust_table(RunAddress{*pointer->table}, pointer->table_words, environment);
        table && !table->type)
      return plain_view(fmt::format("{} at 0x{:x}", table->name, pointer->data.address.value));
  if (!target.source && pointer->table && pointer->pointee.starts_with("dyn "))
    return std::nullopt; // the words say more than the reason
  return single_view({}, {}, std::move(target));
}

std::optional<LibraryView> counted_pointer(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto pointer = object.member("ptr");
  const std::string &name = object.type().name;
  if (!pointer)
    return std::nullopt;
  const LibraryObject inner = sole_part(*pointer);
  std::optional<TypedPointer> header = inner.pointer();
  const std::optional<FatPointer> fat = header ? std::nullopt : fat_pointer(inner);
  if (fat)
    header = fat->data;
  if (!header)
    return std::nullopt;
  const LibraryObject counts = object.at(header->address, header->target);
  const auto strong = read_word(environment.memory, header->address);
  const auto weak = read_word(environment.memory, header->address + 8);
  LibraryView view;
  view.shape = LibraryView::Shape::single;
  const std::string kind = name.substr(0, name.find('<'));
  if (!strong || !weak) {
    view.label = kind;
    view.problem = fmt::format("its counts at 0x{:x} cannot be read", header->address.value);
    return view;
  }
  // The strong ones hold one weak count together.
  view.label = fmt::format("{}(strong={}, weak={})", kind, *strong, *weak - (*weak > 0 ? 1 : 0));
  if (fat && fat->length && is_text_name(name))
    return text_behind(*fat, 16, name, environment);
  Value whole = fat ? unsized_target(*fat, inner) : counts.value();
  if (!whole.source) {
    view.problem = whole.missing;
    return view;
  }
  const auto content = LibraryObject(whole, environment).member({"value", "data"});
  if (!content)
    return std::nullopt;
  if (fat && fat->length && content->type().kind == DwarfTypeKind::array) {
    const Value elements = content->value();
    const auto first = elements.source->address();
    if (content->type().name == rust_text_type || !first)
      return std::nullopt;
    return rust_sequence(*first, *fat->length, content->type().target, value, wanted, environment);
  }
  add_child(view, {}, content->value());
  return view;
}

} // namespace

LibraryView rust_sequence(RunAddress first, std::uint64_t length, const TypeHandle &element, const Value &of,
                          ChildRange wanted, ValueEnvironment &environment) {
  LibraryView view = sequence_view({});
  view.length = length;
  view.child_type = ValueType{.native = element};
  const auto size = environment.types.size_of(element);
  std::uint64_t bytes = 0;
  if (!size || __builtin_mul_overflow(length, *size, &bytes) || bytes > address_space || length > address_space) {
    view.problem = size ? fmt::format("a length of {}: not initialised?", length) : "elements of an unknown size";
    return view;
  }
  for (std::uint64_t i = wanted.first; i < length && i - wanted.first < std::min(wanted.count, max_children); ++i) {
    if (environment.out_of_time())
      break;
    view.children.push_back({{}, std::nullopt, value_at(first + i * *size, element, of.language, environment)});
  }
  return view;
}

LibraryView rust_text_view(RunAddress first, std::uint64_t length, ValueEnvironment &environment) {
  LibraryView view;
  view.shape = LibraryView::Shape::text;
  view.length = length;
  if (length > address_space)
    view.problem = fmt::format("a length of {}: not initialised?", length);
  else
    view.characters = ValueSource::in_memory(environment.memory, first, length);
  return view;
}

LibraryObject sole_part(LibraryObject object) {
  for (int depth = 0; depth < 12 && is_structure(object.type()) && !object.type().variants; ++depth) {
    const DwarfMember *only = nullptr;
    for (const DwarfMember &member : object.type().members) {
      const auto size = object.environment().types.size_of(member.type);
      if (size == 0U || member.type.is_void())
        continue;
      if (only != nullptr)
        return object;
      only = &member;
    }
    const auto part = only != nullptr ? object.member(only->name) : std::nullopt;
    if (!part)
      return object;
    object = *part;
  }
  return object;
}

std::optional<TypedPointer> sole_pointer(const std::optional<LibraryObject> &object) {
  return object ? sole_part(*object).pointer() : std::nullopt;
}

std::optional<std::uint64_t> sole_number(const std::optional<LibraryObject> &object) {
  return object ? sole_part(*object).number() : std::nullopt;
}

std::optional<LibraryView> rust_view(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  const DwarfType &type = environment.types.underlying(value.type.native);
  if (type.kind == DwarfTypeKind::array && type.name == rust_text_type && value.source) {
    LibraryView view;
    view.shape = LibraryView::Shape::text;
    view.length = type.dimensions.front().value_or(0);
    view.characters = value.source;
    return view;
  }
  if (!is_structure(type) || !value.source)
    return std::nullopt;
  const bool is_pointer = type.name.starts_with('&') || type.name.starts_with('*') ||
                          type.name.starts_with("alloc::boxed::Box<") || type.name.starts_with("Box<");
  return is_pointer ? pointer(value, wanted, environment) : library_view(value, wanted, environment);
}

std::optional<Value> rust_pointee(const Value &value, ValueEnvironment &environment) {
  if (!value.source || !is_structure(environment.types.underlying(value.type.native)))
    return std::nullopt;
  const LibraryObject object(value, environment);
  const auto pointer = fat_pointer(object);
  return pointer ? std::optional(unsized_target(*pointer, object)) : std::nullopt;
}

std::span<const LibraryType> rust_pointer_types() {
  static constexpr LibraryType types[] = {
      {"alloc::boxed::Box", pointer},
      {"alloc::rc::Rc", counted_pointer},
      {"alloc::sync::Arc", counted_pointer},
  };
  return types;
}

} // namespace inspect
