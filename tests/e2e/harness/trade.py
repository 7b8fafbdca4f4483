"""Customers who shop at a cluster while something happens to it, and what they were told."""

import http.client
import random
import select
import threading
import time

from .client import Client, Gone
from .shop import ADDRESS, fresh
from .suite import PATIENCE_S, Unmet, check, equal, poll

CUSTOMERS = 4
ORDERS_BETWEEN = 12
ATTEMPT_S = 5


class Book:
    """What the customers were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sold, self.repeated, self.sent_away, self.slowest_s = {}, 0, 0, 0.0

    def count(self):
        with self.lock:
            return len(self.sold)


class Shopper(threading.Thread):
    """Shops until `end` is set. What it does is in subclasses: shop_once(), web() whom to ask, and asked_again() before
    something is asked once more."""

    patience_s = 2 * PATIENCE_S  # of one that waits for a clear answer

    def __init__(self, products, book, seed, end):
        super().__init__(daemon=True)
        self.products, self.book, self.chance = products, book, random.Random(seed)
        self.end, self.failure = end, None

    def run(self):
        try:
            while not self.end.is_set():
                self.shop_once()
        except Exception as wrong:  # handed to the case that waits for this thread
            self.failure = repr(wrong)

    def ask(self, method, path, body=None):
        """Until there is a clear answer, with one key."""
        key, until = fresh("customers-key-long-enough"), time.monotonic() + self.patience_s
        while True:
            try:
                answer = self.web().call(method, path, body, key=key)
                if answer.status not in (503, 504) and answer.code != "in_progress":
                    return answer
                why = repr(answer)
            except Gone as wrong:
                why = str(wrong)
            check(time.monotonic() < until, "no answer in time", why)
            self.asked_again()
            self.end.wait(0.02)


class Customer(Shopper):
    """Knows all nodes; asks the next one for what it got no clear answer to. `addresses` may change meanwhile, as nodes
    come and go."""

    def __init__(self, addresses, products, book, seed):
        super().__init__(products, book, seed, threading.Event())
        self.addresses, self.webs = addresses, {}
        self.at, self.token = seed % len(addresses), None

    def web(self):
        """The node whose turn it is."""
        known = list(self.addresses)
        address = known[self.at % len(known)]
        web = self.webs.setdefault(address, Client(address, timeout=ATTEMPT_S))
        web.token = self.token
        return web

    def asked_again(self):
        with self.book.lock:
            self.book.repeated += 1
        self.at += 1

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


class StrictCustomer(Customer):
    """Asks everything once. Reconnects, to whichever node takes the connection, when one is refused or ended before a
    request was sent on it, or after an answer that said `Connection: close`; anything else that goes wrong is a failed
    request, and ends the shopping."""

    def ask(self, method, path, body=None):
        web = self.connected()
        began = time.monotonic()
        try:
            answer = web.exchange_once(method, path, body, fresh("cluster-key-long-enough"))
        except Gone as wrong:
            raise Unmet(f"a connection to {web.address} ended under a request, {time.monotonic() - began:.3f} s after it was "
                        f"sent: {wrong}") from wrong
        took = time.monotonic() - began
        check(answer.status < 500, f"a failed request at {web.address}, {took:.3f} s", answer, answer.headers)
        with self.book.lock:
            self.book.slowest_s = max(self.book.slowest_s, took)
            if answer.headers.get("connection") == "close":
                self.book.sent_away += 1
                self.at += 1
        return answer

    def connected(self):
        until = time.monotonic() + PATIENCE_S
        while True:
            web = self.web()
            if web.connection and ended(web.connection.sock):
                web.close()
            try:
                if web.connection is None:
                    dialled = http.client.HTTPConnection(web.address, timeout=PATIENCE_S)
                    dialled.connect()
                    web.connection = dialled
                return web
            except OSError as wrong:
                check(time.monotonic() < until, "no node takes a connection", wrong)
                self.asked_again()
                self.end.wait(0.002)


def ended(socket):
    """Whether the peer has closed a connection on which it owes nothing."""
    return bool(select.select([socket], [], [], 0)[0])


class Trade:
    """Customers at work while the block runs."""

    def __init__(self, addresses, products, book, customer=Customer):
        self.book = book
        self.customers = [customer(addresses, products, book, seed) for seed in range(CUSTOMERS)]

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
