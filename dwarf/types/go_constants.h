// The constants that a Go package declares of one of its integer types: "Green" of main.Color. They stand in the unit
// of the package, and no type refers to them.
//
// Source: cmd/link/internal/ld/dwarf.go and cmd/compile's dumpGlobalConst, Go 1.16 to 1.26: typed integers only.
#pragma once

#include <cstdint>
#include <elfutils/libdw.h>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inspect {

struct GoConstant {
  std::string name;       ///< without its package: "Green"
  std::int64_t value = 0; ///< of an unsigned type: the same bits
};

class GoConstants {
public:
  /// Of the type described there, whose name is "package/path.Name"; by value, and empty where there are none. Each
  /// unit is read once.
  std::vector<GoConstant> of(const Dwarf_Die &type);

private:
  struct Found {
    Dwarf_Off type = 0;
    GoConstant constant;
  };
  const std::vector<Found> &of_package(Dwarf *dwarf, const std::string &package);

  std::map<std::pair<Dwarf *, std::string>, std::vector<Found>> packages_;
};

/// The package's path in a type's name, as a unit is named: "gopkg.in/yaml.v2" of "gopkg.in/yaml%2ev2.Node"; empty:
/// the type is of no package.
std::string go_package_of(std::string_view type_name);

} // namespace inspect
