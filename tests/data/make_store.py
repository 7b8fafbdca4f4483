#!/usr/bin/env python3
"""Makes a store of the format that this build writes, as test data for the builds that come after it.

    OMNICART_BUILD=$PWD/build/release python3 tests/data/make_store.py    # writes tests/data/store-format-N

Run it once for each released format, and never again for that one: what it wrote then is what later builds must read.
The folder holds a data directory as a killed node leaves it, partly in tables and partly in the write-ahead log, without
what a node makes anew (secrets, locks, RocksDB's text log and options), and `entities.json`: every entity in it as the
operator's port described it at the time. tests/unit/formats reads it back entity by entity, tests/e2e/durability.py starts
a node on it."""

import glob
import hashlib
import json
import os
import re
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

from harness import Client, Node, Shop, poll  # noqa: E402
from harness.shop import ADDRESS, pounds  # noqa: E402

ENOUGH_FOR_A_SNAPSHOT = 70
LINES = 24  # of an order, with three events each
EMAIL, PASSWORD = "ann@example.com", "correct horse battery"
CONFIG = "[node]\nshard_count = 2\n"


def fill(shop):
    """One of each kind with a snapshot and events behind it, and others with events alone: {kind: ids}."""
    tea, milk = (shop.product(price=price, stock=1000, product_id=name) for price, name in ((250, "tea"), (90, "milk")))
    for turn in range(ENOUGH_FOR_A_SNAPSHOT):
        body = {"name": "Green tea", "price": pounds(300 + turn), "category": "drinks > hot", "brand": "Leaf"}
        shop.admin.put("/api/products/tea", body).expect(200)
        shop.admin.put("/api/inventory/tea", {"delta": 1, "reason": "found"}, key=f"found-{turn}").expect(200)
    many = [shop.product(price=100 + i, stock=10, product_id=f"many-{i}") for i in range(LINES)]

    guest = shop.guest()
    for turn in range(ENOUGH_FOR_A_SNAPSHOT):
        guest.add("tea", 1, key=f"add-{turn}").expect(201)
        answer = guest.web.post("/api/users/refresh", {"refresh_token": guest.refresh_token}).expect(200)
        guest.refresh_token = answer["refresh_token"]
        guest.web = Client(shop.node.http, answer["token"])
    guest.web.post("/api/users/register", {"email": EMAIL, "password": PASSWORD, "name": "Ann"}).expect(201)
    user = guest.web.get("/api/users/profile").expect(200)["user_id"]
    for turn in range(ENOUGH_FOR_A_SNAPSHOT):
        guest.web.put("/api/users/profile", {"name": f"Ann {turn}"}).expect(200)
    guest.web.put("/api/users/profile", {"addresses": [ADDRESS], "phone": "+44 113 4960000"}).expect(200)
    guest.web.post("/api/inventory/reserve", {"product_id": "milk", "quantity": 2, "ttl_s": 1800}).expect(201)

    long = guest.web.post("/api/orders", {**guest.order_body(), "items": [{"product_id": p, "quantity": 1} for p in many]},
                          key="long").expect(201)["order_id"]
    other = shop.guest()
    other.add(milk, 3).expect(201)
    cancelled = other.checkout("cancelled").expect(201)["order_id"]
    poll("the cart is open", lambda: "sealed_by" not in other.cart())
    other.web.delete("/api/orders/" + cancelled).expect(200)
    other.add(tea, 1).expect(201)
    declined = other.checkout("declined", card="tok_declined").expect(402)["order_id"]
    for order in (long, cancelled, declined):
        poll("it owes nothing", lambda o=order: not described(shop.node, "order", o)["state"].get("owing"))
    shop.node.laws()
    return {"cart": [guest.cart_id, other.cart_id], "session": [guest.id, other.id], "user": [user], "email": [digest("email", EMAIL)],
            "order": [long, cancelled, declined], "product": [tea, milk, *many], "stock": [tea, milk, *many]}


def digest(*parts):
    """digest_128 and to_base32 of runtime/base/ids.cpp."""
    framed = b"".join(len(p).to_bytes(8, "little") + p.encode() for p in parts)
    number = int.from_bytes(hashlib.blake2b(framed, digest_size=16).digest(), "big")
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[number >> 5 * place & 31] for place in range(25, -1, -1))


def described(node, kind, entity):
    return node.operate().get(f"/entities/{kind}/{entity}").expect(200).json


def format_version():
    with open(os.path.join(ROOT, "persistence", "key_layout.hpp"), encoding="utf-8") as file:
        return int(re.search(r"format_version = (\d+);", file.read()).group(1))


def main():
    target = os.path.join(HERE, f"store-format-{format_version()}")
    if os.path.exists(target):
        sys.exit(f"{target} is there already: a released format's store is not made again")
    with Node(CONFIG) as node:
        ids = fill(Shop(node.start()))
        assert node.stop() == 0  # all of this into tables
        shop = Shop(node.start())
        guest = shop.guest()
        guest.add("milk", 2, key="kept").expect(201)
        shop.stock("milk", 1500)
        ids["cart"].append(guest.cart_id)
        ids["session"].append(guest.id)
        entities = {f"{kind}/{name}": described(node, kind, name) for kind, names in ids.items() for name in names}
        made_at_ms = int(time.time() * 1000)
        node.kill()
        os.makedirs(os.path.join(target, "db"))
        for name in ("CURRENT", "IDENTITY", "MANIFEST-*", "*.sst", "*.log"):
            for path in glob.glob(os.path.join(node.data, "db", name)):
                shutil.copy(path, os.path.join(target, "db"))
        shutil.copytree(os.path.join(node.data, "pay"), os.path.join(target, "pay"), ignore=shutil.ignore_patterns("LOCK"))
    proof = {"entity": "cart/" + guest.cart_id, "owner": "session:" + guest.id, "key": "kept"}
    facts = {"made_at_ms": made_at_ms, "receipt": proof, "email": EMAIL, "password": PASSWORD, "entities": entities}
    with open(os.path.join(target, "entities.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(facts).replace('"entities": {', '"entities": {\n').replace('}, "', '},\n"') + "\n")


main()
