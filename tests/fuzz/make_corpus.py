#!/usr/bin/env python3
"""Writes the fuzzers' seed files anew: tests/fuzz/make_corpus.py. Deterministic; they are committed.

The stored messages are packed here by the grammar of runtime/base/codec.hpp and not by the engine, so
that a seed stays what older builds wrote.
"""
import base64
import hashlib
import hmac
import json
import shutil
import struct
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
T = 1_790_000_000_000  # a time in ms
GBP = [1299, b"GBP"]


def pack(value):
    """msgpack of nil, bool, int, bytes (bin) and lists; all the codec uses."""
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return pack_int(value)
    if isinstance(value, bytes):
        assert len(value) < 256
        return b"\xc4" + struct.pack(">B", len(value)) + value
    assert len(value) < 16 or len(value) < 65536
    head = struct.pack(">B", 0x90 | len(value)) if len(value) < 16 else b"\xdc" + struct.pack(">H", len(value))
    return head + b"".join(pack(item) for item in value)


def pack_int(value):
    if 0 <= value < 128:
        return struct.pack(">B", value)
    if -32 <= value < 0:
        return struct.pack(">b", value)
    return b"\xcf" + struct.pack(">Q", value) if value > 0 else b"\xd3" + struct.pack(">q", value)


def message(value):
    return pack([1, value])


ADDRESS = [b"Ada Lovelace", b"1 High Street", b"", b"London", b"N1 9GU", b"", b"GB", b""]
GUEST = [0, b"s-1", b""]
SHOPPER = [1, b"s-1", b"u-1"]
NEW_LINE = [b"p-1", b"Mug", 2, GBP, True]
CART_LINE = [1, b"p-1", b"Mug", 2, GBP, [2598, b"GBP"], True]
DETAILS = [b"Mug", b"Holds tea.", GBP, b"home > kitchen", b"Acme", [b"5012345678900"], [[b"colour", b"red"]],
           [b"https://example.org/mug.jpg"], 350, 450]
PLACE = [b"c-1", [], SHOPPER, [b"s-1"], b"ada@example.org", ADDRESS, [0, b"tok_visa"], [2598, b"GBP"], b"web-1", b"", b"o-1"]
PLACE_ITEMS = [b"", [[b"p-1", 2, None], [b"p-2", 1, GBP]], SHOPPER, [], b"", None, [2, b""], None, b"", b"", b"o-2"]
ORDER_LINE = [1, b"p-1", b"Mug", 2, GBP, 2]
PROFILE = [b"Ada", b"+44 20 7946 0000", [ADDRESS], [[b"offers", False]]]
ID = [2**63, 42]
NODE = [2, b"b", b"10.0.0.2:7000", b"10.0.0.2:8080", b"10.0.0.2:8081", 2, T]
KEY = [1, b"k" * 32, T, T + 1000]
CAUSE = [b"ann@desk", b"new hardware"]
RECORD = [b"a" * 32, 1, [NODE], [[[2], False], [[2], True]], [3, 4], [KEY], [[T, b"ann@desk", b"rebalance", b""]]]

# By codec, in the order of the table in fuzz_codecs.cpp: values, or (alternative, value) of a variant.
CODECS = [
    ("cart_command", [(0, [b"s-1", b"u-1"]), (1, []), (2, [[NEW_LINE, NEW_LINE]]), (3, [1, 5]), (4, [b"p-1", 3]), (5, []),
                      (6, [b"o-1", SHOPPER]), (7, [b"o-1", [[b"p-1", b"Mug", GBP]]]), (8, [b"o-1"]), (9, [b"c-2"]),
                      (10, [b"c-0", [NEW_LINE]]), (11, [b"u-1"]), (12, [])]),
    ("cart_event", [(0, [b"s-1", b"", T]), (1, [[NEW_LINE], T]), (2, [1, 5, T]), (3, [T]), (4, [b"o-1", T]),
                    (5, [b"o-1", [[b"p-1", b"Mug", GBP]], T]), (6, [b"o-1", T]), (7, [b"c-2", T]),
                    (8, [b"c-0", [NEW_LINE], T]), (9, [b"u-1", T]), (10, [T])]),
    ("cart_state", [[b"s-1", b"", b"GBP", [[1, b"p-1", b"Mug", 2, 1299, True, 0], [3, b"p-2", b"Cup", 1, 500, False, 0]], 4, T,
                     None, [], [], None],
                    [b"s-1", b"u-1", b"GBP", [[1, b"p-1", b"Mug", 2, 1299, True, 0]], 2, T,
                     [b"o-1", b"GBP", [[1, b"p-1", b"Mug", 2, 1299, True, 2]]], [b"o-0"], [b"c-0"], None],
                    [b"s-1", b"", b"GBP", [], 2, T, None, [], [], [b"c-2", b"GBP", [[1, b"p-1", b"Mug", 2, 1299, True, 0]]]],
                    # Damaged prices: the subtotal overflowed.
                    [b"s-1", b"", b"GBP", [[1, b"p-1", b"Mug", 2, 2**63 - 1, True, 0]], 2, T, None, [], [], None],
                    [b"s-1", b"", b"GBP", [[1, b"p-1", b"Mug", 1, 2**62, True, 0], [2, b"p-2", b"Cup", 2, 2**62, True, 0]], 3, T,
                     None, [], [], None]]),
    ("cart_reply", [(0, [[CART_LINE], [2598, b"GBP"], 1, 2]), (1, [b"s-1", b"", b"o-1", [CART_LINE], [2598, b"GBP"], 2, T])]),
    ("email_command", [(0, [b"ada@example.org", b"u-1"]), (1, [])]),
    ("email_event", [(0, [b"ada@example.org", b"u-1", T])]),
    ("email_state", [[b"ada@example.org", b"u-1", T]]),
    ("email_reply", [[b"u-1"]]),
    ("order_command", [(0, PLACE), (0, PLACE_ITEMS), (1, []), (2, [3]), (3, [b"changed my mind"]), (4, [[CART_LINE]]),
                       (5, [105, b"o-0"]), (6, [0, b"Mug", GBP]), (8, [0, 1]), (9, [0, True, 3, 1]),
                       (11, [[0, b"", b"4242"]]), (18, [])]),
    ("order_event", [(0, [PLACE, T]), (1, [[ORDER_LINE]]), (2, [0, b"Mug", GBP]), (4, [GBP]), (5, [1, b"", T]), (6, [0]),
                     (7, [0, True, 3]), (10, [T]), (12, [T]), (14, [GBP, b"4242", T]), (16, [b"card_declined", b"0002", T])]),
    ("order_state", [[PLACE, T, T, 1, 8, [ORDER_LINE], [2598, b"GBP"], [[b"p-1", 2, 5]], 1, [], 0, 1, False, [2598, b"GBP"],
                      [0, b"GBP"], b"4242", b"", 0, b"", [], []],
                     [PLACE_ITEMS, T, T, 5, 8, [], [0, b"GBP"], [[b"p-1", 2, 3]], 3, [[0, True, 1]], T, 0, False, [0, b"GBP"],
                      [0, b"GBP"], b"", b"", 1, b"", [[b"p-1", 2, 1]], [[b"p-1", b"Mug", GBP, GBP]]]]),
    ("order_reply", [[1, 0, SHOPPER, b"ada@example.org", b"c-1", [[1, b"p-1", b"Mug", 2, GBP, GBP]], GBP, 2, ADDRESS, 0, b"4242",
                      b"", GBP, GBP, b"web-1", b"", T, T, [[b"p-1", 2, 1]], [[b"p-1", GBP, GBP]], None, False]]),
    ("product_command", [(0, [DETAILS]), (2, [DETAILS]), (3, []), (4, []), (5, [])]),
    ("product_event", [(0, [DETAILS, T]), (1, [DETAILS, T]), (2, [T])]),
    ("product_state", [[1, DETAILS, T, T]]),
    ("product_reply", [(0, [DETAILS, False, T, T]), (1, [b"Mug", GBP])]),
    ("session_command", [(0, [1, b"u-1", b"c-1", b"ab" * 32, T, b"s-0", b"curl/8", b"s-1", b"c-0"]), (1, []),
                         (2, [b"ab" * 32, b"cd" * 32, T, 3]), (3, [b"logout"]), (6, [message([NEW_LINE])]), (9, [False])]),
    ("session_event", [(0, [b"s-1", 0, b"", b"c-1", b"ab" * 32, T, b"", b"", b"curl/8", T, ID]), (1, [b"cd" * 32, T, T]),
                       (2, [b"logout", T]), (3, [T]), (4, []), (7, [message([NEW_LINE])])]),
    ("session_state", [[1, 1, 3, False, True, 2, b"s-1", b"u-1", b"c-1", b"ab" * 32, b"cd" * 32, T, T, T, 0, b"s-0", b"c-0", b"c-1",
                        message([NEW_LINE]), b"curl/8", b"", ID]]),
    ("session_reply", [[1, b"u-1", b"c-1", [b"s-0"], T, T, False, 2]]),
    ("stock_command", [(0, [100, b"count"]), (1, [-3, b"broken"]), (2, [b"r-1", 2, b"s-1", 60000]), (3, [b"r-1", 60000]),
                       (4, [b"r-1"]), (5, [b"o-1", 2, [b"s-1"]]), (8, [b"o-1", b"k-1", 1]), (10, [])]),
    ("stock_event", [(0, [100, b"count", [3, b"", b""], T]), (1, [-3, b"broken", [3, b"", b""], T]),
                     (2, [b"r-1", 2, b"s-1", 60000, T + 60000, T]), (3, [b"r-1", T, T]), (4, [b"r-1", T]),
                     (6, [b"o-1", 2, [b"r-1"], T]), (8, [b"o-1", T]), (9, [b"o-1", b"k-1", 1, T])]),
    ("stock_state", [[True, 100, 5, 95, 110, -3, 8, 1, [[b"r-1", 2, b"s-1", 60000, T]], [[b"o-2", 3]], [[b"o-1", True, 8, 1, T]],
                      [[b"3:o-1k-1", 1, T]]],
                     # A damaged time: what lies 72 h before it is no time.
                     [True, 1, 0, 1, 1, 0, 0, 0, [], [], [[b"o-1", True, 8, 1, -2**63]], [[b"3:o-1k-1", 1, -2**63 + 1]]]]),
    ("stock_reply", [[100, 5, 95, 110, -3, 8, 1, 1, 1, T, 2], [0] * 9 + [None, 0]]),
    ("user_command", [(0, [b"ada@example.org", b"$argon2id$v=19$x", b"Ada", 1, b"s-1", b"c-1", b"u-1"]), (1, []), (3, [1, False]),
                      (6, [PROFILE]), (8, [True]), (11, [b"s-2"])]),
    ("user_event", [(0, [b"u-1", b"ada@example.org", b"$argon2id$v=19$x", b"Ada", 1, b"s-1", b"c-1", T, ID]), (1, []),
                    (3, [1, False]), (4, [PROFILE]), (6, [True]), (8, [b"s-2"])]),
    ("user_state", [[2, 1, 0, b"u-1", b"ada@example.org", b"$argon2id$v=19$x", PROFILE, b"c-1", b"s-1", T, [b"s-0"], [b"s-2"],
                     [b"s-3"], ID]]),
    ("user_reply", [[2, b"ada@example.org", 1, PROFILE, b"c-1", [b"s-0"], T, b"", [b"s-2"]]]),
    ("payment_command", [(0, [b"o-1", GBP, [0, b"tok_visa"]]), (1, [b"o-1"]), (2, [b"o-1", b"r1", GBP])]),
    ("payment_reply", [[0, b"", b"4242"], [1, b"card_declined", b"0002"], [2, b"", b""]]),
    ("store_format", [[1, 64]]),
    ("log_entry", [[1, T, [[b"cart", b"c-1", 1, [message([T, SHOPPER, b"x"])]]]]]),
    ("event_record", [[T, SHOPPER, message([0, [b"s-1", b"", T]])]]),
    ("snapshot", [[7, message([b"u-1"])]]),
    ("receipt", [[ID, 99, T, 0, b"", b""], [ID, 99, T, 201, b"only 3", message(3)]]),
    ("session_lines", [[NEW_LINE, NEW_LINE]]),
    ("cluster_command", [(0, [b"a" * 32, NODE, 64, [KEY]]), (1, [NODE, CAUSE]), (2, [2]), (3, [2, CAUSE]), (4, [2, CAUSE]),
                         (5, [2, True, [7], CAUSE]), (6, [2, 3, CAUSE]), (7, [[[64, [2, 3]]]]), (8, [KEY, CAUSE]),
                         (9, [[5, 9], CAUSE]), (10, [2, b"h:1", b"h:2", b""]), (11, [20]), (12, [7, 2, CAUSE]), (13, [CAUSE])]),
    ("cluster_event", [(0, [b"a" * 32, NODE, 64, [KEY], T]), (1, [NODE, CAUSE, T]), (2, [2, T]), (3, [2, CAUSE, T]),
                       (4, [2, CAUSE, T]), (5, [2, True, CAUSE, T]), (6, [2, 3, CAUSE, T]), (7, [[[64, [2, 3]]], T]),
                       (8, [KEY, CAUSE, T]), (9, [[5, 9], CAUSE, T]), (10, [2, b"h:1", b"h:2", b"", T]), (11, [7, 2, CAUSE, T]),
                       (12, [CAUSE, T])]),
    ("cluster_state", [RECORD]),
    ("cluster_reply", [[None], [RECORD]]),
]

REQUESTS = {
    "get": b"GET /v1/products?limit=2 HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    "length": b"POST /v1/carts HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
    "chunked": b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n",
    "pipelined": b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nPUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}GET /c HTTP/1.1\r\nHost: a\r\n\r\n",
    "expect": b"POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    "version_1_0": b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "two_framings": b"POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    "bare_lf": b"GET / HTTP/1.1\nHost: a\n\n",
    # Beast asserted on "0 CR LF CR" arriving after "0 CR LF".
    "last_chunk_alone": b"POST /s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "last_chunk_two_crs": b"POST /s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\r\n",
    "long_target": b"GET /" + b"a" * 90 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "many_fields": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(9)) + b"\r\n",
}

BODIES = {
    "order": b'{"email":"a@b","quantity":3,"kind":"card","price":{"amount":1299,"currency":"GBP"},'
             b'"items":[{"product":"p-1"},{"product":"p-2"}],"address":{"city":"London"},"tags":["a","b"],"flag":true}',
    "decimal": b'{"email":"x","quantity":0,"kind":"paypal","price":12.99,"list_price":{"amount":5,"currency":"EUR"},"items":[1]}',
    "escapes": b'{"stored":{"a\\/~b":"\\u00e9\\ud83d\\ude00\\n","n":-0,"e":1e3,"big":18446744073709551615}}',
    "nested": b"[" * 32 + b"]" * 32,
    "too_deep": b"[" * 33 + b"]" * 33,
    "twice": b'{"a":{"b":1,"b":2}}',
    "unknown": b'{"x":null,"y":[],"weight":9}',
    "bom": b"\xef\xbb\xbf{}",
    "bad_utf8": b'"\xff\xfe"',
}

NOW = 1_800_000_000
CLAIMS = {"iss": "omnicart", "aud": "omnicart-api", "typ": "access", "sub": "u-1", "sid": "s-1", "role": 1,
          "iat": NOW, "nbf": NOW, "exp": NOW + 300, "jti": "j-1"}
ACCESS_KEY, REFRESH_KEY = bytes(range(32)), bytes(range(32, 64))  # as in fuzz_tokens.cpp


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def claims_text(header='{"alg":"HS256","typ":"JWT"}', **changes):
    return header.encode() + b"\n" + json.dumps(CLAIMS | changes, separators=(",", ":")).encode()


def token(text):
    signed = b".".join(base64url(part) for part in text.split(b"\n"))
    return signed + b"." + base64url(hmac.new(ACCESS_KEY, signed, hashlib.sha256).digest())


def refresh_token(session, index):
    # libsodium's crypto_auth_hmacsha256 is HMAC-SHA-256.
    mac = hmac.new(REFRESH_KEY, session + b"\n%d" % index, hashlib.sha256).digest()
    return session + b".%d." % index + base64url(mac)


TOKENS = {
    "good": token(claims_text()),
    "claims": claims_text(),
    "expired": claims_text(exp=NOW),
    "not_yet": claims_text(nbf=NOW + 60),
    "odd_role": claims_text(role=9),
    "wrong_types": claims_text(exp="never", role="admin", sub=7),
    "other_algorithm": claims_text(header='{"alg":"none"}'),
    "longer_hash": claims_text(header='{"alg":"HS512","typ":"JWT"}'),
    "refresh": refresh_token(b"s-1", 7),
    "refresh_dots": refresh_token(b"a.b", 4_294_967_295),
    "refresh_zero_before_index": refresh_token(b"s-1", 7).replace(b".7.", b".07."),
}

CHARGED = {"key": "o-1", "status": "captured", "amount": 2598, "currency": "GBP", "last4": "4242", "decline_code": ""}
# By name: command (0 charge, 1 void, 2 refund), position in the table of statuses, body.
ANSWERS = {
    "captured": (0, 0, CHARGED),
    "declined": (0, 0, CHARGED | {"status": "declined", "decline_code": "card_declined"}),
    "other_key": (0, 0, CHARGED | {"key": "o-9"}),
    "other_amount": (0, 0, CHARGED | {"amount": 1}),
    "key_reused": (0, 2, {"error": "key_reused", "key": "o-1"}),
    "unknown_method": (0, 3, {"error": "unknown_method", "key": "o-1"}),
    "malformed": (0, 1, {"error": "malformed", "detail": "no amount"}),
    "voided": (1, 0, {"key": "o-1", "status": "voided"}),
    "too_late": (1, 2, {"error": "captured", "key": "o-1"}),
    "refunded": (2, 0, {"key": "o-1", "status": "refunded", "refund_key": "r1", "amount": 2598, "currency": "GBP"}),
    "over_refund": (2, 2, {"error": "over_refund", "key": "o-1"}),
    "busy": (0, 4, {}),
}

HELLO = [[1, 2], b"shop-1", 3, 2**63, 99]
LINK_MESSAGES = {"hello": (0, HELLO), "hello_newer": (0, HELLO + [b"more"]), "hello_no_node": (0, [[1, 2], b"shop-1", 0, 1, 2]),
                 "confirm": (1, [99, 1]), "ping": (2, [7]), "pong": (3, [7]), "credit": (4, [2**63]), "unknown": (5, [1])}
COMMAND = [9, [b"cart", b"c-1"], message([12, []]), SHOPPER, ID, 77, 4, 5000, 100, True]
REMOTE = {
    "command": (0, COMMAND), "command_plain": (0, [1, [b"stock", b"p-1"], b""]), "command_newer": (0, COMMAND + [b"trace"]),
    "command_system": (0, [2, [b"order", b"o-1"], b"x", [9, b"", b""]]), "command_odd_role": (0, [2, [b"order", b"o-1"], b"x", [4, b"", b""]]),
    "command_endless": (0, [1, [b"cart", b"c-1"], b"", GUEST, [0, 0], 0, None, 2**63 - 1, 0]),
    "answer": (1, [9, None, b"state", 7, True]), "answer_refused": (1, [9, [201, b"only 3", message(3)]]),
    "answer_other_leads": (1, [9, [33, b"another node leads this shard", b"3"]]), "answer_no_reason": (1, [9, [0, b"", b""]]),
}

# Raft's frames are arrays of numbers; alternatives stand in the order of cluster/raft/types.hpp.
VOTE, APPENDED = [5, 7, 3, False, True], [5, 0, 7, 100]
RAFT = {
    "vote": (0, [1, 2, [[3, 0, VOTE]]]), "append": (0, [1, 2, [[3, 2, [5, 2, 1, 1, 100, [[5, 1, b"abc"], [5, 2, b""]]]]]]),
    "append_result": (0, [1, 2, [[3, 3, APPENDED]]]), "two": (0, [1, 2, [[0, 0, VOTE], [63, 3, APPENDED]]]),
    "no_kind": (0, [1, 2, [[0, 9, VOTE]]]), "nobody": (0, [1, 2, []]),
    "configuration": (1, [[[1, 1], [2, 0], [3, 2]]]), "nobody_votes": (1, [[[1, 0]]]),
    "report": (2, [0, [False, 1_800_000_000_000, b"1.0", b"h:1", b"o:1"]]), "wanted": (2, [1, [9]]), "positions": (2, [2, [9, [[3, 17]]]]),
    "copy_request": (3, [0, [1, 7, 10, 0]]), "copy_chunk": (3, [1, [1, 1, b"abc"]]), "copy_end": (3, [2, [1, 1, [17, 1_800_000_000_000]]]),
    "copy_refused": (3, [3, [1, b"no"]]), "copy_stop": (3, [4, [1]]),
}


def frames(*parts):
    """A stream: (version, channel, payload) by their order."""
    return b"".join(struct.pack(">IBBQ", 10 + len(payload), version, channel, i + 1) + payload
                    for i, (version, channel, payload) in enumerate(parts))


LINK_STREAMS = {
    "greeting": b"\0" + frames((0, 0, message([0, HELLO])), (0, 0, message([1, [99, 1]]))),
    "too_long": b"\0" + frames((0, 0, b"x" * 513)),
    "up": b"\1" + frames((0, 0, b"x"), (1, 1, b"raft"), (1, 4, b""), (1, 5, b"snapshot")),
    "out_of_sequence": b"\1" + frames((0, 0, b"x"), (1, 1, b"a")) + frames((1, 1, b"a")),
    "absurd_length": b"\1" + frames((0, 0, b"x")) + b"\xff" * 14,
    "cut": b"\1" + frames((0, 0, b"x"), (1, 3, b"answer"))[:-3],
}


def write(target, seeds):
    folder = CORPUS / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)


def codec_seeds():
    seeds = {}
    for number, (name, values) in enumerate(CODECS):
        for i, value in enumerate(values):
            packed = message(list(value) if isinstance(value, tuple) else value)
            seeds[f"{name}_{i}"] = bytes([number]) + packed
    return seeds


def main():
    write("fuzz_http", REQUESTS)
    write("fuzz_json", BODIES)
    write("fuzz_tokens", TOKENS)
    write("fuzz_codecs", codec_seeds())
    write("fuzz_provider_answer", {
        name: bytes([command, status]) + json.dumps(body, separators=(",", ":")).encode()
        for name, (command, status, body) in ANSWERS.items()})
    write("fuzz_link", LINK_STREAMS | {name: b"\2" + message(list(said)) for name, said in LINK_MESSAGES.items()})
    write("fuzz_raft", {name: bytes([which]) + message(value) for name, (which, value) in RAFT.items()})
    write("fuzz_remote", {name: bytes([which]) + message(value) for name, (which, value) in REMOTE.items()})


if __name__ == "__main__":
    main()
