// Who is at the other end of unix sockets: a connected socket has no name of its own as a rule, but its peer has, and
// that says which service it talks to. /proc/net/unix does not tell; the kernel's socket diagnosis does, for our own
// network namespace.
//
// Source: man page sock_diag(7), "UNIX domain sockets".
#pragma once

#include "machine/error.h"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace inspect {

/// From a socket's inode to its peer's name, '@' in front of an abstract one; sockets whose peer has no name are left
/// out.
using UnixPeers = std::unordered_map<std::uint64_t, std::string>;

/// Of all unix sockets of our network namespace.
Result<UnixPeers> read_unix_peers();

} // namespace inspect
