"""What tools/run.sh --nodes does once the programs are built: a cluster in data/cluster, a sample catalogue, traffic while
a node is killed and comes back, the check of the books on every node; then the cluster stays until Ctrl-C."""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import command
import local_cluster
from local_cluster import Cluster, Trouble

PRODUCTS, SEED = 1000, 1
TRAFFIC_S, KILL_AFTER_S, AWAY_S = 20, 7, 4
FREE_MIB_MIN = 2048


def step(title):
    print(f"\n== {title}", flush=True)


def operator(cluster, index):
    node = cluster.node(index)
    return ["--operator", f"http://{node['operator']}", "--token-file",
            os.path.relpath(os.path.join(node["home"], "data", "operator.token"))]


def fill(cluster, index):
    token = cluster.ctl(index, "token", "issue", "--role", "admin", "--ttl", "600").strip()
    subprocess.run([cluster.program("omnicart-sample"), "--count", str(PRODUCTS), "--seed", str(SEED), "--target",
                    f"http://{cluster.node(index)['http']}", "--if-missing"],
                   check=True, env={**os.environ, "OMNICART_TOKEN": token})


def traffic(cluster):
    """Storefront traffic on all nodes; meanwhile one of them dies and comes back."""
    nodes = cluster.running()
    line = [cluster.program("omnicart-load"), "--target", ",".join(f"http://{cluster.node(i)['http']}" for i in nodes),
            *operator(cluster, nodes[0]), "storefront", "--duration", str(TRAFFIC_S)]
    load = subprocess.Popen(line)
    try:
        time.sleep(KILL_AFTER_S)
        if outlives_a_loss(cluster):
            lose_and_return(cluster, random.choice(nodes))
        code = load.wait(timeout=TRAFFIC_S + 300)
    finally:
        load.kill()
    if code != 0:
        raise Trouble("the storefront traffic ended with an error, see above")


def outlives_a_loss(cluster):
    return len(cluster.running()) > 2


def lose_and_return(cluster, index):
    cluster.kill(index)
    print(f"   node {index} was killed with -9; traffic goes on", flush=True)
    time.sleep(AWAY_S)
    began = time.monotonic()
    cluster.start(index)
    print(f"   node {index} serves again after {time.monotonic() - began:.1f} s", flush=True)


def books(cluster):
    for index in cluster.running():
        said, code = cluster.ctl(index, "laws", "--wait", "30s", check=False, seconds=120)
        print(f"-- asked of node {index}\n{said}", flush=True)
        if code != 0:
            raise Trouble(f"a law does not hold on node {index}, see above")


def show(cluster):
    command.describe(cluster)
    first = cluster.node(cluster.indexes()[0])["http"]
    last = cluster.node(cluster.indexes()[-1])["http"]
    print(f"""
What one node is told, every node knows:
curl -s 'http://{last}/api/products/sample-00001'
TOKEN=$(curl -s -X POST http://{first}/api/sessions | grep -o '"token": *"[^"]*' | cut -d'"' -f4)
curl -s -X POST http://{last}/api/cart/items -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
-d '{{"product_id": "sample-00001", "quantity": 2}}'
curl -s http://{first}/api/cart -H "Authorization: Bearer $TOKEN"
tools/cluster.sh status; tools/cluster.sh kill {cluster.indexes()[-1]}; tools/cluster.sh --help""", flush=True)


def watch(cluster):
    """Until Ctrl-C, or until somebody takes the folder away. Nodes may be killed and started meanwhile by
    tools/cluster.sh."""
    print("\nThe cluster serves. Ctrl-C stops it.", flush=True)
    ran = True
    while is_there(cluster):
        runs = bool(cluster.running())
        if ran and not runs:
            print("No node runs any more; tools/cluster.sh up brings them back, Ctrl-C ends this.", flush=True)
        if runs and not ran:
            print("The cluster runs again.", flush=True)
        ran = runs
        time.sleep(1)
    print("The cluster was taken away.", flush=True)


def is_there(cluster):
    """With what others did to it meanwhile."""
    try:
        cluster.reload()
        return True
    except FileNotFoundError:
        return False


def leave(_number, _frame):
    raise KeyboardInterrupt


def run(nodes, once):
    cluster = Cluster(os.path.join(local_cluster.ROOT, "data", "cluster"),
                      os.path.join(local_cluster.ROOT, "build", "release"))
    if cluster.running():
        raise Trouble("a cluster runs already: tools/cluster.sh down, and then this again")
    had = len(cluster.indexes())
    if had > nodes:
        raise Trouble(f"data/cluster has {command.nodes(had)}: --nodes {had}, or tools/cluster.sh down --wipe and then this "
                      "again")
    os.makedirs(cluster.directory, exist_ok=True)
    free = shutil.disk_usage(cluster.directory).free >> 20
    if free < FREE_MIB_MIN:
        raise Trouble(f"too little disk: {cluster.directory} has {free} MiB free, {nodes} nodes want {FREE_MIB_MIN} MiB")
    try:
        step(f"{command.nodes(nodes)} in data/cluster")
        cluster.up(nodes)
        command.describe(cluster)
        step(f"sample catalogue: {PRODUCTS} products from seed {SEED}")
        fill(cluster, cluster.indexes()[0])
        step("try it")
        show(cluster)
        step(f"{TRAFFIC_S} s of storefront traffic" + ("; a node is lost on the way" if outlives_a_loss(cluster) else ""))
        traffic(cluster)
        step("the books, on every node")
        books(cluster)
        if not once:
            watch(cluster)
    finally:
        print("stopping the cluster", flush=True)
        there = is_there(cluster)
        if there or cluster.running():
            cluster.down(keep=there)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--once", action="store_true")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, leave)
    try:
        run(wanted.nodes, wanted.once)
    except (Trouble, OSError, subprocess.SubprocessError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
