#include "machine/error.h"

#include "tests/support/catch.h"

#include <cerrno>
#include <utility>

namespace inspect {
namespace {

TEST_CASE("the kind of an error follows from its errno") {
  for (const auto &[number, kind] : {std::pair{ESRCH, ErrorKind::no_such_process},
                                     {EPERM, ErrorKind::not_permitted},
                                     {EACCES, ErrorKind::not_permitted},
                                     {ENOENT, ErrorKind::not_found},
                                     {ENOTDIR, ErrorKind::not_found},
                                     {EFAULT, ErrorKind::unreadable},
                                     {EIO, ErrorKind::unreadable},
                                     {ETIMEDOUT, ErrorKind::timed_out},
                                     {EMFILE, ErrorKind::system}}) {
    const Error error = Error::from_errno(number, "trying", "do this");
    INFO(number);
    CHECK(error.kind() == kind);
    CHECK(error.error_number() == number);
    CHECK(error.remedy() == "do this");
  }
  CHECK(Error::from_errno(ENOENT, "opening /x").message() == "opening /x: No such file or directory");
}

TEST_CASE("context goes in front, all else stays") {
  const Error inner = Error::from_errno(EACCES, "opening /x", "run as root");
  const Error outer = inner.while_doing("reading the maps").while_doing("dumping");
  CHECK(outer.message() == "dumping: reading the maps: opening /x: Permission denied");
  CHECK(outer.kind() == ErrorKind::not_permitted);
  CHECK(outer.error_number() == EACCES);
  CHECK(outer.remedy() == "run as root");
  CHECK(Error(ErrorKind::corrupt, "nonsense").error_number() == 0);
}

} // namespace
} // namespace inspect
