#!/usr/bin/env python3
"""What the front does about those who are slow, too many, of another origin, without TLS, or guessing addresses."""

import concurrent.futures
import io
import json
import os
import re
import resource
import selectors
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import time

from harness import Node, Shop, Suite, check, equal, exchange, poll
from harness.node import ROOT, program
from harness.raw import ask, connect, read_answer
from harness.secrets import certificate, tls_config
from harness.shop import fresh

suite = Suite()


def daemon(*arguments):
    return subprocess.run([program("omnicartd"), *arguments], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False)


# --- guessing -------------------------------------------------------------------------------------------------

# Neither slower nor faster by more than this; one hash against none would be a factor of ten and more.
LOGIN_FACTOR_MAX = 1.5
LOGIN_TRIES = 15


@suite.case
def login_takes_as_long_for_an_unknown_email_as_for_a_known_one():
    with Node("[passwords]\nslow_after_account = 1000\nslow_after_address = 1000\n") as node:
        web = Shop(node.start()).web
        known = fresh("ann") + "@example.com"
        web.post("/api/users/register", {"email": known, "password": "correct horse battery"}).expect(201)

        def attempt(email):
            began = time.monotonic()
            answer = web.post("/api/users/login", {"email": email, "password": "wrong horse battery"}).expect(401)
            took = time.monotonic() - began
            body = {name: value for name, value in answer.json.items() if name != "request_id"}
            return took, (body, sorted(answer.headers))

        attempt(known), attempt(fresh("nobody") + "@example.com")  # the first of each warms up
        times, answers = {"known": [], "unknown": []}, []
        for _ in range(LOGIN_TRIES):
            for kind, email in (("known", known), ("unknown", fresh("nobody") + "@example.com")):
                took, answer = attempt(email)
                times[kind].append(took)
                answers.append(answer)
        check(all(answer == answers[0] for answer in answers), "answered differently", answers[0], answers[1])
        known_s, unknown_s = statistics.median(times["known"]), statistics.median(times["unknown"])
        check(max(known_s, unknown_s) <= LOGIN_FACTOR_MAX * min(known_s, unknown_s), "medians in s", known_s, unknown_s)


# --- slow peers -----------------------------------------------------------------------------------------------

SLOW_CONNECTIONS = 5000
# The 99th percentile beside them, against that without them. Other processes of the machine disturb some rounds: the
# best one beside them is compared with the usual one alone. A node that they slow has no such round.
SLOW_FACTOR_MAX = 3
ROUNDS, ROUND_S = 8, 0.5
HEADER_TIMEOUT_S = 9
DRIP_S = 3
DRIP_STEPS = 100  # not all in the same instant


def slow_peers(address, count):
    """Run in a process of its own: half say nothing, half send a byte of a head now and then; counts how each ended."""
    head = b"GET /api/products HTTP/1.1\r\nHost: a\r\n"
    selector, ended, alive, dripping = selectors.DefaultSelector(), {"silent": [], "dripping": []}, set(), []
    for i in range(count):
        peer = connect(address)
        peer.setblocking(False)
        selector.register(peer, selectors.EVENT_READ, "dripping" if i % 2 else "silent")
        alive.add(peer)
        if i % 2:
            peer.send(head[:1])
            dripping.append(peer)
    began = time.monotonic()
    print(json.dumps({"open": len(alive)}), flush=True)
    step = 0
    while alive and time.monotonic() < began + 2 * HEADER_TIMEOUT_S:
        if time.monotonic() >= began + step * DRIP_S / DRIP_STEPS:
            for peer in alive.intersection(dripping[step % DRIP_STEPS::DRIP_STEPS]):
                try:
                    peer.send(head[1 + step // DRIP_STEPS:][:1])
                except OSError:
                    pass  # closed meanwhile; what it said is read below
            step += 1
        for key, _ in selector.select(DRIP_S / DRIP_STEPS / 2):
            try:
                said = key.fileobj.recv(4096)
            except ConnectionResetError:
                said = b""
            answer = read_answer(io.BytesIO(said), b"")
            ended[key.data].append(str(answer.status) if answer else "closed")
            selector.unregister(key.fileobj)
            key.fileobj.close()
            alive.discard(key.fileobj)
    summary = {kind: {how: hows.count(how) for how in set(hows)} for kind, hows in ended.items()}
    print(json.dumps({"left": len(alive), "seconds": time.monotonic() - began, **summary}), flush=True)


def p99_ms_of_rounds(web, path):
    """The rounds' 99th percentiles of one client's requests, one after the other."""
    rounds = []
    for _ in range(ROUNDS):
        times, until = [], time.monotonic() + ROUND_S
        while time.monotonic() < until:
            began = time.monotonic()
            web.get(path).expect(200)
            times.append(time.monotonic() - began)
        rounds.append(statistics.quantiles(times, n=100)[98] * 1000)
    return rounds


def allow_files(wanted):
    """Lets this process and those it starts from here have so many open files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    check(most == resource.RLIM_INFINITY or most >= wanted, f"the hard limit of open files is {most}, below {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


@suite.case
def five_thousand_slow_connections_do_not_slow_the_others_and_are_closed():
    # The node starts with a usual limit of open files; raising it is its own business.
    allow_files(1024)
    with Node(f"[http]\nheader_timeout_ms = {HEADER_TIMEOUT_S * 1000}\n[log]\naccess = false\n") as node:
        shop = Shop(node.start())
        allow_files(SLOW_CONNECTIONS + 1000)
        path = "/api/products/" + shop.product()
        alone = statistics.median(p99_ms_of_rounds(shop.web, path))
        command = [sys.executable, os.path.abspath(__file__), "--slow-peers", node.http, str(SLOW_CONNECTIONS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peers:
            try:
                began = time.monotonic()
                equal(json.loads(peers.stdout.readline()), {"open": SLOW_CONNECTIONS})
                crowded = min(p99_ms_of_rounds(shop.web, path))
                check(time.monotonic() - began < HEADER_TIMEOUT_S, "they were closed before the measurement was over")
                seen = json.loads(peers.stdout.readline())
            finally:
                peers.kill()
        print(f"       p99 {alone:.2f} ms alone, {crowded:.2f} ms beside them; they ended: {seen}", flush=True)
        check(crowded <= SLOW_FACTOR_MAX * alone, f"p99 in ms, at most {SLOW_FACTOR_MAX} times", alone, crowded)
        equal(seen["left"], 0)
        equal(seen["dripping"], {"408": SLOW_CONNECTIONS // 2})
        equal(seen["silent"], {"closed": SLOW_CONNECTIONS // 2})
        shop.web.get(path).expect(200)


@suite.case
def an_empty_chunked_body_may_come_byte_by_byte():
    # A library's assertion on it once ended the node.
    with Node() as node, connect(node.start().http) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = b"POST /api/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        peer.sendall(head)
        for byte in b"0\r\n\r\n":
            peer.sendall(bytes([byte]))
            node.client().get("/health").expect(200)  # by now the byte has arrived
        read_answer(peer.makefile("rb"), head).expect(201)


# --- TLS ------------------------------------------------------------------------------------------------------

@suite.case
def a_certificate_in_the_configuration_turns_tls_on_and_plain_text_away():
    with Node() as node:
        chain, key = certificate(node.home)
        node.write_config(tls_config(chain, key))
        node.start()
        trusting = ssl.create_default_context(cafile=chain)
        with trusting.wrap_socket(connect(node.http), server_hostname="127.0.0.1") as peer:
            check(peer.version() in ("TLSv1.2", "TLSv1.3"), peer.version())
            answer = ask(peer, b"POST /api/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").expect(201)
            check("strict-transport-security" in answer.headers, answer.headers)
        equal(exchange(node.http, b"GET /api/products HTTP/1.1\r\nHost: a\r\n\r\n"), None, "plain HTTP")
        with trusting.wrap_socket(connect(node.http), server_hostname="127.0.0.1") as peer:
            ask(peer, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").expect(200)
        equal(node.stop(), 0)


@suite.case
def a_certificate_that_cannot_be_used_is_one_clear_line_and_no_start():
    with Node() as node:
        chain, key = certificate(node.home)
        other = os.path.join(node.home, "other")
        os.mkdir(other)
        _, other_key = certificate(other)
        missing = os.path.join(node.home, "missing.pem")
        for files, named in (((missing, key), missing), ((chain, missing), missing), ((chain, other_key), other_key),
                             ((key, key), key)):
            node.write_config(tls_config(*files))
            done = daemon("--data", node.data, "--http", "127.0.0.1:0", "--operator", "127.0.0.1:0",
                          "--config", node.config_file)
            check(done.returncode > 0, done)
            lines = [line for line in done.stderr.splitlines() if line.startswith("omnicartd: ")]
            check(len(lines) == 1 and named in lines[0], done.stderr)
        node.write_config(f'[http]\ntls_cert = "{chain}"\n')
        done = daemon("--data", node.data, "--config", node.config_file)
        equal(done.returncode, 78, done.stderr)
        check("http.tls_key" in done.stderr, done.stderr)


# --- other origins --------------------------------------------------------------------------------------------

def cors_fields(answer):
    return {name for name in answer.headers if name.startswith("access-control-")}


@suite.case
def only_origins_on_the_list_may_read_answers():
    with Node('[http]\ncors_allow = ["https://shop.example", "http://localhost:3000"]\n') as node:
        web = node.start().client()
        asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, idempotency-key"}
        for origin in ("https://shop.example", "http://localhost:3000"):
            flight = web.call("OPTIONS", "/api/cart/items", headers={"Origin": origin, **asking}).expect(204)
            equal(flight.headers["access-control-allow-origin"], origin)
            check("POST" in flight.headers["access-control-allow-methods"], flight.headers)
            allowed = flight.headers["access-control-allow-headers"].lower()
            for name in ("authorization", "content-type", "idempotency-key", "if-match"):
                check(name in allowed, name, allowed)
            for answer in (web.post("/api/sessions", headers={"Origin": origin}).expect(201),
                           web.get("/api/cart", headers={"Origin": origin}).expect(401)):
                equal(answer.headers["access-control-allow-origin"], origin)
                check("etag" in answer.headers["access-control-expose-headers"].lower(), answer.headers)
                check("origin" in answer.headers["vary"].lower(), answer.headers)
        for origin in ("https://evil.example", "https://shop.example.evil.example", "http://shop.example",
                       "https://shop.example:444", "null", "*"):
            flight = web.call("OPTIONS", "/api/cart/items", headers={"Origin": origin, **asking})
            plain = web.get("/api/products", headers={"Origin": origin}).expect(200)
            equal((cors_fields(flight), cors_fields(plain)), (set(), set()), origin)
            check("origin" in plain.headers["vary"].lower(), "a cache would mix origins", plain.headers)
        equal(cors_fields(web.get("/api/products").expect(200)), set())


@suite.case
def without_a_list_no_origin_may_read_answers():
    with Node() as node:
        web = node.start().client()
        for origin in ("https://shop.example", "http://" + node.http):
            equal(cors_fields(web.get("/api/products", headers={"Origin": origin}).expect(200)), set())


# --- too many -------------------------------------------------------------------------------------------------

def burst(node, count, method="GET", path="/api/products", body=None):
    """So many requests at once, over a few connections: how often each status came, and a refusal if there was one."""
    def some(share):
        web = node.client()
        return [web.call(method, path, body) for _ in range(share)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = [a for some_answers in pool.map(some, [count // 4] * 4) for a in some_answers]
    return {s: sum(a.status == s for a in answers) for s in {a.status for a in answers}}, \
        next((a for a in answers if a.status == 429), None)


@suite.case
def beyond_a_rate_limit_it_is_429_with_retry_after():
    limits = ("[rate_limits]\nenabled = true\nloopback_exempt = false\nread_per_s = 1\nread_burst = 20\n"
              "write_per_s = 1\nwrite_burst = 8\nlogin_per_s = 1\nlogin_burst = 4\n")
    with Node(limits) as node:
        node.start()
        began = time.monotonic()
        for method, path, body, most in (("GET", "/api/products", None, 20), ("POST", "/api/sessions", None, 8),
                                         ("POST", "/api/users/login", {"email": "a@example.com", "password": "x" * 12}, 4)):
            counts, refused = burst(node, 60, method, path, body)
            took = time.monotonic() - began
            passed = sum(count for status, count in counts.items() if status != 429)
            check(most <= passed <= most + took + 1, path, counts, took)
            check(refused is not None and refused.code == "rate_limited" and refused["retryable"] is True, refused)
            check(1 <= int(refused.headers["retry-after"]) <= 2, refused.headers)
            equal(refused.headers["ratelimit-remaining"], "0")
        # What operators and load balancers look at has no limit.
        equal(burst(node, 60, "GET", "/health")[0], {200: 60})


@suite.case
def this_machine_is_exempt_from_rate_limits_unless_told_otherwise():
    with Node("[rate_limits]\nread_per_s = 1\nread_burst = 1\n") as node:
        equal(burst(node.start(), 60)[0], {200: 60})


# --- too much at once -----------------------------------------------------------------------------------------

@suite.case
def passwords_beyond_the_queue_are_503_with_retry_after_and_come_through_later():
    # Hashes so slow that a dozen at once cannot but meet a worker and a queue of one.
    with Node("[node]\npassword_workers = 1\n[limits]\npassword_queue_max = 1\n[passwords]\niterations = 20\n") as node:
        node.start()
        bodies = [{"email": fresh("ann") + "@example.com", "password": "correct horse battery"} for _ in range(12)]
        with concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
            answers = list(pool.map(lambda body: node.client().post("/api/users/register", body), bodies))
        shed = [(a, body) for a, body in zip(answers, bodies) if a.status == 503]
        equal({a.status for a in answers}, {201, 503})
        for answer, _ in shed:
            equal((answer.code, answer["retryable"]), ("overloaded", True))
            check(int(answer.headers["retry-after"]) >= 1, answer.headers)
        poll("there is room again", lambda: node.client().post("/api/users/register", shed[0][1]).status == 201)
        # Nothing else waited for them.
        node.client().post("/api/sessions").expect(201)


IN_FLIGHT_MAX = 4
PARALLEL = 600
OVERLOAD_ROUNDS = 10


def order_request(node, guest, product):
    body = json.dumps({"email": "ann@example.com", "payment_method": {"type": "invoice"},
                       "items": [{"product_id": product, "quantity": 1}]}).encode()
    return (f"POST /api/orders HTTP/1.1\r\nHost: {node.http}\r\nAuthorization: Bearer {guest.web.token}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {fresh('load')}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def all_at_once(peers, requests):
    """Each request on its own connection: [(answer, seconds until it was there)]."""
    selector, begun, took = selectors.DefaultSelector(), {}, {}
    for peer in peers:
        selector.register(peer, selectors.EVENT_READ)

    def look(wait_s):
        for key, _ in selector.select(wait_s):
            took.setdefault(key.fileobj, time.monotonic() - begun[key.fileobj])
            selector.unregister(key.fileobj)
    for peer, request in zip(peers, requests):
        begun[peer] = time.monotonic()
        peer.sendall(request)
        look(0)
    while len(took) < len(peers):
        look(None)
    return [(read_answer(peer.makefile("rb"), request), took[peer]) for peer, request in zip(peers, requests)]


@suite.case
def accepted_orders_keep_their_latency_while_the_front_sheds_the_rest():
    allow_files(PARALLEL + 1024)
    config = "[http]\nin_flight_max = {}\n[log]\naccess = false\n"
    with Node(config.format(IN_FLIGHT_MAX)) as node:
        shop = Shop(node.start())
        guest, product = shop.guest(), shop.product(stock=900_000)
        peers = [connect(node.http) for _ in range(PARALLEL)]

        def crowd():
            return all_at_once(peers, [order_request(node, guest, product) for _ in peers])
        alone = [all_at_once(peers[:1], [order_request(node, guest, product)])[0] for _ in range(100)]
        equal({answer.status for answer, _ in alone}, {201})
        rounds = [crowd() for _ in range(OVERLOAD_ROUNDS)]
        accepted = [[took for answer, took in round_ if answer.status == 201] for round_ in rounds]
        answers = [each for round_ in rounds for each in round_]
        shed = [answer for answer, _ in answers if answer.status == 503]
        equal({answer.status for answer, _ in answers}, {201, 503})
        for answer in shed:
            equal((answer.code, answer["retryable"]), ("overloaded", True))
            check(int(answer.headers["retry-after"]) >= 1, answer.headers)
        usual = statistics.quantiles([took for _, took in alone], n=100)[98]
        loaded = statistics.median(max(times) for times in accepted)
        count = sum(len(times) for times in accepted)
        print(f"       {count} accepted, {len(shed)} shed; {usual * 1000:.1f} ms alone, {loaded * 1000:.1f} ms when accepted",
              flush=True)
        # What was shed has done nothing.
        equal(len(guest.web.all_of("/api/orders")), len(alone) + count)
        # The same crowd, all of it accepted.
        node.write_config(config.format(10 * PARALLEL))
        node.signal(signal.SIGHUP)
        poll("nothing is shed", lambda: all(answer.status == 201 for answer, _ in crowd()))
        unshed = statistics.median(max(took for _, took in crowd()) for _ in range(3))
        check(loaded < unshed, "in s", loaded, unshed)
        node.laws()


BEHIND_A_PROXY = ("[rate_limits]\nenabled = true\nloopback_exempt = false\nread_per_s = 1\nread_burst = 5\n"
                  "[log]\nformat = \"json\"\naccess = true\n[http]\n")


def reads_until_refused(node, headers, most=30):
    """How many reads an asker gets through; `headers` may differ from one to the next."""
    web = node.client()
    for done in range(most):
        if web.get("/api/products", headers=headers(done)).status == 429:
            return done
    return most


def peers_logged(node):
    return {line["peer"] for line in map(json.loads, filter(None, node.stderr().splitlines())) if "peer" in line}


@suite.case
def behind_a_trusted_proxy_each_client_has_limits_of_its_own_and_stands_in_the_log():
    for field, line in (("x-forwarded-for", "{}"), ("forwarded", "for={};proto=https")):
        with Node(BEHIND_A_PROXY + f'trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]\nclient_field = "{field}"\n') as node:
            node.start()
            check(5 <= reads_until_refused(node, lambda _: {field: line.format("192.0.2.1")}) < 30)
            node.client().get("/api/products", headers={field: line.format("192.0.2.2")}).expect(200)
            # Whatever a client wrote itself, it is one client: the proxy's word stands at the right.
            got = reads_until_refused(node, lambda i: {field: line.format(f"203.0.113.{i}") + ", " + line.format("192.0.2.3")})
            check(5 <= got < 30, "a client got past its limit with addresses it made up", got)
            equal(node.stop(), 0)
            equal(peers_logged(node), {"192.0.2.1", "192.0.2.2", "192.0.2.3"})


@suite.case
def who_is_no_trusted_proxy_is_counted_by_the_address_it_comes_from():
    for trusted in ("[]", '["10.0.0.0/8"]'):
        with Node(BEHIND_A_PROXY + f"trusted_proxies = {trusted}\n") as node:
            node.start()
            got = reads_until_refused(node, lambda i: {"X-Forwarded-For": f"203.0.113.{i}", "Forwarded": f"for=203.0.113.{i}"})
            check(5 <= got < 30, "made-up addresses were believed", got)
            equal(node.stop(), 0)
            equal(peers_logged(node), {"127.0.0.1"})


@suite.case
def the_shipped_production_file_starts_on_a_machine_that_was_not_prepared():
    with Node() as node:
        node.config_file = os.path.join(ROOT, "config", "production.toml")
        node.start()
        node.client().get("/api/products").expect(200)
        check(all(json.loads(line)["time"] for line in node.stderr().splitlines()), node.stderr())
        equal(node.stop(), 0)


@suite.case
def the_shipped_configurations_are_valid_and_production_limits_everybody():
    def effective(name):
        done = daemon("--check-config", "--config", os.path.join(ROOT, "config", name))
        equal(done.returncode, 0, done.stderr)
        section = re.search(r"^\[rate_limits\]\n(.*?)(?=^\[|\Z)", done.stdout, re.MULTILINE | re.DOTALL).group(1)
        return {key: re.search(rf"^{key}\s*=\s*(\w+)", section, re.MULTILINE).group(1)
                for key in ("enabled", "loopback_exempt")}
    equal(effective("production.toml"), {"enabled": "true", "loopback_exempt": "false"})
    equal(effective("development.toml"), {"enabled": "true", "loopback_exempt": "true"})


if sys.argv[1:2] == ["--slow-peers"]:
    allow_files(int(sys.argv[3]) + 100)
    slow_peers(sys.argv[2], int(sys.argv[3]))
    sys.exit(0)
suite.run()
suite.end()
