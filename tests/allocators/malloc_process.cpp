#include "tests/allocators/malloc_process.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace inspect::test {
namespace {

const LocalFiles local_files;

/// The number in `name="…"`.
std::uint64_t attribute(const std::string &line, const std::string &name) {
  const std::size_t place = line.find(name + "=\"");
  if (place == std::string::npos)
    throw std::runtime_error("no " + name + " in " + line);
  return std::stoull(line.substr(place + name.size() + 2));
}

/// One line of malloc_info's report: those of an arena come between <heap> and </heap>.
void take_info_line(const std::string &line, std::vector<ToldArena> &arenas, bool &in_arena) {
  if (line.starts_with("<heap ")) {
    arenas.emplace_back();
    in_arena = true;
  } else if (line.starts_with("</heap>")) {
    in_arena = false;
  }
  if (!in_arena)
    return;
  ToldArena &arena = arenas.back();
  if (line.starts_with("<total type=\"fast\""))
    arena.fast = attribute(line, "size");
  else if (line.starts_with("<total type=\"rest\"")) // each but the top chunk is counted with the flag of its header
    arena.rest = attribute(line, "size") - (attribute(line, "count") - 1);
  else if (line.starts_with("<system type=\"current\""))
    arena.system = attribute(line, "size");
  else if (line.starts_with("<aspace type=\"subheaps\""))
    arena.subheaps = attribute(line, "size");
}

ToldByMalloc listen_to(ChildProcess &child) {
  ToldByMalloc told;
  bool in_arena = false;
  for (std::string line = child.read_line(); line != "ready"; line = child.read_line()) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "mallinfo") {
      for (; words >> word;)
        told.totals[word.substr(0, word.find('='))] = std::stoull(word.substr(word.find('=') + 1));
    } else if (word == "mapped") {
      std::uint64_t size = 0;
      words >> word >> size;
      const RunAddress begin{std::stoull(word, nullptr, 16)};
      told.mapped_blocks.push_back({begin, begin + size});
    } else {
      take_info_line(line, told.arenas, in_arena);
    }
  }
  std::ranges::sort(told.mapped_blocks);
  return told;
}

} // namespace

Result<void> LiveChildMemory::read(RunAddress address, std::span<std::byte> into) const {
  iovec local{into.data(), into.size()};
  iovec remote{reinterpret_cast<void *>(address.value), into.size()};
  if (::process_vm_readv(process_, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(into.size()))
    return std::unexpected(Error(ErrorKind::unreadable, "not mapped"));
  return {};
}

ModuleMap modules_of_child(pid_t process, const MemoryView &memory, const ModuleOptions &options, bool from_memory) {
  ModuleMap modules;
  const auto files =
      mappings_of(std::to_string(process), [](const std::string &path) { return path.starts_with("/"); });
  for (const auto &[path, segments] : files) {
    ModuleInput input{path, {}, segments};
    if (auto file = local_files.open(path); file && !from_memory)
      input.file = std::move(*file);
    if (auto module = Module::open(std::move(input), memory, local_files, options))
      modules.add(std::move(*module));
  }
  return modules;
}

MallocProcess::MallocProcess(const std::vector<std::string> &command, const ModuleOptions &options, bool from_memory)
    : child_(command), told_(listen_to(child_)), memory_(child_.pid()),
      modules_(modules_of_child(child_.pid(), memory_, options, from_memory)) {}

ToldByMalloc MallocProcess::listen() {
  return listen_to(child_);
}

std::vector<std::pair<RunRange, std::string>> MallocProcess::mappings() const {
  std::vector<std::pair<RunRange, std::string>> found;
  std::ifstream maps("/proc/" + std::to_string(child_.pid()) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    RunRange range;
    char dash = 0;
    std::string word;
    std::string name;
    fields >> std::hex >> range.begin.value >> dash >> range.end.value >> word >> word >> word >> word;
    fields >> name;
    if (!name.starts_with("/"))
      found.emplace_back(range, name);
  }
  return found;
}

} // namespace inspect::test
