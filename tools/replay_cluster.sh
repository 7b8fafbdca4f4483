#!/usr/bin/env bash
# The wholesaler's year against three nodes, one of which, chosen at random, is killed with -9 every 20 s and comes back:
# every invoice of the file as a purchase, about ten minutes. Then the totals, the kills, and the laws on every node, whose
# totals must be the same.
#
#   tools/replay_cluster.sh [--file CSV_GZ] [--every S] [--seed N] [--json FILE] [--build DIR]
#
#   --file CSV_GZ   the trade data (default ../shared/data/online-retail.csv.gz; skipped, saying so, when it is not there)
#   --every S       seconds from one kill to the next (default 20)
#   --seed N        which nodes are killed (default: a fresh one, printed)
#   --json FILE     writes what the load generator found there
#   --build DIR     the programs (default build/release, made by tools/build.sh release)
#
# Exit code 0: the whole file was traded, all laws hold, and all nodes tell the file's totals; 3: there is no such file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
  --help | -h) sed -n '2,14s/^# \{0,1\}//p' tools/replay_cluster.sh; exit 0 ;;
esac
exec python3 tools/cluster/replay.py "$@"
