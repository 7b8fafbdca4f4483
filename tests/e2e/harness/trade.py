"""Customers who shop at a cluster while something happens to it, and what they were told."""

import random
import threading
import time

from .client import Client, Gone
from .shop import ADDRESS, fresh
from .suite import PATIENCE_S, check, equal, poll

CUSTOMERS = 4
ORDERS_BETWEEN = 12
ATTEMPT_S = 5


class Book:
    """What the customers were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sold, self.repeated = {}, 0

    def count(self):
        with self.lock:
            return len(self.sold)


class Customer(threading.Thread):
    """Knows all nodes; asks the next one for what it got no clear answer to, with the same key. `addresses` may change
    meanwhile, as nodes come and go."""

    def __init__(self, addresses, products, book, seed):
        super().__init__(daemon=True)
        self.addresses, self.webs = addresses, {}
        self.products, self.book, self.chance = products, book, random.Random(seed)
        self.at, self.token, self.end, self.failure = seed % len(addresses), None, threading.Event(), None

    def run(self):
        try:
            while not self.end.is_set():
                self.shop_once()
        except Exception as wrong:  # handed to the case that waits for this thread
            self.failure = repr(wrong)

    def web(self):
        """The node whose turn it is."""
        known = list(self.addresses)
        address = known[self.at % len(known)]
        web = self.webs.setdefault(address, Client(address, timeout=ATTEMPT_S))
        web.token = self.token
        return web

    def ask(self, method, path, body=None):
        key, until = fresh("cluster-key-long-enough"), time.monotonic() + 2 * PATIENCE_S
        while True:
            try:
                answer = self.web().call(method, path, body, key=key)
                if answer.status not in (503, 504) and answer.code != "in_progress":
                    return answer
                why = repr(answer)
            except Gone as wrong:
                why = str(wrong)
            check(time.monotonic() < until, "no answer in time", why)
            with self.book.lock:
                self.book.repeated += 1
            self.at += 1
            self.end.wait(0.02)

    def shop_once(self):
        self.at = self.chance.randrange(len(self.addresses))
        self.token = None
        self.token = self.ask("POST", "/api/sessions").expect(201)["token"]
        lines = {product: self.chance.randint(1, 3) for product in self.chance.sample(self.products, 2)}
        for product, quantity in lines.items():
            self.ask("POST", "/api/cart/items", {"product_id": product, "quantity": quantity}).expect(201)
        body = {"email": "a@b.example", "shipping_address": ADDRESS, "payment_method": {"type": "card", "token": "tok_ok"}}
        order = self.ask("POST", "/api/orders", body).expect(201).json
        equal({each["product_id"]: each["quantity"] for each in order["items"]}, lines)
        with self.book.lock:
            check(order["order_id"] not in self.book.sold, "two customers were told of one order")
            self.book.sold[order["order_id"]] = order


class Trade:
    """Customers at work while the block runs."""

    def __init__(self, addresses, products, book):
        self.book = book
        self.customers = [Customer(addresses, products, book, seed) for seed in range(CUSTOMERS)]

    def __enter__(self):
        for each in self.customers:
            each.start()
        return self

    def __exit__(self, *_):
        for each in self.customers:
            each.end.set()
        for each in self.customers:
            each.join(2 * PATIENCE_S + 10)
        equal(self.failures(), [])
        check(not any(each.is_alive() for each in self.customers), "a customer still waits")

    def failures(self):
        return [each.failure for each in self.customers if each.failure]

    def goes_on(self, what):
        wanted = self.book.count() + ORDERS_BETWEEN
        poll(f"orders go on {what}", lambda: self.book.count() >= wanted or self.failures(), 2 * PATIENCE_S)
