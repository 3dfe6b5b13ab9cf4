#include "values/go/go_reading.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Where the bytes of a literal string begin, behind its two words.
constexpr std::uint64_t literal_offset = 16;

Error unlikely_length(std::uint64_t length, std::uint64_t address) {
  return {ErrorKind::corrupt,
          fmt::format("a length of {} at {:#x}: not initialised?", static_cast<std::int64_t>(length), address)};
}

/// Which words of hchan say where the next element is: since Go 1.23 a timer stands before them.
std::uint64_t receive_index_offset(GoVersion version) {
  return version >= GoVersion{1, 23} ? 56 : 48;
}

} // namespace

const GoType &whole(const GoType &type, const ValueEnvironment &environment) {
  if (environment.go && environment.go->converter != nullptr)
    environment.go->converter->complete(type);
  return type;
}

ValueContext go_value_context(const ValueEnvironment &environment) {
  ValueContext context;
  context.memory = &environment.memory;
  if (environment.go) {
    context.types = environment.go->types;
    context.classify = environment.go->classify;
    context.version = environment.go->version;
  }
  return context;
}

GoVersion go_version_of(const ValueEnvironment &environment) {
  return environment.go ? environment.go->version : GoVersion{};
}

Value go_value_of_bytes(const GoType &type, std::span<const std::byte> bytes) {
  auto image = std::make_shared<ValueImage>(bytes.size());
  std::ranges::copy(bytes, image->bytes.begin());
  image->known.assign(bytes.size(), true);
  Value value;
  value.type.go = &type;
  value.language = SourceLanguage::go;
  value.source = ValueSource::of_image(std::move(image));
  return value;
}

Value go_value_of_words(const GoType &type, std::initializer_list<std::uint64_t> words) {
  const std::span<const std::uint64_t> all(words.begin(), words.size());
  return go_value_of_bytes(type, std::as_bytes(all));
}

Result<ValueSource> source_of(const Value &value) {
  if (value.source)
    return *value.source;
  return std::unexpected(
      Error(ErrorKind::not_found, value.missing.empty() ? std::string("the value is not known") : value.missing));
}

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
  if (*length >= max_go_list_length || (*address == 0 && *length > 0))
    return std::unexpected(unlikely_length(*length, *address));
  list.address = RunAddress{*address};
  return list;
}

Result<GoList> read_go_slice(const ValueSource &source) {
  const auto address = read_number(source, 0, 8);
  const auto length = read_number(source, 8, 8);
  const auto capacity = read_number(source, 16, 8);
  for (const auto *part : {&address, &length, &capacity})
    if (!*part)
      return std::unexpected(part->error());
  if (*length >= max_go_list_length || *capacity >= max_go_list_length || *length > *capacity ||
      (*address == 0 && *length > 0))
    return std::unexpected(unlikely_length(*length, *address));
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

Result<std::optional<GoChannel>> read_go_channel(const ValueSource &source, const ValueEnvironment &environment) {
  const auto address = read_number(source, 0, 8);
  if (!address)
    return std::unexpected(address.error());
  if (*address == 0)
    return std::nullopt;
  const ValueSource header = ValueSource::in_memory(environment.memory, RunAddress{*address}, 64);
  const std::uint64_t index_offset = receive_index_offset(go_version_of(environment));
  const auto count = read_number(header, 0, 8);
  const auto capacity = read_number(header, 8, 8);
  const auto buffer = read_number(header, 16, 8);
  const auto closed = read_number(header, 28, 4);
  const auto first = read_number(header, index_offset, 8);
  for (const auto *part : {&count, &capacity, &buffer, &closed, &first})
    if (!*part)
      return std::unexpected(part->error());
  if (*capacity >= max_go_list_length || *count > *capacity || *closed > 1 || (*first > 0 && *first >= *capacity))
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("no channel at {:#x}: not initialised?", *address)));
  return GoChannel{
      .count = *count, .capacity = *capacity, .closed = *closed == 1, .buffer = RunAddress{*buffer}, .first = *first};
}

} // namespace inspect
