#!/usr/bin/env python3
"""Ends a node at each of its named crash points while a customer shops, starts it again, and looks at the books.

After each: everything acknowledged is there (walked again with the same keys, it is a replay), what was in doubt happens
once, and the laws hold. A point that the trip does not reach, or a node that ends of something else, is a failure."""

import concurrent.futures
import os
import re
import shutil
import signal
import sys
import tempfile
import time

from harness import Node, Shop, Suite, check, equal
from harness.journey import Journey, prepare
from harness.node import ROOT
from harness.suite import explain

CONFIG = """[memory]
idle_passivation_s = 1
[payment]
answer_timeout_ms = 400
"""
REACH_S = 20
# All there are. What is added to the engine is added here, and the other way round.
NAMES = """
before_append after_append before_sync after_sync before_done after_done before_apply after_apply
before_reply after_reply before_snapshot after_snapshot before_hold after_hold before_effect after_effect
before_settle after_settle before_load after_load before_passivate before_wake
before_provider_call after_provider_call before_provider_answer after_provider_answer
before_http_answer after_http_request
""".split()
# Which passes: early, when sessions and carts begin, and in the middle of checkouts. Points passed rarely: the first.
PASSES = {"before_snapshot": (1,), "after_snapshot": (1,), "before_wake": (1,), "before_passivate": (1, 6),
          "before_hold": (1, 4), "after_hold": (1, 4),
          "before_provider_call": (1, 2), "after_provider_call": (1, 2),
          "before_provider_answer": (1, 2), "after_provider_answer": (1, 2),
          "before_load": (2, 12), "after_load": (2, 12),
          "before_effect": (2, 15), "after_effect": (2, 15), "before_settle": (2, 15), "after_settle": (2, 15)}
USUALLY = (2, 60)


def compiled_in():
    with open(os.path.join(ROOT, "runtime", "crash_point.cpp"), encoding="utf-8") as file:
        table = re.search(r"names\[\] = \{(.*?)\n\};", file.read(), re.DOTALL).group(1)
    return re.findall(r'^\s*"(\w+)",', table, re.MULTILINE)


def crash_and_recover(template, point, turn):
    home = tempfile.mkdtemp(prefix="omnicart-e2e.")
    try:
        data = os.path.join(home, "data")
        shutil.copytree(template, data)
        journey = Journey()
        with Node(CONFIG, {"OMNICART_CRASH_AT": f"{point}:{turn}"}, data=data) as node:
            node.start()
            journey.walk_until_it_dies(node, REACH_S)
            equal(node.wait(), -signal.SIGKILL, "how the node ended")
            check(f"crash point {point}" in node.stderr().splitlines(), "it ended of something else", node.stderr()[-500:])
            acknowledged = len(journey.told)
            node.environment = {}
            shop = Shop(node.start())
            journey.walk(node)
            check(journey.replays >= acknowledged, "less was replayed than acknowledged", journey.replays, acknowledged)
            journey.check_books(shop)
            node.laws("10s")
            return acknowledged
    finally:
        shutil.rmtree(home, ignore_errors=True)


def attempt(template, point, turn):
    began, failure, acknowledged = time.monotonic(), None, 0
    try:
        acknowledged = crash_and_recover(template, point, turn)
    except Exception as wrong:  # counted as this case's failure
        failure = explain(wrong)
    return f"a_crash_at_{point}_{turn}_loses_nothing_and_repeats_nothing", failure, time.monotonic() - began, acknowledged


def main():
    suite = Suite()
    suite.run_case("the_crash_points_are_exactly_these", lambda: equal(sorted(compiled_in()), sorted(NAMES)))
    wanted = [(p, n) for p in NAMES for n in PASSES.get(p, USUALLY) if len(sys.argv) < 2 or sys.argv[1] in p]
    with Node(CONFIG) as node:
        prepare(Shop(node.start()))
        equal(node.stop(), 0, "the node that made the template")
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
            for done in pool.map(lambda case: attempt(node.data, *case), wanted):
                suite.count(*done[:3])
    suite.end()


main()
