"""What a shopper and the shop's staff do, in short."""

import itertools
import os

from .client import Client

ADDRESS = {"name": "Ann Example", "line1": "1 High Street", "city": "Leeds", "postal_code": "LS1 1AA", "country": "GB"}
_numbers = itertools.count(1)


def pounds(amount):
    return {"amount": amount, "currency": "GBP"}


def fresh(prefix="k"):
    """A word nobody used before, also not in another run: for keys, ids and addresses."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


class Guest:
    """A guest session and what its bearer can do."""

    def __init__(self, shop, opened):
        self.opened = opened
        self.id = opened["session_id"]
        self.cart_id = opened["cart_id"]
        self.refresh_token = opened["refresh_token"]
        self.web = Client(shop.node.http, opened["token"])

    def add(self, product, quantity=1, currency=None, **more):
        item = {"product_id": product, "quantity": quantity, **({"currency": currency} if currency else {})}
        return self.web.post("/api/cart/items", item, **more)

    def cart(self):
        return self.web.get("/api/cart").expect(200).json

    def order_body(self, card="tok_ok", **more):
        return {"email": "ann@example.com", "shipping_address": ADDRESS,
                "payment_method": {"type": "card", "token": card}, **more}

    def checkout(self, key=None, card="tok_ok", **more):
        return self.web.post("/api/orders", self.order_body(card, **more), key=key or fresh("order"))


class Shop:
    """A node with an administrator at hand."""

    def __init__(self, node):
        self.node = node
        self.admin = node.staff("admin")
        self.web = node.client()

    def product(self, price=1000, stock=100, product_id=None, **more):
        product_id = product_id or fresh("p")
        body = {"id": product_id, "name": f"Article {product_id}", "price": pounds(price), **more}
        self.admin.post("/api/products", body, key=fresh("made")).expect(201)  # so that it may be asked again
        if stock is not None:
            self.stock(product_id, stock)
        return product_id

    def gift_card(self, amount):
        """The code of a fresh one worth this many pence."""
        body = {"code": fresh("CARD").upper(), "value": pounds(amount)}
        return self.admin.post("/api/gift-cards", body).expect(201)["code"]

    def stock(self, product_id, on_hand):
        return self.admin.put(f"/api/inventory/{product_id}", {"on_hand": on_hand, "reason": "delivery"},
                              key=fresh("counted")).expect(200)

    def figures(self, product_id):
        return self.admin.get(f"/api/inventory/{product_id}").expect(200).json

    def guest(self):
        return Guest(self, self.web.post("/api/sessions", key=fresh("a-guest-session")).expect(201).json)

    def buy(self, product_id=None, quantity=1, card="tok_ok", **more):
        """A fresh guest's paid order of one line."""
        buyer = self.guest()
        buyer.add(product_id or self.product(), quantity).expect(201)
        return buyer, buyer.checkout(card=card, **more).expect(201).json
