#include "attach/files/descriptor_list.h"

#include "machine/file_descriptor.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/descriptor_fixture.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {
namespace {

DescriptorList list_of(pid_t process) {
  const auto directory = ProcessDirectory::open_living(process);
  REQUIRE(directory.has_value());
  auto list = list_descriptors(*directory);
  REQUIRE(list.has_value());
  return std::move(*list);
}

const OpenDescriptor &find(const DescriptorList &list, int number) {
  const auto found = std::ranges::find(list.descriptors, number, &OpenDescriptor::number);
  REQUIRE(found != list.descriptors.end());
  return *found;
}

TEST_CASE("descriptors of every kind are counted as the process itself counts them") {
  const test::DescriptorFixture fixture(2000);
  const DescriptorList list = list_of(fixture.pid());
  CHECK_FALSE(list.truncated);
  std::map<std::string, int> kinds;
  for (const OpenDescriptor &descriptor : list.descriptors) {
    std::string name(kind_name(descriptor.kind));
    std::ranges::replace(name, ' ', '_');
    ++kinds[name];
  }
  CHECK(kinds == fixture.kinds());
  CHECK(std::ranges::is_sorted(list.descriptors, {}, &OpenDescriptor::number));
  const auto deleted = std::ranges::find_if(list.descriptors, &OpenDescriptor::deleted);
  REQUIRE(deleted != list.descriptors.end());
  CHECK(deleted->target == fixture.deleted_path());
  CHECK(deleted->bytes > 0);
  CHECK(std::ranges::count_if(list.descriptors, &OpenDescriptor::deleted) == 1);
  const auto directory = ProcessDirectory::open(fixture.pid());
  if (const auto count = count_descriptors(*directory)) // Linux 6.2
    CHECK(*count == list.descriptors.size());
}

TEST_CASE("a file that is called deleted is told from one that is") {
  const test::TemporaryDirectory folder;
  const std::string named = folder / "here (deleted)";
  const std::string gone = folder / "gone";
  const FileDescriptor first(::open(named.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const FileDescriptor second(::open(gone.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ::unlink(gone.c_str());
  const DescriptorList list = list_of(::getpid());
  CHECK_FALSE(find(list, first.get()).deleted);
  CHECK(find(list, first.get()).target == named);
  CHECK(find(list, second.get()).deleted);
  CHECK(find(list, second.get()).target == gone);
}

TEST_CASE("FIFOs, devices and directories are told by what they are, not by their names") {
  const test::TemporaryDirectory folder;
  const std::string path = folder / "socket:[1]";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const FileDescriptor fifo(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  const FileDescriptor device(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const FileDescriptor directory(::open(folder.path().c_str(), O_PATH | O_CLOEXEC));
  const DescriptorList list = list_of(::getpid());
  CHECK(find(list, fifo.get()).kind == DescriptorKind::pipe);
  CHECK(find(list, device.get()).kind == DescriptorKind::character_device);
  CHECK(find(list, directory.get()).kind == DescriptorKind::directory);
}

} // namespace
} // namespace inspect
