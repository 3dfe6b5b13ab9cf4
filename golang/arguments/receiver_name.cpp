#include "golang/arguments/receiver_name.h"

#include "golang/pclntab/function_name.h"

#include <charconv>
#include <vector>

namespace inspect {
namespace {

/// First `wanted` outside square brackets, at `from` or later.
std::size_t find_outside_brackets(std::string_view text, char wanted, std::size_t from = 0) {
  int depth = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == wanted && depth == 0)
      return i;
    if (text[i] == '[')
      ++depth;
    else if (text[i] == ']')
      --depth;
  }
  return std::string_view::npos;
}

/// The linker writes bytes that have a meaning in names as %xx: the dots of a path's last part, quotes, controls.
std::string unescape(std::string_view path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    unsigned value = 0;
    if (path[i] == '%' && i + 2 < path.size() &&
        std::from_chars(path.data() + i + 1, path.data() + i + 3, value, 16).ptr == path.data() + i + 3) {
      plain += static_cast<char>(value);
      i += 2;
    } else {
      plain += path[i];
    }
  }
  return plain;
}

bool is_plain_identifier(std::string_view text) {
  return !text.empty() && text.find_first_of(".-()") == std::string_view::npos;
}

} // namespace

std::optional<ReceiverName> receiver_of(std::string_view function) {
  auto [package, rest] = split_qualified_name(function);
  if (package.empty())
    return std::nullopt;
  ReceiverName receiver;
  receiver.package_path = unescape(package);
  std::string_view method;
  if (rest.starts_with("(*")) {
    const std::size_t close = find_outside_brackets(rest, ')');
    if (close == std::string_view::npos || close + 1 >= rest.size() || rest[close + 1] != '.')
      return std::nullopt;
    receiver.type = rest.substr(2, close - 2);
    receiver.pointer = true;
    method = rest.substr(close + 2);
  } else {
    const std::size_t end = find_outside_brackets(rest, '.');
    if (end == std::string_view::npos)
      return std::nullopt;
    receiver.type = rest.substr(0, end);
    method = rest.substr(end + 1);
  }
  if (const std::size_t arguments = method.find('['); arguments != std::string_view::npos)
    method = method.substr(0, arguments);
  if (receiver.type.empty() || !is_plain_identifier(method))
    return std::nullopt;
  return receiver;
}

std::string ReceiverName::printed() const {
  const std::string package = package_path.substr(package_path.rfind('/') + 1);
  return (pointer ? "*" : "") + package + "." + type;
}

} // namespace inspect
