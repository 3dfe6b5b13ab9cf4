// The functions of a pclntab by name: as linked, and as printed where that differs.
#pragma once

#include "golang/go_version.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inspect {

class Pclntab;

class FunctionNameIndex {
public:
  explicit FunctionNameIndex(const Pclntab &table, GoVersion version);
  /// Indices of the functions of this name, ascending.
  const std::vector<std::size_t> &find(std::string_view name) const;

private:
  std::unordered_map<std::string_view, std::vector<std::size_t>> linked_;
  std::unordered_map<std::string, std::vector<std::size_t>> printed_;
};

} // namespace inspect
