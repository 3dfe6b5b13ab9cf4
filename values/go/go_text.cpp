#include "golang/arguments/error_text.h"
#include "golang/arguments/interface_value.h"
#include "golang/arguments/scalar_text.h"
#include "values/go/go_closures.h"
#include "values/go/go_conversion.h"
#include "values/go/go_reading.h"
#include "values/go/go_scalar_text.h"
#include "values/value_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Of anything in anything, for types that hold themselves without a structure between ("type S []S").
constexpr int max_nesting = 24;
/// Groups of a map that are looked at for those entries that are printed.
constexpr int max_map_groups = 4096;

/// Writes values in the form of dlv's service/api/prettyprint.go, and goes into them as deep as its
/// pkg/proc/variables.go does: structures, elements and entries are a level deeper than what holds them, pointers are
/// followed on the same level.
class GoTextWriter {
public:
  GoTextWriter(ValueEnvironment &environment, const PrintOptions &options)
      : environment_(environment), options_(options), context_(go_value_context(environment)) {
    context_.limits.string_bytes = options.limits.string_bytes;
  }

  std::string write(const Value &value);

private:
  struct Manner {
    std::size_t level = 0;
    int nesting = 0;
    bool with_type = true;

    Manner deeper(bool type) const { return {level + 1, nesting, type}; }
    Manner with(bool type) const { return {level, nesting, type}; }
  };

  bool full() const { return out_.size() >= options_.limits.text_bytes || environment_.out_of_time(); }
  bool too_deep(Manner manner) const { return manner.level > options_.limits.recursion; }
  void type_before(const GoType &type, Manner manner);
  void unreadable(const Error &error) { out_ += unreadable_text(error.message()); }
  void value(const GoType &type, const ValueSource &source, Manner manner);
  void string(const ValueSource &source);
  void slice(const GoType &type, const ValueSource &source, Manner manner);
  void array(const GoType &type, const ValueSource &source, Manner manner);
  void elements(const GoType &element, const ValueSource &first, std::uint64_t count, Manner manner);
  void structure(const GoType &type, const ValueSource &source, Manner manner);
  bool time(const ValueSource &source);
  void pointer(const GoType &type, const ValueSource &source, Manner manner);
  void interface(const GoType &type, const ValueSource &source, Manner manner);
  void held(const GoType &interface, const GoType &type, const ValueSource &outer, const ValueSource &data,
            Manner manner);
  void map(const GoType &type, const ValueSource &source, Manner manner);
  void channel(const GoType &type, const ValueSource &source, Manner manner);
  void function(const GoType &type, const ValueSource &source, Manner manner);
  void captures(RunAddress closure, RunAddress code, Manner manner);
  void other(const GoType &type, const ValueSource &source);

  ValueEnvironment &environment_;
  const PrintOptions &options_;
  ValueContext context_;
  std::string out_;
};

std::string GoTextWriter::write(const Value &given) {
  const GoType &type = whole(*given.type.go, environment_);
  // The result of &x or of a conversion: where it points to is what was asked for.
  const bool computed = !given.source->address() && !given.register_number && !given.at_entry;
  const auto address = given.source->unsigned_at(0, 8);
  if (computed && type.kind == GoKind::pointer && address && *address != 0)
    return fmt::format("({})({:#x})", type.name, *address);
  value(type, *given.source, {});
  return std::move(out_);
}

void GoTextWriter::type_before(const GoType &type, Manner manner) {
  if (manner.with_type && options_.with_types)
    out_ += type.name + " ";
}

void GoTextWriter::value(const GoType &type, const ValueSource &source, Manner manner) {
  if (full() || ++manner.nesting > max_nesting) {
    out_ += "...";
    return;
  }
  whole(type, environment_);
  if (const auto text = go_scalar_text(type, source, environment_, options_)) {
    out_ += *text;
    return;
  }
  switch (type.kind) {
  case GoKind::string:
    return string(source);
  case GoKind::slice:
    return slice(type, source, manner);
  case GoKind::array:
    return array(type, source, manner);
  case GoKind::structure:
    return structure(type, source, manner);
  case GoKind::pointer:
    return pointer(type, source, manner);
  case GoKind::interface:
    return interface(type, source, manner);
  case GoKind::map:
    return map(type, source, manner);
  case GoKind::channel:
    return channel(type, source, manner);
  case GoKind::function:
    return function(type, source, manner);
  default:
    return other(type, source);
  }
}

void GoTextWriter::other(const GoType &type, const ValueSource &source) {
  const auto word = read_number(source, 0, std::clamp<std::size_t>(static_cast<std::size_t>(type.size), 1, 8));
  if (!word)
    unreadable(word.error());
  else if (type.kind == GoKind::unsafe_pointer)
    out_ += *word == 0 ? fmt::format("{}(nil)", type.name) : fmt::format("{}({:#x})", type.name, *word);
  else
    out_ += fmt::format("{:#x}", *word);
}

void GoTextWriter::string(const ValueSource &source) {
  const auto list = read_go_string(source);
  const auto text = list ? read_go_text(*list, options_.limits.string_bytes, environment_.memory)
                         : Result<std::string>(std::unexpected(list.error()));
  if (!text)
    return unreadable(text.error());
  out_ += go_string_text(*text, list->length - text->size(), options_);
}

void GoTextWriter::slice(const GoType &type, const ValueSource &source, Manner manner) {
  const auto list = read_go_slice(source);
  if (!list)
    return unreadable(list.error());
  if (manner.with_type && options_.with_types)
    out_ += fmt::format("{} len: {}, cap: {}, ", type.name, list->length, list->capacity);
  if (list->address == RunAddress{} || type.element == nullptr) {
    out_ += type.element == nullptr ? "[...]" : "nil";
    return;
  }
  const std::uint64_t wanted = type.element->kind == GoKind::unsigned8 ? options_.limits.string_bytes : 0;
  const std::uint64_t some = std::min<std::uint64_t>(list->length, std::max(wanted, options_.limits.elements));
  elements(*type.element, list->element(0, some * type.element->size, environment_.memory), list->length, manner);
}

void GoTextWriter::array(const GoType &type, const ValueSource &source, Manner manner) {
  type_before(type, manner);
  if (type.element == nullptr)
    out_ += "[...]";
  else
    elements(*type.element, source, type.length, manner);
}

void GoTextWriter::elements(const GoType &element, const ValueSource &first, std::uint64_t count, Manner manner) {
  const bool as_text = options_.format == NumberFormat::text || options_.format == NumberFormat::quoted;
  if (as_text && element.kind == GoKind::unsigned8) {
    std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(count, options_.limits.string_bytes)), '\0');
    if (first.read(0, std::as_writable_bytes(std::span(text)))) {
      const std::uint64_t left_out = count - text.size();
      out_ += go_string_text(std::move(text), left_out, options_);
      return;
    }
  }
  out_ += "[";
  std::uint64_t done = 0;
  for (; done < count && done < options_.limits.elements && !full(); ++done) {
    out_ += done == 0 ? "" : ",";
    value(element, first.at(done * element.size), manner.deeper(false));
  }
  if (done < count)
    out_ += fmt::format("{}...+{} more", done == 0 ? "" : ",", count - done);
  out_ += "]";
}

/// "time.Time(2026-11-21T09:30:00Z)", with the monotonic clock's reading where it has one.
bool GoTextWriter::time(const ValueSource &source) {
  const auto wall = source.unsigned_at(0, 8);
  const auto extra = source.unsigned_at(8, 8);
  if (!wall || !extra)
    return false;
  const auto known = go_time(*wall, static_cast<std::int64_t>(*extra));
  if (!known)
    return false;
  std::string text = go_time_text(known->seconds, 0); // "2026-11-21 09:30:00 +0000 UTC"
  text = text.substr(0, text.find(" +0000"));
  text[text.find(' ')] = 'T';
  out_ += fmt::format("time.Time({}Z", text);
  out_ += known->monotonic ? fmt::format(", {:+})", *known->monotonic) : ")";
  return true;
}

void GoTextWriter::structure(const GoType &type, const ValueSource &source, Manner manner) {
  const bool told = type.name == "time.Time" && type.size == 24 && time(source);
  if (too_deep(manner) && !type.fields.empty()) {
    if (told)
      return;
    const auto address = source.address();
    out_ += address ? fmt::format("(*{})({:#x})", type.name, address->value) : "{...}";
    return;
  }
  if (!told)
    type_before(type, manner);
  out_ += "{";
  std::size_t done = 0;
  for (; done < type.fields.size() && done < options_.limits.fields && !full(); ++done) {
    const GoField &field = type.fields[done];
    out_ += fmt::format("{}{}: ", done == 0 ? "" : ", ", field.name);
    if (field.type != nullptr)
      value(*field.type, source.at(field.offset), manner.deeper(true));
    else
      out_ += "...";
  }
  if (done < type.fields.size())
    out_ += fmt::format("{}...+{} more", done == 0 ? "" : ", ", type.fields.size() - done);
  out_ += "}";
}

void GoTextWriter::pointer(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = read_number(source, 0, 8);
  if (!address)
    return unreadable(address.error());
  if (*address == 0) {
    out_ += "*";
    if (manner.with_type && options_.with_types && type.element != nullptr)
      out_ += type.element->name + " ";
    out_ += "nil";
    return;
  }
  if (type.element == nullptr || whole(*type.element, environment_).kind == GoKind::unknown) {
    out_ += fmt::format("({})({:#x})", type.name, *address);
    return;
  }
  out_ += "*";
  if (type.element->kind == GoKind::interface)
    ++manner.level; // it may hold the pointer again
  const ValueSource target = ValueSource::in_memory(environment_.memory, RunAddress{*address}, type.element->size);
  if (type.element->size > 0 && !target.unsigned_at(0, 1))
    return unreadable(unreadable_at(RunAddress{*address}));
  value(*type.element, target, manner);
}

void GoTextWriter::interface(const GoType &type, const ValueSource &source, Manner manner) {
  const bool typed = manner.with_type && options_.with_types;
  const auto found = interface_value(type, source, context_);
  if (!found) {
    const auto word = read_number(source, 0, 8);
    return unreadable(word ? Error(ErrorKind::not_found, "only parts of the value are known") : word.error());
  }
  if (found->type_word == 0) {
    out_ += typed ? type.name + " nil" : "nil";
    return;
  }
  if (found->type == nullptr) {
    out_ += unreadable_text(
        fmt::format("{}: the {} {:#x} is none", type.name, type.has_methods ? "table" : "type", found->type_word));
    return;
  }
  if (typed)
    out_ += fmt::format("{}({}) ", type.name, found->type->name);
  const auto data = dynamic_source(*found, context_);
  if (!data)
    return unreadable(unreadable_at(RunAddress{found->data}));
  held(type, *found->type, source, *data, manner.with(!typed));
}

/// Deeper than values are followed, numbers and texts are still shown, and what an error says.
void GoTextWriter::held(const GoType &interface, const GoType &type, const ValueSource &outer, const ValueSource &data,
                        Manner manner) {
  const bool is_plain = type.kind == GoKind::string || is_go_number(type) || type.kind == GoKind::boolean ||
                        type.kind == GoKind::function;
  if (type.kind == GoKind::pointer && data.unsigned_at(0, 8) == 0U) {
    out_ += "nil";
  } else if (is_plain || !too_deep(manner)) {
    value(type, data, manner);
  } else if (const auto text = error_text(type, data, context_)) {
    out_ += go_quoted(*text);
  } else if (const auto address = outer.address(); address && type.kind != GoKind::pointer) {
    out_ += fmt::format("*(*{})({:#x})", interface.name, address->value);
  } else {
    out_ += "...";
  }
}

void GoTextWriter::map(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = read_number(source, 0, 8);
  if (!address)
    return unreadable(address.error());
  type_before(type, manner);
  if (*address == 0) {
    out_ += "nil";
    return;
  }
  if (type.key == nullptr || type.element == nullptr) {
    out_ += "[...]";
    return;
  }
  whole(*type.key, environment_);
  whole(*type.element, environment_);
  const std::size_t limit = too_deep(manner) ? 0 : options_.limits.elements;
  std::vector<MapEntry> entries;
  const auto take = [&](const MapEntry &entry) {
    entries.push_back(entry);
    return entries.size() < limit && !full();
  };
  const MapWalk walk = walk_map(type, RunAddress{*address}, context_.version, environment_.memory,
                                limit == 0 ? 0 : max_map_groups, take);
  if (!walk.problem.empty()) {
    out_ += unreadable_text(walk.problem);
    return;
  }
  out_ += "[";
  std::uint64_t done = 0;
  for (; done < entries.size() && done < walk.count && !full(); ++done) {
    const MapEntry &entry = entries[done];
    const Manner inside = manner.deeper(false);
    value(*type.key, ValueSource::in_memory(environment_.memory, entry.key, type.key->size), inside);
    out_ += ": ";
    value(*type.element, ValueSource::in_memory(environment_.memory, entry.value, type.element->size), inside);
    out_ += ", ";
  }
  if (done < walk.count)
    out_ += done == 0 ? "..." : fmt::format("...+{} more", walk.count - done);
  out_ += "]";
}

void GoTextWriter::channel(const GoType &type, const ValueSource &source, Manner manner) {
  const auto channel = read_go_channel(source, environment_);
  if (!channel)
    return unreadable(channel.error());
  type_before(type, manner);
  if (!*channel) {
    out_ += "nil";
    return;
  }
  const GoChannel &known = **channel;
  out_ += fmt::format("{}/{}{}", known.count, known.capacity, known.closed ? " closed" : "");
  if (known.count == 0 || type.element == nullptr || too_deep(manner))
    return;
  // Elements lie in a ring; the next to be received comes first.
  const GoType &element = whole(*type.element, environment_);
  out_ += " [";
  std::uint64_t done = 0;
  for (; done < known.count && done < options_.limits.elements && !full(); ++done) {
    const std::uint64_t place = (known.first + done) % known.capacity;
    out_ += done == 0 ? "" : ",";
    value(element, ValueSource::in_memory(environment_.memory, known.buffer + place * element.size, element.size),
          manner.deeper(false));
  }
  if (done < known.count)
    out_ += fmt::format("{}...+{} more", done == 0 ? "" : ",", known.count - done);
  out_ += "]";
}

/// A function value points to a closure, whose first word is where the code begins.
void GoTextWriter::function(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = read_number(source, 0, 8);
  if (!address)
    return unreadable(address.error());
  if (*address == 0) {
    out_ += "nil";
    return;
  }
  const auto code = read_word(environment_.memory, RunAddress{*address});
  if (!code)
    return unreadable(unreadable_at(RunAddress{*address}));
  std::string phrase = context_.classify ? context_.classify(RunAddress{*code}) : std::string();
  if (phrase.starts_with("func "))
    phrase.erase(0, 5);
  out_ += phrase.empty() ? fmt::format("{} at {:#x}", type.name, *code) : phrase;
  if (!too_deep(manner))
    captures(RunAddress{*address}, RunAddress{*code}, manner);
}

/// " {by: 5, text: "captured"}", where the compiler says what lies in a closure.
void GoTextWriter::captures(RunAddress closure, RunAddress code, Manner manner) {
  const std::vector<GoCapture> captured = go_closure_captures(code, environment_);
  for (std::size_t i = 0; i < captured.size() && !full(); ++i) {
    out_ += fmt::format("{}{}: ", i == 0 ? " {" : ", ", captured[i].name);
    if (i >= options_.limits.fields) {
      out_ += "...";
      break;
    }
    const Value inside = go_capture_value(captured[i], closure, environment_);
    if (inside.source && inside.type.go != nullptr)
      value(*inside.type.go, *inside.source, manner.deeper(true));
    else
      out_ += unreadable_text(inside.missing);
  }
  out_ += captured.empty() ? "" : "}";
}

} // namespace

std::string go_value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options) {
  if (!value.source)
    return fmt::format("<{}>", value.missing.empty() ? "not known" : value.missing);
  return GoTextWriter(environment, options).write(value);
}

} // namespace inspect
