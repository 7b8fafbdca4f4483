#!/usr/bin/env python3
"""The net that the end-to-end tests hold every answer against (tests/e2e/harness/contract.py) has no hole: each keyword of a schema
with a good and a bad value, and answers that the document has and has not."""

import itertools
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "e2e")]
from harness import Answer, Suite, check, contract, equal  # noqa: E402
from harness.raw import asked_by  # noqa: E402
from harness.schema import CHOICES, KNOWN, PLAIN, SAID_TO_READERS, Checker, unknown_in  # noqa: E402

suite = Suite()
document = contract.Document()
TEXT, WHOLE = {"type": "string"}, {"type": "integer"}

# --- schemas ---------------------------------------------------------------------------------------------------

# Keyword: rows of schema, a value that holds, a value that does not.
TABLE = {
    "type": [({"type": "object"}, {}, []), ({"type": "array"}, [], {}), (TEXT, "1", 1), (TEXT, "", None), (WHOLE, -1, 1.5),
             (WHOLE, 0, "0"), (WHOLE, 1, True), ({"type": "number"}, 1.5, "1.5"), ({"type": "number"}, 1, False),
             ({"type": "boolean"}, False, 0)],
    "nullable": [({"type": "string", "nullable": True}, None, 0), ({"type": "string", "nullable": False}, "", None)],
    "enum": [({"enum": ["a", "b"]}, "b", "c"), ({"enum": [1]}, 1, True), ({"enum": [True]}, True, 1)],
    "minimum": [({"minimum": 1}, 1, 0), ({"type": "number", "minimum": 0.5}, 0.5, 0.4)],
    "maximum": [({"maximum": 5}, 5, 6)],
    "exclusiveMinimum": [({"minimum": 1, "exclusiveMinimum": True}, 2, 1),
                         ({"minimum": 1, "exclusiveMinimum": False}, 1, 0)],
    "exclusiveMaximum": [({"maximum": 5, "exclusiveMaximum": True}, 4, 5),
                         ({"maximum": 5, "exclusiveMaximum": False}, 5, 6)],
    "minLength": [({"minLength": 2}, "éé", "é")],
    "maxLength": [({"maxLength": 2}, "éé", "ééé")],
    "pattern": [({"pattern": "^[A-Z]{3}$"}, "GBP", "gbp"), ({"pattern": "b"}, "abc", "ac"),
                ({"pattern": "^(?!(items|[.])$)"}, "items2", "items")],
    "format": [({"format": "date-time"}, "2026-11-20T10:00:00.000Z", "2026-11-20T10:00:00Z")],
    "items": [({"items": WHOLE}, [1, 2], [1, "2"])],
    "minItems": [({"minItems": 1}, [0], [])],
    "maxItems": [({"maxItems": 1}, [0], [0, 0])],
    "uniqueItems": [({"uniqueItems": True}, [1, True, "1"], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]),
                    ({"uniqueItems": True}, [], [0, 0])],
    "properties": [({"properties": {"a": WHOLE}}, {"a": 1, "b": "x"}, {"a": "1"})],
    "required": [({"required": ["a"]}, {"a": None}, {"b": 1})],
    "additionalProperties": [({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, {"a": 1, "b": 2}),
                             ({"additionalProperties": WHOLE}, {"x": 1}, {"x": "1"})],
    "minProperties": [({"minProperties": 1}, {"a": 1}, {})],
    "maxProperties": [({"maxProperties": 1}, {"a": 1}, {"a": 1, "b": 2})],
    "oneOf": [({"oneOf": [TEXT, WHOLE]}, 1, 1.5), ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, 0, 3)],
    "anyOf": [({"anyOf": [TEXT, WHOLE]}, "", []), ({"anyOf": [{"minimum": 5}, {"maximum": 3}]}, 3, 4)],
    "allOf": [({"allOf": [{"minimum": 1}, {"maximum": 5}]}, 3, 6)],
    "$ref": [({"$ref": "#/components/schemas/Money"}, {"amount": 1, "currency": "GBP"}, {"amount": 1, "currency": "pound"})],
}
# What a keyword says nothing of holds.
ELSEWHERE = [({"minimum": 1}, "0"), ({"minimum": 5}, True), ({"maxLength": 1}, 12), ({"pattern": "a"}, 1),
             ({"format": "date-time"}, 1), ({"maxItems": 0}, "ab"), ({"required": ["a"]}, []), ({"items": TEXT}, {"a": 1}),
             ({"maxProperties": 0}, "a"), ({"properties": {"a": WHOLE}}, "a"), ({}, None)]


def rows():
    for keyword, of_keyword in TABLE.items():
        for schema, good, bad in of_keyword:
            yield keyword, schema, good, bad


@suite.case
def every_keyword_has_a_row():
    equal(KNOWN - SAID_TO_READERS - TABLE.keys(), set())


@suite.case
def a_good_value_holds_and_a_bad_one_does_not():
    for keyword, schema, good, bad in rows():
        equal(document.faults(good, schema), [], f"{keyword} {schema}")
        check(document.faults(bad, schema), "not seen", keyword, schema, bad)
    print(f"       {len(list(rows()))} rows", flush=True)


@suite.case
def a_keyword_says_nothing_of_values_of_another_type():
    for schema, value in ELSEWHERE:
        equal(document.faults(value, schema), [], f"{schema}")


@suite.case
def what_is_wrong_deep_in_a_value_is_seen_and_named():
    schema = {"properties": {"a": {"items": {"oneOf": [WHOLE, {"properties": {"b": {"maxLength": 1}}, "type": "object"}]}}}}
    found = document.faults({"a": [1, {"b": "xx"}]}, schema)
    check(any(each.startswith("/a/1/b: ") for each in found), found)


@suite.case
def each_rule_is_looked_at():
    """With a rule taken out, a row of its keyword goes unseen."""
    for table, name in [(PLAIN, name) for name in PLAIN] + [(CHOICES, name) for name in CHOICES]:
        kept = table.pop(name)
        try:
            unseen = [bad for _, schema, _, bad in rows() if name in schema and not Checker(document.resolve).faults(bad, schema)]
        finally:
            table[name] = kept
        check(unseen, "no row needs it", name)


@suite.case
def a_schema_that_could_not_be_checked_is_refused_when_the_document_is_read():
    for schema in ({"multipleOf": 2}, {"not": {}}, {"type": "null"}, {"format": "uuid"}, {"items": {"const": 1}},
                   {"properties": {"a": {"patternProperties": {}}}}, {"additionalProperties": {"if": {}}},
                   {"oneOf": [{}, {"contains": 1}]}, {"$ref": "#/components/schemas/Money", "nullable": True}):
        check(unknown_in(schema), "not seen", schema)
    for known in (each for _, each in document.schemas()):
        equal(unknown_in(known), [])
    planted = contract.text().replace('Nothing: {"type": "object"', 'Nothing: {"type": "object", "minContains": 1', 1)
    try:
        contract.Document(planted)
    except contract.Breach:
        return
    raise AssertionError("a document with a keyword that nobody checks was read")


@suite.case
def every_schema_of_the_document_is_found():
    found = sum(1 for _ in document.schemas())
    written = contract.text().count('"schema": ') + len(document.root["components"]["schemas"])
    equal(found, written)


@suite.case
def our_checker_agrees_with_a_library():
    try:
        from jsonschema import Draft4Validator, FormatChecker, validators  # pylint: disable=import-outside-toplevel
    except ImportError:
        Suite.skip("our_checker_agrees_with_a_library", "python3-jsonschema is not installed")
        return
    kinds = Draft4Validator.VALIDATORS["type"]

    def ref(validator, name, value, _):
        yield from validator.descend(value, document.resolve({"$ref": name}))

    def kind(validator, wanted, value, schema):
        if not (value is None and schema.get("nullable")):  # of OpenAPI 3.0
            yield from kinds(validator, wanted, value, schema)
    library = validators.extend(Draft4Validator, {"$ref": ref, "type": kind})
    formats = FormatChecker(formats=())
    formats.checks("date-time")(lambda value: not isinstance(value, str) or len(value) == 24)
    values = [value for row in rows() for value in row[2:]] + [value for _, value in ELSEWHERE]
    schemas = [schema for _, schema, _, _ in rows()] + [schema for schema, _ in ELSEWHERE]
    for schema, value in itertools.product(schemas, values):
        theirs = library(schema, format_checker=formats).is_valid(value)
        equal(not document.faults(value, schema), theirs, f"{schema} of {value!r}")
    print(f"       {len(schemas) * len(values)} pairs", flush=True)


# --- answers ---------------------------------------------------------------------------------------------------

PRODUCTS = {"items": [], "next_cursor": None, "total": 0,
            "facets": {"category": [], "brand": [], "price": [], "rating": [], "stock": [], "attributes": {}}}
JSON = "application/json"


def answer(status, body=None, media=JSON, **headers):
    sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"x-request-id": "r1", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01", **({"content-type": media} if sent else {})}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {name: value for name, value in named.items() if value is not None}, sent)


def problem(status, code, media=contract.PROBLEM, said=None, **headers):
    body = {"type": "urn:omnicart:problem:" + code, "title": "No", "status": status, "detail": "No.", "code": code,
            "request_id": "r1", "retryable": False, **(said or {})}
    return answer(status, body, media, **headers)


NDJSON, SUMMARY = "application/x-ndjson", b'{"lines":1,"imported":1,"failed":0,"next_line":2}\n'
SESSION = document.operations()["POST", "/api/sessions"]["responses"]["201"]["content"][JSON]["example"]


def is_taken(method, target, given):
    try:
        document.check(method, target, given)
    except contract.Breach:
        return False
    return True


PRODUCT = "/api/products/none"
ALLOW = "DELETE, GET, HEAD, OPTIONS, PUT"
COUNTED = {"ratelimit_policy": '"read-user";q=200;w=4', "ratelimit": '"read-user";r=0;t=4'}
BEYOND = {"ratelimit_limit": "200", "ratelimit_remaining": "0", "ratelimit_reset": "4"}
COOKIE = "omnicart_session=eyJ.e_-0; HttpOnly; SameSite=Strict; Path=/; Max-Age=900"
ENDED = "omnicart_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"
REPLAYED, WHOLE_CART = {"idempotent_replayed": "true"}, {"preference_applied": "return=representation"}
# What any answer may have, written down twice, so that the list grows with intent.
SPOKEN_TO_ALL = dict.fromkeys((
    "date", "content-length", "connection", "cache-control", "vary", "strict-transport-security", "x-content-type-options",
    "x-frame-options", "referrer-policy", "content-security-policy", "access-control-allow-origin", "access-control-allow-credentials",
    "access-control-expose-headers", "access-control-allow-methods", "access-control-allow-headers", "access-control-max-age"), "x")


def example_of(method, path, status):
    return document.operations()[method, path]["responses"][str(status)]["content"][JSON]["example"]


CART, COUPON = example_of("DELETE", "/api/cart", 200), example_of("POST", "/api/cart/coupons", 200)
MINE = example_of("GET", "/api/users/profile/export", 200)
# What the document has: (method, target, answer).
LISTED = [
    ("GET", "/api/products", answer(200, PRODUCTS)), ("GET", "/products/?limit=1", answer(200, PRODUCTS)),
    ("GET", "http://shop.example/api/products", answer(200, PRODUCTS)), ("HEAD", "/api/products", answer(200, content_type=JSON)),
    ("GET", PRODUCT, problem(404, "no_such_product")), ("GET", PRODUCT, problem(503, "overloaded")),
    ("GET", PRODUCT, problem(503, "overloaded", said={"retryable": True}, retry_after="1")),
    ("PUT", PRODUCT, problem(409, "in_progress")), ("GET", "/api/cart/u", problem(404, "not_found")),
    ("POST", "/api/cart/u/items", problem(404, "not_found")), ("POST", "/cart/u/items", problem(404, "not_found")),
    ("GET", "/nothing", problem(404, "no_such_path")), (None, None, problem(400, "malformed_request")),
    ("BREW", PRODUCT, problem(405, "method_not_allowed", allow=ALLOW)), ("OPTIONS", PRODUCT, answer(204, allow=ALLOW)),
    ("OPTIONS", "*", answer(204, allow="GET, POST")), ("GET", "/api/cart", problem(401, "unauthorized", www_authenticate="Bearer")),
    ("GET", PRODUCT, problem(429, "rate_limited", retry_after="1")), ("HEAD", PRODUCT, answer(404, content_type=contract.PROBLEM)),
    ("DELETE", "/api/sessions/x", answer(204)), ("POST", "/api/sessions", answer(201, SESSION, location="/api/sessions/x")),
    ("GET", "/api/products", answer(200, PRODUCTS, **COUNTED)), ("GET", PRODUCT, answer(304, etag='"7-3"', **COUNTED)),
    ("GET", PRODUCT, problem(404, "no_such_product", **COUNTED)), ("GET", "/health", answer(200, {"status": "ok"})),
    ("GET", PRODUCT, problem(429, "rate_limited", retry_after="1", **COUNTED, **BEYOND)),
    ("GET", "/api/products", answer(200, PRODUCTS, **SPOKEN_TO_ALL)), ("OPTIONS", PRODUCT, answer(204, allow=ALLOW, **SPOKEN_TO_ALL)),
    ("GET", PRODUCT, problem(404, "no_such_product", **SPOKEN_TO_ALL)),
    ("DELETE", "/api/sessions/x", answer(204, set_cookie=ENDED, **REPLAYED)),
    ("POST", "/api/sessions", answer(201, SESSION, location="/api/sessions/x", set_cookie=COOKIE + "; Secure", **REPLAYED)),
    ("DELETE", "/api/cart", answer(200, CART, etag='"3"', **REPLAYED, **WHOLE_CART)),
    ("POST", "/api/cart/coupons", answer(200, COUPON, etag='"3"', **REPLAYED)),
    ("GET", "/api/users/profile/export", answer(200, MINE, content_disposition='attachment; filename="my-data.json"')),
    ("POST", "/api/orders", problem(402, "payment_declined", said={"order_id": "o1"}, **REPLAYED)),
    ("PUT", PRODUCT, problem(409, "in_progress", said={"retryable": True}, retry_after="1")),
    ("GET", "/docs", answer(200, b"<p>", "text/html; charset=utf-8")),
    ("POST", "/api/products/import", answer(200, b'{"line":1,"id":"a","status":"ok"}\n' + SUMMARY, NDJSON)),
]
# What it has not.
UNHEARD_OF = [
    *(("GET", "/api/products", answer(200, body)) for body in (
        {"items": []}, {**PRODUCTS, "items": {}}, {**PRODUCTS, "total": "0"}, {**PRODUCTS, "more": 1}, [], None,
        {**PRODUCTS, "facets": {**PRODUCTS["facets"], "brand": {}}},
        {**PRODUCTS, "facets": {**PRODUCTS["facets"], "price": [{"count": 1}]}})),
    ("GET", "/api/products", answer(200, PRODUCTS, "text/plain")), ("GET", "/api/products", answer(201, PRODUCTS)),
    ("GET", "/api/products", answer(404, {"error": "no"})), ("GET", "/api/products", answer(500, b"oops", "text/html")),
    ("GET", "/api/products", answer(502)), ("HEAD", "/api/products", answer(202, content_type=JSON)),
    ("HEAD", "/api/products", answer(200, content_type="text/plain")),
    ("GET", "/api/products", answer(200, PRODUCTS, x_request_id=None)),
    ("GET", "/nothing", answer(404)), ("GET", "/nothing", answer(200, {})), (None, None, answer(400)), (None, None, answer(200, {})),
    ("HEAD", "/nothing", answer(200)), ("DELETE", "/api/sessions/x", answer(204, {"a": 1})),
    ("GET", PRODUCT, problem(404, "no_such_order")), ("GET", PRODUCT, problem(404, "unheard_of")),
    ("GET", PRODUCT, problem(409, "no_such_product")), ("GET", PRODUCT, problem(409, "in_progress")),
    ("GET", PRODUCT, problem(404, "no_such_product", said={"status": 410})),
    ("GET", PRODUCT, problem(404, "no_such_product", said={"more": 1})),
    ("GET", PRODUCT, problem(404, "no_such_product", said={"type": "about:blank"})),
    ("GET", PRODUCT, problem(404, "no_such_product", said={"request_id": "r2"})),
    ("GET", PRODUCT, problem(404, "no_such_product", contract.PROBLEM + "; charset=utf-8")),
    ("GET", PRODUCT, problem(404, "no_such_product", JSON)),
    ("GET", PRODUCT, problem(404, "no_such_path")), ("GET", PRODUCT, problem(405, "method_not_allowed", allow=ALLOW)),
    ("GET", PRODUCT, problem(400, "overloaded")), ("GET", PRODUCT, problem(503, "overloaded", said={"retryable": True})),
    ("GET", "/nothing", problem(404, "no_such_product")), (None, None, problem(404, "no_such_product")),
    ("BREW", PRODUCT, problem(405, "method_not_allowed")),
    ("BREW", PRODUCT, problem(405, "method_not_allowed", allow="GET, HEAD, OPTIONS")),
    ("OPTIONS", PRODUCT, answer(204, allow="GET, HEAD, OPTIONS")), ("OPTIONS", PRODUCT, answer(200, allow=ALLOW)),
    ("GET", "/api/cart", problem(401, "unauthorized")), ("GET", PRODUCT, problem(429, "rate_limited")),
    ("GET", PRODUCT, problem(429, "rate_limited", retry_after="soon")), ("GET", PRODUCT, problem(429, "rate_limited", retry_after="0")),
    ("POST", "/api/sessions", answer(201, SESSION)),
    # Headers that the response has not, whatever others have.
    ("GET", "/api/products", answer(200, PRODUCTS, x_unheard_of="1")), ("GET", PRODUCT, answer(304, etag='"7"', x_unheard_of="1")),
    ("GET", PRODUCT, problem(404, "no_such_product", x_unheard_of="1")),
    ("OPTIONS", PRODUCT, answer(204, allow=ALLOW, x_unheard_of="1")), ("OPTIONS", PRODUCT, answer(204, allow=ALLOW, **COUNTED)),
    ("GET", "/api/products", answer(200, PRODUCTS, set_cookie=COOKIE)), ("GET", "/api/products", answer(200, PRODUCTS, server="x")),
    ("GET", "/api/products", answer(200, PRODUCTS, etag='"3"')), ("GET", "/api/products", answer(200, PRODUCTS, **REPLAYED)),
    ("GET", "/api/products", answer(200, PRODUCTS, location="/api/products")),
    ("GET", "/api/products", answer(200, PRODUCTS, **BEYOND)), ("GET", "/health", answer(200, {"status": "ok"}, **COUNTED)),
    ("POST", "/api/cart/coupons", answer(200, COUPON, etag='"3"', **WHOLE_CART)),
    ("DELETE", "/api/cart", answer(200, CART, etag='"3"', set_cookie=ENDED)),
    ("GET", PRODUCT, problem(404, "no_such_product", **REPLAYED)), ("GET", PRODUCT, problem(404, "no_such_product", etag='"3"')),
    *(("GET", PRODUCT, problem(404, "no_such_product", **{name: value})) for name, value in (
        ("www_authenticate", "Bearer"), ("allow", "GET"), ("retry_after", "1"), *BEYOND.items())),
    # Those that it must have.
    ("GET", "/api/products", answer(200, PRODUCTS, traceparent=None)), ("OPTIONS", PRODUCT, answer(204, allow=ALLOW, traceparent=None)),
    ("GET", PRODUCT, problem(404, "no_such_product", traceparent=None)), ("GET", PRODUCT, answer(304)),
    ("DELETE", "/api/cart", answer(200, CART)), ("GET", "/api/users/profile/export", answer(200, MINE)),
    ("OPTIONS", "*", answer(204)),
    # Values that their schemas do not have.
    *(("GET", "/api/products", answer(200, PRODUCTS, **{name: value})) for name, value in (
        ("ratelimit_policy", "200;w=4"), ("ratelimit_policy", '"read-user";q=0;w=4'), ("ratelimit", "0"),
        ("ratelimit", "read-user;r=0;t=4"), ("ratelimit", '"read-user";r=-1;t=4'), ("x_request_id", "r 1"),
        ("x_request_id", "r" * 129), ("traceparent", "00-0-0-01"))),
    *(("GET", PRODUCT, problem(429, "rate_limited", retry_after="1", **{**BEYOND, name: value})) for name, value in (
        ("ratelimit_limit", "0"), ("ratelimit_remaining", "-1"), ("ratelimit_reset", "1.5"), ("ratelimit_reset", "-1"))),
    *(("DELETE", "/api/cart", answer(200, CART, **{"etag": '"3"', name: value})) for name, value in (
        ("idempotent_replayed", "false"), ("idempotent_replayed", "1"), ("preference_applied", "return=minimal"), ("etag", "3"))),
    *(("DELETE", "/api/sessions/x", answer(204, set_cookie=value)) for value in (
        ENDED.replace(" HttpOnly;", ""), ENDED.replace("Strict", "None"), ENDED + "; Domain=example.com", "other=1")),
    ("POST", "/api/sessions", answer(201, SESSION, location="sessions/x")),
    ("GET", "/api/users/profile/export", answer(200, MINE, content_disposition="inline")),
    ("GET", "/api/cart", problem(401, "unauthorized", www_authenticate="Basic")), ("OPTIONS", "*", answer(204, allow="get")),
    ("POST", "/api/products/import", answer(200, b'{"line":1,"id":"a","status":"error"}\n' + SUMMARY, NDJSON)),
]


@suite.case
def answers_of_the_document_are_taken():
    for method, target, given in LISTED:
        document.check(method, target, given)


@suite.case
def answers_that_break_the_document_are_seen():
    for method, target, given in UNHEARD_OF:
        check(not is_taken(method, target, given), "not seen", method, target, given, given.headers)
    print(f"       {len(UNHEARD_OF)} answers", flush=True)


@suite.case
def no_header_is_let_by_that_the_document_could_have():
    """The list of those that any answer may have is of HTTP's own: the document lists none of them, and a row needs each."""
    responses = [*document.root["components"]["responses"].values(),
                 *(each for call in document.operations().values() for each in call["responses"].values() if "$ref" not in each)]
    listed = {name.lower() for response in responses for name in response["headers"]}
    equal(listed & contract.GENERAL_HEADERS.keys(), set())
    equal(contract.GENERAL_HEADERS.keys(), SPOKEN_TO_ALL.keys() | {"content-type"})
    for name in SPOKEN_TO_ALL:
        kept = contract.GENERAL_HEADERS.pop(name)
        try:
            check(not is_taken("GET", "/api/products", answer(200, PRODUCTS, **{name: "x"})), "taken anyway", name)
        finally:
            contract.GENERAL_HEADERS[name] = kept


@suite.case
def every_header_of_the_document_has_an_example_that_holds():
    for name, header in document.root["components"]["headers"].items():
        check(header.get("description") and "example" in header, "no description or example", name)
        equal(document.faults(header["example"], header["schema"]), [], name)


@suite.case
def the_bytes_of_a_request_say_what_they_ask_for():
    for request, wanted in ((b"GET /api/products?q=a HTTP/1.1\r\nHost: a\r\n\r\n", ("GET", "/api/products?q=a")),
                            (b"BREW /pot HTTP/1.0\r\n", ("BREW", "/pot")), (b"OPTIONS * HTTP/1.1\r\n", ("OPTIONS", "*")),
                            (b"GET /api/products\r\n", (None, None)), (b"GET /api/products HTTP/2.0\r\n", (None, None)),
                            (b"GE", (None, None)), (b"", (None, None)), (b"\x16\x03\x01", (None, None))):
        equal(asked_by(request), wanted, repr(request))


# --- paths -----------------------------------------------------------------------------------------------------

def parameter(path, number):
    """The schema of the parameter that is a path's segment of this number."""
    name = path.split("/")[number][1:-1]
    call = next(iter(document.paths[path].values()))
    return next(each["schema"] for each in map(document.resolve, call["parameters"]) if (each["in"], each["name"]) == ("path", name))


def may_be_both(one, other):
    """Whether a target could be read as either of two paths, each being the plainer one in its way."""
    pairs = list(zip(one.split("/"), other.split("/")))
    if one.count("/") != other.count("/"):
        return False
    kinds = [(a.startswith("{"), b.startswith("{")) for a, b in pairs]
    if any(a != b for (a, b), kind in zip(pairs, kinds) if kind == (False, False)) or not {(True, False), (False, True)} <= set(kinds):
        return False
    return not any(document.faults(pairs[i][kind[0]], parameter(one if kind[0] else other, i))
                   for i, kind in enumerate(kinds) if kind[0] != kind[1])


@suite.case
def no_target_can_be_read_as_two_paths():
    crossing = [each for each in itertools.combinations(document.paths, 2) if may_be_both(*each)]
    equal(crossing, [])
    # Seen where a parameter would take our words.
    kept = document.root["components"]["parameters"]["UserId"]["schema"].pop("pattern")
    check(may_be_both("/api/cart/{user_id}/shipping", "/api/cart/items/{product_id}"), "not seen")
    document.root["components"]["parameters"]["UserId"]["schema"]["pattern"] = kept


@suite.case
def servers_of_paths_are_part_of_them():
    check(("POST", "/api/cart/{user_id}/items") in document.operations(), sorted(document.operations()))
    check(all(re.match(r"/(api/|health|openapi[.]yaml$|docs$)", path) for path in document.paths), sorted(document.paths))


suite.run()
suite.end()
