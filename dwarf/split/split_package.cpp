#include "dwarf/split/split_package.h"

#include "dwarf/die/die.h"

#include <dwarf.h>
#include <fmt/format.h>
#include <new>

namespace inspect {
namespace {

/// Each takes a few mappings, of which a process may have 65,530.
constexpr std::size_t max_units = 8192;

[[gnu::noreturn]] void throw_out_of_memory() {
  throw std::bad_alloc();
}

SkeletonFacts facts_of(Dwarf_Die skeleton) {
  SkeletonFacts facts;
  Dwarf_Addr low_pc = 0;
  if (dwarf_lowpc(&skeleton, &low_pc) == 0)
    facts.low_pc = low_pc;
  facts.address_base = unsigned_attribute(skeleton, DW_AT_addr_base)
                           .value_or(unsigned_attribute(skeleton, DW_AT_GNU_addr_base).value_or(0));
  facts.ranges_base = unsigned_attribute(skeleton, DW_AT_GNU_ranges_base).value_or(0);
  return facts;
}

} // namespace

struct SplitPackage::Unit {
  std::optional<PlainUnit> plain;
  Dwarf *dwarf = nullptr;
  std::optional<Dwarf_Die> root;

  Unit() = default;
  Unit(const Unit &) = delete;
  Unit &operator=(const Unit &) = delete;
  ~Unit() { dwarf_end(dwarf); }
};

Result<std::unique_ptr<SplitPackage>> SplitPackage::open(ElfImage package, const ElfImage &program) {
  std::unique_ptr<SplitPackage> opened(new SplitPackage(std::move(package), program));
  if (opened->empty())
    return std::unexpected(Error(ErrorKind::corrupt, "the package of split DWARF has no index that is valid"));
  return opened;
}

SplitPackage::SplitPackage(ElfImage package, const ElfImage &program)
    : image_(std::move(package)), program_(program), index_(DebugSections::split_of(image_, true)) {
  sources_.program = &program_;
  sources_.package = &image_;
  const DebugSections all = DebugSections::of(program_, true);
  sources_.program_sections.addresses = all.addresses;
  sources_.program_sections.old_ranges = all.old_ranges;
  sources_.type_unit = [this](std::uint64_t signature) { return index_.type_unit(signature); };
}

SplitPackage::~SplitPackage() = default;

std::optional<Dwarf_Die> SplitPackage::root(std::unordered_map<std::uint64_t, std::unique_ptr<Unit>> &units,
                                            std::uint64_t id, const std::optional<DebugSections> &parts,
                                            const SkeletonFacts &facts) {
  if (const auto known = units.find(id); known != units.end())
    return known->second->root;
  if (!parts || units.size() >= max_units)
    return std::nullopt;
  Unit &unit = *units.emplace(id, std::make_unique<Unit>()).first->second;
  auto plain = PlainUnit::make(*parts, facts, sources_);
  if (!plain) {
    warnings_.push_back(fmt::format("{}: {:#x}", plain.error().message(), id));
    return std::nullopt;
  }
  unit.plain.emplace(std::move(*plain));
  unit.dwarf = dwarf_begin_elf(unit.plain->elf(), DWARF_C_READ, nullptr);
  if (unit.dwarf == nullptr) {
    warnings_.push_back(fmt::format("a unit of the package cannot be read: {:#x}: {}", id, dwarf_errmsg(-1)));
    return std::nullopt;
  }
  dwarf_new_oom_handler(unit.dwarf, throw_out_of_memory);
  Dwarf_Die root;
  const std::uint64_t offset = unit.plain->root_offset();
  const bool found = unit.plain->in_types() ? dwarf_offdie_types(unit.dwarf, offset, &root) != nullptr
                                            : dwarf_offdie(unit.dwarf, offset, &root) != nullptr;
  if (found && dwarf_cuoffset(&root) != 0)
    unit.root = root;
  return unit.root;
}

std::optional<Dwarf_Die> SplitPackage::unit(Dwarf_Die skeleton) {
  std::uint8_t type = 0;
  std::uint64_t id = 0;
  if (skeleton.cu == nullptr ||
      dwarf_cu_info(skeleton.cu, nullptr, &type, nullptr, nullptr, &id, nullptr, nullptr) != 0 ||
      type != DW_UT_skeleton)
    return std::nullopt;
  return root(units_, id, index_.unit(id), facts_of(skeleton));
}

std::optional<Dwarf_Die> SplitPackage::type_unit(std::uint64_t signature) {
  return root(types_, signature, index_.type_unit(signature), {});
}

} // namespace inspect
