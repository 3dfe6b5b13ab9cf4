// A Go release as numbers: "go1.22.1", "go1.26.8 X:nodwarf5", "go1.19.8-debian", "devel go1.27-abc".
#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace inspect {

struct GoVersion {
  int major = 0;
  int minor = 0;
  friend constexpr auto operator<=>(GoVersion, GoVersion) = default;
};

/// Nothing where the text names no release.
std::optional<GoVersion> parse_go_version(std::string_view text);

/// The number of the patch release, 8 of "go1.19.8"; 0 where the text names none: "go1.26", "go1.27rc1".
int go_patch_release(std::string_view text);

} // namespace inspect
