#include "inspector/explain/crash_messages.h"

#include <array>
#include <charconv>
#include <fmt/format.h>

namespace inspect {
namespace {

struct KnownMessage {
  std::string_view part; ///< of the message
  std::string_view meaning;
};

constexpr std::array known_messages = {
    KnownMessage{"all goroutines are asleep - deadlock!", "every goroutine waits for another one, and none can go on"},
    KnownMessage{"main called runtime.Goexit",
                 "main ended by runtime.Goexit, which lets the others go on, and all of those wait for ever"},
    KnownMessage{
        "morestack on g",
        "the stack of a thread was full, on which the runtime's own code, signal handlers and calls from C run: "
        "large C frames below a Go callback, or a recursion there"},
    KnownMessage{"concurrent map",
                 "two goroutines used one map at the same moment, one of them writing, without a lock; the other "
                 "one may be anywhere by now (go build -race finds both)"},
    KnownMessage{"assignment to entry in nil map", "something was stored into a map that was never made"},
    KnownMessage{"index out of range", "an index lies beyond the end of what it indexes"},
    KnownMessage{"slice bounds out of range", "a slice expression reaches beyond what it slices"},
    KnownMessage{"integer divide by zero", "a whole number was divided by 0"},
    KnownMessage{"stack overflow", "a goroutine's stack reached its limit: a recursion without end, most likely"},
    KnownMessage{"goroutine stack exceeds",
                 "a goroutine's stack reached its limit: a recursion without end, most likely"},
    KnownMessage{"out of memory",
                 "the system refused memory to the program (a limit of its container, ulimit -v, or none left)"},
    KnownMessage{"cannot allocate",
                 "the system refused memory to the program (a limit of its container, ulimit -v, or none left)"},
    KnownMessage{"makeslice: ", "make was asked for a slice with a negative or absurd length"},
    KnownMessage{"send on closed channel",
                 "a channel was closed while this goroutine still sends on it: only the sender should close"},
    KnownMessage{"close of closed channel", "a channel was closed twice"},
    KnownMessage{"close of nil channel", "a channel that was never made was closed"},
    KnownMessage{"negative WaitGroup counter", "a sync.WaitGroup's Done was called more often than Add announced"},
    KnownMessage{"WaitGroup is reused", "a sync.WaitGroup's Add was called before an earlier Wait had returned"},
    KnownMessage{"unlock of unlocked",
                 "a lock was released that nobody held: released twice, or copied with its structure"},
    KnownMessage{"Unlock of unlocked",
                 "a lock was released that nobody held: released twice, or copied with its structure"},
    KnownMessage{"interface conversion: ",
                 "the value in an interface has another type than the x.(T) without `ok` demands"},
    KnownMessage{"comparing uncomparable",
                 "two interface values hold a type that cannot be compared (slice, map or function)"},
    KnownMessage{"hash of unhashable", "a slice, map or function was used as a map's key through an interface"},
    KnownMessage{"go of nil func value", "a go statement was given a function value that is nil"},
    KnownMessage{"unexpected signal during runtime execution",
                 "the fault happened in the runtime or in C code: memory was damaged by unsafe, cgo or a race"},
    KnownMessage{"unexpected fault address", "the fault's address is not a nil pointer: memory was damaged by unsafe, "
                                             "cgo or a race, or a mapped file was cut"},
    KnownMessage{"found bad pointer in Go heap",
                 "a word that the garbage collector took for a pointer is none: unsafe, cgo or a race"},
    KnownMessage{"bad pointer", "a word that the garbage collector took for a pointer is none: unsafe, cgo or a race"},
    KnownMessage{"found pointer to free object",
                 "memory was freed that something still points to: unsafe, cgo or a race hid the pointer"},
    KnownMessage{"s.allocCount", "the runtime's own record of the heap contradicts itself: memory was damaged by "
                                 "unsafe, cgo, a race or faulty hardware"},
    KnownMessage{"cgo argument has Go pointer", "a pointer to Go memory that holds Go pointers was passed to C"},
    KnownMessage{"cgo result is", "an exported Go function returned a Go pointer to C"},
    KnownMessage{
        "checkptr: ",
        "an unsafe conversion breaks the rules of unsafe.Pointer (the program was built with -race or -d=checkptr)"},
    KnownMessage{
        "program exceeds",
        "the limit of threads (debug.SetMaxThreads) was reached: too many goroutines block in system calls or C"},
    KnownMessage{"test timed out", "a test ran longer than go test -timeout allows: see what its goroutines wait for"},
    KnownMessage{"DATA RACE", "two goroutines used one place in memory without a lock, one of them writing"},
    KnownMessage{"nil pointer dereference", "something was read or written through a pointer that is nil"},
};

std::optional<std::int64_t> number_behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos)
    return std::nullopt;
  text.remove_prefix(at + mark.size());
  std::int64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

} // namespace

std::string_view meaning_of_message(std::string_view message) {
  for (const KnownMessage &known : known_messages)
    if (message.find(known.part) != std::string_view::npos)
      return known.meaning;
  return {};
}

std::optional<BoundsMessage> read_bounds_message(std::string_view message) {
  if (message.find(" out of range [") == std::string_view::npos)
    return std::nullopt;
  BoundsMessage bounds;
  auto bound = number_behind(message, " with length ");
  if (!bound) {
    bound = number_behind(message, " with capacity ");
    bounds.capacity = true;
  }
  if (!bound || *bound < 0)
    return std::nullopt;
  bounds.bound = static_cast<std::uint64_t>(*bound);
  // "[5]", "[:5]", "[::5]", "[5:3]"
  std::string_view index = message.substr(message.find(" out of range [") + std::string_view(" out of range [").size());
  while (index.starts_with(':'))
    index.remove_prefix(1);
  if (std::from_chars(index.data(), index.data() + index.size(), bounds.index).ec != std::errc())
    return std::nullopt;
  return bounds;
}

std::string meaning_of_fault(std::string_view signal, std::optional<std::uint64_t> code,
                             std::optional<std::uint64_t> address) {
  if (signal == "SIGBUS")
    return "a mapped file is shorter than its mapping (cut while in use), or the disk or memory behind it failed";
  if (signal == "0xc0000006")
    return "a page of a mapped file could not be read: the file was cut, or the disk or the network behind it failed";
  if (signal == "0xc00000fd")
    return "the stack of a thread was full: a recursion in C code, or in a callback from it";
  if (signal == "0xc0000374")
    return "Windows found C's heap damaged: C code wrote outside of what it had allocated, or freed memory twice";
  if (signal == "SIGFPE" || signal == "0xc0000094" || signal == "0xc0000095")
    return "a division by 0, or the smallest number by -1";
  if (signal == "SIGILL" || signal == "0xc000001d" || signal == "0xc0000096")
    return "an instruction that this processor does not have, or damaged code";
  if (signal != "SIGSEGV" || !address)
    return {};
  // sigaction(2): SI_KERNEL 0x80, SEGV_MAPERR 1, SEGV_ACCERR 2.
  if (code == 0x80 && *address == 0)
    return "the pointer was not an address at all (not canonical): memory was damaged by unsafe, cgo or a race";
  if (code == 2)
    return fmt::format("the memory at {:#x} may not be used in this way: a write to read-only data, or a jump to data",
                       *address);
  return {};
}

} // namespace inspect
