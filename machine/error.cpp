#include "machine/error.h"

#include <cerrno>
#include <fmt/format.h>
#include <system_error>

namespace inspect {
namespace {

ErrorKind kind_of(int error_number) {
  switch (error_number) {
  case ESRCH:
    return ErrorKind::no_such_process;
  case EPERM:
  case EACCES:
    return ErrorKind::not_permitted;
  case ENOENT:
  case ENOTDIR:
    return ErrorKind::not_found;
  case EFAULT:
  case EIO:
    return ErrorKind::unreadable;
  case ETIMEDOUT:
    return ErrorKind::timed_out;
  default:
    return ErrorKind::system;
  }
}

} // namespace

Error::Error(ErrorKind kind, std::string message, std::string remedy)
    : kind_(kind), message_(std::move(message)), remedy_(std::move(remedy)) {}
Error::Error(const Error &) = default;
Error::Error(Error &&) noexcept = default;
Error &Error::operator=(const Error &) = default;
Error &Error::operator=(Error &&) noexcept = default;
Error::~Error() = default;

Error Error::from_errno(int error_number, std::string_view what_was_tried, std::string remedy) {
  if (error_number == ENOMEM && remedy.empty())
    remedy = more_memory;
  Error error(kind_of(error_number),
              fmt::format("{}: {}", what_was_tried, std::generic_category().message(error_number)), std::move(remedy));
  error.error_number_ = error_number;
  return error;
}

Error Error::while_doing(std::string_view context) const {
  Error error = *this;
  error.message_ = fmt::format("{}: {}", context, message_);
  return error;
}

} // namespace inspect
