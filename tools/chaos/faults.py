"""What is done to a cluster, one round at a time. Each fault takes a Scene, hurts, waits, and mends what it hurt; `heal` of the
scene mends whatever an interrupted one left behind. A fault counts once it was seen to hurt."""

import errno
import glob
import os
import shutil
import signal
import subprocess
import sys

from local_cluster import Trouble, wait_for
from scene import FELT_S, process_of, tail_of

FREE_KIB_LEFT = 64
FILL_STEPS = (64 << 20, 1 << 20, 16 << 10)  # bytes
CLOCK_FELT_S = 0.5  # by which a clock must be off for a node to give away what it leads


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
    scene.slow_down(some, least, most)
    scene.did("slow network")
    scene.wait(5, 9)
    scene.end_slowness()
    scene.wait(1, 3)


# --- disk ------------------------------------------------------------------------------------------------------------

STORAGE_FAILED = "storage failed, ending"  # what a node says then


def slow_disk(scene):
    index = scene.leader() if scene.chance.random() < 0.5 else scene.any()
    delay_us = scene.chance.choice((5_000, 20_000, 100_000))
    scene.trace(index, "fdatasync,fsync", f"delay_enter={delay_us}", "(DELAYED)")
    scene.did("slow disk")
    scene.wait(3, 8)
    scene.end_tracers()
    scene.wait(1, 3)


def failed_sync(scene):
    """The next sync fails; the node must end by itself, and comes back."""
    index = scene.leader() if scene.chance.random() < 0.5 else scene.any()
    process = scene.cluster.node(index)["process"]
    scene.trace(index, "fdatasync", "error=EIO", "(INJECTED)")
    scene.did("failed sync")
    wait_for(f"node {index} ends of a failed sync", lambda: not scene.cluster.alive(process), 30)
    scene.end_tracers()
    if STORAGE_FAILED not in tail_of(scene.log_of(index)):
        scene.wrong.append(("a node that ends of a failed sync says so", tail_of(scene.log_of(index))))
    scene.wait(0.5, 3)
    scene.start(index)
    scene.wait(2, 4)


def full_disk(scene):
    """What is left of the disk is taken, for a while: the node must end, or give away what it leads. The cell puts each home on a
    tmpfs of its own."""
    index = scene.any()
    path = os.path.join(scene.cluster.node(index)["home"], "data", "filler")
    scene.fillers.append(path)
    fill(path)
    wait_for(f"node {index} feels that its disk is full",
             lambda: not scene.cluster.alive(process_of(scene.cluster, index)) or scene.leads_nothing(index), FELT_S)
    scene.did("full disk")
    scene.wait(4, 8)
    ended = not scene.cluster.alive(process_of(scene.cluster, index))
    os.unlink(path)
    if ended:
        scene.did("node ended for want of space")
    scene.wait(0.5, 1)
    scene.start(index)
    scene.wait(3, 5)


def fill(path):
    """In ever smaller steps: a step for which there is no room takes none of it."""
    with open(path, "wb") as file:
        size = 0
        for step in FILL_STEPS:
            while free_bytes(path) - step > FREE_KIB_LEFT * 1024:
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                except OSError as wrong:
                    if wrong.errno != errno.ENOSPC:
                        raise
                    break  # the node was quicker
                size += step


def free_bytes(path):
    free = os.statvfs(os.path.dirname(path))
    return free.f_bavail * free.f_frsize


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
    scene.put_down(index)
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
    scene.put_down(index)
    replace(scene, index, "its disk is damaged")


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


def names_damage(path):
    return any(word in tail_of(path).lower() for word in ("corrupt", "damage", "checksum", "does not match"))


# --- clocks ----------------------------------------------------------------------------------------------------------


def clock_jump(scene):
    """The wall clock of one node leaps, for a while; the monotonic one does not. Others must notice."""
    index = scene.any()
    seconds = scene.chance.choice((-3600, -60, -2, 2, 60, 3600))
    write_clock(scene.cluster, index, seconds)

    def noticed():
        told = next((node["clock_offset_ms"] for node in scene.seen_by_others(index) if node["id"] == index), None)
        return told is not None and abs(told - seconds * 1000) < CLOCK_FELT_S * 1000
    wait_for(f"the clock of node {index} is seen to be off", noticed, FELT_S)
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
    scene.put_down(gone)  # it may have ended when it heard of it
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
