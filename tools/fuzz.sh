#!/usr/bin/env bash
# Runs the libFuzzer targets of tests/fuzz/ and prints one line for each. Inputs that break something
# are kept in build/fuzz/found/, and the exit code is then 1.
#
#   tools/fuzz.sh [--no-install] [--seconds S] [TARGET...]
#
#   --seconds S    how long each target runs (60)
#   --no-install   do not look for missing packages
#   TARGET         fuzz_http, fuzz_json, … (all of tests/fuzz/)
#
# A kept input runs again with: build/fuzz/tests/fuzz/TARGET FILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  echo "error: $*" >&2
  exit 1
}

seconds=60
install=yes
targets=()
while (($# > 0)); do
  case "$1" in
    --seconds)
      [[ "${2:-}" =~ ^[1-9][0-9]{0,5}$ ]] || fail "--seconds wants a number of seconds, not '${2:-}'"
      seconds="$2"
      shift 2
      ;;
    --no-install)
      install=no
      shift
      ;;
    --help | -h)
      sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit
      ;;
    -*) fail "unknown option $1" ;;
    *)
      [[ -e "tests/fuzz/$1.cpp" && "$1" == fuzz_* ]] || fail "no target '$1' in tests/fuzz/"
      targets+=("$1")
      shift
      ;;
  esac
done
if ((${#targets[@]} == 0)); then
  for body in tests/fuzz/fuzz_*.cpp; do targets+=("$(basename "$body" .cpp)"); done
fi

[[ "$install" == no ]] || tools/install.sh build fuzz
tools/build.sh fuzz "${targets[@]}"

found="$PWD/build/fuzz/found"
work="$(mktemp -d -t omnicart-fuzz.XXXXXX)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$found"

count_files() { find "$1" -type f | wc -l; }

# The corpus is copied: what the run adds to it is not the tree's.
run_target() {  # TARGET: 0 when nothing broke
  local target="$1" corpus="$work/$1" log="$found/$1.log" marker="$work/$1.started" seeds runs kept code=0
  [[ -d "tests/fuzz/corpus/$target" ]] || fail "$target has no corpus: run tests/fuzz/make_corpus.py"
  cp -r "tests/fuzz/corpus/$target" "$corpus"
  seeds="$(count_files "$corpus")"
  : >"$marker"
  "build/fuzz/tests/fuzz/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$found/$target-" "$corpus" >"$log" 2>&1 </dev/null || code=$?
  runs="$(awk '/^stat::number_of_executed_units:/ { print $2 }' "$log")"
  if ((code == 0)); then
    echo "$target: ${runs:-?} runs in $seconds s, corpus $seeds -> $(count_files "$corpus"), nothing broke"
    return
  fi
  kept="$(find "$found" -name "$target-*" -newer "$marker" | sort | tr '\n' ' ')"
  echo "$target: BROKE after ${runs:-?} runs (exit code $code): input ${kept:-not kept }log $log"
  return 1
}

broken=0
for target in "${targets[@]}"; do run_target "$target" || broken=$((broken + 1)); done
if ((broken > 0)); then fail "$broken of ${#targets[@]} targets broke something"; fi
