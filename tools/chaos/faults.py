"""What is done to a cluster, one round at a time. Each fault takes a Scene, hurts, waits, and mends what it hurt; `heal` of the
scene mends whatever an interrupted one left behind."""

import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from local_cluster import Trouble, run, wait_for

FREE_KIB_LEFT = 64
SLOW_PORT = 7401  # where the proxy of a slow node listens
HERE = os.path.dirname(os.path.abspath(__file__))


class Scene:
    def __init__(self, cluster, seed):
        self.cluster, self.chance = cluster, random.Random(seed)
        self.until = 0.0
        self.counts, self.tracers, self.fillers, self.lossy, self.slow = {}, [], [], [], {}
        self.ended = []  # nodes that nobody told to
        self.wrong = []  # (law, what was seen), of faults that know what must follow

    # --- for faults ---------------------------------------------------------------------------------------------

    def did(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def wait(self, least, most=None):
        """A moment, at most until the cell's time is over."""
        span = self.chance.uniform(least, most or least)
        time.sleep(max(0.0, min(span, self.until - time.monotonic())))

    def any(self):
        return self.chance.choice(self.cluster.indexes())

    def leader(self):
        """The node that leads most, as the cluster says; any when it does not say."""
        for index in self.cluster.running():
            try:
                leads = {node["id"]: node["leads"] for node in self.cluster.report(index)["nodes"]}
            except Trouble:
                continue
            if leads:
                return max(leads, key=lambda each: (leads[each], self.chance.random()))
        return self.any()

    def kill(self, *indexes):
        processes = [self.cluster.node(index)["process"] for index in indexes]
        for process in processes:
            self.cluster.send_signal(process, signal.SIGKILL)
        for process in processes:
            wait_for("the node is gone", lambda p=process: not self.cluster.alive(p), 30)

    def start(self, *indexes):
        """All at once: none of them serves without others."""
        for index in indexes:
            if not self.cluster.alive(self.cluster.node(index)["process"]):
                self.cluster.launch(index)

    def trace(self, index, *injections):
        """strace on the running node. The tracer is ours; when it ends, the node goes on untouched."""
        line = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(self.cluster.node(index)["process"]["pid"])]
        tracer = subprocess.Popen([*line, *injections], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  start_new_session=True)
        self.tracers.append(tracer)
        return tracer

    def end_tracers(self):
        for tracer in self.tracers:
            if tracer.poll() is None:
                tracer.terminate()
                try:
                    tracer.wait(5)
                except subprocess.TimeoutExpired:
                    tracer.kill()
                    tracer.wait()
        self.tracers.clear()

    def lose(self, index, percent):
        """Of what arrives at a node from others."""
        hosts = ", ".join(self.cluster.node(other)["host"] for other in self.cluster.indexes() if other != index)
        rules = ("table ip chaos { chain loss { type filter hook input priority 0; "
                 f"ip saddr {{ {hosts} }} numgen random mod 100 < {percent} drop\n }}\n}}\n")
        run("ip", "netns", "exec", self.cluster.namespace(index), "nft", rules)
        self.lossy.append(index)

    def end_loss(self):
        for index in self.lossy:
            run("ip", "netns", "exec", self.cluster.namespace(index), "nft", "delete table ip chaos")
        self.lossy.clear()

    def slow_down(self, index, least_ms, most_ms):
        """What others and a node say to each other passes a proxy from now on. The links of before are broken off."""
        node, namespace = self.cluster.node(index), self.cluster.namespace(index)
        self.slow[index] = subprocess.Popen(
            ["ip", "netns", "exec", namespace, sys.executable, os.path.join(HERE, "slow_link.py"), str(SLOW_PORT), node["link"],
             str(least_ms), str(most_ms)], stdin=subprocess.PIPE, start_new_session=True)
        wait_for("the slow link listens", lambda: f":{SLOW_PORT} " in run("ip", "netns", "exec", namespace, "ss", "-ltnH"), 10)
        port = node["link"].rpartition(":")[2]
        hosts = ", ".join(self.cluster.node(other)["host"] for other in self.cluster.indexes() if other != index)
        run("ip", "netns", "exec", namespace, "nft",
            "table ip slow { chain way { type nat hook prerouting priority -100;\n"
            f"ip saddr {{ {hosts} }} tcp dport {port} redirect to :{SLOW_PORT}\n}}\n}}\n")
        self.break_links(index)

    def break_links(self, index):
        """All connections of now between a node and others."""
        port = self.cluster.node(index)["link"].rpartition(":")[2]
        run("ip", "netns", "exec", self.cluster.namespace(index), "ss", "-K", f"sport = :{port} or dport = :{port}")

    def end_slowness(self):
        for index, proxy in self.slow.items():
            run("ip", "netns", "exec", self.cluster.namespace(index), "nft", "delete table ip slow")
            proxy.stdin.close()
            try:
                proxy.wait(5)
            except subprocess.TimeoutExpired:
                proxy.kill()
                proxy.wait()
        self.slow.clear()

    def look(self):
        """After a round all nodes run; who does not has ended by itself."""
        for index in self.cluster.indexes():
            if self.cluster.condition(index) == "down":
                node = self.cluster.node(index)
                with open(os.path.join(node["home"], "log"), encoding="utf-8", errors="replace") as file:
                    self.ended.append((index, file.read()[-600:]))
                self.start(index)

    # --- the provider ---------------------------------------------------------------------------------------------

    def provider(self, number):
        self.cluster.send_signal(self.cluster.state["pay"]["process"], number)

    def heal_provider(self):
        self.provider(signal.SIGCONT)
        self.cluster.start_pay()

    # --- after all -----------------------------------------------------------------------------------------------

    def heal(self):
        self.end_tracers()
        self.end_loss()
        self.end_slowness()
        self.heal_provider()
        for path in self.fillers:
            if os.path.exists(path):
                os.unlink(path)
        self.fillers.clear()
        self.cluster.heal()
        for index in self.cluster.indexes():
            if self.cluster.condition(index) == "paused":
                self.cluster.resume(index)
            elif self.cluster.condition(index) == "down":
                self.cluster.launch(index)
        for index in self.cluster.indexes():
            wait_for(f"node {index} serves", lambda i=index: self.cluster.serves(i), 60)


# --- processes -------------------------------------------------------------------------------------------------------


def kill_one(scene):
    index = scene.any()
    scene.kill(index)
    scene.did("kill -9")
    scene.wait(0.5, 4)
    scene.start(index)
    scene.wait(2, 4)


def kill_leader(scene):
    index = scene.leader()
    scene.kill(index)
    scene.did("kill -9 of a leader")
    scene.wait(1, 4)
    scene.start(index)
    scene.wait(2, 4)


def kill_minority(scene):
    every = scene.cluster.indexes()
    some = scene.chance.sample(every, (len(every) - 1) // 2)
    scene.kill(*some)
    scene.did(f"kill -9 of {len(some)}")
    scene.wait(1, 4)
    scene.start(*some)
    scene.wait(3, 5)


def kill_all(scene):
    scene.kill(*scene.cluster.indexes())
    scene.did("kill -9 of all")
    scene.wait(0.2, 1)
    scene.start(*scene.chance.sample(scene.cluster.indexes(), len(scene.cluster.indexes())))
    scene.wait(4, 8)


def crash_storm(scene):
    for _ in range(scene.chance.randint(3, 8)):
        index = scene.any()
        scene.kill(index)
        scene.did("kill -9")
        scene.start(index)
        scene.wait(0.1, 1)
    scene.wait(2, 4)


def pause_one(scene, least=0.1, most=3.0):
    index = scene.leader() if scene.chance.random() < 0.5 else scene.any()
    scene.cluster.pause(index)
    scene.did("SIGSTOP")
    scene.wait(least, most)
    scene.cluster.resume(index)
    scene.wait(0.5, 2)


def pause_long(scene):
    pause_one(scene, 5.0, 30.0)


# --- network ---------------------------------------------------------------------------------------------------------


def alone(scene):
    scene.cluster.partition([scene.leader() if scene.chance.random() < 0.6 else scene.any()])
    mend_later(scene, "one node alone")


def halves(scene):
    every = scene.cluster.indexes()
    scene.cluster.partition(scene.chance.sample(every, len(every) // 2))
    mend_later(scene, "two halves")


def ring(scene):
    """Each node hears its two neighbours only; of three nodes each hears one, so one is heard by both."""
    every = scene.chance.sample(scene.cluster.indexes(), len(scene.cluster.indexes()))
    far = {(a, b) for i, a in enumerate(every) for j, b in enumerate(every) if abs(i - j) not in (0, 1, len(every) - 1)}
    if len(every) == 3:
        far = {(every[0], every[2]), (every[2], every[0])}
    for sender, receiver in sorted(far):
        scene.cluster.cut(sender, receiver)
    mend_later(scene, "ring")


def one_way(scene):
    """One node hears nobody, or nobody hears it."""
    index = scene.leader() if scene.chance.random() < 0.6 else scene.any()
    deaf = scene.chance.random() < 0.5
    for other in scene.cluster.indexes():
        if other != index:
            scene.cluster.cut(*((other, index) if deaf else (index, other)))
    mend_later(scene, "one-way cut")


def mend_later(scene, what):
    scene.did(what)
    scene.wait(2, 10)
    scene.cluster.heal()
    scene.wait(1, 3)


def flapping(scene):
    """Cuts that come and go faster than anybody gives up."""
    one, other = scene.chance.sample(scene.cluster.indexes(), 2)
    for _ in range(scene.chance.randint(4, 12)):
        scene.cluster.cut(one, other)
        if scene.chance.random() < 0.5:
            scene.cluster.cut(other, one)
        scene.wait(0.05, 0.6)
        scene.cluster.heal()
        scene.wait(0.05, 0.6)
    scene.did("flapping link")


def loss(scene):
    """Packets are lost, more than any real network loses."""
    percent = scene.chance.choice((2, 10, 30))
    some = scene.cluster.indexes() if scene.chance.random() < 0.5 else [scene.any()]
    for index in some:
        scene.lose(index, percent)
    scene.did("lossy network")
    scene.wait(4, 8)
    scene.end_loss()
    scene.wait(1, 2)


def delay(scene):
    """Everything that nodes say to each other, or to one of them, takes its time on the way."""
    least, most = scene.chance.choice(((1, 3), (5, 25), (20, 60), (50, 150)))
    some = scene.cluster.indexes() if scene.chance.random() < 0.5 else [scene.any()]
    for index in some:
        scene.slow_down(index, least, most)
    scene.did("slow network")
    scene.wait(5, 9)
    scene.end_slowness()
    scene.wait(1, 3)


# --- disk ------------------------------------------------------------------------------------------------------------


def slow_disk(scene):
    index = scene.leader() if scene.chance.random() < 0.5 else scene.any()
    delay_us = scene.chance.choice((5_000, 20_000, 100_000))
    scene.trace(index, "-e", "trace=fdatasync,fsync", "-e", f"inject=fdatasync,fsync:delay_enter={delay_us}")
    scene.did("slow disk")
    scene.wait(3, 8)
    scene.end_tracers()
    scene.wait(1, 3)


def failed_sync(scene):
    """The next sync fails; the node must end by itself, and comes back."""
    index = scene.leader() if scene.chance.random() < 0.5 else scene.any()
    process = scene.cluster.node(index)["process"]
    scene.trace(index, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO")
    scene.did("failed sync")
    wait_for(f"node {index} ends of a failed sync", lambda: not scene.cluster.alive(process), 30)
    scene.end_tracers()
    scene.wait(0.5, 3)
    scene.start(index)
    scene.wait(2, 4)


def full_disk(scene):
    """What is left of the disk is taken, for a while. The cell puts each data directory on a tmpfs of its own."""
    index = scene.any()
    path = os.path.join(scene.cluster.node(index)["home"], "data", "filler")
    scene.fillers.append(path)
    free = os.statvfs(os.path.dirname(path))
    with open(path, "wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, max(0, free.f_bavail * free.f_frsize - FREE_KIB_LEFT * 1024))
        except OSError:
            pass  # the node was quicker
    scene.did("full disk")
    scene.wait(4, 8)
    os.unlink(path)
    scene.wait(0.5, 1)
    scene.start(*scene.cluster.indexes())  # one that ended for want of space
    scene.wait(3, 5)


# What is damaged: the name of the fault, and where it is in the database.
DAMAGED = {"flipped byte in the WAL": "*.log", "flipped byte in a table": "*.sst", "flipped byte in a manifest": "MANIFEST-*"}


def flipped_byte(scene):
    """A byte changes on the disk of a node that is down. `store verify` must name it. Started all the same, the node must end
    by itself or go on without a wrong answer, which the checker sees to; then its place is taken from the peers' copies."""
    cluster, index = scene.cluster, scene.any()
    home = cluster.node(index)["home"]
    what = scene.chance.choice(sorted(DAMAGED))
    if what == "flipped byte in a table":  # an orderly stop makes tables of what was in the write-ahead log
        cluster.end(process_of(cluster, index))
    scene.kill(index)
    path = flip(scene, os.path.join(home, "data", "db", DAMAGED[what]))
    said, code = verify(cluster, index)
    if code == 0 or os.path.basename(path) not in said:
        scene.wrong.append(("a flipped byte is detected", f"{path}: exit {code}, {said[-600:]}"))
    scene.did(what)
    cluster.launch(index)
    wait_for("the damaged node serves or ends", lambda: not cluster.alive(process_of(cluster, index)) or cluster.serves(index))
    scene.wait(2, 4)
    ended = not cluster.alive(process_of(cluster, index))
    scene.did("node ended because of it" if ended else "node went on without the place")
    if ended and not names_damage(os.path.join(home, "log")):
        scene.wrong.append(("a node that ends of damage says so", tail_of(os.path.join(home, "log"))))
    scene.kill(index)
    replace(scene, index, "its disk is damaged")


def process_of(cluster, index):
    return cluster.node(index)["process"]


def flip(scene, pattern):
    """Changes a bit in the middle of one of the larger of these files; its path."""
    files = sorted(glob.glob(pattern), key=os.path.getsize, reverse=True)
    if not files:
        raise Trouble(f"there is no {pattern}")
    path = scene.chance.choice(files[:max(1, len(files) // 2)])
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        at = scene.chance.randrange(size // 4, size * 3 // 4)
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << scene.chance.randrange(8))]))
    return path


def verify(cluster, index):
    done = subprocess.run([cluster.program("omnicartctl"), "store", "verify", os.path.join(cluster.node(index)["home"], "data")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    return done.stdout, done.returncode


def tail_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()[-600:]


def names_damage(path):
    return any(word in tail_of(path).lower() for word in ("corrupt", "damage", "checksum", "does not match"))


# --- clocks ----------------------------------------------------------------------------------------------------------


def clock_jump(scene):
    """The wall clock of one node leaps, for a while; the monotonic one does not."""
    index = scene.any()
    seconds = scene.chance.choice((-3600, -60, -2, 2, 60, 3600))
    write_clock(scene.cluster, index, seconds)
    scene.did("clock jump")
    scene.wait(3, 8)
    write_clock(scene.cluster, index, 0)
    scene.wait(1, 3)


def clock_file(cluster, index):
    return os.path.join(cluster.node(index)["home"], "clock")


def write_clock(cluster, index, seconds):
    """In place: the node has the file in its memory."""
    path = clock_file(cluster, index)
    with open(path, "r+b" if os.path.exists(path) else "wb", buffering=0) as file:
        file.write(seconds.to_bytes(8, sys.byteorder, signed=True))


def clock_environment(cluster, index, shifted_clock):
    """For a node whose clock can be moved."""
    write_clock(cluster, index, 0)
    return {"LD_PRELOAD": shifted_clock, "SHIFTED_CLOCK": clock_file(cluster, index)}


# --- membership and everything ---------------------------------------------------------------------------------------


def wiped(scene):
    """A disk is lost whole."""
    old = scene.any()
    scene.kill(old)
    shutil.rmtree(os.path.join(scene.cluster.node(old)["home"], "data"))
    scene.did("lost disk")
    replace(scene, old, "its disk is lost")


def replace(scene, old, why):
    """A new node takes the place of one that is down for good, as docs/operations.md says."""
    cluster = scene.cluster
    new = cluster.grow()
    by = next(index for index in cluster.running() if index != new)
    for words in (("replace", str(old), str(new)), ("remove", str(old))):  # once the new one has joined; once it has it all
        wait_for(f"cluster {' '.join(words)}", lambda w=words: cluster.ctl(
            by, "cluster", *w, "--yes", "--why", why, check=False)[1] == 0, 90, 0.5)
    cluster.forget(old)
    wait_for("the cluster settles", cluster.settled, 60, 0.1)
    scene.wait(2, 4)


def grow_and_shrink(scene):
    """A node comes while another is killed, and one goes while another stands still."""
    cluster = scene.cluster
    cluster.grow()
    scene.did("node added")
    scene.wait(0.1, 1)
    kill_one(scene)
    wait_for("the cluster settles", cluster.settled, 60, 0.1)
    gone, other = scene.chance.sample(cluster.indexes(), 2)
    tell(scene, other, "drain", gone)
    cluster.pause(other)
    scene.did("SIGSTOP")
    scene.wait(0.1, 2)
    cluster.resume(other)
    tell(scene, other, "remove", gone)
    scene.did("node removed")
    scene.kill(gone)
    cluster.forget(gone)
    wait_for("the cluster settles", cluster.settled, 60, 0.1)


def tell(scene, by, command, node):
    """An operator's command, again and again while it is refused: a node is removed once it holds nothing any more."""
    wait_for(f"cluster {command} {node}", lambda: scene.cluster.ctl(
        by, "cluster", command, str(node), "--yes", "--why", "chaos", check=False)[1] == 0, 90, 0.3)


def provider(scene):
    """The payment provider stands still, or dies and comes back, while customers pay."""
    if scene.chance.random() < 0.5:
        scene.provider(signal.SIGSTOP)
        scene.did("SIGSTOP of the provider")
    else:
        scene.provider(signal.SIGKILL)
        scene.did("kill -9 of the provider")
        wait_for("the provider is gone", lambda: not scene.cluster.alive(scene.cluster.state["pay"]["process"]), 10)
    scene.wait(0.2, 5)
    scene.heal_provider()
    scene.wait(1, 4)


def anything(scene):
    """A mix; two at once now and then."""
    scene.chance.choice((kill_one, kill_leader, kill_behind_a_cut, pause_one, alone, one_way, flapping, loss, delay, slow_disk,
                         crash_storm, provider))(scene)


def kill_behind_a_cut(scene):
    first, second = scene.chance.sample(scene.cluster.indexes(), 2)
    scene.cluster.partition([first])
    scene.wait(0.5, 2)
    scene.kill(second)
    scene.did("kill -9 behind a cut")
    scene.wait(0.5, 2)
    scene.start(second)
    scene.wait(0.5, 2)
    scene.cluster.heal()
    scene.wait(3, 5)
