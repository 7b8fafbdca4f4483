#!/usr/bin/env python3
"""The simulated provider ends under a living node: it is started again, said to be down meanwhile, and no order is
lost or paid twice."""

import os
import signal

from harness import Client, Node, Shop, Suite, check, equal, poll

suite = Suite()
CONFIG = "[payment]\nanswer_timeout_ms = 500\n"


def metric(node, name):
    for line in node.operate().get("/metrics").expect(200).body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return None


def sockets_of(pid):
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            continue
    return {name for name in found if name.startswith("socket:")}


def another_provider(node, than):
    return poll("a provider runs again", lambda: (p := node.pay_pid()) and p != than and p)


def paid(guest, order):
    poll("paid", lambda: guest.web.get("/api/orders/" + order["order_id"])["status"] == "paid")


@suite.case
def a_killed_provider_is_started_again_and_checkouts_go_on():
    with Node(CONFIG) as node:
        shop = Shop(node.start())
        product = shop.product(stock=100)
        shop.buy(product)
        equal((metric(node, "omnicart_payment_provider_up"), metric(node, "omnicart_payment_provider_restarts_total")), (1, 0))
        provider = node.pay_pid()
        os.kill(provider, signal.SIGKILL)
        guest = shop.guest()
        guest.add(product, 1).expect(201)
        order = guest.checkout().expect(201).json  # in the gap or after it
        successor = another_provider(node, provider)
        paid(guest, order)
        _, later = shop.buy(product)
        equal(later["status"], "paid")
        poll("the restart is counted", lambda: metric(node, "omnicart_payment_provider_restarts_total") == 1)
        equal(metric(node, "omnicart_payment_provider_up"), 1)
        check("payment provider is down" in node.stderr() and "was killed by signal 9" in node.stderr(), node.stderr())
        check("payment provider runs again" in node.stderr(), node.stderr())
        equal(sockets_of(successor) & sockets_of(node.pid), set(), "the provider holds sockets of its node")
        equal(node.ctl("status").returncode, 0)
        check(len(node.ledger()) >= 3, "the URL is no longer good")
        node.laws()
        equal(node.stop(), 0)


class Hindered:
    """While this holds the provider cannot start: something else stands where its ledger was."""

    def __init__(self, node):
        self.node, self.path = node, os.path.join(node.data, "pay", "ledger.log")
        self.killed = node.pay_pid()

    def __enter__(self):
        os.kill(self.killed, signal.SIGSTOP)
        os.rename(self.path, self.path + ".aside")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("somebody's diary\n")
        os.kill(self.killed, signal.SIGKILL)
        return self

    def __exit__(self, *_):
        os.replace(self.path + ".aside", self.path)


@suite.case
def a_provider_that_stays_down_is_reported_and_its_orders_are_paid_when_it_is_back():
    with Node(CONFIG) as node:
        shop = Shop(node.start())
        guest, product = shop.guest(), shop.product(stock=10)
        guest.add(product, 2).expect(201)
        with Hindered(node) as hindered:
            said = poll("the status says so", lambda: (s := node.ctl("status")).returncode == 1 and s.stdout)
            check("NOT SERVING IN FULL" in said and "! payments: omnicart-pay" in said, said)
            ready = Client(node.operator, public=False).get("/health/ready").expect(200)
            equal(ready["status"], "degraded")
            check("payments wait" in ready["detail"], ready)
            equal(metric(node, "omnicart_payment_provider_up"), 0)
            order = guest.checkout().expect(201).json
            equal((order["status"], order["payment"]["status"]), ("pending", "pending"))
            poll("it was tried more than once", lambda: node.stderr().count("payment provider is down") >= 3)
            check("not a ledger" in node.stderr(), node.stderr())
        another_provider(node, hindered.killed)
        paid(guest, order)
        equal(Client(node.operator, public=False).get("/health/ready").expect(200)["status"], "ok")
        equal(node.ctl("status").returncode, 0)
        equal([e["kind"] for e in node.ledger() if e["key"] == order["order_id"]].count("capture"), 1)
        node.laws()


@suite.case
def a_node_whose_provider_does_not_start_stops_in_order():
    with Node(CONFIG) as node:
        node.start()
        with Hindered(node):
            poll("it is down", lambda: "payment provider is down" in node.stderr())
            equal(node.stop(), 0)
        node.start()


suite.run()
suite.end()
