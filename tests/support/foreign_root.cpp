#include "tests/support/foreign_root.h"

#include "tests/support/run_command.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>

namespace inspect::test {
namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "inspect-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr || ::chmod(name.c_str(), 0755) != 0)
    throw std::runtime_error("no temporary folder: " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored; // a mount that is still busy must not end the test program
  fs::remove_all(path_, ignored);
}

void copy_file_to(const std::string &from, const std::string &to) {
  fs::create_directories(fs::path(to).parent_path());
  fs::remove(to);
  fs::copy_file(from, to);
}

void copy_with_libraries(const std::string &program, const std::string &root, const std::string &inside) {
  copy_file_to(program, root + inside);
  std::istringstream listed(run_command({"ldd", program}).out);
  // "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)", "/lib64/ld-linux-x86-64.so.2 (0x…)"
  for (std::string line; std::getline(listed, line);) {
    const std::size_t begin = line.find('/');
    const std::size_t end = line.rfind(" (");
    if (begin == std::string::npos || end == std::string::npos)
      continue;
    const std::string library = line.substr(begin, end - begin);
    copy_file_to(library, root + library);
  }
}

bool separate_debug_file(const std::string &file, const std::string &root) {
  const std::string notes = run_command({"readelf", "-n", file}).out;
  constexpr std::string_view label = "Build ID: ";
  const std::size_t begin = notes.find(label);
  if (begin == std::string::npos)
    return false;
  const std::size_t end = notes.find('\n', begin);
  const std::string id = notes.substr(begin + label.size(), end - begin - label.size());
  const std::string folder = fmt::format("{}/usr/lib/debug/.build-id/{}", root, id.substr(0, 2));
  fs::create_directories(folder);
  const std::string debug = fmt::format("{}/{}.debug", folder, id.substr(2));
  return can_run({"objcopy", "--only-keep-debug", file, debug}) && can_run({"objcopy", "--strip-all", file});
}

bool can_run(const std::vector<std::string> &command) {
  return run_command(command).status == 0;
}

} // namespace inspect::test
