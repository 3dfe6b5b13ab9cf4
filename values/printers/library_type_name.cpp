#include "values/printers/library_type_name.h"

#include "dwarf/types/type_name.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>
#include <vector>

namespace inspect {
namespace {

/// Names are the target's: one of a million brackets must not exhaust our stack.
constexpr int max_nesting = 64;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

/// Where the bracket at `open` closes; npos: it does not.
std::size_t closing(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' || c == '(' || c == '[' || c == '{')
      ++depth;
    else if (c == ')' || c == ']' || c == '}' || (c == '>' && (i == 0 || text[i - 1] != '-')))
      if (--depth == 0)
        return i;
  }
  return std::string_view::npos;
}

std::vector<std::string_view> split_arguments(std::string_view text) {
  std::vector<std::string_view> arguments;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' || c == '(' || c == '[' || c == '{')
      ++depth;
    else if (c == '>' || c == ')' || c == ']' || c == '}')
      --depth;
    else if (c == ',' && depth == 0) {
      arguments.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  if (!trimmed(text.substr(begin)).empty() || !arguments.empty())
    arguments.push_back(trimmed(text.substr(begin)));
  return arguments;
}

/// What the library's own default for a trailing argument is, in terms of the first ones (already shortened).
bool is_default_argument(std::string_view argument, const std::vector<std::string> &before) {
  if (before.empty())
    return false;
  const std::string &first = before.front();
  for (const std::string_view of_first :
       {"std::allocator", "std::less", "std::hash", "std::equal_to", "std::char_traits", "std::default_delete"})
    if (argument == fmt::format("{}<{}>", of_first, first))
      return true;
  if (before.size() > 1 && (argument == fmt::format("std::allocator<std::pair<{} const, {}>>", first, before[1]) ||
                            argument == fmt::format("std::allocator<std::pair<const {}, {}>>", first, before[1])))
    return true;
  return argument == fmt::format("std::deque<{}>", first);
}

std::string with_known_alias(std::string_view name, const std::string &arguments) {
  static constexpr std::pair<std::string_view, std::string_view> prefixes[] = {
      {"char", ""}, {"wchar_t", "w"}, {"char8_t", "u8"}, {"char16_t", "u16"}, {"char32_t", "u32"}};
  if (name == "std::basic_string" || name == "std::basic_string_view")
    for (const auto &[character, prefix] : prefixes)
      if (arguments == character)
        return fmt::format("std::{}{}", prefix, name.substr(std::string_view("std::basic_").size()));
  return fmt::format("{}<{}>", name, arguments);
}

std::string shortened(std::string_view text, int depth);

std::string shortened_template(std::string_view name, std::string_view inside, int depth) {
  std::vector<std::string> kept;
  bool is_library = name.starts_with("std::");
  for (const std::string_view one : split_arguments(inside))
    kept.push_back(shortened(one, depth - 1));
  // std::queue<int, std::deque<int>> has a default too, but std::pair<int, std::less<int>> has none.
  static constexpr std::string_view all_meant[] = {"std::pair", "std::tuple", "std::variant"};
  is_library = is_library && std::ranges::find(all_meant, name) == std::end(all_meant);
  while (is_library && kept.size() > 1) {
    const std::string last = kept.back();
    kept.pop_back();
    const bool adaptor = name == "std::stack" || name == "std::queue";
    const bool ranked = name == "std::priority_queue" && last == fmt::format("std::vector<{}>", kept.front());
    if (ranked || (is_default_argument(last, kept) && (adaptor || !last.starts_with("std::deque<"))))
      continue;
    kept.push_back(last);
    break;
  }
  return with_known_alias(name, fmt::format("{}", fmt::join(kept, ", ")));
}

std::string shortened(std::string_view text, int depth) {
  if (depth == 0)
    return std::string(text);
  std::string result;
  std::size_t begin = 0; // of the name that a bracket may follow
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<') {
      const std::size_t close = closing(text, i);
      if (close == std::string_view::npos)
        break;
      // "operator<" and the like have no arguments.
      result += shortened_template(text.substr(begin, i - begin), text.substr(i + 1, close - i - 1), depth);
      i = close;
      begin = close + 1;
    } else if (c == ' ' || c == ',' || c == '(' || c == ')' || c == '*' || c == '&') {
      result += text.substr(begin, i + 1 - begin);
      begin = i + 1;
    }
  }
  return result.append(text.substr(begin));
}

} // namespace

std::string without_inline_namespaces(std::string_view name) {
  // One within another stands behind it here.
  static constexpr std::string_view inlined[] = {"std::__debug::", "std::__8::",
                                                 "std::__ndk1::",  "std::__1::",
                                                 "std::__cxx11::", "std::filesystem::__cxx11::",
                                                 "std::_V2::",     "std::chrono::_V2::",
                                                 "std::__n4861::", "std::experimental::fundamentals_v1::"};
  std::string text(name);
  for (const std::string_view one : inlined) {
    const std::string_view outer = one.substr(0, one.rfind("::", one.size() - 3) + 2);
    for (std::size_t at = 0; (at = text.find(one, at)) != std::string::npos;)
      text.replace(at, one.size(), outer);
  }
  return text;
}

std::string short_type_name(std::string_view name) {
  return shortened(without_inline_namespaces(name), max_nesting);
}

std::vector<std::string> template_arguments_of(std::string_view text) {
  const std::size_t close = text.starts_with('<') ? closing(text, 0) : std::string_view::npos;
  if (close == std::string_view::npos)
    return {};
  const std::vector<std::string_view> arguments = split_arguments(text.substr(1, close - 1));
  return {arguments.begin(), arguments.end()};
}

std::vector<std::string> template_arguments_in(std::string_view text, std::string_view template_name) {
  const std::size_t begin = text.find(fmt::format("{}<", template_name));
  return begin == std::string_view::npos ? std::vector<std::string>()
                                         : template_arguments_of(text.substr(begin + template_name.size()));
}

std::string short_type_name(TypeReader &types, const TypeHandle &type) {
  return short_type_name(type_name(types, type));
}

} // namespace inspect
