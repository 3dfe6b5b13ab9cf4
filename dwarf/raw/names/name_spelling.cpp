#include "dwarf/raw/names/name_spelling.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace inspect {
namespace {

constexpr std::string_view unnamed_namespace = "(anonymous namespace)";
constexpr int max_bracket_depth = 200;

bool is_word(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_' || character == '$' ||
         static_cast<unsigned char>(character) >= 0x80;
}

/// Where the symbol of an operator's name ends that begins at `at` ("operator<<"); `at` where there is none.
std::size_t end_of_operator(std::string_view text, std::size_t at) {
  constexpr std::string_view word = "operator";
  if (!text.substr(at).starts_with(word))
    return at;
  std::size_t end = at + word.size();
  if (end < text.size() && is_word(text[end]))
    return at;
  if (text.substr(end).starts_with("()") || text.substr(end).starts_with("[]"))
    return end + 2;
  while (end < text.size() && std::string_view("<>=!+-*/%^&|~,").find(text[end]) != std::string_view::npos)
    ++end;
  return end;
}

/// Types that Go's compiler names by what they are made of.
bool is_go_literal_type(std::string_view name) {
  if (name.empty() || name.front() == '[' || name.front() == '*' || name.front() == '<')
    return true;
  for (const std::string_view start :
       {"map[", "func(", "chan ", "struct {", "interface {", "map.", "hash<", "bucket<", "waitq<", "sudog<", "noalg."})
    if (name.starts_with(start))
      return true;
  return false;
}

/// Calls `at_top(position)` for each position outside of all brackets until it returns false.
template <typename Visit> void each_outside_brackets(std::string_view name, bool go, const Visit &at_top) {
  int depth = 0;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char here = name[at];
    if (!go && depth == 0 && (at == 0 || name[at - 1] == ':' || name[at - 1] == transparent_mark))
      if (const std::size_t end = end_of_operator(name, at); end != at) {
        at = end - 1;
        continue;
      }
    if (here == '(' || here == '[' || here == '{' || (here == '<' && !go)) {
      if (depth == 0 && !at_top(at))
        return;
      ++depth;
      continue;
    }
    const bool arrow = here == '>' && at > 0 && name[at - 1] == '-';
    if (here == ')' || here == ']' || here == '}' || (here == '>' && !go && !arrow)) {
      depth = std::max(0, depth - 1);
      continue;
    }
    if (depth == 0 && !at_top(at))
      return;
  }
}

std::string_view without_mark(std::string_view part) {
  return !part.empty() && part.front() == transparent_mark ? part.substr(1) : part;
}

/// Where template arguments or parameters begin; its size where nothing follows the name.
std::size_t end_of_base(std::string_view part, bool go) {
  std::size_t end = part.size();
  each_outside_brackets(part, go, [&](std::size_t at) {
    const char here = part[at];
    if (at == 0 || (here != '<' && here != '(' && here != '['))
      return true;
    end = at;
    return false;
  });
  while (end > 0 && part[end - 1] == ' ')
    --end;
  return end;
}

std::string_view base_of(std::string_view part, bool go) {
  part = without_mark(part);
  if (go && part.starts_with("(*") && part.ends_with(")"))
    return part.substr(2, part.size() - 3);
  return part.substr(0, end_of_base(part, go));
}

std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 0x811c'9dc5;
  for (const char character : text)
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x0100'0193;
  return hash;
}

} // namespace

std::vector<std::string_view> name_components(std::string_view name, bool go) {
  std::vector<std::string_view> parts;
  if (go && is_go_literal_type(name))
    return {name};
  std::size_t begin = 0;
  each_outside_brackets(name, go, [&](std::size_t at) {
    const bool ends = go ? name[at] == '.' || name[at] == '/' : name.substr(at, 2) == "::";
    if (ends && at >= begin) {
      if (at > begin)
        parts.push_back(name.substr(begin, at - begin));
      begin = at + (go ? 1 : 2);
    }
    return true;
  });
  if (begin < name.size())
    parts.push_back(name.substr(begin));
  return parts;
}

std::uint32_t name_key(std::string_view name, bool go) {
  const auto parts = name_components(name, go);
  return parts.empty() ? hash_of({}) : hash_of(base_of(parts.back(), go));
}

std::string shown_name(std::string_view marked) {
  std::string shown(marked);
  std::erase(shown, transparent_mark);
  return shown;
}

namespace {

/// Rewrites types into one spelling.
class Speller {
public:
  explicit Speller(std::string_view text) : text_(text) {}

  std::string all() {
    std::string result;
    while (at_ < text_.size()) {
      result += type(0);
      if (at_ < text_.size())
        result += text_[at_++];
    }
    return result;
  }

private:
  /// Up to a ',' or a closing bracket that it did not open.
  std::string type(int depth) {
    std::string result;
    words_.clear();
    std::vector<std::string> outer;
    while (at_ < text_.size()) {
      const char here = text_[at_];
      if (here == ' ') {
        ++at_;
      } else if (here == ',' || here == '>' || here == ')' || here == ']' || here == '}') {
        break;
      } else if (is_word(here) || here == ':' || here == '~' || rest().starts_with(unnamed_namespace)) {
        word(depth);
      } else if (here == '\'') {
        character();
      } else if (here == '(' || here == '[' || here == '{') {
        flush(result);
        brackets(result, depth);
      } else {
        flush(result);
        result += here;
        ++at_;
      }
    }
    flush(result);
    return result;
  }

  std::string_view rest() const { return text_.substr(at_); }

  void word(int depth) {
    std::string word;
    while (at_ < text_.size()) {
      if (rest().starts_with(unnamed_namespace)) {
        word += unnamed_namespace;
        at_ += unnamed_namespace.size();
      } else if (is_word(text_[at_]) || text_[at_] == ':' || text_[at_] == '~') {
        word += text_[at_++];
      } else if (text_[at_] == '<' && depth < max_bracket_depth) {
        word += arguments(depth);
      } else if (rest().starts_with("[abi:")) {
        at_ = std::min(text_.find(']', at_), text_.size() - 1) + 1;
      } else {
        break;
      }
    }
    if (std::isdigit(static_cast<unsigned char>(word.front())) != 0)
      while (word.size() > 1 && std::string_view("uUlL").find(word.back()) != std::string_view::npos)
        word.pop_back();
    if (word == "true" || word == "false")
      word = word == "true" ? "1" : "0";
    if (word != "class" && word != "struct" && word != "union" && word != "enum")
      words_.push_back(std::move(word));
  }

  std::string arguments(int depth) {
    std::vector<std::string> kept = std::exchange(words_, {});
    std::string text;
    text += text_[at_++];
    while (at_ < text_.size() && text_[at_] != '>') {
      text += type(depth + 1);
      if (at_ < text_.size() && text_[at_] != '>')
        text += text_[at_++];
    }
    if (at_ < text_.size()) {
      text += '>';
      ++at_;
    }
    words_ = std::move(kept);
    return text;
  }

  void brackets(std::string &result, int depth) {
    const char open = text_[at_++];
    const char close = open == '(' ? ')' : open == '[' ? ']' : '}';
    std::string inside;
    while (at_ < text_.size() && text_[at_] != close && depth < max_bracket_depth) {
      inside += type(depth + 1);
      if (at_ < text_.size() && text_[at_] != close)
        inside += text_[at_++];
    }
    if (at_ < text_.size())
      ++at_;
    words_.clear();
    const std::size_t next = std::min(text_.find_first_not_of(' ', at_), text_.size());
    const bool number =
        next < text_.size() && (text_[next] == '-' || std::isdigit(static_cast<unsigned char>(text_[next])) != 0);
    if (open != '(' || !number) // else a cast before a number
      result += open + inside + close;
  }

  /// 'a' is the same as 97.
  void character() {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == at_ + 2)
      words_.push_back(std::to_string(static_cast<int>(text_[at_ + 1])));
    else
      words_.emplace_back(text_.substr(at_, end == std::string_view::npos ? end : end + 1 - at_));
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
  }

  /// The words so far, in one order, qualifiers last.
  void flush(std::string &result) {
    static constexpr std::array<std::string_view, 6> parts{"char", "int", "long", "short", "signed", "unsigned"};
    static constexpr std::array<std::string_view, 2> qualifiers{"const", "volatile"};
    std::vector<std::string> numbers, others, after;
    for (std::string &word : words_) {
      const bool is_part = std::ranges::find(parts, word) != parts.end();
      const bool is_qualifier = std::ranges::find(qualifiers, word) != qualifiers.end();
      (is_part ? numbers : is_qualifier ? after : others).push_back(std::move(word));
    }
    words_.clear();
    if (numbers.size() > 1) {
      const bool is_char = std::ranges::find(numbers, "char") != numbers.end();
      std::erase(numbers, "int");
      if (!is_char)
        std::erase(numbers, "signed");
    }
    std::ranges::sort(numbers);
    std::ranges::sort(after);
    for (const auto *group : {&numbers, &others, &after})
      for (const std::string &word : *group)
        result += (result.empty() || !is_word(result.back()) ? "" : " ") + word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;
};

} // namespace

std::string canonical_spelling(std::string_view text) {
  return Speller(text).all();
}

WantedName::Parts WantedName::split(std::string_view name, NameKind kind, bool go) {
  Parts parts;
  const auto components = name_components(name, go);
  for (std::size_t index = 0; index < components.size(); ++index) {
    std::string_view part = without_mark(components[index]);
    const bool may_have_parameters = !go && (index + 1 < components.size() || kind == NameKind::function);
    if (may_have_parameters) {
      std::size_t end = part.size();
      each_outside_brackets(part, false, [&](std::size_t at) {
        if (at == 0 || part[at] != '(')
          return true;
        end = at;
        return false;
      });
      part = part.substr(0, end);
    }
    if (go && part.starts_with("(*") && part.ends_with(")"))
      part = part.substr(2, part.size() - 3);
    parts.written.emplace_back(part);
    parts.canonical.push_back(canonical_spelling(part));
  }
  parts.key = name_key(name, go);
  return parts;
}

WantedName::WantedName(std::string_view name, NameKind kind) : name_(name) {
  if (name_.starts_with("::"))
    name_.erase(0, 2);
  go_ = split(name_, kind, true);
  other_ = split(name_, kind, false);
  const auto parts = name_components(name_, false);
  if (parts.size() > 1) {
    first_ = parts.front();
    rest_ = std::string_view(name_).substr(static_cast<std::size_t>(parts[1].data() - name_.data()));
  }
}

NameMatch WantedName::match_end(std::string_view bare, bool go) const {
  const Parts &wanted = go ? go_ : other_;
  if (wanted.written.empty())
    return NameMatch::none;
  const bool same = wanted.written.back() == bare || wanted.canonical.back() == canonical_spelling(bare) ||
                    wanted.written.back() == base_of(bare, go);
  return same ? NameMatch::end : NameMatch::none;
}

NameMatch WantedName::match(std::string_view marked, bool go) const {
  return match(marked, go, false);
}

NameMatch WantedName::match(std::string_view marked, bool go, bool all_transparent) const {
  const auto is_transparent = [&](std::string_view part) {
    return all_transparent || part.front() == transparent_mark;
  };
  const Parts &wanted = go ? go_ : other_;
  const auto stored = name_components(marked, go);
  std::size_t left = wanted.written.size(), at = stored.size();
  bool without_arguments = false;
  while (left > 0 && at > 0) {
    std::string_view part = without_mark(stored[at - 1]);
    if (go && part.starts_with("(*") && part.ends_with(")"))
      part = part.substr(2, part.size() - 3);
    const std::string &written = wanted.written[left - 1];
    if (part == written || canonical_spelling(part) == wanted.canonical[left - 1]) {
      --left;
    } else if (const std::string_view base = base_of(part, go);
               base.size() < part.size() && (written == base || written == std::string(base) + "[...]")) {
      without_arguments = true;
      --left;
    } else if (!is_transparent(stored[at - 1]) || left == wanted.written.size()) { // the last part is what it is about
      return NameMatch::none;
    }
    --at;
  }
  if (left > 0 || wanted.written.empty())
    return NameMatch::none;
  while (at > 0 && is_transparent(stored[at - 1]))
    --at;
  if (at > 0)
    return without_arguments ? NameMatch::end_without_arguments : NameMatch::end;
  return without_arguments ? NameMatch::without_arguments : NameMatch::whole;
}

} // namespace inspect
