"""Three members of Debian's etcd on loopback, to be lost as nodes of OmniCart are. Its programs come from the system, or are
unpacked from Debian's package into the build folder: nothing is installed and no service is started."""

import base64
import json
import os
import shutil
import signal
import subprocess
import urllib.request

from local_cluster import ROOT, Trouble, free_port, start_time, wait_for

UNPACKED = os.path.join(ROOT, "build", "etcd")


def program():
    found = shutil.which("etcd")
    if found:
        return found
    path = os.path.join(UNPACKED, "usr", "bin", "etcd")
    if not os.access(path, os.X_OK):
        os.makedirs(UNPACKED, exist_ok=True)
        try:
            fetched = subprocess.run(("apt-get", "-q", "download", "etcd-server"), cwd=UNPACKED, capture_output=True, text=True)
        except OSError as wrong:
            raise Trouble(f"no etcd here, and no apt-get to fetch it: {wrong}") from wrong
        packages = [name for name in os.listdir(UNPACKED) if name.endswith(".deb")]
        if fetched.returncode != 0 or not packages:
            raise Trouble(f"no etcd here, and apt-get download etcd-server failed: {fetched.stderr.strip()[-200:]}")
        try:
            subprocess.run(("dpkg-deb", "-x", packages[0], "."), cwd=UNPACKED, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as wrong:
            raise Trouble(f"no etcd here, and its package cannot be unpacked: {wrong}") from wrong
    return path


class Etcd:
    title = "etcd"

    def __init__(self, directory):
        self.directory, self.program = os.path.join(directory, "etcd"), program()
        os.makedirs(self.directory)
        self.members = {index: {"client": f"127.0.0.1:{free_port()}", "peer": f"127.0.0.1:{free_port()}", "process": None}
                        for index in (1, 2, 3)}

    def launch(self, index):
        member = self.members[index]
        everybody = ",".join(f"m{i}=http://{each['peer']}" for i, each in self.members.items())
        line = [self.program, "--name", f"m{index}", "--data-dir", os.path.join(self.directory, f"m{index}"),
                "--listen-client-urls", f"http://{member['client']}", "--advertise-client-urls", f"http://{member['client']}",
                "--listen-peer-urls", f"http://{member['peer']}", "--initial-advertise-peer-urls", f"http://{member['peer']}",
                "--initial-cluster", everybody, "--initial-cluster-token", "failover", "--log-level", "error"]
        with open(os.path.join(self.directory, f"m{index}.log"), "ab") as log:
            member["process"] = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                 start_new_session=True)

    def start(self):
        for index in self.members:
            self.launch(index)
        self.settle()

    def renew(self):
        pass

    def request(self, number):
        body = {"key": base64.b64encode(b"failover").decode(), "value": base64.b64encode(b"%d" % number).decode()}
        content = json.dumps(body).encode()
        return (f"POST /v3/kv/put HTTP/1.1\r\nHost: etcd\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(content)}\r\n\r\n").encode() + content

    def addresses(self):
        return [(index, member["client"]) for index, member in self.members.items()]

    def status(self, index):
        try:
            request = urllib.request.Request(f"http://{self.members[index]['client']}/v3/maintenance/status", data=b"{}")
            with urllib.request.urlopen(request, timeout=1) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def leader(self):
        for index in self.members:
            said = self.status(index)
            if said and said.get("leader", "0") == said["header"]["member_id"]:
                return index
        return None

    def settle(self):
        def settled():
            said = [self.status(index) for index in self.members]
            return all(said) and len({each.get("leader", "0") for each in said}) == 1 and said[0].get("leader", "0") != "0"
        wait_for("etcd settles", settled, 60, 0.05)

    def signal(self, index, number):
        os.kill(self.members[index]["process"].pid, number)

    def bring_back(self, index):
        self.members[index]["process"].wait(30)
        self.launch(index)

    def stop(self):
        for member in self.members.values():
            process = member["process"]
            if process and process.poll() is None and start_time(process.pid):
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
