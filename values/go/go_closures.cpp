#include "values/go/go_closures.h"

#include "values/go/go_variables.h"

namespace inspect {
namespace {

/// A closure with more in it is none.
constexpr std::uint64_t max_closure_size = 1 << 20;

} // namespace

std::vector<GoCapture> go_closure_captures(RunAddress code, ValueEnvironment &environment) {
  Module *module = environment.modules.find(code);
  LineResolver *lines = module != nullptr ? environment.modules.lines(*module) : nullptr;
  if (lines == nullptr)
    return {};
  std::vector<GoCapture> captures = go_captures(*lines, module->bias().to_link(code));
  std::erase_if(captures, [](const GoCapture &capture) { return capture.offset > max_closure_size; });
  return captures;
}

Value go_capture_value(const GoCapture &capture, RunAddress closure, ValueEnvironment &environment) {
  const std::uint64_t size = environment.types.size_of(capture.type).value_or(8);
  return go_value(capture.type, ValueSource::in_memory(environment.memory, closure + capture.offset, size),
                  capture.by_reference, environment);
}

} // namespace inspect
