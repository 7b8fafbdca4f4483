#!/usr/bin/env python3
"""Where units are, transfers between locations, what is sold ahead of coming in, what is low, and what one customer may
have, over HTTP against a real node."""

import urllib.parse

from harness import Shop, Suite, check, equal, poll, serving
from harness.shop import fresh

WHEN = "2031-05-01T09:00:00.000Z"
suite = Suite()


def location(shop):
    name = fresh("depot")
    shop.admin.put("/api/locations/" + name, {"name": name}).expect(201)
    return name


def path_of(product, *more):
    return "/".join(["/api/inventory", urllib.parse.quote(product, safe=""), *more])


def count(shop, product, units, place):
    body = {"on_hand": units, "reason": "count", "location_id": place}
    return shop.admin.put(path_of(product), body).expect(200)


def come_in(shop, product, units, place=None):
    body = {"delta": units, "reason": "delivery", **({"location_id": place} if place else {})}
    return shop.admin.put(path_of(product), body, key=fresh("delivery")).expect(200)


def terms(shop, product, **to):
    return shop.admin.put(path_of(product, "terms"), to).expect(200)


def send(shop, product, units, **between):
    return shop.admin.post(path_of(product, "transfers"), {"quantity": units, **between}).expect(201)


def places(shop, product):
    return {each["location_id"]: each["on_hand"] for each in shop.figures(product)["locations"]}


def stocked_at(shop, *units):
    """A product, and the locations that have so many of it each."""
    product, at = shop.product(stock=None), [location(shop) for _ in units]
    for place, have in zip(at, units):
        count(shop, product, have, place)
    return (product, *at)


def order(shop, product, units, **more):
    return shop.guest().checkout(items=[{"product_id": product, "quantity": units}], **more)


def offered(shop, product):
    """What anybody sees, which the product says too."""
    seen = shop.web.get(path_of(product)).expect(200).json
    shown = {name: seen[name] for name in ("available", "state", "available_from") if name in seen}
    equal(shop.web.get("/api/products/" + product).expect(200)["stock"], shown)
    check("locations" not in seen and "terms" not in seen, seen)
    return shown


# --- where units are ------------------------------------------------------------------------------------------

@suite.case
def units_are_counted_where_they_are_and_sum_up(shop):
    product, leeds, york = stocked_at(shop, 6, 3)
    equal(places(shop, product), {leeds: 6, york: 3})
    seen = shop.stock(product, 10).json
    equal((seen["on_hand"], seen["available"], seen["at_no_location"]), (10, 10, 1))
    come_in(shop, product, 2, york)
    equal(places(shop, product), {leeds: 6, york: 5})
    shop.admin.put(path_of(product), {"on_hand": 9, "reason": "count"}).expect(409, "not_there")
    history = shop.admin.get(path_of(product, "history")).expect(200)["items"]
    equal([each["what"]["event"] for each in history], ["counted", "counted", "counted", "adjusted"])


@suite.case
def units_come_in_only_where_a_location_is_open(shop):
    product, leeds = stocked_at(shop, 4)
    body = {"on_hand": 1, "reason": "count", "location_id": fresh("nowhere")}
    refused = shop.admin.put(path_of(product), body).expect(422, "no_such_location").json
    equal([(each["pointer"], each["code"]) for each in refused["errors"]], [("/location_id", "no_such_location")])
    shop.admin.delete("/api/locations/" + leeds).expect(204)
    body = {"delta": 1, "reason": "delivery", "location_id": leeds}
    shop.admin.put(path_of(product), body, key=fresh()).expect(422, "location_closed")
    shop.admin.put(path_of(product), {**body, "delta": -1}, key=fresh()).expect(200)
    equal(places(shop, product), {leeds: 3})


@suite.case
def an_order_is_drawn_from_the_location_that_has_most(shop):
    product, small, large = stocked_at(shop, 3, 8)
    order(shop, product, 2).expect(201)
    poll("it is drawn", lambda: places(shop, product) == {small: 3, large: 6})
    order(shop, product, 7).expect(201)
    poll("the first, then the next", lambda: places(shop, product) == {small: 2})
    order(shop, product, 2).expect(201)
    poll("none is left", lambda: places(shop, product) == {})
    equal(shop.figures(product)["on_hand"], 0)


# --- transfers ------------------------------------------------------------------------------------------------

@suite.case
def what_is_on_its_way_nobody_can_buy_until_it_is_received(shop):
    product, leeds, york = stocked_at(shop, 5, 0)
    sent = send(shop, product, 4, **{"from": leeds, "to": york}, reason="sold out there")
    equal((sent["from"], sent["to"], sent["quantity"], sent["product_id"]), (leeds, york, 4, product))
    equal(sent.headers["location"], path_of(product, "transfers", sent["transfer_id"]))
    seen = shop.figures(product)
    equal((seen["on_hand"], seen["available"], seen["in_transfer"]), (5, 1, 4))
    equal([each["transfer_id"] for each in seen["transfers"]], [sent["transfer_id"]])
    equal(places(shop, product), {leeds: 1})
    order(shop, product, 2).expect(409, "out_of_stock")
    done = shop.admin.post(path_of(product, "transfers", sent["transfer_id"], "receive")).expect(200).json
    equal((done["available"], done["in_transfer"], done["transfers"]), (5, 0, []))
    equal(places(shop, product), {leeds: 1, york: 4})
    shop.admin.post(path_of(product, "transfers", sent["transfer_id"], "receive")).expect(404, "no_such_transfer")
    order(shop, product, 2).expect(201)


@suite.case
def what_was_lost_on_its_way_is_written_off(shop):
    product, leeds, york = stocked_at(shop, 5, 1)
    sent = send(shop, product, 4, **{"from": leeds, "to": york})
    path = path_of(product, "transfers", sent["transfer_id"], "receive")
    shop.admin.post(path, {"quantity": 5}).expect(422, "invalid_quantity")
    done = shop.admin.post(path, {"quantity": 3}).expect(200).json
    equal((done["on_hand"], done["adjusted"] + done["received"]), (5, 5))
    equal(places(shop, product), {leeds: 1, york: 4})


@suite.case
def a_recalled_transfer_is_back_where_it_came_from(shop):
    product, leeds, york = stocked_at(shop, 5, 1)
    sent = send(shop, product, 4, **{"from": leeds, "to": york})
    path = path_of(product, "transfers", sent["transfer_id"])
    shop.admin.delete(path).expect(204)
    equal(places(shop, product), {leeds: 5, york: 1})
    shop.admin.delete(path).expect(404, "no_such_transfer")
    shop.admin.post(path_of(product, "transfers"), {"from": leeds, "quantity": 6}).expect(409, "not_there")


@suite.case
def a_transfer_repeated_with_its_key_is_one(shop):
    product, leeds, york = stocked_at(shop, 5, 0)
    key, body = fresh("transfer"), {"from": leeds, "to": york, "quantity": 2}
    first, again = (shop.admin.post(path_of(product, "transfers"), body, key=key).expect(201) for _ in range(2))
    equal((again.json, again.replayed), (first.json, True))
    equal(shop.figures(product)["in_transfer"], 2)
    ends = fresh("arrival")
    for turn in range(2):
        path = path_of(product, "transfers", first["transfer_id"], "receive")
        equal(shop.admin.post(path, {}, key=ends).expect(200).replayed, turn == 1)
    equal(places(shop, product), {leeds: 3, york: 2})


# --- what is sold ahead of coming in --------------------------------------------------------------------------

@suite.case
def a_back_order_is_sold_beyond_the_stock_up_to_its_limit(shop):
    product = shop.product(stock=2)
    terms(shop, product, back_order={"limit": 3})
    equal(offered(shop, product), {"available": 2, "state": "low_stock"})
    order(shop, product, 6).expect(409, "out_of_stock")
    order(shop, product, 4).expect(201)
    equal(offered(shop, product), {"available": 0, "state": "back_order"})
    order(shop, product, 2).expect(409, "out_of_stock")
    order(shop, product, 1).expect(201)
    equal(offered(shop, product), {"available": 0, "state": "out_of_stock"})
    order(shop, product, 1).expect(409, "out_of_stock")
    poll("both are sold", lambda: shop.figures(product)["sold"] == 5)
    seen = shop.figures(product)
    equal((seen["on_hand"], seen["available"], seen["owed"]), (-3, 0, 3))


@suite.case
def units_that_come_in_go_first_to_those_who_wait_for_them(shop):
    product, leeds = shop.product(stock=1), location(shop)
    terms(shop, product, back_order={"limit": 5})
    order(shop, product, 4).expect(201)
    poll("it is sold", lambda: shop.figures(product)["sold"] == 4)
    come_in(shop, product, 10, leeds)
    seen = shop.figures(product)
    equal((seen["owed"], seen["available"], seen["at_no_location"]), (0, 7, 0))
    equal(places(shop, product), {leeds: 7})
    equal(offered(shop, product), {"available": 7, "state": "in_stock"})


@suite.case
def a_cancelled_back_order_is_owed_no_more(shop):
    product = shop.product(stock=1)
    terms(shop, product, back_order={"limit": 5})
    made = order(shop, product, 3).expect(201).json
    poll("it is sold", lambda: shop.figures(product)["sold"] == 3)
    shop.admin.delete("/api/orders/" + made["order_id"]).expect(200)
    poll("it is back", lambda: (shop.figures(product)["owed"], shop.figures(product)["available"]) == (0, 1))


@suite.case
def a_pre_order_says_from_when_it_is_to_be_had(shop):
    product = shop.product(stock=None)
    equal(offered(shop, product), {"available": 0, "state": "out_of_stock"})
    terms(shop, product, pre_order={"limit": 2, "available_from": WHEN})
    ahead = {"available": 0, "state": "pre_order", "available_from": WHEN}
    equal(offered(shop, product), ahead)
    listed = shop.web.all_of("/api/products?q=" + product)
    equal([each["stock"] for each in listed if each["id"] == product], [ahead])
    order(shop, product, 2).expect(201)
    equal(offered(shop, product), {"available": 0, "state": "out_of_stock"})
    terms(shop, product)
    equal(shop.figures(product)["terms"], {})


@suite.case
def terms_are_back_order_or_pre_order_and_replaced_as_a_whole(shop):
    product = shop.product()
    ahead = {"limit": 2, "available_from": WHEN}
    shop.admin.put(path_of(product, "terms"), {"back_order": ahead, "pre_order": ahead}).expect(422, "invalid_terms")
    shop.admin.put(path_of(product, "terms"), {"pre_order": {"limit": 2}}).expect(400, "invalid_body")
    equal(terms(shop, product, low_stock=3, customer_limit=2)["terms"], {"low_stock": 3, "customer_limit": 2})
    equal(terms(shop, product, pre_order=ahead)["terms"], {"pre_order": ahead})
    tag = shop.admin.get(path_of(product)).etag
    shop.admin.put(path_of(product, "terms"), {"low_stock": 1}, headers={"If-Match": tag}).expect(200)
    shop.admin.put(path_of(product, "terms"), {"low_stock": 2}, headers={"If-Match": tag}).expect(412)


# --- what is low, and what one customer may have --------------------------------------------------------------

@suite.case
def what_is_low_is_listed_until_it_comes_in(shop):
    products = sorted(shop.product(stock=5) for _ in range(5))
    low = lambda: [each for each in shop.admin.all_of("/api/inventory?low=true", limit=2)  # noqa: E731
                   if each["product_id"] in products]
    equal(low(), [])
    for product in products:
        terms(shop, product, low_stock=4, back_order={"limit": 9})
        check(not shop.figures(product)["low"], "five are above four")
    equal(low(), [])
    for product in products[:4]:
        order(shop, product, 1).expect(201)
    order(shop, products[0], 6).expect(201)
    equal([each["product_id"] for each in low()], products[:4])
    equal((low()[0]["available"], low()[0]["owed"], low()[0]["low_stock"]), (0, 2, 4))
    check(shop.figures(products[1])["low"], "four are low")
    come_in(shop, products[1], 1)
    terms(shop, products[2])
    shop.admin.delete("/api/products/" + products[3]).expect(204)
    equal([each["product_id"] for each in low()], products[:1])


@suite.case
def only_staff_list_what_is_low_and_they_must_say_so(shop):
    shop.guest().web.get("/api/inventory?low=true").expect(403)
    shop.node.staff("support").get("/api/inventory?low=true&limit=1").expect(200)
    for query in ("", "?low=false", "?low=yes", "?low=true&cursor=nonsense", "?low=true&low=true", "?low=true&more=1"):
        shop.admin.get("/api/inventory" + query).expect(400)


@suite.case
def one_customer_has_no_more_than_the_limit_over_all_orders(shop):
    product = shop.product(stock=50)
    terms(shop, product, customer_limit=3)
    ann, bob = (fresh(name) + "@example.com" for name in ("ann", "bob"))
    order(shop, product, 4, email=ann).expect(409, "customer_limit")
    made = order(shop, product, 2, email=ann).expect(201).json
    refused = order(shop, product, 2, email=ann).expect(409, "customer_limit").json
    equal([(each["product_id"], each["wanted"], each["available"]) for each in refused["lines"]], [(product, 2, 1)])
    order(shop, product, 3, email=bob).expect(201)
    order(shop, product, 1, email=ann).expect(201)
    shop.admin.delete("/api/orders/" + made["order_id"]).expect(200)
    poll("what she gave back counts no more", lambda: order(shop, product, 2, email=ann).status == 201)
    terms(shop, product)
    order(shop, product, 9, email=ann).expect(201)


with serving() as running:
    suite.run(Shop(running.start()))
    suite.run_case("every_law_holds_afterwards", running.laws)
suite.end()
