"""The programs that are measured: each started on free loopback ports, ended by its own process id."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

BIN = "build/release"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(done, what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return
        time.sleep(0.02)
    raise SystemExit(f"error: {what} is not ready after {seconds} s")


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


class Server:
    """A process group with its CPU time."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, start_new_session=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def processes(self):
        group = os.getpgid(self.process.pid)
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getpgid(int(name)) == group:
                    yield int(name)
            except (ProcessLookupError, PermissionError):
                continue

    def cpu_s(self):
        """User and system time of all its threads and processes."""
        ticks = 0
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except FileNotFoundError:
                continue
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def run_load(target, folder, duration, connections, *scenario):
    report = os.path.join(folder, "report.json")
    command = [f"{BIN}/omnicart-load", "--target", target, "--connections", str(connections), "--duration", str(duration),
               "--json", report, *scenario]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit("error: " + " ".join(command) + "\n" + done.stdout + done.stderr)
    with open(report) as text:
        return json.load(text)["figures"]


class Node(Server):
    def __init__(self, folder):
        self.folder = folder
        config = os.path.join(folder, "bench.toml")
        os.makedirs(folder, exist_ok=True)
        with open(config, "w") as out:
            # Neither nginx nor Redis writes a line per request here.
            out.write("[log]\naccess = false\n[memory]\nentity_budget_mib = 2048\n")
        self.data = os.path.join(folder, "data")
        self.errors = open(os.path.join(folder, "node.log"), "a")
        super().__init__([f"{BIN}/omnicartd", "--data", self.data, "--config", config, "--http", "127.0.0.1:0",
                          "--operator", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=self.errors, text=True)
        ready = self.process.stdout.readline()
        if not ready.startswith("ready "):
            self.stop()
            raise SystemExit(f"error: the node did not start, see {folder}/node.log")
        self.at = dict(part.split("=", 1) for part in ready.split()[1:])
        self.token_file = os.path.join(self.data, "operator.token")

    def load(self, *scenario, connections=64, duration=5):
        """Runs omnicart-load against the node and returns the figures of its report."""
        return run_load("http://" + self.at["http"], self.folder, duration, connections, "--operator",
                        "http://" + self.at["operator"], "--token-file", self.token_file, *scenario)

    def metric(self, name):
        """The value of a metric without labels."""
        with open(self.token_file) as file:
            key = {"Authorization": "Bearer " + file.read().strip()}
        request = urllib.request.Request(f"http://{self.at['operator']}/metrics", headers=key)
        with urllib.request.urlopen(request, timeout=30) as got:
            return next(line.split()[-1] for line in got.read().decode().splitlines() if line.startswith(name + " "))


class Nginx(Server):
    """Answers a constant of `size` bytes to everything, one worker per core, no access log."""

    def __init__(self, folder, size):
        self.port = free_port()
        os.makedirs(folder, exist_ok=True)
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w") as out:
            out.write(f"""daemon off;
worker_processes {os.cpu_count()};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{self.port} reuseport;
    default_type application/json;
    location / {{ return 200 '{"x" * size}'; }}
  }}
}}
""")
        super().__init__([shutil.which("nginx") or "/usr/sbin/nginx", "-c", config, "-p", folder, "-e",
                          os.path.join(folder, "nginx.log")])
        wait_until(lambda: answers(self.port), "nginx")

    def load(self, folder, requests, connections=64, duration=5):
        return run_load(f"http://127.0.0.1:{self.port}", folder, duration, connections, "bench", "--requests", requests)


class Redis(Server):
    """Bare Redis that syncs every write."""

    def __init__(self, folder):
        self.port = free_port()
        os.makedirs(folder, exist_ok=True)
        super().__init__(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly",
                          "yes", "--appendfsync", "always", "--save", ""], stdout=subprocess.DEVNULL)
        wait_until(lambda: answers(self.port), "Redis")

    def hset_per_s(self, seconds, clients=64):
        """HSETs a second over at least half of `seconds`, and how many were sent in all."""
        count, sent = 20_000, 0
        while True:
            done = subprocess.run(["redis-benchmark", "-p", str(self.port), "-c", str(clients), "-n", str(count), "-r", "256",
                                   "--csv", "HSET", "cart:__rand_int__", "sku", "1"], capture_output=True, text=True, check=True)
            rate = float(done.stdout.strip().splitlines()[-1].split(",")[1].strip('"'))
            sent += count
            if count / rate >= seconds / 2:
                return rate, sent
            count = int(rate * seconds)
