"""Bytes to a socket and answers back, for requests that no proper client would send."""

import socket

from .client import Answer


def connect(address, timeout=60):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=timeout)


def read_answer(stream, method="GET"):
    """One answer from a socket's file object; None when the peer closed before its first byte."""
    line = stream.readline()
    if not line:
        return None
    status = int(line.split(b" ")[1])
    headers = {}
    while True:
        line = stream.readline()
        if line in (b"\r\n", b""):
            break
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if status == 100:
        return read_answer(stream, method)
    if method == "HEAD" or status in (204, 304):
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(stream.readline().split(b";")[0], 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
        return Answer(status, headers, body)
    return Answer(status, headers, stream.read(int(headers.get("content-length", "0"))))


def exchange(address, request, method="GET", end_of_sending=False, timeout=60):
    """Sends bytes on a fresh connection and reads one answer; None when the peer only closed."""
    with connect(address, timeout) as peer:
        try:
            peer.sendall(request)
            if end_of_sending:
                peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer may answer and close before it has read all
        try:
            return read_answer(peer.makefile("rb"), method)
        except ConnectionResetError:
            return None
