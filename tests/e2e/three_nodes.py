#!/usr/bin/env python3
"""The calls of the API against three nodes in the place of one, every call asked of the next of them: the same scripts, case by
case. A case that needs one node's process or files is left out by name, with its reason; so are whole scripts."""

import os
import re
import sys
import time

from harness.group import Group
from harness.scripts import run_script

HERE = os.path.dirname(os.path.abspath(__file__))
# The search first: some of its cases count all products that there are.
SCRIPTS = ("search", "api_cart", "api_orders", "api_people", "api_catalogue", "after_order", "promotions", "locations", "stock_places",
           "variants", "provider_word", "door", "api_doc", "roles", "bad_input", "personal_data",
           "trade")
LEFT_OUT = {
    "guards": "each case configures the front of a node: its certificate, limits, proxies and origins; door.py counts over three",
    "lifecycle": "the command line, files and signals of one process",
    "operators": "one node's own port, with its provider stopped and started",
    "provider": "the process that a node starts beside it; nodes of a cluster share one that they are told of",
    "durability": "syncs, damage and lack of space on one node's disk; tools/chaos.sh hurts the disks of clusters",
    "crash_points": "a node's process dies at chosen steps",
    "revocation": "a node's process dies at chosen steps",
    "kill_storm": "a node's process is killed again and again; chaos.py does it to clusters",
    "documents": "commands as the documents have them, for one node",
    "backup": "clusters of its own", "chaos": "clusters of its own", "cluster": "clusters of its own",
    "cluster_growth": "clusters of its own", "three_nodes": "this one",
}
SCRIPT_S = 300


def run(name, home, only):
    """Passed, failed, and what is to be told of it."""
    out, err, in_time = run_script(os.path.join(HERE, name + ".py"), SCRIPT_S, only, {"OMNICART_E2E_CLUSTER": home})
    if not in_time:
        return 0, 1, [f"ended after {SCRIPT_S} s", out[-2000:]]
    said = re.search(r"^(\d+) passed, (\d+) failed$", out, re.MULTILINE)
    good, bad = (int(said[1]), int(said[2])) if said else (0, 1)
    told = [line for line in out.splitlines() if line.startswith("skip ") or (bad and not line.startswith("ok "))]
    return good, bad, told + ([err[-2000:]] if bad and not said else [])


scripts = {name.removesuffix(".py") for name in os.listdir(HERE) if name.endswith(".py")}
passed = failed = 0
for script in sorted(scripts ^ (set(SCRIPTS) | LEFT_OUT.keys())):
    failed += 1
    print(f"FAILED {script}: no such script, or it neither runs on three nodes nor is left out with a reason", flush=True)
with Group() as group:
    group.start()
    for script in SCRIPTS:
        began = time.monotonic()
        good_ones, bad_ones, more = run(script, group.home, sys.argv[1:])
        passed, failed = passed + good_ones, failed + bad_ones
        print(f"{'ok    ' if bad_ones == 0 else 'FAILED'} {script} on three nodes: {good_ones} passed, {bad_ones} failed "
              f"({time.monotonic() - began:.0f} s)", flush=True)
        print(*more, sep="\n", end="\n" if more else "")
print(f"{passed} passed, {failed} failed")
sys.exit(0 if failed == 0 and passed > 0 else 1)
