#include "inspector/scope/frame_registers.h"

#include "machine/near_misses.h"
#include "machine/x86_64/registers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

namespace inspect {
namespace {

// DWARF 5, table 7.11: DW_ATE_signed.
constexpr std::uint64_t signed_encoding = 0x05;

/// A register or the part of one that instructions name.
struct RegisterPart {
  std::string_view name;
  unsigned number = 0; ///< DWARF's
  unsigned size = 8;   ///< bytes
  unsigned first = 0;  ///< byte
};

constexpr auto parts = std::to_array<RegisterPart>({
    {"eax", x86_64::rax, 4, 0},       {"ax", x86_64::rax, 2, 0},
    {"al", x86_64::rax, 1, 0},        {"ah", x86_64::rax, 1, 1},
    {"ebx", x86_64::rbx, 4, 0},       {"bx", x86_64::rbx, 2, 0},
    {"bl", x86_64::rbx, 1, 0},        {"bh", x86_64::rbx, 1, 1},
    {"ecx", x86_64::rcx, 4, 0},       {"cx", x86_64::rcx, 2, 0},
    {"cl", x86_64::rcx, 1, 0},        {"ch", x86_64::rcx, 1, 1},
    {"edx", x86_64::rdx, 4, 0},       {"dx", x86_64::rdx, 2, 0},
    {"dl", x86_64::rdx, 1, 0},        {"dh", x86_64::rdx, 1, 1},
    {"esi", x86_64::rsi, 4, 0},       {"si", x86_64::rsi, 2, 0},
    {"sil", x86_64::rsi, 1, 0},       {"edi", x86_64::rdi, 4, 0},
    {"di", x86_64::rdi, 2, 0},        {"dil", x86_64::rdi, 1, 0},
    {"ebp", x86_64::rbp, 4, 0},       {"bp", x86_64::rbp, 2, 0},
    {"bpl", x86_64::rbp, 1, 0},       {"esp", x86_64::rsp, 4, 0},
    {"spl", x86_64::rsp, 1, 0},       {"r8d", x86_64::r8, 4, 0},
    {"r8w", x86_64::r8, 2, 0},        {"r8b", x86_64::r8, 1, 0},
    {"r9d", x86_64::r9, 4, 0},        {"r9w", x86_64::r9, 2, 0},
    {"r9b", x86_64::r9, 1, 0},        {"r10d", x86_64::r10, 4, 0},
    {"r10w", x86_64::r10, 2, 0},      {"r10b", x86_64::r10, 1, 0},
    {"r11d", x86_64::r11, 4, 0},      {"r11w", x86_64::r11, 2, 0},
    {"r11b", x86_64::r11, 1, 0},      {"r12d", x86_64::r12, 4, 0},
    {"r12w", x86_64::r12, 2, 0},      {"r12b", x86_64::r12, 1, 0},
    {"r13d", x86_64::r13, 4, 0},      {"r13w", x86_64::r13, 2, 0},
    {"r13b", x86_64::r13, 1, 0},      {"r14d", x86_64::r14, 4, 0},
    {"r14w", x86_64::r14, 2, 0},      {"r14b", x86_64::r14, 1, 0},
    {"r15d", x86_64::r15, 4, 0},      {"r15w", x86_64::r15, 2, 0},
    {"r15b", x86_64::r15, 1, 0},      {"pc", x86_64::return_address, 8, 0},
    {"sp", x86_64::rsp, 8, 0},        {"fp", x86_64::rbp, 8, 0},
    {"rflags", x86_64::rflags, 8, 0}, {"eflags", x86_64::rflags, 4, 0},
});

std::string lower_case(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(), [](char letter) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  });
  return text;
}

std::optional<RegisterPart> find_part(std::string_view name) {
  const std::string plain = lower_case(name);
  if (const auto found = std::ranges::find(parts, std::string_view(plain), &RegisterPart::name); found != parts.end())
    return *found;
  if (const auto number = x86_64::register_by_name(plain))
    return RegisterPart{.name = {}, .number = *number, .size = 8, .first = 0};
  return std::nullopt;
}

std::optional<std::uint64_t> content(const RegisterPart &part, const FrameContext &frame) {
  if (part.number == x86_64::return_address)
    return frame.pc.value;
  return frame.registers != nullptr ? frame.registers->get(part.number) : std::nullopt;
}

ValueType type_of_part(const RegisterPart &part, SourceLanguage language, ValueEnvironment &environment) {
  const bool address = part.size == 8 && (part.number == x86_64::return_address || part.number == x86_64::rsp ||
                                          part.number == x86_64::rbp);
  if (language == SourceLanguage::go && environment.go) {
    constexpr std::array<std::string_view, 9> names = {"", "uint8", "uint16", "", "uint32", "", "", "", "uint64"};
    if (const GoType *type = environment.go->pool->predeclared(names.at(part.size)))
      return {.native = {}, .go = type};
  }
  if (address)
    return {.native = environment.types.pointer_to({}), .go = nullptr};
  constexpr std::array<std::string_view, 9> names = {"", "signed char", "short", "", "int", "", "", "", "long"};
  return {.native = environment.types.base_type(names.at(part.size), signed_encoding, part.size), .go = nullptr};
}

} // namespace

bool is_register_name(std::string_view name) {
  return find_part(name).has_value();
}

std::vector<std::string> register_value_names() {
  std::vector<std::string> names;
  for (const x86_64::RegisterName &one : x86_64::register_names())
    names.emplace_back(one.name);
  for (const RegisterPart &part : parts)
    names.emplace_back(part.name);
  return names;
}

Result<Value> register_value(std::string_view name, const FrameContext *frame, SourceLanguage language,
                             ValueEnvironment &environment) {
  const auto part = find_part(name);
  if (!part)
    return std::unexpected(
        Error(ErrorKind::not_found,
              fmt::format("'{}' is not a register{}", name, did_you_mean(lower_case(name), register_value_names())),
              "regs -a"));
  const auto known = frame != nullptr ? content(*part, *frame) : std::nullopt;
  if (!known)
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("{} is not recoverable in this frame", name), "frame 0"));
  auto image = std::make_shared<ValueImage>(part->size);
  image->set(0, *known >> (8 * part->first), part->size);
  Value value{.type = type_of_part(*part, language, environment),
              .language = language,
              .source = ValueSource::of_image(std::move(image))};
  if (part->first == 0)
    value.register_number = part->number;
  return value;
}

} // namespace inspect
