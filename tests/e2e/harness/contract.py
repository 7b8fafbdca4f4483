"""The OpenAPI document that the engine serves, read from its sources, and every answer held against it.

The document is written in a part of YAML that is read here in a few lines (and in the page at /docs): mappings by
indentation, two spaces a level, and behind a colon a JSON value or a plain word."""

import glob
import json
import os
import re

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


TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}


class Document:
    def __init__(self, source=None):
        self.root = parse(source or text())
        # Literal segments before parameters, as the router has it.
        self.paths = sorted(((p, self.matcher(p)) for p in self.root["paths"]), key=lambda each: [s.startswith("{") for s in each[0].split("/")])

    @staticmethod
    def matcher(path):
        return re.compile("/".join("[^/]+" if s.startswith("{") else re.escape(s) for s in path.split("/")))

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            where = self.root
            for step in node["$ref"].removeprefix("#/").split("/"):
                where = where[step]
            node = where
        return node

    def operations(self):
        """Every (METHOD, path)."""
        return {(verb.upper(), path) for path, verbs in self.root["paths"].items() for verb in verbs}

    def operation(self, method, target):
        """(path, operation) of a request; None when the document has no such call."""
        path = target.split("?")[0]
        path = path.removesuffix("/") if len(path) > 1 else path
        path = re.sub(r"^/api(?=/)", "", path)
        for pattern, match in self.paths:
            bare = re.compile(match.pattern.removeprefix("/api")) if pattern.startswith("/api/") else match
            if bare.fullmatch(path):
                verbs = self.root["paths"][pattern]
                verb = "get" if method == "HEAD" else method.lower()
                if verb in verbs:
                    return pattern, verbs[verb]
        return None

    def faults(self, value, schema, at=""):
        """Where a value is not as its schema says: texts."""
        schema = self.resolve(schema)
        if value is None and schema.get("nullable"):
            return []
        for how in ("oneOf", "anyOf"):
            if how in schema:
                tried = [self.faults(value, each, at) for each in schema[how]]
                return [] if any(not each for each in tried) else min(tried, key=len)
        wanted = schema.get("type")
        if wanted in TYPES and not isinstance(value, TYPES[wanted]):
            return [f"{at or '/'}: {value!r} is no {wanted}"]
        if wanted in ("integer", "number") and (isinstance(value, bool) or not isinstance(value, int if wanted == "integer" else (int, float))):
            return [f"{at or '/'}: {value!r} is no {wanted}"]
        found = []
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{at}: {value!r} is none of {schema['enum']}")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{at}: {value!r} does not match {schema['pattern']}")
        if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value):
            found.append(f"{at}: {value!r} is no time")
        if isinstance(value, list):
            for i, each in enumerate(value):
                found += self.faults(each, schema.get("items", {}), f"{at}/{i}")
        if isinstance(value, dict):
            found += self.object_faults(value, schema, at)
        return found

    def object_faults(self, value, schema, at):
        found = [f"{at}/{name}: missing" for name in schema.get("required", []) if name not in value]
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, each in value.items():
            if name in known:
                found += self.faults(each, known[name], f"{at}/{name}")
            elif more is False:
                found.append(f"{at}/{name}: the document has no such member")
            elif isinstance(more, dict):
                found += self.faults(each, more, f"{at}/{name}")
        return found

    def check(self, method, target, answer):
        """Raises Breach unless the document has this answer to this request."""
        where = f"{method} {target} answered {answer!r}: "
        call = self.operation(method, target)
        if answer.headers.get("content-type", "").startswith("application/problem+json"):
            if method != "HEAD":
                self.must_hold(where, answer.json, {"$ref": "#/components/schemas/Problem"})
                self.must_be_listed(where, call, answer)
            return
        if call is None or method == "OPTIONS":
            if answer.status < 400 and method not in ("OPTIONS", "HEAD"):
                raise Breach(where + "the document has no such call")
            return
        response = call[1]["responses"].get(str(answer.status))
        if response is None:
            if answer.status >= 400 or method == "HEAD":
                return
            raise Breach(f"{where}the document has no {answer.status} for {call[0]}")
        content = self.resolve(response).get("content")
        if method == "HEAD" or content is None:
            if answer.body and method != "HEAD":
                raise Breach(where + "the document has no body for it")
            return
        media = answer.headers.get("content-type", "").split(";")[0]
        if media not in content:
            raise Breach(f"{where}{media} is none of {list(content)}")
        if media.endswith("json") and not media.endswith("ndjson"):
            self.must_hold(where, answer.json, content[media]["schema"])

    def codes(self, node):
        """The problem codes that a description ends with."""
        listed = re.search(r"Problem codes(?: of every call)?: ([a-z0-9_, ]+)\.$", self.resolve(node).get("description", ""))
        return set(listed[1].split(", ")) if listed else set()

    def must_be_listed(self, where, call, problem):
        """Every call may answer with the codes that the document's head lists, and with those of its parameters; another code
        stands with its call, and so does its status."""
        status, code = problem.status, problem.code
        if problem.json["status"] != status:
            raise Breach(f"{where}its body says {problem.json['status']}")
        if code in self.codes(self.root["info"]):
            return
        if call is None:
            raise Breach(f"{where}the document has no such call, and does not list {code} for every one")
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
    """Every answer a harness.Client gets from the public port passes here; OMNICART_CONTRACT=off lets it be."""
    global _document
    if os.environ.get("OMNICART_CONTRACT") == "off":
        return
    if _document is None:
        _document = Document()
    _document.check(method, target, answer)
