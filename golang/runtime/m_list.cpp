#include "golang/runtime/m_list.h"

#include "golang/runtime/goroutine_decoder.h"

#include <cstring>
#include <unordered_set>

namespace inspect {
namespace {

constexpr std::size_t max_ms = 1 << 18; // the kernel's own limit on threads is 2^22, the runtime's default 10^4

class MReader {
public:
  MReader(const RuntimeLayout &layout, const MemoryView &memory)
      : layout_(layout), memory_(memory), bytes_(static_cast<std::size_t>(layout.m.size)) {}

  /// The address of the next one, 0 at the end.
  std::uint64_t add(RunAddress address) {
    if (!met_.insert(address).second || list_.runtime_ms.size() == max_ms) {
      list_.endless = true;
      return 0;
    }
    if (!memory_.read(address, bytes_)) {
      ++list_.unreadable;
      return 0;
    }
    list_.runtime_ms.push_back(decode_m(layout_, address, bytes_));
    std::uint64_t next = 0;
    std::memcpy(&next, bytes_.data() + layout_.m.all_link, sizeof next);
    return next;
  }
  bool has(RunAddress address) const { return met_.contains(address); }

  MList take() {
    add_stacks();
    return std::move(list_);
  }

private:
  /// All g0 and gsignal in as few reads as the memory allows.
  void add_stacks() {
    const auto size = static_cast<std::size_t>(layout_.g.size);
    std::vector<std::byte> structures(list_.runtime_ms.size() * 2 * size);
    std::vector<MemoryRead> reads;
    for (std::size_t i = 0; i < list_.runtime_ms.size(); ++i) {
      const GoM &runtime_m = list_.runtime_ms[i];
      reads.push_back({runtime_m.g0, std::span(structures).subspan(i * 2 * size, size)});
      reads.push_back({runtime_m.gsignal, std::span(structures).subspan((i * 2 + 1) * size, size)});
    }
    memory_.read_many(reads);
    for (std::size_t i = 0; i < list_.runtime_ms.size(); ++i) {
      GoM &runtime_m = list_.runtime_ms[i];
      if (const MemoryRead &g0 = reads[i * 2]; g0.done) {
        const Goroutine goroutine = decode_goroutine(layout_, g0.address, g0.into);
        runtime_m.g0_stack = goroutine.stack;
        runtime_m.g0_sp = goroutine.sp;
        runtime_m.g0_pc = goroutine.pc;
        runtime_m.g0_bp = goroutine.bp;
      }
      if (const MemoryRead &gsignal = reads[i * 2 + 1]; gsignal.done)
        runtime_m.gsignal_stack = decode_goroutine(layout_, gsignal.address, gsignal.into).stack;
    }
  }

  const RuntimeLayout &layout_;
  const MemoryView &memory_;
  std::vector<std::byte> bytes_;
  std::unordered_set<RunAddress> met_;
  MList list_;
};

} // namespace

MList read_ms(const RuntimeLayout &layout, const MemoryView &memory, RunAddress head,
              std::span<const RunAddress> known) {
  MReader reader(layout, memory);
  if (head.value != 0)
    for (std::uint64_t next = read_word(memory, head).value_or(0); next != 0;)
      next = reader.add({next});
  // Each M links to the one made before it: the newest that a goroutine points to leads to nearly all.
  for (const RunAddress one : known)
    for (std::uint64_t next = one.value; next != 0 && !reader.has({next});)
      next = reader.add({next});
  return reader.take();
}

} // namespace inspect
