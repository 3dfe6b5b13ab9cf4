#include "allocators/mapped_chunks.h"
#include "tests/support/catch.h"

#include <cstring>

namespace inspect::test {
namespace {

constexpr std::uint64_t page = 4096;
constexpr RunAddress begin{0x7f0000000000};

struct PlacedHeader {
  std::uint64_t place; ///< from the begin
  std::uint64_t first;
  std::uint64_t second;
};

struct MappedRow {
  std::string what;
  std::uint64_t size_left_out;
  std::vector<PlacedHeader> headers;
  std::uint64_t expected; ///< of a mapping of 64 pages
};

TEST_CASE("Chunks that malloc mapped are followed through a mapping, in both manners of their headers") {
  const std::vector<MappedRow> rows = {
      {"nothing", 0, {}, 0},
      {"one", 0, {{0, 0, 64 * page | 2}}, 64 * page},
      {"two and something else", 0, {{0, 0, 10 * page | 2}, {10 * page, 0, 20 * page | 2}}, 30 * page},
      {"one of an arena", 0, {{0, 0, 10 * page | 1}}, 0},
      {"larger than the mapping", 0, {{0, 0, 65 * page | 2}}, 0},
      {"of a size that wraps around", 0, {{0, 0, ~std::uint64_t{0xfff} | 2}}, 0},
      {"not of whole pages", 0, {{0, 0, page + 16 + 2}}, 0},
      {"the newer manner read as the older", 0, {{0, 0, (64 * page - 16) | 2}}, 0},
      {"newer", 16, {{0, 0, (64 * page - 16) | 2}}, 64 * page},
      {"newer, in huge pages", 16, {{0, 1, (64 * page - 16) | 2}}, 64 * page},
      {"newer, aligned to 64 bytes", 16, {{48, 48, (8 * page - 64) | 2}}, 8 * page},
      {"newer, aligned to 4 pages",
       16,
       {{3 * page - 16, 3 * page - 16, (20 * page - 16 - (3 * page - 16)) | 2}, {20 * page, 0, (page - 16) | 2}},
       21 * page},
      {"newer, with a distance that is another", 16, {{48, 32, (8 * page - 64) | 2}}, 0},
      {"the older manner read as the newer", 16, {{0, 0, 64 * page | 2}}, 0},
  };
  for (const MappedRow &row : rows) {
    INFO(row.what);
    std::vector<std::byte> bytes(64 * page);
    for (const PlacedHeader &header : row.headers) {
      std::memcpy(bytes.data() + header.place, &header.first, sizeof header.first);
      std::memcpy(bytes.data() + header.place + 8, &header.second, sizeof header.second);
    }
    BufferMemory memory;
    memory.add(begin, bytes);
    CHECK(mapped_chunk_bytes(memory, {begin, begin + 64 * page}, row.size_left_out) == row.expected);
  }
}

} // namespace
} // namespace inspect::test
