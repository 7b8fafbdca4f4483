#!/usr/bin/env python3
"""The traffic generator against a real node that is killed on the way: what it was told must be what the shop knows.

The wholesaler's year is read from ../shared/data when it is there; without it that case is skipped, saying so."""

import csv
import gzip
import json
import os
import time

from harness import Shop, Suite, check, equal, fresh_shop, poll
from harness.group import NODES
from harness.load import Load

SALES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared", "data", "online-retail.csv.gz")
CLIENTS, STOCK = 300, 30
ROWS = 3_000 // NODES  # three nodes take their time
LINES_MANY = 1_114

suite = Suite()


def kill_on_the_way(node, load, orders):
    """Kills the node once it has taken that many orders (or the generator is done before)."""
    shop = Shop(node)
    poll("orders come in", lambda: len(shop.admin.get("/api/orders?limit=100").json["items"]) >= orders or
         load.process.poll() is not None)
    node.keep_addresses()
    node.restart()


def kinds_of_rows(path, limit):
    """Lines and invoices among the first `limit` rows that are sales."""
    lines, invoices = 0, set()
    with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if number == limit:
                break
            if row["InvoiceNo"].isdigit() and int(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0:
                lines += 1
                invoices.add(row["InvoiceNo"])
    return lines, len(invoices)


@suite.case
def a_flash_sale_sells_what_there_is_also_when_the_node_is_killed():
    with fresh_shop() as node:
        node.start()
        load = Load(node, "flash-sale", "--clients", str(CLIENTS), "--stock", str(STOCK))
        kill_on_the_way(node, load, STOCK // 3)
        equal(load.result()["orders"], STOCK, "orders")


def replayed_invoices_are_all_there_also_when_the_node_is_killed():
    lines, invoices = kinds_of_rows(SALES, ROWS)
    with fresh_shop() as node:
        node.start()
        load = Load(node, "replay", SALES, "--limit", str(ROWS))
        kill_on_the_way(node, load, 20)
        said = load.result()
        equal((said["orders"], said["lines"]), (invoices, lines), "orders and lines")


if os.path.exists(SALES):
    suite.case(replayed_invoices_are_all_there_also_when_the_node_is_killed)
else:
    suite.skip(replayed_invoices_are_all_there_also_when_the_node_is_killed.__name__,
               "the trade data is not beside the project")


@suite.case
def a_storefront_is_told_the_truth_also_when_the_node_is_killed():
    with fresh_shop() as node:
        shop = Shop(node.start())
        for i in range(12):
            shop.product(price=500 + 333 * i, stock=10_000, category=("Toys", "Books > Novels", "Home > Lamps")[i % 3],
                         brand=("Acme", "Bolt")[i % 2], weight_g=100 * i)
        load = Load(node, "storefront", "--duration", "12", "--think-ms", "30", "--abandon", "10", "--declined", "15",
                    "--coupons", "60", "--gift-cards", "30", "--returned", "30", "--facets", "30", "--single-use", "5",
                    "--cards", "timeout_before=1,timeout_after=1,twice=3,late=1,garbage=1,async=1,async_declined=1")
        kill_on_the_way(node, load, 20)
        said = load.result()
        check(said["orders"] > 0, "no orders")
        for name in ("facets_checked", "suggestions_checked", "totals_checked", "returned_units", "checkouts_tok_twice"):
            check(said["answers"].get(name, 0) > 0, "none: " + name, said["answers"])
        check("single_use_once" in said["laws"], said["laws"])
        equal(said["notes"], [])
        for path in ("tax-rates", "shipping-methods"):
            shown = node.client().get("/api/" + path).expect(200).json
            equal(shown.get("rates", []) + shown.get("methods", []), [], "terms of the run are left")


@suite.case
def a_checkout_of_many_lines_works():
    with fresh_shop() as node:
        node.start()
        shop = Shop(node)
        rows = [{"id": f"m-{i}", "name": f"Many {i}", "price": {"amount": 100 + i, "currency": "GBP"}, "on_hand": 5}
                for i in range(LINES_MANY)]
        sent = "\n".join(map(json.dumps, rows)).encode()
        done = shop.admin.post("/api/products/import", sent, headers={"Content-Type": "application/x-ndjson"}).expect(200)
        equal(json.loads(done.body.splitlines()[-1])["imported"], LINES_MANY)
        guest = shop.guest()
        for begin in range(0, LINES_MANY, 500):
            items = [{"product_id": row["id"], "quantity": 1} for row in rows[begin:begin + 500]]
            guest.web.post("/api/cart/items", items).expect(201)
        began = time.monotonic()
        order = guest.checkout().expect(201).json
        check(time.monotonic() - began < 30, "it took long")
        poll("it is paid", lambda: shop.admin.get("/api/orders/" + order["order_id"]).json["status"] == "paid")
        paid = shop.admin.get("/api/orders/" + order["order_id"]).json
        equal(len(paid["items"]), LINES_MANY)
        node.laws("30s")


suite.run()
suite.end()
