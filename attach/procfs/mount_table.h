// The mounts that a process sees, as mountinfo lists them, and which of them can stop answering: a server, a daemon or
// a network stands behind those, and whoever looks up a name there, asks for a file's size or touches a page of it may
// wait for ever, beyond the reach of SIGKILL. mountinfo itself is made by the kernel and never waits.
//
//     MountTable mounts;
//     mounts.add(text_of_mountinfo);
//     if (mounts.may_hang(mapping.device)) …
//
// Sources: man page proc(5), "/proc/[pid]/mountinfo"; the kernel's fs/proc_namespace.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inspect {

/// What is read of a mountinfo: a process may have a hundred thousand mounts, and make more while we read.
constexpr std::size_t max_mount_text = 32U << 20;

/// One line of mountinfo.
struct Mount {
  std::uint64_t id = 0;     ///< of no other mount on this machine, in whatever namespace (statx(2), stx_mnt_id)
  std::uint64_t device = 0; ///< as makedev(3) packs it; maps shows the same for the mapped files
  std::string root;         ///< which directory of the file system is mounted
  std::string mount_point;  ///< from the root of the process whose list it is
  std::string type;         ///< "ext4", "nfs4", "fuse.sshfs"
  std::string options;      ///< of the file system
};

/// Nothing where the line is malformed.
std::optional<Mount> parse_mount(std::string_view line);

/// Whether files of this type are read from this machine's disks or memory. What is not known here is not.
bool is_local_file_system(std::string_view type);

/// The mounts of any number of processes: ids and devices mean the same in all of them. An overlay (a container's root)
/// of which a layer lies on a mount that can stop answering can do so, too; it is of type "overlay on fuse.x" here.
/// Layers are paths that whoever mounted it saw: those of mounts that no list here has are taken to be local.
///
/// Source: the kernel's Documentation/filesystems/overlayfs.rst, fs/overlayfs/params.c (ovl_show_options).
class MountTable {
public:
  /// Adds what a mountinfo lists; malformed lines are passed over.
  void add(std::string_view mountinfo);

  /// Whether any file that a path may lead to can stop answering. Mounts below /proc, /sys and /dev do not count: files
  /// of a program are not there, and every machine with systemd has autofs at /proc/sys/fs/binfmt_misc.
  bool any_may_hang() const { return !remote_points_.empty(); }
  /// Whether the files on a device (of maps, of mountinfo) can stop answering. Where no mount has the device it was
  /// unmounted while in use, or is the kernel's own: then only a disk's is beyond doubt.
  bool may_hang(std::uint64_t device) const;
  /// The file system's type by the id of a mount, or by its device; empty: unknown.
  std::string_view type_of_mount(std::uint64_t id) const;
  std::string_view type_of_device(std::uint64_t device) const;
  /// Where a file system is mounted that can stop answering.
  struct RemotePoint {
    std::string path;
    std::string type;
  };
  /// The innermost of them that holds a path by its text; symbolic links may lead elsewhere. Null: none does.
  const RemotePoint *remote_point_above(std::string_view path) const;

private:
  /// One that is local as far as is known yet: its layers may be on mounts that another process sees.
  struct Overlay {
    std::uint64_t id = 0;
    std::uint64_t device = 0;
    std::string mount_point;
    std::vector<std::string> layers;
  };
  void find_remote_overlays();

  std::unordered_map<std::uint64_t, std::string> by_id_;
  std::unordered_map<std::uint64_t, std::string> by_device_;
  std::vector<RemotePoint> remote_points_;
  std::vector<Overlay> overlays_;
};

} // namespace inspect
