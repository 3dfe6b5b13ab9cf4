// One DIE after the other from plain bytes, with the few attributes that say what it is called and what it stands for.
// It needs neither libdw, which may be used in one thread only, nor libdwarf, which may not be in our process, so that
// the background and the worker read names with the same code.
//
//     RawDieReader reader(sections, common, unit, codes);
//     std::uint64_t position = unit.dies;
//     while (reader.read(position, die)) …             // die.tag is 0 where a list of siblings ends
//
// Sources: DWARF 5 sections 2.2 (attributes), 7.5.5 and 7.5.6 (classes and forms); GNU extensions for split DWARF 4:
// binutils include/dwarf2.def; DW_FORM_GNU_ref_alt and DW_FORM_GNU_strp_alt: elfutils libdw/dwarf.h.
#pragma once

#include "dwarf/raw/elf/byte_reader.h"
#include "dwarf/raw/units/unit_header.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace inspect {

struct RawReference {
  enum class Kind : std::uint8_t {
    none,
    offset,    ///< in the section of the DIE that refers
    common,    ///< in .debug_info of the file that several share
    signature, ///< of a type unit
  };
  Kind kind = Kind::none;
  std::uint64_t value = 0;
};

struct RawDie {
  std::uint64_t offset = 0;
  std::uint16_t tag = 0;
  bool has_children = false;

  std::string_view name;
  std::string_view split_name;            ///< DW_AT_dwo_name
  std::string_view compilation_directory; ///< DW_AT_comp_dir
  RawReference refers;                    ///< DW_AT_abstract_origin, else DW_AT_specification
  RawReference signature;                 ///< DW_AT_signature
  RawReference import;                    ///< DW_AT_import
  std::uint64_t sibling = 0;              ///< 0: not said
  std::uint64_t low_pc = 0;
  std::uint64_t byte_size = 0;
  std::uint64_t line = 0; ///< of its declaration
  std::uint64_t language = 0;
  std::uint64_t string_offsets_base = 0;
  std::uint64_t split_id = 0; ///< DW_AT_GNU_dwo_id
  std::uint64_t place = 0;    ///< of a static variable: tells its location from others'
  bool has_code = false;      ///< a low_pc that may be one, or ranges
  bool is_declaration = false;
  bool is_external = false;
  bool is_inline = false; ///< an abstract instance
  bool has_location = false;
  bool is_static = false; ///< its location is an address, not a register or a place in a frame
  bool has_constant = false;
  bool enum_class = false;
  bool exports_symbols = false; ///< an inline namespace
  bool has_string_offsets_base = false;
};

class RawDieReader {
public:
  /// All must outlive the reader. `common`: of the file that .gnu_debugaltlink names, or null.
  RawDieReader(const DebugSections &sections, const DebugSections *common, const UnitHeader &unit,
               const AbbreviationTable &codes);

  /// The DIE at `position`, which then is that of the DIE after it. False at the unit's end and where the bytes make no
  /// sense.
  bool read(std::uint64_t &position, RawDie &die);
  /// The root DIE; reading it makes the strings of the others readable.
  bool read_root(std::uint64_t &position, RawDie &die);

  /// Where in the section the value of the attribute of the DIE at `position` begins.
  std::optional<std::uint64_t> attribute_offset(std::uint64_t position, unsigned attribute) const;
  /// From now on adds the signatures of all type units that DIEs refer to, in any attribute.
  void collect_signatures(std::vector<std::uint64_t> *into) { signatures_ = into; }

private:
  struct Value {
    std::uint64_t number = 0;
    std::string_view text;
    std::span<const std::byte> block;
    RawReference reference;
    bool is_block = false;
  };
  bool take(ByteReader &reader, std::uint64_t form, std::int64_t implicit, Value &value) const;
  bool take_text(ByteReader &reader, std::uint64_t form, Value &value) const;
  bool take_reference(ByteReader &reader, std::uint64_t form, Value &value) const;
  bool skip(ByteReader &reader, std::uint64_t form) const;
  std::string_view text_at(DebugSections::Bytes section, std::uint64_t offset) const;
  std::string_view indexed_text(std::uint64_t index) const;
  void keep(RawDie &die, const AttributeSpecification &attribute, std::uint64_t form, const Value &value) const;
  static void keep_location(RawDie &die, const Value &value);

  const DebugSections &sections_;
  const DebugSections *common_;
  const UnitHeader &unit_;
  const AbbreviationTable &codes_;
  std::span<const std::byte> bytes_; ///< the section up to the unit's end
  std::uint64_t string_offsets_base_ = 0;
  std::vector<std::uint64_t> *signatures_ = nullptr;
};

} // namespace inspect
