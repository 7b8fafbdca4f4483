#!/usr/bin/env python3
"""The calls of the API against three nodes in the place of one, every call asked of the next of them: the same scripts, case by
case. A case that needs one node's process or files is left out by name, with its reason."""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = ("api_cart", "api_orders", "api_people", "api_catalogue", "after_order", "promotions", "locations", "stock_places", "variants")
SCRIPT_S = 300

passed = failed = 0
for name in SCRIPTS:
    only = sys.argv[1:] if len(sys.argv) > 1 else []
    done = subprocess.run([sys.executable, os.path.join(HERE, name + ".py"), *only], capture_output=True, text=True,
                          timeout=SCRIPT_S, stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "OMNICART_E2E_NODES": "3"})
    said = re.search(r"^(\d+) passed, (\d+) failed$", done.stdout, re.MULTILINE)
    good, bad = (int(said[1]), int(said[2])) if said else (0, 1)
    passed, failed = passed + good, failed + bad
    print(f"{'ok    ' if bad == 0 else 'FAILED'} {name} on three nodes: {good} passed, {bad} failed", flush=True)
    for line in done.stdout.splitlines():
        if line.startswith("skip ") or (bad and not line.startswith("ok ")):
            print(line)
    if bad and not said:
        print(done.stderr[-2000:])
print(f"{passed} passed, {failed} failed")
sys.exit(0 if failed == 0 and passed > 0 else 1)
