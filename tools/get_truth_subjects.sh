#!/bin/sh
# Fetches the sources of redis, lua and sqlite from Debian and builds them with the system's GCC, -O2 -g, for the test
# that compares what inspect and gdb say of optimized programs (tests/commands/truth/snapshots_test.cpp):
#
#     tools/get_truth_subjects.sh DIRECTORY
#     INSPECT_TRUTH_SUBJECTS=DIRECTORY ./dev truth
#
# DIRECTORY then holds redis-server, redis-cli, lua and sqlite3. The sources come from the archives that apt is set up
# with; its own lists are left alone. What is there already is neither fetched nor built again.
set -eu
[ $# -eq 1 ] || {
  echo "usage: $0 DIRECTORY" >&2
  exit 2
}
for program in apt-get dpkg-source gcc make tclsh; do
  command -v $program >/dev/null || {
    echo "$0: $program is not installed" >&2
    exit 1
  }
done
mkdir -p "$1"
directory=$(cd "$1" && pwd)
jobs=${JOBS:-$(nproc)}
log=$directory/build.log

apt_for_sources() {
  apt-get -qq -o Dir::Etc::SourceList="$directory/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State::Lists="$directory/apt/lists" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache= \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

# Debian's archives among those that apt knows, for sources instead of packages.
prepare_apt() {
  mkdir -p "$directory/apt/lists/partial"
  apt-get indextargets 'Created-By: Packages' 'Origin: Debian' 'Component: main' --format \
    'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) $(COMPONENT)' |
    sort -u >"$directory/apt/sources.list"
  [ -s "$directory/apt/sources.list" ] || {
    echo "$0: apt knows no archive of Debian's" >&2
    exit 1
  }
  apt_for_sources update
}

# fetch PACKAGE: unpacks its source into the folder of its name.
fetch() {
  [ ! -d "$directory/source/$1" ] || return 0
  [ -s "$directory/apt/sources.list" ] || prepare_apt
  echo "fetching $1" >&2
  rm -rf "$directory/fetched"
  mkdir -p "$directory/fetched" "$directory/source"
  (cd "$directory/fetched" && apt_for_sources source --download-only "$1" && dpkg-source -x ./*.dsc source) >>"$log" 2>&1
  mv "$directory/fetched/source" "$directory/source/$1"
  rm -rf "$directory/fetched"
}

# build PACKAGE PROGRAMS COMMAND…: builds its source with a command and takes the programs from there.
build() {
  package=$1
  programs=$2
  shift 2
  for program in $programs; do
    [ ! -f "$directory/$(basename "$program")" ] || continue
    fetch "$package"
    echo "building $package" >&2
    (cd "$directory/source/$package" && "$@") >>"$log" 2>&1 || {
      echo "$0: $package does not build; see $log" >&2
      exit 1
    }
    for made in $programs; do
      cp "$directory/source/$package/$made" "$directory/"
    done
    break
  done
}

build_lua() {
  # Debian's build writes this header, for the folders that lua loads libraries from.
  echo "#define DEB_HOST_MULTIARCH \"$(gcc -print-multiarch)\"" >src/lua5.4-deb-multiarch.h
  rm -f src/luac.c
  gcc -std=gnu99 -O2 -g -DLUA_USE_LINUX -DLUA_COMPAT_5_3 -Wl,-E -o src/lua src/*.c -lm -ldl
}

build_sqlite() {
  ./configure --disable-shared --disable-tcl --disable-readline --enable-threadsafe CFLAGS='-O2 -g' && make -j "$jobs" sqlite3
}

# With the memory allocator and the Lua that come with it, it needs nothing else.
build redis 'src/redis-server src/redis-cli' \
  env CFLAGS=-g make -j "$jobs" MALLOC=libc USE_SYSTEMD=no OPTIMIZATION=-O2 DEBUG=-g
build lua5.4 src/lua build_lua
build sqlite3 sqlite3 build_sqlite
