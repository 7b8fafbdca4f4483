"""Rows of the table of cells, and the page it stands on: table.py ROWS... writes docs/chaos.md from files that tools/chaos.sh
--rows wrote."""

import collections
import json
import os
import sys
import time

SHOWN_MAX = 4
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEPT = ("name", "nodes", "seed", "skipped", "faults", "facts", "notes", "rate_before", "rate_after", "gap_s", "settled_s",
        "equal_s", "took_s", "load", "build")


class Row:
    """One run of a cell."""

    def __init__(self, name, nodes, seed, skipped=None):
        self.name, self.nodes, self.seed, self.skipped = name, nodes, seed, skipped
        self.build = ""  # what omnicartd --version says
        self.faults, self.facts, self.violations, self.notes = {}, {}, [], []
        self.outcomes = collections.Counter()
        self.rate_before = self.rate_after = self.gap_s = self.settled_s = self.equal_s = self.took_s = self.load = 0.0

    def measure(self, history, began, calm_s, healed):
        """Rates and the longest time in which nobody was told of anything done."""
        self.load = os.getloadavg()[0]
        self.outcomes = collections.Counter(entry[4] for entry in history)
        acks = sorted(entry[2] for entry in history if entry[4] == "ok")
        self.rate_before = rate(history, began - calm_s, began)
        after = [each for each in acks if each >= healed]
        self.rate_after = len(after) / max(0.001, max(acks) - healed) if after else 0.0
        self.gap_s = max((b - a for a, b in zip(acks, acks[1:])), default=0.0)
        if not after:
            self.violations.append(("the shop goes on after healing", "nothing was acknowledged any more"))

    @property
    def laws_broken(self):
        return sorted({law for law, _ in self.violations})

    @property
    def outcome(self):
        if self.skipped:
            return f"skipped: {self.skipped}"
        return "FAILED: " + ", ".join(self.laws_broken) if self.violations else "; ".join(["passed", *self.notes])

    def show(self):
        print(f"   {sum(self.outcomes.values()):,} operations, {self.rate_before:.0f}/s before the first fault, longest gap "
              f"{self.gap_s:.2f} s, settled after {self.settled_s:.1f} s, replicas equal after {self.equal_s:.1f} s; faults: {said(self.faults)}; {said(self.facts)}; "
              f"took {self.took_s:.0f} s", flush=True)
        shown = collections.Counter()
        for law, what in self.violations:
            shown[law] += 1
            if shown[law] <= SHOWN_MAX:
                print(f"   VIOLATED {law}: {what[:400]}", flush=True)
        print(f"   {self.outcome}", flush=True)

    def keep(self, path, seconds):
        """Adds it to a file of rows."""
        kept = {name: getattr(self, name) for name in KEPT}
        kept.update(outcomes=self.outcomes, laws_broken=self.laws_broken, seconds=seconds, at=time.time())
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(kept) + "\n")


def rate(history, begin, end):
    """Acknowledged operations a second."""
    return sum(entry[4] == "ok" and begin <= entry[2] < end for entry in history) / (end - begin)


def said(counts):
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def text(rows):
    """For the terminal."""
    lines = [f"{'cell':22}{'ops/s':>7}{'operations':>12}{'unknown':>9}{'orders':>8}{'gap s':>7}{'equal s':>9}  outcome"]
    for row in rows:
        lines.append(f"{row.name:22}{row.rate_before:>7.0f}{sum(row.outcomes.values()):>12,}{row.outcomes['unknown']:>9,}"
                     f"{row.facts.get('orders', 0):>8,}{row.gap_s:>7.2f}{row.equal_s:>9.1f}  {row.outcome}")
    failed = sum(1 for row in rows if row.violations)
    return "\n".join(lines) + f"\n{len(rows) - failed} passed or skipped, {failed} failed"


# --- the page --------------------------------------------------------------------------------------------------------


def read(paths):
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            rows += [json.loads(line) for line in file]
    return sorted(rows, key=lambda row: row["at"])


HEADS = ["cell", "nodes", "faults", "ops/s before", "operations", "ok", "refused", "unknown", "orders", "carts", "longest gap s",
         "equal after s", "load", "outcome"]


def passed(run):
    return not run["laws_broken"] and not run["notes"] and not run["skipped"]


def in_a_row(runs, of_one_build=True):
    """How many of the last runs passed one after the other, of the build of the last or of any."""
    count = 0
    for run in reversed(runs):
        if not passed(run) or (of_one_build and run["build"] != runs[-1]["build"]):
            break
        count += 1
    return count


def all_in_a_row(cells):
    """What can be said of every cell."""
    least = min(in_a_row(runs, of_one_build=False) for runs in cells)
    alike = min(map(in_a_row, cells))
    if least < 2:
        return "Not each cell passed more than once in a row."
    return f"Each cell passed {least} times in a row" + (
        " with one build." if alike == least else f"; with the last of the builds {alike} of {least}.")


def verdict(runs):
    """Of all runs of one cell."""
    if all(run["skipped"] for run in runs):
        return f"skipped: {runs[0]['skipped']}"
    good = sum(map(passed, runs))
    laws = sorted({law for run in runs for law in run["laws_broken"]} | {note for run in runs for note in run["notes"]})
    return f"passed {good} of {len(runs)}" + "".join(f"; {law}" for law in laws)


def line(name, runs):
    """Counts are sums over the runs, the rate is the lowest of them, times are the longest."""
    faults, outcomes, facts = collections.Counter(), collections.Counter(), collections.Counter()
    for run in runs:
        faults.update(run["faults"])
        outcomes.update(run["outcomes"])
        facts.update(run["facts"])
    worst = {each: max(run.get(each, 0.0) for run in runs) for each in ("gap_s", "equal_s", "load")}
    return [name, runs[0]["nodes"], said(faults) or "-", f"{min(run['rate_before'] for run in runs):,.0f}",
            f"{sum(outcomes.values()):,}", *(f"{outcomes[each]:,}" for each in ("ok", "refused", "unknown")),
            f"{facts['orders']:,}", f"{facts['carts']:,}", f"{worst['gap_s']:.2f}", f"{worst['equal_s']:.1f}",
            f"{worst['load']:.0f}" if worst["load"] else "-", verdict(runs)]


def page(rows):
    cells = collections.defaultdict(list)
    for row in rows:
        cells[row["name"]].append(row)
    seconds = ", ".join(str(each) for each in sorted({row["seconds"] for row in rows}))
    day = time.strftime("%d %B %Y", time.gmtime(max(row["at"] for row in rows)))
    head = f"""# Chaos

What `tools/chaos.sh` found on {day}: real nodes with TLS in network namespaces, real kills, {seconds} s of faults a cell. Each customer writes down what they asked and were told: *ok*, *refused*, or *unknown* (no clear answer). After
healing the whole shop is read back from every node and must agree with all of it: nothing oversold, stock conserved, each
acknowledged order there once and unchanged, captured once, both ledgers equal, the unknown ended one way or the other, ended
sessions dead everywhere, every cart that two customers fill at once linearizable, the carts of one customer as they were
told, no acknowledged write lost, and the replicas of every shard equal within
5 s (`omnicartctl cluster hashes`). `tests/chaos_checker_test.py` has a history that breaks each of these laws. What was
found in the tree itself, and mended, stands at the end of [planted-bugs.md](planted-bugs.md).

A fault counts once it was seen to hurt: a call that strace tampered with, a proxy that somebody came through, a full disk or
a wrong clock that the other nodes noticed. A cell counts at 500 acknowledged operations a second or more before its first fault (customers try 1,000 at most, or the part of it that --load names). Counts are
sums over its runs; *ops/s before* is the lowest, *longest gap*, in which no customer of the shop was told of anything done,
and *equal after*, from the customers' end until all replicas were seen to be equal, are the longest; *load* is the machine's
highest load average at the end of a run, other work on its {os.cpu_count()} cores included.

*flipped byte* changes a byte on the disk of a node that is down, and nothing is ever repaired in place. `omnicartctl store
verify` must name the file. Started all the same, the node ends and says why, or serves until it meets the damage: then it
logs `the store is damaged` and gives away what it leads, but keeps its replicas, whole or not, and its vote. *Repaired from
peers* is what the cell then does as an operator does: it ends the node, leaves its data alone, and puts a new one with a
number of its own in its place (`omnicartctl cluster join`, `replace`, `remove`), which gets whole copies from the shards'
leaders. The cluster does not do so by itself while the damaged node runs: until then its shards have a good copy less each.

"""
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    for name, runs in cells.items():
        lines.append("| " + " | ".join(str(each) for each in line(name, runs)) + " |")
    total = sum(sum(row["outcomes"].values()) for row in rows)
    good = sum(map(passed, rows))
    row_of = all_in_a_row(cells.values())
    builds = ", ".join(f"`{build}` ({count})" for build, count in collections.Counter(row["build"] for row in rows).items())
    return head + "\n".join(lines) + f"\n\n{len(cells)} cells, {len(rows)} runs, {good} passed, {total:,} operations checked. {row_of}\nBuilds, and how many runs each: {builds}.\n"


def write(rows, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(page(rows))


if __name__ == "__main__":
    write(read(sys.argv[1:]), os.path.join(ROOT, "docs", "chaos.md"))
