#include "golang/values/value_writer.h"
#include "values/go/go_closures.h"
#include "values/go/go_variables.h"
#include "values/value_text.h"

#include <bit>
#include <fmt/format.h>

namespace inspect {
namespace {

/// "Green", or of flags "Read|Execute"; empty where the type's constants do not make up the number. As dlv's
/// pkg/proc/bininfo.go, constantType.describe.
std::string constants_text(std::uint64_t bits, const std::vector<GoConstant> &constants) {
  for (const GoConstant &constant : constants)
    if (static_cast<std::uint64_t>(constant.value) == bits)
      return constant.name;
  std::string text;
  for (const GoConstant &constant : constants) {
    const auto flag = static_cast<std::uint64_t>(constant.value);
    if (!std::has_single_bit(flag) || (bits & flag) == 0)
      continue;
    text += (text.empty() ? "" : "|") + constant.name;
    bits &= ~flag;
  }
  return bits == 0 ? text : std::string();
}

/// The type with a description in the DWARF: types that the runtime describes have no constants.
const GoType &described_type(const GoType &type, const ValueEnvironment &environment) {
  if (type.runtime_type.value == 0 || !environment.find_type)
    return type; // NOLINT(bugprone-return-const-ref-from-parameter): types live as long as their pool
  const auto found = environment.find_type(type.name, SourceLanguage::go);
  if (!found)
    return type; // NOLINT(bugprone-return-const-ref-from-parameter): types live as long as their pool
  const GoType *described = found->go != nullptr ? found->go : environment.go->converter->convert(found->native);
  return described->kind == type.kind ? *described : type;
}

/// What the environment knows of Go's types.
class EnvironmentDetails final : public GoValueDetails {
public:
  explicit EnvironmentDetails(ValueEnvironment &environment) : environment_(environment) {}

  void complete(const GoType &type) override { whole(type, environment_); }
  bool out_of_time() override { return environment_.out_of_time(); }

  std::string constant_name(const GoType &type, std::uint64_t number) override {
    // Predeclared types have constants, too, but not every int that is 3 is one of them.
    if (type.name.find('.') == std::string::npos || type.name == "time.Duration" || !environment_.go ||
        environment_.go->converter == nullptr)
      return {};
    return constants_text(number, environment_.go->converter->constants(described_type(type, environment_)));
  }

  std::vector<GoCapturedValue> captures(RunAddress closure, RunAddress code) override {
    std::vector<GoCapturedValue> captured;
    for (auto &[name, value] : go_captured_values(closure, code, environment_))
      captured.push_back({name, value.type.go, std::move(value.source), std::move(value.missing)});
    return captured;
  }

private:
  ValueEnvironment &environment_;
};

} // namespace

std::string go_value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options) {
  if (!value.source)
    return fmt::format("<{}>", value.missing.empty() ? "not known" : value.missing);
  if (!value.function_name.empty())
    return value.function_name;
  const GoType &type = whole(*value.type.go, environment);
  // The result of &x or of a conversion: where it points to is what was asked for.
  const bool computed = !value.source->address() && !value.register_number && !value.at_entry;
  const auto address = value.source->unsigned_at(0, 8);
  if (computed && type.kind == GoKind::pointer && address && *address != 0)
    return fmt::format("({})({:#x})", type.name, *address);
  EnvironmentDetails details(environment);
  ValueContext context = go_value_context(environment);
  context.details = &details;
  context.absent = "optimized out";
  context.print = options;
  if (options.format == NumberFormat::padded_hexadecimal) // which is gdb's, of C
    context.print.format = NumberFormat::hexadecimal;
  return write_go_value(type, *value.source, context);
}

} // namespace inspect
