"""The metrics that a node exports, and those that docs/metrics.md lists."""

import os
import re

from .node import ROOT
from .suite import check

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? ")
LABEL = re.compile(r'(\w+)="(?:\\.|[^"\\])*"')
OF_HISTOGRAM = re.compile(r"_(bucket|sum|count)$")
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", re.MULTILINE)


def exported(text):
    """By name: type, labels, help. Each family is declared once, before its samples."""
    kinds, helps, labels = {}, {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, helps[name] = line.split(" ", 3)[2:]
        elif line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            check(name not in kinds, f"{name} is declared twice")
            kinds[name], labels[name] = kind, set()
        else:
            name, inside = SAMPLE.match(line).groups()
            family = name if name in kinds else OF_HISTOGRAM.sub("", name)
            labels[family] |= set(LABEL.findall(inside or ""))
            if kinds[family] == "histogram":
                labels[family] -= {"le"}
    return {name: (kind, ", ".join(sorted(labels[name])), helps[name]) for name, kind in kinds.items()}


def listed():
    with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
        rows = ROW.findall(file.read())
    check(len({row[0] for row in rows}) == len(rows), "a metric is listed twice")
    return {name: tuple(rest) for name, *rest in rows}
