"""Measures the rows of docs/benchmarks.md: medians of several rounds, ratios within one round."""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import tempfile

from servers import Nginx, Node, Redis

PAGE = "docs/benchmarks.md"


def per_s(report):
    return report["figures"]["requests_per_s"]


def node_rate(node, kind, seconds, *more, connections=64):
    """Requests a second of one kind, and the server's CPU microseconds for each."""
    before = node.cpu_s()
    report = node.load("bench", "--requests", kind, *more, duration=seconds, connections=connections)
    used = node.cpu_s() - before
    rate = per_s(report)
    return rate, used / (rate * seconds) * 1e6


def against_nginx(folder, seconds, kind):
    """The same prepared requests to a node and to nginx answering a constant of the same size."""
    node = Node(os.path.join(folder, "node"))
    requests = os.path.join(folder, kind + ".requests")
    ours, our_cpu = node_rate(node, kind, seconds, "--save", requests)
    node.stop()
    nginx = Nginx(os.path.join(folder, "nginx"), ANSWER_BYTES[kind])
    before = nginx.cpu_s()
    theirs = per_s(nginx.load(folder, requests, duration=seconds))
    their_cpu = (nginx.cpu_s() - before) / (theirs * seconds) * 1e6
    nginx.stop()
    return {"ours": ours, "theirs": theirs, "ratio": ours / theirs, "our_cpu_us": our_cpu, "their_cpu_us": their_cpu}


# Bodies of the answers that the prepared requests get: a cart of five lines, and one changed line with its totals.
ANSWER_BYTES = {"cart-read": 1_300, "cart-write": 300}


def against_redis(folder, seconds):
    node = Node(os.path.join(folder, "node"))
    ours, our_cpu = node_rate(node, "cart-write", seconds)
    node.stop()
    redis = Redis(os.path.join(folder, "redis"))
    before = redis.cpu_s()
    theirs = redis.hset_per_s(seconds)
    their_cpu = (redis.cpu_s() - before) / (theirs * seconds) * 1e6
    redis.stop()
    return {"ours": ours, "theirs": theirs, "ratio": ours / theirs, "our_cpu_us": our_cpu, "their_cpu_us": their_cpu}


def hot_against_many(folder, seconds):
    node = Node(os.path.join(folder, "node"))
    hot, hot_cpu = node_rate(node, "reserve-hot", seconds)
    many, many_cpu = node_rate(node, "reserve-many", seconds)
    node.stop()
    return {"ours": hot, "theirs": many, "ratio": hot / many, "our_cpu_us": hot_cpu, "their_cpu_us": many_cpu}


def long_against_short(folder, seconds):
    node = Node(os.path.join(folder, "node"))
    long, long_cpu = node_rate(node, "cart-long", seconds, "--lines", "1000")
    short, short_cpu = node_rate(node, "cart-long", seconds, "--lines", "1")
    node.stop()
    return {"ours": long, "theirs": short, "ratio": long / short, "our_cpu_us": long_cpu, "their_cpu_us": short_cpu}


VENDURE_CHECKOUTS_PER_S = 4.2  # Vendure 3 on PostgreSQL on this kind of machine, as the design states it


def checkouts(folder, seconds):
    node = Node(os.path.join(folder, "node"))
    rate, cpu = node_rate(node, "checkout", seconds)
    node.stop()
    return {"ours": rate, "theirs": VENDURE_CHECKOUTS_PER_S, "ratio": rate / VENDURE_CHECKOUTS_PER_S, "our_cpu_us": cpu,
            "their_cpu_us": None}


ROWS = [
    ("read a cart, against nginx answering a constant", "0.40", lambda f, s: against_nginx(f, s, "cart-read")),
    ("durable cart write, against nginx answering a constant", "0.15", lambda f, s: against_nginx(f, s, "cart-write")),
    ("durable cart write, against bare Redis (appendfsync always, HSET)", "0.30", against_redis),
    ("whole checkouts (cart of 3, pay, order), against Vendure's 4.2 /s", "1000", checkouts),
    ("reservations of one hot SKU, against many SKUs", "0.50", hot_against_many),
    ("adding to a cart of 1,000 lines, against one of 1 line", "0.90", long_against_short),
]


def median_row(results):
    keys = results[0].keys()
    return {key: None if results[0][key] is None else statistics.median(r[key] for r in results) for key in keys}


def show(number):
    if number is None:
        return "-"
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}" if number < 10 else f"{number:.1f}"


def table(measured):
    lines = ["| row | at least | ratio (median) | lowest .. highest | ours /s | theirs /s | our CPU us | their CPU us |",
             "|---|---|---|---|---|---|---|---|"]
    for name, target, results in measured:
        row = median_row(results)
        ratios = [r["ratio"] for r in results]
        lines.append(f"| {name} | {target} | **{show(row['ratio'])}** | {show(min(ratios))} .. {show(max(ratios))} | "
                     f"{show(row['ours'])} | {show(row['theirs'])} | {show(row['our_cpu_us'])} | {show(row['their_cpu_us'])} |")
    return "\n".join(lines)


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "unknown")
    version = subprocess.run(["build/release/omnicartd", "--version"], capture_output=True, text=True).stdout.strip()
    return f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, {version}, {datetime.date.today()}"


def write_page(text, seconds, rounds):
    with open(PAGE) as page:
        old = page.read()
    begin, end = "<!-- measured: begin -->", "<!-- measured: end -->"
    head, rest = old.split(begin, 1)
    tail = rest.split(end, 1)[1]
    with open(PAGE, "w") as page:
        page.write(f"{head}{begin}\n{machine()}; {rounds} rounds of {seconds} s each, client on the same cores.\n\n"
                   f"{text}\n{end}{tail}")


def main():
    parse = argparse.ArgumentParser(prog="tools/bench.sh")
    parse.add_argument("--seconds", type=int, default=5)
    parse.add_argument("--rounds", type=int, default=5)
    parse.add_argument("--only", default="")
    asked = parse.parse_args()
    rows = [row for row in ROWS if asked.only in row[0]]
    if not rows:
        raise SystemExit("error: no row contains " + asked.only)
    measured = []
    for name, target, measure in rows:
        results = []
        for number in range(asked.rounds):
            with tempfile.TemporaryDirectory(prefix="omnicart-bench.") as folder:
                results.append(measure(folder, asked.seconds))
            print(f"{name}: round {number + 1} of {asked.rounds}, ratio {show(results[-1]['ratio'])}", flush=True)
        measured.append((name, target, results))
    text = table(measured)
    print("\n" + text)
    if not asked.only:
        write_page(text, asked.seconds, asked.rounds)


if __name__ == "__main__":
    main()
