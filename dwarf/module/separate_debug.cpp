#include "dwarf/module/separate_debug.h"

#include "dwarf/raw/elf/debug_pages.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

namespace inspect {
namespace {

struct Link {
  std::string name;
  std::span<const std::byte> rest; ///< after the name's NUL
};

std::string folder_of(const std::string &path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::optional<Link> read_link(const ElfImage &image, std::string_view section_name) {
  const auto section = image.section(section_name);
  if (!section)
    return std::nullopt;
  const auto content = image.content(*section);
  const auto end = std::ranges::find(content, std::byte{0});
  if (end == content.end() || end == content.begin())
    return std::nullopt;
  const auto length = static_cast<std::size_t>(end - content.begin());
  return Link{std::string(reinterpret_cast<const char *>(content.data()), length), content.subspan(length + 1)};
}

std::string build_id_path(const std::string &directory, const std::vector<std::uint8_t> &build_id) {
  const std::string hex = to_hex(build_id);
  return fmt::format("{}/.build-id/{}/{}.debug", directory, hex.substr(0, 2), hex.substr(2));
}

/// Of a file that only its checksum vouches for: all of it is read, at about a gigabyte a second. Files of that age and
/// kind (a build-id is older than most that run) are small.
constexpr std::uint64_t max_checked_size = std::uint64_t{4} << 30;

/// The CRC-32 that objcopy --add-gnu-debuglink writes: the polynomial and the conditioning are zlib's.
std::uint32_t checksum(std::span<const std::byte> bytes) {
  constexpr std::size_t piece = 4 << 20;
  uLong sum = 0;
  while (!bytes.empty()) {
    cancellation_point();
    const auto part = bytes.first(std::min(piece, bytes.size()));
    sum = crc32_z(sum, reinterpret_cast<const Bytef *>(part.data()), part.size());
    give_back_pages(part);
    bytes = bytes.subspan(part.size());
  }
  return static_cast<std::uint32_t>(sum);
}

bool same_file(int first, int second) {
  struct stat one {
  }, two{};
  return ::fstat(first, &one) == 0 && ::fstat(second, &two) == 0 && one.st_dev == two.st_dev &&
         one.st_ino == two.st_ino;
}

/// A file that may well be there, on a file system that does not answer or in a size that is not read.
bool is_refused(const Error &error) {
  return error.kind() == ErrorKind::timed_out || error.kind() == ErrorKind::unsupported;
}

class Search {
public:
  Search(const ElfImage &image, const std::string &module_path, const std::vector<std::uint8_t> &build_id,
         const FileSource &files, const ModuleOptions &options, std::vector<std::string> &warnings)
      : image_(image), module_path_(module_path), build_id_(build_id), files_(files), options_(options),
        warnings_(warnings) {}

  std::optional<DebugFile> by_build_id() {
    if (build_id_.size() < 2)
      return std::nullopt;
    for (const std::string &directory : options_.debug_directories)
      if (auto found = consider(build_id_path(directory, build_id_), std::nullopt))
        return found;
    return std::nullopt;
  }

  std::optional<DebugFile> by_link() {
    const auto link = read_link(image_, ".gnu_debuglink");
    // The name is one path component; anything else would lead out of the folders searched.
    if (!link || link->name.find('/') != std::string::npos)
      return std::nullopt;
    std::optional<std::uint32_t> crc;
    // The checksum is aligned to four bytes from the section's start.
    const std::size_t padding = (4 - (link->name.size() + 1) % 4) % 4;
    if (link->rest.size() >= padding + sizeof(std::uint32_t)) {
      std::uint32_t value = 0;
      std::memcpy(&value, link->rest.data() + padding, sizeof value);
      crc = value;
    }
    const std::string folder = folder_of(module_path_);
    std::vector<std::string> paths = {folder + "/" + link->name, folder + "/.debug/" + link->name};
    for (const std::string &directory : options_.debug_directories)
      paths.push_back(directory + folder + "/" + link->name);
    for (const std::string &path : paths)
      if (auto found = consider(path, crc))
        return found;
    return std::nullopt;
  }

private:
  std::optional<DebugFile> consider(const std::string &path, std::optional<std::uint32_t> crc) {
    auto opened = files_.open(path);
    if (!opened) {
      if (is_refused(opened.error())) // most places are just empty
        warnings_.push_back(opened.error().message());
      return std::nullopt;
    }
    if (image_.descriptor() >= 0 && same_file(opened->descriptor.get(), image_.descriptor()))
      return std::nullopt; // a debuglink that names the file itself
    auto image = ElfImage::from_file(std::move(opened->descriptor), path);
    if (!image) {
      warnings_.push_back(image.error().message());
      return std::nullopt;
    }
    const auto id = image->debug_file_build_id();
    if (!build_id_.empty() && !id.empty()) {
      if (id != build_id_)
        return refuse(path, "its build-id is another one");
    } else if (crc && image->bytes().size() > max_checked_size) {
      return refuse(path,
                    fmt::format("it is larger than {} bytes, and its checksum is not worked out", max_checked_size));
    } else if (!crc || checksum(image->bytes()) != *crc) {
      return refuse(path, "its checksum is not the one the link gives");
    }
    return DebugFile{std::move(*image), path};
  }

  std::optional<DebugFile> refuse(const std::string &path, std::string_view why) {
    warnings_.push_back(fmt::format("{} does not belong to {}: {}", path, module_path_, why));
    return std::nullopt;
  }

  const ElfImage &image_;
  const std::string &module_path_;
  const std::vector<std::uint8_t> &build_id_;
  const FileSource &files_;
  const ModuleOptions &options_;
  std::vector<std::string> &warnings_;
};

} // namespace

Result<DebugFile> find_debug_file(const ElfImage &image, const std::string &module_path,
                                  const std::vector<std::uint8_t> &build_id, const FileSource &files,
                                  const ModuleOptions &options, std::vector<std::string> &warnings) {
  Search search(image, module_path, build_id, files, options, warnings);
  if (auto found = search.by_build_id())
    return std::move(*found);
  if (auto found = search.by_link())
    return std::move(*found);
  if (options.use_debuginfod && !build_id.empty()) {
    auto fetched = fetch_debug_file(build_id);
    if (fetched) {
      auto remote = ElfImage::from_file(std::move(fetched->descriptor), fetched->path);
      if (remote && remote->debug_file_build_id() == build_id)
        return DebugFile{std::move(*remote), fetched->path};
      warnings.push_back(fmt::format("what debuginfod sent for {} does not belong to it", module_path));
    } else if (fetched.error().kind() != ErrorKind::not_found) {
      warnings.push_back(fetched.error().message());
    }
  }
  return std::unexpected(Error(
      ErrorKind::not_found,
      build_id.empty() ? fmt::format("{} has no debugging information, and no build-id to find it by", module_path)
                       : fmt::format("{} has no debugging information, and there is no file for build-id {}",
                                     module_path, to_hex(build_id))));
}

Result<DebugFile> find_common_debug_file(const ElfImage &image, const std::string &path, const FileSource &files,
                                         const ModuleOptions &options) {
  const auto link = read_link(image, ".gnu_debugaltlink");
  if (!link)
    return std::unexpected(Error(ErrorKind::not_found, ""));
  const auto *id_bytes = reinterpret_cast<const std::uint8_t *>(link->rest.data());
  const std::vector<std::uint8_t> wanted(id_bytes, id_bytes + link->rest.size());
  std::vector<std::string> paths;
  paths.push_back(link->name.starts_with('/') ? link->name : folder_of(path) + "/" + link->name);
  for (const std::string &directory : options.debug_directories)
    if (wanted.size() >= 2)
      paths.push_back(build_id_path(directory, wanted));
  for (const std::string &candidate : paths) {
    auto opened = files.open(candidate);
    if (!opened)
      continue;
    auto common = ElfImage::from_file(std::move(opened->descriptor), candidate);
    if (common && common->debug_file_build_id() == wanted)
      return DebugFile{std::move(*common), candidate};
  }
  return std::unexpected(
      Error(ErrorKind::not_found,
            fmt::format("{} needs the common debugging information in {}, which is not there", path, link->name)));
}

Result<DebugFile> find_split_package(const std::vector<std::string> &paths, const std::vector<std::uint8_t> &build_id,
                                     const FileSource &files, const ModuleOptions &options) {
  constexpr std::string_view debug_suffix = ".debug";
  std::vector<std::string> candidates;
  for (const std::string &path : paths) {
    candidates.push_back(path + ".dwp");
    if (path.ends_with(debug_suffix))
      candidates.push_back(path.substr(0, path.size() - debug_suffix.size()) + ".dwp");
  }
  for (const std::string &directory : options.debug_directories) {
    if (!paths.empty())
      candidates.push_back(directory + paths.front() + ".dwp");
    if (build_id.size() >= 2) {
      const std::string by_id = build_id_path(directory, build_id);
      candidates.push_back(by_id.substr(0, by_id.size() - debug_suffix.size()) + ".dwp");
    }
  }
  for (const std::string &path : candidates) {
    auto opened = files.open(path);
    if (!opened)
      continue;
    if (auto image = ElfImage::from_file(std::move(opened->descriptor), path))
      return DebugFile{std::move(*image), path};
  }
  return std::unexpected(Error(ErrorKind::not_found, "there is no package of split DWARF"));
}

} // namespace inspect
