#include "dwarf/expression/cfi_expression.h"

#include "machine/x86_64/registers.h"
#include "tests/support/catch.h"

#include <dwarf.h>
#include <string>
#include <vector>

using namespace inspect;

namespace {

constexpr std::uint64_t minus(std::uint64_t value) {
  return 0 - value;
}

/// Operators laid out one after the other, each at the offset its encoding would have.
class Expression {
public:
  Expression &add(unsigned atom, std::uint64_t number = 0, std::uint64_t number2 = 0, std::uint64_t size = 1) {
    ops_.push_back({static_cast<std::uint8_t>(atom), number, number2, offset_});
    offset_ += size;
    return *this;
  }
  Expression &value(std::uint64_t number) { return add(DW_OP_const8u, number, 0, 9); }
  /// A branch over `bytes` bytes.
  Expression &branch(unsigned atom, std::int64_t bytes) { return add(atom, static_cast<std::uint64_t>(bytes), 0, 3); }
  const std::vector<Dwarf_Op> &ops() const { return ops_; }

private:
  std::vector<Dwarf_Op> ops_;
  std::uint64_t offset_ = 0;
};

struct World {
  World() {
    registers.set(x86_64::rsp, 0x1000);
    registers.set(x86_64::rbp, 0x2000);
    std::vector<std::byte> bytes(16);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(0xf0 + i);
    memory.add(RunAddress{0x1000}, bytes);
  }
  Result<std::uint64_t> run(const Expression &expression) const {
    return evaluate(cfi_expression(expression.ops()), {registers, memory, LoadBias{0x10000}, cfa});
  }
  std::uint64_t value(const Expression &expression) const {
    const auto result = run(expression);
    INFO((result ? std::string() : result.error().message()));
    REQUIRE(result.has_value());
    return *result;
  }
  ErrorKind failure(const Expression &expression) const {
    const auto result = run(expression);
    REQUIRE_FALSE(result.has_value());
    return result.error().kind();
  }
  RegisterSet registers;
  BufferMemory memory;
  std::optional<RunAddress> cfa = RunAddress{0x7700};
};

std::uint64_t binary(unsigned atom, std::uint64_t left, std::uint64_t right) {
  return World().value(Expression().value(left).value(right).add(atom));
}

} // namespace

TEST_CASE("Constants, registers and addresses are pushed") {
  const World world;
  CHECK(world.value(Expression().add(DW_OP_lit0)) == 0);
  CHECK(world.value(Expression().add(DW_OP_lit31)) == 31);
  for (const unsigned atom : {DW_OP_const1u, DW_OP_const1s, DW_OP_const2u, DW_OP_const2s, DW_OP_const4u, DW_OP_const4s,
                              DW_OP_const8u, DW_OP_const8s, DW_OP_constu, DW_OP_consts})
    CHECK(world.value(Expression().add(atom, minus(3))) == minus(3));
  CHECK(world.value(Expression().add(DW_OP_breg7, 8)) == 0x1008);
  CHECK(world.value(Expression().add(DW_OP_breg7, minus(8))) == 0xff8);
  CHECK(world.value(Expression().add(DW_OP_bregx, 6, 16)) == 0x2010);
  CHECK(world.value(Expression().add(DW_OP_addr, 0x400)) == 0x10400);
  CHECK(world.value(Expression().add(DW_OP_call_frame_cfa)) == 0x7700);
  CHECK(world.failure(Expression().add(DW_OP_breg0, 0)) == ErrorKind::not_found);
  CHECK(world.failure(Expression().add(DW_OP_bregx, 1ULL << 33, 0)) == ErrorKind::not_found);
  World without_cfa;
  without_cfa.cfa.reset();
  CHECK(without_cfa.failure(Expression().add(DW_OP_call_frame_cfa)) == ErrorKind::corrupt);
}

TEST_CASE("Stack operators move values as DWARF says") {
  const World world;
  const auto three = [] { return Expression().value(1).value(2).value(3); };
  CHECK(world.value(three().add(DW_OP_dup)) == 3);
  CHECK(world.value(three().add(DW_OP_drop)) == 2);
  CHECK(world.value(three().add(DW_OP_over)) == 2);
  CHECK(world.value(three().add(DW_OP_pick, 2)) == 1);
  CHECK(world.value(three().add(DW_OP_pick, 0)) == 3);
  CHECK(world.value(three().add(DW_OP_swap)) == 2);
  CHECK(world.value(three().add(DW_OP_swap).add(DW_OP_drop)) == 3);
  // 1 2 3 becomes 3 1 2.
  CHECK(world.value(three().add(DW_OP_rot)) == 2);
  CHECK(world.value(three().add(DW_OP_rot).add(DW_OP_drop)) == 1);
  CHECK(world.value(three().add(DW_OP_rot).add(DW_OP_drop).add(DW_OP_drop)) == 3);
  CHECK(world.failure(three().add(DW_OP_pick, 3)) == ErrorKind::corrupt);
  CHECK(world.failure(three().add(DW_OP_pick, 255)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().value(1).add(DW_OP_swap)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().value(1).value(2).add(DW_OP_rot)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().add(DW_OP_dup)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().value(1).add(DW_OP_drop)) == ErrorKind::corrupt);
}

TEST_CASE("Arithmetic is that of 64 bits, and wraps") {
  CHECK(binary(DW_OP_plus, 2, 3) == 5);
  CHECK(binary(DW_OP_plus, ~0ULL, 2) == 1);
  CHECK(binary(DW_OP_minus, 2, 3) == minus(1));
  CHECK(binary(DW_OP_mul, minus(2), 3) == minus(6));
  CHECK(binary(DW_OP_div, minus(7), 2) == minus(3));
  CHECK(binary(DW_OP_div, 1ULL << 63, minus(1)) == 1ULL << 63);
  CHECK(binary(DW_OP_mod, minus(1), 10) == 5);
  CHECK(binary(DW_OP_and, 12, 10) == 8);
  CHECK(binary(DW_OP_or, 12, 10) == 14);
  CHECK(binary(DW_OP_xor, 12, 10) == 6);
  CHECK(binary(DW_OP_shl, 1, 63) == 1ULL << 63);
  CHECK(binary(DW_OP_shl, 1, 64) == 0);
  CHECK(binary(DW_OP_shr, minus(1), 63) == 1);
  CHECK(binary(DW_OP_shr, 1, 1000) == 0);
  CHECK(binary(DW_OP_shra, minus(8), 1) == minus(4));
  CHECK(binary(DW_OP_shra, minus(8), 64) == minus(1));
  const World world;
  CHECK(world.value(Expression().value(minus(5)).add(DW_OP_abs)) == 5);
  CHECK(world.value(Expression().value(5).add(DW_OP_abs)) == 5);
  CHECK(world.value(Expression().value(5).add(DW_OP_neg)) == minus(5));
  CHECK(world.value(Expression().value(5).add(DW_OP_not)) == ~5ULL);
  CHECK(world.value(Expression().value(5).add(DW_OP_plus_uconst, 7)) == 12);
  CHECK(world.failure(Expression().value(5).value(0).add(DW_OP_div)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().value(5).value(0).add(DW_OP_mod)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().value(5).add(DW_OP_plus)) == ErrorKind::corrupt);
}

TEST_CASE("Comparisons are signed") {
  for (const auto &[left, right] : {std::pair(minus(1), std::uint64_t{1}), {1, 1}, {2, 1}}) {
    const auto signed_left = static_cast<std::int64_t>(left);
    const auto signed_right = static_cast<std::int64_t>(right);
    CHECK(binary(DW_OP_eq, left, right) == (signed_left == signed_right));
    CHECK(binary(DW_OP_ne, left, right) == (signed_left != signed_right));
    CHECK(binary(DW_OP_lt, left, right) == (signed_left < signed_right));
    CHECK(binary(DW_OP_le, left, right) == (signed_left <= signed_right));
    CHECK(binary(DW_OP_gt, left, right) == (signed_left > signed_right));
    CHECK(binary(DW_OP_ge, left, right) == (signed_left >= signed_right));
  }
}

TEST_CASE("Memory is read in the size asked for, zero-extended") {
  const World world;
  CHECK(world.value(Expression().add(DW_OP_breg7, 0).add(DW_OP_deref)) == 0xf7f6f5f4f3f2f1f0);
  CHECK(world.value(Expression().add(DW_OP_breg7, 4).add(DW_OP_deref_size, 1)) == 0xf4);
  CHECK(world.value(Expression().add(DW_OP_breg7, 4).add(DW_OP_deref_size, 2)) == 0xf5f4);
  CHECK(world.value(Expression().add(DW_OP_breg7, 4).add(DW_OP_deref_size, 4)) == 0xf7f6f5f4);
  CHECK(world.failure(Expression().add(DW_OP_breg7, 0).add(DW_OP_deref_size, 9)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().add(DW_OP_breg7, 0).add(DW_OP_deref_size, 0)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().value(16).add(DW_OP_deref)) == ErrorKind::unreadable);
}

TEST_CASE("Branches go to the operator at their target, backwards too") {
  const World world;
  // Skips the literal 7.
  CHECK(world.value(Expression().add(DW_OP_lit1).branch(DW_OP_skip, 1).add(DW_OP_lit7).add(DW_OP_nop)) == 1);
  CHECK(world.value(Expression().add(DW_OP_lit5).add(DW_OP_lit1).branch(DW_OP_bra, 1).add(DW_OP_lit7)) == 5);
  CHECK(world.value(Expression().add(DW_OP_lit5).add(DW_OP_lit0).branch(DW_OP_bra, 1).add(DW_OP_lit7)) == 7);
  // Counts 5 down: lit0 lit5 [2:] swap lit2 plus swap lit1 minus dup bra 2.
  Expression loop;
  loop.add(DW_OP_lit0).add(DW_OP_lit5).add(DW_OP_swap).add(DW_OP_lit2).add(DW_OP_plus).add(DW_OP_swap);
  loop.add(DW_OP_lit1).add(DW_OP_minus).add(DW_OP_dup).branch(DW_OP_bra, -10).add(DW_OP_drop);
  CHECK(world.value(loop) == 10);
  CHECK(world.failure(Expression().add(DW_OP_lit1).branch(DW_OP_skip, -2).add(DW_OP_nop)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().add(DW_OP_lit1).branch(DW_OP_skip, -200)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().branch(DW_OP_bra, 0)) == ErrorKind::corrupt);
}

TEST_CASE("A stack value ends an expression") {
  CHECK(World().value(Expression().add(DW_OP_lit4).add(DW_OP_stack_value).add(DW_OP_lit9)) == 4);
}

TEST_CASE("Expressions that never end or never stop growing are cut") {
  const World world;
  CHECK(world.failure(Expression().add(DW_OP_lit1).branch(DW_OP_skip, -3)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().add(DW_OP_lit1).branch(DW_OP_skip, -4)) == ErrorKind::corrupt);
  CHECK(world.failure(Expression()) == ErrorKind::corrupt);
  CHECK(world.failure(Expression().add(DW_OP_stack_value)) == ErrorKind::corrupt);
}

TEST_CASE("Operators that call frame information may not hold are refused") {
  const World world;
  const auto on_two = [&](unsigned atom) { return world.failure(Expression().value(1).value(2).add(atom)); };
  for (const unsigned atom : {DW_OP_call2,
                              DW_OP_call4,
                              DW_OP_call_ref,
                              DW_OP_addrx,
                              DW_OP_constx,
                              DW_OP_const_type,
                              DW_OP_regval_type,
                              DW_OP_deref_type,
                              DW_OP_convert,
                              DW_OP_reinterpret,
                              DW_OP_push_object_address,
                              DW_OP_form_tls_address,
                              DW_OP_xderef,
                              DW_OP_fbreg,
                              DW_OP_reg3,
                              DW_OP_piece,
                              DW_OP_implicit_value,
                              DW_OP_entry_value,
                              DW_OP_xderef_size,
                              DW_OP_hi_user})
    CHECK(on_two(atom) == ErrorKind::unsupported);
}
