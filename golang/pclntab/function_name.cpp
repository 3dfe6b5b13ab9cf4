#include "golang/pclntab/function_name.h"

namespace inspect {

QualifiedName split_qualified_name(std::string_view qualified) {
  const std::string_view outside = qualified.substr(0, qualified.find('['));
  const std::size_t slash = outside.rfind('/');
  const std::size_t dot = outside.find('.', slash == std::string_view::npos ? 0 : slash);
  if (dot == std::string_view::npos)
    return {{}, qualified};
  return {qualified.substr(0, dot), qualified.substr(dot + 1)};
}

std::string printed_function_name(std::string_view linked, GoVersion version) {
  const std::size_t open = linked.find('[');
  const std::size_t close = linked.rfind(']');
  const bool as_linked = version != GoVersion{} && version < GoVersion{1, 21};
  if (as_linked || open == std::string_view::npos || close == std::string_view::npos || close <= open)
    return std::string(linked);
  std::string printed(linked.substr(0, open));
  printed += "[...]";
  printed += linked.substr(close + 1);
  return printed;
}

} // namespace inspect
