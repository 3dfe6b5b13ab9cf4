#include "values/go/go_type_names.h"

#include "golang/pclntab/function_name.h"
#include "golang/types/type_grammar.h"
#include "values/go/go_variables.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

constexpr std::size_t max_text_length = 4096;

/// Types that the standard library keeps under a second name, which no description has.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> other_names{{
    {"os.PathError", "io/fs.PathError"},
    {"os.FileInfo", "io/fs.FileInfo"},
    {"os.FileMode", "io/fs.FileMode"},
    {"os.DirEntry", "io/fs.DirEntry"},
}};

class ProgramTypes : public GoTypeResolver {
public:
  explicit ProgramTypes(ValueEnvironment &environment)
      : GoTypeResolver(*environment.go->pool), environment_(environment) {}

protected:
  Result<const GoType *> named(const std::string &name) override;

private:
  ValueEnvironment &environment_;
};

Result<const GoType *> ProgramTypes::named(const std::string &name) {
  if (const GoType *known = pool_.predeclared(name))
    return known;
  const auto *const other = std::ranges::find(other_names, name, [](const auto &entry) { return entry.first; });
  const std::string_view wanted = other != other_names.end() ? other->second : std::string_view(name);
  if (environment_.find_type)
    if (const auto found = environment_.find_type(wanted, SourceLanguage::go)) {
      const GoType *type = found->go != nullptr ? found->go : go_value_type(found->native, environment_).go;
      if (type != nullptr && type->kind != GoKind::unknown)
        return type;
    }
  if (GoRuntimeTypes *types = environment_.go->types) {
    const auto [package, in_package] = split_qualified_name(wanted);
    const GoType *type = package.empty() ? nullptr : types->find(package, in_package);
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
  GoTokens tokens(text);
  GoTypeParser parser(tokens);
  const GoTypeSyntax syntax = parser.type();
  if (parser.next().kind != GoToken::Kind::end)
    parser.fail_here("the end of the type");
  if (const auto &failed = parser.failure())
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} of the type: {}", place_in_text(text, failed->offset), failed->what)));
  const auto type = ProgramTypes(environment).resolve(syntax);
  if (!type)
    return std::unexpected(type.error());
  return ValueType{.native = {}, .go = *type};
}

} // namespace inspect
