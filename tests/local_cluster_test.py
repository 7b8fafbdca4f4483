#!/usr/bin/env python3
"""What tools/cluster.sh, tools/run.sh --nodes and tools/failover.sh decide, with nodes that only pretend: no process is started
and no network is made. With real ones: tests/e2e/cluster.py."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path += [os.path.join(HERE, "e2e"), os.path.join(ROOT, "tools", "cluster")]
from harness import Suite, check, equal  # noqa: E402

import command  # noqa: E402
import failover  # noqa: E402
import local_cluster  # noqa: E402
import network  # noqa: E402
import try_product  # noqa: E402
from local_cluster import Cluster, Trouble  # noqa: E402

suite = Suite()
local_cluster.SETTLED_S = local_cluster.REMOVED_SEEN_S = 0  # a pretended cluster is settled at once or never
work = tempfile.mkdtemp(prefix="omnicart-local-cluster.")
TAG = 7


class Pretended(Cluster):
    """`conditions`: {node: "running", "paused", "down" or "new"}. `members`: whom the record has; all nodes answer with it but
    those in `views`, and node `leader` leads it."""

    def __init__(self, conditions, namespaces=False, provider="running"):
        super().__init__(tempfile.mkdtemp(dir=work), work, namespaces=namespaces)
        self.conditions, self.provider = dict(conditions), provider
        self.members, self.views, self.leader = set(conditions), {}, min(conditions, default=0)
        self.told, self.refusal, self.verdicts = [], None, {}
        self.state["tag"] = TAG if namespaces else None
        self.state["pay"] = {"process": {"pid": "pay", "began": 1}, "port": 1, "url": "http://pay"}
        for index in conditions:
            self.state["nodes"][str(index)] = {
                "host": f"h{index}", "http": f"h{index}:80", "operator": f"h{index}:81", "link": f"h{index}:74",
                "home": os.path.join(self.directory, f"node-{index}"), "process": self.named(index)}
        self.save()

    def saved(self):
        with open(self.file, encoding="utf-8") as file:
            return json.load(file)

    def alive(self, process):
        if not process:
            return False
        return (self.provider if process["pid"] == "pay" else self.conditions[self.of(process)]) in ("running", "paused")

    @staticmethod
    def named(index):
        """No number: whatever would be signalled, it is no process of this machine."""
        return {"pid": f"node {index}", "began": 1}

    @staticmethod
    def of(process):
        return int(process["pid"].removeprefix("node "))

    def condition(self, index):
        return self.conditions.get(index, "new")

    def send_signal(self, process, number):
        raise AssertionError("nothing is signalled here")

    def wait_for_end(self, process, seconds=30.0):
        raise AssertionError("nothing is waited for here")

    def report(self, index):
        members = self.views.get(index, self.members)
        if members is None:
            raise Trouble("it does not answer")
        return {"nodes": [{"id": each} for each in members], "shards": [{"own": False, "leader": 1},
                                                                        {"own": True, "leader": self.leader}]}

    def ctl(self, index, *words, check=True, seconds=60):
        self.told.append((index, *words[:4]))
        if not check:
            return self.verdicts.get(index, ("serving\n", 0))
        if self.refusal:
            raise Trouble(self.refusal)
        return ""

    def start(self, index, **how):
        self.node(index)["process"] = self.named(index)
        self.conditions[index] = "running"
        self.members.add(index)

    def resume(self, index):
        self.conditions[index] = "running"

    def end(self, process):
        if process:
            self.conditions[self.of(process)] = "down"

    def start_pay(self):
        self.provider = "running"

    def program(self, name):
        return name

    def make_network(self):
        pass

    def settled(self):
        return set(self.conditions.values()) == {"running"}


class Machine:
    """What `ip` would do: `names` has namespaces with the processes in them, `cables` the links."""

    def __init__(self, names=(), cables=(), bridge=True):
        self.names, self.cables, self.bridge = dict(names), set(cables), bridge

    def run(self, *words):
        done = self.quietly(words)
        if done.returncode != 0:
            raise Trouble(f"{' '.join(words)}: no")
        return done.stdout

    def quietly(self, words, **_how):
        said, good = "", True
        if words[1:3] == ("netns", "add"):
            good = words[3] not in self.names
            self.names.setdefault(words[3], "")
        elif words[1:3] == ("netns", "del"):
            good = self.names.pop(words[3], None) is not None
        elif words[1:3] == ("netns", "pids"):
            good, said = words[3] in self.names, self.names.get(words[3], "")
        elif words[1:3] == ("link", "add"):
            good = words[3] not in self.cables
            self.cables.add(words[3])
        elif words[1:3] == ("link", "del"):
            good = words[3] in self.cables
            self.cables.discard(words[3])
        elif "master" in words:
            good = self.bridge
        return subprocess.CompletedProcess(words, 0 if good else 1, said)

    @contextlib.contextmanager
    def is_here(self):
        with mock.patch.object(network, "run", self.run), mock.patch.object(network.subprocess, "run", self.quietly):
            yield self


def told_by(what, *arguments):
    """What it printed, and what it returned."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        ended = what(*arguments)
    return out.getvalue(), ended


def refused(words, what, *arguments):
    try:
        said = told_by(what, *arguments)
    except Trouble as wrong:
        check(words in str(wrong), f"{words!r} is not in", str(wrong))
        return
    check(False, f"not refused with {words!r}", said)


THREE = {1: "running", 2: "running", 3: "running"}

# --- grow ------------------------------------------------------------------------------------------------------------


@suite.case
def without_a_running_node_nothing_grows_and_nothing_is_made():
    for conditions in ({1: "down", 2: "down", 3: "down"}, {1: "paused", 2: "down"}):
        for namespaces in (False, True):
            cluster = Pretended(conditions, namespaces)
            before = cluster.saved()
            with Machine(bridge=False).is_here() as machine:
                refused("no node runs that could let another one in: tools/cluster.sh up", command.grow, cluster, [])
            equal((cluster.saved(), cluster.state), (before, before))
            equal((machine.names, machine.cables), ({}, set()))
            equal(sorted(os.listdir(cluster.directory)), ["cluster.json"])


@suite.case
def a_node_that_runs_is_asked_to_let_the_new_one_in():
    cluster = Pretended({1: "down", 2: "paused", 3: "running"})
    said, _ = told_by(command.grow, cluster, [])
    check("node 4 has joined" in said, said)
    equal(cluster.told, [(3, "cluster", "join", "--id", "4")])


@suite.case
def a_join_that_is_refused_leaves_no_node_that_up_would_start():
    cluster = Pretended(THREE, namespaces=True)
    cluster.refusal = "the cluster's own group has no leader"
    with Machine().is_here() as machine:
        refused("has no leader", cluster.grow)
    equal((cluster.indexes(), sorted(cluster.saved()["nodes"])), ([1, 2, 3], ["1", "2", "3"]))
    equal((machine.names, machine.cables), ({}, set()))
    cluster.refusal = None
    with Machine().is_here():
        equal(cluster.grow(), 5)  # the other number may be known to the cluster


@suite.case
def what_an_earlier_cluster_left_behind_is_not_in_the_way():
    for names, cables in (({"oc7-4": ""}, {"ocv7-4"}), ({}, {"ocv7-4"}), ({"oc7-4": ""}, set())):
        cluster = Pretended(THREE, namespaces=True)
        with Machine(names, cables).is_here() as machine:
            equal(cluster.grow(), 4)
        equal((machine.names, machine.cables), ({"oc7-4": ""}, {"ocv7-4"}))


@suite.case
def a_namespace_in_which_somebody_lives_is_left_alone():
    cluster = Pretended(THREE, namespaces=True)
    with Machine({"oc7-4": "4711\n4712\n"}, {"ocv7-4"}).is_here() as machine:
        refused("namespace oc7-4 is there already, with process 4711 in it", cluster.grow)
    equal((machine.names, machine.cables), ({"oc7-4": "4711\n4712\n"}, {"ocv7-4"}))
    equal(cluster.indexes(), [1, 2, 3])


@suite.case
def a_namespace_that_cannot_be_connected_is_taken_away_again():
    cluster = Pretended(THREE, namespaces=True)
    with Machine(bridge=False).is_here() as machine:
        refused("master ocbr7", cluster.grow)
    equal((machine.names, machine.cables, cluster.indexes()), ({}, set(), [1, 2, 3]))


@suite.case
def there_are_at_most_nine_nodes_whatever_their_numbers():
    nine = Pretended({index: "running" for index in range(1, 10)}, namespaces=True)
    with Machine().is_here():
        refused("at most 9 nodes", nine.grow)
        few = Pretended({11: "running", 12: "running"}, namespaces=True)
        equal(few.grow(), 13)
        last = Pretended({1: "running", network.ADDRESS_MAX: "running"}, namespaces=True)
        refused("no address is left for a node 254", last.grow)


# --- forget ----------------------------------------------------------------------------------------------------------


@suite.case
def a_removed_node_is_ended_and_never_started_again():
    for condition in ("running", "paused", "down", "new"):
        cluster = Pretended({**THREE, 3: condition})
        cluster.members = {1, 2}
        said, ended = told_by(command.forget, cluster, ["3"])
        check("node 3 is no part of this any more" in said and not ended, said)
        equal(cluster.conditions[3] in ("running", "paused"), False)
        equal(sorted(cluster.saved()["nodes"]), ["1", "2"])
        equal(cluster.grow(), 4)


@suite.case
def a_node_that_the_record_has_is_not_forgotten():
    cluster = Pretended(THREE)
    refused("node 3 belongs to the cluster still, as node 1 knows: omnicartctl cluster drain 3", command.forget, cluster, ["3"])
    equal((cluster.conditions[3], cluster.indexes()), ("running", [1, 2, 3]))


@suite.case
def who_leads_the_record_knows_better_than_who_was_away():
    cluster = Pretended(THREE)
    cluster.views = {1: {1, 2}, 2: {1, 2, 3}}  # node 2 has not heard yet
    told_by(command.forget, cluster, ["3"])
    cluster = Pretended(THREE)
    cluster.views, cluster.leader = {1: {1, 2}, 2: {1, 2, 3}}, 0
    refused("as node 2 knows", command.forget, cluster, ["3"])


@suite.case
def a_node_is_forgotten_when_there_is_nobody_to_ask():
    for conditions in ({1: "down", 2: "down", 3: "down"}, {1: "down", 2: "paused", 3: "running"}):
        cluster = Pretended(conditions)
        said, _ = told_by(command.forget, cluster, ["3"])
        check("no other node answers" in said, said)
        equal(cluster.indexes(), [1, 2])
    cluster = Pretended(THREE)
    cluster.views = {1: None, 2: None}
    check("no other node answers" in told_by(command.forget, cluster, ["3"])[0])


@suite.case
def the_only_node_and_one_that_is_not_there_are_not_forgotten():
    refused("node 1 is the only one: tools/cluster.sh down --wipe", command.forget, Pretended({1: "running"}), ["1"])
    refused("there is no node 4", command.forget, Pretended(THREE), ["4"])
    refused("say which node", command.forget, Pretended(THREE), [])


@suite.case
def what_was_cut_from_a_forgotten_node_heals_without_it():
    cluster = Pretended(THREE, namespaces=True)
    cluster.members, cluster.state["cuts"] = {1, 2}, [[1, 3], [3, 1], [1, 2]]
    with Machine().is_here():
        told_by(command.forget, cluster, ["3"])
        equal(cluster.saved()["cuts"], [[1, 2]])
        cluster.heal()
    equal(cluster.saved()["cuts"], [])


# --- up and status ---------------------------------------------------------------------------------------------------


@suite.case
def a_cluster_is_up_when_all_of_it_runs_the_provider_too():
    said, _ = told_by(command.up, Pretended(THREE), [])
    check("the cluster is up already: 3 nodes" in said, said)
    for conditions, provider, words in (
            (THREE, "down", "the payment provider started; the cluster has 3 nodes"),
            ({**THREE, 2: "paused"}, "running", "node 2 goes on; the cluster has 3 nodes"),
            ({**THREE, 2: "paused", 3: "down"}, "down", "node 2 goes on, node 3 started, the payment provider started; "),
            ({1: "running"}, "running", "node 2 started, node 3 started; the cluster has 3 nodes")):
        cluster = Pretended(conditions, provider=provider)
        said, _ = told_by(command.up, cluster, [])
        check(words in said and "already" not in said, said)
        equal((set(cluster.conditions.values()), cluster.provider), ({"running"}, "running"))


@suite.case
def a_cluster_of_more_than_nine_comes_up_again():
    eleven = {index: "down" for index in range(1, 12)}
    for words in ([], ["11"]):
        said, _ = told_by(command.up, Pretended(eleven), words)
        check("the cluster has 11 nodes" in said, said)
    refused("from 1 to 9 nodes", command.up, Pretended(THREE), ["10"])
    refused("from 1 to 9 nodes", command.up, Pretended(THREE), ["0"])


@suite.case
def up_says_how_a_cluster_becomes_smaller():
    refused("cluster remove, then tools/cluster.sh forget", command.up, Pretended(THREE), ["2"])


@suite.case
def a_removed_node_is_named_and_not_started():
    cluster = Pretended({**THREE, 3: "down"})
    cluster.members = {1, 2}
    refused("node 3 does not belong to the cluster (any more): tools/cluster.sh forget 3", command.up, cluster, [])
    equal(cluster.conditions[3], "down")


@suite.case
def a_removed_node_is_named_when_that_is_known_only_later():
    class Silent(Pretended):
        def start(self, index, **how):
            members = set(self.members)
            super().start(index, **how)
            self.members = members

        def settled(self):
            return False

    cluster = Silent({index: "down" for index in THREE})
    cluster.members = {1, 2}
    refused("tools/cluster.sh forget 3", command.up, cluster, [])


@suite.case
def status_ends_with_1_unless_some_node_sees_all_shards_served():
    bad = ("NOT SERVING IN FULL\n", 1)
    for conditions, verdicts, ended, words in (
            (THREE, {}, 0, "what node 1 says:\nserving"),
            (THREE, {1: bad}, 0, "what node 2 says:\nserving"),  # it is cut off from the others
            (THREE, {1: bad, 2: bad, 3: bad}, 1, "what node 1 says:\nNOT SERVING"),
            (THREE, {1: ("", 69), 2: ("", 69), 3: ("", 77)}, 1, "what node 1 says:\nnothing, it does not answer"),
            ({1: "down", 2: "paused", 3: "running"}, {3: bad}, 1, "what node 3 says:\nNOT SERVING"),
            ({1: "down", 2: "paused", 3: "new"}, {}, 1, "no node runs")):
        cluster = Pretended(conditions)
        cluster.verdicts = verdicts
        said, code = told_by(command.status, cluster, [])
        equal(code, ended, said)
        check(words in said, said)


@suite.case
def the_exit_code_of_a_command_is_that_of_the_script():
    cluster = Pretended({1: "down"})
    line = ["command.py", "status", "--dir", cluster.directory]
    with mock.patch.object(sys, "argv", line), mock.patch.object(command, "Cluster", lambda *_: cluster):
        equal(told_by(command.main)[1], 1)
        cluster.conditions[1] = "running"
        equal(told_by(command.main)[1], 0)
    os.remove(cluster.directory + ".lock")


@suite.case
def help_has_every_command_and_can_be_pasted():
    script = os.path.join(ROOT, "tools", "cluster.sh")
    said = subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    for name in command.COMMANDS:
        check(f"cluster.sh {name}" in said or f"| {name}" in said, f"{name} is not in the help", said)
    check("partition 'A,B|C'" in said and "partition A" not in said, said)
    check("--build DIR" in said and "set -euo" not in said, said)


# --- tools/run.sh --nodes --------------------------------------------------------------------------------------------


@suite.case
def fewer_nodes_than_there_are_are_refused_and_nothing_is_started():
    cluster = Pretended({index: "down" for index in THREE})
    with mock.patch.object(try_product, "Cluster", lambda *_: cluster):
        refused("data/cluster has 3 nodes: --nodes 3, or tools/cluster.sh down --wipe", try_product.run, 1, True)
    equal(set(cluster.conditions.values()), {"down"})


@suite.case
def a_node_is_lost_only_where_others_go_on():
    for conditions, lost in (({1: "running"}, False), ({1: "running", 2: "running"}, False), (THREE, True),
                             ({**THREE, 3: "down"}, False)):
        equal(try_product.outlives_a_loss(Pretended(conditions)), lost, conditions)


@suite.case
def nodes_that_others_start_again_are_seen_until_the_folder_is_gone():
    cluster = Pretended(THREE)

    def all_nodes(condition):
        cluster.conditions = {index: condition for index in THREE}

    steps = iter([lambda: all_nodes("down"), *[lambda: None] * 4000,  # for longer than an hour
                  lambda: all_nodes("running"), lambda: None, lambda: shutil.rmtree(cluster.directory)])
    with mock.patch.object(try_product.time, "sleep", lambda _seconds: next(steps)()):
        said, _ = told_by(try_product.watch, cluster)
    equal(said.split("\n")[2:-1], ["No node runs any more; tools/cluster.sh up brings them back, Ctrl-C ends this.",
                                   "The cluster runs again.", "The cluster was taken away."])


# --- tools/failover.sh -----------------------------------------------------------------------------------------------


def failover_with(*words):
    """Of a machine without etcd, and an OmniCart that is not measured."""
    def absent(_directory):
        raise Trouble("no etcd here")

    result = {"name": failover.OmniCart.title, "fault": "kill", "gaps_ms": [1.0], "writes": 1, "repeated": 0, "failed": 0,
              "reasons": {}}
    with mock.patch.object(sys, "argv", ["failover.py", *words]), mock.patch.object(failover, "Etcd", absent), \
            mock.patch.object(failover, "measure", lambda *_: result), \
            mock.patch.object(failover.OmniCart, "__init__", lambda *_: None), \
            mock.patch.object(failover.OmniCart, "stop", lambda _: None), mock.patch.object(failover.signal, "signal"):
        return told_by(failover.main)


@suite.case
def etcd_alone_cannot_be_measured_where_it_is_not():
    equal(failover_with("--only", "etcd"), ("error: no etcd here\n", 1))


@suite.case
def a_restart_of_etcd_alone_is_refused():
    said, code = failover_with("--only", "etcd", "--fault", "restart")
    equal(code, 1)
    equal(said, "error: --fault restart is of OmniCart only; tools/failover.sh --help says what there is\n")


@suite.case
def beside_omnicart_etcd_may_be_left_out():
    for words in ((), ("--only", "omnicart"), ("--fault", "restart")):
        said, code = failover_with(*words)
        equal(code, 0, said)
        equal("etcd is left out: no etcd here" in said, words == (), said)


suite.run()
shutil.rmtree(work)
suite.end()
