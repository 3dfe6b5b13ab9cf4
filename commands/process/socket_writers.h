// The sockets of a process, in lines and as JSON. The lines: those that listen, then who is connected, many connections
// of a kind in one line.
#pragma once

#include "inspector/process/open_sockets.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// Lines under one label; escaped.
struct SocketSection {
  std::string_view label;
  std::vector<std::string> lines;
};

struct SocketTextOptions {
  bool every = false; ///< a line for each socket, and no limit
  bool unicode = true;
};

std::vector<SocketSection> socket_sections(const OpenSockets &sockets, const SocketTextOptions &options);

/// The member `sockets` of the details in inspect.ps/1.
nlohmann::ordered_json sockets_json(const OpenSockets &sockets);

/// Whether "3 sockets" takes an s: "3 inotify" does not.
bool takes_plural(DescriptorKind kind);

} // namespace inspect
