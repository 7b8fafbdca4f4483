"""The traffic generator in the background of a test."""

import json
import os
import subprocess
import tempfile

from .node import program
from .suite import equal, poll


class Load:
    """One run of the generator in the background."""

    def __init__(self, node, *scenario):
        self.folder = tempfile.TemporaryDirectory(prefix="omnicart-e2e.")
        self.report = os.path.join(self.folder.name, "report.json")
        self.output = open(os.path.join(self.folder.name, "output"), "w+")
        targets = ["http://" + each for each in getattr(node.http, "every", (node.http,))]
        self.process = subprocess.Popen(
            [program("omnicart-load"), "--target", ",".join(targets), "--operator", "http://" + node.operator, "--token-file",
             node.token_file, "--json", self.report, "--connections", "32", *scenario], stdout=self.output,
            stderr=subprocess.STDOUT)

    def result(self):
        try:
            poll("the generator ends", lambda: self.process.poll() is not None, 120)
        finally:
            self.process.kill()
        self.output.seek(0)
        equal(self.process.returncode, 0, self.output.read()[-2000:])
        with open(self.report) as file:
            said = json.load(file)
        broken = [name for name, holds in said["laws"].items() if not holds]
        equal(broken, [], "laws that do not hold")
        return said
