#!/usr/bin/env python3
"""What operators see and do: the provider beside the node, the operator's port, omnicartctl."""

import contextlib
import json
import os
import re
import signal
import subprocess

from harness import Client, Node, Shop, Suite, check, equal, poll, run_ctl
from harness.node import program
from harness.raw import connect

suite = Suite()


def refused_to_start(node, word):
    done = subprocess.run([program("omnicartd"), "--data", node.data, "--http", "127.0.0.1:0", "--operator", "127.0.0.1:0"],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    check(done.returncode != 0, "it served")
    lines = [line for line in done.stderr.splitlines() if line.startswith("omnicartd: ")]
    check(len(lines) == 1 and word in lines[0], done.stderr)


# --- the provider ---------------------------------------------------------------------------------------------

@suite.case
def orders_wait_for_a_silent_provider_and_resolve_when_it_speaks():
    with Node("[payment]\nanswer_timeout_ms = 500\n") as node:
        shop = Shop(node.start())
        guest, product = shop.guest(), shop.product(stock=5)
        guest.add(product, 2).expect(201)
        provider = node.pay_pid()
        os.kill(provider, signal.SIGSTOP)
        try:
            order = guest.checkout().expect(201).json
            equal((order["status"], order["payment"]["status"]), ("pending", "pending"))
            equal(shop.figures(product)["reserved"], 2)
            other = shop.guest()
            other.add(product, 1).expect(201)
            equal(other.cart()["item_count"], 1, "the shop goes on")
        finally:
            os.kill(provider, signal.SIGCONT)
        path = "/api/orders/" + order["order_id"]
        poll("paid", lambda: guest.web.get(path)["status"] == "paid")
        poll("sold", lambda: shop.figures(product)["sold"] == 2)
        node.laws()


@suite.case
def a_node_uses_the_provider_it_is_told_of():
    with Node() as first, Node() as second:
        first.start()
        second.options = ["--pay", first.pay]
        second.start()
        equal((second.pay, second.pay_pid()), (first.pay, None))
        _, order = Shop(second).buy()
        check(any(e["key"] == order["order_id"] for e in first.ledger()))


# --- looking at it --------------------------------------------------------------------------------------------

@suite.case
def the_operators_token_is_in_a_file_of_mode_0600_and_is_needed():
    with Node() as node:
        node.start()
        equal(os.stat(node.token_file).st_mode & 0o777, 0o600)
        for token in (None, "x" * 64):
            for path in ("/metrics", "/status", "/laws", "/entities/cart/x"):
                Client(node.operator, token, public=False).get(path).expect(401)
            Client(node.operator, token, public=False).post("/tokens", {"role": "admin"}).expect(401)
        for path in ("/health", "/health/live", "/health/ready"):
            Client(node.operator, public=False).get(path).expect(200)
        token = node.read(node.token_file)
        node.stop()
        equal(node.start().read(node.token_file), token, "the token stays")
        node.stop()
        os.chmod(node.token_file, 0o644)
        refused_to_start(node, "operator.token")


def still_open(peer):
    peer.setblocking(False)
    try:
        return peer.recv(1) != b""
    except BlockingIOError:
        return True


def answers_past(node, silent):
    """Whether a health check is answered while all of these connections say nothing."""
    with contextlib.ExitStack() as open_ones:
        peers = [open_ones.enter_context(connect(node.operator)) for _ in range(silent)]
        for peer in peers[::2]:
            peer.sendall(b"GET /status HTTP/1.1\r\nHost: a\r\n")  # and no end of it
        Client(node.operator, public=False).get("/health").expect(200)
        return all(still_open(peer) for peer in peers)


@suite.case
def a_dozen_silent_connections_do_not_keep_a_health_check_waiting():
    with Node() as node:
        node.start()
        # On a machine so slow that they are closed meanwhile nothing is known; the next try is another one. (A port that
        # lets only a few connections wait makes every try so slow: the next greeting is sent a second later.)
        check(any(answers_past(node, 24) for _ in range(5)), "it was answered only after they had been closed")
        with connect(node.operator) as peer:
            peer.settimeout(60)
            equal(peer.recv(1), b"", "a connection that says nothing is closed")


SAMPLE = re.compile(r'^[a-zA-Z_:][\w:]*(\{(\w+="(\\.|[^"\\])*",?)*\})? [-+]?(\d|Inf|NaN)')


@suite.case
def metrics_are_prometheus_text_with_the_figures_promised():
    with Node() as node:
        Shop(node.start()).buy()
        lines = node.operate().get("/metrics").expect(200).body.decode().splitlines()
        samples = [line for line in lines if line and not line.startswith("#")]
        check(all(SAMPLE.match(line) for line in samples), [s for s in samples if not SAMPLE.match(s)][:5])
        typed = [line.split()[2] for line in lines if line.startswith("# TYPE")]
        equal(len(typed), len(set(typed)), "a family is declared twice")
        text = "\n".join(lines)
        for promised in ('omnicart_http_requests_total{route="/api/orders",method="POST",status="2xx"} 1',
                         "omnicart_http_request_duration_seconds_bucket", "omnicart_journal_batches_total",
                         "omnicart_journal_commit_us_total", "omnicart_mailbox_backlog",
                         "omnicart_entity_activations_total", "omnicart_entities_resident",
                         "omnicart_entities_resident_bytes", "omnicart_rocksdb_wal_bytes"):
            check(promised in text, f"{promised} is missing")


@suite.case
def omnicartctl_shows_status_entities_history_and_tokens():
    with Node() as node:
        shop = Shop(node.start())
        _, order = shop.buy()
        equal(node.ctl("status").returncode, 0)
        check("version" in json.loads(node.ctl("--json", "status").stdout))
        shown = node.ctl("entity", "show", "order/" + order["order_id"])
        equal(shown.returncode, 0, shown.stderr)
        check("paid" in shown.stdout, shown.stdout)
        history = json.loads(node.ctl("--json", "entity", "show", "order/" + order["order_id"], "--history").stdout)
        check(len(history["items"]) >= 3, history)
        equal(node.ctl("entity", "show", "order/none").returncode, 1)
        for kind in ("nothing", "no_such", "Order"):
            unknown = node.ctl("entity", "show", kind + "/1")
            equal(unknown.returncode, 1)
            check("no kind of record is called " + kind in unknown.stderr, unknown.stderr)
        token = node.ctl("token", "issue", "--role", "support").stdout.strip()
        node.client(token).get("/api/orders").expect(200)
        node.client(token).post("/api/products", {"name": "a", "price": 1}).expect(403)
        past = node.ctl("entity", "show", "order/" + order["order_id"], "--at", "2000-01-01T00:00:00Z")
        equal(past.returncode, 1)
        equal(run_ctl("--operator", "http://127.0.0.1:1", "--token-file", node.token_file, "status").returncode, 69)


@suite.case
def omnicartctl_makes_users_that_can_log_in():
    with Node() as node:
        node.start()
        secret = os.path.join(node.home, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("a fine long password\n")
        made = node.ctl("user", "create", "--email", "boss@example.com", "--role", "admin", "--password-file", secret)
        equal(made.returncode, 0, made.stderr)
        body = {"email": "boss@example.com", "password": "a fine long password"}
        given = node.client().post("/api/users/login", body).expect(200)
        equal(given["user"]["role"], "admin")
        node.client(given["token"]).post("/api/products", {"name": "a", "price": 1}).expect(201)


suite.run()
suite.end()
