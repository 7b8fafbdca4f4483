"""What tools/failover.sh measures; its help stands there.

A gap runs from the moment of the signal to the first acknowledgement of a write that was begun after it; of a restart it is
the longest time between two acknowledgements until the node has ended. The client writes one record every few milliseconds;
an attempt without a good answer in time is made again, with the same key, at the next node it knows."""

import json
import os
import random
import signal
import sys
import tempfile
import threading
import time

import local_cluster
import wire
from etcd import Etcd
from local_cluster import Cluster, Trouble, wait_for
from options import Parser, number
from shard_of import shard_of
from wire import Connection, ask

EVERY_S = 0.004  # between two writes
ATTEMPT_S = 0.1  # what an attempt may take before another node is asked
WRITE_S = 15.0  # what a write may take before it counts as failed
CALM_S = 0.5  # writes must go well for so long before the next fault
STOPPED_S = 0.5  # a stopped leader goes on so long after others took over
# What OmniCart must keep, in ms: the median, 99 of 100, all.
WANTED_MS = {"kill": (400, 1000, 2000), "stop": (400, 1000, 2000), "restart": (150, 150, 150)}
UNREFUSED = ("follower", "restart")  # faults in which no request may fail: no node may refuse one, or break off
HARMLESS = ("TimeoutError", "ConnectionRefusedError")  # the client's own impatience; a node that is away is not asked


class OmniCart:
    """Three nodes and a cart. `title` is what the table calls it."""

    title = "OmniCart"

    def __init__(self, directory, build):
        self.cluster = Cluster(os.path.join(directory, "omnicart"), build)
        self.token = self.shard = None

    def start(self):
        self.cluster.up(3)
        where = "in network namespaces, TLS between them" if self.cluster.state["namespaces"] else "on loopback"
        print(f"{self.title}: three nodes {where}", file=sys.stderr)
        self.make_cart()

    def make_cart(self):
        address = self.addresses()[0][1]
        admin = self.cluster.ctl(1, "token", "issue", "--role", "admin", "--ttl", "3600").strip()
        product = {"id": "failover", "name": "A product", "price": {"amount": 100, "currency": "GBP"}}
        ask(address, wire.request("POST", "/api/products", product, admin)).expect(201)
        ask(address, wire.request("PUT", "/api/inventory/failover", {"on_hand": 1, "reason": "delivery"}, admin)).expect(200)
        self.token = ask(address, wire.request("POST", "/api/sessions", {})).expect(201).json
        self.shard, self.renewed = shard_of(self.token["cart_id"]), time.monotonic()
        line = {"product_id": "failover", "quantity": 1}
        ask(address, wire.request("POST", "/api/cart/items", line, self.token["token"])).expect(201)

    def request(self, number):
        return wire.request("PUT", "/api/cart/items/failover", {"quantity": 1 + number % 1000}, self.token["token"],
                            f"failover-write-{number}-{os.getpid()}")

    def renew(self):
        """Tokens live for minutes; a long measurement needs another one now and then."""
        if time.monotonic() - self.renewed < 120:
            return
        body = {"refresh_token": self.token["refresh_token"]}
        for _, address in self.addresses():
            try:
                self.token = ask(address, wire.request("POST", "/api/users/refresh", body)).expect(200).json
            except OSError:
                continue
            self.renewed = time.monotonic()
            return
        raise Trouble("no node renews the client's token")

    def addresses(self):
        return [(index, self.cluster.node(index)["http"]) for index in self.cluster.indexes()]

    def leader(self):
        return self.cluster.leader_of(self.shard)

    def signal(self, index, number):
        self.cluster.send_signal(self.cluster.node(index)["process"], number)

    def bring_back(self, index):
        process = self.cluster.node(index)["process"]
        wait_for("the node is gone", lambda: not self.cluster.alive(process))
        self.cluster.start(index)

    def settle(self):
        wait_for("the cluster settles", self.cluster.settled, 60, 0.05)

    def stop(self):
        self.cluster.down(keep=False)


class Writer(threading.Thread):
    """Writes until it is told to stop. Fields are read by others while it runs."""

    def __init__(self, system):
        super().__init__(daemon=True)
        self.system, self.ended = system, threading.Event()
        self.names = dict(system.addresses())
        self.at = sorted(self.names)[0]
        self.connection = self.wanted = None
        self.acks = []  # (when the write was begun, when the attempt that succeeded was, when it was acknowledged)
        self.repeated = self.failed = 0
        self.reasons = {}
        self.wrong = None

    def run(self):
        number = 0
        try:
            while not self.ended.is_set():
                number += 1
                self.system.renew()
                self.write(self.system.request(number))
                self.ended.wait(EVERY_S)
        except Exception as wrong:  # told to who waits
            self.wrong = wrong

    def write(self, request):
        begun = time.monotonic()
        while time.monotonic() < begun + WRITE_S and not self.ended.is_set():
            attempt = time.monotonic()
            if self.attempt(request):
                self.acks.append((begun, attempt, time.monotonic()))
                return
            self.repeated += 1
            self.at = self.next()
            time.sleep(EVERY_S)
        self.failed += not self.ended.is_set()

    def attempt(self, request):
        if self.wanted or (self.connection and self.connection.ended):  # the node has said that it goes
            self.at, self.wanted = self.wanted or self.next(), None
            self.drop()
        try:
            if self.connection is None:
                self.connection = Connection(self.names[self.at], ATTEMPT_S)
            answer = self.connection.exchange(request, ATTEMPT_S)
            if 200 <= answer.status < 300:
                return True
            why = f"{answer.status} {answer.code}".strip()
        except OSError as wrong:
            why = "the connection was closed" if type(wrong) is OSError else type(wrong).__name__
        self.drop()
        self.reasons[why] = self.reasons.get(why, 0) + 1
        return False

    def next(self):
        order = sorted(self.names)
        return order[(order.index(self.at) + 1) % len(order)]

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def go_to(self, index):
        """Asks another node from the next attempt on. For other threads."""
        self.wanted = index

    def first_after(self, moment):
        """When the first write was acknowledged whose last attempt was begun after the moment."""
        later = [acked for _, attempt, acked in self.acks[-4000:] if attempt >= moment]
        return later[0] if later else None

    def well_for(self, seconds):
        """Whether all writes of the last time were acknowledged quickly."""
        now = time.monotonic()
        latest = [each for each in self.acks[-4000:] if each[2] > now - seconds]
        return len(latest) > seconds / EVERY_S / 8 and all(acked - begun < ATTEMPT_S / 2 for begun, _, acked in latest)


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(system, fault, count):
    system.start()
    writer = Writer(system)
    writer.start()
    gaps = []
    try:
        for turn in range(count):
            system.settle()
            calm(writer)
            gaps.append(lose_one(system, writer, fault))
            if sys.stderr.isatty() or (turn + 1) % 10 == 0:
                print(f"  {system.title}: {turn + 1} of {count}, {gaps[-1] * 1000:.0f} ms", file=sys.stderr)
    finally:
        writer.ended.set()
        writer.join(WRITE_S + 5)
    return {"name": system.title, "fault": fault, "gaps_ms": [gap * 1000 for gap in gaps], "writes": len(writer.acks),
            "repeated": writer.repeated, "failed": writer.failed, "reasons": writer.reasons}


def calm(writer):
    def going():
        if writer.wrong:
            raise Trouble(f"the client ended: {writer.wrong!r}")
        return writer.well_for(CALM_S)
    wait_for("writes are acknowledged quickly", going, 60)


def lose_one(system, writer, fault):
    """One fault; the gap in seconds. All nodes are back when it returns."""
    leader = wait_for("there is a leader", system.leader, 30)
    if fault == "restart":
        return restart(system, writer, leader)
    lost = leader
    if fault == "follower":
        lost = random.choice([index for index, _ in system.addresses() if index != leader])
        if writer.at == lost:
            writer.go_to(leader)
            wait_for("the client asks another node", lambda: writer.at != lost and not writer.wanted, 10)
    moment = time.monotonic()
    system.signal(lost, signal.SIGSTOP if fault == "stop" else signal.SIGKILL)
    until = moment + 2 * WRITE_S
    while (acked := writer.first_after(moment)) is None and time.monotonic() < until:
        time.sleep(0.001)
    if fault == "stop":
        time.sleep(STOPPED_S)
        system.signal(lost, signal.SIGCONT)
    else:
        system.bring_back(lost)
    if acked is None:
        raise Trouble(f"no write was acknowledged for {2 * WRITE_S:.0f} s")
    return acked - moment


def restart(system, writer, lost):
    """An orderly one; the longest gap in seconds."""
    moment = time.monotonic()
    system.signal(lost, signal.SIGTERM)
    system.bring_back(lost)
    acked = [at for _, _, at in writer.acks[-4000:] if at > moment - 0.1]
    return max((later - earlier for earlier, later in zip(acked, acked[1:])), default=WRITE_S)


def missed(result):
    """What OmniCart did not keep, in words."""
    wanted, gaps = WANTED_MS.get(result["fault"], ()), result["gaps_ms"]
    found = [f"{name} is {value:.0f} ms, wanted {most} ms" for name, value, most in
             zip(("p50", "p99", "max"), (percentile(gaps, 50), percentile(gaps, 99), max(gaps)), wanted) if value > most]
    if result["failed"]:
        found.append(f"{result['failed']} writes failed")
    refused = {why: count for why, count in result["reasons"].items() if why not in HARMLESS}
    if result["fault"] in UNREFUSED and refused:
        found.append(f"requests failed that need not have: {refused}")
    return found


def percentile(values, share):
    return sorted(values)[max(0, -(-len(values) * share // 100) - 1)]


def show(results):
    print(f"\n{'':12}{'fault':10}{'times':>6}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'writes':>9}{'asked again':>13}{'failed':>8}")
    for each in results:
        gaps = each["gaps_ms"]
        print(f"{each['name']:12}{each['fault']:10}{len(gaps):>6}{percentile(gaps, 50):>9.0f}{percentile(gaps, 99):>9.0f}"
              f"{max(gaps):>9.0f}{each['writes']:>9,}{each['repeated']:>13,}{each['failed']:>8,}")
    for each in results:
        reasons = ", ".join(f"{count} x {why}" for why, count in sorted(each["reasons"].items()))
        print(f"  {each['name']}: attempts asked again at another node: {reasons or 'none'}")


def arguments():
    parser = Parser("tools/failover.sh")
    parser.add_argument("--kills", type=number(1, 100_000), default=20)
    parser.add_argument("--fault", choices=("kill", "stop", "follower", "restart"), default="kill")
    parser.add_argument("--only", choices=("omnicart", "etcd"))
    parser.add_argument("--json")
    parser.add_argument("--build", default=os.path.join(local_cluster.ROOT, "build", "release"))
    read = parser.parse_args()
    if read.only == "etcd" and read.fault == "restart":
        parser.error("--fault restart is of OmniCart only")
    return read


def systems(read, directory):
    if read.only != "etcd":
        yield OmniCart(directory, read.build)
    if read.only != "omnicart" and read.fault != "restart":
        try:
            yield Etcd(directory)
        except Trouble as wrong:
            if read.only == "etcd":
                raise
            print(f"etcd is left out: {wrong}", file=sys.stderr)


def leave(_number, _frame):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, leave)
    results = []
    try:
        read = arguments()
        with tempfile.TemporaryDirectory(prefix="omnicart-failover.") as directory:
            for system in systems(read, directory):
                try:
                    results.append(measure(system, read.fault, read.kills))
                finally:
                    system.stop()
    except (Trouble, OSError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    show(results)
    if read.json:
        with open(read.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    failures = [each for result in results if result["name"] == OmniCart.title for each in missed(result)]
    for each in failures:
        print(f"MISSED: {each}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
