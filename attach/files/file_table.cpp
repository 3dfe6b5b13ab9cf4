#include "attach/files/file_table.h"

#include "attach/files/socket_table.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_directory.h"

#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

/// The number in "socket:[123]".
std::optional<std::uint64_t> socket_inode(std::string_view link) {
  return link.starts_with("socket:[") ? inode_in_link(link) : std::nullopt;
}

/// "anon_inode:[eventpoll]" and "anon_inode:inotify" without their wrapping; "memfd:name" for the path the kernel makes
/// up; other links as they are.
std::string plain_name(std::string link) {
  constexpr std::string_view anonymous = "anon_inode:";
  constexpr std::string_view memory = "/memfd:";
  if (link.starts_with(anonymous)) {
    link.erase(0, anonymous.size());
    if (link.starts_with('[') && link.ends_with(']'))
      link = link.substr(1, link.size() - 2);
  } else if (link.starts_with(memory)) {
    link.erase(0, 1);
    take_deleted_mark(link); // it has no name in any directory, which is no news
  }
  return link;
}

} // namespace

struct FileTable::State {
  pid_t process = 0;
  std::optional<SocketTable> sockets;
};

FileTable::FileTable(pid_t process) : state_(std::make_unique<State>()) {
  state_->process = process;
}
FileTable::~FileTable() = default;

Result<std::string> FileTable::describe(int descriptor) {
  const auto directory = ProcessDirectory::open(state_->process);
  if (!directory)
    return std::unexpected(directory.error());
  auto link = directory->link(fmt::format("fd/{}", descriptor).c_str());
  if (!link && link.error().kind() == ErrorKind::not_found)
    return std::unexpected(Error(ErrorKind::not_found,
                                 fmt::format("descriptor {} of process {} is not open", descriptor, state_->process)));
  if (!link)
    return std::unexpected(link.error());
  const auto inode = socket_inode(*link);
  if (!inode)
    return plain_name(std::move(*link));
  if (!state_->sockets)
    state_->sockets = read_socket_table(*directory);
  const auto socket = state_->sockets->find(*inode);
  return socket != state_->sockets->end() ? socket_text(socket->second, *inode) : std::move(*link);
}

} // namespace inspect
