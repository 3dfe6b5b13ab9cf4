#include "machine/new_file.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace inspect;

namespace {

std::string content_of(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::ptrdiff_t files_in(const std::string &folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

} // namespace

TEST_CASE("a new file takes the place of the older one when it is published, and leaves nothing when it is not") {
  const test::TemporaryDirectory folder;
  const std::string path = folder.write("name", "old");
  const FileDescriptor opened(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  {
    auto dropped = NewFile::create(opened.get(), 0600);
    REQUIRE(dropped);
    REQUIRE(::write(dropped->descriptor(), "half", 4) == 4);
    CHECK(content_of(path) == "old");
  }
  CHECK(content_of(path) == "old");
  CHECK(files_in(folder.path()) == 1);
  {
    auto kept = NewFile::create(opened.get(), 0600);
    REQUIRE(kept);
    NewFile moved = std::move(*kept);
    REQUIRE(::write(moved.descriptor(), "whole", 5) == 5);
    REQUIRE(moved.publish("name"));
  }
  CHECK(content_of(path) == "whole");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a new file that cannot be named is gone, and the error says its name") {
  const test::TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "taken");
  const FileDescriptor opened(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  {
    auto file = NewFile::create(opened.get(), 0600);
    REQUIRE(file);
    const auto published = file->publish("taken");
    REQUIRE_FALSE(published);
    CHECK(published.error().message().find("taken") != std::string::npos);
  }
  CHECK(files_in(folder.path()) == 1);
}
