#include "values/library_view.h"

namespace inspect {

std::span<const LibraryType> rust_types() {
  return {};
}

} // namespace inspect
