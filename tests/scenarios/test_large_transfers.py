"""Content of any size passes and leaves nothing behind; whoever is slow is alone with it."""
import socket
import threading

import pytest
from bulk import BulkOrigin, download, upload
from client import Client, get
from origin import Origin, ok
from process import SANITIZED, MemoryWatch, private_memory
from proxyd import Proxyd, eventually, free_port, site
from scale import scaled

MIB = 1 << 20
LARGE = scaled(64 * MIB if SANITIZED else 256 * MIB, 8192 * MIB)
STORED = scaled(32 * MIB, 1024 * MIB)
pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def bulk():
    origin, port = BulkOrigin(), free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        yield proxyd, port
    origin.stop()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("transfer", [download, upload])
def test_a_large_transfer_arrives_whole_and_costs_less_than_a_mebibyte(bulk, transfer, chunked):
    proxyd, port = bulk
    assert transfer(port, 16 * MIB, chunked) == 16 * MIB
    with MemoryWatch(proxyd.pids()[0]) as memory:
        assert transfer(port, LARGE, chunked) == LARGE
    print(f"{LARGE} octets, private memory grew by {memory.grown}")
    assert SANITIZED or memory.grown < MIB


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_large_content_comes_whole_out_of_the_cache(chunked):
    origin, port = BulkOrigin(b"Cache-Control: max-age=3600"), free_port()
    document = site(port, origin.address, cached={"max_object": f"{STORED // MIB}MiB"})
    with Proxyd({**document, "cache": {"memory": f"{4 * STORED // MIB}MiB"}}, arguments=("--cache", f"{4 * STORED // MIB}MiB")):
        for _ in range(5):
            assert download(port, STORED, chunked, stored=True) == STORED
        assert origin.given <= 2, "what is large enters on its second request"
    origin.stop()


def test_transfers_at_once_in_both_directions_arrive_whole(bulk):
    _, port = bulk
    wrong = []

    def run(transfer, chunked):
        try:
            assert transfer(port, 24 * MIB, chunked) == 24 * MIB
        except Exception as error:   # an assertion of a thread has to be carried out of it
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(transfer, chunked)) for transfer in (download, upload) for chunked in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("kind", [b"length", b"chunked"])
def test_a_reader_that_stalls_costs_little_and_holds_nobody_up(bulk, kind):
    proxyd, port = bulk
    download(port, 16 * MIB, kind == b"chunked")
    with MemoryWatch(proxyd.pids()[0]) as memory, socket.create_connection(("127.0.0.1", port)) as stalled:
        stalled.sendall(get(b"/%s/%d" % (kind, 1024 * MIB)))
        assert stalled.recv(1000).startswith(b"HTTP/1.1 200 ")
        moved = [-1]

        def at_rest():   # the kernel's buffers are full and nothing moves any more
            moved.append(proxyd.metric("proxyd_http_response_bytes_total"))
            return moved[-1] == moved[-2]

        for _ in range(20):
            assert download(port, MIB, kind == b"chunked") == MIB
        eventually(at_rest)
    print(f"private memory grew by {memory.grown}")
    assert SANITIZED or memory.grown < MIB


def test_many_readers_that_stall_cost_a_buffer_each_and_nothing_once_they_have_gone(bulk):
    proxyd, port = bulk
    pid, count = proxyd.pids()[0], 100
    download(port, 16 * MIB, True)
    before = private_memory(pid)
    with MemoryWatch(pid) as memory:
        stalled = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for reader in stalled:
            reader.sendall(get(b"/chunked/%d" % (1024 * MIB)))
        eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == count)
        assert download(port, MIB, True) == MIB
        for reader in stalled:
            reader.close()
        eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == 0)
    assert SANITIZED or memory.grown < count * 128 * 1024
    SANITIZED or eventually(lambda: private_memory(pid) - before < 2 * MIB, what="the return of the memory")


@pytest.mark.parametrize("framing", [b"Content-Length: 1073741824", b"Transfer-Encoding: chunked"], ids=["length", "chunked"])
def test_an_origin_that_reads_nothing_costs_little_and_holds_nobody_up(framing):
    never = threading.Event()
    origin, port = Origin(early=lambda request: [never, "close"] if request.method == "PUT" else None), free_port()
    with Proxyd(site(port, origin.address)) as proxyd, Client(port) as slow, Client(port) as other:
        other.send(get(b"/warm"))
        assert other.response().status == 200
        slow.socket.setblocking(False)
        content, sent = (b"" if b"Length" in framing else b"40000000\r\n") + bytes(MIB), 0
        with MemoryWatch(proxyd.pids()[0]) as memory:
            slow.socket.send(b"PUT / HTTP/1.1\r\nHost: a.test\r\n" + framing + b"\r\n\r\n")
            for _ in range(100):   # fills every buffer on the way
                try:
                    sent += slow.socket.send(content[:MIB] if sent == 0 else content[-MIB:])
                except BlockingIOError:
                    pass
                other.send(get(b"/fast"))
                assert other.response().status == 200
        assert sent < 100 * MIB
        assert SANITIZED or memory.grown < MIB, memory.grown
        never.set()


def test_an_origin_that_stalls_holds_nobody_up():
    origin, port, go_on = Origin(), free_port(), threading.Event()
    pieces = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
    origin.answer = lambda request: [pieces, go_on, b"world"] if request.target == "/slow" else [go_on, ok()] if request.target == "/mute" else ok()
    with Proxyd(site(port, origin.address)) as proxyd, Client(port) as slow, Client(port) as mute, Client(port) as other:
        slow.send(get(b"/slow"))
        mute.send(get(b"/mute"))
        assert slow.head()[0] == 200 and slow.exactly(5) == b"hello"
        other.send(get(b"/warm"))
        assert other.response().status == 200
        with MemoryWatch(proxyd.pids()[0]) as memory:
            for _ in range(200):
                other.send(get(b"/fast"))
                assert other.response().status == 200
        assert SANITIZED or memory.grown < MIB, memory.grown
        go_on.set()
        assert slow.exactly(5) == b"world"
        assert mute.response().status == 200


def test_an_upload_that_stalls_holds_nobody_up():
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address)), Client(port) as slow, Client(port) as other:
        slow.send(b"POST /slow HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello")
        for _ in range(50):
            other.send(get(b"/fast"))
            assert other.response().status == 200
        slow.send(b"world")
        assert slow.response().body == b"path=/slow body=helloworld"
