#include "golang/values/value_writer.h"

#include "golang/values/scalar_text.h"
#include "golang/values/time_location.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Of anything in anything, for types that hold themselves without a structure between ("type S []S").
constexpr int max_nesting = 24;
/// Groups of a map that are looked at for those entries that are printed.
constexpr int max_map_groups = 4096;

/// Goes into values as deep as dlv does: structures, elements and entries are a level deeper than what holds them,
/// pointers are followed on the same level.
class GoValueWriter {
public:
  explicit GoValueWriter(const ValueContext &context) : context_(context), options_(context.print) {}

  std::string write(const GoType &type, const ValueSource &source) {
    value(type, source, {});
    return std::move(out_);
  }

private:
  struct Manner {
    std::size_t level = 0;
    int nesting = 0;
    bool with_type = true;

    Manner deeper(bool type) const { return {level + 1, nesting, type}; }
    Manner with(bool type) const { return {level, nesting, type}; }
  };

  bool full() const {
    return out_.size() >= options_.limits.text_bytes || (context_.details && context_.details->out_of_time());
  }
  bool too_deep(Manner manner) const { return manner.level > options_.limits.recursion; }
  bool typed(Manner manner) const { return manner.with_type && options_.with_types; }
  void type_before(const GoType &type, Manner manner) { out_ += typed(manner) ? type.name + " " : ""; }
  void complete(const GoType &type) const {
    if (context_.details)
      context_.details->complete(type);
  }
  bool is_loaded(RunAddress address) const;
  std::string phrase_of(RunAddress address) const;
  std::string described(std::uint64_t address) const;
  void unreadable(std::string_view why) { out_ += fmt::format("(unreadable {})", why); }
  void unreadable(const Error &error) { unreadable(error.message()); }
  void absent(const ValueSource &source);
  void address_only(const GoType &type, std::uint64_t address);
  void left_out(std::uint64_t done, std::uint64_t count, std::string_view separator);

  void value(const GoType &type, const ValueSource &source, Manner manner);
  bool scalar(const GoType &type, const ValueSource &source);
  void string(const ValueSource &source);
  void slice(const GoType &type, const ValueSource &source, Manner manner);
  void array(const GoType &type, const ValueSource &source, Manner manner);
  bool bytes_as_text(const ValueSource &first, std::uint64_t count);
  void elements(const GoType &element, const ValueSource &first, std::uint64_t count, Manner manner);
  void structure(const GoType &type, const ValueSource &source, Manner manner);
  bool time(const GoType &type, const ValueSource &source);
  void pointer(const GoType &type, const ValueSource &source, Manner manner);
  void interface(const GoType &type, const ValueSource &source, Manner manner);
  void unknown_type(const GoType &type, const InterfaceValue &value, Manner manner);
  void held(const GoType &interface, const GoType &type, const ValueSource &outer, const ValueSource &data,
            Manner manner);
  void map(const GoType &type, const ValueSource &source, Manner manner);
  void channel(const GoType &type, const ValueSource &source, Manner manner);
  void function(const GoType &type, const ValueSource &source, Manner manner);
  void captures(RunAddress closure, RunAddress code, Manner manner);
  void other(const GoType &type, const ValueSource &source);

  const ValueContext &context_;
  const PrintOptions &options_;
  std::string out_;
};

/// Whether what lies there is to be read; where not, the address is all there is to write.
bool GoValueWriter::is_loaded(RunAddress address) const {
  std::byte first{};
  return context_.memory &&
         (!context_.memory_is_partial || context_.memory->read(address, std::span(&first, 1)).has_value());
}

std::string GoValueWriter::phrase_of(RunAddress address) const {
  return context_.classify ? context_.classify(address) : std::string();
}

std::string GoValueWriter::described(std::uint64_t address) const {
  const std::string phrase = options_.brief ? phrase_of(RunAddress{address}) : std::string();
  return phrase.empty() ? phrase : fmt::format(" ({})", phrase);
}

/// Says why there is nothing: memory that cannot be read, or bytes that nobody knows.
void GoValueWriter::absent(const ValueSource &source) {
  if (const auto address = source.address())
    unreadable(unreadable_at(*address));
  else if (!context_.absent.empty())
    unreadable(context_.absent);
  else
    out_ += "...";
}

void GoValueWriter::address_only(const GoType &type, std::uint64_t address) {
  out_ += fmt::format("({})({:#x}){}", type.name, address, described(address));
}

void GoValueWriter::left_out(std::uint64_t done, std::uint64_t count, std::string_view separator) {
  if (done < count)
    out_ += fmt::format("{}...+{} more", done == 0 ? "" : separator, count - done);
}

void GoValueWriter::value(const GoType &type, const ValueSource &source, Manner manner) {
  if (full() || ++manner.nesting > max_nesting) {
    out_ += "...";
    return;
  }
  complete(type);
  if (options_.brief && (!is_go_scalar(type.kind) || type.kind == GoKind::uintptr)) { // syscall.Errno is an error
    if (const auto text = error_text(type, source, context_)) {
      out_ += go_quoted(*text);
      return;
    }
  }
  if (scalar(type, source))
    return;
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

/// unsafe.Pointer, and types of which only the name is known.
void GoValueWriter::other(const GoType &type, const ValueSource &source) {
  const auto word = source.unsigned_at(0, std::clamp<std::size_t>(static_cast<std::size_t>(type.size), 1, 8));
  if (!word)
    return absent(source);
  if (type.kind != GoKind::unsafe_pointer)
    out_ += fmt::format("{:#x}", *word);
  else
    out_ += *word == 0 ? fmt::format("{}(nil)", type.name) : fmt::format("{}({:#x})", type.name, *word);
  out_ += *word == 0 ? std::string() : described(*word);
}

/// Numbers and truth values; false where the type is none of them.
bool GoValueWriter::scalar(const GoType &type, const ValueSource &source) {
  if (!is_go_scalar(type.kind))
    return false;
  const bool is_complex = type.kind == GoKind::complex64 || type.kind == GoKind::complex128;
  const auto size = static_cast<std::size_t>(size_of_kind(type.kind)) / (is_complex ? 2 : 1);
  const auto bits = source.unsigned_at(0, size);
  const auto imaginary = is_complex ? source.unsigned_at(size, size) : bits;
  if (is_complex && bits.has_value() != imaginary.has_value()) {
    GoType half;
    half.kind = type.kind == GoKind::complex64 ? GoKind::float32 : GoKind::float64;
    half.size = size;
    const auto text = [&](const std::optional<std::uint64_t> &part) {
      if (part)
        return go_scalar_text(half, *part, *part, options_);
      return context_.absent.empty() ? std::string("...") : fmt::format("<{}>", context_.absent);
    };
    out_ += fmt::format("({} + {}i)", text(bits), text(imaginary));
    return true;
  }
  if (!bits || !imaginary) {
    absent(source);
    return true;
  }
  std::string text = go_scalar_text(type, *bits, *imaginary, options_);
  const bool is_integer = is_signed_integer(type.kind) || is_unsigned_integer(type.kind);
  const std::int64_t number = go_sign_extended(type.kind, *bits);
  if (is_integer && options_.format == NumberFormat::natural && context_.details) {
    if (const std::string name = context_.details->constant_name(type, static_cast<std::uint64_t>(number));
        !name.empty())
      text = fmt::format("{} ({})", name, text);
  } else if (is_integer && options_.format == NumberFormat::address) {
    if (const std::string phrase = phrase_of(RunAddress{static_cast<std::uint64_t>(number)}); !phrase.empty())
      text += fmt::format(" ({})", phrase);
  }
  out_ += text;
  return true;
}

void GoValueWriter::string(const ValueSource &source) {
  const auto address = source.unsigned_at(0, 8);
  const auto length = source.unsigned_at(8, 8);
  const auto list = read_go_string(source);
  if (!address && !length) {
    absent(source);
  } else if (!list && address && length) {
    unreadable(list.error());
  } else if (!list) {
    out_ += address ? fmt::format("len: ..., at {:#x}", *address) : fmt::format("len: {}", *length);
  } else if (list->length > 0 && list->address && !is_loaded(*list->address)) {
    out_ += fmt::format("len: {}, at {:#x}", *length, *address);
  } else {
    static const BufferMemory nothing;
    const MemoryView &memory = context_.memory ? *context_.memory : nothing;
    auto text = read_go_text(*list, options_.limits.string_bytes, memory);
    if (!text)
      return unreadable(
          fmt::format("string of {} bytes at {:#x}{}", *length, address.value_or(0), described(address.value_or(0))));
    const std::uint64_t more = list->length - text->size();
    out_ += go_string_text(*std::move(text), more, options_);
  }
}

void GoValueWriter::slice(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = source.unsigned_at(0, 8);
  const auto length = source.unsigned_at(8, 8);
  const auto capacity = source.unsigned_at(16, 8);
  if (!address && !length && !capacity)
    return absent(source);
  if (const auto fits = check_go_list(address, length, capacity); !fits)
    return unreadable(fits.error());
  const bool is_empty = length == 0 || address == 0;
  // What a conversion has made is nowhere in the target, and stands behind the words.
  const auto list = read_go_slice(source);
  const std::optional<ValueSource> made = list ? list->literal : std::nullopt;
  const bool loaded = is_empty || made || (address && length && is_loaded(RunAddress{*address}));
  const auto shown = [](std::optional<std::uint64_t> number) {
    return number ? fmt::format("{}", *number) : std::string("...");
  };
  type_before(type, manner);
  if (typed(manner) || !loaded || !capacity)
    out_ += fmt::format("len: {}, cap: {}, ", shown(length), shown(capacity));
  if (address == 0) {
    out_ += "nil";
  } else if (length == 0) {
    out_ += "[]";
  } else if (!loaded) {
    out_ += address ? fmt::format("at {:#x}", *address) : "...";
  } else if (type.element == nullptr) {
    out_ += "[...]";
  } else {
    const std::uint64_t wanted = type.element->kind == GoKind::unsigned8 ? options_.limits.string_bytes : 0;
    const std::uint64_t some =
        std::min<std::uint64_t>(*length, std::max<std::uint64_t>(wanted, options_.limits.elements));
    elements(*type.element,
             made ? *made : ValueSource::in_memory(*context_.memory, RunAddress{*address}, some * type.element->size),
             *length, manner);
  }
}

void GoValueWriter::array(const GoType &type, const ValueSource &source, Manner manner) {
  type_before(type, manner);
  if (type.element == nullptr)
    out_ += "[...]";
  else
    elements(*type.element, source, type.length, manner);
}

/// Where it is asked for; in a line of a dump where the bytes are text, which is more use than their numbers.
bool GoValueWriter::bytes_as_text(const ValueSource &first, std::uint64_t count) {
  const bool asked = options_.format == NumberFormat::text || options_.format == NumberFormat::quoted;
  if (!asked && !options_.brief)
    return false;
  std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(count, options_.limits.string_bytes)), '\0');
  if (!first.read(0, std::as_writable_bytes(std::span(text))))
    return false;
  if (text.size() < count)
    drop_truncated_character(text);
  if (!asked && (count < 2 || text.empty() || !reads_as_text(text)))
    return false;
  const std::uint64_t more = count - text.size();
  out_ += go_string_text(std::move(text), more, options_);
  return true;
}

void GoValueWriter::elements(const GoType &element, const ValueSource &first, std::uint64_t count, Manner manner) {
  if (element.kind == GoKind::unsigned8 && bytes_as_text(first, count))
    return;
  out_ += "[";
  std::uint64_t done = 0;
  for (; done < count && done < options_.limits.elements && !full(); ++done) {
    out_ += done == 0 ? "" : ",";
    value(element, first.at(done * element.size), manner.deeper(false));
  }
  left_out(done, count, ",");
  out_ += "]";
}

/// "time.Time(2026-11-21T09:30:00Z)"; its fields follow but in a line of a dump.
bool GoValueWriter::time(const GoType &type, const ValueSource &source) {
  if (type.name != "time.Time" || type.size != 24)
    return false;
  const auto wall = source.unsigned_at(0, 8);
  const auto extra = source.unsigned_at(8, 8);
  const auto known = wall && extra ? go_time(*wall, static_cast<std::int64_t>(*extra)) : std::nullopt;
  if (!known)
    return false;
  const auto location = source.unsigned_at(16, 8);
  const std::int64_t east = location && context_.memory != nullptr && is_loaded(RunAddress{*location})
                                ? seconds_east(RunAddress{*location}, known->seconds, *context_.memory).value_or(0)
                                : 0;
  out_ += fmt::format("time.Time({})", go_time_text(*known, options_.brief, east));
  return known.has_value();
}

void GoValueWriter::structure(const GoType &type, const ValueSource &source, Manner manner) {
  const bool is_time = time(type, source);
  if (is_time && (options_.brief || too_deep(manner)))
    return;
  if (too_deep(manner) && !type.fields.empty()) {
    if (const auto address = source.address())
      out_ += fmt::format("(*{})({:#x}){}", type.name, address->value, described(address->value));
    else
      out_ += "{...}";
    return;
  }
  if (!is_time)
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
  left_out(done, type.fields.size(), ", ");
  out_ += "}";
}

void GoValueWriter::pointer(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = source.unsigned_at(0, 8);
  if (!address)
    return absent(source);
  if (*address == 0) {
    out_ += "*";
    if (type.element != nullptr)
      type_before(*type.element, manner);
    out_ += "nil";
    return;
  }
  if (type.element != nullptr)
    complete(*type.element);
  if (type.element == nullptr || type.element->kind == GoKind::unknown || !is_loaded(RunAddress{*address}))
    return address_only(type, *address);
  out_ += "*";
  if (type.element->kind == GoKind::interface)
    ++manner.level; // it may hold the pointer again
  const ValueSource target = ValueSource::in_memory(*context_.memory, RunAddress{*address}, type.element->size);
  if (type.element->size > 0 && !target.unsigned_at(0, 1))
    return absent(target);
  value(*type.element, target, manner);
}

void GoValueWriter::interface(const GoType &type, const ValueSource &source, Manner manner) {
  const auto found = interface_value(type, source, context_);
  if (source.unsigned_at(0, 8) == 0) {
    type_before(type, manner);
    out_ += "nil";
    return;
  }
  if (!found)
    return absent(source);
  if (found->type == nullptr)
    return unknown_type(type, *found, manner);
  const auto data = dynamic_source(*found, context_);
  const auto address = data ? data->address() : RunAddress{found->data};
  const bool loaded = data && (!address || is_loaded(*address));
  if (typed(manner) || !loaded)
    out_ += fmt::format("{}({}) ", typed(manner) ? type.name : "", found->type->name);
  if (!loaded)
    out_ += fmt::format("at {:#x}{}", found->data, described(found->data));
  else
    held(type, *found->type, source, *data, manner.with(!typed(manner)));
}

void GoValueWriter::unknown_type(const GoType &type, const InterfaceValue &value, Manner manner) {
  const std::string_view word = type.has_methods ? "table" : "type";
  if (context_.types)
    unreadable(fmt::format("{}: the {} {:#x} is none, data {:#x}: not initialised?", type.name, word, value.type_word,
                           value.data));
  else
    out_ += fmt::format("{}({} {:#x}{}, data {:#x}{})", typed(manner) ? type.name : "", word, value.type_word,
                        described(value.type_word), value.data, described(value.data));
}

/// Deeper than values are followed, numbers and texts are still shown, and what an error says.
void GoValueWriter::held(const GoType &interface, const GoType &type, const ValueSource &outer, const ValueSource &data,
                         Manner manner) {
  const bool is_complex = type.kind == GoKind::complex64 || type.kind == GoKind::complex128;
  const bool is_plain =
      type.kind == GoKind::string || (is_go_scalar(type.kind) && !is_complex) || type.kind == GoKind::function;
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

void GoValueWriter::map(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = source.unsigned_at(0, 8);
  if (!address)
    return absent(source);
  type_before(type, manner);
  if (*address == 0) {
    out_ += "nil";
    return;
  }
  if (!is_loaded(RunAddress{*address})) {
    out_ += fmt::format("at {:#x}", *address);
    return;
  }
  if (type.key == nullptr || type.element == nullptr) {
    out_ += "[...]";
    return;
  }
  complete(*type.key);
  complete(*type.element);
  const std::size_t limit = too_deep(manner) ? 0 : options_.limits.elements;
  std::vector<MapEntry> entries;
  const auto take = [&](const MapEntry &entry) {
    entries.push_back(entry);
    return entries.size() < limit && !full();
  };
  const auto walk =
      walk_map(type, RunAddress{*address}, context_.version, *context_.memory, limit == 0 ? 0 : max_map_groups, take);
  if (!walk)
    return unreadable(walk.error());
  out_ += "[";
  std::uint64_t done = 0;
  for (; done < entries.size() && done < walk->count && !full(); ++done) {
    const MapEntry &entry = entries[done];
    const Manner inside = manner.deeper(false);
    value(*type.key, ValueSource::in_memory(*context_.memory, entry.key, type.key->size), inside);
    out_ += ": ";
    value(*type.element, ValueSource::in_memory(*context_.memory, entry.value, type.element->size), inside);
    out_ += ", ";
  }
  if (done < walk->count)
    out_ += done == 0 ? "..." : fmt::format("...+{} more", walk->count - done);
  out_ += "]";
}

void GoValueWriter::channel(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = source.unsigned_at(0, 8);
  if (!address)
    return absent(source);
  const bool loaded = *address != 0 && is_loaded(RunAddress{*address});
  const auto channel = loaded ? read_go_channel(RunAddress{*address}, context_.version, *context_.memory)
                              : Result<GoChannel>(GoChannel{});
  if (!channel)
    return unreadable(channel.error());
  type_before(type, manner);
  if (!loaded) {
    out_ += *address == 0 ? "nil" : fmt::format("at {:#x}", *address);
    return;
  }
  out_ += fmt::format("{}/{}{}", channel->count, channel->capacity, channel->closed ? " closed" : "");
  if (channel->count == 0 || type.element == nullptr || too_deep(manner))
    return;
  // Elements lie in a ring; the next to be received comes first.
  const GoType &element = *type.element;
  complete(element);
  out_ += " [";
  std::uint64_t done = 0;
  for (; done < channel->count && done < options_.limits.elements && !full(); ++done) {
    const std::uint64_t place = (channel->first + done) % channel->capacity;
    out_ += done == 0 ? "" : ",";
    value(element, ValueSource::in_memory(*context_.memory, channel->buffer + place * element.size, element.size),
          manner.deeper(false));
  }
  left_out(done, channel->count, ",");
  out_ += "]";
}

/// A function value points to a closure, whose first word is where the code begins.
void GoValueWriter::function(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = source.unsigned_at(0, 8);
  if (!address)
    return absent(source);
  if (*address == 0) {
    out_ += "nil";
    return;
  }
  if (!is_loaded(RunAddress{*address})) {
    out_ += fmt::format("{} at {:#x}", type.name, *address);
    return;
  }
  const auto code = read_word(*context_.memory, RunAddress{*address});
  if (!code)
    return unreadable(unreadable_at(RunAddress{*address}));
  std::string phrase = *code != 0 ? phrase_of(RunAddress{*code}) : std::string();
  if (phrase.starts_with("func "))
    phrase.erase(0, 5);
  out_ += phrase.empty() ? fmt::format("{} at {:#x}", type.name, *code) : phrase;
  if (context_.details && !too_deep(manner))
    captures(RunAddress{*address}, RunAddress{*code}, manner);
}

/// " {by: 5, text: "captured"}", where the compiler says what lies in a closure.
void GoValueWriter::captures(RunAddress closure, RunAddress code, Manner manner) {
  const std::vector<GoCapturedValue> captured = context_.details->captures(closure, code);
  for (std::size_t i = 0; i < captured.size() && !full(); ++i) {
    out_ += fmt::format("{}{}: ", i == 0 ? " {" : ", ", captured[i].name);
    if (i >= options_.limits.fields) {
      out_ += "...";
      break;
    }
    if (captured[i].source && captured[i].type != nullptr)
      value(*captured[i].type, *captured[i].source, manner.deeper(true));
    else
      unreadable(captured[i].missing);
  }
  out_ += captured.empty() ? "" : "}";
}

} // namespace

std::string write_go_value(const GoType &type, const ValueSource &source, const ValueContext &context) {
  return GoValueWriter(context).write(type, source);
}

} // namespace inspect
