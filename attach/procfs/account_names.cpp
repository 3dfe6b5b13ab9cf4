#include "attach/procfs/account_names.h"

#include <cerrno>
#include <grp.h>
#include <pwd.h>
#include <vector>

namespace inspect {
namespace {

/// `look_up` is getpwuid_r or getgrgid_r. A group with very many members takes much room.
template <typename Entry, typename Id>
std::string name_of(Id id, int (*look_up)(Id, Entry *, char *, std::size_t, Entry **), char *Entry::*name) {
  constexpr std::size_t max_buffer = 1U << 22;
  Entry entry;
  Entry *found = nullptr;
  std::vector<char> buffer(1U << 12);
  int error_number = look_up(id, &entry, buffer.data(), buffer.size(), &found);
  while (error_number == ERANGE && buffer.size() < max_buffer) {
    buffer.resize(2 * buffer.size());
    error_number = look_up(id, &entry, buffer.data(), buffer.size(), &found);
  }
  return error_number == 0 && found != nullptr ? std::string(found->*name) : std::to_string(id);
}

} // namespace

std::string user_name(uid_t user) {
  return name_of(user, ::getpwuid_r, &passwd::pw_name);
}

std::string group_name(gid_t group) {
  return name_of(group, ::getgrgid_r, &::group::gr_name);
}

} // namespace inspect
