#include "dwarf/names/name_job.h"

#include "dwarf/raw/names/index_builder.h"
#include "dwarf/split/split_files.h"
#include "dwarf/split/split_package.h"
#include "dwarf/unit_index/indexed_file.h"
#include "dwarf/unit_index/unit_index_cache.h"
#include "dwarf/unit_index/unit_index_worker.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

namespace inspect {
namespace {

FileDescriptor copy_of(int descriptor) {
  return FileDescriptor(descriptor >= 0 ? ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3) : -1);
}

/// Of the sections that names are read from.
std::uint64_t size_of_info(const NameJob &job) {
  std::uint64_t size = 0;
  for (const FileDescriptor *file : {&job.descriptor, &job.package}) {
    if (!*file)
      continue;
    const auto image = ElfImage::from_file(copy_of(file->get()), job.path);
    if (!image)
      continue;
    for (const ImageSection &section : image->sections())
      if (section.name.starts_with(".debug_info") || section.name.starts_with(".zdebug_info"))
        size += section.header.sh_size;
  }
  return size;
}

class Opener {
public:
  Opener(const NameJob &job, const UnitIndexOptions &options, const Cancellation *cancellation)
      : job_(job), options_(options), cancellation_(cancellation) {}

  /// Without cache and worker.
  Result<OpenedNames> here() {
    SplitFiles files({.descriptor = job_.descriptor.get(), .files = job_.files, .unusable = [this](const Error &error) {
                        if (!std::exchange(warned_of_split_file_, true))
                          warnings_.push_back(missing_split_file(error));
                      }});
    auto made = build_name_index({.descriptor = job_.descriptor.get(),
                                  .common = job_.common.get(),
                                  .package = job_.package.get(),
                                  .path = job_.path,
                                  .header = {},
                                  .split_files =
                                      [&](const RawDie &skeleton, std::uint64_t id) {
                                        const SplitFile *found = files.find(skeleton, id);
                                        return found != nullptr ? &found->sections : nullptr;
                                      },
                                  .cancellation = cancellation_});
    if (!made)
      return std::unexpected(made.error());
    auto table = NameTable::of(std::move(made->bytes));
    if (!table)
      return std::unexpected(table.error());
    OpenedNames names{std::move(*table), std::move(warnings_)};
    if (made->missing_split_files != 0)
      names.warnings.push_back(fmt::format("{} of the .dwo files of {} are not there: what they name is not known",
                                           made->missing_split_files, job_.path));
    return names;
  }

  Result<OpenedNames> kept_or_made_by_worker() {
    auto identity = IndexedFile::of(job_.descriptor.get(), job_.build_id);
    if (!identity)
      return std::unexpected(identity.error());
    identity_ = std::move(*identity);
    other_files_ = identity_of_others();
    Result<UnitIndexCache> cache = std::unexpected(Error(ErrorKind::not_found, ""));
    if (options_.cache_directory)
      cache = UnitIndexCache::open(*options_.cache_directory);
    const std::string entry = identity_.entry_name(
        other_files_ != 0 ? fmt::format("-{:x}{}", other_files_, name_table_suffix) : std::string(name_table_suffix));
    if (cache)
      if (const auto kept = cache->find(entry)) {
        if (auto table = table_in(kept->get()))
          return OpenedNames{std::move(*table), {}, true};
        cache->remove(entry);
      }
    Result<NewFile> output = std::unexpected(Error(ErrorKind::not_found, ""));
    FileDescriptor in_memory;
    if (cache)
      output = cache->begin();
    if (!output)
      in_memory = FileDescriptor(::memfd_create("inspect-names", MFD_CLOEXEC));
    auto table = made_by_worker(output ? output->descriptor() : in_memory.get());
    if (!table)
      return std::unexpected(table.error());
    if (output) {
      // Where it cannot be kept, it is used all the same, and made again next time.
      static_cast<void>(output->publish(entry));
      cache->shrink_to(options_.max_cache_size);
    }
    return OpenedNames{std::move(*table), std::move(warnings_), false, true};
  }

  void warn(const Error &error) {
    warnings_.push_back(fmt::format("no index of the names of {}: {}", job_.path, error.message()));
  }

private:
  std::uint64_t identity_of_others() const {
    std::uint64_t hash = 0;
    for (const FileDescriptor *file : {&job_.common, &job_.package})
      if (*file)
        if (const auto identity = IndexedFile::of(file->get(), {}))
          for (const std::uint64_t word : {identity->size, static_cast<std::uint64_t>(identity->modified_ns),
                                           identity->device, identity->inode, std::uint64_t{1}})
            hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15;
    return hash;
  }

  Result<NameTable> table_in(int descriptor) const {
    auto table = NameTable::map(descriptor);
    if (table && (!identity_.fits(table->header()) || table->header().other_files != other_files_))
      return std::unexpected(Error(ErrorKind::corrupt, "the table of names belongs to another file"));
    return table;
  }

  Result<NameTable> made_by_worker(int output) const {
    if (auto done = run_unit_index_worker({.worker = options_.worker,
                                           .input = job_.descriptor.get(),
                                           .output = output,
                                           .build_id = identity_.build_id_hex(),
                                           .deadline = options_.deadline,
                                           .names = true,
                                           .common = job_.common.get(),
                                           .package = job_.package.get(),
                                           .other_files = other_files_,
                                           .cancellation = cancellation_});
        !done)
      return std::unexpected(done.error());
    return table_in(output);
  }

  const NameJob &job_;
  const UnitIndexOptions &options_;
  const Cancellation *cancellation_;
  IndexedFile identity_;
  std::uint64_t other_files_ = 0;
  std::vector<std::string> warnings_;
  bool warned_of_split_file_ = false;
};

} // namespace

NameJob name_job(Module &module) {
  NameJob job;
  job.path = module.path();
  job.files = &module.files();
  job.descriptor = copy_of(module.debug_descriptor());
  job.common = copy_of(module.common_descriptor());
  if (const SplitPackage *package = module.split_package())
    job.package = copy_of(package->descriptor());
  job.build_id = module.build_id();
  return job;
}

Result<OpenedNames> open_names(const NameJob &job, const UnitIndexOptions &options, const Cancellation *cancellation,
                               std::uint64_t large) {
  if (!job.descriptor)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} has no DWARF", job.path)));
  Opener opener(job, options, cancellation);
  if (!options.worker.empty() && size_of_info(job) >= large) {
    auto names = opener.kept_or_made_by_worker();
    if (names || names.error().kind() == ErrorKind::cancelled)
      return names;
    if (names.error().kind() != ErrorKind::unsupported) // its names are in .dwo files
      opener.warn(names.error());
  }
  return opener.here();
}

} // namespace inspect
