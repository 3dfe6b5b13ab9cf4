#include "commands/cli/locale.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace inspect {

bool locale_is_utf8() {
  // The first of these that is set decides (man page locale(7)).
  for (const char *name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char *value = std::getenv(name);
    if (value != nullptr && *value != '\0')
      return ::strcasestr(value, "utf-8") != nullptr || ::strcasestr(value, "utf8") != nullptr;
  }
  return false;
}

} // namespace inspect
