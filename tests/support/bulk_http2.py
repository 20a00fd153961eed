"""Content of any size over HTTP/2, as bulk.py has it over HTTP/1: by frames of our own, for the sake of speed."""
import socket

import hpack
from bulk import BLOCK, ENDLESS, TRAILER, Wrong, compare
from http2_frames import ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Incoming, frame, get

LARGEST = 16384
WINDOW = 1 << 20   # what we let the server send, of a stream and of all
BEGUN_WITH = 65535


class BulkHttp2:
    """A connection with one stream at a time. `context`: TLS."""

    def __init__(self, port, context=None, window=WINDOW):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="bulk.test")
        self.scheme = "https" if context else "http"
        self.incoming, self.decoder, self.next, self.room, self.initial = Incoming(), hpack.Decoder(), 1, BEGUN_WITH, BEGUN_WITH
        self.socket.sendall(PREFACE + frame(SETTINGS, payload=b"\0\4" + window.to_bytes(4, "big"))
                            + frame(WINDOW_UPDATE, 0, 0, max(window - BEGUN_WITH, 1).to_bytes(4, "big")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, path, *fields, method="GET", end=True):
        self.stream, self.next = self.next, self.next + 2
        self.heads, self.position, self.ended, self.stream_room = [], 0, False, self.initial
        self.owed = 0
        self.socket.sendall(get(self.stream, *fields, method=method, path=path, scheme=self.scheme, authority="bulk.test",
                                flags=END_HEADERS | (END_STREAM if end else 0)))

    def receive(self):
        octets = self.socket.recv(1 << 18)
        if not octets:
            raise ConnectionError("the peer ended the connection")
        for kind, flags, stream, payload in self.incoming.take(octets):
            self._take(kind, flags, stream, payload)
        if self.owed >= WINDOW // 4:
            credit = self.owed.to_bytes(4, "big")
            self.socket.sendall(frame(WINDOW_UPDATE, 0, 0, credit) + (b"" if self.ended else frame(WINDOW_UPDATE, 0, self.stream, credit)))
            self.owed = 0

    def _take(self, kind, flags, stream, payload):
        if kind == DATA and stream == self.stream:
            self.take_content(payload)
            self.owed += len(payload)
        elif kind == HEADERS and stream == self.stream:
            self.heads.append(dict(self.decoder.decode(payload)))
        elif kind == SETTINGS and not flags & ACK:
            self._take_settings(payload)
        elif kind == PING and not flags & ACK:
            self.socket.sendall(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream == 0:
            self.room += int.from_bytes(payload, "big")
        elif kind == WINDOW_UPDATE and stream == self.stream:
            self.stream_room += int.from_bytes(payload, "big")
        elif kind in (RST_STREAM, GOAWAY):
            raise Wrong(f"the server sent a frame of type {kind}: {payload.hex()}")
        if kind in (DATA, HEADERS) and stream == self.stream and flags & END_STREAM:
            self.ended = True

    def _take_settings(self, payload):
        for at in range(0, len(payload), 6):
            if payload[at:at + 2] == b"\0\4":
                initial = int.from_bytes(payload[at + 2:at + 6], "big")
                self.stream_room += initial - self.initial
                self.initial = initial
        self.socket.sendall(frame(SETTINGS, ACK))

    def take_content(self, octets):
        self.position = compare(octets, self.position)

    def _finish(self):
        while not self.ended:
            self.receive()
        if self.heads[0][":status"] != "200":
            raise Wrong(self.heads[0])

    def download(self, octets, chunked):
        """Fetches and compares; gives how many octets came."""
        self.ask(f"/{'chunked' if chunked else 'length'}/{octets}")
        self._finish()
        trailers = self.heads[1] if len(self.heads) > 1 else {}
        if chunked and trailers.get(TRAILER.decode()) != str(octets):
            raise Wrong(f"after {self.position} octets the trailers are {trailers}")
        return self.position

    def upload(self, octets, chunked):
        """Sends, and gives how many octets the origin says it got."""
        self.take_content, said = lambda text: said.extend(text), bytearray()
        fields = () if chunked else (("content-length", str(octets)),)
        self.ask("/upload", *fields, method="PUT", end=octets == 0 and not chunked)
        sent = 0
        while sent < octets and not self.ended:
            size = min(self.room, self.stream_room, octets - sent, 16 * LARGEST)
            if size <= 0:
                self.receive()
                continue
            self._send(sent, size, not chunked and sent + size == octets)
            sent += size
        if chunked:
            self.socket.sendall(frame(HEADERS, END_HEADERS | END_STREAM, self.stream, block_of_trailers(octets)))
        self._finish()
        del self.take_content
        return int(said)

    def _send(self, position, size, last):
        frames = []
        for begin in range(position, position + size, LARGEST):
            part, at = min(LARGEST, position + size - begin), begin % len(BLOCK)
            ends = last and begin + part == position + size
            frames += [part.to_bytes(3, "big"), bytes([DATA, END_STREAM if ends else 0]), self.stream.to_bytes(4, "big"), ENDLESS[at:at + part]]
        self.socket.sendall(b"".join(frames))
        self.room -= size
        self.stream_room -= size


def block_of_trailers(octets):
    value = str(octets).encode()
    return b"\x10" + bytes([len(TRAILER)]) + TRAILER + bytes([len(value)]) + value


def download(port, octets, chunked, context=None):
    with BulkHttp2(port, context) as connection:
        return connection.download(octets, chunked)


def upload(port, octets, chunked, context=None):
    with BulkHttp2(port, context) as connection:
        return connection.upload(octets, chunked)
