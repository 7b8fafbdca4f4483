#!/usr/bin/env python3
"""What runs the scripts of end-to-end tests one after the other (tests/e2e/harness/scripts.py) leaves nothing of them behind."""

import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "e2e")]
from harness import Suite, check, equal, poll  # noqa: E402
from harness.scripts import run_script  # noqa: E402

suite = Suite()
SHORT_S = 5
# A script with a node: a process of its own that would go on for ever, whose id it prints.
STARTS = """
import signal, subprocess, time
child = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print("child", child.pid, flush=True)
"""


def run(text, timeout_s, **more):
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(text)
        script.flush()
        return run_script(script.name, timeout_s, **more)


def is_there(pid):
    """Whether it runs; one that ended and that nobody asked after does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def child_in(said):
    return int(said.split("child ")[1].split()[0])


@suite.case
def a_script_that_ends_is_told_of_with_both_outputs():
    text = 'import os, sys; print(sys.argv[1:], os.environ["WORD"]); print("why", file=sys.stderr)'
    equal(run(text, 60, arguments=("a", "b"), more_env={"WORD": "w"}), ("['a', 'b'] w\n", "why\n", True))


@suite.case
def of_a_script_that_does_not_end_what_it_started_ends_too():
    stubborn = "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    for text, grace_s in ((STARTS + "time.sleep(1000)", 60), (STARTS + stubborn + "time.sleep(1000)", 0.2)):
        said, _, in_time = run(text, SHORT_S, grace_s=grace_s)
        check(not in_time, "it ended", said)
        poll("what it started has ended", lambda pid=child_in(said): not is_there(pid), 10)


@suite.case
def what_a_script_leaves_behind_when_it_breaks_ends_too():
    said, why, in_time = run(STARTS + 'raise RuntimeError("broken")', 60)
    check(in_time and "broken" in why, why)
    poll("what it started has ended", lambda: not is_there(child_in(said)), 10)


@suite.case
def a_script_that_does_not_end_leaves_its_cases_in_good_order():
    said, _, in_time = run("""
import time
try:
    time.sleep(1000)
finally:
    print("taken down", flush=True)
""", SHORT_S)
    equal((said, in_time), ("taken down\n", False))


@suite.case
def half_a_letter_at_the_end_of_the_time_does_not_hide_what_was_said():
    said, _, in_time = run(r"""
import sys, time
sys.stdout.buffer.write(b"passed \xc3")
sys.stdout.buffer.flush()
time.sleep(1000)
""", SHORT_S)
    equal((said, in_time), ("passed \ufffd", False))


suite.run()
suite.end()
