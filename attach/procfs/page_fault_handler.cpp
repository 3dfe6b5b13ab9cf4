#include "attach/procfs/page_fault_handler.h"

#include "attach/procfs/proc_file.h"

#include <array>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>

namespace inspect {

bool handles_page_faults(pid_t process) {
  struct Close {
    void operator()(DIR *directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> directory(::opendir(proc_path(process, "fd").c_str()));
  if (!directory)
    return false;
  constexpr std::string_view wanted = "anon_inode:[userfaultfd]";
  std::array<char, wanted.size() + 1> link;
  while (const dirent *entry = ::readdir(directory.get())) {
    const ssize_t size = ::readlinkat(::dirfd(directory.get()), entry->d_name, link.data(), link.size());
    if (size > 0 && std::string_view(link.data(), static_cast<std::size_t>(size)) == wanted)
      return true;
  }
  return false;
}

} // namespace inspect
