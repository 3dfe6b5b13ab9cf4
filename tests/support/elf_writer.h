// ELF images, DWARF and call frame information made byte by byte, so that rare, old and hostile input does not depend
// on which compilers are installed. Nothing is checked: what is wrong in a test's image is so on purpose.
//
//     DwarfWriter dwarf(5, {.wide = true});
//     dwarf.abbreviation(1, DW_TAG_compile_unit, {{DW_AT_name, DW_FORM_string}});
//     dwarf.begin_unit(DW_UT_compile).leb(1).string("made.c");
//     ElfWriter elf;
//     elf.load(".text", 0x401000, code, PF_X);
//     dwarf.write_to(elf);
//     auto module = open_file(folder.write("made", elf.text()), files);
//
// Sources: System V gABI chapters 4 and 5; DWARF 5 sections 6.4.1 (CIE, FDE) and 7.5 (units, abbreviations); LSB core,
// ".eh_frame".
#pragma once

#include <cstddef>
#include <cstdint>
#include <elf.h>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inspect::test {

/// Little-endian bytes, one behind the other.
class ByteWriter {
public:
  /// The lowest `size` bytes.
  ByteWriter &number(std::uint64_t value, std::size_t size);
  ByteWriter &u8(std::uint64_t value) { return number(value, 1); }
  ByteWriter &u16(std::uint64_t value) { return number(value, 2); }
  ByteWriter &u32(std::uint64_t value) { return number(value, 4); }
  ByteWriter &u64(std::uint64_t value) { return number(value, 8); }
  ByteWriter &leb(std::uint64_t value);
  ByteWriter &signed_leb(std::int64_t value);
  ByteWriter &string(std::string_view text); ///< with a NUL behind it
  ByteWriter &raw(std::string_view text);
  ByteWriter &align(std::size_t alignment, std::uint8_t filler = 0);
  /// Overwrites a number that is there.
  void patch(std::size_t offset, std::uint64_t value, std::size_t size);

  std::size_t size() const { return text_.size(); }
  const std::string &text() const { return text_; }

private:
  std::string text_;
};

class ElfWriter {
public:
  /// A section that is not loaded; sections of one name may be added more than once.
  ElfWriter &section(std::string name, std::string content, std::uint32_t type = SHT_PROGBITS);
  /// A section that a PT_LOAD segment of its own maps at `address`, with PF_R and these flags.
  ElfWriter &load(std::string name, std::uint64_t address, std::string content, std::uint32_t flags = 0);
  /// A program header of another kind over the section that was added last.
  ElfWriter &segment(std::uint32_t type, std::uint64_t alignment = 8);
  ElfWriter &symbol(std::string_view name, std::uint64_t address, std::uint64_t size, unsigned char type = STT_FUNC);

  bool has_section_headers = true;
  Elf64_Ehdr header; ///< what is not about the tables is the test's to change

  ElfWriter();
  /// The file.
  std::string text() const;

private:
  struct Section {
    std::string name;
    std::string content;
    Elf64_Shdr header{};
    std::uint32_t segment_flags = 0;
  };
  struct Segment {
    std::size_t section = 0;
    std::uint32_t type = 0;
    std::uint64_t alignment = 0;
  };
  std::vector<Section> sections_;
  std::vector<Segment> segments_;
  std::vector<Elf64_Sym> symbols_;
  std::string symbol_names_;
};

struct DwarfShape {
  bool wide = false; ///< 64-bit DWARF: offsets and lengths of 8 bytes
  unsigned address_size = 8;
};

/// The sections of one file's DWARF. DIEs are written by hand into `info`.
class DwarfWriter {
public:
  explicit DwarfWriter(unsigned version, DwarfShape shape = {}) : version_(version), shape_(shape) {}

  using Attribute = std::pair<unsigned, unsigned>; ///< DW_AT_…, DW_FORM_…
  /// One more of the only abbreviation table.
  void abbreviation(unsigned code, unsigned tag, std::initializer_list<Attribute> attributes,
                    bool has_children = false);
  /// Ends the unit before it. `type` (DW_UT_…) is written by version 5 only; `id`: of type units (with the offset of
  /// the type behind it) and of skeletons.
  ByteWriter &begin_unit(unsigned type, std::uint64_t id = 0);
  /// An offset into a section, as long as the format has them.
  ByteWriter &offset(ByteWriter &into, std::uint64_t value) const { return into.number(value, offset_size()); }
  std::size_t offset_size() const { return shape_.wide ? 8 : 4; }
  /// A length in front of what follows in a section, up to end_length(), which wants the answer.
  std::size_t begin_length(ByteWriter &section) const;
  void end_length(ByteWriter &section, std::size_t begin) const;
  /// Ends the last unit and adds all sections that are not empty.
  void write_to(ElfWriter &elf);

  ByteWriter info, abbreviations, strings, string_offsets, addresses, lines;

private:
  void end_unit();

  unsigned version_;
  DwarfShape shape_;
  bool in_unit_ = false;
  std::size_t unit_ = 0; ///< what begin_length() answered
};

/// The bytes of an .eh_frame section.
class EhFrameWriter {
public:
  struct Cie {
    std::string augmentation = "";      ///< "zR", "zPLR", "zRS", "eh", …
    std::string augmentation_data = ""; ///< behind its length where the augmentation begins with 'z'; "eh": 8 bytes
    std::string instructions = "";
    std::uint8_t version = 1;
    unsigned return_address_register = 16;
  };
  /// Its offset, for fde().
  std::size_t cie(const Cie &cie);
  /// Pointers are absolute and of 8 bytes (DW_EH_PE_absptr, 0).
  void fde(std::size_t cie, std::uint64_t begin, std::uint64_t size, std::string_view augmentation_data,
           std::string_view instructions);
  /// With the terminator.
  std::string text();

private:
  void end(std::size_t start);
  ByteWriter bytes_;
  std::vector<std::pair<std::size_t, bool>> sized_; ///< CIEs whose FDEs have the length of their augmentation data
};

} // namespace inspect::test
