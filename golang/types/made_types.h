// Types that package reflect makes while the program runs (SliceOf, PointerTo, StructOf, …): their descriptions lie on
// the heap, so any heap word may seem to lead to one. They are told from other memory by their hash, which reflect
// computes from the hashes of their parts, and they are named from their parts, because where their names lie only the
// runtime's own tables know.
//
// Source: reflect/type.go and reflect/map.go, Go 1.16 to 1.26.
#pragma once

#include "golang/types/type_description.h"

#include <optional>
#include <string>

namespace inspect {

/// The name of the type at `address`, inside the images or made; nothing where no type is, or its name is longer than
/// any that is worth printing. For a made type this is the check that it is one, its parts included.
std::optional<std::string> verified_type_name(TypeBytes &bytes, GoVersion version, RunAddress address);

} // namespace inspect
