#include "tests/support/private_server.h"

#include "tests/support/run_command.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>

namespace inspect::test {
namespace {

namespace fs = std::filesystem;

fs::path make_folder() {
  std::string name = (fs::temp_directory_path() / "inspect-server-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("mkdtemp failed");
  return name;
}

/// Servers write their pid file, or bind their socket, when they are ready to serve.
void wait_for_file(const fs::path &file) {
  if (!wait_until([&] { return fs::exists(file); }))
    throw std::runtime_error("the server did not come up: no " + file.string());
}

fs::path newest_postgresql() {
  fs::path newest;
  std::error_code ignored; // no such folder: not installed
  for (const auto &version : fs::directory_iterator("/usr/lib/postgresql", ignored))
    if (fs::exists(version.path() / "bin/initdb") && version.path() > newest)
      newest = version.path();
  return newest.empty() ? newest : newest / "bin";
}

} // namespace

PrivateServer::PrivateServer(fs::path folder, const std::vector<std::string> &command)
    : folder_(std::move(folder)), main_(command) {}

PrivateServer::PrivateServer(PrivateServer &&other) noexcept
    : folder_(std::exchange(other.folder_, {})), main_(std::move(other.main_)) {
  other.main_.reset(); // a moved-from optional still holds a (moved-from) process
}

PrivateServer::~PrivateServer() {
  if (!main_ || main_->pid() <= 0)
    return;
  const std::vector<pid_t> children = children_of(main_->pid());
  main_.reset(); // SIGKILL: its children may outlive it
  for (const pid_t child : children)
    if (child > 1)
      ::kill(child, SIGKILL);
  std::error_code ignored; // a file still held by a dying child is not a failure of the test
  fs::remove_all(folder_, ignored);
}

std::vector<pid_t> PrivateServer::processes() const {
  std::vector<pid_t> all{main_->pid()};
  for (const pid_t child : children_of(main_->pid()))
    all.push_back(child);
  return all;
}

std::optional<PrivateServer> PrivateServer::redis() {
  if (!have_program("redis-server"))
    return std::nullopt;
  const fs::path folder = make_folder();
  const fs::path socket = folder / "socket";
  PrivateServer server(folder, {"redis-server", "--port", "0", "--unixsocket", socket.string(), "--dir",
                                folder.string(), "--save", "", "--daemonize", "no"});
  wait_for_file(socket);
  ::usleep(200'000); // its background threads are started after the socket
  return server;
}

std::optional<PrivateServer> PrivateServer::nginx() {
  // It makes folders below this one, wherever its configuration is.
  if (!have_program("nginx") || ::access("/var/lib/nginx", W_OK) != 0)
    return std::nullopt;
  const fs::path folder = make_folder();
  std::ofstream(folder / "nginx.conf") << "daemon off; worker_processes 2; pid " << (folder / "pid").string()
                                       << "; error_log " << (folder / "error.log").string()
                                       << ";\nevents {}\nhttp { access_log off; server { listen unix:"
                                       << (folder / "socket").string() << "; } }\n";
  PrivateServer server(folder, {"nginx", "-p", folder.string(), "-c", (folder / "nginx.conf").string()});
  wait_for_file(folder / "pid");
  if (!wait_until([&] { return server.processes().size() == 3; }))
    throw std::runtime_error("nginx started no workers");
  ::usleep(200'000); // until the workers wait for events
  return server;
}

std::optional<PrivateServer> PrivateServer::postgresql() {
  const fs::path programs = newest_postgresql();
  if (programs.empty() || ::getuid() != 0 || run_command({"id", "postgres"}).status != 0)
    return std::nullopt;
  const fs::path folder = make_folder();
  run_command({"chown", "postgres", folder.string()});
  const std::string data = (folder / "data").string();
  const CommandResult made = run_command({"setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups",
                                          (programs / "initdb").string(), "-D", data, "-A", "trust", "-N"});
  if (made.status != 0)
    throw std::runtime_error("initdb failed: " + made.err);
  PrivateServer server(folder, {"setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups",
                                (programs / "postgres").string(), "-D", data, "-k", folder.string(), "-c",
                                "listen_addresses="});
  wait_for_file(folder / ".s.PGSQL.5432");
  if (!wait_until([&] { return server.processes().size() >= 6; }))
    throw std::runtime_error("postgresql started no background processes");
  ::usleep(500'000); // until all of them wait for work
  return server;
}

} // namespace inspect::test
