#!/usr/bin/env python3
"""Each command in the documents is run, or at least known to the program it names.

What stands behind ```sh or ```console says how:

    node      run as it stands, in one shell per page, against a node that serves
    stopped   the same, after that node was stopped
    help      too long, or for another machine: program, script, options and test names must exist
    test      run by tests/layering_test.py, without a node

In ```console only lines behind "$ " are commands; the first word of each line below must be in what they print. Addresses
and folders of the pages are replaced by those of the node."""

# Needs the test programs.

import functools
import glob
import json
import os
import re
import shlex
import subprocess

from harness import Node, Shop, Suite, check, equal
from harness.node import ROOT, program, programs

suite = Suite()
MARKS = {"node", "stopped", "help", "test"}
PASSWORD = "a fine long password\n"  # for what asks for one
PROMPTS = ("Password:", "The same again:")
FOREIGN = {"cmake", "curl", "python3", "nginx", "git", "cd", "export"}  # not ours to explain
COMMANDS = ("status", "entity show", "laws", "token issue", "user create", "user export", "user erase", "store verify",
            "cert init", "cert node", "completion", "catalogue import", "locations import", "locations list",
            "projection list", "projection rebuild",
            *("backup " + verb for verb in ("create", "list", "verify", "restore")),
            *("cluster " + verb for verb in ("init", "join", "status", "nodes", "shards", "hashes", "drain", "resume", "remove",
                                             "replace", "transfer", "rebalance", "configure", "rotate-key", "watch")))


def pages():
    return ["README.md", *sorted(os.path.relpath(p, ROOT) for p in glob.glob(os.path.join(ROOT, "docs", "**", "*.md"),
                                                                            recursive=True))]


@functools.cache
def text_of(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def blocks(page):
    """(language, mark, text) of every fenced block."""
    for found in re.finditer(r"^```(\w*)(?: ([^\n]*))?\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL):
        yield found.group(1), found.group(2) or "", found.group(3)


def commands_of(language, text):
    if language == "console":
        return "\n".join(line[2:] for line in text.splitlines() if line.startswith("$ "))
    return text


# --- every block says how it is checked -----------------------------------------------------------------------

@suite.case
def every_block_of_commands_is_marked(_):
    for page in pages():
        for language, mark, text in blocks(page):
            if language in ("sh", "console"):
                check(mark in MARKS, f"{page}: ```{language} {mark}: say one of", sorted(MARKS))
            else:
                check(not re.search(r"^\$ ", text, re.MULTILINE), f"{page}: commands in a block that is no ```console", text)


# --- those that are run ---------------------------------------------------------------------------------------

class Workplace:
    """A folder that looks to the pages' commands like a checkout with a node in data/dev."""

    def __init__(self, node):
        self.node, self.folder = node, os.path.join(node.home, "checkout")
        self.bin = os.path.join(self.folder, "build", "release")
        os.makedirs(self.bin)
        os.makedirs(os.path.join(self.folder, "data"))
        os.symlink(node.data, os.path.join(self.folder, "data", "dev"))
        for name in ("omnicartd", "omnicart-load", "omnicart-pay"):
            os.symlink(program(name), os.path.join(self.bin, name))
        # The pages rely on the port of an operator's own machine.
        control = os.path.join(self.bin, "omnicartctl")
        with open(control, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {program("omnicartctl")} --operator http://{node.operator} "$@"\n')
        os.chmod(control, 0o755)
        self.home = os.path.join(node.home, "home")
        for folder in (".local/share/bash-completion/completions", ".config/fish/completions", "zsh"):
            os.makedirs(os.path.join(self.home, folder))

    def run(self, script):
        for theirs, ours in ((r"127\.0\.0\.1:8080", self.node.http), (r"\bOPERATOR\b", self.node.operator),
                             (r"\bDIR\b", "data/dev")):
            script = re.sub(theirs, ours, script)
        setting = {**os.environ, "PATH": self.bin + ":" + os.environ["PATH"], "HOME": self.home,
                   "SHOP": "http://" + self.node.http, "TOKEN": self.token}
        script = f"fpath=('' {self.home}/zsh)\n" + script  # zsh has it, and pages speak of zsh
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, env=setting, text=True,
                              input=PASSWORD, capture_output=True, timeout=120, check=False)

    def check_page(self, page, wanted):
        for language, mark, text in blocks(page):
            if language not in ("sh", "console") or mark != wanted:
                continue
            done = self.run(commands_of(language, text))
            said = f"{page}: {text[:200]}\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
            equal(done.returncode, 0, said)
            check("urn:omnicart:problem" not in done.stdout, said)
            if language == "console":
                for label in labels(text):
                    check(label in done.stdout, f"{label!r} is not printed", said)


def labels(text):
    """The first words of what a page says is printed."""
    for line in text.splitlines():
        if line.strip() and not line.startswith(("$ ", *PROMPTS)) and line.strip() != "…":
            yield line.split()[0]


def pages_with(mark):
    return [page for page in pages() if any(m == mark for _, m, _ in blocks(page))]


def run_pages(place, mark):
    for page in pages_with(mark):
        suite.run_case(f"the_commands_of_{page.replace('/', '_')}_{mark}", place.check_page, page, mark)


# --- those that are looked up ---------------------------------------------------------------------------------

@functools.cache
def help_of(path):
    """What a program or script of ours says of itself; None for one that has no options."""
    if path.endswith("omnicartctl"):
        calls = [[path, *command.split(), "--help"] for command in ("", *COMMANDS)]
    elif path.endswith("omnicart-load"):
        calls = [[path, *scenario.split(), "--help"] for scenario in ("", "storefront", "flash-sale", "replay", "bench")]
    else:
        calls = [[path, "--help"]]
    said = [subprocess.run(call, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT) for call in calls]
    for one in said:
        equal(one.returncode, 0, f"{path} --help: {one.stderr[-300:]}")
    return "\n".join(one.stdout for one in said)


def path_of(word):
    """The file that a command names first, as it lies here; None for what is not ours."""
    name = os.path.basename(word)
    if word in FOREIGN:
        return None
    if re.fullmatch(r"(build/\w+/)?omnicart\w*(-\w+)?", word) or re.fullmatch(r"build/\w+/sim_run", word):
        return os.path.join(programs(), name)
    if re.fullmatch(r"build/\w+/tests/\w+", word):
        return os.path.join(programs(), "tests", name)
    if word.startswith("build/fuzz/"):
        return os.path.join(ROOT, "tests", "fuzz", name + ".cpp")
    return os.path.join(ROOT, word)


def check_command(line, where):
    words = shlex.split(line, comments=True)
    while words and (assigned := re.match(r"(\w+)=", words[0])):
        check(subprocess.run(["grep", "-rqw", assigned.group(1), "--include=*.cpp", "--include=*.py", "--include=*.sh", "."],
                             cwd=ROOT, check=False).returncode == 0, f"{where}: nobody reads {assigned.group(1)}")
        words = words[1:]
    if not words:
        return
    path = path_of(words[0])
    if words[0] == "python3":
        path = os.path.join(ROOT, words[1])
        words = words[1:]
    if path is None:
        return
    if re.match(r"build/\w+/(tests/|sim_run)", words[0]) and not os.path.isdir(os.path.join(programs(), "tests")):
        return  # a build without tests
    check(os.path.isfile(path), f"{where}: {words[0]} is not there", path)
    if "/tests/" in path and os.access(path, os.X_OK) and not path.endswith(".py"):
        return check_test_names(path, words, where)
    options = [word.split("=")[0] for word in words[1:] if word.startswith("--")]
    for option in options:
        check(re.search(rf"(?<![\w-]){option}(?![\w-])", help_of(path)), f"{where}: {words[0]} has no {option}")
    if path.endswith(".sh"):
        help_of(path)


def check_test_names(path, words, where):
    """Boost.Test's options are its own; the tests they name are ours."""
    names = [word.split("/")[-1] for word in words if word.startswith("--run_test=")]
    if not names:
        return
    listed = subprocess.run([path, "--list_content"], capture_output=True, text=True, timeout=60, check=False)
    for name in names:
        check(name in listed.stdout + listed.stderr, f"{where}: no test {name}")


@suite.case
def the_commands_of_long_blocks_exist_with_their_options(_):
    for page in pages():
        for _, mark, text in blocks(page):
            for line in text.replace("\\\n", " ").splitlines() if mark == "help" else ():
                for part in line.split(" && "):
                    check_command(part, f"{page}: {line}")


@suite.case
def the_commands_within_sentences_exist_with_their_options(_):
    ours = re.compile(r"(\./)?tools/\w+\.sh\b|omnicart(d|ctl|-load|-pay)(?![\w/]| \d)")
    for page in pages():
        prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
        for span in re.findall(r"`([^`\n]+)`", prose):
            if ours.match(span):
                check_command(re.sub(r"[…\[\]']", "", span), f"{page}: {span}")
    presets = json.loads(open(os.path.join(ROOT, "CMakePresets.json"), encoding="utf-8").read())["buildPresets"]
    for preset in re.findall(r"--preset (\w+)", "\n".join(map(text_of, pages()))):
        check(preset in [each["name"] for each in presets], "no preset", preset)


with Node() as running:
    workplace = Workplace(running.start())
    shop = Shop(running)
    workplace.token = shop.admin.token
    for product in ("sample-00001", "p1"):
        shop.product(product_id=product, stock=10)
    shop.buy("p1", 2)
    suite.run(running)
    run_pages(workplace, "node")
    running.stop()
    run_pages(workplace, "stopped")
suite.end()
