"""A cluster of nodes on this machine: brought up, killed, paused, cut apart, healed and taken down again.

With network namespaces each node has an address of its own on a bridge, so that any pair of them can be cut apart, in
one direction too, and their links need certificates; without, all of them listen on loopback. What is running stands in
DIRECTORY/cluster.json, so that one command can bring a cluster up and another take it down. Only what stands there is
ever signalled or removed, and a process only when its start time is still the one that was noted."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.request

from machine import Trouble, free_port, run, start_time, wait_for
from network import ADDRESS_MAX, Network

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODES_MAX = 9
CLUSTER_NAME = "local"
SETTLED_S = 120  # what the nodes have to come up and fill each other's copies
REMOVED_SEEN_S = 20  # of which it is not asked whether one of them was removed: they may still choose a leader
LAG_ENTRIES = 1000  # so far behind the leader counts as caught up, under load


class Cluster(Network):
    """`build`: the folder of the programs. `config`: what every node gets besides its own, {section: {key: value}}."""

    def __init__(self, directory, build, config=None, namespaces=None):
        self.directory = os.path.abspath(directory)
        self.build = os.path.abspath(build)
        self.file = os.path.join(self.directory, "cluster.json")
        self.children = {}
        if os.path.exists(self.file):
            self.reload()
            return
        if namespaces is None:
            namespaces = os.geteuid() == 0 and self.can_make_namespaces()
        self.state = {"namespaces": namespaces, "tag": None, "config": config or {}, "pay": None, "nodes": {}, "cuts": []}

    # --- what lies below ----------------------------------------------------------------------------------------

    def reload(self):
        """What others did to the cluster meanwhile."""
        try:
            with open(self.file, encoding="utf-8") as file:
                self.state = json.load(file)
        except ValueError as wrong:
            raise Trouble(f"{self.file} does not read ({wrong}); remove {self.directory} by hand") from wrong

    def save(self):
        os.makedirs(self.directory, exist_ok=True)
        with open(self.file + ".new", "w", encoding="utf-8") as file:
            json.dump(self.state, file, indent=1)
        os.replace(self.file + ".new", self.file)

    def program(self, name):
        path = os.path.join(self.build, name)
        if not os.access(path, os.X_OK):
            raise Trouble(f"{path} is not there: build it first (tools/build.sh release)")
        return path

    # --- processes ------------------------------------------------------------------------------------------------

    def spawn(self, line, log, out, inside=None, environment=None):
        if inside:
            line = ["ip", "netns", "exec", inside, *line]
        with open(log, "ab") as err, open(out, "wb") as said:
            child = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=said, stderr=err, start_new_session=True,
                                     env={**os.environ, **(environment or {})})
        self.children[child.pid] = child
        return {"pid": child.pid, "began": start_time(child.pid)}

    def alive(self, process):
        if not process or process["began"] is None:
            return False
        child = self.children.get(process["pid"])
        if child is not None:
            return child.poll() is None
        return start_time(process["pid"]) == process["began"]

    def send_signal(self, process, number):
        if self.alive(process):
            os.kill(process["pid"], number)

    def end(self, process):
        """SIGTERM, and SIGKILL for who does not heed it."""
        self.tell_to_end(process)
        self.wait_for_end(process)

    def tell_to_end(self, process):
        self.send_signal(process, signal.SIGCONT)
        self.send_signal(process, signal.SIGTERM)

    def wait_for_end(self, process, seconds=30.0):
        if not self.alive(process):
            return
        try:
            wait_for("the process ends", lambda: not self.alive(process), seconds)
        except Trouble:
            os.kill(process["pid"], signal.SIGKILL)
            wait_for("the process is gone", lambda: not self.alive(process), 10)

    # --- up -------------------------------------------------------------------------------------------------------

    def start_pay(self):
        if self.state["pay"] and self.alive(self.state["pay"]["process"]):
            return
        home = os.path.join(self.directory, "pay")
        os.makedirs(home, exist_ok=True)
        out = os.path.join(home, "stdout")
        port = self.state["pay"]["port"] if self.state["pay"] else free_port()
        line = [self.program("omnicart-pay"), "--data", home, "--http", f"{self.outside()}:{port}", *self.pay_options()]
        process = self.spawn(line, os.path.join(home, "log"), out)
        self.state["pay"] = {"process": process, "port": port, "url": f"http://{self.outside()}:{port}"}
        self.save()
        wait_for("the provider listens", lambda: self.reachable(f"{self.outside()}:{port}"))

    def pay_options(self):
        """For who wants the provider to do something special."""
        return ()

    @staticmethod
    def reachable(address):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return True
        except OSError:
            return False

    def certificates(self, index=None):
        folder = os.path.join(self.directory, "certs")
        ctl = self.program("omnicartctl")
        if not os.path.exists(os.path.join(folder, "ca.crt")):
            run(ctl, "cert", "init", folder, "--cluster", CLUSTER_NAME)
        if index is not None and not os.path.exists(os.path.join(folder, f"node-{index}.crt")):
            run(ctl, "cert", "node", folder, "--id", str(index), "--host", self.node(index)["host"])
        return folder

    def node(self, index):
        try:
            return self.state["nodes"][str(index)]
        except KeyError:
            raise Trouble(f"there is no node {index}; there are {', '.join(self.state['nodes']) or 'none'}") from None

    def indexes(self):
        return sorted(int(each) for each in self.state["nodes"])

    def condition(self, index):
        """running, paused or down; "new" before its first start."""
        process = self.node(index)["process"]
        if not process:
            return "new"
        if not self.alive(process):
            return "down"
        try:
            with open(f"/proc/{process['pid']}/stat", encoding="utf-8", errors="replace") as file:
                return "paused" if file.read().rpartition(")")[2].split()[0] in "Tt" else "running"
        except OSError:  # it has ended just now
            return "down"

    def running(self):
        return [each for each in self.indexes() if self.alive(self.node(each)["process"])]

    def add_node(self):
        index = max(self.indexes() + [self.state.get("last", 0)]) + 1
        inside = self.state["namespaces"]
        if len(self.indexes()) >= NODES_MAX:
            raise Trouble(f"at most {NODES_MAX} nodes")
        if inside and index > ADDRESS_MAX:
            raise Trouble(f"no address is left for a node {index}; cluster.sh down --wipe, and up again")
        host = f"198.18.{self.state['tag']}.{index}" if inside else "127.0.0.1"
        ports = (8080, 8081, 7400) if inside else (free_port(), free_port(), free_port())
        home = os.path.join(self.directory, f"node-{index}")
        os.makedirs(home, exist_ok=True)
        if inside:
            self.make_namespace(index)
        self.state["nodes"][str(index)] = {"host": host, "http": f"{host}:{ports[0]}", "operator": f"{host}:{ports[1]}",
                                           "link": f"{host}:{ports[2]}", "home": home, "process": None}
        self.save()
        self.prepare(index)
        return index

    def prepare(self, index):
        """For who wants something special of a node's folder, before its first start."""

    def surroundings(self, _index):
        """The same for its environment, before each start."""
        return {}

    def write_config(self, index):
        node = self.node(index)
        host, _, link_port = node["link"].rpartition(":")
        cluster = {"node": index, "name": CLUSTER_NAME, "address": host, "port": int(link_port)}
        # Also in the first node's once there are others: should it lose its disk, it must not found another cluster.
        if len(self.indexes()) > 1:
            cluster["peers"] = [f"{each}@{self.node(each)['link']}" for each in self.indexes() if each != index]
        if self.state["namespaces"]:
            folder = self.certificates(index)
            cluster.update(authority=f"{folder}/ca.crt", certificate=f"{folder}/node-{index}.crt",
                           private_key=f"{folder}/node-{index}.key")
        sections = {"cluster": cluster, "payment": {"url": self.state["pay"]["url"]}, "rate_limits": {"enabled": False}}
        for name, more in self.state["config"].items():
            sections[name] = {**sections.get(name, {}), **more}
        path = os.path.join(node["home"], "node.toml")
        with open(path, "w", encoding="utf-8") as file:
            for name, values in sections.items():
                # JSON's texts, numbers, truths and lists are TOML's too.
                lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
                file.write(f"[{name}]\n" + "\n".join(lines) + "\n")
        return path

    def launch(self, index, wrapper=(), environment=None):
        """Starts the node's process without waiting for it to serve."""
        node = self.node(index)
        if self.alive(node["process"]):
            raise Trouble(f"node {index} runs already")
        line = [*wrapper, self.program("omnicartd"), "--data", os.path.join(node["home"], "data"),
                "--config", self.write_config(index), "--http", node["http"], "--operator", node["operator"]]
        inside = self.namespace(index) if self.state["namespaces"] else None
        node["process"] = self.spawn(line, os.path.join(node["home"], "log"), os.path.join(node["home"], "stdout"), inside,
                                     {**self.surroundings(index), **(environment or {})})
        self.save()

    def serves(self, index):
        node = self.node(index)
        if not self.alive(node["process"]):
            with open(os.path.join(node["home"], "log"), encoding="utf-8", errors="replace") as file:
                raise Trouble(f"node {index} ended: {file.read()[-1500:]}")
        with open(os.path.join(node["home"], "stdout"), encoding="utf-8", errors="replace") as file:
            return re.search(r"^ready http=", file.read(), re.MULTILINE)

    def start(self, index, **how):
        self.launch(index, **how)
        wait_for(f"node {index} serves", lambda: self.serves(index))

    def ctl(self, index, *words, check=True, seconds=60):
        """omnicartctl, asked of one node. Its standard output, and the exit code beside it with check=False."""
        node = self.node(index)
        line = [self.program("omnicartctl"), "--operator", f"http://{node['operator']}",
                "--token-file", os.path.join(node["home"], "data", "operator.token"), *words]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds)
        if not check:
            return done.stdout, done.returncode
        if done.returncode != 0:
            raise Trouble(f"omnicartctl {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def report(self, index):
        """What a node says of the cluster; Trouble when it does not answer."""
        node = self.node(index)
        try:
            with open(os.path.join(node["home"], "data", "operator.token"), encoding="utf-8") as file:
                access = {"Authorization": "Bearer " + file.read().strip()}
            with urllib.request.urlopen(urllib.request.Request(f"http://{node['operator']}/cluster", headers=access),
                                        timeout=5) as answer:
                return json.load(answer)
        except (OSError, ValueError) as wrong:
            raise Trouble(f"node {index} does not tell of the cluster: {wrong}") from wrong

    def leader_of(self, shard):
        """The node that leads it, as far as nodes that run know; None when they do not."""
        for index in self.running():
            try:
                found = next((each["leader"] for each in self.report(index)["shards"] if each["shard"] == shard), 0)
            except Trouble:
                continue
            if found:
                return found
        return None

    def grow(self):
        """One more node, known to the others before it comes."""
        by = next((each for each in self.indexes() if self.condition(each) == "running"), None)
        if by is None:
            raise Trouble("no node runs that could let another one in: tools/cluster.sh up, and then this again")
        index = self.add_node()
        node = self.node(index)
        try:
            self.ctl(by, "cluster", "join", "--id", str(index), "--link", node["link"], "--http", node["http"],
                     "--operators", node["operator"], "--why", "cluster.sh")
        except (Trouble, subprocess.TimeoutExpired):
            self.forget(index)  # or `up` would start a node that no other one knows
            raise
        self.start(index)
        return index

    def removed(self):
        """Nodes of this folder that the cluster does not have any more, as the node says that leads its record."""
        for told in self.records():
            if told["leads"]:
                return [index for index in self.indexes() if index not in told["members"]]
        return []

    def records(self, besides=None):
        """What each node that answers knows of who belongs to the cluster."""
        found = []
        for index in self.indexes():
            if index == besides or self.condition(index) != "running":
                continue
            try:
                report = self.report(index)
            except Trouble:
                continue
            found.append({"node": index, "members": {each["id"] for each in report["nodes"]},
                          "leads": any(each["own"] and each["leader"] == index for each in report["shards"])})
        return found

    def forget(self, index):
        """Of a node that was removed and is down. Its number is not given again, its data stays."""
        if self.alive(self.node(index)["process"]):
            raise Trouble(f"node {index} runs")
        for sender, receiver in [each for each in self.state["cuts"] if index in each]:
            if sender == index:
                self.rule("del", sender, receiver)
            self.state["cuts"].remove([sender, receiver])
        if self.state["namespaces"]:
            self.remove_namespace(index)
        del self.state["nodes"][str(index)]
        self.state["last"] = max(index, self.state.get("last", 0))
        self.save()

    def settled(self):
        """Whether all nodes run, and every shard has its leader and its voters where they belong, none far behind."""
        if self.running() != self.indexes():
            return False
        try:
            reports = [self.report(index) for index in self.indexes()]
        except Trouble:
            return False
        return all(self.is_settled(report) for report in reports)

    def is_settled(self, report):
        wanted = min(len(self.indexes()), report["replicas"])
        return all(node["state"] == "active" and node["reachable"] for node in report["nodes"]) and all(
            shard["leader"] and not shard["moving"] and (shard["own"] or len(shard["voters"]) == wanted) and
            all((voter["lag"] or 0) < LAG_ENTRIES for voter in shard["voters"]) for shard in report["shards"])

    def up(self, count=3):
        for name in ("omnicartd", "omnicartctl", "omnicart-pay"):
            self.program(name)  # before anything is made that would have to be taken away again
        self.save()
        if self.state["namespaces"]:
            self.make_network()
        self.start_pay()
        if not self.indexes():
            self.start(self.add_node())
        self.refuse_removed()
        for index in self.indexes():
            if self.condition(index) == "paused":
                self.resume(index)
            elif not self.alive(self.node(index)["process"]):
                self.start(index)
        while len(self.indexes()) < count:
            self.grow()
        try:
            wait_for("all shards have their copies", self.settled, REMOVED_SEEN_S, 0.1)
        except Trouble:
            self.refuse_removed()
            wait_for("all shards have their copies", self.settled, SETTLED_S - REMOVED_SEEN_S, 0.1)

    def refuse_removed(self):
        gone = self.removed()
        if gone:
            raise Trouble(f"node {gone[0]} does not belong to the cluster (any more): tools/cluster.sh forget {gone[0]}, "
                          "and then this again")

    # --- faults ---------------------------------------------------------------------------------------------------

    def kill(self, index, number=signal.SIGKILL):
        process = self.node(index)["process"]
        self.send_signal(process, number)
        wait_for(f"node {index} is gone", lambda: not self.alive(process), 30)

    def pause(self, index):
        self.send_signal(self.node(index)["process"], signal.SIGSTOP)

    def resume(self, index):
        self.send_signal(self.node(index)["process"], signal.SIGCONT)

    # --- down -----------------------------------------------------------------------------------------------------

    def down(self, keep=True):
        for index in self.indexes():
            self.tell_to_end(self.node(index)["process"])
        for index in self.indexes():
            self.wait_for_end(self.node(index)["process"])
        if self.state["pay"]:
            self.end(self.state["pay"]["process"])
        if self.state["namespaces"] and self.state["tag"]:
            for index in self.indexes():
                self.remove_namespace(index)
            subprocess.run(("ip", "link", "del", f"ocbr{self.state['tag']}"), stderr=subprocess.DEVNULL)
        if keep:
            self.state["cuts"] = []
            self.save()
        else:
            shutil.rmtree(self.directory, ignore_errors=True)
