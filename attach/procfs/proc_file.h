// Reading files of /proc: they have no size, may end early when the process does, and an absent file means an absent
// process more often than not.
//
//     Result<std::string> text = read_proc_file(42, "/proc/42/stat");
//
// Source: man page proc(5).
#pragma once

#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace inspect {

/// "/proc/PID/name", or "/proc/PID/task/TID/name".
std::string proc_path(pid_t process, std::string_view name);
std::string proc_path(pid_t process, pid_t thread, std::string_view name);

/// Whether any process (or thread) of this id exists, zombies included.
bool process_exists(pid_t process);

/// What a failed access to a file of this process means: no_such_process when the process is gone, not_permitted with
/// the missing right, else what errno says.
Error proc_error(pid_t process, int error_number, std::string_view what_was_tried);

/// What a symbolic link says; empty where it cannot be read.
std::string link_text(const std::string &path);

/// The whole file.
Result<std::string> read_proc_file(pid_t process, const std::string &path);

/// Reads a descriptor to its end, or this far; the error number on failure.
std::expected<std::string, int> read_to_end(int descriptor, std::size_t max_bytes = std::string::npos);
/// The same into a buffer that is used again and again; the result lies in it.
std::expected<std::string_view, int> read_to_end(int descriptor, std::string &buffer,
                                                 std::size_t max_bytes = std::string::npos);

} // namespace inspect
