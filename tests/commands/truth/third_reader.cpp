#include "tests/commands/truth/third_reader.h"

#include "tests/commands/truth/full_backtrace.h"
#include "tests/support/run_command.h"

#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace inspect::test {

std::vector<std::string> lines_by_addr2line(pid_t process, std::uint64_t address) {
  std::ifstream maps(fmt::format("/proc/{}/maps", process));
  std::vector<std::string> found;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    std::string skipped;
    std::string file;
    char dash = 0;
    words >> std::hex >> begin >> dash >> end >> skipped >> offset >> skipped >> skipped >> file;
    if (address < begin || address >= end || file.empty())
      continue;
    // Where code lies in the file and where it is linked to is the same in libraries and programs that can be moved.
    const std::string link_address = fmt::format("{:#x}", address - begin + offset);
    std::istringstream lines(run_command({"addr2line", "-i", "-e", file, link_address}).out);
    for (std::string one; std::getline(lines, one);)
      found.push_back(file_name_of(one.substr(0, one.find(" (discriminator"))));
    break;
  }
  return found;
}

} // namespace inspect::test
