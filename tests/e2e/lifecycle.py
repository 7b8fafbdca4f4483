#!/usr/bin/env python3
"""How a node starts, refuses to start, changes its mind and ends: real processes and signals."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess

from harness import Node, Shop, Suite, check, equal, poll, run_ctl
from harness.node import is_alive, program
from harness.raw import connect, read_answer
from harness.secrets import link_config
from harness.shop import fresh

suite = Suite()
EX_USAGE, EX_UNAVAILABLE, EX_CONFIG = 64, 69, 78


def daemon(*arguments, timeout=60):
    return subprocess.run([program("omnicartd"), *arguments], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, check=False)


def one_clear_line(done, *words):
    lines = [line for line in done.stderr.splitlines() if line.startswith("omnicartd: ")]
    equal(len(lines), 1, done.stderr)
    for word in words:
        check(word in lines[0], f"{word} is not named", lines[0])


def refused_config(text, *words):
    with Node(text) as node:
        done = daemon("--data", node.data, "--config", node.config_file)
        equal(done.returncode, EX_CONFIG, done.stderr)
        one_clear_line(done, node.config_file, *words)
        check(not os.path.exists(node.data), "a refused start made a data directory")


# --- configuration --------------------------------------------------------------------------------------------

@suite.case
def an_unknown_key_is_refused_naming_file_line_and_key():
    refused_config("[http]\n\nprot = 1\n", ":3:", "prot")
    refused_config("[htpt]\nport = 1\n", "htpt")


@suite.case
def a_value_out_of_bounds_or_of_another_type_is_refused_naming_it():
    refused_config("[node]\nshard_count = 0\n", ":2:", "shard_count")
    refused_config("[node]\nshard_count = \"many\"\n", ":2:", "shard_count")
    refused_config("[http\n", ":1:")


@suite.case
def check_config_prints_the_effective_configuration_and_starts_nothing():
    with Node("[http]\nidle_timeout_ms = 1234\n") as node:
        done = daemon("--data", node.data, "--config", node.config_file, "--http", "127.0.0.1:7777", "--check-config")
        equal(done.returncode, 0, done.stderr)
        check(re.search(r"idle_timeout_ms\s*=\s*1_?234", done.stdout), done.stdout)
        check(re.search(r"port\s*=\s*7_?777", done.stdout), done.stdout)
        check(not os.path.exists(node.data), "it made a data directory")
        again = os.path.join(node.home, "printed.toml")
        with open(again, "w", encoding="utf-8") as file:
            file.write(done.stdout)
        equal(daemon("--config", again, "--check-config").stdout.split("\n\n")[1:], done.stdout.split("\n\n")[1:])


@suite.case
def wrong_usage_and_version_say_so():
    equal(daemon().returncode, EX_USAGE)
    equal(daemon("--nonsense").returncode, EX_USAGE)
    for name in ("omnicartd", "omnicart-pay", "omnicartctl"):
        shown = subprocess.run([program(name), "--version"], capture_output=True, text=True, timeout=60, check=True)
        check(re.search(r"\d+\.\d+\.\d+", shown.stdout), name, shown.stdout)


def refused(node, code, *words, options=()):
    """Refused with one line that has these words, and the data untouched."""
    line = ["--data", node.data] + (["--config", node.config_file] if node.config_file else [])
    for option in ("--http", "--operator"):
        line += [] if option in options else [option, "127.0.0.1:0"]
    done = daemon(*line, *options)
    equal(done.returncode, code, done.stderr)
    one_clear_line(done, *words)
    check(not os.path.exists(node.data), "a refused start made a data directory")
    return done.stderr


@suite.case
def a_certificate_or_key_that_cannot_be_used_is_a_configuration_error_and_touches_nothing():
    for cert, key, named in (("/nowhere/chain.pem", "/nowhere/key.pem", "/nowhere/chain.pem"),
                             (__file__, __file__, __file__)):
        with Node(f'[http]\ntls_cert = "{cert}"\ntls_key = "{key}"\n') as node:
            refused(node, EX_CONFIG, "cannot use the certificate " + named)
            done = daemon("--config", node.config_file, "--check-config")
            equal(done.returncode, EX_CONFIG, done.stderr)


@suite.case
def a_quota_for_a_call_that_there_is_not_is_a_configuration_error_also_when_it_is_read_again():
    wrong = "GET /api/nonsense"
    quotas = '[rate_limits]\nquotas = ["POST /api/orders 5/60s burst 2 per user", "{} 1/60s burst 3 per address"]\n'
    with Node(quotas.format(wrong)) as node:
        refused(node, EX_CONFIG, "rate_limits.quotas", wrong)
        done = daemon("--config", node.config_file, "--check-config")
        equal(done.returncode, EX_CONFIG, done.stderr)
        one_clear_line(done, "rate_limits.quotas", wrong)
        node.write_config(quotas.format("GET /api/products/{id}"))
        node.start()
        check(wrong not in node.stderr(), node.stderr())
        node.write_config(quotas.format(wrong))
        node.signal(signal.SIGHUP)
        poll("it is not taken", lambda: "configuration not taken" in node.stderr() and wrong in node.stderr())
        node.client().get("/api/products").expect(200)


@suite.case
def two_quotas_for_the_same_call_and_subject_are_a_configuration_error_that_names_the_second():
    first, second = "POST /api/orders 5/60s burst 2 per user", "POST /api/orders 50/60s burst 20 per user"
    quotas = '[rate_limits]\nquotas = ["{}", "POST /api/orders 9/60s burst 9 per session", "{}"]\n'
    with Node(quotas.format(first, second)) as node:
        refused(node, EX_CONFIG, "rate_limits.quotas", second, first)
        done = daemon("--config", node.config_file, "--check-config")
        equal(done.returncode, EX_CONFIG, done.stderr)
        one_clear_line(done, "rate_limits.quotas", second)
        node.write_config(quotas.format(first, second.replace("user", "address")))
        node.start()
        check(second not in node.stderr(), node.stderr())
        node.write_config(quotas.format(first, first))
        node.signal(signal.SIGHUP)
        poll("it is not taken", lambda: "configuration not taken" in node.stderr() and first in node.stderr())


@suite.case
def a_host_name_is_served_and_what_is_no_host_of_ours_is_refused_for_its_own_reason():
    with Node() as node:
        node.addresses = ("localhost:0", "localhost:0")
        node.start()
        check(re.match(r"(127\.0\.0\.1|\[::1\]):\d+$", node.http), node.http)
        node.client().get("/api/products").expect(200)
        equal(node.stop(), 0)
    for option in ("--http", "--operator"):
        with Node() as node:
            said = refused(node, EX_CONFIG, "no..such", "no known name", options=(option, "no..such:0"))
            check("File exists" not in said, said)
            done = daemon("--data", node.data, option, "192.0.2.1:0",
                          "--operator" if option == "--http" else "--http", "127.0.0.1:0")
            equal(done.returncode, EX_UNAVAILABLE, done.stderr)
            one_clear_line(done, "192.0.2.1", "Cannot assign requested address")


@suite.case
def what_the_command_line_said_wrong_is_not_the_files_fault():
    with Node("[http]\nidle_timeout_ms = 1234\n") as node:
        for options, words in ((("--http", "nonsense"), ("--http", "nonsense")), (("--pay", "https://p"), ("payment.url",))):
            said = refused(node, EX_CONFIG, *words, options=options)
            check(node.config_file not in said, said)
    equal(daemon("--check-config", "--pay", "https://provider").returncode, EX_CONFIG)


# --- refusing to start ----------------------------------------------------------------------------------------

@suite.case
def a_port_in_use_is_one_clear_line():
    with socket.socket() as taken, Node() as node:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        for option, other in (("--http", "--operator"), ("--operator", "--http")):
            done = daemon("--data", node.data, option, address, other, "127.0.0.1:0")
            equal(done.returncode, EX_UNAVAILABLE, done.stderr)
            one_clear_line(done, address)


@suite.case
def a_second_node_on_the_same_data_is_refused_and_the_first_goes_on():
    with Node() as node:
        shop = Shop(node.start())
        done = daemon("--data", node.data, "--http", "127.0.0.1:0", "--operator", "127.0.0.1:0")
        equal(done.returncode, EX_UNAVAILABLE, done.stderr)
        one_clear_line(done, "in use")
        shop.guest().cart()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF  # RocksDB stores it masked


def claim_format(path, number):
    """Rewrites the format record in a write-ahead log, its checksum too: a store that a newer program made."""
    with open(path, "rb") as file:
        log = bytearray(file.read())
    at = log.find(b"\x06format")
    if at < 0:
        return False
    start = at
    while start > 0:  # the record's header: checksum, length, type "whole"
        start -= 1
        size = int.from_bytes(log[start + 4:start + 6], "little")
        if log[start + 6] == 1 and start + 7 + size > at and \
                int.from_bytes(log[start:start + 4], "little") == crc32c(log[start + 6:start + 7 + size]):
            break
    else:
        return False
    value = at + 8  # a length byte, then msgpack: an array of schema, version, …
    places = [i for i in range(value, start + 7 + size) if log[i] == 1]
    for place in places:
        log[place] = number
    log[start:start + 4] = crc32c(log[start + 6:start + 7 + size]).to_bytes(4, "little")
    with open(path, "wb") as file:
        file.write(log)
    return True


@suite.case
def data_of_another_format_is_refused_and_left_alone():
    with Node() as node:
        node.start()
        node.kill()
        store = os.path.join(node.data, "db")
        logs = [os.path.join(store, f) for f in os.listdir(store) if f.endswith(".log")]
        check(any([claim_format(log, 99) for log in logs]), "no format record was found in the log", logs)
        done = daemon("--data", node.data, "--http", "127.0.0.1:0", "--operator", "127.0.0.1:0")
        check(done.returncode in (EX_CONFIG, EX_UNAVAILABLE), done.returncode, done.stderr)
        one_clear_line(done, "format")


@suite.case
def a_directory_of_something_else_is_refused():
    with Node() as node:
        os.makedirs(os.path.join(node.data, "db"))
        with open(os.path.join(node.data, "db", "000004.log"), "wb") as file:
            file.write(b"somebody's diary")
        done = daemon("--data", node.data, "--http", "127.0.0.1:0", "--operator", "127.0.0.1:0")
        check(done.returncode != 0, done)
        one_clear_line(done, "CURRENT")


# --- ending ---------------------------------------------------------------------------------------------------

def checkout_of(guest):
    """The bytes of their checkout."""
    body = json.dumps(guest.order_body()).encode()
    return (f"POST /api/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {guest.web.token}\r\n"
            "Idempotency-Key: in-flight\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


@suite.case
def sigterm_answers_what_is_in_flight_and_ends_with_0_and_a_restart_finds_everything():
    with Node() as node:
        shop = Shop(node.start())
        guest, order = shop.buy()
        guest.add(shop.product()).expect(201)
        provider, slow = node.pay_pid(), shop.guest()
        slow.add(shop.product()).expect(201)
        os.kill(provider, signal.SIGSTOP)  # so that the checkout stays in flight until we say so
        request = checkout_of(slow)
        with connect(node.http) as peer:
            peer.sendall(request)
            poll("the checkout is under way", lambda: "sealed_by" in slow.cart())
            node.signal(signal.SIGTERM)
            poll("no new connections", lambda: refuses(node.http))
            os.kill(provider, signal.SIGCONT)
            answer = read_answer(peer.makefile("rb"), request).expect(201)
            equal(answer.headers.get("connection"), "close")
        equal(node.wait(), 0)
        check(not is_alive(provider), "the provider outlived its node")
        node.start()
        equal(node.client(guest.web.token).get("/api/cart").expect(200)["item_count"], 1)
        seen = node.client(guest.web.token).get("/api/orders/" + order["order_id"]).expect(200)
        equal(seen["status"], "paid")
        path = "/api/orders/" + answer["order_id"]
        poll("what was in flight is paid", lambda: node.client(slow.web.token).get(path)["status"] == "paid")


def refuses(address):
    try:
        connect(address).close()
        return False
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it came in the instant the socket was closed
        return True


# Longer than any of these cases may take: none of them may wait for it.
SLOW_DRAIN = "[node]\ndrain_timeout_s = 300\n[payment]\nanswer_timeout_ms = 500\n"


@suite.case
def sigterm_while_the_laws_wait_for_an_order_ends_with_0_before_its_deadline():
    with Node(SLOW_DRAIN) as node:
        shop = Shop(node.start())
        guest = shop.guest()
        guest.add(shop.product()).expect(201)
        os.kill(node.pay_pid(), signal.SIGSTOP)  # so that an order stays in doubt
        equal(guest.checkout().expect(201)["status"], "pending")
        line = [program("omnicartctl"), "--operator", "http://" + node.operator, "--token-file", node.token_file, "laws",
                "--wait", "5m"]
        # One check at a time: when one of two is refused, the other waits.
        two = [subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        try:
            poll("one of them waits", lambda: [each.poll() for each in two].count(69) == 1)
            node.signal(signal.SIGTERM)
            equal(node.wait(), 0)
            for each in two:
                said = each.communicate(timeout=60)[1]
                check(each.returncode == 69 and said.startswith("omnicartctl: "), each.returncode, said)
        finally:
            for each in two:
                each.kill()
                each.wait()


@suite.case
def sigterm_while_the_laws_ask_a_silent_provider_does_not_wait_for_it():
    with Node(SLOW_DRAIN) as node:
        node.start()
        os.kill(node.pay_pid(), signal.SIGSTOP)
        line = [program("omnicartctl"), "--operator", "http://" + node.operator, "--token-file", node.token_file, "laws"]
        two = [subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
        try:
            poll("one of them asks the provider", lambda: [each.poll() for each in two].count(69) == 1)
            node.signal(signal.SIGTERM)
            equal(node.wait(), 0)
            equal([each.wait(60) for each in two], [69, 69], "cut short is not broken")
        finally:
            for each in two:
                each.kill()
                each.wait()


@suite.case
def sigterm_right_after_a_load_ends_with_0_before_its_deadline_and_keeps_the_books():
    with Node(SLOW_DRAIN) as node:
        Shop(node.start()).product()
        load = subprocess.run([program("omnicart-load"), "--target", "http://" + node.http, "--operator",
                               "http://" + node.operator, "--token-file", node.token_file, "--connections", "32", "storefront",
                               "--duration", "2", "--think-ms", "0"], capture_output=True, text=True, timeout=120, check=False)
        equal(load.returncode, 0, load.stdout[-1500:] + load.stderr[-500:])
        equal(node.stop(), 0)
        node.start().laws()


@suite.case
def sighup_during_the_drain_changes_nothing_and_the_node_ends_with_0():
    with Node(SLOW_DRAIN) as node:
        shop = Shop(node.start())
        guest = shop.guest()
        guest.add(shop.product()).expect(201)
        provider = node.pay_pid()
        os.kill(provider, signal.SIGSTOP)
        request = checkout_of(guest)
        with connect(node.http) as peer:
            peer.sendall(request)
            poll("the checkout is under way", lambda: "sealed_by" in guest.cart())
            node.signal(signal.SIGTERM)
            poll("no new connections", lambda: refuses(node.http))
            for _ in range(3):
                node.signal(signal.SIGHUP)
            os.kill(provider, signal.SIGCONT)
            read_answer(peer.makefile("rb"), request).expect(201)
        equal(node.wait(), 0)


@suite.case
def a_connection_that_does_nothing_does_not_hold_up_the_end():
    with Node() as node:
        node.start()
        with connect(node.http):
            equal(node.stop(), 0)


@suite.case
def the_provider_ends_with_its_node_also_on_kill_9_and_a_restart_works_at_once():
    with Node() as node:
        shop = Shop(node.start())
        _, order = shop.buy()
        provider = node.pay_pid()
        check(provider, "no provider was started")
        node.signal(signal.SIGKILL)
        node.wait()
        node.start()
        poll("the provider ends", lambda: not is_alive(provider))
        captured = [e for e in node.ledger() if e["kind"] == "capture" and e["key"] == order["order_id"]]
        equal(len(captured), 1)


# --- changing its mind ----------------------------------------------------------------------------------------

@suite.case
def sighup_takes_the_log_level_and_limits_and_says_what_waits():
    quiet, loud = "[log]\nlevel = \"error\"\naccess = false\n", "[log]\nlevel = \"info\"\naccess = true\n"
    with Node(quiet + "[http]\nbody_bytes_max = 2048\n") as node:
        shop = Shop(node.start())
        item = [{"product_id": fresh("x" * 60)[:64], "quantity": 1}] * 40
        guest = shop.guest()
        guest.web.post("/api/cart/items", item).expect(413)
        check("request" not in node.stderr(), node.stderr())
        node.write_config(loud + "[http]\nbody_bytes_max = 100000\nport = 9\n[node]\nloader_threads = 3\n")
        node.signal(signal.SIGHUP)
        poll("the larger limit holds", lambda: guest.web.post("/api/cart/items", item).status == 404)
        poll("requests are logged", lambda: "route=/api/cart/items" in node.stderr())
        poll("what waits for a start is named", lambda: "node.loader_threads" in node.stderr())
        node.write_config("[http]\nnonsense = 1\n")
        node.signal(signal.SIGHUP)
        poll("a bad file is named", lambda: "nonsense" in node.stderr())
        guest.cart()
        check(guest.web.token not in node.stderr(), "a token in the log")


def shown_certificate(address, folder):
    """What the link at the address shows node 2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # nodes go by the number in the certificate
    context.load_verify_locations(os.path.join(folder, "ca.crt"))
    context.load_cert_chain(os.path.join(folder, "node-2.crt"), os.path.join(folder, "node-2.key"))
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer, context.wrap_socket(peer) as secure:
        return secure.getpeercert(binary_form=True)


def certify(folder, node, *options):
    done = run_ctl("cert", "node", folder, "--id", str(node), *options)
    equal(done.returncode, 0, done.stderr)


def certified(node, cluster):
    """The folder of a new authority of the cluster, with the certificate of node 1."""
    folder = os.path.join(node.home, "certs")
    equal(run_ctl("cert", "init", folder, "--cluster", cluster).returncode, 0)
    certify(folder, 1)
    return folder


@suite.case
def a_link_that_would_not_come_up_is_a_configuration_error_that_names_the_key():
    with Node() as node:
        folder = certified(node, "berlin-1")
        sound = link_config(folder, "berlin-1")
        bare = '[cluster]\naddress = "192.0.2.1"\nport = 0\n[payment]\nurl = "http://127.0.0.1:9"\n'
        for config, words in ((sound.replace('name = "berlin-1"\n', ""), ("cluster.name", "berlin-1")),
                              (sound.replace("port = 0", "port = 0\nnode = 2"), ("cluster.node", "node-1.crt")),
                              (bare, ("cluster.address", "without certificates"))):
            node.write_config(config)
            refused(node, EX_CONFIG, *words)
            done = daemon("--config", node.config_file, "--check-config")
            equal(done.returncode, EX_CONFIG, done.stderr)
            one_clear_line(done, *words)
        node.write_config(sound)
        done = daemon("--config", node.config_file, "--check-config")
        equal(done.returncode, 0, done.stderr)


@suite.case
def sighup_takes_a_renewed_certificate_and_keeps_the_old_one_for_a_pair_that_does_not_match():
    with Node() as node:
        folder = certified(node, "renewed")
        certify(folder, 2)
        own = {part: os.path.join(folder, f"node-1.{part}") for part in ("crt", "key")}
        node.write_config(link_config(folder, "renewed"))
        node.start()
        link = node.operate().get("/cluster").expect(200)["nodes"][0]["link"]
        first = shown_certificate(link, folder)
        certify(folder, 1, "--force")
        equal(shown_certificate(link, folder), first, "files are read when the node is told to")
        node.signal(signal.SIGHUP)
        poll("the new certificate is shown", lambda: shown_certificate(link, folder) != first)
        second = shown_certificate(link, folder)
        shutil.copy(os.path.join(folder, "node-2.key"), own["key"])
        node.signal(signal.SIGHUP)
        poll("the pair is refused", lambda: "certificates" in node.stderr() and "node-1.key" in node.stderr())
        equal(shown_certificate(link, folder), second)
        equal(node.stop(), 0)


@suite.case
def a_clean_stop_is_also_clean_for_a_copy():
    with Node() as node:
        shop = Shop(node.start())
        guest = shop.guest()
        guest.add(shop.product(), 4).expect(201)
        equal(node.stop(), 0)
        copy = os.path.join(node.home, "copy")
        shutil.copytree(node.data, copy)
        with Node(data=copy) as other:
            other.start()
            equal(other.client(guest.web.token).get("/api/cart").expect(200)["item_count"], 4)


suite.run()
suite.end()
