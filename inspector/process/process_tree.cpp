#include "inspector/process/process_tree.h"

#include <unordered_map>
#include <utility>

namespace inspect {
namespace {

class Builder {
public:
  Builder(std::span<const ProcessRow> rows, std::size_t max_depth)
      : rows_(rows), max_depth_(max_depth), placed_(rows.size(), false) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      index_.emplace(rows[i].process, i);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!is_root(i))
        children_[rows[i].parent].push_back(i);
    }
  }

  std::vector<TreeNode> build() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (is_root(i))
        place(i);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) // what is left hangs in a ring
      place(i);
    return std::move(nodes_);
  }

private:
  bool is_root(std::size_t row) const {
    return rows_[row].parent == rows_[row].process || !index_.contains(rows_[row].parent);
  }

  /// Without recursion: a chain of processes can be as long as there are pids.
  void place(std::size_t root) {
    std::vector<TreeNode> open;
    open.push_back({root, {}});
    while (!open.empty()) {
      TreeNode node = std::move(open.back());
      open.pop_back();
      if (placed_[node.row])
        continue;
      placed_[node.row] = true;
      if (const auto found = children_.find(rows_[node.row].process); found != children_.end()) {
        const auto &children = found->second;
        for (std::size_t i = children.size(); i-- > 0;) {
          TreeNode child{children[i], node.last_of_parents};
          if (child.last_of_parents.size() < max_depth_)
            child.last_of_parents.push_back(i + 1 == children.size());
          open.push_back(std::move(child));
        }
      }
      nodes_.push_back(std::move(node));
    }
  }

  std::span<const ProcessRow> rows_;
  std::size_t max_depth_;
  std::vector<bool> placed_;
  std::unordered_map<pid_t, std::size_t> index_;
  std::unordered_map<pid_t, std::vector<std::size_t>> children_;
  std::vector<TreeNode> nodes_;
};

} // namespace

std::vector<TreeNode> process_tree(std::span<const ProcessRow> rows, std::size_t max_depth) {
  return Builder(rows, max_depth).build();
}

} // namespace inspect
