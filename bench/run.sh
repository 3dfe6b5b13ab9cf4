#!/bin/bash
# Measures inspect against its peers in one run and prints ratios, since absolute times are the machine's.
#
#   bench/run.sh [NAME…]     cases whose name contains a NAME; all without: threads_1000 threads_5000 big_dwarf ps
#                            descriptors_50000 mappings_65000 goroutines_100000 goroutines_1000000
#
# The table is Markdown, also kept in build/bench/results.md for docs/benchmarks.md. BENCH_RUNS is the number of runs a
# median is taken of (7), BENCH_PEER_RUNS that of peers which take long (3). A peer that is not installed is reported as
# missing. Needs `./dev build` before; `./dev bench` does both.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

release=${BENCH_BUILD:-$PWD/build/release}
tools=$release/bench
inspect=$release/bin/inspect
runs=${BENCH_RUNS:-7}
peer_runs=${BENCH_PEER_RUNS:-3}
results=${BENCH_RESULTS:-$PWD/build/bench/results.md}
work=$(mktemp -d "${TMPDIR:-/tmp}/inspect-bench-XXXXXX") || exit 1
target=
target_input=
verdict=0
unset DEBUGINFOD_URLS
declare -A got=()

stop_target() {
  if [[ -n $target_input ]]; then
    exec {target_input}>&-
    target_input=
  fi
  [[ -n $target ]] && kill -KILL "$target" 2>/dev/null
  [[ -n $target ]] && wait "$target" 2>/dev/null
  target=
}
trap 'stop_target; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*" >&2; }
row() {
  printf '%s\n' "$*" | tee -a "$work/table"
}

# start_target HEARTBEAT COMMAND…: waits for its "ready"; $target is its process id. It ends when its stdin closes.
start_target() {
  local heartbeat=$1 line
  shift
  rm -f "$work/in" "$work/out" "$work/pulse"
  mkfifo "$work/in" "$work/out" || exit 1
  if [[ $heartbeat == yes ]]; then
    INSPECT_HEARTBEAT=$work/pulse LD_PRELOAD=$tools/heartbeat.so "$@" <"$work/in" >"$work/out" &
  else
    "$@" <"$work/in" >"$work/out" &
  fi
  target=$!
  exec {target_input}>"$work/in"
  if ! read -r -t 300 line <"$work/out" || [[ $line != ready* ]]; then
    say "the target did not start: $*"
    stop_target
    return 1
  fi
}

# measured NAME COMMAND…: adds to the samples NAME.wall_us, NAME.max_rss_kb and, where the command prints such a
# key=value, NAME.pause_us. NAME.gap_us is the heartbeat's. False where the command fails.
measured() {
  local name=$1 line pair
  shift
  [[ -s $work/pulse ]] && dd if=/dev/zero of="$work/pulse" bs=16 count=1 conv=notrunc status=none
  line=$("$tools/measure" -t "${BENCH_TIMEOUT:-300}" -o "$work/stdout" -e "$work/stderr" "$@")
  if [[ $line != *status=0* ]]; then
    say "  $name failed: $line: $(head -n 1 "$work/stderr")"
    return 1
  fi
  for pair in $line $(tail -n 3 "$work/stderr" | tr -s ' ' '\n') $(tail -n 3 "$work/stdout" | tr -s ' ' '\n'); do
    case $pair in
    wall_us=* | max_rss_kb=* | pause_us=* | goroutines=*) sample "$name.${pair%%=*}" "${pair#*=}" ;;
    esac
  done
  if [[ -s $work/pulse ]]; then
    sleep 0.05 # the beat after the pause is the one that knows it
    sample "$name.gap_us" $(($(od -An -t u8 -j 8 -N 8 "$work/pulse") / 1000))
  fi
  return 0
}

sample() {
  [[ $2 =~ ^[0-9]+$ ]] && got[$1]+="$2 "
}

# The median of the samples, empty without any.
median() {
  local sorted
  [[ -n ${got[$1]:-} ]] || return 0
  mapfile -t sorted < <(tr -s ' ' '\n' <<<"${got[$1]% }" | sort -n)
  printf '%s' "${sorted[$((${#sorted[@]} / 2))]}"
}

show() { # VALUE UNIT
  local value=$1
  case $2 in
  us) ((value >= 1000000)) && printf '%d.%02d s' $((value / 1000000)) $((value / 10000 % 100)) ||
    printf '%d.%02d ms' $((value / 1000)) $((value / 10 % 100)) ;;
  kb) printf '%d.%d MB' $((value / 1000)) $((value / 100 % 10)) ;;
  esac
}

decimal() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }

# compare CASE WHAT OUR_SAMPLE PEER PEER_SAMPLE UNIT BOUND: BOUND is the largest good ratio in thousandths, 0: none.
compare() {
  local case=$1 what=$2 ours theirs peer=$4 unit=$6 bound=$7 ratio said="no bound"
  ours=$(median "$3")
  theirs=$(median "$5")
  if [[ -z $ours || -z $theirs ]]; then
    local absent=missing
    [[ -z $ours ]] && absent="inspect failed" && verdict=1
    row "| $case | $what | ${ours:+$(show "$ours" "$unit")} | $peer | ${theirs:+$(show "$theirs" "$unit")} | – | $(bound_text "$bound") | $absent |"
    return
  fi
  ratio=$((ours * 1000 / (theirs > 0 ? theirs : 1)))
  if ((bound > 0)); then
    said=met
    ((ratio > bound)) && said="**missed**" && verdict=1
  fi
  row "| $case | $what | $(show "$ours" "$unit") | $peer | $(show "$theirs" "$unit") | $(decimal "$ratio") | $(bound_text "$bound") | $said |"
}

bound_text() { (($1 > 0)) && printf '≤ %s' "$(decimal "$1")" || printf '–'; }

# at_most CASE WHAT OUR_SAMPLE UNIT MOST
at_most() {
  local ours said=met
  ours=$(median "$3")
  [[ -z $ours ]] && said="inspect failed" && verdict=1
  [[ -n $ours ]] && ((ours > $5)) && said="**missed**" && verdict=1
  row "| $1 | $2 | ${ours:+$(show "$ours" "$4")} | – | – | – | ≤ $(show "$5" "$4") | $said |"
}

installed() { command -v "$1" >/dev/null || { say "  $1 is not installed"; return 1; }; }

our_stacks() { # NAME PID: with a cache of its own that is empty
  local cache
  cache=$(mktemp -d "$work/cache-XXXXXX")
  XDG_CACHE_HOME=$cache measured "$1" "$inspect" stacks "$2" --stats
  rm -rf "$cache"
}

peer_stacks() { # CASE: each installed peer on $target
  if installed eu-stack; then measured "$1.eu-stack" eu-stack -p "$target"; fi
  if installed gdb; then
    measured "$1.gdb" gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'set pagination off' -p "$target" \
      -ex 'thread apply all bt'
  fi
}

threads() { # N
  local case=threads_$1 run
  say "$case: $1 threads blocked at depth 20"
  start_target yes "$release/fixtures/many_threads" "$1" 20 || { verdict=1; return; }
  for ((run = 0; run < runs; ++run)); do
    [[ -x $tools/bare_loop ]] && measured "$case.bare" "$tools/bare_loop" "$target"
    our_stacks "$case.inspect" "$target"
    ((run < peer_runs)) && peer_stacks "$case"
  done
  stop_target
  compare "$case" "pause" "$case.inspect.pause_us" "bare loop" "$case.bare.pause_us" us 2000
  compare "$case" "pause felt" "$case.inspect.gap_us" "bare loop" "$case.bare.gap_us" us 0
  compare "$case" "pause felt" "$case.inspect.gap_us" "gdb" "$case.gdb.gap_us" us 0
  compare "$case" "time" "$case.inspect.wall_us" "eu-stack" "$case.eu-stack.wall_us" us 333
  compare "$case" "time" "$case.inspect.wall_us" "gdb" "$case.gdb.wall_us" us 100
  compare "$case" "memory" "$case.inspect.max_rss_kb" "gdb" "$case.gdb.max_rss_kb" kb 0
}

linearity() {
  local small large
  at_most threads_5000 memory threads_5000.inspect.max_rss_kb kb 200000
  small=$(median threads_1000.inspect.wall_us)
  large=$(median threads_5000.inspect.wall_us)
  if [[ -n $small && -n $large ]]; then
    got[five_times.wall_us]="$((small * 5)) "
    compare threads_5000 "time" threads_5000.inspect.wall_us "5 × threads_1000" five_times.wall_us us 1200
  fi
}

big_dwarf() {
  local run program=$tools/big_program
  say "big_dwarf: a program with 300 MB of DWARF or more"
  bench/generate_big_program.sh "$tools" >&2 || { say "  it could not be generated"; verdict=1; return; }
  start_target yes "$program" || { verdict=1; return; }
  for ((run = 0; run < peer_runs; ++run)); do
    our_stacks big_dwarf.inspect "$target"
    peer_stacks big_dwarf
  done
  stop_target
  compare big_dwarf time big_dwarf.inspect.wall_us gdb big_dwarf.gdb.wall_us us 67
  compare big_dwarf time big_dwarf.inspect.wall_us eu-stack big_dwarf.eu-stack.wall_us us 67
  compare big_dwarf memory big_dwarf.inspect.max_rss_kb gdb big_dwarf.gdb.max_rss_kb kb 100
  compare big_dwarf "pause felt" big_dwarf.inspect.gap_us gdb big_dwarf.gdb.gap_us us 0
}

processes() {
  local run
  say "ps: 2,000 processes"
  start_target no "$tools/process_crowd" 2000 sleep 1000000 || { verdict=1; return; }
  for ((run = 0; run < runs; ++run)); do
    measured ps.inspect "$inspect" ps
    if installed ps; then measured ps.ps ps aux; fi
  done
  stop_target
  compare ps "time" ps.inspect.wall_us "ps aux" ps.ps.wall_us us 1500
  compare ps "memory" ps.inspect.max_rss_kb "ps aux" ps.ps.max_rss_kb kb 0
}

# What the kernel needs to write smaps is most of it, for everybody: cat does nothing else.
descriptors() {
  local count=50000 case run hard
  hard=$(ulimit -Hn)
  if [[ $hard != unlimited ]] && ((hard < count + 64)) && ! (ulimit -Hn $((count + 64))) 2>/dev/null; then
    count=$((hard - 64))
    say "  the limit of open files is $hard here, and may not be raised"
  fi
  case=descriptors_$count
  say "$case: a process with $count open descriptors"
  start_target no "$release/fixtures/many_descriptors" "$count" || { verdict=1; return; }
  for ((run = 0; run < runs; ++run)); do
    measured "$case.inspect" "$inspect" ps "$target"
    measured "$case.json" "$inspect" ps "$target" --json
    measured "$case.ls" ls -l "/proc/$target/fd"
    if ((run < peer_runs)) && installed lsof; then measured "$case.lsof" lsof -n -P -p "$target"; fi
  done
  stop_target
  at_most "$case" "time" "$case.inspect.wall_us" us 1000000
  compare "$case" "time" "$case.inspect.wall_us" "ls -l" "$case.ls.wall_us" us 0
  compare "$case" "time" "$case.inspect.wall_us" "lsof" "$case.lsof.wall_us" us 1000
  compare "$case" "time as JSON" "$case.json.wall_us" "lsof" "$case.lsof.wall_us" us 1000
  compare "$case" "memory" "$case.inspect.max_rss_kb" "lsof" "$case.lsof.max_rss_kb" kb 0
}

mappings() {
  local case=mappings_65000 run
  say "$case: a process with 65,000 mappings"
  start_target no "$release/fixtures/many_mappings" || { verdict=1; return; }
  for ((run = 0; run < runs; ++run)); do
    measured "$case.cat" bash -c 'exec cat "$1" >/dev/null' - "/proc/$target/smaps"
    measured "$case.inspect" "$inspect" mem "$target"
    if ((run < peer_runs)) && installed pmap; then measured "$case.pmap" pmap -x "$target"; fi
  done
  stop_target
  compare "$case" "time" "$case.inspect.wall_us" "cat smaps" "$case.cat.wall_us" us 2000
  compare "$case" "time" "$case.inspect.wall_us" "pmap -x" "$case.pmap.wall_us" us 0
  compare "$case" "memory" "$case.inspect.max_rss_kb" "pmap -x" "$case.pmap.max_rss_kb" kb 0
}

# The toolchain that the goroutines' target is built with: dlv 1.20 of Debian 12 knows Go up to 1.22.
find_go() {
  local go
  for go in "${BENCH_GO:-}" /usr/lib/go-1.19/bin/go go; do
    [[ -n $go ]] && command -v "$go" >/dev/null || continue
    [[ $("$go" version) =~ go1\.(1[7-9]|2[0-2])[^0-9] ]] && printf '%s' "$go" && return
  done
  say "  no Go 1.17 to 1.22 is installed (Debian: golang-go)"
  return 1
}

# build_leak: makes $tools/goroutine_leak, and leaves what bare_goroutine_loop wants to know of it in $leak_layout.
build_leak() {
  local go address
  go=$(find_go) || return 1
  mkdir -p "$tools/go-cache"
  GOCACHE=$tools/go-cache GO111MODULE=off GOFLAGS='' GOTOOLCHAIN=local \
    "$go" build -o "$tools/goroutine_leak" ./fixtures/golang/goroutine_leak >&2 || return 1
  address=$(nm "$tools/goroutine_leak" | awk '$3 == "runtime.allgs" {print $1}')
  # The size of a g; its status has been at 144 in all of them (golang/runtime/runtime_layout_table.cpp).
  case $("$go" version) in
  *go1.21*) leak_layout=(0x"$address" 408 144) ;;
  *go1.22*) leak_layout=(0x"$address" 424 144) ;;
  *) leak_layout=(0x"$address" 392 144) ;;
  esac
}

delve() { # NAME PID
  printf 'goroutines -t\nexit\n' >"$work/delve"
  # It asks whether to end the process.
  measured "$1" bash -c 'echo n | dlv attach "$1" --init "$2" --allow-non-terminal-interactive=true' - "$2" "$work/delve"
}

goroutines() { # N
  local case=goroutines_$1 run shown
  say "$case: $1 goroutines that leaked"
  build_leak || { verdict=1; return; }
  start_target no "$tools/goroutine_leak" -n "$1" || { verdict=1; return; }
  for ((run = 0; run < peer_runs; ++run)); do
    measured "$case.bare" "$tools/bare_goroutine_loop" "$target" "${leak_layout[@]}"
    our_stacks "$case.inspect" "$target"
    if ((run == 0 && $1 <= 100000)) && installed dlv; then delve "$case.dlv" "$target"; fi
  done
  stop_target
  shown=$(median "$case.inspect.goroutines")
  if ((${shown:-0} < $1)); then
    say "  inspect shows ${shown:-no} goroutines"
    verdict=1
  fi
  compare "$case" "pause" "$case.inspect.pause_us" "bare loop" "$case.bare.pause_us" us 2000
  (($1 > 100000)) && return
  compare "$case" "time" "$case.inspect.wall_us" "dlv" "$case.dlv.wall_us" us 33
  compare "$case" "memory" "$case.inspect.max_rss_kb" "dlv" "$case.dlv.max_rss_kb" kb 500
}

goroutines_are_linear() {
  local small
  at_most goroutines_1000000 memory goroutines_1000000.inspect.max_rss_kb kb 2000000
  small=$(median goroutines_100000.inspect.wall_us)
  if [[ -n $small ]]; then
    got[ten_times.wall_us]="$((small * 10)) "
    compare goroutines_1000000 "time" goroutines_1000000.inspect.wall_us "10 × goroutines_100000" ten_times.wall_us us 1200
  fi
}

machine_line() {
  local model memory
  model=$(grep -m 1 '^model name' /proc/cpuinfo | cut -d: -f2 | tr -s ' ')
  memory=$(grep '^MemTotal' /proc/meminfo | tr -dc '0-9')
  printf 'Machine: %s cores,%s, %s GiB, Linux %s, load %s; gdb %s, eu-stack %s, dlv %s; medians of %s runs (gdb, eu-stack: %s).\n' \
    "$(nproc)" "${model:- unknown processor}" $((memory / 1048576)) "$(uname -r | cut -d- -f1)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$(version_of gdb)" "$(version_of eu-stack)" "$(delve_version)" \
    "$runs" "$peer_runs"
}

version_of() {
  command -v "$1" >/dev/null || { printf missing; return; }
  "$1" --version | head -n 1 | tr -s ' ' '\n' | grep -m 1 -o -E '^[0-9]+\.[0-9]+'
}

delve_version() {
  command -v dlv >/dev/null || { printf missing; return; }
  dlv version | awk '$1 == "Version:" {print $2}'
}

wanted() { # CASE, then the names asked for
  local case=$1 name
  shift
  (($# == 0)) && return 0
  for name in "$@"; do [[ $case == *"$name"* ]] && return 0; done
  return 1
}

[[ -x $inspect && -x $tools/measure ]] || { say "build first: ./dev build"; exit 1; }
machine_line | tee "$work/machine"
echo
row '| case | what | inspect | peer | its value | ratio | bound | |'
row '|---|---|---:|---|---:|---:|---:|---|'
wanted threads_1000 "$@" && threads 1000
wanted threads_5000 "$@" && threads 5000 && linearity
wanted big_dwarf "$@" && big_dwarf
wanted ps "$@" && processes
wanted descriptors_50000 "$@" && descriptors
wanted mappings_65000 "$@" && mappings
wanted goroutines_100000 "$@" && goroutines 100000
wanted goroutines_1000000 "$@" && goroutines 1000000 && goroutines_are_linear
mkdir -p "$(dirname "$results")"
{
  cat "$work/machine"
  echo
  cat "$work/table"
} >"$results"
say "kept in $results"
exit $verdict
