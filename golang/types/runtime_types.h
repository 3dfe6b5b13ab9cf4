// The types that the runtime itself describes in the binary (reflection data): present in every Go program, stripped or
// not. It names the dynamic type of an interface value and the layout of what it points to.
//
// Source: runtime/type.go and internal/abi/type.go, iface.go, Go 1.16 to 1.27; the map layouts: runtime/map.go (to
// 1.23), internal/runtime/maps (since 1.24).
#pragma once

#include "golang/runtime/go_runtime.h"
#include "golang/types/go_type.h"

#include <memory>
#include <optional>

namespace inspect {

class GoRuntimeTypes {
public:
  /// `memory` must hold the images' read-only data. All outlive the object.
  GoRuntimeTypes(const std::vector<GoImage> &images, GoVersion version, const MemoryView &memory);
  ~GoRuntimeTypes();
  GoRuntimeTypes(const GoRuntimeTypes &) = delete;
  GoRuntimeTypes &operator=(const GoRuntimeTypes &) = delete;

  /// The type whose description begins there; null where that is none. Cached, and lives as long as this object. What
  /// it refers to is never null, but of kind unknown where it cannot be read. Descriptions outside the images are those
  /// that package reflect makes at run time; they are believed where their hash is that of their parts.
  const GoType *at(RunAddress description);

  struct InterfaceTable {
    const GoType *interface_type = nullptr; ///< null: not known
    const GoType *type = nullptr;           ///< the dynamic type
  };
  /// The itab there, checked: its hash is its type's, its types are types, its first method is a function. Itabs made
  /// at run time lie outside the images and have no hash.
  std::optional<InterfaceTable> interface_table(RunAddress address);
  /// The type of this name among those that the images list (up to 1.26 by offset, typelinks: types without a name of
  /// their own, such as pointers; all since) and those that such pointers point to: "*main.Server", "main.Server";
  /// null: none. Names have the package's name, not its path, so that several types may share one: then the first.
  const GoType *find(std::string_view name);
  /// A named type by its package's path, "net/http", and its name in it, "Server".
  const GoType *find(std::string_view package_path, std::string_view name);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
