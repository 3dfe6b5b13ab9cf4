// Processes that /proc does not show to everybody: the mount option hidepid= keeps those of other users from whoever
// may not trace them, unless the reader is a member of the group that the option gid= names.
//
//     if (const auto error = explain_hidden(pid)) return std::unexpected(*error);   // it is there, and not to be seen
//
// Sources: man page proc(5), "Mount options"; the kernel's fs/proc/base.c, has_pid_permissions().
#pragma once

#include "machine/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace inspect {

struct HidingMount {
  std::string mode;           ///< as the option has it: "noaccess", "invisible", "ptraceable"; 1, 2, 4 before Linux 5.8
  std::optional<gid_t> group; ///< whose members see all
  /// Whether hidden processes seem not to exist; else they are there, and none of their files can be read.
  bool invisible() const { return mode != "noaccess" && mode != "1"; }
};

/// What the mount at /proc hides, by the text of a mountinfo file; nothing where it hides nothing.
std::optional<HidingMount> parse_hiding_mount(std::string_view mountinfo);
/// The /proc that is mounted here, as this program sees it: nothing where it hides no process from it.
std::optional<HidingMount> hiding_mount();

/// "/proc is mounted with hidepid=invisible"
std::string describe_hiding(const HidingMount &mount);
/// What makes hidden processes seen.
std::string remedy_for_hiding(const HidingMount &mount);
/// not_permitted, where there is a process of this id that the mount hides; nothing where there is none.
std::optional<Error> explain_hidden(pid_t process);
/// What it means that there is no directory of this process: that, or no_such_process.
Error no_process(pid_t process);

} // namespace inspect
