// Files on file systems that stop answering, against a FUSE server of the test's own; and the look-up of paths below
// another root and with another user's rights, against what the kernel itself says.
#include "attach/files/file_opener.h"

#include "attach/files/regular_file.h"
#include "attach/files/target_files.h"
#include "attach/procfs/mount_table.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/silent_file_system.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <grp.h>
#include <optional>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <thread>
#include <unistd.h>

namespace inspect {
namespace {

using Catch::Matchers::Contains;
using test::ChildProcess;
using test::SilentFileSystem;

#define NEEDS_FUSE()                                                                                                   \
  if (!SilentFileSystem::possible())                                                                                   \
  SKIP_TEST("a FUSE mount needs root and /dev/fuse")

std::string all_of(int descriptor) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::pread(descriptor, buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (count <= 0)
      return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

FileWish plain(const std::string &path) {
  return {.process = ::getpid(), .root = {}, .path = path};
}

TEST_CASE("mounts that can stop answering are known by their type") {
  MountTable table;
  table.add("22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
            "30 22 0:45 / /mnt/a\\040b rw - nfs4 server:/x rw,vers=4.2\n"
            "31 22 0:46 / /mnt/a\\040b/deep rw master:3 propagate_from:2 - fuse.sshfs host: rw,user_id=0\n"
            "32 22 0:47 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"
            "malformed\n"
            "33 22 8:1 / /win rw - fuseblk /dev/sda1 rw\n");
  CHECK(table.any_may_hang());
  CHECK_FALSE(table.may_hang(makedev(254, 0)));
  CHECK(table.may_hang(makedev(0, 45)));
  CHECK(table.may_hang(makedev(8, 1)));
  CHECK_FALSE(table.may_hang(makedev(8, 2))); // a disk that no mount names
  CHECK(table.may_hang(makedev(0, 99)));      // unmounted while in use
  CHECK(table.type_of_mount(31) == "fuse.sshfs");
  CHECK(table.type_of_mount(34).empty());
  REQUIRE(table.remote_point_above("/mnt/a b/deep/x") != nullptr);
  CHECK(table.remote_point_above("/mnt/a b/deep/x")->type == "fuse.sshfs");
  CHECK(table.remote_point_above("/mnt/a b/deeper")->type == "nfs4");
  CHECK(table.remote_point_above("/mnt/a") == nullptr);

  MountTable local;
  local.add("22 1 254:0 / / rw - ext4 /dev/root rw\n32 22 0:47 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n");
  CHECK_FALSE(local.any_may_hang());
}

TEST_CASE("an overlay with a layer that can stop answering can stop answering") {
  MountTable table;
  // The list of a container first, which does not show where its layers are.
  table.add(
      "50 22 0:60 / / rw - overlay overlay rw,lowerdir=/lazy/12/fs:/var/lib/11/fs,upperdir=/u,workdir=/w\n"
      "51 22 0:61 / /second rw - overlay overlay rw,lowerdir+=/var/lib/a,lowerdir+=/odd\\134,\\134:x/fs,upperdir=/u\n"
      "52 22 0:62 / /third rw - overlay overlay rw,lowerdir=/var/lib/11/fs:l/RELATIVE,upperdir=/lazyness\n");
  CHECK_FALSE(table.any_may_hang());
  table.add("22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
            "30 22 0:45 / /lazy rw - fuse.stargz stargz rw\n"
            "31 22 0:46 / /odd,:x rw - nfs4 server:/ rw\n");
  CHECK(table.may_hang(makedev(0, 60)));
  CHECK(table.type_of_mount(50) == "overlay on fuse.stargz");
  CHECK(table.type_of_mount(51) == "overlay on nfs4");
  CHECK(table.type_of_mount(52) == "overlay");
  CHECK_FALSE(table.may_hang(makedev(0, 62)));
}

TEST_CASE("a file that can stop answering is read as a copy, and costs its time once when it does") {
  NEEDS_FUSE();
  const test::TemporaryDirectory scratch;
  std::string content(300'000, '\0'); // with a hole
  content.replace(0, 5, "begin");
  content.replace(content.size() - 3, 3, "end");
  SilentFileSystem files(scratch.write("content", content));
  const std::string local = scratch.write("local", "local text");
  FileOpener opener;

  const auto copied = opener.open(plain(files.file()));
  REQUIRE(copied.has_value());
  CHECK(all_of(copied->descriptor.get()) == content);
  CHECK(copied->status.st_size == static_cast<off_t>(content.size()));
  struct stat copy {};
  REQUIRE(::fstat(copied->descriptor.get(), &copy) == 0);
  CHECK(copy.st_dev != copied->status.st_dev);

  const auto passed = opener.open(plain(local));
  REQUIRE(passed.has_value());
  struct stat itself {};
  REQUIRE(::fstat(passed->descriptor.get(), &itself) == 0);
  CHECK(itself.st_ino == passed->status.st_ino); // a local file is opened, not copied
  CHECK(opener.open(plain(files.folder() + "/other")).error().error_number() == ENOENT);
  CHECK(opener.open(plain(scratch / "other")).error().error_number() == ENOENT);

  files.fall_silent();
  std::this_thread::sleep_for(std::chrono::seconds(2)); // until the kernel forgets what it was told of names
  const auto silent = opener.open(plain(files.file()));
  REQUIRE_FALSE(silent.has_value());
  CHECK(silent.error().kind() == ErrorKind::timed_out);
  CHECK(silent.error().message() == files.file() + " does not answer (fuse)");
  CHECK(files.unanswered() > 0);
  const int unanswered = files.unanswered();
  CHECK(opener.open(plain(files.folder() + "/another")).error().kind() == ErrorKind::timed_out);
  CHECK(files.unanswered() == unanswered); // it was not asked again
  CHECK(all_of(opener.open(plain(local)).value().descriptor.get()) == "local text");
}

TEST_CASE("a wait for a file ends when it is cancelled") {
  NEEDS_FUSE();
  const test::TemporaryDirectory scratch;
  SilentFileSystem files(scratch.write("content", "text"));
  files.fall_silent();
  FileOpener opener;
  Cancellation cancellation;
  opener.cancel_with(&cancellation);
  std::thread waiting([&] {
    test::wait_until([&] { return files.unanswered() > 0; });
    cancellation.request();
  });
  const auto opened = opener.open(plain(files.file()));
  waiting.join();
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().kind() == ErrorKind::cancelled);
}

TEST_CASE("a path is looked up below a root by its names as openat2 does it") {
  const test::TemporaryDirectory scratch;
  namespace fs = std::filesystem;
  fs::create_directories(scratch / "root/a/b");
  fs::create_directories(scratch / "outside");
  scratch.write("root/a/b/file", "deep");
  scratch.write("root/file", "shallow");
  scratch.write("outside/file", "outside");
  fs::create_symlink("/a/b", scratch / "root/absolute");
  fs::create_symlink("../../../../outside", scratch / "root/a/up");
  fs::create_symlink("b/../../file", scratch / "root/a/back");
  fs::create_symlink("loop", scratch / "root/loop");
  fs::create_symlink(scratch / "outside", scratch / "root/escape");
  const FileDescriptor root(::open((scratch / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string name = scratch / "root";
  for (const char *path :
       {"/a/b/file", "a/b/file", "/absolute/file", "/a/back", "//a/./b/../../file", "/../../../outside/file",
        "/a/up/file", "/loop", "/escape/file", "/file/", "/file/x", "/", "/missing", "/absolute/../b/file"}) {
    INFO(path);
    const RegularFile expected = open_regular_file(name.c_str(), path, nullptr);
    const FileDescriptor found(open_below_by_names(root.get(), path));
    struct stat status {};
    const bool is_file = found && ::fstat(found.get(), &status) == 0 && S_ISREG(status.st_mode);
    if (std::string_view(path) == "/file/") // what a slash behind a file's name means does not matter here
      continue;
    CHECK(is_file == static_cast<bool>(expected.descriptor));
    if (is_file)
      CHECK(status.st_ino == expected.status.st_ino);
  }
}

TEST_CASE("rights to files are those that status tells") {

  const auto without = parse_file_rights("Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \n"
                                         "CapEff:\t0000000000000001\n",
                                         true);
  REQUIRE(without.has_value());
  CHECK(without->user == 4);
  CHECK(without->group == 8);
  REQUIRE(without->group_count == 2);
  CHECK(without->groups[1] == 10);
  CHECK_FALSE(without->overrides);
  const std::string_view with = "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nCapEff:\t0000000000000004\n";
  CHECK(parse_file_rights(with, true).value().overrides);
  CHECK_FALSE(parse_file_rights(with, false).value().overrides);
  CHECK_FALSE(parse_file_rights("Uid:\t1\t2\n", true).has_value());
}

TEST_CASE("what the target's user may not read is not opened as the target") {
  if (::geteuid() != 0)
    SKIP_TEST("this needs root");
  // With such a mount all files are opened by a worker, in turn with these rights and with our own.
  std::optional<SilentFileSystem> remote;
  if (SilentFileSystem::possible())
    remote.emplace("/dev/null");
  const test::TemporaryDirectory scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0755));
  const std::string secret = scratch.write("secret", "secret", 0600);
  const std::string grouped = scratch.write("grouped", "grouped", 0640);
  const std::string open = scratch.write("open", "open", 0644);
  REQUIRE(::chown(grouped.c_str(), 0, 4242) == 0);
  std::filesystem::create_symlink(secret, scratch / "link");
  const auto running_as = [](uid_t user) {
    return ChildProcess::forked([user] {
      const gid_t group = 4242;
      if (user != 0 && (::setgroups(1, &group) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0))
        return 1;
      test::say_line("ready");
      ::pause();
      return 0;
    });
  };
  ChildProcess nobody = running_as(65534);
  nobody.wait_for_line();
  const TargetFiles files(nobody.pid());
  CHECK(all_of(files.open_as_target(open).value().descriptor.get()) == "open");
  CHECK(all_of(files.open_as_target(grouped).value().descriptor.get()) == "grouped");
  CHECK(files.open_as_target(secret).error().kind() == ErrorKind::not_permitted);
  CHECK(files.open(secret).has_value()); // our own rights are as they were
  CHECK(files.open_as_target(scratch / "link").error().kind() == ErrorKind::not_permitted);
  ChildProcess root = running_as(0);
  root.wait_for_line();
  CHECK(all_of(TargetFiles(root.pid()).open_as_target(secret).value().descriptor.get()) == "secret");
}

} // namespace
} // namespace inspect
