#!/usr/bin/env python3
"""What is kept of persons: which doings of staff on a customer's records are written down, and what the shop gives out
and forgets on request."""

import urllib.parse

from harness import Client, Node, Shop, Suite, check, equal
from harness.shop import Guest, fresh

suite = Suite()
PASSWORD = "correct horse battery"


def registered(shop, guest=None, name="Ann Unmistakable"):
    email = fresh("ann") + "@example.com"
    web = guest.web if guest else shop.web
    made = web.post("/api/users/register", {"email": email, "password": PASSWORD, "name": name}).expect(201)
    return email, made["user_id"]


def signed_in(shop, email, guest=None):
    web = guest.web if guest else shop.web
    return Guest(shop, web.post("/api/users/login", {"email": email, "password": PASSWORD}).expect(200).json)


# --- what staff do ---------------------------------------------------------------------------------------------

def member_of_staff(shop, role="support"):
    """A member of staff who signed in: client, credential."""
    email = fresh(role) + "@example.com"
    made = shop.node.operate().post("/users", {"email": email, "password": PASSWORD, "role": role}).expect(201)
    login = shop.web.post("/api/users/login", {"email": email, "password": PASSWORD}).expect(200)
    return Client(shop.node.http, login["token"]), "user:" + made["user_id"]


def done_by(node, credential):
    """What the audit log has of this credential: [(what, status)]."""
    entries = node.staff().all_of("/api/audit")
    ends = {e["action"]: e["status"] for e in entries if e["event"] == "ended"}
    return [(e["what"], ends[e["action"]]) for e in entries if e["event"] == "begun" and e["credential"] == credential]


@suite.case
def a_line_for_nothing_that_support_adds_to_a_customers_cart_is_in_the_audit_log():
    with Node() as node:
        shop = Shop(node.start())
        product, guest = shop.product(price=5000), shop.guest()
        _, ann = registered(shop)
        sue, credential = member_of_staff(shop)
        free = {"product_id": product, "quantity": 1, "unit_price": 0}
        by_id, by_user = f"/api/carts/{guest.cart_id}/items", f"/api/cart/{ann}/items"
        equal(sue.post(by_id, free).expect(201)["item"]["unit_price"]["amount"], 0)
        equal(sue.post(by_user, free).expect(201)["item"]["unit_price"]["amount"], 0)
        sue.post(by_id, {**free, "quantity": 0}).expect(400)
        equal(done_by(node, credential), [("POST " + by_id, 201), ("POST " + by_user, 201), ("POST " + by_id, 400)])
        # With a machine's key, which says who it is just as well.
        key = node.ctl("keys", "create", "--name", "phone", "--role", "support", "--scope", "carts:write").stdout.strip()
        node.client(key).post(by_id, free).expect(201)
        equal(done_by(node, "key:" + key.split("_")[1]), [("POST " + by_id, 201)])
        # And so it comes to what the customer pays.
        equal(guest.cart()["total"]["amount"], 0)


@suite.case
def every_change_that_staff_make_to_a_customers_cart_is_in_the_audit_log_and_no_reading():
    with Node() as node:
        shop = Shop(node.start())
        product, guest = shop.product(), shop.guest()
        guest.add(product, 2).expect(201)
        sue, credential = member_of_staff(shop)
        path, expected = "/api/carts/" + guest.cart_id, []

        def does(method, where, body=None):
            answer = sue.call(method, where, body)
            expected.append((f"{method} {where}", answer.status))

        sue.get(path).expect(200)
        does("PUT", f"{path}/items/{product}", {"quantity": 3})
        does("PUT", f"{path}/lines/1", {"quantity": 4})
        does("POST", f"{path}/coupons", {"code": "NO-SUCH-CODE"})
        does("DELETE", f"{path}/coupons/NO-SUCH-CODE")
        does("POST", f"{path}/gift-cards", {"code": "NO-SUCH-CARD"})
        does("DELETE", f"{path}/gift-cards/NO-SUCH-CARD")
        does("PUT", f"{path}/shipping", {"country": "GB"})
        does("DELETE", f"{path}/lines/1")
        does("DELETE", f"{path}/items/{product}")
        does("DELETE", path)
        does("POST", "/api/carts", {"user_id": registered(shop)[1]})
        equal(done_by(node, credential), expected)


@suite.case
def reservations_by_staff_are_in_the_audit_log_and_shoppers_own_calls_are_not():
    with Node() as node:
        shop = Shop(node.start())
        product, guest = shop.product(), shop.guest()
        sue, credential = member_of_staff(shop)
        hold = sue.post("/api/inventory/reserve", {"product_id": product, "quantity": 1}).expect(201)["reservation_id"]
        one = "/api/inventory/reservations/" + urllib.parse.quote(hold, safe="")
        sue.post(one + "/extend", {"ttl_s": 60}).expect(200)
        sue.delete(one).expect(204)
        equal([status for _, status in done_by(node, credential)], [201, 200, 204])
        begun = [what for what, _ in done_by(node, credential)]
        equal(begun[0], "POST /api/inventory/reserve")
        check(all("/api/inventory/reservations/" in what for what in begun[1:]), begun)
        ann = signed_in(shop, registered(shop)[0])
        for buyer in (guest, ann):
            buyer.web.post("/api/inventory/reserve", {"product_id": product, "quantity": 1}).expect(201)
            buyer.add(product).expect(201)
        guest.web.put(f"/api/carts/{guest.cart_id}/items/{product}", {"quantity": 2}).expect(200)
        guest.web.post(f"/api/carts/{guest.cart_id}/items", {"product_id": product, "quantity": 1}).expect(201)
        whats = [e["what"] for e in node.staff().all_of("/api/audit") if e["event"] == "begun"]
        equal(sum("/api/cart" in what for what in whats), 0, "shoppers' own calls")
        equal(whats.count("POST /api/inventory/reserve"), 1)


suite.run()
suite.end()
