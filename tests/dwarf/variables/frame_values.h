// The variables of every frame of a stopped process, with plain texts of their values: what the tests of locations
// compare with the program's own knowledge and with gdb.
#pragma once

#include "dwarf/location/location.h"
#include "dwarf/variables/frame_variables.h"
#include "tests/dwarf/unwind/traced_target.h"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace inspect::test {

struct FrameValue {
  std::size_t level = 0; ///< of its frame as gdb counts, inlined calls being frames
  std::string function;  ///< without template arguments
  ScopeVariable variable;
  std::string text;   ///< numbers, those of a structure with blanks between them; "?" for what is not known
  bool known = false; ///< at least a part of it
  bool at_entry = false;
  std::string reason; ///< why it is not known
};

class FrameValues {
public:
  /// `target` must outlive the object.
  explicit FrameValues(TracedTarget &target);
  FrameValues(const FrameValues &) = delete;
  FrameValues &operator=(const FrameValues &) = delete;

  const std::vector<FrameValue> &all() const { return values_; }
  /// The first frame of a module that knows a file-scope variable of this name; its value there.
  FrameValue global(const std::string &name, RunAddress *address = nullptr);
  const std::deque<FrameContext> &frames() const { return frames_; }

private:
  void collect();
  FrameValue value_of(const ScopeVariable &variable, const FrameContext &frame);
  std::string text_of(const TypeHandle &type, const ValueSource &source, int depth);

  TracedTarget &target_;
  TypeReader types_;
  Stack stack_;
  std::deque<FrameContext> frames_; ///< innermost first; refer to each other
  std::vector<FrameValue> values_;
};

} // namespace inspect::test
