#!/usr/bin/env python3
"""Three nodes are one shop: trade on all of them, the loss of a leader under load, its return, a cut network that heals, a
lost disk, nodes that come and go. The long versions are in tools/chaos.sh and tools/failover.sh."""

import glob
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time

from harness import Client, Gone, Suite, check, equal, poll, programs, run_ctl
from harness.node import ROOT
from harness.shop import ADDRESS, fresh, pounds
from harness.suite import PATIENCE_S

sys.path += [os.path.join(ROOT, "tools", "cluster"), os.path.join(ROOT, "tools", "chaos")]
from local_cluster import Cluster  # noqa: E402
from shop import wait_until_equal  # noqa: E402

CUSTOMERS = 4
ORDERS_BETWEEN = 12
ATTEMPT_S = 5
STOCK, PRICE = 100_000, 250
CONFIG = {"payment": {"answer_timeout_ms": 400}}


class Book:
    """What the customers were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sold, self.repeated = {}, 0

    def count(self):
        with self.lock:
            return len(self.sold)


class Customer(threading.Thread):
    """Knows all nodes; asks the next one for what it got no clear answer to, with the same key."""

    def __init__(self, addresses, products, book, seed):
        super().__init__(daemon=True)
        self.webs = [Client(address, timeout=ATTEMPT_S) for address in addresses]
        self.products, self.book, self.chance = products, book, random.Random(seed)
        self.at, self.token, self.end, self.failure = seed % len(addresses), None, threading.Event(), None

    def run(self):
        try:
            while not self.end.is_set():
                self.shop_once()
        except Exception as wrong:  # handed to the case that waits for this thread
            self.failure = repr(wrong)

    def ask(self, method, path, body=None):
        key, until = fresh("cluster-key-long-enough"), time.monotonic() + 2 * PATIENCE_S
        while True:
            web = self.webs[self.at]
            web.token = self.token
            try:
                answer = web.call(method, path, body, key=key)
                if answer.status not in (503, 504) and answer.code != "in_progress":
                    return answer
                why = repr(answer)
            except Gone as wrong:
                why = str(wrong)
            check(time.monotonic() < until, "no answer in time", why)
            with self.book.lock:
                self.book.repeated += 1
            self.at = (self.at + 1) % len(self.webs)
            self.end.wait(0.02)

    def shop_once(self):
        self.at = self.chance.randrange(len(self.webs))
        self.token = None
        self.token = self.ask("POST", "/api/sessions").expect(201)["token"]
        lines = {product: self.chance.randint(1, 3) for product in self.chance.sample(self.products, 2)}
        for product, quantity in lines.items():
            self.ask("POST", "/api/cart/items", {"product_id": product, "quantity": quantity}).expect(201)
        body = {"email": "a@b.example", "shipping_address": ADDRESS, "payment_method": {"type": "card", "token": "tok_ok"}}
        order = self.ask("POST", "/api/orders", body).expect(201).json
        equal({each["product_id"]: each["quantity"] for each in order["items"]}, lines)
        with self.book.lock:
            check(order["order_id"] not in self.book.sold, "two customers were told of one order")
            self.book.sold[order["order_id"]] = order


class Trade:
    """Customers at work while the block runs."""

    def __init__(self, addresses, products, book):
        self.book = book
        self.customers = [Customer(addresses, products, book, seed) for seed in range(CUSTOMERS)]

    def __enter__(self):
        for each in self.customers:
            each.start()
        return self

    def __exit__(self, *_):
        for each in self.customers:
            each.end.set()
        for each in self.customers:
            each.join(2 * PATIENCE_S + 10)
        equal([each.failure for each in self.customers if each.failure], [])
        check(not any(each.is_alive() for each in self.customers), "a customer still waits")

    def goes_on(self, what):
        wanted = self.book.count() + ORDERS_BETWEEN
        poll(f"orders go on {what}",
             lambda: self.book.count() >= wanted or any(each.failure for each in self.customers), 2 * PATIENCE_S)


class TwoBuilds(Cluster):
    """Nodes of `newer` run the build after this one: its envelopes have a format that this one cannot read."""

    newer = frozenset()

    def launch(self, index, **how):
        self.starting = index
        super().launch(index, **how)

    def program(self, name):
        if name == "omnicartd" and getattr(self, "starting", None) in self.newer:
            return super().program(os.path.join("next", name))
        return super().program(name)

    def versions_spoken(self, index):
        """What the node's link agreed on with each of its peers, the latest word for each."""
        with open(os.path.join(self.node(index)["home"], "log"), encoding="utf-8") as file:
            lines = re.findall(r'msg="a node is connected" node=(\d+) .*version=(\d+)', file.read())
        return {int(peer): int(version) for peer, version in lines}


def leading(cluster):
    """A node that leads something: the one that leads most."""
    report = cluster.report(cluster.running()[0])
    return max(report["nodes"], key=lambda each: each["leads"])["id"]


def laws_hold(cluster):
    for index in cluster.running():
        said, code = cluster.ctl(index, "--json", "laws", "--wait", "60s", check=False, seconds=180)
        equal(code, 0, f"laws on node {index}: {said[-2000:]}")


def replicas_are_equal():
    found, _ = wait_until_equal(cluster, PATIENCE_S, time.monotonic())
    equal(found, [])


def operate(index, *words):
    """An operator's command to one node, again and again until it is done: some wait for others to move."""
    poll(" ".join(words), lambda: cluster.ctl(index, "cluster", *words, check=False)[1] == 0)


def log_of(index):
    with open(os.path.join(cluster.node(index)["home"], "log"), encoding="utf-8", errors="replace") as file:
        return file.read()


def admin_of(cluster, index):
    token = cluster.ctl(index, "token", "issue", "--role", "admin", "--ttl", "3600").strip()
    return Client(cluster.node(index)["http"], token)


def damage(index, family):
    """A bit changes in every few KiB of the data of all of a stopped node's tables of a family."""
    data = os.path.join(cluster.node(index)["home"], "data")
    damaged = {}
    for path in glob.glob(os.path.join(data, "db", "*.sst")):
        with open(path, "rb") as file:
            whole = file.read()
        changed = bytearray(whole)
        for at in range(100, len(whole) * 6 // 10, 1500):  # what finds the data stands behind it
            changed[at] ^= 16
        write_whole(path, changed)
        said = run_ctl("store", "verify", data).stdout
        write_whole(path, whole)
        if f"(family {family})" in said and os.path.basename(path) in said:
            damaged[path] = changed
    check(damaged, f"there is no table of {family}")
    for path, changed in damaged.items():
        write_whole(path, changed)


def lead_until_damage_is_met(index):
    """A replica is read where it is led: the node gets the lead of one shard after another and is asked for the orders."""
    admin = admin_of(cluster, index)

    def met():
        return "the store is damaged" in log_of(index)

    def meet():
        for shard in [each for each in cluster.report(index)["shards"] if not each["own"]]:
            if met():
                return True
            if shard["leader"] != index:
                cluster.ctl(index, "cluster", "transfer", str(shard["shard"]), str(index), check=False)
            for order in told.sold:
                admin.get(f"/api/orders/{order}")
        return met()
    poll("the damage is met", meet)


def write_whole(path, content):
    with open(path, "wb") as file:
        file.write(content)


suite = Suite()
directory = tempfile.mkdtemp(prefix="omnicart-e2e.")
cluster = TwoBuilds(os.path.join(directory, "cluster"), programs(), CONFIG)
told, goods = Book(), []
try:
    @suite.case
    def three_nodes_become_one_cluster():
        cluster.up(3)
        equal(cluster.running(), [1, 2, 3])
        goods.extend(fresh("p") for _ in range(4))
        for number, product in enumerate(goods):
            admin = admin_of(cluster, 1 + number % 3)
            admin.post("/api/products", {"id": product, "name": "An article", "price": pounds(PRICE)}).expect(201)
            admin.put(f"/api/inventory/{product}", {"on_hand": STOCK, "reason": "delivery"}).expect(200)

    @suite.case
    def a_customer_may_ask_any_node():
        one, two, three = (Client(cluster.node(index)["http"]) for index in (1, 2, 3))
        opened = one.post("/api/sessions").expect(201).json
        for web in (one, two, three):
            web.token = opened["token"]
            web.post("/api/cart/items", {"product_id": goods[0], "quantity": 1}).expect(201)
        equal([web.get("/api/cart").expect(200)["item_count"] for web in (one, two, three)], [3, 3, 3])
        two.delete("/api/sessions/" + opened["session_id"]).expect(204)
        for web in (one, two, three):
            web.get("/api/cart").expect(401)

    @suite.case
    def customers_ride_through_the_loss_of_a_leader_and_its_return():
        addresses = [cluster.node(index)["http"] for index in cluster.indexes()]
        with Trade(addresses, goods, told) as trade:
            trade.goes_on("on three nodes")
            lost = leading(cluster)
            cluster.kill(lost)
            trade.goes_on("on two nodes")
            cluster.start(lost)
            poll("the lost one has caught up", cluster.settled)
            trade.goes_on("on three nodes again")
        print(f"       {told.count()} orders, {told.repeated} attempts repeated")
        check(told.repeated > 0, "the kill was not felt")
        laws_hold(cluster)

    @suite.case
    def a_node_that_is_cut_off_comes_back_to_what_the_others_did():
        addresses = [cluster.node(index)["http"] for index in cluster.indexes()]
        lone = leading(cluster)
        cluster.partition([lone])
        try:
            with Trade([each for each in addresses if each != cluster.node(lone)["http"]], goods, told) as trade:
                trade.goes_on("without the one that is cut off")
        finally:
            cluster.heal()
        poll("all hear each other", cluster.settled)
        laws_hold(cluster)

    if not cluster.state["namespaces"]:
        suite.cases.pop()
        suite.skip("a_node_that_is_cut_off_comes_back_to_what_the_others_did", "no network namespaces (be root)")

    @suite.case
    def nodes_of_two_builds_are_one_cluster_while_they_are_replaced_one_by_one():
        addresses = [cluster.node(index)["http"] for index in cluster.indexes()]
        with Trade(addresses, goods, told) as trade:
            for replaced, index in enumerate(cluster.indexes(), 1):
                cluster.end(cluster.node(index)["process"])
                cluster.newer |= {index}
                cluster.start(index)
                poll("the new one has caught up", cluster.settled)
                expected = {peer: 2 if {peer, index} <= cluster.newer else 1 for peer in cluster.indexes() if peer != index}
                equal(cluster.versions_spoken(index), expected, f"versions that node {index} agreed on")
                trade.goes_on(f"with {replaced} of the next build")
        laws_hold(cluster)

    @suite.case
    def a_node_whose_store_is_damaged_says_so_and_leaves_what_it_led_to_whole_copies():
        broken = leading(cluster)
        cluster.end(cluster.node(broken)["process"])
        damage(broken, "events")
        try:
            cluster.start(broken)
            poll("it has caught up", cluster.settled)
            lead_until_damage_is_met(broken)
            admin = admin_of(cluster, broken)
            for order in told.sold:
                poll("each order is found", lambda o=order: admin.get(f"/api/orders/{o}").status == 200)
            poll("it leads nothing", lambda: all(node["leads"] == 0 for node in cluster.report(broken)["nodes"]
                                                 if node["id"] == broken))
        finally:
            cluster.kill(broken)

    @suite.case
    def a_lost_disk_is_rebuilt_under_a_new_number_and_every_replica_is_equal():
        lost = next(index for index in cluster.indexes() if index not in cluster.running())  # of the case before
        by = cluster.running()[0]
        with Trade([cluster.node(index)["http"] for index in cluster.running()], goods, told) as trade:
            shutil.rmtree(os.path.join(cluster.node(lost)["home"], "data"))
            new = cluster.grow()
            operate(by, "replace", str(lost), str(new), "--yes", "--why", "its disk is lost")
            operate(by, "remove", str(lost), "--yes", "--why", "its disk is lost")
            cluster.forget(lost)
            poll("the new node has its copies", cluster.settled)
            trade.goes_on("on the new node too")
        replicas_are_equal()
        laws_hold(cluster)

    @suite.case
    def a_node_joins_although_the_record_is_led_by_one_that_joined_after_its_beginning():
        youngest = cluster.indexes()[-1]
        operate(youngest, "transfer", "cluster", str(youngest))
        poll("the record is led by the youngest", lambda: cluster.report(youngest)["shards"][-1]["leader"] == youngest)
        cluster.grow()
        poll("the new node has its copies", cluster.settled)
        replicas_are_equal()

    @suite.case
    def the_certificate_of_a_removed_node_is_refused():
        gone, by = cluster.indexes()[0], cluster.indexes()[-1]  # the lower number dials
        operate(by, "drain", str(gone), "--yes", "--why", "a test")
        operate(by, "remove", str(gone), "--yes", "--why", "a test")
        cluster.kill(gone)
        cluster.launch(gone)  # with the certificate that the authority signed, and all it had
        refusal = re.compile(rf"a connection of a node was refused.* reason=not_a_member node={gone} ")
        poll("it is refused", lambda: any(refusal.search(log_of(index)) for index in cluster.indexes() if index != gone))
        reached = [index for index in cluster.indexes() if index != gone and
                   any(node["id"] == gone for node in cluster.report(index)["nodes"])]
        equal(reached, [])
        cluster.kill(gone)
        cluster.forget(gone)
        laws_hold(cluster)

    @suite.case
    def every_node_lists_each_acknowledged_order_once_as_it_was_told():
        for index in cluster.indexes():
            listed = poll("the list is whole", lambda i=index: (found := admin_of(cluster, i).all_of("/api/orders")) and
                          len(found) >= told.count() and found)
            equal(sorted(each["order_id"] for each in listed), sorted(told.sold), f"orders on node {index}")
            for each in listed:
                order = told.sold[each["order_id"]]
                equal((each["status"], each["total"], each["items"]), ("paid", order["total"], order["items"]))

    @suite.case
    def every_node_knows_the_stock_that_is_left():
        for product in goods:
            units = sum(each["quantity"] for order in told.sold.values() for each in order["items"]
                        if each["product_id"] == product)
            for index in cluster.indexes():
                figures = admin_of(cluster, index).get(f"/api/inventory/{product}").expect(200).json
                equal({name: figures[name] for name in ("sold", "on_hand", "reserved")},
                      {"sold": units, "on_hand": STOCK - units, "reserved": 0}, f"{product} on node {index}")

    @suite.case
    def the_nodes_stop_in_order_when_told_to():
        children = [cluster.children[cluster.node(index)["process"]["pid"]] for index in cluster.indexes()]
        cluster.down()
        equal([child.wait(10) for child in children], [0, 0, 0])

    suite.run()
finally:
    cluster.down()
    if suite.failed:
        print(f"       kept: {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
suite.end()
