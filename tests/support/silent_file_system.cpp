#include "tests/support/silent_file_system.h"

#include "machine/file_descriptor.h"
#include "tests/support/fuse_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <new>
#include <sstream>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace inspect::test {
namespace {

std::string content_of_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

} // namespace

bool SilentFileSystem::possible() {
  return ::geteuid() == 0 && FileDescriptor(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
}

SilentFileSystem::SilentFileSystem(const std::string &content) {
  const std::string bytes = content_of_file(content);
  const std::string mount_point = folder();
  if (::mkdir(mount_point.c_str(), 0755) != 0)
    throw std::runtime_error("no folder for a mount");
  void *place = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED)
    throw std::runtime_error("no shared memory");
  shared_ = new (place) Shared;
  // The device is the server's alone: with it goes the connection, and all who wait are let go.
  server_ = std::make_unique<ChildProcess>(ChildProcess::forked([&] {
    const FileDescriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    const std::string options = fmt::format("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.get());
    if (::mount("inspect-test", mount_point.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
      say_line("no mount");
      return 1;
    }
    say_line("ready");
    FuseServer(device.get(), bytes).run(shared_->silent, shared_->unanswered);
    return 0;
  }));
  if (server_->read_line() != "ready")
    throw std::runtime_error("FUSE cannot be mounted here");
}

SilentFileSystem::~SilentFileSystem() {
  server_.reset();
  ::umount2(folder().c_str(), MNT_DETACH);
  ::munmap(shared_, sizeof(Shared));
}

void SilentFileSystem::fall_silent() {
  shared_->silent = true;
}

int SilentFileSystem::unanswered() const {
  return shared_->unanswered;
}

} // namespace inspect::test
