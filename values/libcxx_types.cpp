#include "values/library_parts.h"

namespace inspect {
std::span<const LibraryType> libcxx_types() {
  static constexpr LibraryType types[] = {
      {"std::__1::pair", pair_view},
      {"std::__1::stack", adaptor_view},
      {"std::__1::queue", adaptor_view},
      {"std::__1::priority_queue", adaptor_view},
  };
  return types;
}
} // namespace inspect
