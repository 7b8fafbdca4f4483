"""The OpenAPI document that the engine serves, read from its sources, and every answer held against it.

The document is written in a part of YAML that is read here in a few lines (and in the page at /docs): mappings by
indentation, two spaces a level, and behind a colon a JSON value or a plain word."""

import glob
import json
import os
import re

from .schema import Checker, unknown_in

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
FOLDER = os.path.join(ROOT, "http", "openapi")


class Breach(AssertionError):
    """An answer that the document does not have."""


def text():
    """The document, as the engine puts it together."""
    parts = sorted(path for path in glob.glob(os.path.join(FOLDER, "*.yaml")) if os.path.basename(path)[:2].isdigit())
    whole = []
    for path in parts:
        with open(path, encoding="utf-8") as file:
            whole.append(file.read())
    return "".join(whole)


def value_of(word):
    return json.loads(word) if re.match(r'[\[{"\d-]|true$|false$|null$', word) else word


def parse(document):
    """The mappings of a document in our part of YAML."""
    root = {}
    levels = [root]
    for number, line in enumerate(document.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        depth, rest = divmod(len(line) - len(line.lstrip(" ")), 2)
        found = re.fullmatch(r' *("[^"]*"|[^\s:"][^:"]*):(?: (.+))?', line)
        if rest or depth >= len(levels) or not found:
            raise Breach(f"line {number} is not of the part of YAML we read: {line!r}")
        name = found[1].strip('"')
        del levels[depth + 1:]
        if name in levels[depth]:
            raise Breach(f"line {number}: {name} is there already")
        if found[2] is None:
            levels[depth][name] = {}
            levels.append(levels[depth][name])
        else:
            levels[depth][name] = value_of(found[2])
    return root


METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}  # other members of a path are no calls
PROBLEM = "application/problem+json"
HEADER = "#/components/headers/"
# Answers that every path may give and no call of the document lists; all others are listed, or problems that are.
GENERAL_ANSWERS = {
    # Which methods a path has, also for a browser's question before a call from elsewhere.
    ("OPTIONS", 204): {"Allow": {"$ref": HEADER + "Allow"}, "X-Request-Id": {"$ref": HEADER + "RequestId"},
                       "traceparent": {"$ref": HEADER + "TraceParent"}},
}
# Headers that any answer may have and no response of the document lists; all others are listed. They are of HTTP, not of the API.
GENERAL_HEADERS = {
    "date": "when the answer was made (RFC 9110 section 6.6.1)",
    "content-type": "the document says it as the media type of the content, and is held to it; OpenAPI ignores it among headers",
    "content-length": "where the body ends (RFC 9112 section 6.2)",
    "connection": "whether the connection is kept (RFC 9112 section 9.3)",
    "cache-control": "for caches between (RFC 9111): no-store, but for the document itself",
    "vary": "for caches, where other origins are let in (RFC 9110 section 12.5.5)",
    **{"access-control-" + name: "for browsers of other origins that the operator lets in (Fetch, CORS)"
       for name in ("allow-origin", "allow-credentials", "expose-headers", "allow-methods", "allow-headers", "max-age")},
    **{name: "what no browser shall do with any answer; the same for every call"
       for name in ("x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy")},
    "strict-transport-security": "that the port speaks TLS (RFC 6797); of the connection, not of a call",
}
# Refusals of what is no call at all.
NO_CALL = {"no_such_path", "method_not_allowed"}
# What a problem of a status must say beside its body.
HEADERS_OF = {401: "www-authenticate", 405: "allow", 429: "retry-after"}
# What the problems of all calls may say that have these statuses, and no others.
STATUSES_OF = {"www-authenticate": {401}, "allow": {405}, "retry-after": {409, 429, 503}, "ratelimit-limit": {429},
               "ratelimit-remaining": {429}, "ratelimit-reset": {429}}


def values_of(media, answer):
    """What the schema of a media type is of: a value of JSON, each line of several, or the text."""
    if media.endswith("ndjson"):
        return [json.loads(line) for line in answer.body.splitlines()]
    return [answer.json if media.endswith("json") else answer.body.decode()]


def read_header(text, kind):
    """A header's value as its schema's type has it; as it is, when it cannot be read so."""
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text


class Document:
    def __init__(self, source=None):
        self.root = parse(source or text())
        self.references = {}
        self.checker = Checker(self.resolve)
        self.paths = {self.path_of(path, item): {verb: call for verb, call in item.items() if verb in METHODS}
                      for path, item in self.root["paths"].items()}
        # Literal segments before parameters, as the router has it.
        ordered = sorted(self.paths, key=lambda path: [segment.startswith("{") for segment in path.split("/")])
        self.matchers = [(path, self.matcher(path)) for path in ordered]
        unknown = [each for at, schema in self.schemas() for each in unknown_in(schema, at)]
        if unknown:
            raise Breach("the document has schemas that cannot be checked: " + "; ".join(unknown[:5]))

    def path_of(self, path, item):
        """A path as it is asked for, with the path of the server that the document names for it."""
        server = item.get("servers", self.root["servers"])[0]["url"]
        return server.removesuffix("/") + path

    @staticmethod
    def matcher(path):
        """With and without /api, and a slash at the end."""
        segments = ["[^/]+" if s.startswith("{") else re.escape(s) for s in path.removeprefix("/api").split("/")]
        return re.compile("(?:/api)?" + "/".join(segments) + "/?")

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            name = node["$ref"]
            if name not in self.references:
                where = self.root
                for step in name.removeprefix("#/").split("/"):
                    where = where[step]
                self.references[name] = where
            node = self.references[name]
        return node

    def schemas(self):
        """Every (where, schema), those in other schemas left out."""
        def those_of(node, at):
            for name, each in node.items() if isinstance(node, dict) else enumerate(node):
                if name == "schema":
                    yield f"{at}/schema", each
                elif isinstance(each, (dict, list)) and name not in ("example", "examples", "schemas"):
                    yield from those_of(each, f"{at}/{name}")
        yield from ((f"/schemas/{name}", each) for name, each in self.root["components"]["schemas"].items())
        yield from those_of(self.root, "")

    def operations(self):
        """(METHOD, path) -> operation, of every call."""
        return {(verb.upper(), path): call for path, verbs in self.paths.items() for verb, call in verbs.items()}

    def find(self, target):
        """The path of the document that a request's target (RFC 9112 section 3.2) is; None when there is none."""
        path = re.sub(r"^https?://[^/?]*", "", target or "", flags=re.IGNORECASE).split("?")[0]
        return next((pattern for pattern, matches in self.matchers if matches.fullmatch(path)), None)

    def operation(self, method, target):
        """(path, operation) of a request; None when the document has no such call."""
        path, verb = self.find(target), "get" if method == "HEAD" else (method or "").lower()
        return (path, self.paths[path][verb]) if path and verb in self.paths[path] else None

    @staticmethod
    def examples(content):
        """{name: value} of a media type's examples; of the one that it has alone, under no name."""
        if "example" in content:
            return {"": content["example"]}
        return {name: each["value"] for name, each in content.get("examples", {}).items()}

    def faults(self, value, schema):
        return self.checker.faults(value, schema)

    def check(self, method, target, answer):
        """Raises Breach unless the document has this answer to this request. No method and target: of what was no request."""
        where = f"{method} {target} answered {answer!r}: "
        call = self.operation(method, target)
        if not answer.headers.get("x-request-id"):
            raise Breach(where + "it has no X-Request-Id")
        if answer.headers.get("content-type", "").startswith(PROBLEM):
            self.check_problem(where, call, method, answer)
        elif call is not None:
            self.check_listed(where, call, method, answer)
        elif (method, answer.status) in GENERAL_ANSWERS:
            self.check_headers(where, GENERAL_ANSWERS[method, answer.status], answer)
        else:
            raise Breach(where + "the document has no such call")
        if method == "OPTIONS" or answer.status == 405:
            self.check_allow(where, target, answer)

    def check_listed(self, where, call, method, answer):
        """An answer that is no problem stands with its call."""
        path, operation = call
        response = self.resolve(operation["responses"].get(str(answer.status)))
        if response is None:
            raise Breach(f"{where}the document has no {answer.status} for {path}")
        self.check_headers(where, response.get("headers", {}), answer)
        content = response.get("content")
        if content is None:
            if answer.body:
                raise Breach(where + "the document has no body for it")
            return
        media = answer.headers.get("content-type", "").split(";")[0]
        if media not in content:
            raise Breach(f"{where}{media} is none of {list(content)}")
        for value in values_of(media, answer) if method != "HEAD" else []:
            self.must_hold(where, value, content[media]["schema"])

    def check_headers(self, where, documented, answer):
        """An answer has the headers that its response documents, with values of their schemas, and no others."""
        for name, header in documented.items():
            header, value = self.resolve(header), answer.headers.get(name.lower())
            if value is None and header.get("required"):
                raise Breach(f"{where}it has no {name}")
            if value is not None:
                read = read_header(value, self.resolve(header["schema"]).get("type"))
                self.must_hold(f"{where}{name}: ", read, header["schema"])
        unknown = answer.headers.keys() - {name.lower() for name in documented} - GENERAL_HEADERS.keys()
        if unknown:
            raise Breach(f"{where}the document does not have its {', '.join(sorted(unknown))}")

    def check_allow(self, where, target, answer):
        """Allow names what the document has at this path."""
        if answer.status in (204, 405) and "allow" not in answer.headers:
            raise Breach(where + "it has no Allow")
        path = self.find(target)
        methods = {verb.upper() for verb in self.paths[path]} if path else set()
        wanted = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        allowed = set(re.split(r", *", answer.headers.get("allow", "")))
        if path and answer.status in (204, 405) and allowed != wanted:
            raise Breach(f"{where}Allow is {sorted(allowed)}, the document has {sorted(wanted)}")

    def problem_of(self, call, status):
        """The response that a call lists for problems of a status, or that of every call."""
        listed = self.resolve(call[1]["responses"].get(str(status), {})) if call else {}
        return listed if PROBLEM in listed.get("content", {}) else self.root["components"]["responses"]["Problem"]

    def check_problem(self, where, call, method, answer):
        """A problem is well formed, and one that its call or the document's head lists."""
        response = self.problem_of(call, answer.status)
        if answer.headers["content-type"] != PROBLEM:
            raise Breach(f"{where}its type is {answer.headers['content-type']}")
        self.check_headers(where, response["headers"], answer)
        for name in STATUSES_OF.keys() & answer.headers.keys():
            if answer.status not in STATUSES_OF[name]:
                raise Breach(f"{where}a {answer.status} has no {name}")
        if HEADERS_OF.get(answer.status, "x-request-id") not in answer.headers:
            raise Breach(f"{where}it has no {HEADERS_OF[answer.status]}")
        if method == "HEAD":  # nobody is told more
            return
        said = answer.json
        self.must_hold(where, said, response["content"][PROBLEM]["schema"])
        for name, wanted in (("status", answer.status), ("type", "urn:omnicart:problem:" + said["code"]),
                             ("request_id", answer.headers["x-request-id"])):
            if said[name] != wanted:
                raise Breach(f"{where}its {name} is {said[name]}, wanted {wanted}")
        if said["retryable"] and answer.status in (429, 503) and "retry-after" not in answer.headers:
            raise Breach(where + "it does not say when to try again")
        self.must_be_listed(where, call, answer)

    def codes(self, node):
        """The problem codes that a description ends with."""
        return {code for _, code in self.statuses_and_codes(node)}

    def statuses_and_codes(self, node):
        """Those, each with its status; where a list has none, with None."""
        listed = re.search(r"Problem codes(?: of every call, with their statuses)?: ([a-z0-9_, ]+)\.$",
                           self.resolve(node).get("description", ""))
        each = [one.rpartition(" ") for one in listed[1].split(", ")] if listed else []
        return {(int(status) if status else None, code) for status, _, code in each}

    def must_be_listed(self, where, call, problem):
        """Every call may answer with the codes that the document's head lists, and with those of its parameters; another code
        stands with its call, and so does its status."""
        status, code = problem.status, problem.code
        everywhere = self.statuses_and_codes(self.root["info"])
        if (status, code) in everywhere:
            if call is not None and code in NO_CALL:
                raise Breach(f"{where}the document has this call")
            return
        if call is None:
            raise Breach(f"{where}the document has no such call, and does not list {status} {code} for every one")
        path, operation = call
        if any(code in self.codes(each) for each in operation.get("parameters", [])):
            return
        if code not in self.codes(operation):
            raise Breach(f"{where}{path} does not list {code}")
        if str(status) not in operation["responses"]:
            raise Breach(f"{where}{path} does not list {status}")

    def must_hold(self, where, value, schema):
        found = self.faults(value, schema)
        if found:
            raise Breach(where + "; ".join(found[:5]))


_document = None


def check(method, target, answer):
    """Every answer of the public port passes here, from harness.Client and from sockets; OMNICART_CONTRACT=off lets it be."""
    global _document
    if os.environ.get("OMNICART_CONTRACT") == "off":
        return
    if _document is None:
        _document = Document()
    _document.check(method, target, answer)
