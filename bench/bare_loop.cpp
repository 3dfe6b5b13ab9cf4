// bare_loop PID: the least that stopping a process and copying its stacks can cost. It seizes, interrupts, waits by
// thread id, reads registers, copies the stacks with process_vm_readv and detaches; it handles no awkward case. Prints
// "pause_us=… threads=… bytes=…"; the pause of `inspect` is compared with it.
#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <elf.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <vector>

namespace {

struct Map {
  unsigned long begin;
  unsigned long end;
};

std::vector<pid_t> list_threads(const std::string &process) {
  std::vector<pid_t> threads;
  DIR *directory = opendir(("/proc/" + process + "/task").c_str());
  if (directory == nullptr)
    return threads;
  while (const dirent *entry = readdir(directory))
    if (const int id = std::atoi(entry->d_name); id > 0)
      threads.push_back(id);
  closedir(directory);
  return threads;
}

std::vector<Map> list_maps(const std::string &process) {
  std::vector<Map> maps;
  FILE *file = std::fopen(("/proc/" + process + "/maps").c_str(), "r");
  if (file == nullptr)
    return maps;
  char *line = nullptr;
  std::size_t size = 0;
  Map map;
  while (getline(&line, &size, file) > 0)
    if (std::sscanf(line, "%lx-%lx", &map.begin, &map.end) == 2)
      maps.push_back(map);
  std::free(line);
  std::fclose(file);
  return maps;
}

std::size_t copy_stacks(pid_t process, const std::vector<user_regs_struct> &registers, const std::vector<Map> &maps) {
  std::vector<iovec> remote;
  std::size_t total = 0;
  for (const user_regs_struct &one : registers) {
    const auto map = std::upper_bound(maps.begin(), maps.end(), one.rsp,
                                      [](unsigned long value, const Map &candidate) { return value < candidate.end; });
    if (map == maps.end() || one.rsp < map->begin)
      continue;
    remote.push_back({reinterpret_cast<void *>(one.rsp - 128), map->end - one.rsp + 128});
    total += remote.back().iov_len;
  }
  // Freed by the end of the program: giving the pages back is not part of the pause.
  char *buffer = static_cast<char *>(std::malloc(total));
  std::size_t position = 0;
  for (std::size_t i = 0; i < remote.size(); i += IOV_MAX) {
    const std::size_t count = std::min<std::size_t>(IOV_MAX, remote.size() - i);
    std::size_t bytes = 0;
    for (std::size_t j = i; j < i + count; ++j)
      bytes += remote[j].iov_len;
    const iovec local{buffer + position, bytes};
    if (const ssize_t got = process_vm_readv(process, &local, 1, remote.data() + i, count, 0); got > 0)
      position += static_cast<std::size_t>(got);
  }
  return position;
}

} // namespace

int main(int count, char **arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: bare_loop PID\n");
    return 2;
  }
  const pid_t process = std::atoi(arguments[1]);
  const std::vector<pid_t> threads = list_threads(arguments[1]);
  const std::vector<Map> maps = list_maps(arguments[1]);
  std::vector<user_regs_struct> registers(threads.size());
  for (const pid_t thread : threads)
    if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
      std::perror("PTRACE_SEIZE");
      return 1;
    }
  const auto begin = std::chrono::steady_clock::now();
  for (const pid_t thread : threads)
    ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
  for (const pid_t thread : threads) {
    int status;
    waitpid(thread, &status, __WALL);
  }
  for (std::size_t i = 0; i < threads.size(); ++i) {
    iovec area{&registers[i], sizeof registers[i]};
    ptrace(PTRACE_GETREGSET, threads[i], NT_PRSTATUS, &area);
  }
  const std::size_t bytes = copy_stacks(process, registers, maps);
  for (const pid_t thread : threads)
    ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  const auto pause = std::chrono::steady_clock::now() - begin;
  std::printf("pause_us=%lld threads=%zu bytes=%zu\n",
              static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(pause).count()),
              threads.size(), bytes);
  return 0;
}
