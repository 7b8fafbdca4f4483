"""HTTP with as little work as possible: what a measuring client wants that speaks to nodes which may be gone."""

import json
import socket
import time


def request(method, path, body=None, token=None, key=None):
    """The bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: shop"]
    if body is not None or method in ("POST", "PUT"):
        lines.append(f"Content-Type: application/json\r\nContent-Length: {len(content)}")
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if key:
        lines.append(f"Idempotency-Key: {key}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class Answer:
    """`head` is in lower case."""

    def __init__(self, head, body):
        self.head, self.body = head, body
        self.status = int(head[9:12])

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    @property
    def code(self):
        """The stable code of a problem."""
        return self.json.get("code", "") if self.status >= 400 and self.body[:1] == b"{" else ""

    @property
    def replayed(self):
        return b"\nidempotent-replayed: true" in self.head

    def expect(self, status):
        if self.status != status:
            raise OSError(f"answered {self.status} {self.body[:300]!r}, not {status}")
        return self


class Connection:
    """One kept connection. Every call raises OSError when there is no whole answer in time; the connection is then of no
    more use."""

    def __init__(self, address, seconds):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        self.ended = False  # by the other side, in order

    def exchange(self, sent, seconds):
        until = time.monotonic() + seconds
        self.socket.settimeout(seconds)
        self.socket.sendall(sent)
        while b"\r\n\r\n" not in self.rest:
            self.more(until)
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        head = head.lower()
        if b"\r\ntransfer-encoding: chunked" in head:
            body = self.chunks(until)
        else:
            body = self.take(0 if head[9:12] in (b"204", b"304") else self.length_of(head), until)
        if b"\r\nconnection: close" in head:
            self.ended = True
            self.close()
        return Answer(head, body)

    @staticmethod
    def length_of(head):
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            raise OSError("an answer without a length")
        return int(head[at + 17:].split(b"\r\n", 1)[0])

    def take(self, count, until):
        while len(self.rest) < count:
            self.more(until)
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def chunks(self, until):
        pieces = []
        while True:
            while b"\r\n" not in self.rest:
                self.more(until)
            size = int(self.rest.split(b"\r\n", 1)[0].split(b";")[0], 16)
            self.take(self.rest.index(b"\r\n") + 2, until)
            piece = self.take(size + 2, until)[:-2]
            if not size:
                return b"".join(pieces)
            pieces.append(piece)

    def more(self, until):
        self.socket.settimeout(max(0.001, until - time.monotonic()))
        got = self.socket.recv(65536)
        if not got:
            raise OSError("closed")
        self.rest += got

    def close(self):
        self.socket.close()


def ask(address, sent, seconds=10):
    """One answer over a connection of its own."""
    connection = Connection(address, seconds)
    try:
        return connection.exchange(sent, seconds)
    finally:
        connection.close()
