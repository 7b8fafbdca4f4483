#!/usr/bin/env python3
"""Shipments, deliveries, returns, refunds and notes, over HTTP against a real node; the books agree afterwards."""

import os
import tempfile

from harness import Shop, Suite, check, equal, poll, serving
from harness.load import Load
from harness.shop import fresh, pounds

suite = Suite()


def bought(shop, quantity=4, price=250, stock=10):
    """A guest's paid order of two lines: the product asked for and one unit of another."""
    product, other = shop.product(price=price, stock=stock), shop.product(price=99, stock=5)
    guest = shop.guest()
    guest.add(product, quantity).expect(201)
    guest.add(other, 1).expect(201)
    order = guest.checkout().expect(201).json
    lines = {item["product_id"]: item["line_id"] for item in order["items"]}
    return guest, "/api/orders/" + order["order_id"], product, lines[product], lines[other]


def settled(shop, path):
    return poll("nothing is owed", lambda: all(r["status"] == "made" for r in shop.admin.get(path).json.get("refunds", [])))


def refunds_at_provider(shop, path):
    key = path.rsplit("/", 1)[1]
    return [e["amount"] for e in shop.node.ledger() if e["kind"] == "refund" and e["key"] == key]


@suite.case
def an_order_is_shipped_in_parts_and_delivered(shop):
    guest, path, _, line, other = bought(shop)
    support = shop.node.staff("support")
    first = support.post(path + "/shipments", {"carrier": "Post", "tracking": "T1",
                                               "lines": [{"line_id": line, "quantity": 3}]}).expect(201)
    equal((first["number"], first["status"], first["order_status"]), (1, "shipped", "processing"))
    check(first.headers["location"].endswith("/shipments/1"))
    seen = guest.web.get(path).expect(200)
    equal((seen["fulfilment"], seen["shipments"][0]["tracking"]), ("partly_shipped", "T1"))
    equal({i["line_id"]: i.get("shipped") for i in seen["items"]}, {line: 3, other: None})
    support.post(path + "/shipments", {"lines": [{"line_id": line, "quantity": 2}]}).expect(409, "exceeds_left")
    support.post(path + "/shipments", {"lines": [{"line_id": 99, "quantity": 1}]}).expect(404, "no_such_line")
    rest = support.post(path + "/shipments", {"carrier": "Post", "tracking": "T2"}).expect(201)
    equal((rest["number"], rest["order_status"], len(rest["lines"])), (2, "shipped", 2))
    support.post(path + "/shipments", {}).expect(409, "illegal_step")
    support.put(path + "/shipments/1/status", {"status": "delivered"}).expect(200)
    equal(support.put(path + "/shipments/2/status", {"status": "delivered"}).expect(200)["order_status"], "delivered")
    support.put(path + "/shipments/3/status", {"status": "delivered"}).expect(404, "no_such_shipment")
    support.put(path + "/shipments/x/status", {"status": "delivered"}).expect(404, "no_such_shipment")
    equal(guest.web.get(path)["fulfilment"], "delivered")


@suite.case
def a_repeated_shipment_is_one_shipment(shop):
    _, path, _, line, _ = bought(shop)
    key, body = fresh("ship"), {"lines": [{"line_id": line, "quantity": 1}]}
    first = shop.admin.post(path + "/shipments", body, key=key).expect(201)
    shop.admin.post(path + "/shipments", body, key=fresh("ship")).expect(201)
    again = shop.admin.post(path + "/shipments", body, key=key).expect(201)
    equal((first["number"], again["number"], again.replayed), (1, 1, True))
    shop.admin.post(path + "/shipments", {}, key=key).expect(422)


@suite.case
def only_staff_ship_receive_refund_and_note(shop):
    guest, path, _, line, _ = bought(shop)
    stranger = shop.guest()
    lines = [{"line_id": line, "quantity": 1}]
    for call, body in (("/shipments", {}), ("/refunds", {"amount": pounds(1)}), ("/notes", {"text": "x"})):
        guest.web.post(path + call, body, key=fresh()).expect(403, "forbidden")
        shop.web.post(path + call, body, key=fresh()).expect(401)
    guest.web.put(path + "/shipments/1/status", {"status": "delivered"}).expect(403)
    guest.web.put(path + "/returns/1/status", {"status": "received"}).expect(403)
    guest.web.get(path + "/payments").expect(403)
    guest.web.get(path + "/notes").expect(403)
    guest.web.post(path + "/returns", {"lines": lines, "received": True}).expect(400, "invalid_body")
    stranger.web.post(path + "/returns", {"lines": lines}).expect(404, "no_such_order")


@suite.case
def a_shopper_asks_and_staff_receive_restock_and_refund(shop):
    guest, path, product, line, other = bought(shop)
    lines = [{"line_id": line, "quantity": 2}]
    guest.web.post(path + "/returns", {"lines": lines}).expect(409, "exceeds_left")
    shop.admin.post(path + "/shipments", {}).expect(201)
    poll("sold", lambda: shop.figures(product)["sold"] == 4)
    asked = guest.web.post(path + "/returns", {"lines": lines, "reason": "too small"}).expect(201)
    equal((asked["number"], asked["status"]), (1, "requested"))
    done = shop.admin.put(path + "/returns/1/status", {"status": "received"}).expect(200)
    equal((done["status"], done["restocked"], done["refund"]["amount"]), ("received", True, pounds(500)))
    settled(shop, path)
    poll("restocked", lambda: shop.figures(product)["returned"] == 2)
    equal(refunds_at_provider(shop, path), [500])
    seen = guest.web.get(path).expect(200)
    equal((seen["payment"]["status"], seen["payment"]["refunded"]), ("partly_refunded", pounds(500)))
    broken = shop.admin.post(path + "/returns", {"lines": [{"line_id": other, "quantity": 1}], "received": True,
                                                 "restock": False}).expect(201)
    equal((broken["restocked"], broken["refund"]["amount"]), (False, pounds(99)))
    refused = guest.web.post(path + "/returns", {"lines": lines}).expect(201)
    said = shop.admin.put(f"{path}/returns/{refused['number']}/status", {"status": "refused", "reason": "worn"}).expect(200)
    equal((said["status"], said["reason"]), ("refused", "worn"))
    shop.admin.put(f"{path}/returns/{refused['number']}/status", {"status": "received"}).expect(409, "illegal_step")


@suite.case
def refunds_never_exceed_what_was_captured(shop):
    guest, path, _, line, _ = bought(shop)
    shop.admin.post(path + "/refunds", {"amount": pounds(100)}, key="").expect(400, "idempotency_key_required")
    shop.admin.post(path + "/refunds", {}, key=fresh()).expect(400, "invalid_body")
    shop.admin.post(path + "/refunds", {"amount": pounds(1100)}, key=fresh()).expect(422, "over_refund")
    key = fresh("refund")
    first = shop.admin.post(path + "/refunds", {"amount": pounds(100), "reason": "late"}, key=key).expect(201)
    equal((first["number"], first["status"], first["amount"]), (1, "made", pounds(100)))
    again = shop.admin.post(path + "/refunds", {"amount": pounds(100), "reason": "late"}, key=key).expect(201)
    equal((again["number"], again.replayed), (1, True))
    by_line = shop.admin.post(path + "/refunds", {"lines": [{"line_id": line, "quantity": 3}]}, key=fresh()).expect(201)
    equal(by_line["amount"], pounds(750))
    shop.admin.post(path + "/refunds", {"amount": pounds(250)}, key=fresh()).expect(422, "over_refund")
    shop.admin.post(path + "/refunds", {"amount": pounds(249)}, key=fresh()).expect(201)
    equal(guest.web.get(path)["payment"]["status"], "refunded")
    ledger = shop.admin.get(path + "/payments").expect(200)
    equal([(e["kind"], e["status"], e["amount"]["amount"]) for e in ledger["items"]],
          [("capture", "made", 1099), ("refund", "made", 100), ("refund", "made", 750), ("refund", "made", 249)])
    equal(sorted(refunds_at_provider(shop, path)), [100, 249, 750])


@suite.case
def a_cancellation_gives_back_what_no_refund_did(shop):
    guest, path, product, _, _ = bought(shop)
    shop.admin.post(path + "/refunds", {"amount": pounds(99)}, key=fresh()).expect(201)
    guest.web.delete(path).expect(200)
    poll("all is back", lambda: guest.web.get(path)["payment"]["status"] == "refunded")
    equal(sorted(refunds_at_provider(shop, path)), [99, 1000])
    shop.admin.post(path + "/refunds", {"amount": pounds(1)}, key=fresh()).expect(422, "over_refund")
    _, path, _, line, _ = bought(shop)
    shop.admin.post(path + "/shipments", {"lines": [{"line_id": line, "quantity": 1}]}).expect(201)
    shop.admin.delete(path).expect(409, "not_cancellable")


@suite.case
def notes_are_the_staffs(shop):
    guest, path, _, _, _ = bought(shop)
    shop.admin.post(path + "/notes", {"text": "rang twice"}).expect(201)
    equal([n["text"] for n in shop.admin.get(path + "/notes").expect(200)["items"]], ["rang twice"])
    check(b"rang twice" not in guest.web.get(path).body)
    check(b"rang twice" not in guest.web.get(path + "/history?limit=100").body)


@suite.case
def staff_order_for_a_user_at_a_negotiated_price(shop):
    email = fresh("ann") + "@example.com"
    made = shop.web.post("/api/users/register", {"email": email, "password": "correct horse battery"}).expect(201)
    user, product = made["user_id"], shop.product(price=1000)
    body = shop.guest().order_body(user_id=user, items=[{"product_id": product, "quantity": 3, "unit_price": pounds(700)}])
    order = shop.admin.post("/api/orders", body, key=fresh()).expect(201)
    equal((order["user_id"], order["total"]), (user, pounds(2100)))
    token = shop.web.post("/api/users/login", {"email": email, "password": "correct horse battery"}).expect(200)["token"]
    equal(shop.web.as_(token).get("/api/orders/" + order["order_id"]).expect(200)["total"], pounds(2100))


@suite.case
def an_order_by_telephone_counts_for_who_it_is_for(shop):
    product = shop.product(price=1000)
    shop.admin.put(f"/api/inventory/{product}/terms", {"customer_limit": 1}).expect(200)
    code = fresh("once").upper()
    shop.admin.post("/api/coupons", {"code": code, "type": "percentage", "rate_bps": 1000, "total_limit": 9, "customer_limit": 1}).expect(201)
    def ordered(email):
        wish = {"email": email, "payment_method": {"type": "invoice"}, "coupons": [code], "items": [{"product_id": product, "quantity": 1}]}
        return shop.admin.post("/api/orders", wish, key=fresh())
    ann, bob = (fresh(name) + "@example.com" for name in ("ann", "bob"))
    equal(ordered(ann).expect(201)["total"], pounds(900))
    equal(ordered(bob).expect(201)["total"], pounds(900))
    ordered(ann.upper()).expect(409)


@suite.case
def all_of_it_survives_a_kill(shop):
    guest, path, product, line, _ = bought(shop)
    shop.admin.post(path + "/shipments", {}).expect(201)
    shop.admin.post(path + "/returns", {"lines": [{"line_id": line, "quantity": 1}], "received": True}).expect(201)
    settled(shop, path)
    poll("restocked", lambda: shop.figures(product)["returned"] == 1)
    before = guest.web.get(path).expect(200).json
    shop.node.keep_addresses()
    shop.node.restart()
    shop.admin.close(), guest.web.close()
    equal(guest.web.get(path).expect(200).json, before)


YEAR = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
100,A,Heart,6,2010-12-01T08:26:00,2.55,17850,UK
100,B,Bird,2,2010-12-01T08:26:00,1.00,17850,UK
C101,A,Heart,-2,2010-12-01T08:27:00,2.55,17850,UK
102,A,Heart,3,2010-12-01T08:28:00,2.00,17850,UK
C103,A,Heart,-5,2010-12-01T08:29:00,2.00,17850,UK
C104,B,Bird,-3,2010-12-01T08:29:00,1.00,17850,UK
C105,A,Heart,-1,2010-12-01T08:29:00,2.55,,UK
C106,A,Heart,-1,2010-12-01T08:29:00,2.55,99,UK
"""


@suite.case
def the_generator_replays_returns_by_the_rule(shop):
    with tempfile.TemporaryDirectory(prefix="omnicart-e2e.") as folder:
        file = os.path.join(folder, "year.csv")
        with open(file, "w", encoding="utf-8") as out:
            out.write(YEAR)
        said = Load(shop.node, "replay", file, "--returns").result()["answers"]
    equal((said["returns_matched"], said["returns_unmatched"], said["returned_units"]), (2, 3, 7))
    # 2 at their own price; then 3 at their own price and 2 of the newest of the rest.
    equal(said["refunded_minor"], 2 * 255 + 3 * 200 + 2 * 255)


@suite.case
def the_books_agree_after_all_of_it(shop):
    figures = shop.node.laws()["figures"]
    check(figures["refunded"]["GBP"] > 0, figures)


with serving() as running:
    suite.run(Shop(running.start()))
suite.end()
