#!/usr/bin/python3
"""Mixed load in rounds, for as many minutes as are asked for, and what is left after each round.

    PROXYD_BUILD=build/release tests/campaigns/soak.py MINUTES [WORKERS]

A round is 15 s of transfers, small requests, abandoned ones, tunnels and configuration changes; then all of them end,
and each process's sockets and private memory are read. Fails when an answer was wrong, when sockets are not as many as
after the first rounds, when a worker died, or when a worker's memory grows by more than 64 KiB a minute."""
import random
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from bulk import BulkOrigin, download, upload   # noqa: E402
from client import Client, Closed   # noqa: E402
from origin import Origin, ok   # noqa: E402
from process import descriptors, private_memory   # noqa: E402
from proxyd import Proxyd, eventually, free_port, site   # noqa: E402

ROUND_SECONDS = 15
WARM_ROUNDS = 4
MOST_GROWTH = 64 * 1024   # octets a minute
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
UPGRADE = b"GET /tunnel HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"


HEAD = b"HTTP/1.1 200 OK\r\n"
FAULTS = [["reset"], ["close"], [HEAD, "reset"], [HEAD, "close"], [b"nonsense\r\n\r\n"], [HEAD + b"Content-Length: 100\r\n\r\nhalf", "reset"],
          [HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 400_000, "reset"], [HEAD + b"Content-Length: 100\r\n\r\nhalf", "close"],
          [HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "reset"], [HEAD + b"Transfer-Encoding: chunked\r\n\r\nG\r\n", "close"],
          [HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close"], [HEAD + b"\r\nuntil the end", "close"],
          [HEAD + b"\r\nuntil the end", "reset"], [ok(b"one") + ok(b"two")], [b"HTTP/1.1 103 Early Hints\r\n\r\n", "reset"],
          [HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "close"]]


def answer(request):
    return FAULTS[int(request.target[7:])] if request.target.startswith("/fault/") else ok(request.target.encode() * 50)


def early(request):
    """Tunnels, and half of the faults, before the content is read."""
    if request.target == "/tunnel":
        return "echo"
    return answer(request) if request.target.startswith("/fault/") and random.random() < 0.5 else None


def document(port, bulk, small, number):
    """A document that differs with its number in what forces workers to prepare something."""
    text = site(port, small.address)
    text["defaults"] = {"timeouts": {"connect": f"{2 + number % 50}s"}}
    text["upstreams"] = {name: {"targets": {"one": {"address": origin.address}}, "keepalive": {"idle_timeout": "1s"}}
                         for name, origin in (("app", small), ("bulk", bulk))}
    for method, name in (("GET", "get"), ("PUT", "put")):
        prefixes = ("/length", "/chunked") if method == "GET" else ("/upload",)
        for prefix in prefixes:
            text["hosts"]["all"]["routes"].insert(0, {"name": name + prefix[1:], "match": {"path_prefix": prefix}, "upstream": "bulk"})
    text["hosts"]["all"]["routes"].insert(0, {"name": f"extra{number % 20}", "match": {"path_regex": f"^/extra/{number % 20}$"}, "respond": {"status": 204}})
    return text


class Round:
    """One round of load: what each visitor does, again and again until the round is over."""

    def __init__(self, port, change):
        self.port, self.change, self.over = port, change, threading.Event()
        self.done, self.wrong, self.lock = {}, [], threading.Lock()

    def run(self):
        visitors = [self.transfer, self.transfer, self.small, self.small, self.fresh, self.abandon, self.faulty, self.pipelined,
                    self.tunnel, self.change]
        threads = [threading.Thread(target=self._repeat, args=(visitor,)) for visitor in visitors]
        for thread in threads:
            thread.start()
        time.sleep(ROUND_SECONDS)
        self.over.set()
        for thread in threads:
            thread.join()

    def _repeat(self, visitor):
        dice = random.Random()
        while not self.over.is_set():
            try:
                visitor(dice)
            except Exception as error:   # every kind of failure is a finding
                self.wrong.append(f"{visitor.__name__}: {error!r}")
                return
            with self.lock:
                self.done[visitor.__name__] = self.done.get(visitor.__name__, 0) + 1

    def transfer(self, dice):
        octets = dice.choice((1, 1000, 70_000, 3_000_000, 20_000_000))
        assert dice.choice((download, upload))(self.port, octets, dice.random() < 0.5) == octets

    def small(self, dice):
        with Client(self.port, timeout=30) as client:
            for number in range(100):
                self._ask(client, b"/small/%d" % number)

    def fresh(self, dice):
        with Client(self.port, timeout=30) as client:
            self._ask(client, b"/fresh")

    def _ask(self, client, path):
        client.send(b"GET " + path + b" HTTP/1.1\r\nHost: a.test\r\n\r\n")
        response = client.response()
        assert response.status == 200 and response.body == path * 50, response

    def abandon(self, dice):
        client = Client(self.port, timeout=30)
        if dice.random() < 0.5:
            client.send(b"GET /%s/900000000 HTTP/1.1\r\nHost: a.test\r\n\r\n" % dice.choice((b"length", b"chunked")))
            client.head()
        else:
            client.send(b"PUT /upload HTTP/1.1\r\nHost: a.test\r\nContent-Length: 900000\r\n\r\n" + b"x" * 1000)
        client.reset() if dice.random() < 0.5 else client.socket.close()

    def faulty(self, dice):
        """The origin misbehaves, and at times the client does not wait for the end of it."""
        with Client(self.port, timeout=30) as client:
            content = dice.choice((0, 10, 100_000))
            client.send(b"POST /fault/%d HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % (dice.randrange(len(FAULTS)), content) + b"x" * content)
            if dice.random() < 0.2:
                return client.reset()
            try:
                if dice.random() < 0.2:
                    client.socket.shutdown(socket.SHUT_WR)
                assert client.response().status in (200, 502)
            except (Closed, OSError):   # cut, which is what a broken response asks for
                pass

    def pipelined(self, dice):
        count = dice.randrange(1, 300)
        with Client(self.port, timeout=30) as client:
            sender = threading.Thread(target=client.send, args=(b"GET /pipe HTTP/1.1\r\nHost: a.test\r\n\r\n" * count,))
            sender.start()
            for _ in range(count if dice.random() < 0.8 else dice.randrange(count)):
                assert client.response().body == b"/pipe" * 50
            client.socket.shutdown(socket.SHUT_RDWR)
            sender.join()

    def tunnel(self, dice):
        with Client(self.port, timeout=30) as client:
            client.send(UPGRADE)
            assert client.response().status == 101
            for _ in range(20):
                message = dice.randbytes(dice.choice((1, 500, 200_000)))
                sender = threading.Thread(target=client.send, args=(message,))
                sender.start()
                assert client.exactly(len(message)) == message
                sender.join()


class TunnelOrigin(Origin):
    """The scripted origin, and an echo of octets behind a tunnel."""

    def _play(self, connection, steps, rest=None):
        if steps != "echo":
            return super()._play(connection, steps, rest)
        connection.sendall(SWITCHED)
        while octets := connection.recv(65536):
            connection.sendall(octets)
        return False


def growth(samples):
    """Octets a minute, by least squares over (minutes, octets)."""
    count = len(samples)
    mean_x, mean_y = sum(x for x, _ in samples) / count, sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread


def soak(minutes, workers):
    bulk, small, port = BulkOrigin(), TunnelOrigin(answer, early=early), free_port()
    began, rounds, memory, open_sockets, wrong, total = time.monotonic(), 0, {}, {}, [], {}
    with Proxyd(document(port, bulk, small, 0), workers=workers) as proxyd:
        pids = proxyd.pids()

        def change(dice):
            proxyd.apply(document(port, bulk, small, dice.randrange(1000)))
            time.sleep(0.2)

        def at_rest():
            status = proxyd.api("GET", "/api/v1/status")[1]
            return status["in_flight"] == 0 and status["connections"] == 0 and proxyd.metric("proxyd_tunnels") == 0

        while time.monotonic() - began < minutes * 60 or rounds < WARM_ROUNDS + 2:
            load = Round(port, change)
            load.run()
            rounds += 1
            wrong += load.wrong
            for name, count in load.done.items():
                total[name] = total.get(name, 0) + count
            eventually(at_rest, 30, "the end of all requests")
            time.sleep(2.5)   # idle upstream connections end by their own time
            for pid in [*pids, proxyd.process.pid]:
                memory.setdefault(pid, []).append(((time.monotonic() - began) / 60, private_memory(pid)))
                open_sockets.setdefault(pid, []).append(descriptors(pid))
            print(f"round {rounds}: memory {[series[-1][1] // 1024 for series in memory.values()]} KiB, sockets "
                  f"{[series[-1] for series in open_sockets.values()]}, done {load.done}, wrong {load.wrong}", flush=True)
        failures = list(wrong)
        if proxyd.pids() != pids:
            failures.append("a worker was replaced")
        for pid in pids:
            slope = growth(memory[pid][WARM_ROUNDS:])
            settled = set(open_sockets[pid][WARM_ROUNDS:])
            print(f"worker {pid}: memory {slope / 1024:+.1f} KiB a minute, sockets at rest {sorted(settled)}")
            if slope > MOST_GROWTH:
                failures.append(f"worker {pid} grows by {slope / 1024:.1f} KiB a minute")
            if len(settled) != 1:
                failures.append(f"worker {pid} keeps {sorted(settled)} sockets at rest")
        print(f"master: memory {growth(memory[proxyd.process.pid][WARM_ROUNDS:]) / 1024:+.1f} KiB a minute")
    print(f"{rounds} rounds, done {total}")
    print("\n".join(failures) or "soak: nothing left behind")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(soak(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2))
