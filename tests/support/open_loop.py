"""A well-behaved client of HTTP/2 that asks at a steady rate, whether what it asked before was answered or not: a time is
measured from when its request was due, so that no stall hides the requests that would have met it."""
import select
import socket
import time

from certificates import unverified
from http2_frames import ACK, DATA, END_STREAM, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Incoming, frame, get


class Connection:
    """Its requests, by their streams: when each was due."""

    def __init__(self, port, over):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        if over == "tls":
            context = unverified()
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="a.test")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.scheme = "https" if over == "tls" else "http"
        self.incoming, self.next, self.due, self.ok = Incoming(), 1, {}, set()
        self.socket.sendall(PREFACE + frame(SETTINGS) + frame(WINDOW_UPDATE, 0, 0, (1 << 30).to_bytes(4, "big")))
        self.socket.setblocking(False)

    def ask(self, due):
        self.due[self.next] = due
        self.socket.sendall(get(self.next, path="/steady", scheme=self.scheme))
        self.next += 2

    def receive(self):
        """When the requests were due that are answered now; None: one failed, or the connection."""
        answered = []
        while True:
            try:
                octets = self.socket.recv(65536)
            except OSError as error:
                if isinstance(error, ConnectionError):
                    return None
                return answered   # nothing more for now
            if not octets:
                return None
            for kind, flags, stream, payload in self.incoming.take(octets):
                if kind in (RST_STREAM, GOAWAY):
                    return None
                if kind == SETTINGS and not flags & ACK:
                    self.socket.sendall(frame(SETTINGS, ACK))
                if kind == HEADERS and payload[:1] == b"\x88":   # :status 200, as the static table has it
                    self.ok.add(stream)
                if kind in (HEADERS, DATA) and flags & END_STREAM:
                    if stream not in self.ok:
                        return None
                    self.ok.discard(stream)
                    answered.append(self.due.pop(stream))


class OpenLoop:
    """`rate` requests a second over `connections`, one after the other. `run` gives how long each took, in seconds, the
    failed ones apart: `failed`."""

    def __init__(self, port, rate=100, connections=4, over="h2c"):
        self.port, self.over, self.rate, self.failed, self.times = port, over, rate, 0, []
        self.connections = [Connection(port, over) for _ in range(connections)]

    def run(self, seconds, patience=10):
        begin = time.monotonic()
        count, asked = int(seconds * self.rate), 0
        self.times, self.failed = [], 0
        while asked < count or any(one.due for one in self.connections):
            now = time.monotonic()
            if now > begin + seconds + patience:
                self.failed += sum(len(one.due) for one in self.connections)
                break
            while asked < count and begin + asked / self.rate <= now:
                self.connections[asked % len(self.connections)].ask(begin + asked / self.rate)
                asked += 1
            until = begin + asked / self.rate if asked < count else begin + seconds + patience
            readable, _, _ = select.select([one.socket for one in self.connections], [], [], max(0, until - now))
            for one in self.connections:
                if one.socket in readable:
                    self._receive(one)
        return self.times

    def _receive(self, one):
        answered = one.receive()
        if answered is not None:
            now = time.monotonic()
            self.times += [now - due for due in answered]
            return
        self.failed += max(len(one.due), 1)
        one.socket.close()
        self.connections[self.connections.index(one)] = Connection(self.port, self.over)

    def close(self):
        for one in self.connections:
            one.socket.close()


def percentile(times, share):
    """The least that so large a share of them does not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
