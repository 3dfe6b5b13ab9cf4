#include "inspector/scope/source_language.h"

namespace inspect {

SourceLanguage source_language(std::uint64_t dwarf_language) {
  switch (dwarf_language) {
  case 0x01: // C89
  case 0x02: // C
  case 0x0c: // C99
  case 0x1d: // C11
  case 0x2c: // C17
  case 0x3e: // C23
    return SourceLanguage::c;
  case 0x04: // C_plus_plus
  case 0x1a: // C_plus_plus_11
  case 0x21: // C_plus_plus_14
  case 0x2a: // C_plus_plus_17
  case 0x2b: // C_plus_plus_20
  case 0x3a: // C_plus_plus_23
    return SourceLanguage::cpp;
  case 0x16:
    return SourceLanguage::go;
  case 0x1c:
    return SourceLanguage::rust;
  default:
    return SourceLanguage::unknown;
  }
}

} // namespace inspect
