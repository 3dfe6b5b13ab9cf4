#include "dwarf/module/separate_debug.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <lzma.h>

namespace inspect {
namespace {

// The largest that distributions ship unpack to some 5 MB; a hostile one could unpack to anything.
constexpr std::size_t max_unpacked_size = 64u << 20;
constexpr std::uint64_t decoder_memory = 128u << 20;

Result<std::vector<std::byte>> unpack(std::span<const std::byte> packed, const std::string &path) {
  std::vector<std::byte> unpacked(std::min(max_unpacked_size, std::max<std::size_t>(packed.size() * 8, 1 << 16)));
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, decoder_memory, 0) != LZMA_OK)
    return std::unexpected(Error(ErrorKind::system, "the xz decoder cannot start"));
  stream.next_in = reinterpret_cast<const std::uint8_t *>(packed.data());
  stream.avail_in = packed.size();
  lzma_ret status = LZMA_OK;
  while (status == LZMA_OK) {
    if (stream.total_out == unpacked.size()) {
      if (unpacked.size() == max_unpacked_size)
        break;
      unpacked.resize(std::min(max_unpacked_size, unpacked.size() * 2));
    }
    stream.next_out = reinterpret_cast<std::uint8_t *>(unpacked.data()) + stream.total_out;
    stream.avail_out = unpacked.size() - stream.total_out;
    status = lzma_code(&stream, LZMA_FINISH);
  }
  unpacked.resize(stream.total_out);
  lzma_end(&stream);
  if (status != LZMA_STREAM_END)
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("the .gnu_debugdata of {} cannot be unpacked", path)));
  return unpacked;
}

} // namespace

Result<ElfImage> read_mini_debug_info(const ElfImage &image, const std::string &path) {
  const auto section = image.section(".gnu_debugdata");
  if (!section)
    return std::unexpected(Error(ErrorKind::not_found, ""));
  auto unpacked = unpack(image.content(*section), path);
  if (!unpacked)
    return std::unexpected(unpacked.error());
  LazyBytes bytes(static_cast<std::byte *>(std::calloc(std::max<std::size_t>(unpacked->size(), 1), 1)));
  if (!bytes)
    return std::unexpected(Error(ErrorKind::system, "not enough memory for MiniDebugInfo"));
  if (!unpacked->empty())
    std::memcpy(bytes.get(), unpacked->data(), unpacked->size());
  return ElfImage::from_bytes(std::move(bytes), unpacked->size(), path + " (.gnu_debugdata)");
}

} // namespace inspect
