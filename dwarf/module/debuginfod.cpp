#include "dwarf/module/separate_debug.h"

#include "machine/cancellation_point.h"

#include <cerrno>
#include <cstdlib>
#include <dlfcn.h>
#include <fmt/format.h>

namespace inspect {
namespace {

struct Client;

struct Library {
  Client *(*begin)() = nullptr;
  void (*end)(Client *) = nullptr;
  int (*find)(Client *, const unsigned char *build_id, int build_id_size, char **path) = nullptr;
  void (*set_progress)(Client *, int (*)(Client *, long, long)) = nullptr; ///< null in the first versions

  bool usable() const { return begin != nullptr && end != nullptr && find != nullptr; }
};

template <typename Function> void look_up(void *library, const char *name, Function &function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
}

/// Not 0: give up. The client calls it on the thread that asked, every second at least, and after each signal.
int is_given_up(Client *, long, long) {
  const Cancellation *cancellation = current_cancellation();
  return cancellation != nullptr && cancellation->requested() ? 1 : 0;
}

const Library &client_library() {
  static const Library library = [] {
    Library loaded;
    // Never closed: libcurl below it does not survive that.
    if (void *handle = ::dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL)) {
      look_up(handle, "debuginfod_begin", loaded.begin);
      look_up(handle, "debuginfod_end", loaded.end);
      look_up(handle, "debuginfod_find_debuginfo", loaded.find);
      look_up(handle, "debuginfod_set_progressfn", loaded.set_progress);
    }
    return loaded;
  }();
  return library;
}

} // namespace

Result<OpenedFile> fetch_debug_file(const std::vector<std::uint8_t> &build_id) {
  const char *servers = std::getenv("DEBUGINFOD_URLS");
  if (servers == nullptr || *servers == '\0')
    return std::unexpected(
        Error(ErrorKind::unsupported, "debuginfod is asked for, but DEBUGINFOD_URLS names no server"));
  const Library &library = client_library();
  if (!library.usable())
    return std::unexpected(Error(ErrorKind::unsupported, "debuginfod is asked for, but libdebuginfod.so.1 is missing",
                                 "install libdebuginfod1"));
  Client *client = library.begin();
  if (client == nullptr)
    return std::unexpected(Error(ErrorKind::system, "the debuginfod client cannot start"));
  if (library.set_progress != nullptr)
    library.set_progress(client, is_given_up);
  char *path = nullptr;
  const int descriptor = library.find(client, build_id.data(), static_cast<int>(build_id.size()), &path);
  library.end(client);
  if (descriptor < 0)
    cancellation_point();
  if (descriptor < 0)
    return std::unexpected(
        Error::from_errno(-descriptor, fmt::format("asking debuginfod for build-id {}", to_hex(build_id))));
  OpenedFile file{FileDescriptor(descriptor), path != nullptr ? path : ""};
  std::free(path);
  return file;
}

} // namespace inspect
