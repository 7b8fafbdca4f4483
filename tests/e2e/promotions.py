#!/usr/bin/env python3
"""Coupons, gift cards, tax and shipping through HTTP; and the races: a hundred checkouts for one coupon, one gift card, one
unit of stock, and all three at once, on one node and on three with a leader killed on the way."""

import collections
import os
import shutil
import signal
import tempfile
import threading
import time

from harness import Client, Gone, Shop, Suite, alone, check, equal, poll, programs, serving
from harness.cluster import Cluster, laws_hold
from harness.shop import ADDRESS, fresh, pounds
from harness.suite import PATIENCE_S

from shard_of import shard_of  # in tools/cluster, which harness.cluster knows of

RACERS = 100
PRICE = 2_000
FEW_SHARDS = {"node": {"shard_count": 10}, "payment": {"answer_timeout_ms": 400}}  # a node that comes back catches up sooner
TAX = {"prices_include_tax": False, "home_country": "GB",
       "rates": [{"country": "GB", "rate_bps": 2000, "name": "VAT 20 %"},
                 {"country": "GB", "category": "Books", "rate_bps": 0, "name": "zero rate"}]}
SHIPPING = {"zones": [{"id": "uk", "countries": ["GB"]}],
            "methods": [{"zone": "uk", "id": "post", "name": "Royal Mail",
                         "bands": [{"max_weight_g": 1000, "prices": [pounds(300)]}, {"max_weight_g": 5000, "prices": [pounds(700)]}]},
                        {"zone": "uk", "id": "van", "name": "Courier", "bands": [{"max_weight_g": 30000, "prices": [pounds(900)]}]}]}
PASSWORD = "correct horse battery"
NO_TAX, NO_SHIPPING = {"rates": []}, {"zones": [], "methods": []}
suite = Suite()


def long_enough(prefix):
    """A fresh word of 17 to 32 characters: for shard_of()."""
    return fresh(prefix).ljust(17, "x")


def code(prefix):
    return long_enough(prefix).upper()


def coupon(admin, **rule):
    made = admin.post("/api/coupons", {"code": code("C"), **rule}).expect(201).json
    return made["code"]


def gift_card(admin, amount):
    return admin.post("/api/gift-cards", {"code": code("CARD"), "value": pounds(amount)}).expect(201).json["code"]


def amounts(shown, *names):
    return [shown[name]["amount"] for name in names]


def lines_add_up(shown):
    """The totals are the sums of the lines, to the penny."""
    lines = shown["items"]
    equal(sum(line["total"]["amount"] for line in lines), shown["total"]["amount"], "total")
    equal(sum(line["discount"]["amount"] for line in lines), shown["discount_total"]["amount"], "discounts")
    equal(sum(line["shipping"]["amount"] for line in lines), shown["shipping_total"]["amount"], "shipping")
    equal(sum(line["tax"]["amount"]["amount"] for line in lines), shown["tax_total"]["amount"], "tax")
    for line in lines:
        equal(sum(each["amount"]["amount"] for each in line["discounts"]), line["discount"]["amount"], "reasons")
        reason = shown["shipping"]["name"] if line["shipping"]["amount"] else None
        equal(line.get("shipping_reason"), reason, "the reason of shipping")


def used(admin, name):
    return admin.get("/api/coupons/" + name).expect(200)["used"]


def sold_out(admin, product):
    """Whether its only unit is sold, and nothing is held."""
    shown = admin.get("/api/inventory/" + product).expect(200).json
    return (shown["sold"], shown["on_hand"], shown["reserved"]) == (1, 0, 0)


@suite.case
def a_coupon_shows_in_the_cart_and_is_used_by_its_order(shop):
    name = coupon(shop.admin, type="percentage", rate_bps=1000, total_limit=1)
    guest = shop.guest()
    guest.add(shop.product(price=PRICE), 2).expect(201)
    cart = guest.web.post("/api/cart/coupons", {"code": name.lower()}).expect(200).json
    equal(amounts(cart, "subtotal", "discount_total", "total"), [4000, 400, 3600])
    equal(cart["coupons"], [name])
    equal(cart["items"][0]["discounts"][0]["reason"], "10 % off")
    lines_add_up(cart)
    equal(guest.cart()["total"], pounds(3600))
    order = guest.checkout(total_amount=pounds(3600)).expect(201).json
    equal(amounts(order, "subtotal", "discount_total", "total"), [4000, 400, 3600])
    equal((order["payment"]["captured"], order["coupons"]), (pounds(3600), [name]))
    lines_add_up(order)
    equal(shop.admin.get("/api/orders/" + order["order_id"]).json["items"][0]["discounts"][0]["code"], name)
    poll("it is used", lambda: used(shop.admin, name) == 1)
    check("coupons" not in guest.cart(), "a used coupon stays in the cart")
    guest.web.post("/api/cart/coupons", {"code": name}).expect(409, "coupon_used_up")


@suite.case
def codes_that_are_good_for_nothing_are_refused_with_their_reason(shop):
    guest = shop.guest()
    guest.add(shop.product(price=PRICE)).expect(201)
    add = lambda name: guest.web.post("/api/cart/coupons", {"code": name})  # noqa: E731
    add(code("NONE")).expect(404, "no_such_coupon")
    add("not a code").expect(404, "no_such_coupon")
    add(coupon(shop.admin, type="percentage", rate_bps=1, valid_until="2001-01-01T00:00:00Z")).expect(409, "coupon_expired")
    add(coupon(shop.admin, type="percentage", rate_bps=1, valid_from="2991-01-01T00:00:00Z")).expect(409, "coupon_not_yet_valid")
    stopped = coupon(shop.admin, type="percentage", rate_bps=1)
    shop.admin.put(f"/api/coupons/{stopped}/status", {"status": "disabled"}).expect(200)
    add(stopped).expect(409, "coupon_disabled")
    rich = coupon(shop.admin, type="fixed", amount=pounds(500), minimum=pounds(PRICE + 1))
    cart = add(rich).expect(200).json
    equal(cart["refused_codes"], [{"kind": "coupon", "code": rich, "reason": "minimum_not_met"}])
    equal(cart["total"], pounds(PRICE))
    refused = guest.checkout().expect(409, "coupon_refused").json
    equal(refused["refused_codes"][0]["reason"], "minimum_not_met")
    guest.web.delete("/api/cart/coupons/" + rich).expect(200)
    guest.web.delete("/api/cart/coupons/" + rich).expect(404, "no_such_code")
    guest.checkout().expect(201)


@suite.case
def a_coupon_is_free_again_when_its_order_is_declined_or_cancelled(shop):
    name = coupon(shop.admin, type="fixed", amount=pounds(500), total_limit=1)
    product = shop.product(price=PRICE)
    guest = shop.guest()
    guest.add(product).expect(201)
    guest.web.post("/api/cart/coupons", {"code": name}).expect(200)
    guest.checkout(card="tok_declined").expect(402)
    poll("it is released", lambda: shop.admin.get("/api/coupons/" + name).json["held"] == 0)
    order = guest.checkout().expect(201).json
    poll("it is used", lambda: used(shop.admin, name) == 1)
    guest.web.delete("/api/orders/" + order["order_id"]).expect(200)
    poll("it is free", lambda: used(shop.admin, name) == 0)


@suite.case
def one_customer_uses_a_coupon_as_often_as_one_may(shop):
    name = coupon(shop.admin, type="percentage", rate_bps=500, total_limit=10, customer_limit=1)
    product = shop.product(price=PRICE)
    order = {"items": [{"product_id": product, "quantity": 1}], "coupons": [name]}
    address = fresh("ann") + "@example.com"
    shop.guest().checkout(**order, email=address).expect(201)
    again = shop.guest().checkout(**order, email=address.upper()).expect(409, "coupon_refused")
    equal(again["refused_codes"][0]["reason"], "coupon_customer_limit")
    shop.guest().checkout(**order, email=fresh("bob") + "@example.com").expect(201)


@suite.case
def a_gift_card_pays_what_is_on_it_and_the_card_the_rest(shop):
    name = gift_card(shop.admin, 2500)
    product = shop.product(price=PRICE)
    guest = shop.guest()
    guest.add(product).expect(201)
    cart = guest.web.post("/api/cart/gift-cards", {"code": name}).expect(200).json
    equal(amounts(cart, "total", "gift_card_total", "amount_due"), [PRICE, PRICE, 0])
    first = guest.checkout(card="tok_declined").expect(201).json  # nothing is left for the card that would be declined
    equal((first["status"], first["amount_due"], first["gift_cards"][0]["amount"]), ("paid", pounds(0), pounds(PRICE)))
    second = shop.guest().checkout(items=[{"product_id": product, "quantity": 1}], gift_cards=[name]).expect(201).json
    equal((second["gift_card_total"], second["payment"]["captured"]), (pounds(500), pounds(PRICE - 500)))
    shown = lambda: amounts(shop.admin.get("/api/gift-cards/" + name).json, "balance", "held", "spent")  # noqa: E731
    poll("it is spent", lambda: shown() == [0, 0, 2500])
    shop.admin.delete("/api/orders/" + second["order_id"]).expect(200)
    poll("it is back", lambda: shown() == [500, 0, 2000])
    guest.web.post("/api/cart/gift-cards", {"code": code("NOCARD")}).expect(404, "no_such_gift_card")


def refunds_at_provider(shop, order):
    return sum(each["amount"] for each in shop.node.ledger() if each["kind"] == "refund" and each["key"] == order)


def bought_by_card(shop, value):
    """Three units and one of another, a tenth off, 20 % tax on top, paid by a gift card of so much and by the provider."""
    card, off = gift_card(shop.admin, value), coupon(shop.admin, type="percentage", rate_bps=1000)
    items = [{"product_id": shop.product(price=price), "quantity": quantity} for price, quantity in ((1999, 3), (333, 1))]
    guest = shop.guest()
    order = guest.checkout(items=items, coupons=[off], gift_cards=[card]).expect(201).json
    shop.admin.post(f"/api/orders/{order['order_id']}/shipments", {}).expect(201)
    return guest, card, order


@suite.case
def units_sent_back_are_paid_back_to_card_and_provider_to_the_penny(shop):
    shop.admin.put("/api/tax-rates", TAX).expect(200)
    shop.node.catch_up()
    try:
        for value in (100_000, 2_001):
            guest, card, order = bought_by_card(shop, value)
            path = "/api/orders/" + order["order_id"]
            total, by_card, due = amounts(order, "total", "gift_card_total", "amount_due")
            equal((by_card, due), (min(value, total), total - by_card))
            line, other = (each["line_id"] for each in order["items"])
            back = [shop.admin.post(path + "/returns", {"lines": lines, "received": True}).expect(201)["refund"]
                    for lines in ([{"line_id": line, "quantity": 1}],
                                  [{"line_id": line, "quantity": 2}, {"line_id": other, "quantity": 1}])]
            equal(back[0]["amount"]["amount"], order["items"][0]["total"]["amount"] // 3, "one of three")
            equal(sum(each["amount"]["amount"] for each in back), total, "all of it")
            equal(sum(each.get("gift_card_total", pounds(0))["amount"] for each in back), by_card, "to the card")
            poll("it is on the card", lambda: amounts(shop.admin.get("/api/gift-cards/" + card).json, "balance", "held", "spent") ==
                 [value, 0, 0])
            seen = poll("it is refunded", lambda: (lambda got: got if got["payment"]["status"] == "refunded" else None)(
                guest.web.get(path).expect(200).json))
            equal((seen["gift_card_refunded"], seen["gift_cards"][0]["refunded"]), (pounds(by_card), pounds(by_card)))
            equal([each["status"] for each in seen["refunds"]], ["made", "made"])
            equal(refunds_at_provider(shop, order["order_id"]), due)
            ledger = shop.admin.get(path + "/payments").expect(200).json
            equal(amounts(ledger, "captured", "refunded", "gift_card_total", "gift_card_refunded"), [due, due, by_card, by_card])
            for kind, sum_of in (("gift_card", by_card), ("refund", due), ("gift_card_refund", by_card)):
                equal(sum(each["amount"]["amount"] for each in ledger["items"] if each["kind"] == kind), sum_of, kind)
            shop.admin.post(path + "/refunds", {"amount": pounds(1)}, key=fresh()).expect(422, "over_refund")
    finally:
        shop.admin.put("/api/tax-rates", NO_TAX).expect(200)
        shop.node.catch_up()
    shop.node.laws("60s")


@suite.case
def a_refund_of_an_amount_counts_card_and_provider(shop):
    guest, card, order = bought_by_card(shop, 2_001)
    path, (total, due) = "/api/orders/" + order["order_id"], amounts(order, "total", "amount_due")
    shop.admin.post(path + "/refunds", {"amount": pounds(total + 1)}, key=fresh()).expect(422, "over_refund")
    key, wish = fresh("refund"), {"amount": pounds(due + 101), "reason": "late"}
    for _ in range(2):
        made = shop.admin.post(path + "/refunds", wish, key=key).expect(201).json
        equal((made["status"], made["gift_card_total"]), ("made", pounds(101)))
        equal(made["gift_cards"], [{"code": card, "status": "made", "amount": pounds(101)}])
    equal(amounts(shop.admin.get("/api/gift-cards/" + card).json, "balance"), [101])
    equal(guest.web.get(path).expect(200)["payment"]["status"], "partly_refunded")
    shop.admin.post(path + "/refunds", {"amount": pounds(total - due - 100)}, key=fresh()).expect(422, "over_refund")
    shop.admin.post(path + "/refunds", {"amount": pounds(total - due - 101)}, key=fresh()).expect(201)
    equal(amounts(shop.admin.get("/api/gift-cards/" + card).json, "balance"), [2_001])


@suite.case
def tax_and_shipping_are_shown_per_line_and_add_up(shop):
    shop.admin.put("/api/tax-rates", TAX).expect(200)
    shop.admin.put("/api/shipping-methods", SHIPPING).expect(200)
    shop.node.catch_up()
    try:
        guest = shop.guest()
        guest.add(shop.product(price=1999, category="Toys", weight_g=600), 1).expect(201)
        guest.add(shop.product(price=999, category="Books > Novels", weight_g=200), 3).expect(201)
        cart = guest.web.put("/api/cart/shipping", {"country": "GB"}).expect(200).json
        equal(amounts(cart, "subtotal", "shipping_total"), [4996, 700])
        lines_add_up(cart)
        toy, books = cart["items"]
        equal((toy["shipping_reason"], books["shipping_reason"]), ("Royal Mail", "Royal Mail"))
        equal((toy["tax"]["rate_bps"], books["tax"]["rate_bps"], books["tax"]["reason"]), (2000, 0, "zero rate"))
        cart = guest.web.put("/api/cart/shipping", {"country": "GB", "method": "van"}).expect(200).json
        equal((cart["shipping"]["method"], cart["shipping_total"]), ("van", pounds(900)))
        free = coupon(shop.admin, type="free_shipping")
        cart = guest.web.post("/api/cart/coupons", {"code": free}).expect(200).json
        equal(amounts(cart, "shipping_total", "total"), [0, 4996 + 400])
        equal(cart["shipping"]["discounts"][0]["amount"], pounds(900))
        order = guest.checkout(total_amount=cart["total"]).expect(201).json
        lines_add_up(order)
        equal((order["total"], order["tax_total"]), (cart["total"], pounds(400)))

        item = {"items": [{"product_id": shop.product(price=100, weight_g=40000), "quantity": 1}]}
        shop.guest().checkout(**item).expect(409, "not_deliverable")
        shop.guest().checkout(**item, shipping_address={**ADDRESS, "country": "FR"}).expect(409, "not_deliverable")
        body = {**shop.guest().order_body(), **item}
        del body["shipping_address"]
        shop.guest().web.post("/api/orders", body, key=fresh()).expect(422, "shipping_address_required")
        shop.guest().checkout(**item, shipping_method="none").expect(409, "not_deliverable")
    finally:
        shop.admin.put("/api/tax-rates", NO_TAX).expect(200)
        shop.admin.put("/api/shipping-methods", NO_SHIPPING).expect(200)
        shop.node.catch_up()


@suite.case
def a_change_answers_the_total_that_the_cart_shows_and_a_checkout_takes_it(shop):
    name = coupon(shop.admin, type="percentage", rate_bps=1000)
    first, second, third = (shop.product(price=price) for price in (1999, 333, 1001))
    shop.admin.put("/api/tax-rates", TAX).expect(200)
    shop.node.catch_up()
    try:
        guest = shop.guest()
        totals = ("subtotal", "discount_total", "shipping_total", "tax_total", "total", "item_count", "version")

        def as_the_cart(change, status):
            said, cart = change.expect(status).json, guest.cart()
            for member in totals:
                equal(said[member], cart[member], member)
            equal((said["line_count"], said.get("coupons"), change.etag), (len(cart["items"]), cart.get("coupons"), guest.web.get("/api/cart").etag))
            for line in said.get("items") or [said["item"]]:
                equal(line, next((each for each in cart["items"] if each["line_id"] == line["line_id"]), {**line, "quantity": 0}), "line")
            return said

        equal(amounts(as_the_cart(guest.add(first), 201), "subtotal", "tax_total", "total"), [1999, 400, 2399])
        guest.web.post("/api/cart/coupons", {"code": name}).expect(200)
        added = as_the_cart(guest.add(second, 3, key="again"), 201)
        equal(amounts(added, "subtotal", "discount_total", "tax_total", "total"), [2998, 300, 540, 3238])
        equal(added["item"]["discounts"][0]["reason"], "10 % off")
        as_the_cart(guest.web.post("/api/cart/items", [{"product_id": each, "quantity": 2} for each in (first, third)]), 201)
        as_the_cart(guest.web.put(f"/api/cart/items/{third}", {"quantity": 5}), 200)
        again = guest.add(second, 3, key="again")
        check(again.replayed and as_the_cart(again, 201)["item"]["quantity"] == 3, again)
        line = guest.cart()["items"][0]["line_id"]
        as_the_cart(guest.web.put(f"/api/cart/lines/{line}", {"quantity": 2}), 200)
        gone = as_the_cart(guest.web.delete(f"/api/cart/lines/{line}"), 200)
        equal((gone["item"]["quantity"], gone["line_count"]), (0, 2))
        last = as_the_cart(guest.web.delete(f"/api/cart/items/{second}"), 200)
        equal(amounts(last, "subtotal", "discount_total", "tax_total", "total"), [5005, 501, 901, 5405])
        order = guest.checkout(total_amount=last["total"]).expect(201).json
        equal((order["total"], order["coupons"]), (last["total"], [name]))
        empty = shop.guest()
        empty.add(first).expect(201)
        said = empty.web.delete(f"/api/cart/items/{first}").expect(200).json
        equal(amounts(said, "subtotal", "total"), amounts(empty.cart(), "subtotal", "total"))
    finally:
        shop.admin.put("/api/tax-rates", NO_TAX).expect(200)
        shop.node.catch_up()


@suite.case
def a_gift_card_without_a_code_gets_one_of_its_own_unless_it_could_be_asked_for_again(shop):
    body = {"value": pounds(100)}
    made = [shop.admin.post("/api/gift-cards", body, key="").expect(201)["code"] for _ in range(2)]
    check(made[0] != made[1] and all(shop.admin.get("/api/gift-cards/" + each).expect(200) for each in made), made)
    shop.admin.post("/api/gift-cards", body, key=fresh("card")).expect(400, "invalid_body")


@suite.case
def staff_set_promotions_and_others_do_not(shop):
    guest, support = shop.guest().web, shop.node.staff("support")
    for web, status in ((shop.web, 401), (guest, 403), (support, 403)):
        web.post("/api/coupons", {"code": "STOLEN", "type": "free_shipping"}).expect(status)
        web.post("/api/gift-cards", {"value": pounds(1)}).expect(status)
        web.put("/api/tax-rates", NO_TAX).expect(status)
        web.put("/api/shipping-methods", NO_SHIPPING).expect(status)
    for path in ("/api/coupons", "/api/gift-cards", "/api/gift-cards/WHATEVER"):
        guest.get(path).expect(403)
    equal(shop.web.get("/api/tax-rates").expect(200)["rates"], [])
    name = coupon(shop.admin, type="buy_x_get_y", buy=2, get=1)
    check(name in [each["code"] for each in support.get("/api/coupons?limit=100").expect(200)["items"]], "not listed")
    equal(support.get(f"/api/coupons/{name}/history").expect(200)["items"][0]["what"]["event"], "defined")
    shop.admin.post("/api/coupons", {"code": name, "type": "free_shipping"}).expect(409, "coupon_exists")
    shop.admin.post("/api/coupons", {"code": "X", "type": "free_shipping"}).expect(400)
    shop.admin.post("/api/coupons", {"code": code("C"), "type": "fixed"}).expect(422, "invalid_coupon")
    shop.admin.put("/api/tax-rates", {"rates": [{"country": "gb", "rate_bps": 1, "name": "x"}]}).expect(422, "invalid_tax_rates")


@suite.case
def a_cart_keeps_its_currency_and_products_have_prices_in_several(shop):
    both = shop.product(price=1000, prices=[{"amount": 1200, "currency": "EUR"}])
    only_pounds = shop.product(price=500)
    guest = shop.guest()
    line = guest.add(both, currency="EUR").expect(201).json
    equal(line["item"]["unit_price"], {"amount": 1200, "currency": "EUR"})
    equal(guest.add(both, 2).expect(201)["item"]["quantity"], 3)
    guest.add(only_pounds).expect(422, "no_such_price")
    order = guest.checkout().expect(201).json
    equal(order["total"], {"amount": 3600, "currency": "EUR"})
    guest = shop.guest()
    guest.add(both).expect(201)
    equal(guest.cart()["total"], pounds(1000))
    guest.add(both, currency="EUR").expect(422, "currency_mismatch")
    direct = shop.guest().checkout(items=[{"product_id": both, "quantity": 1}], currency="EUR").expect(201).json
    equal(direct["total"], {"amount": 1200, "currency": "EUR"})


def signed_in(shop, email, guest=None):
    web = guest.web if guest else shop.web
    given = web.post("/api/users/login", {"email": email, "password": PASSWORD}).expect(200).json
    return Client(shop.node.http, given["token"]), given


def account(shop):
    email = fresh("ann") + "@example.com"
    shop.web.post("/api/users/register", {"email": email, "password": PASSWORD, "name": "Ann"}).expect(201)
    return email


@suite.case
def who_signs_in_keeps_the_coupon_the_gift_card_and_where_it_goes(shop):
    shop.admin.put("/api/tax-rates", TAX).expect(200)
    shop.admin.put("/api/shipping-methods", SHIPPING).expect(200)
    shop.node.catch_up()
    try:
        email, guest = account(shop), shop.guest()
        guest.add(shop.product(price=PRICE, category="Toys", weight_g=300), 2).expect(201)
        name, card = coupon(shop.admin, type="percentage", rate_bps=1000), gift_card(shop.admin, 1500)
        guest.web.post("/api/cart/coupons", {"code": name}).expect(200)
        guest.web.post("/api/cart/gift-cards", {"code": card}).expect(200)
        before = guest.web.put("/api/cart/shipping", {"country": "GB", "method": "van"}).expect(200).json
        equal(amounts(before, "subtotal", "discount_total", "shipping_total", "total"), [4000, 400, 900, 5400])
        web, given = signed_in(shop, email, guest)
        check("not_carried_over" not in given and "guest_cart_pending" not in given, given)
        after = web.get("/api/cart").expect(200).json
        for member in set(before) - {"cart_id", "version", "updated_at", "items"}:
            equal(after.get(member), before[member], member)
        strip = lambda cart: [{k: v for k, v in line.items() if k != "line_id"} for line in cart["items"]]  # noqa: E731
        equal(strip(after), strip(before))
        body = {**guest.order_body(), "total_amount": before["total"]}
        order = web.post("/api/orders", body, key=fresh("order")).expect(201).json
        equal((order["total"], order["coupons"], order["amount_due"]), (before["total"], [name], before["amount_due"]))
        equal(order["shipping"]["method"], "van")
    finally:
        shop.admin.put("/api/tax-rates", NO_TAX).expect(200)
        shop.admin.put("/api/shipping-methods", NO_SHIPPING).expect(200)
        shop.node.catch_up()


@suite.case
def who_signs_in_is_told_what_could_not_come_along(shop):
    email, key = account(shop), fresh("login")
    both = shop.product(price=1000, prices=[{"amount": 1200, "currency": "EUR"}])
    guest = shop.guest()
    guest.add(both, 2, currency="EUR").expect(201)
    web, given = signed_in(shop, email, guest)  # the account's cart is empty: the guest's becomes it
    check("not_carried_over" not in given, given)
    cart = web.get("/api/cart").expect(200).json
    equal((cart["total"], cart["items"][0]["quantity"]), ({"amount": 2400, "currency": "EUR"}, 2))
    guest, name = shop.guest(), coupon(shop.admin, type="percentage", rate_bps=1000)
    guest.add(both, 3).expect(201)
    guest.web.post("/api/cart/coupons", {"code": name}).expect(200)
    login = {"email": email, "password": PASSWORD}
    given = guest.web.post("/api/users/login", login, key=key).expect(200).json
    left = given["not_carried_over"]
    equal(left["items"], [{"product_id": both, "name": left["items"][0]["name"], "quantity": 3, "unit_price": pounds(1000),
                           "reason": "currency_mismatch"}])
    equal((left["line_count"], left["codes"]), (1, [{"kind": "coupon", "code": name, "reason": "currency_mismatch"}]))
    equal(guest.web.post("/api/users/login", login, key=key).expect(200).json["not_carried_over"], left, "told again")
    after = Client(shop.node.http, given["token"]).get("/api/cart").expect(200).json
    equal((after["total"], after.get("coupons"), after.get("refused_codes")), (cart["total"], None, None))
    check("not_carried_over" not in signed_in(shop, email)[1], "told to who logs in later")


@suite.case
def who_signs_in_while_an_order_is_placed_gets_what_it_does_not_buy(shop):
    email, guest, name = account(shop), shop.guest(), coupon(shop.admin, type="percentage", rate_bps=1000)
    toy = shop.product(price=PRICE)
    guest.add(toy, 2).expect(201)
    guest.web.post("/api/cart/coupons", {"code": name}).expect(200)
    provider, said = shop.node.pay_pid(), []
    os.kill(provider, signal.SIGSTOP)  # so that the order is under way until we say so
    try:
        buyer = guest.web.as_(guest.web.token)
        placing = threading.Thread(target=lambda: said.append(buyer.post("/api/orders", guest.order_body("tok_declined"), key=fresh("o"))))
        placing.start()
        poll("the cart is sealed", lambda: guest.cart().get("sealed_by"))
        web, given = signed_in(shop, email, guest)
        check(given.get("guest_cart_pending") and "not_carried_over" not in given, given)
        equal(web.get("/api/cart").expect(200)["items"], [], "not yet")
    finally:
        os.kill(provider, signal.SIGCONT)
    placing.join()
    check(said[0].status in (201, 402), said)  # pending, when it took the provider too long
    poll("the cart has arrived", lambda: web.get("/api/cart").expect(200)["items"])
    after = web.get("/api/cart").expect(200).json
    equal([(line["product_id"], line["quantity"]) for line in after["items"]], [(toy, 2)])
    equal(after["coupons"], [name])


# --- races -------------------------------------------------------------------------------------------------------


class Racer(threading.Thread):
    """One customer with a full cart, who asks until there is a definite answer, of the next node when one gives none."""

    def __init__(self, addresses, start, product, coupons, cards, number):
        super().__init__(daemon=True)
        self.webs = [Client(address, timeout=10) for address in addresses]
        self.body = {"email": f"racer{number}@example.com", "shipping_address": ADDRESS, "coupons": coupons, "gift_cards": cards,
                     "payment_method": {"type": "card", "token": "tok_ok"}}
        self.begin, self.at, self.key, self.answer = start, number % len(addresses), fresh("race-key"), None
        self.token = self.ask("POST", "/api/sessions", None).expect(201)["token"]
        self.ask("POST", "/api/cart/items", {"product_id": product, "quantity": 1}).expect(201)

    def ask(self, method, path, body):
        until, key = time.monotonic() + 2 * PATIENCE_S, self.key if path == "/api/orders" else fresh("racer")
        while True:
            web = self.webs[self.at]
            web.token = getattr(self, "token", None)
            try:
                answer = web.call(method, path, body, key=key)
                if answer.status not in (503, 504) and answer.code != "in_progress" and not self.pending(answer):
                    return answer
                why = repr(answer)
            except Gone as wrong:
                why = str(wrong)
            check(time.monotonic() < until, "no answer in time", why)
            self.at = (self.at + 1) % len(self.webs)
            time.sleep(0.02)

    @staticmethod
    def pending(answer):
        return answer.status == 201 and answer.json.get("status") == "pending"

    def run(self):
        self.begin.wait()
        self.answer = self.ask("POST", "/api/orders", self.body)


def waiting(racers):
    return sum(each.answer is None for each in racers)


def race(addresses, product, coupons=(), cards=(), kill_leader_of=None):
    """The one order there is, and how often the others were told what. `kill_leader_of`: gives what kills the leader of a record;
    here that of what all race for, of several things the first."""
    start = threading.Event()
    racers = [Racer(addresses, start, product, list(coupons), list(cards), number) for number in range(RACERS)]
    for each in racers:
        each.start()
    kill = kill_leader_of([*coupons, *cards, product][0]) if kill_leader_of else None
    start.set()
    if kill:
        kill(racers)
    for each in racers:
        each.join(3 * PATIENCE_S)
    check(all(each.answer for each in racers), "a racer has no answer")
    won = [each.answer.json for each in racers if each.answer.status == 201]
    told = collections.Counter()
    for each in racers:
        if each.answer.status == 201:
            continue
        each.answer.expect(409)
        reasons = [one["reason"] for one in each.answer.json.get("refused_codes", [])]
        told[" ".join([each.answer.code, *reasons])] += 1
    equal(len(won), 1, f"orders (the others were told {dict(told)})")
    print(f"       one order; the others: {dict(told)}", flush=True)
    return won[0], told


COUPON_GONE = {"coupon_refused coupon_used_up", "coupon_refused coupon_in_use"}
CARD_GONE = {"gift_card_refused gift_card_spent", "gift_card_refused gift_card_in_use"}
STOCK_GONE = {"out_of_stock"}


def only(told, allowed):
    check(set(told) <= allowed, "told something else", dict(told))


def all_races(addresses, admin, product_of, **more):
    """What the issue asks for: one coupon, one gift card, one unit of stock, and all three."""
    name = coupon(admin, type="percentage", rate_bps=5000, total_limit=1)
    order, told = race(addresses, product_of(RACERS), coupons=[name], **more)
    equal(order["total"], pounds(PRICE // 2))
    only(told, COUPON_GONE)
    poll("it is used once", lambda: used(admin, name) == 1)

    card = gift_card(admin, PRICE)
    order, told = race(addresses, product_of(RACERS), cards=[card], **more)
    equal(order["amount_due"], pounds(0))
    only(told, CARD_GONE)
    poll("it is spent", lambda: amounts(admin.get("/api/gift-cards/" + card).json, "balance", "held") == [0, 0])

    product = product_of(1)
    _, told = race(addresses, product, **more)
    only(told, STOCK_GONE)
    poll("it is sold", lambda: sold_out(admin, product))

    name, card, product = coupon(admin, type="fixed", amount=pounds(500), total_limit=1), gift_card(admin, PRICE - 500), product_of(1)
    order, told = race(addresses, product, coupons=[name], cards=[card], **more)
    equal((order["discount_total"], order["gift_card_total"], order["amount_due"]), (pounds(500), pounds(PRICE - 500), pounds(0)))
    only(told, COUPON_GONE | CARD_GONE | STOCK_GONE)
    poll("they are used", lambda: used(admin, name) == 1 and admin.get("/api/gift-cards/" + card).json["balance"] == pounds(0)
         and sold_out(admin, product))


@suite.case
def a_hundred_checkouts_race_for_a_coupon_a_card_a_unit_and_all_three(shop):
    all_races([shop.node.http], shop.admin, lambda units: shop.product(price=PRICE, stock=units))
    shop.node.laws("60s")


class Staff:
    """Asks one node after the other until there is an answer."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.token = cluster.ctl(1, "token", "issue", "--role", "admin", "--ttl", "3600").strip()
        self.at = 0

    def __getattr__(self, verb):
        def ask(path, body=None):
            key = None if verb == "get" else fresh("admin")
            return poll(path, lambda: self.answer(verb.upper(), path, body, key), 2 * PATIENCE_S)
        return ask

    def answer(self, method, path, body, key):
        running = self.cluster.running()
        web = Client(self.cluster.node(running[self.at % len(running)])["http"], self.token, timeout=10)
        try:
            got = web.call(method, path, body, key=key)
            if got.status not in (503, 504):
                return got
        except Gone:
            pass
        self.at += 1
        return None


class Killer:
    """Before each race all nodes run; in it, behind the first answer, the one dies that leads what is raced for."""

    def __init__(self, cluster):
        self.cluster = cluster

    def all_run(self):
        for index in self.cluster.indexes():
            if index not in self.cluster.running():
                self.cluster.start(index)
        poll("all nodes run and have caught up", self.cluster.settled, 2 * PATIENCE_S)

    def __call__(self, record):
        """What kills its leader."""
        self.all_run()
        shard = shard_of(record, len([each for each in self.cluster.report(1)["shards"] if not each["own"]]))

        def kill(racers):
            poll("the first answer", lambda: waiting(racers) < RACERS)
            leader = poll("somebody leads it", lambda: self.cluster.leader_of(shard))
            self.cluster.kill(leader)
            left = waiting(racers)
            print(f"       node {leader}, which leads {record} (shard {shard}), is dead: {left} of {RACERS} have no answer yet",
                  flush=True)
            check(left > 0, "the race was over before the leader died")
        return kill


@alone(suite, "it makes three nodes of its own")
def the_same_on_three_nodes_with_the_leader_of_what_is_raced_for_killed_on_the_way(_):
    directory = tempfile.mkdtemp(prefix="omnicart-e2e.")
    cluster = Cluster(os.path.join(directory, "cluster"), programs(), FEW_SHARDS, namespaces=False)
    try:
        cluster.up(3)
        staff, killer = Staff(cluster), Killer(cluster)

        def product_of(units):
            product = long_enough("p")
            staff.post("/api/products", {"id": product, "name": "An article", "price": pounds(PRICE)}).expect(201)
            staff.put(f"/api/inventory/{product}", {"on_hand": units, "reason": "delivery"}).expect(200)
            return product

        all_races([cluster.node(index)["http"] for index in cluster.indexes()], staff, product_of, kill_leader_of=killer)
        killer.all_run()
        laws_hold(cluster)
    finally:
        cluster.down(keep=False)
        shutil.rmtree(directory, ignore_errors=True)


with serving() as running:
    suite.run(Shop(running.start()))
suite.end()
