// What `inspect --version` says: which release, made of which commit, with which libraries. A report of a fault is
// worth little without them.
#pragma once

#include <string>

namespace inspect {

/// "0.2.0".
std::string program_version();

/// "inspect 0.2.0 (commit 0123456789ab)" and a line with the libraries' versions. "+changes" after the commit: the tree
/// had changes that were not committed; without a commit: it was not a git checkout.
std::string version_text();

} // namespace inspect
