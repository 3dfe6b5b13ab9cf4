#include "values/go/go_operations.h"

#include "machine/near_misses.h"
#include "values/go/go_closures.h"
#include "values/go/go_conversion.h"
#include "values/go/go_variables.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace inspect {
namespace {

/// Of pointers and interfaces on the way to a structure; more are a circle.
constexpr int max_steps = 16;
/// Of structures in structures whose fields are promoted.
constexpr int max_embeddings = 16;
constexpr std::size_t max_names = 4096;
/// Groups of eight entries that the search for a key may look at: two million entries.
constexpr int max_groups = 1 << 18;

/// The structure that a value is, points to, or holds.
Result<Value> structure_of(const Value &value, ValueEnvironment &environment) {
  Value current = value;
  for (int steps = 0; steps < max_steps; ++steps) {
    const GoType &type = whole(*current.type.go, environment);
    if (type.kind == GoKind::structure)
      return current;
    if (type.kind != GoKind::pointer && type.kind != GoKind::interface)
      return std::unexpected(Error(ErrorKind::usage, fmt::format("{} has no fields", type.name)));
    auto next = type.kind == GoKind::pointer ? operations_of(current).dereference(current, environment)
                                             : go_dynamic_value(current, environment);
    if (!next)
      return next;
    current = std::move(*next);
  }
  return std::unexpected(Error(ErrorKind::corrupt, "the pointers lead in a circle"));
}

Value field_of(const Value &structure, const GoField &field) {
  Value part = structure;
  part.type.go = field.type;
  part.register_number.reset();
  if (part.source)
    part.source = part.source->at(field.offset);
  return part;
}

/// An embedded field's type, or what it points to; null of a field that is none.
const GoType *embedded_type(const GoField &field, ValueEnvironment &environment) {
  if (!field.embedded || field.type == nullptr)
    return nullptr;
  const GoType *type = &whole(*field.type, environment);
  return type->kind == GoKind::pointer && type->element != nullptr ? &whole(*type->element, environment) : type;
}

/// "inner.X" of the way to X.
std::string selected_text(const std::vector<const GoField *> &way, bool is_method, std::string_view name) {
  std::string text;
  for (const GoField *field : way)
    text += (text.empty() ? "" : ".") + field->name;
  return is_method ? fmt::format("{}{}{}", text, text.empty() ? "" : ".", name) : text;
}

/// The structure behind an embedded field's type, which may be a pointer to it.
const GoType *embedded_structure(const GoField &field, ValueEnvironment &environment) {
  const GoType *type = embedded_type(field, environment);
  return type != nullptr && type->kind == GoKind::structure ? type : nullptr;
}

/// Where a selector leads: through these fields, and at last to one of them or to a method.
struct Selection {
  std::vector<const GoField *> way;
  std::optional<Value> method;
  std::vector<std::string> others; ///< not empty: at the same depth are several, these
};

/// A method of the type or of a pointer to it, "main.T.m" or "main.(*T).m", as far as the program has it still.
std::optional<Value> method_of(const GoType &type, std::string_view name, ValueEnvironment &environment) {
  const std::size_t slash = type.name.rfind('/');
  const std::size_t dot = type.name.find('.', slash == std::string::npos ? 0 : slash);
  if (!environment.go->find_function || dot == std::string::npos || type.name.find_first_of("*[{( ") == 0)
    return std::nullopt;
  const std::string_view package = std::string_view(type.name).substr(0, dot);
  const std::string_view own = std::string_view(type.name).substr(dot + 1);
  for (const std::string &function :
       {fmt::format("{}.{}.{}", package, own, name), fmt::format("{}.(*{}).{}", package, own, name)})
    if (auto found = environment.go->find_function(function, environment.memory))
      return found;
  return std::nullopt;
}

/// The shallowest one, level by level, as Go does (go.dev/ref/spec, "Selectors"); an empty way without a method: there
/// is none.
Selection select(const GoType &structure, std::string_view name, ValueEnvironment &environment) {
  struct Place {
    const GoType *type;
    std::vector<const GoField *> way;
  };
  std::vector<Place> level{{&structure, {}}};
  std::set<const GoType *> seen;
  for (int depth = 0; depth < max_embeddings && !level.empty(); ++depth) {
    std::vector<Place> next;
    std::vector<Selection> found;
    for (const Place &place : level) {
      if (!seen.insert(place.type).second)
        continue;
      for (const GoField &field : place.type->fields) {
        std::vector<const GoField *> way = place.way;
        way.push_back(&field);
        if (field.name == name)
          found.push_back({way, std::nullopt, {}});
        if (const GoType *embedded = embedded_type(field, environment))
          next.push_back({embedded, std::move(way)});
      }
    }
    if (found.empty())
      for (const Place &place : level)
        if (auto method = method_of(*place.type, name, environment))
          found.push_back({place.way, std::move(method), {}});
    if (found.size() > 1)
      for (const Selection &one : found)
        found.front().others.push_back(selected_text(one.way, one.method.has_value(), name));
    if (!found.empty())
      return std::move(found.front());
    level = std::move(next);
  }
  return {};
}

void add_names(const GoType &structure, std::set<const GoType *> &seen, std::vector<std::string> &names,
               ValueEnvironment &environment) {
  if (seen.size() >= max_names || !seen.insert(&structure).second)
    return;
  for (const GoField &field : structure.fields)
    if (names.size() < max_names && field.name != "_" && std::ranges::find(names, field.name) == names.end())
      names.push_back(field.name);
  for (const GoField &field : structure.fields)
    if (const GoType *embedded = embedded_structure(field, environment))
      add_names(*embedded, seen, names, environment);
}

Error no_field(const GoType &type, std::string_view name, ValueEnvironment &environment) {
  return {ErrorKind::not_found,
          fmt::format("{} has no field {}{}", type.name, name, did_you_mean(name, go_member_names(type, environment)))};
}

/// runtime.hchan's fields under their names; the buffer as an array of the channel's elements, in the ring's order.
Result<Value> go_channel_member(const Value &channel, std::string_view name, ValueEnvironment &environment) {
  const GoType &type = *channel.type.go;
  const auto source = source_of(channel);
  if (!source)
    return std::unexpected(source.error());
  const auto address = read_number(*source, 0, 8);
  if (!address)
    return std::unexpected(address.error());
  if (*address == 0)
    return std::unexpected(Error(ErrorKind::unreadable, fmt::format("the {} is nil", type.name)));
  const auto fields = read_go_channel(RunAddress{*address}, go_version_of(environment), environment.memory);
  if (!fields)
    return std::unexpected(fields.error());
  GoTypePool &pool = *environment.go->pool;
  if (name == "buf" && type.element != nullptr)
    return go_value_at(*pool.array_of(whole(*type.element, environment), fields->capacity), fields->buffer,
                       environment);
  // With debug information all of them; without, those that are always read.
  if (environment.find_type)
    if (const auto described = environment.find_type("runtime.hchan", SourceLanguage::go);
        described && described->go != nullptr)
      return go_member(go_value_at(whole(*described->go, environment), RunAddress{*address}, environment), name,
                       environment);
  const auto number = [&](std::string_view kind, std::uint64_t value) {
    return go_value_of_words(*pool.predeclared(kind), {value});
  };
  if (name == "qcount")
    return number("uint", fields->count);
  if (name == "dataqsiz")
    return number("uint", fields->capacity);
  if (name == "closed")
    return number("uint32", fields->closed ? 1 : 0);
  if (name == "recvx")
    return number("uint", fields->first);
  return std::unexpected(Error(
      ErrorKind::not_found, fmt::format("{} has no field {}: qcount, dataqsiz, buf, closed, recvx", type.name, name)));
}

/// Compares keys of a map with the one that is looked for.
class KeyMatch {
public:
  static Result<KeyMatch> of(const GoType &type, const Value &key, ValueEnvironment &environment) {
    KeyMatch match(type, key, environment);
    const auto prepared = match.prepare();
    if (!prepared)
      return std::unexpected(prepared.error());
    return match;
  }

  Result<bool> matches(RunAddress place) const {
    if (bytes_.empty() && type_->kind != GoKind::string)
      return go_equal(go_value_at(*type_, place, *environment_), key_, *environment_);
    const ValueSource source = ValueSource::in_memory(environment_->memory, place, type_->size);
    if (type_->kind == GoKind::string) {
      const auto list = read_go_string(source);
      if (!list || list->length != text_.size())
        return list ? Result<bool>(false) : std::unexpected(list.error());
      const auto text = read_go_text(*list, text_.size(), environment_->memory);
      return text ? Result<bool>(*text == text_) : std::unexpected(text.error());
    }
    std::vector<std::byte> found(bytes_.size());
    if (!source.read(0, found))
      return std::unexpected(unreadable_at(place));
    return found == bytes_;
  }

private:
  KeyMatch(const GoType &type, Value key, ValueEnvironment &environment)
      : type_(&type), key_(std::move(key)), environment_(&environment) {}

  /// Numbers and texts are made ready once; a constant takes the key's type.
  Result<void> prepare() {
    const GoType *given = key_.type.go;
    if (type_->kind == GoKind::string) {
      auto text = operations_of(key_).text(key_, SIZE_MAX >> 20, *environment_);
      if (!text)
        return std::unexpected(text.error());
      text_ = std::move(*text);
    } else if (is_go_number(*type_) || type_->kind == GoKind::boolean || is_go_address(*type_)) {
      const auto number = any_number(key_, *environment_);
      if (!number)
        return std::unexpected(number.error());
      auto bytes = encode_go_number(*number, *type_);
      if (!bytes)
        return std::unexpected(bytes.error());
      const bool is_float = type_->kind == GoKind::float32 || type_->kind == GoKind::float64;
      if (is_float) // 0 and -0 are one key, and NaN none
        key_ = go_value_of_bytes(*type_, *bytes);
      else
        bytes_ = std::move(*bytes);
    } else if (given == nullptr || (type_->kind != GoKind::interface && !same_go_type(*given, *type_))) {
      return std::unexpected(Error(ErrorKind::usage, fmt::format("the map's keys are {}, not {}", type_->name,
                                                                 given != nullptr ? given->name : "native values")));
    }
    return {};
  }

  const GoType *type_;
  Value key_;
  ValueEnvironment *environment_;
  std::string text_;
  std::vector<std::byte> bytes_; ///< empty: compared part by part
};

std::string key_text(const Value &key, ValueEnvironment &environment) {
  if (const auto text = operations_of(key).text(key, 64, environment))
    return fmt::format(" \"{}\"", *text);
  const auto number = any_number(key, environment);
  return number && number->kind != Number::Kind::floating ? fmt::format(" {}", number->integer) : std::string();
}

} // namespace

Result<Value> go_member(const Value &value, std::string_view name, ValueEnvironment &environment) {
  if (whole(*value.type.go, environment).kind == GoKind::channel)
    return go_channel_member(value, name, environment);
  if (value.type.go->kind == GoKind::function)
    return go_captured_member(value, name, environment);
  const auto structure = structure_of(value, environment);
  if (!structure) {
    // A type that is no structure may have methods.
    if (auto method = method_of(*value.type.go, name, environment))
      return *std::move(method);
    return structure;
  }
  const GoType &type = *structure->type.go;
  Selection selection = select(type, name, environment);
  if (!selection.others.empty())
    return std::unexpected(Error(
        ErrorKind::usage, fmt::format("{} of {} is ambiguous: {}", name, type.name, fmt::join(selection.others, ", ")),
        "name the field in between"));
  if (selection.method)
    return *std::move(selection.method);
  if (selection.way.empty())
    return std::unexpected(no_field(type, name, environment));
  Value current = *structure;
  for (const GoField *field : selection.way) {
    auto holder = structure_of(current, environment);
    if (!holder)
      return holder;
    if (field->type == nullptr)
      return std::unexpected(Error(ErrorKind::not_found, fmt::format("the type of {} is not known", field->name)));
    current = field_of(*holder, *field);
  }
  return current;
}

std::vector<std::string> go_member_names(const GoType &type, ValueEnvironment &environment) {
  const GoType *structure = &whole(type, environment);
  for (int steps = 0; steps < max_steps && structure->kind == GoKind::pointer && structure->element != nullptr; ++steps)
    structure = &whole(*structure->element, environment);
  std::vector<std::string> names;
  std::set<const GoType *> seen;
  add_names(*structure, seen, names, environment);
  return names;
}

Result<Value> go_map_element(const Value &map, const Value &key, ValueEnvironment &environment) {
  const GoType &type = whole(*map.type.go, environment);
  const auto address = read_number(*map.source, 0, 8);
  if (!address)
    return std::unexpected(address.error());
  if (type.key == nullptr || type.element == nullptr)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("the types of {} are not known", type.name)));
  const auto match = KeyMatch::of(whole(*type.key, environment), key, environment);
  if (!match)
    return std::unexpected(match.error());
  whole(*type.element, environment);
  const auto no_such_key = [&] {
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("the map has no key{}", key_text(key, environment))));
  };
  if (*address == 0)
    return no_such_key();
  std::optional<RunAddress> found;
  std::optional<Error> problem;
  bool out_of_time = false;
  const auto visit = [&](const MapEntry &entry) {
    const auto same = match->matches(entry.key);
    if (!same && !problem)
      problem = same.error();
    if (same && *same)
      found = entry.value;
    out_of_time = environment.out_of_time();
    return !found && !out_of_time;
  };
  const auto walk =
      walk_map(type, RunAddress{*address}, go_version_of(environment), environment.memory, max_groups, visit);
  if (found)
    return go_value_at(*type.element, *found, environment);
  if (!walk)
    return std::unexpected(walk.error());
  if (problem)
    return std::unexpected(*problem);
  if (out_of_time || (walk->count > 0 && !walk->complete))
    return std::unexpected(
        Error(ErrorKind::timed_out, fmt::format("the map's {} entries are too many to look through", walk->count)));
  return no_such_key();
}

Result<std::uint64_t> go_map_length(const Value &map, ValueEnvironment &environment) {
  const GoType &type = whole(*map.type.go, environment);
  const auto address = read_number(*map.source, 0, 8);
  if (!address || *address == 0)
    return address;
  if (type.key == nullptr || type.element == nullptr)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("the types of {} are not known", type.name)));
  whole(*type.key, environment);
  whole(*type.element, environment);
  const auto walk = walk_map(type, RunAddress{*address}, go_version_of(environment), environment.memory, 0,
                             [](const MapEntry &) { return false; });
  if (!walk)
    return std::unexpected(walk.error());
  return walk->count;
}

} // namespace inspect
