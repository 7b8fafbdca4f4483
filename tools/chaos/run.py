"""What tools/chaos.sh does; its help stands there. One cell: a fresh cluster, customers, faults for a minute, healing, and the
check of everything that anybody was told."""

import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cluster"))

import faults  # noqa: E402
import local_cluster  # noqa: E402
import table  # noqa: E402
import wire  # noqa: E402
from checker import Checker, read_history  # noqa: E402
from local_cluster import Cluster, Trouble, wait_for  # noqa: E402
from options import Parser, number  # noqa: E402
from scene import Scene  # noqa: E402
from shop import Replicas, Shop, wait_until_equal  # noqa: E402

WARM_S, CALM_S = 1.5, 3.0  # customers arrive; then their rate is measured before the first fault
AFTER_S = 1.5  # customers go on after healing
EQUAL_S = 5.0  # in which replicas must be equal once nobody asks for anything
RATE_MIN = 500.0
TRIES = 4  # of a cell whose customers are too slow because the machine has other work
PER_SECOND = 1000  # what customers try to do at most
PROCESSES, COUPLES, BUYERS = 2, 5, 6  # of each process
PLENTY, SCARCE = 12, 3
STOCK_PLENTY, STOCK_SCARCE = 1_000_000, 100
CONFIG = {"payment": {"answer_timeout_ms": 400}}
TMPFS = "1536m"
SHORT_S = 6  # of faults, in a cell of --short

Cell = collections.namedtuple("Cell", "name nodes fault needs", defaults=((),))

CELLS = [
    Cell("kill one", 3, faults.kill_one),
    Cell("kill a leader", 3, faults.kill_leader),
    Cell("kill all", 3, faults.kill_all),
    Cell("crash storm", 3, faults.crash_storm),
    Cell("kill two of five", 5, faults.kill_minority),
    Cell("pause", 3, faults.pause_one),
    Cell("long pause", 3, faults.pause_long),
    Cell("one alone", 3, faults.alone, ("namespaces",)),
    Cell("halves of five", 5, faults.halves, ("namespaces",)),
    Cell("ring of five", 5, faults.ring, ("namespaces",)),
    Cell("one-way", 3, faults.one_way, ("namespaces",)),
    Cell("flapping link", 3, faults.flapping, ("namespaces",)),
    Cell("kill behind a cut", 3, faults.kill_behind_a_cut, ("namespaces",)),
    Cell("lossy network", 3, faults.loss, ("namespaces", "nft")),
    Cell("slow network", 3, faults.delay, ("namespaces", "nft")),
    Cell("slow disk", 3, faults.slow_disk, ("strace",)),
    Cell("failed sync", 3, faults.failed_sync, ("strace",)),
    Cell("full disk", 3, faults.full_disk, ("tmpfs",)),
    Cell("clock jump", 3, faults.clock_jump, ("clock",)),
    Cell("flipped byte", 3, faults.flipped_byte),
    Cell("lost disk", 3, faults.wiped),
    Cell("grow and shrink", 3, faults.grow_and_shrink),
    Cell("provider", 3, faults.provider),
    Cell("anything", 3, faults.anything, ("namespaces", "nft", "strace")),
]
SHORT = ("kill a leader", "kill all", "one alone")
SHORT_WITHOUT_NAMESPACES = ("kill a leader", "kill all", "pause")
SKIPPED = 3  # the exit code when nothing failed, but not all of it could be tried


class Chaotic(Cluster):
    """Nodes on a small disk of their own, or with a clock that can be moved, where the cell needs it."""

    def __init__(self, directory, build, needs, shifted_clock):
        self.needs, self.shifted_clock, self.mounts = needs, shifted_clock, []
        super().__init__(directory, build, CONFIG)

    @property
    def addresses(self):
        """The file in which customers look where nodes are."""
        return os.path.join(self.directory, "addresses.json")

    def save(self):
        super().save()
        serving = {str(index): self.node(index)["http"] for index in self.indexes() if self.node(index)["process"]}
        with open(self.addresses + ".new", "w", encoding="utf-8") as file:
            json.dump(serving, file)
        os.replace(self.addresses + ".new", self.addresses)

    def prepare(self, index):
        if "tmpfs" in self.needs:
            home = self.node(index)["home"]
            local_cluster.run("mount", "-t", "tmpfs", "-o", f"size={TMPFS}", "omnicart-chaos", home)
            self.mounts.append(home)

    def surroundings(self, index):
        return faults.clock_environment(self, index, self.shifted_clock) if "clock" in self.needs else {}

    def unmount(self):
        for home in self.mounts:
            local_cluster.run("umount", home)
        self.mounts.clear()


def missing(needs, namespaces, shifted_clock):
    """Why a cell cannot be tried here; None when it can."""
    if "namespaces" in needs and not namespaces:
        return "no network namespaces (be root)"
    for program in ("strace", "nft"):
        if program in needs and not shutil.which(program):
            return f"no {program}"
    if "tmpfs" in needs and os.geteuid() != 0:
        return "a tmpfs wants root"
    if "clock" in needs and not shifted_clock:
        return "no C compiler"
    return None


def make_shifted_clock():
    """Where it was built; None without a C compiler."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shifted_clock.c")
    made = os.path.join(local_cluster.ROOT, "build", "shifted_clock.so")
    compiler = shutil.which("cc")
    if not compiler:
        return None
    os.makedirs(os.path.dirname(made), exist_ok=True)
    local_cluster.run(compiler, "-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", made, source, "-ldl")
    return made


# --- one cell --------------------------------------------------------------------------------------------------------


class Crowd:
    """The customers: processes that write their books into `directory`."""

    def __init__(self, cluster, directory, seed, load):
        self.books = [os.path.join(directory, f"book-{number}.jsonl") for number in range(PROCESSES)]
        self.processes = []
        for number, book in enumerate(self.books):
            spec = {"nodes": cluster.addresses, "products": shelf_names(), "seed": seed * 100 + number, "tag": f"chaos-{seed}-{number}",
                    "couples": max(1, COUPLES * load // 100), "buyers": max(1, BUYERS * load // 100),
                    "per_second": max(1, PER_SECOND * load // 100 // PROCESSES)}
            path = os.path.join(directory, f"spec-{number}.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(spec, file)
            self.processes.append(subprocess.Popen(
                [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients.py"), path, book],
                stdin=subprocess.PIPE, start_new_session=True))

    def end(self):
        for process in self.processes:
            process.stdin.close()
        codes = []
        for process in self.processes:
            try:
                codes.append(process.wait(60))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(process.wait())
        return all(code == 0 for code in codes)


def shelf_names():
    return {"plenty": [f"plenty-{i}" for i in range(PLENTY)], "scarce": [f"scarce-{i}" for i in range(SCARCE)]}


def stock_shelves(cluster):
    index = cluster.indexes()[0]
    admin = cluster.ctl(index, "token", "issue", "--role", "admin", "--ttl", "600").strip()
    connection, stock = wire.Connection(cluster.node(index)["http"], 30), {}
    for kind, names in shelf_names().items():
        for name in names:
            product = {"id": name, "name": name, "price": {"amount": 100 + len(stock), "currency": "GBP"}}
            connection.exchange(wire.request("POST", "/api/products", product, admin), 30).expect(201)
            stock[name] = STOCK_PLENTY if kind == "plenty" else STOCK_SCARCE
            put = wire.request("PUT", f"/api/inventory/{name}", {"on_hand": stock[name], "reason": "delivery"}, admin)
            connection.exchange(put, 30).expect(200)
    connection.close()
    return stock


class TooSlow(Exception):
    """Before the first fault; the cell would not count."""


def warm_up(crowd, options):
    """The moment of the first fault."""
    time.sleep(WARM_S + CALM_S)
    began = time.monotonic()
    rate = table.rate(read_history(crowd.books), began - CALM_S, began)
    if rate < RATE_MIN and not options.short:
        raise TooSlow(f"only {rate:.0f} operations/s before its first fault")
    return began


def hurt(cell, scene, began, seconds):
    """Rounds of the fault until the time is over; the moment of the end of healing."""
    scene.until = began + seconds
    while time.monotonic() < scene.until:
        cell.fault(scene)
        scene.look()
    scene.heal()
    healed = time.monotonic()
    time.sleep(AFTER_S)
    return healed


def play(cell, directory, row, options, shifted_clock):
    """Fills the cell's row for the table. Trouble when it could not be carried out."""
    cluster, seed = Chaotic(os.path.join(directory, "cluster"), options.build, cell.needs, shifted_clock), row.seed
    crowd = None
    scene = Scene(cluster, seed)
    row.faults = scene.counts
    try:
        cluster.up(cell.nodes)
        stock = stock_shelves(cluster)
        crowd = Crowd(cluster, directory, seed, options.load)
        began = warm_up(crowd, options)
        healed = hurt(cell, scene, began, options.seconds)
        row.violations += scene.wrong + [("no node ends by itself", f"node {index}: {log}") for index, log in scene.ended]
        books, all_well = crowd.books, crowd.end()
        crowd = None
        if not all_well:
            row.violations.append(("customers", "a customer's process broke, see above"))
        look_at_replicas(cluster, row, healed)
        history = read_history(books)
        row.measure(history, began, CALM_S, healed)
        judge(cluster, row, history, stock)
    finally:
        if crowd:
            crowd.end()
        scene.end_tracers()
        scene.end_slowness()
        cluster.down()
        if not row.violations:
            cluster.unmount()


def look_at_replicas(cluster, row, healed):
    """That all shards have their copies again, and that these are equal soon after."""
    quiet = time.monotonic()
    wait_for("the cluster settles", cluster.settled, 60, 0.05)
    row.settled_s = max(0.0, time.monotonic() - healed)
    found, row.equal_s = wait_until_equal(Replicas(cluster), EQUAL_S, quiet)
    row.violations += found


def judge(cluster, row, history, stock):
    shop = Shop(cluster)
    try:
        checker = Checker(shop, history, stock)
        row.violations += checker.run()
        row.facts = checker.facts
        # What the check itself asked for has reached all replicas too.
        row.violations += wait_until_equal(Replicas(cluster), EQUAL_S, time.monotonic())[0]
    finally:
        shop.close()


def attempt(cell, options, seed, shifted_clock):
    """The row of the cell's first try that was fast enough to count."""
    for left in reversed(range(TRIES)):
        try:
            return attempt_once(cell, options, seed, shifted_clock)
        except TooSlow as wrong:
            print(f"   {wrong}; {'once more' if left else 'given up'}", flush=True)
    row = table.Row(cell.name, cell.nodes, seed)
    row.notes.append(f"does not count: below {RATE_MIN:.0f} operations/s before its first fault")
    return row


def version_of(build):
    done = subprocess.run([os.path.join(build, "omnicartd"), "--version"], stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def attempt_once(cell, options, seed, shifted_clock):
    directory = tempfile.mkdtemp(prefix="omnicart-chaos.")
    print(f"-- {cell.name}: {cell.nodes} nodes, seed {seed}", flush=True)
    row, began = table.Row(cell.name, cell.nodes, seed), time.monotonic()
    try:
        play(cell, directory, row, options, shifted_clock)
    except (Trouble, OSError, subprocess.SubprocessError) as wrong:
        row.violations.append(("the cell could be played", str(wrong)))
    except TooSlow:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    row.took_s, row.build = time.monotonic() - began, version_of(options.build)
    row.show()
    if row.violations:
        with open(os.path.join(directory, "violations.txt"), "w", encoding="utf-8") as file:
            file.writelines(f"{law}: {what}\n" for law, what in row.violations)
        print(f"   kept: {directory}", flush=True)
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return row


# --- all of them -----------------------------------------------------------------------------------------------------


def arguments():
    parser = Parser("tools/chaos.sh")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--cells")
    parser.add_argument("--faults")
    parser.add_argument("--seconds", type=number(1, 3600))
    parser.add_argument("--minutes", type=number(1, 100_000))
    parser.add_argument("--times", type=number(1, 1000), default=1)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=number(1, 10**9), default=random.randrange(1, 1_000_000))
    parser.add_argument("--load", type=number(1, 1000), default=100)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--rows", default=os.path.join(local_cluster.ROOT, "build", "chaos-rows.jsonl"))
    parser.add_argument("--build", default=os.path.join(local_cluster.ROOT, "build", "release"))
    read = parser.parse_args()
    read.seconds = read.seconds or (SHORT_S if read.short else 60)
    return parser, read


def choose(parser, read, namespaces):
    by_name = {cell.name: cell for cell in CELLS}
    by_fault = {cell.fault.__name__: Cell(cell.fault.__name__, 3, cell.fault, cell.needs) for cell in CELLS}
    known, wanted = (by_fault, read.faults) if read.faults else (by_name, read.cells)
    if not wanted:
        short = SHORT if namespaces else SHORT_WITHOUT_NAMESPACES
        return [by_name[name] for name in short] if read.short else CELLS
    for name in wanted.split(","):
        if name.strip() not in known:
            parser.error(f"there is no {name.strip()!r}; there are: {', '.join(known)}")
    return [known[name.strip()] for name in wanted.split(",")]


def leave(_number, _frame):
    raise KeyboardInterrupt


def main():
    try:
        parser, read = arguments()
        namespaces = os.geteuid() == 0 and Cluster.can_make_namespaces()
        cells = choose(parser, read, namespaces)
    except Trouble as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 2
    if read.list:
        for cell in cells:
            print(f"{cell.name:22}{cell.nodes} nodes   fault {cell.fault.__name__}")
        return 0
    signal.signal(signal.SIGTERM, leave)
    rows = []
    print(f"seed {read.seed}", flush=True)
    try:
        for row in play_all(cells, read, namespaces):
            rows.append(row)
            row.keep(read.rows, read.seconds)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print()
    print(table.text(rows))
    if read.table:
        table.write(table.read([read.rows]), os.path.join(local_cluster.ROOT, "docs", "chaos.md"))
    if read.short:
        tell_as_tests(rows)
    if any(row.violations or row.notes for row in rows):
        return 1
    return SKIPPED if any(row.skipped for row in rows) and not read.short else 0


def play_all(cells, read, namespaces):
    """Rows, as they come: all cells, as often as was asked for or until the time is over."""
    shifted_clock = make_shifted_clock()
    if os.path.exists(read.rows):
        os.unlink(read.rows)
    until, turn = time.monotonic() + (read.minutes or 0) * 60, 0
    while turn < len(cells) * read.times or time.monotonic() < until:
        cell = cells[turn % len(cells)]
        why = missing(cell.needs, namespaces, shifted_clock)
        if why:
            print(f"skip {cell.name}: {why}", flush=True)
            yield table.Row(cell.name, cell.nodes, 0, skipped=why)
        else:
            yield attempt(cell, read, read.seed + turn, shifted_clock)
        turn += 1


def tell_as_tests(rows):
    """The last line that tools/test.sh counts; what was skipped has been said."""
    played = [row for row in rows if not row.skipped]
    failed = sum(1 for row in played if row.violations)
    print(f"{len(played) - failed} passed, {failed} failed")


if __name__ == "__main__":
    sys.exit(main())
