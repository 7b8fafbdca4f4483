"""What a cluster needs of the machine it lives on: processes that are still the same, ports, and patience."""

import os
import random
import socket
import subprocess
import time

PORT_MIN = 10_000


class Trouble(Exception):
    """Something that a person can read and mend."""


def start_time(pid):
    """When a process began, in clock ticks; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        # Of several threads the first may be gone while others still hold files.
        others = len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return None
    return None if fields[0] == "Z" and not others else int(fields[19])


def wait_for(what, condition, seconds=60.0, step=0.02):
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise Trouble(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(step)


def free_port():
    """Of loopback, and none that a connection of somebody else gets as its own end: a node that is started again wants its
    port back."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first_given_out = int(file.read().split()[0])
    for _ in range(1_000):
        port = random.randrange(PORT_MIN, first_given_out)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Trouble(f"no port is free between {PORT_MIN} and {first_given_out}")


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Trouble(f"{' '.join(words)}: {done.stdout.strip()}")
    return done.stdout
