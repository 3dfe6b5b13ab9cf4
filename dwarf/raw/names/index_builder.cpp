#include "dwarf/raw/names/index_builder.h"

#include "dwarf/raw/elf/debug_pages.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/raw/names/accelerator_tables.h"
#include "dwarf/raw/names/name_walk.h"
#include "dwarf/raw/units/package_index.h"

#include <algorithm>
#include <dwarf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <new>

namespace inspect {
namespace {

/// One of the files, opened anew: libelf's handles may not be shared by threads.
struct Opened {
  ElfImage image;
  DebugPages pages;
};

Result<Opened> open_copy(int descriptor, const std::string &path) {
  auto image = ElfImage::from_file(FileDescriptor(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)), path);
  if (!image)
    return std::unexpected(image.error());
  DebugPages pages(image->elf());
  return Opened{std::move(*image), std::move(pages)};
}

bool is_skeleton(const UnitHeader &unit, const RawDie &root) {
  return unit.type == DW_UT_skeleton || (unit.version < 5 && !root.split_name.empty());
}

class IndexBuilder {
public:
  explicit IndexBuilder(const NameIndexInput &input) : input_(input) {}

  Result<BuiltNameIndex> run() {
    auto file = open_copy(input_.descriptor, input_.path);
    if (!file)
      return std::unexpected(file.error());
    const DebugSections sections = DebugSections::of(file->image);
    if (sections.info.empty())
      return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} has no DWARF", input_.path)));
    auto common =
        input_.common >= 0 ? open_copy(input_.common, input_.path) : std::unexpected(Error(ErrorKind::not_found, ""));
    auto package =
        input_.package >= 0 ? open_copy(input_.package, input_.path) : std::unexpected(Error(ErrorKind::not_found, ""));
    DebugSections shared;
    if (common)
      shared = DebugSections::of(common->image);
    if (package)
      package_.emplace(DebugSections::split_of(package->image));
    pages_ = {&file->pages, common ? &common->pages : nullptr, package ? &package->pages : nullptr};
    auto done = walk_program(sections, common ? &shared : nullptr);
    if (done && common)
      done = walk_all(shared, NameSection::common_info, {}, nullptr);
    if (!done)
      return std::unexpected(done.error());
    return BuiltNameIndex{names_.finish(input_.header), missing_};
  }

private:
  Result<void> still_wanted() const {
    if (input_.cancellation && input_.cancellation->requested())
      return std::unexpected(Error(ErrorKind::cancelled, fmt::format("reading the names of {}", input_.path)));
    return {};
  }

  NameVisitor adder() {
    return [this](const NameRecord &record) { names_.add(record); };
  }

  void used(const UnitHeader &unit) {
    for (DebugPages *pages : pages_)
      if (pages != nullptr)
        pages->used(unit.end - unit.offset);
  }

  Result<void> walk_program(const DebugSections &sections, const DebugSections *common) {
    NameWalk walk(sections, common, input_.cancellation);
    bool split = false;
    // Of split and shared units these indexes say where the skeleton is, or nothing.
    const bool indexed = common == nullptr && !any_skeleton(walk);
    const CoveredUnits covered = indexed ? read_accelerator_tables(sections, walk.units(), adder()) : CoveredUnits();
    for (const UnitHeader &unit : walk.units()) {
      if (auto wanted = still_wanted(); !wanted)
        return wanted;
      if (covered.covers(unit))
        continue;
      const std::optional<RawDie> root = unit.is_type_unit() ? std::nullopt : walk.root(unit);
      if (!root || !is_skeleton(unit, *root)) {
        walk.unit(unit, adder());
        used(unit);
        continue;
      }
      if (!std::exchange(split, true))
        if (auto done = walk_types_of_package(); !done)
          return done;
      if (auto done = walk_split(unit, *root); !done)
        return done;
    }
    return {};
  }

  bool any_skeleton(NameWalk &walk) const {
    return std::ranges::any_of(walk.units(), [&](const UnitHeader &unit) {
      const std::optional<RawDie> root = unit.is_type_unit() ? std::nullopt : walk.root(unit);
      return root && is_skeleton(unit, *root);
    });
  }

  Result<void> walk_all(const DebugSections &sections, NameSection section, std::optional<std::uint64_t> unit,
                        const NameWalk::TypeNames *types) {
    NameWalk walk(sections, nullptr, input_.cancellation);
    walk.place_in(section, unit);
    walk.know_types(types);
    for (const UnitHeader &header : walk.units()) {
      walk.unit(header, adder());
      used(header);
    }
    return still_wanted();
  }

  Result<void> walk_types_of_package() {
    if (!package_)
      return {};
    for (const std::uint64_t signature : package_->type_signatures())
      if (const auto sections = package_->type_unit(signature)) {
        NameWalk(*sections).collect_types(types_);
        if (auto done = walk_all(*sections, NameSection::package_type, signature, &types_); !done)
          return done;
      }
    return {};
  }

  Result<void> walk_split(const UnitHeader &unit, const RawDie &root) {
    const std::uint64_t id = unit.version >= 5 ? unit.signature : root.split_id;
    if (const auto sections = package_ ? package_->unit(id) : std::nullopt)
      return walk_all(*sections, NameSection::package_info, unit.dies, &types_);
    if (!input_.split_files)
      return std::unexpected(Error(ErrorKind::unsupported, "the file's names are in .dwo files"));
    const DebugSections *sections = input_.split_files(root, id);
    if (sections == nullptr) {
      ++missing_;
      return {};
    }
    return walk_all(*sections, NameSection::split_info, unit.dies, nullptr);
  }

  const NameIndexInput &input_;
  NameTableBuilder names_;
  std::optional<PackageIndex> package_;
  NameWalk::TypeNames types_;
  std::vector<DebugPages *> pages_;
  std::size_t missing_ = 0;
};

} // namespace

Result<BuiltNameIndex> build_name_index(const NameIndexInput &input) {
  try {
    return IndexBuilder(input).run();
  } catch (const std::bad_alloc &) {
    return std::unexpected(Error(ErrorKind::system, fmt::format("not enough memory for the names of {}", input.path)));
  }
}

} // namespace inspect
