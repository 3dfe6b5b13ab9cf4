// The build that a test belongs to, asked while it runs: the tests of a build with sanitizers are the release build's
// objects linked anew (tests/CMakeLists.txt), so that nothing of this may be settled when they are compiled.
#pragma once

#include <string>
#include <string_view>

namespace inspect::test {

/// The folder of the built programs: where this one is. Throws std::runtime_error where the system does not tell.
std::string built_programs_folder();
/// The path of one of them: "inspect", "inspect-dwarfindex".
std::string built_program(std::string_view name);
/// Whether AddressSanitizer is in this program.
bool has_address_sanitizer();

} // namespace inspect::test
