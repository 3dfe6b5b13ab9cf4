#include "dwarf/raw/units/raw_die.h"

#include <array>
#include <cstring>
#include <dwarf.h>

namespace inspect {
namespace {

constexpr std::size_t max_name_length = 64 << 10;

constexpr auto wanted_attributes = [] {
  std::array<bool, 256> wanted{};
  for (const unsigned attribute :
       {DW_AT_name,          DW_AT_dwo_name,  DW_AT_comp_dir, DW_AT_abstract_origin,  DW_AT_specification,
        DW_AT_signature,     DW_AT_import,    DW_AT_sibling,  DW_AT_low_pc,           DW_AT_ranges,
        DW_AT_byte_size,     DW_AT_decl_line, DW_AT_language, DW_AT_str_offsets_base, DW_AT_declaration,
        DW_AT_external,      DW_AT_inline,    DW_AT_location, DW_AT_const_value,      DW_AT_enum_class,
        DW_AT_export_symbols})
    wanted[attribute] = true;
  return wanted;
}();

bool is_wanted(unsigned attribute) {
  return attribute < wanted_attributes.size() ? wanted_attributes[attribute]
                                              : attribute == DW_AT_GNU_dwo_name || attribute == DW_AT_GNU_dwo_id;
}

/// What linkers put in place of the address of code that they threw away.
bool may_be_code(std::uint64_t address) {
  return address != 0 && address < UINT64_MAX - 1 && (address & 0xffff'ffff) < 0xffff'fffe;
}

std::uint64_t hash_of(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const std::byte byte : bytes)
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100'0000'01b3;
  return hash;
}

} // namespace

RawDieReader::RawDieReader(const DebugSections &sections, const DebugSections *common, const UnitHeader &unit,
                           const AbbreviationTable &codes)
    : sections_(sections), common_(common), unit_(unit), codes_(codes),
      bytes_((unit.in_types ? sections.types : sections.info).first(unit.end)) {
  // A split unit's part of the table has only a header before it, and in DWARF 4 not even that.
  if (sections.split && unit.version >= 5)
    string_offsets_base_ = unit.offset_size == 8 ? 16 : 8;
}

std::string_view RawDieReader::text_at(DebugSections::Bytes section, std::uint64_t offset) const {
  if (offset >= section.size())
    return {};
  const auto *begin = reinterpret_cast<const char *>(section.data()) + offset;
  const std::size_t max_length = std::min<std::size_t>(section.size() - offset, max_name_length);
  const void *end = std::memchr(begin, 0, max_length);
  return end ? std::string_view(begin, static_cast<std::size_t>(static_cast<const char *>(end) - begin))
             : std::string_view();
}

std::string_view RawDieReader::indexed_text(std::uint64_t index) const {
  const DebugSections::Bytes table = sections_.string_offsets;
  const std::uint64_t size = unit_.offset_size;
  if (string_offsets_base_ > table.size() || index >= (table.size() - string_offsets_base_) / size)
    return {};
  ByteReader reader(table.subspan(string_offsets_base_ + index * size));
  return text_at(sections_.strings, reader.number(size));
}

// NOLINTNEXTLINE(readability-function-size): a case for each form
bool RawDieReader::skip(ByteReader &reader, std::uint64_t form) const {
  switch (form) {
  case DW_FORM_flag_present:
  case DW_FORM_implicit_const:
    return true;
  case DW_FORM_data1:
  case DW_FORM_ref1:
  case DW_FORM_flag:
  case DW_FORM_strx1:
  case DW_FORM_addrx1:
    reader.skip(1);
    break;
  case DW_FORM_data2:
  case DW_FORM_ref2:
  case DW_FORM_strx2:
  case DW_FORM_addrx2:
    reader.skip(2);
    break;
  case DW_FORM_strx3:
  case DW_FORM_addrx3:
    reader.skip(3);
    break;
  case DW_FORM_data4:
  case DW_FORM_ref4:
  case DW_FORM_strx4:
  case DW_FORM_addrx4:
  case DW_FORM_ref_sup4:
    reader.skip(4);
    break;
  case DW_FORM_data8:
  case DW_FORM_ref8:
  case DW_FORM_ref_sup8:
    reader.skip(8);
    break;
  case DW_FORM_ref_sig8:
    if (const std::uint64_t signature = reader.number(8); signatures_)
      signatures_->push_back(signature);
    break;
  case DW_FORM_data16:
    reader.skip(16);
    break;
  case DW_FORM_addr:
    reader.skip(unit_.address_size);
    break;
  case DW_FORM_ref_addr:
    reader.skip(unit_.version == 2 ? unit_.address_size : unit_.offset_size);
    break;
  case DW_FORM_strp:
  case DW_FORM_line_strp:
  case DW_FORM_sec_offset:
  case DW_FORM_strp_sup:
  case DW_FORM_GNU_ref_alt:
  case DW_FORM_GNU_strp_alt:
    reader.skip(unit_.offset_size);
    break;
  case DW_FORM_sdata:
    reader.signed_leb();
    break;
  case DW_FORM_udata:
  case DW_FORM_ref_udata:
  case DW_FORM_strx:
  case DW_FORM_addrx:
  case DW_FORM_loclistx:
  case DW_FORM_rnglistx:
  case DW_FORM_GNU_addr_index:
  case DW_FORM_GNU_str_index:
    reader.unsigned_leb();
    break;
  case DW_FORM_string:
    reader.string();
    break;
  case DW_FORM_block1:
    reader.skip(reader.byte());
    break;
  case DW_FORM_block2:
    reader.skip(reader.number(2));
    break;
  case DW_FORM_block4:
    reader.skip(reader.number(4));
    break;
  case DW_FORM_block:
  case DW_FORM_exprloc:
    reader.skip(reader.unsigned_leb());
    break;
  case DW_FORM_indirect: {
    const std::uint64_t actual = reader.unsigned_leb();
    return actual != DW_FORM_indirect && actual != DW_FORM_implicit_const && skip(reader, actual);
  }
  default:
    return false;
  }
  return reader.ok();
}

bool RawDieReader::take_text(ByteReader &reader, std::uint64_t form, Value &value) const {
  switch (form) {
  case DW_FORM_string:
    value.text = reader.string();
    return true;
  case DW_FORM_strp:
    value.text = text_at(sections_.strings, reader.number(unit_.offset_size));
    return true;
  case DW_FORM_line_strp:
    value.text = text_at(sections_.line_strings, reader.number(unit_.offset_size));
    return true;
  case DW_FORM_strp_sup:
  case DW_FORM_GNU_strp_alt: {
    const std::uint64_t offset = reader.number(unit_.offset_size);
    value.text = common_ ? text_at(common_->strings, offset) : std::string_view();
    return true;
  }
  case DW_FORM_strx:
  case DW_FORM_GNU_str_index:
    value.text = indexed_text(reader.unsigned_leb());
    return true;
  case DW_FORM_strx1:
  case DW_FORM_strx2:
  case DW_FORM_strx3:
  case DW_FORM_strx4:
    value.text = indexed_text(reader.number(form - DW_FORM_strx1 + 1));
    return true;
  default:
    return false;
  }
}

bool RawDieReader::take_reference(ByteReader &reader, std::uint64_t form, Value &value) const {
  const auto in_unit = [&](std::uint64_t offset) {
    value.reference = {RawReference::Kind::offset, unit_.offset + offset};
    return true;
  };
  switch (form) {
  case DW_FORM_ref1:
  case DW_FORM_ref2:
    return in_unit(reader.number(form == DW_FORM_ref1 ? 1 : 2));
  case DW_FORM_ref4:
    return in_unit(reader.number(4));
  case DW_FORM_ref8:
    return in_unit(reader.number(8));
  case DW_FORM_ref_udata:
    return in_unit(reader.unsigned_leb());
  case DW_FORM_ref_addr:
    value.reference = {RawReference::Kind::offset,
                       reader.number(unit_.version == 2 ? unit_.address_size : unit_.offset_size)};
    return true;
  case DW_FORM_GNU_ref_alt:
    value.reference = {RawReference::Kind::common, reader.number(unit_.offset_size)};
    return true;
  case DW_FORM_ref_sup4:
  case DW_FORM_ref_sup8:
    value.reference = {RawReference::Kind::common, reader.number(form == DW_FORM_ref_sup4 ? 4 : 8)};
    return true;
  case DW_FORM_ref_sig8:
    value.reference = {RawReference::Kind::signature, reader.number(8)};
    if (signatures_)
      signatures_->push_back(value.reference.value);
    return true;
  default:
    return false;
  }
}

// NOLINTNEXTLINE(readability-function-size): a case for each form
bool RawDieReader::take(ByteReader &reader, std::uint64_t form, std::int64_t implicit, Value &value) const {
  if (form == DW_FORM_indirect) {
    form = reader.unsigned_leb();
    if (form == DW_FORM_indirect || form == DW_FORM_implicit_const)
      return false;
  }
  if (take_text(reader, form, value) || take_reference(reader, form, value))
    return reader.ok();
  const auto block = [&](std::uint64_t size) {
    const std::size_t left = reader.left();
    if (size > left)
      return false;
    value.is_block = true;
    value.block = bytes_.subspan(bytes_.size() - left, size);
    reader.skip(size);
    return true;
  };
  switch (form) {
  case DW_FORM_flag_present:
    value.number = 1;
    return true;
  case DW_FORM_implicit_const:
    value.number = static_cast<std::uint64_t>(implicit);
    return true;
  case DW_FORM_flag:
  case DW_FORM_data1:
    value.number = reader.number(1);
    return reader.ok();
  case DW_FORM_data2:
    value.number = reader.number(2);
    return reader.ok();
  case DW_FORM_data4:
    value.number = reader.number(4);
    return reader.ok();
  case DW_FORM_data8:
    value.number = reader.number(8);
    return reader.ok();
  case DW_FORM_addr:
    value.number = reader.number(unit_.address_size);
    return reader.ok();
  case DW_FORM_sec_offset:
    value.number = reader.number(unit_.offset_size);
    return reader.ok();
  case DW_FORM_sdata:
    value.number = static_cast<std::uint64_t>(reader.signed_leb());
    return reader.ok();
  case DW_FORM_udata:
  case DW_FORM_addrx:
  case DW_FORM_GNU_addr_index:
  case DW_FORM_loclistx:
  case DW_FORM_rnglistx:
    value.number = reader.unsigned_leb();
    return reader.ok();
  case DW_FORM_block1:
    return block(reader.number(1));
  case DW_FORM_block2:
    return block(reader.number(2));
  case DW_FORM_block4:
    return block(reader.number(4));
  case DW_FORM_block:
  case DW_FORM_exprloc:
    return block(reader.unsigned_leb());
  default:
    return skip(reader, form);
  }
}

/// An address (or an index of one) at the front is a static place: of TLS variables it is an offset, pushed as a
/// constant and followed by an operator that makes an address of it.
void RawDieReader::keep_location(RawDie &die, const Value &value) {
  die.has_location = true;
  if (!value.is_block || value.block.empty())
    return;
  const auto first = static_cast<unsigned>(value.block.front());
  const auto last = static_cast<unsigned>(value.block.back());
  die.is_static = first == DW_OP_addr || first == DW_OP_addrx || first == DW_OP_GNU_addr_index ||
                  last == DW_OP_form_tls_address || last == DW_OP_GNU_push_tls_address;
  die.place = hash_of(value.block);
}

// NOLINTNEXTLINE(readability-function-size): a case for each attribute
void RawDieReader::keep(RawDie &die, const AttributeSpecification &attribute, std::uint64_t form,
                        const Value &value) const {
  switch (attribute.name) {
  case DW_AT_name:
    die.name = value.text;
    break;
  case DW_AT_dwo_name:
  case DW_AT_GNU_dwo_name:
    die.split_name = value.text;
    break;
  case DW_AT_comp_dir:
    die.compilation_directory = value.text;
    break;
  case DW_AT_abstract_origin:
    die.refers = value.reference;
    break;
  case DW_AT_specification:
    if (die.refers.kind == RawReference::Kind::none)
      die.refers = value.reference;
    break;
  case DW_AT_signature:
    die.signature = value.reference;
    break;
  case DW_AT_import:
    die.import = value.reference;
    break;
  case DW_AT_sibling:
    die.sibling = value.reference.kind == RawReference::Kind::offset ? value.reference.value : 0;
    break;
  case DW_AT_low_pc:
    die.low_pc = value.number;
    die.has_code |= form != DW_FORM_addr || may_be_code(value.number);
    break;
  case DW_AT_ranges:
    die.has_code = true;
    break;
  case DW_AT_byte_size:
    die.byte_size = value.number;
    break;
  case DW_AT_decl_line:
    die.line = value.number;
    break;
  case DW_AT_language:
    die.language = value.number;
    break;
  case DW_AT_str_offsets_base:
    die.string_offsets_base = value.number;
    die.has_string_offsets_base = true;
    break;
  case DW_AT_GNU_dwo_id:
    die.split_id = value.number;
    break;
  case DW_AT_declaration:
    die.is_declaration = value.number != 0;
    break;
  case DW_AT_external:
    die.is_external = value.number != 0;
    break;
  case DW_AT_inline:
    die.is_inline = value.number == DW_INL_inlined || value.number == DW_INL_declared_inlined;
    break;
  case DW_AT_location:
    keep_location(die, value);
    break;
  case DW_AT_const_value:
    die.has_constant = true;
    break;
  case DW_AT_enum_class:
    die.enum_class = value.number != 0;
    break;
  case DW_AT_export_symbols:
    die.exports_symbols = value.number != 0;
    break;
  default:
    break;
  }
}

bool RawDieReader::read(std::uint64_t &position, RawDie &die) {
  if (position >= bytes_.size() || position < unit_.dies)
    return false;
  die = {};
  die.offset = position;
  ByteReader reader(bytes_.subspan(position));
  const std::uint64_t code = reader.unsigned_leb();
  if (code != 0) {
    const Abbreviation *abbreviation = codes_.find(code);
    if (!abbreviation)
      return false;
    die.tag = abbreviation->tag;
    die.has_children = abbreviation->has_children;
    for (const AttributeSpecification &attribute : codes_.attributes(*abbreviation)) {
      if (!is_wanted(attribute.name)) {
        if (!skip(reader, attribute.form))
          return false;
        continue;
      }
      Value value;
      if (!take(reader, attribute.form, attribute.implicit, value))
        return false;
      keep(die, attribute, attribute.form, value);
    }
  }
  if (!reader.ok())
    return false;
  position += reader.position();
  return true;
}

std::optional<std::uint64_t> RawDieReader::attribute_offset(std::uint64_t position, unsigned attribute) const {
  if (position >= bytes_.size())
    return std::nullopt;
  ByteReader reader(bytes_.subspan(position));
  const Abbreviation *abbreviation = codes_.find(reader.unsigned_leb());
  if (!abbreviation)
    return std::nullopt;
  for (const AttributeSpecification &one : codes_.attributes(*abbreviation)) {
    if (one.name == attribute)
      return reader.ok() ? std::optional(position + reader.position()) : std::nullopt;
    if (!skip(reader, one.form))
      return std::nullopt;
  }
  return std::nullopt;
}

bool RawDieReader::read_root(std::uint64_t &position, RawDie &die) {
  position = unit_.dies;
  if (!read(position, die))
    return false;
  if (!die.has_string_offsets_base)
    return true;
  // Its own strings may stand before the attribute that says where strings are.
  string_offsets_base_ = die.string_offsets_base;
  position = unit_.dies;
  return read(position, die);
}

} // namespace inspect
