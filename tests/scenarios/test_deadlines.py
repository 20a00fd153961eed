"""Every wait has an end: a peer that stands still is given up, is told, and is counted by the phase it was in."""
import socket
import threading

import pytest
from bulk import BulkOrigin
from client import Client, Closed, get
from origin import Origin
from proxyd import Proxyd, eventually, free_port, paced, site

SHORT = {phase: "2s" for phase in ("client_header", "client_body", "client_write", "keepalive", "first_byte", "between_bytes")}


def with_timeouts(port, address, **timeouts):
    return {**site(port, address), "defaults": {"timeouts": timeouts}}


@pytest.fixture
def world():
    """All waits short but one, whose test sets it, so that no other can end the request in its place."""
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        def only(phase, value="300ms"):
            proxyd.apply(with_timeouts(port, origin.address, **{phase: value}))

        yield proxyd, origin, port, only
    origin.stop()


def ended(proxyd, phase):
    eventually(lambda: proxyd.metric("proxyd_timeout_total", phase=phase) == 1, what=f"a timeout in {phase}")
    eventually(lambda: proxyd.api("GET", "/api/v1/status")[1]["in_flight"] == 0)


def test_an_origin_that_never_answers_is_504(world):
    proxyd, origin, port, only = world
    only("first_byte")
    origin.early = lambda request: [threading.Event()]
    with Client(port) as client:
        client.send(get(b"/"))
        response = client.response()
        assert response.status == 504 and "http_response_timeout" in response.value("Proxy-Status")
    ended(proxyd, "first_byte")
    eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == 0)


@pytest.mark.parametrize("head", [b"Content-Length: 10\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"], ids=["length", "chunked"])
def test_an_origin_that_stops_in_the_middle_is_cut_and_so_is_its_answer(world, head):
    proxyd, origin, port, only = world
    only("between_bytes")
    origin.early = lambda request: [b"HTTP/1.1 200 OK\r\n" + head, threading.Event()]
    with Client(port) as client:
        client.send(get(b"/"))
        with pytest.raises(Closed):
            client.response()
    ended(proxyd, "between_bytes")


@pytest.mark.parametrize("framing", [b"Content-Length: 10\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"], ids=["length", "chunked"])
def test_a_client_that_stops_in_its_content_is_408(world, framing):
    proxyd, origin, port, only = world
    only("client_body")
    with Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\n" + framing)
        response = client.response()
        assert response.status == 408 and response.value("Connection") == "close"
    ended(proxyd, "client_body")
    eventually(lambda: origin.open == 0)


def test_a_client_that_stops_in_its_head_is_408(world):
    proxyd, _, port, only = world
    only("client_header")
    with Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.t")
        assert client.response().status == 408
    ended(proxyd, "client_header")


def test_a_connection_without_a_request_is_closed(world):
    proxyd, _, port, only = world
    only("keepalive", "1s")
    with Client(port) as client:
        client.send(get())
        assert client.response().status == 200
        assert client.is_closed()
    ended(proxyd, "keepalive")


@pytest.mark.parametrize("phase, sent, status", [("keepalive", b"", None), ("client_header", b"GET", 408)])
def test_after_a_request_its_route_says_how_long_its_connection_waits_for_the_next(phase, sent, status):
    port = free_port()
    document = {**site(port, "127.0.0.1:1"), "defaults": {"timeouts": {"keepalive": "1h", "client_header": "1h"}}}
    document["hosts"]["all"]["routes"].insert(0, {"name": "hasty", "match": {"path": "/hasty"}, "respond": {"status": 200}, "timeouts": {phase: "1s"}})
    with Proxyd(document) as proxyd, Client(port) as client:
        client.send(get(b"/hasty"))
        assert client.response().status == 200
        client.send(sent)
        assert status is None or client.response().status == status
        assert client.is_closed()
        ended(proxyd, phase)


def test_a_shorter_wait_for_heads_holds_for_connections_that_are_there_already():
    port = free_port()
    document = {**site(port, "127.0.0.1:1"), "defaults": {"timeouts": {"keepalive": "1h", "client_header": "1h"}}}
    document["hosts"]["all"]["routes"].insert(0, {"name": "fixed", "match": {"path": "/fixed"}, "respond": {"status": 200}})
    with Proxyd(document) as proxyd, Client(port) as served, Client(port) as silent:
        served.send(get(b"/fixed"))
        assert served.response().status == 200
        document["defaults"]["timeouts"]["client_header"] = "1s"
        proxyd.apply(document)
        for client in (served, silent):
            client.send(b"GET")
            assert client.response().status == 408


@pytest.mark.parametrize("kind", [b"length", b"chunked"])
def test_a_client_that_reads_nothing_is_cut(kind):
    origin, port = BulkOrigin(), free_port()
    with Proxyd(with_timeouts(port, origin.address, client_write="300ms")) as proxyd, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(get(b"/%s/1000000000" % kind))
        ended(proxyd, "client_write")
        eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == 0)
    origin.stop()


@pytest.mark.parametrize("stalls", ["origin", "client"])
def test_the_whole_of_a_request_may_be_bounded(stalls):
    origin, port = (Origin(early=lambda request: [threading.Event()]) if stalls == "origin" else Origin()), free_port()
    with Proxyd(with_timeouts(port, origin.address, total="500ms")) as proxyd, Client(port) as client:
        client.send(get(b"/") if stalls == "origin" else b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello")
        assert client.response().status in (504, 408)
        ended(proxyd, "total")
    origin.stop()


def test_a_silent_tunnel_ends():
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello"
    origin, port = Origin(early=lambda request: [switched, "end", "close"]), free_port()
    with Proxyd(with_timeouts(port, origin.address, tunnel="300ms")) as proxyd, Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert client.head()[0] == 101 and client.exactly(5) == b"hello" and client.is_closed()
        ended(proxyd, "tunnel")
    origin.stop()


def test_a_connection_attempt_ends_and_another_target_is_asked():
    origin, port = Origin(), free_port()
    with socket.socket() as full:   # a listener whose queue is full takes no connection and refuses none
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        document = with_timeouts(port, origin.address, connect="300ms")
        document["upstreams"]["app"] = {"balance": "round_robin", "targets": {
            "a": {"address": "127.0.0.1:%d" % full.getsockname()[1]}, "b": {"address": origin.address}}}
        with Proxyd(document) as proxyd, Client(port) as client:
            for _ in range(2):
                client.send(get(b"/"))
                assert client.response().status == 200
            assert proxyd.metric("proxyd_upstream_retries_total") == 1   # a retry takes nobody's turn
        for filler in fillers:
            filler.close()
    origin.stop()


def test_a_client_that_trickles_its_content_is_no_better_than_a_silent_one():
    origin, port, over = Origin(), free_port(), threading.Event()
    with Proxyd(with_timeouts(port, origin.address, client_body="1s")) as proxyd, Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n")

        def trickle():
            for _ in paced(0.05, until=over):
                client.send(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            assert client.response().status == 408
        finally:
            over.set()
            thread.join()
        ended(proxyd, "client_body")
    origin.stop()


def test_a_steady_slow_transfer_is_left_alone():
    """Gaps count, not the whole: both sides move a little all the time, for longer than any of the deadlines."""
    origin, port = Origin(), free_port()

    def slowly(request):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n"
        for _ in paced(0.1, 25):
            yield b"x"

    origin.answer = slowly
    with Proxyd(with_timeouts(port, origin.address, **SHORT)), Client(port) as client:
        client.send(get(b"/"))
        assert client.response().body == b"x" * 25
    origin.stop()
