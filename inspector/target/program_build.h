// How an executable was built, told from the file: what `inspect ps PID` says of the build.
#pragma once

#include "golang/image/build_info.h"
#include "machine/error.h"

#include <optional>
#include <string>
#include <vector>

namespace inspect {

struct ProgramBuild {
  std::string build_id;               ///< hex; empty: none
  std::vector<std::string> compilers; ///< the texts of .comment, each once: "GCC: (Debian 12.2.0-14) 12.2.0"
  std::vector<std::string> needed;    ///< DT_NEEDED; empty: statically linked
  bool dynamic = false;               ///< it asks for a dynamic loader
  std::optional<GoBuildInfo> go;
};

/// From an open ELF executable; the descriptor is borrowed.
Result<ProgramBuild> read_program_build(int descriptor);

} // namespace inspect
