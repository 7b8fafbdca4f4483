"""One omnicartd on a directory of its own: started, killed, stopped and started again. Loopback only, free ports."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from .client import Client
from .suite import Unmet, poll

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def programs():
    """The folder the programs were built into."""
    return os.environ.get("OMNICART_BUILD", os.path.join(ROOT, "build", "dev"))


def program(name):
    path = os.path.join(programs(), name)
    if not os.access(path, os.X_OK):
        raise Unmet(f"{path} is not there: build it first, or say where with OMNICART_BUILD")
    return path


def processes():
    """Of every process: {pid: (parent's pid, name)}."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        if fields[0] != "Z":
            found[int(entry)] = (int(fields[1]), name)
    return found


def is_alive(pid):
    return pid in processes()


class Node:
    """`config`: TOML text. `environment`: added to ours. `data`: a directory to use in place of a fresh one."""

    def __init__(self, config="", environment=None, data=None, wrapper=(), options=(), build=None):
        self.home = tempfile.mkdtemp(prefix="omnicart-e2e.")
        self.data = data or os.path.join(self.home, "data")
        self.environment = environment or {}
        self.wrapper = list(wrapper)
        self.options = list(options)
        self.build = build
        self.config_file = None
        if config:
            self.write_config(config)
        self.process = None
        self.http = self.operator = self.pay = None
        self.starts = 0
        self.addresses = ("127.0.0.1:0", "127.0.0.1:0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.dispose()

    def write_config(self, text):
        self.config_file = os.path.join(self.home, "node.toml")
        with open(self.config_file, "w", encoding="utf-8") as file:
            file.write(text)

    # --- starting ---------------------------------------------------------------------------------------------

    def command(self):
        daemon = os.path.join(self.build, "omnicartd") if self.build else program("omnicartd")
        line = [*self.wrapper, daemon, "--data", self.data, "--http", self.addresses[0], "--operator", self.addresses[1]]
        if self.config_file:
            line += ["--config", self.config_file]
        return line + self.options

    def launch(self):
        """Starts the process without waiting for it to serve."""
        self.starts += 1
        self.stderr_file = os.path.join(self.home, f"stderr.{self.starts}")
        self.stdout_file = os.path.join(self.home, f"stdout.{self.starts}")
        with open(self.stdout_file, "wb") as out, open(self.stderr_file, "wb") as err:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env={**os.environ, **self.environment})
        return self

    def keep_addresses(self):
        """Starts from here on serve where this one does, so that clients outlast a restart."""
        self.addresses = (self.http, self.operator)

    def catch_up(self):
        """What a node among several may not know yet, a lone one knows."""

    def ready_line(self):
        found = re.search(r"^ready http=(\S+) operator=(\S+) pay=(\S+)$", self.stdout(), re.MULTILINE)
        return found.groups() if found else None

    def start(self):
        self.launch()
        poll("the node serves or ends", lambda: self.ready_line() or self.process.poll() is not None)
        line = self.ready_line()
        if not line:
            raise Unmet(f"the node ended with {self.process.returncode} before it served: {self.stderr()[-2000:]}")
        self.http, self.operator, self.pay = line
        return self

    @property
    def pid(self):
        """Of the node itself, also when something wraps it."""
        if not self.wrapper:
            return self.process.pid
        for pid, (parent, name) in processes().items():
            if parent == self.process.pid and name == "omnicartd":
                return pid
        return None

    def pay_pid(self):
        """Of the provider this node started."""
        for pid, (parent, name) in processes().items():
            if parent == self.pid and name == "omnicart-pay":
                return pid
        return None

    # --- ending -----------------------------------------------------------------------------------------------

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, deadline_s=None):
        """The exit code; negative for a signal."""
        poll("the node ends", lambda: not self.running(), deadline_s)
        return self.process.returncode

    def kill(self):
        """As a power cut would end it; also waits for the provider to go, so that a restart finds its ledger free."""
        provider = self.pay_pid() if self.running() else None
        if self.running():
            self.signal(signal.SIGKILL)
        code = self.wait()
        if provider:
            poll("the provider ends with its node", lambda: not is_alive(provider))
        return code

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def restart(self):
        if self.running():
            self.kill()
        return self.start()

    def dispose(self):
        """Ends what was started and removes its files."""
        if self.running():
            for pid in filter(None, (self.pid, self.pay_pid())):  # the node first: it would start the provider again
                try:
                    os.kill(pid, signal.SIGCONT)
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    # --- looking ----------------------------------------------------------------------------------------------

    def read(self, path):
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stdout(self):
        return self.read(self.stdout_file)

    def stderr(self):
        return self.read(self.stderr_file)

    @property
    def token_file(self):
        return os.path.join(self.data, "operator.token")

    def folders(self):
        """Where each node keeps its data: of one there is one."""
        return [self.data]

    def operate(self, token=None):
        """A client of the operator's port."""
        return Client(self.operator, token or self.read(self.token_file).strip(), public=False)

    def staff(self, role="admin"):
        """A client of the shop with a staff token."""
        token = self.operate().post("/tokens", {"role": role, "ttl_s": 3600}).expect(200)["token"]
        return Client(self.http, token)

    def client(self, token=None):
        return Client(self.http, token)

    def ctl(self, *arguments, timeout=180):
        return run_ctl("--operator", "http://" + self.operator, "--token-file", self.token_file, *arguments,
                       timeout=timeout)

    def laws(self, wait="30s"):
        """Fails unless every law holds; the report."""
        done = self.ctl("--json", "laws", "--wait", wait)
        if done.returncode != 0:
            raise Unmet(f"laws: exit {done.returncode} {done.stdout[-3000:]} {done.stderr[-500:]}")
        return json.loads(done.stdout)

    def ledger(self):
        return entries_of(self.pay)


def entries_of(provider):
    """Every entry of the ledger of the provider at this address."""
    entries, at = [], 1
    client = Client(provider, public=False)
    while True:
        page = client.get(f"/ledger?from={at}&limit=1000").expect(200)["entries"]
        entries += page
        if len(page) < 1000:
            return entries
        at = page[-1]["seq"] + 1


def run_ctl(*arguments, timeout=180):
    """omnicartctl with these arguments: what subprocess.run gives, as text."""
    return subprocess.run([program("omnicartctl"), *arguments], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, check=False)
