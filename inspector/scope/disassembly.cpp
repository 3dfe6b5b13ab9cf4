#include "inspector/scope/disassembly.h"

#include "dwarf/symbols/symbol_table.h"

#include <Zydis/Zydis.h>
#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t max_range_size = 16ULL << 20;

struct Named {
  std::string name;
  std::uint64_t offset = 0;
};

/// Go programs name their functions, stripped or not.
std::optional<GoFunction> go_function_at(Target &target, RunAddress address) {
  const auto runtime = target.go_runtime();
  const GoImage *image = runtime ? (*runtime)->find(address) : nullptr;
  return image != nullptr ? image->table->find(address) : std::nullopt;
}

Named go_name_of(Target &target, RunAddress address) {
  const auto function = go_function_at(target, address);
  return function ? Named{std::string(function->name), address - function->entry} : Named{};
}

Named name_of(Target &target, RunAddress address) {
  Module *module = target.modules().find(address);
  if (module == nullptr)
    return go_name_of(target, address);
  const LinkAddress linked = module->bias().to_link(address);
  const auto symbol = symbols_of(*module).at(linked);
  if (!symbol)
    return go_name_of(target, address);
  const std::string name = demangle(symbol->name);
  return {symbol->is_plt && !name.ends_with("@plt") ? name + "@plt" : name, linked - symbol->address};
}

std::string with_offset(const Named &named) {
  return named.name.empty() || named.offset == 0 ? named.name : fmt::format("{}+{:#x}", named.name, named.offset);
}

/// Decoder and formatter of one flavour.
class Disassembler {
public:
  Disassembler(Target &target, AssemblyFlavor flavor) : target_(target) {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&formatter_,
                       flavor == AssemblyFlavor::att ? ZYDIS_FORMATTER_STYLE_ATT : ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
    ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_FORCE_SIZE, ZYAN_TRUE);
    for (const auto padding : {ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_FORMATTER_PROP_DISP_PADDING,
                               ZYDIS_FORMATTER_PROP_IMM_PADDING})
      ZydisFormatterSetProperty(&formatter_, padding, ZYDIS_PADDING_DISABLED);
  }

  Instruction decode(RunAddress at, std::span<const std::byte> code) {
    Instruction result;
    result.address = at;
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands{};
    const auto decoded = ZydisDecoderDecodeFull(&decoder_, code.data(), code.size(), &instruction, operands.data());
    std::array<char, 256> text{};
    if (!ZYAN_SUCCESS(decoded) || !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
                                      &formatter_, &instruction, operands.data(), instruction.operand_count_visible,
                                      text.data(), text.size(), at.value, nullptr))) {
      result.bytes.assign(code.begin(), code.begin() + 1);
      result.text = "(bad)";
      return result;
    }
    result.bytes.assign(code.begin(), code.begin() + instruction.length);
    result.text = text.data();
    const std::span visible(operands.data(), instruction.operand_count_visible);
    for (const ZydisDecodedOperand &operand : visible)
      add_reference(result, instruction, operand);
    return result;
  }

private:
  void add_reference(Instruction &result, const ZydisDecodedInstruction &instruction,
                     const ZydisDecodedOperand &operand) {
    const bool branch = operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand.imm.is_relative == ZYAN_TRUE;
    const bool data = operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.base == ZYDIS_REGISTER_RIP;
    ZyanU64 absolute = 0;
    if ((!branch && !data) ||
        !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction, &operand, result.address.value, &absolute)))
      return;
    result.refers_to = with_offset(name_of(target_, RunAddress{absolute}));
    result.is_branch = branch;
  }

  Target &target_;
  ZydisDecoder decoder_{};
  ZydisFormatter formatter_{};
};

} // namespace

std::string describe_address(Target &target, RunAddress address) {
  return with_offset(name_of(target, address));
}

Result<RunRange> function_range(Target &target, RunAddress address) {
  Module *module = target.modules().find(address);
  const auto symbol = module == nullptr ? std::nullopt : symbols_of(*module).at(module->bias().to_link(address));
  if (const auto function = symbol ? std::nullopt : go_function_at(target, address))
    return RunRange{function->entry, function->end};
  if (!symbol)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("no function is known at {:#x}", address.value),
                                 "disassemble -a START END"));
  const RunAddress begin = module->bias().to_run(symbol->address);
  if (symbol->size != 0)
    return RunRange{begin, begin + symbol->size};
  // Hand-written assembly often has no size: then up to the next symbol, and never beyond the module.
  RunAddress end = module->range().end;
  symbols_of(*module).each([&](const Symbol &next) {
    if (next.address <= symbol->address)
      return true;
    end = std::min(end, module->bias().to_run(next.address));
    return false;
  });
  return RunRange{begin, end};
}

Result<std::vector<Instruction>> disassemble(Target &target, RunRange range, AssemblyFlavor flavor, std::size_t limit,
                                             const Cancellation &cancellation) {
  if (range.size() == 0)
    return std::unexpected(Error(ErrorKind::usage, "the range to disassemble is empty"));
  if (range.size() > max_range_size)
    return std::unexpected(Error(ErrorKind::usage, "the range to disassemble is larger than 16 MiB"));
  // The last instruction may reach beyond the end.
  std::vector<std::byte> code(range.size() + ZYDIS_MAX_INSTRUCTION_LENGTH - 1);
  if (!target.memory().read(range.begin, code)) {
    code.resize(range.size());
    if (auto read = target.memory().read(range.begin, code); !read)
      return std::unexpected(read.error());
  }
  Disassembler disassembler(target, flavor);
  std::vector<Instruction> instructions;
  for (std::size_t at = 0; at < range.size() && instructions.size() < limit;) {
    if (cancellation.requested())
      return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
    const RunAddress address = range.begin + at;
    Instruction instruction = disassembler.decode(address, std::span(code).subspan(at));
    at += instruction.bytes.size();
    Named function = name_of(target, address);
    instruction.function = std::move(function.name);
    instruction.offset = function.offset;
    if (const Symbolized &where = target.symbolizer().at(address); !where.frames.empty()) {
      instruction.file = where.frames.front().file;
      instruction.line = where.frames.front().line;
    }
    instructions.push_back(std::move(instruction));
  }
  return instructions;
}

} // namespace inspect
