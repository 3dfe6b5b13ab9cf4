// What the user's terminal can show.
#pragma once

namespace inspect {

/// Whether text may hold more than ASCII: the locale's character set is UTF-8 (man page locale(7)).
bool locale_is_utf8();

} // namespace inspect
