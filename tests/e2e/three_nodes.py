#!/usr/bin/env python3
"""The calls of the API against three nodes in the place of one, every call asked of the next of them: the same scripts, case by
case. A case that needs one node's process or files is left out by name, with its reason."""

import os
import re
import subprocess
import sys
import time

from harness.group import Group

HERE = os.path.dirname(os.path.abspath(__file__))
# The search first: some of its cases count all products that there are.
SCRIPTS = ("search", "api_cart", "api_orders", "api_people", "api_catalogue", "after_order", "promotions", "locations", "stock_places",
           "variants", "provider_word", "door")
SCRIPT_S = 300


def run(name, home, only):
    """Passed, failed, and what is to be told of it."""
    done = subprocess.run([sys.executable, os.path.join(HERE, name + ".py"), *only], capture_output=True, text=True,
                          timeout=SCRIPT_S, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "OMNICART_E2E_CLUSTER": home})
    said = re.search(r"^(\d+) passed, (\d+) failed$", done.stdout, re.MULTILINE)
    good, bad = (int(said[1]), int(said[2])) if said else (0, 1)
    told = [line for line in done.stdout.splitlines() if line.startswith("skip ") or (bad and not line.startswith("ok "))]
    return good, bad, told + ([done.stderr[-2000:]] if bad and not said else [])


passed = failed = 0
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
