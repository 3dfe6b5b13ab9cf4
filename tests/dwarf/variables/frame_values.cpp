#include "tests/dwarf/variables/frame_values.h"

#include "dwarf/die/die.h"
#include "dwarf/location/runtime_bounds.h"
#include "dwarf/location/thread_local_storage.h"
#include "dwarf/symbolize/line_resolver.h"
#include "machine/x86_64/registers.h"

#include <dwarf.h>
#include <fmt/format.h>

namespace inspect::test {
namespace {

std::string function_name(Dwarf_Die function) {
  std::string name;
  each_description(function, [&](Dwarf_Die &one) {
    const char *text = string_attribute(one, DW_AT_name);
    name = text ? text : "";
    return name.empty();
  });
  return name.substr(0, name.find('<'));
}

template <typename Number> std::string number_text(const ValueSource &source) {
  Number number{};
  return source.read(0, std::as_writable_bytes(std::span(&number, 1))) ? fmt::format("{}", number) : "?";
}

std::string integer_text(const ValueSource &source, std::size_t size, bool is_signed) {
  const auto bits = source.unsigned_at(0, size);
  if (!bits)
    return "?";
  const unsigned unused = static_cast<unsigned>(64 - 8 * size);
  return is_signed ? fmt::format("{}", static_cast<std::int64_t>(*bits << unused) >> unused) : fmt::format("{}", *bits);
}

} // namespace

FrameValues::FrameValues(TracedTarget &target) : target_(target) {
  UnwindLimits limits;
  limits.keep_registers = true;
  stack_ = target.unwind(limits);
  const auto thread_pointer = target.registers().get(x86_64::fs_base);
  for (const Frame &one : stack_.frames) {
    FrameContext &frame = frames_.emplace_back();
    frame.module = target.modules().find(one.lookup_address());
    frame.pc = one.pc;
    frame.lookup = one.lookup_address();
    frame.registers = one.registers.get();
    if (one.cfa.value != 0)
      frame.cfa = one.cfa;
    frame.memory = &target.memory();
    frame.modules = &target.modules();
    frame.thread_local_address = [this, thread_pointer](Module &module, std::uint64_t offset) {
      return thread_local_address(module, offset, RunAddress{thread_pointer.value_or(0)}, target_.modules(),
                                  target_.memory());
    };
  }
  for (std::size_t i = 0; i + 1 < frames_.size(); ++i)
    frames_[i].caller = &frames_[i + 1];
  collect();
}

void FrameValues::collect() {
  std::size_t level = 0;
  for (const FrameContext &frame : frames_) {
    if (frame.module == nullptr) {
      ++level;
      continue;
    }
    LineResolver &lines = lines_of(*frame.module);
    const LinkAddress address = frame.module->bias().to_link(frame.lookup);
    const auto scopes = function_scopes(lines, address);
    for (const FunctionScope &scope : scopes) {
      for (const ScopeVariable &variable : scope.variables) {
        FrameValue value = value_of(variable, frame);
        value.level = level;
        value.function = function_name(scope.function);
        values_.push_back(std::move(value));
      }
      ++level;
    }
    if (scopes.empty())
      ++level;
  }
}

FrameValue FrameValues::value_of(const ScopeVariable &variable, const FrameContext &frame) {
  FrameValue value;
  value.variable = variable;
  auto location = locate(variable.die, frame);
  if (!location) {
    value.reason = location.error().message();
    if (variable.is_parameter)
      location = locate_at_entry(variable.die, frame);
  }
  if (!location) {
    value.reason += "; " + location.error().message();
    return value;
  }
  value.at_entry = location->at_entry;
  value.variable.type = with_bounds(variable.type, frame, types_);
  const auto source = read_location(*location, types_.size_of(value.variable.type).value_or(0), frame);
  if (!source) {
    value.reason = source.error().message();
    return value;
  }
  value.known = true;
  value.text = text_of(value.variable.type, *source, 0);
  return value;
}

std::string FrameValues::text_of(const TypeHandle &handle, const ValueSource &source, int depth) {
  const DwarfType &type = types_.underlying(handle);
  const std::uint64_t size = types_.size_of(handle).value_or(0);
  if (!type.members.empty() && depth < 3) {
    std::string text;
    for (const DwarfMember &member : type.members) {
      const auto word = source.unsigned_at(member.bit_offset / 8, 1);
      if (!text.empty())
        text += " ";
      if (member.bit_size)
        text += word && member.bit_offset % 8 + *member.bit_size <= 8
                    ? fmt::format("{}", *word >> (member.bit_offset % 8) & ((1U << *member.bit_size) - 1))
                    : "?";
      else
        text += text_of(member.type, source.at(member.offset), depth + 1);
    }
    return text;
  }
  if (type.kind == DwarfTypeKind::array && type.dimensions.size() == 1 && depth < 3) {
    std::string text;
    const std::uint64_t element = types_.size_of(type.target).value_or(1);
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(type.dimensions[0].value_or(0), 100); ++i)
      text += (text.empty() ? "" : " ") + text_of(type.target, source.at(i * element), depth + 1);
    return text;
  }
  if (type.kind == DwarfTypeKind::base && type.encoding == DW_ATE_float)
    return size == 4 ? number_text<float>(source) : number_text<double>(source);
  if (type.kind == DwarfTypeKind::base && size <= 8)
    return integer_text(source, size, type.encoding == DW_ATE_signed || type.encoding == DW_ATE_signed_char);
  if (const auto word = source.unsigned_at(0, 8); size == 8 && word)
    return fmt::format("{:#x}", *word);
  return "?";
}

FrameValue FrameValues::global(const std::string &name, RunAddress *address) {
  for (Module *module : target_.modules().modules()) {
    Dwarf_CU *unit = nullptr;
    Dwarf_Die root;
    std::uint8_t type = 0;
    while (module->dwarf() && dwarf_get_units(module->dwarf(), unit, &unit, nullptr, &type, &root, nullptr) == 0) {
      Dwarf_Die split{};
      if (type == DW_UT_skeleton &&
          dwarf_cu_info(unit, nullptr, nullptr, nullptr, &split, nullptr, nullptr, nullptr) == 0 && split.cu)
        root = split;
      std::optional<ScopeVariable> found;
      each_child(root, [&](Dwarf_Die &child, std::uint64_t) {
        const char *text = string_attribute(child, DW_AT_name);
        if (dwarf_tag(&child) == DW_TAG_variable && text && text == name) {
          found.emplace();
          found->name = name;
          found->die = child;
          found->type = type_of(child);
        }
        return !found;
      });
      if (!found)
        continue;
      FrameContext frame = frames_.front();
      frame.module = module;
      const auto location = locate(found->die, frame);
      if (location && address != nullptr)
        *address = location->pieces.front().address;
      return value_of(*found, frame);
    }
  }
  return {};
}

} // namespace inspect::test
