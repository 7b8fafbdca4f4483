#!/usr/bin/env python3
"""Three nodes are one shop: trade on all of them, the loss of a leader under load, its return, a cut network that heals, a
lost disk, nodes that come and go. The long versions are in tools/chaos.sh and tools/failover.sh."""

import glob
import json
import os
import re
import shutil
import sys
import tempfile
import time

from harness import Client, Node, Shop, Suite, check, equal, metrics, poll, programs, run_ctl
from harness.cluster import Cluster, addresses_of, admin_of, as_told, laws_hold, leading, operate, stock_is_conserved
from harness.node import ROOT
from harness.secrets import link_config
from harness.shop import fresh, pounds
from harness.suite import PATIENCE_S
from harness.trade import Book, Trade

sys.path += [os.path.join(ROOT, "tools", "chaos")]
from shop import Replicas, wait_until_equal  # noqa: E402

STOCK, PRICE = 100_000, 250
CONFIG = {"payment": {"answer_timeout_ms": 400}}


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


def replicas_are_equal():
    found, _ = wait_until_equal(Replicas(cluster), PATIENCE_S, time.monotonic())
    equal(found, [])


def log_of(index):
    with open(os.path.join(cluster.node(index)["home"], "log"), encoding="utf-8", errors="replace") as file:
        return file.read()


def operator_of(index):
    node = cluster.node(index)
    with open(os.path.join(node["home"], "data", "operator.token"), encoding="utf-8") as file:
        return Client(node["operator"], file.read().strip(), public=False)


def metrics_of(index):
    return operator_of(index).get("/metrics").expect(200).body.decode()


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
    def the_report_has_every_operation_that_the_record_keeps():
        told_why = [f"operation {number}" for number in range(120)]
        operator = operator_of(1)
        for number, why in enumerate(told_why):  # 4 moves at first, and in the end
            operator.post("/cluster/configure", {"moves_max": 5 - number % 2, "who": "a test", "why": why}).expect(200)

        def kept(index):
            whole = json.loads(cluster.ctl(index, "cluster", "status", "--json"))
            return [each["why"] for each in whole["operations"] if each["who"] == "a test"]
        for index in cluster.running():
            poll("the record is everywhere", lambda at=index: kept(at)[-1:] == told_why[-1:])
            equal(kept(index), told_why)

    @suite.case
    def the_metrics_are_those_that_the_documents_list():
        with Node() as alone:  # with a provider of its own
            Shop(alone.start()).buy()
            found = metrics.exported(alone.operate().get("/metrics").expect(200).body.decode())
        with Node() as secured:  # its link has a certificate
            folder = os.path.join(secured.home, "certs")
            for command in (("init", folder, "--cluster", "secured"), ("node", folder, "--id", "1")):
                equal(run_ctl("cert", *command).returncode, 0)
            secured.write_config(link_config(folder, "secured"))
            secured.start()
            found |= metrics.exported(secured.operate().get("/metrics").expect(200).body.decode())
        for index in cluster.running():
            found |= metrics.exported(metrics_of(index))
        documented = metrics.listed()
        equal(sorted(found.keys() - documented.keys()), [], "exported and not in docs/metrics.md")
        equal(sorted(documented.keys() - found.keys()), [], "in docs/metrics.md and not exported")
        for name, what in documented.items():
            equal(what, found[name], f"type, labels and help of {name} in docs/metrics.md")

    @suite.case
    def customers_ride_through_the_loss_of_a_leader_and_its_return():
        addresses = addresses_of(cluster)
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
        addresses = addresses_of(cluster)
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
        addresses = addresses_of(cluster)
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
            cluster.launch(lost)  # as if nothing had happened: with an empty store, and no memory of its votes
            refusal = re.compile(rf"a connection of a node was refused.* reason=another_store node={lost} ")
            poll("it is refused", lambda: any(refusal.search(log_of(index)) for index in cluster.running() if index != lost))
            cluster.kill(lost)
            new = cluster.grow()
            operate(cluster, by, "replace", str(lost), str(new), "--yes", "--why", "its disk is lost")
            operate(cluster, by, "remove", str(lost), "--yes", "--why", "its disk is lost")
            cluster.forget(lost)
            poll("the new node has its copies", cluster.settled)
            trade.goes_on("on the new node too")
        replicas_are_equal()
        laws_hold(cluster)

    @suite.case
    def a_node_joins_although_the_record_is_led_by_one_that_joined_after_its_beginning():
        youngest = cluster.indexes()[-1]
        operate(cluster, youngest, "transfer", "cluster", str(youngest))
        poll("the record is led by the youngest", lambda: cluster.report(youngest)["shards"][-1]["leader"] == youngest)
        cluster.grow()
        poll("the new node has its copies", cluster.settled)
        replicas_are_equal()

    @suite.case
    def the_certificate_of_a_removed_node_is_refused():
        gone, by = cluster.indexes()[0], cluster.indexes()[-1]  # the lower number dials
        operate(cluster, by, "drain", str(gone), "--yes", "--why", "a test")
        operate(cluster, by, "remove", str(gone), "--yes", "--why", "a test")
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
        as_told(cluster, told)

    @suite.case
    def every_node_knows_the_stock_that_is_left():
        stock_is_conserved(cluster, told, goods, STOCK)

    @suite.case
    def the_nodes_stop_in_order_when_told_to():
        children = [cluster.children[cluster.node(index)["process"]["pid"]] for index in cluster.indexes()]
        cluster.down()
        equal([child.wait(10) for child in children], [0, 0, 0])

    suite.run()
finally:
    cluster.down()
    suite.leave(directory)
suite.end()
