#!/usr/bin/env python3
"""A node dies in the middle of what ends sessions: they end all the same, and soon. Keys that leaked open none."""

import base64
import hmac
import os
import signal

from harness import Client, Gone, Node, Shop, Suite, check, equal, poll
from harness.shop import fresh

suite = Suite()
PASSWORD, NEW = "correct horse battery", "another fine password"
IN_FORCE_S = 75  # of a new key: a minute, and until the node looks
SOON_S = 10  # not the 30 s after which an entity that owes something is woken whatever happens


def signed_in(shop, email):
    given = shop.web.post("/api/users/login", {"email": email, "password": PASSWORD}).expect(200)
    return Client(shop.node.http, given["token"])


def cut_short(node, environment, change):
    """A user with three sessions changes something from the first when the node dies of `environment`; the node is
    started again. Gives the clients."""
    shop = Shop(node.start())
    node.keep_addresses()
    email = fresh("cut") + "@example.com"
    user = shop.web.post("/api/users/register", {"email": email, "password": PASSWORD}).expect(201)["user_id"]
    webs = [signed_in(shop, email) for _ in range(3)]
    staff = shop.admin
    equal(node.stop(), 0)
    node.environment = environment
    node.start()
    for web in (staff, *webs):
        web.close()
    try:
        answer = change(staff, webs[0], user)
        raise AssertionError(f"the node answered {answer!r}")
    except Gone:
        equal(node.wait(), -signal.SIGKILL, "how the node ended")
    node.environment = {}
    node.start()
    return webs


def change_password(_, web, __):
    return web.put("/api/users/profile", {"current_password": PASSWORD, "new_password": NEW}, key="k" * 20)


def disable(staff, _, user):
    return staff.put(f"/api/users/{user}/status", {"status": "disabled"})


def ended(web):
    return web.get("/api/sessions").status == 401


@suite.case
def a_password_change_cut_short_by_a_crash_ends_the_other_sessions_soon():
    with Node() as node:
        own, *others = cut_short(node, {"OMNICART_CRASH_AT": "before_effect:1"}, change_password)
        poll("the others have ended", lambda: all(ended(web) for web in others), SOON_S)
        own.get("/api/sessions").expect(200)


@suite.case
def a_password_change_repeated_after_a_crash_answers_when_the_other_sessions_have_ended():
    with Node() as node:
        own, *others = cut_short(node, {"OMNICART_CRASH_AT": "after_effect:1"}, change_password)
        change_password(None, own, None).expect(200)
        check(all(ended(web) for web in others), "a session outlived the password")
        own.get("/api/sessions").expect(200)


@suite.case
def a_disabled_account_cut_short_by_a_crash_ends_its_sessions_soon():
    with Node() as node:
        webs = cut_short(node, {"OMNICART_CRASH_AT": "before_effect:2"}, disable)
        poll("all have ended", lambda: all(ended(web) for web in webs), SOON_S)


def stolen_refresh_token(node, session, index):
    """What somebody who has copied the data directory makes of it."""
    with open(os.path.join(node.data, "tokens.key"), "rb") as file:
        secret = file.read()[32:]
    mac = base64.urlsafe_b64encode(hmac.digest(secret, f"{session}\n{index}".encode(), "sha256"))
    return f"{session}.{index}.{mac.rstrip(b'=').decode()}"


@suite.case
def leaked_keys_open_no_session_once_they_are_distrusted():
    with Node() as node:
        shop = Shop(node.start())
        email = fresh("leaked") + "@example.com"
        shop.web.post("/api/users/register", {"email": email, "password": PASSWORD}).expect(201)
        who = {"email": email, "password": PASSWORD}
        given = shop.web.post("/api/users/login", who).expect(200)
        session = given["session_id"]
        equal(stolen_refresh_token(node, session, 0), given["refresh_token"], "the thief has the keys")
        done = node.ctl("cluster", "rotate-key", "--distrust-others", "--yes", "--why", "a backup was stolen")
        equal(done.returncode, 0, done.stderr)
        web = Client(node.http, given["token"])
        poll("the access token is refused", lambda: ended(web), IN_FORCE_S)
        thief = Client(node.http)  # the connection of before has stood still for longer than the node keeps one
        for index in range(3):
            token = stolen_refresh_token(node, session, index)
            equal(thief.post("/api/users/refresh", {"refresh_token": token}).expect(401)["code"], "bad_refresh_token")
        again = thief.post("/api/users/login", who).expect(200)
        thief.post("/api/users/refresh", {"refresh_token": again["refresh_token"]}).expect(200)


suite.run()
suite.end()
