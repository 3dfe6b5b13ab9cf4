// What the linked name of a Go method says of its receiver: "net/http.(*Server).Serve" has one of type *http.Server.
// Closures and wrappers inside methods ("….Serve.func1", "….Serve-fm", "….Serve.gowrap1") have none.
//
// Source: cmd/internal/objabi/path.go (escapes in paths), cmd/compile's closure names, internal/abi "go.shape" names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace inspect {

struct ReceiverName {
  std::string package_path; ///< "net/http", "gopkg.in/yaml.v2": escapes undone
  std::string type;         ///< "Server", "Stack[...]"
  /// If not, the name alone does not say that this is a method: "main.A.b" is a closure's name where A is a function.
  bool pointer = false;

  /// As Go prints the type: "*http.Server". The package's name is taken to be the last part of its path.
  std::string printed() const;
};

std::optional<ReceiverName> receiver_of(std::string_view function);

} // namespace inspect
