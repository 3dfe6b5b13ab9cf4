// Which versions of the libraries that read the target's files are in use; part of `inspect --version`, since what they
// can read differs by version.
#pragma once

#include <string>

namespace inspect {

/// "libdw 0.188, liblzma 5.4.1, zlib 1.2.13, Zydis 3.2.1": of the libraries that are loaded, not of the headers.
std::string library_versions();

} // namespace inspect
