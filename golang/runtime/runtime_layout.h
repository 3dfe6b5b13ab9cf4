// Where the fields of the Go runtime's structures lie on amd64, by Go version, and what its wait reasons are called.
// Generated from real toolchains by tools/generate_go_layouts.go; a field that a version does not have is -1.
//
// An unknown version gets its nearest neighbour's layout and `exact == false`; golang/runtime/layout_check.h verifies
// any layout against the live process before it is believed.
#pragma once

#include "golang/go_version.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace inspect {

using FieldOffset = std::int16_t;

struct RuntimeLayout {
  GoVersion version;
  int first_patch = 0; ///< the first patch release that has it: fields moved within 1.16, 1.23 and 1.24

  struct G { // runtime/runtime2.go, type g
    FieldOffset size, stack_lo, stack_hi, panic, first_defer, m, sched_sp, sched_pc, sched_bp, syscall_sp, syscall_pc,
        syscall_bp, stktopsp, param, status, id, wait_since, wait_reason, preempt_stop, async_safe_point,
        tracking_sequence, locked_m, signal, signal_address, signal_pc, parent_id, created_pc, start_pc, racectx,
        waiting, cgo_context, labels, coroarg, bubble;
  } g;
  struct M { // type m; more_stack is morebuf: where the goroutine was when it asked for a larger stack
    FieldOffset size, g0, more_stack_sp, more_stack_pc, more_stack_g, process_id, gsignal, current_g, p, id, throwing,
        in_cgo, is_extra, is_extra_in_c, cgo_calls, cgo_callers, all_link, locked_g, vdso_sp, vdso_pc;
  } m;
  struct Sudog { // type sudog
    FieldOffset size, g, next, element, is_select, wait_link, channel;
  } sudog;
  struct Hchan { // runtime/chan.go, type hchan; the queues are their first sudogs
    FieldOffset size, count, capacity, buffer, element_size, closed, element_type, send_index, receive_index,
        receive_queue, send_queue;
  } channel;
  struct Defer { // type _defer
    FieldOffset size, heap, open_defer, rangefunc, sp, pc, function, link, head;
  } deferred;
  struct Panic { // type _panic
    FieldOffset size, argument, link, start_pc, start_sp, recovered, goexit;
  } panic;
  struct Type { // runtime/type.go type _type, since 1.21 internal/abi type Type
    FieldOffset size, bytes, hash, flags, kind, name, pointer_to_this;
  } type;
  struct InterfaceTable { // type itab, since 1.22 internal/abi ITab
    FieldOffset size, interface_type, type, hash;
  } itab;
  struct Bubble { // runtime/synctest.go: synctestGroup of 1.24, which has no number, synctestBubble since
    FieldOffset size, id;
  } bubble;
};

struct RuntimeLayoutChoice {
  const RuntimeLayout *layout = nullptr; ///< static; never null
  bool exact = false;                    ///< false: the nearest known version's
};

constexpr int latest_patch = std::numeric_limits<int>::max();
/// `patch` is that of go_patch_release(). Version 0.0 (not known) gets the newest.
RuntimeLayoutChoice runtime_layout(GoVersion version, int patch = latest_patch);
/// Ascending by version and first patch release.
std::span<const RuntimeLayout> known_runtime_layouts();

/// As the runtime's traceback names it (runtime/runtime2.go, waitReasonStrings): "chan receive"; empty for 0, and
/// "unknown wait reason" for a number that the version does not have. An unknown version's are its nearest
/// neighbour's.
std::string_view wait_reason_text(GoVersion version, std::uint8_t reason);

/// Whether synctest counts a goroutine of a bubble that waits so as durably blocked: the runtime's traceback then adds
/// " (durable)" to those reasons that do not end so (runtime/runtime2.go, isIdleInSynctest, Go 1.25 to 1.27).
bool is_durable_in_bubble(std::string_view wait_reason);

/// One version's wait reasons by number.
struct WaitReasons {
  GoVersion version;
  std::span<const std::string_view> texts;
};
std::span<const WaitReasons> known_wait_reasons();

} // namespace inspect
