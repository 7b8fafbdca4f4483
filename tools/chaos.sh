#!/usr/bin/env bash
# Hurts a cluster of real nodes while customers shop, heals it, and proves from what each customer was told that nothing
# was lost, repeated or invented. As root: network namespaces, partitions, TLS.
#
#   tools/chaos.sh [--list] [--cells LIST] [--faults LIST] [--seconds S] [--minutes M] [--times N] [--short] [--table] ...
#
# With no options it goes through all cells once, 60 s of faults each: about 35 minutes.
#
#   --list          the cells there are
#   --cells LIST    only these (names with commas); default all
#   --faults LIST   one cell of three nodes for each of these faults
#   --seconds S     of faults in a cell (default 60)
#   --times N       all cells N times in a row
#   --minutes M     goes through the cells again and again for so long
#   --short         three cells of 6 s, as tools/test.sh runs them: the rate of operations is not looked at
#   --seed N        of the faults and the customers (default: a fresh one, printed)
#   --table         writes docs/chaos.md
#   --rows FILE     where what each cell found is kept as JSON (default build/chaos-rows.jsonl)
#   --load N        customers more or less: N percent (default 100)
#   --build DIR     the programs (default build/release)
#   --no-install    do not look for missing packages
#
# Exit code 0: all cells passed; 1: one did not, or was too slow to count; 3: some could not be tried here. Of one that did
# not pass, the nodes' data, their logs and the customers' books are kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install=yes
arguments=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    --no-install) install=no ;;
    --help | -h) sed -n '2,24s/^# \{0,1\}//p' tools/chaos.sh; exit 0 ;;
    --list) install=no; arguments+=("$1") ;;
    --table | --short) arguments+=("$1") ;;
    --cells | --faults | --seconds | --minutes | --times | --rows | --seed | --load | --build)
      [[ $# -ge 2 ]] || { echo "error: $1 wants a value" >&2; exit 2; }
      arguments+=("$1" "$2")
      shift
      ;;
    *) echo "error: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
[[ "$install" == no ]] || ./tools/install.sh run chaos
exec python3 tools/chaos/run.py "${arguments[@]}"
