#include "dwarf/name_job.h"

#include "dwarf/debug_sections.h"
#include "dwarf/elf_image.h"
#include "dwarf/name_walk.h"
#include "dwarf/split_files.h"

#include <dwarf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <new>

namespace inspect {
namespace {

FileDescriptor copy_of(int descriptor) {
  return FileDescriptor(descriptor >= 0 ? ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3) : -1);
}

Result<ElfImage> open_image(const FileDescriptor &descriptor, const std::string &path) {
  return ElfImage::from_file(copy_of(descriptor.get()), path);
}

bool is_skeleton(const UnitHeader &unit, const RawDie &root) {
  return unit.type == DW_UT_skeleton || (unit.version < 5 && !root.split_name.empty());
}

/// The units of the file itself, and those of the split files that they name.
class Maker {
public:
  Maker(const NameJob &job, const Cancellation *cancellation) : job_(job), cancellation_(cancellation) {}

  Result<MadeNames> run() {
    auto image = open_image(job_.descriptor, job_.path);
    if (!image)
      return std::unexpected(image.error());
    std::optional<ElfImage> common_image;
    DebugSections common;
    if (job_.common) {
      auto opened = open_image(job_.common, job_.path);
      if (!opened)
        return std::unexpected(opened.error());
      common_image = std::move(*opened);
      common = DebugSections::of(*common_image);
    }
    const DebugSections sections = DebugSections::of(*image);
    if (sections.info.empty())
      return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} has no DWARF", job_.path)));
    if (!walk(sections, common_image ? &common : nullptr))
      return std::unexpected(Error(ErrorKind::cancelled, fmt::format("reading the names of {}", job_.path)));
    auto table = NameTable::of(names_.finish({}));
    if (!table)
      return std::unexpected(table.error());
    return MadeNames{std::move(*table), std::move(warnings_)};
  }

private:
  bool walk(const DebugSections &sections, const DebugSections *common) {
    const auto add = [this](const NameRecord &record) { names_.add(record); };
    NameWalk walk(sections, common, cancellation_);
    for (const UnitHeader &unit : walk.units()) {
      if (cancellation_ && cancellation_->requested())
        return false;
      const std::optional<RawDie> root = unit.is_type_unit() ? std::nullopt : walk.root(unit);
      if (root && is_skeleton(unit, *root))
        add_split(unit, *root);
      else
        walk.unit(unit, add);
    }
    if (common) {
      NameWalk shared(*common, nullptr, cancellation_);
      shared.mark_common();
      return shared.all(add);
    }
    return true;
  }

  void add_split(const UnitHeader &unit, const RawDie &root) {
    const std::uint64_t id = unit.version >= 5 ? unit.signature : root.split_id;
    const SplitFile *split = files_.find(root, job_.descriptor.get(), id);
    if (split == nullptr) {
      ++missing_;
      return;
    }
    NameWalk walk(split->sections, nullptr, cancellation_);
    walk.mark_split(unit.dies);
    walk.all([this](const NameRecord &record) { names_.add(record); });
  }

  const NameJob &job_;
  const Cancellation *cancellation_;
  NameTableBuilder names_;
  SplitFiles files_;
  std::size_t missing_ = 0;
  std::vector<std::string> warnings_;
};

} // namespace

NameJob name_job(Module &module) {
  NameJob job;
  job.path = module.path();
  job.descriptor = copy_of(module.debug_descriptor());
  job.common = copy_of(module.common_descriptor());
  job.build_id = module.build_id();
  return job;
}

Result<MadeNames> make_names(const NameJob &job, const Cancellation *cancellation) {
  if (!job.descriptor)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} has no DWARF", job.path)));
  try {
    return Maker(job, cancellation).run();
  } catch (const std::bad_alloc &) {
    return std::unexpected(Error(ErrorKind::system, fmt::format("not enough memory for the names of {}", job.path)));
  }
}

} // namespace inspect
