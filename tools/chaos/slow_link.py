"""A proxy in userspace that passes on each byte late, both ways: slow_link.py LISTEN_PORT HOST:PORT LEAST_MS MOST_MS.

The delay of a piece is drawn anew for each, but none overtakes another of its connection. Says "used" once somebody has
connected. Ends with its standard input."""

import collections
import random
import selectors
import socket
import sys
import time

TICK_S = 0.002  # pieces leave at most so much later than they should
PIECE = 1 << 18
HELD_MAX = 64 << 20  # of one direction; beyond it nothing more is read


class Way:
    """One direction of one connection."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.held, self.bytes, self.ended = collections.deque(), 0, False

    def take(self, delay):
        """False: the connection is broken."""
        if self.ended or self.bytes > HELD_MAX:
            return True
        try:
            piece = self.source.recv(PIECE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.ended = not piece
        due = max(time.monotonic() + delay, self.held[-1][0] if self.held else 0.0)
        self.held.append((due, piece))
        self.bytes += len(piece)
        return True

    def give(self, now):
        """Passes on what is due. False: the connection is over."""
        while self.held and self.held[0][0] <= now:
            due, piece = self.held.popleft()
            if not piece:
                return False
            self.bytes -= len(piece)
            try:
                sent = self.sink.send(piece)
            except BlockingIOError:
                sent = 0
            except OSError:
                return False
            if sent < len(piece):
                self.held.appendleft((due, piece[sent:]))
                self.bytes += len(piece) - sent
                return True
        return True


class Proxy:
    def __init__(self, port, target, least_s, most_s):
        self.target, self.least_s, self.most_s = target, least_s, most_s
        self.listener = socket.create_server(("0.0.0.0", port), backlog=64)
        self.listener.setblocking(False)
        self.ways, self.used = [], False

    def accept(self):
        try:
            near, _ = self.listener.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(self.target, timeout=1)
        except OSError:
            near.close()
            return
        for each in (near, far):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ways += [Way(near, far), Way(far, near)]
        if not self.used:
            self.used = True
            print("used", flush=True)

    def turn(self):
        over = set()
        now = time.monotonic()
        for way in self.ways:
            if not way.take(random.uniform(self.least_s, self.most_s)) or not way.give(now):
                over |= {way.source, way.sink}
        if over:
            for each in over:
                each.close()
            self.ways = [way for way in self.ways if way.source not in over]

    def run(self):
        waiting = selectors.DefaultSelector()
        waiting.register(sys.stdin, selectors.EVENT_READ)
        waiting.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select(TICK_S):
                if key.fileobj is sys.stdin:
                    return
                self.accept()
            self.turn()


if __name__ == "__main__":
    host, _, port_of_target = sys.argv[2].rpartition(":")
    Proxy(int(sys.argv[1]), (host, int(port_of_target)), float(sys.argv[3]) / 1000, float(sys.argv[4]) / 1000).run()
