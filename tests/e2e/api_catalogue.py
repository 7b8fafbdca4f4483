#!/usr/bin/env python3
"""Products, their list, their import, and stock, over HTTP against a real node."""

import concurrent.futures
import json
import urllib.parse

from harness import Client, Shop, Suite, check, equal, poll, serving
from harness.shop import fresh, pounds

suite = Suite()


def body(name="Kettle", price=1999, **more):
    return {"name": name, "price": pounds(price), **more}


@suite.case
def a_product_is_created_read_replaced_and_retired(shop):
    made = shop.admin.post("/api/products", body(description="Boils", brand="Acme", category="home > kitchen",
                                                 gtin=["5000000000017"], attributes={"colour": "red", "litres": 1},
                                                 images=["/k.jpg"], weight_g=900)).expect(201)
    path = made.headers["location"]
    shown = shop.web.get(path).expect(200)
    equal(shown["id"], made["id"])
    equal(shown["price"], pounds(1999))
    equal(shown["attributes"], {"colour": "red", "litres": "1"})
    equal(shown["stock"], {"available": 0, "state": "out_of_stock"})
    equal(shop.admin.put(path, body(price=1799)).expect(200)["price"], pounds(1799))
    check("description" not in shop.web.get(path).expect(200).json, "PUT replaces the whole")
    shop.admin.delete(path).expect(204)
    shop.web.get(path).expect(404)
    shop.admin.get(f"/api/inventory/{made['id']}").expect(200)


@suite.case
def a_chosen_id_is_kept_exactly_and_is_taken_once(shop):
    for chosen in (fresh("Sku"), fresh("a b+c%&?=~"), fresh("UPPER")):
        made = shop.admin.post("/api/products", body(id=chosen)).expect(201)
        equal(made["id"], chosen)
        equal(shop.web.get("/api/products/" + urllib.parse.quote(chosen, safe="")).expect(200)["id"], chosen)
        shop.admin.post("/api/products", body("Other", id=chosen)).expect(409)
        shop.web.get("/api/products/" + urllib.parse.quote(chosen.swapcase(), safe="")).expect(404)


@suite.case
def words_that_are_path_segments_are_no_product_ids(shop):
    for word in ("import", "suggest", "reserve", "reservations", "items", "coupons", "lines", ".", "..", "a/b", " a",
                 "a ", "x" * 65, "", "é"):
        shop.admin.post("/api/products", body(id=word)).expect(400, "invalid_body")


@suite.case
def a_decimal_price_is_converted_exactly_and_refused_with_too_many_decimals(shop):
    for text, minor in (("12.99", 1299), ("0.1", 10), ("5", 500), ("\"7.05\"", 705)):
        sent = f'{{"name": "Cup", "price": {text}}}'.encode()
        equal(shop.admin.post("/api/products", sent).expect(201)["price"], pounds(minor))
    for text in ("12.999", "1e2", "-1", "\"abc\"", "1.", "{}"):
        shop.admin.post("/api/products", f'{{"name": "Cup", "price": {text}}}'.encode()).expect(400)


@suite.case
def a_product_is_conditional_on_its_tag(shop):
    path = shop.admin.post("/api/products", body()).expect(201).headers["location"]
    shown = shop.web.get(path).expect(200)
    shop.web.get(path, headers={"If-None-Match": shown.etag}).expect(304)
    version = f'"{shown["version"]}"'
    shop.admin.put(path, body(price=5), headers={"If-Match": version}).expect(200)
    shop.admin.put(path, body(price=6), headers={"If-Match": version}).expect(412)
    shop.web.get(path, headers={"If-None-Match": shown.etag}).expect(200)


@suite.case
def the_tag_that_a_read_shows_makes_a_change_conditional(shop):
    path = shop.admin.post("/api/products", body()).expect(201).headers["location"]
    tag = shop.web.get(path).expect(200).etag
    shop.admin.put(path, body(price=5), headers={"If-Match": tag}).expect(200)


@suite.case
def only_admins_change_the_catalogue(shop):
    support, guest = shop.node.staff("support"), shop.guest().web
    product = shop.product()
    for web, status in ((support, 403), (guest, 403), (shop.web, 401)):
        web.post("/api/products", body()).expect(status)
        web.put("/api/products/" + product, body()).expect(status)
        web.delete("/api/products/" + product).expect(status)
        web.post("/api/products/import", b"", headers={"Content-Type": "application/x-ndjson"}).expect(status)
        web.put("/api/inventory/" + product, {"on_hand": 1, "reason": "x"}).expect(status)


def import_lines(shop, lines, query=""):
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()
    done = shop.admin.post("/api/products/import" + query, text, headers={"Content-Type": "application/x-ndjson"})
    return [json.loads(line) for line in done.expect(200).body.splitlines()]


@suite.case
def an_import_answers_line_by_line_and_goes_on_from_a_line(shop):
    ids = [fresh("imp") for _ in range(4)]
    lines = [body("One", id=ids[0], on_hand=7, rating=4.5), "{broken", body("Two", id=ids[1]), {"id": "import"}, "",
             body("Three", id=ids[2])]
    said = import_lines(shop, lines)
    equal([(s["line"], s["status"]) for s in said[:-1]], [(1, "ok"), (2, "error"), (3, "ok"), (4, "error"), (6, "ok")])
    equal(said[-1], {"lines": 6, "imported": 3, "failed": 2, "next_line": 7})
    shown = shop.web.get("/api/products/" + ids[0]).expect(200)
    equal((shown["stock"]["available"], shown["rating"]), (7, 4.5))
    said = import_lines(shop, lines + [body("Four", id=ids[3])], "?from_line=7")
    equal([s["line"] for s in said[:-1]], [7])
    shop.web.get("/api/products/" + ids[3]).expect(200)


@suite.case
def an_import_repeated_changes_nothing_but_what_differs(shop):
    product = fresh("imp")
    import_lines(shop, [body("One", id=product, on_hand=5)])
    before = shop.web.get("/api/products/" + product)["version"]
    import_lines(shop, [body("One", id=product, on_hand=5)])
    equal(shop.web.get("/api/products/" + product)["version"], before)
    equal(shop.figures(product)["on_hand"], 5)


@suite.case
def an_import_may_be_longer_than_a_body_is_allowed_to_be(shop):
    brand = fresh("Bulk")
    lines = [body(f"Bulk {i}", id=f"{brand}-{i}", brand=brand, description="x" * 2000) for i in range(1000)]
    said = import_lines(shop, lines)
    equal(said[-1]["imported"], 1000)
    equal(shop.web.get("/api/products?brand=" + brand).expect(200)["total"], 1000)


@suite.case
def a_list_is_filtered_sorted_and_counted(shop):
    brand = fresh("Filter")
    rows = [("Red kettle", 3000, "home > kitchen", 4.5, 3), ("Blue kettle", 2000, "home > kitchen > hob", 3.0, 0),
            ("Green lamp", 1000, "home > light", 5.0, 9)]
    import_lines(shop, [body(n, p, id=f"{brand}-{i}", brand=brand, category=c, rating=r, on_hand=s)
                        for i, (n, p, c, r, s) in enumerate(rows)])

    def names(query):
        return [p["name"] for p in shop.web.get(f"/api/products?brand={brand}&{query}").expect(200)["items"]]
    equal(names("q=kettle&sort=name"), ["Blue kettle", "Red kettle"])
    equal(names("category=home%20%3E%20kitchen&sort=name"), ["Blue kettle", "Red kettle"])
    equal(names("min_price=10.01&max_price=20"), ["Blue kettle"])
    equal(names("min_rating=4.5&sort=price"), ["Green lamp", "Red kettle"])
    equal(names("in_stock=false"), ["Blue kettle"])
    equal(names("in_stock=true&sort=-price"), ["Red kettle", "Green lamp"])
    equal(names("sort=rating"), ["Green lamp", "Red kettle", "Blue kettle"])
    page = shop.web.get(f"/api/products?brand={brand}").expect(200).json
    equal(page["facets"]["brand"], [{"value": brand, "count": 3}])
    counted = {f["value"]: f["count"] for f in page["facets"]["category"]}
    equal(counted, {"home": 3, "home > kitchen": 2, "home > kitchen > hob": 1, "home > light": 1})
    for category, count in counted.items():  # as many as the filter finds
        equal(len(names("category=" + category.replace(" ", "%20").replace(">", "%3E"))), count)


@suite.case
def what_is_in_stock_is_counted_as_it_is_listed(shop):
    brand = fresh("Stock")
    import_lines(shop, [body(f"S{i}", id=f"{brand}-{i}", brand=brand, category=f"c{i % 3}", on_hand=i % 2 * 3) for i in range(9)])
    guest = shop.guest().web

    def listed(in_stock):
        """The ids, after a look at whether page by page, total and facets say the same."""
        path = f"/api/products?brand={brand}&in_stock={in_stock}"
        ids = sorted(p["id"] for p in shop.web.all_of(path, limit=2))
        page = shop.web.get(path + "&limit=100").expect(200).json
        equal(sorted(p["id"] for p in page["items"]), ids)
        check(all((p["stock"]["available"] > 0) == (in_stock == "true") for p in page["items"]), page["items"])
        equal((page["total"], page["next_cursor"]), (len(ids), None))
        for facet, member in (("brand", "brand"), ("category", "category")):
            values = [p[member] for p in page["items"]]
            equal({f["value"]: f["count"] for f in page["facets"][facet]}, {v: values.count(v) for v in values})
        return {i for i in range(9) if f"{brand}-{i}" in ids}

    def both():
        there, gone = listed("true"), listed("false")
        equal(there | gone, set(range(9)))
        return there
    equal(both(), {1, 3, 5, 7})
    hold = guest.post("/api/inventory/reserve", {"product_id": f"{brand}-1", "quantity": 3, "ttl_s": 600}).expect(201)
    guest.post("/api/inventory/reserve", {"product_id": f"{brand}-3", "quantity": 2, "ttl_s": 600}).expect(201)
    equal(both(), {3, 5, 7}, "all of it is held")
    guest.delete("/api/inventory/reservations/" + urllib.parse.quote(hold["reservation_id"], safe="")).expect(204)
    equal(both(), {1, 3, 5, 7}, "the hold was released")
    buyer, order = shop.buy(f"{brand}-5", 3)
    equal(both(), {1, 3, 7}, "all of it is sold")
    buyer.web.delete("/api/orders/" + order["order_id"]).expect(200)
    poll("it is back", lambda: shop.figures(f"{brand}-5")["available"] == 3)
    equal(both(), {1, 3, 5, 7})
    short = shop.guest()
    short.add(f"{brand}-7", 3).expect(201)
    short.checkout(card="tok_declined").expect(402)
    poll("it was given back", lambda: shop.figures(f"{brand}-7")["available"] == 3)
    equal(both(), {1, 3, 5, 7})
    shop.stock(f"{brand}-3", 2)
    equal(both(), {1, 5, 7}, "what is left of it is held")
    brief = guest.post("/api/inventory/reserve", {"product_id": f"{brand}-7", "quantity": 3, "ttl_s": 1})
    brief.expect(201)
    poll("the hold expires", lambda: shop.figures(f"{brand}-7")["available"] == 3)
    equal(both(), {1, 5, 7})


@suite.case
def prices_in_other_currencies_are_not_compared(shop):
    brand = fresh("Money")
    prices = {"pounds-5": pounds(500), "pounds-15": pounds(1500), "dollars-10": {"amount": 1000, "currency": "USD"},
              "euros-1": {"amount": 100, "currency": "EUR"}, "yen-1200": {"amount": 1200, "currency": "JPY"}}
    import_lines(shop, [{"id": f"{brand}-{name}", "name": name, "brand": brand, "price": price}
                        for name, price in prices.items()])

    def names(query):
        page = shop.web.get(f"/api/products?brand={brand}&{query}").expect(200)
        equal(page["total"], len(page["items"]))
        return [p["name"] for p in page["items"]]
    equal(names("min_price=1&max_price=12&sort=name"), ["pounds-5"])
    equal(names("min_price=0&sort=name"), ["pounds-15", "pounds-5"])
    equal(names("max_price=100&sort=name"), ["pounds-15", "pounds-5"])
    equal(names("sort=price"), ["pounds-5", "pounds-15", "euros-1", "yen-1200", "dollars-10"])
    equal(names("sort=-price"), ["pounds-15", "pounds-5", "euros-1", "yen-1200", "dollars-10"])
    equal(len(names("")), 5)


@suite.case
def a_cursor_stays_valid_while_products_come_and_go(shop):
    brand = fresh("Cursor")
    import_lines(shop, [body(f"C{i:02}", id=f"{brand}-{i:02}", brand=brand) for i in range(10)])
    first = shop.web.get(f"/api/products?brand={brand}&limit=4").expect(200).json
    seen = [p["id"] for p in first["items"]]
    shop.admin.delete("/api/products/" + seen[-1]).expect(204)
    import_lines(shop, [body("new", id=f"{brand}-00x", brand=brand)])
    rest = shop.web.get(f"/api/products?brand={brand}&limit=100&cursor=" +
                        urllib.parse.quote(first["next_cursor"], safe="")).expect(200).json
    equal([p["id"] for p in rest["items"]], [f"{brand}-{i:02}" for i in range(4, 10)])
    equal(rest["next_cursor"], None)


@suite.case
def staff_see_all_figures_and_others_what_is_available(shop):
    product = shop.product(stock=12)
    equal({k: shop.figures(product)[k] for k in ("on_hand", "reserved", "available")},
          {"on_hand": 12, "reserved": 0, "available": 12})
    seen = shop.web.get("/api/inventory/" + product).expect(200).json
    equal(seen["available"], 12)
    check("on_hand" not in seen and "sold" not in seen, seen)
    shop.web.get("/api/inventory/" + fresh("none")).expect(404)


@suite.case
def stock_is_set_and_adjusted_with_a_reason(shop):
    product = shop.product(stock=10)
    path = "/api/inventory/" + product
    shop.admin.put(path, {"delta": -3, "reason": "broken"}, key="").expect(400, "idempotency_key_required")
    key = fresh("delta")
    for turn in range(2):
        answer = shop.admin.put(path, {"delta": -3, "reason": "broken"}, key=key).expect(200)
        equal((answer["on_hand"], answer.replayed), (7, turn == 1))
    shop.admin.put(path, {"delta": -4, "reason": "broken"}, key=key).expect(422)
    tag = shop.admin.get(path).etag
    shop.admin.put(path, {"delta": 1, "reason": "found"}, headers={"If-Match": tag}).expect(200)
    shop.admin.put(path, {"delta": 1, "reason": "found"}, headers={"If-Match": tag}).expect(412)
    shop.admin.put(path, {"on_hand": 50, "reason": "count"}, headers={"If-Match": tag}).expect(412)
    shop.admin.put(path, {"delta": -100, "reason": "lost"}, key=fresh()).expect(409)
    equal(shop.figures(product)["on_hand"], 8)
    history = shop.admin.get(path + "/history").expect(200)["items"]
    check(len(history) >= 3 and all({"at", "by", "what"} <= set(h) for h in history), history)


@suite.case
def an_unchanged_stock_is_not_told_again(shop):
    path = "/api/inventory/" + shop.product(stock=10)
    for web in (shop.web, shop.admin):
        tag = web.get(path).expect(200).etag
        unchanged = web.get(path, headers={"If-None-Match": tag}).expect(304)
        equal((unchanged.etag, unchanged.body), (tag, b""))
        hold = shop.guest().web.post("/api/inventory/reserve", {"product_id": path.split("/")[-1], "quantity": 1})
        hold.expect(201)
        check(web.get(path, headers={"If-None-Match": tag}).expect(200).etag != tag, "a hold changes what is available")
        web.get(path, headers={"If-None-Match": "*"}).expect(304)


@suite.case
def a_reservation_holds_is_extended_released_and_expires(shop):
    product, guest = shop.product(stock=5), shop.guest()
    hold = guest.web.post("/api/inventory/reserve", {"product_id": product, "quantity": 4, "ttl_s": 60}).expect(201)
    equal(shop.figures(product)["available"], 1)
    other = shop.guest().web
    other.post("/api/inventory/reserve", {"product_id": product, "quantity": 2}).expect(409)
    path = "/api/inventory/reservations/" + urllib.parse.quote(hold["reservation_id"], safe="")
    other.post(path + "/extend", {"ttl_s": 100}).expect(404)
    other.delete(path).expect(404)
    extended = guest.web.post(path + "/extend", {"ttl_s": 600}).expect(200)
    check(extended["expires_at"] > hold["expires_at"])
    guest.web.delete(path).expect(204)
    equal(shop.figures(product)["available"], 5)
    guest.web.post("/api/inventory/reserve", {"product_id": product, "quantity": 5, "ttl_s": 1}).expect(201)
    equal(shop.figures(product)["available"], 0)
    poll("the hold expires", lambda: shop.figures(product)["available"] == 5)


@suite.case
def stock_may_not_go_below_what_is_reserved(shop):
    product = shop.product(stock=5)
    shop.guest().web.post("/api/inventory/reserve", {"product_id": product, "quantity": 4}).expect(201)
    shop.admin.put("/api/inventory/" + product, {"on_hand": 3, "reason": "count"}).expect(409, "below_reserved")


@suite.case
def a_session_holds_at_most_ten_of_whatever_products(shop):
    guest, products = shop.guest().web, [shop.product(stock=100) for _ in range(3)]
    holds = [guest.post("/api/inventory/reserve", {"product_id": products[i % 3], "quantity": 1}).expect(201)
             for i in range(10)]
    for product in products:
        guest.post("/api/inventory/reserve", {"product_id": product, "quantity": 1}).expect(422, "hold_limit")
    guest.delete("/api/inventory/reservations/" + urllib.parse.quote(holds[0]["reservation_id"], safe="")).expect(204)
    guest.post("/api/inventory/reserve", {"product_id": products[1], "quantity": 1}).expect(201)
    guest.post("/api/inventory/reserve", {"product_id": products[1], "quantity": 1}).expect(422, "hold_limit")
    equal(sum(shop.figures(p)["reserved"] for p in products), 10)


@suite.case
def requests_at_once_do_not_pass_the_ten_holds(shop):
    guest, products = shop.guest(), [shop.product(stock=100) for _ in range(4)]

    def ask(i):
        web = Client(shop.node.http, guest.web.token)
        return web.post("/api/inventory/reserve", {"product_id": products[i % 4], "quantity": 1}).status

    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        equal(sorted(pool.map(ask, range(24))), [201] * 10 + [422] * 14)
    equal(sum(shop.figures(p)["reserved"] for p in products), 10)


@suite.case
def holds_that_a_checkout_took_over_make_room(shop):
    guest, product = shop.guest(), shop.product(stock=100)
    for _ in range(10):
        guest.web.post("/api/inventory/reserve", {"product_id": product, "quantity": 1}).expect(201)
    guest.add(product, 10).expect(201)
    guest.checkout().expect(201)
    wanted = {"product_id": product, "quantity": 1}
    # The session learns of each by itself, some seconds after it was made.
    for _ in range(10):
        poll("there is room again", lambda: guest.web.post("/api/inventory/reserve", wanted).status == 201, 15)
    guest.web.post("/api/inventory/reserve", wanted).expect(422, "hold_limit")


with serving() as node:
    suite.run(Shop(node.start()))
suite.end()
