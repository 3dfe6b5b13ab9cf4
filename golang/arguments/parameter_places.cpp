#include "golang/arguments/parameter_places.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr unsigned integer_registers = 9;
constexpr unsigned floating_registers = 15;
constexpr std::uint64_t register_size = 8;
/// More than the registers there are; deeper than types are nested that fit in them.
constexpr std::size_t max_parts = integer_registers + floating_registers;
constexpr int max_nesting = 64;
constexpr GoVersion first_with_registers{1, 17};

class PartsOfType {
public:
  explicit PartsOfType(const CompleteType &complete) : complete_(complete) {}

  bool add(const GoType &type, std::uint64_t offset, int nesting = 0) {
    if (nesting > max_nesting)
      return false;
    switch (type.kind) {
    case GoKind::unknown:
      return false;
    case GoKind::string:
    case GoKind::interface:
      return add_words(offset, 2);
    case GoKind::slice:
      return add_words(offset, 3);
    case GoKind::float32:
    case GoKind::float64:
      return add_part({offset, type.size, true});
    case GoKind::complex64:
    case GoKind::complex128:
      return add_part({offset, type.size / 2, true}) && add_part({offset + type.size / 2, type.size / 2, true});
    case GoKind::array:
      return add_array(type, offset, nesting);
    case GoKind::structure:
      return add_structure(type, offset, nesting);
    default:
      return add_part({offset, type.size, false});
    }
  }
  std::vector<ScalarPart> take() { return std::move(parts_); }

private:
  bool add_part(ScalarPart part) {
    parts_.push_back(part);
    return parts_.size() <= max_parts && part.size != 0 && part.size <= register_size;
  }
  bool add_words(std::uint64_t offset, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      if (!add_part({offset + i * register_size, register_size, false}))
        return false;
    return true;
  }
  bool add_array(const GoType &type, std::uint64_t offset, int nesting) {
    if (complete_)
      complete_(type);
    if (type.length == 0)
      return true;
    return type.length == 1 && type.element != nullptr && add(*type.element, offset, nesting + 1);
  }
  bool add_structure(const GoType &type, std::uint64_t offset, int nesting) {
    if (complete_)
      complete_(type);
    if (type.fields.empty() && type.size != 0)
      return false;
    return std::ranges::all_of(type.fields, [&](const GoField &field) {
      return field.type != nullptr && add(*field.type, offset + field.offset, nesting + 1);
    });
  }

  const CompleteType &complete_;
  std::vector<ScalarPart> parts_;
};

std::uint64_t aligned(std::uint64_t offset, std::uint64_t alignment) {
  return alignment > 1 ? (offset + alignment - 1) / alignment * alignment : offset;
}

/// Gives out registers and stack space, as the caller of one function does.
class Assignment {
public:
  explicit Assignment(GoVersion version) : has_registers_(version == GoVersion{} || version >= first_with_registers) {}

  ParameterPlace place(const GoType &type, const CompleteType &complete) {
    ParameterPlace place;
    place.size = type.size;
    if (auto parts = scalar_parts(type, complete)) {
      place.parts = std::move(*parts);
      place.in_registers = take_registers(place.parts, type.size);
    }
    if (!place.in_registers)
      place.offset = on_stack(type);
    return place;
  }
  std::uint64_t on_stack(const GoType &type) {
    const std::uint64_t offset = aligned(stack_, type.alignment);
    stack_ = offset + type.size;
    return offset;
  }
  void align_stack() { stack_ = aligned(stack_, register_size); }
  void free_registers() { integers_ = floats_ = 0; }

private:
  bool take_registers(const std::vector<ScalarPart> &parts, std::uint64_t size) {
    const auto floats = static_cast<unsigned>(std::ranges::count(parts, true, &ScalarPart::floating));
    const unsigned integers = static_cast<unsigned>(parts.size()) - floats;
    if (!has_registers_ || size == 0 || integers_ + integers > integer_registers ||
        floats_ + floats > floating_registers)
      return false;
    integers_ += integers;
    floats_ += floats;
    return true;
  }

  bool has_registers_;
  unsigned integers_ = 0;
  unsigned floats_ = 0;
  std::uint64_t stack_ = 0;
};

/// Reads the word tokens of a layout one by one.
class WordTokens {
public:
  explicit WordTokens(const ArgumentLayout &layout) : layout_(layout) {}

  /// Null at the end, and from the first ellipsis on: behind one in a structure further words follow, but which is not
  /// said.
  const ArgumentToken *next() {
    for (; at_ < layout_.tokens.size(); ++at_) {
      const ArgumentToken &token = layout_.tokens[at_];
      if (token.kind == ArgumentToken::Kind::ellipsis)
        return nullptr;
      if (token.kind == ArgumentToken::Kind::word || token.kind == ArgumentToken::Kind::offset_too_large)
        return &layout_.tokens[at_++];
    }
    ended_ = true;
    return nullptr;
  }
  bool ended() const { return ended_; }

private:
  const ArgumentLayout &layout_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

} // namespace

std::optional<std::vector<ScalarPart>> scalar_parts(const GoType &type, const CompleteType &complete) {
  PartsOfType parts(complete);
  return parts.add(type, 0) ? std::optional(parts.take()) : std::nullopt;
}

std::optional<std::vector<ParameterPlace>> parameter_places(const GoSignature &signature, GoVersion version,
                                                            const CompleteType &complete) {
  const auto is_unknown = [](const GoParameter &one) {
    return one.type == nullptr || one.type->kind == GoKind::unknown;
  };
  if (std::ranges::any_of(signature.parameters, is_unknown) || std::ranges::any_of(signature.results, is_unknown))
    return std::nullopt;
  Assignment assignment(version);
  std::vector<ParameterPlace> places;
  for (const GoParameter &parameter : signature.parameters)
    places.push_back(assignment.place(*parameter.type, complete));
  assignment.align_stack();
  assignment.free_registers();
  for (const GoParameter &result : signature.results)
    assignment.place(*result.type, complete);
  assignment.align_stack();
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i].in_registers)
      places[i].offset = assignment.on_stack(*signature.parameters[i].type);
  return places;
}

bool places_fit(const std::vector<ParameterPlace> &places, const GoSignature &signature, const ArgumentLayout &layout) {
  if (!layout.known)
    return false;
  WordTokens tokens(layout);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (signature.parameters[i].name == ".dict") // has its register, and is not described
      continue;
    if (places[i].parts.empty() && places[i].size != 0)
      return tokens.next() != nullptr || !tokens.ended(); // what follows cannot be told from its elements
    for (const ScalarPart &part : places[i].parts) {
      const ArgumentToken *token = tokens.next();
      if (token == nullptr)
        return !tokens.ended();
      if (token->kind == ArgumentToken::Kind::word &&
          (token->offset != places[i].offset + part.offset || token->size != part.size))
        return false;
    }
  }
  return tokens.next() == nullptr;
}

} // namespace inspect
