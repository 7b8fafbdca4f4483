#!/usr/bin/env python3
"""A backup of three nodes that trade, a second one that writes only what is new, the loss of everything, and five nodes that go
on where the backup was, with what the provider did since listed first. The long version is tools/backup_drill.sh."""

import http.server
import json
import os
import random
import signal
import sys
import tempfile
import threading

from harness import Client, Gone, Suite, check, equal, poll, programs
from harness.node import ROOT
from harness.shop import ADDRESS, fresh, pounds
from harness.suite import PATIENCE_S

sys.path.append(os.path.join(ROOT, "tools", "cluster"))
from local_cluster import Cluster  # noqa: E402

CUSTOMERS = 3
ORDERS_BEFORE = 15
STOCK, PRICE = 100_000, 250
PAUSE_MAX_MS = 100
NODES_AFTER = 5


def place(web, product, key=None):
    """A fresh guest's order of one unit; what the shop answered."""
    web.token = None
    web.token = web.post("/api/sessions", key=fresh("backup-session-key")).expect(201)["token"]
    web.post("/api/cart/items", {"product_id": product, "quantity": 1}, key=fresh("backup-item-key")).expect(201)
    body = {"email": "a@b.example", "shipping_address": ADDRESS, "payment_method": {"type": "card", "token": "tok_ok"}}
    return web.post("/api/orders", body, key=key or fresh("backup-order-key"))


class Trade:
    """Customers at work while the block runs, each on a node of its own."""

    def __init__(self, addresses, products):
        self.addresses, self.products = addresses, products
        self.end, self.told, self.failures = threading.Event(), [], []

    def shop(self, number):
        web = Client(self.addresses[number % len(self.addresses)], timeout=PATIENCE_S)
        chance = random.Random(number)
        while not self.end.is_set():
            try:
                answer = place(web, chance.choice(self.products))
                if answer.status == 201:
                    self.told.append(answer.json["order_id"])
                elif answer.status < 500:
                    self.failures.append(repr(answer))
            except (Gone, AssertionError) as wrong:
                self.failures.append(str(wrong))

    def __enter__(self):
        self.threads = [threading.Thread(target=self.shop, args=(number,), daemon=True) for number in range(CUSTOMERS)]
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for each in self.threads:
            each.join(2 * PATIENCE_S)

    def goes_on(self):
        wanted = len(self.told) + ORDERS_BEFORE
        poll("orders go on", lambda: len(self.told) >= wanted or self.failures, 2 * PATIENCE_S)
        equal(self.failures, [])


class EmptyLedger:
    """A provider that has taken nothing; its URL while the block runs."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b'{"entries":[]}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def backup(index, *more):
    return json.loads(cluster.ctl(index, "--json", "backup", "create", "--to", folder, *more, seconds=180))


def ctl(*words):
    """omnicartctl without a node: its output and exit code."""
    return cluster.ctl(cluster.indexes()[0], *words, check=False, seconds=180)


def restore(home, *more):
    return ctl("--json", "backup", "restore", folder, *more, "--data", home, "--provider", cluster.state["pay"]["url"])


def listed(index):
    token = cluster.ctl(index, "token", "issue", "--role", "admin", "--ttl", "3600").strip()
    return {each["order_id"]: each for each in Client(cluster.node(index)["http"], token).all_of("/api/orders")}


def laws(index):
    said, _ = cluster.ctl(index, "--json", "laws", "--wait", "60s", check=False, seconds=180)
    return json.loads(said)


suite = Suite()
directory = tempfile.mkdtemp(prefix="omnicart-e2e.")
folder = os.path.join(directory, "backups")
cluster = Cluster(os.path.join(directory, "cluster"), programs(), {"payment": {"answer_timeout_ms": 400}})
goods, made, after = [], [], {}
try:
    @suite.case
    def three_nodes_trade():
        cluster.up(3)
        token = cluster.ctl(1, "token", "issue", "--role", "admin").strip()
        admin = Client(cluster.node(1)["http"], token)
        goods.extend(fresh("p") for _ in range(4))
        for product in goods:
            admin.post("/api/products", {"id": product, "name": "An article", "price": pounds(PRICE)}).expect(201)
            admin.put(f"/api/inventory/{product}", {"on_hand": STOCK, "reason": "delivery"}).expect(200)

    @suite.case
    def a_backup_is_made_while_customers_shop_and_the_second_writes_only_what_is_new():
        with Trade([cluster.node(each)["http"] for each in cluster.indexes()], goods) as trade:
            trade.goes_on()
            made.append(backup(2, "--why", "the first"))
            trade.goes_on()
            known = set(trade.told)
            made.append(backup(3))
            trade.goes_on()
        first, second = made
        for each in made:
            check(each["backup"]["paused_ms"] <= PAUSE_MAX_MS, "the nodes were paused for too long", each)
            check(each["backup"]["totals"]["captures"] > 0, "nothing was sold in the backup", each)
        equal(first["new_bytes"], first["bytes"])
        check(second["new_bytes"] < second["bytes"], "the second backup wrote everything again", second)
        check(second["backup"]["totals"]["orders"] >= len(known), "an acknowledged order is not in the cut", second)
        print(f"       paused {first['backup']['paused_ms']} and {second['backup']['paused_ms']} ms, "
              f"{first['backup']['tries']} and {second['backup']['tries']} tries")

    @suite.case
    def list_and_verify_know_both():
        said, code = ctl("--json", "backup", "list", folder)
        equal((code, [each["id"] for each in json.loads(said)["backups"]]), (0, sorted(each["backup"]["id"] for each in made)))
        for each in made:
            said, code = ctl("--json", "backup", "verify", folder, each["backup"]["id"])
            equal(code, 0, said)
            equal(json.loads(said)["records"], each["backup"]["records"])

    @suite.case
    def an_order_is_charged_once_although_the_backup_only_knows_that_it_was_to_be():
        pay = cluster.state["pay"]["process"]
        cluster.send_signal(pay, signal.SIGSTOP)
        try:
            web, key = Client(cluster.node(1)["http"], timeout=PATIENCE_S), fresh("backup-order-key")
            answers = []
            asked = threading.Thread(target=lambda: answers.append(place(web, goods[0], key)), daemon=True)
            asked.start()
            poll("the order waits for the provider", lambda: backup(1)["backup"]["totals"]["in_flight"] > 0, 2 * PATIENCE_S)
            last = backup(1)
            check(last["backup"]["totals"]["in_flight"] >= 1, "no order was on its way", last)
        finally:
            cluster.send_signal(pay, signal.SIGCONT)
        asked.join(2 * PATIENCE_S)
        check(answers and answers[0].status in (201, 202), "the order was not placed", answers)
        after["waiting"] = answers[0].json["order_id"]
        poll("it is paid", lambda: listed(1)[after["waiting"]]["status"] == "paid", 2 * PATIENCE_S)
        after["backup"] = last
        # Nobody shops any more: the provider's ledger is that of the cut and this order.
        after["orders"] = listed(1)

    @suite.case
    def a_restore_lists_what_the_backup_does_not_know_and_waits_to_be_told_to_go_on():
        home = os.path.join(directory, "refused")
        said, code = restore(home, made[0]["backup"]["id"])
        equal(code, 1, said)
        check(not os.path.exists(home), "a refused restore left something")
        with open(home + ".unknown-payments.json", encoding="utf-8") as file:
            unknown = json.load(file)["unknown"]
        captured = made[0]["backup"]["totals"]["captures"]
        check(len(unknown) >= len(after["orders"]) - captured - made[0]["backup"]["totals"]["in_flight"],
              "a capture is missing", len(unknown), len(after["orders"]), captured)
        check(all(each["order_id"] in after["orders"] and each["amount_minor"] == PRICE for each in unknown), unknown)

    @suite.case
    def a_restore_beside_another_provider_is_refused():
        home = os.path.join(directory, "beside-another")
        captures = made[0]["backup"]["totals"]["captures"]
        with EmptyLedger() as url:
            said, code = ctl("--json", "backup", "restore", folder, made[0]["backup"]["id"], "--accept-unknown", "--data", home,
                             "--provider", url)
        equal(code, 1, said)
        check(not os.path.exists(home), "a refused restore left something")
        with open(home + ".unknown-payments.json", encoding="utf-8") as file:
            listed_there = json.load(file)
        equal((listed_there["known"], listed_there["unknown"], listed_there["missing_count"]), (0, [], captures))
        check(all(each["order_id"] in after["orders"] for each in listed_there["missing"]), listed_there)

    @suite.case
    def after_the_loss_of_everything_one_node_goes_on_and_four_join_it():
        for index in cluster.running():
            cluster.kill(index)
        lost = cluster.indexes()
        home = os.path.join(directory, "restored")
        said, code = restore(home, after["backup"]["backup"]["id"])
        equal(code, 0, said)
        compared = json.loads(said)["provider"]
        equal((len(compared["unknown"]), compared["awaited"], compared["missing_count"]), (0, 1, 0))
        for index in lost:
            cluster.forget(index)
        first = cluster.add_node()
        os.rename(home, os.path.join(cluster.node(first)["home"], "data"))
        cluster.start(first)
        poll("the order that waited is paid", lambda: listed(first)[after["waiting"]]["status"] == "paid", 2 * PATIENCE_S)
        while len(cluster.indexes()) < NODES_AFTER:
            cluster.grow()
        poll("all have everything", cluster.settled, 120)

    @suite.case
    def the_books_are_those_of_the_cut_on_every_node_and_nobody_was_charged_twice():
        totals = after["backup"]["backup"]["totals"]
        for index in cluster.indexes():
            report = laws(index)
            equal([name for name, holds in report["laws"].items() if not holds], [], report["detail"])
            equal(report["figures"]["products"], totals["products"])
            # The one order that was on its way has been paid since.
            equal(report["figures"]["captured"]["GBP"], totals["captured"]["GBP"] + PRICE)
            equal(report["figures"]["gross"]["GBP"], totals["captured"]["GBP"] + PRICE)
            equal(report["figures"]["orders"], totals["captures"] + 1)
        now = listed(cluster.indexes()[-1])
        equal({each: (order["status"], order["total"]) for each, order in now.items()},
              {each: (order["status"], order["total"]) for each, order in after["orders"].items()})

    @suite.case
    def the_restored_shop_sells():
        for index in cluster.indexes():
            place(Client(cluster.node(index)["http"], timeout=PATIENCE_S), goods[1]).expect(201)

    suite.run()
finally:
    cluster.down()
    suite.leave(directory)
suite.end()
