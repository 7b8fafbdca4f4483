#!/usr/bin/env bash
# Loses a whole cluster and brings it back from its backup: nodes under storefront traffic, a backup every few seconds, all of
# them killed, and the last backup restored into one node that others join. Shows pauses and speed, checks the books.
#
#   tools/backup_drill.sh [--nodes N] [--into N] [--seconds S] [--every S] [--rate MIB] [--products N] [--json FILE]
#
#   --nodes N      nodes before (default 3)
#   --into N       nodes after (default 5)
#   --seconds S    of traffic before the loss (default 60)
#   --every S      between two backups (default 5)
#   --rate MIB     a second that a backup reads at most (default 0: as fast as it goes)
#   --products N   in the catalogue (default 1000)
#   --json FILE    writes every figure there
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
  --help | -h) sed -n '2,14s/^# \{0,1\}//p' tools/backup_drill.sh; exit 0 ;;
esac
exec python3 tools/cluster/backup_drill.py "$@"
