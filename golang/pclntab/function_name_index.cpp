#include "golang/pclntab/function_name_index.h"

#include "golang/pclntab/function_name.h"
#include "golang/pclntab/pclntab.h"

namespace inspect {

FunctionNameIndex::FunctionNameIndex(const Pclntab &table, GoVersion version) {
  for (std::size_t i = 0; i < table.function_count(); ++i) {
    const auto function = table.function(i);
    if (!function || function->name.empty())
      continue;
    linked_[function->name].push_back(i);
    if (std::string printed = printed_function_name(function->name, version); printed != function->name)
      printed_[std::move(printed)].push_back(i);
  }
}

const std::vector<std::size_t> &FunctionNameIndex::find(std::string_view name) const {
  static const std::vector<std::size_t> none;
  if (const auto found = linked_.find(name); found != linked_.end())
    return found->second;
  const auto found = printed_.find(std::string(name));
  return found != printed_.end() ? found->second : none;
}

} // namespace inspect
