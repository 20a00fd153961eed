"""Content of any size that neither side keeps: cut from one block, compared with it as it arrives.

The origin answers GET /length/N and GET /chunked/N with N octets, and any request with content with how many arrived.
Every octet is compared with where it belongs, so that a lost, doubled or moved one shows. What is chunked has a trailer,
which says the size."""
import random
import socket

from origin import Listener

BLOCK = random.Random(9112).randbytes(1_000_003)   # no multiple of a buffer, so that a shift cannot fit
PIECE = 1 << 20
ENDLESS = memoryview(BLOCK + BLOCK + BLOCK)
TRAILER = b"x-octets"


class Wrong(Exception):
    """What arrived is not what was sent."""


def compare(octets, position):
    """That these octets belong there; where the next ones do."""
    at = position % len(BLOCK)
    if octets != ENDLESS[at:at + len(octets)]:
        raise Wrong(f"octets differ between {position} and {position + len(octets)}")
    return position + len(octets)


def send_content(connection, octets, chunked):
    sent = 0
    while sent < octets:
        at, size = sent % len(BLOCK), min(PIECE, octets - sent)
        if chunked:
            connection.sendall(b"%x\r\n" % size)
        connection.sendall(ENDLESS[at:at + size])
        if chunked:
            connection.sendall(b"\r\n")
        sent += size
    if chunked:
        connection.sendall(b"0\r\n%b: %d\r\n\r\n" % (TRAILER, octets))


class Incoming:
    """Heads and content from a socket, through one buffer. `stored`: out of a cache, which keeps no trailers."""

    def __init__(self, connection, stored=False):
        self.connection, self.stored = connection, stored
        self.buffer = bytearray(PIECE)
        self.begin = self.end = 0

    def _more(self):
        if self.begin == self.end:
            self.begin = self.end = 0
        if self.end == len(self.buffer):
            rest = self.end - self.begin
            self.buffer[:rest] = self.buffer[self.begin:self.end]
            self.begin, self.end = 0, rest
        got = self.connection.recv_into(memoryview(self.buffer)[self.end:])
        if not got:
            raise ConnectionError("the peer ended the stream")
        self.end += got

    def line(self):
        while (at := self.buffer.find(b"\r\n", self.begin, self.end)) < 0:
            self._more()
        text = bytes(self.buffer[self.begin:at])
        self.begin = at + 2
        return text

    def head(self):
        first, fields = self.line(), {}
        while text := self.line():
            name, value = text.split(b":", 1)
            fields[name.strip().lower()] = value.strip()
        return first, fields

    def _compare(self, octets, position):
        while octets:
            if self.begin == self.end:
                self._more()
            size = min(octets, self.end - self.begin)
            position = compare(memoryview(self.buffer)[self.begin:self.begin + size], position)
            self.begin += size
            octets -= size
        return position

    def content(self, fields):
        """Reads it whole and gives its size."""
        if fields.get(b"transfer-encoding") != b"chunked":
            return self._compare(int(fields.get(b"content-length", b"0")), 0)
        position = 0
        while size := int(self.line(), 16):
            position = self._compare(size, position)
            if self.line():
                raise Wrong("a chunk is longer than it says")
        trailers = {}
        while text := self.line():
            name, value = text.split(b":", 1)
            trailers[name.strip().lower()] = value.strip()
        if trailers.get(TRAILER) != b"%d" % position and not self.stored:
            raise Wrong(f"after {position} octets the trailers are {trailers}")
        return position


class BulkOrigin(Listener):
    """`fields`: lines that its answers to GET have as well."""

    def __init__(self, *fields):
        self.fields, self.given = b"".join(field + b"\r\n" for field in fields), 0
        super().__init__(self._serve)

    def _serve(self, connection):
        incoming = Incoming(connection)
        try:
            while True:
                first, fields = incoming.head()
                method, target, _ = first.decode().split(" ")
                if method == "GET":
                    self._answer(connection, *target.strip("/").split("/"))
                    continue
                text = b"%d" % incoming.content(fields)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
        except Wrong as wrong:
            text = str(wrong).encode()
            connection.sendall(b"HTTP/1.1 400 Wrong\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(text), text))

    def _answer(self, connection, kind, octets):
        chunked = kind == "chunked"
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: " + octets.encode()
        with self.lock:
            self.given += 1
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + self.fields + framing + b"\r\n\r\n")
        send_content(connection, int(octets), chunked)


def connect(port, context):
    plain = socket.create_connection(("127.0.0.1", port), 60)
    return context.wrap_socket(plain, server_hostname="bulk.test") if context else plain


def download(port, octets, chunked, context=None, stored=False):
    """Fetches and compares; gives how many octets came."""
    with connect(port, context) as connection:
        kind = b"chunked" if chunked else b"length"
        connection.sendall(b"GET /%s/%d HTTP/1.1\r\nHost: bulk.test\r\n\r\n" % (kind, octets))
        incoming = Incoming(connection, stored)
        first, fields = incoming.head()
        if first != b"HTTP/1.1 200 OK":
            raise Wrong(first)
        return incoming.content(fields)


def upload(port, octets, chunked, context=None):
    """Sends, and gives how many octets the origin says it got."""
    with connect(port, context) as connection:
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % octets
        connection.sendall(b"PUT /upload HTTP/1.1\r\nHost: bulk.test\r\n" + framing + b"\r\n\r\n")
        send_content(connection, octets, chunked)
        incoming = Incoming(connection)
        first, fields = incoming.head()
        size = int(fields[b"content-length"])
        while incoming.end - incoming.begin < size:
            incoming._more()
        text = bytes(incoming.buffer[incoming.begin:incoming.begin + size])
        if first != b"HTTP/1.1 200 OK":
            raise Wrong(text)
        return int(text)
