// Room for what is copied while a target is stopped: its pages are there before the pause as far as the need is known,
// in large pages where the kernel has them, and what was handed out never moves.
//
//     CopyBuffer buffer;
//     buffer.prepare(expected_bytes);             // the target still runs
//     buffer.expect(all_that_will_be_asked_for);  // it is stopped: what was not prepared is mapped in one go
//     std::byte *bytes = buffer.take(size);       // null: there is no memory left
//
// Sources: man pages mmap(2), madvise(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace inspect {

class CopyBuffer {
public:
  /// Maps a block for so many bytes and gives it its pages.
  void prepare(std::uint64_t bytes);
  void expect(std::uint64_t bytes);
  std::byte *take(std::uint64_t size);
  /// Never gives the pages back: a read that could not be ended may still arrive there.
  void keep_for_ever();
  /// Keeps the other's memory, too: what it handed out stays where it is.
  void add(CopyBuffer other);

private:
  struct Unmap {
    std::uint64_t size = 0;
    void operator()(std::byte *block) const;
  };
  using Block = std::unique_ptr<std::byte, Unmap>;
  static Block map(std::uint64_t bytes);
  std::uint64_t left() const;

  std::vector<Block> blocks_;
  std::size_t current_ = 0; ///< the block to take from
  std::uint64_t used_ = 0;  ///< of it
};

} // namespace inspect
