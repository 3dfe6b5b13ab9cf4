#include "dwarf/variables/go_captures.h"

#include "dwarf/die/die.h"

#include <algorithm>
#include <dwarf.h>

namespace inspect {
namespace {

constexpr unsigned at_go_closure_offset = 0x2907;
constexpr std::size_t max_captures = 1024;

} // namespace

std::vector<GoCapture> go_captures(LineResolver &lines, LinkAddress entry) {
  std::vector<GoCapture> captures;
  auto function = lines.function_at(entry);
  if (!function)
    return captures;
  const auto add = [&](Dwarf_Die &die) {
    const auto offset = unsigned_attribute(die, at_go_closure_offset);
    const char *name = string_attribute(die, DW_AT_name);
    if (!offset || name == nullptr)
      return;
    GoCapture capture{.name = name, .type = type_of(die), .offset = *offset};
    capture.by_reference = capture.name.starts_with('&');
    capture.name.erase(0, capture.by_reference ? 1 : 0);
    captures.push_back(std::move(capture));
  };
  // The compiler puts them first in the function, before any block.
  each_child(*function, [&](Dwarf_Die &die, std::uint64_t) {
    if (dwarf_tag(&die) == DW_TAG_variable || dwarf_tag(&die) == DW_TAG_formal_parameter)
      each_description(die, [&](Dwarf_Die &one) {
        const std::size_t before = captures.size();
        add(one);
        return captures.size() == before;
      });
    return captures.size() < max_captures;
  });
  std::ranges::stable_sort(captures, {}, &GoCapture::offset);
  return captures;
}

} // namespace inspect
