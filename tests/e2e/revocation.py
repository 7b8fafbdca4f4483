#!/usr/bin/env python3
"""A node dies in the middle of what ends sessions: they end all the same, and soon."""

import signal

from harness import Client, Gone, Node, Shop, Suite, check, equal, poll
from harness.shop import fresh

suite = Suite()
PASSWORD, NEW = "correct horse battery", "another fine password"
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


suite.run()
suite.end()
