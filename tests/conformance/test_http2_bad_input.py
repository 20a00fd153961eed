"""Every h2/frames row of bad-input.tsv against the running program, over cleartext with prior knowledge: what becomes of the
stream or the connection, what the origin saw, the counter the row names."""
import re
import socket
import struct

import bad_input
import hpack
import pytest
from http2_frames import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE,
                          Incoming, block, frame, get)
from origin import Origin
from proxyd import Proxyd, eventually, free_port, site

CODES = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM",
         "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM"]
ROWS = [row for row in bad_input.rows() if row["area"] == "h2/frames"]
TIMED = {"H2-079"}   # in tests/scenarios/test_http2.py


def each(count, more):
    return b"".join(get(number) + more(number) for number in range(1, 2 * count, 2))


def in_pieces(stream, text):
    """A header block over as many CONTINUATION frames as it needs."""
    pieces = [text[i:i + 8192] for i in range(0, len(text), 8192)]
    frames = [frame(HEADERS if i == 0 else CONTINUATION, 0, stream, piece) for i, piece in enumerate(pieces)]
    frames[0] = frame(HEADERS, END_STREAM, stream, pieces[0])
    return b"".join(frames[:-1]) + frame(CONTINUATION, END_HEADERS, stream, pieces[-1])


BOMB = block() + b"\x40" + b"\x01a" + b"\x7f" + hpack.hpack.encode_integer(3900, 7)[1:] + b"v" * 3900 + b"\xbe" * 8000
# The rows whose payload is described in words.
WRITTEN = {
    "H2-047": get(1, method="POST", flags=END_HEADERS) + frame(DATA, 0, 1, bytes(16385)),
    "H2-054": frame(SETTINGS) * 20000,
    "H2-059": each(3000, lambda number: frame(RST_STREAM, 0, number, b"\0\0\0\x08")),
    "H2-060": each(1000, lambda number: frame(WINDOW_UPDATE, 0, number, bytes(4))),
    "H2-061": each(1000, lambda number: frame(WINDOW_UPDATE, 0, number, b"\x7f\xff\xff\xff")),
    "H2-063": each(1000, lambda number: frame(PRIORITY, 0, number, bytes(4))),
    "H2-064": each(1000, lambda number: frame(PRIORITY, 0, number, struct.pack(">I", number) + b"\x10")),
    "H2-070": b"".join(frame(PRIORITY, 0, 2 * i + 1, struct.pack(">I", 2 * (i % 7)) + b"\x10") for i in range(1, 20001)),
    "H2-071": in_pieces(1, BOMB),
    "H2-076": in_pieces(1, block(*((f"x-{i}", "v" * 4000) for i in range(50)))),
    "H2-080": b"".join(get(number, method="POST", flags=END_HEADERS) for number in range(1, 800, 2)),
    "H2-083": in_pieces(1, block(*(("cookie", "c") for _ in range(2000)))),
}


def payload(row):
    hexadecimal = re.search(r"hex=([0-9a-f]+)", row["payload"])
    return WRITTEN[row["id"]] if row["id"] in WRITTEN else bytes.fromhex(hexadecimal[1])


class Seen:
    """What a server said, frame by frame, until that is enough or it ended the connection."""

    def __init__(self, port, octets, enough):
        self.enough = enough
        self.statuses, self.resets, self.goaways, self.closed = {}, {}, [], False
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            try:
                connection.sendall(PREFACE + frame(SETTINGS) + octets)
            except OSError:
                pass   # ended in the middle of it
            self._read(connection)

    def _read(self, connection):
        decoder, incoming = hpack.Decoder(), Incoming()
        while not self.enough(self):
            try:
                got = connection.recv(65536)
            except TimeoutError:
                return
            except ConnectionResetError:
                got = b""
            if not got:
                self.closed = True
                return
            for kind, flags, stream, text in incoming.take(got):
                self._take(decoder, kind, flags, stream, text)

    def _take(self, decoder, kind, _, stream, text):
        if kind == HEADERS:
            status = dict(decoder.decode(text)).get(":status")
            if status:
                self.statuses[stream] = int(status)
        elif kind == RST_STREAM:
            self.resets[stream] = CODES[int.from_bytes(text, "big")]
        elif kind == GOAWAY:
            self.goaways.append(CODES[int.from_bytes(text[4:8], "big")])


@pytest.fixture(scope="module")
def world():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["hosts"]["all"]["names"] = ["a.test", "*"]
    document["listeners"]["main"]["protocols"] = ["h1", "h2c"]
    with Proxyd(document) as proxyd:
        yield proxyd, origin, port
    origin.stop()


def fits(seen, expected):
    """Whether one of the outcomes that the row allows is what came."""
    connection = re.search(r"GOAWAY\(([A-Z_ or/]+)\)\+close", expected)
    if connection and expected.startswith("connection error"):
        return seen.closed and seen.goaways and seen.goaways[-1] in re.split(r" or |/", connection[1])
    if expected.startswith("stream error"):
        return seen.resets.get(1) == "PROTOCOL_ERROR" or seen.statuses.get(1) == 400
    if expected.startswith("streams over the limit"):
        return set(seen.resets.values()) == {"REFUSED_STREAM"} or seen.goaways[-1:] == ["ENHANCE_YOUR_CALM"]
    status = int(re.search(r"status=(\d+)", expected)[1])
    if "x2" in expected:
        return list(seen.statuses.values()) == [status] * 2
    calmed = "RST" in expected and ("ENHANCE_YOUR_CALM" in list(seen.resets.values()) + seen.goaways)
    return seen.statuses.get(1) == status or calmed


@pytest.mark.parametrize("row", [row for row in ROWS if row["id"] not in TIMED], ids=lambda row: row["id"])
def test_a_bad_frame_ends_as_its_row_says(row, world):
    proxyd, origin, port = world
    expected, before = row["expected"], len(origin.requests)
    named = re.search(r'metric=(h2_\w+)\{reason="(\w+)"\}', expected)
    count = proxyd.metric(f"proxyd_{named[1]}_total", reason=named[2]) if named else 0
    seen = Seen(port, payload(row), lambda seen: fits(seen, expected))
    assert fits(seen, expected), (expected, seen.__dict__)
    if "upstream=0" in expected and row["id"] in WRITTEN and "flood" in expected:
        assert len(origin.requests) - before < 300   # those that came before the budget was spent
    elif "upstream=0" in expected:
        assert len(origin.requests) == before
    elif "started < 200" in expected:
        assert len(origin.requests) - before <= 200
    if named:
        eventually(lambda: proxyd.metric(f"proxyd_{named[1]}_total", reason=named[2]) > count, what=expected)


def test_after_all_of_it_the_server_answers(world):
    assert Seen(world[2], get(1), lambda seen: seen.statuses).statuses == {1: 200}
