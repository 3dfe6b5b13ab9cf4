#include "golang/runtime/runtime_layout.h"

#include <algorithm>
#include <array>
#include <utility>

namespace inspect {
namespace {

using Release = std::pair<GoVersion, int>;

Release release_of(const RuntimeLayout &row) {
  return {row.version, row.first_patch};
}
Release release_of(const WaitReasons &row) {
  return {row.version, 0};
}

/// The row of this release, else of the last one before it, else the first; of version 0.0 the last.
template <typename Row> const Row &nearest(std::span<const Row> rows, Release release) {
  if (release.first == GoVersion{})
    return rows.back();
  const auto after = std::ranges::upper_bound(rows, release, {}, [](const Row &row) { return release_of(row); });
  return after == rows.begin() ? *after : *std::prev(after);
}

} // namespace

RuntimeLayoutChoice runtime_layout(GoVersion version, int patch) {
  const RuntimeLayout &layout = nearest(known_runtime_layouts(), {version, patch});
  return {&layout, layout.version == version};
}

std::string_view wait_reason_text(GoVersion version, std::uint8_t reason) {
  const std::span<const std::string_view> texts = nearest(known_wait_reasons(), {version, latest_patch}).texts;
  return reason < texts.size() ? texts[reason] : "unknown wait reason";
}

bool is_durable_in_bubble(std::string_view wait_reason) {
  constexpr auto without_mark =
      std::to_array<std::string_view>({"chan receive (nil chan)", "chan send (nil chan)", "select (no cases)", "sleep",
                                       "sync.Cond.Wait", "coroutine", "synctest.Run", "synctest.Wait"});
  return wait_reason.ends_with("(durable)") || std::ranges::find(without_mark, wait_reason) != without_mark.end();
}

} // namespace inspect
