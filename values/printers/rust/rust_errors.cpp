// std::io::Error: one word, whose lowest bits say what the others are.
//
// Sources: library/std/src/io/error/repr_bitpacked.rs and sys/pal/unix (decode_error_kind) of 1.63 to 1.95.
#include "values/native/native_layout.h"
#include "values/printers/rust/rust_types.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

struct NamedKind {
  int code;
  std::string_view name;
};

constexpr NamedKind system_kinds[] = {
    {E2BIG, "ArgumentListTooLong"},
    {EADDRINUSE, "AddrInUse"},
    {EADDRNOTAVAIL, "AddrNotAvailable"},
    {EBUSY, "ResourceBusy"},
    {ECONNABORTED, "ConnectionAborted"},
    {ECONNREFUSED, "ConnectionRefused"},
    {ECONNRESET, "ConnectionReset"},
    {EDEADLK, "Deadlock"},
    {EDQUOT, "QuotaExceeded"},
    {EEXIST, "AlreadyExists"},
    {EFBIG, "FileTooLarge"},
    {EHOSTUNREACH, "HostUnreachable"},
    {EINPROGRESS, "InProgress"},
    {EINTR, "Interrupted"},
    {EINVAL, "InvalidInput"},
    {EISDIR, "IsADirectory"},
    {ELOOP, "FilesystemLoop"},
    {ENOENT, "NotFound"},
    {ENOMEM, "OutOfMemory"},
    {ENOSPC, "StorageFull"},
    {ENOSYS, "Unsupported"},
    {EOPNOTSUPP, "Unsupported"},
    {EMLINK, "TooManyLinks"},
    {ENAMETOOLONG, "InvalidFilename"},
    {ENETDOWN, "NetworkDown"},
    {ENETUNREACH, "NetworkUnreachable"},
    {ENOTCONN, "NotConnected"},
    {ENOTDIR, "NotADirectory"},
    {ENOTEMPTY, "DirectoryNotEmpty"},
    {EPIPE, "BrokenPipe"},
    {EROFS, "ReadOnlyFilesystem"},
    {ESPIPE, "NotSeekable"},
    {ESTALE, "StaleNetworkFileHandle"},
    {ETIMEDOUT, "TimedOut"},
    {ETXTBSY, "ExecutableFileBusy"},
    {EXDEV, "CrossesDevices"},
    {EACCES, "PermissionDenied"},
    {EPERM, "PermissionDenied"},
    {EAGAIN, "WouldBlock"},
};

LibraryView system_error(int code) {
  const auto *kind = std::ranges::find(system_kinds, code, &NamedKind::code);
  const char *message = ::strerrordesc_np(code);
  return plain_view(fmt::format("Os {{ code: {}, kind: {}, message: \"{}\" }}", code,
                                kind == std::end(system_kinds) ? "Uncategorized" : kind->name,
                                message != nullptr ? message : fmt::format("Unknown error {}", code)));
}

std::optional<TypeHandle> type_of_library(std::string_view name, ValueEnvironment &environment) {
  const auto found = environment.find_type
                         ? environment.find_type(fmt::format("std::io::error::{}", name), SourceLanguage::rust)
                         : std::nullopt;
  return found && found->go == nullptr ? std::optional(found->native) : std::nullopt;
}

/// ConnectionRefused, as the debug information names the number.
std::string kind_name(std::uint64_t number, ValueEnvironment &environment) {
  if (const auto type = type_of_library("ErrorKind", environment))
    for (const DwarfEnumerator &one : environment.types.underlying(*type).enumerators)
      if (static_cast<std::uint64_t>(one.value) == number)
        return one.name;
  return fmt::format("{}", number);
}

/// {kind, message} of a constant message, {kind, error} of one that was made.
View pointed_error(RunAddress place, std::string_view name, const LibraryObject &error) {
  const auto type = type_of_library(name, error.environment());
  if (!type)
    return std::nullopt;
  const LibraryObject whole = error.at(place, *type);
  const auto kind = whole.member("kind");
  const auto message = whole.member({"message", "error"});
  if (!kind || !message)
    return std::nullopt;
  const bool is_constant = name == "SimpleMessage";
  LibraryView view = single_view(is_constant ? "Error" : "Custom", "kind", *kind);
  add_child(view, is_constant ? "message" : "error", message->value());
  return view;
}

View io_error(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject error(value, environment);
  const auto word = error.size() == 8U ? error.source().unsigned_at(0, 8) : std::nullopt;
  if (!word)
    return std::nullopt;
  enum Tag : std::uint8_t { simple_message, custom, system, simple };
  switch (*word & 3U) {
  case simple_message:
    return *word == 0 ? std::nullopt : pointed_error(RunAddress{*word}, "SimpleMessage", error);
  case custom:
    return pointed_error(RunAddress{*word - custom}, "Custom", error);
  case system:
    return system_error(static_cast<int>(*word >> 32));
  default:
    return plain_view(fmt::format("Kind({})", kind_name(*word >> 32, environment)));
  }
}

} // namespace

std::span<const LibraryType> rust_error_types() {
  static constexpr LibraryType types[] = {
      {"std::io::error::Error", io_error},
  };
  return types;
}

} // namespace inspect
