"""The cluster that is being hurt, and the means to hurt it; faults.py says what is done with them."""

import os
import random
import signal
import subprocess
import sys
import time

from local_cluster import Trouble, run, wait_for

FELT_S = 10  # in which a node must feel what is done to it
SLOW_PORT = 7401  # where the proxy of a slow node listens
HERE = os.path.dirname(os.path.abspath(__file__))


def tail_of(path, characters=600):
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - characters))
        return file.read().decode(errors="replace")


def process_of(cluster, index):
    return cluster.node(index)["process"]


class Scene:
    def __init__(self, cluster, seed):
        self.cluster, self.chance = cluster, random.Random(seed)
        self.until = 0.0
        self.counts, self.tracers, self.fillers, self.lossy, self.slow = {}, [], [], [], []
        self.ended = []  # nodes that nobody told to
        self.wrong = []  # (law, what was seen), of faults that know what must follow

    # --- for faults ---------------------------------------------------------------------------------------------

    def did(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def wait(self, least, most=None):
        """A moment, at most until the cell's time is over."""
        span = self.chance.uniform(least, most or least)
        time.sleep(max(0.0, min(span, self.until - time.monotonic())))

    def any(self):
        return self.chance.choice(self.cluster.indexes())

    def leader(self):
        """The node that leads most, as the cluster says; any when it does not say."""
        for index in self.cluster.running():
            try:
                leads = {node["id"]: node["leads"] for node in self.cluster.report(index)["nodes"]}
            except Trouble:
                continue
            if leads:
                return max(leads, key=lambda each: (leads[each], self.chance.random()))
        return self.any()

    def kill(self, *indexes):
        """Nodes that run; one that does not has ended by itself."""
        for index in indexes:
            if not self.cluster.alive(self.cluster.node(index)["process"]):
                self.ended.append((index, tail_of(self.log_of(index))))
        self.put_down(*indexes)

    def put_down(self, *indexes):
        """Whether they run or not."""
        processes = [self.cluster.node(index)["process"] for index in indexes]
        for process in processes:
            self.cluster.send_signal(process, signal.SIGKILL)
        for process in processes:
            wait_for("the node is gone", lambda p=process: not self.cluster.alive(p), 30)

    def start(self, *indexes):
        """All at once: none of them serves without others."""
        for index in indexes:
            if not self.cluster.alive(self.cluster.node(index)["process"]):
                self.cluster.launch(index)

    def log_of(self, index):
        return os.path.join(self.cluster.node(index)["home"], "log")

    def leads_nothing(self, index):
        """Whether others say so."""
        return any(node["id"] == index and node["leads"] == 0 for node in self.seen_by_others(index))

    def seen_by_others(self, index):
        """Nodes, as one that runs and is not this one reports them."""
        for other in self.cluster.running():
            if other != index:
                try:
                    return self.cluster.report(other)["nodes"]
                except Trouble:
                    continue
        return []

    def trace(self, index, calls, injection, mark):
        """strace on the running node until one of these calls was tampered with, which it then calls by `mark`. The tracer
        is ours; when it ends, the node goes on untouched."""
        told = os.path.join(self.cluster.directory, f"trace-{index}")
        line = ["strace", "-f", "-qq", "-o", told, "-p", str(self.cluster.node(index)["process"]["pid"]),
                "-e", f"trace={calls}", "-e", f"inject={calls}:{injection}"]
        tracer = subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        self.tracers.append(tracer)

        def hurts():
            if os.path.exists(told) and mark in tail_of(told):
                return True
            if tracer.poll() is not None and self.cluster.alive(self.cluster.node(index)["process"]):
                raise Trouble(f"strace ended: {tracer.stderr.read().decode(errors='replace').strip()}")
            return False
        wait_for(f"a call of node {index} is tampered with", hurts, FELT_S)

    def end_tracers(self):
        for tracer in self.tracers:
            if tracer.poll() is None:
                tracer.terminate()
                try:
                    tracer.wait(5)
                except subprocess.TimeoutExpired:
                    tracer.kill()
                    tracer.wait()
            tracer.stderr.close()
        self.tracers.clear()

    def lose(self, index, percent):
        """Of what arrives at a node from others."""
        hosts = ", ".join(self.cluster.node(other)["host"] for other in self.cluster.indexes() if other != index)
        rules = ("table ip chaos { chain loss { type filter hook input priority 0; "
                 f"ip saddr {{ {hosts} }} numgen random mod 100 < {percent} drop\n }}\n}}\n")
        run("ip", "netns", "exec", self.cluster.namespace(index), "nft", rules)
        self.lossy.append(index)

    def end_loss(self):
        for index in self.lossy:
            run("ip", "netns", "exec", self.cluster.namespace(index), "nft", "delete table ip chaos")
        self.lossy.clear()

    def slow_down(self, some, least_ms, most_ms):
        """What these nodes and others say to each other passes proxies from now on. Of two nodes the one with the lower
        number dials, so a proxy stands before each that is dialled. The links of before are broken off."""
        for index in self.cluster.indexes():
            dial_it = [other for other in self.cluster.indexes() if other < index and (other in some or index in some)]
            if dial_it:
                self.put_proxy(index, dial_it, least_ms, most_ms)
        for index in self.slow:
            self.break_links(index[0])
        for index, proxy, told in self.slow:
            wait_for(f"the slow link before node {index} is used", lambda path=told: os.path.getsize(path) > 0, FELT_S)

    def put_proxy(self, index, dial_it, least_ms, most_ms):
        node, namespace = self.cluster.node(index), self.cluster.namespace(index)
        told = os.path.join(self.cluster.directory, f"slow-{index}")
        with open(told, "wb") as out:
            proxy = subprocess.Popen(
                ["ip", "netns", "exec", namespace, sys.executable, os.path.join(HERE, "slow_link.py"), str(SLOW_PORT),
                 node["link"], str(least_ms), str(most_ms)], stdin=subprocess.PIPE, stdout=out, start_new_session=True)
        self.slow.append((index, proxy, told))
        wait_for("the slow link listens", lambda: f":{SLOW_PORT} " in run("ip", "netns", "exec", namespace, "ss", "-ltnH"), 10)
        port = node["link"].rpartition(":")[2]
        hosts = ", ".join(self.cluster.node(other)["host"] for other in dial_it)
        run("ip", "netns", "exec", namespace, "nft",
            "table ip slow { chain way { type nat hook prerouting priority -100;\n"
            f"ip saddr {{ {hosts} }} tcp dport {port} redirect to :{SLOW_PORT}\n}}\n}}\n")

    def break_links(self, index):
        """All connections of now between a node and others."""
        port = self.cluster.node(index)["link"].rpartition(":")[2]
        run("ip", "netns", "exec", self.cluster.namespace(index), "ss", "-K", f"sport = :{port} or dport = :{port}")

    def end_slowness(self):
        for index, proxy, _ in self.slow:
            run("ip", "netns", "exec", self.cluster.namespace(index), "nft", "delete table ip slow")
            proxy.stdin.close()
            try:
                proxy.wait(5)
            except subprocess.TimeoutExpired:
                proxy.kill()
                proxy.wait()
        self.slow.clear()

    def look(self):
        """After a round all nodes run; who does not has ended by itself."""
        for index in self.cluster.indexes():
            if self.cluster.condition(index) == "down":
                self.ended.append((index, tail_of(self.log_of(index))))
                self.start(index)

    # --- the provider ---------------------------------------------------------------------------------------------

    def provider(self, number):
        self.cluster.send_signal(self.cluster.state["pay"]["process"], number)

    def heal_provider(self):
        self.provider(signal.SIGCONT)
        self.cluster.start_pay()

    # --- after all -----------------------------------------------------------------------------------------------

    def heal(self):
        self.end_tracers()
        self.end_loss()
        self.end_slowness()
        self.heal_provider()
        for path in self.fillers:
            if os.path.exists(path):
                os.unlink(path)
        self.fillers.clear()
        self.cluster.heal()
        for index in self.cluster.indexes():
            if self.cluster.condition(index) == "paused":
                self.cluster.resume(index)
            elif self.cluster.condition(index) == "down":
                self.cluster.launch(index)
        for index in self.cluster.indexes():
            wait_for(f"node {index} serves", lambda i=index: self.cluster.serves(i), 60)
