"""Frames of HTTP/2 by hand (RFC 9113), as a client may write them whether it should or not."""
import struct

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(*fields, method="GET", path="/", scheme="http", authority="a.test"):
    """A header block without a dynamic table: literals, never indexed."""
    text = b""
    for name, value in [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority), *fields]:
        name, value = name.encode(), value.encode()
        assert len(name) < 127
        size = bytes([len(value)]) if len(value) < 127 else b"\x7f" + hpack.hpack.encode_integer(len(value), 7)[1:]
        text += b"\x10" + bytes([len(name)]) + name + size + value
    return text


def get(stream, *fields, flags=END_STREAM | END_HEADERS, **pseudo):
    return frame(HEADERS, flags, stream, block(*fields, **pseudo))


class Incoming:
    """Cuts what is received into frames: `take` gives (kind, flags, stream, payload) of each that is whole by now."""

    def __init__(self):
        self.rest = b""

    def take(self, octets):
        buffer, at = self.rest + octets, 0
        while len(buffer) - at >= 9:
            end = at + 9 + int.from_bytes(buffer[at:at + 3], "big")
            if end > len(buffer):
                break
            yield buffer[at + 3], buffer[at + 4], int.from_bytes(buffer[at + 5:at + 9], "big"), buffer[at + 9:end]
            at = end
        self.rest = buffer[at:]
