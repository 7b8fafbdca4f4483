"""Customers of a shop that is being hurt: they shop, and write down every operation with its outcome.

A process of its own, so that several fit on the machine's cores: clients.py SPEC OUT. SPEC: JSON {nodes: a file with JSON
{number: address}, which may change, products: {...}, seed, couples, buyers, tag, per_second}. It stops when its standard
input ends. OUT gets one JSON list a line:

  [kind, begin, end, node, outcome, status, data]

Times are seconds of the machine's monotonic clock. Outcomes: "ok"; "refused", the shop said no; "unknown", no clear answer
came (then `end` is null): it may have happened, may yet happen, or not."""

import json
import os
import random
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cluster"))
import wire  # noqa: E402

ATTEMPT_S = 2.0
PATIENCE_S = 25.0  # of those who repeat until there is a clear answer
OPERATIONS_A_CART = 90
NODES_EVERY_S = 0.5
UNKNOWN_A_CART_MAX = 4
ADDRESS = {"name": "Ann Example", "line1": "1 High Street", "city": "Leeds", "postal_code": "LS1 1AA", "country": "GB"}
CARDS = ("tok_ok",) * 8 + ("tok_declined", "tok_timeout_before", "tok_timeout_after", "tok_twice")


class Book:
    def __init__(self, path):
        self.lock = threading.Lock()
        self.file = open(path, "w", encoding="utf-8", buffering=1)

    def note(self, *entry):
        text = json.dumps(entry)
        with self.lock:
            self.file.write(text + "\n")

    def close(self):
        with self.lock:
            self.file.close()


class Nodes:
    """Where nodes are now: {number: address}. `now` is replaced, never changed."""

    def __init__(self, path, ended):
        self.path, self.ended = path, ended
        self.now = self.read()
        threading.Thread(target=self.follow, daemon=True).start()

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            return json.load(file)

    def follow(self):
        while not self.ended.wait(NODES_EVERY_S):
            self.now = self.read()


class Pace:
    """Operations are begun no faster than so many a second; who comes late is not made up for."""

    def __init__(self, per_second, ended):
        self.every, self.ended = 1.0 / per_second, ended
        self.lock, self.next = threading.Lock(), time.monotonic()

    def wait(self):
        with self.lock:
            now = time.monotonic()
            at = max(now, self.next)
            self.next = at + self.every
        if at > now:
            self.ended.wait(at - now)


class Outcome:
    def __init__(self, begin, node):
        self.begin, self.end, self.node = begin, None, node
        self.kind, self.status, self.answer, self.attempts = "unknown", 0, None, 0

    @property
    def ok(self):
        return self.kind == "ok"


class Customer(threading.Thread):
    """One that asks. What it does is in subclasses."""

    def __init__(self, spec, nodes, pace, name, book, ended, seed):
        super().__init__(daemon=True)
        self.nodes, self.pace, self.products = nodes, pace, spec["products"]
        self.name_, self.book, self.ended = f"{spec['tag']}-{name}", book, ended
        self.chance = random.Random(seed)
        self.connections, self.numbers = {}, 0
        self.at = self.chance.choice(sorted(self.nodes.now))
        self.wrong = None

    def run(self):
        try:
            while not self.ended.is_set():
                self.shop()
        except Exception as wrong:  # told at the end: a broken client must not look like a calm one
            self.wrong = f"{self.name_}: {type(wrong).__name__} {wrong}"
            self.ended.set()

    def fresh(self):
        """A key nobody else uses."""
        self.numbers += 1
        return f"{self.name_}-{self.numbers:06}-key"

    def ask(self, method, path, body=None, token=None, key=None, patience=None):
        """The outcome of one operation: of one attempt, or with `patience` in seconds of as many as give a clear answer."""
        sent = wire.request(method, path, body, token, key)
        self.pace.wait()
        if self.chance.random() < 0.1 or self.at not in self.nodes.now:
            self.at = self.chance.choice(sorted(self.nodes.now))
        told = Outcome(time.monotonic(), self.at)
        while True:
            told.attempts += 1
            told.node = self.at
            self.attempt(sent, told)
            if told.kind == "refused" and told.attempts > 1 and method != "GET" and not told.answer.json.get("order_id"):
                told.kind = "unknown"  # an earlier attempt may still be on its way, to be found better
                return told
            if told.kind != "unknown":
                told.end = time.monotonic()
                return told
            self.at = next_of(sorted(self.nodes.now), self.at)
            if patience is None or time.monotonic() > told.begin + patience or self.ended.is_set():
                return told
            self.ended.wait(self.chance.uniform(0.01, 0.05))

    def attempt(self, sent, told):
        try:
            connection = self.connections.get(self.at)
            if connection is None or connection.ended:
                connection = self.connections[self.at] = wire.Connection(self.nodes.now[self.at], ATTEMPT_S)
            told.answer = connection.exchange(sent, ATTEMPT_S)
        except (OSError, KeyError):  # the node does not answer, or is none any more
            broken = self.connections.pop(self.at, None)
            if broken:
                broken.close()
            told.status, told.answer, told.kind = 0, None, "unknown"
            return
        told.status = told.answer.status
        told.kind = self.judge(told.answer)

    @staticmethod
    def judge(answer):
        if 200 <= answer.status < 300:
            return "ok"
        if answer.status >= 500 or answer.code == "in_progress":
            return "unknown"
        return "refused"

    def note(self, kind, told, data):
        self.book.note(kind, told.begin, told.end, told.node, told.kind, told.status, data)

    def patience(self):
        """Half of the customers repeat, the other half leave it at what they do not know."""
        return PATIENCE_S if self.chance.random() < 0.5 else None

    def open_session(self):
        while not self.ended.is_set():
            told = self.ask("POST", "/api/sessions", {}, key=self.fresh(), patience=PATIENCE_S)
            opened = told.answer.json if told.ok else {}
            self.note("session", told, {"id": opened.get("session_id"), "cart": opened.get("cart_id"),
                                        "token": opened.get("token"), "of": type(self).__name__})
            if told.ok:
                return opened
        return None


class Couple:
    """Two customers with one cart, which they fill at the same time from different nodes and never buy."""

    def __init__(self):
        self.lock = threading.Lock()
        self.opened, self.left = None, 0


class CartUser(Customer):
    def __init__(self, couple, *more):
        super().__init__(*more)
        self.couple = couple

    def shop(self):
        with self.couple.lock:
            if self.couple.left <= 0:
                self.couple.opened = self.open_session()
                self.couple.left = OPERATIONS_A_CART
            self.couple.left -= 1
            opened = self.couple.opened
        if opened:
            self.change(opened)

    def change(self, opened):
        product = self.chance.choice(self.products["plenty"][:3])
        what = self.chance.choices([("read",), ("set", product, self.chance.randint(1, 9)), ("add", product, 1),
                                    ("remove", product)], (5, 3, 3, 1))[0]
        method, path, body = {
            "read": ("GET", "/api/cart", None), "remove": ("DELETE", f"/api/cart/items/{product}", None),
            "set": ("PUT", f"/api/cart/items/{product}", {"quantity": what[-1]}),
            "add": ("POST", "/api/cart/items", {"product_id": product, "quantity": 1})}[what[0]]
        key = None if what[0] == "read" else self.fresh()
        told = self.ask(method, path, body, opened["token"], key, self.patience())
        self.note("cart", told, {"cart": opened["cart_id"], "what": what, "result": self.result(what, told)})
        if told.kind == "unknown" and what[0] != "read":
            with self.couple.lock:
                self.couple.left -= OPERATIONS_A_CART // UNKNOWN_A_CART_MAX

    @staticmethod
    def result(what, told):
        if told.kind == "unknown":
            return None
        if told.kind == "refused":
            return ["none"] if told.answer.code == "no_such_line" else ["refused", told.status, told.answer.code]
        said = told.answer.json
        if what[0] == "read":
            return [said["version"], sorted([each["product_id"], each["quantity"]] for each in said["items"])]
        if told.answer.replayed or not said:
            return ["done"]
        return [said["version"], said["item"]["quantity"], said["item_count"]]


class Buyer(Customer):
    """Fills a cart of its own, buys it, looks, and at times ends the session and looks whether that holds everywhere."""

    def shop(self):
        opened = self.open_session()
        if not opened:
            return
        token = opened["token"]
        if self.chance.random() < 0.15:
            self.hold(token)
        lines = {}
        for product in self.chance.sample(self.products["plenty"] + self.products["scarce"], self.chance.randint(1, 3)):
            units = self.chance.randint(1, 2)
            told = self.ask("POST", "/api/cart/items", {"product_id": product, "quantity": units}, token, self.fresh(),
                            PATIENCE_S)
            self.note("fill", told, {"cart": opened["cart_id"], "product": product, "units": units})
            if not told.ok:
                return
            lines[product] = units
        self.buy(opened, lines)
        if self.chance.random() < 0.3:
            self.leave(opened)

    def buy(self, opened, lines):
        key, token = self.fresh(), opened["token"]
        body = {"email": "ann@example.com", "shipping_address": ADDRESS, "reference": key,
                "payment_method": {"type": "card", "token": self.chance.choice(CARDS)}}
        told = self.ask("POST", "/api/orders", body, token, key, self.patience())
        said = told.answer.json if told.answer and told.kind != "unknown" else {}
        data = {"key": key, "cart": opened["cart_id"], "token": token, "body": body, "wanted": lines,
                "order": (said or {}).get("order_id")}
        if told.ok:
            data.update(status=said["status"], total=said["total"]["amount"], replayed=told.answer.replayed,
                        lines={each["product_id"]: each["quantity"] for each in said["items"]})
        elif told.kind == "refused":
            data["code"] = told.answer.code
        self.note("order", told, data)
        if told.ok and self.chance.random() < 0.5:
            seen = self.ask("GET", "/api/orders/" + said["order_id"], None, token)
            found = seen.answer.json["total"]["amount"] if seen.ok else None
            self.note("look", seen, {"order": said["order_id"], "total": found, "wanted": said["total"]["amount"]})

    def hold(self, token):
        told = self.ask("POST", "/api/inventory/reserve", {"product_id": self.chance.choice(self.products["plenty"]),
                                                           "quantity": 1, "ttl_s": 3}, token, self.fresh())
        self.note("hold", told, {})

    def leave(self, opened):
        told = self.ask("DELETE", "/api/sessions/" + opened["session_id"], None, opened["token"], None, PATIENCE_S)
        if told.status == 401 and told.attempts > 1:  # a repeated one finds itself locked out
            told.kind, told.end = "ok", time.monotonic()
        self.note("revoke", told, {"session": opened["session_id"], "token": opened["token"]})
        if not told.ok:
            return
        self.at = self.chance.choice(sorted(self.nodes.now))
        seen = self.ask("GET", "/api/cart", None, opened["token"])
        self.note("dead", seen, {"session": opened["session_id"]})


def next_of(order, at):
    """Of sorted texts, the one behind `at`, whether that is one of them or not."""
    return next((each for each in order if each > at), order[0])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    book, ended = Book(sys.argv[2]), threading.Event()
    seeds = random.Random(spec["seed"])
    surroundings = (spec, Nodes(spec["nodes"], ended), Pace(spec["per_second"], ended))
    customers = []
    for number in range(spec["couples"]):
        couple = Couple()
        customers += [CartUser(couple, *surroundings, f"c{number}{who}", book, ended, seeds.random()) for who in "ab"]
    customers += [Buyer(*surroundings, f"b{number}", book, ended, seeds.random()) for number in range(spec["buyers"])]
    for customer in customers:
        customer.start()
    sys.stdin.read()
    ended.set()
    for customer in customers:
        customer.join(ATTEMPT_S + 10)
    book.close()
    wrong = [each.wrong for each in customers if each.wrong] + [each.name_ for each in customers if each.is_alive()]
    if wrong:
        print("; ".join(wrong), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
