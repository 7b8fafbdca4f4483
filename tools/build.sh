#!/usr/bin/env bash
# Configures (once) and builds. The result is in build/PRESET/.
#
#   tools/build.sh PRESET [TARGET...]
#
# Presets: release, dev, tsan, bench, fuzz (CMakePresets.json). Without targets everything is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  echo "error: $*" >&2
  exit 1
}

preset="${1:-}"
if [[ "$preset" == --help || "$preset" == -h ]]; then
  sed -n '2,6s/^# \{0,1\}//p' tools/build.sh
  exit
fi
[[ -n "$preset" ]] || fail "say which preset: tools/build.sh release [TARGET...]"
shift
grep -q "\"name\": \"$preset\", \"configurePreset\"" CMakePresets.json || fail "no preset '$preset' in CMakePresets.json"
folder="build/$preset"

# Sanitized objects are large; a release build is small.
check_disk() {
  local need_mib=6000 free_mib
  [[ "$preset" == release ]] && need_mib=1500
  [[ -e "$folder/build.ninja" ]] && need_mib=500
  mkdir -p "$folder" || fail "cannot make $folder"
  free_mib="$(df -Pm "$folder" | awk 'NR == 2 { print $4 }')"
  ((free_mib >= need_mib)) || fail "too little disk: $folder has $free_mib MiB free, the build wants $need_mib MiB"
}

check_tools() {
  local tool
  for tool in cmake ninja pkg-config; do
    command -v "$tool" >/dev/null || fail "$tool is missing: run tools/install.sh build"
  done
}

# A whole program, compiled, linked and run: says more than a version number.
check_compiler() {
  local cxx="${CXX:-c++}" trial
  [[ "$preset" == fuzz ]] && cxx=clang++
  command -v "$cxx" >/dev/null || fail "no C++ compiler ($cxx): run tools/install.sh build"
  trial="$(mktemp -d)"
  printf '#include <concepts>\n#include <string>\ntemplate <std::integral T> T twice(T v) { return v + v; }\nint main() { return std::to_string(twice(0)) == "0" ? 0 : 1; }\n' >"$trial/trial.cpp"
  if ! "$cxx" -std=c++20 "$trial/trial.cpp" -o "$trial/trial" 2>"$trial/errors" || ! "$trial/trial"; then
    local why
    why="$(grep -m 1 -i error "$trial/errors" || head -n 1 "$trial/errors" || true)"
    rm -rf "$trial"
    fail "the compiler $cxx cannot build a C++20 program${why:+: $why}"
  fi
  rm -rf "$trial"
}

# As many compilers as there are cores, and 1.2 GiB of memory for each.
job_count() {
  local cores memory_mib
  cores="$(nproc)"
  memory_mib="$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)"
  local by_memory=$((memory_mib / 1200))
  ((by_memory < 1)) && by_memory=1
  echo $((by_memory < cores ? by_memory : cores))
}

check_disk
check_tools
if [[ ! -e "$folder/build.ninja" || CMakePresets.json -nt "$folder/build.ninja" ]]; then
  check_compiler
  echo "build: configuring $folder"
  cmake --preset "$preset" >"$folder/configure.log" 2>&1 || {
    why="$(grep -A 3 -m 1 'CMake Error' "$folder/configure.log" | tr -s '\n ' ' ' || true)"
    fail "configuring failed${why:+: $why} (whole output: $folder/configure.log)"
  }
fi
echo "build: $folder${*:+ ($*)}"
ninja -C "$folder" -j "$(job_count)" "$@" || fail "the build of $folder failed, see above"
