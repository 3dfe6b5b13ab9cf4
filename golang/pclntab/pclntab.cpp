#include "golang/pclntab/pclntab.h"

#include "dwarf/raw/elf/byte_reader.h"
#include "golang/pclntab/function_name.h"
#include "golang/pclntab/function_tables.h"
#include "golang/pclntab/image_bytes.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <string>
#include <unordered_map>
#include <vector>

namespace inspect {
namespace {

// The compiler inlines calls in inlined calls, but not thousands deep: the end for a tree that is damaged.
constexpr int max_inlined_calls = 1000;
constexpr std::uint32_t no_offset = ~std::uint32_t{0};

// internal/abi/symtab.go, FuncFlag.
constexpr std::uint8_t top_frame_flag = 1;
constexpr std::uint8_t writes_stack_pointer_flag = 2;
constexpr std::uint8_t assembly_flag = 4;

template <typename T> T number_at(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value{};
  if (offset <= bytes.size() && sizeof value <= bytes.size() - offset)
    std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::span<const std::byte> rest_of(std::span<const std::byte> bytes, std::uint64_t offset) {
  return offset < bytes.size() ? bytes.subspan(offset) : std::span<const std::byte>{};
}

/// The text up to the NUL at `offset`; empty where there is none.
std::string_view text_at(std::span<const std::byte> bytes, std::uint64_t offset) {
  const auto rest = rest_of(bytes, offset);
  const auto *begin = reinterpret_cast<const char *>(rest.data());
  const void *end = rest.empty() ? nullptr : std::memchr(begin, 0, rest.size());
  return end != nullptr ? std::string_view(begin, static_cast<const char *>(end)) : std::string_view{};
}

/// Before 1.17 no flag says so: runtime/traceback.go, topofstack, Go 1.16.
bool ends_stacks_by_func_id(GoFuncId func_id) {
  switch (func_id) {
  case GoFuncId::goexit:
  case GoFuncId::mstart:
  case GoFuncId::mcall:
  case GoFuncId::morestack:
  case GoFuncId::rt0_go:
    return true;
  default:
    return false;
  }
}

/// The functions of a table by name: as linked, and as printed where that differs.
class FunctionNameIndex {
public:
  explicit FunctionNameIndex(const Pclntab &table, GoVersion version);
  /// Indices of the functions of this name, ascending.
  const std::vector<std::size_t> &find(std::string_view name) const;

private:
  std::unordered_map<std::string_view, std::vector<std::size_t>> linked_;
  std::unordered_map<std::string, std::vector<std::size_t>> printed_;
};

FunctionNameIndex::FunctionNameIndex(const Pclntab &table, GoVersion version) {
  for (std::size_t i = 0; i < table.function_count(); ++i) {
    const auto function = table.function(i);
    if (!function || function->name.empty())
      continue;
    linked_[function->name].push_back(i);
    if (std::string printed = printed_function_name(function->name, version); printed != function->name)
      printed_[std::move(printed)].push_back(i);
  }
}

const std::vector<std::size_t> &FunctionNameIndex::find(std::string_view name) const {
  static const std::vector<std::size_t> none;
  if (const auto found = linked_.find(name); found != linked_.end())
    return found->second;
  const auto found = printed_.find(std::string(name));
  return found != printed_.end() ? found->second : none;
}

} // namespace

struct Pclntab::State {
  ModuleData data;
  PclntabFormat format;
  GoVersion version;
  FuncIdTable func_ids;
  ImageBytes bytes;
  std::span<const std::byte> names, units, files, pc_tables, records, functions;
  std::optional<FunctionNameIndex> by_name; ///< built on first use

  State(const ModuleData &module_data, GoVersion go_version, const MemoryView &memory, const Module *module)
      : data(module_data), format(data.table.format), version(go_version), func_ids(version, format),
        bytes(memory, module) {}

  Result<void> load();
  void learn_func_ids();
  bool before_flags() const { return format == PclntabFormat::go1_16 && version < GoVersion{1, 17}; }
  std::size_t count() const { return data.function_table.length - 1; }
  std::size_t entry_size() const { return format == PclntabFormat::go1_16 ? 16 : 8; }
  RunAddress entry(std::size_t index) const;
  std::uint64_t record_offset(std::size_t index) const;
  std::size_t index_of(RunAddress pc) const;
  std::optional<FunctionRecord> record(const GoFunction &function) const {
    return read_function_record(rest_of(records, function.record), format);
  }
  std::optional<std::int32_t> value(std::uint32_t table, const GoFunction &function, RunAddress pc) const;
  std::string_view file(const FunctionRecord &record, const GoFunction &function, RunAddress pc) const;
  void set_place(GoSourceFrame &frame, const FunctionRecord &record, const GoFunction &function, RunAddress pc) const;
};

Result<void> Pclntab::State::load() {
  const auto keep = [this](const GoSlice &table, std::size_t element,
                           std::span<const std::byte> &into) -> Result<void> {
    auto kept = bytes.keep(table.data, table.length * element);
    if (!kept)
      return std::unexpected(kept.error());
    into = *kept;
    return {};
  };
  // The records first: the function table lies within them.
  const struct {
    const GoSlice &table;
    std::size_t element;
    std::span<const std::byte> &into;
  } tables[] = {
      {data.function_records, 1, records}, {data.function_table, entry_size(), functions},
      {data.function_names, 1, names},     {data.compilation_units, sizeof(std::uint32_t), units},
      {data.file_names, 1, files},         {data.pc_tables, 1, pc_tables},
  };
  for (const auto &table : tables)
    if (auto kept = keep(table.table, table.element, table.into); !kept)
      return kept;
  if (entry(0) != data.pcs.begin || entry(count()) != data.pcs.end)
    return std::unexpected(Error(ErrorKind::corrupt, "the Go function table does not cover the program's functions"));
  if (func_ids.guessed())
    learn_func_ids();
  return {};
}

void Pclntab::State::learn_func_ids() {
  for (std::size_t i = 0; i < count(); ++i)
    if (const auto one = read_function_record(rest_of(records, record_offset(i)), format); one && one->id != 0)
      func_ids.learn(text_at(names, one->name), one->id);
}

RunAddress Pclntab::State::entry(std::size_t index) const {
  const std::uint64_t at = index * entry_size();
  return format == PclntabFormat::go1_16 ? RunAddress{number_at<std::uint64_t>(functions, at)}
                                         : data.text.begin + number_at<std::uint32_t>(functions, at);
}

std::uint64_t Pclntab::State::record_offset(std::size_t index) const {
  const std::uint64_t at = index * entry_size();
  return format == PclntabFormat::go1_16 ? number_at<std::uint64_t>(functions, at + 8)
                                         : number_at<std::uint32_t>(functions, at + 4);
}

/// The last function that begins at or before `pc`.
std::size_t Pclntab::State::index_of(RunAddress pc) const {
  std::size_t low = 0;
  std::size_t high = count();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (entry(middle) <= pc ? low : high) = middle;
  }
  return low;
}

std::optional<std::int32_t> Pclntab::State::value(std::uint32_t table, const GoFunction &function,
                                                  RunAddress pc) const {
  if (table == 0 || pc < function.entry)
    return std::nullopt;
  return pc_value(rest_of(pc_tables, table), pc - function.entry);
}

std::string_view Pclntab::State::file(const FunctionRecord &record, const GoFunction &function, RunAddress pc) const {
  const auto number = value(record.files, function, pc);
  if (!number || *number < 0)
    return "?";
  const std::uint64_t at = (std::uint64_t{record.compilation_unit} + static_cast<std::uint32_t>(*number)) * 4;
  if (at + 4 > units.size())
    return "?";
  const auto offset = number_at<std::uint32_t>(units, at);
  const std::string_view name = offset != no_offset ? text_at(files, offset) : std::string_view{};
  return name.empty() ? "?" : name;
}

void Pclntab::State::set_place(GoSourceFrame &frame, const FunctionRecord &record, const GoFunction &function,
                               RunAddress pc) const {
  frame.file = file(record, function, pc);
  const auto line = value(record.lines, function, pc);
  frame.line = line && *line > 0 ? *line : 0;
}

Pclntab::Pclntab(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pclntab::~Pclntab() = default;

Result<std::unique_ptr<Pclntab>> Pclntab::read(const ModuleData &data, GoVersion version, const MemoryView &memory,
                                               const Module *module) {
  // Before 1.18 the tables hold addresses, which the loader relocates in position-independent images only.
  const bool as_in_file = module != nullptr && (data.table.format != PclntabFormat::go1_16 ||
                                                module->bias() == LoadBias{} || module->from_memory());
  auto state = std::make_unique<State>(data, version, memory, as_in_file ? module : nullptr);
  if (auto loaded = state->load(); !loaded)
    return std::unexpected(loaded.error());
  return std::unique_ptr<Pclntab>(new Pclntab(std::move(state)));
}

std::size_t Pclntab::function_count() const {
  return state_->count();
}

std::optional<GoFunction> Pclntab::function(std::size_t index) const {
  if (index >= state_->count())
    return std::nullopt;
  const std::uint64_t offset = state_->record_offset(index);
  const auto record = read_function_record(rest_of(state_->records, offset), state_->format);
  if (!record)
    return std::nullopt;
  GoFunction function;
  function.entry = state_->entry(index);
  function.end = state_->entry(index + 1);
  function.name = text_at(state_->names, record->name);
  function.func_id = state_->func_ids.of(record->id, function.name);
  function.top_frame =
      (record->flags & top_frame_flag) != 0 || (state_->before_flags() && ends_stacks_by_func_id(function.func_id));
  function.writes_stack_pointer = (record->flags & writes_stack_pointer_flag) != 0;
  function.assembly = (record->flags & assembly_flag) != 0;
  function.arguments_size = record->arguments_size;
  function.defer_return = record->defer_return;
  function.start_line = record->start_line;
  function.record = offset;
  return function;
}

std::optional<GoFunction> Pclntab::find(RunAddress pc) const {
  if (!state_->data.pcs.contains(pc))
    return std::nullopt;
  auto found = function(state_->index_of(pc));
  if (found && (pc < found->entry || pc >= found->end))
    return std::nullopt; // the table is not sorted: damaged
  return found;
}

std::vector<GoFunction> Pclntab::find_all(std::string_view name) const {
  if (!state_->by_name)
    state_->by_name.emplace(*this, state_->version);
  std::vector<GoFunction> found;
  for (const std::size_t index : state_->by_name->find(name))
    found.push_back(*function(index));
  return found;
}

std::optional<GoFunction> Pclntab::find(std::string_view name) const {
  const std::vector<GoFunction> all = find_all(name);
  if (all.empty())
    return std::nullopt;
  const auto plain =
      std::ranges::find_if(all, [](const GoFunction &function) { return function.func_id != GoFuncId::wrapper; });
  return plain != all.end() ? *plain : all.front();
}

std::optional<std::int32_t> Pclntab::stack_delta(const GoFunction &function, RunAddress pc) const {
  const auto record = state_->record(function);
  const auto delta = record ? state_->value(record->stack_deltas, function, pc) : std::nullopt;
  return delta && *delta >= 0 && *delta % 8 == 0 ? delta : std::nullopt;
}

std::optional<std::int32_t> Pclntab::pc_data(const GoFunction &function, GoPcData table, RunAddress pc) const {
  const auto record = state_->record(function);
  const auto index = static_cast<std::uint32_t>(table);
  if (!record || index >= record->pc_data_count)
    return std::nullopt;
  const std::uint64_t at = function.record + record->size + std::uint64_t{index} * 4;
  return state_->value(number_at<std::uint32_t>(state_->records, at), function, pc);
}

std::optional<RunAddress> Pclntab::function_data(const GoFunction &function, GoFunctionData which) const {
  const auto record = state_->record(function);
  const auto index = static_cast<std::uint32_t>(which);
  if (!record || index >= record->function_data_count)
    return std::nullopt;
  std::uint64_t at = function.record + record->size + std::uint64_t{record->pc_data_count} * 4;
  if (state_->format == PclntabFormat::go1_16) {
    at += (state_->data.function_records.data.value + at) % 8; // the array of pointers is aligned
    const RunAddress address{number_at<std::uint64_t>(state_->records, at + std::uint64_t{index} * 8)};
    return address != RunAddress{} ? std::optional(address) : std::nullopt;
  }
  at += std::uint64_t{index} * 4;
  if (at + 4 > state_->records.size())
    return std::nullopt;
  const auto offset = number_at<std::uint32_t>(state_->records, at);
  return offset != no_offset ? std::optional(state_->data.function_data + offset) : std::nullopt;
}

std::vector<GoSourceFrame> Pclntab::frames(const GoFunction &function, RunAddress pc) const {
  std::vector<GoSourceFrame> frames;
  const auto record = state_->record(function);
  const auto tree = function_data(function, GoFunctionData::inline_tree);
  while (record && tree && frames.size() < max_inlined_calls) {
    const auto index = pc_data(function, GoPcData::inline_tree, pc);
    const auto call = index && *index >= 0
                          ? read_inlined_call(state_->bytes, *tree, static_cast<std::uint32_t>(*index), state_->format)
                          : std::nullopt;
    if (!call)
      break;
    GoSourceFrame frame;
    frame.function = text_at(state_->names, call->name);
    frame.func_id = state_->func_ids.of(call->id, frame.function);
    frame.start_line = call->start_line;
    frame.inlined = true;
    frame.pc = pc;
    state_->set_place(frame, *record, function, pc);
    frames.push_back(frame);
    pc = function.entry + call->parent_pc;
  }
  GoSourceFrame physical{function.name, "?", 0, function.func_id, false, function.start_line};
  physical.pc = pc;
  if (record)
    state_->set_place(physical, *record, function, pc);
  frames.push_back(physical);
  return frames;
}

std::vector<std::string_view> Pclntab::files() const {
  std::vector<std::string_view> all;
  ByteReader reader(state_->files);
  while (!reader.at_end())
    if (const std::string_view name = reader.string(); !name.empty())
      all.push_back(name);
  return all;
}

} // namespace inspect
