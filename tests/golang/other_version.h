// A Go program whose file names another version than the one that built it: what a release to come looks like to those
// who do not know it.
//
//     const TemporaryDirectory folder;
//     GoProcess process({with_version(build_go(go, "goroutine_leak"), go.version, far_version(go), folder)});
#pragma once

#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/temporary_directory.h"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <string>

namespace inspect::test {

/// The program with another version of the same length written over its own, wherever it stands.
inline std::string with_version(const std::string &program, const std::string &own, const std::string &other,
                                const TemporaryDirectory &folder) {
  REQUIRE(own.size() == other.size());
  std::ifstream in(program, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::size_t replaced = 0;
  for (std::size_t at = bytes.find(own); at != std::string::npos; at = bytes.find(own, at)) {
    bytes.replace(at, own.size(), other);
    ++replaced;
  }
  REQUIRE(replaced > 0);
  return folder.write("program", bytes, 0755);
}

/// "go1.26.8" as a release of the minor version 99, as long as the text is.
inline std::string far_version(const GoToolchain &go) {
  return fmt::format("go1.99{}", go.version.substr(6));
}

} // namespace inspect::test
