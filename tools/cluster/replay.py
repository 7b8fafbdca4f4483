"""What tools/replay_cluster.sh does; its help stands there."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import local_cluster
from local_cluster import Cluster, Trouble, wait_for
from options import Parser, number

NODES = 3
RIDE_THROUGH_S = 60  # so long a request may be asked again
AWAY_S = 1.0  # from a kill to the restart
LIMIT_S = 3600
LAWS_WAIT = "60s"
SKIPPED = 3  # the exit code when there is nothing to replay


def arguments():
    parser = Parser("tools/replay_cluster.sh")
    parser.add_argument("--file", default=os.path.join(os.path.dirname(local_cluster.ROOT), "shared", "data",
                                                       "online-retail.csv.gz"))
    parser.add_argument("--every", type=number(3, 3600), default=20)
    parser.add_argument("--seed", type=number(1, 10**9), default=random.randrange(1, 1_000_000))
    parser.add_argument("--json")
    parser.add_argument("--build", default=os.path.join(local_cluster.ROOT, "build", "release"))
    return parser.parse_args()


def start_load(cluster, read, found):
    first = cluster.node(1)
    return subprocess.Popen([
        cluster.program("omnicart-load"), "--target", ",".join(f"http://{cluster.node(i)['http']}" for i in cluster.indexes()),
        "--operator", f"http://{first['operator']}", "--token-file", os.path.join(first["home"], "data", "operator.token"),
        "--ride-through", str(RIDE_THROUGH_S), "replay", read.file, "--json", found])


def kill_while_it_runs(cluster, load, read):
    """One node after the other; how often each was killed."""
    chance, kills = random.Random(read.seed), dict.fromkeys(cluster.indexes(), 0)
    began = time.monotonic()
    until = began
    while True:
        until = max(until + read.every, time.monotonic())
        while time.monotonic() < until:
            if load.poll() is not None:
                return kills, time.monotonic() - began
            time.sleep(0.1)
        if time.monotonic() > began + LIMIT_S:
            raise Trouble(f"the replay has not ended after {LIMIT_S} s")
        index = chance.choice(cluster.indexes())
        cluster.kill(index)
        kills[index] += 1
        time.sleep(AWAY_S)
        cluster.start(index)
        print(f"   {time.monotonic() - began:.0f} s: node {index} was killed and serves again", flush=True)


def compare(agreed, found):
    """Trouble when the nodes' totals are not those of the file, which the generator wrote to `found`."""
    with open(found, encoding="utf-8") as file:
        told = json.load(file)
    figures, gross = agreed["figures"], told["gross"]
    wanted = {"orders": told["orders"], "units": told["units"], "gross": {gross["currency"]: gross["amount"]}}
    for name, value in wanted.items():
        if figures[name] != value:
            raise Trouble(f"{name}: the nodes tell {figures[name]}, the file has {value}")


def totals(cluster):
    """What the laws say on each node; Trouble when one does not hold, or totals differ."""
    said = {}
    for index in cluster.indexes():
        text, code = cluster.ctl(index, "--json", "laws", "--wait", LAWS_WAIT, check=False, seconds=300)
        if code != 0:
            raise Trouble(f"a law does not hold on node {index}: {text.strip()}")
        said[index] = json.loads(text)
    for index, each in said.items():
        if each != said[1]:
            raise Trouble(f"nodes 1 and {index} tell different totals: {said[1]} and {each}")
    return said[1]


def replay(read, directory):
    cluster = Cluster(os.path.join(directory, "cluster"), read.build)
    found, load = os.path.abspath(read.json or os.path.join(directory, "replay.json")), None
    try:
        cluster.up(NODES)
        print(f"seed {read.seed}", flush=True)
        load = start_load(cluster, read, found)
        kills, took = kill_while_it_runs(cluster, load, read)
        if load.returncode != 0:
            raise Trouble("the replay ended with an error, see above")
        wait_for("the cluster settles", cluster.settled, 60, 0.1)
        agreed = totals(cluster)
        compare(agreed, found)
        if not any(kills.values()):
            raise Trouble("the replay was over before the first kill")
        told = ", ".join(f"node {index} {count} times" for index, count in kills.items())
        print(f"\n{took:.0f} s, {sum(kills.values())} kills ({told})")
        print(f"the same on {NODES} nodes: {json.dumps(agreed)}")
    finally:
        if load and load.poll() is None:
            load.kill()
            load.wait()
        cluster.down()


def leave(_number, _frame):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, leave)
    directory = None
    try:
        read = arguments()
        if not os.path.exists(read.file):
            print(f"skip replay: {read.file} is not there")
            return SKIPPED
        directory = tempfile.mkdtemp(prefix="omnicart-replay.")
        replay(read, directory)
    except (Trouble, OSError, subprocess.SubprocessError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        if directory:
            print(f"kept: {directory}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
