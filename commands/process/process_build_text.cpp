#include "commands/process/process_build_text.h"

#include "commands/cli/output.h"
#include "machine/number_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

void add_go_parts(const GoBuildInfo &go, std::vector<std::string> &parts) {
  // Paths of the build machine and what every build has say nothing at night, and DefaultGODEBUG is a screen by itself
  // where a program declares no Go version. The JSON has them.
  const auto is_shown = [](std::string_view key) {
    return key == "-race" || key == "-tags" || key == "-ldflags" || key == "-gcflags" || key == "-buildmode" ||
           key == "-pgo" || key == "CGO_ENABLED" || key == "GOEXPERIMENT" || key == "vcs.revision" ||
           key == "vcs.time" || key == "vcs.modified";
  };
  parts.push_back(go.go_version.empty() ? std::string("Go of an unknown version") : escape(go.go_version));
  if (!go.module_path.empty())
    parts.push_back(fmt::format("module {}{}{}", escape(go.module_path), go.module_version.empty() ? "" : " ",
                                escape(go.module_version)));
  else if (!go.package_path.empty())
    parts.push_back("package " + escape(go.package_path));
  if (!go.dependencies.empty())
    parts.push_back(counted(go.dependencies.size(), "module") + " more");
  for (const auto &[key, value] : go.settings)
    if (is_shown(key) && !(key == "-buildmode" && value == "exe"))
      parts.push_back(fmt::format("{}={}", escape(key), escape(value)));
}

std::string file_name(const std::string &path) {
  return path.substr(path.rfind('/') + 1);
}

} // namespace

std::vector<std::string> build_parts(const ProgramBuild &build) {
  std::vector<std::string> parts;
  if (build.go)
    add_go_parts(*build.go, parts);
  for (const std::string &compiler : build.compilers)
    parts.push_back(escape(compiler));
  if (!build.build_id.empty())
    parts.push_back("build-id " + build.build_id);
  if (!build.dynamic && build.needed.empty())
    parts.emplace_back("statically linked");
  return parts;
}

std::vector<std::string> module_lines(const ProgramBuild &build) {
  std::vector<std::string> lines;
  if (!build.go)
    return lines;
  for (const GoModule &module : build.go->dependencies) {
    std::string line = fmt::format("{} {}", escape(module.path), escape(module.version));
    if (!module.replacement.empty())
      line += fmt::format(" => {}{}{}", escape(module.replacement), module.replacement_version.empty() ? "" : " ",
                          escape(module.replacement_version));
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> library_parts(const std::vector<MappedLibrary> &libraries,
                                       const std::vector<std::string> &needed) {
  constexpr std::size_t max_names = 8;
  std::vector<std::string> intact;
  std::vector<std::string> gone;
  for (const MappedLibrary &library : libraries)
    (library.deleted ? gone : intact).push_back(library.deleted ? library.path : file_name(library.path));
  // "libpq.so.5" was asked for, "libpq.so.5.15" is what the link of that name leads to.
  std::ranges::stable_partition(intact, [&](const std::string &name) {
    return std::ranges::any_of(needed, [&](const std::string &wanted) { return name.starts_with(wanted); });
  });
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(intact.size(), max_names); ++i)
    parts.push_back(escape(intact[i]));
  if (intact.size() > max_names)
    parts.push_back(fmt::format("and {} more", intact.size() - max_names));
  for (const std::string &path : gone)
    parts.push_back(escape(path) + " (deleted or replaced since)");
  if (!parts.empty())
    parts.front() = fmt::format("{} mapped: {}", with_thousands(libraries.size()), parts.front());
  return parts;
}

} // namespace inspect
