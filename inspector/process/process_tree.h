// Orders processes as parents and children.
#pragma once

#include "inspector/process/process_table.h"

#include <cstddef>
#include <span>
#include <vector>

namespace inspect {

/// One process in its place below its parent.
struct TreeNode {
  std::size_t row = 0;               ///< index into the rows given
  std::vector<bool> last_of_parents; ///< per level below the root, outermost first: is it the last child there?
};

/// Depth first, siblings in the order of the rows. A process whose parent is not among the rows is a root; so is one
/// whose parents form a ring, which pids used again during the reading can feign. Below `max_depth` levels the picture
/// no longer indents.
std::vector<TreeNode> process_tree(std::span<const ProcessRow> rows, std::size_t max_depth = 32);

} // namespace inspect
