#include "golang/pclntab/function_name.h"

#include "tests/support/catch.h"

namespace inspect {
namespace {

TEST_CASE("a linked name is split behind its package's path, whatever paths its type arguments have") {
  struct Case {
    std::string_view qualified, package, name;
  };
  const auto one = GENERATE(values<Case>({
      {"main.f", "main", "f"},
      {"net/http.(*Server).Serve", "net/http", "(*Server).Serve"},
      {"gopkg.in/yaml%2ev2.Node", "gopkg.in/yaml%2ev2", "Node"},
      {"example.com/a.b/c.T", "example.com/a.b/c", "T"},
      {"main.Pair[a/b.T,int]", "main", "Pair[a/b.T,int]"},
      {"int", "", "int"},
      {"List[a/b.T]", "", "List[a/b.T]"},
      {"", "", ""},
  }));
  CAPTURE(one.qualified);
  const QualifiedName split = split_qualified_name(one.qualified);
  CHECK(split.package == one.package);
  CHECK(split.name == one.name);
}

} // namespace
} // namespace inspect
