#include "golang/pclntab/image_bytes.h"

#include <cstdlib>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t max_table_size = std::uint64_t{1} << 30;

} // namespace

std::span<const std::byte> ImageBytes::in_file(RunAddress address, std::uint64_t size) const {
  if (module_ == nullptr)
    return {};
  const auto rest = module_->image().bytes_from(module_->bias().to_link(address));
  return size <= rest.size() ? rest.first(size) : std::span<const std::byte>{};
}

Result<std::span<const std::byte>> ImageBytes::keep(RunAddress address, std::uint64_t size) {
  if (const auto bytes = in_file(address, size); !bytes.empty())
    return bytes;
  for (const Copy &copy : copies_)
    if (copy.range.contains(address) && size <= copy.range.end - address)
      return std::span<const std::byte>(copy.bytes.get() + (address - copy.range.begin), size);
  if (size > max_table_size)
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("a Go table of {} bytes is too large", size)));
  // The last byte first: a wrong size is then noticed before memory is set aside for it.
  std::byte last{};
  if (auto done = memory_->read(address + (size - 1), {&last, 1}); !done)
    return std::unexpected(done.error().while_doing("reading a Go table"));
  LazyBytes bytes(static_cast<std::byte *>(std::calloc(size, 1)));
  if (!bytes)
    return std::unexpected(Error(ErrorKind::system, fmt::format("not enough memory for a Go table of {} bytes", size)));
  if (auto done = memory_->read(address, {bytes.get(), size}); !done)
    return std::unexpected(done.error().while_doing("reading a Go table"));
  copies_.push_back({{address, address + size}, std::move(bytes)});
  return std::span<const std::byte>(copies_.back().bytes.get(), size);
}

bool ImageBytes::read(RunAddress address, std::span<std::byte> into) const {
  const auto bytes = in_file(address, into.size());
  if (bytes.size() != into.size() || into.empty())
    return memory_->read(address, into).has_value();
  std::memcpy(into.data(), bytes.data(), into.size());
  return true;
}

} // namespace inspect
