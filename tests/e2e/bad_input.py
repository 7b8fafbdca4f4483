#!/usr/bin/env python3
"""Sends every row of docs/bad-input.md to a real node and compares status and code; the notation stands there."""

import itertools
import os
import re
import threading
import urllib.parse

from harness import Node, Shop, Suite, check, equal, exchange, serving
from harness.group import SHARED
from harness.node import ROOT
from harness.shop import fresh

ROWS_MIN = 80
CONFIG = "[http]\nheader_timeout_ms = 1500\n"
ESCAPES = {b"r": b"\r", b"n": b"\n", b"0": b"\0", b"\\": b"\\"}


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        found = re.findall(r"^\| (\w+) \| `(.*)` \| (\w+) \| ([\w-]+) \|$", file.read(), re.MULTILINE)
    rows = [(name, request, status, code) for name, request, status, code in found]
    check(len({r[0] for r in rows}) == len(rows), "two rows of one name")
    return rows


def to_bytes(text, escapes):
    """What the notation's escapes and repetitions stand for."""
    # The innermost braces that end in *N; what they hold may itself be JSON.
    text = re.sub(r"\{((?:[^{}]|\{[^{}]*\}){1,80}?)\*(\d+)\}", lambda m: m.group(1) * int(m.group(2)), text)

    def unescape(match):
        what = match.group(1)
        return bytes([int(what[1:], 16)]) if what.startswith(b"x") else ESCAPES[what]
    return re.sub(rb"\\(x[0-9a-f]{2}|[rn0\\])" if escapes else rb"\\(x[0-9a-f]{2})", unescape, text.encode())


def build(request, tokens, host):
    """The bytes of a request that is written as WHO METHOD PATH [Header]… BODY."""
    who, method, rest = request.split(" ", 2)
    path, _, rest = rest.partition(" ")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    named = set()
    while match := re.match(r"\[([A-Z][\w-]*)(?:: ?([^\]]*))?\] ?", rest):
        named.add(match.group(1))
        if match.group(2) is not None:
            lines.append(f"{match.group(1)}: {match.group(2)}")
        rest = rest[match.end():]
    if who != "anyone":
        lines.append("Authorization: Bearer " + tokens[who])
    body = to_bytes(rest, False)
    if body and "Content-Type" not in named:
        lines.append("Content-Type: application/json")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return to_bytes("\r\n".join(lines), False) + b"\r\n\r\n" + body


class Table:
    def __init__(self, shop):
        self.shop = shop
        self.addresses = itertools.cycle(getattr(shop.node.http, "every", (shop.node.http,)))
        self.names = self.prepare()
        self.support = shop.node.staff("support").token

    def prepare(self):
        shop = self.shop
        retired, held, full = shop.product(), shop.product(stock=100), shop.product()
        shop.admin.delete("/api/products/" + retired).expect(204)
        hold = shop.guest().web.post("/api/inventory/reserve", {"product_id": held, "quantity": 60, "ttl_s": 1800})
        self.guest, order = shop.buy()
        self.guest.add(full, 999_999).expect(201)
        other, other_order = shop.buy()
        other.add(full).expect(201)
        email = fresh("taken") + "@b.example"
        shop.web.post("/api/users/register", {"email": email, "password": "long enough to be one"}).expect(201)
        return {"product": shop.product(price=1000, stock=100), "retired": retired, "held": held, "full": full,
                "order": order["order_id"], "cart": self.guest.cart_id, "other_order": other_order["order_id"],
                "other_cart": other.cart_id, "email": email,
                "other_hold": urllib.parse.quote(hold.expect(201)["reservation_id"], safe="")}

    def bytes_of(self, request, address):
        for name, value in self.names.items():
            request = request.replace(f"<{name}>", value)
        kind, _, rest = request.partition(" ")
        if kind in ("raw", "slow"):
            return to_bytes(rest, True)
        tokens = {"guest": self.guest.web.token, "admin": self.shop.admin.token, "support": self.support}
        return build(request, tokens, address)

    def run(self, request, status, code):
        address = next(self.addresses)
        answer = exchange(address, self.bytes_of(request, address))
        if status == "closed":
            check(answer is None, "answered", answer)
            return
        check(answer is not None, "closed without an answer")
        equal((str(answer.status), answer.code), (status, code), repr(answer))
        if answer.body:
            self.check_problem(answer)

    def check_problem(self, answer):
        said = answer.json
        missing = {"type", "title", "status", "detail", "code", "request_id", "retryable"} - set(said)
        check(not missing, "members are missing", missing)
        equal(said["status"], answer.status)
        check(said["detail"] not in ("", said["title"]), "the detail says nothing", said)
        text = answer.body.decode()
        for leak in (self.shop.node.data, ROOT, ".cpp", "rocksdb", "nlohmann"):
            check(leak not in text, "an answer tells of the inside", leak)
        if answer.status == 405:
            check(answer.headers.get("allow"), "405 without Allow")
        if answer.code in ("invalid_body", "invalid_query"):
            check(all({"pointer", "code", "detail"} <= set(e) for e in said["errors"]), said)


def main():
    suite = Suite()
    rows = read_rows(os.path.join(ROOT, "docs", "bad-input.md"))
    suite.run_case(f"the_table_has_at_least_{ROWS_MIN}_rows", lambda: check(len(rows) >= ROWS_MIN, len(rows)))
    with serving() if SHARED else Node(CONFIG) as node:
        shop = Shop(node.start())
        table = Table(shop)
        before = (table.guest.cart(), [shop.figures(table.names[p]) for p in ("full", "held")])
        # Those that wait for a deadline wait side by side.
        slow, waiting = [r for r in rows if r[1].startswith("slow")], []
        for name, request, status, code in slow:
            if SHARED:
                suite.skip(name, "how long a node waits is set for one that is this script's own")
                continue
            case = threading.Thread(target=suite.run_case, args=(name, table.run, request, status, code))
            case.start()
            waiting.append(case)
        for name, request, status, code in rows:
            if not request.startswith("slow"):
                suite.run_case(name, table.run, request, status, code)
        for case in waiting:
            case.join()
        after = (table.guest.cart(), [shop.figures(table.names[p]) for p in ("full", "held")])
        suite.run_case("nothing_of_this_changed_anything", lambda: equal(after, before))
        suite.run_case("every_law_holds_afterwards", node.laws)
    suite.end()


main()
