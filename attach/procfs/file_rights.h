// With which rights a process opens files: what is shown of a file to whoever inspects a process is no more than the
// process' own user could read of it.
//
//     auto rights = read_file_rights(42);
//     in a process of its own: take_file_rights(*rights), then open(2)
//
// Sources: man pages proc(5) "/proc/[pid]/status", credentials(7), capabilities(7), setfsuid(2).
#pragma once

#include "machine/error.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <sys/types.h>

namespace inspect {

/// Plain data of a fixed size: it is handed to another process as it is.
struct FileRights {
  static constexpr std::size_t max_groups = 256; ///< further ones are left out, and then give no rights
  uid_t user = 0;
  gid_t group = 0;
  std::array<gid_t, max_groups> groups{}; ///< the supplementary ones
  std::size_t group_count = 0;
  bool overrides = false; ///< has CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH over the files of this machine

  friend bool operator==(const FileRights &, const FileRights &) = default;
};

/// From the text of status. `same_user_namespace`: its capabilities count for files that we see. corrupt.
Result<FileRights> parse_file_rights(std::string_view status, bool same_user_namespace);
/// no_such_process when it is gone.
Result<FileRights> read_file_rights(pid_t process);

/// Opens files with these rights from now on, and never again with more: the calling process' own where it may not
/// take another user's, without the capabilities that override permissions where `rights` has none. 0, or the error
/// number; without heap and locks.
int take_file_rights(const FileRights &rights);

} // namespace inspect
