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
#include <fmt/format.h>

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
std::optional<LibraryObject> frame_object(RunAddress frame, RunAddress function, const LibraryObject &around) {
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

/// "last suspended at its point 2", where it still is unless it runs; GCC counts in steps of two, and the first is the
/// initial one.
std::string place_of(const std::optional<LibraryObject> &frame) {
  if (!frame)
    return "not done";
  if (const auto index = frame->number("_Coro_resume_index"); index && *index >= 2)
    return *index == 2 ? "last suspended at its start" : fmt::format("last suspended at its point {}", *index / 2 - 1);
  if (const auto index = frame->number("__coro_index"))
    return *index == 0 ? "last suspended at its start" : fmt::format("last suspended at its point {}", *index);
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
  const auto whole = frame_object(frame, RunAddress{*destroy}, object);
  std::string label = fmt::format("std::coroutine_handle of {}, {}", name, is_done ? "done" : place_of(whole));
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
