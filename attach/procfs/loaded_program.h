// Programs that were started by naming them to the dynamic loader (`ld.so --library-path lib ./prog`), as bundles do
// that bring their own C library: the kernel takes the loader for the executable, and /proc/PID/exe leads there.
//
// Source: man page ld.so(8); glibc's elf/rtld.c, dl_main, and musl's ldso/dynlink.c, for the options before the
// program.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace inspect {

/// By its name: "ld-linux-x86-64.so.2", "ld-2.31.so", "ld-musl-x86_64.so.1".
bool is_dynamic_loader(std::string_view path);

/// Which of the loader's arguments names the program; nothing where none does.
std::optional<std::string_view> program_in_arguments(std::span<const std::string_view> arguments);

/// The path, as the process has it mapped, of the program that the loader runs in it. Nothing where it is not mapped,
/// or the command line does not tell.
std::optional<std::string> program_of_loader(pid_t process);

} // namespace inspect
