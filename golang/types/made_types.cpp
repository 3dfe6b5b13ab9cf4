#include "golang/types/made_types.h"

#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_made_name_length = 4096;
constexpr int deepest = 16;
constexpr std::uint64_t hash_offset = 16;
constexpr std::uint64_t size_offset = 0;

/// reflect.fnv1
class Fnv {
public:
  explicit Fnv(std::uint32_t start) : hash_(start) {}
  Fnv &byte(std::uint32_t value) {
    hash_ = hash_ * 16777619U ^ (value & 0xff);
    return *this;
  }
  Fnv &word(std::uint32_t value) { return byte(value >> 24).byte(value >> 16).byte(value >> 8).byte(value); }
  Fnv &text(std::string_view value) {
    for (const char c : value)
      byte(static_cast<unsigned char>(c));
    return *this;
  }
  std::uint32_t hash() const { return hash_; }

private:
  std::uint32_t hash_;
};

class MadeTypes {
public:
  MadeTypes(TypeBytes &bytes, GoVersion version) : bytes_(bytes), version_(version) {}

  std::optional<std::string> name(RunAddress address, int depth) {
    if (depth > deepest)
      return std::nullopt;
    if (bytes_.image_of(address)) {
      auto title = read_type_title(bytes_, address);
      return title ? limited(std::move(title->name)) : std::nullopt;
    }
    const auto type = read_type_description(bytes_, version_, address);
    if (!type || !sizes_agree(*type) || expected_hash(*type) != type->hash)
      return std::nullopt;
    auto made = compose(*type, depth);
    return made ? limited(std::move(*made)) : std::nullopt;
  }

private:
  /// Each part's name counts against one budget, so that no structure of structures can take for ever.
  std::optional<std::string> limited(std::string name) {
    spent_ += name.size() + 1;
    if (spent_ > max_made_name_length)
      return std::nullopt;
    return name;
  }

  std::uint32_t hash_of(RunAddress type) { return bytes_.value<std::uint32_t>(type + hash_offset).value_or(0); }

  bool sizes_agree(const TypeDescription &type) {
    if (type.kind != GoKind::array)
      return true;
    const std::uint64_t element = bytes_.value<std::uint64_t>(type.element + size_offset).value_or(0);
    return element == 0 ? type.size == 0 : type.size % element == 0 && type.size / element == type.length;
  }

  std::uint32_t expected_hash(const TypeDescription &type) {
    switch (type.kind) {
    case GoKind::pointer:
      return Fnv(hash_of(type.element)).byte('*').hash();
    case GoKind::slice:
      return Fnv(hash_of(type.element)).byte('[').hash();
    case GoKind::channel:
      return Fnv(hash_of(type.element)).byte('c').byte(static_cast<std::uint32_t>(type.direction)).hash();
    case GoKind::map:
      return Fnv(hash_of(type.element)).byte('m').word(hash_of(type.key)).hash();
    case GoKind::array: {
      Fnv hash(hash_of(type.element));
      hash.byte('[');
      for (auto length = static_cast<std::uint32_t>(type.length); length > 0; length >>= 8)
        hash.byte(length);
      return hash.byte(']').hash();
    }
    case GoKind::function: {
      Fnv hash(0);
      for (const RunAddress parameter : type.parameters)
        hash.word(hash_of(parameter));
      if (type.variadic)
        hash.byte('v');
      hash.byte('.');
      for (const RunAddress result : type.results)
        hash.word(hash_of(result));
      return hash.hash();
    }
    default: {
      Fnv hash(0);
      hash.text("struct {");
      for (const TypeDescription::Field &field : type.fields)
        hash.text(field.name).word(hash_of(field.type)).text(field.tag);
      return hash.byte('}').hash();
    }
    }
  }

  std::optional<std::string> compose(const TypeDescription &type, int depth) {
    switch (type.kind) {
    case GoKind::pointer:
      return behind("*", type.element, depth);
    case GoKind::slice:
      return behind("[]", type.element, depth);
    case GoKind::array:
      return behind(fmt::format("[{}]", type.length), type.element, depth);
    case GoKind::channel:
      return channel(type, depth);
    case GoKind::map: {
      const auto key = name(type.key, depth + 1);
      return key ? behind(fmt::format("map[{}]", *key), type.element, depth) : std::nullopt;
    }
    case GoKind::function:
      return function(type, depth);
    default:
      return structure(type, depth);
    }
  }

  std::optional<std::string> behind(std::string_view prefix, RunAddress element, int depth) {
    const auto text = name(element, depth + 1);
    if (!text)
      return std::nullopt;
    return fmt::format("{}{}", prefix, *text);
  }

  std::optional<std::string> channel(const TypeDescription &type, int depth) {
    const auto element = name(type.element, depth + 1);
    if (!element)
      return std::nullopt;
    const bool both = type.direction == TypeDescription::Direction::both;
    const bool receive = type.direction == TypeDescription::Direction::receive;
    return channel_text(both ? "chan" : receive ? "<-chan" : "chan<-", *element);
  }

  std::optional<std::string> function(const TypeDescription &type, int depth) {
    std::vector<std::string> parameters;
    std::vector<std::string> results;
    for (const bool result : {false, true})
      for (const RunAddress one : result ? type.results : type.parameters) {
        auto text = name(one, depth + 1);
        if (!text)
          return std::nullopt;
        (result ? results : parameters).push_back(std::move(*text));
      }
    if (type.variadic) {
      if (parameters.empty() || !parameters.back().starts_with("[]"))
        return std::nullopt;
      parameters.back().replace(0, 2, "...");
    }
    return "func" + signature_text(parameters, results);
  }

  std::optional<std::string> structure(const TypeDescription &type, int depth) {
    std::vector<std::string> fields;
    for (const TypeDescription::Field &field : type.fields) {
      const auto field_type = name(field.type, depth + 1);
      if (!field_type)
        return std::nullopt;
      const bool named = !field.embedded || version_ < GoVersion{1, 23};
      fields.push_back(
          field_text(named ? field.name : "", *field_type, field.tag.empty() ? "" : quoted_tag(field.tag)));
    }
    return members_text("struct", fields);
  }

  TypeBytes &bytes_;
  GoVersion version_;
  std::size_t spent_ = 0;
};

} // namespace

std::optional<std::string> verified_type_name(TypeBytes &bytes, GoVersion version, RunAddress address) {
  return MadeTypes(bytes, version).name(address, 0);
}

} // namespace inspect
