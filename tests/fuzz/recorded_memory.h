// The memory of a process as it was at one moment, and what an input makes of it: bytes that are read differ from those
// that were recorded. Which ones is said by how much was read before, not by address, so that an input means the same
// in every process, wherever the kernel has put its mappings.
//
//     const BufferMemory recorded = record_memory(child.pid());
//     EditedMemory memory(recorded, input);      // in one thread: what was read before must not be a matter of luck
#pragma once

#include "machine/memory_view.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <memory>
#include <sys/types.h>

namespace inspect::test {

/// All that can be read of mappings that are not larger than what a small program has.
std::unique_ptr<BufferMemory> record_memory(pid_t process);

class EditedMemory final : public MemoryView {
public:
  /// The rest of `input` is a list of edits: how many bytes to leave as they are (3 bytes, counted over all reads),
  /// what to do (1 byte), and what it takes (0 to 8 bytes).
  EditedMemory(const MemoryView &intact, FuzzInput input) : intact_(intact), input_(input) { next_edit(); }

  Result<void> read(RunAddress address, std::span<std::byte> into) const override;
  /// Bytes read so far.
  std::uint64_t bytes_read() const { return position_; }

private:
  enum Edit : std::uint8_t { replace, add, itself, zero, ones, word_near, edit_count };
  void next_edit() const;
  void apply(RunAddress address, std::span<std::byte> into) const;

  const MemoryView &intact_;
  mutable FuzzInput input_;
  mutable std::uint64_t position_ = 0;
  mutable std::uint64_t next_ = ~std::uint64_t{0}; ///< the position of the next edit
  mutable Edit edit_ = replace;
};

/// A seed without an edit, and one with some, behind `front`.
inline std::vector<std::string> edit_seeds(const std::string &front) {
  FuzzSeed edits;
  edits.raw(front);
  for (const std::uint64_t skip : {0, 8, 40, 200, 1000})
    edits.number(skip, 3).number(skip % 6, 1).number(0x0123456789abcdef, 8);
  return {front, edits.text()};
}

} // namespace inspect::test
