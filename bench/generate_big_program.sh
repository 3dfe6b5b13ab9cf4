#!/bin/bash
# Makes a program with hundreds of megabytes of debug information, several hundred thousand symbols and more than a
# thousand units, in which 50 threads sleep below 20 calls through generated code:
#
#     bench/generate_big_program.sh OUTPUT_DIR [MEGABYTES]     # writes OUTPUT_DIR/big_program, default 440
#
# A few units of structures, templates and inlined calls are compiled, and then linked again and again. Each copy of an
# object gets a number of its own, written over a placeholder of the same length in all its names. So the DWARF is what
# a compiler writes, every name in it is different, and making it takes a minute rather than an hour. The program prints "ready" when all threads sleep; it dies with its parent.
# The work is not repeated when OUTPUT_DIR has a program of the wanted size.
set -euo pipefail

if [[ $# -lt 1 || $# -gt 2 || ! ${2:-1} =~ ^[0-9]+$ ]]; then
  echo "usage: $0 OUTPUT_DIR [MEGABYTES]" >&2
  exit 2
fi
megabytes=${2:-440}
mkdir -p "$1"
output=$(cd "$1" && pwd)
compiler=${CXX:-g++}
jobs=$(nproc)
kinds=4
functions=200
threads=50
stamp=$output/big_program.stamp
wanted="$megabytes $kinds $functions $(cksum <"$0")"

if [[ -x $output/big_program && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
  exit 0
fi
work=$(mktemp -d "$output/big_program.XXXXXX")
trap 'rm -rf "$work"' EXIT

placeholder=C00PY
# The placeholder's length must be that of the numbers.
number() { printf '%05d' "$1"; }

# generate_unit KIND: the source of one unit, with the placeholder in it.
generate_unit() {
  local kind=$1 i previous
  cat <<SOURCE
#include <cstddef>
extern "C" long wait_forever(long value);
namespace unit_$placeholder {
template <typename Value, int count> struct Buffer {
  Value values[count];
  std::size_t used = 0;
  void push(Value value) { values[used++ % count] = value; }
  Value last() const { return used ? values[(used - 1) % count] : Value(); }
};
template <typename Value> inline Value mix(Value value, long by) {
  const Value shifted = value * 31 + static_cast<Value>(by);
  return shifted ^ (shifted >> 3);
}
struct Item_${placeholder}_0 { long value; long total() const { return value; } };
[[gnu::noinline]] long call_0(long depth, long value) { return depth <= 0 ? wait_forever(value) : value; }
SOURCE
  for ((i = 1; i <= functions; ++i)); do
    previous=$((i - 1))
    cat <<SOURCE
struct Item_${placeholder}_$i {
  int first_$i;
  unsigned long second_$i;
  const char *label_$i;
  Item_${placeholder}_$previous *previous;
  Buffer<long, $((i % 13 + 2))> history;
  enum class State_$i : short { idle, busy, gone } state;
  long total() const { return first_$i + static_cast<long>(second_$i) + history.last(); }
  void add(long value) { history.push(mix(value, first_$i)); second_$i += static_cast<unsigned long>(value); }
};
[[gnu::noinline]] long leaf_$i(long value) { return mix(value, $i) % ($i + 7); }
[[gnu::noinline]] long leaf_again_$i(long value) { return leaf_$i(value) - $i; }
[[gnu::noinline]] long call_$i(long depth, long value) {
  if (depth <= 0)
    return wait_forever(value) + $i;
  Item_${placeholder}_$i item{$i, static_cast<unsigned long>(depth), "item $i", nullptr, {}, Item_${placeholder}_$i::State_$i::busy};
  for (long step = 0; step < depth; ++step)
    item.add(mix(step, value));
  const long below = call_$previous(depth - 1, mix(item.total(), depth));
  return below + leaf_again_$i(item.total());
}
SOURCE
  done
  printf '}\nextern "C" long entry_%s(long depth) {\n  return unit_%s::call_%d(depth, depth)' "$placeholder" "$placeholder" "$functions"
  # Every function is called from outside the chain as well, so that none becomes part of its only caller.
  for ((i = 0; i < functions; ++i)); do
    printf ' + (depth < -%d ? unit_%s::call_%d(depth, %d) : 0)' "$((i + 1 + kind))" "$placeholder" "$i" "$i"
  done
  printf ';\n}\n'
}

# generate_main COPIES: starts the threads, spread over the copies.
generate_main() {
  local copies=$1 i
  cat <<SOURCE
#include <csignal>
#include <cstdio>
#include <semaphore.h>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>
#include <vector>
namespace {
sem_t arrived;
sem_t never;
}
extern "C" long wait_forever(long value) {
  sem_post(&arrived);
  while (sem_wait(&never) != 0) {
  }
  return value;
}
SOURCE
  for ((i = 0; i < copies; ++i)); do
    printf 'extern "C" long entry_%s(long);\n' "$(number "$i")"
  done
  printf 'static long (*const entries[])(long) = {'
  for ((i = 0; i < copies; ++i)); do
    printf 'entry_%s,' "$(number "$i")"
  done
  cat <<SOURCE
};
int main() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sem_init(&arrived, 0, 0);
  sem_init(&never, 0, 0);
  const int count = sizeof(entries) / sizeof(entries[0]);
  for (int i = 0; i < $threads; ++i)
    std::thread([i] { entries[i * (count / $threads + 1) % count](20); }).detach();
  for (int i = 0; i < $threads; ++i)
    while (sem_wait(&arrived) != 0) {
    }
  std::puts("ready");
  std::fflush(stdout);
  while (true)
    pause();
}
SOURCE
}

debug_bytes() {
  local sum=0 size
  while read -r size; do sum=$((sum + size)); done < <(size -A -d "$@" | awk '$1 ~ /^\.debug_/ {print $2}')
  echo "$sum"
}

for ((kind = 0; kind < kinds; ++kind)); do
  generate_unit "$kind" >"$work/unit$kind.cpp"
  echo "$work/unit$kind.cpp"
done | xargs -P "$jobs" -I '{}' "$compiler" -std=c++17 -O1 -g -c '{}' -o '{}.o'

# An object's own sections are close to what it adds to the program; relocations are not counted.
per_round=$(debug_bytes "$work"/unit*.o)
copies=$(((megabytes * 1024 * 1024 / per_round + 1) * kinds))
echo "$copies units, about $((per_round / kinds / 1024)) KiB of debug information each" >&2

export LC_ALL=C
for ((i = 0; i < copies; ++i)); do
  sed "s/$placeholder/$(number "$i")/g" "$work/unit$((i % kinds)).cpp.o" >"$work/copy$i.o"
done
generate_main "$copies" >"$work/main.cpp"
"$compiler" -std=c++17 -O1 -g -c "$work/main.cpp" -o "$work/main.o"
for ((i = 0; i < copies; ++i)); do
  echo "$work/copy$i.o"
done >"$work/objects"
"$compiler" -pthread "$work/main.o" "@$work/objects" -o "$work/big_program"
mv "$work/big_program" "$output/big_program"
printf '%s' "$wanted" >"$stamp"
echo "$output/big_program: $(($(debug_bytes "$output/big_program") / 1048576)) MiB of debug information," \
  "$(nm "$output/big_program" | wc -l) symbols" >&2
