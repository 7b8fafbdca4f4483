"""Carts at rest: what an active one costs in memory, and how soon a node with a million of them serves again."""

import base64
import json
import os
import signal
import statistics
import subprocess
import time
import urllib.request

from servers import BIN, Node

CARTS_IN_MEMORY = 100_000
CARTS_PER_RUN = 50_000  # made by one run of the client, so that tokens do not run out on the way


def resident_kib(node):
    with open(f"/proc/{node.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def session_of(request):
    """The session that a prepared request speaks for; its cart has the same id."""
    token = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization:")).split()[-1]
    claims = token.split(b".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))["sid"]


def read_prepared(path):
    with open(path, "rb") as file:
        while line := file.readline():
            yield file.read(int(line))
            file.readline()


def make_carts(node, folder, count):
    """Creates `count` guests with a cart of five lines each; returns the carts' ids."""
    ids = []
    requests = os.path.join(folder, "carts.requests")
    while len(ids) < count:
        some = min(CARTS_PER_RUN, count - len(ids))
        node.load("bench", "--requests", "cart-read", "--sessions", str(some), "--save", requests, duration=1)
        ids += [session_of(request) for request in read_prepared(requests)]
        print(f"  {len(ids):,} carts", flush=True)
    return ids


def staff_token(node):
    command = [f"{BIN}/omnicartctl", "--operator", "http://" + node.at["operator"], "--token-file", node.token_file, "token",
               "issue", "--role", "admin"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def read_each(node, folder, ids):
    """Every cart once, by staff: that activates the carts and no sessions."""
    token = staff_token(node)
    path = os.path.join(folder, "reads.requests")
    with open(path, "wb") as file:
        for cart in ids:
            request = (f"GET /api/carts/{cart} HTTP/1.1\r\nHost: {node.at['http']}\r\n"
                       f"Authorization: Bearer {token}\r\n\r\n").encode()
            file.write(b"%d\n%s\n" % (len(request), request))
    seconds = 2
    while active(node) < len(ids) and seconds < 600:
        node.load("bench", "--requests", path, duration=seconds)
        seconds *= 2


def active(node):
    return int(node.metric("omnicart_entities_resident"))


def first_read_s(node, cart):
    token = staff_token(node)
    began = time.monotonic()
    request = urllib.request.Request(f"http://{node.at['http']}/api/carts/{cart}", headers={"Authorization": "Bearer " + token})
    with urllib.request.urlopen(request, timeout=30) as answer:
        lines = json.load(answer)["items"]
    if len(lines) != 5:
        raise SystemExit(f"error: cart {cart} came back with {len(lines)} lines")
    return time.monotonic() - began


def restart_s(folder, node, how, cart):
    """Ends the node, starts it again: seconds until it serves, and until it has answered its first read."""
    node.stop(how)
    began = time.monotonic()
    again = Node(folder)
    serving = time.monotonic() - began
    return again, serving, serving + first_read_s(again, cart)


def bytes_per_active_cart(folder, count):
    data = os.path.join(folder, "memory")
    with Node(data) as node:
        ids = make_carts(node, folder, count)
    with Node(data) as node:
        read_each(node, folder, ids[:count // 100])  # what the first requests need once
        before, residents = resident_kib(node), active(node)
        read_each(node, folder, ids)
        return (resident_kib(node) - before) * 1024 / (active(node) - residents)


def measure(folder, carts, rounds):
    lines = ["| what | figure | at most |", "|---|---|---|"]
    memory = bytes_per_active_cart(folder, min(CARTS_IN_MEMORY, carts))
    lines.append(f"| resident memory for one active cart of five lines, over {min(CARTS_IN_MEMORY, carts):,} | {memory:,.0f} bytes | 2,560 |")
    data = os.path.join(folder, "rest")
    node = Node(data)
    try:
        began = time.monotonic()
        ids = make_carts(node, folder, carts)
        lines.append(f"| {carts:,} carts of five lines made (two requests each) | {time.monotonic() - began:,.0f} s | - |")
        for name, how in (("SIGTERM", signal.SIGTERM), ("kill -9", signal.SIGKILL)):
            times = []
            for number in range(rounds):
                make_carts(node, folder, min(20_000, carts))  # something in the log to recover
                node, serving, answered = restart_s(data, node, how, ids[number])
                print(f"  {name}: serving after {serving:.2f} s, first read after {answered:.2f} s", flush=True)
                times.append((serving, answered))
            serving, answered = (statistics.median(each) for each in zip(*times))
            worst = max(each for each, _ in times)
            lines.append(f"| {name} with {carts:,} carts: serving again after | {serving:.2f} s (slowest of {rounds}: {worst:.2f} s) | 2 s |")
            lines.append(f"| {name}: first cart read after | {answered:.2f} s | - |")
    finally:
        node.stop()
    return "\n".join(lines)
