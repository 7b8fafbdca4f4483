#!/usr/bin/env python3
"""Variants of a product, over HTTP against a real node: written and imported, read with one another, searched by family and
options, collapsed to one, and all of it right within a second of a change, and after a rebuild."""

import json
import os
import tempfile
import time
import urllib.parse

from harness import Shop, Suite, at_every_node, check, equal, poll, serving
from harness.shop import fresh, pounds

suite = Suite()
SOON_S = 3.0  # a second, with room for a slow machine


def body(name, family=None, options=None, price=1000, **more):
    made = {"name": name, "price": pounds(price), **more}
    return {**made, **({"family": family} if family else {}), **({"options": options} if options else {})}


def made(shop, product, *args, stock=None, **more):
    shop.admin.post("/api/products", {"id": product, **body(*args, **more)}).expect(201)
    if stock is not None:
        shop.stock(product, stock)


def shown(shop, product):
    return shop.web.get("/api/products/" + product).expect(200)


def variants(shop, product):
    return [each["product_id"] for each in shown(shop, product)["variants"]]


def page(shop, **query):
    return shop.web.get("/api/products?" + urllib.parse.urlencode({"limit": 100, **query})).expect(200).json


def ids(shop, **query):
    return [item["id"] for item in page(shop, **query)["items"]]


def within_a_second(what, probe):
    began = time.monotonic()
    poll(what, lambda: at_every_node(probe))
    took = time.monotonic() - began
    check(took < SOON_S, f"{what}: took {took:.2f} s")


@suite.case
def a_product_is_read_with_the_others_of_its_family(shop):
    family, small, large, other = fresh("shirt"), fresh("s"), fresh("l"), fresh("o")
    made(shop, small, "Shirt S", family, {"size": "S", "colour": "red"}, price=900, stock=3)
    made(shop, large, "Shirt L", family, {"size": "L", "chest_cm": 112}, stock=50)
    made(shop, other, "Shirt of none")
    read = shown(shop, small)
    equal((read["family"], read["options"]), (family, {"size": "S", "colour": "red"}))
    want = {"product_id": large, "name": "Shirt L", "options": {"size": "L", "chest_cm": "112"}, "price": pounds(1000),
            "stock": {"available": 50, "state": "in_stock"}}
    within_a_second("the other one, with its stock", lambda: shown(shop, small)["variants"] == [want])
    equal(variants(shop, large), [small])
    check("variants" not in shown(shop, other).json and "family" not in shown(shop, other).json, "no family, no variants")
    lonely = fresh("x")
    made(shop, lonely, "Alone", fresh("f"))
    equal(variants(shop, lonely), [])
    check(all("variants" not in item for item in page(shop, family=family)["items"]), "lists have none")


@suite.case
def what_changes_of_one_is_seen_at_the_others_within_a_second(shop):
    family, one, two, three = fresh("fam"), fresh("a"), fresh("b"), fresh("c")
    for each in (three, two, one):
        made(shop, each, "Cup " + each, family, {"glaze": each})
    within_a_second("the others by id", lambda: variants(shop, one) == sorted((two, three)))
    tag = shown(shop, one).etag
    shop.web.get("/api/products/" + one, headers={"If-None-Match": tag}).expect(304)
    shop.admin.put("/api/products/" + two, body("Cup " + two, family, {"glaze": "blue"}, price=5)).expect(200)
    within_a_second("the price", lambda: shown(shop, one)["variants"][0]["price"] == pounds(5))
    equal(shown(shop, one)["variants"][0]["options"], {"glaze": "blue"})
    changed = shop.web.get("/api/products/" + one, headers={"If-None-Match": tag}).expect(200)
    check(changed.etag != tag, "what is shown has changed, and so has its tag")
    shop.stock(two, 2)
    within_a_second("the stock", lambda: shown(shop, one)["variants"][0]["stock"] == {"available": 2, "state": "low_stock"})
    shop.admin.delete("/api/products/" + two).expect(204)
    within_a_second("one is gone", lambda: variants(shop, one) == [three])
    within_a_second("the list, too", lambda: ids(shop, family=family) == sorted((one, three)))
    # Into another family, and out of all.
    elsewhere = fresh("fam")
    shop.admin.put("/api/products/" + three, body("Cup " + three, elsewhere)).expect(200)
    within_a_second("one has moved", lambda: variants(shop, one) == [])
    within_a_second("in the lists, too", lambda: (ids(shop, family=family), ids(shop, family=elsewhere)) == ([one], [three]))
    shop.admin.put("/api/products/" + three, body("Cup " + three)).expect(200)
    within_a_second("it is in no family", lambda: ids(shop, family=elsewhere) == [])
    check("options" not in shown(shop, three).json, "replaced as a whole")
    shop.admin.post("/api/products", {"id": two, **body("Cup again", family)}).expect(201)
    within_a_second("one is back", lambda: variants(shop, one) == [two])


@suite.case
def the_tag_of_a_read_with_variants_makes_a_change_conditional_on_the_product_alone(shop):
    family, one, two = fresh("fam"), fresh("a"), fresh("b")
    made(shop, one, "One", family)
    made(shop, two, "Two", family)
    tag = shown(shop, one).etag
    shop.admin.put("/api/products/" + two, body("Two more", family)).expect(200)
    shop.admin.put("/api/products/" + one, body("One more", family), headers={"If-Match": tag}).expect(200)
    shop.admin.put("/api/products/" + one, body("One again", family), headers={"If-Match": tag}).expect(412)


@suite.case
def a_family_of_more_than_a_hundred_shows_a_hundred(shop):
    family, word = fresh("many"), fresh("m")
    names = [f"{word}-{i:03}" for i in range(103)]
    lines = "\n".join(json.dumps({"id": each, **body("Bead", family, {"number": each})}) for each in names)
    done = shop.admin.post("/api/products/import", lines.encode(), headers={"Content-Type": "application/x-ndjson"}).expect(200)
    equal(json.loads(done.body.splitlines()[-1])["imported"], 103)
    poll("all of them", lambda: page(shop, family=family)["total"] == 103)
    equal(variants(shop, names[1]), [names[0]] + names[2:101])
    equal(page(shop, family=family, collapse="family")["total"], 1)


@suite.case
def a_catalogue_file_brings_families_and_options(shop):
    family, sku = fresh("file"), fresh("f")
    line = {"sku": sku, "name": "Boot", "price_minor": 100, "currency": "GBP", "family": family, "options": {"size": 42, "width": None}}
    path = os.path.join(tempfile.mkdtemp(prefix="omnicart-e2e."), "boots.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n" + json.dumps({**line, "sku": sku + "x", "family": None}) + "\n")
    done = shop.node.ctl("--json", "catalogue", "import", path)
    told = json.loads(done.stdout)
    equal((done.returncode, told["imported"], told["failed"]), (1, 1, 1), "options of no family are refused")
    equal((shown(shop, sku)["family"], shown(shop, sku)["options"]), (family, {"size": "42"}))
    equal(ids(shop, family=family, **{"option.size": "42"}), [sku])


@suite.case
def families_and_options_narrow_a_search_and_are_found_by_their_words(shop):
    word, family = fresh("qvy").replace("-", ""), fresh("Fam")
    red, blue, plain = fresh("r"), fresh("u"), fresh("z")
    made(shop, red, "Jug " + word, family, {"Glaze": "Oxblood", "litres": "3"}, stock=1)
    made(shop, blue, "Jug " + word, family, {"Glaze": "Cobalt", "litres": "3"})
    made(shop, plain, "Jug " + word, attributes={"glaze": "oxblood", "kilos": "3"})
    within_a_second("found", lambda: len(ids(shop, q=word)) == 3)
    for query, want in (({"family": family}, {red, blue}), ({"family": family.lower()}, set()),
                        ({"option.glaze": "OXBLOOD"}, {red}), ({"attr.glaze": "oxblood"}, {red, plain}),
                        ({"option.glaze": "oxblood", "option.litres": "4"}, set()), ({"family": family, "in_stock": "true"}, {red})):
        equal(set(ids(shop, q=word, **query)), want, query)
    equal(ids(shop, q=word + " cobalt")[0], blue)
    facets = page(shop, q=word)["facets"]["attributes"]
    equal({name: {each["value"].lower(): each["count"] for each in values} for name, values in facets.items()},
          {"glaze": {"oxblood": 2, "cobalt": 1}, "litres": {"3": 2}})


@suite.case
def collapsed_the_best_of_each_family_is_shown_in_every_order(shop):
    word = fresh("wvz").replace("-", "")
    first, second, single = [fresh("a") for _ in range(3)], [fresh("b") for _ in range(2)], [fresh("c") for _ in range(2)]
    for family, products in ((fresh("x"), first), (fresh("y"), second), (None, single)):
        for i, product in enumerate(products):
            made(shop, product, f"Bowl {word}" + " z" * i, family, {"number": str(i)} if family else None,
                 price=100 * (5 - i) + len(products), brand=f"Brand{i}")
    want = {"id": {min(first), min(second)}, "price": {first[2], second[1]}, "-price": {first[0], second[0]},
            "name": {first[0], second[0]}, "newest": None, "rating": None, "sales": None, "relevance": None}
    poll("found", lambda: len(ids(shop, q=word)) == 7)
    for sort, best in want.items():
        got = page(shop, q=word, sort=sort, collapse="family")
        listed = [item["id"] for item in got["items"]]
        equal((got["total"], len(listed)), (4, 4), sort)
        check(set(single) < set(listed), sort, listed)
        whole = ids(shop, q=word, sort=sort)
        stands = [next(each for each in whole if each in family) for family in (first, second)]
        equal([each for each in whole if each in stands or each in single], listed, sort)
        check(best is None or set(stands) == best, sort, stands)
        paged = [item["id"] for item in shop.web.all_of(f"/api/products?q={word}&sort={sort}&collapse=family", limit=1)]
        equal(paged, listed, sort)
        for each in got["facets"]["brand"]:
            narrowed = page(shop, q=word, sort=sort, collapse="family", brand=each["value"])
            equal((narrowed["total"], len(narrowed["items"])), (each["count"], each["count"]), (sort, each))
    equal([(each["value"], each["count"]) for each in page(shop, q=word, collapse="family")["facets"]["brand"]],
          [("Brand0", 3), ("Brand1", 3), ("Brand2", 1)])
    everything = page(shop, collapse="family")
    check(everything["total"] < page(shop)["total"], "the plain list too")


@suite.case
def variants_are_the_same_after_a_rebuild_and_a_kill(shop):
    family, one, two = fresh("fam"), fresh("a"), fresh("b")
    made(shop, one, "One", family, {"size": "1"}, stock=1)
    made(shop, two, "Two", family, {"size": "2"}, stock=2)
    poll("both are there", lambda: at_every_node(lambda: shown(shop, one)["variants"][0]["stock"]["available"] == 2))
    before = shown(shop, one).json
    equal(shop.node.ctl("projection", "rebuild", "search").returncode, 0)
    poll("rebuilt", lambda: shown(shop, one).json == before)
    shop.node.kill()
    shop.node.start()
    shop.web, shop.admin = shop.node.client(), shop.node.staff("admin")
    poll("killed", lambda: shown(shop, one).json == before)
    equal(ids(shop, family=family), [one, two])


with serving() as running:
    suite.run(Shop(running.start()))
suite.end()
