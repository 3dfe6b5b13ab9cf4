#include "tests/support/process_health.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>

namespace inspect::test {
namespace {

std::string field_of(const std::filesystem::path &status, const std::string &name) {
  std::ifstream file(status);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":\t"))
      return line.substr(name.size() + 2);
  return {};
}

} // namespace

std::string status_field(pid_t process, const std::string &name) {
  return field_of(fmt::format("/proc/{}/status", process), name);
}

std::string what_is_wrong_with(pid_t process, bool stopped_before) {
  std::error_code error; // threads may end while we look
  std::size_t threads = 0;
  for (const auto &thread : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process), error)) {
    const std::string tracer = field_of(thread.path() / "status", "TracerPid");
    const std::string state = field_of(thread.path() / "status", "State");
    threads += state.empty() ? 0 : 1;
    if (!tracer.empty() && tracer != "0")
      return fmt::format("thread {} is traced by {}", thread.path().filename().string(), tracer);
    if (state.starts_with("t") || (!stopped_before && state.starts_with("T")))
      return fmt::format("thread {} is {}", thread.path().filename().string(), state);
  }
  return threads == 0 ? fmt::format("there is no process {}", process) : std::string();
}

} // namespace inspect::test
