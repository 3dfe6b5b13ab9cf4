// A location, or why there is none, as one line of text, for tables of expected ones.
#pragma once

#include "dwarf/location/location.h"
#include "machine/x86_64/registers.h"

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace inspect::test {

inline std::string_view kind_text(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::corrupt:
    return "corrupt";
  case ErrorKind::unreadable:
    return "unreadable";
  case ErrorKind::not_found:
    return "not found";
  case ErrorKind::unsupported:
    return "unsupported";
  default:
    return "other";
  }
}

inline std::string piece_text(const LocationPiece &piece) {
  std::string text;
  switch (piece.kind) {
  case LocationPiece::Kind::memory:
    text = fmt::format("at {:#x}", piece.address.value);
    break;
  case LocationPiece::Kind::in_register:
    text = x86_64::register_name(piece.dwarf_register);
    break;
  case LocationPiece::Kind::implicit:
    text = "is";
    for (const std::byte byte : piece.bytes)
      text += fmt::format(" {:02x}", std::to_integer<unsigned>(byte));
    break;
  case LocationPiece::Kind::implicit_pointer:
    text = fmt::format("pointer{:+}", piece.pointee_offset);
    break;
  case LocationPiece::Kind::missing:
    text = "missing";
    break;
  }
  if (piece.bit_size)
    text += fmt::format(":{}", *piece.bit_size);
  if (piece.bit_offset != 0)
    text += fmt::format("@{}", piece.bit_offset);
  return text;
}

/// "at 0x1008", "rbx:32, is 01:8, missing:24", "corrupt".
inline std::string location_text(const Result<Location> &location) {
  if (!location)
    return std::string(kind_text(location.error().kind()));
  std::string text;
  for (const LocationPiece &piece : location->pieces)
    text += (text.empty() ? "" : ", ") + piece_text(piece);
  return text;
}

} // namespace inspect::test
