#include "commands/cli/version.h"

#include "dwarf/elf/library_versions.h"
#include "inspect_commit.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace inspect {

std::string program_version() {
  return INSPECT_VERSION;
}

std::string version_text() {
  constexpr std::string_view commit = INSPECT_COMMIT;
  return fmt::format("inspect {}{}\n{}, fmt {}.{}.{}, nlohmann_json {}.{}.{}, libedit {}\n", program_version(),
                     commit.empty() ? "" : fmt::format(" (commit {})", commit), library_versions(), FMT_VERSION / 10000,
                     FMT_VERSION / 100 % 100, FMT_VERSION % 100, NLOHMANN_JSON_VERSION_MAJOR,
                     NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH, INSPECT_LIBEDIT_VERSION);
}

} // namespace inspect
