#!/usr/bin/env python3
"""The short version of tools/chaos.sh against the programs of the tests: three kinds of loss, and the proof that nothing was
lost, repeated or invented. Its last line is the script's own."""

import os
import sys
import tempfile

from harness import programs
from harness.node import ROOT

with tempfile.TemporaryDirectory(prefix="omnicart-e2e.") as rows:
    line = [sys.executable, os.path.join(ROOT, "tools", "chaos", "run.py"), "--short", "--build", programs(), "--rows",
            os.path.join(rows, "rows.jsonl")]
    sys.exit(os.spawnv(os.P_WAIT, sys.executable, line))
