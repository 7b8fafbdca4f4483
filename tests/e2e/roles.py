#!/usr/bin/env python3
"""Who may make which call: every route, by every role, on their own record and on somebody else's.

Made from the table that the node itself goes by (GET /access of the operator's port); docs/access.md holds the same
table for readers. `roles.py --write` writes that page anew. Prints what each call was answered."""

import os
import re
import sys

from harness import Suite, at_every_node, check, equal, poll, serving
from harness.node import ROOT
from harness.shop import ADDRESS, Guest, Shop, fresh, pounds

suite = Suite()
ROLES = ("anonymous", "guest", "shopper", "support", "admin")
PAGE = os.path.join(ROOT, "docs", "access.md")
PASSWORD = "correct horse battery"


# --- who calls, and what is theirs ---------------------------------------------------------------------------

class Actor:
    """Somebody with a session of their own (or with nothing), and records made for them when a call wants one."""

    def __init__(self, shop, role):
        self.shop, self.role = shop, role
        self.user = self.email = None
        self.guest = None
        if role != "anonymous":
            self.sign_in()

    def sign_in(self):
        if self.role == "guest":
            self.guest = self.shop.guest()
        else:
            if not self.user:
                self.email = fresh(self.role) + "@example.com"
                body = {"email": self.email, "password": PASSWORD, "role": self.role}
                self.user = self.shop.node.operate().post("/users", body).expect(201)["user_id"]
            login = {"email": self.email, "password": PASSWORD}
            self.guest = Guest(self.shop, self.shop.web.post("/api/users/login", login).expect(200).json)
        return self

    @property
    def web(self):
        return self.guest.web if self.guest else self.shop.node.client()

    def session(self):
        """A session that may be ended: not the one we go on with."""
        if self.role == "guest":
            return self.guest.id
        login = {"email": self.email, "password": PASSWORD}
        return self.shop.web.post("/api/users/login", login).expect(200)["session_id"]

    def filled_cart(self):
        """Id of their cart, with a line in it, and the line's."""
        line = self.guest.add(self.shop.article, 1).expect(201)["item"]["line_id"]
        return self.guest.cart_id, str(line)

    def order(self):
        """A paid order of one article; ordered by its lines, so that the cart plays no part."""
        named = {"user_id": self.user} if self.user else {}  # or it would be for somebody without an account
        body = self.guest.order_body(items=[{"product_id": self.shop.article, "quantity": 1}], **named)
        return self.web.post("/api/orders", body, key=fresh("order")).expect(201)["order_id"]

    def reservation(self):
        body = {"product_id": self.shop.article, "quantity": 1, "ttl_s": 60}
        return self.web.post("/api/inventory/reserve", body).expect(201)["reservation_id"]


# --- what each call is sent ----------------------------------------------------------------------------------

ORDER = {"email": "ann@example.com", "shipping_address": ADDRESS, "payment_method": {"type": "card", "token": "tok_ok"}}


def order_of_items(shop):
    return {**ORDER, "items": [{"product_id": shop.article, "quantity": 1}]}


# (method, path) -> body, made anew for each call. Calls that are not here are sent without one.
BODIES = {
    ("POST", "/api/users/register"): lambda s: {"email": fresh("new") + "@example.com", "password": PASSWORD},
    ("POST", "/api/users/login"): lambda s: {"email": s.known_email, "password": PASSWORD},
    ("POST", "/api/users/refresh"): lambda s: {"refresh_token": s.guest().refresh_token},
    ("PUT", "/api/users/profile"): lambda s: {"name": "Ann"},
    ("DELETE", "/api/users/profile"): lambda s: {"current_password": PASSWORD},
    ("POST", "/api/users/password-reset"): lambda s: {"email": s.known_email},
    ("POST", "/api/users/password-reset/confirm"): lambda s: {"token": "x.y", "new_password": PASSWORD},
    ("POST", "/api/users/email-confirmation/confirm"): lambda s: {"token": "x.y"},
    ("PUT", "/api/users/{id}/status"): lambda s: {"status": "active"},
    ("DELETE", "/api/users/{id}"): lambda s: {"reason": "asked by letter"},
    ("DELETE", "/api/orders/{id}/guest"): lambda s: {"reason": "asked by letter"},
    ("POST", "/api/products"): lambda s: {"name": "Kettle", "price": 19.99},
    ("PUT", "/api/products/{id}"): lambda s: {"name": "Kettle", "price": 19.99},
    ("POST", "/api/products/{id}/reviews"): lambda s: {"rating": 4, "title": "Good"},
    ("POST", "/api/products/import"): lambda s: b'{"id": "imported", "name": "Cup", "price": 1.5}\n',
    ("PUT", "/api/inventory/{product_id}"): lambda s: {"delta": 1, "reason": "found"},
    ("PUT", "/api/inventory/{product_id}/terms"): lambda s: {"low_stock": 1},
    ("POST", "/api/inventory/{product_id}/transfers"): lambda s: {"to": s.depot, "quantity": 1},
    ("PUT", "/api/locations/{id}"): lambda s: {"name": "Leeds"},
    ("POST", "/api/inventory/reserve"): lambda s: {"product_id": s.article, "quantity": 1, "ttl_s": 1},
    ("POST", "/api/inventory/reservations/{id}/extend"): lambda s: {"ttl_s": 60},
    ("POST", "/api/orders"): order_of_items,
    ("PUT", "/api/orders/{id}/status"): lambda s: {"status": "processing"},
    ("POST", "/api/orders/{id}/shipments"): lambda s: {"carrier": "Post", "tracking": "T1"},
    ("PUT", "/api/orders/{id}/shipments/{number}/status"): lambda s: {"status": "delivered"},
    ("POST", "/api/orders/{id}/returns"): lambda s: {"lines": [{"line_id": s.line, "quantity": 1}], "reason": "too small"},
    ("PUT", "/api/orders/{id}/returns/{number}/status"): lambda s: {"status": "refused", "reason": "worn"},
    ("POST", "/api/orders/{id}/refunds"): lambda s: {"amount": pounds(1), "reason": "a scratch"},
    ("POST", "/api/orders/{id}/notes"): lambda s: {"text": "called back"},
    ("POST", "/api/coupons"): lambda s: {"code": fresh("C"), "type": "percentage", "rate_bps": 1000},
    ("PUT", "/api/coupons/{code}/status"): lambda s: {"status": "enabled"},
    ("POST", "/api/gift-cards"): lambda s: {"code": fresh("CARD").upper(), "value": pounds(1000)},
    ("PUT", "/api/gift-cards/{code}/status"): lambda s: {"status": "enabled"},
    ("PUT", "/api/tax-rates"): lambda s: {"rates": []},
    ("PUT", "/api/shipping-methods"): lambda s: {"zones": [], "methods": []},
}
CART_BODIES = {"POST items": lambda s: {"product_id": s.article, "quantity": 1},
               "PUT items/{product_id}": lambda s: {"quantity": 2},
               "PUT lines/{line_id}": lambda s: {"quantity": 2}, "POST coupons": lambda s: {"code": s.coupon},
               "POST gift-cards": lambda s: {"code": s.card}, "PUT shipping": lambda s: {"country": "GB"}}
TYPES = {"/api/products/import": "application/x-ndjson"}
QUERIES = {("GET", "/api/users"): "?email=ann@example.com", ("GET", "/api/inventory"): "?low=true",
           ("GET", "/api/products/suggest"): "?query=kett"}
KEYED = {("POST", "/api/orders"), ("POST", "/api/orders/{id}/refunds"), ("PUT", "/api/inventory/{product_id}")}  # calls that need an Idempotency-Key
# The provider's signature decides, not who sends it (provider_word.py); a shop that has no secret says 404 to everybody.
SIGNED = {("POST", "/api/payments/webhook")}
# After these the caller is somebody else, or nobody: each is made by somebody who came for it.
LAST_CALLS = {("POST", "/api/users/register"), ("POST", "/api/users/login"), ("POST", "/api/users/logout"),
              ("DELETE", "/api/users/profile")}
# Records that the path does not name: how to ask for somebody else's.
OTHERS = {("GET", "/api/orders"): lambda path, body, owner: (f"{path}?userId={owner.user}", body),
          ("GET", "/api/sessions"): lambda path, body, owner: (f"{path}?user_id={owner.user}", body),
          ("POST", "/api/carts"): lambda path, body, owner: (path, {"user_id": owner.user})}


def body_of(shop, method, path):
    if (method, path) in BODIES:
        return BODIES[method, path](shop)
    rest = re.sub(r"^/api/carts?(/\{(user|cart)_id\})?/?", "", path)
    make = CART_BODIES.get(f"{method} {rest}") if path.startswith("/api/cart") else None
    return make(shop) if make else None


def path_of(shop, path, owner):
    """The path to a record of `owner`; None when they cannot have one."""
    if "{user_id}" in path and not owner.user:
        return None
    filled = path
    if path.startswith("/api/cart") and "{" in path:
        cart, line = owner.filled_cart()
        filled = filled.replace("{cart_id}", cart).replace("{user_id}", owner.user or "").replace("{line_id}", line)
    if "{code}" in path:
        kind, code = ("coupons", shop.coupon) if "/coupons/" in path else ("gift-cards", shop.card)
        if path.startswith("/api/cart"):
            owner.web.post("/api/cart/" + kind, {"code": code}).expect(200)
        filled = filled.replace("{code}", code)
    filled = filled.replace("{product_id}", shop.article)
    if "{transfer_id}" in filled:
        filled = filled.replace("{transfer_id}", shop.transfer())
    if "{id}" in filled:
        if path.endswith("/reviews"):
            owner.order()  # who has bought it may say what they think
            record = shop.article
        elif path.startswith("/api/products"):
            record = shop.product(stock=None)
            if path.endswith("/related"):  # asked of each node's own index, which comes to know it soon
                poll("it is in every index", lambda: at_every_node(lambda: shop.web.get(filled.replace("{id}", record)).status == 200))
        elif path.startswith("/api/sessions"):
            record = owner.session()
        elif path == "/api/users/{id}":
            record = Actor(shop, "shopper").user  # they are erased
        elif path.startswith("/api/users"):
            record = owner.user or shop.somebody.user
        elif path.startswith("/api/inventory/reservations"):
            record = owner.reservation().replace("/", "%2F")
        elif path.startswith("/api/locations"):
            record = shop.location()
        elif path == "/api/orders/{id}/guest":
            record = Actor(shop, "guest").order()  # who is erased
        elif path.startswith("/api/orders"):
            record = owner.order()
            if "{number}" in path:
                shop.ship(record)
            filled = filled.replace("{number}", "1")
        else:
            raise AssertionError(f"say what {{id}} stands for in {path}")
        filled = filled.replace("{id}", record)
    return filled


def is_personal(path):
    """Whether the path names a record that belongs to a person."""
    return "{user_id}" in path or "{cart_id}" in path or path.startswith(("/api/orders/", "/api/sessions/",
                                                                            "/api/inventory/reservations/"))


def call(shop, actor, method, path, owner, others):
    filled = path_of(shop, path, owner)
    if filled is None:
        return None
    filled += QUERIES.get((method, path), "")
    body = body_of(shop, method, path)
    if others and (method, path) in OTHERS:
        filled, body = OTHERS[method, path](filled, body, owner)
    key = fresh("key") if (method, path) in KEYED else None
    headers = {"Content-Type": TYPES[path]} if path in TYPES else None
    return actor.web.call(method, filled, body, headers=headers, key=key)


# --- what must come of it ------------------------------------------------------------------------------------

def judge(reach, role, others, answer):
    """What is wrong with the answer, or nothing."""
    if reach == "none":
        wanted = 401 if role == "anonymous" else 403
        return None if answer.status == wanted else f"wanted {wanted}"
    if reach == "own" and others:
        return None if answer.status == 404 else "wanted 404, as if it did not exist"
    if answer.status in (401, 403, 404) or answer.status >= 500 or answer.status == 400:
        return "wanted it to be let in"
    return None


class StockedShop(Shop):
    """A shop with what the calls are about."""

    def __init__(self, node):
        super().__init__(node)
        self.article = self.product(stock=1_000_000)
        coupon = {"code": fresh("COUPON"), "type": "percentage", "rate_bps": 1000}
        self.coupon = self.admin.post("/api/coupons", coupon).expect(201)["code"]
        self.card = self.gift_card(1000)
        self.depot = self.location()
        self.somebody = Actor(self, "shopper")
        self.known_email = self.somebody.email
        self.line = self.line_of(self.somebody.order())

    def location(self):
        name = fresh("location")
        self.admin.put("/api/locations/" + name, {"name": "Leeds"}).expect(201)
        return name

    def line_of(self, order):
        """The id of its only line: the first line of every order has the same."""
        return self.admin.get("/api/orders/" + order).expect(200)["items"][0]["line_id"]

    def transfer(self):
        """One under way."""
        body = {"to": self.depot, "quantity": 1}
        return self.admin.post(f"/api/inventory/{self.article}/transfers", body).expect(201)["transfer_id"]

    def ship(self, order):
        """Sends all of it; then its first shipment is under way, and a first return of it is asked for."""
        path = "/api/orders/" + order
        self.admin.post(path + "/shipments", {}).expect(201)
        lines = [{"line_id": self.line, "quantity": 1}]
        self.admin.post(path + "/returns", {"lines": lines}).expect(201)


class World:
    def __init__(self, node):
        self.shop = shop = StockedShop(node)
        self.other_guest = Actor(shop, "guest")
        self.actors = {role: Actor(shop, role) for role in ROLES}

    def cell(self, method, path, role, reach):
        """Answers for one cell of the matrix: (text, faults)."""
        actor, shown, faults = self.actors[role], [], []
        if (method, path) in LAST_CALLS and role != "anonymous":
            actor = Actor(self.shop, role)
        named = is_personal(path) or (method, path) in OTHERS
        for others in (False, True) if named else (False,):
            owner = self.shop.somebody if others or role == "anonymous" else actor
            if others and role == "guest" and "{user_id}" not in path and (method, path) not in OTHERS:
                owner = self.other_guest
            answer = call(self.shop, actor, method, path, owner, others)
            if answer is None:
                shown.append("-")
                continue
            shown.append(str(answer.status))
            if (method, path, role) == ("DELETE", "/api/sessions/{id}", "guest"):  # a guest's only one
                actor.sign_in()
            if (method, path) in SIGNED:
                wrong = None if (answer.status, answer.code) == (404, "not_found") else "wanted no webhooks to be taken"
            else:
                wrong = judge(reach, role, others, answer)
            if wrong:
                whose = "somebody else's" if others else "their own"
                faults.append(f"{method} {path} by {role} on {whose}: {answer!r}: {wrong}")
        return "/".join(shown), faults


def table_of(node):
    return node.operate().get("/access").expect(200).json


def page(table):
    """The table for readers."""
    mark = {"none": "–", "own": "own", "any": "any"}
    rows = [f"| {r['method']} | {r['path']} | " + " | ".join(mark[r["reach"][role]] for role in ROLES) +
            f" | {r['scope']} | {'yes' if r['audited'] else ''} |" for r in table]
    return "\n".join(["| method | path | nobody | guest | shopper | support | admin | scope | audited |",
                      "|---|---|---|---|---|---|---|---|---|", *rows])


@suite.case
def every_call_by_every_role_on_own_and_others_records_answers_as_the_table_says(node):
    world, faults = World(node), []
    print(f"       {'':62}" + "".join(f"{role:>12}" for role in ROLES), flush=True)
    cells = 0
    for row in table_of(node):
        line = []
        for role in ROLES:
            shown, wrong = world.cell(row["method"], row["path"], role, row["reach"][role])
            line.append(shown)
            faults += wrong
            cells += len(shown.split("/")) - shown.count("-")
        print(f"       {row['method']:7}{row['path']:55}" + "".join(f"{each:>12}" for each in line), flush=True)
    print(f"       {cells} calls", flush=True)
    check(not faults, "\n       ".join([f"{len(faults)} calls were answered otherwise", *faults]))


@suite.case
def the_page_shows_the_table_the_node_goes_by(node):
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    check(page(table_of(node)) in text, "docs/access.md is not the node's table: tests/e2e/roles.py --write")


@suite.case
def a_token_of_no_session_and_one_that_has_ended_are_let_in_nowhere(node):
    shop = Shop(node)
    gone = shop.guest()
    gone.web.post("/api/users/logout").expect(204)
    for row in table_of(node):
        if row["reach"]["anonymous"] != "none":
            continue
        path = re.sub(r"\{\w+\}", "x", row["path"])
        for web in (gone.web, node.client("nonsense")):
            answer = web.call(row["method"], path)
            equal((answer.status, answer.code), (401, "unauthorized"), f"{row['method']} {path}")


def write(node):
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"(?ms)^\| method \| path \|.*?(?=\n\n|\Z)", lambda _: page(table_of(node)), text)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")


with serving() as running:
    if sys.argv[1:] == ["--write"]:
        write(running.start())
        sys.exit()
    suite.run(running.start())
suite.end()
