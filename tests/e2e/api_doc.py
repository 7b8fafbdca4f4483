#!/usr/bin/env python3
"""docs/api.md tells the truth: a node serves every path it lists, and no path that the sources add is missing."""

import glob
import html.parser
import os
import re
import subprocess
import tempfile

from harness import Suite, check, contract, equal, serving
from harness.group import SHARED
from harness.node import ROOT

suite = Suite()
METHODS = {"get": "GET", "post": "POST", "put": "PUT", "remove": "DELETE"}


def doc():
    with open(os.path.join(ROOT, "docs", "api.md"), encoding="utf-8") as file:
        return file.read()


def listed():
    return set(re.findall(r"^\| ([A-Z]+) \| (/\S+) \|", doc(), re.MULTILINE))


@suite.case
def every_path_listed_is_served(node):
    for method, path in sorted(listed()):
        answer = node.client().call(method, re.sub(r"\{\w+\}", "x", path))
        check(answer.code not in ("no_such_path", "method_not_allowed"), method, path, answer)


@suite.case
def every_route_of_the_sources_is_listed(_):
    added = set()
    for source in glob.glob(os.path.join(ROOT, "http", "*_routes.cpp")):
        with open(source, encoding="utf-8") as file:
            text = file.read()
        for verb, path in re.findall(r'routes\.(get|post|put|remove)\("([^"]+)"', text):
            added.add((METHODS[verb], path))
        for verb, rest in re.findall(r'routes\.(get|post|put|remove)\(base(?: \+ "([^"]+)")?', text):
            added.add((METHODS[verb], "/api/cart" + rest))
    check(len(added) > 30, "the sources were not understood", added)
    equal(added - listed(), set(), "routes the document lacks")


@suite.case
def the_three_addresses_of_a_cart_serve_the_same_calls(node):
    for method, path in sorted(listed()):
        if not path.startswith("/api/cart") or path == "/api/carts":
            continue
        for base in ("/api/cart/u", "/api/carts/c"):
            answer = node.client().call(method, base + re.sub(r"\{\w+\}", "1", path.removeprefix("/api/cart")))
            check(answer.code not in ("no_such_path", "method_not_allowed"), method, base, answer)


@suite.case
def the_files_named_exist(_):
    for name in re.findall(r"`((?:http|docs|tests)/[\w./*-]+)`", doc()):
        check(glob.glob(os.path.join(ROOT, name)), "no such file", name)
    for name in re.findall(r"\]\(([\w.-]+)\)", doc()):
        check(os.path.exists(os.path.join(ROOT, "docs", name)), "no such page", name)


# --- the OpenAPI document -------------------------------------------------------------------------------------

def routes(node):
    """What the node serves by its own table; a unit test compares that with the routes compiled in."""
    rows = node.operate().get("/access").expect(200).json
    return {(row["method"], row["path"]) for row in rows} | {("GET", f"/health{more}") for more in ("", "/live", "/ready")}


@suite.case
def the_document_served_is_the_one_of_the_sources(node):
    answer = node.client().get("/openapi.yaml").expect(200)
    equal(answer.headers["content-type"], "application/yaml")
    equal(answer.body.decode(), contract.text())


@suite.case
def routes_and_the_openapi_document_agree_both_ways(node):
    described = contract.Document().operations().keys()
    equal(routes(node) - described, set(), "routes that the document lacks")
    equal(described - routes(node), set(), "calls of the document that are not served")
    print(f"       {len(described)} calls", flush=True)


@suite.case
def routes_and_the_page_agree_both_ways(node):
    named = {(m, p) for m, p in routes(node) if not re.match(r"/api/carts?/\{", p) and p.startswith("/api/")}
    equal(named - listed(), set(), "routes that docs/api.md lacks")
    equal({(m, p) for m, p in listed() if p.startswith("/api/")} - named, set(), "calls of docs/api.md that are not served")


def is_there_in_every_form(node, method, path):
    """With and without /api, and with a slash at its end: it answers, each time the same."""
    filled = re.sub(r"\{\w+\}", "x", path)
    bare = filled.removeprefix("/api")
    answers = {form: node.client().call(method, form, b"{}" if method in ("POST", "PUT") else None)
               for form in (filled, bare, "/api" + bare, bare + "/")}
    for form, answer in answers.items():
        check(answer.code not in ("no_such_path", "method_not_allowed"), method, form, answer)
    equal(len({(answer.status, answer.code) for answer in answers.values()}), 1, answers)


# Of routes and document, which are compared above: a case for each.
for each_method, each_path in sorted(contract.Document().operations()):
    suite.add(f"{each_method} {each_path} is there with and without /api",
              lambda node, method=each_method, path=each_path: is_there_in_every_form(node, method, path))


def every_code_listed(document):
    """(where, operation, code); no operation for the codes of all calls and of parameters."""
    shared = {"every call": document.root["info"], **document.root["components"]["parameters"]}
    for name, node in shared.items():
        yield from ((name, None, code) for code in document.codes(node))
    for (verb, path), call in document.operations().items():
        check("Problem codes" not in call["description"] or document.codes(call), "a list that is not understood", verb, path)
        yield from ((f"{verb} {path}", call, code) for code in document.codes(call))


def statuses_of_codes():
    """The statuses that the sources give a code: of refusals by the rules, and of those that routes make themselves."""
    found = {}
    for source in glob.glob(os.path.join(ROOT, "http", "*.cpp")):
        with open(source, encoding="utf-8") as file:
            text = file.read()
        made = [(code, status) for status, code in re.findall(r'refuse\(\w+, (\d{3}), "(\w+)"', text)]
        for code, status in made + re.findall(r"errc::(\w+): return (\d{3});", text):
            found.setdefault(code, set()).add(status)
    # An order's own reasons, which carts and stock have with another status.
    for code in ("currency_mismatch", "checkout_in_progress", "out_of_stock", "customer_limit"):
        found.setdefault(code, set()).add("409")
    return found


@suite.case
def every_operation_names_its_problem_codes_as_the_engine_knows_them(_):
    known = set()
    for source in glob.glob(os.path.join(ROOT, "http", "**", "*.cpp"), recursive=True) + \
            glob.glob(os.path.join(ROOT, "actors", "**", "*.cpp"), recursive=True):
        with open(source, encoding="utf-8") as file:
            known |= set(re.findall(r'"([a-z0-9_]+)"', file.read()))
    document = contract.Document()
    everywhere = document.codes(document.root["info"])
    check({"unauthorized", "invalid_body", "rate_limited"} <= everywhere, "the codes of every call were not found", everywhere)
    statuses = statuses_of_codes()
    for where, call, code in every_code_listed(document):
        check(code in known, "the engine has no such code", where, code)
        if call and code not in everywhere and code in statuses:
            check(statuses[code] & set(call["responses"]), "the status of a code is not listed", where, code, statuses[code])


@suite.case
def every_example_is_as_its_schema_says(_):
    document, count = contract.Document(), 0
    for (verb, path), call in document.operations().items():
        for body in [call.get("requestBody", {})] + [document.resolve(r) for r in call["responses"].values()]:
            for media, content in body.get("content", {}).items():
                examples = document.examples(content)
                check(examples and not {"example", "examples"} <= content.keys(), "no example, or both kinds", verb, path, media)
                for name, example in examples.items():
                    equal(document.faults(example, content["schema"]), [], f"{verb} {path} {name}")
                    count += 1
    print(f"       {count} examples", flush=True)


@suite.case
def the_examples_of_signing_in_show_what_did_not_come_along_for_the_reasons_that_the_page_names(_):
    document = contract.Document()
    content = document.operations()["POST", "/api/users/login"]["responses"]["200"]["content"]["application/json"]
    shown = {name: example.keys() for name, example in document.examples(content).items()}
    for member in ("not_carried_over", "guest_cart_pending"):
        check(any(member in members for members in shown.values()), "no example with", member, shown)
        check(any(member not in members for members in shown.values()), "no example without", member, shown)
    lists = document.resolve({"$ref": "#/components/schemas/NotCarriedOver"})["properties"]
    reasons = {name: set(lists[name]["items"]["properties"]["reason"].get("enum", [])) for name in ("items", "codes")}
    said = doc().split("## Signing in with a cart")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", said.split("would have been refused for:")[1].split("The member is not there")[0]))
    equal(reasons["items"] | reasons["codes"], named)
    equal((reasons["items"] & reasons["codes"], reasons["codes"] - reasons["items"]),
          ({"currency_mismatch", "closed"}, {"code_limit"}), "which is whose")


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href", "action", "data", "srcset")]


@suite.case
def the_page_to_try_it_asks_no_other_host_for_anything(node):
    answer = node.client().get("/docs").expect(200)
    page, links = answer.body.decode(), Links()
    links.feed(page)
    for link in links.found:
        check(re.match(r"/(?!/)|#", link), "a link elsewhere", link)
    check(not re.search(r"(?:https?:)?//[\w-]+\.[\w.-]+|@import|url\(", page), "another host is named in the page")
    policy = answer.headers["content-security-policy"]
    check("default-src 'none'" in policy and "connect-src 'self'" in policy and "http" not in policy, policy)
    node.client().get("/docs", headers={"Accept": "image/png"}).expect(406)


@suite.case
def our_reading_of_the_document_is_that_of_a_yaml_library(_):
    try:
        import yaml  # pylint: disable=import-outside-toplevel
    except ImportError:
        Suite.skip("our_reading_of_the_document_is_that_of_a_yaml_library", "python3-yaml is not installed")
        return
    equal(yaml.safe_load(contract.text()), contract.Document().root)


def lint():
    """Redocly's linter, once it is there: it comes from the npm registry."""
    name = "the_document_passes_the_linter_without_warnings"
    if os.system("command -v npx >/dev/null") != 0:
        return Suite.skip(name, "npx is not installed")
    with tempfile.TemporaryDirectory(prefix="omnicart-lint.") as folder:
        path = os.path.join(folder, "openapi.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(contract.text())
        # As anybody would run it: with the linter's own rules, from a folder without a configuration.
        command = ["npx", "--yes", "@redocly/cli@2", "lint", "--format", "summary", path]
        environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "CI": "true"}
        try:
            probe = subprocess.run([*command[:3], "--version"], capture_output=True, text=True, timeout=180, check=False,
                                   env=environment, stdin=subprocess.DEVNULL, cwd=folder)
        except subprocess.TimeoutExpired:
            return Suite.skip(name, "the npm registry does not answer")
        if probe.returncode != 0:
            return Suite.skip(name, "the linter cannot be fetched: " + probe.stderr[-200:])
        done = subprocess.run(command, capture_output=True, text=True, timeout=420, check=False, env=environment,
                              stdin=subprocess.DEVNULL, cwd=folder)

    def passes():
        said = done.stdout + done.stderr
        # Of the document; the linter has warnings of its own about the machine.
        check(done.returncode == 0 and "is valid" in said and not re.search(r"\d+ warning", said), said[-3000:])
    return suite.run_case(name, passes)


if SHARED:
    suite.skip("the_document_passes_the_linter_without_warnings", "it is the document of one node")
else:
    lint()
with serving() as running:
    suite.run(running.start())
suite.end()
