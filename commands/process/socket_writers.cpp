#include "commands/process/socket_writers.h"

#include "commands/cli/output.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace inspect {
namespace {

struct RoleWords {
  SocketRole role;
  std::string_view name; ///< in the JSON
  std::string_view label;
};

const RoleWords &words_of(SocketRole role) {
  static constexpr std::array all = {RoleWords{SocketRole::other, "other", "other sockets"},
                                     RoleWords{SocketRole::listening, "listening", "listening"},
                                     RoleWords{SocketRole::accepted, "accepted", "accepted"},
                                     RoleWords{SocketRole::connected, "connected", "connected to"}};
  const auto *const found = std::ranges::find(all, role, &RoleWords::role);
  return found == all.end() ? all.front() : *found;
}

std::string descriptor_text(const std::vector<int> &descriptors, std::size_t count, bool unicode) {
  std::string text = " (fd";
  for (const int descriptor : descriptors)
    text += fmt::format(" {}", descriptor);
  if (count > descriptors.size())
    text += unicode ? " …" : " ...";
  return text + ")";
}

/// "12 established, 1 close wait", most first; nothing where one socket is in the state that its role takes for
/// granted.
std::string states_text(const SocketGroup &group) {
  const auto for_granted = [](std::string_view state) {
    return state.empty() || state == "established" || state == "connected" || state == "listening" ||
           state == "unconnected";
  };
  if (group.count == 1 && for_granted(group.states.begin()->first))
    return {};
  std::vector<std::pair<std::size_t, std::string_view>> states;
  for (const auto &[state, count] : group.states)
    states.emplace_back(count, state);
  std::ranges::stable_sort(states, std::ranges::greater{}, [](const auto &state) { return state.first; });
  std::string text;
  for (const auto &[count, state] : states)
    text += fmt::format("{}{}{}{}", text.empty() ? ": " : ", ", with_thousands(count), state.empty() ? "" : " ", state);
  return text;
}

std::string group_text(const SocketGroup &group, bool unicode) {
  std::string text = group.protocol;
  if (group.protocol == "unix" && !group.type.empty() && group.type != "stream")
    text += fmt::format(" {}", group.type);
  if (!group.local.empty())
    text += " " + escape(group.local);
  else if (group.role == SocketRole::connected && group.protocol == "unix")
    text += group.remote.empty() ? " (without a name)" : "";
  else if (group.protocol == "unix")
    text += " (without a name)";
  if (!group.remote.empty() && group.role == SocketRole::connected)
    text += " " + escape(group.remote); // the label says which way
  else if (!group.remote.empty())
    text += fmt::format(" {} {}", unicode ? "←" : "<-", group.remote);
  return text + states_text(group);
}

std::string socket_line(const OpenSocket &socket) {
  const SocketEntry &entry = socket.entry;
  std::string text = escape(socket_text(entry, socket.inode));
  if (entry.is_internet() && entry.state == "established")
    text += " (established)";
  if (!socket.peer.empty())
    text += " -> " + escape(socket.peer);
  return text;
}

std::vector<SocketSection> every_socket(const OpenSockets &sockets) {
  std::vector<SocketSection> sections;
  for (const OpenSocket &socket : sockets.sockets) {
    const std::string_view label = words_of(socket.role).label;
    if (sections.empty() || sections.back().label != label)
      sections.push_back({label, {}});
    sections.back().lines.push_back(socket_line(socket) +
                                    descriptor_text(socket.descriptors, socket.descriptors.size(), true));
  }
  return sections;
}

/// Listening sockets are what one looks for: many of them are shown.
std::size_t max_lines(SocketRole role) {
  return role == SocketRole::listening ? 30 : role == SocketRole::other ? 4 : 8;
}

std::vector<SocketSection> grouped_sockets(const OpenSockets &sockets, bool unicode) {
  std::vector<SocketSection> sections;
  std::size_t left_out_groups = 0;
  std::size_t left_out = 0;
  const auto end_section = [&] {
    if (left_out_groups > 0)
      sections.back().lines.push_back(
          fmt::format("and {} more lines with {}: --all", left_out_groups, counted(left_out, "socket")));
    left_out_groups = 0;
    left_out = 0;
  };
  for (const SocketGroup &group : group_sockets(sockets.sockets)) {
    const std::string_view label = words_of(group.role).label;
    if (sections.empty() || sections.back().label != label) {
      end_section();
      sections.push_back({label, {}});
    }
    if (sections.back().lines.size() < max_lines(group.role)) {
      sections.back().lines.push_back(group_text(group, unicode) +
                                      descriptor_text(group.descriptors, group.count, unicode));
    } else {
      ++left_out_groups;
      left_out += group.count;
    }
  }
  end_section();
  return sections;
}

using Json = nlohmann::ordered_json;

std::string_view family_name(SocketFamily family) {
  switch (family) {
  case SocketFamily::ipv4:
    return "ipv4";
  case SocketFamily::ipv6:
    return "ipv6";
  case SocketFamily::netlink:
    return "netlink";
  case SocketFamily::packet:
    return "packet";
  case SocketFamily::unix_domain:
    break;
  }
  return "unix";
}

Json end_json(const SocketEndpoint &endpoint) {
  return {{"host", endpoint.host}, {"port", endpoint.port}};
}

} // namespace

bool takes_plural(DescriptorKind kind) {
  return kind != DescriptorKind::inotify && kind != DescriptorKind::fanotify && kind != DescriptorKind::io_uring &&
         kind != DescriptorKind::bpf && kind != DescriptorKind::other_anonymous && kind != DescriptorKind::unknown;
}

std::vector<SocketSection> socket_sections(const OpenSockets &sockets, const SocketTextOptions &options) {
  auto sections = options.every ? every_socket(sockets) : grouped_sockets(sockets, options.unicode);
  if (sockets.not_in_tables > 0) {
    if (sections.empty() || sections.back().label != words_of(SocketRole::other).label)
      sections.push_back({words_of(SocketRole::other).label, {}});
    sections.back().lines.push_back(
        fmt::format("{} not in the tables of its network namespace", with_thousands(sockets.not_in_tables)));
  }
  return sections;
}

Json sockets_json(const OpenSockets &sockets) {
  Json list = Json::array();
  for (const OpenSocket &socket : sockets.sockets) {
    const SocketEntry &entry = socket.entry;
    Json one = {{"fds", socket.descriptors},           {"inode", socket.inode},
                {"family", family_name(entry.family)}, {"protocol", entry.protocol},
                {"role", words_of(socket.role).name},  {"state", entry.state.empty() ? Json() : Json(entry.state)}};
    if (entry.is_internet()) {
      one["local"] = end_json(entry.local);
      if (!entry.remote.unspecified)
        one["remote"] = end_json(entry.remote);
    } else {
      one["path"] = entry.path.empty() ? Json() : Json(entry.path);
    }
    if (!socket.peer.empty())
      one["peer"] = socket.peer;
    if (!entry.type.empty())
      one["type"] = entry.type;
    list.push_back(std::move(one));
  }
  return list;
}

} // namespace inspect
