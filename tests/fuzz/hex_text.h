// Inputs as they are kept in the repository: hex digits in lines, and lines that begin with '#', which say what the
// input showed.
#pragma once

#include <fstream>
#include <optional>
#include <string>

namespace inspect::test {

/// The bytes; nothing where the text is something else.
inline std::optional<std::string> bytes_of_hex(std::istream &text) {
  std::string digits;
  for (std::string line; std::getline(text, line);)
    if (!line.starts_with('#'))
      for (const char character : line)
        if (character != ' ' && character != '\r')
          digits += character;
  std::string bytes;
  if (digits.size() % 2 != 0 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    return std::nullopt;
  for (std::size_t at = 0; at < digits.size(); at += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16));
  return bytes;
}

/// A file's content, decoded where its name ends in .hex; nothing where it cannot be had.
inline std::optional<std::string> read_fuzz_input(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return std::nullopt;
  if (path.ends_with(".hex"))
    return bytes_of_hex(file);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

} // namespace inspect::test
