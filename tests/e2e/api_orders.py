#!/usr/bin/env python3
"""Checkout, payment, status, cancellation, history and lists of orders, over HTTP against a real node."""

import os
import signal
import threading
import urllib.parse

from harness import Client, Shop, Suite, check, equal, poll, serving
from harness.shop import ADDRESS, fresh, pounds

suite = Suite()


@suite.case
def a_guest_buys_what_is_in_the_cart(shop):
    guest, product = shop.guest(), shop.product(price=1299, stock=10)
    guest.add(product, 3).expect(201)
    made = guest.checkout(reference="R-1", customer_reference="C-1").expect(201)
    order = made.json
    equal((order["status"], order["total"], order["item_count"]), ("paid", pounds(3897), 3))
    equal([(i["product_id"], i["quantity"], i["line_total"]) for i in order["items"]], [(product, 3, pounds(3897))])
    equal(order["payment"], {"status": "captured", "method": "card", "last4": "4242", "captured": pounds(3897)})
    equal((order["reference"], order["customer_reference"]), ("R-1", "C-1"))
    equal(order["shipping_address"], ADDRESS)
    check(made.headers["location"].endswith(order["order_id"]))
    cart = poll("the cart is empty", lambda: (c := guest.cart())["items"] == [] and c)
    check("sealed_by" not in cart, cart)
    figures = poll("the hold became a sale", lambda: (f := shop.figures(product))["sold"] == 3 and f)
    equal((figures["on_hand"], figures["reserved"], figures["available"]), (7, 0, 7))
    equal(guest.web.get("/api/orders/" + order["order_id"]).expect(200)["total"], pounds(3897))


@suite.case
def an_order_needs_a_key_and_a_guest_an_email(shop):
    guest = shop.guest()
    guest.add(shop.product()).expect(201)
    guest.web.post("/api/orders", guest.order_body(), key="").expect(400, "idempotency_key_required")
    body = guest.order_body()
    del body["email"]
    guest.web.post("/api/orders", body, key=fresh()).expect(400, "invalid_body")
    shop.web.post("/api/orders", guest.order_body(), key=fresh()).expect(401)


@suite.case
def the_same_key_is_the_same_order_and_another_body_is_refused(shop):
    guest, product, key = shop.guest(), shop.product(stock=10), fresh("order")
    guest.add(product, 1).expect(201)
    first = guest.checkout(key).expect(201)
    guest.add(product, 5).expect(201)
    again = guest.checkout(key).expect(201)
    equal(again["order_id"], first["order_id"])
    check(again.replayed and not first.replayed)
    guest.checkout(key, reference="other").expect(422)
    poll("one sale", lambda: shop.figures(product)["sold"] == 1)
    equal(guest.cart()["item_count"], 5, "what was added later stays")


@suite.case
def a_declined_card_is_402_final_and_gives_everything_back(shop):
    guest, product, key = shop.guest(), shop.product(stock=5), fresh("order")
    guest.add(product, 2).expect(201)
    refused = guest.checkout(key, "tok_declined").expect(402, "payment_declined")
    check(refused["order_id"])
    again = guest.checkout(key, "tok_declined").expect(402, "payment_declined")
    equal(again["order_id"], refused["order_id"])
    poll("nothing is reserved", lambda: shop.figures(product)["available"] == 5)
    poll("the cart is open", lambda: "sealed_by" not in guest.cart())
    equal(guest.cart()["item_count"], 2)
    equal(guest.web.get("/api/orders/" + refused["order_id"]).expect(200)["status"], "declined")
    guest.checkout().expect(201)


def approves(card, last4):
    def case(shop):
        guest, order = shop.buy(card=card)
        path = "/api/orders/" + order["order_id"]
        paid = poll("paid", lambda: (o := guest.web.get(path).json)["status"] == "paid" and o)
        equal(paid["payment"]["last4"], last4)
        captures = [e for e in shop.node.ledger() if e["kind"] == "capture" and e["key"] == order["order_id"]]
        equal(len(captures), 1)
    suite.add(f"the_card_{card}_ends_as_one_capture", case)


for card_and_last4 in (("tok_ok", "4242"), ("tok_timeout_before", "0119"), ("tok_timeout_after", "0127"),
                       ("tok_twice", "0222"), ("tok_late", "0259"), ("tok_garbage", "0341")):
    approves(*card_and_last4)


@suite.case
def an_unknown_token_is_declined(shop):
    guest = shop.guest()
    guest.add(shop.product()).expect(201)
    guest.checkout(card="4111111111111111").expect(402)


@suite.case
def out_of_stock_names_each_short_line(shop):
    guest, short, enough, none = shop.guest(), shop.product(stock=2), shop.product(stock=9), shop.product(stock=0)
    guest.web.post("/api/cart/items", [{"product_id": p, "quantity": 3} for p in (short, enough, none)]).expect(201)
    refused = guest.checkout().expect(409, "out_of_stock")
    equal({(line["product_id"], line["wanted"], line["available"]) for line in refused["lines"]},
          {(short, 3, 2), (none, 3, 0)})
    poll("all is given back", lambda: [shop.figures(p)["reserved"] for p in (short, enough, none)] == [0, 0, 0])
    poll("the cart is open", lambda: "sealed_by" not in guest.cart())
    equal(guest.cart()["item_count"], 9)


@suite.case
def a_price_that_changed_is_409_with_the_cart_refreshed(shop):
    guest, product = shop.guest(), shop.product(price=1000)
    guest.add(product, 2).expect(201)
    shop.admin.put("/api/products/" + product, {"name": "Dearer", "price": pounds(1100)}).expect(200)
    refused = guest.checkout().expect(409, "price_changed")
    equal(refused["price_changes"], [{"product_id": product, "was": pounds(1000), "is": pounds(1100)}])
    poll("the cart shows the new price", lambda: guest.cart()["total"] == pounds(2200))
    equal(guest.checkout().expect(201)["total"], pounds(2200))


@suite.case
def a_stated_total_is_checked_and_never_trusted(shop):
    guest, product = shop.guest(), shop.product(price=1000)
    guest.add(product, 2).expect(201)
    refused = guest.checkout(total_amount=pounds(1)).expect(409, "total_mismatch")
    equal(refused["total"], pounds(2000))
    poll("the cart is open", lambda: "sealed_by" not in guest.cart())
    guest.checkout(total_amount=20.00).expect(201)


@suite.case
def an_empty_cart_is_no_order(shop):
    guest = shop.guest()
    guest.web.get("/api/cart").expect(200)
    refused = guest.checkout()
    check(refused.status in (404, 409), refused)


@suite.case
def an_order_may_name_its_items_in_place_of_a_cart(shop):
    guest, product = shop.guest(), shop.product(price=300)
    made = guest.checkout(items=[{"product_id": product, "quantity": 2}]).expect(201)
    equal((made["total"], made["status"]), (pounds(600), "paid"))
    guest.checkout(items=[{"product_id": product, "quantity": 1, "unit_price": 1}]).expect(400)
    equal(shop.admin.post("/api/orders", guest.order_body(items=[{"product_id": product, "quantity": 1,
                                                                  "unit_price": pounds(1)}]),
                          key=fresh()).expect(201)["total"], pounds(1))
    guest.checkout(items=[{"product_id": fresh("none"), "quantity": 1}]).expect(409)


@suite.case
def a_second_checkout_of_a_sealed_cart_names_the_order_in_progress(shop):
    guest, answers = shop.guest(), []
    guest.add(shop.product()).expect(201)
    key = fresh("order")
    patient = Client(shop.node.http, guest.web.token)
    slow = threading.Thread(target=lambda: answers.append(patient.post("/api/orders", guest.order_body("tok_late"), key=key)))
    slow.start()
    sealed = poll("the cart is sealed", lambda: answers or guest.cart().get("sealed_by"))
    check(isinstance(sealed, str), "the late card answered before the cart was seen sealed")
    refused = guest.checkout().expect(409, "checkout_in_progress")
    equal(refused["order_in_progress"], sealed)
    slow.join()
    equal(answers[0].expect(201)["order_id"], sealed)


@suite.case
def a_key_whose_order_is_still_running_is_409_in_progress(shop):
    guest, answers, key = shop.guest(), [], fresh("order")
    guest.add(shop.product()).expect(201)
    provider = shop.node.pay_pid()
    os.kill(provider, signal.SIGSTOP)
    try:
        patient = Client(shop.node.http, guest.web.token)
        first = threading.Thread(target=lambda: answers.append(patient.post("/api/orders", guest.order_body(), key=key)))
        first.start()
        sealed = poll("the cart is sealed", lambda: answers or guest.cart().get("sealed_by"))
        check(isinstance(sealed, str), "answered before the provider was", answers)
        refused = guest.checkout(key).expect(409, "in_progress")
        equal((refused["order_id"], refused["retryable"]), (sealed, True))
        check(int(refused.headers["retry-after"]) >= 1, refused.headers)
    finally:
        os.kill(provider, signal.SIGCONT)
    first.join()
    equal(answers[0].expect(201)["order_id"], sealed)
    again = guest.checkout(key).expect(201)
    equal((again["order_id"], again.replayed), (sealed, True))


@suite.case
def a_checkout_takes_over_the_holds_of_its_session(shop):
    guest, product = shop.guest(), shop.product(stock=3)
    guest.web.post("/api/inventory/reserve", {"product_id": product, "quantity": 3}).expect(201)
    guest.add(product, 3).expect(201)
    guest.checkout().expect(201)
    poll("sold", lambda: shop.figures(product)["sold"] == 3)
    equal(shop.figures(product)["on_hand"], 0)


@suite.case
def one_unit_is_sold_to_exactly_one_of_many(shop):
    product, answers = shop.product(stock=1), []
    buyers = [shop.guest() for _ in range(8)]
    for buyer in buyers:
        buyer.add(product).expect(201)
    threads = [threading.Thread(target=lambda b=b: answers.append(b.checkout())) for b in buyers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(sorted(a.status for a in answers), [201] + [409] * 7)
    check(all(a.code == "out_of_stock" for a in answers if a.status == 409), answers)


@suite.case
def staff_move_an_order_step_by_step(shop):
    _, order = shop.buy()
    path = f"/api/orders/{order['order_id']}/status"
    support = shop.node.staff("support")
    support.put(path, {"status": "delivered"}).expect(409, "illegal_step")
    for status in ("processing", "shipped", "delivered"):
        equal(support.put(path, {"status": status}).expect(200)["status"], status)
    support.put(path, {"status": "paid"}).expect(409)


@suite.case
def an_invoice_order_is_pending_and_processed_without_payment(shop):
    guest = shop.guest()
    guest.add(shop.product()).expect(201)
    body = {**guest.order_body(), "payment_method": {"type": "invoice"}}
    order = guest.web.post("/api/orders", body, key=fresh()).expect(201).json
    equal((order["status"], order["payment"]["status"]), ("pending", "invoiced"))
    path = f"/api/orders/{order['order_id']}/status"
    equal(shop.admin.put(path, {"status": "processing"}).expect(200)["status"], "processing")


@suite.case
def an_order_is_cancelled_before_shipping_refunded_and_restocked(shop):
    product = shop.product(price=500, stock=4)
    guest, order = shop.buy(product, 2)
    path = "/api/orders/" + order["order_id"]
    poll("sold", lambda: shop.figures(product)["sold"] == 2)
    key = fresh("cancel")
    equal(guest.web.delete(path, key=key).expect(200)["status"], "cancelled")
    check(guest.web.delete(path, key=key).expect(200).replayed)
    seen = poll("refunded", lambda: (o := guest.web.get(path).json)["payment"]["status"] == "refunded" and o)
    equal(seen["payment"]["refunded"], pounds(1000))
    poll("restocked", lambda: shop.figures(product)["available"] == 4)
    equal(shop.figures(product)["returned"], 2)
    refunds = [e for e in shop.node.ledger() if e["kind"] == "refund" and e["key"] == order["order_id"]]
    equal(len(refunds), 1)


@suite.case
def a_shipped_order_is_not_cancelled_by_its_buyer(shop):
    guest, order = shop.buy()
    path = "/api/orders/" + order["order_id"]
    for status in ("processing", "shipped"):
        shop.admin.put(path + "/status", {"status": status}).expect(200)
    guest.web.delete(path).expect(409, "not_cancellable")


@suite.case
def an_orders_history_tells_each_event_with_time_and_actor(shop):
    guest, order = shop.buy()
    shop.admin.put(f"/api/orders/{order['order_id']}/status", {"status": "processing"}).expect(200)
    events = guest.web.all_of(f"/api/orders/{order['order_id']}/history", limit=2)
    equal([e["version"] for e in events], list(range(1, len(events) + 1)))
    check(all(e["at"].endswith("Z") and e["by"]["role"] for e in events), events)
    check("admin" in [e["by"]["role"] for e in events], events)


@suite.case
def someone_elses_order_is_as_if_it_did_not_exist(shop):
    _, order = shop.buy()
    stranger = shop.guest().web
    path = "/api/orders/" + order["order_id"]
    for answer in (stranger.get(path), stranger.delete(path), stranger.get(path + "/history")):
        answer.expect(404)
    equal(stranger.get(path).code, stranger.get("/api/orders/" + fresh("none")).code)
    stranger.put(path + "/status", {"status": "processing"}).expect(403)
    shop.web.get(path).expect(401)
    equal(stranger.get("/api/orders").expect(200)["items"], [])


@suite.case
def orders_are_listed_newest_first_and_filtered(shop):
    reference, guest, placed = fresh("ref"), shop.guest(), []
    product = shop.product()
    for turn in range(5):
        guest.add(product).expect(201)
        placed.append(guest.checkout(customer_reference=reference, reference=f"{reference}.{turn}").expect(201)["order_id"])
        poll("the cart is open", lambda: "sealed_by" not in guest.cart())
    shop.admin.put(f"/api/orders/{placed[0]}/status", {"status": "processing"}).expect(200)

    def ids(web, query):
        return [o["order_id"] for o in web.all_of("/api/orders?" + query, limit=2)]
    equal(ids(guest.web, ""), placed[::-1])
    equal(ids(shop.admin, "customer_reference=" + reference), placed[::-1])
    equal(ids(shop.admin, f"reference={reference}.3"), [placed[3]])
    equal(ids(shop.admin, f"customer_reference={reference}&status=processing"), [placed[0]])
    equal(ids(shop.admin, "userId=" + urllib.parse.quote(guest.id)), placed[::-1])
    shop.guest().web.get("/api/orders?userId=" + guest.id).expect(404)


@suite.case
def every_law_holds_afterwards(shop):
    shop.node.laws("60s")


with serving() as node:
    suite.run(Shop(node.start()))
suite.end()
