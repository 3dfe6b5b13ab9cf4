#include "golang/types/type_bytes.h"

#include <algorithm>
#include <cstring>

namespace inspect {
namespace {

/// internal/abi/type.go bounds names at 2^29; those of real types, generated ones included, are far shorter.
constexpr std::uint64_t max_name_length = 1 << 16;
constexpr std::uint8_t known_name_flags = 0x0f;
constexpr std::uint8_t has_tag = 1 << 1;
constexpr std::uint8_t is_embedded = 1 << 3;

/// Length of the well-formed UTF-8 sequence at the front, 0 where there is none (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80)
    return 1;
  const std::size_t length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : 4;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length)
    return 0;
  const unsigned lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < lowest || byte(1) > highest)
    return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf)
      return 0;
  }
  return length;
}

/// Valid UTF-8 without control characters.
bool is_printable_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto lead = static_cast<unsigned char>(text.front());
    const bool c1_control = length == 2 && lead == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    if (length == 0 || lead < 0x20 || lead == 0x7f || c1_control)
      return false;
    text.remove_prefix(length);
  }
  return true;
}

} // namespace

TypeBytes::TypeBytes(const std::vector<GoImage> &images, GoVersion version, const MemoryView &memory)
    : images_(images), version_(version), memory_(memory) {}

const GoImage *TypeBytes::image_of(RunAddress address) const {
  const auto found =
      std::ranges::find_if(images_, [&](const GoImage &image) { return image.data.types.contains(address); });
  return found == images_.end() ? nullptr : &*found;
}

const TypeBytes::Page *TypeBytes::page(const GoImage &image, std::uint64_t number) {
  if (last_page_ && last_number_ == number)
    return last_page_;
  const auto [place, added] = pages_.try_emplace(number);
  if (added)
    place->second = read_page(image, number);
  last_number_ = number;
  last_page_ = place->second.get();
  return last_page_;
}

std::unique_ptr<TypeBytes::Page> TypeBytes::read_page(const GoImage &image, std::uint64_t number) const {
  auto page = std::make_unique<Page>();
  const RunAddress begin{number * page->size()};
  if (memory_.read(begin, *page))
    return page;
  // A file's image may have only the section, not the rest of its pages.
  const RunAddress first = std::max(begin, image.data.types.begin);
  const RunAddress last = std::min(begin + page->size(), image.data.types.end);
  if (first >= last || !memory_.read(first, std::span(*page).subspan(first - begin, last - first)))
    return nullptr;
  return page;
}

bool TypeBytes::read(RunAddress address, std::span<std::byte> into) {
  if (reads_left_ == 0)
    return false;
  --reads_left_;
  const GoImage *image = image_of(address);
  if (!image || into.size() > image->data.types.end - address)
    return memory_.read(address, into).has_value();
  while (!into.empty()) {
    const Page *bytes = page(*image, address.value / sizeof(Page));
    if (!bytes)
      return false;
    const auto offset = static_cast<std::size_t>(address.value % bytes->size());
    const std::size_t count = std::min(into.size(), bytes->size() - offset);
    std::memcpy(into.data(), bytes->data() + offset, count);
    into = into.subspan(count);
    address = address + count;
  }
  return true;
}

std::optional<std::string> TypeBytes::counted_text(RunAddress &at) {
  std::uint64_t length = 0;
  const GoImage *image = image_of(at);
  const GoVersion version = image != nullptr ? image->version : version_;
  if (version != GoVersion{} && version < GoVersion{1, 17}) {
    const auto bytes = value<std::array<std::uint8_t, 2>>(at);
    if (!bytes)
      return std::nullopt;
    length = static_cast<std::uint64_t>((*bytes)[0]) << 8 | (*bytes)[1];
    at = at + 2;
  } else {
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = value<std::uint8_t>(at);
      if (!byte || shift > 28)
        return std::nullopt;
      length |= static_cast<std::uint64_t>(*byte & 0x7f) << shift;
      at = at + 1;
      if ((*byte & 0x80) == 0)
        break;
    }
  }
  if (length > max_name_length)
    return std::nullopt;
  std::string text(length, '\0');
  if (!read(at, std::as_writable_bytes(std::span(text))))
    return std::nullopt;
  at = at + length;
  return text;
}

std::optional<TypeName> TypeBytes::name(RunAddress address) {
  const auto flags = value<std::uint8_t>(address);
  if (!flags || (*flags & ~known_name_flags) != 0)
    return std::nullopt;
  RunAddress at = address + 1;
  auto text = counted_text(at);
  if (!text || !is_printable_text(*text))
    return std::nullopt;
  TypeName name{.text = std::move(*text), .tag = {}, .embedded = (*flags & is_embedded) != 0};
  if ((*flags & has_tag) != 0) {
    auto tag = counted_text(at);
    if (!tag)
      return std::nullopt;
    name.tag = std::move(*tag);
  }
  return name;
}

std::optional<TypeName> TypeBytes::name(const GoImage &image, std::int32_t offset) {
  if (offset <= 0 || static_cast<std::uint64_t>(offset) >= image.data.types.size())
    return std::nullopt;
  return name(image.data.types.begin + static_cast<std::uint64_t>(offset));
}

} // namespace inspect
