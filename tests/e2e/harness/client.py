"""An HTTP client with one kept connection, a token, and answers that are easy to ask."""

import http.client
import itertools
import json
import time
import urllib.parse
import uuid

from . import contract

ANSWER_TIMEOUT_S = 60
MOVES_MAX = 50
READS = ("GET", "HEAD")


class Gone(Exception):
    """No answer: the connection ended, was refused, or nothing came in time. What was asked may have happened."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def __getitem__(self, name):
        return self.json[name]

    @property
    def code(self):
        """The stable code of a problem answer."""
        return self.json.get("code") if self.headers.get("content-type", "").endswith("problem+json") else None

    @property
    def etag(self):
        return self.headers.get("etag")

    @property
    def replayed(self):
        return self.headers.get("idempotent-replayed") == "true"

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"

    def expect(self, status, code=None):
        if self.status != status or (code is not None and self.code != code):
            raise AssertionError(f"answered {self!r}, wanted {status} {code or ''}")
        return self


class Addresses(str):
    """Of several nodes that are one shop: the first one's, for those who want one. A client asks them by turns."""

    def __new__(cls, every):
        made = super().__new__(cls, every[0])
        made.every = tuple(every)
        return made


class Client:
    """`public`: of the shop's own port, whose every answer is held against its OpenAPI document."""

    def __init__(self, address, token=None, timeout=ANSWER_TIMEOUT_S, public=True):
        self.public = public
        self.among = address
        self.turns = itertools.cycle([each.removeprefix("http://") for each in getattr(address, "every", (address,))])
        self.address = next(self.turns)
        self.token = token
        self.timeout = timeout
        self.connections = {}

    @property
    def connection(self):
        """The kept one to the node whose turn it is; None before the first call."""
        return self.connections.get(self.address)

    @connection.setter
    def connection(self, dialled):
        self.connections[self.address] = dialled

    def as_(self, token):
        return Client(self.among, token, self.timeout, self.public)

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def call(self, method, path, body=None, headers=None, key=None):
        """`body`: bytes as they are, anything else as JSON. `key`: the Idempotency-Key; "" for none. Without it a change that
        is asked of several nodes has one of its own, so that it may be asked again as long as its outcome is not known."""
        several = hasattr(self.among, "every")
        if key is None and several and method not in READS and "Idempotency-Key" not in (headers or {}):
            key = uuid.uuid4().hex
        self.address = next(self.turns)
        answer = self.ask(method, path, body, headers, key)
        # Of several nodes one may have lost the lead just now: a client who may ask again does.
        for _ in range(MOVES_MAX if several else 0):
            again = answer.status == 503 and (answer.code == "unavailable" or key or method in READS)
            if not again or not answer.json["retryable"]:
                break
            time.sleep(0.1)
            self.address = next(self.turns)
            answer = self.ask(method, path, body, headers, key)
        return answer

    def ask(self, method, path, body, headers, key):
        fresh = self.connection is None
        try:
            return self.exchange_once(method, path, body, key, headers)
        except Gone:
            # A kept connection may have been closed while it was idle; a read may be asked again.
            if fresh or method not in READS:
                raise
            return self.exchange_once(method, path, body, key, headers)

    def exchange_once(self, method, path, body=None, key=None, headers=None):
        """The same without a second try, whatever happens to the connection."""
        sent = dict(headers or {})
        if self.token and "Authorization" not in sent:
            sent["Authorization"] = "Bearer " + self.token
        if key:
            sent["Idempotency-Key"] = key
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None and "Content-Type" not in sent:
            sent["Content-Type"] = "application/json"
        return self.exchange(method, path, body, sent)

    def exchange(self, method, path, body, headers):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=self.timeout)
            self.connection.request(method, path, body=body, headers=headers)
            got = self.connection.getresponse()
            answer = Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
            if got.will_close:
                self.close()
        except (OSError, http.client.HTTPException) as wrong:
            self.close()
            raise Gone(f"{method} {path}: {type(wrong).__name__} {wrong}") from wrong
        if self.public:
            contract.check(method, path, answer)
        return answer

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.call("PUT", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def all_of(self, path, limit=100):
        """Every item of a list, page by page."""
        items, cursor = [], None
        while True:
            joint = "&" if "?" in path else "?"
            more = f"&cursor={urllib.parse.quote(cursor, safe='')}" if cursor else ""
            page = self.get(f"{path}{joint}limit={limit}{more}").expect(200).json
            items += page["items"]
            if not page["next_cursor"]:
                return items
            cursor = page["next_cursor"]
