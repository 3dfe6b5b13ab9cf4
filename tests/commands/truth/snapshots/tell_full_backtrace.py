# Each thread as gdb's `bt full` has it, and once more when all registers that a call may change are changed in the
# innermost frame: what is another value then in an outer frame was made of what an inner function left in such a register.
# At the end each thread has a stop signal pending, which it takes before its next instruction.
import ctypes
import platform
import signal

KINDS = {gdb.INLINE_FRAME: "inlined", gdb.TAILCALL_FRAME: "tail", gdb.SIGTRAMP_FRAME: "signal"}

if platform.machine() == "x86_64":
    TGKILL = 234
    LOST = ["$" + name for name in ["rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"]]
    LOST += ["$xmm%d.v2_int64[%d]" % (i, j) for i in range(16) for j in range(2)]
else:
    TGKILL = 131
    LOST = ["$x%d" % i for i in range(19)]
    LOST += ["$v%d.d.s[%d]" % (i, j) for i in list(range(8)) + list(range(16, 32)) for j in range(2)]


def tell_frames():
    frame = gdb.newest_frame()
    while frame is not None:
        place = frame.find_sal()
        file = place.symtab.filename if place.symtab else ""
        kind = KINDS.get(frame.type(), "normal")
        print("@frame %x %s %d\t%s\t%s" % (frame.pc(), kind, place.line, file, frame.name() or ""))
        try:
            frame = frame.older()
        except gdb.error:
            frame = None


def tell_disturbed():
    saved = []
    for expression in LOST:
        try:
            value = int(gdb.parse_and_eval("(unsigned long)" + expression))
            gdb.execute("set var %s = %d" % (expression, value ^ 0x155555555AAAAAAA))
            saved.append((expression, value))
        except gdb.error as error:
            print("@not changed: %s: %s" % (expression, error))
    print(gdb.execute("bt full", to_string=True))
    for expression, value in saved:
        gdb.execute("set var %s = %d" % (expression, value))


process = gdb.selected_inferior()
for thread in sorted(process.threads(), key=lambda one: one.ptid[1]):
    thread.switch()
    print("\n@thread %d" % thread.ptid[1])  # what gdb itself printed may lack the end of its line
    tell_frames()
    gdb.newest_frame().select()
    print("@full")
    print(gdb.execute("bt full", to_string=True))
    print("@disturbed")
    tell_disturbed()
for thread in process.threads():
    ctypes.CDLL(None).syscall(TGKILL, process.pid, thread.ptid[1], int(signal.SIGSTOP))
