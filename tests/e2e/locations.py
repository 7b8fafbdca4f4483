#!/usr/bin/env python3
"""Stores and warehouses: who sees which, what is refused, that a list follows what was told, and the import of a file; with
1,565 real stores too, where they are there."""

import gzip
import json
import os
import tempfile

from harness import Shop, Suite, check, equal, serving
from harness.node import ROOT
from harness.shop import fresh

suite = Suite()
FOLDER = tempfile.mkdtemp(prefix="omnicart-e2e.")
STORES = 300
LEEDS = {"name": "Leeds", "type": "Store", "latitude": 53.79648, "longitude": -1.54785, "hours": "Mon-Sat: 9-18\nSun: 11-16",
         "address": {"line1": "1 High Street", "city": "Leeds", "postal_code": "LS1 1AA", "country": "GB"},
         "services": ["Click and collect", "Repairs"]}
STORE = {"id": 4711, "type": "BigBox", "name": "Mall of Nowhere", "address": "340 W Market", "address2": "", "city": "Bloomington",
         "state": "MN", "zip": "55425", "location": {"lat": 44.854661234, "lon": -93.2456595}, "hours": "Mon: 10-9",
         "services": ["Windows Store", "Camera Experience Shop "]}


def made(shop, **more):
    name = fresh("loc")
    shop.admin.put("/api/locations/" + name, {**LEEDS, **more}).expect(201)
    return name


def listed(web, query=""):
    return [each["id"] for each in web.all_of("/api/locations" + query)]


@suite.case
def a_location_is_put_read_changed_closed_and_opened(shop):
    path = "/api/locations/" + fresh("Leeds_1.a")
    shop.web.get(path).expect(404, "no_such_location")
    first = shop.admin.put(path, LEEDS).expect(201)
    equal(first.headers["location"], path)
    equal((first["active"], first["version"], first.etag), (True, 1, '"1"'))
    shown = shop.web.get(path).expect(200)
    equal({name: shown[name] for name in LEEDS}, LEEDS)
    equal(shown.json, first.json)
    again = shop.admin.put(path, LEEDS).expect(200)
    equal(again.json, first.json, "the same again changed something")
    changed = shop.admin.put(path, {"name": "Leeds Central"}).expect(200).json
    equal((changed["version"], "address" in changed, changed["created_at"]), (2, False, first["created_at"]))
    shop.admin.delete(path).expect(204)
    shop.admin.delete(path).expect(204)
    shop.web.get(path).expect(404, "no_such_location")
    equal((shop.admin.get(path).expect(200)["active"], shop.admin.get(path)["version"]), (False, 3))
    opened = shop.admin.put(path, {"name": "Leeds Central"}).expect(200)
    equal((opened["active"], opened["version"]), (True, 4))
    shop.web.get(path).expect(200)


@suite.case
def tags_and_keys_guard_a_change(shop):
    path = "/api/locations/" + fresh("loc")
    shop.admin.put(path, LEEDS, headers={"If-Match": "*"}).expect(412, "precondition_failed")
    key = fresh("key")
    shop.admin.put(path, LEEDS, key=key).expect(201)
    repeated = shop.admin.put(path, LEEDS, key=key).expect(200)
    check(repeated.replayed, "not said to be a repeat", repeated)
    shop.admin.put(path, {"name": "Other"}, key=key).expect(422, "id_reused")
    shop.admin.put(path, {"name": "Other"}, headers={"If-Match": '"7"'}).expect(412, "precondition_failed")
    shop.admin.put(path, {"name": "Other"}, headers={"If-Match": '"1"'}).expect(200)
    shop.admin.delete(path, headers={"If-Match": '"1"'}).expect(412, "precondition_failed")
    equal(shop.web.get(path, headers={"If-None-Match": '"2"'}).expect(304).body, b"")
    shop.web.get(path, headers={"If-None-Match": '"1"'}).expect(200)
    shop.admin.delete(path, headers={"If-Match": '"2"'}).expect(204)


@suite.case
def everybody_sees_open_ones_and_staff_closed_ones_too(shop):
    open_one, closed_one = made(shop), made(shop)
    shop.admin.delete("/api/locations/" + closed_one).expect(204)
    guest, support = shop.guest().web, shop.node.staff("support")
    for web in (shop.web, guest, support, shop.admin):
        ids = listed(web)
        check(open_one in ids and closed_one not in ids, "the wrong ones are listed", ids)
        equal(ids, sorted(ids), "not by id")
        equal(listed(web, "?active=true"), ids)
    for web, status in ((shop.web, 403), (guest, 403)):
        web.get("/api/locations?active=false").expect(status, "forbidden")
        web.get("/api/locations/" + closed_one).expect(404, "no_such_location")
    for web in (support, shop.admin):
        check({open_one, closed_one} <= set(listed(web, "?active=false")), "staff do not see all")
        equal(web.get("/api/locations/" + closed_one).expect(200)["active"], False)
    path = "/api/locations/" + open_one
    for web, status in ((shop.web, 401), (guest, 403), (support, 403)):
        web.put(path, LEEDS).expect(status)
        web.delete(path).expect(status)
    shop.web.get(path).expect(200)


@suite.case
def what_is_wrong_is_refused_by_name(shop):
    path = "/api/locations/" + fresh("loc")
    address = LEEDS["address"]
    for change, pointer in (({"name": ""}, "/name"), ({"name": "x" * 201}, "/name"), ({"type": "x" * 51}, "/type"),
                            ({"latitude": 90.000001}, "/latitude"), ({"longitude": -180.5}, "/longitude"),
                            ({"latitude": 1.0000001}, "/latitude"), ({"latitude": "1"}, "/latitude"),
                            ({"latitude": None}, "/latitude"), ({"hours": "x" * 501}, "/hours"),
                            ({"services": ["x"] * 51}, "/services"), ({"services": ["x" * 101]}, "/services/0"),
                            ({"address": {**address, "country": "gb"}}, "/address/country"),
                            ({"address": {**address, "city": ""}}, "/address/city"),
                            ({"address": {**address, "name": "Ann"}}, "/address/name"),
                            ({"id": "another"}, "/id"), ({"active": False}, "/active")):
        refused = shop.admin.put(path, {**LEEDS, **change}).expect(400, "invalid_body")
        equal(refused["errors"][0]["pointer"], pointer, change)
    shop.admin.put(path, {**LEEDS, "name": "two\nlines"}).expect(422, "invalid_location")
    for name in ("x" * 65, "a%20b", "caf%C3%A9"):
        shop.admin.put("/api/locations/" + name, LEEDS).expect(422, "invalid_location")
        shop.web.get("/api/locations/" + name).expect(404, "no_such_location")
    shop.admin.delete(path).expect(404, "no_such_location")
    for query in ("?limit=0", "?cursor=a%20b", "?active=maybe", "?colour=red"):
        shop.web.get("/api/locations" + query).expect(400, "invalid_query")
    shop.web.get(path).expect(404, "no_such_location")


@suite.case
def a_list_is_read_page_by_page_also_after_a_crash_and_a_rebuild(shop):
    names = [made(shop) for _ in range(5)]
    shop.admin.delete("/api/locations/" + names[2]).expect(204)
    web = shop.web
    before = listed(web)
    check(names[2] not in before and set(names) - {names[2]} <= set(before), "not as it was told", before)
    equal([each["id"] for each in web.all_of("/api/locations", limit=2)], before, "pages lose or repeat some")
    every = listed(shop.admin, "?active=false")
    equal(shop.node.ctl("projection", "rebuild", "records").returncode, 0)
    equal((listed(web), listed(shop.admin, "?active=false")), (before, every), "rebuilt")
    shop.node.kill()
    shop.node.start()
    shop.web, shop.admin = shop.node.client(), shop.node.staff("admin")
    equal((listed(shop.web), listed(shop.admin, "?active=false")), (before, every), "killed")


# --- files -------------------------------------------------------------------------------------------------------


def written(lines, packed):
    """A file of lines, texts as they are and anything else as JSON."""
    path = os.path.join(FOLDER, fresh("stores") + (".jsonl.gz" if packed else ".jsonl"))
    text = "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines).encode()
    with (gzip.open if packed else open)(path, "wb") as file:
        file.write(text)
    return path


def imported(shop, path, *options):
    done = shop.node.ctl("--json", "locations", "import", path, *options, timeout=600)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


@suite.case
def stores_are_imported_from_a_file(shop):
    code, told = imported(shop, written([STORE, {"id": "own-form", **LEEDS}], packed=True))
    equal((code, told["lines"], told["imported"], told["failed"], told["problems"]), (0, 2, 2, 0, []))
    shown = shop.web.get("/api/locations/4711").expect(200).json
    equal(shown["address"], {"line1": "340 W Market", "city": "Bloomington", "region": "MN", "postal_code": "55425", "country": "US"})
    equal((shown["latitude"], shown["longitude"]), (44.854661, -93.24566))
    equal((shown["type"], shown["services"][1]), ("BigBox", "Camera Experience Shop"))
    own = shop.web.get("/api/locations/own-form").expect(200).json
    equal({name: own[name] for name in LEEDS if name != "hours"}, {name: LEEDS[name] for name in LEEDS if name != "hours"})
    equal(own["hours"], LEEDS["hours"].replace("\n", " "))
    # Again, plain, and from the second line on: nothing changes.
    code, told = imported(shop, written([{"id": "left-out"}, STORE], packed=False), "--from-line", "2")
    equal((code, told["lines"], told["imported"]), (0, 1, 1))
    equal(shop.web.get("/api/locations/4711")["version"], 1)
    shop.admin.delete("/api/locations/4711").expect(204)
    told = shop.node.ctl("locations", "list").stdout
    check("4711  closed  Mall of Nowhere, Bloomington, MN, US (BigBox)" in told, told)
    check("own-form  open  Leeds, Leeds, GB (Store)" in told, told)
    items = json.loads(shop.node.ctl("--json", "locations", "list").stdout)["items"]
    equal([each["id"] for each in items], listed(shop.admin, "?active=false"))


@suite.case
def lines_that_cannot_be_taken_are_named(shop):
    bad = ["{broken", {"name": "no id"}, {**STORE, "id": 2, "location": {"lat": 91, "lon": 0}}, {**STORE, "id": 3, "name": ""},
           {**STORE, "id": 4}, {**STORE, "id": "a/b"}]
    code, told = imported(shop, written(bad, packed=False))
    equal((code, told["lines"], told["imported"], told["failed"]), (1, 6, 1, 5))
    equal([each.split(":")[0] for each in told["problems"]], [f"line {n}" for n in (1, 2, 3, 4, 6)])
    check("/latitude" in told["problems"][2] and "/name" in told["problems"][3], told)
    said = shop.node.ctl("locations", "import", written(bad, packed=False))
    check(said.returncode == 1 and "6 lines: 1 imported, 5 failed" in said.stdout, said)
    equal(shop.node.ctl("locations", "import", "/no/such/file").returncode, 74)


@suite.case
def real_stores_are_imported_and_listed(shop):
    path = os.path.join(ROOT, "..", "shared", "data", "stores.jsonl.gz")
    if not os.path.exists(path):
        return suite.skip("real_stores_are_imported_and_listed", "there is no ../shared/data/stores.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = file.readlines()[:STORES]  # each is a call of its own
    stores = [json.loads(line) for line in lines]
    path = os.path.join(FOLDER, "stores.jsonl.gz")
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(lines)
    code, told = imported(shop, path)
    print("  import:", {name: told[name] for name in ("lines", "imported", "failed", "import_s")})
    equal((code, told["failed"], told["problems"]), (0, 0, []))
    equal(told["imported"], len(stores))
    found = {each["id"]: each for each in shop.web.all_of("/api/locations")}
    for store in stores:
        shown = found[str(store["id"])]
        equal((shown["name"], shown["address"]["city"], shown["address"]["country"]), (store["name"].strip(), store["city"].strip(), "US"))
        check(abs(shown["latitude"] - store["location"]["lat"]) < 1e-6, "elsewhere", shown)
        check(abs(shown["longitude"] - store["location"]["lon"]) < 1e-6, "elsewhere", shown)
    code, _ = imported(shop, path)
    equal(code, 0)
    equal({each["id"]: each["version"] for each in shop.web.all_of("/api/locations")},
          {name: each["version"] for name, each in found.items()}, "a second import changed something")


with serving() as running:
    suite.run(Shop(running.start()))
suite.leave(FOLDER)
suite.end()
