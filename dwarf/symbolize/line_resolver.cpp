#include "dwarf/symbolize/line_resolver.h"

#include "dwarf/die/die.h"
#include "dwarf/raw/elf/debug_pages.h"
#include "dwarf/split/split_unit.h"
#include "dwarf/symbolize/function_index.h"
#include "dwarf/symbolize/function_names.h"
#include "dwarf/symbolize/line_table.h"
#include "dwarf/unit_index/unit_index.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <dwarf.h>
#include <fmt/format.h>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>

namespace inspect {
namespace {

/// What has been decoded of one unit.
struct Unit {
  Unit(const Dwarf_Die &root, const LineSections &sections, LineBudget &budget, const SkeletonFile &skeleton,
       SplitPackage *package)
      : functions_root(root_with_functions(root, skeleton, package)), lines(root, sections, budget),
        is_split(functions_root.addr != root.addr), functions(functions_root) {
    if (const char *directory = string_attribute(functions_root, DW_AT_comp_dir))
      compilation_directory = directory;
    else if (Dwarf_Die own_root = root; const char *own = string_attribute(own_root, DW_AT_comp_dir))
      compilation_directory = own;
  }

  /// Where an inlined call stands in its caller.
  SourceLine call_site(Dwarf_Die &call) {
    SourceLine site;
    site.line = static_cast<int>(unsigned_attribute(call, DW_AT_call_line).value_or(0));
    site.column = static_cast<int>(unsigned_attribute(call, DW_AT_call_column).value_or(0));
    const std::optional<std::uint64_t> file = unsigned_attribute(call, DW_AT_call_file);
    if (file)
      site.file = own_files() != nullptr ? own_files()->path(*file, compilation_directory) : lines.file(*file);
    return site;
  }

  /// A split unit may number the files of its own, small table, which has no rows: the first of its .dwo file, or the
  /// one that it names where it was put together anew from a package. Not by libdw, which runs through rows for it.
  const LineHeader *own_files() {
    if (is_split && !std::exchange(looked_for_files, true)) {
      Dwarf *dwarf = dwarf_cu_getdwarf(functions_root.cu);
      const LineSections in_split_file = LineSections::split_of(dwarf);
      const std::optional<std::uint64_t> offset = unsigned_attribute(functions_root, DW_AT_stmt_list);
      if (!in_split_file.line.empty())
        files = LineHeader::read(in_split_file, offset.value_or(0));
      else if (offset)
        files = LineHeader::read(LineSections::of(dwarf), *offset);
    }
    return files ? &*files : nullptr;
  }

  Dwarf_Die functions_root;
  std::string compilation_directory;
  LineTable lines;
  bool is_split;
  FunctionIndex functions;
  bool looked_for_files = false;
  std::optional<LineHeader> files;
};

/// Nothing where there is no index: then the units are walked.
std::optional<std::vector<UnitRange>> indexed_unit_ranges(Module &module) {
  if (module.debug_descriptor() < 0)
    return std::nullopt;
  UnitIndexOptions options = default_unit_index_options();
  options.cancellation = current_cancellation();
  const auto index = UnitIndex::open(module.debug_descriptor(), module.build_id(), options);
  cancellation_point();
  if (index)
    return index->unit_ranges();
  if (index.error().kind() != ErrorKind::not_found)
    module.add_warning(fmt::format("no index of {}: {}", module.path(), index.error().message()));
  return std::nullopt;
}

} // namespace

struct LineResolver::State {
  Dwarf *dwarf;
  SkeletonFile skeleton; ///< the file that `dwarf` reads
  SplitPackage *package; ///< null: none
  std::uint64_t debug_offset;
  UnitRanges ranges;
  DebugPages pages;
  LineSections sections;
  LineBudget line_budget;
  std::function<void(std::string)> warn; ///< may be empty
  bool said_that_lines_are_missing = false;
  bool said_that_functions_are_missing = false;
  FunctionNames names;
  std::unordered_map<std::uint64_t, std::unique_ptr<Unit>> units;

  State(Dwarf *file, SkeletonFile skeleton_file, SplitPackage *split, std::uint64_t offset, UnitRangeProvider provider)
      : dwarf(file), skeleton(std::move(skeleton_file)), package(split), debug_offset(offset),
        ranges(file, std::move(provider)), pages(dwarf_getelf(file)), sections(LineSections::of(file)) {}

  Unit *unit_at(LinkAddress address) {
    const std::optional<std::uint64_t> offset = dwarf ? ranges.unit_at(address) : std::nullopt;
    if (!offset)
      return nullptr;
    std::unique_ptr<Unit> &unit = units[*offset];
    Dwarf_Die root;
    if (!unit && dwarf_offdie(dwarf, *offset, &root) && dwarf_cuoffset(&root) != 0) {
      unit = std::make_unique<Unit>(root, sections, line_budget, skeleton, package);
      pages.used(unit->functions.size());
      if (warn && unit->lines.cut_short() && !std::exchange(said_that_lines_are_missing, true))
        warn(fmt::format("a line table has more than {} rows or {} bytes, or all of them together more than {} rows or "
                         "{} bytes, and lines are missing",
                         max_line_rows, max_line_program, LineBudget{}.rows, LineBudget{}.bytes));
    }
    return unit.get();
  }

  SourceFrame frame(Dwarf_Die function, SourceLine line) {
    const FunctionName &name = names.of(function);
    SourceFrame frame;
    frame.function = name.display;
    frame.linkage_name = name.linkage;
    frame.file = std::move(line.file);
    frame.line = line.line;
    frame.column = line.column;
    frame.inlined = dwarf_tag(&function) == DW_TAG_inlined_subroutine;
    return frame;
  }

  std::vector<SourceFrame> at(LinkAddress address) {
    std::vector<SourceFrame> frames;
    Unit *unit = unit_at(address);
    if (!unit)
      return frames;
    const std::optional<SourceLine> row = unit->lines.at(address);
    SourceLine line = row.value_or(SourceLine{});
    const std::optional<Dwarf_Die> function = unit->functions.function_at(address);
    if (!function) {
      if (warn && unit->functions.cut_short() && !std::exchange(said_that_functions_are_missing, true))
        warn(fmt::format("a unit has more than {} DIEs, and functions are missing", FunctionIndex::max_dies));
      if (row)
        frames.push_back({{}, {}, 0, line.file, line.line, line.column, false});
      return frames;
    }
    std::vector<Dwarf_Die> calls = inlined_calls(*function, address);
    while (!calls.empty()) {
      frames.push_back(frame(calls.back(), std::move(line)));
      line = unit->call_site(calls.back());
      calls.pop_back();
    }
    frames.push_back(frame(*function, std::move(line)));
    return frames;
  }
};

LineResolver::LineResolver(Dwarf *dwarf, UnitRangeProvider provider)
    : state_(std::make_unique<State>(dwarf, SkeletonFile(), nullptr, 0, std::move(provider))) {}

LineResolver::LineResolver(Module &module)
    : state_(std::make_unique<State>(module.dwarf(), module.skeleton_file(), module.split_package(),
                                     module.debug_offset(), [&module] { return indexed_unit_ranges(module); })) {
  state_->warn = [&module](const std::string &sentence) {
    module.add_warning(fmt::format("{}: {}", module.path(), sentence));
  };
}

LineResolver::~LineResolver() = default;

std::vector<SourceFrame> LineResolver::at(LinkAddress address) {
  return state_->at(address + state_->debug_offset);
}

std::optional<LinkRange> LineResolver::function_range(LinkAddress address) {
  const std::uint64_t offset = state_->debug_offset;
  Unit *unit = state_->unit_at(address + offset);
  std::optional<LinkRange> range = unit ? unit->functions.range_at(address + offset) : std::nullopt;
  if (range)
    range = LinkRange{range->begin - offset, range->end - offset};
  return range;
}

std::optional<Dwarf_Die> LineResolver::function_at(LinkAddress address) {
  Unit *unit = state_->unit_at(address + state_->debug_offset);
  return unit ? unit->functions.function_at(address + state_->debug_offset) : std::nullopt;
}

std::vector<Dwarf_Die> LineResolver::functions_at(LinkAddress address) {
  const std::optional<Dwarf_Die> function = function_at(address);
  if (!function)
    return {};
  std::vector<Dwarf_Die> functions = inlined_calls(*function, in_debug_info(address));
  functions.insert(functions.begin(), *function);
  std::ranges::reverse(functions);
  return functions;
}

LinkAddress LineResolver::in_debug_info(LinkAddress address) const {
  return address + state_->debug_offset;
}

std::vector<std::string> LineResolver::files(const Cancellation *cancellation) {
  std::set<std::string> found;
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root;
  std::uint8_t type = 0;
  while (state_->dwarf && !(cancellation && cancellation->requested()) &&
         dwarf_get_units(state_->dwarf, unit, &unit, nullptr, &type, &root, nullptr) == 0) {
    if (type == DW_UT_type)
      continue;
    for (std::string &path : source_files(root, state_->sections))
      found.insert(std::move(path));
    state_->pages.used(128 << 10);
  }
  return {found.begin(), found.end()};
}

LineResolver &lines_of(Module &module) {
  return module.reader<LineResolver>();
}

} // namespace inspect
