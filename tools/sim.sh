#!/usr/bin/env bash
# The simulator at length: a whole node with clients and payment provider in one thread, crashed again and again.
# Runs the seeds in two processes, prints each seed that breaks a law and a summary; exit code 1 when one does.
#
#   tools/sim.sh [--seeds N] [--first N] [--seed N] [--no-install] [--no-build]
#
#   --seeds N     how many (10,000)
#   --first N     the first of them (1)
#   --seed N      replay this one and print its story
#   --no-install  do not look for missing packages
#   --no-build    run what build/bench/sim_run is
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

number() {
  [[ "${2:-}" =~ ^[0-9]{1,18}$ ]] || { echo "error: $1 wants a number" >&2; exit 2; }
  echo "$2"
}

seeds=10000
first=1
replay=""
install=yes
build=yes
while [[ $# -gt 0 ]]; do
  case "$1" in
    --seeds) seeds="$(number "$@")"; shift ;;
    --first) first="$(number "$@")"; shift ;;
    --seed) replay="$(number "$@")"; shift ;;
    --no-install) install=no ;;
    --no-build) build=no ;;
    --help | -h) usage; exit 0 ;;
    *) echo "error: unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
((seeds > 0)) || { echo "error: --seeds wants at least 1" >&2; exit 2; }

program=build/bench/sim_run
if [[ "$build" == yes && "$install" == yes ]]; then ./tools/install.sh build test >&2; fi
if [[ "$build" == yes ]]; then ./tools/build.sh bench sim_run >&2; fi
[[ -x "$program" ]] || { echo "error: $program is not built" >&2; exit 2; }
if [[ -n "$replay" ]]; then exec "$program" --seed "$replay"; fi

work="$(mktemp -d -t omnicart-sim.XXXXXX)"
trap 'rm -rf "$work"' EXIT
last=$((first + seeds - 1))
middle=$((first + (seeds - 1) / 2))
start=$SECONDS
jobs=()
"$program" --seeds "$first..$middle" >"$work/0" 2>&1 &
jobs+=($!)
if ((middle < last)); then
  "$program" --seeds "$((middle + 1))..$last" >"$work/1" 2>&1 &
  jobs+=($!)
fi
broken=0
for job in "${jobs[@]}"; do wait "$job" || broken=1; done

cat "$work"/*
failed="$(sed -n 's/^seed \([0-9]*\) FAILED.*/\1/p' "$work"/* | sort -nu | tr '\n' ' ')"
if ((broken)); then
  echo "simulator: laws broken in $seeds seeds ($first..$last), $((SECONDS - start)) s; failing seeds: ${failed:-none named} (replay: tools/sim.sh --seed N)"
  exit 1
fi
echo "simulator: all laws hold in $seeds seeds ($first..$last), $((SECONDS - start)) s"
