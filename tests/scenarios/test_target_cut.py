"""What becomes of requests that a removal of their target cuts, at the moments that are easily forgotten."""
import collections
import contextlib
import fcntl
import socket
import struct
import termios
import threading

import pytest
from admin import AdminProxyd
from client import Client, Closed, get
from origin import Listener, Origin, ok
from proxyd import eventually, free_port, site

ONE = "/api/v1/upstreams/app/targets/one"
UPGRADE = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13")


@contextlib.contextmanager
def world(address):
    """The port of a proxyd whose target two is asked only when one is not there."""
    port, two = free_port(), Origin(lambda request: ok(b"two"))
    document = site(port, address)
    document["upstreams"]["app"]["targets"]["two"] = {"address": two.address, "backup": True}
    with AdminProxyd(document) as proxyd:
        yield proxyd, port
    two.stop()


def read_head(connection):
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536)


def test_a_request_that_may_not_be_repeated_is_not_repeated_when_its_reused_connection_is_cut():
    never = threading.Event()
    origin = Origin(early=lambda request: ["rest", never] if request.method == "POST" else None)
    with world(origin.address) as (proxyd, port):
        for turn in range(5):
            assert proxyd.root("PUT", ONE, {"address": origin.address}).status in (200, 201)
            clients = [Client(port) for _ in range(8)]
            for client in clients:
                client.send(get())
            assert [client.response().status for client in clients] == [200] * 8
            removal = threading.Thread(target=proxyd.root, args=("DELETE", ONE + "?drain=0s&wait=10s"))
            removal.start()
            for number, client in enumerate(clients):
                client.send(b"POST /%d-%d HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc" % (turn, number))
            for client in clients:
                with contextlib.suppress(Closed):
                    assert client.response().status in (200, 502)
            removal.join()
        assert any(request.method == "POST" for request in origin.requests)
        seen = collections.Counter(request.target for request in origin.requests if request.method == "POST")
        assert not [target for target, times in seen.items() if times > 1]
    never.set()
    origin.stop()


def test_a_tunnel_that_its_origin_has_half_closed_is_cut():
    never = threading.Event()

    def serve(connection):
        read_head(connection)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\npart")
        connection.shutdown(socket.SHUT_WR)
        never.wait(60)

    origin = Listener(serve)
    with world(origin.address) as (proxyd, port), Client(port) as client:
        client.send(get(b"/", *UPGRADE))
        assert client.head()[0] == 101
        with pytest.raises(Closed):
            client.response()   # our half is still open
        removed = proxyd.root("DELETE", ONE + "?drain=100ms&wait=20s")
        assert removed.json["cut"] == 1 and removed.json["in_flight"] == 0, removed
        eventually(lambda: proxyd.metric("proxyd_downstream_connections", listener="http") == 0)
    never.set()
    origin.stop()


def test_an_answer_that_its_target_has_given_whole_goes_on_to_a_slow_client():
    size, given = 4_500_000, threading.Event()

    def serve(connection):
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        unacknowledged = lambda: struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0]
        eventually(lambda: unacknowledged() == 0)
        given.set()
        connection.recv(1)

    origin = Listener(serve)
    with world(origin.address) as (proxyd, port), Client(port) as client:
        client.send(get())
        assert client.head()[0] == 200
        assert given.wait(20)
        removed = proxyd.root("DELETE", ONE + "?drain=100ms&wait=20s")
        assert removed.status == 200 and removed.json["cut"] == 0 and removed.json["in_flight"] == 1, removed
        assert client.exactly(size) == b"x" * size
        assert proxyd.metric("proxyd_upstream_errors_total", token="http_response_incomplete") == 0
    origin.stop()


@contextlib.contextmanager
def answering_in_part():
    """A client that has the beginning of an answer, the rest of which its target never sends."""
    never = threading.Event()
    origin = Origin(early=lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", never])
    with world(origin.address) as (proxyd, port), Client(port) as client:
        client.send(get())
        assert client.head()[0] == 200
        yield proxyd, client
    never.set()
    origin.stop()


def test_a_cut_answer_is_no_error_of_its_target():
    with answering_in_part() as (proxyd, client):
        assert proxyd.root("DELETE", ONE + "?drain=0s&wait=20s").json["cut"] == 1
        with pytest.raises(Closed):
            client.exactly(100)
        assert proxyd.metric("proxyd_upstream_errors_total", token="http_response_incomplete") == 0


def test_a_removal_that_keeps_does_not_join_one_that_cuts():
    with answering_in_part() as (proxyd, client):
        begun = proxyd.root("DELETE", ONE + "?drain=1h")
        assert begun.status == 202
        kept = proxyd.root("DELETE", ONE + "?drain=0s&keep=true")
        assert kept.status == 409 and kept.type == "not-drained", kept
        assert proxyd.root("POST", begun.fields["Location"] + ":cancel").status == 200
        assert proxyd.root("GET", ONE).json["in_flight"] == 1
