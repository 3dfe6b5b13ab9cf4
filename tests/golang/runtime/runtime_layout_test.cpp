#include "golang/runtime/runtime_layout.h"

#include "tests/golang/go_process.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"

#include <algorithm>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <map>
#include <optional>
#include <ranges>

namespace inspect {
namespace {

using namespace test;

std::optional<Dwarf_Word> number(Dwarf_Die &die, unsigned attribute) {
  Dwarf_Attribute value;
  Dwarf_Word word = 0;
  if (dwarf_attr_integrate(&die, attribute, &value) == nullptr || dwarf_formudata(&value, &word) != 0)
    return std::nullopt;
  return word;
}

std::optional<Dwarf_Die> type_of(Dwarf_Die die) {
  Dwarf_Attribute value;
  Dwarf_Die type;
  if (dwarf_attr_integrate(&die, DW_AT_type, &value) == nullptr || dwarf_formref_die(&value, &type) == nullptr)
    return std::nullopt;
  if (dwarf_tag(&type) == DW_TAG_typedef)
    return type_of(type);
  return type;
}

/// The structures of a program by name, as libdw reads them.
class Structures {
public:
  explicit Structures(Module &module) {
    Dwarf *dwarf = module.dwarf();
    REQUIRE(dwarf != nullptr);
    Dwarf_Off next = 0;
    std::size_t header = 0;
    for (Dwarf_Off offset = 0;
         dwarf_next_unit(dwarf, offset, &next, &header, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr) == 0;
         offset = next) {
      Dwarf_Die unit;
      Dwarf_Die child;
      if (dwarf_offdie(dwarf, offset + header, &unit) == nullptr || dwarf_child(&unit, &child) != 0)
        continue;
      do {
        if (dwarf_tag(&child) == DW_TAG_structure_type && dwarf_diename(&child) != nullptr)
          by_name_.try_emplace(dwarf_diename(&child), child);
      } while (dwarf_siblingof(&child, &child) == 0);
    }
  }

  /// Of the first of these names that there is; -1 without.
  FieldOffset size(std::initializer_list<const char *> names) {
    for (const char *name : names)
      if (const auto found = by_name_.find(name); found != by_name_.end())
        return static_cast<FieldOffset>(number(found->second, DW_AT_byte_size).value_or(0));
    return -1;
  }

  /// "a.b" in the first of these structures that there is; -1 where it is not.
  FieldOffset offset(std::initializer_list<const char *> names, std::initializer_list<const char *> paths) {
    for (const char *name : names)
      if (const auto found = by_name_.find(name); found != by_name_.end())
        for (const char *path : paths)
          if (const auto offset = offset_in(found->second, path))
            return *offset;
    return -1;
  }

private:
  static std::optional<FieldOffset> offset_in(Dwarf_Die structure, std::string_view path) {
    const std::string_view first = path.substr(0, path.find('.'));
    Dwarf_Die member;
    if (dwarf_child(&structure, &member) != 0)
      return std::nullopt;
    do {
      const char *name = dwarf_diename(&member);
      const auto offset = number(member, DW_AT_data_member_location);
      if (name == nullptr || name != first || !offset)
        continue;
      if (first == path)
        return static_cast<FieldOffset>(*offset);
      const auto type = type_of(member);
      const auto rest = type ? offset_in(*type, path.substr(first.size() + 1)) : std::nullopt;
      return rest ? std::optional(static_cast<FieldOffset>(*rest + static_cast<FieldOffset>(*offset))) : std::nullopt;
    } while (dwarf_siblingof(&member, &member) == 0);
    return std::nullopt;
  }

  std::map<std::string, Dwarf_Die> by_name_;
};

void check_goroutine(const RuntimeLayout::G &g, Structures &read) {
  CHECK(g.size == read.size({"runtime.g"}));
  const auto at = [&](std::initializer_list<const char *> paths) { return read.offset({"runtime.g"}, paths); };
  CHECK(g.stack_lo == at({"stack.lo"}));
  CHECK(g.stack_hi == at({"stack.hi"}));
  CHECK(g.panic == at({"_panic"}));
  CHECK(g.first_defer == at({"_defer"}));
  CHECK(g.m == at({"m"}));
  CHECK(g.sched_sp == at({"sched.sp"}));
  CHECK(g.sched_pc == at({"sched.pc"}));
  CHECK(g.sched_bp == at({"sched.bp"}));
  CHECK(g.syscall_sp == at({"syscallsp"}));
  CHECK(g.syscall_pc == at({"syscallpc"}));
  CHECK(g.syscall_bp == at({"syscallbp"}));
  CHECK(g.stktopsp == at({"stktopsp"}));
  CHECK(g.param == at({"param"}));
  CHECK(g.status == at({"atomicstatus"}));
  CHECK(g.id == at({"goid"}));
  CHECK(g.wait_since == at({"waitsince"}));
  CHECK(g.wait_reason == at({"waitreason"}));
  CHECK(g.preempt_stop == at({"preemptStop"}));
  CHECK(g.async_safe_point == at({"asyncSafePoint"}));
  CHECK(g.tracking_sequence == at({"trackingSeq"}));
  CHECK(g.locked_m == at({"lockedm"}));
  CHECK(g.signal == at({"sig"}));
  CHECK(g.signal_address == at({"sigcode1"}));
  CHECK(g.signal_pc == at({"sigpc"}));
  CHECK(g.parent_id == at({"parentGoid"}));
  CHECK(g.created_pc == at({"gopc"}));
  CHECK(g.start_pc == at({"startpc"}));
  CHECK(g.racectx == at({"racectx"}));
  CHECK(g.waiting == at({"waiting"}));
  CHECK(g.cgo_context == at({"cgoCtxt"}));
  CHECK(g.labels == at({"labels"}));
  CHECK(g.coroarg == at({"coroarg"}));
  CHECK(g.bubble == at({"bubble", "syncGroup"}));
}

void check_m(const RuntimeLayout::M &m, Structures &read) {
  CHECK(m.size == read.size({"runtime.m"}));
  const auto at = [&](std::initializer_list<const char *> paths) { return read.offset({"runtime.m"}, paths); };
  CHECK(m.g0 == at({"g0"}));
  CHECK(m.more_stack_sp == at({"morebuf.sp"}));
  CHECK(m.more_stack_pc == at({"morebuf.pc"}));
  CHECK(m.more_stack_g == at({"morebuf.g"}));
  CHECK(m.process_id == at({"procid"}));
  CHECK(m.gsignal == at({"gsignal"}));
  CHECK(m.current_g == at({"curg"}));
  CHECK(m.p == at({"p"}));
  CHECK(m.id == at({"id"}));
  CHECK(m.throwing == at({"throwing"}));
  CHECK(m.in_cgo == at({"incgo"}));
  CHECK(m.is_extra == at({"isextra"}));
  CHECK(m.is_extra_in_c == at({"isExtraInC"}));
  CHECK(m.cgo_calls == at({"ncgo"}));
  CHECK(m.cgo_callers == at({"cgoCallers"}));
  CHECK(m.all_link == at({"alllink"}));
  CHECK(m.locked_g == at({"lockedg"}));
  CHECK(m.vdso_sp == at({"vdsoSP"}));
  CHECK(m.vdso_pc == at({"vdsoPC"}));
}

void check_channels(const RuntimeLayout &layout, Structures &read) {
  const RuntimeLayout::Sudog &sudog = layout.sudog;
  CHECK(sudog.size == read.size({"runtime.sudog"}));
  CHECK(sudog.g == read.offset({"runtime.sudog"}, {"g"}));
  CHECK(sudog.next == read.offset({"runtime.sudog"}, {"next"}));
  CHECK(sudog.element == read.offset({"runtime.sudog"}, {"elem"}));
  CHECK(sudog.is_select == read.offset({"runtime.sudog"}, {"isSelect"}));
  CHECK(sudog.wait_link == read.offset({"runtime.sudog"}, {"waitlink"}));
  CHECK(sudog.channel == read.offset({"runtime.sudog"}, {"c"}));
  const RuntimeLayout::Hchan &channel = layout.channel;
  CHECK(channel.size == read.size({"runtime.hchan"}));
  CHECK(channel.count == read.offset({"runtime.hchan"}, {"qcount"}));
  CHECK(channel.capacity == read.offset({"runtime.hchan"}, {"dataqsiz"}));
  CHECK(channel.buffer == read.offset({"runtime.hchan"}, {"buf"}));
  CHECK(channel.element_size == read.offset({"runtime.hchan"}, {"elemsize"}));
  CHECK(channel.closed == read.offset({"runtime.hchan"}, {"closed"}));
  CHECK(channel.element_type == read.offset({"runtime.hchan"}, {"elemtype"}));
  CHECK(channel.send_index == read.offset({"runtime.hchan"}, {"sendx"}));
  CHECK(channel.receive_index == read.offset({"runtime.hchan"}, {"recvx"}));
  CHECK(channel.receive_queue == read.offset({"runtime.hchan"}, {"recvq.first"}));
  CHECK(channel.send_queue == read.offset({"runtime.hchan"}, {"sendq.first"}));
}

void check_others(const RuntimeLayout &layout, Structures &read) {
  CHECK(layout.deferred.size == read.size({"runtime._defer"}));
  CHECK(layout.deferred.sp == read.offset({"runtime._defer"}, {"sp"}));
  CHECK(layout.deferred.pc == read.offset({"runtime._defer"}, {"pc"}));
  CHECK(layout.deferred.function == read.offset({"runtime._defer"}, {"fn"}));
  CHECK(layout.deferred.link == read.offset({"runtime._defer"}, {"link"}));
  CHECK(layout.deferred.open_defer == read.offset({"runtime._defer"}, {"openDefer"}));
  CHECK(layout.deferred.rangefunc == read.offset({"runtime._defer"}, {"rangefunc"}));
  CHECK(layout.panic.argument == read.offset({"runtime._panic"}, {"arg"}));
  CHECK(layout.panic.start_pc == read.offset({"runtime._panic"}, {"startPC"}));
  CHECK(layout.panic.recovered == read.offset({"runtime._panic"}, {"recovered"}));
  const auto types = {"internal/abi.Type", "runtime._type"};
  CHECK(layout.type.size == read.size(types));
  CHECK(layout.type.bytes == read.offset(types, {"Size_", "size"}));
  CHECK(layout.type.hash == read.offset(types, {"Hash", "hash"}));
  CHECK(layout.type.kind == read.offset(types, {"Kind_", "kind"}));
  CHECK(layout.type.name == read.offset(types, {"Str", "str"}));
  const auto tables = {"internal/abi.ITab", "runtime.itab"};
  CHECK(layout.itab.size == read.size(tables));
  CHECK(layout.itab.type == read.offset(tables, {"Type", "_type"}));
}

} // namespace

TEST_CASE("the layouts are those of the toolchains' own DWARF") {
  for_each_go([](const GoToolchain &go) {
    GoProcess process({build_go(go, "goroutine_zoo")});
    process.child().wait_for_line();
    process.open();
    const RuntimeLayoutChoice choice = runtime_layout({1, go.minor}, go.patch);
    CHECK(choice.exact);
    Structures read(*process.image().module);
    check_goroutine(choice.layout->g, read);
    check_m(choice.layout->m, read);
    check_channels(*choice.layout, read);
    check_others(*choice.layout, read);
  });
}

TEST_CASE("layouts are chosen by version and patch release") {
  const auto chosen = [](GoVersion version, int patch) {
    const RuntimeLayoutChoice choice = runtime_layout(version, patch);
    return std::tuple(choice.layout->version.minor, choice.layout->first_patch, choice.exact);
  };
  CHECK(chosen({1, 19}, 8) == std::tuple(19, 0, true));
  CHECK(chosen({1, 24}, 5) == std::tuple(24, 0, true));
  CHECK(chosen({1, 24}, 6) == std::tuple(24, 6, true));
  CHECK(chosen({1, 24}, latest_patch) == std::tuple(24, 6, true));
  const GoVersion newest = known_runtime_layouts().back().version;
  CHECK(chosen({1, newest.minor + 1}, 0) == std::tuple(newest.minor, 0, false));
  CHECK(chosen({1, 15}, 0) == std::tuple(16, 0, false));
  CHECK(chosen({}, 0) == std::tuple(newest.minor, 0, false));
  CHECK(std::ranges::is_sorted(known_runtime_layouts(), {}, [](const RuntimeLayout &layout) {
    return std::pair(layout.version, layout.first_patch);
  }));
}

TEST_CASE("wait reasons are those of the version") {
  CHECK(wait_reason_text({1, 19}, 14) == "chan receive");
  CHECK(wait_reason_text({1, 19}, 21) == "timer goroutine (idle)");
  CHECK(wait_reason_text({1, 21}, 21) == "sync.Mutex.Lock");
  CHECK(wait_reason_text({1, 26}, 0).empty());
  CHECK(wait_reason_text({1, 26}, 255) == "unknown wait reason");
  for (const WaitReasons &reasons : known_wait_reasons()) {
    INFO("Go 1." << reasons.version.minor);
    CHECK(std::ranges::count(reasons.texts, "chan receive") == 1);
    CHECK(std::ranges::count(reasons.texts, "") == 1);
  }
}

} // namespace inspect
