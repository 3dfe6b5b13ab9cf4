#include "tests/golang/go_process.h"

#include "dwarf/symbols/symbol_table.h"
#include "golang/runtime/runtime_layout.h"
#include "tests/dwarf/memory_of_self.h"

#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/uio.h>

namespace inspect::test {
namespace {

const LocalFiles local_files;
constexpr std::size_t max_frames = 1000;
constexpr std::uint32_t waiting = 4; // runtime2.go, _Gwaiting

std::vector<ParkedFrame> walk(const std::vector<GoImage> &images, const MemoryView &memory, RunAddress pc,
                              RunAddress sp) {
  std::vector<ParkedFrame> frames;
  while (frames.size() < max_frames) {
    const GoImage *image = nullptr;
    for (const GoImage &candidate : images) {
      if (candidate.data.pcs.contains(pc))
        image = &candidate;
    }
    const auto function = image ? image->table->find(pc) : std::nullopt;
    const auto delta = function ? image->table->stack_delta(*function, pc) : std::nullopt;
    if (!delta || function->func_id == GoFuncId::goexit)
      break;
    sp = sp + static_cast<std::uint64_t>(*delta) + 8;
    frames.push_back({image, *function, pc, sp});
    const auto return_address = read_word(memory, sp - 8);
    if (!return_address)
      break;
    pc = {*return_address};
  }
  return frames;
}

} // namespace

Result<void> ProcessMemory::read(RunAddress address, std::span<std::byte> into) const {
  iovec local{into.data(), into.size()};
  iovec remote{reinterpret_cast<void *>(address.value), into.size()};
  if (::process_vm_readv(process_, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(into.size()))
    return std::unexpected(Error(ErrorKind::unreadable, "not mapped"));
  return {};
}

GoProcess::GoProcess(const std::vector<std::string> &command) : child_(command), memory_(child_.pid()) {}

GoProcess::~GoProcess() = default;

void GoProcess::open() {
  const auto files =
      mappings_of(std::to_string(child_.pid()), [](const std::string &path) { return path.starts_with("/"); });
  for (const auto &[path, segments] : files) {
    ModuleInput input;
    input.path = path;
    input.segments = segments;
    if (auto file = local_files.open(path))
      input.file = std::move(*file);
    if (auto module = Module::open(std::move(input), memory_, local_files, {}))
      modules_.add(std::move(*module));
  }
  for (Module *module : modules_.modules()) {
    if (auto image = open_go_image(*module, memory_))
      images_.push_back(std::move(*image));
  }
  if (images_.empty())
    throw std::runtime_error("the program has no Go image");
}

std::vector<MappedMemory> GoProcess::mapped() const {
  std::vector<MappedMemory> mapped;
  std::ifstream maps(fmt::format("/proc/{}/maps", child_.pid()));
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    MappedMemory memory;
    char dash = 0;
    std::string rights;
    std::string offset;
    std::string device;
    std::string inode;
    fields >> std::hex >> memory.range.begin.value >> dash >> memory.range.end.value >> rights >> offset >> device >>
        inode >> std::ws;
    std::getline(fields, memory.name);
    memory.readable = rights.starts_with('r');
    memory.writable = rights.size() > 1 && rights[1] == 'w';
    mapped.push_back(std::move(memory));
  }
  return mapped;
}

std::vector<ParkedGoroutine> GoProcess::parked_goroutines() {
  std::vector<ParkedGoroutine> goroutines;
  Module &module = *image().module;
  const auto symbol = symbols_of(module).by_name("runtime.allgs");
  if (!symbol)
    throw std::runtime_error("the program has no symbol runtime.allgs");
  const RunAddress list = module.bias().to_run(symbol->address);
  const auto data = read_word(memory_, list);
  const auto length = read_word(memory_, list + 8);
  if (!data || !length)
    throw std::runtime_error("runtime.allgs cannot be read");
  const RuntimeLayout &layout = *runtime_layout(image().version).layout;
  const auto field = [&](RunAddress g, FieldOffset offset) {
    return read_word(memory_, g + static_cast<std::uint64_t>(offset)).value_or(0);
  };
  for (std::uint64_t i = 0; i < *length; ++i) {
    const RunAddress g{read_word(memory_, {*data + 8 * i}).value_or(0)};
    if (static_cast<std::uint32_t>(field(g, layout.g.status)) != waiting)
      continue;
    ParkedGoroutine goroutine;
    goroutine.id = field(g, layout.g.id);
    goroutine.stack = {{field(g, layout.g.stack_lo)}, {field(g, layout.g.stack_hi)}};
    goroutine.frames = walk(images_, memory_, {field(g, layout.g.sched_pc)}, {field(g, layout.g.sched_sp)});
    goroutines.push_back(std::move(goroutine));
  }
  return goroutines;
}

} // namespace inspect::test
