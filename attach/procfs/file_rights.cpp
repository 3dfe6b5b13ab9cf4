#include "attach/procfs/file_rights.h"

#include "attach/procfs/process_directory.h"
#include "machine/words.h"

#include <cerrno>
#include <linux/capability.h>
#include <optional>
#include <string>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace inspect {
namespace {

/// The fourth number of "Uid:" and "Gid:": real, effective, saved, file system.
std::optional<std::uint32_t> file_system_id(std::string_view numbers) {
  std::string_view word;
  for (int i = 0; i < 4; ++i)
    word = take_word(numbers);
  return whole_number<std::uint32_t>(word);
}

constexpr std::uint64_t bit(int capability) {
  return std::uint64_t{1} << capability;
}

/// Takes the capabilities that override the permissions of files out of the effective set.
int drop_overrides() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0)
    return errno;
  for (const int capability : {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH})
    sets[static_cast<std::size_t>(capability) / 32].effective &= ~(1U << (capability % 32));
  return ::syscall(SYS_capset, &header, sets.data()) == 0 ? 0 : errno;
}

} // namespace

Result<FileRights> parse_file_rights(std::string_view status, bool same_user_namespace) {
  FileRights rights;
  std::optional<std::uint32_t> user, group;
  while (!status.empty()) {
    std::string_view line = take_until(status, '\n');
    const std::string_view label = take_until(line, ':');
    if (label == "Uid") {
      user = file_system_id(line);
    } else if (label == "Gid") {
      group = file_system_id(line);
    } else if (label == "Groups") {
      for (std::string_view word = take_word(line); !word.empty() && rights.group_count < FileRights::max_groups;
           word = take_word(line))
        if (const auto number = whole_number<gid_t>(word))
          rights.groups[rights.group_count++] = *number;
    } else if (label == "CapEff") {
      const auto effective = whole_number<std::uint64_t>(trimmed(line), 16).value_or(0);
      rights.overrides = same_user_namespace && (effective & (bit(CAP_DAC_OVERRIDE) | bit(CAP_DAC_READ_SEARCH))) != 0;
    }
  }
  if (!user || !group)
    return std::unexpected(Error(ErrorKind::corrupt, "a process' status names no user and group"));
  rights.user = *user;
  rights.group = *group;
  return rights;
}

Result<FileRights> read_file_rights(pid_t process) {
  const auto directory = ProcessDirectory::open_living(process);
  const auto self = ProcessDirectory::open(::getpid());
  if (!directory)
    return std::unexpected(directory.error());
  if (!self)
    return std::unexpected(self.error());
  std::string buffer;
  const auto status = directory->read("status", buffer);
  if (!status)
    return std::unexpected(status.error());
  const auto theirs = directory->link("ns/user");
  const auto ours = self->link("ns/user");
  // A kernel without user namespaces has no such file.
  const bool same = theirs && ours ? *theirs == *ours : !ours && ours.error().kind() == ErrorKind::not_found;
  return parse_file_rights(*status, same);
}

int take_file_rights(const FileRights &rights) {
  // The system calls themselves: the library's wrappers change all threads, and this process has but one.
  const bool is_ours = static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) == rights.user &&
                       static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))) == rights.group;
  if (!is_ours && ::syscall(SYS_setgroups, rights.group_count, rights.groups.data()) == 0) {
    ::setfsgid(rights.group);
    ::setfsuid(rights.user); // takes the overriding capabilities from root
  }
  return rights.overrides ? 0 : drop_overrides();
}

} // namespace inspect
