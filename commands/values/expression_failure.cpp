#include "commands/values/expression_failure.h"

#include "values/expression/expression.h"

namespace inspect {

ExitStatus fail_in_expression(Output &output, const Error &error, std::string_view text) {
  const auto column = column_of(error);
  if (!column) {
    output.error(error);
    return exit_status(error);
  }
  output.error(error.message());
  output.error_detail(caret_line(text, *column));
  if (!error.remedy().empty())
    output.error_detail("try: " + error.remedy());
  return exit_status(error);
}

} // namespace inspect
