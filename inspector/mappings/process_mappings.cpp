#include "inspector/mappings/process_mappings.h"

#include "attach/memory/own_file_pages.h"
#include "attach/procfs/process_list.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// What evidence there is beside the mappings themselves; any of it may be missing.
struct Evidence {
  std::vector<GoMemoryRange> go;
  std::vector<MallocArena> arenas;
  std::vector<RunRange> images;
  const MallocReader *malloc_reader = nullptr;
  const MemoryView *memory = nullptr;
};

Result<ProcessMappings> join(pid_t process, const std::string &executable, const Evidence &evidence,
                             std::vector<std::string> warnings) {
  forget_own_file_pages(); // they would halve the target's share in them
  auto usage = read_memory_usage(process);
  if (!usage)
    return std::unexpected(usage.error());
  ProcessMappings result;
  result.process = process;
  if (auto stat = read_process_stat(process))
    result.command = std::move(stat->name);
  result.executable = executable;
  result.measured = usage->measured;
  result.why_not_measured = std::move(usage->why_not_measured);
  result.warnings = std::move(warnings);
  auto threads = read_thread_stack_pointers(process);
  if (!threads)
    result.warnings.push_back(
        fmt::format("the stacks of threads cannot be told from other memory: {}", threads.error().message()));
  MappingOwners owners;
  owners.go = evidence.go;
  if (evidence.malloc_reader != nullptr)
    owners.is_mapped_chunk = [readers = evidence.malloc_reader](RunRange range) {
      return readers->is_mapped_chunk(range);
    };
  owners.arenas = evidence.arenas;
  owners.images = evidence.images;
  owners.memory = evidence.memory;
  if (threads)
    owners.threads = *threads;
  result.mappings = classify_mappings(process, executable, std::move(usage->mappings), owners);
  return result;
}

} // namespace

RuntimeReaders open_runtime_readers(Target &target) {
  RuntimeReaders readers;
  if (const auto runtimes = target.go_runtimes()) {
    for (const auto &runtime : *runtimes) {
      auto go = GoMemoryReader::open(*runtime, target.memory());
      if (go)
        readers.go.push_back({runtime->version_text(), runtime->own_image().module->path(), std::move(*go)});
      else
        readers.warnings.push_back(
            fmt::format("the Go runtime's memory statistics cannot be read: {}", go.error().message()));
    }
  } else if (runtimes.error().kind() != ErrorKind::not_found) {
    readers.warnings.push_back(fmt::format("the Go runtime cannot be read: {}", runtimes.error().message()));
  }
  auto malloc_reader = MallocReader::open(target.modules(), target.memory());
  if (malloc_reader)
    readers.malloc_reader = std::move(*malloc_reader);
  else if (malloc_reader.error().kind() != ErrorKind::not_found)
    readers.warnings.push_back(fmt::format("malloc statistics cannot be read: {}", malloc_reader.error().message()));
  return readers;
}

Result<ProcessMappings> read_process_mappings(Target &target, const RuntimeReaders &readers) {
  Evidence evidence;
  std::vector<std::string> warnings = readers.warnings;
  evidence.memory = &target.memory();
  for (const Module *module : target.modules().modules())
    evidence.images.push_back(module->range());
  for (const GoRuntimeReader &go : readers.go)
    if (auto ranges = go.reader->ranges())
      evidence.go.insert(evidence.go.end(), ranges->begin(), ranges->end());
    else
      warnings.push_back(fmt::format("the Go heap's place is guessed: {}", ranges.error().message()));
  if (readers.malloc_reader) {
    evidence.malloc_reader = readers.malloc_reader.get();
    evidence.arenas = readers.malloc_reader->statistics().arenas;
  }
  return join(target.process(), target.executable(), evidence, std::move(warnings));
}

Result<ProcessMappings> read_process_mappings(Target &target) {
  RuntimeReaders readers = open_runtime_readers(target);
  if (readers.malloc_reader)
    if (const auto copied = readers.malloc_reader->copy(0); !copied)
      readers.warnings.push_back(fmt::format("malloc's arenas cannot be read: {}", copied.error().message()));
  return read_process_mappings(target, readers);
}

Result<ProcessMappings> read_process_mappings(pid_t process) {
  auto target = Target::open(process, {});
  if (target)
    return read_process_mappings(**target);
  if (target.error().kind() == ErrorKind::no_such_process)
    return std::unexpected(target.error());
  const auto executable = read_executable_link(process);
  auto mappings = join(process, executable ? executable->path : std::string(), {},
                       {fmt::format("kinds are told from the mappings alone: {}", target.error().message())});
  if (mappings && mappings->mappings.empty()) // a kernel thread, a zombie
    return std::unexpected(target.error());
  return mappings;
}

} // namespace inspect
