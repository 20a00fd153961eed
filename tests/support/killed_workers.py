"""Kills workers with SIGKILL while clients read, fills, validations and purges go on, and looks at every octet.

The origin counts its answers of each key and says in each which one it is, with a checksum of the content. A purge of a
key sets a floor: who asks after it was answered must be given a later answer than the last one before it."""
import os
import random
import signal
import threading
import zlib

from client import Client, Closed, get
from origin import Origin, ok
from proxyd import BUILD, Proxyd, eventually, free_port, paced, site

KEYS = 60
SIZES = (100, 3_000, 40_000, 300_000)


def may_kill_often():
    """Whether workers of this build can be made to start again at once, however often they die."""
    return b"PROXYD_TEST_NO_BACK_OFF" in (BUILD / "bin/proxyd").read_bytes()


class KilledWorkers:
    def __init__(self, workers=2, clients=6):
        self.origin, self.port, self.workers = Origin(), free_port(), workers
        self.lock, self.numbers, self.floors = threading.Lock(), [0] * KEYS, [0] * KEYS
        self.faults, self.complete, self.cut, self.hits, self.purges, self.kills = [], 0, 0, 0, 0, 0
        self.origin.answer = self._answer
        document = site(self.port, self.origin.address, cache="main")
        document["cache_policies"] = {"main": {}}
        self.proxyd = Proxyd(document, workers=workers, arguments=("--cache", "16MiB"), environment={"PROXYD_TEST_NO_BACK_OFF": "1"})
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._read) for _ in range(clients)] + [threading.Thread(target=self._purge)]
        for thread in self.threads:
            thread.start()

    def _answer(self, request):
        key = int(request.target.rsplit("/", 1)[1])
        with self.lock:
            last = self.numbers[key]
            unchanged = request.values("If-None-Match") == [f'"{key}-{last}"']
            if not unchanged:
                self.numbers[key] = last = last + 1
        fields = [b"Cache-Control: max-age=%d" % (1 if key % 3 == 0 else 600), b'ETag: "%d-%d"' % (key, last), b"Surrogate-Key: k%d" % key]
        if unchanged:
            return b"\r\n".join([b"HTTP/1.1 304 Not Modified", *fields]) + b"\r\n\r\n"
        content = b"%d %d " % (key, last) + random.Random(key * 1000 + last).randbytes(SIZES[key % len(SIZES)])
        return ok(content, *fields, b"X-Checksum: %d" % zlib.crc32(content))

    def _check(self, key, floor, response):
        if response.status != 200:
            return self.faults.append((key, response.status, response.body[:200]))
        said, number = response.body.split(b" ", 2)[:2]
        whole = zlib.crc32(response.body) == int(response.value("X-Checksum"))
        if int(said) != key or not whole or int(number) <= floor:
            self.faults.append((key, "floor", floor, "given", said, number, "whole", whole))
        self.complete += 1
        self.hits += response.value("Age") is not None

    def _read(self):
        client = None
        while not self.over.is_set():
            key = min(int(random.paretovariate(0.7)) - 1, KEYS - 1)
            floor = self.floors[key]
            try:
                client = client or Client(self.port)
                client.send(get(b"/%d" % key))
                self._check(key, floor, client.response())
            except (Closed, OSError):   # its worker was killed
                self.cut += 1
                client = client and client.socket.close()

    def _purge(self):
        for _ in paced(0.02, until=self.over):
            key = random.randrange(KEYS)
            with self.lock:
                floor = self.numbers[key]
            what = random.choice([{"tags": [f"k{key}"]}, {"urls": [f"http://a.test/{key}"]}])
            status, answer = self.proxyd.api("POST", "/api/v1/cache/purges", what)
            if status == 200:
                self.floors[key] = floor
                self.purges += 1
            elif status != 504:   # no worker was there to spell the URL
                self.faults.append((status, answer))

    def _running(self):
        return [worker["pid"] for worker in self.proxyd.workers() if worker["state"] == "running"]

    def kill(self):
        """One worker, at any moment, once all serve."""
        pids = eventually(lambda: len(self._running()) == self.workers and self._running(), 30, "every worker serves")
        for _ in paced(random.random() / 10, 1):
            os.kill(random.choice(pids), signal.SIGKILL)
        self.kills += 1
        eventually(lambda: set(self._running()) != set(pids), 30)
        assert not self.faults, self.faults[:5]

    def stop(self):
        """What is left behind once nobody asks any more: nothing."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.faults, self.faults[:5]
        assert self.proxyd.api("POST", "/api/v1/cache/purges", {"all": True})[0] == 200

        def empty():
            cache = self.proxyd.api("GET", "/api/v1/cache")[1]
            return cache["objects"] == 0 and cache["bytes"] == 0 and cache["memory"]["limbo"] == 0
        eventually(empty, 60, "an empty cache")
        cache = self.proxyd.api("GET", "/api/v1/cache")[1]
        self.proxyd.stop()
        self.origin.stop()
        return cache
