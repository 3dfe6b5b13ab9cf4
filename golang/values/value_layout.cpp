#include "golang/values/value_layout.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>

namespace inspect {
namespace {

/// Where the bytes of a literal string begin, behind its two words.
constexpr std::uint64_t literal_offset = 16;

/// Which words of hchan say where the next element is: since Go 1.23 a timer stands before them.
std::uint64_t receive_index_offset(GoVersion version) {
  return version >= GoVersion{1, 23} ? 56 : 48;
}

} // namespace

Error unreadable_at(RunAddress address) {
  return {ErrorKind::unreadable, fmt::format("memory at {:#x} cannot be read", address.value)};
}

Result<std::uint64_t> read_number(const ValueSource &source, std::uint64_t offset, std::size_t size) {
  if (const auto number = source.unsigned_at(offset, size))
    return *number;
  if (const auto address = source.address())
    return std::unexpected(unreadable_at(*address + offset));
  return std::unexpected(Error(ErrorKind::not_found, "only parts of the value are known"));
}

ValueSource GoList::element(std::uint64_t index, std::uint64_t size, const MemoryView &memory) const {
  if (literal)
    return literal->at(index * size);
  return ValueSource::in_memory(memory, address.value_or(RunAddress{}) + index * size, size);
}

Result<void> check_go_list(std::optional<std::uint64_t> address, std::optional<std::uint64_t> length,
                           std::optional<std::uint64_t> capacity) {
  const auto wrong = [](const std::string &what) {
    return std::unexpected(Error(ErrorKind::corrupt, what + ": not initialised?"));
  };
  const std::string place = address ? fmt::format(" at {:#x}", *address) : std::string();
  const auto shown = [](std::uint64_t number) { return static_cast<std::int64_t>(number); };
  if (length && (*length >= max_go_list_length || (address == 0 && *length > 0)))
    return wrong(fmt::format("a length of {}{}", shown(*length), place));
  if (capacity && *capacity >= max_go_list_length)
    return wrong(fmt::format("a capacity of {}{}", shown(*capacity), place));
  if (length && capacity && *length > *capacity)
    return wrong(fmt::format("a length of {} above the capacity of {}{}", *length, *capacity, place));
  return {};
}

Result<GoList> read_go_string(const ValueSource &source) {
  const auto length = read_number(source, 8, 8);
  if (!length)
    return std::unexpected(length.error());
  GoList list{.address = std::nullopt, .length = *length, .capacity = *length, .literal = std::nullopt};
  const auto address = source.unsigned_at(0, 8);
  if (!address) {
    list.literal = source.at(literal_offset);
    std::byte last{};
    if (*length > max_go_list_length || (*length > 0 && !list.literal->read(*length - 1, std::span(&last, 1))))
      return std::unexpected(Error(ErrorKind::not_found, "only the string's length is known"));
    return list;
  }
  if (const auto fits = check_go_list(address, *length, std::nullopt); !fits)
    return std::unexpected(fits.error());
  list.address = RunAddress{*address};
  return list;
}

Result<GoList> read_go_slice(const ValueSource &source) {
  const auto address = read_number(source, 0, 8);
  const auto length = read_number(source, 8, 8);
  const auto capacity = read_number(source, 16, 8);
  // A literal: elements that are nowhere in the target stand behind its words.
  const bool is_literal = !address && length && capacity && !source.address();
  if (is_literal && check_go_list(std::nullopt, *length, *capacity) && (*length == 0 || source.unsigned_at(24, 1)))
    return GoList{.address = std::nullopt, .length = *length, .capacity = *capacity, .literal = source.at(24)};
  for (const auto *part : {&address, &length, &capacity})
    if (!*part)
      return std::unexpected(part->error());
  if (const auto fits = check_go_list(*address, *length, *capacity); !fits)
    return std::unexpected(fits.error());
  return GoList{.address = RunAddress{*address}, .length = *length, .capacity = *capacity, .literal = std::nullopt};
}

Result<std::string> read_go_text(const GoList &list, std::size_t limit, const MemoryView &memory) {
  std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(list.length, limit)), '\0');
  const auto bytes = std::as_writable_bytes(std::span(text));
  if (text.empty())
    return text;
  if (list.literal) {
    if (!list.literal->read(0, bytes))
      return std::unexpected(Error(ErrorKind::not_found, "the string's bytes are not known"));
  } else if (const auto done = memory.read(list.address.value_or(RunAddress{}), bytes); !done) {
    return std::unexpected(unreadable_at(list.address.value_or(RunAddress{})));
  }
  return text;
}

Result<GoChannel> read_go_channel(RunAddress address, GoVersion version, const MemoryView &memory) {
  const ValueSource header = ValueSource::in_memory(memory, address, 64);
  const auto count = read_number(header, 0, 8);
  const auto capacity = read_number(header, 8, 8);
  const auto buffer = read_number(header, 16, 8);
  const auto closed = read_number(header, 28, 4);
  const auto first = read_number(header, receive_index_offset(version), 8);
  for (const auto *part : {&count, &capacity, &buffer, &closed, &first})
    if (!*part)
      return std::unexpected(part->error());
  if (*capacity >= max_go_list_length || *count > *capacity || *closed > 1 || (*first > 0 && *first >= *capacity))
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("no channel at {:#x}: not initialised?", address.value)));
  return GoChannel{
      .count = *count, .capacity = *capacity, .closed = *closed == 1, .buffer = RunAddress{*buffer}, .first = *first};
}

std::optional<InterfaceValue> interface_value(const GoType &type, const ValueSource &source,
                                              const ValueContext &context) {
  const auto first = source.unsigned_at(0, 8);
  const auto data = source.unsigned_at(8, 8);
  if (!first || !data)
    return std::nullopt;
  InterfaceValue value{*first, *data, nullptr};
  if (*first == 0 || !context.types)
    return value;
  if (!type.has_methods)
    value.type = context.types->at(RunAddress{*first});
  else if (const auto table = context.types->interface_table(RunAddress{*first}))
    value.type = table->type;
  return value;
}

std::optional<ValueSource> dynamic_source(const InterfaceValue &value, const ValueContext &context) {
  if (!value.type)
    return std::nullopt;
  if (is_pointer_shaped(*value.type, context.version)) {
    auto image = std::make_shared<ValueImage>(8);
    image->set(0, value.data, 8);
    return ValueSource::of_image(std::move(image));
  }
  if (!context.memory)
    return std::nullopt;
  return ValueSource::in_memory(*context.memory, RunAddress{value.data}, value.type->size);
}

} // namespace inspect
