// The names of users and groups as this machine's databases have them (man pages getpwuid_r(3), getgrgid_r(3)).
#pragma once

#include <string>
#include <sys/types.h>

namespace inspect {

/// The number in digits where it has no name here, as those of a container often have none.
std::string user_name(uid_t user);
std::string group_name(gid_t group);

} // namespace inspect
