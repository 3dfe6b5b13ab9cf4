#include "golang/values/scalar_text.h"
#include "golang/values/value_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

struct ErrorForm {
  std::string_view type;
  std::string_view form; ///< {field} stands for a string or an error, {"field} for a quoted string
};

/// From the Error methods of these types; the same in Go 1.16 to 1.26.
constexpr auto error_forms = std::to_array<ErrorForm>({
    {"context.deadlineExceededError", "context deadline exceeded"},
    {"errors.errorString", "{s}"},
    {"errors.fundamental", "{msg}"},
    {"errors.withMessage", "{msg}: {cause}"},
    {"errors.withStack", "{error}"},
    {"exec.Error", "exec: {\"Name}: {Err}"},
    {"fmt.wrapError", "{msg}"},
    {"fmt.wrapErrors", "{msg}"},
    {"fs.PathError", "{Op} {Path}: {Err}"},
    {"http.ProtocolError", "{ErrorString}"},
    {"http.httpError", "{err}"},
    {"http.timeoutError", "{err}"},
    {"json.SyntaxError", "{msg}"},
    {"net.AddrError", "address {Addr}: {Err}"},
    {"net.DNSError", "lookup {Name}: {Err}"},
    {"net.OpError", "{Op} {Net}: {Err}"},
    {"net.timeoutError", "i/o timeout"},
    {"os.LinkError", "{Op} {Old} {New}: {Err}"},
    {"os.PathError", "{Op} {Path}: {Err}"},
    {"os.SyscallError", "{Syscall}: {Err}"},
    {"poll.DeadlineExceededError", "i/o timeout"},
    {"poll.errNetClosing", "use of closed network connection"},
    {"runtime.errorString", "runtime error: {}"},
    {"runtime.plainError", "{}"},
    {"strconv.NumError", "strconv.{Func}: parsing {\"Num}: {Err}"},
    {"url.Error", "{Op} {\"URL}: {Err}"},
});

/// Of errors in errors; more are a circle.
constexpr int max_causes = 8;

std::optional<std::string> text_of(const GoType &type, const ValueSource &source, const ValueContext &context,
                                   int causes);

std::optional<std::string> string_at(const ValueSource &source, const ValueContext &context) {
  const auto list = read_go_string(source);
  if (!list || !context.memory)
    return std::nullopt;
  const auto text = read_go_text(*list, context.print.limits.string_bytes, *context.memory);
  if (!text)
    return std::nullopt;
  return text->size() < list->length ? *text + "..." : *text;
}

std::optional<std::string> part_text(const GoType &type, const ValueSource &source, const ValueContext &context,
                                     int causes) {
  if (type.kind == GoKind::string)
    return string_at(source, context);
  if (type.kind != GoKind::interface)
    return text_of(type, source, context, causes - 1);
  const auto held = interface_value(type, source, context);
  if (!held || !held->type)
    return std::nullopt;
  const auto data = dynamic_source(*held, context);
  return data ? text_of(*held->type, *data, context, causes - 1) : std::nullopt;
}

std::optional<std::string> fill(std::string_view form, const GoType &type, const ValueSource &source,
                                const ValueContext &context, int causes) {
  std::string text;
  while (!form.empty()) {
    const std::size_t open = std::min(form.find('{'), form.size());
    text += form.substr(0, open);
    form.remove_prefix(open);
    if (form.empty())
      break;
    std::string_view name = form.substr(1, form.find('}') - 1);
    form.remove_prefix(name.size() + 2);
    const bool quoted = name.starts_with('"');
    name.remove_prefix(quoted ? 1 : 0);
    std::optional<std::string> part;
    if (name.empty())
      part = part_text(type, source, context, causes);
    else if (const auto field = std::ranges::find(type.fields, name, &GoField::name); field != type.fields.end())
      part = part_text(*field->type, source.at(field->offset), context, causes);
    if (!part)
      return std::nullopt;
    text += quoted ? go_quoted(*part) : *part;
  }
  return text;
}

/// Go's table of errno texts is the C library's with a small first letter.
std::optional<std::string> errno_text(const ValueSource &source) {
  const auto number = source.unsigned_at(0, 8);
  const char *const known =
      number && *number > 0 && *number < 4096 ? ::strerrordesc_np(static_cast<int>(*number)) : nullptr;
  if (!known)
    return std::nullopt;
  std::string text = known;
  if (text.size() > 1 && text[1] >= 'a' && text[1] <= 'z' && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

std::optional<std::string> text_of(const GoType &type, const ValueSource &source, const ValueContext &context,
                                   int causes) {
  if (causes <= 0)
    return std::nullopt;
  if (type.kind == GoKind::pointer && type.element && context.memory) {
    const auto address = source.unsigned_at(0, 8);
    if (!address || *address == 0 || type.element->kind != GoKind::structure)
      return std::nullopt;
    return text_of(*type.element, ValueSource::in_memory(*context.memory, RunAddress{*address}, type.element->size),
                   context, causes);
  }
  const std::string name = short_go_type_name(type.name);
  if (name == "syscall.Errno")
    return errno_text(source);
  const auto *const known = std::ranges::find(error_forms, name, &ErrorForm::type);
  return known != error_forms.end() ? fill(known->form, type, source, context, causes) : std::nullopt;
}

} // namespace

std::optional<std::string> error_text(const GoType &type, const ValueSource &source, const ValueContext &context) {
  return text_of(type, source, context, max_causes);
}

} // namespace inspect
