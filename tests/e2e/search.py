#!/usr/bin/env python3
"""Finding products, over HTTP against a real node or three: a file imported, searched, narrowed, completed, reviewed, and all of it
the same after a rebuild, a restart and the loss of the index. With the real catalogue too, where there is one."""

import gzip
import json
import os
import re
import shutil
import tempfile
import time
import urllib.parse

from harness import Node, Shop, Suite, alone, at_every_node, check, equal, poll, serving, soon
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
RATINGS = {"n1": 4.5, "n2": 3.0, "p1": 2.25, "p2": 1, "k1": 5}
QUERIES = ("notebook", "laptop", "printer", "printer cable", "ketle", "\"red kettle\"", "5000000000079", "usb-c", "acme black")


def line(thing):
    sku, name, brand, path, price, colour, gtin = thing
    rated = {"rating": RATINGS[sku]} if sku in RATINGS else {}
    return {**rated, "sku": sku, "name": name, "model": None, "category_path": path, "description": f"<b>{name}</b>",
            "price_minor": price, "currency": "GBP", "brand": brand, "gtin": [gtin],
            "attributes": {"colour": colour, "n_weight": 12.5}, "released": "2006-07-01T00:00:00Z"}


def quoted(text):
    return urllib.parse.quote(text, safe="")


def search(shop, text, more=""):
    return shop.web.get(f"/api/products?q={quoted(text)}&limit=100{more}").expect(200).json


def listed(shop, query):
    return shop.web.get("/api/products?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)).expect(200).json


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
    for code in ("\"5000000000079\"", "5000 000000079", "5-000-000-000-079"):
        page = search(shop, code)
        equal((ids(page), page["total"], page["search"]["relaxed"]), (["k1"], 1, False), code)
    check({"n1", "n2"} <= set(ids(search(shop, "laptop"))), "another word for it")
    equal(ids(search(shop, "kettle -descaler")), ["k1"])
    page = search(shop, "ketle")
    equal(page["search"]["corrected"], [{"from": "ketle", "to": "kettle"}])
    check("k1" in ids(page), page)
    equal(search(shop, "zzzzqqqq")["total"], 0)


def filters_of(facets):
    """Each value of the facets as the filter that takes it, with the count it has."""
    for name in ("category", "brand"):
        yield from (({name: each["value"]}, each["count"]) for each in facets[name])
    for name, values in facets["attributes"].items():
        yield from (({"attr." + name: each["value"]}, each["count"]) for each in values)
    for band in facets["price"]:
        limits = {"min_price": band["min"], "max_price": band.get("max"), "currency": band["currency"]}
        yield {name: limit for name, limit in limits.items() if limit is not None}, band["count"]
    yield from (({"min_rating": each["min"]}, each["count"]) for each in facets["rating"])
    yield from (({"in_stock": str(each["in_stock"]).lower()}, each["count"]) for each in facets["stock"])


@suite.case
def facets_count_what_their_filter_finds(shop):
    word = fresh("facet").replace("-", "")
    shop.admin.post("/api/products", {"id": word, "name": f"Black kettle {word}", "brand": "Bolt", "price": 45.00,
                                      "prices": [{"amount": 6000, "currency": "EUR"}]}).expect(201)

    def found(query):
        return listed(shop, {"limit": 100, **query})

    def kinds_of(query):
        page = found(query)
        for narrower, count in filters_of(page["facets"]):
            narrowed = found({**query, **narrower})
            equal((narrowed["total"], len(narrowed["items"])), (count, count), (query, narrower))
        bands = page["facets"]["price"]
        equal(["max" in band for band in bands[:-1]], [True] * (len(bands) - 1), bands)
        if "collapse" not in query:
            priced = found({**query, "min_price": query.get("min_price", 0)})
            equal((sum(band["count"] for band in bands), bool(bands)), (priced["total"], priced["total"] > 0), query)
            equal(sum(each["count"] for each in page["facets"]["stock"]), page["total"])
        return {name: len(values) for name, values in page["facets"].items()}
    soon("it is found", lambda: found({"q": word})["total"] == 1)
    everything = kinds_of({})
    check(all(everything.values()), everything)
    check(everything["price"] >= 4 and (everything["rating"], everything["stock"]) == (4, 2), everything)
    for query in ({"q": "notebook"}, {"q": "acme"}, {"q": "black"}, {"in_stock": "true"}, {"in_stock": "false"}, {"currency": "EUR"},
                  {"q": "kettle", "currency": "EUR"}, {"collapse": "family"}, {"sort": "-price", "currency": "EUR"},
                  {"q": "acme", "min_price": "5", "max_price": "300"}, {"q": "black", "min_rating": "2.5"},
                  {"min_rating": "3", "min_price": "9", "max_price": "9"}, {"category": "computers", "max_price": "500"}):
        kinds_of(query)
    equal([band["min"] for band in found({"min_price": "4.20"})["facets"]["price"]][0], "4.20")
    equal([each["min"] for each in found({"min_rating": "2.5"})["facets"]["rating"]], [4, 3])
    check(not any(found({"q": "zzzzqqqq"})["facets"].values()), "of nothing")
    shop.admin.delete("/api/products/" + word).expect(204)


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
def the_projections_are_those_that_the_documents_list(shop):
    with open(os.path.join(ROOT, "docs", "architecture.md"), encoding="utf-8") as file:
        page = file.read().split("## Projections", 1)[1].split("\n## ", 1)[0]
    documented = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    listed = json.loads(shop.node.ctl("--json", "projection", "list").stdout)["items"]
    equal(sorted(each["name"] for each in listed), sorted(documented))
    for each in listed:
        check({"lag_batches", "applied", "queries"} <= set(each), each)


@suite.case
def a_search_is_the_same_after_a_rebuild_a_restart_and_the_loss_of_the_index(shop):
    before = answers(shop)
    listed = shop.node.ctl("projection", "list").stdout
    names = [line.split()[0] for line in listed.splitlines()]
    check("search" in names, listed)
    for name in names:
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


def page_of_ten():
    """README's ten searches as it says they are answered (text, how many, the first one's name), and its line of the import."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read().split("\n## Ten searches\n")[1].split("\n## ")[0]
    rows = [(asked.strip("`"), int(found.replace(",", "")), first)
            for asked, found, first in re.findall(r"^\| (`[^`]+`)[^|]* \| ([\d,]+) \| (.+) \|$", text, re.MULTILINE)]
    equal(len(rows), 10, "the searches in README.md")
    line = re.search(r"^(\d+ lines: \d+ imported, \d+ failed), in (\d+\.\d) s; searchable after (\d+\.\d) s$", text, re.MULTILINE)
    check(line, "README.md says what the import prints", text)
    return rows, line.group(1)


@alone(suite, "what a large catalogue takes is measured on one node")
def the_real_catalogue_is_answered_as_the_readme_says(_):
    rows, line = page_of_ten()
    path = os.path.join(ROOT, "..", "shared", "data", "catalogue.jsonl.gz")
    if not os.path.exists(path):
        return suite.skip("the_real_catalogue_is_answered_as_the_readme_says", "there is no ../shared/data/catalogue.jsonl.gz")
    with Node() as node:
        done = Shop(node.start()).node.ctl("catalogue", "import", path)
        print("  import:", done.stdout.strip())
        equal((done.returncode, done.stdout.split(", in ")[0].split("\r")[-1]), (0, line))
        shop = Shop(node)
        def pages():
            return [shop.web.get("/api/products?limit=20&q=" + quoted(text)).expect(200).json for text, *_ in rows]
        before = pages()
        for page, wanted in zip(before, rows):
            equal((wanted[0], page["total"], page["items"][0]["name"] if page["items"] else ""), wanted, "README.md and the engine")
        for text in ("notebook", "hp toner", "usb cable", "headphones", "wirless mouse", "coffee machine", "red kettle"):
            for end in range(1, len(text) + 1):
                shop.web.get("/api/products/suggest?query=" + quoted(text[:end])).expect(200)
            search(shop, text)
        for _ in range(20):
            shop.web.get("/api/products?limit=1").expect(200)
        tell_times(node)
        equal(node.ctl("projection", "rebuild", "search", timeout=300).returncode, 0)
        for page, again in zip(before, pages()):
            equal([each["id"] for each in again["items"]], [each["id"] for each in page["items"]], "made anew")
            equal((again["total"], again["facets"]), (page["total"], page["facets"]), "made anew")
        for narrower, count in filters_of(listed(shop, {"limit": 1})["facets"]):
            equal(listed(shop, {"limit": 1, **narrower})["total"], count, narrower)


def tell_times(node):
    """The engine's own, apart from HTTP."""
    told = node.operate().get("/metrics").expect(200).body.decode()
    figures = dict(re.findall(r'^omnicart_search_(\w+\{kind="\w+"\}) (\S+)$', told, re.MULTILINE))
    for kind in ("list", "search", "suggest"):
        queries, us = (float(figures[f'{name}{{kind="{kind}"}}']) for name in ("queries_total", "us_total"))
        check(queries > 0 and us > 0, figures)
        print(f"  {kind}: {us / queries / 1000:.2f} ms at an average of {queries:.0f}")


with serving() as running:
    suite.run(Shop(running.start()))
suite.end()
