#include "tests/fuzz/golang/recorded_go.h"

#include "tests/support/go_toolchain.h"

#include <csignal>

namespace inspect::test {

std::unique_ptr<RecordedGo> record_go(std::string_view fixture) {
  const auto &toolchains = all_go_toolchains();
  if (toolchains.empty())
    return nullptr;
  auto recorded = std::make_unique<RecordedGo>();
  recorded->process = std::make_unique<GoProcess>(std::vector<std::string>{build_go(toolchains.back(), fixture)});
  recorded->process->child().wait_for_line();
  recorded->process->child().signal(SIGSTOP);
  recorded->process->open();
  recorded->memory = record_memory(recorded->process->child().pid());
  return recorded;
}

} // namespace inspect::test
