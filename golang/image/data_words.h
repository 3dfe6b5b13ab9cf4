// The words of a part of a Go image's data as they are in memory, one after the other, for those who look for a
// variable without its symbol by what is in it.
//
//     each_word(image.data.bss, memory, [&](RunAddress place, std::span<const std::uint64_t> words) {
//       if (words.size() >= 3 && …words[0], words[1], words[2]…) …
//     });
#pragma once

#include "golang/pclntab/module_data.h"
#include "machine/memory_view.h"

#include <cstdint>
#include <functional>
#include <span>

namespace inspect {

/// Calls `visit` with the place of each word of the range that is not 0, and the words from there: one and `following`
/// more at least, but fewer at the end of the range. What cannot be read is passed over; of a range beyond 1 GiB the
/// rest, too.
void each_word(RunRange range, const MemoryView &memory,
               const std::function<void(RunAddress, std::span<const std::uint64_t>)> &visit, std::size_t following = 2);

/// The same for the variables without an initial value of an image, among which those of the runtime are. The linker
/// orders them by size (cmd/link, dodataSect), and the runtime's largest has 100 kB: a program's large arrays lie
/// behind, and of each of the two parts no more than 64 MiB is looked at.
void each_unset_word(const ModuleData &data, const MemoryView &memory,
                     const std::function<void(RunAddress, std::span<const std::uint64_t>)> &visit,
                     std::size_t following = 2);

} // namespace inspect
