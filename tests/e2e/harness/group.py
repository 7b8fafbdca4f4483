"""Three nodes of a cluster in the place of one node: every client asks them by turns."""

import json
import os
import shutil
import tempfile
import time

from .client import Addresses, Client
from .cluster import Cluster, laws_hold
from .node import Node, entries_of, programs, run_ctl
from .suite import Unmet, check, poll

# Where three_nodes.py keeps its cluster, for the scripts that it runs.
SHARED = os.environ.get("OMNICART_E2E_CLUSTER")
NODES_TOGETHER = 3
NODES = NODES_TOGETHER if SHARED else 1


def serving():
    """What a script of calls runs against: a node of its own, or the three that are there for all."""
    return Group(SHARED) if SHARED else Node()


def fresh_shop():
    """The same with nothing in it yet: a node, or three that are this case's own."""
    return Group() if SHARED else Node()


def alone(suite, why):
    """For a case that is about one node: among several it is left out, with the reason."""
    def add(case):
        return suite.skip(case.__name__, why) if SHARED else suite.case(case)
    return add


def soon(what, probe):
    """It holds: at once on one node, and before long on each of several."""
    if NODES == 1:
        check(probe(), what)
    else:
        poll(what, lambda: at_every_node(probe))


def at_every_node(probe):
    """Whether it holds for each of as many calls as there are nodes, one after the other. What is not there yet does not."""
    try:
        return all([probe() for _ in range(NODES)])
    except (KeyError, IndexError):
        return False


class TellingCluster(Cluster):
    """Its provider tells the first node of what happens, signed with the secret in this file."""

    secret_file = None

    def pay_options(self):
        if not self.secret_file:
            return ()
        if not self.indexes():
            self.add_node()  # so that there is an address to be told
        return "--webhook", f"http://{self.node(1)['http']}/api/payments/webhook", "--webhook-secret-file", self.secret_file


class Group:
    """The part of Node that scripts of calls use. `home`: of a cluster that is there and stays; else it has its own.
    `config`: {section: {key: value}}; with a secret for webhooks the provider sends some."""

    def __init__(self, home=None, config=None):
        self.is_own = home is None
        self.home = home or tempfile.mkdtemp(prefix="omnicart-e2e.")
        config = config or {}
        payment = {"answer_timeout_ms": 5000, **config.get("payment", {})}
        self.cluster = TellingCluster(os.path.join(self.home, "cluster"), programs(), {**config, "payment": payment}, namespaces=False)
        self.cluster.secret_file = payment.get("webhook_secret_file")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_own:
            self.cluster.reload()  # scripts may have killed and started some
            self.cluster.down(keep=False)
            shutil.rmtree(self.home, ignore_errors=True)

    def start(self):
        """What is not up; until nothing moves any more."""
        self.cluster.up(NODES_TOGETHER)
        poll("each leads its share", self.is_even)
        return self

    def is_even(self):
        leads = [each["leads"] for each in self.cluster.report(1)["nodes"]]
        return max(leads) - min(leads) <= 1

    def kill(self):
        """The first one dies."""
        self.cluster.kill(1)

    def stop(self):
        """The first one ends in good order."""
        self.cluster.end(self.cluster.node(1)["process"])

    def restart(self):
        self.kill()
        self.start()

    def keep_addresses(self):
        """They have no others."""

    @staticmethod
    def catch_up():
        """Behind it every node has forgotten what it may keep of the taxes and shipping: for a second."""
        time.sleep(1.1)

    @property
    def http(self):
        return Addresses([self.cluster.node(index)["http"] for index in self.cluster.indexes()])

    @property
    def data(self):
        """The first one's."""
        return self.folders()[0]

    def folders(self):
        """Where each keeps its data."""
        return [os.path.join(self.cluster.node(index)["home"], "data") for index in self.cluster.indexes()]

    @property
    def pay(self):
        return self.cluster.state["pay"]["url"]

    def pay_pid(self):
        return self.cluster.state["pay"]["process"]["pid"]

    @property
    def operator(self):
        return self.access()[0]

    @property
    def token_file(self):
        return self.access()[1]

    def access(self, index=1):
        node = self.cluster.node(index)
        return node["operator"], os.path.join(node["home"], "data", "operator.token")

    def operate(self, token=None):
        address, file = self.access()
        with open(file, encoding="utf-8") as kept:
            return Client(address, token or kept.read().strip(), public=False)

    def staff(self, role="admin"):
        token = self.operate().post("/tokens", {"role": role, "ttl_s": 3600}).expect(200)["token"]
        return Client(self.http, token)

    def client(self, token=None):
        return Client(self.http, token)

    def ctl(self, *arguments, timeout=180):
        address, file = self.access()
        return run_ctl("--operator", "http://" + address, "--token-file", file, *arguments, timeout=timeout)

    def laws(self, wait="60s"):
        laws_hold(self.cluster)
        said = self.ctl("--json", "laws", "--wait", wait)
        if said.returncode != 0:
            raise Unmet(f"laws: exit {said.returncode} {said.stdout[-3000:]}")
        return json.loads(said.stdout)

    def ledger(self):
        return entries_of(self.pay)
