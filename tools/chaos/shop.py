"""The healed shop as its nodes tell of it: all that the checker asks. Each call says what one node answers."""

import json
import time
import urllib.parse

import wire
from local_cluster import Trouble, wait_for

LAWS_WAIT = "60s"
CLEAR_S = 60  # in which a repeated checkout must get its answer
SETTLED_S = 10  # in which stock must agree


class Shop:
    """`nodes`: their numbers. Used by several threads, one for each node at a time."""

    def __init__(self, cluster):
        self.cluster, self.nodes = cluster, cluster.indexes()
        self.addresses = {index: cluster.node(index)["http"] for index in self.nodes}
        self.admin = cluster.ctl(self.nodes[0], "token", "issue", "--role", "admin", "--ttl", "3600").strip()
        self.connections = {}

    def get(self, index, path, token):
        connection = self.connections.get(index)
        if connection is None or connection.ended:
            connection = self.connections[index] = wire.Connection(self.addresses[index], 30)
        return connection.exchange(wire.request("GET", path, None, token), 30)

    def close(self):
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()

    def session(self, index, token):
        """The status of an answer to the holder of this token."""
        return self.get(index, "/api/cart", token).status

    def cart(self, index, cart):
        """As a read of the cart's model."""
        answer = self.get(index, f"/api/carts/{cart}", self.admin)
        if answer.status != 200:
            return ("refused", answer.status)
        said = answer.json
        return (said["version"], tuple(sorted((each["product_id"], each["quantity"]) for each in said["items"])))

    def order_again(self, number, body, token, key):
        """The clear answer to a checkout that is asked for once more."""
        sent = wire.request("POST", "/api/orders", body, token, key)
        address = self.addresses[self.nodes[number % len(self.nodes)]]

        def clear():
            try:
                answer = wire.ask(address, sent, 15)
            except OSError:
                return None
            return answer if answer.status < 500 and answer.code != "in_progress" else None
        return wait_for("a checkout gets a clear answer", clear, CLEAR_S, 0.1)

    def orders(self, index):
        found, cursor = [], ""
        while True:
            page = self.get(index, "/api/orders?limit=100" + cursor, self.admin).expect(200).json
            found += page["items"]
            if not page["next_cursor"]:
                return found
            cursor = "&cursor=" + urllib.parse.quote(page["next_cursor"], safe="")

    def stock(self, index, product, wanted):
        """The figures, once they are as wanted or will not be."""
        until = time.monotonic() + SETTLED_S
        while True:
            seen = self.get(index, f"/api/inventory/{product}", self.admin).expect(200).json
            if wanted.items() <= seen.items() or time.monotonic() > until:
                return seen
            time.sleep(0.2)

    def ledger(self):
        """All entries of the provider."""
        address = self.cluster.state["pay"]["url"].removeprefix("http://")
        entries, at = [], 1
        while True:
            page = wire.ask(address, wire.request("GET", f"/ledger?from={at}&limit=1000"), 30).expect(200).json["entries"]
            entries += page
            if len(page) < 1000:
                return entries
            at = page[-1]["seq"] + 1

    def laws(self, index):
        """(exit code, what was said)."""
        said, code = self.cluster.ctl(index, "--json", "laws", "--wait", LAWS_WAIT, check=False, seconds=180)
        return code, said


class Replicas:
    """What the nodes' replicas contain, looked at again and again until all have shown to be equal."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.seen = {}  # (shard, through, receipts_after): {node: (records, hash)}
        self.differ = []

    def voters(self):
        """{shard: its voters}, as the first node that answers says."""
        for index in self.cluster.running():
            try:
                return {each["shard"]: {voter["node"] for voter in each["voters"]} for each in
                        self.cluster.report(index)["shards"]}
            except Trouble:
                continue
        return {}

    def look(self):
        """Notes what all nodes contain now. Trouble when one cannot say."""
        for index in self.cluster.indexes():
            said, code = self.cluster.ctl(index, "--json", "cluster", "hashes", check=False)
            if code != 0:
                raise Trouble(f"node {index} cannot say what its replicas contain, exit {code}")
            self.note(index, json.loads(said)["shards"])

    def note(self, index, shards):
        for each in shards:
            at = (each["shard"], each["through"], each["receipts_after"])
            told = self.seen.setdefault(at, {})
            told[index] = (each["records"], each["hash"])
            if len(set(told.values())) > 1:
                self.differ.append((at, dict(told)))

    def unequal(self, voters):
        """Shards whose voters have not yet shown the same content; one that no node shows is none of which that is known."""
        equal = {at[0] for at, told in self.seen.items() if voters.get(at[0], set()) <= told.keys()}
        return sorted(shard for shard in voters if shard not in equal)


def wait_until_equal(replicas, seconds, since, now=time.monotonic):
    """[(law, what was seen)], and the seconds from `since` until every shard's voters were seen to be equal."""
    while True:
        replicas.look()
        voters = replicas.voters()
        took = now() - since
        if replicas.differ:
            return [("replicas are equal", f"(shard, through, receipts after): {at}, (records, hash) by node: {told}")
                    for at, told in replicas.differ[:5]], took
        left = replicas.unequal(voters)
        if took > seconds:
            missing = f"shards {left}" if left else "they were by then"
            return [(f"replicas are equal within {seconds:g} s", f"not seen so after {took:.1f} s: {missing}")], took
        if voters and not left:
            return [], took
        time.sleep(0.1)
