// What packages install beside the program, made from the command table: the manual page and the completions of bash,
// zsh and fish. `inspect --generate man|bash|zsh|fish` prints them; the build calls it (cmake/install.cmake).
#pragma once

#include "commands/cli/command_spec.h"

#include <span>
#include <string>

namespace inspect {

std::string manual_page(); ///< roff, man(7) macros
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

/// `words`: what follows --generate.
ExitStatus generate_for_packaging(std::span<const std::string> words, Output &output);

} // namespace inspect
