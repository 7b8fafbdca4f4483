"""A small runner: cases are functions whose names are claims; the last line printed is `N passed, N failed`."""

import os
import shutil
import sys
import time
import traceback

# Deadlines are generous because sanitized builds on a busy machine are slow; nothing waits longer than it must.
PATIENCE_S = float(os.environ.get("OMNICART_E2E_PATIENCE_S", "60"))


class Unmet(AssertionError):
    pass


def check(holds, what="", *more):
    if not holds:
        raise Unmet(" ".join([str(what), *(repr(m) for m in more)]))


def equal(got, wanted, what=""):
    if got != wanted:
        raise Unmet(f"{what}{': ' if what else ''}got {got!r}, wanted {wanted!r}")


def poll(what, probe, deadline_s=None):
    """Asks `probe` until it gives something true, which is returned; fails at the deadline with the last answer."""
    until = time.monotonic() + (PATIENCE_S if deadline_s is None else deadline_s)
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() >= until:
            raise Unmet(f"not in time: {what} (last: {got!r})")
        time.sleep(0.01)


class Suite:
    """Runs cases in the order they were added. `only` on the command line picks cases by a part of their name."""

    def __init__(self):
        self.cases = []
        self.passed = 0
        self.failed = 0

    def case(self, function):
        self.cases.append((function.__name__, function))
        return function

    def add(self, name, function):
        self.cases.append((name, function))

    @staticmethod
    def skip(name, reason):
        """For a case that this machine does not let us try: tools/test.sh tells of it at its end."""
        print(f"skip   {name}: {' '.join(reason.split())}", flush=True)

    def count(self, name, failure=None, seconds=None):
        took = "" if seconds is None else f" ({seconds:.1f} s)"
        if failure is None:
            self.passed += 1
            print(f"ok     {name}{took}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED {name}{took}\n       {failure}", flush=True)

    def run_case(self, name, function, *arguments):
        began = time.monotonic()
        failure = None
        try:
            function(*arguments)
        except Exception as wrong:  # a case that breaks is a case that failed
            failure = explain(wrong)
        self.count(name, failure, time.monotonic() - began)
        return failure is None

    def run(self, *arguments):
        only = sys.argv[1] if len(sys.argv) > 1 else ""
        for name, function in self.cases:
            if only in name:
                self.run_case(name, function, *arguments)

    def leave(self, directory):
        """Takes away what the cases worked in; when one failed it is kept, and named."""
        if self.failed:
            print(f"       kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)


def explain(wrong):
    """Where in the scripts it happened, and what."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    frames = [f for f in traceback.extract_tb(wrong.__traceback__) if f.filename.startswith(here)]
    place = " < ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in reversed(frames[-4:]))
    return f"{type(wrong).__name__ if not isinstance(wrong, Unmet) else ''} {wrong} [{place}]".strip()
