// A running Go program whose values a test reads: its types by their DWARF names, and what values/ needs to look into
// them.
//
//     GoValues program({build_go(go, "value_expressions")});
//     program.child().wait_for_line("ready");
//     program.open();
//     Value table = go_value_at(*parse_go_type("main.table", program.environment())->go, address, …);
#pragma once

#include "tests/golang/go_process.h"
#include "values/value_environment.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

class GoValues {
public:
  explicit GoValues(const std::vector<std::string> &command);

  ChildProcess &child() { return process_.child(); }
  GoProcess &process() { return process_; }
  void open();
  ValueEnvironment &environment() { return *environment_; }
  /// The same with other memory, which must outlive it: damaged, for instance.
  ValueEnvironment with_memory(const MemoryView &memory) const;

private:
  void index_types();

  GoProcess process_;
  TypeReader reader_;
  GoTypePool pool_;
  GoTypeConverter converter_{reader_, pool_};
  std::unique_ptr<GoRuntimeTypes> types_;
  std::map<std::string, Dwarf_Die, std::less<>> dies_;
  std::optional<ValueEnvironment> environment_;
};

/// Goes from `root` into a value, by the steps that fixtures/golang/value_expressions describes.
Result<Value> take_steps(const Value &root, std::string_view steps, ValueEnvironment &environment);

} // namespace inspect::test
