"""Streams of HTTP/2 that stand still, because their client or their origin takes nothing, cost next to no memory."""
import threading
from pathlib import Path

import pytest
from bulk import BulkOrigin
from bulk_http2 import BEGUN_WITH, BulkHttp2, download, upload
from certificates import Authority, unverified
from http2_frames import DATA, frame
from origin import Origin
from process import SANITIZED, MemoryWatch
from proxyd import Proxyd, eventually, free_port, site

MIB = 1 << 20
GIB = 1 << 30
STREAMS = 100
pytestmark = pytest.mark.alone


class World:
    """One worker; `bulk` origins answer, and what is PUT below /never is read by nobody."""

    def __init__(self, folder, secure):
        self.bulk, self.open = BulkOrigin(), threading.Event()
        self.never = Origin(early=lambda request: [self.open, "close"])
        self.port, self.secure = free_port(), secure
        document = site(self.port, self.bulk.address)
        document["upstreams"]["never"] = {"targets": {"one": {"address": self.never.address}}}
        document["hosts"]["all"]["routes"].insert(0, {"name": "never", "match": {"path_prefix": "/never"}, "upstream": "never"})
        document["certificates"] = {"bulk": Authority(folder).issue("bulk.test").document()}
        document["listeners"]["main"].update({"tls": {}} if secure else {"protocols": ["h1", "h2c"]})
        self.proxyd = Proxyd(document)
        for _ in range(2):   # buffers and frames of both ways are there from now on
            assert download(self.port, 16 * MIB, True, self.context()) == upload(self.port, 16 * MIB, True, self.context()) == 16 * MIB

    def context(self):
        return unverified() if self.secure else None

    def connect(self, **how):
        return BulkHttp2(self.port, self.context(), **how)

    def watch(self):
        return MemoryWatch(self.proxyd.pids()[0])

    def come_to_rest(self):
        """Until nothing moves any more: the worker has not run for a while, but for its housekeeping."""
        seen, schedule = [], Path(f"/proc/{self.proxyd.pids()[0]}/schedstat")

        def at_rest():
            seen.append(schedule.read_text())
            return len(seen) > 5 and len(set(seen[-5:])) == 1
        eventually(at_rest)

    def serves_others(self):
        return all(transfer(self.port, MIB, chunked, self.context()) == MIB for transfer in (download, upload) for chunked in (False, True))

    def stop(self):
        self.open.set()
        self.proxyd.stop()
        self.bulk.stop()
        self.never.stop()


@pytest.fixture(scope="module", params=["cleartext", "tls"])
def world(request, tmp_path_factory):
    made = World(tmp_path_factory.mktemp("certificates"), request.param == "tls")
    yield made
    made.stop()


@pytest.mark.parametrize("kind", ["length", "chunked"])
def test_a_reader_whose_window_stays_shut_costs_less_than_a_mebibyte(world, kind):
    with world.watch() as memory, world.connect(window=BEGUN_WITH) as stalled:
        stalled.ask(f"/{kind}/{GIB}")
        while stalled.position < BEGUN_WITH:
            stalled.receive()
        world.come_to_rest()
        assert world.serves_others()
    print(f"memory grew by {memory.grown}")
    assert SANITIZED or memory.grown < MIB


@pytest.mark.parametrize("kind", ["length", "chunked"])
def test_a_reader_that_leaves_all_in_its_socket_costs_less_than_a_mebibyte(world, kind):
    with world.watch() as memory, world.connect(window=(1 << 31) - 1) as stalled:
        stalled.ask(f"/{kind}/{GIB}")
        stalled.receive()
        world.come_to_rest()
        assert world.serves_others()
    print(f"memory grew by {memory.grown}")
    assert SANITIZED or memory.grown < MIB


def test_each_of_a_hundred_stalled_readers_of_a_connection_costs_a_buffer_and_its_request(world):
    with world.watch() as memory, world.connect(window=100) as stalled:
        for _ in range(STREAMS):
            stalled.ask(f"/length/{GIB}")
        eventually(lambda: world.proxyd.metric("proxyd_upstream_in_flight") == STREAMS)
        world.come_to_rest()
        assert world.serves_others()
    print(f"memory grew by {memory.grown}, {memory.grown // STREAMS} for each")
    assert SANITIZED or memory.grown < STREAMS * 100 * 1024


def send(client):
    """As much content as the windows allow."""
    while (size := min(client.room, client.stream_room, 16384)) > 0:
        client.socket.sendall(frame(DATA, 0, client.stream, bytes(size)))
        client.room -= size
        client.stream_room -= size


@pytest.mark.parametrize("streams", [1, STREAMS])
def test_uploads_to_an_origin_that_reads_nothing_cost_what_their_windows_hold(world, streams):
    with world.watch() as memory, world.connect() as stalled:
        stalled.ask("/length/1")
        while not stalled.ended:   # the server's windows are known
            stalled.receive()
        for _ in range(streams):
            stalled.ask("/never", method="PUT", end=False)
            send(stalled)
        eventually(lambda: world.proxyd.metric("proxyd_upstream_in_flight") == streams)
        world.come_to_rest()
        assert world.serves_others()
    print(f"memory grew by {memory.grown}, {memory.grown // streams} for each")
    assert SANITIZED or memory.grown < (MIB if streams == 1 else streams * 100 * 1024)
