// What a Go linker leaves in every binary, stripped or not: the Go version, the main module and the build settings
// (`go version -m FILE` prints the same). It is read from a file, or from memory where the file is not enough: deleted
// executables, and position-independent ones before Go 1.18, whose strings are behind relocated pointers.
//
// It lies behind the marker "\xff Go buildinf:" in section .go.buildinfo, or, when the section headers are gone, at a
// multiple of 16 bytes in a writable segment. Since Go 1.18 the strings follow the 32-byte header inline, each with
// its length as a varint; before, the header has the addresses of two Go string headers.
//
// Source: package debug/buildinfo's description of the format; checked against `go version -m` by
// tests/golang/image/build_info_test.cpp.
#pragma once

#include "machine/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inspect {

class ElfFile;
class MemoryView;
class Module;

/// A module that the program was built with.
struct GoModule {
  std::string path;
  std::string version;
  std::string sum;                 ///< "h1:…"; empty where it was replaced or not checked
  std::string replacement;         ///< what was built in its place, a module's path or a directory; empty: itself
  std::string replacement_version; ///< empty for directories before Go 1.21, "(devel)" since
};

struct GoBuildInfo {
  std::string go_version;             ///< "go1.22.1"; empty where the linker left none that can be read from the file
  std::string package_path;           ///< of the main package, "example.com/svc/cmd/server"; empty without modules
  std::string module_path;            ///< of the main module
  std::string module_version;         ///< "v1.2.3", "(devel)"
  std::vector<GoModule> dependencies; ///< in the linker's order, by path
  std::vector<std::pair<std::string, std::string>> settings; ///< "-ldflags" → "-s -w", "vcs.revision" → …
};

/// not_found: no Go binary. corrupt: the marker is there and what follows is malformed.
Result<GoBuildInfo> read_go_build_info(const ElfFile &file);

/// The Go version that built a loaded image, "go1.22.1"; nothing where the image does not say (a plugin), or it is not
/// Go.
std::optional<std::string> go_version_text(const Module &module, const MemoryView &memory);
/// One of the settings that a loaded image was built with, "DefaultGODEBUG"; empty where it is not set, or not known.
std::string go_build_setting(const Module &module, const MemoryView &memory, std::string_view key);
/// The same by the symbol runtime.buildVersion.
std::optional<std::string> go_version_by_symbol(Module &module, const MemoryView &memory);

} // namespace inspect
