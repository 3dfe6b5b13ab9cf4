// What all JSON of this program has in common: members keep their order, what is not known is null, addresses are hex
// in texts, and the text is pure ASCII, so that no name of a target can break the document or a terminal.
#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

using Json = nlohmann::ordered_json;

/// Null where it is empty.
inline Json text_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

template <typename Number> Json number_or_null(const std::optional<Number> &number) {
  return number ? Json(*number) : Json(nullptr);
}

/// Null where it is 0 or less: for numbers of lines, threads and goroutines, which begin at 1.
template <typename Number> Json positive_or_null(Number number) {
  return number > 0 ? Json(number) : Json(nullptr);
}

/// "0x7ffe1234".
inline std::string json_address(std::uint64_t address) {
  return fmt::format("{:#x}", address);
}

/// On one line, without its end. What is not UTF-8 becomes U+FFFD.
inline std::string json_text(const Json &json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

} // namespace inspect
