#!/usr/bin/env python3
"""The shape of the tree, checked: includes follow the layers, headers stay narrow, files stay short, Python has the names that
it uses, documented commands run.

Prints one line per case that fails and ends with "N passed, N failed". Each rule is also tried on a planted
violation in a temporary tree, so that a check that sees nothing cannot pass.
"""

import ast
import builtins
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_MAX = 450
# Tables of cases are long by nature, and read row by row; a test still has to end somewhere.
TEST_LINES_MAX = 800
COMMAND_SECONDS_MAX = 60

# Folder (longest match wins) -> folders of ours that it may include; itself always. None: everything.
LAYERS = {
    "runtime/base": (),
    "runtime": ("runtime/base", "config"),
    "config": ("runtime/base",),
    "actors": ("runtime/base",),
    "persistence": ("runtime", "runtime/base", "config"),
    "cluster": ("persistence", "runtime", "runtime/base", "config"),
    # Full text over documents of its own: knows neither products nor where anything is stored.
    "persistence/search": ("runtime/base",),
    "http": ("actors", "persistence/search", "runtime", "runtime/base", "config"),
    "tools": None,
    "tests": None,
}
# The struct that registers a kind is checked against the runtime's concept of one.
EXCEPTIONS = (
    (re.compile(r"actors/\w+/\w+_kind\.(hpp|cpp)$"), "runtime/kind.hpp"),
)
SOURCES = ("*.hpp", "*.cpp", "*.h", "*.c")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def layer_of(path):
    """The row of LAYERS that a path relative to the root belongs to, or None for what is not ours."""
    for folder in sorted(LAYERS, key=len, reverse=True):
        if path.startswith(folder + "/"):
            return folder
    return None


def sources(root):
    """All C and C++ files below the layers' folders, as (relative path, text)."""
    for top in sorted({folder.split("/")[0] for folder in LAYERS}):
        for pattern in SOURCES:
            for path in sorted((root / top).rglob(pattern)):
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def included_path(root, path, included):
    """The file of ours that an include names, relative to the root; None for third-party headers."""
    beside = (root / path).parent / included
    if beside.is_file():
        return beside.resolve().relative_to(root.resolve()).as_posix()
    return included if layer_of(included) else None


def bad_includes(root):
    for path, text in sources(root):
        layer = layer_of(path)
        allowed = LAYERS[layer]
        for match in INCLUDE.finditer(text):
            target = included_path(root, path, match.group(2))
            if target is None or allowed is None:
                continue
            wanted = layer_of(target)
            excepted = any(rule.search(path) and target == header for rule, header in EXCEPTIONS)
            if wanted != layer and wanted not in allowed and not excepted:
                line = text.count("\n", 0, match.start(2)) + 1
                yield f"{path}:{line}: {layer} may not include {target}"


def wide_headers(root):
    for path, text in sources(root):
        if path.endswith(".hpp") and re.search(r"#\s*include\s+[<\"]caf/all\.hpp", text):
            yield f"{path}: includes caf/all.hpp; name the headers it needs"


def missing_guards(root):
    for path, text in sources(root):
        if path.endswith(".hpp") and "#pragma once" not in text:
            yield f"{path}: has no #pragma once"


def long_files(root):
    for path, text in sources(root):
        count = text.count("\n")
        most = TEST_LINES_MAX if path.startswith("tests/") else LINES_MAX
        if count > most:
            yield f"{path}: {count} lines, at most {most}"


def bound_names(tree):
    """All names that a file gives a meaning to, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def unbound_names(root):
    """A script is only parsed before it runs; a name that nothing gives a meaning to is met late, or never."""
    for top in ("tests", "tools"):
        for path in sorted((root / top).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            bound = {*bound_names(tree), *dir(builtins), "__file__"}
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and node.id not in bound:
                    yield f"{path.relative_to(root).as_posix()}: line {node.lineno} uses {node.id}, which is nothing"


COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
LAMBDA_OPENS = re.compile(r"\[[^\[\]]*\]\s*(?:\([^()]*\))?\s*(?:mutable|noexcept|->\s*[\w:<>*& ]+|\s)*$")
BLOCK_OPENS = re.compile(r"(?:^|[{};:)]|\b(?:else|do|try|const|noexcept|override|public|private)"
                         r"|\b(?:namespace|struct|class|enum|union)\b[^;(){}=]*)\s*$")
CONTROL_HEAD = re.compile(r"\s*(?:else\s+)?(?:if|while|for|switch)\b")
# A call's result is no aggregate as a rule; what is written as a construction or chosen by ?: may be one.
AWAITED_TEMPORARIES = (
    ("a ?:", re.compile(r"\?")),
    ("a braced value", re.compile(r"\{")),
    ("a class temporary", re.compile(r"\b(?:entity_ref|envelope|response|std::(?:string|vector|optional|pair|map|function))"
                                     r"\s*(?:<[^;()]*>)?\s*\(")),
    ("a lambda that keeps values", re.compile(r"(?:^|[(,={])\s*\[(?:[^\[\]]*,)?\s*(?:=|\w+)(?!\w)(?<!this)[^\[\]]*\]\s*(?:[()]|mutable)")),
)


def statements(text):
    """(offset, text) of each statement, without comments, strings and the bodies of lambdas, which are statements too."""
    text = COMMENT_OR_TEXT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    outer, start, said, depth = [], 0, "", 0  # outer: what goes on after a block, or None for a brace of a value
    for at, char in enumerate(text):
        is_lambda = char == "{" and LAMBDA_OPENS.search(said)
        if is_lambda or (char == "{" and depth == 0 and BLOCK_OPENS.search(said)):
            if not is_lambda:
                yield start, said
            outer.append((start, said, depth) if is_lambda else (at, "", 0))
            start, said, depth = at, "", 0
        elif char == "}" and depth == 0:
            yield start, said
            start, said, depth = outer.pop() if outer else (at, "", 0)
        elif char == ";" and depth == 0:
            yield start, said
            start, said = at, ""
        else:
            depth += (char in "([{") - (char in ")]}")
            said += char
            start = at if not said.strip() else start
            if char == ")" and depth == 0 and CONTROL_HEAD.match(said):
                yield start, said
                start, said = at, ""
    yield start, said


def awaited_temporaries(root):
    """GCC 12 moves some temporaries of an expression that awaits by their bytes (docs/decisions/0002)."""
    for path, text in sources(root):
        if not path.startswith("http/") or "co_await" not in text:
            continue
        for start, said in statements(text):
            for what, pattern in AWAITED_TEMPORARIES if re.search(r"(?<!operator )\bco_await\b", said) else ():
                if pattern.search(said):
                    yield f"{path}:{text.count(chr(10), 0, start) + 1}: {what} in an expression that awaits"


def failing_commands(root):
    """Runs every block of documentation that starts with ```sh test, in the root, stopping at the first error."""
    documents = sorted((root / "docs").glob("*.md")) + [root / "README.md"]
    for document in documents:
        if not document.is_file():
            continue
        text = document.read_text(encoding="utf-8")
        for match in re.finditer(r"^```sh test\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            where = f"{document.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
            try:
                done = subprocess.run(["bash", "-euo", "pipefail", "-c", match.group(1)], cwd=root,
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      timeout=COMMAND_SECONDS_MAX, check=False)
            except subprocess.TimeoutExpired:
                yield f"{where}: not done after {COMMAND_SECONDS_MAX} s"
                continue
            if done.returncode != 0:
                yield f"{where}: exit code {done.returncode}: {done.stderr.strip()[-300:]}"


# Rule -> files that break it (each must be found), and files that do not (none may be).
RULES = {
    "includes follow the layers": (bad_includes, {
        "runtime/base/a.hpp": '#pragma once\n#include "runtime/kind.hpp"\n',
        "runtime/a.cpp": '#include "persistence/store.hpp"\n',
        "config/a.cpp": '#include "runtime/log.hpp"\n',
        "actors/cart/cart.cpp": '#include "runtime/journal.hpp"\n',
        "actors/cart/cart_codec.cpp": '#include  "runtime/kind.hpp"\n',
        "persistence/a.cpp": '# include "actors/cart/cart_messages.hpp"\n',
        "cluster/a.cpp": '#include <http/server/server.hpp>\n',
        "persistence/search/a.cpp": '#include "actors/product/product.hpp"\n',
        "persistence/search/b.cpp": '#include "persistence/store.hpp"\n',
        "persistence/b.cpp": '#include "persistence/search/document.hpp"\n',
        "http/a.cpp": '#include "persistence/store.hpp"\n',
        "http/server/b.cpp": '#include "../../cluster/placement.hpp"\n',
    }, {
        "cluster/placement.hpp": "#pragma once\n",
        "actors/cart/cart_kind.hpp": '#pragma once\n#include "runtime/kind.hpp"\n',
        "http/c.cpp": '#include "actors/cart/cart_messages.hpp"\n#include "config/options.hpp"\n#include <vector>\n',
        "http/o.cpp": '#include "persistence/search/document.hpp"\n',
        "tools/d.cpp": '#include "persistence/store.hpp"\n#include "http/server/server.hpp"\n',
        "runtime/e.cpp": '// #include "persistence/store.hpp" is what this must never do\n',
    }),
    "no header includes all of CAF": (wide_headers, {
        "runtime/a.hpp": "#pragma once\n#include <caf/all.hpp>\n",
    }, {"runtime/b.hpp": "#pragma once\n#include <caf/actor.hpp>\n"}),
    "every header is included once": (missing_guards, {"http/a.hpp": "int a();\n"},
                                      {"http/b.hpp": "// why\n#pragma once\n"}),
    "no temporary waits with a coroutine": (awaited_temporaries, {
        "http/a.cpp": 'task<int> a() { const answer got = co_await ask(shop_, {"cart", id}, who); }\n',
        "http/b.cpp": "task<int> b() {\n  if (x) co_return co_await change(req, cart::clear{});\n}\n",
        "http/c.cpp": "task<int> c() { auto got = is_staff ? co_await one() : co_await other(); }\n",
        "http/d.cpp": "task<int> d() { co_await f(std::string(text)); }\n",
        "http/e.cpp": "task<int> e() { for (auto x : co_await f(entity_ref(a, b))) use(x); }\n",
        "http/f.cpp": "task<int> f() { co_await g([text](int i) { return text[i]; }); }\n",
        "http/g.cpp": "task<int> g() { co_await g([&, text = std::move(t)] { use(text); }); }\n",
        "http/h.cpp": "task<int> h() { spawn([&]() -> task<int> { co_await f(x{1}); }); }\n",
        "http/i.cpp": "task<int> i() { co_return response{.status = 200, .body = co_await f()}; }\n",
    }, {
        "http/j.cpp": 'task<int> j() {\n  auto asked = ask(shop_, {"cart", id}, who);\n'
                      "  const answer got = co_await asked;\n  if (!got) co_return response{404};\n}\n",
        "http/k.cpp": "task<int> k() { co_await async_reply<int>([&](auto done) { run(x{1}, c ? 1 : 2); }); }\n",
        "http/l.cpp": "struct l { task<int> f(); };\ntask<int> l::f() { if (co_await g(std::move(a))) { h({1}); } }\n",
        "http/m.cpp": '// co_await f({1});\ntask<int> m() { log("co_await {}"); co_await f(\'{\', 1\'000); }\n',
        "http/n.cpp": "task<int> n() { const x y{1}; while (co_await f(y)) z(y ? 1 : 2); }\n",
    }),
    f"no file is longer than {LINES_MAX} lines": (long_files, {"http/a.cpp": "\n" * (LINES_MAX + 1),
                                                               "tests/a.cpp": "\n" * (TEST_LINES_MAX + 1)},
                                                  {"http/b.cpp": "\n" * LINES_MAX,
                                                   "tests/b.cpp": "\n" * TEST_LINES_MAX}),
    "Python uses names that it has": (unbound_names, {
        "tools/a.py": "import sys\n\n\ndef a():\n    return os.getpid()\n",
        "tests/e2e/a.py": "print([x for y in range(3)])\n",
    }, {
        "tools/b.py": "import os.path as p\n\n\ndef b(c, *d, **e):\n    with open(c) as f:\n        return p, d, e, f\n",
        "tests/b.py": "try:\n    pass\nexcept OSError as why:\n    print(why, [x for x in range(3)], __file__)\n",
    }),
    "documented commands run": (failing_commands, {
        "docs/a.md": "# A\n\n```sh test\ntrue\nfalse\ntrue\n```\n",
        "README.md": "```sh test\n./no-such-program --help\n```\n",
    }, {"docs/b.md": "```sh\nfalse\n```\n\n```sh test\ntrue\n```\n"}),
}


def planted(rule, bad, good):
    """What a rule misses, or sees where there is nothing, in a tree made for it."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in {**bad, **good}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        found = {complaint.split(":")[0] for complaint in rule(root)}
    for path in bad:
        if path not in found:
            yield f"a planted violation in {path} is not seen"
    for path in good:
        if path in found:
            yield f"{path} is sound and yet complained of"


def main():
    passed = failed = 0
    for name, (rule, bad, good) in RULES.items():
        for case, complaints in ((name, list(rule(ROOT))), (f"planted: {name}", list(planted(rule, bad, good)))):
            passed, failed = (passed, failed + 1) if complaints else (passed + 1, failed)
            for complaint in complaints:
                print(f"{case}: {complaint}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
