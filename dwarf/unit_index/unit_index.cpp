#include "dwarf/unit_index/unit_index.h"

#include "dwarf/unit_index/indexed_file.h"
#include "dwarf/unit_index/unit_index_cache.h"
#include "dwarf/unit_index/unit_index_worker.h"
#include "machine/file_descriptor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr std::uint64_t max_index_size = sizeof(UnitIndexHeader) + max_unit_index_records * sizeof(UnitIndexRecord);

Result<UnitIndex> parse_file(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0)
    return std::unexpected(Error::from_errno(errno, "looking at an index"));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_index_size)
    return std::unexpected(Error(ErrorKind::corrupt, "the index is larger than any can be"));
  // Read rather than mapped: a file that somebody truncates then is an error and no SIGBUS.
  std::vector<std::byte> bytes(size);
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::pread(descriptor, bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return std::unexpected(Error::from_errno(errno, "reading an index"));
    if (got == 0)
      return std::unexpected(Error(ErrorKind::corrupt, "the index became shorter while it was read"));
    have += static_cast<std::size_t>(got);
  }
  return UnitIndex::parse(bytes);
}

Result<UnitIndex> parse_file_of(int descriptor, const IndexedFile &identity) {
  auto index = parse_file(descriptor);
  if (index && !identity.fits(index->header()))
    return std::unexpected(Error(ErrorKind::corrupt, "the index belongs to another file"));
  return index;
}

Result<UnitIndex> make(int descriptor, int output, const IndexedFile &identity, const UnitIndexOptions &options) {
  if (auto done = run_unit_index_worker({.worker = options.worker,
                                         .input = descriptor,
                                         .output = output,
                                         .build_id = identity.build_id_hex(),
                                         .deadline = options.deadline,
                                         .cancellation = options.cancellation});
      !done)
    return std::unexpected(done.error());
  return parse_file_of(output, identity);
}

Result<UnitIndex> make_uncached(int descriptor, const IndexedFile &identity, const UnitIndexOptions &options) {
  const FileDescriptor output(::memfd_create("inspect-unit-index", MFD_CLOEXEC));
  if (!output)
    return std::unexpected(Error::from_errno(errno, "creating a file in memory for an index"));
  return make(descriptor, output.get(), identity, options);
}

/// The kernel says which path was executed (getauxval(3), AT_EXECFN). Empty where that path is no longer ours to
/// follow, as after a change of folder; then there is no worker, which is an answer too.
std::string folder_of_this_program() {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): getauxval(3) hands out pointers as integers
  const auto *executed = reinterpret_cast<const char *>(::getauxval(AT_EXECFN));
  if (executed == nullptr)
    return {};
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::canonical(executed, failed);
  return failed ? std::string() : program.parent_path().string();
}

bool is_absolute(const char *path) {
  return path != nullptr && path[0] == '/';
}

} // namespace

UnitIndexOptions default_unit_index_options() {
  UnitIndexOptions options;
  const std::string folder = folder_of_this_program();
  std::vector<std::string> candidates;
  if (const char *named = std::getenv("INSPECT_DWARFINDEX"); named != nullptr)
    candidates = {named};
  else if (!folder.empty())
    candidates = {folder + "/inspect-dwarfindex", folder + "/../libexec/inspect/inspect-dwarfindex"};
  for (const std::string &candidate : candidates)
    if (options.worker.empty() && ::access(candidate.c_str(), X_OK) == 0)
      options.worker = candidate;
  const char *cache = std::getenv("XDG_CACHE_HOME");
  const char *home = std::getenv("HOME");
  if (is_absolute(cache))
    options.cache_directory = std::string(cache) + "/inspect";
  else if (is_absolute(home))
    options.cache_directory = std::string(home) + "/.cache/inspect";
  return options;
}

Result<UnitIndex> UnitIndex::open(int descriptor, std::span<const std::uint8_t> build_id,
                                  const UnitIndexOptions &options) {
  if (options.worker.empty())
    return std::unexpected(Error(ErrorKind::not_found, "inspect-dwarfindex is not installed"));
  auto identity = IndexedFile::of(descriptor, build_id);
  if (!identity)
    return std::unexpected(identity.error());
  if (!options.cache_directory)
    return make_uncached(descriptor, *identity, options);
  auto cache = UnitIndexCache::open(*options.cache_directory);
  Result<NewFile> output = std::unexpected(Error(ErrorKind::not_found, ""));
  if (cache) {
    if (auto kept = cache->find(identity->entry_name(unit_index_suffix))) {
      if (auto index = parse_file_of(kept->get(), *identity)) {
        index->from_cache_ = true;
        return index;
      }
      cache->remove(identity->entry_name(unit_index_suffix));
    }
    output = cache->begin();
  }
  if (!cache || !output) {
    auto index = make_uncached(descriptor, *identity, options);
    if (index)
      index->cache_problem_ = cache ? output.error().message() : cache.error().message();
    return index;
  }
  auto index = make(descriptor, output->descriptor(), *identity, options);
  if (!index)
    return index;
  if (auto kept = output->publish(identity->entry_name(unit_index_suffix)); !kept)
    index->cache_problem_ = kept.error().message();
  cache->shrink_to(options.max_cache_size);
  return index;
}

Result<UnitIndex> UnitIndex::parse(std::span<const std::byte> bytes) {
  const auto wrong = [](std::string_view what) {
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("the index {}", what)));
  };
  UnitIndex index;
  UnitIndexHeader &header = index.header_;
  if (bytes.size() < sizeof header)
    return wrong("is shorter than its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != unit_index_magic)
    return wrong("does not begin as one");
  if (header.version != unit_index_version || header.byte_order != unit_index_byte_order)
    return wrong("is of another version or byte order");
  if (header.record_count > max_unit_index_records || header.build_id_size > max_unit_index_build_id_size)
    return wrong("claims more than an index can hold");
  if (bytes.size() != sizeof header + header.record_count * sizeof(UnitIndexRecord))
    return wrong("has another length than it says");
  index.records_.resize(header.record_count);
  if (!index.records_.empty())
    std::memcpy(index.records_.data(), bytes.data() + sizeof header, bytes.size() - sizeof header);
  if (header.checksum != unit_index_checksum(header, index.records_))
    return wrong("has a wrong checksum");
  if (!std::ranges::is_sorted(index.records_))
    return wrong("is not in order");
  for (const UnitIndexRecord &record : index.records_)
    if (record.low >= record.high || record.unit_offset >= header.debug_info_size)
      return wrong(fmt::format("has an impossible range {:#x}–{:#x} of a unit at {:#x}", record.low, record.high,
                               record.unit_offset));
  return index;
}

std::vector<UnitRange> UnitIndex::unit_ranges() const {
  std::vector<UnitRange> ranges;
  ranges.reserve(records_.size());
  for (const UnitIndexRecord &record : records_)
    ranges.push_back({{LinkAddress{record.low}, LinkAddress{record.high}}, record.unit_offset});
  return ranges;
}

} // namespace inspect
