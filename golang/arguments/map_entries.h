// How many entries a Go map has, and where its first ones lie. Up to Go 1.23 (and later with GOEXPERIMENT=noswissmap) a
// map is an array of buckets of eight with overflow chains; since 1.24 a directory of tables of groups of eight, or one
// group where it is small.
//
// Sources: runtime/map.go, internal/abi/map_noswiss.go, internal/runtime/maps/{map,table,group}.go, Go 1.16 to 1.26.
#pragma once

#include "golang/go_version.h"
#include "golang/types/go_type.h"
#include "machine/memory_view.h"

#include <functional>
#include <string>
#include <vector>

namespace inspect {

struct MapEntry {
  RunAddress key;
  RunAddress value;
};

struct MapEntries {
  std::uint64_t count = 0;
  std::vector<MapEntry> first; ///< in the order of memory; fewer than asked for where the search takes too long
  std::string problem;         ///< empty, or why the map cannot be believed: then count means nothing
};

/// Whether to go on.
using MapVisitor = std::function<bool(const MapEntry &)>;

struct MapWalk {
  std::uint64_t count = 0; ///< entries that the map says it has
  bool complete = false;   ///< all of its memory was visited
  std::string problem;     ///< as that of MapEntries
};

/// Visits the entries of the map whose header lies there, in the order of memory, looking at no more than `max_groups`
/// groups or buckets of eight. The types of key and value must be complete.
MapWalk walk_map(const GoType &map, RunAddress header, GoVersion version, const MemoryView &memory, int max_groups,
                 const MapVisitor &visit);
/// Of the map whose header lies there; at most `limit` entries. Of an unknown version (0.0) the layout that fits.
MapEntries read_map_entries(const GoType &map, RunAddress header, GoVersion version, const MemoryView &memory,
                            std::size_t limit);

} // namespace inspect
