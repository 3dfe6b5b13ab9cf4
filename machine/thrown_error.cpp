#include "machine/thrown_error.h"

#include "machine/cancellation_point.h"

#include <new>
#include <stdexcept>
#include <system_error>

namespace inspect {

Error thrown_error() {
  try {
    throw;
  } catch (const Cancelled &) {
    return {ErrorKind::cancelled, "cancelled"};
  } catch (const std::bad_alloc &) {
    return {ErrorKind::system, "there is not enough memory", std::string(more_memory)};
  } catch (const std::length_error &) { // of a container that was to become larger than any can be
    return {ErrorKind::system, "there is not enough memory", std::string(more_memory)};
  } catch (const std::system_error &error) {
    return Error::from_errno(error.code().value(), "a thread or a lock is not to be had",
                             "again with a higher limit on threads (ulimit -u) and memory (ulimit -v)");
  } catch (const std::exception &error) {
    return {ErrorKind::system, std::string("this is a fault of inspect: ") + error.what()};
  } catch (...) {
    return {ErrorKind::system, "this is a fault of inspect: something unknown was thrown"};
  }
}

} // namespace inspect
