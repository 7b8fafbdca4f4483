#!/usr/bin/env bash
# The simulator at length: whole nodes with clients and payment provider in one thread, crashed again and again.
# Runs the seeds in two processes, prints each seed that breaks a law and a summary; exit code 1 when one does.
#
#   tools/sim.sh [--nodes N] [--seeds N] [--first N] [--seed N] [--verbose] [--no-install] [--no-build]
#
#   --nodes N     of the shop (3); 1 is one node, which is hurt in more ways
#   --seeds N     how many (10,000)
#   --first N     the first of them (1)
#   --seed N      run this one alone
#   --verbose     with --seed: print its whole story
#   --no-install  do not look for missing packages
#   --no-build    run what build/bench/sim_run is
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

number() {
  [[ "${2:-}" =~ ^[0-9]{1,18}$ ]] || { echo "error: $1 wants a number" >&2; exit 2; }
  echo "$2"
}

nodes=3
seeds=10000
first=1
verbose=no
replay=""
install=yes
build=yes
while [[ $# -gt 0 ]]; do
  case "$1" in
    --nodes) nodes="$(number "$@")"; shift ;;
    --verbose) verbose=yes ;;
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
if [[ -n "$replay" && "$verbose" == yes ]]; then exec "$program" --nodes "$nodes" --seed "$replay"; fi
if [[ -n "$replay" ]]; then exec "$program" --nodes "$nodes" --seeds "$replay..$replay"; fi

work="$(mktemp -d -t omnicart-sim.XXXXXX)"
trap 'rm -rf "$work"' EXIT
last=$((first + seeds - 1))
middle=$((first + (seeds - 1) / 2))
start=$SECONDS
jobs=()
nice -n 10 "$program" --nodes "$nodes" --seeds "$first..$middle" >"$work/0" 2>&1 &
jobs+=($!)
if ((middle < last)); then
  nice -n 10 "$program" --nodes "$nodes" --seeds "$((middle + 1))..$last" >"$work/1" 2>&1 &
  jobs+=($!)
fi
broken=0
for job in "${jobs[@]}"; do wait "$job" || broken=1; done

cat "$work"/*
failed="$(sed -n 's/^seed \([0-9]*\) FAILED.*/\1/p' "$work"/* | sort -nu | tr '\n' ' ')"
if ((broken)); then
  echo "simulator: laws broken in $seeds seeds ($first..$last), $((SECONDS - start)) s; failing seeds: ${failed:-none named} (replay: tools/sim.sh --nodes $nodes --seed N --verbose)"
  exit 1
fi
echo "simulator: all laws hold in $seeds seeds ($first..$last) of $nodes node(s), $((SECONDS - start)) s"
