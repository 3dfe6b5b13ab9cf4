// Finds all names of a file by reading every DIE of every unit, from plain bytes and with no library. The worker
// inspect-dwarfindex does it and `inspect` itself does it where there is no worker: the code is the same.
//
//     NameTableBuilder names;
//     NameWalk walk(sections, nullptr, limits);
//     walk.all([&](const NameRecord &record) { names.add(record); });
//
// What it makes of names: dwarf/raw/names/name_record.h. Left out are local variables that are not static, functions of
// classes that are declared and nowhere defined, and types without a name.
//
// Sources: DWARF 5 sections 2.13 (declarations), 3.3.8 (inlining), 5.7.1; dwz(1) for units shared by files.
#pragma once

#include "dwarf/raw/names/name_record.h"
#include "dwarf/raw/units/unit_names.h"
#include "machine/cancellation.h"

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace inspect {

using NameVisitor = std::function<void(const NameRecord &)>;

/// Whether a DIE with this tag (DW_TAG_…) defines or declares a type that can have a name.
bool is_type_tag(std::uint64_t tag);

class NameWalk {
public:
  /// All must outlive the walk. `common`: of the file that .gnu_debugaltlink names, or null.
  explicit NameWalk(const DebugSections &sections, const DebugSections *common = nullptr,
                    const Cancellation *cancellation = nullptr);
  ~NameWalk();
  NameWalk(const NameWalk &) = delete;
  NameWalk &operator=(const NameWalk &) = delete;

  const std::vector<UnitHeader> &units() const { return headers_; }
  /// Nothing where its root DIE is malformed.
  std::optional<RawDie> root(const UnitHeader &unit);
  /// False: it was cancelled.
  bool all(const NameVisitor &visit);
  void unit(const UnitHeader &unit, const NameVisitor &visit);
  /// What the records say of their place: NameRecord::section and, where it is not to be the unit's own, ::unit.
  void place_in(NameSection section, std::optional<std::uint64_t> unit = std::nullopt) {
    section_ = section;
    unit_ = unit;
  }
  /// Names of types in files or parts that this walk does not see, by the signature of their units.
  using TypeNames = std::unordered_map<std::uint64_t, std::string>;
  void know_types(const TypeNames *names) { type_names_ = names; }
  /// The names of all type units of these sections, by signature.
  void collect_types(TypeNames &names);

private:
  /// An entry and the unit it is in, which is kept as long as somebody looks at it.
  struct Place {
    NameWalk *walk = nullptr;
    std::shared_ptr<UnitNames> unit;
    std::uint32_t index = 0;
    const NamedEntry &entry() const { return unit->entries[index]; }
  };
  /// What an entry and those it refers to say together.
  struct Description {
    std::string name;
    Place declared; ///< the last of them: its parents are its scopes
    std::uint32_t line = 0;
    bool in_class = false;
    bool is_inline = false;
  };

  std::shared_ptr<UnitNames> load(std::size_t header_index);
  const AbbreviationTable &codes(std::uint64_t offset);
  std::optional<std::size_t> unit_with(std::uint64_t offset, bool in_types) const;
  std::optional<Place> follow(const RawReference &reference, bool in_types);
  std::optional<std::string> name_at(const RawReference &reference, bool in_types);
  std::string type_name(const RawReference &signature);
  Description describe(const Place &place, int depth);
  std::string scope_of(const Place &place, std::uint32_t scope, std::string_view member, int depth);
  std::string own_scope_name(const Place &place, std::string_view member, int depth);
  void emit(const Place &place, const NameVisitor &visit);
  NameSection section_of(const UnitHeader &unit) const;

  const DebugSections &sections_;
  const DebugSections *common_;
  const Cancellation *cancellation_;
  std::vector<UnitHeader> headers_;
  std::size_t first_in_types_ = 0; ///< among headers_
  std::unordered_map<std::uint64_t, std::size_t> by_signature_;
  std::unordered_map<std::size_t, std::shared_ptr<UnitNames>> loaded_;
  std::unordered_map<std::uint64_t, std::unique_ptr<AbbreviationTable>> codes_;
  std::unique_ptr<NameWalk> common_walk_;
  NameSection section_ = NameSection::info;
  std::optional<std::uint64_t> unit_;
  const TypeNames *type_names_ = nullptr;
};

} // namespace inspect
