#include "machine/x86_64/registers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

namespace inspect::x86_64 {
namespace {

constexpr auto names = std::to_array<RegisterName>({
    {rax, "rax"},
    {rbx, "rbx"},
    {rcx, "rcx"},
    {rdx, "rdx"},
    {rsi, "rsi"},
    {rdi, "rdi"},
    {rbp, "rbp"},
    {rsp, "rsp"},
    {r8, "r8"},
    {r9, "r9"},
    {r10, "r10"},
    {r11, "r11"},
    {r12, "r12"},
    {r13, "r13"},
    {r14, "r14"},
    {r15, "r15"},
    {return_address, "rip"},
    {rflags, "eflags"},
    {cs, "cs"},
    {ss, "ss"},
    {ds, "ds"},
    {es, "es"},
    {fs, "fs"},
    {gs, "gs"},
    {fs_base, "fs_base"},
    {gs_base, "gs_base"},
});

} // namespace

std::span<const RegisterName> register_names() {
  return names;
}

std::optional<Register> register_by_name(std::string_view name) {
  const auto same = [&](const RegisterName &candidate) {
    return std::ranges::equal(name, candidate.name, [](char left, char right) {
      return std::tolower(static_cast<unsigned char>(left)) == right;
    });
  };
  const auto found = std::ranges::find_if(names, same);
  if (found == names.end())
    return std::nullopt;
  return found->number;
}

std::string register_name(std::uint64_t dwarf_number) {
  if (is_vector_register(dwarf_number))
    return fmt::format("xmm{}", dwarf_number - xmm0);
  const auto found = std::ranges::find_if(names, [&](const RegisterName &one) { return one.number == dwarf_number; });
  return found == names.end() ? fmt::format("register {}", dwarf_number) : std::string(found->name);
}

} // namespace inspect::x86_64
