#!/usr/bin/env python3
"""docs/api.md tells the truth: a node serves every path it lists, and no path that the sources add is missing."""

import glob
import os
import re

from harness import Node, Suite, check, equal
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


with Node() as running:
    suite.run(running.start())
suite.end()
