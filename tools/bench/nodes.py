"""Rows of three nodes: what they cost beside one, and what moves among them. All of them, the provider and the clients share
this machine's cores. What is compared with one node runs over loopback, as that does, and so without TLS; leadership is handed
over among nodes in namespaces, with TLS."""

import os
import statistics
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cluster"))
import failover  # noqa: E402
from local_cluster import Cluster, wait_for  # noqa: E402
from servers import BIN, Node, run_load  # noqa: E402

CONFIG = {"log": {"access": False}, "memory": {"entity_budget_mib": 2048}}
TRANSFERS = 20
TURNS = 5
MISSED_WRITES = 100_000
CONNECTIONS = 64  # to each node, as to a lone one


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Three:
    """Three nodes that trade; `with` starts and ends them."""

    def __init__(self, folder):
        self.folder = folder
        # Like the lone node on the machine's loopback: a bridge between namespaces would be measured along with the nodes.
        self.cluster = Cluster(os.path.join(folder, "cluster"), BIN, CONFIG, namespaces=False)

    def __enter__(self):
        self.cluster.up(3)
        return self

    def __exit__(self, *_):
        self.cluster.down(keep=False)

    def cpu_s(self):
        """Of all nodes and the provider."""
        processes = [self.cluster.node(index)["process"] for index in self.cluster.running()]
        return sum(cpu_s(each["pid"]) for each in [*processes, self.cluster.state["pay"]["process"]])

    def load(self, *scenario, at=(1, 2, 3), duration=5):
        first = self.cluster.node(at[0])
        targets = ",".join("http://" + self.cluster.node(index)["http"] for index in at)
        return run_load(targets, self.folder, duration, CONNECTIONS * len(at), "--operator", "http://" + first["operator"], "--token-file",
                        os.path.join(first["home"], "data", "operator.token"), *scenario)

    def lead_all(self, index):
        """Every shard is led by that node, and stays there."""
        for shard in range(64):
            self.cluster.ctl(1, "cluster", "transfer", str(shard), str(index))
        wait_for("one node leads all", lambda: all(each["leader"] == index for each in self.cluster.report(1)["shards"]
                                                   if not each["own"]))


def rate_and_cpu(system, kind, seconds, **where):
    """What a kind of request reaches, and the CPU of one in us."""
    name = "checkouts_per_s" if kind == "checkout" else "requests_per_s"
    system.load("bench", "--requests", kind, duration=1, **where)
    before = system.cpu_s()
    rate = system.load("bench", "--requests", kind, duration=seconds, **where)[name]
    # The client makes its sessions first; that is a small part of it, and the same on both sides.
    return rate, (system.cpu_s() - before) / (rate * seconds) * 1e6


def beside_one(folder, seconds, kind):
    """CPU of a request on three nodes over that on one: the median of turns that follow one another closely, since a
    machine that is shared with others is not equally fast all the time."""
    with Three(os.path.join(folder, "three")) as three, Node(os.path.join(folder, "one")) as one:
        turns = []
        for _ in range(TURNS):
            rate, cpu_us = rate_and_cpu(three, kind, seconds)
            one_rate, one_cpu_us = rate_and_cpu(one, kind, seconds)
            turns.append({"ours": rate, "theirs": one_rate, "ratio": cpu_us / one_cpu_us, "our_cpu_us": cpu_us,
                          "their_cpu_us": one_cpu_us})
    return sorted(turns, key=lambda each: each["ratio"])[len(turns) // 2]


def remote_beside_local(folder, seconds):
    """Carts read at a node that leads nothing, and at the one that leads all."""
    with Three(folder) as three:
        three.lead_all(1)
        rate, cpu_us = rate_and_cpu(three, "cart-read", seconds, at=(2,))
        local_rate, local_cpu_us = rate_and_cpu(three, "cart-read", seconds, at=(1,))
    return {"ours": rate, "theirs": local_rate, "ratio": rate / local_rate, "our_cpu_us": cpu_us,
            "their_cpu_us": local_cpu_us}


ROWS = [
    ("CPU of a durable cart write on three nodes, against one", "at most 3.5", lambda f, s: beside_one(f, s, "cart-write")),
    ("CPU of a whole checkout on three nodes, against one", "at most 3.5", lambda f, s: beside_one(f, s, "checkout")),
    ("read a cart at a node that leads nothing, against the one that leads it", "-", remote_beside_local),
]


# --- what moves ---------------------------------------------------------------------------------------------------------


def transfer_gaps(folder):
    """How long one client that writes to one cart is not acknowledged while its shard's leadership is handed over, in ms."""
    system = failover.OmniCart(folder, BIN)
    try:
        system.start()
        writer = failover.Writer(system)
        writer.start()
        gaps = []
        for turn in range(TRANSFERS):
            system.settle()
            failover.calm(writer)
            leader = system.leader()
            to = next(index for index, _ in system.addresses()[turn % 3:] + system.addresses() if index != leader)
            moment = time.monotonic()
            system.cluster.ctl(leader, "cluster", "transfer", str(system.shard), str(to))
            wait_for("another node leads", lambda: system.leader() == to)
            time.sleep(failover.CALM_S)
            acked = [each for _, _, each in writer.acks[-4000:] if each > moment - 0.1]
            gaps.append(max(later - earlier for earlier, later in zip(acked, acked[1:])) * 1000)
        writer.ended.set()
        writer.join(failover.WRITE_S + 5)
        return gaps, writer.failed
    finally:
        system.stop()


def recovery_s(folder):
    """From the start of a node that missed 100,000 writes until it has them all."""
    with Three(folder) as three:
        three.cluster.kill(3)
        done = 0
        while done < MISSED_WRITES:
            done += three.load("bench", "--requests", "cart-write", at=(1, 2), duration=5)["requests_per_s"] * 5
        began = time.monotonic()
        three.cluster.launch(3)

        def has_all():
            shards = [shard for index in (1, 2) for shard in three.cluster.report(index)["shards"] if shard["leader"] == index]
            lags = [voter["lag"] for shard in shards for voter in shard["voters"] if voter["node"] == 3]
            return three.cluster.serves(3) and lags and all(lag == 0 for lag in lags)
        wait_for("the node has what it missed", has_all, 300, 0.02)
        return time.monotonic() - began, done


def moves(folder):
    """The table of what moves."""
    gaps, failed = transfer_gaps(os.path.join(folder, "transfer"))
    seconds, writes = recovery_s(os.path.join(folder, "recovery"))
    return "\n".join([
        "| what | figure | at most |", "|---|---|---|",
        f"| gap of one cart's writes while its leader is changed by an operator ({len(gaps)} times; {failed} failed) | "
        f"{statistics.median(gaps):.0f} ms (slowest {max(gaps):.0f} ms) | 150 ms |",
        f"| start of a node that missed {writes:,.0f} cart writes until it has them all | {seconds:.1f} s | - |"])
