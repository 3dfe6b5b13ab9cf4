// What the unwinder reads off machine code: call instructions, signal trampolines, the way to a return.
#include "dwarf/unwind/x86_64/call_instruction.h"
#include "dwarf/unwind/x86_64/instruction_walk.h"
#include "dwarf/unwind/x86_64/signal_trampoline.h"

#include "machine/x86_64/registers.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <array>
#include <vector>

using namespace inspect;

namespace {

bool is_call(std::vector<int> bytes) {
  std::array<std::byte, x86_64::max_call_length> before;
  before.fill(std::byte{0x90});
  std::ranges::transform(bytes, before.end() - static_cast<std::ptrdiff_t>(bytes.size()),
                         [](int byte) { return static_cast<std::byte>(byte); });
  return x86_64::ends_with_call(before);
}

std::vector<std::byte> code_bytes(std::initializer_list<int> bytes) {
  std::vector<std::byte> code;
  for (const int byte : bytes)
    code.push_back(static_cast<std::byte>(byte));
  return code;
}

/// Code and a stack in memory that belongs to no module, as a run-time compiler makes it.
struct Generated {
  static constexpr RunAddress code_at{0x400000};
  static constexpr RunAddress stack_at{0x7000};
  static constexpr std::uint64_t behind_call = code_at.value + 0x805;

  Generated(std::initializer_list<int> code, std::vector<std::uint64_t> stack) {
    std::vector<std::byte> page(0x1000, std::byte{0x90});
    std::ranges::copy(code_bytes(code), page.begin());
    page[0x800] = std::byte{0xe8};
    memory.add(code_at, page);
    std::vector<std::byte> bytes(stack.size() * 8);
    std::memcpy(bytes.data(), stack.data(), bytes.size());
    memory.add(stack_at, bytes);
    registers.set(x86_64::rsp, stack_at.value);
  }
  x86_64::WalkedOut walk() {
    CodeLookup lookup(modules, memory);
    std::size_t budget = 10'000;
    return x86_64::walk_out(lookup, memory, registers, code_at, budget);
  }
  ModuleMap modules;
  BufferMemory memory;
  RegisterSet registers;
};

using Kind = x86_64::WalkedOut::Kind;

} // namespace

TEST_CASE("Call instructions of every form are known by their bytes") {
  CHECK(is_call({0xe8, 1, 2, 3, 4}));                   // call rel32
  CHECK(is_call({0xff, 0xd0}));                         // call *%rax
  CHECK(is_call({0x41, 0xff, 0xd7}));                   // call *%r15
  CHECK(is_call({0xff, 0x10}));                         // call *(%rax)
  CHECK(is_call({0xff, 0x50, 0x18}));                   // call *0x18(%rax)
  CHECK(is_call({0xff, 0x90, 0, 1, 0, 0}));             // call *0x100(%rax)
  CHECK(is_call({0xff, 0x14, 0x24}));                   // call *(%rsp)
  CHECK(is_call({0xff, 0x54, 0x24, 0x08}));             // call *8(%rsp)
  CHECK(is_call({0xff, 0x94, 0x24, 0, 1, 0, 0}));       // call *0x100(%rsp)
  CHECK(is_call({0xff, 0x15, 1, 2, 3, 4}));             // call *offset(%rip)
  CHECK(is_call({0xff, 0x14, 0xc5, 0x40, 0x10, 0, 0})); // call *0x1040(,%rax,8)
  CHECK_FALSE(is_call({0xff, 0xe0}));                   // jmp *%rax
  CHECK_FALSE(is_call({0xff, 0x25, 1, 2, 3, 4}));       // jmp *offset(%rip)
  CHECK_FALSE(is_call({0xe9, 1, 2, 3, 4}));             // jmp rel32
  CHECK_FALSE(is_call({0xff, 0x35, 1, 2, 3, 4}));       // push offset(%rip)
  CHECK_FALSE(is_call({0x48, 0x89, 0xe5}));
  CHECK_FALSE(is_call({}));
}

TEST_CASE("Signal trampolines are known by their bytes") {
  CHECK(x86_64::is_trampoline(code_bytes({0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05})));
  CHECK(x86_64::is_trampoline(code_bytes({0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05, 0xc3, 0x90})));
  CHECK_FALSE(x86_64::is_trampoline(code_bytes({0x48, 0xc7, 0xc0, 0x0e, 0, 0, 0, 0x0f, 0x05})));
  CHECK_FALSE(x86_64::is_trampoline(code_bytes({0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0})));
  CHECK_FALSE(x86_64::is_trampoline({}));
}

TEST_CASE("What is known of a pc stays known while others are asked about") {
  // mov $15,%eax; syscall: the kernel's return from a signal handler, and no other pc's code
  Generated world({0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05, 0xc3}, {});
  CodeLookup lookup(world.modules, world.memory);
  const CodePlace &place = lookup.at(Generated::code_at, true);
  CHECK(place.trampoline);
  for (std::uint64_t i = 1; i < 2048; ++i) // more than it remembers
    CHECK_FALSE(lookup.at(Generated::code_at + (16 + i), true).trampoline);
  CHECK(place.trampoline);
}

TEST_CASE("An epilogue is followed, and what it restores is known in the caller") {
  // add $16,%rsp; pop %rbx; pop %rbp; ret
  Generated world({0x48, 0x83, 0xc4, 0x10, 0x5b, 0x5d, 0xc3}, {1, 2, 0xb0b, 0xbb, Generated::behind_call, 7});
  const auto out = world.walk();
  CHECK(out.kind == Kind::returns);
  CHECK(out.return_address.value == Generated::behind_call);
  CHECK(out.caller.get(x86_64::rbx) == 0xb0b);
  CHECK(out.caller.get(x86_64::rbp) == 0xbb);
  CHECK(out.caller.get(x86_64::rsp) == Generated::stack_at.value + 40);
}

TEST_CASE("A frame pointer set up on the way, pushes, and saved registers in memory are followed") {
  // push %rbp; mov %rsp,%rbp; sub $32,%rsp; mov %rbx,8(%rsp); xor %ebx,%ebx; mov 8(%rsp),%rbx; leave; ret
  Generated world({0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20, 0x48, 0x89, 0x5c,
                   0x24, 0x08, 0x31, 0xdb, 0x48, 0x8b, 0x5c, 0x24, 0x08, 0xc9, 0xc3},
                  {Generated::behind_call});
  world.registers.set(x86_64::rbp, 0x1234);
  world.registers.set(x86_64::rbx, 0x5678);
  const auto out = world.walk();
  CHECK(out.kind == Kind::returns);
  CHECK(out.caller.get(x86_64::rbp) == 0x1234);
  CHECK(out.caller.get(x86_64::rbx) == 0x5678);
  CHECK(out.caller.get(x86_64::rsp) == Generated::stack_at.value + 8);
}

TEST_CASE("Where one side of a branch leads nowhere the other is taken") {
  // je 1f; ud2; 1: pop %rbx; ret
  Generated world({0x74, 0x02, 0x0f, 0x0b, 0x5b, 0xc3}, {0x1, Generated::behind_call});
  CHECK(world.walk().kind == Kind::returns);
}

TEST_CASE("A return to what no call is in front of is not believed") {
  Generated world({0xc3}, {Generated::behind_call + 1});
  CHECK(world.walk().kind == Kind::nowhere);
  // A jump to itself, and one to code that is not there.
  CHECK(Generated({0xeb, 0xfe}, {0}).walk().kind == Kind::nowhere);
  CHECK(Generated({0xe9, 0, 0, 0x10, 0}, {0}).walk().kind == Kind::nowhere);
  // A stack pointer that is not known: mov %rax,%rsp; ret
  CHECK(Generated({0x48, 0x89, 0xc4, 0xc3}, {Generated::behind_call}).walk().kind == Kind::nowhere);
}

TEST_CASE("Code that ends its thread has no caller") {
  // mov %eax,%edi; xor %eax,%eax; mov $60,%al; syscall; hlt: what musl's __clone does behind the thread's function
  CHECK(Generated({0x89, 0xc7, 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05, 0xf4}, {0}).walk().kind == Kind::never_returns);
  // mov $231,%eax; syscall
  CHECK(Generated({0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05}, {0}).walk().kind == Kind::never_returns);
  // mov $1,%eax; syscall; ret
  CHECK(Generated({0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0xc3}, {Generated::behind_call}).walk().kind == Kind::returns);
}
