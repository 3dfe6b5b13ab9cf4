#include "values/printers/rust/rust_types.h"

#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/native_numbers.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

__extension__ using UnsignedWide = unsigned __int128;

/// Tags are compared as wide as they are: negative ones may be written with more bits.
bool has_tag(const DwarfVariant &variant, UnsignedWide tag, UnsignedWide mask) {
  return std::ranges::any_of(variant.discriminants, [&](const DwarfVariant::Discriminants &one) {
    const UnsignedWide low = one.low & mask;
    const UnsignedWide high = one.high & mask;
    return low <= high ? low <= tag && tag <= high : tag >= low || tag <= high;
  });
}

const DwarfVariant *without_tag(const DwarfVariantPart &part) {
  const auto found =
      std::ranges::find_if(part.variants, [](const DwarfVariant &one) { return one.discriminants.empty(); });
  return found == part.variants.end() ? nullptr : &*found;
}

} // namespace

Result<RustVariant> rust_variant(const Value &value, const DwarfType &type, ValueEnvironment &environment) {
  const DwarfVariantPart &part = *type.variants;
  const DwarfVariant *chosen = nullptr;
  if (part.discriminant) {
    const Value tag = part_of(value, part.discriminant->offset, part.discriminant->type, environment);
    const auto raw = raw_bits(tag, environment);
    if (!raw)
      return std::unexpected(raw.error());
    const UnsignedWide mask = raw->width >= 128 ? ~UnsignedWide{0} : (UnsignedWide{1} << raw->width) - 1;
    const auto found =
        std::ranges::find_if(part.variants, [&](const DwarfVariant &one) { return has_tag(one, raw->bits, mask); });
    chosen = found != part.variants.end() ? &*found : without_tag(part);
    if (chosen == nullptr)
      return std::unexpected(Error(ErrorKind::corrupt, fmt::format("{} has no variant {}: not initialised?", type.name,
                                                                   decimal_text(raw->bits))));
  } else if (!part.variants.empty()) {
    chosen = &part.variants.front();
  }
  if (chosen == nullptr)
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("{} has no variants", type.name)));
  const DwarfType &shape = environment.types.underlying(chosen->member.type);
  // States of generators and async functions have numbers there, and names as types: "Suspend0".
  const std::string &name = chosen->member.name;
  const bool is_number = name.find_first_not_of("0123456789") == std::string::npos;
  return RustVariant{is_number ? shape.name : name,
                     part_of(value, chosen->member.offset, chosen->member.type, environment)};
}

} // namespace inspect
