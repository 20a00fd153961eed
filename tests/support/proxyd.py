"""Starts the real program on ports of the kernel's choice and gives its API, metrics, workers and logs."""
import collections
import http.client
import itertools
import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("PROXYD_BUILD", "build/release")


_reserved = collections.deque(maxlen=128)


def free_port():
    """A port of the kernel's choice. It stays bound here, so that no connection of another test is given it, and may be
    bound once more by the server, since neither socket listens yet."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    _reserved.append(probe)
    return probe.getsockname()[1]


def eventually(condition, seconds=10, what="the condition"):
    """The first true value of `condition`, looked at again until the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come true in {seconds} s"
        time.sleep(0.02)


def paced(seconds, times=None, until=None):
    """The turns of a peer that is slow on purpose, a pause before each: so many, or as many as come until an event."""
    over = until or threading.Event()
    for turn in itertools.count() if times is None else range(times):
        if over.wait(seconds):
            return
        yield turn


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class StopsAtTheEnd:
    """What is stopped when its `with` ends, after the log of its `proxyd` when that ends badly."""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.proxyd.logs())
        self.stop()


class Proxyd:
    """A running proxyd. `document` None: no --config. `state` outlives it when it was given. `ready` False: does not wait.
    `descriptors`: how many files each process may have open. `admin`: the address of its TCP side. `binaries`: the folder
    of the programs. `patience`: how many seconds it may take to start, and to end."""

    def __init__(self, document, workers=1, state=None, arguments=(), environment=None, ready=True, descriptors=None, admin="off",
                 binaries=BUILD / "bin", patience=20):
        self.patience = patience
        self.folder = tempfile.TemporaryDirectory(prefix="proxyd-test-")
        self.state = state or self.folder.name
        self.config = Path(self.folder.name) / "site.json"
        self.config.write_text(json.dumps(document))
        self.log_path = Path(self.folder.name) / "log"
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [binaries / "proxyd", "run", *(["--config", self.config] if document else []), "--state-dir", self.state, "--run-dir", self.folder.name,
             "--admin", admin, "--workers", str(workers), *arguments], stdout=self.log, stderr=self.log, env={**os.environ, **(environment or {})},
            preexec_fn=descriptors and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))))
        self.socket = self.folder.name + "/admin.sock"
        if ready:
            eventually(self._ready, patience, "readyz")

    def _ready(self):
        assert self.process.poll() is None, f"proxyd ended with {self.process.returncode}: {self.logs()}"
        try:
            return self.api("GET", "/readyz", parse=False)[0] == 200 and all(w["state"] == "running" for w in self.workers())
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.logs())
        self.stop()

    def logs(self):
        return self.log_path.read_text(errors="replace")

    def api(self, method, path, body=None, content_type="application/json", parse=True, headers=None):
        connection = UnixConnection(self.socket)
        try:
            data = json.dumps(body) if isinstance(body, (dict, list)) else body
            fields = {"Content-Type": content_type} if data is not None else {}
            connection.request(method, path, data, {**fields, **(headers or {})})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if parse else text.decode()
        finally:
            connection.close()

    def apply(self, document):
        status, answer = self.api("PUT", "/api/v1/config", document)
        assert status == 200, answer
        return answer

    def kill(self):
        self.process.kill()
        self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self, seconds=15):
        """The exit status, once it has ended."""
        return self.process.wait(seconds)

    def attention(self):
        return {one["code"]: one for one in self.api("GET", "/api/v1/status")[1]["attention"]}

    def proxyctl(self, *arguments, stdin=None):
        return subprocess.run([BUILD / "bin/proxyctl", "--addr", "unix:" + self.socket, *arguments], input=stdin,
                              capture_output=True, text=True, timeout=120)

    def workers(self):
        return self.api("GET", "/api/v1/workers")[1]["items"]

    def pids(self):
        return sorted(worker["pid"] for worker in self.workers() if worker["pid"])

    def metric(self, name, **labels):
        text = self.api("GET", "/metrics", parse=False)[1]
        total = 0
        for line in text.splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name:
                has = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
                if all(has.get(key) == value for key, value in labels.items()):
                    total += float(found[3])
        return total

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("proxyd did not stop: " + self.logs())
        self.log.close()
        report = re.search(r"(Address|Thread|Leak)Sanitizer|runtime error:", self.logs())
        assert not report, self.logs()
        self.folder.cleanup()


def site(port, origin, cached=None, **host):
    """A document: one listener, one upstream, everything forwarded; `cached`: by that cache policy, or True for one
    that says nothing."""
    if cached is not None and cached is not False:
        document = site(port, origin, **host)
        document["cache_policies"] = {"main": {} if cached is True else cached}
        document["hosts"]["all"]["routes"][0]["cache"] = "main"
        return document
    return {
        "version": 1,
        "listeners": {"main": {"address": f"127.0.0.1:{port}"}},
        "upstreams": {"app": {"targets": {"one": {"address": origin}}}},
        "hosts": {"all": {"names": ["*"], "routes": [{"name": "all", "match": {"path_prefix": "/"}, "upstream": "app"}], **host}},
    }
