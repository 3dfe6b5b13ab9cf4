// Which container a process is in, told by the names that container runtimes give to control groups. Works for cgroup
// v1 (one line per hierarchy) and v2 (one line), for the systemd and the cgroupfs way of naming, and for nested ones
// (the innermost counts).
//
//     docker       /docker/ID   /system.slice/docker-ID.scope
//     podman       /libpod_parent/libpod-ID   /machine.slice/libpod-ID.scope/container
//     kubernetes   /kubepods/burstable/podUID/ID
//                  …-podUID.slice/cri-containerd-ID.scope   …/crio-ID.scope   …/docker-ID.scope
//     lxc          /lxc/NAME   /lxc.payload.NAME
//     nspawn       /machine.slice/systemd-nspawn@NAME.service/payload   /machine.slice/machine-NAME.scope
//
// A process that shares our cgroup namespace's root shows "/": then there is nothing to tell from here.
#pragma once

#include "attach/cgroup/control_groups.h"

#include <span>
#include <string>

namespace inspect {

/// "docker 3f2a9c81d0b1", "containerd 3f2a9c81d0b1 (pod 1b4e28ba-2fa1-11d2-883f-0016d3cca427)", "lxc web", or empty.
/// `groups` are those of the process.
std::string container_of(std::span<const ControlGroup> groups);

} // namespace inspect
