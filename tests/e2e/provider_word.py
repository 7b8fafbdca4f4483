#!/usr/bin/env python3
"""What the provider says by itself, against a real node or three: signed webhooks in any order and number, payments that are only
authorised at first, charges for nothing, and both ledgers compared and mended."""

import json
import os
import signal
import socket
import tempfile
import time

from harness import Client, Node, Shop, Suite, at_every_node, check, equal, poll, serving
from harness.group import NODES, Group
from harness.secrets import secret_file, signed
from harness.shop import fresh, pounds

suite = Suite()
SECRET = "a secret of more than thirty-two characters"
WEBHOOK = "/api/payments/webhook"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def payment_section(options):
    return "\n".join(["[payment]", *(f"{name} = {json.dumps(value)}" for name, value in options.items()), ""])


def hearing(folder, **payment):
    """A node, or three, that take webhooks, with a provider that sends them: its own, since it must know where to."""
    payment |= {"webhook_secret_file": secret_file(folder, SECRET), "reconcile_every_s": 0}  # webhooks alone
    if NODES > 1:
        return Group(config={"node": {"shard_count": 10}, "payment": payment})  # few shards are soon shared out
    node = Node(payment_section(payment))
    node.addresses = (f"127.0.0.1:{free_port()}", "127.0.0.1:0")
    return node


def tell(shop, body, secret=SECRET, at=None, signature=None):
    raw = json.dumps(body).encode()
    headers = signed(raw, secret, at)
    return shop.web.post(WEBHOOK, raw, headers={**headers, "Omnicart-Signature": signature} if signature else headers)


def word(kind, key, amount, **more):
    return {"event": "1", "kind": kind, "key": key, "amount": amount, "currency": "GBP", "refund_key": "", "decline_code": "",
            "last4": "4242", **more}


def provider(node):
    """A client of the provider's own port."""
    return Client(node.pay, public=False)


def charge(shop, key, amount):
    return provider(shop.node).post("/charges", {"key": key, "amount": amount, "currency": "GBP", "method": "card",
                                                    "token": "tok_ok"}).expect(200)


def findings(node, *keys):
    """The exit code, and what is not as it should be with these payments; the others are in order."""
    said = node.ctl("--json", "payments", "reconcile")
    found = json.loads(said.stdout)["findings"]
    check({f["order_id"] for f in found} <= set(keys), found)
    return said.returncode, sorted((f["what"], f["mended"]) for f in found)


def sums(shop, key):
    entries = [e for e in shop.node.ledger() if e["key"] == key]
    return tuple(sum(e["amount"] for e in entries if e["kind"] == kind) for kind in ("capture", "refund"))


@suite.case
def only_what_is_signed_now_with_the_secret_is_taken(shop):
    body = word("capture", "nobody", 1)
    shop.web.post(WEBHOOK, body).expect(401, "bad_signature")
    tell(shop, body, secret="x" * 40).expect(401, "bad_signature")
    tell(shop, body, at=int(time.time()) - 3600).expect(401, "bad_signature")
    tell(shop, body, signature="v1=1").expect(401, "bad_signature")
    tell(shop, {"kind": "capture"}).expect(400, "malformed")
    tell(shop, word("dance", "nobody", 1)).expect(400, "malformed")


@suite.case
def an_outcome_that_comes_later_ends_the_order(shop):
    for card, status in (("tok_async", "paid"), ("tok_async_declined", "declined")):
        guest = shop.guest()
        guest.add(shop.product(price=700)).expect(201)
        made = guest.checkout(card=card)
        check(made.status in (201, 402), made)
        path = "/api/orders/" + made["order_id"]
        poll(status, lambda: guest.web.get(path)["status"] == status)


@suite.case
def repeated_and_late_words_change_nothing(shop):
    guest, order = shop.buy(shop.product(price=700), 2)
    key = order["order_id"]
    for kind, more in (("capture", {}), ("authorisation", {}), ("decline", {"decline_code": "no_funds"}), ("void", {}),
                       ("capture", {})):
        tell(shop, word(kind, key, 1400, **more)).expect(200)
    seen = guest.web.get("/api/orders/" + key).expect(200)
    equal((seen["status"], seen["payment"]["captured"]), ("paid", pounds(1400)))


@suite.case
def a_charge_for_no_order_is_given_back(shop):
    key = fresh("stranger")
    charge(shop, key, 4200)
    poll("given back", lambda: sums(shop, key) == (4200, 4200))
    tell(shop, word("capture", key, 4200)).expect(200)
    equal(sums(shop, key), (4200, 4200))


@suite.case
def a_charge_for_an_order_that_does_not_stand_is_given_back(shop):
    guest, product = shop.guest(), shop.product(price=900, stock=1)
    guest.add(product, 2).expect(201)
    key = guest.checkout().expect(409, "out_of_stock")["order_id"]
    charge(shop, key, 1800)
    poll("given back", lambda: sums(shop, key) == (1800, 1800))
    seen = poll("the order knows", lambda: (o := guest.web.get("/api/orders/" + key))["payment"].get("refunded") and o)
    equal((seen["status"], seen["payment"]["status"]), ("rejected", "refunded"))


@suite.case
def a_refund_made_at_the_provider_is_known(shop):
    guest, order = shop.buy(shop.product(price=700), 1)
    key = order["order_id"]
    provider(shop.node).post(f"/charges/{key}/refunds", {"refund_key": "by-phone", "amount": 300,
                                                         "currency": "GBP"}).expect(200)
    poll("known", lambda: guest.web.get("/api/orders/" + key)["payment"].get("refunded") == pounds(300))
    shop.admin.post(f"/api/orders/{key}/refunds", {"amount": pounds(401)}, key=fresh()).expect(422, "over_refund")


@suite.case
def nothing_is_stuck_and_the_ledgers_agree(shop):
    shop.node.laws()
    done = shop.node.ctl("payments", "reconcile")
    check(done.returncode == 0 and "the ledgers agree" in done.stdout, done.stdout, done.stderr)
    done = shop.node.ctl("orders", "stuck", "--older", "0s")
    check(done.returncode == 0 and "no order is stuck" in done.stdout, done.stdout, done.stderr)


def without_webhooks_the_ledgers_are_reconciled(_):
    with keeping() as node:
        shop = Shop(node.start())
        shop.web.post(WEBHOOK, {}).expect(404)
        _, order = shop.buy(shop.product(price=700), 1)
        paid, stranger = order["order_id"], fresh("stranger")
        charge(shop, stranger, 4200)
        provider(node).post("/charges", {"key": stranger + "-held", "amount": 100, "currency": "GBP", "method": "card",
                                         "token": "tok_ok", "capture": "later"}).expect(200)
        provider(node).post(f"/charges/{paid}/refunds", {"refund_key": "x", "amount": 100, "currency": "GBP"}).expect(200)
        ours = (paid, stranger, stranger + "-held")
        equal(findings(node, *ours), (1, [("authorised_without_order", False), ("charged_without_order", False), ("refund_not_known", False)]))
        equal(sums(shop, stranger), (4200, 0))
        mended = node.ctl("payments", "reconcile", "--mend")
        check(mended.returncode == 0 and "the ledgers agree" in mended.stdout, mended.stdout, mended.stderr)
        equal(sums(shop, stranger), (4200, 4200))
        equal(findings(node, *ours), (0, []))
        node.laws()


def without_webhooks_what_nobody_stands_for_goes_back_by_itself(_):
    with keeping(reconcile_every_s=1) as node:
        shop = Shop(node.start())
        guest, product = shop.guest(), shop.product(price=900, stock=1)
        guest.add(product, 2).expect(201)
        refused = guest.checkout().expect(409, "out_of_stock")["order_id"]
        stranger = fresh("stranger")
        charge(shop, stranger, 4200)
        provider(node).post("/charges", {"key": stranger + "-held", "amount": 100, "currency": "GBP", "method": "card",
                                         "token": "tok_ok", "capture": "later"}).expect(200)
        charge(shop, refused, 1800)
        for key, amount in ((stranger, 4200), (refused, 1800)):
            poll("given back", lambda: sums(shop, key) == (amount, amount))
        poll("voided", lambda: any(e["kind"] == "void" and e["key"] == stranger + "-held" for e in node.ledger()))
        poll("the order knows", lambda: guest.web.get("/api/orders/" + refused)["payment"]["status"] == "refunded")
        paid, order = shop.buy(shop.product(price=700), 1)
        provider(node).post(f"/charges/{order['order_id']}/refunds", {"refund_key": "by-phone", "amount": 300,
                                                                      "currency": "GBP"}).expect(200)
        poll("known", lambda: paid.web.get("/api/orders/" + order["order_id"])["payment"].get("refunded") == pounds(300))
        equal(findings(node), (0, []))
        node.laws()
        if NODES == 1:
            what_came_while_the_node_was_down_is_found(shop, node)


def what_came_while_the_node_was_down_is_found(shop, node):
    key = fresh("stranger")
    charge(shop, key, 4200)
    node.kill()
    shop = Shop(node.start())
    poll("given back", lambda: sums(shop, key) == (4200, 4200))
    node.laws()


def an_authorised_order_is_captured_with_its_first_shipment(_):
    with tempfile.TemporaryDirectory() as folder, hearing(folder, capture="shipment") as node:
        shop = Shop(node.start())
        guest, order = shop.buy(shop.product(price=700, stock=5), 2)
        path = "/api/orders/" + order["order_id"]
        equal((order["status"], order["payment"]["status"]), ("authorised", "authorised"))
        equal(sums(shop, order["order_id"]), (0, 0))
        shop.admin.post(path + "/shipments", {}).expect(201)
        poll("captured", lambda: guest.web.get(path)["payment"]["status"] == "captured")
        equal(sums(shop, order["order_id"]), (1400, 0))
        guest, order = shop.buy(shop.product(price=700, stock=5), 2)
        path = "/api/orders/" + order["order_id"]
        equal(guest.web.delete(path).expect(200)["status"], "cancelled")
        poll("voided", lambda: any(e["kind"] == "void" and e["key"] == order["order_id"] for e in node.ledger()))
        poll("known", lambda: at_every_node(lambda: guest.web.get(path)["payment"]["status"] == "voided"))
        guest, order = shop.buy(shop.product(price=700, stock=5), 1)
        provider(node).post(f"/charges/{order['order_id']}/void").expect(200)
        poll("cancelled", lambda: guest.web.get("/api/orders/" + order["order_id"])["status"] == "cancelled")
        gift_cards_and_authorisations_are_rows_of_the_ledger(shop)
        node.laws()


def gift_cards_and_authorisations_are_rows_of_the_ledger(shop):
    card = shop.gift_card(900)
    rows = lambda: [(row["kind"], row["status"], row["amount"]["amount"]) for row in ledger()["items"]]  # noqa: E731

    _, order = shop.buy(shop.product(price=500, stock=5), 1, gift_cards=[card])
    path = "/api/orders/" + order["order_id"]
    ledger = lambda: shop.admin.get(path + "/payments").expect(200).json  # noqa: E731
    equal((rows(), ledger()["items"][0]["gift_card"]), ([("gift_card", "taken", 500)], card))

    _, order = shop.buy(shop.product(price=700, stock=5), 2, gift_cards=[card])
    path = "/api/orders/" + order["order_id"]
    equal((order["total"], order["gift_card_total"], order["amount_due"]), (pounds(1400), pounds(400), pounds(1000)))
    equal(rows(), [("gift_card", "taken", 400), ("authorisation", "held", 1000)])
    shop.admin.post(path + "/shipments", {}).expect(201)
    poll("captured", lambda: ledger()["captured"]["amount"] == 1000)
    equal(rows(), [("gift_card", "taken", 400), ("authorisation", "taken", 1000), ("capture", "made", 1000)])
    equal(sums(shop, order["order_id"]), (1000, 0))

    card = shop.gift_card(400)
    guest, order = shop.buy(shop.product(price=700, stock=5), 2, gift_cards=[card])
    path = "/api/orders/" + order["order_id"]
    shop.admin.post(path + "/refunds", {"amount": pounds(100)}, key=fresh("refund")).expect(201)
    equal(guest.web.get(path)["payment"]["status"], "authorised", "what the provider holds is not hidden by what the card has back")
    guest.web.delete(path).expect(200)
    gone = [("gift_card", "returned", 400), ("authorisation", "voided", 1000), ("void", "made", 1000),
            ("gift_card_refund", "made", 100), ("gift_card_refund", "made", 300)]
    poll("voided", lambda: rows() == gone)
    equal(guest.web.get(path)["payment"]["status"], "voided")
    equal([e["kind"] for e in shop.node.ledger() if e["key"] == order["order_id"]][-1:], ["void"])
    equal(shop.admin.get("/api/gift-cards/" + card)["balance"], pounds(400))


def keeping(**payment):
    """A node, or three, that take no webhooks and do not look by themselves: what happens at the provider is heard of when somebody asks."""
    payment.setdefault("reconcile_every_s", 0)
    if NODES > 1:
        return Group(config={"node": {"shard_count": 10}, "payment": payment})
    return Node(payment_section(payment))


def lost_at_the_provider(shop, quantity, lines=None):
    """An order whose authorisation ended at the provider before its first shipment: path, answer to that shipment."""
    guest, order = shop.buy(shop.product(price=700, stock=5), quantity)
    path = "/api/orders/" + order["order_id"]
    provider(shop.node).post(f"/charges/{order['order_id']}/void").expect(200)
    equal(guest.web.get(path)["status"], "authorised", "nobody told")
    if lines:
        lines = [{"line_id": order["items"][0]["line_id"], "quantity": lines}]
    shop.admin.post(path + "/shipments", {"lines": lines} if lines else {}).expect(201)
    poll("refused", lambda: at_every_node(lambda: guest.web.get(path)["payment"]["status"] == "capture_failed"))
    return path


def events_of(shop, path):
    return [e["what"]["event"] for e in shop.admin.all_of(path + "/history")]


def is_stuck(node, path):
    said = node.ctl("--json", "orders", "stuck", "--older", "0s")
    found = [each for each in json.loads(said.stdout)["items"] if path.endswith(each["order_id"])]
    equal(said.returncode, 1 if found else 0)
    return found and found[0]["trouble"]


def a_capture_that_is_refused_after_shipping_is_shown_retried_and_written_off(_):
    with keeping(capture="shipment") as node:
        shop = Shop(node.start())
        path = lost_at_the_provider(shop, 2)
        order = path.rsplit("/", 1)[1]
        seen = shop.admin.get(path).expect(200)
        equal((seen["status"], seen["fulfilment"], seen["payment"].get("captured")), ("shipped", "shipped", None))
        equal([(r["kind"], r["status"]) for r in shop.admin.get(path + "/payments").expect(200)["items"]], [("authorisation", "lost")])
        equal(sums(shop, order), (0, 0))
        equal(is_stuck(node, path), "the payment was not captured: voided")
        said = node.ctl("orders", "explain", order).stdout
        check("refused to take what it authorised: voided" in said and "written_off" in said, said)
        # Nothing asks again by itself; a person may, and is told the same.
        equal(events_of(shop, path).count("capture_asked_again"), 0)
        equal(node.ctl("orders", "retry", order).returncode, 0)
        poll("refused again", lambda: events_of(shop, path).count("capture_failed") == 2)
        equal(is_stuck(node, path), "the payment was not captured: voided")
        node.laws()
        check(node.ctl("orders", "resolve", order, "refunds_done", "--note", "x").returncode == 1)
        equal(node.ctl("orders", "resolve", order, "written_off", "--note", "paid in cash").returncode, 0)
        equal(is_stuck(node, path), [])
        check("owes nobody anything" in node.ctl("orders", "explain", order).stdout)
        check("paid in cash" in node.ctl("entity", "show", "order/" + order, "--history").stdout)
        equal(shop.admin.put(path + "/status", {"status": "delivered"}).expect(200)["status"], "delivered")
        seen = shop.admin.get(path).expect(200)
        equal((seen["status"], seen["payment"]["status"], seen["payment"].get("captured")), ("delivered", "voided", None))
        # Nothing was paid, so nothing goes back.
        shop.admin.post(path + "/refunds", {"amount": pounds(1)}, key=fresh()).expect(422, "over_refund")
        equal(findings(node), (0, []))
        an_order_shipped_in_part_is_ended_by_people(shop)
        an_authorisation_that_ended_is_found_before_anything_is_shipped(shop)
        node.laws()


def an_order_shipped_in_part_is_ended_by_people(shop):
    path = lost_at_the_provider(shop, 3, lines=1)
    seen = shop.admin.get(path).expect(200)
    equal((seen["status"], seen["fulfilment"]), ("processing", "partly_shipped"))
    shop.admin.delete(path).expect(409, "not_cancellable")
    equal(shop.node.ctl("orders", "resolve", path.rsplit("/", 1)[1], "written_off", "--note", "a good customer").returncode, 0)
    # What stays in the warehouse counts as shipped, and comes back at once: nobody is paid back.
    shop.admin.put(path + "/status", {"status": "shipped"}).expect(200)
    line, product = seen["items"][0]["line_id"], seen["items"][0]["product_id"]
    back = {"lines": [{"line_id": line, "quantity": 2}], "received": True, "reason": "never left"}
    check("refund" not in shop.admin.post(path + "/returns", back).expect(201).json)
    poll("on the shelf", lambda: shop.figures(product)["available"] == 4)
    equal(shop.admin.put(path + "/status", {"status": "delivered"}).expect(200)["status"], "delivered")
    equal(findings(shop.node), (0, []))


def an_authorisation_that_ended_is_found_before_anything_is_shipped(shop):
    guest, order = shop.buy(shop.product(price=700, stock=5), 2)
    key = order["order_id"]
    provider(shop.node).post(f"/charges/{key}/void").expect(200)
    equal(findings(shop.node, key), (1, [("void_not_known", False)]))
    equal(guest.web.get("/api/orders/" + key)["status"], "authorised", "only looked at")
    mended = shop.node.ctl("payments", "reconcile", "--mend")
    check(mended.returncode == 0 and "void_not_known  14.00 GBP" in mended.stdout, mended.stdout, mended.stderr)
    poll("cancelled", lambda: at_every_node(lambda: guest.web.get("/api/orders/" + key)["status"] == "cancelled"))
    equal(findings(shop.node), (0, []))


def an_order_without_a_word_is_explained_given_up_and_ends(_):
    with serving() as node:
        shop = Shop(node.start())
        guest, key = shop.guest(), fresh("order")
        guest.add(shop.product()).expect(201)
        provider = node.pay_pid()
        os.kill(provider, signal.SIGSTOP)
        try:
            made = guest.checkout(key).expect(201)
            equal(made["status"], "pending")
            order = made["order_id"]
            said = node.ctl("orders", "stuck", "--older", "1s")
            check(said.returncode == 1 and order in said.stdout, said.stdout, said.stderr)
            said = node.ctl("orders", "explain", order)
            check(said.returncode == 0 and "charge > payment/" in said.stdout and "give_up" in said.stdout, said.stdout)
            check(node.ctl("orders", "retry", order).returncode == 0)
            said = node.ctl("orders", "resolve", order, "refunds_done", "--note", "x")
            check(said.returncode == 1, said.stdout, said.stderr)
            said = node.ctl("orders", "resolve", order, "give_up", "--note", "the provider is down")
            equal(said.returncode, 0, said.stderr)
            check("void >" in node.ctl("orders", "explain", order).stdout)
        finally:
            os.kill(provider, signal.SIGCONT)
        ended = poll("it ends", lambda: (s := guest.web.get("/api/orders/" + order)["status"]) != "pending" and s)
        check(ended in ("rejected", "paid"), ended)
        said = node.ctl("orders", "explain", "none")
        check(said.returncode == 1 and "no such order" in said.stderr, said.stderr)
        node.laws()


with tempfile.TemporaryDirectory(prefix="omnicart-e2e.") as home, hearing(home) as running:
    suite.run(Shop(running.start()))
suite.cases.clear()
for case in (without_webhooks_the_ledgers_are_reconciled, without_webhooks_what_nobody_stands_for_goes_back_by_itself,
             an_authorised_order_is_captured_with_its_first_shipment,
             a_capture_that_is_refused_after_shipping_is_shown_retried_and_written_off,
             an_order_without_a_word_is_explained_given_up_and_ends):
    suite.case(case)
suite.run(None)
suite.end()
