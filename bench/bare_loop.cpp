// bare_loop PID: the least that stopping a process and copying its stacks can cost. It seizes, interrupts, waits by
// thread id, reads registers, copies the stacks with process_vm_readv and detaches; it handles no awkward case. Prints
// "pause_us=… threads=… bytes=…"; the pause of `inspect` is compared with it.
#include "bench/bare_stop.h"

#include <algorithm>
#include <chrono>

namespace {

struct Map {
  unsigned long begin;
  unsigned long end;
};

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
  return bare::read_all(process, remote, buffer);
}

} // namespace

int main(int count, char **arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: bare_loop PID\n");
    return 2;
  }
  const pid_t process = std::atoi(arguments[1]);
  const std::vector<pid_t> threads = bare::list_threads(arguments[1]);
  const std::vector<Map> maps = list_maps(arguments[1]);
  if (!bare::seize(threads))
    return 1;
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<user_regs_struct> registers = bare::stop(threads);
  const std::size_t bytes = copy_stacks(process, registers, maps);
  bare::detach(threads);
  const auto pause = std::chrono::steady_clock::now() - begin;
  std::printf("pause_us=%lld threads=%zu bytes=%zu\n",
              static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(pause).count()),
              threads.size(), bytes);
  return 0;
}
