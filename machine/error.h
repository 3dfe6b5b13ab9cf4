// Errors as values. A function that can fail returns Result<T>; the Error says what was tried on what, which errno
// came back, and, where there is one, what the user can do about it.
//
//     Result<int> opened = open_file(path);
//     if (!opened) return std::unexpected(opened.error().while_doing("reading the maps of process 42"));
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace inspect {

/// What went wrong, as coarse as a caller needs to decide; the exit status of the program follows from it.
enum class ErrorKind {
  usage,           ///< the user's words are invalid (exit status 2)
  no_such_process, ///< it does not exist, or ended meanwhile (exit status 3)
  not_permitted,   ///< a right is missing (exit status 4)
  already_traced,  ///< another tracer holds it (exit status 4)
  unsupported,     ///< understood, and not possible here: 32-bit process, kernel thread, …
  not_found,       ///< a file, a symbol, a thread that is not there
  unreadable,      ///< memory that cannot be read or written
  corrupt,         ///< a file or a structure in memory contradicts itself
  timed_out,
  cancelled, ///< by the user (Ctrl-C)
  system,    ///< any other failed system call
};

/// The remedy for want of memory, which from_errno() gives for ENOMEM where it has no other.
inline constexpr std::string_view more_memory =
    "again with a higher limit (ulimit -v, ulimit -d, that of the control group), or when memory is free";

class [[nodiscard]] Error {
public:
  Error(ErrorKind kind, std::string message, std::string remedy = {});
  // Not inline: every Result has them, and a good part of all code was copies of them.
  Error(const Error &);
  Error(Error &&) noexcept;
  Error &operator=(const Error &);
  Error &operator=(Error &&) noexcept;
  ~Error();

  /// From a failed system call: the kind follows from `error_number` (ESRCH, EPERM, EACCES, ENOENT, EFAULT, EIO …),
  /// and its text is appended to `what_was_tried`.
  static Error from_errno(int error_number, std::string_view what_was_tried, std::string remedy = {});

  ErrorKind kind() const { return kind_; }
  /// One sentence without a full stop, as it is shown to the user. It may hold text from the target: escape to print.
  const std::string &message() const { return message_; }
  /// What the user can do, one sentence; empty where nothing is known to help.
  const std::string &remedy() const { return remedy_; }
  /// The errno behind the failure, 0 where none was.
  int error_number() const { return error_number_; }

  /// The same error with its context in front: "reading the maps of process 42: …".
  Error while_doing(std::string_view context) const;

private:
  ErrorKind kind_;
  int error_number_ = 0;
  std::string message_;
  std::string remedy_;
};

template <typename T> using Result = std::expected<T, Error>;

} // namespace inspect
