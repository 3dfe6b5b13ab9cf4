#include "inspector/scope/frame_stores.h"

#include <Zydis/Zydis.h>
#include <algorithm>
#include <array>

namespace inspect {
namespace {

/// More than any function whose arguments somebody looks at has before its first call.
constexpr std::uint64_t max_code = 64 << 10;

bool is_move(ZydisMnemonic mnemonic) {
  static constexpr std::array moves = {ZYDIS_MNEMONIC_MOV,    ZYDIS_MNEMONIC_MOVSD,  ZYDIS_MNEMONIC_MOVSS,
                                       ZYDIS_MNEMONIC_MOVUPS, ZYDIS_MNEMONIC_MOVUPD, ZYDIS_MNEMONIC_MOVQ,
                                       ZYDIS_MNEMONIC_MOVD,   ZYDIS_MNEMONIC_MOVDQU};
  return std::ranges::find(moves, mnemonic) != moves.end();
}

} // namespace

std::vector<RunAddress> frame_stores(RunRange code, RunAddress stack_pointer, const MemoryView &memory) {
  std::vector<RunAddress> stores;
  if (code.end <= code.begin || code.end - code.begin > max_code)
    return stores;
  std::vector<std::byte> bytes(static_cast<std::size_t>(code.end - code.begin));
  if (!memory.read(code.begin, bytes))
    return stores;
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  for (std::span<const std::byte> rest = bytes; !rest.empty();) {
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands{};
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, rest.data(), rest.size(), &instruction, operands.data())))
      return stores;
    const ZydisDecodedOperand &to = operands[0];
    if (is_move(instruction.mnemonic) && to.type == ZYDIS_OPERAND_TYPE_MEMORY && to.mem.base == ZYDIS_REGISTER_RSP &&
        to.mem.index == ZYDIS_REGISTER_NONE && operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
      stores.push_back(stack_pointer + static_cast<std::uint64_t>(to.mem.disp.value));
    rest = rest.subspan(instruction.length);
  }
  return stores;
}

} // namespace inspect
