// Reads the bytes of type descriptions and the encoded names they use. The images' own types are read-only, so their
// pages are read once and kept: a program has tens of thousands of types, whose parts are a few bytes each.
//
// Source: internal/abi/type.go, type Name (before 1.21 reflect/type.go): a flag byte, a length (two bytes big-endian in
// 1.16, a varint since 1.17), the name, and where flag bit 1 is set a tag in the same form.
#pragma once

#include "golang/image/go_image.h"

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace inspect {

struct TypeName {
  std::string text;
  std::string tag; ///< of a structure's field
  bool embedded = false;
};

class TypeBytes {
public:
  TypeBytes(const std::vector<GoImage> &images, GoVersion version, const MemoryView &memory);

  /// From now on so many reads succeed at most: crafted tables may refer to each other without end.
  void allow(std::uint64_t reads) { reads_left_ = reads; }
  /// The image whose [types, etypes) has this address, or null.
  const GoImage *image_of(RunAddress address) const;
  bool read(RunAddress address, std::span<std::byte> into);
  template <typename T> std::optional<T> value(RunAddress address) {
    T value;
    if (!read(address, std::as_writable_bytes(std::span(&value, 1))))
      return std::nullopt;
    return value;
  }
  /// Nothing where no well-formed name is: unknown flags, a length out of bounds, bytes that are not printable UTF-8.
  std::optional<TypeName> name(RunAddress address);
  /// A name by its offset from the start of the image's types.
  std::optional<TypeName> name(const GoImage &image, std::int32_t offset);

private:
  using Page = std::array<std::byte, 16384>;

  const Page *page(const GoImage &image, std::uint64_t number);
  std::unique_ptr<Page> read_page(const GoImage &image, std::uint64_t number) const;
  std::optional<std::string> counted_text(RunAddress &at);

  const std::vector<GoImage> &images_;
  GoVersion version_;
  const MemoryView &memory_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_; ///< null: not readable
  std::uint64_t reads_left_ = ~std::uint64_t{0};
  std::uint64_t last_number_ = 0;
  const Page *last_page_ = nullptr; ///< most reads are near the one before
};

} // namespace inspect
