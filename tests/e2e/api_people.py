#!/usr/bin/env python3
"""Sessions, registration, login and profiles, over HTTP against a real node."""

import json
import urllib.parse

from harness import Client, Shop, Suite, check, equal, exchange, poll, serving
from harness.group import NODES
from harness.shop import ADDRESS, fresh, pounds

suite = Suite()
PASSWORD = "correct horse battery"
LINES_MAX = 5_000


def register(shop, guest=None, email=None, **more):
    email = email or fresh("ann") + "@example.com"
    web = guest.web if guest else shop.web
    made = web.post("/api/users/register", {"email": email, "password": PASSWORD, "name": "Ann"}, **more).expect(201)
    return email, made.json


def login(shop, email, password=PASSWORD, guest=None, **more):
    web = guest.web if guest else shop.web
    return web.post("/api/users/login", {"email": email, "password": password}, **more)


def signed_in(shop, email, guest=None):
    given = login(shop, email, guest=guest).expect(200).json
    return Client(shop.node.http, given["token"]), given


@suite.case
def a_guest_session_has_tokens_a_cart_and_an_expiry(shop):
    opened = shop.web.post("/api/sessions").expect(201)
    equal(set(opened.json), {"session_id", "token", "refresh_token", "expires_at", "cart_id"})
    check(opened["expires_at"].endswith("Z"), opened["expires_at"])
    check(opened.headers["location"].endswith(opened["session_id"]))


@suite.case
def a_key_that_opened_a_session_is_spent_when_that_has_ended(shop):
    email, _ = register(shop)
    for guest in (None, shop.guest()):
        key = fresh("login")
        token = login(shop, email, guest=guest, key=key).expect(200)["token"]
        check(login(shop, email, guest=guest, key=key).expect(200).replayed)
        Client(shop.node.http, token).post("/api/users/logout").expect(204)
        login(shop, email, guest=guest, key=key).expect(409, "key_spent")


@suite.case
def a_cart_as_large_as_allowed_is_shown_everywhere_and_taken_over_whole(shop):
    long = fresh("p").ljust(64, "x")
    shop.product(product_id=long, name="N" * 500)
    (email, _), guest = register(shop), shop.guest()
    guest.add(long).expect(201)
    for first in range(0, LINES_MAX - 500, 500):
        add_at_prices(shop, guest, long, range(first, first + 500))
    add_at_prices(shop, guest, long, range(LINES_MAX - 500, LINES_MAX - 1))
    for _ in range(NODES):
        equal(len(guest.cart()["items"]), LINES_MAX)
    web, given = signed_in(shop, email, guest)
    check("not_carried_over" not in given, given.get("not_carried_over"))
    poll("it has arrived", lambda: web.get("/api/cart").expect(200)["items"])
    for _ in range(NODES):
        equal(len(web.get("/api/cart").expect(200)["items"]), LINES_MAX)


def add_at_prices(shop, guest, product, prices):
    lines = [{"product_id": product, "quantity": 1, "unit_price": pounds(2_000_000 + price)} for price in prices]
    shop.admin.post(f"/api/carts/{guest.cart_id}/items", lines, key=fresh("many")).expect(201)


@suite.case
def every_path_works_without_api_and_with_a_slash_at_its_end(shop):
    token = shop.web.post("/sessions").expect(201)["token"]
    for path in ("/api/cart", "/cart", "/api/cart/", "/cart/"):
        Client(shop.node.http, token).get(path).expect(200)
    shop.web.post("/api/sessions/").expect(201)
    for path in ("/products", "/api/products/", "/health", "/api/health", "/health/live", "/health/ready/"):
        shop.web.get(path).expect(200)


@suite.case
def a_token_that_is_no_token_is_refused_with_401(shop):
    for token in ("nonsense", "a.b.c", shop.guest().web.token[:-3] + "AAA"):
        Client(shop.node.http, token).get("/api/cart").expect(401, "unauthorized")
    shop.web.get("/api/cart").expect(401, "unauthorized")


@suite.case
def a_token_with_another_algorithm_is_refused(shop):
    import base64
    head, body, sign = shop.guest().web.token.split(".")
    for algorithm in ("none", "HS384", "ES256"):
        forged = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).rstrip(b"=").decode()
        Client(shop.node.http, f"{forged}.{body}.{sign}").get("/api/cart").expect(401)
        Client(shop.node.http, f"{forged}.{body}.").get("/api/cart").expect(401)


@suite.case
def a_session_opened_twice_with_one_key_is_the_same_session(shop):
    key = fresh("session-key-of-some-length")
    first = shop.web.post("/api/sessions", key=key).expect(201)
    again = shop.web.post("/api/sessions", key=key).expect(201)
    equal(again["session_id"], first["session_id"])
    check(again.replayed)


@suite.case
def sessions_are_listed_for_their_owner_and_revoked_at_once(shop):
    email, _ = register(shop)
    one, given = signed_in(shop, email)
    other, other_given = signed_in(shop, email)
    wanted = {given["session_id"], other_given["session_id"]}
    equal({s["session_id"] for s in one.get("/api/sessions").expect(200)["items"]}, wanted)
    one.delete("/api/sessions/" + other_given["session_id"]).expect(204)
    other.get("/api/cart").expect(401)
    one.get("/api/cart").expect(200)
    shop.guest().web.delete("/api/sessions/" + given["session_id"]).expect(404)


@suite.case
def registering_answers_the_user_and_takes_the_guest_cart_along(shop):
    guest = shop.guest()
    guest.add(shop.product(), 3).expect(201)
    email, user = register(shop, guest)
    equal(user["email"], email)
    equal(user["role"], "shopper")
    check("password" not in json.dumps(user).lower().replace("password change", ""))
    equal(guest.web.get("/api/users/profile").expect(200)["user_id"], user["user_id"])
    web, _ = signed_in(shop, email)
    equal(web.get("/api/cart").expect(200)["item_count"], 3)


@suite.case
def an_email_is_taken_once_whatever_its_case(shop):
    email, _ = register(shop)
    again = {"email": email.upper(), "password": PASSWORD}
    shop.web.post("/api/users/register", again).expect(409, "email_taken")


@suite.case
def a_registration_repeated_with_its_key_is_the_same_user(shop):
    guest, key = shop.guest(), fresh("register")
    email, user = register(shop, guest, key=key)
    again = guest.web.post("/api/users/register", {"email": email, "password": PASSWORD, "name": "Ann"}, key=key)
    equal(again.expect(201)["user_id"], user["user_id"])
    check(again.replayed)


@suite.case
def login_answers_tokens_and_the_user(shop):
    email, user = register(shop)
    given = login(shop, email).expect(200).json
    check({"token", "refresh_token", "expires_at", "user"} <= set(given), given)
    equal(given["user"]["user_id"], user["user_id"])


@suite.case
def a_wrong_password_and_an_unknown_email_are_answered_alike(shop):
    email, _ = register(shop)
    wrong = login(shop, email, "not the password").expect(401)
    unknown = login(shop, fresh("nobody") + "@example.com").expect(401)
    strip = lambda a: {k: v for k, v in a.json.items() if k != "request_id"}
    equal(strip(wrong), strip(unknown))


@suite.case
def login_merges_the_guest_cart_into_the_users_and_once_when_repeated(shop):
    product, other = shop.product(), shop.product()
    email, _ = register(shop)
    web, _ = signed_in(shop, email)
    web.post("/api/cart/items", {"product_id": product, "quantity": 2}).expect(201)
    guest, key = shop.guest(), fresh("login")
    guest.add(product, 5).expect(201)
    guest.add(other, 1).expect(201)
    first = login(shop, email, guest=guest, key=key).expect(200).json
    again = login(shop, email, guest=guest, key=key).expect(200).json
    equal(again["session_id"], first["session_id"])
    cart = Client(shop.node.http, first["token"]).get("/api/cart").expect(200).json
    equal({i["product_id"]: i["quantity"] for i in cart["items"]}, {product: 7, other: 1})
    guest.web.get("/api/cart").expect(401)


@suite.case
def an_order_placed_as_a_guest_belongs_to_the_user_after_login(shop):
    email, _ = register(shop)
    guest, order = shop.buy()
    web, _ = signed_in(shop, email, guest)
    again, _ = signed_in(shop, email)
    for session in (web, again):  # the one that absorbed the guest, and later ones
        path = "/api/orders/" + order["order_id"]
        poll("the order is the user's", lambda s=session, p=path: s.get(p).status == 200)
        session.get(path + "/history").expect(200)
        check(order["order_id"] in [o["order_id"] for o in session.get("/api/orders").expect(200)["items"]])


@suite.case
def logout_ends_the_session_and_its_refresh_token(shop):
    email, _ = register(shop)
    web, given = signed_in(shop, email)
    web.post("/api/users/logout").expect(204)
    web.get("/api/cart").expect(401)
    shop.web.post("/api/users/refresh", {"refresh_token": given["refresh_token"]}).expect(401)


def refresh(shop, token):
    return shop.web.post("/api/users/refresh", {"refresh_token": token})


@suite.case
def refreshing_rotates_and_a_lost_answer_may_be_asked_for_again(shop):
    guest = shop.guest()
    one = refresh(shop, guest.refresh_token).expect(200)
    check(one["refresh_token"] != guest.refresh_token)
    again = refresh(shop, guest.refresh_token).expect(200)
    equal(again["refresh_token"], one["refresh_token"], "the same successor")
    Client(shop.node.http, again["token"]).get("/api/cart").expect(200)


@suite.case
def a_spent_refresh_token_whose_successor_was_used_ends_the_whole_family(shop):
    guest = shop.guest()
    one = refresh(shop, guest.refresh_token).expect(200)
    two = refresh(shop, one["refresh_token"]).expect(200)
    refresh(shop, guest.refresh_token).expect(401)
    refresh(shop, two["refresh_token"]).expect(401)
    Client(shop.node.http, two["token"]).get("/api/cart").expect(401)


@suite.case
def a_profile_is_read_changed_and_tagged(shop):
    email, _ = register(shop)
    web, _ = signed_in(shop, email)
    shown = web.get("/api/users/profile").expect(200)
    web.get("/api/users/profile", headers={"If-None-Match": shown.etag}).expect(304)
    wanted = {"name": "Ann B", "phone": "+44 1", "addresses": [ADDRESS], "notifications": {"offers": False}}
    changed = web.put("/api/users/profile", wanted, headers={"If-Match": shown.etag}).expect(200).json
    equal({k: changed[k] for k in wanted}, wanted)
    web.put("/api/users/profile", {"name": "C"}, headers={"If-Match": shown.etag}).expect(412)
    shop.guest().web.get("/api/users/profile").expect(403)


@suite.case
def a_password_changes_only_with_the_old_one_and_ends_other_sessions(shop):
    email, _ = register(shop)
    web, _ = signed_in(shop, email)
    other, _ = signed_in(shop, email)
    new = "another fine password"
    wrong = {"current_password": "not it at all", "new_password": new}
    web.put("/api/users/profile", wrong).expect(403, "bad_credentials")
    web.put("/api/users/profile", {"new_password": new}).expect(400, "invalid_body")
    web.put("/api/users/profile", {"current_password": PASSWORD, "new_password": new}).expect(200)
    other.get("/api/cart").expect(401)
    login(shop, email).expect(401)
    login(shop, email, new).expect(200)


@suite.case
def an_admin_finds_a_user_and_disabling_ends_every_session(shop):
    email, user = register(shop)
    web, _ = signed_in(shop, email)
    found = shop.admin.get("/api/users?email=" + email.replace("@", "%40")).expect(200)["items"]
    equal([u["user_id"] for u in found], [user["user_id"]])
    shop.admin.put(f"/api/users/{user['user_id']}/status", {"status": "disabled"}).expect(200)
    web.get("/api/cart").expect(401)
    login(shop, email).expect(403)
    shop.admin.put(f"/api/users/{user['user_id']}/status", {"status": "active"}).expect(200)
    login(shop, email).expect(200)
    shop.guest().web.get("/api/users?email=x%40example.com").expect(403)


def found(shop, query):
    """Every account that the search finds, page by page: their ids, each of which is there once."""
    ids = [u["user_id"] for u in shop.admin.all_of("/api/users?" + query)]
    equal(len(ids), len(set(ids)), query)
    return set(ids)


def named(shop, name, email=None):
    """A user of this name: their id."""
    body = {"email": email or fresh("who") + "@example.com", "password": PASSWORD, "name": name}
    return shop.web.post("/api/users/register", body).expect(201)["user_id"]


@suite.case
def an_admin_finds_accounts_by_a_part_of_their_address_or_name(shop):
    word = fresh("zoe").replace("-", "x")
    by_address = register(shop, email=f"The.{word.capitalize()}@Example.com")[1]["user_id"]
    by_name = named(shop, f"M\u00e9l {word.upper()} Smith")
    equal(found(shop, f"q={word[1:]}"), {by_name, by_address})
    equal(found(shop, f"q={word.upper()}"), {by_name, by_address})
    equal(found(shop, f"q=the.{word}%40exam"), {by_address})
    equal(found(shop, f"q={urllib.parse.quote('mel ' + word)}"), {by_name}, "without the accent")
    equal(found(shop, f"q={word}%20%20smith"), set())
    shown = shop.admin.get(f"/api/users?q={word}&limit=1").expect(200)
    equal([u["name"] for u in shown["items"]], [f"M\u00e9l {word.upper()} Smith"])
    for nobody in (shop.web, shop.guest().web, shop.node.staff("support")):
        check(nobody.get(f"/api/users?q={word}").status in (401, 403))


@suite.case
def accounts_are_found_by_role_status_and_time(shop):
    word = fresh("role").replace("-", "x")
    ann = named(shop, word)
    staff = {}
    for role in ("support", "admin"):
        body = {"email": f"{word}-{role}@example.com", "password": PASSWORD, "name": word, "role": role}
        staff[role] = shop.node.operate().post("/users", body).expect(201)["user_id"]
    equal(found(shop, f"q={word}"), {ann, *staff.values()})
    equal(found(shop, f"q={word}&role=shopper"), {ann})
    equal(found(shop, f"q={word}&role=admin"), {staff["admin"]})
    check(staff["support"] in found(shop, "role=support"))
    check(staff["support"] not in found(shop, "role=admin"))
    shop.admin.put(f"/api/users/{ann}/status", {"status": "disabled"}).expect(200)
    equal(found(shop, f"q={word}&status=disabled"), {ann})
    equal(found(shop, f"q={word}&status=active"), set(staff.values()))
    check(all(u["status"] == "disabled" for u in shop.admin.all_of("/api/users?status=disabled")))
    shop.admin.put(f"/api/users/{ann}/status", {"status": "active"}).expect(200)
    equal(found(shop, f"q={word}&status=disabled"), set())
    made = shop.admin.get(f"/api/users?q={word}&role=shopper").expect(200)["items"][0]["created_at"]
    equal(found(shop, f"q={word}&role=shopper&created_from={made}"), {ann})
    equal(found(shop, f"q={word}&role=shopper&created_to={made}"), set())


@suite.case
def a_walk_over_all_accounts_has_each_once_while_others_register(shop):
    before = [named(shop, "Walker") for _ in range(12)]
    seen, cursor = [], ""
    while cursor is not None:
        page = shop.admin.get(f"/api/users?limit=5{cursor and '&cursor=' + cursor}").expect(200).json
        seen += page["items"]
        cursor = page["next_cursor"]
        if len(seen) <= 40:
            named(shop, "Newcomer")
    ids, times = [u["user_id"] for u in seen], [u["created_at"] for u in seen]
    equal(len(ids), len(set(ids)), "nobody twice")
    check(set(before) <= set(ids), "somebody is missing", before, ids)
    equal(times, sorted(times, reverse=True), "newest first")
    # Whoever registered, on whichever node, is there for the next who asks.
    for _ in range(3):
        latest = named(shop, "Newcomer")
        newest = shop.admin.get("/api/users?limit=5").expect(200)["items"]
        check(latest in [u["user_id"] for u in newest], "not there yet", latest, newest)


@suite.case
def who_was_erased_is_found_no_more(shop):
    word = fresh("gone").replace("-", "x")
    email, user = register(shop, email=word + "@example.com")
    stays = named(shop, word)
    equal(found(shop, f"q={word}"), {stays, user["user_id"]})
    web, _ = signed_in(shop, email)
    web.call("DELETE", "/api/users/profile", {"current_password": PASSWORD}).expect(204)
    equal(found(shop, f"q={word}"), {stays})
    check(user["user_id"] not in found(shop, "status=active"))
    # The address is free, and its new owner somebody else.
    again = register(shop, email=email)[1]["user_id"]
    equal(found(shop, f"q={word}"), {again, stays})


@suite.case
def accounts_are_found_after_the_list_was_made_anew(shop):
    word = fresh("anew").replace("-", "x")
    email, busy = register(shop, email=word + "@example.com")
    web, _ = signed_in(shop, email)
    for number in range(70):  # so many that only its snapshot knows when it was made
        web.put("/api/users/profile", {"phone": str(number)}).expect(200)
    quiet = named(shop, word)
    shop.admin.put(f"/api/users/{quiet}/status", {"status": "disabled"}).expect(200)
    gone, _ = register(shop, email=word + "-gone@example.com")
    signed_in(shop, gone)[0].call("DELETE", "/api/users/profile", {"current_password": PASSWORD}).expect(204)
    before = shop.admin.all_of("/api/users?q=" + word)
    equal({u["user_id"] for u in before}, {busy["user_id"], quiet})
    equal(shop.node.ctl("projection", "rebuild", "users").returncode, 0)
    equal(shop.admin.all_of("/api/users?q=" + word), before)
    equal(found(shop, f"q={word}&status=disabled"), {quiet})


@suite.case
def wrong_passwords_are_slowed_per_account(shop):
    email, _ = register(shop)

    def slowed():
        return login(shop, email, "wrong password").status == 429
    poll("429 after a few wrong passwords", slowed)
    refused = login(shop, email).expect(429, "sign_in_slowed")
    check(int(refused.headers["retry-after"]) >= 1)


@suite.case
def a_cookie_session_needs_its_own_origin_for_changes(shop):
    web = Client(str(shop.node.http))  # a browser stays at its origin
    opened = web.post("/api/sessions", {"cookie": True}).expect(201)
    cookie = opened.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite"):
        check(part.lower() in cookie.lower(), cookie)
    pair = cookie.split(";")[0]
    own = {"Cookie": pair, "Origin": "http://" + web.address}
    web.get("/api/cart", headers={"Cookie": pair}).expect(200)
    web.delete("/api/cart", headers=own).expect(200)
    web.delete("/api/cart", headers={"Cookie": pair}).expect(403, "bad_origin")
    web.delete("/api/cart", headers={**own, "Origin": "https://evil.example"}).expect(403, "bad_origin")


@suite.case
def every_answer_has_a_request_id_security_headers_and_problems_their_members(shop):
    named = shop.web.get("/api/products", headers={"X-Request-Id": "my-request.1"}).expect(200)
    equal(named.headers["x-request-id"], "my-request.1")
    check(named.headers.get("x-content-type-options") == "nosniff", named.headers)
    problem = shop.web.get("/api/nothing-here").expect(404)
    check({"type", "title", "status", "code", "request_id", "retryable"} <= set(problem.json), problem)
    equal(problem["request_id"], problem.headers["x-request-id"])
    raw = exchange(shop.node.http, b"HEAD /api/products HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    equal(raw.status, 200)


with serving() as node:
    suite.run(Shop(node.start()))
suite.end()
