#include "dwarf/names/units_on_demand.h"

#include <algorithm>
#include <fcntl.h>

namespace inspect {

UnitsOnDemand::UnitsOnDemand(const NameJob &job) {
  auto image = ElfImage::from_file(FileDescriptor(::fcntl(job.descriptor.get(), F_DUPFD_CLOEXEC, 3)), job.path);
  if (!image)
    return; // it could be read when the index was; now what the index points to is not found
  image_ = std::move(*image);
  sections_ = DebugSections::of(*image_);
  walk_ = std::make_unique<NameWalk>(sections_);
}

void UnitsOnDemand::walk(std::uint64_t root, bool in_types, const NameVisitor &visit) {
  if (!walk_)
    return;
  const auto unit = std::ranges::find_if(
      walk_->units(), [&](const UnitHeader &one) { return one.dies == root && one.in_types == in_types; });
  if (unit != walk_->units().end())
    walk_->unit(*unit, visit);
}

} // namespace inspect
