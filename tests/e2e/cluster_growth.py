#!/usr/bin/env python3
"""A cluster that changes while customers shop: it grows from one node to five and shrinks to another one, and its nodes
are restarted one by one under customers who try nothing twice."""

import os
import tempfile

from harness import Client, Suite, check, equal, poll, programs
from harness.cluster import Cluster, addresses_of, admin_of, as_told, laws_hold, leads, operate, stock_is_conserved
from harness.shop import fresh, pounds
from harness.trade import Book, StrictCustomer, Trade

STOCK, PRICE = 100_000, 250
CONFIG = {"node": {"shard_count": 10}}  # enough to spread over five, few enough to be moved soon
ANSWERS = 5

suite = Suite()
directory = tempfile.mkdtemp(prefix="omnicart-e2e.")
opened = []


def founded(name, count):
    """A cluster with articles on its shelves."""
    cluster = Cluster(os.path.join(directory, name), programs(), CONFIG)
    opened.append(cluster)
    cluster.up(count)
    goods = [fresh("p") for _ in range(4)]
    admin = admin_of(cluster, 1)
    for product in goods:
        admin.post("/api/products", {"id": product, "name": "An article", "price": pounds(PRICE)}).expect(201)
        admin.put(f"/api/inventory/{product}", {"on_hand": STOCK, "reason": "delivery"}).expect(200)
    return cluster, goods


def all_is_well(cluster, told, goods):
    laws_hold(cluster)
    as_told(cluster, told)
    stock_is_conserved(cluster, told, goods, STOCK)
    print(f"       {told.count()} orders, {told.repeated} attempts repeated, {told.sent_away} answers with Connection: close, "
          f"slowest {told.slowest_s * 1000:.0f} ms")


def voters(cluster, by):
    """Who votes together in a shard: each set once. The cluster's own group is no shard of the shop, and has all nodes."""
    return {tuple(sorted(each["node"] for each in shard["voters"])) for shard in cluster.report(by)["shards"] if not shard["own"]}


def votes(cluster, index, by):
    """Whether the node votes in anything, the cluster's own group included."""
    return any(each["node"] == index for shard in cluster.report(by)["shards"] for each in shard["voters"])


def leave(cluster, addresses, gone, by):
    """A node goes for good, as docs/operations.md says."""
    why = ("--yes", "--why", "it is not needed any more")
    operate(cluster, by, "drain", str(gone), *why)
    poll("it holds nothing", lambda: not votes(cluster, gone, by))
    operate(cluster, by, "remove", str(gone), *why)
    addresses.remove(cluster.node(gone)["http"])
    cluster.end(cluster.node(gone)["process"])
    cluster.forget(gone)


def says_close(cluster, index):
    return Client(cluster.node(index)["http"]).get("/api/products?limit=1").expect(200).headers.get("connection") == "close"


try:
    @suite.case
    def a_node_grows_to_three_and_five_and_shrinks_to_another_one_while_customers_shop():
        cluster, goods = founded("growing", 1)
        told, addresses = Book(), addresses_of(cluster)
        with Trade(addresses, goods, told) as trade:
            trade.goes_on("on one node")
            for size in (3, 5):
                while len(cluster.indexes()) < size:
                    addresses.append(cluster.node(cluster.grow())["http"])
                poll(f"{size} nodes have their copies", cluster.settled)
                equal({len(each) for each in voters(cluster, 1)}, {3})
                trade.goes_on(f"on {size} nodes")
            for gone in (1, 2):  # the founder first
                leave(cluster, addresses, gone, 5)
            poll("three nodes have all copies", cluster.settled)
            equal(voters(cluster, 5), {(3, 4, 5)})
            trade.goes_on("on three nodes again")
            operate(cluster, 5, "configure", "--replicas", "1", "--yes")
            for gone in (3, 4):
                leave(cluster, addresses, gone, 5)
            poll("one node has all", cluster.settled)
            equal(voters(cluster, 5), {(5,)})
            trade.goes_on("on the one that came last")
        all_is_well(cluster, told, goods)

    three, asked_once = [], Book()

    def three_nodes():
        """The same for all cases that follow."""
        if not three:
            three.extend(founded("restarted", 3))
        return three

    @suite.case
    def a_draining_node_leads_nothing_and_ends_connections_with_its_answers():
        cluster, _ = three_nodes()
        equal([says_close(cluster, index) for index in (1, 2, 3)], [False] * 3)
        operate(cluster, 1, "drain", "2", "--yes", "--why", "a test")
        poll("its answers say Connection: close", lambda: says_close(cluster, 2))
        poll("it leads nothing", lambda: leads(cluster, 2, by=1) == 0)
        equal([says_close(cluster, 2) for _ in range(ANSWERS)], [True] * ANSWERS)
        equal([says_close(cluster, index) for index in (1, 3)], [False] * 2)
        operate(cluster, 1, "resume", "2")
        poll("its answers no longer say so", lambda: not says_close(cluster, 2))
        poll("it leads again", lambda: leads(cluster, 2, by=1) > 0)

    def restarted_one_by_one(before, after):
        cluster, goods = three_nodes()
        with Trade(addresses_of(cluster), goods, asked_once, StrictCustomer) as trade:
            for index in cluster.indexes():
                before(cluster, index)
                cluster.end(cluster.node(index)["process"])
                trade.goes_on(f"without node {index}")
                cluster.start(index)
                after(cluster, index)
                poll("it has caught up", cluster.settled)
                trade.goes_on(f"with node {index} again")
                equal(trade.failures(), [])
        all_is_well(cluster, asked_once, goods)

    @suite.case
    def nodes_drained_and_restarted_one_by_one_fail_no_request():
        def drain(cluster, index):
            by = index % 3 + 1
            operate(cluster, by, "drain", str(index), "--yes", "--why", "kernel update")
            poll("it leads nothing", lambda: leads(cluster, index, by) == 0)
            poll("it sends customers away", lambda: says_close(cluster, index))

        restarted_one_by_one(drain, lambda cluster, index: operate(cluster, index % 3 + 1, "resume", str(index)))
        check(asked_once.sent_away > 0, "nobody was sent away")

    @suite.case
    def nodes_only_told_to_end_and_started_again_one_by_one_fail_no_request():
        restarted_one_by_one(lambda *_: None, lambda *_: None)

    suite.run()
finally:
    for each in opened:
        each.down()
    suite.leave(directory)
suite.end()
