#include "golang/goroutines/goroutine_labels.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t max_labels = 256;
constexpr std::uint64_t max_text_length = 4096;

struct StringHeader {
  std::uint64_t data = 0;
  std::uint64_t length = 0;
};

struct LabelHeader {
  StringHeader key;
  StringHeader value;
};

Error not_labels(RunAddress address, std::string_view what) {
  return Error(ErrorKind::corrupt, fmt::format("the labels at {:#x} cannot be read: {}", address.value, what));
}

Result<std::string> read_text(const MemoryView &memory, const StringHeader &header) {
  std::string text(std::min(header.length, max_text_length), '\0');
  if (auto done = memory.read(RunAddress{header.data}, std::as_writable_bytes(std::span(text))); !done)
    return std::unexpected(done.error());
  return text;
}

Result<void> add_label(const MemoryView &memory, const LabelHeader &header, GoLabels &into) {
  auto key = read_text(memory, header.key);
  if (!key)
    return std::unexpected(key.error());
  auto value = read_text(memory, header.value);
  if (!value)
    return std::unexpected(value.error());
  into.emplace_back(std::move(*key), std::move(*value));
  return {};
}

Result<GoLabels> read_slice(const MemoryView &memory, RunAddress address) {
  const auto list = read_value<StringHeader>(memory, address);
  if (!list)
    return std::unexpected(list.error());
  if (list->length > max_labels)
    return std::unexpected(not_labels(address, fmt::format("{} labels are too many", list->length)));
  GoLabels labels;
  for (std::uint64_t i = 0; i < list->length; ++i) {
    const auto label = read_value<LabelHeader>(memory, RunAddress{list->data} + i * sizeof(LabelHeader));
    if (!label)
      return std::unexpected(label.error());
    if (auto done = add_label(memory, *label, labels); !done)
      return std::unexpected(done.error());
  }
  return labels;
}

/// runtime/map.go up to Go 1.23.
struct MapHeader {
  std::uint64_t count = 0;
  std::uint8_t flags = 0;
  std::uint8_t bucket_bits = 0;
  std::uint16_t overflow_buckets = 0;
  std::uint32_t seed = 0;
  std::uint64_t buckets = 0;
};

struct StringBucket {
  std::array<std::uint8_t, 8> top_hashes;
  std::array<StringHeader, 8> keys;
  std::array<StringHeader, 8> values;
  std::uint64_t overflow;
};

constexpr std::uint8_t least_used_hash = 5; // minTopHash: smaller ones mark empty slots
constexpr std::uint8_t max_bucket_bits = 6;

Result<GoLabels> read_map(const MemoryView &memory, RunAddress address) {
  const auto map = read_word(memory, address);
  if (!map)
    return std::unexpected(map.error());
  GoLabels labels;
  if (*map == 0)
    return labels;
  const auto header = read_value<MapHeader>(memory, RunAddress{*map});
  if (!header)
    return std::unexpected(header.error());
  if (header->count > max_labels || header->bucket_bits > max_bucket_bits)
    return std::unexpected(not_labels(address, "no map of a few labels lies there"));
  for (std::uint64_t i = 0; i < std::uint64_t{1} << header->bucket_bits; ++i) {
    RunAddress at = RunAddress{header->buckets} + i * sizeof(StringBucket);
    for (std::uint64_t chain = 0; at.value != 0 && labels.size() < header->count && chain < max_labels; ++chain) {
      const auto bucket = read_value<StringBucket>(memory, at);
      if (!bucket)
        return std::unexpected(bucket.error());
      for (std::size_t slot = 0; slot < bucket->keys.size() && labels.size() < header->count; ++slot)
        if (bucket->top_hashes[slot] >= least_used_hash)
          if (auto done = add_label(memory, {bucket->keys[slot], bucket->values[slot]}, labels); !done)
            return std::unexpected(done.error());
      at = RunAddress{bucket->overflow};
    }
  }
  return labels;
}

} // namespace

Result<GoLabels> read_goroutine_labels(const MemoryView &memory, RunAddress address, GoVersion version) {
  auto labels = version < GoVersion{1, 24} ? read_map(memory, address) : read_slice(memory, address);
  if (labels)
    std::ranges::sort(*labels);
  return labels;
}

} // namespace inspect
