#!/usr/bin/env python3
"""What is kept of persons: which doings of staff on a customer's records are written down, and what the shop gives out
and forgets on request."""

import json
import urllib.parse

from harness import Client, Shop, Suite, check, equal, serving
from harness.shop import ADDRESS, Guest, fresh

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
    with serving() as node:
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
def a_price_that_support_sets_in_its_own_cart_is_in_the_audit_log():
    with serving() as node:
        shop = Shop(node.start())
        product, guest = shop.product(price=5000), shop.guest()
        sue, credential = member_of_staff(shop)
        before = len(node.staff().all_of("/api/audit"))
        added = sue.post("/api/cart/items", {"product_id": product, "quantity": 1, "unit_price": 1}).expect(201)
        equal(added["item"]["unit_price"]["amount"], 100)
        sue.post("/api/cart/items", {"product_id": product, "quantity": 0, "unit_price": 1}).expect(400)
        equal(done_by(node, credential), [("POST /api/cart/items", 201), ("POST /api/cart/items", 400)])
        # What takes no price is anybody's shopping, and so is what customers add.
        sue.put("/api/cart/lines/1", {"quantity": 2}).expect(200)
        guest.add(product).expect(201)
        ann = signed_in(shop, registered(shop)[0])
        ann.add(product).expect(201)
        for buyer in (guest, ann):
            buyer.web.post("/api/cart/items", {"product_id": product, "quantity": 1, "unit_price": 1}).expect(400, "invalid_body")
        whats = [e["what"] for e in node.staff().all_of("/api/audit")[before:] if e["event"] == "begun"]
        equal([what for what in whats if "/api/cart" in what], ["POST /api/cart/items"] * 2)


@suite.case
def every_change_that_staff_make_to_a_customers_cart_is_in_the_audit_log_and_no_reading():
    with serving() as node:
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
    with serving() as node:
        shop = Shop(node.start())
        product, guest = shop.product(), shop.guest()
        sue, credential = member_of_staff(shop)
        before = len(node.staff().all_of("/api/audit"))
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
        whats = [e["what"] for e in node.staff().all_of("/api/audit")[before:] if e["event"] == "begun"]
        equal(sum("/api/cart" in what for what in whats), 0, "shoppers' own calls")
        equal(whats.count("POST /api/inventory/reserve"), 1)


# --- what was ordered as a guest -------------------------------------------------------------------------------

PERSONAL = {**ADDRESS, "name": "Ann Unmistakable", "line1": "77 Recognisable Road", "phone": "0113 496 0000"}
EMAIL = "unmistakable@example.com"
MARKS = ("Unmistakable", "unmistakable", "Recognisable", "496 0000")


def ordered(shop, buyer, key=None):
    """An order of `buyer` with all that may be personal in it; its path."""
    buyer.add(shop.article).expect(201)
    made = buyer.checkout(key=key or fresh("order"), email=EMAIL, shipping_address=PERSONAL).expect(201)
    equal((made["email"], made["shipping_address"]), (EMAIL, PERSONAL), "the buyer reads it")
    return "/api/orders/" + made["order_id"]


def reads(web, path):
    got = web.get(path).expect(200)
    equal((got["email"], got["shipping_address"]), (EMAIL, PERSONAL))
    listed = next(o for o in web.all_of("/api/orders") if path.endswith(o["order_id"]))
    equal((listed["email"], listed["shipping_address"]), (EMAIL, PERSONAL))


def nobody_reads(shop, path):
    """The trade stands there without the person: in the record, the list, the history and what operators see."""
    kept = shop.admin.get(path).expect(200)
    equal(kept["email"], "(erased)")
    equal(kept["shipping_address"], {name: "GB" if name == "country" else "(erased)" for name in PERSONAL})
    equal((kept["status"], kept["total"]["amount"]), ("paid", 1000))
    listed = next(o for o in shop.admin.all_of("/api/orders") if path.endswith(o["order_id"]))
    equal((listed["email"], listed["shipping_address"]["name"]), ("(erased)", "(erased)"))
    in_no_history(shop, path)


def in_no_history(shop, path):
    shown = [shop.admin.get(path + "/history").expect(200).body.decode()]
    for more in ((), ("--history",)):
        shown.append(shop.node.ctl("entity", "show", "order/" + path.rsplit("/", 1)[1], *more).stdout)
    check(all(len(text) > 100 for text in shown), "nothing was looked at")
    for mark in MARKS:
        check(not any(mark in text for text in shown), "in clear", mark)


def erase(person):
    person.web.call("DELETE", "/api/users/profile", {"current_password": PASSWORD}).expect(204)


def shop_of(node):
    shop = Shop(node.start())
    shop.article = shop.product(price=1000, stock=100)
    return shop


@suite.case
def what_somebody_ordered_before_they_registered_becomes_unreadable_with_the_rest():
    with serving() as node:
        shop = shop_of(node)
        guest, other = shop.guest(), shop.guest()
        before, others = ordered(shop, guest), ordered(shop, other)
        reads(guest.web, before)
        email, _ = registered(shop, guest)
        reads(guest.web, before)
        ann = signed_in(shop, email)
        after = ordered(shop, ann)
        for path in (before, after):
            reads(ann.web, path)
            reads(shop.admin, path)
            in_no_history(shop, path)
        erase(ann)
        for path in (before, after):
            nobody_reads(shop, path)
        guest.web.get(before).expect(401)
        reads(other.web, others)
        node.restart()
        shop = Shop(node)
        for path in (before, after):
            nobody_reads(shop, path)
        reads(shop.admin, others)
        node.laws()


@suite.case
def what_a_guest_ordered_becomes_unreadable_with_the_user_who_signed_in_from_there():
    with serving() as node:
        shop = shop_of(node)
        email, _ = registered(shop)
        first, second = shop.guest(), shop.guest()
        paths = [ordered(shop, first), ordered(shop, second)]
        signed_in(shop, email, first)
        ann = signed_in(shop, email, second)
        for path in paths:
            reads(ann.web, path)
        node.restart()
        ann = signed_in(Shop(node), email)
        for path in paths:
            reads(ann.web, path)
        erase(ann)
        for path in paths:
            nobody_reads(Shop(node), path)


@suite.case
def a_guest_who_never_registers_is_read_by_themselves_and_staff_and_in_no_history():
    with serving() as node:
        shop = shop_of(node)
        guest = shop.guest()
        path = ordered(shop, guest)
        in_no_history(shop, path)
        guest.web.post("/api/users/logout").expect(204)
        reads(shop.admin, path)
        shown = node.ctl("entity", "show", "session/" + guest.id, "--history").stdout
        check("person_key" in shown and "(redacted)" in shown, shown)


@suite.case
def an_order_placed_as_a_guest_and_repeated_by_the_user_is_the_same_order():
    with serving() as node:
        shop = shop_of(node)
        email, _ = registered(shop)
        guest, key = shop.guest(), fresh("order")
        path = ordered(shop, guest, key)
        again = guest.checkout(key=key, email=EMAIL, shipping_address=PERSONAL).expect(201)
        check(again.replayed and path.endswith(again["order_id"]), again)
        ann = signed_in(shop, email, guest)
        again = ann.checkout(key=key, email=EMAIL, shipping_address=PERSONAL).expect(201)
        check(path.endswith(again["order_id"]), path, again)
        equal((again["email"], again["shipping_address"]), (EMAIL, PERSONAL))
        ann.checkout(key=key, email="other@example.com", shipping_address=PERSONAL).expect(422)


@suite.case
def limits_per_customer_know_a_guest_without_an_address():
    with serving() as node:
        shop = shop_of(node)
        coupon = {"code": fresh("LIMITED"), "type": "percentage", "rate_bps": 500, "total_limit": 9, "customer_limit": 1}
        code = shop.admin.post("/api/coupons", coupon).expect(201)["code"]
        shop.admin.put(f"/api/inventory/{shop.article}/terms", {"customer_limit": 1}).expect(200)
        order = {"email": EMAIL, "shipping_address": PERSONAL, "items": [{"product_id": shop.article, "quantity": 1}]}
        shop.guest().checkout(**order, coupons=[code]).expect(201)
        shop.guest().checkout(**{**order, "email": EMAIL.upper()}).expect(409, "customer_limit")
        for record in ("coupon/" + code, "stock/" + shop.article):
            shown = node.ctl("entity", "show", record, "--history").stdout.lower()
            check(len(shown) > 100 and not any(mark.lower() in shown for mark in MARKS), "in clear", record, shown)


# --- reviews ---------------------------------------------------------------------------------------------------

def review(shop, buyer, author="Ann Unmistakable", text="Boils water."):
    wanted = {"rating": 4, "text": text, **({"author": author} if author else {})}
    said = buyer.web.post(f"/api/products/{shop.article}/reviews", wanted).expect(201)["review"]
    equal(said.get("author"), author)


def authors(shop):
    """Author and text of each review, the newest first."""
    found = shop.web.get(f"/api/products/{shop.article}/reviews").expect(200)["items"]
    return [(each.get("author"), each["text"]) for each in found]


@suite.case
def a_review_stays_without_the_name_of_an_author_who_was_erased():
    with serving() as node:
        shop = shop_of(node)
        guest, bob, silent = shop.guest(), shop.guest(), shop.guest()
        for buyer in (guest, bob, silent):
            ordered(shop, buyer)
        review(shop, guest, text="As a guest.")
        review(shop, bob, "Bob")
        review(shop, silent, None, "No name.")
        ann = signed_in(shop, registered(shop, guest)[0])
        ordered(shop, ann)
        review(shop, ann, "\u00e4" * 100, "As a user.")
        said = [("\u00e4" * 100, "As a user."), (None, "No name."), ("Bob", "Boils water."), ("Ann Unmistakable", "As a guest.")]
        equal(authors(shop), said)
        review(shop, ann, "\u00e4" * 100, "As a user.")
        equal(authors(shop), said, "the same again changes nothing")
        shown = node.ctl("entity", "show", "reviews/" + shop.article, "--history").stdout
        check("Boils water." in shown and "Unmistakable" not in shown, "in clear", shown)
        erase(ann)
        left = [("former customer", "As a user."), *said[1:3], ("former customer", "As a guest.")]
        equal(authors(shop), left)
        node.restart()
        again = Shop(node)
        again.article = shop.article
        equal(authors(again), left)


@suite.case
def who_bought_as_a_guest_reviews_it_as_the_user_they_became_wherever_they_sign_in():
    with serving() as node:
        shop = shop_of(node)
        guest = shop.guest()
        ordered(shop, guest)
        review(shop, signed_in(shop, registered(shop, guest)[0]))
        stranger = signed_in(shop, registered(shop)[0])
        stranger.web.post(f"/api/products/{shop.article}/reviews", {"rating": 1}).expect(403, "not_a_buyer")


# --- taken along -----------------------------------------------------------------------------------------------

@suite.case
def the_export_has_profile_carts_orders_and_reviews_also_of_the_guest_and_nobody_elses():
    with serving() as node:
        shop = shop_of(node)
        guest, bob = shop.guest(), shop.guest()
        as_guest = ordered(shop, guest)
        others = ordered(shop, bob)
        review(shop, guest, text="As a guest.")
        review(shop, bob, "Bob", "Of Bob.")
        email, ann_id = registered(shop, guest)
        ann = signed_in(shop, email)
        empty = ann.web.get("/api/users/profile/export").expect(200)
        equal([r["text"] for r in empty["reviews"]], ["As a guest."])
        ann.web.put("/api/users/profile", {"phone": PERSONAL["phone"], "addresses": [PERSONAL]}).expect(200)
        as_user = ordered(shop, ann)
        review(shop, ann, text="As a user.")
        other = shop.product()
        ann.add(other, 3).expect(201)
        taken = ann.web.get("/api/users/profile/export").expect(200)
        check("my-data.json" in taken.headers["content-disposition"])
        equal((taken["user"]["user_id"], taken["user"]["addresses"]), (ann_id, [PERSONAL]))
        equal(["/api/orders/" + o["order_id"] for o in taken["orders"]], [as_user, as_guest])
        equal([o["shipping_address"] for o in taken["orders"]], [PERSONAL, PERSONAL])
        equal([(r["product_id"], r["author"], r["text"]) for r in taken["reviews"]],
              [(shop.article, "Ann Unmistakable", "As a user."), (shop.article, "Ann Unmistakable", "As a guest.")])
        held = {i["product_id"]: i["quantity"] for cart in taken["carts"] for i in cart["items"]}
        equal(held, {other: 3})
        check(ann.cart()["cart_id"] in [cart["cart_id"] for cart in taken["carts"]], taken["carts"])
        check("Bob" not in taken.body.decode() and others.rsplit("/", 1)[1] not in taken.body.decode(), "another's")
        check(ann.id in taken["sessions"], taken["sessions"])


def wishes_of(exported, cart_id):
    """Codes and destination of one of the carts of an export."""
    cart = next(each for each in exported["carts"] if each["cart_id"] == cart_id)
    return cart.get("coupons"), cart.get("gift_cards"), cart.get("ship_to")


@suite.case
def the_export_has_the_codes_of_a_cart_and_where_it_is_to_go():
    with serving() as node:
        shop = shop_of(node)
        path = "/api/users/profile/export"
        coupons = [shop.admin.post("/api/coupons", {"code": fresh("C").upper(), "type": "percentage", "rate_bps": 1000})
                   .expect(201)["code"] for _ in range(2)]
        cards = [shop.gift_card(500) for _ in range(2)]
        guest = shop.guest()
        guest.web.put("/api/cart/shipping", {"country": "GB"}).expect(200)
        equal(wishes_of(guest.web.get(path).expect(200).json, guest.cart_id), (None, None, {"country": "GB"}))
        guest.add(shop.article, 2).expect(201)
        for coupon, card in zip(coupons, cards):
            guest.web.post("/api/cart/coupons", {"code": coupon}).expect(200)
            guest.web.post("/api/cart/gift-cards", {"code": card}).expect(200)
        # No such method has to be there: what was said is taken along.
        guest.web.put("/api/cart/shipping", {"country": "GB", "method": "by-balloon"}).expect(200)
        wanted = coupons, cards, {"country": "GB", "method": "by-balloon"}
        taken = guest.web.get(path).expect(200).json
        equal(wishes_of(taken, guest.cart_id), wanted)
        equal([(i["product_id"], i["quantity"]) for i in taken["carts"][0]["items"]], [(shop.article, 2)])
        equal(taken["carts"][0]["subtotal"], {"amount": 2000, "currency": "GBP"})
        email, ann_id = registered(shop, guest)
        ann = signed_in(shop, email)
        equal(wishes_of(ann.web.get(path).expect(200).json, ann.cart_id), wanted, "the user's")
        boss = member_of_staff(shop, "admin")[0]
        equal(wishes_of(boss.get(f"/api/users/{ann_id}/export").expect(200).json, ann.cart_id), wanted, "an admin's")
        # What is taken out again is there no more.
        ann.web.delete("/api/cart/coupons/" + coupons[0]).expect(200)
        ann.web.put("/api/cart/shipping", {}).expect(200)
        equal(wishes_of(ann.web.get(path).expect(200).json, ann.cart_id), (coupons[1:], cards, None))


# --- by staff, for those who write to the shop ------------------------------------------------------------------

def key_for(node, *scopes, role="admin"):
    """A client with a machine's key, and its credential in the audit log."""
    given = [word for scope in scopes for word in ("--scope", scope)]
    key = node.ctl("keys", "create", "--name", "desk", "--role", role, *given).stdout.strip()
    return node.client(key), "key:" + key.split("_")[1]


REASON = {"reason": "asked by letter of 2 March"}


@suite.case
def an_admin_takes_along_what_a_user_would_and_that_is_in_the_audit_log():
    with serving() as node:
        shop = shop_of(node)
        email, ann_id = registered(shop, (guest := shop.guest()))
        ann = signed_in(shop, email)
        order = ordered(shop, ann)
        node.laws()  # it owes nobody anything: its version stays
        theirs = ann.web.get("/api/users/profile/export").expect(200).json
        boss, credential = member_of_staff(shop, "admin")
        path = f"/api/users/{ann_id}/export"
        answer = boss.get(path).expect(200)
        check(f"data-of-{ann_id}.json" in answer.headers["content-disposition"])
        mine = answer.json
        equal((mine["user"], mine["orders"], mine["reviews"]), (theirs["user"], theirs["orders"], theirs["reviews"]))
        equal(sorted(mine["sessions"]), sorted(theirs["sessions"]))
        check(guest.id in mine["sessions"] and order.endswith(mine["orders"][0]["order_id"]), mine)
        equal(done_by(node, credential), [("GET " + path, 200)])
        machine, by = key_for(node, "users:read")
        equal(machine.get(path).expect(200)["user"], theirs["user"])
        equal(done_by(node, by), [("GET " + path, 200)])
        key_for(node, "orders:read")[0].get(path).expect(403, "missing_scope")
        key_for(node, "users:read", role="support")[0].get(path).expect(403, "forbidden")
        member_of_staff(shop)[0].get(path).expect(403, "forbidden")
        ann.web.get(path).expect(403, "forbidden")
        boss.get("/api/users/nobody/export").expect(404, "no_such_user")


@suite.case
def who_is_erased_by_an_admin_is_erased_as_by_themselves_and_the_log_says_why():
    with serving() as node:
        shop = shop_of(node)
        guest = shop.guest()
        paths = [ordered(shop, guest)]
        email, ann_id = registered(shop, guest)
        ann = signed_in(shop, email)
        paths.append(ordered(shop, ann))
        review(shop, ann)
        boss, credential = member_of_staff(shop, "admin")
        one = "/api/users/" + ann_id
        boss.delete(one).expect(400, "invalid_body")
        boss.delete(one, body={"reason": ""}).expect(400, "invalid_body")
        boss.delete(one, body={"reason": "x" * 301}).expect(400, "invalid_body")
        boss.delete(one, body={**REASON, "name": "Ann Unmistakable"}).expect(400, "invalid_body")
        reads(ann.web, paths[1])
        key = fresh("erasure")
        boss.delete(one, body=REASON, key=key).expect(204)
        boss.delete(one, body=REASON, key=key).expect(204)
        boss.delete(one, body=REASON).expect(404, "no_such_user")
        ann.web.get("/api/users/profile").expect(401)
        guest.web.get("/api/cart").expect(401)
        shop.web.post("/api/users/login", {"email": email, "password": PASSWORD}).expect(401, "bad_credentials")
        for path in paths:
            nobody_reads(shop, path)
        equal(authors(shop), [("former customer", "Boils water.")])
        done = done_by(node, credential)
        equal([status for _, status in done], [400, 400, 400, 400, 204, 204, 404])
        equal({what for what, status in done if status == 400}, {"DELETE " + one}, "what is refused the log does not keep")
        equal(done[4][0], f"DELETE {one}: {REASON['reason']}")
        equal(node.ctl("audit", "verify").returncode, 0, "the log is as it was written")
        shop.web.post("/api/users/register", {"email": email, "password": PASSWORD}).expect(201)


@suite.case
def nobody_but_an_admin_erases_others_and_admins_never_themselves():
    with serving() as node:
        shop = shop_of(node)
        email, ann_id = registered(shop)
        ann, one = signed_in(shop, email), "/api/users/" + ann_id
        member_of_staff(shop)[0].delete(one, body=REASON).expect(403, "forbidden")
        ann.web.delete(one, body=REASON).expect(403, "forbidden")
        shop.guest().web.delete(one, body=REASON).expect(403, "forbidden")
        shop.web.delete(one, body=REASON).expect(401, "unauthorized")
        key_for(node, "users:read")[0].delete(one, body=REASON).expect(403, "missing_scope")
        key_for(node, "users:write", role="support")[0].delete(one, body=REASON).expect(403, "forbidden")
        boss, credential = member_of_staff(shop, "admin")
        boss.delete("/api/users/" + credential.removeprefix("user:"), body=REASON).expect(409, "own_account")
        boss.get("/api/users/profile").expect(200)
        equal(ann.web.get("/api/users/profile").expect(200)["email"], email)
        machine, by = key_for(node, "users:write")
        machine.delete(one, body=REASON).expect(204)
        equal(done_by(node, by), [(f"DELETE {one}: {REASON['reason']}", 204)])
        ann.web.get("/api/users/profile").expect(401)


# --- guests who never register ----------------------------------------------------------------------------------

@suite.case
def a_guest_takes_along_what_their_session_did_and_nobody_elses():
    with serving() as node:
        shop = shop_of(node)
        guest, other = shop.guest(), shop.guest()
        empty = guest.web.get("/api/users/profile/export").expect(200).json
        equal((empty["sessions"], empty["orders"], empty["reviews"]), ([guest.id], [], []))
        check("user" not in empty, empty)
        path, others = ordered(shop, guest), ordered(shop, other)
        review(shop, guest, text="As a guest.")
        left = shop.product()
        guest.add(left, 3).expect(201)
        taken = guest.web.get("/api/users/profile/export").expect(200)
        equal(["/api/orders/" + o["order_id"] for o in taken["orders"]], [path])
        equal((taken["orders"][0]["email"], taken["orders"][0]["shipping_address"]), (EMAIL, PERSONAL))
        equal([(r["author"], r["text"]) for r in taken["reviews"]], [("Ann Unmistakable", "As a guest.")])
        equal({i["product_id"]: i["quantity"] for cart in taken["carts"] for i in cart["items"]}, {left: 3})
        check(others.rsplit("/", 1)[1] not in taken.body.decode(), "another's")
        shop.admin.get("/api/users/profile/export").expect(403, "forbidden")


@suite.case
def a_guest_who_is_erased_is_signed_out_and_nobody_reads_their_orders():
    with serving() as node:
        shop = shop_of(node)
        guest, other = shop.guest(), shop.guest()
        path, others = ordered(shop, guest), ordered(shop, other)
        review(shop, guest)
        guest.web.delete("/api/users/profile", body={"unknown": 1}).expect(400, "invalid_body")
        reads(guest.web, path)
        guest.web.delete("/api/users/profile").expect(204)
        guest.web.get("/api/cart").expect(401)
        shop.web.post("/api/users/refresh", {"refresh_token": guest.refresh_token}).expect(401, "bad_refresh_token")
        nobody_reads(shop, path)
        equal(authors(shop), [("former customer", "Boils water.")])
        reads(other.web, others)
        shop.admin.delete("/api/users/profile").expect(403, "forbidden")
        node.restart()
        nobody_reads(Shop(node), path)
        node.laws()


@suite.case
def a_cart_is_forgotten_with_its_person():
    with serving() as node:
        shop = shop_of(node)
        boss, _ = member_of_staff(shop, "admin")
        went, asked, first = shop.guest(), shop.guest(), shop.guest()
        email, ann_id = registered(shop, first)  # takes that guest's cart along
        ann = signed_in(shop, email)
        path = ordered(shop, asked)
        for buyer in (went, asked, ann):
            buyer.web.post("/api/cart/items", {"product_id": shop.product(), "quantity": 2}).expect(201)
            buyer.web.put("/api/cart/shipping", {"country": "GB"}).expect(200)
        carts = [buyer.web.get("/api/cart").expect(200)["cart_id"] for buyer in (went, asked, ann)]
        for cart in carts:
            equal(len(boss.get("/api/carts/" + cart).expect(200)["items"]), 1)
        went.web.delete("/api/users/profile").expect(204)
        boss.delete(path + "/guest", body=REASON).expect(204)
        boss.delete("/api/users/" + ann_id, body=REASON).expect(204)
        for cart in carts:
            boss.get("/api/carts/" + cart).expect(404)
        node.restart()
        for cart in carts:
            Shop(node).admin.get("/api/carts/" + cart).expect(404)
        node.laws()


@suite.case
def who_ordered_as_a_guest_is_erased_by_an_admin_who_is_told_an_order():
    with serving() as node:
        shop = shop_of(node)
        guest, other = shop.guest(), shop.guest()
        paths, others = [ordered(shop, guest), ordered(shop, guest)], ordered(shop, other)
        guest.web.post("/api/users/logout").expect(204)
        boss, credential = member_of_staff(shop, "admin")
        one = paths[0] + "/guest"
        boss.delete(one).expect(400, "invalid_body")
        boss.delete(one, body=REASON).expect(204)
        boss.delete(one, body=REASON).expect(204)
        for path in paths:
            nobody_reads(shop, path)
        reads(other.web, others)
        equal(done_by(node, credential)[1:], [(f"DELETE {one}: {REASON['reason']}", 204)] * 2)
        boss.delete("/api/orders/none/guest", body=REASON).expect(404, "no_such_order")
        for web in (member_of_staff(shop)[0], other.web, key_for(node, "orders:write")[0]):
            web.delete(others + "/guest", body=REASON).expect(403)
        reads(other.web, others)
        key_for(node, "users:write")[0].delete(others + "/guest", body=REASON).expect(204)
        nobody_reads(shop, others)
        other.web.get("/api/cart").expect(401)


@suite.case
def an_order_that_an_account_counts_as_its_own_names_no_guest_to_erase():
    with serving() as node:
        shop = shop_of(node)
        guest = shop.guest()
        before = ordered(shop, guest)
        email, ann_id = registered(shop, guest)
        ann = signed_in(shop, email)
        after = ordered(shop, ann)
        for path in (before, after):
            refused = shop.admin.delete(path + "/guest", body=REASON).expect(409, "not_a_guests_order")
            check(ann_id in refused["detail"], refused)
        reads(ann.web, before)
        reads(ann.web, after)
        # The guest of a login, not of a registration, is not told apart: what they ordered then becomes unreadable.
        second = shop.guest()
        theirs = ordered(shop, second)
        ann = signed_in(shop, email, second)
        shop.admin.delete(theirs + "/guest", body=REASON).expect(204)
        nobody_reads(shop, theirs)
        reads(ann.web, after)
        erase(ann)
        for path in (before, after):
            nobody_reads(shop, path)


@suite.case
def who_ordered_by_telephone_is_erased_order_by_order():
    with serving() as node:
        shop = shop_of(node)
        clerk, credential = member_of_staff(shop, "support")[:2]
        key, paths = fresh("order"), []
        for name in (key, fresh("order")):
            wish = {"email": EMAIL, "shipping_address": PERSONAL, "payment_method": {"type": "card", "token": "tok_ok"},
                    "items": [{"product_id": shop.article, "quantity": 1}]}
            made = clerk.post("/api/orders", wish, key=name).expect(201)
            check("user_id" not in made.json, made)
            paths.append("/api/orders/" + made["order_id"])
        reads(shop.admin, paths[0])
        in_no_history(shop, paths[0])
        equal(clerk.post("/api/orders", {**wish}, key=key).expect(201)["order_id"], paths[0].rsplit("/", 1)[1], "the same order again")
        equal(clerk.get("/api/users/profile/export").expect(200)["orders"], [], "it is not the clerk's")
        clerk.post(f"/api/products/{shop.article}/reviews", {"rating": 5, "text": "mine"}).expect(403, "not_a_buyer")
        shop.admin.delete(paths[0] + "/guest", body=REASON).expect(204)
        nobody_reads(shop, paths[0])
        reads(shop.admin, paths[1])
        wish["user_id"] = clerk.get("/api/users/profile").expect(200)["user_id"]
        equal(clerk.post("/api/orders", wish, key=fresh("order")).expect(201)["user_id"], wish["user_id"], "named, it is")


# --- many of them -----------------------------------------------------------------------------------------------

@suite.case
def of_more_than_a_hundred_guests_who_became_a_user_none_outlasts_the_user():
    with serving() as node:
        shop = shop_of(node)
        shop.stock(shop.article, 1000)
        email, _ = registered(shop)
        paths = []
        for _ in range(103):
            guest = shop.guest()
            items = [{"product_id": shop.article, "quantity": 1}]
            made = guest.checkout(email=EMAIL, shipping_address=PERSONAL, items=items).expect(201)
            paths.append("/api/orders/" + made["order_id"])
            ann = signed_in(shop, email, guest)
        equal({"/api/orders/" + o["order_id"] for o in ann.web.get("/api/users/profile/export").expect(200)["orders"]},
              set(paths))
        reads(ann.web, paths[0])
        node.restart()
        shop = Shop(node)
        erase(signed_in(shop, email))
        for path in (*paths[:4], paths[-1]):
            nobody_reads(shop, path)


# --- from the command line --------------------------------------------------------------------------------------

@suite.case
def operators_export_and_erase_by_id_by_address_and_by_order():
    with serving() as node:
        shop = shop_of(node)
        email, ann_id = registered(shop)
        ann, guest = signed_in(shop, email), shop.guest()
        path, as_guest = ordered(shop, ann), ordered(shop, guest)
        for whom in (ann_id, email.upper()):
            shown = node.ctl("user", "export", whom)
            equal(shown.returncode, 0, shown.stderr)
            equal(json.loads(shown.stdout)["orders"][0]["email"], EMAIL)
        for wrong in ("nobody", "nobody@example.com"):
            equal(node.ctl("user", "export", wrong).returncode, 1)
            equal(node.ctl("user", "erase", wrong, "--reason", "x", "--yes").returncode, 1)
        unasked = node.ctl("user", "erase", email, "--reason", "by letter")
        equal(unasked.returncode, 64, unasked.stderr)
        check("--yes" in unasked.stderr, unasked.stderr)
        for wrong in (("--reason", "x"), (email,), (email, "--order", "x", "--reason", "x")):
            equal(node.ctl("user", "erase", *wrong, "--yes").returncode, 64)
        reads(ann.web, path)
        done = node.ctl("user", "erase", email, "--reason", "by letter", "--who", "sue@desk", "--yes")
        equal((done.returncode, done.stdout), (0, f"erased user {email}\n"), done.stderr)
        nobody_reads(shop, path)
        order = as_guest.rsplit("/", 1)[1]
        done = node.ctl("user", "erase", "--order", order, "--reason", "ticket 12", "--who", "sue@desk", "--yes")
        equal(done.returncode, 0, done.stderr)
        nobody_reads(shop, as_guest)
        whats = [e["what"] for e in node.staff().all_of("/api/audit") if e["event"] == "begun"]
        check(f"DELETE /api/users/{ann_id}: sue@desk: by letter" in whats, whats)
        check(f"DELETE {as_guest}/guest: sue@desk: ticket 12" in whats, whats)


suite.run()
suite.end()
