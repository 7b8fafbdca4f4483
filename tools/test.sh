#!/usr/bin/env bash
# Everything to test the product on a fresh machine: packages, build, end-to-end tests, unit tests and simulator.
# The last line is "N passed, N failed", counting test cases; the exit code is 0 when none failed and some ran.
#
#   tools/test.sh [--no-install] [--only NAME]
#
#   --no-install   do not look for missing packages
#   --only NAME    run only the programs and scripts whose name contains NAME
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

install=yes
only=""
while [[ $# -gt 0 ]]; do
  case "$1" in
    --no-install) install=no ;;
    --only)
      [[ $# -ge 2 ]] || { echo "error: --only wants a name" >&2; exit 2; }
      only="$2"
      shift
      ;;
    --help | -h) usage; exit 0 ;;
    *) echo "error: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

preset=dev
build="$PWD/build/$preset"
work="$(mktemp -d -t omnicart-test.XXXXXX)"
building=""
trap '[[ -z "$building" ]] || kill -- "-$building" 2>/dev/null || true; rm -rf "$work"' EXIT
output="$work/output"
passed=0
failed=0
failures=()
skips=()
times=()
# For the scripts in tests/e2e: where the programs are.
export OMNICART_BUILD="$build"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

finish() {
  echo
  local line
  for line in "${times[@]}"; do echo "$line"; done
  for line in "${skips[@]}"; do echo "SKIPPED: $line"; done
  for line in "${failures[@]}"; do echo "FAILED: $line"; done
  echo "$passed passed, $failed failed"
  ((failed == 0 && passed > 0))
  exit
}

count() {  # NAME PASSED FAILED SECONDS [SKIPPED]
  passed=$((passed + $2))
  failed=$((failed + $3))
  printf '%-44s %5d passed %3d failed %5d s%s\n' "$1" "$2" "$3" "$4" "${5:+, $5 skipped}"
  (($3 == 0)) || failures+=("$1")
}

# Runs a command, shows its output only when it fails, and keeps its exit code in $code.
run_quietly() {  # TIMEOUT_S COMMAND...
  code=0
  timeout --kill-after=10 "$1" "${@:2}" >"$output" 2>&1 </dev/null || code=$?
}

show_output() {
  ((code != 124)) || echo "(ended after its time limit)"
  tail -n 60 "$output"
}

# A Boost.Test program: cases are counted from its own report; one that dies without a report is one failed case. They
# share nothing, so as many run at a time as there are cores; what they say is told when they have ended, one by one.
start_program() {  # PROGRAM
  local name="${1##*/}" start=$SECONDS
  {
    run_quietly 900 "$1" --report_level=short --report_sink="$work/report.$name" --log_level=error --color_output=no
    echo "$code $((SECONDS - start))" >"$work/ending.$name"
    mv "$work/ending.$name" "$work/ended.$name"
  } &
}

tell_of_program() {  # NAME
  local name="$1" good all bad seconds
  read -r code seconds <"$work/ended.$name"
  read -r good all < <(sed -n 's/^ *\([0-9]\{1,\}\) test cases\{0,1\} out of \([0-9]\{1,\}\) passed.*/\1 \2/p' \
    "$work/report.$name" 2>/dev/null | head -n 1) || true
  good="${good:-0}"
  bad=$((${all:-0} - good))
  if ((code != 0 && bad == 0)) || ((good + bad == 0)); then bad=$((bad + 1)); fi
  ((bad == 0)) || output="$work/output.$name" show_output
  count "$name" "$good" "$bad" "$seconds"
}

run_programs() {  # PROGRAM...
  local program name limit running=0
  limit="$(nproc)"
  for program in "$@"; do
    if ((running == limit)); then
      wait -n || true
      running=$((running - 1))
    fi
    name="${program##*/}"
    output="$work/output.$name" start_program "$program"
    running=$((running + 1))
    tell_of_ended
  done
  wait
  tell_of_ended
}

tell_of_ended() {
  local ended
  for ended in "$work"/ended.*; do
    [[ -e "$ended" ]] || continue
    tell_of_program "${ended##*/ended.}"
    rm -f "$ended"
  done
}

# A script: the last line "N passed, N failed" of its output counts; without one it is a single case. What it could
# not try here stands in lines "skip CASE: REASON" and is told at the end.
run_script() {
  local name="${1#tests/}" start=$SECONDS good=0 bad=0 left_out=()
  run_quietly 1200 "$1"  # three_nodes.py takes 5 to 12 minutes, as busy as the machine is
  mapfile -t left_out < <(sed -n 's/^skip  *//p' "$output")
  skips+=("${left_out[@]/#/$name: }")
  if [[ "$(tail -n 1 "$output")" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    good=${BASH_REMATCH[1]}
    bad=${BASH_REMATCH[2]}
    if ((code != 0 && bad == 0)); then bad=1; fi
  elif ((code == 0)); then
    good=1
  else
    bad=1
  fi
  ((bad == 0)) || show_output
  count "$name" "$good" "$bad" $((SECONDS - start)) "${left_out[0]:+${#left_out[@]}}"
}

wanted() { [[ "$1" == *"$only"* ]]; }

# Says in a line of its own that it needs the test programs, too.
wants_tests() { grep -qx '# Needs the test programs.' "$1"; }

note_time() {  # STEP SECONDS BUDGET_S
  local verdict=""
  (($2 <= $3)) || verdict="  (over budget)"
  times+=("$(printf '%-20s %5d s of %5d s%s' "$1" "$2" "$3" "$verdict")")
}

step() {
  echo
  echo "== $*"
}

if [[ "$install" == yes ]]; then
  step "packages"
  if ! ./tools/install.sh build run test; then
    count "packages" 0 1 0
    finish
  fi
fi

step "build: the programs with sanitizers, in build/$preset"
start=$SECONDS
programs=(omnicartd omnicartctl omnicart-load omnicart-pay omnicart-sample omnicartd_next)
if ! ./tools/build.sh "$preset" "${programs[@]}"; then
  count "build" 0 1 $((SECONDS - start))
  finish
fi
note_time "build of programs" $((SECONDS - start)) 720

# What runs end to end waits for timers and processes half of its time: the tests are built in it, at the lowest priority.
set -m  # a process group of its own, so that all of it can be ended
nice -n 19 ./tools/build.sh "$preset" >"$work/build" 2>&1 </dev/null &
set +m
building=$!

step "end to end: real processes, sockets and kills"
start=$SECONDS
for script in tests/e2e/*.sh tests/e2e/*.py; do
  if [[ -x "$script" ]] && wanted "$script" && ! wants_tests "$script"; then run_script "$script"; fi
done
note_time "end to end" $((SECONDS - start)) 1320

step "build: the tests, begun meanwhile"
start=$SECONDS
code=0
wait "$building" || code=$?
building=""
tail -n 1 "$work/build"
if ((code != 0)); then
  grep -v '^\[[0-9]*/[0-9]*\]' "$work/build" | tail -n 60
  count "build of tests" 0 1 $((SECONDS - start))
  finish
fi
note_time "build of tests" $((SECONDS - start)) 150

step "unit tests and simulator"
start=$SECONDS
programs=()
for program in "$build"/tests/*; do
  if [[ -f "$program" && -x "$program" ]] && wanted "${program##*/}"; then programs+=("$program"); fi
done
run_programs "${programs[@]}"
for script in tests/*_test.py tests/*_test.sh tests/e2e/*.py; do
  if [[ -x "$script" ]] && wanted "$script" && { [[ "$script" != tests/e2e/* ]] || wants_tests "$script"; }; then
    run_script "$script"
  fi
done
note_time "unit and simulator" $((SECONDS - start)) 480
finish
