"""Bytes to a socket and answers back, for requests that no proper client would send."""

import re
import socket

from . import contract
from .client import Answer


def connect(address, timeout=60):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=timeout)


def asked_by(request):
    """(method, target) that the bytes of a request ask for; (None, None) of bytes that ask for nothing."""
    line = re.match(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r?\n", request)
    return (line[1].decode("latin-1"), line[2].decode("latin-1")) if line else (None, None)


def read_answer(stream, request):
    """The answer to these bytes from a socket's file object, held against the OpenAPI document; None when the peer closed before
    its first byte."""
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
        return read_answer(stream, request)
    method, target = asked_by(request)
    answer = Answer(status, headers, b"" if method == "HEAD" or status in (204, 304) else read_body(stream, headers))
    contract.check(method, target, answer)
    return answer


def read_body(stream, headers):
    if headers.get("transfer-encoding") != "chunked":
        return stream.read(int(headers.get("content-length", "0")))
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def ask(peer, request):
    """Sends bytes on a connection and reads one answer."""
    peer.sendall(request)
    return read_answer(peer.makefile("rb"), request)


def exchange(address, request, end_of_sending=False, timeout=60):
    """Sends bytes on a fresh connection and reads one answer; None when the peer only closed."""
    with connect(address, timeout) as peer:
        try:
            peer.sendall(request)
            if end_of_sending:
                peer.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer may answer and close before it has read all
        try:
            return read_answer(peer.makefile("rb"), request)
        except ConnectionResetError:
            return None
