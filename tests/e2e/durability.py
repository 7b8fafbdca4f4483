#!/usr/bin/env python3
"""What is acknowledged is on disk: syncs are counted and made to fail, stores are damaged and verified, space runs out."""

import glob
import json
import os
import re
import shutil
import subprocess

from harness import Gone, Node, Shop, Suite, check, equal, poll, run_ctl
from harness.node import ROOT
from harness.shop import fresh

suite = Suite()
EX_IOERR = 74
WRITES = 200


def why_no_strace():
    """Empty when system calls can be traced and made to fail here."""
    if not shutil.which("strace"):
        return "strace is not installed"
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "true"], capture_output=True,
                           text=True, check=False)
    return "" if tried.returncode == 0 else "strace is not permitted here: " + tried.stderr.strip()[-200:]


def traced(log, *more):
    # Under ptrace the leak check at exit cannot run.
    return Node(wrapper=["strace", "-f", "-qq", "-o", log, "-e", "trace=fdatasync,fsync", *more],
                environment={"ASAN_OPTIONS": "detect_leaks=0"})


def traces_case(function):
    """A case that needs strace: passed over, with the reason printed, where it cannot run."""
    if reason := why_no_strace():
        suite.skip(function.__name__, reason)
    else:
        suite.case(function)
    return function


def syncs_in(log):
    with open(log, encoding="utf-8", errors="replace") as file:
        return len(re.findall(r"(?:fdatasync|fsync)\(\d+.*= 0|fdatasync resumed>.*= 0", file.read()))


@traces_case
def two_hundred_writes_on_one_connection_make_two_hundred_syncs():
    log = os.path.join("/tmp", fresh("omnicart-e2e-strace"))
    try:
        with traced(log) as node:
            shop = Shop(node.start())
            guest, product = shop.guest(), shop.product()
            guest.add(product).expect(201)
            before = syncs_in(log)
            for _ in range(WRITES):
                guest.add(product).expect(201)
            made = syncs_in(log) - before
            check(made >= WRITES, f"{made} syncs for {WRITES} writes")
            equal(node.stop(), 0)
    finally:
        os.unlink(log)


@traces_case
def a_failing_sync_ends_the_node_with_74_and_no_later_success():
    log = os.path.join("/tmp", fresh("omnicart-e2e-strace"))
    try:
        with Node() as template:  # the directory is made without faults
            shop = Shop(template.start())
            product = shop.product()
            guest = shop.guest()
            guest.add(product).expect(201)
            template.stop()
            fail_a_sync(template, guest.web.token, product, log)
    finally:
        os.unlink(log)


def fail_a_sync(template, token, product, log):
    # The first syncs are the start's own. That of a later write fails, wherever exactly it stands in the count.
    with traced(log, "-e", "inject=fdatasync:error=EIO:when=60+") as node:
        node.data = template.data
        node.start()
        web, acknowledged, failed = node.client(token), 1, None
        for _ in range(200):
            try:
                answer = web.post("/api/cart/items", {"product_id": product, "quantity": 1})
            except Gone as gone:
                failed = gone
                break
            if answer.status != 201:
                check(answer.status == 503 and answer.json["retryable"], "not an honest answer", answer)
                failed = answer
                break
            acknowledged += 1
        check(failed, "no sync failed in 200 writes")
        try:
            check(web.post("/api/cart/items", {"product_id": product, "quantity": 1}).status >= 500, "a later success")
        except Gone:
            pass
        equal(node.wait(), EX_IOERR)
    template.start()
    count = template.client(token).get("/api/cart").expect(200)["item_count"]
    check(acknowledged <= count <= acknowledged + 2, "what a restart finds", count, acknowledged)


# --- verifying ------------------------------------------------------------------------------------------------

def traded(node):
    """A store with something of every kind in tables and in the log."""
    shop = Shop(node.start())
    for _ in range(3):
        shop.buy()
    node.stop()
    node.start()
    Shop(node).buy()
    node.kill()


@suite.case
def a_store_verifies_after_a_kill_and_after_a_clean_stop():
    with Node() as node:
        traded(node)
        done = run_ctl("store", "verify", node.data)
        equal(done.returncode, 0, done.stdout + done.stderr)
        node.start().stop()
        done = run_ctl("store", "verify", node.data)
        equal(done.returncode, 0, done.stdout + done.stderr)


@suite.case
def the_store_of_a_running_node_is_not_verified():
    with Node() as node:
        node.start()
        check(run_ctl("store", "verify", node.data).returncode not in (0, 1))
        check(run_ctl("store", "verify", node.home + "/none").returncode != 0)


def files_of(node, ending, bytes_min):
    store = os.path.join(node.data, "db")
    found = [f for f in os.listdir(store) if f.endswith(ending) and os.path.getsize(os.path.join(store, f)) > bytes_min]
    check(found, f"no {ending} files")
    return found


@suite.case
def a_flipped_byte_in_a_table_of_a_copied_store_is_found():
    with Node() as node:
        shop = Shop(node.start())
        for _ in range(3):
            shop.buy()
        # After a stop every table is a part of the store; a kill may leave some that were replaced.
        equal(node.stop(), 0)
        for name in files_of(node, ".sst", 0):
            flip_and_verify(node, name)


@suite.case
def a_flipped_byte_in_the_log_of_a_copied_store_is_found():
    with Node() as node:
        traded(node)
        for name in files_of(node, ".log", 1000):
            flip_and_verify(node, name)


def flip_and_verify(node, name):
    place = os.path.getsize(os.path.join(node.data, "db", name)) // 2
    copy = os.path.join(node.home, "copy")
    shutil.copytree(node.data, copy)
    path = os.path.join(copy, "db", name)
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x10]))
    done = run_ctl("--json", "store", "verify", copy)
    equal(done.returncode, 1, f"{name} at {place}: {done.stdout[-500:]} {done.stderr[-500:]}")
    check(name in done.stdout, f"the report does not name {name}", done.stdout[-500:])
    shutil.rmtree(copy)


def change(path, place, byte):
    with open(path, "r+b") as file:
        file.seek(place)
        old = file.read(1)[0]
        file.seek(place)
        file.write(bytes([old ^ byte]))


@suite.case
def a_flipped_byte_or_a_lost_end_of_the_ledger_is_refused_naming_the_entry_and_a_torn_end_is_not():
    with Node() as node:
        traded(node)
        ledger = os.path.join(node.data, "pay", "ledger.log")
        whole = os.path.getsize(ledger)
        with open(ledger, "rb") as file:
            last = file.read().rstrip(b"\n").rindex(b"\n") + 1
        change(ledger, whole - 30, 0x10)
        done = run_ctl("--json", "store", "verify", node.data)
        equal(done.returncode, 1, done.stdout + done.stderr)
        check(f"pay/ledger.log at byte {last}" in done.stdout, done.stdout)
        node.launch()
        equal(node.wait(), 69)
        check(f"corrupted at byte {last}" in node.stderr(), node.stderr())
        equal(os.path.getsize(ledger), whole, "the damaged ledger was changed")
        change(ledger, whole - 30, 0x10)
        os.truncate(ledger, whole - 10)
        done = run_ctl("store", "verify", node.data)
        equal(done.returncode, 1, done.stdout + done.stderr)
        check("ledger.synced says that it was synced" in done.stdout, done.stdout)
        node.launch()
        equal(node.wait(), 69)
        check("ledger.synced says that it was synced" in node.stderr(), node.stderr())
        os.remove(os.path.join(os.path.dirname(ledger), "ledger.synced"))
        done = run_ctl("store", "verify", node.data)
        equal(done.returncode, 0, done.stdout + done.stderr)
        check("note: pay/ledger.log ends within a write" in done.stdout, done.stdout)
        node.start()
        check("cut" in node.stderr(), node.stderr())


# --- space ----------------------------------------------------------------------------------------------------

@suite.case
def with_too_little_disk_the_node_reads_and_refuses_writes_and_recovers():
    with Node() as node:
        shop = Shop(node.start())
        guest, product = shop.guest(), shop.product()
        guest.add(product, 2).expect(201)
        equal(node.stop(), 0)
        node.write_config("[storage]\nmin_free_mib = 1048576\n")
        node.start()
        check(os.statvfs(node.data).f_bavail * os.statvfs(node.data).f_frsize < 1 << 40, "a disk of more than a terabyte")
        web = node.client(guest.web.token)
        refused = poll("writes are refused", lambda:
                       (a := web.post("/api/cart/items", {"product_id": product, "quantity": 1})).status == 503 and a)
        equal((refused.code, refused.json["retryable"]), ("storage_full", True))
        check(refused.headers.get("retry-after"))
        equal(web.get("/api/cart").expect(200)["item_count"], 2)
        web.get("/api/products/" + product).expect(200)
        web.get("/api/orders").expect(200)
        node.operate().get("/health/ready").expect(503)
        node.operate().get("/health/live").expect(200)
        node.client().post("/api/sessions").expect(503, "storage_full")
        unready = node.client().get("/health/ready").expect(503, "storage_full")
        check(int(unready.headers["retry-after"]) >= 1 and unready["retryable"] is True, unready, unready.headers)
        node.client().get("/health/live").expect(200)
        equal(node.stop(), 0)
        node.write_config("[storage]\nmin_free_mib = 16\n")
        node.start()
        node.client(guest.web.token).post("/api/cart/items", {"product_id": product, "quantity": 1}).expect(201)


# --- stores of older builds -----------------------------------------------------------------------------------

@suite.case
def a_node_serves_the_store_of_every_released_format():
    stores = glob.glob(os.path.join(ROOT, "tests", "data", "store-format-*"))
    check(stores, "no released stores")
    for store in stores:
        with open(os.path.join(store, "entities.json"), encoding="utf-8") as file:
            told = json.load(file)
        with Node() as node:
            for part in ("db", "pay"):
                shutil.copytree(os.path.join(store, part), os.path.join(node.data, part))
            shop = Shop(node.start())
            # What a shop keeps for ever; guests' carts and sessions may have had their time since.
            kept = {name: facts for name, facts in told["entities"].items() if name.split("/")[0] in ("order", "product", "user")}
            for name, facts in kept.items():
                equal(node.operate().get("/entities/" + name).expect(200)["version"], facts["version"], name)
            equal(sorted("order/" + o["order_id"] for o in shop.admin.all_of("/api/orders")),
                  sorted(name for name in kept if name.startswith("order/")))
            signed_in = shop.web.post("/api/users/login", {"email": told["email"], "password": told["password"]}).expect(200)
            check("user/" + signed_in["user"]["user_id"] in kept, signed_in)
            shop.buy("tea")
            node.laws()


suite.run()
suite.end()
