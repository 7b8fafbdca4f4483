"""What tools/backup_drill.sh does; its help stands there."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import local_cluster
from local_cluster import Cluster, Trouble
from options import Parser, number

SEED = 1


def arguments(words):
    parser = Parser("tools/backup_drill.sh")
    parser.add_argument("--nodes", type=number(1, 5), default=3)
    parser.add_argument("--into", type=number(1, 5), default=5)
    parser.add_argument("--seconds", type=number(10, 36_000), default=60)
    parser.add_argument("--every", type=number(1, 3_600), default=5)
    parser.add_argument("--rate", type=number(0, 100_000), default=0)
    parser.add_argument("--products", type=number(1, 1_000_000), default=1000)
    parser.add_argument("--json")
    parser.add_argument("--build", default=os.path.join(local_cluster.ROOT, "build", "release"))
    return parser.parse_args(words)


class Drill:
    def __init__(self, wanted, home):
        self.wanted, self.home = wanted, home
        self.folder = os.path.join(home, "backups")
        self.cluster = Cluster(os.path.join(home, "cluster"), wanted.build)
        self.backups = []

    def operator(self, index):
        node = self.cluster.node(index)
        return ["--operator", f"http://{node['operator']}", "--token-file", os.path.join(node["home"], "data", "operator.token")]

    def fill(self):
        token = self.cluster.ctl(1, "token", "issue", "--role", "admin", "--ttl", "600").strip()
        subprocess.run([self.cluster.program("omnicart-sample"), "--count", str(self.wanted.products), "--seed", str(SEED),
                        "--target", f"http://{self.cluster.node(1)['http']}", "--if-missing"],
                       check=True, env={**os.environ, "OMNICART_TOKEN": token}, stdout=subprocess.DEVNULL)

    def traffic(self):
        nodes = self.cluster.running()
        everywhere = ",".join(f"http://{self.cluster.node(i)['http']}" for i in nodes)
        return subprocess.Popen([self.cluster.program("omnicart-load"), "--target", everywhere, *self.operator(nodes[0]),
                                 "storefront", "--duration", str(self.wanted.seconds), "--leave-terms", "--returned", "0"],
                                stdout=subprocess.DEVNULL)

    def back_up(self):
        index = self.cluster.indexes()[len(self.backups) % len(self.cluster.indexes())]
        made = json.loads(self.cluster.ctl(index, "--json", "backup", "create", "--to", self.folder, "--rate",
                                           str(self.wanted.rate), seconds=3_600))
        self.backups.append(made)
        seconds = max(made["took_ms"], 1) / 1000
        print(f"  node {index}: paused {made['backup']['paused_ms']} ms, try {made['backup']['tries']}, "
              f"{made['bytes'] / 2**20:.1f} MiB ({made['new_bytes'] / 2**20:.1f} new) in {seconds:.1f} s, "
              f"{made['bytes'] / 2**20 / seconds:.1f} MiB/s, {made['backup']['totals']['orders']} orders, "
              f"load {os.getloadavg()[0]:.1f}", flush=True)

    def trade(self):
        load = self.traffic()
        last = time.monotonic() + self.wanted.seconds - 2 * self.wanted.every  # and trade after it, which it does not know
        try:
            while load.poll() is None:
                time.sleep(self.wanted.every)
                if load.poll() is None and time.monotonic() < last:
                    self.back_up()
            if load.returncode != 0:
                raise Trouble(f"the traffic ended with exit code {load.returncode}")
            if len(self.backups) < 2:
                raise Trouble("the traffic was over before the second backup")
        finally:
            if load.poll() is None:
                load.kill()
                load.wait()

    def lose_everything(self):
        for index in self.cluster.running():
            self.cluster.kill(index)
        for index in self.cluster.indexes():
            self.cluster.forget(index)

    def restore_into(self, index, *more):
        data = os.path.join(self.cluster.node(index)["home"], "data")
        return self.cluster.ctl(index, "--json", "backup", "restore", self.folder, self.backups[-1]["backup"]["id"], "--data",
                                data, "--provider", self.cluster.state["pay"]["url"], *more, check=False, seconds=3_600)

    def restore(self):
        first = self.cluster.add_node()
        data = os.path.join(self.cluster.node(first)["home"], "data")
        _, code = self.restore_into(first)
        if code != 1 or os.path.exists(data) or not os.path.exists(data + ".unknown-payments.json"):
            raise Trouble(f"a restore that should have listed payments and done nothing ended with {code}")
        began = time.monotonic()
        said, code = self.restore_into(first, "--accept-unknown")
        if code != 0:
            raise Trouble(f"the restore ended with {code}: {said}")
        took = time.monotonic() - began
        self.cluster.start(first)
        while len(self.cluster.indexes()) < self.wanted.into:
            self.cluster.grow()
        local_cluster.wait_for("all shards have their copies", self.cluster.settled, 600, 0.2)
        return json.loads(said)["provider"], took

    def check(self, unknown):
        """The books of every node against the backup's and the ledger: what is not known to the cut is all that may differ."""
        totals = self.backups[-1]["backup"]["totals"]
        lost = {each["order_id"] for each in unknown}
        for index in self.cluster.indexes():
            said, _ = self.cluster.ctl(index, "--json", "laws", "--wait", "60s", check=False, seconds=300)
            report = json.loads(said)
            broken = {name for name, holds in report["laws"].items() if not holds}
            if broken - {"one_capture_per_order", "ledgers_agree"} or (broken and not lost):
                raise Trouble(f"node {index}: {report['detail']}")
            orders = sum(report["figures"]["orders_by_status"].values())
            if orders != totals["orders"] or report["figures"]["products"] != totals["products"]:
                raise Trouble(f"node {index}: {orders} orders, the backup has {totals['orders']}")
            # What may differ: orders that were on their way in the cut have ended since.
            statuses = report["figures"]["orders_by_status"]
            moved = sum(max(0, statuses.get(each, 0) - totals["orders_by_status"].get(each, 0)) for each in statuses)
            if moved > totals["in_flight"]:
                raise Trouble(f"node {index}: {statuses}, the backup has {totals['orders_by_status']}")
            gross = report["figures"]["gross"]
            less = any(gross.get(currency, 0) < amount for currency, amount in totals["gross"].items())
            if less or (statuses == totals["orders_by_status"] and gross != totals["gross"]):
                raise Trouble(f"node {index}: {gross}, the backup has {totals['gross']}")
        print(f"  {totals['orders']} orders on each of {len(self.cluster.indexes())} nodes, {totals['in_flight']} were on their way; "
              f"{len(lost)} payments made after the backup are listed, all else agrees", flush=True)

    def run(self):
        print(f"== {self.wanted.nodes} nodes, {self.wanted.products} products", flush=True)
        self.cluster.up(self.wanted.nodes)
        self.fill()
        print(f"== {self.wanted.seconds} s of traffic, a backup every {self.wanted.every} s", flush=True)
        self.trade()
        print("== everything is killed; restored into one node that others join", flush=True)
        self.lose_everything()
        provider, took = self.restore()
        print(f"  restored in {took:.1f} s; {provider['known']} entries of the provider known, {provider['awaited']} asked for again, "
              f"{len(provider['unknown'])} unknown", flush=True)
        self.check(provider["unknown"])
        pauses = sorted(each["backup"]["paused_ms"] for each in self.backups)
        print(f"== {len(pauses)} backups: paused {statistics.median(pauses):.0f} ms at the median, {pauses[-1]} ms at most", flush=True)
        if self.wanted.json:
            with open(self.wanted.json, "w", encoding="utf-8") as file:
                json.dump({"backups": self.backups, "restore_s": took, "provider": provider}, file, indent=1)
        if pauses[-1] > 100:
            raise Trouble("a pause was longer than 100 ms")


def leave(_number, _frame):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, leave)
    drill = None
    home = tempfile.mkdtemp(prefix="omnicart-drill.")
    try:
        drill = Drill(arguments(sys.argv[1:]), home)
        drill.run()
        done = True
    except (Trouble, OSError, subprocess.SubprocessError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        done = False
    except KeyboardInterrupt:
        return 130
    finally:
        if drill:
            drill.cluster.down()
    if done or not drill:
        shutil.rmtree(home, ignore_errors=True)
    else:
        print(f"kept: {home}", file=sys.stderr)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
