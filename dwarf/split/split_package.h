// The .dwp package of a program, opened: split units out of it as libdw's DIEs.
//
//     if (SplitPackage *package = module.split_package())
//       if (const auto root = package->unit(skeleton_root)) … its children are functions and types …
//
// A unit is read when it is asked for, and kept. What stands behind it: dwarf/split/plain_unit.h.
//
// Sources: as of dwarf/raw/units/package_index.h; where packages are looked for: gdb manual, "Separate Debug Files",
// and the names that llvm-dwp and dwp give them by default.
#pragma once

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/split/plain_unit.h"

#include <cstdint>
#include <elfutils/libdw.h>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace inspect {

class SplitPackage {
public:
  /// `program`: the image with the skeletons; it must outlive the package. corrupt: the file has no index.
  static Result<std::unique_ptr<SplitPackage>> open(ElfImage package, const ElfImage &program);
  ~SplitPackage();
  SplitPackage(const SplitPackage &) = delete;
  SplitPackage &operator=(const SplitPackage &) = delete;

  int descriptor() const { return image_.descriptor(); }
  bool empty() const { return index_.empty(); }
  /// The root DIE of the split unit that belongs to the skeleton; nothing where the package has none that is valid.
  std::optional<Dwarf_Die> unit(Dwarf_Die skeleton);
  /// The root DIE of a type unit.
  std::optional<Dwarf_Die> type_unit(std::uint64_t signature);
  /// Why units could not be read, each sentence once.
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }

private:
  struct Unit;
  SplitPackage(ElfImage package, const ElfImage &program);
  std::optional<Dwarf_Die> root(std::unordered_map<std::uint64_t, std::unique_ptr<Unit>> &units, std::uint64_t id,
                                const std::optional<DebugSections> &parts, const SkeletonFacts &facts);

  ElfImage image_;
  const ElfImage &program_;
  PackageIndex index_;
  PlainUnitSources sources_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Unit>> units_, types_;
  std::vector<std::string> warnings_;
};

} // namespace inspect
