#include "golang/arguments/value_printer.h"

#include "golang/arguments/error_text.h"
#include "golang/arguments/interface_value.h"
#include "golang/arguments/map_entries.h"
#include "golang/arguments/scalar_text.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Of anything in anything, for types that hold themselves without a structure between ("type S []S").
constexpr int max_nesting = 24;
/// No slice, string or array is longer than the address space.
constexpr std::uint64_t longest = 1ULL << 47;

std::string complex_text(const std::string &real, const std::string &imaginary) {
  const bool has_sign = imaginary.starts_with('-') || imaginary.starts_with('+');
  return fmt::format("({}{}{}i)", real, has_sign ? "" : "+", imaginary);
}

bool has_library_form(std::string_view name) {
  return name == "time.Duration" || name == "time.Time" || name == "syscall.Errno";
}

} // namespace

std::string ValuePrinter::print(const GoType &type, const ValueSource &source) {
  out_.clear();
  value(type, source, {context_.limits.depth, 0, true});
  return std::move(out_);
}

std::string ValuePrinter::described(RunAddress address) const {
  const std::string phrase = context_.classify ? context_.classify(address) : std::string();
  return phrase.empty() ? phrase : fmt::format(" ({})", phrase);
}

/// Says why there is nothing: bytes that the words do not give, or memory that cannot be read.
void ValuePrinter::unknown_part(const ValueSource &source) {
  const auto address = source.address();
  out_ += address ? fmt::format("unreadable at {:#x}", address->value) : "…";
}

void ValuePrinter::value(const GoType &type, const ValueSource &source, Manner manner) {
  if (full() || manner.nesting > max_nesting) {
    out_ += "…";
    return;
  }
  ++manner.nesting;
  if (!scalar(type, source) && !library_value(type, source))
    by_kind(type, source, manner);
}

void ValuePrinter::by_kind(const GoType &type, const ValueSource &source, Manner manner) {
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
  case GoKind::unsafe_pointer:
    return pointer(type, source, manner);
  case GoKind::interface:
    return interface(type, source, manner);
  case GoKind::map:
    return map(type, source, manner);
  case GoKind::channel:
    return channel(type, source);
  case GoKind::function:
    return function(type, source);
  default:
    break;
  }
  const auto word = source.unsigned_at(0, std::clamp<std::size_t>(type.size, 1, 8));
  if (!word)
    return unknown_part(source);
  out_ += fmt::format("{:#x}{}", *word, described(RunAddress{*word}));
}

/// Numbers and truth values; false where the type is none of them.
bool ValuePrinter::scalar(const GoType &type, const ValueSource &source) {
  const bool is_complex = type.kind == GoKind::complex64 || type.kind == GoKind::complex128;
  const bool is_float = type.kind == GoKind::float32 || type.kind == GoKind::float64;
  if (type.kind == GoKind::unknown || type.kind >= GoKind::array || has_library_form(type.name))
    return false;
  const std::size_t size = std::min<std::size_t>(type.size, 16) / (is_complex ? 2 : 1);
  const auto bits = source.unsigned_at(0, size);
  const auto imaginary = is_complex ? source.unsigned_at(size, size) : bits;
  if (!bits || !imaginary) {
    unknown_part(source);
    return true;
  }
  const auto number = [&](std::uint64_t raw) {
    return size == 4 ? go_float_text(std::bit_cast<float>(static_cast<std::uint32_t>(raw)))
                     : go_float_text(std::bit_cast<double>(raw));
  };
  if (type.kind == GoKind::boolean)
    out_ += *bits > 1 ? fmt::format("{:#x}, no bool: not initialised?", *bits) : *bits == 1 ? "true" : "false";
  else if (is_float)
    out_ += number(*bits);
  else if (is_complex)
    out_ += complex_text(number(*bits), number(*imaginary));
  else if (is_signed_integer(type.kind))
    out_ += fmt::format("{}", static_cast<std::int64_t>(*bits << (64 - 8 * size)) >> (64 - 8 * size));
  else if (type.kind == GoKind::uintptr)
    out_ += fmt::format("{:#x}", *bits);
  else
    out_ += fmt::format("{}", *bits);
  return true;
}

/// Types of the standard library that mean more than their fields say.
bool ValuePrinter::library_value(const GoType &type, const ValueSource &source) {
  if (type.name == "time.Duration" && type.size == 8) {
    const auto value = source.unsigned_at(0, 8);
    if (value)
      out_ += go_duration_text(static_cast<std::int64_t>(*value));
    else
      unknown_part(source);
    return true;
  }
  if (type.name == "time.Time" && type.size == 24) {
    const auto wall = source.unsigned_at(0, 8);
    const auto extra = source.unsigned_at(8, 8);
    if (!wall || !extra)
      return false;
    const auto time = go_time(*wall, static_cast<std::int64_t>(*extra));
    if (!time)
      return false;
    out_ += go_time_text(time->seconds, time->nanoseconds);
    return true;
  }
  if (type.kind == GoKind::pointer && !context_.memory)
    return false;
  if (const auto text = error_text(type, source, context_)) {
    out_ += go_quoted(*text);
    return true;
  }
  return false;
}

void ValuePrinter::string(const ValueSource &source) {
  const auto address = source.unsigned_at(0, 8);
  const auto length = source.unsigned_at(8, 8);
  if (!length && !address)
    return unknown_part(source);
  if (length == 0)
    out_ += "\"\"";
  else if (!length)
    out_ += fmt::format("len: …, at {:#x}", *address);
  else if (!address)
    out_ += fmt::format("len: {}", *length);
  else
    text_at(RunAddress{*address}, *length);
}

void ValuePrinter::text_at(RunAddress address, std::uint64_t length) {
  if (length >= longest || address.value == 0) {
    out_ += fmt::format("len: {}, at {:#x}: not initialised?", static_cast<std::int64_t>(length), address.value);
    return;
  }
  std::string text(std::min<std::uint64_t>(length, context_.limits.string_bytes), '\0');
  if (!context_.memory) {
    out_ += fmt::format("len: {}, at {:#x}", length, address.value);
  } else if (!context_.memory->read(address, std::as_writable_bytes(std::span(text)))) {
    out_ += fmt::format("len: {}, unreadable at {:#x}", length, address.value);
  } else {
    if (text.size() < length)
      drop_cut_character(text);
    out_ += go_quoted(text);
    if (text.size() < length)
      out_ += fmt::format("…+{} more", length - text.size());
  }
}

void ValuePrinter::slice(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = source.unsigned_at(0, 8);
  const auto length = source.unsigned_at(8, 8);
  const auto capacity = source.unsigned_at(16, 8);
  const auto shown = [](std::optional<std::uint64_t> number) {
    return number ? fmt::format("{}", static_cast<std::int64_t>(*number)) : "…";
  };
  if (!address && !length && !capacity)
    return unknown_part(source);
  if (manner.with_type)
    out_ += type.name + " ";
  out_ += fmt::format("len: {}, cap: {}, ", shown(length), shown(capacity));
  if (length.value_or(0) >= longest || capacity.value_or(0) >= longest ||
      (capacity && length.value_or(0) > *capacity)) {
    out_ += fmt::format("at {:#x}: not initialised?", address.value_or(0));
  } else if (address == 0) {
    out_ += length.value_or(0) == 0 ? "nil" : "at 0x0: not initialised?";
  } else if (length == 0) {
    out_ += "[]";
  } else if (!address) {
    out_ += "…";
  } else if (!length || !context_.memory || !type.element) {
    out_ += fmt::format("at {:#x}", *address);
  } else {
    const std::uint64_t some = std::min<std::uint64_t>(*length, context_.limits.elements);
    elements(*type.element, ValueSource::in_memory(*context_.memory, RunAddress{*address}, some * type.element->size),
             *length, manner);
  }
}

void ValuePrinter::array(const GoType &type, const ValueSource &source, Manner manner) {
  if (manner.with_type)
    out_ += type.name + " ";
  if (!type.element)
    out_ += "[…]";
  else
    elements(*type.element, source, type.length, manner);
}

/// Text in bytes is more use than their numbers.
bool ValuePrinter::bytes_as_text(const ValueSource &first, std::uint64_t count) {
  std::string text(std::min<std::uint64_t>(count, context_.limits.string_bytes), '\0');
  if (text.size() < 2 || !first.read(0, std::as_writable_bytes(std::span(text))))
    return false;
  if (text.size() < count)
    drop_cut_character(text);
  if (text.empty() || !reads_as_text(text))
    return false;
  out_ += go_quoted(text);
  if (text.size() < count)
    out_ += fmt::format("…+{} more", count - text.size());
  return true;
}

void ValuePrinter::elements(const GoType &element, const ValueSource &first, std::uint64_t count, Manner manner) {
  if (element.kind == GoKind::unsigned8) {
    // The source may hold no more than the first elements at once.
    const auto address = first.address();
    const ValueSource whole = address
                                  ? ValueSource::in_memory(*context_.memory, *address,
                                                           std::min<std::uint64_t>(count, context_.limits.string_bytes))
                                  : first;
    if (bytes_as_text(whole, count))
      return;
  }
  manner.with_type = false;
  out_ += "[";
  std::uint64_t done = 0;
  for (; done < count && done < context_.limits.elements && !full(); ++done) {
    out_ += done == 0 ? "" : ",";
    value(element, first.at(done * element.size), manner);
  }
  if (done < count)
    out_ += fmt::format("{}…+{} more", done == 0 ? "" : ",", count - done);
  out_ += "]";
}

void ValuePrinter::structure(const GoType &type, const ValueSource &source, Manner manner) {
  if (manner.with_type)
    out_ += type.name + " ";
  if (type.fields.empty()) {
    out_ += "{}";
    return;
  }
  if (manner.levels == 0) {
    out_ += "{…}";
    return;
  }
  --manner.levels;
  manner.with_type = true;
  out_ += "{";
  std::size_t done = 0;
  for (; done < type.fields.size() && done < context_.limits.fields && !full(); ++done) {
    const GoField &field = type.fields[done];
    out_ += fmt::format("{}{}: ", done == 0 ? "" : ", ", field.name);
    if (field.type)
      value(*field.type, source.at(field.offset), manner);
  }
  if (done < type.fields.size())
    out_ += fmt::format(", …+{} more", type.fields.size() - done);
  out_ += "}";
}

void ValuePrinter::plain_pointer(const GoType &type, std::uint64_t address) {
  out_ += fmt::format(fmt::runtime(type.name.starts_with("*") ? "({})({:#x})" : "{}({:#x})"), type.name, address);
  out_ += described(RunAddress{address});
}

void ValuePrinter::pointer(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = source.unsigned_at(0, 8);
  if (!address)
    return unknown_part(source);
  if (*address == 0) {
    out_ += "nil";
    return;
  }
  const bool to_structure = type.element && type.element->kind == GoKind::structure;
  const bool follow = type.element && type.element->kind != GoKind::unknown && context_.memory &&
                      (!to_structure || manner.levels > 0) && type.element->size > 0;
  if (!follow)
    return plain_pointer(type, *address);
  const ValueSource target = ValueSource::in_memory(*context_.memory, RunAddress{*address}, type.element->size);
  if (!target.unsigned_at(0, 1)) {
    plain_pointer(type, *address);
    out_ += ", unreadable";
    return;
  }
  out_ += "*";
  manner.with_type = true;
  value(*type.element, target, manner);
}

void ValuePrinter::interface(const GoType &type, const ValueSource &source, Manner manner) {
  const auto held = interface_value(type, source, context_);
  if (!held) {
    const auto first = source.unsigned_at(0, 8);
    return first == 0 ? void(out_ += "nil") : unknown_part(source);
  }
  if (manner.with_type)
    out_ += type.name;
  if (held->type_word == 0) {
    out_ += manner.with_type ? " nil" : "nil";
  } else if (held->type) {
    out_ += fmt::format("({}) ", held->type->name);
    dynamic_value(*held->type, held->data, manner);
  } else {
    const std::string_view word = type.has_methods ? "table" : "type";
    out_ += fmt::format("({} {:#x}{}, data {:#x}{})", word, held->type_word,
                        context_.types ? ", which is none: not initialised?" : described(RunAddress{held->type_word}),
                        held->data, described(RunAddress{held->data}));
  }
}

void ValuePrinter::dynamic_value(const GoType &type, std::uint64_t data, Manner manner) {
  manner.with_type = false; // it stands before the value already
  const auto source = dynamic_source({1, data, &type}, context_);
  if (source)
    value(type, *source, manner);
  else
    out_ += fmt::format("at {:#x}", data);
}

void ValuePrinter::map(const GoType &type, const ValueSource &source, Manner manner) {
  const auto address = source.unsigned_at(0, 8);
  if (!address)
    return unknown_part(source);
  if (manner.with_type)
    out_ += type.name + " ";
  if (*address == 0) {
    out_ += "nil";
    return;
  }
  if (!context_.memory || !type.key || !type.element) {
    out_ += fmt::format("at {:#x}", *address);
    return;
  }
  const MapEntries entries =
      read_map_entries(type, RunAddress{*address}, context_.version, *context_.memory, context_.limits.elements);
  if (!entries.problem.empty()) {
    out_ += entries.problem;
    return;
  }
  manner.with_type = false;
  out_ += fmt::format("len: {}, [", entries.count);
  std::size_t done = 0;
  for (; done < entries.first.size() && done < entries.count && !full(); ++done) {
    const MapEntry &entry = entries.first[done];
    out_ += done == 0 ? "" : ", ";
    value(*type.key, ValueSource::in_memory(*context_.memory, entry.key, type.key->size), manner);
    out_ += ": ";
    value(*type.element, ValueSource::in_memory(*context_.memory, entry.value, type.element->size), manner);
  }
  if (done < entries.count)
    out_ += fmt::format("{}…+{} more", done == 0 ? "" : ", ", entries.count - done);
  out_ += "]";
}

/// runtime/chan.go, hchan: qcount, dataqsiz, buf, elemsize u16, then closed u32 at 28 in all of Go 1.16 to 1.26.
void ValuePrinter::channel(const GoType &type, const ValueSource &source) {
  const auto address = source.unsigned_at(0, 8);
  if (!address)
    return unknown_part(source);
  out_ += type.name + " ";
  if (*address == 0) {
    out_ += "nil";
    return;
  }
  if (!context_.memory) {
    out_ += fmt::format("at {:#x}", *address);
    return;
  }
  const ValueSource header = ValueSource::in_memory(*context_.memory, RunAddress{*address}, 32);
  const auto count = header.unsigned_at(0, 8);
  const auto capacity = header.unsigned_at(8, 8);
  const auto closed = header.unsigned_at(28, 4);
  if (!count || !capacity || !closed)
    out_ += fmt::format("unreadable at {:#x}", *address);
  else if (*count > *capacity || *capacity >= longest || *closed > 1)
    out_ += fmt::format("no channel at {:#x}: not initialised?", *address);
  else
    out_ += fmt::format("len: {}, cap: {}{}", *count, *capacity, *closed == 1 ? ", closed" : "");
}

/// A function value points to a closure, whose first word is where the code begins.
void ValuePrinter::function(const GoType &type, const ValueSource &source) {
  const auto address = source.unsigned_at(0, 8);
  if (!address)
    return unknown_part(source);
  if (*address == 0) {
    out_ += "nil";
    return;
  }
  const auto code = context_.memory ? read_word(*context_.memory, RunAddress{*address}) : Result<std::uint64_t>(0);
  std::string phrase = code && *code != 0 && context_.classify ? context_.classify(RunAddress{*code}) : std::string();
  if (phrase.starts_with("func "))
    phrase.erase(0, 5);
  if (!code)
    out_ += fmt::format("{} unreadable at {:#x}", type.name, *address);
  else if (phrase.empty())
    out_ += fmt::format("{} at {:#x}", type.name, *address);
  else
    out_ += phrase;
}

std::string value_text(const GoType &type, RunAddress address, const ValueContext &context) {
  if (!context.memory)
    return {};
  return ValuePrinter(context).print(type, ValueSource::in_memory(*context.memory, address, type.size));
}

} // namespace inspect
