#include "values/operations/native_views.h"

#include "values/printers/rust/rust_types.h"

namespace inspect {

std::optional<LibraryView> view_of(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  if (!value.source || value.bits)
    return std::nullopt;
  if (value.language == SourceLanguage::c)
    return std::nullopt;
  const DwarfType &type = environment.types.underlying(value.type.native);
  if (value.language == SourceLanguage::rust || is_rust_language(type.language))
    return rust_view(value, wanted, environment);
  return library_view(value, wanted, environment);
}

} // namespace inspect
