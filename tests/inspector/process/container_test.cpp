#include "inspector/process/container.h"

#include "tests/support/catch.h"

#include <array>

namespace inspect {
namespace {

#define ID "3f2a9c81d0b1f4e5a6978890abcdef01234567890abcdef01234567890abcdef"

struct Case {
  const char *what;
  const char *cgroup;
  const char *container;
};

constexpr Case cases[] = {
    {"no container, v2", "0::/user.slice/user-1000.slice/session-2.scope\n", ""},
    {"no container, v1", "12:memory:/system.slice/ssh.service\n1:name=systemd:/system.slice/ssh.service\n", ""},
    {"the root of our namespace", "0::/\n", ""},
    {"docker, v1", "12:pids:/docker/" ID "\n11:memory:/docker/" ID "\n0::/system.slice/containerd.service\n",
     "docker 3f2a9c81d0b1"},
    {"docker, v2 with systemd", "0::/system.slice/docker-" ID ".scope\n", "docker 3f2a9c81d0b1"},
    {"docker, seen from another cgroup namespace", "0::/../../system.slice/docker-" ID ".scope/init\n",
     "docker 3f2a9c81d0b1"},
    {"podman, rootful", "0::/machine.slice/libpod-" ID ".scope/container\n", "podman 3f2a9c81d0b1"},
    {"podman, rootless", "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container\n",
     "podman 3f2a9c81d0b1"},
    {"podman, cgroupfs", "0::/libpod_parent/libpod-" ID "\n", "podman 3f2a9c81d0b1"},
    {"podman's monitor is not in the container", "0::/machine.slice/libpod-conmon-" ID ".scope\n", ""},
    {"nerdctl", "0::/system.slice/nerdctl-" ID ".scope\n", "containerd 3f2a9c81d0b1"},
    {"kubernetes, containerd, systemd",
     "0::/kubepods.slice/kubepods-burstable.slice/"
     "kubepods-burstable-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice/cri-containerd-" ID ".scope\n",
     "containerd 3f2a9c81d0b1 (pod 1b4e28ba-2fa1-11d2-883f-0016d3cca427)"},
    {"kubernetes, containerd without the systemd driver",
     "3:cpu:/system.slice/containerd.service/"
     "kubepods-besteffort-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice:cri-containerd:" ID "\n",
     "containerd 3f2a9c81d0b1 (pod 1b4e28ba-2fa1-11d2-883f-0016d3cca427)"},
    {"kubernetes, cri-o",
     "0::/kubepods.slice/kubepods-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice/crio-" ID ".scope\n",
     "cri-o 3f2a9c81d0b1 (pod 1b4e28ba-2fa1-11d2-883f-0016d3cca427)"},
    {"kubernetes, docker", "4:cpu:/kubepods/burstable/pod1b4e28ba-2fa1-11d2-883f-0016d3cca427/" ID "\n",
     "kubernetes 3f2a9c81d0b1 (pod 1b4e28ba-2fa1-11d2-883f-0016d3cca427)"},
    {"kubernetes, static pod", "0::/kubepods/pod0123456789abcdef0123456789abcdef/" ID "\n",
     "kubernetes 3f2a9c81d0b1 (pod 0123456789abcdef0123456789abcdef)"},
    {"kubernetes, the pod alone", "0::/kubepods/pod1b4e28ba-2fa1-11d2-883f-0016d3cca427\n",
     "kubernetes pod 1b4e28ba-2fa1-11d2-883f-0016d3cca427"},
    {"kubernetes inside docker (kind): the innermost counts",
     "0::/docker/0000000000000000000000000000000000000000000000000000000000000000/kubelet/kubepods/"
     "pod1b4e28ba-2fa1-11d2-883f-0016d3cca427/" ID "\n",
     "kubernetes 3f2a9c81d0b1 (pod 1b4e28ba-2fa1-11d2-883f-0016d3cca427)"},
    {"lxc 4", "0::/lxc.payload.web-1/init.scope\n", "lxc web-1"},
    {"lxc 2", "5:memory:/lxc/web\n", "lxc web"},
    {"lxc's monitor is not in the container", "0::/lxc.monitor.web\n", ""},
    {"systemd-nspawn, service", "0::/machine.slice/systemd-nspawn@build\\x2dhost.service/payload\n",
     "systemd-nspawn build-host"},
    {"systemd-nspawn, scope", "0::/machine.slice/machine-build.scope\n", "systemd-nspawn build"},
    {"a virtual machine is not a container", "0::/machine.slice/machine-qemu\\x2d1\\x2dvm.scope\n", ""},
    {"an id cut short", "0::/docker/3f2a9c81d0b1\n", ""},
    {"no cgroup text at all", "", ""},
    {"nonsense", "::\n:\n/docker/" ID, ""},
};

TEST_CASE("containers are told from the cgroup names of every runtime") {
  for (const Case &one : cases) {
    INFO(one.what);
    CHECK(container_of(parse_control_groups(one.cgroup)) == one.container);
  }
}

} // namespace
} // namespace inspect
