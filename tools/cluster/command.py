"""What tools/cluster.sh does; its help stands there."""

import fcntl
import os
import re
import sys

import local_cluster
from local_cluster import Cluster, Trouble
from options import Parser

CATALOGUE = 200  # products in the example


def arguments(words):
    parser = Parser("tools/cluster.sh")
    parser.add_argument("command", nargs="?", default="")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--dir", default=os.path.join(local_cluster.ROOT, "data", "cluster"))
    parser.add_argument("--build", default=os.path.join(local_cluster.ROOT, "build", "release"))
    parser.add_argument("--wipe", action="store_true")
    read = parser.parse_args(words)
    if read.command not in COMMANDS:
        parser.error(f"there is no command {read.command!r}")
    if read.wipe and read.command != "down":
        raise Trouble("--wipe belongs to down")
    return read


def number(words, what="which node: a number"):
    if len(words) != 1 or not re.fullmatch(r"[0-9]{1,3}", words[0]):
        raise Trouble(f"say {what}")
    return int(words[0])


def nothing(words, command):
    if words:
        raise Trouble(f"{command} takes no further words")


def existing(cluster):
    if not cluster.indexes():
        raise Trouble(f"there is no cluster in {cluster.directory}: tools/cluster.sh up")


# --- commands -------------------------------------------------------------------------------------------------------


def up(cluster, words):
    had = len(cluster.indexes())
    count = number(words, "how many nodes") if words else max(3, had)
    if not 1 <= count <= max(local_cluster.NODES_MAX, had):
        raise Trouble(f"from 1 to {local_cluster.NODES_MAX} nodes")
    if count < had:
        raise Trouble(f"it has {had} nodes already; fewer: omnicartctl cluster drain, then cluster remove, then "
                      f"tools/cluster.sh forget; or down --wipe and up {count}")
    before, paid = {i: cluster.condition(i) for i in cluster.indexes()}, pays(cluster)
    if len(before) == count and set(before.values()) == {"running"} and paid:
        print(f"the cluster is up already: {nodes(count)}")
    else:
        cluster.up(count)
        resumed = [f"node {i} goes on" for i, was in before.items() if was == "paused"]
        started = [f"node {i} started" for i in cluster.indexes() if before.get(i) not in ("running", "paused")]
        print(f"{', '.join(resumed + started + ([] if paid else ['the payment provider started']))}; "
              f"the cluster has {nodes(count)}")
    describe(cluster)
    go_on(cluster)


def pays(cluster):
    return bool(cluster.state["pay"]) and cluster.alive(cluster.state["pay"]["process"])


def nodes(count):
    return "1 node" if count == 1 else f"{count} nodes"


def status(cluster, words):
    """What the first node says that sees all shards served; of one that is cut off, others may know better."""
    nothing(words, "status")
    existing(cluster)
    describe(cluster)
    heard = None
    for index in cluster.indexes():
        if cluster.condition(index) != "running":
            continue
        said, code = cluster.ctl(index, "cluster", "status", check=False)
        if heard is None or code == 0:
            heard = index, said, code
        if code == 0:
            break
    if heard is None:
        print("\nno node runs")
        return 1
    index, said, code = heard
    print(f"\nwhat node {index} says:\n{said.rstrip() or 'nothing, it does not answer'}")
    return 0 if code == 0 else 1


def kill(cluster, words):
    index = number(words)
    if not cluster.alive(cluster.node(index)["process"]):
        raise Trouble(f"node {index} is down already")
    cluster.kill(index)
    print(f"node {index} was killed; tools/cluster.sh restart {index} brings it back")


def restart(cluster, words):
    index = number(words)
    if cluster.alive(cluster.node(index)["process"]):
        cluster.end(cluster.node(index)["process"])
    cluster.start(index)
    print(f"node {index} serves http://{cluster.node(index)['http']}")


def pause(cluster, words):
    index = number(words)
    running(cluster, index)
    cluster.pause(index)
    print(f"node {index} stands still; tools/cluster.sh resume {index} lets it go on")


def resume(cluster, words):
    index = number(words)
    running(cluster, index)
    cluster.resume(index)
    print(f"node {index} goes on")


def running(cluster, index):
    if not cluster.alive(cluster.node(index)["process"]):
        raise Trouble(f"node {index} is down")


def partition(cluster, words):
    text = "".join(words)
    one_way = re.fullmatch(r"([0-9,]+)>([0-9,]+)", text)
    existing(cluster)
    if one_way:
        for sender in group(one_way[1]):
            for receiver in group(one_way[2]):
                cluster.cut(sender, receiver)
    elif re.fullmatch(r"[0-9,]+(\|[0-9,]+)*", text):
        groups = [group(part) for part in text.split("|")]
        named = [index for part in groups for index in part]
        if len(set(named)) != len(named):
            raise Trouble("a node stands in two groups")
        for index in named:
            cluster.node(index)
        cluster.partition(*groups)
    else:
        raise Trouble("say who is cut from whom: partition '1,2|3' or partition '1>2'")
    print(f"cut: {cuts(cluster) or 'nothing, all of them are in one group'}; tools/cluster.sh heal mends it")


def group(text):
    found = [int(each) for each in text.split(",") if each]
    if not found:
        raise Trouble("a group without a node")
    return found


def heal(cluster, words):
    nothing(words, "heal")
    existing(cluster)
    before = cuts(cluster)
    cluster.heal()
    print(f"mended: {before}" if before else "nothing was cut")


def grow(cluster, words):
    nothing(words, "grow")
    existing(cluster)
    index = cluster.grow()
    print(f"node {index} has joined and serves http://{cluster.node(index)['http']}")


def forget(cluster, words):
    index = number(words)
    process = cluster.node(index)["process"]
    if cluster.indexes() == [index]:
        raise Trouble(f"node {index} is the only one: tools/cluster.sh down --wipe")
    told = cluster.records(besides=index)
    # What the node says that leads the record; else nobody may have it: one that was away may not know yet.
    for record in [each for each in told if each["leads"]] or told:
        if index in record["members"]:
            raise Trouble(f"node {index} belongs to the cluster still, as node {record['node']} knows: omnicartctl cluster "
                          f"drain {index}, once it holds nothing cluster remove {index}, and then this again")
    if not told:
        print("no other node answers: whether it was removed from the cluster is not known")
    cluster.end(process)
    cluster.forget(index)
    print(f"node {index} is no part of this any more; its data stays in {os.path.join(cluster.directory, f'node-{index}')}")


def down(cluster, words, wipe=False):
    nothing(words, "down")
    if not os.path.exists(cluster.file):
        print(f"there is no cluster in {cluster.directory}")
        return
    cluster.down(keep=not wipe)
    print(f"the cluster is down; its data is {'removed' if wipe else 'kept in ' + cluster.directory}")


COMMANDS = {"up": up, "status": status, "kill": kill, "restart": restart, "pause": pause, "resume": resume,
            "partition": partition, "heal": heal, "grow": grow, "forget": forget, "down": down}


# --- what is shown ---------------------------------------------------------------------------------------------------


def cuts(cluster):
    return ", ".join(f"{sender}>{receiver}" for sender, receiver in cluster.state["cuts"])


def describe(cluster):
    print(f"\n{'node':6}{'is':10}{'shop':30}{'operator':30}log")
    for index in cluster.indexes():
        node = cluster.node(index)
        print(f"{index:<6}{cluster.condition(index):10}{'http://' + node['http']:30}{'http://' + node['operator']:30}"
              f"{os.path.relpath(node['home'])}/log")
    pay = cluster.state["pay"]
    if pay:
        print(f"{'pay':6}{'running' if cluster.alive(pay['process']) else 'down':10}{pay['url']}")
    if cluster.state["cuts"]:
        print(f"cut: {cuts(cluster)}")


def go_on(cluster):
    first = cluster.node(cluster.indexes()[0])
    everywhere = ",".join(f"http://{cluster.node(i)['http']}" for i in cluster.indexes())
    programs = os.path.relpath(cluster.build)
    own = "" if cluster.directory == os.path.join(local_cluster.ROOT, "data", "cluster") else (
        f" --dir {os.path.relpath(cluster.directory)}")
    access = f"--operator http://{first['operator']} --token-file {os.path.relpath(first['home'])}/data/operator.token"
    print(f"""
To go on:
  OMNICART_TOKEN=$({programs}/omnicartctl {access} token issue --role admin --ttl 600) \\
    {programs}/omnicart-sample --count {CATALOGUE} --seed 1 --target http://{first['http']} --if-missing
  {programs}/omnicart-load --target {everywhere} {access} storefront --duration 20
  tools/cluster.sh kill {cluster.indexes()[-1]}{own}; tools/cluster.sh status{own}""")


def main():
    try:
        read = arguments(sys.argv[1:])
        os.makedirs(os.path.dirname(os.path.abspath(read.dir)), exist_ok=True)
        with open(os.path.abspath(read.dir) + ".lock", "w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                print("another command works on this cluster; waiting for it", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            cluster = Cluster(read.dir, read.build)
            more = {"wipe": read.wipe} if read.command == "down" else {}
            return COMMANDS[read.command](cluster, read.words, **more) or 0
    except (Trouble, OSError) as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
