#include "dwarf/unwind/x86_64/instruction_walk.h"

#include "machine/x86_64/registers.h"

#include <Zydis/Zydis.h>
#include <algorithm>
#include <array>
#include <optional>
#include <sys/syscall.h>
#include <unordered_set>
#include <vector>

namespace inspect::x86_64 {
namespace {

/// Per frame: more than any epilogue is away in real code.
constexpr std::size_t max_instructions = 4000;
/// Sides of conditional jumps that wait to be tried.
constexpr std::size_t max_waiting = 256;

/// A value that the followed code stored; unknown values are kept too, as they hide what memory holds.
struct Store {
  std::uint64_t address;
  std::optional<std::uint64_t> value;
};

/// One way through the code.
struct Path {
  RunAddress pc;
  RegisterSet registers;
  std::vector<Store> stores;
};

struct Instruction {
  ZydisDecodedInstruction decoded;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  std::uint64_t next = 0; ///< the address behind it
};

/// The DWARF number of a general register, whatever part of it is named; none for others.
std::optional<unsigned> number_of(ZydisRegister part) {
  // In the order of Zydis' enumeration, which is that of the encoding.
  static constexpr std::array<unsigned, 16> numbers = {rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi,
                                                       r8,  r9,  r10, r11, r12, r13, r14, r15};
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, part);
  if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
    return std::nullopt;
  return numbers[static_cast<std::size_t>(whole - ZYDIS_REGISTER_RAX)];
}

class Follower {
public:
  Follower(CodeLookup &code, const MemoryView &memory, std::size_t &budget)
      : code_(code), memory_(memory), budget_(budget) {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  }

  WalkedOut run(const RegisterSet &registers, RunAddress pc) {
    waiting_.push_back({pc, registers, {}});
    while (!waiting_.empty()) {
      Path path = std::move(waiting_.back());
      waiting_.pop_back();
      follow(path);
      if (found_.kind != WalkedOut::Kind::nowhere)
        return found_;
    }
    return by_jump_;
  }

private:
  using Value = std::optional<std::uint64_t>;

  void follow(Path &path) {
    Instruction instruction;
    while (seen_.size() < max_instructions && budget_ > 0 && seen_.insert(path.pc.value).second) {
      --budget_;
      if (!decode(path.pc, instruction) || !execute(path, instruction))
        return;
    }
  }

  bool decode(RunAddress pc, Instruction &instruction) {
    std::array<std::byte, ZYDIS_MAX_INSTRUCTION_LENGTH> bytes;
    std::size_t size = bytes.size();
    while (size > 0 && !code_.read(pc, std::span(bytes).first(size)))
      --size; // the last instruction of a mapping
    if (size == 0 || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, bytes.data(), size, &instruction.decoded,
                                                          instruction.operands.data())))
      return false;
    instruction.next = pc.value + instruction.decoded.length;
    return true;
  }

  /// Carries out one instruction and moves on; false: the path ends here.
  bool execute(Path &path, const Instruction &instruction);
  bool jump(Path &path, const Instruction &instruction);
  void leave_by_return(Path &path, bool by_jump);
  void call(Path &path);
  bool system_call(Path &path);
  void compute(Path &path, const Instruction &instruction);
  Value result_of(Path &path, const Instruction &instruction);

  static Value target_of(const Instruction &instruction) {
    ZyanU64 target = 0;
    const ZydisDecodedOperand &operand = instruction.operands[0];
    if (operand.type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
        !ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction.decoded, &operand,
                                               instruction.next - instruction.decoded.length, &target)))
      return std::nullopt;
    return target;
  }

  Value load(const Path &path, std::uint64_t address) const {
    const auto stored = std::find_if(path.stores.rbegin(), path.stores.rend(),
                                     [&](const Store &store) { return store.address == address; });
    if (stored != path.stores.rend())
      return stored->value;
    const auto word = read_word(memory_, RunAddress{address});
    return word ? Value(*word) : std::nullopt;
  }

  void push(Path &path, Value value) {
    if (const Value top = path.registers.get(rsp)) {
      path.registers.set(rsp, *top - 8);
      path.stores.push_back({*top - 8, value});
    }
  }

  Value pop(Path &path) {
    const Value top = path.registers.get(rsp);
    if (!top)
      return std::nullopt;
    path.registers.set(rsp, *top + 8);
    return load(path, *top);
  }

  static void assign(Path &path, unsigned number, Value value) {
    if (value)
      path.registers.set(number, *value);
    else
      path.registers.forget(number);
  }

  static Value address_of(const Path &path, const Instruction &instruction, const ZydisDecodedOperand &operand) {
    const auto base = number_of(operand.mem.base);
    const auto displacement = static_cast<std::uint64_t>(operand.mem.disp.value);
    if (operand.mem.base == ZYDIS_REGISTER_RIP)
      return instruction.next + displacement;
    if (!base || operand.mem.index != ZYDIS_REGISTER_NONE || !path.registers.knows(*base))
      return std::nullopt;
    return *path.registers.get(*base) + displacement;
  }

  Value value_of(const Path &path, const Instruction &instruction, const ZydisDecodedOperand &operand) const {
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
      return operand.imm.value.u;
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
      const auto number = number_of(operand.reg.value);
      return number && operand.size == 64 ? path.registers.get(*number) : std::nullopt;
    }
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.size != 64)
      return std::nullopt;
    const Value address = address_of(path, instruction, operand);
    return address ? load(path, *address) : std::nullopt;
  }

  CodeLookup &code_;
  const MemoryView &memory_;
  std::size_t &budget_;
  ZydisDecoder decoder_{};
  std::vector<Path> waiting_;
  std::unordered_set<std::uint64_t> seen_;
  WalkedOut found_;
  WalkedOut by_jump_; ///< a tail call through a register, believed only where nothing better is found
};

/// Whether the word at the stack pointer takes the path to a caller.
void Follower::leave_by_return(Path &path, bool by_jump) {
  const Value address = pop(path);
  if (!address || !code_.may_be_return_address(RunAddress{*address}))
    return;
  WalkedOut &result = by_jump ? by_jump_ : found_;
  result.kind = WalkedOut::Kind::returns;
  result.return_address = RunAddress{*address};
  result.caller = path.registers;
  for (const unsigned lost : {rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rflags})
    result.caller.forget(lost);
}

void Follower::call(Path &path) {
  for (const unsigned lost : {rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11})
    path.registers.forget(lost);
}

bool Follower::system_call(Path &path) {
  const Value number = path.registers.get(rax);
  if (number && (*number == SYS_exit || *number == SYS_exit_group)) {
    found_.kind = WalkedOut::Kind::never_returns;
    return false;
  }
  for (const unsigned lost : {rax, rcx, r11})
    path.registers.forget(lost);
  return true;
}

bool Follower::jump(Path &path, const Instruction &instruction) {
  const Value target = target_of(instruction);
  if (!target) {
    leave_by_return(path, true);
    return false;
  }
  path.pc = RunAddress{*target};
  return true;
}

Follower::Value Follower::result_of(Path &path, const Instruction &instruction) {
  const auto &operands = instruction.operands;
  const auto value = [&](std::size_t i) { return value_of(path, instruction, operands[i]); };
  const bool same_register = operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                             operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                             operands[0].reg.value == operands[1].reg.value;
  switch (instruction.decoded.mnemonic) {
  case ZYDIS_MNEMONIC_MOV:
    return value(1);
  case ZYDIS_MNEMONIC_LEA:
    return address_of(path, instruction, operands[1]);
  case ZYDIS_MNEMONIC_XOR:
    return same_register ? Value(0) : std::nullopt;
  case ZYDIS_MNEMONIC_ADD:
  case ZYDIS_MNEMONIC_SUB:
  case ZYDIS_MNEMONIC_AND: {
    const Value left = value(0);
    const Value right = value(1);
    if (!left || !right)
      return std::nullopt;
    if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_AND)
      return *left & *right;
    return instruction.decoded.mnemonic == ZYDIS_MNEMONIC_ADD ? *left + *right : *left - *right;
  }
  default:
    return std::nullopt;
  }
}

/// Everything that only computes: the first operand gets the result where it is understood, and every other register
/// or word that is written becomes unknown.
void Follower::compute(Path &path, const Instruction &instruction) {
  const Value result = result_of(path, instruction);
  for (std::size_t i = 0; i < instruction.decoded.operand_count; ++i) {
    const ZydisDecodedOperand &operand = instruction.operands[i];
    if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0)
      continue;
    if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) {
      const Value address = address_of(path, instruction, operand);
      if (address && operand.mem.type == ZYDIS_MEMOP_TYPE_MEM)
        path.stores.push_back({*address, i == 0 && operand.size == 64 ? result : std::nullopt});
      continue;
    }
    const auto number = operand.type == ZYDIS_OPERAND_TYPE_REGISTER ? number_of(operand.reg.value) : std::nullopt;
    if (!number)
      continue;
    Value value = i == 0 ? result : std::nullopt;
    const Value before = path.registers.get(*number);
    // Halves clear the upper half; smaller parts leave the rest as it is.
    if (value && operand.size == 32)
      value = *value & 0xffffffff;
    else if (value && operand.size == 8 && before && operand.reg.value < ZYDIS_REGISTER_AH)
      value = (*before & ~std::uint64_t{0xff}) | (*value & 0xff);
    else if (operand.size != 64)
      value.reset();
    assign(path, *number, value);
  }
}

bool Follower::execute(Path &path, const Instruction &instruction) {
  const ZydisDecodedOperand &first = instruction.operands[0];
  path.pc = RunAddress{instruction.next};
  switch (instruction.decoded.mnemonic) {
  case ZYDIS_MNEMONIC_PUSH:
    push(path, value_of(path, instruction, first));
    break;
  case ZYDIS_MNEMONIC_POP: {
    const Value value = pop(path);
    if (first.type == ZYDIS_OPERAND_TYPE_REGISTER && number_of(first.reg.value))
      assign(path, *number_of(first.reg.value), value);
    break;
  }
  case ZYDIS_MNEMONIC_LEAVE:
    assign(path, rsp, path.registers.get(rbp));
    assign(path, rbp, pop(path));
    break;
  case ZYDIS_MNEMONIC_RET:
    leave_by_return(path, false);
    return false;
  case ZYDIS_MNEMONIC_CALL:
    call(path);
    break;
  case ZYDIS_MNEMONIC_SYSCALL:
    return system_call(path);
  case ZYDIS_MNEMONIC_JMP:
    return jump(path, instruction);
  case ZYDIS_MNEMONIC_HLT:
  case ZYDIS_MNEMONIC_UD2:
  case ZYDIS_MNEMONIC_INT3:
    return false;
  default:
    if (instruction.decoded.meta.category == ZYDIS_CATEGORY_COND_BR) {
      const Value target = target_of(instruction);
      if (target && waiting_.size() < max_waiting)
        waiting_.push_back({RunAddress{*target}, path.registers, path.stores});
    } else {
      compute(path, instruction);
    }
  }
  return path.registers.knows(rsp);
}

} // namespace

WalkedOut walk_out(CodeLookup &code, const MemoryView &memory, const RegisterSet &registers, RunAddress pc,
                   std::size_t &budget) {
  return Follower(code, memory, budget).run(registers, pc);
}

} // namespace inspect::x86_64
