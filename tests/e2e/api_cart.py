#!/usr/bin/env python3
"""Carts under their three addresses, over HTTP against a real node."""

from harness import Client, Shop, Suite, check, equal, serving
from harness.shop import fresh, pounds

suite = Suite()
PASSWORD = "correct horse battery"


def user(shop):
    """A user signed in: a client and the user's record."""
    email = fresh("cart") + "@example.com"
    made = shop.web.post("/api/users/register", {"email": email, "password": PASSWORD}).expect(201).json
    given = shop.web.post("/api/users/login", {"email": email, "password": PASSWORD}).expect(200).json
    return Client(shop.node.http, given["token"]), made


def quantities(cart):
    return {i["product_id"]: i["quantity"] for i in cart["items"]}


@suite.case
def a_fresh_cart_is_empty_and_costs_nothing(shop):
    cart = shop.guest().cart()
    equal((cart["items"], cart["total"], cart["version"]), ([], pounds(0), 0))


@suite.case
def an_added_item_is_answered_with_the_line_and_the_totals(shop):
    guest, product = shop.guest(), shop.product(price=250)
    added = guest.add(product, 2).expect(201).json
    equal(added["item"]["line_total"], pounds(500))
    equal((added["subtotal"], added["total"], added["item_count"]), (pounds(500), pounds(500), 2))
    check("items" not in added, added)
    again = guest.add(product, 3).expect(201).json
    equal((again["item"]["quantity"], again["item"]["line_id"]), (5, added["item"]["line_id"]))
    check(again["version"] > added["version"])
    cart = guest.cart()
    for none in ("discount_total", "shipping_total", "tax_total"):
        equal(cart[none], pounds(0))
    equal((cart["subtotal"], cart["total"]), (pounds(1250), pounds(1250)))


@suite.case
def prefer_asks_for_the_whole_cart(shop):
    guest = shop.guest()
    answer = guest.add(shop.product(), 1, headers={"Prefer": "return=representation"}).expect(201)
    equal(answer.headers["preference-applied"], "return=representation")
    equal(len(answer["items"]), 1)
    equal(answer["cart_id"], guest.cart_id)


@suite.case
def an_array_of_up_to_500_items_is_added_all_or_none(shop):
    guest, one, two = shop.guest(), shop.product(price=1), shop.product(price=2)
    many = [{"product_id": one if i % 2 else two, "quantity": 1} for i in range(500)]
    added = guest.web.post("/api/cart/items", many).expect(201).json
    equal((added["item_count"], added["subtotal"]), (500, pounds(750)))
    guest.web.post("/api/cart/items", many + many[:1]).expect(400, "invalid_body")
    guest.web.post("/api/cart/items", []).expect(400, "invalid_body")
    guest.web.post("/api/cart/items", [{"product_id": one, "quantity": 1},
                                       {"product_id": fresh("none"), "quantity": 1}]).expect(404)
    equal(guest.cart()["item_count"], 500)


@suite.case
def unknown_and_retired_products_are_not_found(shop):
    guest, product = shop.guest(), shop.product()
    guest.add(fresh("none")).expect(404, "no_such_product")
    shop.admin.delete("/api/products/" + product).expect(204)
    guest.add(product).expect(404)


@suite.case
def a_line_holds_at_most_999999(shop):
    guest, product = shop.guest(), shop.product()
    guest.add(product, 999_999).expect(201)
    guest.add(product, 1).expect(422, "quantity_limit")
    equal(guest.cart()["item_count"], 999_999)


@suite.case
def a_cart_holds_at_most_5000_lines(shop):
    guest, product = shop.guest(), shop.product()
    path = "/api/carts/" + guest.cart_id + "/items"
    guest.add(product).expect(201)
    for start in range(0, 5000, 500):
        lines = [{"product_id": product, "quantity": 1, "unit_price": pounds(i)} for i in range(start, start + 500)]
        if start == 4500:
            shop.admin.post(path, lines).expect(422, "line_limit")
            lines = lines[:-1]
        shop.admin.post(path, lines).expect(201)
    shop.admin.post(path, {"product_id": product, "quantity": 1, "unit_price": pounds(9999)}).expect(422, "line_limit")
    equal(len(guest.cart()["items"]), 5000)


@suite.case
def a_quantity_is_set_by_product_and_by_line_and_zero_removes(shop):
    guest, product, other = shop.guest(), shop.product(), shop.product()
    guest.add(product, 2).expect(201)
    line = guest.add(other, 1).expect(201)["item"]["line_id"]
    equal(guest.web.put("/api/cart/items/" + product, {"quantity": 7}).expect(200)["item_count"], 8)
    guest.web.put(f"/api/cart/lines/{line}", {"quantity": 3}).expect(200)
    equal(quantities(guest.cart()), {product: 7, other: 3})
    guest.web.put("/api/cart/items/" + product, {"quantity": 0}).expect(200)
    guest.web.delete(f"/api/cart/lines/{line}").expect(200)
    equal(guest.cart()["items"], [])
    guest.web.put("/api/cart/items/" + product, {"quantity": 1}).expect(404)
    guest.web.put("/api/cart/lines/99", {"quantity": 1}).expect(404)


@suite.case
def a_line_is_removed_and_the_cart_emptied(shop):
    guest, one, two = shop.guest(), shop.product(), shop.product()
    guest.web.post("/api/cart/items", [{"product_id": p, "quantity": 1} for p in (one, two)]).expect(201)
    guest.web.delete("/api/cart/items/" + one).expect(200)
    equal(quantities(guest.cart()), {two: 1})
    guest.web.delete("/api/cart").expect(200)
    equal(guest.cart()["items"], [])


@suite.case
def staff_add_at_a_negotiated_price_and_product_and_price_make_a_line(shop):
    guest, product = shop.guest(), shop.product(price=1000)
    path = f"/api/carts/{guest.cart_id}"
    guest.add(product).expect(201)
    for price in (pounds(0), pounds(700), 7.00, pounds(700)):
        line = {"product_id": product, "quantity": 1, "unit_price": price}
        shop.admin.post(path + "/items", line).expect(201)
    cart = guest.cart()
    equal(sorted((i["unit_price"]["amount"], i["quantity"]) for i in cart["items"]), [(0, 1), (700, 3), (1000, 1)])
    equal(len({i["line_id"] for i in cart["items"]}), 3)
    # By product means the line at list price.
    guest.web.put("/api/cart/items/" + product, {"quantity": 0}).expect(200)
    equal(sorted(i["unit_price"]["amount"] for i in guest.cart()["items"]), [0, 700])
    guest.add(product, 1, headers={}).expect(201)
    guest.web.post("/api/cart/items", {"product_id": product, "quantity": 1, "unit_price": 1}).expect(400)


@suite.case
def staff_may_be_the_first_to_touch_a_guests_cart(shop):
    guest, product = shop.guest(), shop.product()
    shop.admin.post(f"/api/carts/{guest.cart_id}/items", {"product_id": product, "quantity": 2}).expect(201)
    equal(guest.cart()["item_count"], 2)


@suite.case
def the_three_addresses_name_the_same_cart(shop):
    web, record = user(shop)
    product = shop.product()
    web.post(f"/api/cart/{record['user_id']}/items", {"product_id": product, "quantity": 1}).expect(201)
    mine = web.get("/api/cart").expect(200).json
    equal(web.get(f"/api/cart/{record['user_id']}").expect(200).json, mine)
    equal(web.get(f"/api/carts/{mine['cart_id']}").expect(200).json, mine)
    equal(shop.admin.get(f"/api/cart/{record['user_id']}").expect(200).json, mine)
    web.put(f"/api/cart/{record['user_id']}/items/{product}", {"quantity": 4}).expect(200)
    web.put(f"/api/carts/{mine['cart_id']}/lines/1", {"quantity": 5}).expect(200)
    equal(web.get("/api/cart")["item_count"], 5)
    web.delete(f"/api/carts/{mine['cart_id']}/items/{product}").expect(200)
    web.delete(f"/api/cart/{record['user_id']}").expect(200)


@suite.case
def someone_elses_cart_is_as_if_it_did_not_exist(shop):
    guest, other, product = shop.guest(), shop.guest(), shop.product()
    guest.add(product).expect(201)
    _, record = user(shop)
    for path in (f"/api/carts/{guest.cart_id}", f"/api/cart/{record['user_id']}"):
        unknown = other.web.get(path.rsplit("/", 1)[0] + "/" + fresh("none")).expect(404)
        seen = other.web.get(path).expect(404)
        equal(seen.code, unknown.code)
        other.web.delete(path).expect(404)
        other.web.post(path + "/items", {"product_id": product, "quantity": 1}).expect(404)
        other.web.put(path + "/items/" + product, {"quantity": 1}).expect(404)
        other.web.delete(path + "/lines/1").expect(404)
    equal(guest.cart()["item_count"], 1)


@suite.case
def a_cart_is_created_for_oneself_and_by_staff_for_a_user(shop):
    web, record = user(shop)
    made = web.post("/api/carts").expect(201)
    check(made["cart_id"] != record["cart_id"])
    web.get("/api/carts/" + made["cart_id"]).expect(200)
    for_user = shop.admin.post("/api/carts", {"user_id": record["user_id"]}).expect(201)
    web.get("/api/carts/" + for_user["cart_id"]).expect(200)
    shop.guest().web.post("/api/carts", {"user_id": record["user_id"]}).expect(404)
    key = fresh("cart")
    first = web.post("/api/carts", key=key).expect(201)
    again = web.post("/api/carts", key=key).expect(201)
    equal((again["cart_id"], again.replayed), (first["cart_id"], True))


@suite.case
def a_cart_is_conditional_on_its_tag(shop):
    guest, product = shop.guest(), shop.product()
    added = guest.add(product).expect(201)
    shown = guest.web.get("/api/cart").expect(200)
    equal(shown.etag, added.etag)
    unchanged = guest.web.get("/api/cart", headers={"If-None-Match": shown.etag}).expect(304)
    equal(unchanged.body, b"")
    guest.add(product, 1, headers={"If-Match": shown.etag}).expect(201)
    guest.add(product, 1, headers={"If-Match": shown.etag}).expect(412)
    guest.web.delete("/api/cart", headers={"If-Match": shown.etag}).expect(412)
    guest.web.get("/api/cart", headers={"If-None-Match": shown.etag}).expect(200)
    equal(guest.cart()["item_count"], 2)


@suite.case
def an_add_repeated_with_its_key_happens_once(shop):
    guest, product, key = shop.guest(), shop.product(), fresh("add")
    first = guest.add(product, 2, key=key).expect(201)
    guest.add(product, 1).expect(201)
    again = guest.add(product, 2, key=key).expect(201)
    check(again.replayed and not first.replayed)
    equal(guest.cart()["item_count"], 3)
    guest.add(product, 9, key=key).expect(422)
    guest.add(product, 2, key=f'"{key}"').expect(201)  # quoted: the same key
    equal(guest.cart()["item_count"], 3)


@suite.case
def an_add_repeated_with_its_key_names_its_line_though_that_was_bought_or_removed(shop):
    guest, product, key = shop.guest(), shop.product(), fresh("add")
    guest.add(shop.product()).expect(201)
    first = guest.add(product, 2, key=key).expect(201)["item"]
    guest.web.delete("/api/cart/items/" + product).expect(200)
    guest.add(product, 5).expect(201)
    again = guest.add(product, 2, key=key).expect(201)
    equal((again.replayed, again["item"]["line_id"], again["item"]["quantity"]), (True, first["line_id"], 0))
    guest.checkout().expect(201)
    again = guest.add(product, 2, key=key).expect(201)
    equal((again.replayed, again["item"]["line_id"], again["item"]["quantity"]), (True, first["line_id"], 0))


@suite.case
def an_add_repeated_with_its_key_is_answered_though_the_product_has_another_price_or_is_retired(shop):
    guest, product = shop.guest(), shop.product(price=1000)
    key, array_key = fresh("add"), fresh("add")
    array = [{"product_id": product, "quantity": 1}, {"product_id": product, "quantity": 1}]
    first = guest.add(product, 2, key=key).expect(201)["item"]
    guest.web.post("/api/cart/items", array, key=array_key).expect(201)
    shop.admin.put("/api/products/" + product, {"name": "Dearer", "price": pounds(1500)}).expect(200)
    again = guest.add(product, 2, key=key).expect(201)["item"]
    equal((again["line_id"], again["unit_price"], again["quantity"]), (first["line_id"], pounds(1000), 4))
    shop.admin.delete("/api/products/" + product).expect(204)
    again = guest.add(product, 2, key=key).expect(201)
    equal((again.replayed, again["item"]["line_id"]), (True, first["line_id"]))
    again = guest.web.post("/api/cart/items", array, key=array_key).expect(201)
    equal([i["line_id"] for i in again["items"]], [first["line_id"]])
    guest.add(product, 2, key=fresh("add")).expect(404)
    equal(guest.cart()["item_count"], 4)


@suite.case
def two_guests_may_use_the_same_key(shop):
    product, key = shop.product(), fresh("key")
    for guest in (shop.guest(), shop.guest()):
        check(not guest.add(product, 2, key=key).expect(201).replayed)
        equal(guest.cart()["item_count"], 2)


@suite.case
def a_line_keeps_the_price_seen_when_it_was_added(shop):
    guest, product = shop.guest(), shop.product(price=1000)
    guest.add(product).expect(201)
    shop.admin.put("/api/products/" + product, {"name": "Dearer", "price": pounds(1500)}).expect(200)
    equal(guest.cart()["items"][0]["unit_price"], pounds(1000))


@suite.case
def a_guests_cart_that_an_accounts_took_over_is_gone_under_its_id(shop):
    guest, product, email = shop.guest(), shop.product(), fresh("taken") + "@example.com"
    guest.add(product, 2).expect(201)
    shop.web.post("/api/users/register", {"email": email, "password": PASSWORD}).expect(201)
    given = guest.web.post("/api/users/login", {"email": email, "password": PASSWORD}).expect(200)
    check("guest_cart_pending" not in given.json, given)
    web, one = Client(shop.node.http, given["token"]), "/api/carts/" + guest.cart_id
    equal(quantities(web.get("/api/cart").expect(200)), {product: 2})
    sue, item = shop.node.staff("support"), {"product_id": product, "quantity": 1}
    sue.get(one).expect(410, "closed")
    for method, rest, body in (("POST", "/items", item), ("PUT", "/items/" + product, {"quantity": 3}), ("DELETE", "/items/" + product, None),
                               ("PUT", "/lines/1", {"quantity": 3}), ("DELETE", "/lines/1", None), ("POST", "/coupons", {"code": "ANY"}),
                               ("DELETE", "/coupons/ANY", None), ("POST", "/gift-cards", {"code": "ANY"}),
                               ("DELETE", "/gift-cards/ANY", None), ("PUT", "/shipping", {"country": "GB"}), ("DELETE", "", None)):
        sue.call(method, one + rest, body).expect(410, "closed")
    # Whose it was has another one now; to customers it is as if it had never been.
    for asker in (web, shop.guest().web):
        asker.get(one).expect(404, "not_found")
        asker.post(one + "/items", item).expect(404, "not_found")
    equal(quantities(web.get("/api/cart").expect(200)), {product: 2})


@suite.case
def a_cart_read_with_head_has_no_body(shop):
    guest = shop.guest()
    guest.add(shop.product()).expect(201)
    answer = guest.web.call("HEAD", "/api/cart").expect(200)
    equal(answer.body, b"")
    check(answer.etag)


with serving() as node:
    suite.run(Shop(node.start()))
suite.end()
