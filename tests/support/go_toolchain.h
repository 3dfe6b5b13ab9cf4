// The Go toolchains of this machine, and programs built with them, for tests that look at Go of many versions.
//
//     TEST_CASE("…") {
//       for_each_go([](const GoToolchain &go) {
//         ChildProcess process({build_go(go, "goroutine_zoo", GoVariant::stripped)});
//         …
//       });
//     }
//
// A toolchain is found as `go` on PATH, in /usr/local/go, as Debian's /usr/lib/go-*, in ~/sdk, in the module cache, and
// in every folder below the one that the environment variable INSPECT_GO_TOOLCHAINS names (tools/get_go_toolchains.sh
// fills such a folder). Tests use the oldest, the newest and Debian's; all of them with INSPECT_FULL_MATRIX=1. Which
// versions must be there and pass is written in tests/support/go_versions.txt; a toolchain newer than all of these is
// not used, but for the test that names it.
//
// A program is built once per toolchain, variant and source text and kept below the fixtures' folder; several test
// processes may ask for it at once. Nothing is fetched from the network.
#pragma once

#include "tests/support/catch.h"

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inspect::test {

struct GoToolchain {
  std::string program; ///< the go command
  std::string root;    ///< GOROOT: its own sources are below src/
  std::string version; ///< "go1.19.8"
  int minor = 0;       ///< 19
  int patch = 0;       ///< 8
  bool from_debian = false;
};

enum class GoVariant {
  plain,
  stripped,    ///< -ldflags='-s -w'
  pie,         ///< -buildmode=pie
  external,    ///< -ldflags=-linkmode=external, as distributions build
  cgo,         ///< with C code: build tag with_cgo
  trimpath,    ///< -trimpath
  unoptimised, ///< -gcflags=all='-N -l'
  c_shared,    ///< -buildmode=c-shared: a library for a C program; build tag with_cgo
  plugin,      ///< -buildmode=plugin; its host is built as `cgo`
};

/// All that make a program that runs by itself.
inline constexpr std::array go_program_variants{GoVariant::plain,      GoVariant::stripped, GoVariant::pie,
                                                GoVariant::external,   GoVariant::cgo,      GoVariant::trimpath,
                                                GoVariant::unoptimised};

std::string_view variant_name(GoVariant variant);

/// Go 1.16 up to the newest in go_versions.txt, ascending by version, each version once.
const std::vector<GoToolchain> &all_go_toolchains();
/// Those of this machine that are newer.
const std::vector<GoToolchain> &newer_go_toolchains();
/// What go_versions.txt lists: minor version and patch release.
const std::vector<std::pair<int, int>> &listed_go_versions();
/// Those that a test is to use.
std::vector<GoToolchain> go_toolchains();
/// The variants that a test is to use with each: some of them, or all with INSPECT_FULL_MATRIX=1.
std::vector<GoVariant> go_variants();
bool full_matrix();

/// Builds fixtures/golang/NAME (a folder of Go files, package main) and returns the file's path. Throws
/// std::runtime_error with the compiler's words where that fails.
std::string build_go(const GoToolchain &toolchain, std::string_view name, GoVariant variant = GoVariant::plain);
/// The same for a program given as text.
std::string build_go_text(const GoToolchain &toolchain, std::string_view name, std::string_view source,
                          GoVariant variant = GoVariant::plain);

/// Runs the body once for each toolchain, in a section named after its version.
template <typename Body> void for_each_go(Body body) {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    std::printf("SKIPPED: no Go toolchain of 1.16 or later is installed\n");
  for (const GoToolchain &toolchain : toolchains) {
    DYNAMIC_SECTION(toolchain.version) {
      body(toolchain);
    }
  }
}

} // namespace inspect::test
