#include "dwarf/module/module.h"
#include "dwarf/module/load_layout.h"
#include "dwarf/module/memory_image.h"
#include "dwarf/module/separate_debug.h"
#include "dwarf/split/split_package.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <gelf.h>
#include <new>
#include <unordered_map>

namespace inspect {
namespace {

constexpr std::uint64_t max_note_size = 64 << 10;

/// The file's read-only segments at their run-time places.
class FileMemory final : public MemoryView {
public:
  void set(const ElfImage *image, LoadBias bias) {
    image_ = image;
    bias_ = bias;
  }

  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    const LinkAddress link = bias_.to_link(address);
    for (const Elf64_Phdr &segment : image_->segments()) {
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0 || link.value < segment.p_vaddr)
        continue;
      const std::uint64_t inside = link.value - segment.p_vaddr;
      if (inside >= segment.p_filesz || into.size() > segment.p_filesz - inside)
        continue;
      const auto bytes = image_->bytes_at(segment.p_offset + inside, into.size());
      if (bytes.size() == into.size() && !into.empty()) {
        std::memcpy(into.data(), bytes.data(), bytes.size());
        return {};
      }
    }
    return std::unexpected(
        Error(ErrorKind::unreadable, fmt::format("no read-only segment of the file holds {:#x}", address.value)));
  }

private:
  const ElfImage *image_ = nullptr;
  LoadBias bias_;
};

struct EndDwarf {
  void operator()(Dwarf *dwarf) const { dwarf_end(dwarf); }
};
using DwarfHandle = std::unique_ptr<Dwarf, EndDwarf>;

// libdw wants a handler that does not return; its own ends the program. It calls the handler with no lock held, and its
// frames have unwind tables (they are part of the x86-64 ABI), so an exception passes through.
// tests/dwarf/module/module_test "libdw out of memory".
/// In GNU form, for which the attribute is part of the type that libdw asks for; clang does not take the other.
[[gnu::noreturn]] void throw_out_of_memory() {
  throw std::bad_alloc();
}

bool has_debug_info(const ElfImage &image) {
  const auto holds = [](const ImageSection &section) {
    return (section.name == ".debug_info" || section.name == ".zdebug_info") && section.header.sh_type != SHT_NOBITS &&
           section.header.sh_size != 0;
  };
  return std::ranges::any_of(image.sections(), holds);
}

std::vector<std::uint8_t> build_id_in_memory(const ElfImage &image, LoadBias bias, const MemoryView &memory) {
  for (const Elf64_Phdr &segment : image.segments()) {
    if (segment.p_type != PT_NOTE || segment.p_filesz == 0 || segment.p_filesz > max_note_size)
      continue;
    std::vector<std::byte> notes(segment.p_filesz);
    if (!memory.read(bias.to_run(LinkAddress{segment.p_vaddr}), notes))
      continue;
    if (auto id = find_build_id(notes, segment.p_align); !id.empty())
      return id;
  }
  return {};
}

/// Whether the headers in memory are the file's; true also where they are not mapped or cannot be read.
bool same_headers(const ElfImage &image, LoadBias bias, const MemoryView &memory) {
  const auto in_memory = [&](std::uint64_t offset, std::uint64_t size) {
    const auto in_file = image.bytes_at(offset, size);
    for (const Elf64_Phdr &segment : image.segments()) {
      if (segment.p_type != PT_LOAD || offset < segment.p_offset || size > segment.p_filesz ||
          offset - segment.p_offset > segment.p_filesz - size)
        continue;
      std::vector<std::byte> bytes(size);
      const LinkAddress at{segment.p_vaddr + (offset - segment.p_offset)};
      return !memory.read(bias.to_run(at), bytes) || std::ranges::equal(bytes, in_file);
    }
    return true;
  };
  // Up to e_phoff: what follows in the header is about sections, which strip changes in place.
  return in_memory(0, offsetof(Elf64_Ehdr, e_shoff)) &&
         in_memory(image.header().e_phoff, image.segments().size() * sizeof(Elf64_Phdr));
}

/// Why the file cannot be what is mapped; empty where it can.
std::string why_not_believed(const ElfImage &image, LoadBias bias, const MemoryView &memory) {
  const auto in_file = image.build_id();
  const auto mapped = build_id_in_memory(image, bias, memory);
  if (!in_file.empty() && !mapped.empty())
    return in_file == mapped ? std::string()
                             : fmt::format("its build-id is {}, the one in memory {}", to_hex(in_file), to_hex(mapped));
  return same_headers(image, bias, memory) ? std::string() : "its headers differ from those in memory";
}

bool lies_in(const std::vector<RunRange> &ranges, RunRange inner) {
  return std::ranges::any_of(
      ranges, [&](const RunRange &range) { return range.begin <= inner.begin && inner.end <= range.end; });
}

void remove_range(std::vector<RunRange> &ranges, RunRange hole) {
  std::vector<RunRange> left;
  for (const RunRange &range : ranges) {
    if (hole.end <= range.begin || range.end <= hole.begin) {
      left.push_back(range);
      continue;
    }
    if (range.begin < hole.begin)
      left.push_back({range.begin, hole.begin});
    if (hole.end < range.end)
      left.push_back({hole.end, range.end});
  }
  ranges = std::move(left);
}

/// Whether code that was moved to anonymous memory is the file's still, by samples. A breakpoint or a patched
/// function is no other code.
bool same_code(RunRange range, const MemoryView &file, const MemoryView &memory) {
  constexpr std::uint64_t piece = 256;
  constexpr std::uint64_t max_pieces = 512;
  const std::uint64_t pieces = range.size() / piece;
  const std::uint64_t step = pieces <= max_pieces ? 1 : pieces / max_pieces;
  std::array<std::byte, piece> ours, theirs;
  std::size_t equal = 0;
  std::size_t compared = 0;
  for (std::uint64_t i = 0; i < pieces; i += step) {
    const RunAddress at = range.begin + i * piece;
    if (!file.read(at, ours) || !memory.read(at, theirs))
      continue; // behind the end of the segment
    for (std::size_t byte = 0; byte < piece; ++byte)
      equal += ours[byte] == theirs[byte] ? 1 : 0;
    compared += piece;
  }
  return compared != 0 && equal >= compared - compared / 50;
}

/// To be asked right after elf_compress() failed. elfutils before 0.189, and those built without libzstd, know no zstd.
std::string why_not_unpacked(Elf_Scn *section) {
  constexpr unsigned zstd = 2; // ELFCOMPRESS_ZSTD, which older headers lack
  const char *reason = elf_errmsg(-1);
  GElf_Chdr header;
  if (gelf_getchdr(section, &header) != nullptr && header.ch_type == zstd)
    return "is compressed with zstd, which the elfutils here cannot unpack; `objcopy --decompress-debug-sections` can";
  return fmt::format("cannot be unpacked: {}", reason != nullptr ? reason : "it is damaged");
}

} // namespace

struct Module::State {
  ModuleInput input;
  const FileSource *files = nullptr;
  ModuleOptions options;
  std::optional<ElfImage> image;
  LoadBias bias;
  std::vector<RunRange> ranges;
  std::vector<std::uint8_t> build_id;
  bool from_memory = false;
  FileMemory file_memory;
  std::vector<std::string> warnings;

  bool searched_debug_file = false;
  bool own_debug_info = false;
  std::optional<DebugFile> debug_file;
  std::optional<DebugFile> common_file;
  std::string debug_info_reason;
  bool tried_dwarf = false;
  DwarfHandle common_dwarf; // ends after `dwarf`, which refers to it
  DwarfHandle dwarf;
  bool warned_of_split_file = false;
  bool tried_package = false;
  std::unique_ptr<SplitPackage> package;
  bool tried_mini = false;
  std::optional<ElfImage> mini;
  std::unordered_map<std::type_index, std::shared_ptr<void>> readers; // end first: they refer to all of the above

  Result<void> load(const MemoryView &memory);
  Result<void> load_file();
  void find_debug_file();
  void warn_of_dropped_sections(const ElfImage &of, const std::string &path);
  const ElfImage *debug_image();
  void begin_dwarf();
  void begin_common_dwarf(const ElfImage &debug, const std::string &path);
  void open_package(const ElfImage &debug);
  DwarfHandle begin(Elf *elf, const std::string &path);
};

Result<void> Module::State::load_file() {
  if (!input.file)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("the file {} is gone", input.path)));
  auto opened = ElfImage::from_file(std::move(input.file->descriptor), input.path);
  if (!opened)
    return std::unexpected(opened.error());
  const auto found = find_load_bias(opened->segments(), input.segments);
  if (!found)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("{} on disk is not laid out as what is mapped", input.path)));
  image = std::move(*opened);
  bias = *found;
  return {};
}

Result<void> Module::State::load(const MemoryView &memory) {
  const auto from_file = load_file();
  std::string reason;
  if (from_file) {
    const std::string why_not = why_not_believed(*image, bias, memory);
    if (!why_not.empty())
      reason = fmt::format("{} on disk is not what is mapped: {}", input.path, why_not);
  } else {
    reason = from_file.error().message();
  }
  if (!reason.empty()) {
    auto captured = read_memory_image(input.path, input.segments, memory);
    if (!captured)
      return std::unexpected(input.file && from_file  ? Error(ErrorKind::corrupt, reason)
                             : input.file.has_value() ? from_file.error()
                                                      : captured.error());
    if (input.file)
      warnings.push_back(reason + "; its image in memory is used instead");
    image = std::move(captured->image);
    bias = captured->bias;
    from_memory = true;
  }
  ranges = loaded_ranges(image->segments(), bias);
  if (ranges.empty())
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("{} has no loadable segments", input.path)));
  build_id = image->build_id();
  file_memory.set(&*image, bias);
  for (const RunRange &range : input.anonymous_code)
    if (!from_memory && lies_in(ranges, range) && !same_code(range, file_memory, memory)) {
      remove_range(ranges, range);
      warnings.push_back(
          fmt::format("what lies at {:#x} in the place of {} is not its code", range.begin.value, input.path));
    }
  warn_of_dropped_sections(*image, input.path);
  return {};
}

void Module::State::find_debug_file() {
  if (searched_debug_file)
    return;
  own_debug_info = has_debug_info(*image);
  if (own_debug_info) {
    debug_info_reason = input.path;
  } else {
    std::vector<std::string> refused;
    auto found = inspect::find_debug_file(*image, input.path, build_id, *files, options, refused);
    std::ranges::move(refused, std::back_inserter(warnings));
    if (found) {
      debug_info_reason = found->path;
      debug_file = std::move(*found);
      warn_of_dropped_sections(debug_file->image, debug_file->path);
    } else {
      debug_info_reason = found.error().message();
    }
  }
  searched_debug_file = true; // not if it was cancelled
}

void Module::State::warn_of_dropped_sections(const ElfImage &of, const std::string &path) {
  for (const std::string &sentence : of.dropped_sections())
    warnings.push_back(fmt::format("{}: {}", path, sentence));
}

const ElfImage *Module::State::debug_image() {
  find_debug_file();
  return own_debug_info ? &*image : debug_file ? &debug_file->image : nullptr;
}

DwarfHandle Module::State::begin(Elf *elf, const std::string &path) {
  DwarfHandle handle;
  std::string not_unpacked; // and libdw does without the section, too
  // libdw would unpack them all in one go, which nobody could cancel.
  for (const ImageSection &section : sections_of(elf))
    if ((section.header.sh_flags & SHF_COMPRESSED) != 0 && section.name.starts_with(".debug_")) {
      cancellation_point();
      if (elf_compress(section.section, 0, 0) < 0 && not_unpacked.empty())
        not_unpacked = fmt::format("its section {} {}", section.name, why_not_unpacked(section.section));
    }
  try {
    handle.reset(dwarf_begin_elf(elf, DWARF_C_READ, nullptr));
    if (handle)
      dwarf_new_oom_handler(handle.get(), throw_out_of_memory);
    else
      warnings.push_back(fmt::format("the DWARF of {} cannot be read: {}", path,
                                     not_unpacked.empty() ? dwarf_errmsg(-1) : not_unpacked.c_str()));
  } catch (const std::bad_alloc &) {
    warnings.push_back(fmt::format("not enough memory for the DWARF of {}", path));
  }
  return handle;
}

void Module::State::begin_common_dwarf(const ElfImage &debug, const std::string &path) {
  auto common = find_common_debug_file(debug, path, *files, options);
  if (!common) {
    if (!common.error().message().empty())
      warnings.push_back(common.error().message());
    return;
  }
  common_file = std::move(*common);
  warn_of_dropped_sections(common_file->image, common_file->path);
  common_dwarf = begin(common_file->image.elf(), common_file->path);
  if (common_dwarf)
    dwarf_setalt(dwarf.get(), common_dwarf.get());
}

void Module::State::begin_dwarf() {
  if (tried_dwarf)
    return;
  if (const ElfImage *debug = debug_image()) {
    const std::string path = debug_info_reason;
    if (!dwarf)
      dwarf = begin(debug->elf(), path);
    if (dwarf)
      begin_common_dwarf(*debug, path);
    else
      debug_info_reason = fmt::format("the DWARF in {} cannot be read", path);
  }
  tried_dwarf = true; // not if it was cancelled
}

void Module::State::open_package(const ElfImage &debug) {
  auto found = find_split_package({input.path, debug_info_reason}, build_id, *files, options);
  if (!found)
    return; // nearly always
  auto opened = SplitPackage::open(std::move(found->image), debug);
  if (opened)
    package = std::move(*opened);
  else
    warnings.push_back(fmt::format("{}: {}", found->path, opened.error().message()));
}

Module::Module(std::unique_ptr<State> state) : state_(std::move(state)) {}
Module::~Module() = default;

Result<std::unique_ptr<Module>> Module::open(ModuleInput input, const MemoryView &memory, const FileSource &files,
                                             const ModuleOptions &options) {
  if (input.segments.empty())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("nothing of {} is mapped", input.path)));
  auto state = std::make_unique<State>();
  state->input = std::move(input);
  state->files = &files;
  state->options = options;
  if (auto loaded = state->load(memory); !loaded)
    return std::unexpected(loaded.error());
  return std::unique_ptr<Module>(new Module(std::move(state)));
}

const std::string &Module::path() const {
  return state_->input.path;
}

std::string_view Module::name() const {
  const std::string_view path = state_->input.path;
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

LoadBias Module::bias() const {
  return state_->bias;
}

RunRange Module::range() const {
  return {state_->ranges.front().begin, state_->ranges.back().end};
}

const std::vector<RunRange> &Module::ranges() const {
  return state_->ranges;
}

bool Module::contains(RunAddress address) const {
  const auto after = std::ranges::upper_bound(state_->ranges, address, {}, &RunRange::begin);
  return after != state_->ranges.begin() && std::prev(after)->contains(address);
}

const std::vector<std::uint8_t> &Module::build_id() const {
  return state_->build_id;
}

bool Module::from_memory() const {
  return state_->from_memory;
}

Elf *Module::elf() {
  return state_->image->elf();
}

const ElfImage &Module::image() const {
  return *state_->image;
}

Dwarf *Module::dwarf() {
  state_->begin_dwarf();
  return state_->dwarf.get();
}

Elf *Module::debug_elf() {
  const ElfImage *image = state_->debug_image();
  return image != nullptr ? image->elf() : nullptr;
}

int Module::debug_descriptor() {
  const ElfImage *image = state_->debug_image();
  return image != nullptr ? image->descriptor() : -1;
}

SkeletonFile Module::skeleton_file() {
  return {.descriptor = debug_descriptor(), .files = state_->files, .unusable = [this](const Error &error) {
            if (!std::exchange(state_->warned_of_split_file, true))
              add_warning(missing_split_file(error));
          }};
}

const FileSource &Module::files() const {
  return *state_->files;
}

int Module::common_descriptor() {
  const ElfImage *image = state_->debug_image();
  if (image == nullptr || !image->section(".gnu_debugaltlink"))
    return -1; // without a look at the DWARF
  state_->begin_dwarf();
  return state_->common_file ? state_->common_file->image.descriptor() : -1;
}

SplitPackage *Module::split_package() {
  if (dwarf() != nullptr && !std::exchange(state_->tried_package, true))
    state_->open_package(*state_->debug_image());
  return state_->package.get();
}

const ElfImage *Module::separate_debug_image() {
  state_->find_debug_file();
  return state_->debug_file ? &state_->debug_file->image : nullptr;
}

const ElfImage *Module::mini_debug_image() {
  if (!std::exchange(state_->tried_mini, true)) {
    auto mini = read_mini_debug_info(*state_->image, state_->input.path);
    if (mini)
      state_->mini = std::move(*mini);
    else if (!mini.error().message().empty())
      state_->warnings.push_back(mini.error().message());
  }
  return state_->mini ? &*state_->mini : nullptr;
}

const std::string &Module::debug_info_reason() {
  state_->begin_dwarf();
  return state_->debug_info_reason;
}

std::uint64_t Module::debug_offset() {
  const ElfImage *debug = separate_debug_image();
  if (debug == nullptr)
    return 0;
  const auto is_load = [](const Elf64_Phdr &segment) { return segment.p_type == PT_LOAD; };
  const auto in_debug = std::ranges::find_if(debug->segments(), is_load);
  const auto in_image = std::ranges::find_if(state_->image->segments(), is_load);
  if (in_debug == debug->segments().end() || in_image == state_->image->segments().end())
    return 0;
  return in_debug->p_vaddr - in_image->p_vaddr;
}

const MemoryView &Module::file_memory() const {
  return state_->file_memory;
}

void Module::add_warning(std::string warning) {
  state_->warnings.push_back(std::move(warning));
}

void Module::warn_of_missing_memory() {
  add_warning(fmt::format("not enough memory to read all of {}", path()));
}

std::shared_ptr<void> &Module::kept_reader(const std::type_index &type) {
  return state_->readers[type];
}

std::vector<std::string> Module::take_warnings() {
  return std::exchange(state_->warnings, {});
}

} // namespace inspect
