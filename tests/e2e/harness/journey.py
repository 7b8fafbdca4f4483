"""A scripted shopping trip that may be walked again after a crash: every step has its key, so that walking it twice
does everything once. Remembers what was acknowledged, and knows how the books must look in the end."""

import urllib.parse

from .client import Client, Gone
from .shop import ADDRESS, pounds
from .suite import check, equal, poll

PRODUCTS = {"journey-a": 1000, "journey-b": 250, "journey-c": 100, "journey-d": 1}
STOCK = 1000
SETTLED_S = 20  # what a crash cut short goes on at once, not when somebody happens to ask
MANY_ADDS = 80  # enough events of one cart for a snapshot


def prepare(shop):
    for product, price in PRODUCTS.items():
        shop.product(price=price, stock=STOCK, product_id=product)


def path_of(hold):
    return "/api/inventory/reservations/" + urllib.parse.quote(hold, safe="")


class Journey:
    def __init__(self):
        self.told = {}  # step -> what identifies its effect, as acknowledged
        self.tried = set()
        self.replays = 0

    # --- one step ---------------------------------------------------------------------------------------------

    def step(self, name, web, method, path, body=None, status=201, identity=None):
        """Does one change under its own key. When it was acknowledged on an earlier walk, it must be a replay now."""
        self.tried.add(name)
        answer = web.call(method, path, body, key=f"journey-key-of-step-{name}")
        equal(answer.status, status, f"{name}: {answer!r}")
        seen = identity(answer.json) if identity else status
        if name in self.told:
            check(answer.replayed, f"{name} was acknowledged and is not a replay", answer)
            equal(seen, self.told[name], name)
            self.replays += 1
        self.told[name] = seen
        return answer

    def add(self, name, web, product, quantity=1):
        return self.step(name, web, "POST", "/api/cart/items", {"product_id": product, "quantity": quantity},
                         identity=lambda a: a["item"]["line_id"])  # also when it was bought meanwhile

    def order(self, name, web, card="tok_ok", status=201):
        # One checkout of a cart at a time: the one before may still be under way behind its answer. A repeated one
        # is not held up: it reaches the order that sealed the cart.
        if name not in self.tried:
            poll("the cart is open", lambda: "sealed_by" not in web.get("/api/cart").expect(200).json)
        body = {"email": "ann@example.com", "shipping_address": ADDRESS, "payment_method": {"type": "card", "token": card}}
        return self.step(name, web, "POST", "/api/orders", body, status, lambda a: a["order_id"])

    def session(self, name, node):
        web = Client(node.http)
        opened = self.step(name, web, "POST", "/api/sessions", identity=lambda a: (a["session_id"], a["cart_id"]))
        return Client(node.http, opened["token"])

    # --- the trip ---------------------------------------------------------------------------------------------

    def walk(self, node):
        """Raises Gone when the node dies on the way."""
        ann = self.session("ann", node)
        self.add("ann-adds-a", ann, "journey-a", 2)
        self.add("ann-adds-b", ann, "journey-b", 1)
        hold = self.step("ann-holds", ann, "POST", "/api/inventory/reserve",
                         {"product_id": "journey-c", "quantity": 3, "ttl_s": 1200}, identity=lambda a: a["reservation_id"])
        self.step("ann-releases", ann, "DELETE", path_of(hold["reservation_id"]), status=204)
        first = self.order("ann-orders", ann)["order_id"]
        self.add("ann-adds-a-again", ann, "journey-a", 1)
        self.order("ann-orders-again", ann, "tok_timeout_after")
        self.step("ann-cancels", ann, "DELETE", "/api/orders/" + first, status=200, identity=lambda a: a["order_id"])
        self.add("ann-adds-b-again", ann, "journey-b", 1)
        self.order("ann-is-declined", ann, "tok_declined", 402)
        bob = self.session("bob", node)
        for i in range(MANY_ADDS):
            self.add(f"bob-adds-{i}", bob, "journey-d", 1)
        self.order("bob-orders", bob)
        poll("bob's cart is open", lambda: "sealed_by" not in bob.get("/api/cart").expect(200).json)
        # Held for a second: what ends it is a durable timer.
        self.step("bob-holds-briefly", bob, "POST", "/api/inventory/reserve",
                  {"product_id": "journey-c", "quantity": 1, "ttl_s": 1}, identity=lambda a: a["reservation_id"])

    def walk_until_it_dies(self, node, deadline_s):
        """True when the node died: on the way, or of what it does by itself once left alone."""
        try:
            self.walk(node)
        except Gone:
            pass
        poll("the crash point is reached", lambda: not node.running(), deadline_s)

    # --- the books afterwards ---------------------------------------------------------------------------------

    def check_books(self, shop):
        ann = self.session("ann", shop.node)
        bob = self.session("bob", shop.node)
        expected = {"journey-a": (2, 3), "journey-b": (1, 1), "journey-c": (0, 0), "journey-d": (0, MANY_ADDS)}
        for product, (returned, sold) in expected.items():
            wanted = {"returned": returned, "sold": sold, "reserved": 0, "on_hand": STOCK + returned - sold}
            poll(f"the stock of {product} is {wanted}", lambda p=product, w=wanted: w.items() <= shop.figures(p).items(),
                 SETTLED_S)
        poll("ann's cart", lambda: self.lines(ann) == {"journey-b": 1}, SETTLED_S)
        equal(self.lines(bob), {})
        self.check_orders(shop)

    @staticmethod
    def lines(web):
        cart = web.get("/api/cart").expect(200).json
        return None if "sealed_by" in cart else {i["product_id"]: i["quantity"] for i in cart["items"]}

    def check_orders(self, shop):
        orders = {o["order_id"]: o for o in shop.admin.all_of("/api/orders")}
        wanted = {"ann-orders": ("cancelled", 2250), "ann-orders-again": ("paid", 1000),
                  "ann-is-declined": ("declined", 250), "bob-orders": ("paid", MANY_ADDS)}
        equal({o: (orders[o]["status"], orders[o]["total"]["amount"]) for o in orders},
              {self.told[name]: facts for name, facts in wanted.items()})
        entries = [(e["kind"], e["key"]) for e in shop.node.ledger()]
        for name, (status, _) in wanted.items():
            equal(entries.count(("capture", self.told[name])), 0 if status == "declined" else 1, f"captures of {name}")
            equal(entries.count(("refund", self.told[name])), 1 if status == "cancelled" else 0, f"refunds of {name}")
        equal(orders[self.told["ann-orders"]]["payment"]["refunded"], pounds(2250))
