#include "values/native_views.h"

#include "values/native_layout.h"

namespace inspect {

std::optional<LibraryView> view_of(const Value &value, ChildRange wanted, ValueEnvironment &environment) {
  if (!value.source || value.bits)
    return std::nullopt;
  if (value.language == SourceLanguage::c)
    return std::nullopt;
  return library_view(value, wanted, environment);
}

} // namespace inspect
