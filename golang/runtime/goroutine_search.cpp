#include "golang/runtime/goroutine_search.h"

#include "golang/image/data_words.h"
#include "golang/runtime/goroutine_decoder.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <ranges>
#include <unordered_map>

namespace inspect {
namespace {
constexpr std::uint64_t max_goroutines = std::uint64_t{1} << 32;
constexpr std::size_t max_candidates = 1 << 20; // of a hostile process
constexpr std::size_t sample_size = 256;
constexpr std::size_t max_chain = 1 << 16;

struct SliceHeader {
  std::uint64_t array;
  std::uint64_t length;
  std::uint64_t capacity;

  bool is_plausible() const {
    return array != 0 && array % 8 == 0 && array < end_of_user_space && length != 0 && length <= capacity &&
           capacity <= max_goroutines;
  }
};

std::vector<std::uint64_t> read_words(std::span<const RunAddress> addresses, const MemoryView &memory) {
  std::vector<std::uint64_t> words(addresses.size());
  std::vector<MemoryRead> reads;
  for (std::size_t i = 0; i < words.size(); ++i)
    reads.push_back({addresses[i], std::as_writable_bytes(std::span(&words[i], 1))});
  memory.read_many(reads);
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!reads[i].done)
      words[i] = 0;
  return words;
}

/// Those of the slices at `arrays` whose first element points to what may be a g.
std::vector<RunAddress> with_goroutine_first(std::span<const RunAddress> headers, std::span<const RunAddress> arrays,
                                             const LayoutChecker &checker, const RuntimeLayout &layout,
                                             const MemoryView &memory) {
  const std::vector<std::uint64_t> elements = read_words(arrays, memory);
  std::vector<RunAddress> wanted;
  std::vector<RunAddress> structures;
  for (std::size_t i = 0; i < headers.size(); ++i)
    if (elements[i] != 0 && elements[i] % 8 == 0 && elements[i] < end_of_user_space) {
      wanted.push_back(headers[i]);
      structures.push_back(RunAddress{elements[i]});
    }
  const auto size = static_cast<std::size_t>(layout.g.size);
  std::vector<std::byte> bytes(structures.size() * size);
  std::vector<MemoryRead> reads;
  for (std::size_t i = 0; i < structures.size(); ++i)
    reads.push_back({structures[i], std::span(bytes).subspan(i * size, size)});
  memory.read_many(reads);
  std::vector<RunAddress> found;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (reads[i].done && checker.problem_of(decode_goroutine(layout, structures[i], reads[i].into)).empty())
      found.push_back(wanted[i]);
  return found;
}

/// Those of the pointers that may lead to an M on the list: its gsignal leads back to it. allocm (runtime/proc.go)
/// lists an M before it gives it a g0; mexit takes the gsignal, and then the M off the list, but keeps what is left of
/// it on another one, sched.freem, whose links into the list stay.
std::vector<RunAddress> ms_among(const std::map<RunAddress, RunAddress> &places, const RuntimeLayout &layout,
                                 const MemoryView &memory) {
  std::vector<RunAddress> runtime_ms;
  std::vector<RunAddress> fields;
  for (const auto &[value, place] : places) {
    runtime_ms.push_back(value);
    fields.push_back(value + static_cast<std::uint64_t>(layout.m.gsignal));
  }
  const std::vector<std::uint64_t> structures = read_words(fields, memory);
  fields.clear();
  for (const std::uint64_t gsignal : structures)
    fields.push_back(RunAddress{gsignal < end_of_user_space ? gsignal : 0} + static_cast<std::uint64_t>(layout.g.m));
  const std::vector<std::uint64_t> back = read_words(fields, memory);
  std::vector<RunAddress> found;
  for (std::size_t i = 0; i < runtime_ms.size(); ++i)
    if (back[i] == runtime_ms[i].value)
      found.push_back(runtime_ms[i]);
  return found;
}

void find_mirrors(const GoImage &image, const MemoryView &memory, std::vector<FoundGoroutineList> &lists) {
  std::vector<RunAddress> headers;
  for (const FoundGoroutineList &list : lists)
    headers.push_back(list.header);
  const std::vector<std::uint64_t> arrays = read_words(headers, memory);
  each_word(image.data.bss, memory, [&](RunAddress place, std::span<const std::uint64_t> words) {
    for (std::size_t i = 0; i < lists.size(); ++i)
      lists[i].mirrored |= words[0] == arrays[i] && place != lists[i].header;
  });
}

/// The number of Ms from this one on; 0 where one of them is none.
std::size_t chain_length(RunAddress first, const LayoutChecker &checker, const RuntimeLayout &layout,
                         const MemoryView &memory, std::unordered_map<RunAddress, std::size_t> &known) {
  std::vector<RunAddress> chain;
  std::size_t behind = 0;
  for (RunAddress at = first; at.value != 0;) {
    cancellation_point();
    if (const auto seen = known.find(at); seen != known.end()) {
      behind = seen->second;
      if (behind == 0)
        chain.clear();
      break;
    }
    if (chain.size() == max_chain || !checker.is_m(at)) {
      known[at] = 0;
      chain.clear();
      break;
    }
    known[at] = 0; // until its chain has ended: one that leads back into itself has no length
    chain.push_back(at);
    at = RunAddress{read_word(memory, at + static_cast<std::uint64_t>(layout.m.all_link)).value_or(0)};
  }
  for (const RunAddress one : std::ranges::reverse_view(chain))
    known[one] = ++behind;
  return known[first];
}

RunAddress longest_m_list(const GoImage &image, const RuntimeLayout &layout, const std::vector<GoImage> &images,
                          const MemoryView &memory) {
  const LayoutChecker checker(layout, images, memory);
  std::map<RunAddress, RunAddress> places; // by what is there
  each_word(image.data.bss, memory, [&](RunAddress place, std::span<const std::uint64_t> words) {
    if (words[0] % 8 == 0 && words[0] < end_of_user_space && places.size() < max_candidates)
      places.try_emplace(RunAddress{words[0]}, place);
  });
  std::unordered_map<RunAddress, std::size_t> known;
  RunAddress best;
  std::size_t longest = 0;
  for (const RunAddress runtime_m : ms_among(places, layout, memory)) {
    const std::size_t length = chain_length(runtime_m, checker, layout, memory, known);
    if (length > longest) {
      longest = length;
      best = places.at(runtime_m);
    }
  }
  return best;
}

/// Of the pointers to Ms the only one that the code of runtime.mcommoninit names (runtime/proc.go): the function puts
/// each new M at the list's head. Code does not change, where other pointers to Ms come and go. 0: there is no such
/// function (its name was changed), or it names none or several.
RunAddress m_list_in_code(const GoImage &image, const LayoutChecker &checker, const MemoryView &memory) {
  constexpr std::uint64_t max_code = 1 << 14; // it has some hundreds of bytes
  using Distance = std::int32_t;              // the last bytes of an instruction that addresses memory from its own end
  const auto function = image.table != nullptr ? image.table->find("runtime.mcommoninit") : std::nullopt;
  if (!function || function->end <= function->entry)
    return {};
  std::vector<std::byte> code(static_cast<std::size_t>(std::min(function->end - function->entry, max_code)));
  if (!memory.read(function->entry, code))
    return {};
  RunAddress found;
  for (std::size_t end = sizeof(Distance); end <= code.size(); ++end) {
    Distance distance = 0;
    std::memcpy(&distance, code.data() + end - sizeof distance, sizeof distance);
    const RunAddress place = function->entry + end + static_cast<std::uint64_t>(std::int64_t{distance});
    if (place.value % 8 != 0 || !image.data.bss.contains(place) || place == found)
      continue;
    if (!checker.is_m(RunAddress{read_word(memory, place).value_or(0)}))
      continue;
    if (found.value != 0)
      return {};
    found = place;
  }
  return found;
}

} // namespace

std::vector<RunAddress> sample_goroutines(RunAddress slice_header, const MemoryView &memory) {
  const auto slice = read_value<SliceHeader>(memory, slice_header);
  if (!slice || !slice->is_plausible())
    return {};
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(slice->length, sample_size));
  std::vector<RunAddress> slots;
  // The first ones are the runtime's own, parked nearly always; the rest is spread over the list.
  for (std::size_t i = 0; i < count; ++i)
    slots.push_back(RunAddress{slice->array} + 8 * (i < count / 2 ? i : i * slice->length / count));
  std::vector<RunAddress> sample;
  for (const std::uint64_t element : read_words(slots, memory))
    if (element != 0)
      sample.push_back(RunAddress{element});
  std::ranges::sort(sample);
  sample.erase(std::unique(sample.begin(), sample.end()), sample.end());
  return sample;
}

std::vector<FoundGoroutineList> search_goroutine_list(const GoImage &image, const RuntimeLayout &layout,
                                                      const std::vector<GoImage> &images, const MemoryView &memory) {
  const LayoutChecker checker(layout, images, memory);
  std::vector<FoundGoroutineList> found;
  // A variable with pointers and without an initial value lies in bss; the others are looked at only in case.
  for (const RunRange range :
       {image.data.bss, image.data.data, image.data.pointer_free_bss, image.data.pointer_free_data}) {
    std::vector<RunAddress> headers;
    std::vector<RunAddress> arrays;
    each_word(range, memory, [&](RunAddress place, std::span<const std::uint64_t> words) {
      if (words.size() < 3 || headers.size() == max_candidates ||
          !SliceHeader{words[0], words[1], words[2]}.is_plausible())
        return;
      headers.push_back(place);
      arrays.push_back(RunAddress{words[0]});
    });
    for (const RunAddress header : with_goroutine_first(headers, arrays, checker, layout, memory)) {
      LayoutCheck check = checker.check(sample_goroutines(header, memory), {});
      if (check.believable())
        found.push_back({header, false, std::move(check)});
    }
    if (!found.empty())
      break;
  }
  if (found.size() > 1)
    find_mirrors(image, memory, found);
  // The linker orders variables by size (cmd/link, dodataSect), so the copy's header, in a large structure, lies
  // higher.
  std::ranges::stable_sort(found, std::greater(), &FoundGoroutineList::mirrored);
  return found;
}

RunAddress search_m_list(const GoImage &image, const RuntimeLayout &layout, const std::vector<GoImage> &images,
                         const MemoryView &memory) {
  if (const RunAddress named = m_list_in_code(image, LayoutChecker(layout, images, memory), memory); named.value != 0)
    return named;
  // The process may run, and the list change between two reads. What two searches find is believed.
  RunAddress found = longest_m_list(image, layout, images, memory);
  for (int attempt = 0; attempt < 4; ++attempt) {
    const RunAddress again = longest_m_list(image, layout, images, memory);
    if (again == found)
      break;
    found = again;
  }
  return found;
}

} // namespace inspect
