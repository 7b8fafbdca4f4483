#!/usr/bin/env python3
"""Customers shop on several threads while the node is killed with -9 five times and started again.

They ride through: what got no answer is asked again with the same key. In the end every order that was acknowledged
exists once, as it was acknowledged, nothing else was sold, and the laws hold."""

import threading
import time

from harness import Client, Node, Shop, Suite, check, equal, poll
from harness.shop import ADDRESS
from harness.trade import Shopper

KILLS = 5
CUSTOMERS = 6
ORDERS_BETWEEN_KILLS = 12
RIDE_THROUGH_S = 120
CARDS = ("tok_ok", "tok_ok", "tok_ok", "tok_declined", "tok_timeout_after", "tok_twice")
CONFIG = "[payment]\nanswer_timeout_ms = 400\n"
STOCK, PRICE = 100_000, 250


class Book:
    """What the customers were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sold, self.declined, self.retries = {}, set(), 0

    def note(self, answer):
        with self.lock:
            order = answer.json
            if answer.status == 402 or order["status"] == "declined":
                self.declined.add(order["order_id"])
                return
            check(order["order_id"] not in self.sold, "two customers were told of one order")
            self.sold[order["order_id"]] = order

    def count(self):
        with self.lock:
            return len(self.sold)


class Customer(Shopper):
    patience_s = RIDE_THROUGH_S

    def __init__(self, node, products, book, seed, end):
        super().__init__(products, book, seed, end)
        self.client = Client(node.http, timeout=30)

    def web(self):
        return self.client

    def asked_again(self):
        with self.book.lock:
            self.book.retries += 1

    def shop_once(self):
        self.client.token = None
        self.client.token = self.ask("POST", "/api/sessions").expect(201)["token"]
        lines = {p: self.chance.randint(1, 3) for p in self.chance.sample(self.products, 2)}
        for product, quantity in lines.items():
            self.ask("POST", "/api/cart/items", {"product_id": product, "quantity": quantity}).expect(201)
        body = {"email": "a@b.example", "shipping_address": ADDRESS,
                "payment_method": {"type": "card", "token": self.chance.choice(CARDS)}}
        answer = self.ask("POST", "/api/orders", body)
        check(answer.status in (201, 402), "checkout", answer)
        if answer.status == 201:
            answer = self.outcome_of(answer)
            equal({i["product_id"]: i["quantity"] for i in answer["items"]}, lines)
        self.book.note(answer)

    def outcome_of(self, answer):
        """A checkout that found the provider silent says `pending`; how it ended is asked for later."""
        until = time.monotonic() + RIDE_THROUGH_S
        while answer["status"] == "pending":
            check(time.monotonic() < until, "still pending", answer)
            self.end.wait(0.02)
            answer = self.ask("GET", "/api/orders/" + answer["order_id"]).expect(200)
        return answer


def storm(node, products, book):
    end = threading.Event()
    customers = [Customer(node, products, book, seed, end) for seed in range(CUSTOMERS)]
    for customer in customers:
        customer.start()
    try:
        for _ in range(KILLS):
            wanted = book.count() + ORDERS_BETWEEN_KILLS
            poll("orders go on", lambda: book.count() >= wanted or any(c.failure for c in customers), 120)
            node.kill()
            node.start()
        wanted = book.count() + ORDERS_BETWEEN_KILLS
        poll("orders go on after the last kill", lambda: book.count() >= wanted or any(c.failure for c in customers), 120)
    finally:
        end.set()
        for customer in customers:
            customer.join(RIDE_THROUGH_S + 60)
    equal([c.failure for c in customers if c.failure], [])
    check(not any(c.is_alive() for c in customers), "a customer still waits")


suite = Suite()
with Node(CONFIG) as running:
    the_shop = Shop(running.start())
    running.keep_addresses()
    goods = [the_shop.product(price=PRICE, stock=STOCK) for _ in range(4)]
    told = Book()

    @suite.case
    def customers_ride_through_five_kills():
        storm(running, goods, told)
        print(f"       {len(told.sold)} orders, {len(told.declined)} declined, {told.retries} retries")
        check(told.retries > 0, "no kill was felt")

    @suite.case
    def every_acknowledged_order_exists_once_as_it_was_told():
        listed = [o["order_id"] for o in the_shop.admin.all_of("/api/orders")]
        equal(len(listed), len(set(listed)), "an order is listed twice")
        equal(set(listed), set(told.sold) | told.declined, "orders listed and told")
        for order_id, order in told.sold.items():
            path = "/api/orders/" + order_id
            seen = poll("paid", lambda p=path: (o := the_shop.admin.get(p).json)["status"] == "paid" and o)
            equal((seen["total"], seen["items"]), (order["total"], order["items"]))

    @suite.case
    def the_stock_sold_is_what_was_told():
        for product in goods:
            units = sum(i["quantity"] for o in told.sold.values() for i in o["items"] if i["product_id"] == product)
            poll("the stock agrees", lambda p=product, u=units:
                 {"sold": u, "on_hand": STOCK - u, "reserved": 0}.items() <= the_shop.figures(p).items())

    @suite.case
    def the_provider_captured_once_for_each_order():
        captured = [e["key"] for e in running.ledger() if e["kind"] == "capture"]
        equal(sorted(captured), sorted(told.sold))

    @suite.case
    def every_law_holds_after_the_storm():
        figures = running.laws("60s")
        print(f"       {str(figures)[:300]}")

    suite.run()
suite.end()
