// The names of one program in the form in which they are looked up: in memory as they are in the file of
// dwarf/raw/names/name_table_format.h.
//
//     NameTableBuilder builder;
//     walk.all([&](const NameRecord &record) { builder.add(record); });
//     auto table = NameTable::of(builder.finish({}));
//     table->each(wanted.key(false), [&](const NameRecord &record) { … });
#pragma once

#include "dwarf/raw/names/name_table_format.h"
#include "machine/error.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace inspect {

class NameTableBuilder {
public:
  /// Records that stand for the same thing as one before are dropped, or take its place where they say more of it.
  void add(const NameRecord &record);
  std::size_t size() const { return candidates_.size(); }
  /// The bytes of the table; `header` has what identifies the file. The builder is empty afterwards.
  std::vector<std::byte> finish(NameTableHeader header);

private:
  struct Candidate {
    std::uint64_t die, unit, identity;
    std::uint32_t next;
    NameKind kind;
    NameSection section;
    std::uint8_t flags;
  };
  struct Chain {
    std::uint32_t first, count;
  };
  static constexpr std::uint32_t no_candidate = UINT32_MAX;
  std::string_view keep(std::string_view text);
  void learn_inline_namespaces(const NameRecord &record);
  void mark_inline_namespaces();

  std::deque<std::string> texts_; ///< large pieces
  std::unordered_map<std::string_view, Chain> chains_;
  std::vector<Candidate> candidates_;
  std::set<std::string> inline_namespaces_; ///< "zoo::v2::", without marks
};

class NameTable {
public:
  /// corrupt says what is wrong with them.
  static Result<NameTable> of(std::vector<std::byte> bytes);
  /// Maps a file of that kind.
  static Result<NameTable> map(int descriptor);

  const NameTableHeader &header() const { return header_; }
  std::size_t size() const { return entries_.size(); }
  /// Calls `visit` for each name with this key, and a few others whose keys are the same by chance.
  void each(std::uint32_t key, const std::function<void(const NameRecord &)> &visit) const;
  /// Calls `visit` for all until it returns false.
  void all(const std::function<bool(const NameRecord &)> &visit) const;

private:
  static Result<NameTable> check(std::shared_ptr<const void> owner, std::span<const std::byte> bytes);
  bool read(const NameTableEntry &entry, NameRecord &record) const;

  std::shared_ptr<const void> owner_;
  NameTableHeader header_;
  std::span<const NameTableEntry> entries_;
  std::span<const std::uint64_t> units_;
  std::span<const std::byte> texts_;
};

} // namespace inspect
