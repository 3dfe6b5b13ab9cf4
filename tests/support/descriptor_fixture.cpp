#include "tests/support/descriptor_fixture.h"

#include <sstream>

namespace inspect::test {

DescriptorFixture::DescriptorFixture(int count)
    : process_(std::vector<std::string>{fixture_path("many_descriptors"), std::to_string(count)}) {
  process_.wait_for_line("ready");
  while (total_ == 0) { // the last line
    const std::string line = process_.read_line();
    std::istringstream words(line);
    std::string what;
    std::string name;
    words >> what;
    if (what == "kind")
      words >> name >> kinds_[name];
    else if (what == "socket")
      listening_.insert(line.substr(what.size() + 1));
    else if (what == "deleted")
      words >> deleted_path_;
    else if (what == "accepted")
      words >> accepted_;
    else if (what == "total")
      words >> total_;
  }
}

} // namespace inspect::test
