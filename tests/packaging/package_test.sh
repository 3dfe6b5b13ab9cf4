#!/bin/bash
# Builds the .deb from a build directory, looks at what is in it, and runs the program from where it is unpacked.
set -euo pipefail
build=$1
for tool in dpkg-deb dpkg-shlibdeps cpack; do
  command -v "$tool" >/dev/null || {
    echo "SKIPPED: $tool is not installed"
    exit 0
  }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
expect() {
  local what=$1
  shift
  "$@" >"$work/out" 2>&1 || {
    echo "FAILED: $what"
    cat "$work/out"
    failures=$((failures + 1))
  }
}

(cd "$work" && cpack --config "$build/CPackConfig.cmake" -B "$work/package" >"$work/cpack.log" 2>&1) || {
  cat "$work/cpack.log"
  exit 1
}
package=$(echo "$work"/package/inspect_*.deb)
dpkg-deb -c "$package" | awk '{print $6}' >"$work/files"
for file in usr/bin/inspect usr/libexec/inspect/inspect-dwarfindex usr/share/man/man1/inspect.1.gz \
  usr/share/bash-completion/completions/inspect usr/share/zsh/vendor-completions/_inspect \
  usr/share/fish/vendor_completions.d/inspect.fish usr/share/doc/inspect/copyright \
  usr/share/doc/inspect/LICENSE usr/share/doc/inspect/changelog.gz usr/share/doc/inspect/manual.md; do
  expect "$file is in the package" grep -qx "./$file" "$work/files"
done
dpkg-deb -f "$package" Depends >"$work/depends"
for library in libdw1 libelf1 libdwarf1 libfmt9 libc6; do
  expect "it depends on $library (it says: $(cat "$work/depends"))" grep -qE "(^|, )$library( |,|$)" "$work/depends"
done

root=$work/root
dpkg-deb -x "$package" "$root"
expect "inspect runs" "$root/usr/bin/inspect" --version
expect "inspect is stripped" test -z "$(readelf -SW "$root/usr/bin/inspect" | grep -F .debug_info)"
expect "the bash completion is a script" bash -n "$root/usr/share/bash-completion/completions/inspect"
expect "the manual page names the program" sh -c "zcat '$root/usr/share/man/man1/inspect.1.gz' | grep -q '^\.TH INSPECT 1'"
if command -v man >/dev/null && command -v groff >/dev/null; then
  zcat "$root/usr/share/man/man1/inspect.1.gz" >"$work/inspect.1"
  LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$work/inspect.1" >/dev/null 2>"$work/warnings" || true
  expect "the manual page is without warnings: $(cat "$work/warnings")" test ! -s "$work/warnings"
fi
((failures == 0))
