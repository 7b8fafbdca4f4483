#!/usr/bin/env bash
# A cluster of nodes on this machine, to try it and to hurt it: as root each node lives in a network namespace of its
# own and speaks TLS; otherwise all listen on loopback. What runs is written down in data/cluster.
#
#   tools/cluster.sh up [N]             N nodes (default 3), a payment provider beside them; starts again what is down,
#                                       and lets go on what was paused
#   tools/cluster.sh status             each node: running or not, its addresses, and what one says of the cluster;
#                                       exit code 1 when the cluster does not serve all shards
#   tools/cluster.sh kill I             kill -9 of node I
#   tools/cluster.sh restart I          starts node I; one that runs is stopped in order before
#   tools/cluster.sh pause I | resume I stops the process as it stands (SIGSTOP), lets it go on
#   tools/cluster.sh partition 'A,B|C'  nodes A and B do not hear C, nor C them; nodes not named are a group too (root)
#   tools/cluster.sh partition 'A>B'    what A sends does not reach B; B is still heard by A (root)
#   tools/cluster.sh heal               all nodes hear each other again
#   tools/cluster.sh grow               one more node joins; some node must run
#   tools/cluster.sh forget I           of a node that was removed from the cluster (omnicartctl cluster remove): ends it if
#                                       it runs, and `up` does not start it again; its data stays
#   tools/cluster.sh down [--wipe]      stops all in order; --wipe removes their data too
#
#   --dir DIR     another place than data/cluster, for a second cluster
#   --build DIR   the programs (default build/release, made by tools/build.sh release)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
  --help | -h | help | "")
    sed -n '2,22s/^# \{0,1\}//p' tools/cluster.sh
    [[ -n "${1:-}" ]] || exit 2
    exit 0
    ;;
esac
exec python3 tools/cluster/command.py "$@"
