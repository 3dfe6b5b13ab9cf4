#include "golang/types/type_description.h"

#include <array>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <string_view>

namespace inspect {
namespace {

/// The bits above the kind are flags up to Go 1.25.
constexpr std::uint8_t kind_mask = 0x1f;

constexpr std::uint8_t flag_uncommon = 1 << 0;
constexpr std::uint8_t flag_extra_star = 1 << 1;
constexpr std::uint8_t flag_named = 1 << 2;
constexpr std::uint8_t known_flags = 0x3f;

/// The common part: what every description begins with.
struct CommonPart {
  std::uint64_t size;
  std::uint64_t pointer_bytes;
  std::uint32_t hash;
  std::uint8_t flags;
  std::uint8_t alignment;
  std::uint8_t field_alignment;
  std::uint8_t kind;
  std::uint64_t equal;
  std::uint64_t collector_data;
  std::int32_t name;
  std::int32_t pointer_to_this;
};
constexpr std::uint64_t common_size = sizeof(CommonPart);
static_assert(common_size == 48);
constexpr std::uint64_t uncommon_size = 16;
constexpr std::uint64_t alignment_of_descriptions = 8;

constexpr std::uint64_t max_fields = 1 << 16;
constexpr std::uint64_t max_methods = 1 << 16;

/// reflect.ArrayOf, ChanOf, FuncOf, MapOf, PointerTo, SliceOf, StructOf: types without a name.
bool reflect_makes(GoKind kind) {
  switch (kind) {
  case GoKind::array:
  case GoKind::channel:
  case GoKind::function:
  case GoKind::map:
  case GoKind::pointer:
  case GoKind::slice:
  case GoKind::structure:
    return true;
  default:
    return false;
  }
}

/// Bytes of a map's own part behind the common one: buckets up to 1.23, tables of slots since, whose strides are told
/// since 1.27.
std::uint64_t map_part(GoVersion version) {
  if (version == GoVersion{} || version >= GoVersion{1, 27})
    return 88;
  return version >= GoVersion{1, 24} ? 64 : 40;
}

/// Bytes of the description before the uncommon part.
std::uint64_t description_size(GoKind kind, GoVersion version) {
  switch (kind) {
  case GoKind::array:
    return common_size + 24;
  case GoKind::channel:
    return common_size + 16;
  case GoKind::function:
  case GoKind::pointer:
  case GoKind::slice:
    return common_size + 8;
  case GoKind::interface:
  case GoKind::structure:
    return common_size + 32;
  case GoKind::map:
    return common_size + map_part(version);
  default:
    return common_size;
  }
}

std::optional<CommonPart> read_common(TypeBytes &bytes, RunAddress address) {
  if (address.value == 0 || address.value % alignment_of_descriptions != 0)
    return std::nullopt;
  const auto common = bytes.value<CommonPart>(address);
  if (!common)
    return std::nullopt;
  const std::uint8_t number = common->kind & kind_mask;
  if (go_kind(number) == GoKind::unknown || (common->kind & 0x80) != 0 || (common->flags & ~known_flags) != 0)
    return std::nullopt;
  if (!std::has_single_bit(common->alignment) || common->alignment > 64 || common->size % common->alignment != 0 ||
      common->pointer_bytes > common->size || common->pointer_bytes % 8 != 0)
    return std::nullopt;
  const std::uint64_t expected = size_of_kind(go_kind(number));
  if (expected != 0 && common->size != expected)
    return std::nullopt;
  return common;
}

bool begins_like(GoKind kind, std::string_view name) {
  const auto begins = [&](std::string_view with) { return name.starts_with(with); };
  switch (kind) {
  case GoKind::array:
    return begins("[") && !begins("[]");
  case GoKind::channel:
    return begins("chan") || begins("<-chan");
  case GoKind::function:
    return begins("func(");
  case GoKind::interface:
    return begins("interface {");
  case GoKind::map:
    return begins("map[");
  case GoKind::pointer:
    return begins("*");
  case GoKind::slice:
    return begins("[]");
  case GoKind::structure: // and the groups and buckets that the compiler makes for maps
    return begins("struct {") || begins("map.");
  default:
    return false; // the others exist with names only
  }
}

/// In an image: the name behind the offset, as it is printed.
std::optional<std::string> image_name(TypeBytes &bytes, const GoImage &image, const CommonPart &common) {
  auto name = bytes.name(image, common.name);
  if (!name || name->text.empty())
    return std::nullopt;
  if ((common.flags & flag_extra_star) != 0) {
    if (name->text.front() != '*')
      return std::nullopt;
    name->text.erase(0, 1);
  }
  std::string_view shown = name->text;
  if (shown.starts_with("noalg."))
    shown.remove_prefix(6);
  if (shown.empty() || ((common.flags & flag_named) == 0 && !begins_like(go_kind(common.kind & kind_mask), shown)))
    return std::nullopt;
  return std::move(name->text);
}

/// Where the package path's offset lies; nothing without an uncommon part.
std::string package_path(TypeBytes &bytes, const GoImage &image, RunAddress address, const CommonPart &common) {
  if ((common.flags & flag_uncommon) == 0)
    return {};
  const auto offset =
      bytes.value<std::int32_t>(address + description_size(go_kind(common.kind & kind_mask), image.version));
  if (!offset)
    return {};
  auto name = bytes.name(image, *offset);
  return name ? std::move(name->text) : std::string{};
}

class DescriptionReader {
public:
  DescriptionReader(TypeBytes &bytes, GoVersion version, TypeDescription &description)
      : bytes_(bytes), version_(version), description_(description) {}

  bool read_own_part(bool uncommon) {
    switch (description_.kind) {
    case GoKind::array:
      return word(48, description_.element.value) && word(64, description_.length);
    case GoKind::channel: {
      std::uint64_t direction = 0;
      if (!word(48, description_.element.value) || !word(56, direction) || direction < 1 || direction > 3)
        return false;
      description_.direction = static_cast<TypeDescription::Direction>(direction);
      return true;
    }
    case GoKind::map:
      return word(48, description_.key.value) && word(56, description_.element.value);
    case GoKind::pointer:
    case GoKind::slice:
      return word(48, description_.element.value);
    case GoKind::interface:
      return word(64, description_.method_count) && description_.method_count <= max_methods;
    case GoKind::function:
      return read_function(uncommon);
    case GoKind::structure:
      return read_fields();
    default:
      return true;
    }
  }

private:
  bool word(std::uint64_t offset, std::uint64_t &into) {
    const auto value = bytes_.value<std::uint64_t>(description_.address + offset);
    into = value.value_or(0);
    return value.has_value();
  }

  bool read_function(bool uncommon) {
    const auto counts = bytes_.value<std::array<std::uint16_t, 2>>(description_.address + common_size);
    if (!counts)
      return false;
    constexpr std::uint16_t variadic_bit = 1 << 15;
    description_.variadic = ((*counts)[1] & variadic_bit) != 0;
    const std::size_t parameters = (*counts)[0];
    const std::size_t results = (*counts)[1] & ~variadic_bit;
    if (description_.variadic && parameters == 0)
      return false;
    RunAddress at = description_.address + common_size + 8 + (uncommon ? uncommon_size : 0);
    for (std::size_t i = 0; i < parameters + results; ++i, at = at + 8) {
      const auto type = bytes_.value<std::uint64_t>(at);
      if (!type || *type == 0)
        return false;
      (i < parameters ? description_.parameters : description_.results).push_back({*type});
    }
    return true;
  }

  bool read_fields() {
    std::uint64_t array = 0;
    std::uint64_t count = 0;
    if (!word(56, array) || !word(64, count) || count > max_fields)
      return false;
    std::uint64_t lowest = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto words = bytes_.value<std::array<std::uint64_t, 3>>({array + i * 24});
      auto name = words ? bytes_.name(RunAddress{(*words)[0]}) : std::nullopt;
      if (!name || (*words)[1] == 0)
        return false;
      TypeDescription::Field field{.name = std::move(name->text),
                                   .tag = std::move(name->tag),
                                   .type = {(*words)[1]},
                                   .offset = (*words)[2],
                                   .embedded = name->embedded};
      if (version_ != GoVersion{} && version_ < GoVersion{1, 19}) { // the lowest bit said "embedded"
        field.embedded = (field.offset & 1) != 0;
        field.offset >>= 1;
      }
      if (field.offset < lowest || field.offset > description_.size)
        return false;
      lowest = field.offset;
      description_.fields.push_back(std::move(field));
    }
    return true;
  }

  TypeBytes &bytes_;
  GoVersion version_;
  TypeDescription &description_;
};

} // namespace

std::optional<TypeDescription> read_type_description(TypeBytes &bytes, GoVersion version, RunAddress address) {
  const auto common = read_common(bytes, address);
  if (!common)
    return std::nullopt;
  TypeDescription description;
  description.address = address;
  description.image = bytes.image_of(address);
  description.kind = go_kind(common->kind & kind_mask);
  description.named = (common->flags & flag_named) != 0;
  description.size = common->size;
  description.alignment = common->alignment;
  description.hash = common->hash;
  if (description.image) {
    auto name = image_name(bytes, *description.image, *common);
    if (!name)
      return std::nullopt;
    description.name = std::move(*name);
    description.package_path = package_path(bytes, *description.image, address, *common);
  } else if (description.named || !reflect_makes(description.kind)) {
    return std::nullopt;
  }
  const GoVersion own_version = description.image != nullptr ? description.image->version : version;
  if (!DescriptionReader(bytes, own_version, description).read_own_part((common->flags & flag_uncommon) != 0))
    return std::nullopt;
  return description;
}

namespace {

/// Bytes of a kind's own list behind the uncommon part: parameters and results, methods, fields.
std::optional<std::uint64_t> list_bytes(TypeBytes &bytes, RunAddress address, GoKind kind) {
  if (kind == GoKind::function) {
    const auto counts = bytes.value<std::array<std::uint16_t, 2>>(address + common_size);
    return counts ? std::optional(std::uint64_t{8} * ((*counts)[0] + ((*counts)[1] & 0x7fffU))) : std::nullopt;
  }
  if (kind != GoKind::interface && kind != GoKind::structure)
    return 0;
  const auto count = bytes.value<std::uint64_t>(address + common_size + 16);
  const std::uint64_t most = kind == GoKind::interface ? max_methods : max_fields;
  return count && *count <= most ? std::optional(*count * (kind == GoKind::interface ? 8 : 24)) : std::nullopt;
}

} // namespace

std::optional<std::uint64_t> type_description_bytes(TypeBytes &bytes, GoVersion version, RunAddress address) {
  const auto common = read_common(bytes, address);
  if (!common)
    return std::nullopt;
  const GoKind kind = go_kind(common->kind & kind_mask);
  const auto list = list_bytes(bytes, address, kind);
  if (!list)
    return std::nullopt;
  std::uint64_t size = description_size(kind, version) + *list;
  if ((common->flags & flag_uncommon) != 0) {
    const auto methods = bytes.value<std::uint16_t>(address + description_size(kind, version) + 4);
    if (!methods)
      return std::nullopt;
    size += uncommon_size + *methods * std::uint64_t{16};
  }
  return size;
}

std::optional<TypeTitle> read_type_title(TypeBytes &bytes, RunAddress address) {
  const GoImage *image = bytes.image_of(address);
  const auto common = image ? read_common(bytes, address) : std::nullopt;
  auto name = common ? image_name(bytes, *image, *common) : std::nullopt;
  if (!name)
    return std::nullopt;
  TypeTitle title;
  title.name = std::move(*name);
  title.kind = go_kind(common->kind & kind_mask);
  if ((common->flags & flag_named) != 0)
    title.package_path = package_path(bytes, *image, address, *common);
  if (title.kind == GoKind::pointer) {
    if (const auto element = bytes.value<std::uint64_t>(address + common_size))
      title.element = {*element};
  }
  return title;
}

namespace {

constexpr std::size_t max_made_name_length = 4096;
constexpr int max_name_nesting = 16;
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
    if (depth > max_name_nesting)
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
