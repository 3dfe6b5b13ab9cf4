#include "values/go/go_type_names.h"

#include "values/go/go_variables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

constexpr int max_nesting = 64;
constexpr std::size_t max_text_length = 4096;

/// Types that the standard library keeps under a second name, which no description has.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> other_names{{
    {"os.PathError", "io/fs.PathError"},
    {"os.FileInfo", "io/fs.FileInfo"},
    {"os.FileMode", "io/fs.FileMode"},
    {"os.DirEntry", "io/fs.DirEntry"},
}};

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Of an import path besides letters and digits.
bool continues_path(char c) {
  return starts_name(c) || is_digit(c) || c == '.' || c == '/' || c == '-' || c == '~' || c == '%';
}

/// Reads one type; each function stands before what it reads and behind it afterwards.
class TypeText {
public:
  TypeText(std::string_view text, ValueEnvironment &environment)
      : text_(text), environment_(environment), pool_(*environment.go->pool) {}

  Result<const GoType *> whole_text() {
    auto made = type();
    skip_blanks();
    if (made && at_ < text_.size())
      return refused(fmt::format("'{}' is not expected there", text_[at_]));
    return made;
  }

private:
  using Parsed = Result<const GoType *>;

  std::unexpected<Error> refused(std::string_view why) const {
    return std::unexpected(Error(ErrorKind::usage, fmt::format("column {} of the type: {}", at_ + 1, why)));
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t'))
      ++at_;
  }
  bool take(std::string_view what);
  bool take_word(std::string_view word);
  Parsed type();
  Parsed bracketed();
  Parsed map();
  Parsed channel(std::string_view prefix);
  Parsed function();
  Parsed structure();
  Parsed interface();
  Parsed named();
  Result<std::string> bracket_text(char open, char close);
  Result<std::string> name_text();
  Parsed find(const std::string &name);

  std::string_view text_;
  ValueEnvironment &environment_;
  GoTypePool &pool_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

bool TypeText::take(std::string_view what) {
  skip_blanks();
  if (!text_.substr(at_).starts_with(what))
    return false;
  at_ += what.size();
  return true;
}

bool TypeText::take_word(std::string_view word) {
  skip_blanks();
  const std::size_t end = at_ + word.size();
  if (!text_.substr(at_).starts_with(word) || (end < text_.size() && continues_path(text_[end]) && text_[end] != '-'))
    return false;
  at_ = end;
  return true;
}

TypeText::Parsed TypeText::type() {
  if (nesting_ >= max_nesting)
    return refused("too many types in each other");
  ++nesting_;
  Parsed made = [&]() -> Parsed {
    if (take("*")) {
      auto element = type();
      return element ? Parsed(pool_.pointer_to(**element)) : element;
    }
    if (take("(")) {
      auto inner = type();
      return inner && !take(")") ? Parsed(refused("a ')' is missing")) : inner;
    }
    if (take("["))
      return bracketed();
    if (take("<-"))
      return take_word("chan") ? channel("<-chan") : refused("'chan' must follow '<-'");
    if (take_word("map"))
      return map();
    if (take_word("chan"))
      return channel(take("<-") ? "chan<-" : "chan");
    if (take_word("func"))
      return function();
    if (take_word("struct"))
      return structure();
    if (take_word("interface"))
      return interface();
    return named();
  }();
  --nesting_;
  return made;
}

/// Behind "[".
TypeText::Parsed TypeText::bracketed() {
  if (take("]")) {
    auto element = type();
    return element ? Parsed(pool_.slice_of(**element)) : element;
  }
  skip_blanks();
  std::uint64_t length = 0;
  const char *const begin = text_.data() + at_;
  const auto number = std::from_chars(begin, text_.data() + text_.size(), length);
  if (number.ec != std::errc())
    return refused("an array's length must be a number");
  at_ += static_cast<std::size_t>(number.ptr - begin);
  if (!take("]"))
    return refused("a ']' is missing");
  auto element = type();
  if (!element)
    return element;
  std::uint64_t size = 0;
  if (__builtin_mul_overflow(length, (*element)->size, &size) || size >= 1ULL << 47 || length >= 1ULL << 47)
    return refused("the array is longer than memory");
  return pool_.array_of(**element, length);
}

TypeText::Parsed TypeText::map() {
  if (!take("["))
    return refused("a '[' must follow 'map'");
  const auto key = type();
  if (!key)
    return key;
  if (!take("]"))
    return refused("a ']' is missing");
  const auto value = type();
  return value ? Parsed(pool_.map_of(**key, **value)) : value;
}

TypeText::Parsed TypeText::channel(std::string_view prefix) {
  const auto element = type();
  return element ? Parsed(pool_.channel_of(**element, prefix)) : element;
}

/// What is between the brackets, with them; the strings in it are skipped.
Result<std::string> TypeText::bracket_text(char open, char close) {
  skip_blanks();
  const std::size_t begin = at_;
  int depth = 0;
  for (; at_ < text_.size(); ++at_) {
    depth += text_[at_] == open ? 1 : text_[at_] == close ? -1 : 0;
    if (depth == 0)
      break;
  }
  if (at_ >= text_.size() || text_[begin] != open)
    return refused(fmt::format("a '{}' is missing", text_.substr(begin).starts_with(open) ? close : open));
  ++at_;
  return std::string(text_.substr(begin, at_ - begin));
}

/// Of a function's value nothing more is known than where its code is, so its parameters are kept as they were written.
TypeText::Parsed TypeText::function() {
  const auto parameters = bracket_text('(', ')');
  if (!parameters)
    return std::unexpected(parameters.error());
  GoType made;
  made.kind = GoKind::function;
  made.name = "func" + *parameters;
  skip_blanks();
  if (at_ < text_.size() && text_[at_] == '(') {
    const auto results = bracket_text('(', ')');
    if (!results)
      return std::unexpected(results.error());
    made.name += " " + *results;
  } else if (at_ < text_.size() && !std::string_view(")],;}").contains(text_[at_])) {
    const auto result = type();
    if (!result)
      return result;
    made.name += " " + (*result)->name;
  }
  made.size = size_of_kind(made.kind);
  made.alignment = alignment_of_kind(made.kind);
  return &(pool_.add() = std::move(made));
}

TypeText::Parsed TypeText::structure() {
  if (!take("{"))
    return refused("a '{' must follow 'struct'");
  std::vector<GoField> fields;
  while (!take("}")) {
    std::vector<std::string> names;
    do {
      auto name = name_text();
      if (!name)
        return std::unexpected(name.error());
      names.push_back(std::move(*name));
    } while (take(","));
    const auto of = type();
    if (!of)
      return of;
    for (std::string &name : names)
      fields.push_back({std::move(name), *of});
    if (!take(";")) {
      if (!take("}"))
        return refused("a '}' is missing");
      break;
    }
  }
  return &pool_.structure_of(std::move(fields));
}

TypeText::Parsed TypeText::interface() {
  const auto methods = bracket_text('{', '}');
  if (!methods)
    return std::unexpected(methods.error());
  if (std::ranges::all_of(methods->substr(1, methods->size() - 2), [](char c) { return c == ' ' || c == '\t'; }))
    return pool_.predeclared("any");
  GoType made = *pool_.predeclared("error");
  made.name = "interface " + *methods;
  return &(pool_.add() = std::move(made));
}

/// A name with its package's path, which may be in quotes.
Result<std::string> TypeText::name_text() {
  skip_blanks();
  std::string name;
  if (at_ < text_.size() && text_[at_] == '"') {
    const std::size_t end = text_.find('"', at_ + 1);
    if (end == std::string_view::npos)
      return refused("a '\"' is missing");
    name = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    // All of it may stand in quotes: "net/http.Server".
    if (at_ >= text_.size() || text_[at_] != '.')
      return name;
  } else if (at_ >= text_.size() || !starts_name(text_[at_])) {
    return refused(at_ < text_.size() ? fmt::format("a type is expected instead of '{}'", text_[at_])
                                      : "a type is expected");
  }
  while (at_ < text_.size() && continues_path(text_[at_]))
    name += text_[at_++];
  return name;
}

TypeText::Parsed TypeText::named() {
  auto name = name_text();
  if (!name)
    return std::unexpected(name.error());
  if (at_ < text_.size() && text_[at_] == '[') { // arguments of a generic type
    const auto arguments = bracket_text('[', ']');
    if (!arguments)
      return std::unexpected(arguments.error());
    // The linker writes them without blanks, but those inside "struct { … }".
    for (std::size_t i = 0; i < arguments->size(); ++i)
      if ((*arguments)[i] != ' ' || i == 0 || !std::string_view(",[").contains((*arguments)[i - 1]))
        *name += (*arguments)[i];
  }
  return find(*name);
}

TypeText::Parsed TypeText::find(const std::string &name) {
  if (const GoType *known = pool_.predeclared(name))
    return known;
  if (name == "unsafe.Pointer") {
    GoType made;
    made.kind = GoKind::unsafe_pointer;
    made.name = name;
    made.size = size_of_kind(made.kind);
    made.alignment = alignment_of_kind(made.kind);
    return &(pool_.add() = std::move(made));
  }
  const auto *const other = std::ranges::find(other_names, name, [](const auto &entry) { return entry.first; });
  const std::string_view wanted = other != other_names.end() ? other->second : std::string_view(name);
  if (environment_.find_type)
    if (const auto found = environment_.find_type(wanted, SourceLanguage::go)) {
      const GoType *type = found->go != nullptr ? found->go : go_value_type(found->native, environment_).go;
      if (type != nullptr && type->kind != GoKind::unknown)
        return type;
    }
  if (GoRuntimeTypes *types = environment_.go->types) {
    const std::string_view outside = wanted.substr(0, wanted.find('['));
    const std::size_t slash = outside.rfind('/');
    const std::size_t dot = outside.find('.', slash == std::string_view::npos ? 0 : slash);
    const GoType *type = nullptr;
    if (dot != std::string_view::npos)
      type = types->find(wanted.substr(0, dot), wanted.substr(dot + 1));
    if (type == nullptr)
      type = types->find(wanted);
    if (type != nullptr)
      return type;
  }
  return std::unexpected(
      Error(ErrorKind::not_found, fmt::format("there is no type {}", name),
            name.find('.') == std::string::npos ? "types of a package have its name: main." + name : std::string()));
}

} // namespace

Result<ValueType> parse_go_type(std::string_view text, ValueEnvironment &environment) {
  if (!environment.go || environment.go->pool == nullptr)
    return std::unexpected(Error(ErrorKind::unsupported, "there is no Go in this process"));
  if (text.size() > max_text_length)
    return std::unexpected(Error(ErrorKind::usage, "the type is too long"));
  const auto type = TypeText(text, environment).whole_text();
  if (!type)
    return std::unexpected(type.error());
  return ValueType{.native = {}, .go = *type};
}

} // namespace inspect
