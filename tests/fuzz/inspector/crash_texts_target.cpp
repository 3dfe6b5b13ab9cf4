// Go's crash texts and dumps, as `explain` gets them from logs of all kinds.
#include "inspector/explain/explanation.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace inspect::test {
namespace {

bool run_crash_texts(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const std::string_view text = input.part();
  const std::string declarations(input.rest());
  const auto tracebacks = parse_tracebacks(text);
  for (const Traceback &traceback : tracebacks)
    for (const TracebackGoroutine &goroutine : traceback.goroutines)
      for (const TracebackFrame &frame : goroutine.frames)
        fuzz_check(frame.words.size() == frame.layout.word_count(), "a frame has its words");
  ExplainOptions options;
  if (!declarations.empty())
    options.declarations.push_back(declarations);
  const auto explanation = explain_text(text, options);
  if (!explanation) {
    fuzz_check(!tracebacks.empty() || explanation.error().kind() == ErrorKind::not_found ||
                   explanation.error().kind() == ErrorKind::usage,
               "without a crash there is nothing to explain");
    return false;
  }
  fuzz_check(explanation->tracebacks.size() == tracebacks.size(), "every crash is explained");
  for (const ExplainedTraceback &one : explanation->tracebacks)
    fuzz_check(one.goroutines == 0 || !one.groups.empty(), "goroutines are in groups");
  return true;
}

std::vector<std::string> crash_seeds() {
  const auto seed = [](std::string_view text, std::string_view declarations = {}) {
    return FuzzSeed().part(text).raw(declarations).text();
  };
  return {
      seed("panic: runtime error: invalid memory address or nil pointer dereference [recovered]\n\tpanic: boom\n"
           "[signal SIGSEGV: segmentation violation code=0x1 addr=0x50 pc=0x5046c9]\n\n"
           "goroutine 54 gp=0xc000007340 m=3 mp=0xc00004f008 [running, locked to thread]:\n"
           "main.(*T).f(0x0, {0x1, 0x2?}, _, ...)\n\t/src/a b.go:227 +0x59 fp=0x1 sp=0x2 pc=0x3\n"
           "created by main.main in goroutine 1\n\t/src/a.go:1 +0x5\n...5 frames elided...\n\nexit status 2\n",
           "type T struct { a int }\nfunc (t *T) f(x int, s string)"),
      seed("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive, 5 minutes]:\n"
           "main.wait(0xc000012120)\n\t/a.go:9 +0x1\nmain.main()\n\t/a.go:3 +0x1d\n\ngoroutine 7 [semacquire]:\n"
           "sync.(*Mutex).Lock(...)\n\t/go/src/sync/mutex.go:81\nmain.worker(0x1)\n\t/a.go:20 +0x44\n"),
      seed("web-7 | 12:00 SIGQUIT: quit\nweb-7 | 12:00 PC=0x464ce1 m=0 sigcode=0\nweb-7 | 12:00 \n"
           "web-7 | 12:00 goroutine 0 [idle]:\nweb-7 | 12:00 runtime.futex(0x1, 0x80, 0x0)\n"
           "web-7 | 12:00 \t/go/src/runtime/sys_linux_amd64.s:560 +0x21\nweb-7 | 12:00 rax    0xca\nweb-7 | 12:00 rip  "
           "  0x464ce1\n"),
      seed("{\"log\":\"panic: x\\n\\ngoroutine 9 [running]:\\nmain.g(0x1)\\n\\t/a.go:1 "
           "+0x1\\n\",\"stream\":\"stderr\"}\n"),
      seed("==================\nWARNING: DATA RACE\nRead at 0x00c0000b4010 by goroutine 7:\n  main.f()\n      /a.go:1 "
           "+0x3a\n\n"
           "Previous write at 0x00c0000b4010 by main goroutine:\n  main.main()\n      /a.go:2 +0x10\n\n"
           "Goroutine 7 (running) created at:\n  main.main()\n      /a.go:3 +0x20\n==================\n"),
      seed("panic: main.E{a:1} [recovered, repanicked]\r\n\r\ngoroutine 1 [running]:\r\nmain.f({0x4c3839, 0x7}, "
           "0x1?)\r\n"
           "\t/a.go:1 +0x1\r\n\r\ngoroutine 18 [select (no cases)]:\r\n[originating from goroutine "
           "1]:\r\nmain.h(0x5)\r\n\t/h.go:1 +0x2\r\n",
           "func f(s string, b bool)"),
  };
}

const RegisteredFuzzTarget crash_texts_target{{.name = "crash-texts", .run = run_crash_texts, .seeds = crash_seeds}};

} // namespace
} // namespace inspect::test
