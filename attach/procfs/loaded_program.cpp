#include "attach/procfs/loaded_program.h"

#include "attach/procfs/memory_map.h"
#include "attach/procfs/process_list.h"
#include "machine/words.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

namespace inspect {
namespace {

constexpr auto options_with_value =
    std::to_array<std::string_view>({"--library-path", "--preload", "--audit", "--argv0", "--glibc-hwcaps-prepend",
                                     "--glibc-hwcaps-mask", "--inhibit-rpath"});

std::string_view name_of_file(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

} // namespace

bool is_dynamic_loader(std::string_view path) {
  const std::string_view name = name_of_file(path);
  return name.starts_with("ld-linux") || name.starts_with("ld-musl") || name == "ld.so" ||
         (name.starts_with("ld-2.") && name.ends_with(".so"));
}

std::optional<std::string_view> program_in_arguments(std::span<const std::string_view> arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].starts_with("--"))
      return arguments[i].empty() ? std::nullopt : std::optional(arguments[i]);
    if (arguments[i] == "--")
      return i + 1 < arguments.size() ? std::optional(arguments[i + 1]) : std::nullopt;
    if (std::ranges::find(options_with_value, arguments[i]) != options_with_value.end())
      ++i;
  }
  return std::nullopt;
}

std::optional<std::string> program_of_loader(pid_t process) {
  const auto text = read_living_file(process, "cmdline");
  const auto maps = read_memory_map(process);
  if (!text || !maps)
    return std::nullopt;
  std::vector<std::string_view> arguments;
  for (std::string_view rest = *text; !rest.empty();)
    arguments.push_back(take_until(rest, '\0'));
  const auto program = program_in_arguments(arguments);
  if (!program)
    return std::nullopt;
  std::filesystem::path path(*program);
  if (path.is_relative())
    path = std::filesystem::path(link_text(living_link(process, "cwd"))) / path;
  const std::string whole = path.lexically_normal().string();
  // Through symbolic links it is mapped under another path; its name is the same then, or it is not told.
  const Mapping *by_name = nullptr;
  for (const Mapping &mapping : *maps) {
    if (!mapping.executable || mapping.inode == 0)
      continue;
    if (mapping.path == whole)
      return mapping.path;
    if (by_name == nullptr && name_of_file(mapping.path) == name_of_file(whole))
      by_name = &mapping;
  }
  return by_name != nullptr ? std::optional(by_name->path) : std::nullopt;
}

} // namespace inspect
