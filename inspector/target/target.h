// One live process under inspection: its maps, its memory, its modules. It holds nothing stopped.
#pragma once

#include "attach/files/target_files.h"
#include "attach/procfs/memory_map.h"
#include "attach/procfs/process_status.h"
#include "attach/snapshot/live_memory.h"
#include "dwarf/module/module_map.h"
#include "dwarf/symbolize/symbolizer.h"
#include "golang/runtime/go_runtime.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct TargetOptions {
  bool use_debuginfod = false;
  /// Where separate debug files are looked for; empty: the system's default.
  std::vector<std::string> debug_directories;
};

class Target {
public:
  /// Refuses, with the remedy: no such process, not permitted, kernel thread, zombie without threads, 32-bit, this
  /// process itself.
  static Result<std::unique_ptr<Target>> open(pid_t process, const TargetOptions &options);

  pid_t process() const { return process_; }
  /// The kernel's short name, and the executable's path as the target sees it.
  const std::string &command() const { return command_; }
  const std::string &executable() const { return executable_; }
  const std::vector<Mapping> &maps() const { return maps_; }
  const LiveMemory &memory() const { return *memory_; }
  const TargetFiles &files() const { return files_; }
  /// Ends waits for files of file systems that do not answer; it must outlive this object.
  void cancel_with(const Cancellation *cancellation) { files_.cancel_with(cancellation); }
  ModuleMap &modules() { return modules_; }
  Symbolizer &symbolizer() { return symbolizer_; }
  /// The Go runtime in it, looked for on first use. not_found: there is none; else why it cannot be used. It lives
  /// until refresh() finds other modules.
  Result<GoRuntime *> go_runtime();
  /// All of them, that one first: several c-shared libraries have one each. At least one.
  Result<std::span<const std::unique_ptr<GoRuntime>>> go_runtimes();
  /// The one with this number among them, from 0; the first where there is none.
  Result<GoRuntime *> go_runtime(std::size_t number);
  /// Counts how often modules were opened: what was made of them (types, names) is of one generation.
  std::uint64_t generation() const { return generation_; }

  /// Reads the maps again; opens modules that are new, drops those that are gone; after an exec everything is new.
  Result<void> refresh();
  /// Sentences about what could not be used, each once.
  std::vector<std::string> take_warnings();

private:
  Target(pid_t process, const TargetOptions &options) : process_(process), options_(options), files_(process) {}
  struct Image; ///< the mappings of one loaded file
  struct LoadedImage {
    std::uint64_t device;
    std::uint64_t inode;
    RunAddress begin;
    friend bool operator==(const LoadedImage &, const LoadedImage &) = default;
  };
  static std::vector<Image> images_of(const std::vector<Mapping> &maps);
  /// Tells the memory which mappings are of files that may not answer.
  void limit_reads_of_remote_files();
  Result<void> open_modules(std::span<const Image> images, std::unique_ptr<LiveMemory> memory);

  pid_t process_;
  TargetOptions options_;
  std::string command_;
  std::string executable_;
  std::vector<Mapping> maps_;
  TargetFiles files_;
  std::unique_ptr<LiveMemory> memory_;
  ModuleMap modules_; ///< after the memory it reads through
  Symbolizer symbolizer_{modules_};
  std::optional<Result<std::vector<std::unique_ptr<GoRuntime>>>> go_runtimes_; ///< after the modules they speak of
  std::vector<LoadedImage> loaded_;
  std::vector<std::uint64_t> devices_;        ///< of all mapped files, sorted
  std::vector<std::uint64_t> remote_devices_; ///< those of them that may not answer
  std::uint64_t generation_ = 0;
  std::vector<std::string> warnings_;
};

} // namespace inspect
