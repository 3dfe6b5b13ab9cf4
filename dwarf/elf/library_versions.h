// Which versions of the libraries that read the target's files are in use; part of `inspect --version`, since what they
// can read differs by version.
#pragma once

#include <string>

namespace inspect {

/// "libdw 0.188": of the library that is loaded, not of the headers.
std::string library_versions();

} // namespace inspect
