// std::coroutine_handle: which coroutine it is, where that is suspended, and its promise, in which lies who awaits it.
//
// Sources: the coroutine ABI that GCC, clang and MSVC share (a frame begins with the functions that resume and destroy
// it; the first is null at the final suspension point); GCC's gcc/cp/coroutines.cc (_Coro_resume_index, even from 2
// on), LLVM's docs/Coroutines.rst (.resume, .destroy; __coro_index).
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/variables/frame_variables.h"
#include "values/native/native_layout.h"
#include "values/native/symbol_text.h"
#include "values/printers/library_object.h"
#include "values/printers/library_type_name.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <span>
#include <vector>

namespace inspect {
namespace {

using View = std::optional<LibraryView>;

constexpr std::uint64_t frame_header = 16; ///< the two functions

/// "inner(int, std::string)" of GCC's "inner(inner(int, …)::_Z5inneri….Frame*) [clone .actor]" and clang's
/// "inner(int, …) [clone .resume]"; empty: none of a coroutine.
std::string coroutine_name(const std::string &function) {
  const std::size_t clone = function.find(" [clone .");
  if (clone == std::string::npos)
    return {};
  const std::string whole = function.substr(0, clone);
  const std::size_t frame = whole.rfind(".Frame*)");
  if (frame == std::string::npos)
    return short_type_name(whole);
  const std::size_t begin = whole.find('(');
  const std::size_t end = whole.find("::_Z", begin);
  return begin == std::string::npos || end == std::string::npos
             ? std::string()
             : short_type_name(whole.substr(begin + 1, end - begin - 1));
}

/// The frame as its own type, which the function that resumes or destroys it has as a parameter or a variable.
std::optional<LibraryObject> frame_in(RunAddress frame, RunAddress function, const LibraryObject &around) {
  Module *module = around.environment().modules.find(function);
  if (module == nullptr)
    return std::nullopt;
  TypeReader &types = around.environment().types;
  for (const FunctionScope &scope : function_scopes(lines_of(*module), module->bias().to_link(function)))
    for (const ScopeVariable &variable : scope.variables) {
      if (variable.name == "frame_ptr")
        return around.at(frame, types.underlying(variable.type).target);
      if (variable.name == "__coro_frame")
        return around.at(frame, variable.type);
    }
  return std::nullopt;
}

/// Up to version 16 clang has the variable in the function that starts the coroutine alone: "f", of "f.destroy".
std::optional<LibraryObject> frame_object(RunAddress frame, RunAddress destroy, const std::string &mangled,
                                          const LibraryObject &around) {
  if (auto object = frame_in(frame, destroy, around))
    return object;
  const std::string starts = mangled.substr(0, mangled.rfind('.'));
  const auto function = address_of_symbol(starts, around.environment());
  return function ? frame_in(frame, *function, around) : std::nullopt;
}

/// The number of the point where a coroutine goes on, as its frame has it.
struct ResumeIndex {
  std::uint64_t offset = 0; ///< in the frame
  std::size_t size = 0;     ///< 1, 2, 4 bytes
  std::uint64_t number = 0;
};

/// Of older clangs a bit-field, of which the other bits are not used.
std::optional<ResumeIndex> resume_index(const LibraryObject &frame, std::string_view name) {
  for (const DwarfMember &member : frame.type().members) {
    if (member.name != name)
      continue;
    const std::uint64_t size = frame.environment().types.size_of(member.type).value_or(0);
    const std::uint64_t offset = member.bit_size ? member.bit_offset / 8 : member.offset;
    const bool is_whole = member.bit_offset % 8 == 0 && (size == 1 || size == 2 || size == 4);
    const auto number = is_whole ? frame.source().unsigned_at(offset, size) : std::nullopt;
    return number ? std::optional(ResumeIndex{offset, static_cast<std::size_t>(size), *number}) : std::nullopt;
  }
  return std::nullopt;
}

/// An instruction that stores to a displacement from an address in a register.
struct Store {
  std::optional<unsigned> source; ///< a register; nothing: `immediate`
  std::uint64_t immediate = 0;
};

/// MOV r/m, imm and MOV r/m, r of the index' size to the index' place in the frame, at the front of the code.
///
/// Source: Intel SDM volume 2, chapter 2 (prefixes, ModR/M) and MOV.
std::optional<Store> store_of_index(std::span<const std::uint8_t> code, const ResumeIndex &index) {
  std::size_t at = 0;
  const auto next = [&]() -> unsigned { return at < code.size() ? code[at++] : 0U; };
  const auto little_endian = [&](std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value |= std::uint64_t{next()} << (8 * i);
    return value;
  };
  if (index.size == 2 && next() != 0x66)
    return std::nullopt;
  unsigned opcode = next();
  unsigned extension = 0;
  if ((opcode & 0xf0U) == 0x40 && (opcode & 0x08U) == 0) { // REX without a wider operand
    extension = opcode & 0x04U;
    opcode = next();
  }
  const bool is_immediate = opcode == (index.size == 1 ? 0xc6U : 0xc7U);
  const unsigned modes = next();
  const unsigned mode = modes >> 6;
  const unsigned source = (modes >> 3 & 7U) | extension << 1;
  if ((!is_immediate && opcode != (index.size == 1 ? 0x88U : 0x89U)) || (is_immediate && source != 0) ||
      (mode != 1 && mode != 2))
    return std::nullopt;
  if ((modes & 7U) == 4) // a SIB byte
    next();
  if (little_endian(mode == 1 ? 1 : 4) != index.offset)
    return std::nullopt;
  if (!is_immediate)
    return Store{.source = source};
  return Store{.source = std::nullopt, .immediate = little_endian(index.size)};
}

/// Whether the code ends by loading the number into the register (MOV r32, imm32), a few instructions before at most.
bool loads_number(std::span<const std::uint8_t> code, unsigned register_number, std::uint64_t number) {
  constexpr std::size_t load_size = 5;
  constexpr std::size_t furthest = 48;
  for (std::size_t back = load_size; back <= std::min(furthest, code.size()); ++back) {
    const std::size_t at = code.size() - back;
    const bool is_extended = at > 0 && code[at - 1] == 0x41;
    if (code[at] != 0xb8U + (register_number & 7U) || is_extended != (register_number > 7))
      continue;
    std::uint64_t loaded = 0;
    for (std::size_t i = load_size; i-- > 1;)
      loaded = loaded << 8 | code[at + i];
    return loaded == number;
  }
  return false;
}

bool stores_index(std::span<const std::uint8_t> code, std::size_t at, const ResumeIndex &index) {
  const auto store = store_of_index(code.subspan(at), index);
  if (!store)
    return false;
  return store->source ? loads_number(code.first(at), *store->source, index.number) : store->immediate == index.number;
}

/// "file.cpp:59": where the coroutine notes this number as the one to resume at, just before it suspends itself. Empty
/// where that is not found in its code, or at several lines.
std::string line_of_suspension(const LibraryObject &frame, const ResumeIndex &index, RunAddress resume) {
  constexpr std::size_t most_code = 1 << 18;
  ValueEnvironment &environment = frame.environment();
  Module *module = environment.modules.find(resume);
  if (module == nullptr)
    return {};
  LineResolver &lines = lines_of(*module);
  const auto range = lines.function_range(module->bias().to_link(resume));
  if (!range || range->end - range->begin > most_code)
    return {};
  std::vector<std::uint8_t> code(static_cast<std::size_t>(range->end - range->begin));
  if (!environment.memory.read(module->bias().to_run(range->begin), std::as_writable_bytes(std::span(code))))
    return {};
  std::string line;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (!stores_index(code, i, index))
      continue;
    const auto frames = lines.at(range->begin + i);
    if (frames.empty() || frames.back().line == 0)
      continue;
    const std::string &file = frames.back().file;
    const std::string here = fmt::format("{}:{}", file.substr(file.rfind('/') + 1), frames.back().line);
    if (!line.empty() && line != here)
      return {};
    line = here;
  }
  return line;
}

/// "last suspended at file.cpp:59", where it still is unless it runs; without the line, the number of the point. GCC
/// counts in steps of two, and the first is the initial one.
std::string place_of(const std::optional<LibraryObject> &frame, RunAddress resume) {
  if (!frame)
    return "not done";
  const auto place = [&](const ResumeIndex &index, std::uint64_t point) -> std::string {
    if (point == 0)
      return "last suspended at its start";
    const std::string line = line_of_suspension(*frame, index, resume);
    return line.empty() ? fmt::format("last suspended at its point {}", point)
                        : fmt::format("last suspended at {}", line);
  };
  if (const auto index = resume_index(*frame, "_Coro_resume_index"); index && index->number >= 2)
    return place(*index, index->number / 2 - 1);
  if (const auto index = resume_index(*frame, "__coro_index"))
    return place(*index, index->number);
  return "not done";
}

View handle(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject object(value, environment);
  const auto pointer = object.pointer({"_M_fr_ptr", "__handle_"});
  if (!pointer)
    return std::nullopt;
  const RunAddress frame = pointer->address;
  if (frame.value == 0)
    return plain_view("std::coroutine_handle (null)");
  const auto resume = read_word(environment.memory, frame);
  const auto destroy = read_word(environment.memory, frame + 8);
  if (!resume || !destroy)
    return broken_view("std::coroutine_handle",
                       fmt::format("no coroutine at 0x{:x}: the memory cannot be read", frame.value));
  const auto place = symbol_place(RunAddress{*destroy}, environment);
  if (!place || place->offset != 0)
    return broken_view("std::coroutine_handle", fmt::format("no coroutine at 0x{:x}: destroyed?", frame.value));
  const std::string name = coroutine_name(place->name);
  if (name.empty())
    return plain_view(fmt::format("std::coroutine_handle of {}", place->name));
  const bool is_done = *resume == 0;
  const auto whole = frame_object(frame, RunAddress{*destroy}, place->mangled, object);
  std::string label =
      fmt::format("std::coroutine_handle of {}, {}", name, is_done ? "done" : place_of(whole, RunAddress{*resume}));
  // A handle of no particular promise has the one that the frame's type tells.
  const auto argument = object.type_argument(0);
  if (argument && !argument->is_void()) {
    const std::uint64_t offset = round_up(frame_header, alignment_of(environment.types, *argument));
    return single_view(std::move(label), "promise", object.at(frame + offset, *argument));
  }
  const auto promise = whole ? whole->member({"_Coro_promise", "__promise"}) : std::nullopt;
  return promise ? single_view(std::move(label), "promise", *promise) : plain_view(std::move(label));
}

} // namespace

std::span<const LibraryType> cpp_coroutine_types() {
  static constexpr LibraryType types[] = {
      {"std::coroutine_handle", handle},
  };
  return types;
}

} // namespace inspect
