#include "commands/stacks/variable_text.h"

#include <fmt/format.h>

namespace inspect {

std::string variable_line(const Output &output, const FrameVariable &variable, bool with_type,
                          std::string_view indent) {
  std::string line(indent);
  line += escape(variable.name);
  // gdb's mark for what the caller passed, where what it is now is not known.
  if (variable.at_entry)
    line += "@entry";
  if (with_type && !variable.type.empty())
    line += output.styled(Style::dim, fmt::format(": {}", escape(variable.type)));
  line += " = ";
  line += variable.missing ? output.styled(Style::dim, escape(variable.value)) : escape(variable.value);
  if (variable.shadowed)
    line += output.styled(Style::dim, " (shadowed)");
  if (variable.is_result)
    line += output.styled(Style::dim, " (result)");
  return line + "\n";
}

} // namespace inspect
