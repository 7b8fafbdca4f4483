#!/usr/bin/env python3
"""Finding products, over HTTP against a real node or three: a file imported, searched, narrowed, completed, reviewed, and all of it
the same after a rebuild, a restart and the loss of the index. With the real catalogue too, where there is one."""

import collections
import gzip
import json
import os
import shutil
import tempfile
import time
import urllib.parse

from harness import Shop, Suite, alone, at_every_node, check, equal, poll, serving, soon
from harness.node import ROOT
from harness.shop import fresh

suite = Suite()

THINGS = [
    # sku, name, brand, category path, pence, colour, gtin
    ("n1", "Acme 14p Notebook Gray 35 cm", "Acme", ["computers", "notebooks"], 49900, "Grey", "5000000000017"),
    ("n2", "Bolt Air 13 Notebook Black", "Bolt", ["computers", "notebooks"], 89900, "Black", "5000000000024"),
    ("s1", "Acme Notebook sleeve", "Acme", ["computers", "bags"], 1900, "Black", "5000000000031"),
    ("c1", "Corda Notebook power cable", "Corda", ["computers", "cables"], 900, "Black", "5000000000048"),
    ("p1", "Acme LQ-680 laser printer", "Acme", ["computers", "printers"], 19900, "White", "5000000000055"),
    ("p2", "Acme printer cable USB-C", "Acme", ["computers", "cables"], 700, "Black", "5000000000062"),
    ("k1", "Red kettle", "Bolt", ["home", "kitchen"], 2500, "Red", "5000000000079"),
    ("k2", "Kettle descaler", "Corda", ["home", "kitchen"], 400, "White", "5000000000086"),
]
QUERIES = ("notebook", "laptop", "printer", "printer cable", "ketle", "\"red kettle\"", "5000000000079", "usb-c", "acme black")


def line(thing):
    sku, name, brand, path, price, colour, gtin = thing
    return {"sku": sku, "name": name, "model": None, "category_path": path, "description": f"<b>{name}</b>",
            "price_minor": price, "currency": "GBP", "brand": brand, "gtin": [gtin],
            "attributes": {"colour": colour, "n_weight": 12.5}, "released": "2006-07-01T00:00:00Z"}


def quoted(text):
    return urllib.parse.quote(text, safe="")


def search(shop, text, more=""):
    return shop.web.get(f"/api/products?q={quoted(text)}&limit=100{more}").expect(200).json


def ids(page):
    return [item["id"] for item in page["items"]]


def answers(shop):
    """What every query is answered with, as far as a rebuild may not change it."""
    return {text: (ids(page), page["total"], page["facets"]) for text in QUERIES for page in [search(shop, text)]}


def written(lines, packed):
    path = os.path.join(tempfile.mkdtemp(prefix="omnicart-e2e."), "products.jsonl" + (".gz" if packed else ""))
    text = "".join(each if isinstance(each, str) else json.dumps(each) + "\n" for each in lines).encode()
    with (gzip.open if packed else open)(path, "wb") as file:
        file.write(text)
    return path


def imported(shop, path, *options):
    done = shop.node.ctl("--json", "catalogue", "import", path, *options)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


@suite.case
def a_catalogue_is_imported_from_a_file_and_can_be_searched(shop):
    code, told = imported(shop, written(map(line, THINGS), packed=True), "--on-hand", "3")
    equal((code, told["lines"], told["imported"], told["failed"], told["searchable"]), (0, 8, 8, 0, True))
    soon("all of it can be searched", lambda: shop.web.get("/api/products?in_stock=true").expect(200)["total"] == len(THINGS))
    equal(search(shop, "notebook")["items"][0]["id"][0], "n", "the thing itself comes first")
    shown = shop.web.get("/api/products/k1").expect(200).json
    equal((shown["category"], shown["price"], shown["stock"]["available"]),
          ("home > kitchen", {"amount": 2500, "currency": "GBP"}, 3))
    # Again, plain, and from the middle: nothing changes.
    before = {p: shop.web.get("/api/products/" + p)["version"] for p in ("n1", "k1")}
    code, told = imported(shop, written(map(line, THINGS), packed=False), "--from-line", "7")
    equal((code, told["lines"], told["imported"]), (0, 2, 2))
    equal({p: shop.web.get("/api/products/" + p)["version"] for p in before}, before)


@suite.case
def lines_that_cannot_be_taken_are_named(shop):
    bad = [line(THINGS[0]), "{broken\n", {"sku": "x1", "price_minor": 5}, line(THINGS[1])]
    code, told = imported(shop, written(bad, packed=True))
    equal((code, told["imported"], told["failed"]), (1, 2, 2))
    check([each.split(":")[0] for each in told["problems"]] == ["line 2", "line 3"], told)
    equal(shop.node.ctl("catalogue", "import", "/no/such/file").returncode, 74)


@suite.case
def words_find_things_however_they_are_written(shop):
    for text, first in (("kettles", "k1"), ("laser printer", "p1"), ("printer cable", "p2"), ("lq680", "p1"), ("RED KETTLE", "k1"),
                        ("5000000000079", "k1"), ("n2", "n2"), ("\"red kettle\"", "k1")):
        equal(ids(search(shop, text))[0], first, text)
    check({"n1", "n2"} <= set(ids(search(shop, "laptop"))), "another word for it")
    equal(ids(search(shop, "kettle -descaler")), ["k1"])
    page = search(shop, "ketle")
    equal(page["search"]["corrected"], [{"from": "ketle", "to": "kettle"}])
    check("k1" in ids(page), page)
    equal(search(shop, "zzzzqqqq")["total"], 0)


@suite.case
def facets_count_what_their_filter_finds(shop):
    for text in ("notebook", "acme", "black", ""):
        page = search(shop, text) if text else shop.web.get("/api/products?in_stock=true&limit=100").expect(200).json
        base = f"/api/products?limit=100&{'q=' + quoted(text) if text else 'in_stock=true'}"
        facets = [("category", each) for each in page["facets"]["category"]] + [("brand", each) for each in page["facets"]["brand"]]
        facets += [("attr." + name, each) for name, values in page["facets"]["attributes"].items() for each in values]
        check(facets, page)
        for name, each in facets:
            narrowed = shop.web.get(f"{base}&{quoted(name)}={quoted(each['value'])}").expect(200).json
            equal((narrowed["total"], len(narrowed["items"])), (each["count"], each["count"]), (text, name, each))


@suite.case
def results_are_narrowed_sorted_and_paged(shop):
    equal(ids(search(shop, "notebook", "&max_price=20&sort=price")), ["c1", "s1"])
    equal(ids(search(shop, "notebook", "&sort=-price"))[:2], ["n2", "n1"])
    equal(set(ids(search(shop, "black", "&attr.colour=BLACK&brand=acme"))), {"s1", "p2"})
    for sort in ("relevance", "price", "sales", "name", "newest"):
        whole = ids(search(shop, "acme", f"&sort={sort}"))
        paged = [item["id"] for item in shop.web.all_of(f"/api/products?q=acme&sort={sort}", limit=1)]
        equal(paged, whole, sort)
    for bad in ("sort=best", "cursor=zz", "attr.=x&nonsense=1", "min_price=a", "currency=pounds"):
        shop.web.get("/api/products?q=acme&" + bad).expect(400)
    shop.web.get("/api/products?q=" + "x" * 201).expect(400, "invalid_query")
    shop.web.get("/api/products?" + "&".join(f"attr.a{i}=1" for i in range(11))).expect(400, "invalid_query")


@suite.case
def a_product_is_found_by_each_of_its_prices(shop):
    product, word = fresh("p"), fresh("wvu").replace("-", "")
    shop.admin.post("/api/products", {"id": product, "name": f"Gadget {word}", "price": 30.00,
                                      "prices": [{"amount": 900, "currency": "EUR"}]}).expect(201)
    soon("it is found", lambda: ids(search(shop, word)) == [product])
    equal(ids(search(shop, word, "&max_price=10")), [])
    equal(ids(search(shop, word, "&max_price=10&currency=EUR")), [product])
    equal(ids(shop.web.get("/api/products?sort=price&currency=EUR&limit=1").expect(200).json), [product])
    shop.admin.delete("/api/products/" + product).expect(204)


@suite.case
def typing_is_completed(shop):
    def texts(typed):
        return [(item["kind"], item["text"]) for item in shop.web.get("/api/products/suggest?query=" + quoted(typed))["items"]]
    check(("query", "notebook") in texts("note"), texts("note"))
    check(("brand", "Acme") in texts("ac"), texts("ac"))
    check(("category", "home > kitchen") in texts("kit"), texts("kit"))
    check(("product", "Red kettle") in texts("red ke"), texts("red ke"))
    check(("query", "red kettle") in texts("red ke"), texts("red ke"))
    check(any(text == "kettle" for _, text in texts("kettel")), texts("kettel"))
    equal(texts(""), [])
    for typed in ("a", "k", "notebook", "acme n", "\u00e9\u00e9", "%", "x" * 100):
        check(len(texts(typed)) <= 10, typed)
    shop.web.get("/api/products/suggest?query=" + "x" * 101).expect(400)


@suite.case
def categories_are_a_tree_with_counts(shop):
    tree = {node["name"]: node for node in shop.web.get("/api/categories").expect(200)["items"]}
    equal((tree["computers"]["count"], tree["home"]["count"]), (6, 2))
    equal({n["path"]: n["count"] for n in tree["computers"]["children"]},
          {"computers > bags": 1, "computers > cables": 2, "computers > notebooks": 2, "computers > printers": 1})


@suite.case
def related_things_are_of_the_same_kind(shop):
    equal(shop.web.get("/api/products/n1/related?limit=3").expect(200)["items"][0]["id"], "n2")
    check("n1" not in [item["id"] for item in shop.web.get("/api/products/n1/related")["items"]])
    shop.web.get("/api/products/nothing/related").expect(404)


@suite.case
def changes_are_found_at_once(shop):
    product, word = fresh("p"), fresh("zyx").replace("-", "")
    began = time.monotonic()
    shop.admin.post("/api/products", {"id": product, "name": f"Gadget {word}", "price": 1.00}).expect(201)
    soon("it is new", lambda: ids(search(shop, word)) == [product])
    shop.admin.put("/api/products/" + product, {"name": f"Gizmo {word}x", "price": 1.00}).expect(200)
    soon("it has another name", lambda: ids(search(shop, word + "x")) == [product])
    soon("it had one", lambda: search(shop, "\"gadget " + word + "\"")["total"] == 0)
    shop.admin.delete("/api/products/" + product).expect(204)
    soon("it is gone", lambda: search(shop, word + "x")["total"] == 0)
    check(time.monotonic() - began < 20, "each of them within a second, with room for a slow machine")


@suite.case
def buyers_say_what_they_think_once(shop):
    product = shop.product(stock=9)
    path = f"/api/products/{product}/reviews"
    equal(shop.web.get(path).expect(200)["rating"], {"average": None, "count": 0, "stars": [0, 0, 0, 0, 0]})
    shop.guest().web.post(path, {"rating": 1}).expect(403, "not_a_buyer")
    shop.web.post(path, {"rating": 1}).expect(401)
    ann, _ = shop.buy(product)
    bob, _ = shop.buy(product)
    ann.web.post(path, {"rating": 5, "title": "Good", "text": "Does what it says.", "author": "Ann"}).expect(201)
    bob.web.post(path, {"rating": 2}).expect(201)
    ann.web.post(path, {"rating": 4, "author": "Ann"}).expect(201)
    told = shop.web.get(path).expect(200).json
    equal(told["rating"], {"average": 3.0, "count": 2, "stars": [0, 1, 0, 1, 0]})
    equal([(r["rating"], r.get("author")) for r in told["items"]], [(4, "Ann"), (2, None)])
    first = shop.web.get(path + "?limit=1").expect(200).json
    equal(shop.web.get(f"{path}?limit=1&cursor={first['next_cursor']}").expect(200)["items"][0]["rating"], 2)
    for bad in ({}, {"rating": 0}, {"rating": 6}, {"rating": "5"}, {"rating": 5, "text": "x" * 2001}, {"rating": 5, "more": 1}):
        ann.web.post(path, bad).expect(400, "invalid_body")
    shop.web.get("/api/products/nothing/reviews").expect(404)
    poll("the product knows", lambda: at_every_node(lambda: shop.web.get("/api/products/" + product).json.get("review_count") == 2))
    equal(shop.web.get("/api/products/" + product)["rating"], 3.0)
    soon("and so does the search", lambda: product in ids(shop.web.get("/api/products?min_rating=3&limit=100").expect(200).json))
    declined = shop.guest()
    declined.add(product, 1).expect(201)
    declined.checkout(card="tok_declined").expect(402)
    declined.web.post(path, {"rating": 1}).expect(403, "not_a_buyer")


@suite.case
def a_search_is_the_same_after_a_rebuild_a_restart_and_the_loss_of_the_index(shop):
    before = answers(shop)
    listed = shop.node.ctl("projection", "list").stdout
    check(all(name in listed for name in ("catalogue", "orders", "search")), listed)
    for name in ("search", "catalogue", "orders"):
        done = shop.node.ctl("projection", "rebuild", name)
        check(done.returncode == 0 and "made anew" in done.stdout, done)
        shop.web.get("/api/products?q=notebook").expect(200)  # it ends when searches are answered again
    equal(shop.node.ctl("projection", "rebuild", "nothing").returncode, 1)

    def same(why):
        poll(why, lambda: at_every_node(lambda: shop.web.get("/api/products?q=notebook").status == 200))
        soon(why, lambda: answers(shop) == before)
    same("rebuilt")
    shop.node.kill()
    shop.node.start()
    shop.web, shop.admin = shop.node.client(), shop.node.staff("admin")
    same("killed")
    shop.node.stop()
    shutil.rmtree(os.path.join(shop.node.data, "search"))
    shop.node.start()
    shop.web, shop.admin = shop.node.client(), shop.node.staff("admin")
    same("without its index")


@alone(suite, "what a large catalogue takes is measured on one node")
def the_real_catalogue_can_be_searched(shop):
    path = os.path.join(ROOT, "..", "shared", "data", "catalogue.jsonl.gz")
    if not os.path.exists(path):
        return suite.skip("the_real_catalogue_can_be_searched", "there is no ../shared/data/catalogue.jsonl.gz")
    code, told = imported(shop, path)
    print("  import:", {name: told[name] for name in ("lines", "imported", "failed", "import_s", "searchable_s")})
    equal((code, told["failed"]), (0, 0))
    took = collections.defaultdict(list)
    for text in ("notebook", "hp toner", "usb cable", "headphones", "wirless mouse", "coffee machine", "red kettle"):
        for end in range(1, len(text) + 1):
            began = time.monotonic()
            shop.web.get("/api/products/suggest?query=" + quoted(text[:end])).expect(200)
            took["suggest"].append(time.monotonic() - began)
        began = time.monotonic()
        page = search(shop, text)
        took["search"].append(time.monotonic() - began)
        print(f"  {text}: {page['total']}, first {page['items'][0]['name'] if page['items'] else None}")
    for name, seconds in took.items():
        print(f"  {name}: slowest of {len(seconds)}: {max(seconds) * 1000:.1f} ms over HTTP")


with serving() as running:
    suite.run(Shop(running.start()))
suite.end()
