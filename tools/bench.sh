#!/usr/bin/env bash
# Measures one node against nginx and bare Redis, and three nodes against one, on this machine and writes
# docs/benchmarks.md.
#
#   tools/bench.sh [--no-install] [--seconds S] [--rounds N] [--only ROW]
#   tools/bench.sh [--no-install] --rest [--carts N]
#
#   --no-install   do not look for missing packages
#   --seconds S    length of one measurement (default 5)
#   --rounds N     measurements of each row; the table has their median (default 5)
#   --only ROW     rows whose name contains ROW; the table is printed, not written
#   --rest         carts at rest instead: memory of an active cart, restart with N carts (default 1,000,000)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install=yes
arguments=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    --no-install) install=no ;;
    --help | -h) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    --rest) arguments+=("$1") ;;
    --seconds | --rounds | --only | --carts)
      [[ $# -ge 2 ]] || { echo "error: $1 wants a value" >&2; exit 2; }
      arguments+=("$1" "$2")
      shift
      ;;
    *) echo "error: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
if [[ "$install" == yes ]]; then
  ./tools/install.sh build run bench
fi
./tools/build.sh release omnicartd omnicartctl omnicart-load omnicart-pay
exec python3 tools/bench/run.py "${arguments[@]}"
