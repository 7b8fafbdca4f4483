#!/usr/bin/env bash
# Measures how long a client that knows all nodes waits for its next acknowledged write when a node is lost, on three
# nodes of OmniCart, and the same on three members of Debian's etcd.
#
#   tools/failover.sh [--kills N] [--fault kill|stop|follower|restart] [--only omnicart|etcd] [--json FILE]
#
#   --kills N       times a node is lost (default 20)
#   --fault kill    kill -9 of the leader of the client's shard (the default)
#   --fault stop    SIGSTOP of that leader, let go on a moment after others took over
#   --fault follower   kill -9 of a node that leads neither that shard nor answers the client
#   --fault restart    that leader is ended by SIGTERM and started again (OmniCart only)
#   --only NAME     one of the two; without it etcd is left out where there is none
#   --json FILE     writes every gap there
#
# Exit code 1 when OmniCart misses what is wanted of it: p50 400 ms, p99 1 s and at most 2 s of a killed or stopped leader,
# 150 ms of a restart; no failed request when a follower is lost or a node restarted. So it is when nothing was measured.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
  --help | -h) sed -n '2,16s/^# \{0,1\}//p' tools/failover.sh; exit 0 ;;
esac
exec python3 tools/cluster/failover.py "$@"
