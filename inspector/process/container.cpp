#include "inspector/process/container.h"

#include "attach/procfs/proc_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t id_length = 64;
constexpr std::size_t short_id_length = 12;
constexpr std::size_t pod_uid_length = 36;

struct Found {
  std::string runtime;
  std::string id;
  std::string pod;
};

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_container_id(std::string_view text) {
  return text.size() == id_length && std::ranges::all_of(text, is_hex);
}

/// systemd writes bytes that may not stand in a unit's name as \x2d (man page systemd.unit(5)).
std::string unescape_unit(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\\x") && i + 3 < text.size() && is_hex(text[i + 2]) && is_hex(text[i + 3])) {
      plain += static_cast<char>(digit(text[i + 2]) * 16 + digit(text[i + 3]));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

/// "podUID" or "kubepods-burstable-podUID.slice", where systemd's way has _ for - in the UID.
std::string pod_uid(std::string_view part) {
  const std::size_t at = part.rfind("pod");
  if (at == std::string_view::npos || (at > 0 && part[at - 1] != '-'))
    return {};
  std::string uid(without_suffix(part.substr(at + 3), ".slice"));
  std::ranges::replace(uid, '_', '-');
  const bool valid = (uid.size() == pod_uid_length || uid.size() == pod_uid_length - 4) && // static pods: no dashes
                     std::ranges::all_of(uid, [](char c) { return is_hex(c) || c == '-'; });
  return valid ? uid : std::string();
}

/// A part with a runtime's own prefix: "docker-ID.scope", "libpod-ID", "…slice:cri-containerd:ID".
bool match_prefixed_id(std::string_view part, Found &found) {
  struct Prefix {
    std::string_view prefix;
    std::string_view runtime;
  };
  constexpr std::array<Prefix, 6> prefixes = {{{"docker-", "docker"},
                                               {"libpod-", "podman"},
                                               {"crio-", "cri-o"},
                                               {"cri-containerd-", "containerd"},
                                               {"nerdctl-", "containerd"},
                                               {"containerd-", "containerd"}}};
  std::string name(without_suffix(part, ".scope"));
  if (const std::size_t colon = name.rfind(':'); colon != std::string::npos && colon > 0) {
    // The containerd plug-in's way, "SLICE:cri-containerd:ID": the last two parts with a dash between.
    if (std::string uid = pod_uid(name.substr(0, name.find(':'))); !uid.empty())
      found.pod = std::move(uid);
    const std::size_t before = name.rfind(':', colon - 1);
    name[colon] = '-';
    name.erase(0, before == std::string::npos ? 0 : before + 1);
  }
  for (const Prefix &known : prefixes) {
    if (name.starts_with(known.prefix) && is_container_id(std::string_view(name).substr(known.prefix.size()))) {
      found.runtime = known.runtime;
      found.id = name.substr(known.prefix.size(), short_id_length);
      return true;
    }
  }
  return false;
}

/// A bare ID: the part before it says whose.
bool match_bare_id(std::string_view part, std::string_view parent, std::string_view first, Found &found) {
  if (!is_container_id(part))
    return false;
  found.id = part.substr(0, short_id_length);
  if (parent == "docker")
    found.runtime = "docker";
  else if (!pod_uid(parent).empty())
    found.runtime = "kubernetes";
  else if (first == "ecs")
    found.runtime = "ecs";
  else if (parent == "libpod_parent" || parent == "libpod")
    found.runtime = "podman";
  else
    found.runtime = "container";
  return true;
}

bool match_named(std::string_view part, std::string_view parent, Found &found) {
  constexpr std::string_view lxc_payload = "lxc.payload.";
  constexpr std::string_view nspawn = "systemd-nspawn@";
  constexpr std::string_view machine = "machine-";
  if (parent == "lxc" || parent == "lxc.payload") {
    found = {"lxc", std::string(part), {}};
  } else if (part.starts_with(lxc_payload)) {
    found = {"lxc", std::string(part.substr(lxc_payload.size())), {}};
  } else if (part.starts_with(nspawn)) {
    found = {"systemd-nspawn", unescape_unit(without_suffix(part.substr(nspawn.size()), ".service")), {}};
  } else if (parent == "machine.slice" && part.starts_with(machine) && part.ends_with(".scope")) {
    std::string name = unescape_unit(without_suffix(part.substr(machine.size()), ".scope"));
    if (name.starts_with("qemu-")) // a virtual machine, whose processes run on this system
      return false;
    found = {"systemd-nspawn", std::move(name), {}};
  } else {
    return false;
  }
  return true;
}

Found look_at_path(std::string_view path) {
  Found found;
  std::string_view parent;
  std::string_view first;
  while (!path.empty()) {
    const std::string_view part = take_until(path, '/');
    if (part.empty() || part == "..")
      continue;
    if (first.empty())
      first = part;
    if (std::string uid = pod_uid(part); !uid.empty())
      found = {"kubernetes", {}, std::move(uid)};
    if (!match_prefixed_id(part, found) && !match_bare_id(part, parent, first, found))
      match_named(part, parent, found);
    parent = part;
  }
  return found;
}

} // namespace

std::string container_of(std::span<const ControlGroup> groups) {
  Found best;
  for (const ControlGroup &group : groups) {
    Found found = look_at_path(group.path);
    if (!found.id.empty() || (best.runtime.empty() && !found.runtime.empty()))
      best = std::move(found);
    if (!best.id.empty())
      break; // all hierarchies of a container are named alike
  }
  if (best.runtime.empty())
    return {};
  if (best.id.empty())
    return fmt::format("{} pod {}", best.runtime, best.pod);
  return best.pod.empty() ? fmt::format("{} {}", best.runtime, best.id)
                          : fmt::format("{} {} (pod {})", best.runtime, best.id, best.pod);
}

} // namespace inspect
