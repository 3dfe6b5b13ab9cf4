// Numbers of things, for eyes: "9,412 goroutines", "ids 10-12 20".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace inspect {

/// 9412 as "9,412".
std::string with_thousands(std::uint64_t number);
/// "1 thread", "9,412 goroutines": what takes an s.
std::string counted(std::uint64_t number, std::string_view what);
/// " 4251-4259 4263", cut after a while: " … and 12 more". `ids` ascend.
std::string id_ranges(std::span<const std::uint64_t> ids);

} // namespace inspect
