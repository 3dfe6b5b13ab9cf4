#include "inspector/target/target.h"

#include "attach/procfs/process_list.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <map>
#include <span>
#include <tuple>
#include <unistd.h>

namespace inspect {

/// The mappings of one loaded image, in ascending order.
struct Target::Image {
  const Mapping *first = nullptr;
  std::vector<MappedSegment> segments;
  std::vector<RunRange> anonymous_code; ///< between them
  FileOffset last_offset;
  bool executable = false;
};

/// A library that is loaded twice (dlmopen) starts over at a smaller file offset: that begins a new image. Programs
/// move their own code to anonymous memory, for large pages (BOLT's hugify, iodlr): that lies between what is left of
/// the file.
std::vector<Target::Image> Target::images_of(const std::vector<Mapping> &maps) {
  std::vector<Image> images;
  std::map<std::tuple<std::uint64_t, std::uint64_t>, std::size_t> open; // by device and inode
  for (const Mapping &mapping : maps) {
    const bool vdso = mapping.path == "[vdso]";
    if (mapping.inode == 0 && !vdso)
      continue;
    const auto key = std::make_tuple(mapping.device, mapping.inode);
    auto known = open.find(key);
    if (known == open.end() || mapping.offset < images[known->second].last_offset) {
      known = open.insert_or_assign(key, images.size()).first;
      images.push_back(
          {.first = &mapping, .segments = {}, .anonymous_code = {}, .last_offset = {}, .executable = false});
    }
    Image &image = images[known->second];
    image.segments.push_back({mapping.range, mapping.offset, mapping.executable});
    image.last_offset = mapping.offset;
    image.executable = image.executable || mapping.executable;
  }
  for (const Mapping &mapping : maps) {
    if (mapping.inode != 0 || !mapping.executable || mapping.path.starts_with('['))
      continue;
    const auto after = std::ranges::upper_bound(images, mapping.range.begin, {},
                                                [](const Image &image) { return image.segments.front().range.begin; });
    if (after == images.begin() || mapping.range.end > std::prev(after)->segments.back().range.begin)
      continue;
    std::prev(after)->anonymous_code.push_back(mapping.range);
    std::prev(after)->executable = true;
  }
  std::erase_if(images, [](const Image &image) { return !image.executable; });
  return images;
}

namespace {

bool is_32_bit(const std::vector<Mapping> &maps, const std::string &executable, const MemoryView &memory) {
  const auto start = std::ranges::find_if(
      maps, [&](const Mapping &mapping) { return mapping.path == executable && mapping.offset.value == 0; });
  if (start == maps.end())
    return false;
  std::array<std::byte, EI_CLASS + 1> identity{};
  if (!memory.read(start->range.begin, identity))
    return false;
  return std::memcmp(identity.data(), ELFMAG, SELFMAG) == 0 && identity[EI_CLASS] == std::byte{ELFCLASS32};
}

Result<void> refuse_what_cannot_be_inspected(pid_t process, const ProcessStat &stat) {
  if (process == ::getpid())
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("process {} is this inspect itself", process),
                                 "give the process id of another process; `inspect ps` lists them"));
  if (stat.is_kernel_thread())
    return std::unexpected(
        Error(ErrorKind::unsupported,
              fmt::format("process {} ({}) is a kernel thread: it has no user stack and no memory of its own", process,
                          stat.name),
              fmt::format("what it does in the kernel is shown by `cat /proc/{}/stack` as root", process)));
  if (!has_ended(stat.state))
    return {};
  // A leader that has ended stays a zombie while other threads of the process live on.
  const auto threads = list_threads(process);
  if (threads)
    for (const pid_t thread : *threads)
      if (const auto one = read_thread_stat(process, thread); one && !has_ended(one->state))
        return {};
  return std::unexpected(
      Error(ErrorKind::unsupported,
            fmt::format("process {} ({}) is a zombie: it has ended and has no memory any more", process, stat.name),
            fmt::format("its parent, process {}, has yet to collect it; inspect that one", stat.parent)));
}

} // namespace

Result<std::unique_ptr<Target>> Target::open(pid_t process, const TargetOptions &options) {
  const auto stat = read_process_stat(process);
  if (!stat)
    return std::unexpected(stat.error());
  if (auto allowed = refuse_what_cannot_be_inspected(process, *stat); !allowed)
    return std::unexpected(allowed.error());
  std::unique_ptr<Target> target(new Target(process, options));
  if (auto read = target->refresh(); !read)
    return std::unexpected(read.error());
  return target;
}

Result<void> Target::refresh() {
  const auto stat = read_process_stat(process_);
  if (!stat)
    return std::unexpected(stat.error());
  auto maps = read_memory_map(process_);
  if (!maps)
    return std::unexpected(maps.error());
  if (maps->empty()) // it is ending; what is known of it stays
    return std::unexpected(Error(ErrorKind::no_such_process, fmt::format("process {} has ended", process_)));
  const auto executable = read_executable_link(process_);
  const std::string path = executable ? executable->path : std::string();

  // An exec replaces the address space: what was opened of the old one reads nothing any more.
  if (memory_ != nullptr)
    memory_->look_for_page_fault_handler();
  auto memory = LiveMemory::open(process_, memory_.get());
  if (!memory)
    return std::unexpected(memory.error());
  if (is_32_bit(*maps, path, **memory))
    return std::unexpected(Error(
        ErrorKind::unsupported,
        fmt::format("process {} ({}) is a 32-bit program; only 64-bit ones can be inspected", process_, stat->name),
        "use gdb or eu-stack for it"));
  command_ = stat->name;
  executable_ = path;
  maps_ = std::move(*maps);
  const std::vector<Image> images = images_of(maps_);
  std::vector<LoadedImage> loaded;
  for (const Image &image : images)
    loaded.push_back({image.first->device, image.first->inode, image.segments.front().range.begin});
  // Where only data mappings came or went, the modules and all they have learnt stay.
  if (memory_ == nullptr || loaded != loaded_)
    if (auto opened = open_modules(images, std::move(*memory)); !opened)
      return std::unexpected(opened.error());
  loaded_ = std::move(loaded);
  limit_reads_of_remote_files();
  return {};
}

void Target::limit_reads_of_remote_files() {
  std::vector<std::uint64_t> devices;
  for (const Mapping &mapping : maps_)
    if (mapping.inode != 0)
      devices.push_back(mapping.device);
  std::ranges::sort(devices);
  devices.erase(std::ranges::unique(devices).begin(), devices.end());
  if (devices != devices_) {
    remote_devices_.clear();
    std::ranges::copy_if(devices, std::back_inserter(remote_devices_),
                         [&](std::uint64_t device) { return files_.is_remote(device); });
    devices_ = std::move(devices);
  }
  std::vector<RunRange> ranges;
  if (!remote_devices_.empty())
    for (const Mapping &mapping : maps_)
      if (mapping.inode != 0 && std::ranges::binary_search(remote_devices_, mapping.device))
        ranges.push_back(mapping.range);
  memory_->limit_reads_of(std::move(ranges));
}

Result<void> Target::open_modules(std::span<const Image> images, std::unique_ptr<LiveMemory> memory) {
  ModuleOptions options;
  options.use_debuginfod = options_.use_debuginfod;
  if (!options_.debug_directories.empty())
    options.debug_directories = options_.debug_directories;
  ModuleMap modules;
  for (const Image &image : images) {
    ModuleInput input{image.first->path, std::nullopt, image.segments, image.anonymous_code};
    auto file = files_.open_mapped(*image.first);
    if (!file && file.error().kind() == ErrorKind::cancelled)
      return std::unexpected(file.error());
    if (!file && file.error().kind() == ErrorKind::timed_out) {
      // Its pages in memory may wait for the same file system.
      warnings_.push_back(file.error().message() + "; its functions have no names");
      continue;
    }
    if (file)
      input.file = std::move(*file);
    else if (file.error().kind() == ErrorKind::unsupported)
      warnings_.push_back(file.error().message() + "; its image in memory is used instead");
    auto module = Module::open(std::move(input), *memory, files_, options);
    if (module)
      modules.add(std::move(*module));
    else
      warnings_.push_back(fmt::format("{} cannot be used: {}", image.first->path, module.error().message()));
  }
  go_runtimes_.reset();
  symbolizer_.forget();
  modules_ = std::move(modules); // before the memory that the old modules read through
  memory_ = std::move(memory);
  ++generation_;
  return {};
}

Result<std::span<const std::unique_ptr<GoRuntime>>> Target::go_runtimes() {
  if (!go_runtimes_)
    go_runtimes_ = GoRuntime::open_all(modules_, *memory_);
  if (!*go_runtimes_)
    return std::unexpected(go_runtimes_->error());
  return **go_runtimes_;
}

Result<GoRuntime *> Target::go_runtime(std::size_t number) {
  const auto runtimes = go_runtimes();
  if (!runtimes)
    return std::unexpected(runtimes.error());
  return (*runtimes)[number < runtimes->size() ? number : 0].get();
}

Result<GoRuntime *> Target::go_runtime() {
  return go_runtime(0);
}

std::vector<std::string> Target::take_warnings() {
  std::vector<std::string> all = std::exchange(warnings_, {});
  std::ranges::move(modules_.take_warnings(), std::back_inserter(all));
  if (go_runtimes_ && *go_runtimes_)
    for (const auto &runtime : **go_runtimes_)
      std::ranges::move(runtime->take_warnings(), std::back_inserter(all));
  return all;
}

} // namespace inspect
