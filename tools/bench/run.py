"""Measures the rows of docs/benchmarks.md: medians of several rounds, ratios within one round."""

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import tempfile

import nodes
import rest
from servers import Nginx, Node, Redis

PAGE = "docs/benchmarks.md"


def measured(server, load):
    """What `load` reports, with the server's CPU time meanwhile."""
    before = server.cpu_s()
    figures = load()
    return figures, server.cpu_s() - before


def rate_and_cpu(server, load, seconds):
    figures, cpu_s = measured(server, load)
    rate = figures["requests_per_s"]
    return rate, cpu_s / (rate * seconds) * 1e6


def prepare(node, folder, kind):
    """Makes the sessions and products of a kind of request, and saves the bytes to send: a file, and the answer's size."""
    requests = os.path.join(folder, kind + ".requests")
    figures = node.load("bench", "--requests", kind, "--save", requests, duration=1)
    return requests, round(figures["body_bytes_per_answer"])


def send(node, requests, seconds):
    return rate_and_cpu(node, lambda: node.load("bench", "--requests", requests, duration=seconds), seconds)


def compared(ours, theirs):
    (our_rate, our_cpu), (their_rate, their_cpu) = ours, theirs
    return {"ours": our_rate, "theirs": their_rate, "ratio": our_rate / their_rate, "our_cpu_us": our_cpu,
            "their_cpu_us": their_cpu}


def against_nginx(folder, seconds, kind):
    """The same prepared requests to a node and to nginx answering a constant of the same size."""
    with Node(os.path.join(folder, "node")) as node:
        requests, answer_bytes = prepare(node, folder, kind)
        ours = send(node, requests, seconds)
    with Nginx(os.path.join(folder, "nginx"), answer_bytes) as nginx:
        theirs = rate_and_cpu(nginx, lambda: nginx.load(folder, requests, duration=seconds), seconds)
    return compared(ours, theirs)


def against_redis(folder, seconds):
    with Node(os.path.join(folder, "node")) as node:
        requests, _ = prepare(node, folder, "cart-write")
        ours = send(node, requests, seconds)
    with Redis(os.path.join(folder, "redis")) as redis:
        before = redis.cpu_s()
        rate, sent = redis.hset_per_s(seconds)
        theirs = rate, (redis.cpu_s() - before) / sent * 1e6
    return compared(ours, theirs)


def hot_against_many(folder, seconds):
    with Node(os.path.join(folder, "node")) as node:
        hot, _ = prepare(node, folder, "reserve-hot")
        many, _ = prepare(node, folder, "reserve-many")
        return compared(send(node, hot, seconds), send(node, many, seconds))


def long_against_short(folder, seconds):
    """Both kinds of request in turns, in one run of the client."""
    with Node(os.path.join(folder, "node")) as node:
        figures = node.load("bench", "--requests", "cart-long", "--lines", "at least 1000", duration=seconds)
    long, short = figures["adds_to_1000_lines_per_s"], figures["adds_to_1_line_per_s"]
    return {"ours": long, "theirs": short, "ratio": figures["ratio"], "our_cpu_us": None, "their_cpu_us": None}


VENDURE_CHECKOUTS_PER_S = 4.2  # Vendure 3 on PostgreSQL on this kind of machine, as the design states it


def checkouts(folder, seconds):
    with Node(os.path.join(folder, "node")) as node:
        node.load("bench", "--requests", "checkout", duration=1)  # products and stock
        figures, cpu_s = measured(node, lambda: node.load("bench", "--requests", "checkout", duration=seconds))
    rate = figures["checkouts_per_s"]
    return {"ours": rate, "theirs": VENDURE_CHECKOUTS_PER_S, "ratio": rate / VENDURE_CHECKOUTS_PER_S,
            "our_cpu_us": cpu_s / (rate * seconds) * 1e6, "their_cpu_us": None}


ROWS = [
    ("read a cart, against nginx answering a constant", "at least 0.40", lambda f, s: against_nginx(f, s, "cart-read")),
    ("durable cart write, against nginx answering a constant", "at least 0.15", lambda f, s: against_nginx(f, s, "cart-write")),
    ("durable cart write, against bare Redis (appendfsync always, HSET)", "at least 0.30", against_redis),
    ("whole checkouts (cart of 3, pay, order), against Vendure's 4.2 /s", "1000", checkouts),
    ("reservations of one hot SKU, against many SKUs", "at least 0.50", hot_against_many),
    ("adding to a cart of 1,000 lines, against one of 1 line", "at least 0.90", long_against_short),
    *nodes.ROWS,
]


def median_row(results):
    keys = results[0].keys()
    return {key: None if results[0][key] is None else statistics.median(r[key] for r in results) for key in keys}


def show(number):
    if number is None:
        return "-"
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}" if number < 10 else f"{number:.1f}"


def table(results_by_row):
    lines = ["| row | wanted | ratio (median) | lowest .. highest | ours /s | theirs /s | our CPU us | their CPU us |",
             "|---|---|---|---|---|---|---|---|"]
    for name, target, results in results_by_row:
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


def write_page(section, text):
    """Puts the text between the marks of a section of the page."""
    with open(PAGE) as page:
        old = page.read()
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    head, behind = old.split(begin, 1)
    tail = behind.split(end, 1)[1]
    with open(PAGE, "w") as page:
        page.write(f"{head}{begin}\n{text}\n{end}{tail}")


def main():
    parse = argparse.ArgumentParser(prog="tools/bench.sh")
    parse.add_argument("--seconds", type=int, default=5)
    parse.add_argument("--rounds", type=int, default=5)
    parse.add_argument("--only", default="")
    parse.add_argument("--rest", action="store_true")
    parse.add_argument("--carts", type=int, default=1_000_000)
    asked = parse.parse_args()
    if asked.rest:
        with tempfile.TemporaryDirectory(prefix="omnicart-bench.") as folder:
            text = rest.measure(folder, asked.carts, min(asked.rounds, 3))
        print("\n" + text)
        return write_page("at rest", f"{machine()}.\n\n{text}")
    rows = [row for row in ROWS if asked.only in row[0]]
    if not rows:
        raise SystemExit("error: no row contains " + asked.only)
    results_by_row = []
    for name, target, measure in rows:
        results = []
        for number in range(asked.rounds):
            with tempfile.TemporaryDirectory(prefix="omnicart-bench.") as folder:
                results.append(measure(folder, asked.seconds))
            print(f"{name}: round {number + 1} of {asked.rounds}, ratio {show(results[-1]['ratio'])}", flush=True)
        results_by_row.append((name, target, results))
    text = table(results_by_row)
    print("\n" + text)
    if not asked.only:
        with tempfile.TemporaryDirectory(prefix="omnicart-bench.") as folder:
            moved = nodes.moves(folder)
        print("\n" + moved)
        write_page("moves", f"{machine()}.\n\n{moved}")
        write_page("measured", f"{machine()}; {asked.rounds} rounds of {asked.seconds} s each, client on the same cores.\n\n{text}")


if __name__ == "__main__":
    main()
