"""One trace of equal objects of 64 KiB through a running server, and what part of it never reached the origin; the same
trace replayed by bench/hit_ratio, which drives the same policy class. A content repeats its own path, so that one octet
of another shows."""
import contextlib
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from client import exchange, get
from nginx import Nginx
from proxyd import BUILD, Proxyd, StopsAtTheEnd, eventually, free_port, site

SIZE = 64 << 10
PATH = 16   # octets of each path
EXPONENT = 0.9
# What shared/cache/region_view.cpp makes of a ceiling.
OF_A_SHARD, MOST_SHARDS, OF_A_ROW = 64 << 20, 16, 1024


def sixteen_times(name):
    return f'"{name * 16}"'


ORIGIN = f"""keepalive_requests 1000000000; location = /asked {{ stub_status; }}
location / {{ set $some {sixteen_times("$uri")}; set $more {sixteen_times("$some")}; add_header Cache-Control max-age=86400; return 200 {sixteen_times("$more")}; }}"""


def zipf_trace(keys, requests, seed):
    weights = list(itertools.accumulate((rank + 1) ** -EXPONENT for rank in range(keys)))
    return [b"/object-%08d" % key for key in random.Random(seed).choices(range(keys), cum_weights=weights, k=requests)]


class Visitor:
    """A connection that asks again where it was cut, and compares what it is given."""

    def __init__(self, port):
        self.port, self.connection, self.buffer = port, None, bytearray(2 * SIZE)
        self.view, self.given, self.cut = memoryview(self.buffer), 0, 0

    def fetch(self, path):
        """Whether all of it was right."""
        while True:
            try:
                self.connection = self.connection or socket.create_connection(("127.0.0.1", self.port), 30)
                self.connection.sendall(b"GET %s HTTP/1.1\r\nHost: a.test\r\n\r\n" % path)
                begin = self._whole()
            except ConnectionError:
                self.cut += 1
                self.connection = self.connection and self.connection.close()
                continue
            self.given += 1
            return begin is not None and self.view[begin:begin + SIZE] == path * (SIZE // PATH)

    def _whole(self):
        """Where the content begins; None: another status."""
        size, head = 0, -1
        while head < 0 or size < head + 4 + SIZE:
            got = self.connection.recv_into(self.view[size:])
            if not got:
                raise ConnectionError("cut")
            size += got
            head = self.buffer.find(b"\r\n\r\n", 0, size) if head < 0 else head
            if head >= 0 and self.view[9:12] != b"200":
                return None
        return head + 4


class RatioLoad(StopsAtTheEnd):
    def __init__(self, keys, requests, memory, workers=2, visitors=8, seed=7, environment=None):
        self.keys, self.trace, self.memory, self.chance = keys, zipf_trace(keys, requests, seed), memory, random.Random(seed)
        self.origin, self.port = Nginx(ORIGIN), free_port()
        document = {**site(self.port, self.origin.address, cached=True), "cache": {"memory": f"{memory >> 20}MiB"}}
        self.proxyd = Proxyd(document, workers=workers, arguments=("--cache", document["cache"]["memory"]), environment=environment)
        self.visitors, self.wrong, self.kills = [Visitor(self.port) for _ in range(visitors)], [], 0

    @property
    def given(self):
        return sum(visitor.given for visitor in self.visitors)

    @property
    def cut(self):
        return sum(visitor.cut for visitor in self.visitors)

    def _asked(self):
        return int(exchange(self.origin.port, get(b"/asked")).body.split()[9])

    def _visit(self, visitor, rest):
        for path in rest:
            if not visitor.fetch(path):
                self.wrong.append((path, bytes(visitor.buffer[:300])))
                return

    def run(self, kills=0):
        """The hit ratio in percent; so many workers are killed meanwhile, at any places of the trace."""
        before, rest = self._asked(), iter(self.trace)
        places = sorted(self.chance.sample(range(len(self.trace)), kills))
        threads = [threading.Thread(target=self._visit, args=(visitor, rest)) for visitor in self.visitors]
        for thread in threads:
            thread.start()
        for place in places:
            eventually(lambda: self.given >= place or self.wrong, 600)
            with contextlib.suppress(ProcessLookupError):   # it had been killed before, and was not yet missed
                os.kill(self.chance.choice(eventually(self._running, 30)), signal.SIGKILL)
                self.kills += 1
        for thread in threads:
            thread.join()
        assert not self.wrong and self.given == len(self.trace), (self.wrong[:2], self.given)
        fetched = self._asked() - before - 1   # that question is one
        return 100 * (1 - fetched / len(self.trace))

    def _running(self):
        return [worker["pid"] for worker in self.proxyd.workers() if worker["state"] == "running"]

    def kept(self):
        """The weight of an object, and of all."""
        cache = self.proxyd.api("GET", "/api/v1/cache")[1]
        return cache["memory"]["content"] // cache["objects"], cache["memory"]["content"]

    def simulated(self, weight, capacity):
        """What the policy class hits with so many octets for objects of this weight."""
        shards = min(MOST_SHARDS, 1 << max(0, (self.memory // OF_A_SHARD).bit_length() - 1))
        with tempfile.TemporaryDirectory(prefix="proxyd-trace-") as folder:
            file = Path(folder) / "trace"
            file.write_text("".join(f"{path.decode()} {weight}\n" for path in self.trace))
            said = subprocess.run([BUILD / "bin/hit_ratio", "--trace", file, "--capacity", str(capacity), "--rows", str(self.memory // OF_A_ROW), "--shards", str(shards)],
                                  capture_output=True, text=True, timeout=600).stdout
        return float(re.search(rf"{file}\s+{capacity}\s+([\d.]+)", said)[1])

    def stop(self):
        for visitor in self.visitors:
            if visitor.connection:
                visitor.connection.close()
        self.proxyd.stop()
        self.origin.__exit__()
