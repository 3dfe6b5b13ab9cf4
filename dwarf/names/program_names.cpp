#include "dwarf/names/program_names.h"

#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"
#include "dwarf/names/name_job.h"
#include "dwarf/names/static_address.h"
#include "dwarf/raw/names/name_spelling.h"
#include "dwarf/raw/names/name_walk.h"
#include "dwarf/split/split_package.h"
#include "dwarf/split/split_unit.h"
#include "dwarf/types/type_name.h"
#include "machine/thrown_error.h"

#include <algorithm>
#include <condition_variable>
#include <dwarf.h>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <system_error>
#include <thread>
#include <tuple>

namespace inspect {
namespace {

/// How often somebody who waits for the background looks whether he still should.
constexpr std::chrono::milliseconds patience{20};

/// The names of single units of a file, read when they are wanted, from a copy of its descriptor: for names of which an
/// index in the program says only where to look.
class UnitsOnDemand {
public:
  explicit UnitsOnDemand(const NameJob &job) {
    auto image = ElfImage::from_file(FileDescriptor(::fcntl(job.descriptor.get(), F_DUPFD_CLOEXEC, 3)), job.path);
    if (!image)
      return; // it could be read when the index was; now what the index points to is not found
    image_ = std::move(*image);
    sections_ = DebugSections::of(*image_);
    walk_ = std::make_unique<NameWalk>(sections_);
  }

  /// Of the unit whose root DIE is at the offset; nothing where there is none.
  void walk(std::uint64_t root, bool in_types, const NameVisitor &visit) {
    if (!walk_)
      return;
    const auto unit = std::ranges::find_if(
        walk_->units(), [&](const UnitHeader &one) { return one.dies == root && one.in_types == in_types; });
    if (unit != walk_->units().end())
      walk_->unit(*unit, visit);
  }

private:
  std::optional<ElfImage> image_;
  DebugSections sections_;
  std::unique_ptr<NameWalk> walk_;
};

/// What one module's names are made of and kept in.
struct ModuleNames {
  Module *module = nullptr;
  NameJob job;
  std::atomic<bool> made = false;
  std::optional<NameTable> table; ///< to be read once `made` is set
  std::vector<std::string> warnings;
  std::unique_ptr<UnitsOnDemand> units; ///< for names that an index of the program's own knows too little of

  void make(const UnitIndexOptions &options, const Cancellation *cancellation) {
    auto names = open_names(job, options, cancellation);
    if (names) {
      table = std::move(names->table);
      warnings = std::move(names->warnings);
    } else if (names.error().kind() == ErrorKind::cancelled) {
      return;
    } else if (names.error().kind() != ErrorKind::not_found) {
      warnings = {names.error().message()};
    }
    made = true;
  }
};

struct Candidate {
  NameRecord record; ///< its name lives as long as the owner's table, or as `made`
  ModuleNames *owner = nullptr;
  NameMatch match = NameMatch::none;
  std::shared_ptr<const NameTable> made = nullptr;
};

/// Of one name: a type is the same in each, and nobody wants to read of a thousand functions of one name.
constexpr std::size_t max_units_of_name = 32;

constexpr std::uint8_t incomplete = name_is_bare | name_of_unit;

bool is_declaration(const Candidate &candidate) {
  return (candidate.record.flags & name_is_declaration) != 0;
}

bool fits(NameKind wanted, NameKind found) {
  return wanted == found || (wanted == NameKind::variable && found == NameKind::constant);
}

bool fits_tag(NameKind kind, int tag) {
  switch (kind) {
  case NameKind::function:
    return tag == DW_TAG_subprogram;
  case NameKind::variable:
    return tag == DW_TAG_variable || tag == DW_TAG_member;
  case NameKind::constant:
    return tag == DW_TAG_enumerator || tag == DW_TAG_constant;
  case NameKind::type:
    return tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
           tag == DW_TAG_interface_type || tag == DW_TAG_enumeration_type || tag == DW_TAG_typedef ||
           tag == DW_TAG_base_type || tag == DW_TAG_unspecified_type || tag == DW_TAG_template_alias ||
           tag == DW_TAG_string_type;
  }
  return false;
}

std::string name_of(Dwarf_Die die) {
  std::string name;
  each_description(die, [&](Dwarf_Die &one) {
    if (const char *text = string_attribute(one, DW_AT_name))
      name = text;
    return name.empty();
  });
  return name;
}

std::optional<Dwarf_Die> root_in_package(const NameRecord &record, Module &module) {
  SplitPackage *package = module.split_package();
  if (package == nullptr)
    return std::nullopt;
  if (record.section == NameSection::package_type)
    return package->type_unit(record.unit);
  Dwarf_Die skeleton;
  if (!dwarf_offdie(module.dwarf(), record.unit, &skeleton) || dwarf_cuoffset(&skeleton) == 0)
    return std::nullopt;
  return package->unit(skeleton);
}

/// Of a type unit: whether it is one of DWARF 4.
bool is_in_types_section(const Dwarf_Die &root) {
  Dwarf_Half version = 0;
  return dwarf_cu_info(root.cu, &version, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr) == 0 && version < 5;
}

/// The DIE that a record is about, if it really is there.
std::optional<Dwarf_Die> die_of(const NameRecord &record, Module &module) {
  Dwarf *dwarf = module.dwarf();
  Dwarf_Die die, root;
  bool types = false;
  switch (record.section) {
  case NameSection::info:
    break;
  case NameSection::types:
    types = true;
    break;
  case NameSection::common_info:
    dwarf = dwarf != nullptr ? dwarf_getalt(dwarf) : nullptr;
    break;
  case NameSection::package_info:
  case NameSection::package_type:
    if (const auto unit = root_in_package(record, module)) {
      types = record.section == NameSection::package_type && is_in_types_section(*unit);
      dwarf = dwarf_cu_getdwarf(unit->cu);
    } else {
      dwarf = nullptr;
    }
    break;
  case NameSection::split_info:
  case NameSection::split_types:
    types = record.section == NameSection::split_types;
    if (dwarf == nullptr || !dwarf_offdie(dwarf, record.unit, &root) || dwarf_cuoffset(&root) == 0)
      return std::nullopt;
    if (const Dwarf_Die split = root_with_functions(root, module.skeleton_file()); split.addr != root.addr)
      dwarf = dwarf_cu_getdwarf(split.cu);
    else
      dwarf = nullptr;
    break;
  }
  if (dwarf == nullptr ||
      !(types ? dwarf_offdie_types(dwarf, record.die, &die) : dwarf_offdie(dwarf, record.die, &die)))
    return std::nullopt;
  if (!fits_tag(record.kind, dwarf_tag(&die)))
    return std::nullopt;
  const std::string name = name_of(die);
  return !name.empty() && record.name.ends_with(name) ? std::optional(die) : std::nullopt;
}

bool has_code(Dwarf_Die die) {
  bool found = false;
  each_range(die, 8, [&](LinkRange) { found = true; });
  return found;
}

std::string file_name_of_unit(Dwarf_Die die) {
  Dwarf_Die root;
  const char *name = dwarf_diecu(&die, &root, nullptr, nullptr) ? string_attribute(root, DW_AT_name) : nullptr;
  const std::string_view path = name ? name : "";
  return std::string(path.substr(path.rfind('/') + 1));
}

} // namespace

struct ProgramNames::State {
  explicit State(ModuleMap &map) : modules(map), options(default_unit_index_options()) {
    options.deadline = deadline_for_names;
  }
  ~State() { stop(); }

  ModuleMap &modules;
  UnitIndexOptions options;
  std::vector<std::unique_ptr<ModuleNames>> entries;
  std::set<std::string> said;
  TypeReader types; ///< for names that are put together
  EnclosingScopes scopes;
  std::thread thread;
  Cancellation stopping;
  std::mutex mutex;
  std::condition_variable changed;
  bool running = false; ///< with `mutex`: the thread still makes tables

  void refresh();
  void start();
  void stop();
  bool wait(const Cancellation *cancellation);
  std::vector<Candidate> candidates(const WantedName &wanted, NameKind kind);
  std::vector<Candidate> complete(const std::vector<Candidate> &found, const WantedName &wanted, NameKind kind);
  std::vector<Candidate> inside_others(std::string_view name, const WantedName &wanted, NameKind kind);
  std::vector<NamedDie> find(std::string_view name, const WantedName &wanted, NameKind kind);
  std::vector<NamedDie> find_simple_templates(std::string_view name);
  static void keep_best(std::vector<Candidate> &found, NameKind kind);
  static std::vector<NamedDie> resolve(const std::vector<Candidate> &found);
};

void ProgramNames::State::refresh() {
  const std::vector<Module *> present = modules.modules();
  const auto is_known = [&](const Module *module) {
    return std::ranges::find(entries, module, [](const auto &entry) { return entry->module; }) != entries.end();
  };
  if (present.size() == entries.size() && std::ranges::all_of(present, is_known))
    return; // what the background does goes on
  stop();
  std::erase_if(entries, [&](const auto &entry) { return std::ranges::find(present, entry->module) == present.end(); });
  for (Module *module : present) {
    const auto known = std::ranges::find(entries, module, [](const auto &entry) { return entry->module; });
    if (known != entries.end())
      continue;
    auto entry = std::make_unique<ModuleNames>();
    entry->module = module;
    entry->job = name_job(*module);
    entries.push_back(std::move(entry));
  }
}

void ProgramNames::State::start() {
  if (thread.joinable())
    return;
  std::vector<ModuleNames *> missing;
  for (const auto &entry : entries)
    if (!entry->made)
      missing.push_back(entry.get());
  if (missing.empty())
    return;
  stopping.clear();
  running = true;
  const auto work = [this, missing] {
    for (ModuleNames *entry : missing) {
      if (stopping.requested())
        break;
      // What is missing is made when it is asked for, and whoever asks is told then why it cannot be.
      const auto made = caught([&] {
        entry->make(options, &stopping);
        return Result<void>();
      });
      if (!made)
        break;
      const std::lock_guard lock(mutex);
      changed.notify_all();
    }
    const std::lock_guard lock(mutex);
    running = false;
    changed.notify_all();
  };
  try {
    thread = std::thread(work);
  } catch (const std::system_error &) { // a limit on threads: the same
    running = false;
  }
}

void ProgramNames::State::stop() {
  stopping.request();
  if (thread.joinable())
    thread.join();
}

/// False: cancelled.
bool ProgramNames::State::wait(const Cancellation *cancellation) {
  {
    std::unique_lock lock(mutex);
    while (running) {
      if (cancellation && cancellation->requested())
        return false;
      changed.wait_for(lock, patience);
    }
  }
  for (const auto &entry : entries) {
    if (cancellation && cancellation->requested())
      return false;
    if (!entry->made)
      entry->make(options, cancellation);
  }
  return true;
}

std::vector<Candidate> ProgramNames::State::candidates(const WantedName &wanted, NameKind kind) {
  std::vector<Candidate> found;
  for (const auto &entry : entries) {
    if (!entry->made || !entry->table)
      continue;
    for (const bool go : {false, true})
      entry->table->each(wanted.key(go), [&](const NameRecord &record) {
        if (((record.flags & name_is_go) != 0) != go || !fits(kind, record.kind))
          return;
        const NameMatch match = (record.flags & name_is_bare) != 0   ? wanted.match_end(record.name, go)
                                : (record.flags & name_of_unit) != 0 ? wanted.match_unmarked(record.name, go)
                                                                     : wanted.match(record.name, go);
        if (match != NameMatch::none)
          found.push_back({record, entry.get(), match});
      });
  }
  return found;
}

/// Replaces what an index of the program says by what the units say that it points to.
std::vector<Candidate> ProgramNames::State::complete(const std::vector<Candidate> &found, const WantedName &wanted,
                                                     NameKind kind) {
  std::vector<Candidate> all;
  std::map<ModuleNames *, NameTableBuilder> builders;       // which know what is the same
  std::set<std::pair<ModuleNames *, std::uint64_t>> walked; // by the offset of the unit's root DIE, in either section
  for (const Candidate &one : found) {
    if ((one.record.flags & incomplete) == 0) {
      all.push_back(one);
      continue;
    }
    const bool in_types = one.record.section == NameSection::types;
    if (walked.size() >= max_units_of_name || !walked.emplace(one.owner, one.record.unit << 1 | in_types).second)
      continue;
    if (!one.owner->units)
      one.owner->units = std::make_unique<UnitsOnDemand>(one.owner->job);
    NameTableBuilder &builder = builders[one.owner];
    one.owner->units->walk(one.record.unit, in_types, [&](const NameRecord &record) {
      if (fits(kind, record.kind) && wanted.match(record.name, (record.flags & name_is_go) != 0) != NameMatch::none)
        builder.add(record);
    });
  }
  for (auto &[owner, builder] : builders) {
    auto table = NameTable::of(builder.finish({}));
    if (!table)
      continue; // it cannot be: we made it
    const auto kept = std::make_shared<const NameTable>(std::move(*table));
    kept->all([&, owner = owner](const NameRecord &record) {
      all.push_back({record, owner, wanted.match(record.name, (record.flags & name_is_go) != 0), kept});
      return true;
    });
  }
  return all;
}

/// What the program's index leaves out: static variables of functions, members of classes. They are in the units that
/// have the function or the class.
std::vector<Candidate> ProgramNames::State::inside_others(std::string_view name, const WantedName &wanted,
                                                          NameKind kind) {
  const auto parts = name_components(name, false);
  if (parts.size() < 2)
    return {};
  const std::string_view around = name.substr(0, static_cast<std::size_t>(parts.back().data() - name.data()) - 2);
  std::vector<Candidate> scopes;
  for (const NameKind scope_kind : {NameKind::type, NameKind::function})
    for (Candidate &one : candidates(WantedName(around, scope_kind), scope_kind))
      if ((one.record.flags & incomplete) != 0)
        scopes.push_back(std::move(one));
  return complete(scopes, wanted, kind);
}

std::vector<NamedDie> ProgramNames::State::find(std::string_view name, const WantedName &wanted, NameKind kind) {
  std::vector<Candidate> found = complete(candidates(wanted, kind), wanted, kind);
  if (found.empty())
    found = inside_others(name, wanted, kind);
  keep_best(found, kind);
  return resolve(found);
}

/// A type whose arguments the compiler left out of its name: found without them, and told by those that it has.
std::vector<NamedDie> ProgramNames::State::find_simple_templates(std::string_view name) {
  std::string bare;
  int depth = 0;
  for (const char c : name) {
    depth += c == '<' ? 1 : 0;
    if (depth == 0)
      bare += c;
    depth -= c == '>' ? 1 : 0;
  }
  const WantedName wanted(bare, NameKind::type);
  std::vector<Candidate> found = complete(candidates(wanted, NameKind::type), wanted, NameKind::type);
  keep_best(found, NameKind::type);
  std::vector<NamedDie> dies = resolve(found);
  const std::string spelled = canonical_spelling(name);
  std::erase_if(dies, [&](NamedDie &one) {
    one.name = qualified_name(one.die, scopes, types);
    const std::string known = canonical_spelling(one.name);
    return known != spelled && !known.ends_with("::" + spelled);
  });
  return dies;
}

void ProgramNames::State::keep_best(std::vector<Candidate> &found, NameKind kind) {
  if (kind != NameKind::function)
    std::erase_if(found, [](const Candidate &one) { return one.match < NameMatch::end; });
  NameMatch best = NameMatch::none;
  for (const Candidate &one : found)
    best = std::max(best, one.match);
  std::erase_if(found, [&](const Candidate &one) { return one.match != best; });
}

std::vector<NamedDie> ProgramNames::State::resolve(const std::vector<Candidate> &found) {
  std::vector<NamedDie> definitions, declarations;
  for (const Candidate &one : found) {
    const std::optional<Dwarf_Die> die = die_of(one.record, *one.owner->module);
    if (die)
      (is_declaration(one) ? declarations : definitions)
          .push_back({*die, one.owner->module, one.record.kind, shown_name(one.record.name)});
  }
  std::vector<NamedDie> &all = definitions.empty() ? declarations : definitions;
  const auto lacks_code = [](const NamedDie &one) {
    Dwarf_Die die = one.die;
    return one.kind == NameKind::function && !has_code(die) && dwarf_func_inline(&die) == 0;
  };
  if (!std::ranges::all_of(all, lacks_code))
    std::erase_if(all, lacks_code);
  // An inline function's static variable, described by each unit that has the function.
  std::set<std::tuple<Module *, std::string, std::uint64_t>> placed;
  std::erase_if(all, [&](const NamedDie &one) {
    const std::optional<std::uint64_t> place = one.kind == NameKind::variable ? static_address(one.die) : std::nullopt;
    return place && !placed.emplace(one.module, one.name, *place).second;
  });
  // "typedef struct x {…} x": the struct says it all.
  const auto is_typedef = [](NamedDie &one) { return dwarf_tag(&one.die) == DW_TAG_typedef; };
  std::set<std::string> defined;
  for (NamedDie &one : all)
    if (one.kind == NameKind::type && !is_typedef(one))
      defined.insert(one.name);
  std::erase_if(all, [&](NamedDie &one) { return is_typedef(one) && defined.contains(one.name); });
  return std::move(all);
}

ProgramNames::ProgramNames(ModuleMap &modules) : state_(std::make_unique<State>(modules)) {
  state_->refresh();
}

ProgramNames::~ProgramNames() = default;

void ProgramNames::start() {
  state_->start();
}

ProgramNames::Progress ProgramNames::progress() const {
  Progress progress;
  progress.modules = state_->entries.size();
  for (const auto &entry : state_->entries)
    progress.modules_done += entry->made ? 1 : 0;
  return progress;
}

std::vector<NamedDie> ProgramNames::find(std::string_view name, NameKind kind, const Cancellation *cancellation) {
  if (!state_->wait(cancellation))
    return {};
  const WantedName wanted(name, kind);
  std::vector<NamedDie> dies = state_->find(name, wanted, kind);
  if (dies.empty() && kind == NameKind::type && name.contains('<'))
    dies = state_->find_simple_templates(name);
  if (!dies.empty() || wanted.first().find('.') == std::string_view::npos || wanted.without_first().empty())
    return dies;
  const WantedName in_file(wanted.without_first(), kind);
  dies = state_->find(wanted.without_first(), in_file, kind);
  std::erase_if(dies, [&](const NamedDie &one) { return file_name_of_unit(one.die) != wanted.first(); });
  return dies;
}

std::vector<NamedDie> ProgramNames::find_inside(std::string_view name, NameKind kind,
                                                const Cancellation *cancellation) {
  if (!state_->wait(cancellation))
    return {};
  const WantedName wanted(name, kind);
  std::vector<Candidate> found = state_->complete(state_->candidates(wanted, kind), wanted, kind);
  std::erase_if(found, [](const Candidate &one) { return one.match < NameMatch::end; });
  return State::resolve(found);
}

std::vector<std::string> ProgramNames::names_like(std::string_view part, NameKind kind, std::size_t limit,
                                                  const Cancellation *cancellation) {
  if (!state_->wait(cancellation))
    return {};
  std::set<std::string> found; // the first ones in order
  for (const auto &entry : state_->entries) {
    if (!entry->table)
      continue;
    entry->table->all([&](const NameRecord &record) {
      if (!fits(kind, record.kind))
        return true;
      std::string shown = shown_name(record.name);
      if (shown.find(part) != std::string::npos) {
        found.insert(std::move(shown));
        if (found.size() > limit)
          found.erase(std::prev(found.end()));
      }
      return !(cancellation && cancellation->requested());
    });
  }
  return {found.begin(), found.end()};
}

void ProgramNames::refresh() {
  const bool in_background = state_->thread.joinable();
  state_->refresh();
  if (in_background && !state_->thread.joinable())
    state_->start();
}

std::vector<std::string> ProgramNames::take_warnings() {
  std::vector<std::string> fresh;
  for (const auto &entry : state_->entries)
    if (entry->made)
      for (std::string &warning : std::exchange(entry->warnings, {}))
        if (state_->said.insert(warning).second)
          fresh.push_back(std::move(warning));
  return fresh;
}

} // namespace inspect
