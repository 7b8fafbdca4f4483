"""A cluster as its operators and its staff see it."""

import os
import sys

from .client import Client
from .node import ROOT
from .suite import PATIENCE_S, check, equal, poll

sys.path += [os.path.join(ROOT, "tools", "cluster")]
from local_cluster import Cluster  # noqa: E402

__all__ = ["Cluster", "addresses_of", "admin_of", "as_told", "laws_hold", "leading", "leads", "operate", "stock_is_conserved"]


def addresses_of(cluster):
    return [cluster.node(index)["http"] for index in cluster.indexes()]


def admin_of(cluster, index):
    token = cluster.ctl(index, "token", "issue", "--role", "admin", "--ttl", "3600").strip()
    return Client(cluster.node(index)["http"], token)


def leading(cluster):
    """A node that leads something: the one that leads most."""
    report = cluster.report(cluster.running()[0])
    return max(report["nodes"], key=lambda each: each["leads"])["id"]


def leads(cluster, index, by):
    """How many shards the node leads, as another one knows."""
    return next(each["leads"] for each in cluster.report(by)["nodes"] if each["id"] == index)


def laws_hold(cluster):
    for index in cluster.running():
        said, code = cluster.ctl(index, "--json", "laws", "--wait", "60s", check=False, seconds=180)
        equal(code, 0, f"laws on node {index}: {said[-2000:]}")


def operate(cluster, by, *words):
    """An operator's command to one node, again and again until it is done: some wait for others to move."""
    last = []

    def done():
        last[:] = [cluster.ctl(by, "cluster", *words, check=False)]
        return last[0][1] == 0
    try:
        poll(" ".join(words), done, 2 * PATIENCE_S)
    except AssertionError as wrong:
        check(False, wrong, last)


def as_told(cluster, told):
    """Every node lists each order that customers were told of, once and as they were told."""
    for index in cluster.indexes():
        listed = poll("the list is whole", lambda i=index: (found := admin_of(cluster, i).all_of("/api/orders")) and
                      len(found) >= told.count() and found)
        equal(sorted(each["order_id"] for each in listed), sorted(told.sold), f"orders on node {index}")
        for each in listed:
            order = told.sold[each["order_id"]]
            equal((each["status"], each["total"], each["items"]), ("paid", order["total"], order["items"]))


def stock_is_conserved(cluster, told, goods, delivered):
    """On every node, `delivered` of each article are in stock or in an order that customers were told of."""
    for product in goods:
        units = sum(each["quantity"] for order in told.sold.values() for each in order["items"]
                    if each["product_id"] == product)
        for index in cluster.indexes():
            figures = admin_of(cluster, index).get(f"/api/inventory/{product}").expect(200).json
            equal({name: figures[name] for name in ("sold", "on_hand", "reserved")},
                  {"sold": units, "on_hand": delivered - units, "reserved": 0}, f"{product} on node {index}")
