#include "dwarf/split/plain_unit.h"

#include "dwarf/elf/composed_elf.h"
#include "dwarf/raw/units/raw_die.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <dwarf.h>
#include <unordered_set>

namespace inspect {
namespace {

/// Type units that one unit refers to, and those that these refer to.
constexpr std::size_t max_type_units = 65'536;
constexpr std::size_t size_of_id = 8; ///< by which the header of a split unit is longer
constexpr std::size_t size_of_index = 4;

using Bytes = std::vector<std::byte>;

void append_unsigned(Bytes &bytes, std::uint64_t value) {
  do {
    const auto low = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    bytes.push_back(static_cast<std::byte>(value != 0 ? low | 0x80 : low));
  } while (value != 0);
}

void append_signed(Bytes &bytes, std::int64_t value) {
  while (true) {
    const auto low = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    const bool last = (value == 0 && (low & 0x40) == 0) || (value == -1 && (low & 0x40) != 0);
    bytes.push_back(static_cast<std::byte>(last ? low : low | 0x80));
    if (last)
      return;
  }
}

void append(Bytes &bytes, std::span<const std::byte> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

void put_number(Bytes &bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  std::memcpy(bytes.data() + at, &value, size);
}

/// Of a root DIE's abbreviation in its new form.
using Attributes = std::vector<AttributeSpecification>;

AttributeSpecification constant(std::uint16_t name, std::uint64_t value) {
  return {name, DW_FORM_implicit_const, static_cast<std::int64_t>(value)};
}

/// The table with the root's abbreviation replaced.
void append_table(Bytes &bytes, const AbbreviationTable &codes, std::uint64_t root_code, const Attributes &root) {
  codes.each([&](const Abbreviation &abbreviation) {
    append_unsigned(bytes, abbreviation.code);
    append_unsigned(bytes, abbreviation.tag);
    bytes.push_back(static_cast<std::byte>(abbreviation.has_children));
    const std::span<const AttributeSpecification> own = codes.attributes(abbreviation);
    for (const AttributeSpecification &attribute :
         abbreviation.code == root_code ? std::span<const AttributeSpecification>(root) : own) {
      append_unsigned(bytes, attribute.name);
      append_unsigned(bytes, attribute.form);
      if (attribute.form == DW_FORM_implicit_const)
        append_signed(bytes, attribute.implicit);
    }
    bytes.insert(bytes.end(), 2, std::byte{0});
  });
  bytes.push_back(std::byte{0});
}

class Assembler {
public:
  Assembler(const SkeletonFacts &skeleton, const PlainUnitSources &sources) : skeleton_(skeleton), sources_(sources) {}

  bool add_main(const DebugSections &parts) {
    main_ = parts;
    in_types_ = parts.info.empty();
    const auto header = read_unit_header(parts, 0, in_types_);
    if (!header || !add(parts, *header))
      return false;
    version_ = header->version;
    while (!wanted_.empty() && known_.size() < max_type_units) {
      const std::uint64_t signature = wanted_.front();
      wanted_.pop_front();
      const auto type = sources_.type_unit(signature);
      const auto type_header = type ? read_unit_header(*type, 0, type->info.empty()) : std::nullopt;
      if (type_header)
        add(*type, *type_header); // a type that cannot be read is one that is not there
    }
    return true;
  }

  Result<ComposedElf::Memory> finish() {
    ComposedElf elf;
    elf.add(".debug_info", std::move(info_));
    if (!types_.empty())
      elf.add(".debug_types", std::move(types_));
    elf.add(".debug_abbrev", std::move(abbreviations_));
    elf.add(".debug_str_offsets", std::move(string_offsets_));
    elf.add(".debug_str", main_.strings, sources_.package);
    const auto add = [&](const char *name, DebugSections::Bytes bytes, const ElfImage *image, Bytes tail = {}) {
      if (!bytes.empty() || !tail.empty())
        elf.add(name, bytes, image, std::move(tail));
    };
    add(".debug_line", main_.lines, sources_.package);
    add(version_ >= 5 ? ".debug_loclists" : ".debug_loc", main_.locations, sources_.package);
    add(".debug_rnglists", main_.ranges, sources_.package);
    add(".debug_addr", sources_.program_sections.addresses, sources_.program, std::move(address_tail_));
    const DebugSections::Bytes ranges = sources_.program_sections.old_ranges;
    add(".debug_ranges", ranges.subspan(std::min<std::size_t>(skeleton_.ranges_base, ranges.size())), sources_.program);
    return elf.finish();
  }

  std::uint64_t root_offset() const { return root_offset_; }
  bool in_types() const { return in_types_; }

private:
  bool add(const DebugSections &parts, const UnitHeader &header) {
    if (header.type == DW_UT_skeleton || header.offset_size != 4)
      return false; // 64-bit DWARF has no such packages: their indexes are of 32 bits
    const AbbreviationTable codes(parts.abbreviations, header.abbreviations);
    RawDieReader reader(parts, nullptr, header, codes);
    std::vector<std::uint64_t> signatures;
    reader.collect_signatures(&signatures);
    std::uint64_t position = 0;
    RawDie die;
    if (!reader.read_root(position, die) || die.tag == 0)
      return false;
    while (reader.read(position, die)) {
    }
    for (const std::uint64_t signature : signatures)
      if (known_.insert(signature).second)
        wanted_.push_back(signature);
    if (header.is_type_unit())
      known_.insert(header.signature);
    const bool to_types = header.in_types;
    Bytes unit;
    append(unit, (to_types ? parts.types : parts.info).first(header.end));
    const std::uint64_t strings_at = place_of(parts.string_offsets) + (header.version >= 5 ? 8 : 0);
    const bool made = header.is_type_unit() ? make_plain_type(unit, header, codes, strings_at)
                      : header.version >= 5 ? make_plain(unit, header, codes, strings_at)
                                            : make_plain_old(unit, header, codes, strings_at);
    if (!made)
      return false;
    Bytes &section = to_types ? types_ : info_;
    append(section, unit);
    return true;
  }

  /// Each part once.
  std::uint64_t place_of(DebugSections::Bytes string_offsets) {
    for (const auto &[bytes, place] : string_offset_places_)
      if (bytes.data() == string_offsets.data() && bytes.size() == string_offsets.size())
        return place;
    const std::uint64_t place = string_offsets_.size();
    append(string_offsets_, string_offsets);
    string_offset_places_.emplace_back(string_offsets, place);
    return place;
  }

  static std::optional<std::uint64_t> root_code(const Bytes &unit, const UnitHeader &header, std::size_t &size) {
    ByteReader reader(std::span<const std::byte>(unit).subspan(header.dies));
    const std::uint64_t code = reader.unsigned_leb();
    size = reader.position();
    return reader.ok() && code != 0 ? std::optional(code) : std::nullopt;
  }

  /// Gives the unit a table of its own.
  void set_table(Bytes &unit, const UnitHeader &header, const AbbreviationTable &codes, std::uint64_t code,
                 const Attributes &root) {
    put_number(unit, header.offset + (header.version >= 5 ? 8 : 6), abbreviations_.size(), header.offset_size);
    append_table(abbreviations_, codes, code, root);
  }

  bool make_plain_type(Bytes &unit, const UnitHeader &header, const AbbreviationTable &codes,
                       std::uint64_t strings_at) {
    std::size_t size = 0;
    const auto code = root_code(unit, header, size);
    const Abbreviation *abbreviation = code ? codes.find(*code) : nullptr;
    if (abbreviation == nullptr)
      return false;
    const auto own = codes.attributes(*abbreviation);
    Attributes root(own.begin(), own.end());
    root.push_back(constant(DW_AT_str_offsets_base, strings_at));
    set_table(unit, header, codes, *code, root);
    if (header.version >= 5)
      unit[header.offset + 6] = std::byte{DW_UT_type};
    if (info_.empty() && types_.empty())
      root_offset_ = header.dies;
    return true;
  }

  /// DWARF 5.
  bool make_plain(Bytes &unit, const UnitHeader &header, const AbbreviationTable &codes, std::uint64_t strings_at) {
    std::size_t size = 0;
    const auto code = root_code(unit, header, size);
    const Abbreviation *abbreviation = code ? codes.find(*code) : nullptr;
    if (abbreviation == nullptr || header.type != DW_UT_split_compile)
      return false;
    const std::uint64_t begin = header.dies - size_of_id;
    Bytes front;
    append_unsigned(front, *code);
    front.resize(size); // as many bytes as the code had, so that the attributes stay where they are
    if (front.size() != size || padded_differs(*code, size))
      return false;
    const auto index = add_low_pc();
    if (!index)
      return false;
    for (std::size_t byte = 0; byte < size_of_index; ++byte)
      front.push_back(static_cast<std::byte>((*index >> (7 * byte) & 0x7f) | (byte + 1 < size_of_index ? 0x80U : 0U)));
    front.resize(front.size() + 4); // DW_AT_stmt_list
    std::ranges::copy(front, unit.begin() + static_cast<std::ptrdiff_t>(begin));
    Attributes root{{DW_AT_low_pc, DW_FORM_addrx, 0}, {DW_AT_stmt_list, DW_FORM_sec_offset, 0}};
    const auto own = codes.attributes(*abbreviation);
    root.insert(root.end(), own.begin(), own.end());
    root.push_back(constant(DW_AT_str_offsets_base, strings_at));
    root.push_back(constant(DW_AT_addr_base, skeleton_.address_base));
    root.push_back(constant(DW_AT_loclists_base, size_of_list_header));
    root.push_back(constant(DW_AT_rnglists_base, size_of_list_header));
    set_table(unit, header, codes, *code, root);
    unit[header.offset + 6] = std::byte{DW_UT_compile};
    root_offset_ = begin;
    return true;
  }

  /// DWARF 4 with GNU's extensions. It stays a split unit to libdw, which knows by DW_AT_GNU_dwo_id that its location
  /// lists are of that kind.
  bool make_plain_old(Bytes &unit, const UnitHeader &header, const AbbreviationTable &codes, std::uint64_t strings_at) {
    std::size_t size = 0;
    const auto code = root_code(unit, header, size);
    const Abbreviation *abbreviation = code ? codes.find(*code) : nullptr;
    if (abbreviation == nullptr || header.address_size != 8)
      return false;
    Attributes root;
    const AbbreviationTable &table = codes;
    RawDieReader reader(main_, nullptr, header, table);
    const auto id_at = reader.attribute_offset(header.dies, DW_AT_GNU_dwo_id);
    for (AttributeSpecification attribute : codes.attributes(*abbreviation)) {
      if (attribute.name == DW_AT_GNU_dwo_id) {
        if (attribute.form != DW_FORM_data8 || !id_at || *id_at + 8 > unit.size())
          return false;
        ByteReader id(std::span<const std::byte>(unit).subspan(*id_at));
        root.push_back(constant(DW_AT_GNU_dwo_id, id.number(8)));
        put_number(unit, *id_at, skeleton_.low_pc, 8);
        attribute = {DW_AT_low_pc, DW_FORM_addr, 0};
      }
      // The name of a .dwo file would make a skeleton of it.
      if (attribute.name == DW_AT_GNU_dwo_name)
        attribute.name = DW_AT_dwo_name;
      root.push_back(attribute);
    }
    root.push_back(constant(DW_AT_str_offsets_base, strings_at));
    root.push_back(constant(DW_AT_GNU_addr_base, skeleton_.address_base));
    set_table(unit, header, codes, *code, root);
    root_offset_ = header.dies;
    return true;
  }

  /// Whether the code was written with more bytes than it needs, which nobody does.
  static bool padded_differs(std::uint64_t code, std::size_t size) {
    Bytes plain;
    append_unsigned(plain, code);
    return plain.size() != size;
  }

  /// Adds the address behind the program's own; its index for DW_FORM_addrx.
  std::optional<std::uint64_t> add_low_pc() {
    const std::size_t size = sources_.program_sections.addresses.size();
    if (skeleton_.address_base > size)
      return std::nullopt;
    const std::uint64_t index = (size - skeleton_.address_base + 7) / 8;
    if (index >= 1ULL << (7 * size_of_index))
      return std::nullopt;
    const std::size_t place = skeleton_.address_base + index * 8;
    address_tail_.assign(place + 8 - size, std::byte{0});
    put_number(address_tail_, place - size, skeleton_.low_pc, 8);
    return index;
  }

  static constexpr std::uint64_t size_of_list_header = 12; ///< of .debug_loclists and .debug_rnglists

  const SkeletonFacts &skeleton_;
  const PlainUnitSources &sources_;
  DebugSections main_;
  int version_ = 0;
  bool in_types_ = false;
  std::uint64_t root_offset_ = 0;
  Bytes info_, types_, abbreviations_, string_offsets_, address_tail_;
  std::vector<std::pair<DebugSections::Bytes, std::uint64_t>> string_offset_places_;
  std::unordered_set<std::uint64_t> known_;
  std::deque<std::uint64_t> wanted_;
};

} // namespace

Result<PlainUnit> PlainUnit::make(const DebugSections &parts, const SkeletonFacts &skeleton,
                                  const PlainUnitSources &sources) {
  Assembler assembler(skeleton, sources);
  if (!assembler.add_main(parts))
    return std::unexpected(Error(ErrorKind::corrupt, "a unit of the package is malformed"));
  auto memory = assembler.finish();
  if (!memory)
    return std::unexpected(memory.error());
  PlainUnit unit;
  unit.memory_ = memory->owner;
  unit.root_offset_ = assembler.root_offset();
  unit.in_types_ = assembler.in_types();
  unit.elf_.reset(elf_memory(reinterpret_cast<char *>(memory->bytes.data()), memory->bytes.size()));
  if (!unit.elf_)
    return std::unexpected(Error(ErrorKind::system, "libelf cannot read a unit of the package"));
  return unit;
}

} // namespace inspect
