// regcomp rather than std::regex: libstdc++'s recurses once per character and overflows the stack on the names that C++
// templates make.
#include "commands/cli/name_filter.h"

#include <array>
#include <fmt/format.h>
#include <memory>
#include <regex.h>

namespace inspect {

Result<std::function<bool(const std::string &)>> name_filter(const std::string &pattern) {
  if (pattern.empty())
    return [](const std::string &) { return true; };
  auto storage = std::make_unique<regex_t>();
  if (const int problem = ::regcomp(storage.get(), pattern.c_str(), REG_EXTENDED | REG_NOSUB); problem != 0) {
    std::array<char, 200> reason{};
    ::regerror(problem, storage.get(), reason.data(), reason.size());
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("'{}' is not a valid regular expression: {}", pattern, reason.data())));
  }
  const std::shared_ptr<regex_t> compiled(storage.release(), [](regex_t *expression) {
    ::regfree(expression);
    delete expression;
  });
  return [compiled](const std::string &name) { return ::regexec(compiled.get(), name.c_str(), 0, nullptr, 0) == 0; };
}

} // namespace inspect
