#!/bin/sh
# Fetches Go toolchains for tests and for tools/generate_go_layouts.go:
#
#     tools/get_go_toolchains.sh DIRECTORY VERSION…        # e.g. ~/go-toolchains 1.16.15 1.22.12
#     tools/get_go_toolchains.sh DIRECTORY                 # those of tests/support/go_versions.txt
#     INSPECT_GO_TOOLCHAINS=DIRECTORY ./dev test
#
# They come from the Go module proxy, as the go command's own toolchain switching does (go.dev/doc/toolchain): the
# first one that GOPROXY or `go env GOPROXY` names. Those that are there already are left alone.
set -eu
[ $# -ge 1 ] || {
  echo "usage: $0 DIRECTORY [VERSION…]" >&2
  exit 2
}
directory=$1
shift
[ $# -ge 1 ] || set -- $(grep -v '^#' "$(dirname "$0")/../tests/support/go_versions.txt")

proxy=${GOPROXY:-$(go env GOPROXY 2>/dev/null || true)}
proxy=${proxy%%[,|]*}
case $proxy in
'' | direct | off)
  echo "$0: GOPROXY names no module proxy to get toolchains from: set it to one's address" >&2
  exit 1
  ;;
esac

case $(uname -m) in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*)
  echo "$0: no toolchains for $(uname -m)" >&2
  exit 1
  ;;
esac

for program in curl unzip; do
  command -v $program >/dev/null || {
    echo "$0: $program is not installed" >&2
    exit 1
  }
done

mkdir -p "$directory"
unpacked=$(mktemp -d "$directory/.fetching-XXXXXX")
trap 'rm -rf "$unpacked"' EXIT

for version; do
  version=${version#go}
  [ ! -x "$directory/go$version/bin/go" ] || continue
  module=toolchain@v0.0.1-go$version.linux-$architecture
  echo "go$version" >&2
  curl -fsSL -o "$unpacked/toolchain.zip" "$proxy/golang.org/toolchain/@v/${module#toolchain@}.zip" || {
    echo "$0: $proxy has no Go $version" >&2
    exit 1
  }
  unzip -q "$unpacked/toolchain.zip" -d "$unpacked"
  rm "$unpacked/toolchain.zip"
  # A module's zip file keeps no file modes.
  find "$unpacked/golang.org/$module/bin" "$unpacked/golang.org/$module/pkg/tool" -type f -exec chmod 755 {} +
  mv "$unpacked/golang.org/$module" "$directory/go$version"
done
