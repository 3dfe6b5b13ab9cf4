#include "values/printers/library_object.h"

#include "values/native/native_layout.h"
#include "values/printers/library_type_name.h"

#include <algorithm>
#include <charconv>

namespace inspect {
namespace {

/// Of bases and anonymous members in each other; a tuple has a base for each of its elements.
constexpr int max_depth = 64;
/// Members looked at in one search: bases that are each other's, which no compiler writes, would never end.
constexpr int max_visited = 20'000;
constexpr int max_alignment_depth = 16;

std::uint64_t alignment_within(TypeReader &types, const TypeHandle &handle, int depth, int &budget) {
  const DwarfType &type = types.underlying(handle);
  if (type.kind == DwarfTypeKind::array && depth > 0)
    return alignment_within(types, type.target, depth - 1, budget);
  if (!is_structure(type))
    return std::clamp<std::uint64_t>(types.size_of(handle).value_or(8), 1, 16);
  std::uint64_t widest = 1;
  for (std::size_t i = 0; i < type.members.size() && depth > 0 && --budget > 0; ++i)
    widest = std::max(widest, alignment_within(types, type.members[i].type, depth - 1, budget));
  return widest;
}

} // namespace

LibraryObject::LibraryObject(const Value &value, ValueEnvironment &environment)
    : LibraryObject(value.type.native, *value.source, value.language, environment) {}

LibraryObject::LibraryObject(const TypeHandle &type, ValueSource source, SourceLanguage language,
                             ValueEnvironment &environment)
    : handle_(type), source_(std::move(source)), language_(language), environment_(&environment) {}

const DwarfType &LibraryObject::type() const {
  return environment_->types.underlying(handle_);
}

std::optional<std::uint64_t> LibraryObject::size() const {
  return environment_->types.size_of(handle_);
}

LibraryObject LibraryObject::part(const DwarfMember &member) const {
  return {member.type, source_.at(member.offset), language_, *environment_};
}

std::optional<LibraryObject::Place> LibraryObject::find(const TypeHandle &type, std::string_view name, int depth,
                                                        int &budget) const {
  const DwarfType &shape = environment_->types.underlying(type);
  if (!is_structure(shape) || depth == 0)
    return std::nullopt;
  for (const DwarfMember &one : shape.members)
    if (--budget > 0 && !one.is_base && one.name == name && !one.bit_size)
      return Place{one.type, one.offset};
  for (const DwarfMember &one : shape.members)
    if (budget > 0 && (one.is_base ? !one.is_virtual : one.name.empty()))
      if (auto found = find(one.type, name, depth - 1, budget)) {
        found->offset += one.offset;
        return found;
      }
  return std::nullopt;
}

std::optional<LibraryObject> LibraryObject::step_to(std::string_view name) const {
  int budget = max_visited;
  const auto found = find(handle_, name, max_depth, budget);
  return found ? std::optional(LibraryObject(found->type, source_.at(found->offset), language_, *environment_))
               : std::nullopt;
}

/// Each part of a __compressed_pair is in a base of its own: as __value_, or, of an empty class, as a base of that.
std::optional<LibraryObject> LibraryObject::part_of_pair(std::size_t index) const {
  const auto holder = base(index);
  if (!holder)
    return std::nullopt;
  auto value = holder->step_to("__value_");
  return value ? value : holder->base(0);
}

std::optional<LibraryObject> LibraryObject::member(std::string_view path) const {
  std::optional<LibraryObject> found = *this;
  for (std::size_t begin = 0; found && begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    found = found->step_to(path.substr(begin, end - begin));
    if (found && found->is_pair())
      found = found->part_of_pair(0);
    begin = end + 1;
  }
  return found;
}

std::optional<LibraryObject> LibraryObject::member(std::initializer_list<std::string_view> paths) const {
  for (const std::string_view path : paths)
    if (auto found = member(path))
      return found;
  return std::nullopt;
}

std::optional<LibraryObject> LibraryObject::paired_with(std::string_view name) const {
  const auto pair = step_to(name);
  return pair && pair->is_pair() ? pair->part_of_pair(1) : std::nullopt;
}

std::optional<std::uint64_t> LibraryObject::offset_of(std::string_view name) const {
  int budget = max_visited;
  const auto found = find(handle_, name, max_depth, budget);
  return found ? std::optional(found->offset) : std::nullopt;
}

std::optional<LibraryObject> LibraryObject::base(std::size_t index) const {
  for (const DwarfMember &one : type().members)
    if (one.is_base && index-- == 0)
      return one.is_virtual ? std::nullopt : std::optional(part(one));
  return std::nullopt;
}

std::size_t LibraryObject::base_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(type().members, &DwarfMember::is_base));
}

std::optional<std::uint64_t> LibraryObject::number() const {
  const DwarfType &shape = type();
  const auto bytes = size();
  if ((shape.kind != DwarfTypeKind::base && shape.kind != DwarfTypeKind::enumeration) || !bytes || *bytes == 0 ||
      *bytes > 8)
    return std::nullopt;
  return source_.unsigned_at(0, static_cast<std::size_t>(*bytes));
}

std::optional<std::int64_t> LibraryObject::signed_number() const {
  const auto bits = number();
  if (!bits)
    return std::nullopt;
  const auto unused = static_cast<unsigned>(64 - 8 * *size());
  return static_cast<std::int64_t>(*bits << unused) >> unused;
}

std::optional<TypedPointer> LibraryObject::pointer() const {
  const DwarfType &shape = type();
  if ((!is_pointer(shape) && shape.kind != DwarfTypeKind::reference) || size() != 8U)
    return std::nullopt;
  const auto address = source_.unsigned_at(0, 8);
  return address ? std::optional(TypedPointer{RunAddress{*address}, shape.target}) : std::nullopt;
}

std::vector<std::string> LibraryObject::arguments_in_name() const {
  const std::string_view name = type().name;
  const std::size_t open = name.find('<');
  return open == std::string_view::npos ? std::vector<std::string>() : template_arguments_of(name.substr(open));
}

std::optional<TypeHandle> LibraryObject::type_named(std::string_view name) const {
  if (name.ends_with('*')) {
    const auto target = type_named(name.substr(0, name.find_last_not_of(" *") + 1));
    return target && name.find('*') == name.size() - 1 ? std::optional(environment_->types.pointer_to(*target))
                                                       : std::nullopt;
  }
  const auto found = environment_->find_type ? environment_->find_type(name, language_) : std::nullopt;
  return found && found->go == nullptr ? std::optional(found->native) : std::nullopt;
}

std::optional<TypeHandle> LibraryObject::type_argument(std::size_t index) const {
  const std::vector<DwarfTemplateArgument> &arguments = type().template_arguments;
  if (index < arguments.size())
    return arguments[index].is_value ? std::nullopt : std::optional(arguments[index].type);
  const std::vector<std::string> names = arguments_in_name();
  return index < names.size() ? type_named(names[index]) : std::nullopt;
}

std::optional<std::int64_t> LibraryObject::value_argument(std::size_t index) const {
  const std::vector<DwarfTemplateArgument> &arguments = type().template_arguments;
  if (index < arguments.size())
    return arguments[index].value;
  const std::vector<std::string> names = arguments_in_name();
  std::int64_t number = 0;
  if (index >= names.size() ||
      std::from_chars(names[index].data(), names[index].data() + names[index].size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

std::size_t LibraryObject::argument_count() const {
  const std::size_t described = type().template_arguments.size();
  return described != 0 ? described : arguments_in_name().size();
}

std::optional<TypeHandle> LibraryObject::dereferenced_type() const {
  for (const DwarfMethod &method : type().methods)
    if (method.name == "operator*") {
      const DwarfType &returned = environment_->types.underlying(environment_->types.read(method.type).target);
      if (returned.kind == DwarfTypeKind::reference)
        return returned.target;
    }
  return std::nullopt;
}

std::optional<LibraryObject> LibraryObject::declared_as(std::string_view c_type) const {
  const auto found = type().is_declaration ? type_named(c_type) : std::nullopt;
  return found ? std::optional(as(*found)) : std::nullopt;
}

LibraryObject LibraryObject::as(const TypeHandle &type) const {
  return {type, source_, language_, *environment_};
}

LibraryObject LibraryObject::at(RunAddress address, const TypeHandle &type) const {
  const std::uint64_t bytes = environment_->types.size_of(type).value_or(0);
  return {type, ValueSource::in_memory(environment_->memory, address, bytes), language_, *environment_};
}

Value LibraryObject::value() const {
  return {.type = {.native = handle_}, .language = language_, .source = source_};
}

std::optional<std::uint64_t> LibraryObject::number(std::initializer_list<std::string_view> paths) const {
  const auto found = member(paths);
  return found ? found->number() : std::nullopt;
}

std::optional<TypedPointer> LibraryObject::pointer(std::initializer_list<std::string_view> paths) const {
  const auto found = member(paths);
  return found ? found->pointer() : std::nullopt;
}

std::uint64_t bytes_of(const std::optional<TypeHandle> &type, ValueEnvironment &environment) {
  return type ? environment.types.size_of(*type).value_or(0) : 0;
}

std::uint64_t alignment_of(TypeReader &types, const TypeHandle &type) {
  int budget = max_visited;
  return alignment_within(types, type, max_alignment_depth, budget);
}

Value made_value(const TypeHandle &type, std::uint64_t bits, SourceLanguage language, ValueEnvironment &environment) {
  const std::uint64_t size = std::clamp<std::uint64_t>(environment.types.size_of(type).value_or(1), 1, 8);
  return computed_value(low_bytes(bits, static_cast<std::size_t>(size)), type, language);
}

} // namespace inspect
