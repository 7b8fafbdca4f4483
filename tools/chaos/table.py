"""Rows of the table of cells, and the page it stands on."""

import collections
import os
import time

SHOWN_MAX = 4


class Row:
    def __init__(self, name, nodes, seed, skipped=None):
        self.name, self.nodes, self.seed, self.skipped = name, nodes, seed, skipped
        self.faults, self.facts, self.violations, self.notes = {}, {}, [], []
        self.outcomes = collections.Counter()
        self.rate_before = self.rate_after = self.gap_s = self.settled_s = 0.0

    def measure(self, history, began, calm_s, healed):
        """Rates and the longest time in which nobody was told of anything done."""
        self.outcomes = collections.Counter(entry[3 + 1] for entry in history)
        acks = sorted(entry[2] for entry in history if entry[4] == "ok")
        self.rate_before = sum(began - calm_s <= each < began for each in acks) / calm_s
        after = [each for each in acks if each >= healed]
        self.rate_after = len(after) / max(0.001, max(acks) - healed) if after else 0.0
        self.gap_s = max((b - a for a, b in zip(acks, acks[1:])), default=0.0)
        if not after:
            self.violations.append(("the shop goes on after healing", "nothing was acknowledged any more"))

    @property
    def outcome(self):
        if self.skipped:
            return f"skipped: {self.skipped}"
        laws = sorted({law for law, _ in self.violations})
        return "FAILED: " + ", ".join(laws) if laws else "; ".join(["passed", *self.notes])

    def show(self):
        print(f"   {sum(self.outcomes.values()):,} operations, {self.rate_before:.0f}/s before the first fault, longest gap "
              f"{self.gap_s:.2f} s; faults: {said(self.faults)}; {said(self.facts)}", flush=True)
        shown = collections.Counter()
        for law, what in self.violations:
            shown[law] += 1
            if shown[law] <= SHOWN_MAX:
                print(f"   VIOLATED {law}: {what[:400]}", flush=True)
        print(f"   {self.outcome}", flush=True)

    def cells(self):
        count = self.outcomes
        return [self.name, self.nodes, said(self.faults) or "-", f"{self.rate_before:,.0f}", f"{sum(count.values()):,}",
                f"{count['ok']:,}", f"{count['refused']:,}", f"{count['unknown']:,}", f"{self.facts.get('orders', 0):,}",
                f"{self.facts.get('carts', 0):,}", f"{self.gap_s:.2f}", f"{self.settled_s:.1f}", self.outcome]


HEADS = ["cell", "nodes", "faults", "ops/s before", "operations", "ok", "refused", "unknown", "orders", "carts", "longest gap s",
         "settled after s", "outcome"]


def said(counts):
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def text(rows):
    """For the terminal."""
    lines = [f"{'cell':22}{'ops/s':>7}{'operations':>12}{'unknown':>9}{'orders':>8}{'gap s':>7}  outcome"]
    for row in rows:
        lines.append(f"{row.name:22}{row.rate_before:>7.0f}{sum(row.outcomes.values()):>12,}{row.outcomes['unknown']:>9,}"
                     f"{row.facts.get('orders', 0):>8,}{row.gap_s:>7.2f}  {row.outcome}")
    failed = sum(1 for row in rows if row.violations)
    return "\n".join(lines) + f"\n{len(rows) - failed} passed or skipped, {failed} failed"


def write(rows, path, seconds):
    head = f"""# Chaos

What `tools/chaos.sh --table` found on {time.strftime('%d %B %Y', time.gmtime())}: real nodes, real kills, {seconds} s of faults a
cell. Each customer writes down what they asked and were told: *ok*, *refused*, or *unknown* (no clear answer). After healing
the whole shop is read back from every node and must agree with all of it: nothing oversold, stock conserved, each acknowledged
order there once and unchanged, captured once, both ledgers equal, the unknown ended one way or the other, ended sessions dead
everywhere, every cart linearizable. A cell counts at 500 acknowledged operations a second or more before its first fault.
*Longest gap*: in which no customer of the shop was told of anything done. *Settled after*: healing, until every shard had its
leader and all its voters.

"""
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    lines += ["| " + " | ".join(str(each) for each in row.cells()) + " |" for row in rows]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + "\n".join(lines) + "\n")
