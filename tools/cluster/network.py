"""The network of a local cluster: with namespaces each node has an address of its own on a bridge, and any pair of them can be
cut apart, in one direction too."""

import os
import subprocess

from machine import Trouble, run

ADDRESS_MAX = 253  # a node's number is the last byte of its address; the bridge has .254


class Network:
    """The part of a Cluster that makes bridges, namespaces and cables, and takes them away again."""

    @staticmethod
    def can_make_namespaces():
        name = f"ocprobe{os.getpid()}"
        try:
            run("ip", "netns", "add", name)
            run("ip", "netns", "del", name)
            return True
        except (Trouble, OSError):
            return False

    def make_network(self):
        """A bridge that no other cluster here uses; its number is the third byte of all addresses. What `down` took
        away comes back as it was."""
        before = self.state["tag"]
        if before and os.path.exists(f"/sys/class/net/ocbr{before}"):
            return
        for number in [before] if before else range(1, 200):
            name = f"ocbr{number}"
            if subprocess.run(("ip", "link", "add", name, "type", "bridge"), stderr=subprocess.DEVNULL).returncode == 0:
                self.state["tag"] = number
                self.save()
                run("ip", "addr", "add", f"198.18.{number}.254/24", "dev", name)
                run("ip", "link", "set", name, "up")
                for index in self.indexes():
                    self.make_namespace(index)
                return
        raise Trouble("no bridge could be made")

    def namespace(self, index):
        return f"oc{self.state['tag']}-{index}"

    def make_namespace(self, index):
        """Whole or not at all."""
        self.clear(index)
        run("ip", "netns", "add", self.namespace(index))
        try:
            self.connect(index)
        except (Trouble, OSError):
            self.remove_namespace(index)
            raise

    def clear(self, index):
        """Takes away what an earlier cluster of this number left behind; not a namespace in which somebody lives."""
        name = self.namespace(index)
        living = subprocess.run(("ip", "netns", "pids", name), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if living.returncode == 0 and living.stdout.split():
            raise Trouble(f"the network namespace {name} is there already, with process {living.stdout.split()[0]} in it")
        self.remove_namespace(index)

    def connect(self, index):
        name, tag = self.namespace(index), self.state["tag"]
        run("ip", "link", "add", f"ocv{tag}-{index}", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", f"ocv{tag}-{index}", "master", f"ocbr{tag}", "up")
        run("ip", "-n", name, "addr", "add", f"198.18.{tag}.{index}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        # For cut(): rules come before the table of local addresses, and each packet is looked up, not each connection.
        run("ip", "-n", name, "rule", "add", "pref", "10", "lookup", "local")
        run("ip", "-n", name, "rule", "del", "pref", "0")
        run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_early_demux=0", "net.ipv4.tcp_early_demux=0")

    def remove_namespace(self, index):
        """Its cable first: that of a namespace goes some time after it, and would be in the next one's way."""
        for line in (("ip", "link", "del", f"ocv{self.state['tag']}-{index}"), ("ip", "netns", "del", self.namespace(index))):
            subprocess.run(line, stderr=subprocess.DEVNULL)

    def outside(self):
        """Where nodes find what does not belong to one of them."""
        return f"198.18.{self.state['tag']}.254" if self.state["namespaces"] else "127.0.0.1"

    # --- faults ---------------------------------------------------------------------------------------------------

    def cut(self, sender, receiver):
        """Nothing that `sender` sends reaches `receiver` any more, and nobody is told; the other direction is another
        cut."""
        if not self.state["namespaces"]:
            raise Trouble("partitions need network namespaces: be root")
        self.node(receiver)
        if [sender, receiver] in self.state["cuts"]:
            return
        self.rule("add", sender, receiver)
        self.state["cuts"].append([sender, receiver])
        self.save()

    def rule(self, verb, sender, receiver):
        run("ip", "-n", self.namespace(receiver), "rule", verb, "pref", "5", "from", self.node(sender)["host"], "blackhole")

    def partition(self, *groups):
        """Nodes of different groups do not hear each other; those not named are a group of their own."""
        named = [index for group in groups for index in group]
        rest = [index for index in self.indexes() if index not in named]
        groups = [*groups, rest] if rest else groups
        for one in groups:
            for other in groups:
                if one is not other:
                    for sender in one:
                        for receiver in other:
                            self.cut(sender, receiver)

    def heal(self):
        for sender, receiver in self.state["cuts"]:
            self.rule("del", sender, receiver)
        self.state["cuts"] = []
        self.save()
