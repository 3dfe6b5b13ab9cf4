#include "attach/procfs/mount_table.h"

#include "machine/words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sys/sysmacros.h>

namespace inspect {
namespace {

constexpr auto local_types = std::to_array<std::string_view>({
    "adfs",      "affs",    "apfs",      "aufs",     "bcachefs", "befs",       "bfs",     "binfmt_misc", "bpf",
    "btrfs",     "cgroup",  "cgroup2",   "configfs", "cramfs",   "debugfs",    "devpts",  "devtmpfs",    "ecryptfs",
    "efivarfs",  "efs",     "erofs",     "exfat",    "ext2",     "ext3",       "ext4",    "f2fs",        "fusectl",
    "hfs",       "hfsplus", "hugetlbfs", "iso9660",  "jffs2",    "jfs",        "minix",   "mqueue",      "msdos",
    "nilfs2",    "nsfs",    "ntfs",      "ntfs3",    "overlay",  "pipefs",     "proc",    "pstore",      "qnx4",
    "qnx6",      "ramfs",   "reiserfs",  "resctrl",  "romfs",    "rpc_pipefs", "nfsd",    "rootfs",      "securityfs",
    "selinuxfs", "sockfs",  "squashfs",  "sysfs",    "sysv",     "tmpfs",      "tracefs", "ubifs",       "udf",
    "ufs",       "vfat",    "xenfs",     "xfs",      "zfs",      "zonefs",
});

constexpr std::string_view remote_overlay = "overlay on ";
/// Of one overlay; the kernel takes 500.
constexpr std::size_t max_layers = 1000;

/// mountinfo writes blanks, newlines and backslashes as three octal digits.
std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::optional<std::uint64_t> parse_device(std::string_view text) {
  const auto major = whole_number<unsigned>(take_until(text, ':'));
  const auto minor = whole_number<unsigned>(text);
  return major && minor ? std::optional<std::uint64_t>(makedev(*major, *minor)) : std::nullopt;
}

bool is_below(std::string_view path, std::string_view folder) {
  return folder == "/" || (path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/'));
}

bool holds_programs(std::string_view mount_point) {
  constexpr std::array<std::string_view, 3> kernel_folders = {"/proc", "/sys", "/dev"};
  return std::ranges::none_of(kernel_folders, [&](std::string_view folder) { return is_below(mount_point, folder); });
}

/// The text until a separator that no backslash stands before; backslashes go.
std::string take_escaped(std::string_view &text, char separator) {
  std::string taken;
  while (!text.empty() && text.front() != separator) {
    if (text.front() == '\\' && text.size() > 1)
      text.remove_prefix(1);
    taken += text.front();
    text.remove_prefix(1);
  }
  text.remove_prefix(text.empty() ? 0 : 1);
  return taken;
}

/// The directories whose files an overlay shows, as far as they are given whole.
std::vector<std::string> layers_of(const std::string &options) {
  std::vector<std::string> layers;
  const std::string plain = without_escapes(options);
  std::string_view rest = plain;
  while (!rest.empty()) {
    // The value's own escapes are for the list in it.
    std::size_t end = 0;
    while (end < rest.size() && rest[end] != ',')
      end += rest[end] == '\\' ? 2 : 1;
    std::string_view option = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    const std::string_view key = take_until(option, '=');
    if (key != "lowerdir" && key != "lowerdir+" && key != "datadir+" && key != "upperdir")
      continue;
    while (!option.empty() && layers.size() < max_layers)
      if (std::string layer = take_escaped(option, key == "lowerdir" ? ':' : '\0'); layer.starts_with('/'))
        layers.push_back(std::move(layer));
  }
  return layers;
}

} // namespace

std::optional<Mount> parse_mount(std::string_view line) {
  Mount mount;
  const auto id = whole_number<std::uint64_t>(take_until(line, ' '));
  take_until(line, ' '); // the mount that it is on
  const auto device = parse_device(take_until(line, ' '));
  mount.root = without_escapes(take_until(line, ' '));
  mount.mount_point = without_escapes(take_until(line, ' '));
  take_until(line, ' '); // options of the mount
  while (!line.empty() && take_until(line, ' ') != "-") {
  } // any number of optional fields
  mount.type = take_until(line, ' ');
  take_until(line, ' '); // source
  mount.options = line;
  if (!id || !device || mount.type.empty() || !mount.mount_point.starts_with('/'))
    return std::nullopt;
  mount.id = *id;
  mount.device = *device;
  return mount;
}

bool is_local_file_system(std::string_view type) {
  return std::ranges::find(local_types, type) != local_types.end();
}

void MountTable::add(std::string_view mountinfo) {
  while (!mountinfo.empty()) {
    auto mount = parse_mount(take_until(mountinfo, '\n'));
    if (!mount)
      continue;
    if (by_id_.contains(mount->id))
      continue;
    if (mount->type == "overlay")
      if (std::vector<std::string> layers = layers_of(mount->options); !layers.empty())
        overlays_.push_back({mount->id, mount->device, mount->mount_point, std::move(layers)});
    if (!is_local_file_system(mount->type) && holds_programs(mount->mount_point))
      remote_points_.push_back({std::move(mount->mount_point), mount->type});
    by_device_.insert_or_assign(mount->device, mount->type);
    by_id_.emplace(mount->id, std::move(mount->type));
  }
  find_remote_overlays();
}

void MountTable::find_remote_overlays() {
  // The mount points of overlays are no place to look for layers: containers call theirs "/".
  const auto is_remote_layer = [&](std::string_view layer) -> const RemotePoint * {
    const auto found = std::ranges::find_if(remote_points_, [&](const RemotePoint &point) {
      return !point.type.starts_with(remote_overlay) && point.path != "/" && is_below(layer, point.path);
    });
    return found == remote_points_.end() ? nullptr : &*found;
  };
  std::erase_if(overlays_, [&](const Overlay &overlay) {
    for (const std::string &layer : overlay.layers)
      if (const RemotePoint *below = is_remote_layer(layer)) {
        const std::string type = std::string(remote_overlay) + below->type;
        by_device_.insert_or_assign(overlay.device, type);
        by_id_.insert_or_assign(overlay.id, type);
        remote_points_.push_back({overlay.mount_point, type});
        return true;
      }
    return false;
  });
}

bool MountTable::may_hang(std::uint64_t device) const {
  const std::string_view type = type_of_device(device);
  return type.empty() ? major(device) == 0 : !is_local_file_system(type);
}

std::string_view MountTable::type_of_mount(std::uint64_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view MountTable::type_of_device(std::uint64_t device) const {
  const auto found = by_device_.find(device);
  return found == by_device_.end() ? std::string_view() : std::string_view(found->second);
}

const MountTable::RemotePoint *MountTable::remote_point_above(std::string_view path) const {
  const RemotePoint *innermost = nullptr;
  for (const RemotePoint &point : remote_points_)
    if (is_below(path, point.path) && (innermost == nullptr || point.path.size() > innermost->path.size()))
      innermost = &point;
  return innermost;
}

} // namespace inspect
