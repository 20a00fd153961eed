"""What ends HTTP/2 connections to targets, or must not end them."""
import threading

import pytest
from admin import AdminProxyd
from client import Client, exchange, get
from http2 import connected
from http2_front import CONTENT, Front, before
from http2_origin import Http2Origin
from hyperframe.frame import GoAwayFrame, PushPromiseFrame, SettingsFrame
from proxyd import eventually, free_port


def exchange_within(port, seconds):
    with Client(port, timeout=seconds) as client:
        client.send(get())
        return client.response()


def test_streams_that_clients_cancel_give_back_the_window_of_the_connection():
    """2 MiB are one connection's, of which each of these may owe some 5 KiB when it ends: more than all of it in sum. They
    have arrived whole, so that the target is not told of their end: after many resets it would get another connection."""
    bodies = {"/cancelled": bytes(100_000), "/behind": b"ok"}
    origin = Http2Origin(lambda request: request.respond(body=bodies.get(request.path, CONTENT)))
    with Front(origin) as front:
        for _ in range(5):   # clients, for one that cancels so often is sent away
            with connected(front.port, timeout=30, window=10_000, connection_window=1 << 30) as client:
                client.reads = False
                for _ in range(90):
                    number = client.request("/cancelled")
                    while len(client.streams[number].body) < 10_000:
                        assert client.receive()
                    assert client.get("/behind").body == b"ok"
                    client.connection.reset_stream(number, 8)
                    client.flush()
        for _ in range(5):
            assert exchange(front.port).body == CONTENT
        assert origin.connections == 1


def test_a_connection_with_many_cancelled_requests_takes_no_more_and_those_on_it_go_on():
    """Else the target's guard against rapid resets ends it for all of them."""
    def early(request):
        if request.path == "/quick":
            request.respond()

    origin = Http2Origin(lambda request: None, early=early)
    with Front(origin) as front, connected(front.port) as others:
        kept = others.request("/kept")
        eventually(lambda: len(origin.requests) == 1)
        for cancelled in range(1, 51):
            with connected(front.port) as client:
                client.request("/cancelled")
                eventually(lambda: len(origin.requests) == cancelled + 1)
            eventually(lambda: origin.requests[-1].reset == 8)
        assert origin.connections == 1
        assert others.get("/quick").status == 200
        assert origin.connections == 2 and origin.requests[-1].connection is origin.http2_connections[1]
        assert not origin.http2_connections[0].closed
        origin.requests[0].respond(body=b"kept")
        assert others.wait(kept)[0].body == b"kept"
        eventually(lambda: origin.http2_connections[0].closed)


def test_a_target_that_is_removed_has_its_requests_cut_on_shared_connections_too():
    def answer(request):
        request.head(200, [("content-length", "10")])
        request.send(b"abc")

    origin, port = Http2Origin(answer), free_port()
    document = before(origin, port)
    with AdminProxyd(document) as proxyd, connected(port) as client:
        numbers = [client.request() for _ in range(3)]
        while not all(client.streams[number].body == b"abc" for number in numbers):
            assert client.receive()
        assert proxyd.root("DELETE", "/api/v1/upstreams/app/targets/one?drain=0s&wait=10s&force=true").status == 200
        assert all(stream.reset is not None for stream in client.wait(*numbers))
        eventually(lambda: origin.open == 0)
    origin.stop()


def test_settings_that_are_not_acknowledged_end_the_connection_rfc9113_6_5_3():
    said = []

    def serve(connection):
        connection.socket.sendall(SettingsFrame(0, settings={}).serialize())
        octets = b""
        while got := connection.socket.recv(65536):
            octets += got
        said.append(octets)

    origin = Http2Origin(serve=serve)
    with Front(origin, {"retry": {"retries": 0}}) as front:
        assert exchange_within(front.port, 30).status == 502
        eventually(lambda: said)
        goaway = GoAwayFrame(0, error_code=4).serialize()
        assert said[0][-len(goaway):] == goaway
        assert front.proxyd.metric("proxyd_upstream_h2_conn_error_total", reason="settings_timeout") == 1


def test_a_connection_that_has_died_silently_is_found_out_by_a_ping():
    """After ten quiet seconds a request goes with a PING; unanswered for ten more, its connection is given up."""
    quiet, dead = threading.Event(), []

    def early(request):
        if len(origin.http2_connections) > 1 or not quiet.is_set():
            return request.respond()
        dead.append(request)
        while request.connection.socket.recv(65536):   # in the connection's own thread: it answers nothing any more
            pass

    origin = Http2Origin(lambda request: None, early=early)
    with Front(origin) as front:
        assert exchange(front.port).status == 200
        quiet.wait(11)   # how long it has to be quiet is a constant of the program
        quiet.set()
        assert exchange_within(front.port, 30).status == 200   # sent again on another connection
        assert dead and origin.connections == 2


# -- what becomes of the requests on a connection that ends


def post(client, path):
    return client.request(path, method="POST", body=b"abc")


def test_a_post_whose_head_never_left_is_asked_on_another_connection_once_rfc9113_6_8():
    """GOAWAY and the connection's end come while the second waits in the proxy for the one stream that the target takes."""
    def answer(request):
        connection = request.connection
        if connection is not origin.http2_connections[0]:
            return request.respond(body=b"elsewhere")
        connection.goaway(request.number)
        request.respond(body=b"here")

    begun, go_on = threading.Event(), threading.Event()

    def early(request):
        if request.connection is origin.http2_connections[0]:
            begun.set()
            assert go_on.wait(10)

    origin = Http2Origin(answer, early=early, settings={3: 1})
    with Front(origin, {"retry": {"retries": 0}}) as front, connected(front.port) as client:
        first = post(client, "/first")
        assert begun.wait(10)
        second = post(client, "/second")
        eventually(lambda: origin.connections == 2)   # that is, it waits for room
        go_on.set()
        assert [stream.body for stream in client.wait(first, second)] == [b"here", b"elsewhere"]
        assert [request.path for request in origin.requests] == ["/first", "/second"]


def test_a_post_on_a_connection_that_was_lost_before_its_head_left_is_asked_on_another_once():
    """Each connection ends behind its answer."""
    def answer(request):
        request.respond(body=request.path.encode())
        request.connection.socket.shutdown(2)

    origin = Http2Origin(answer)
    with Front(origin, {"retry": {"retries": 0}}) as front, connected(front.port) as client:
        paths = [f"/{number}" for number in range(8)]
        for path in paths:
            assert client.wait(post(client, path))[0].body.decode() == path
            eventually(lambda: origin.open == 0)   # before that its kernel takes the next one, and it might be read
        assert [request.path for request in origin.requests] == paths


def test_a_post_above_the_last_one_of_goaway_is_sent_again_and_one_up_to_it_is_not_rfc9113_6_8():
    first, all_here = [], threading.Event()

    def early(request):
        if request.connection is not origin.http2_connections[0]:
            return request.respond(body=b"elsewhere")
        first.append(request)
        if len(first) == 3:
            all_here.set()

    origin = Http2Origin(lambda request: None, early=early)
    with Front(origin) as front, connected(front.port) as client:
        numbers = [post(client, f"/{number}") for number in range(3)]
        assert all_here.wait(10)
        order = sorted(first, key=lambda request: request.number)
        order[0].connection.goaway(order[1].number)
        order[0].connection.socket.shutdown(2)
        status = {request.path: stream.status for request, stream in zip(order, client.wait(*numbers))}
        assert sorted(status.values()) == [200, 502, 502]
        asked = [request.path for request in origin.requests]
        assert len(asked) == 4 and asked[3] == order[2].path   # only that one, and once


# -- faults of an origin on a connection that others share


def wrong_behind(origin, count, octets):
    """Once `count` requests are on the first connection it says `octets`, which may be of the first stream's."""
    def early(request):
        if request.connection is not origin.http2_connections[0]:
            return request.respond(body=request.path.encode())
        if len(request.connection.requests) == count:
            request.connection.send_octets(octets(min(request.connection.requests)))
    return early


def bad_push(number):
    return PushPromiseFrame(number, promised_stream_id=2, data=b"\x82\x86\x84\x41\x01a", flags=["END_HEADERS"]).serialize()


def bad_hpack(number):
    return b"\x00\x00\x05\x01\x04" + number.to_bytes(4, "big") + b"\xff\xff\xff\xff\xff"


def content_first(number):
    return b"\x00\x00\x03\x00\x01" + number.to_bytes(4, "big") + b"abc"


def bad_ping(number):
    return b"\x00\x00\x03\x06\x00\x00\x00\x00\x00abc"


def ping_on_a_stream(number):
    return b"\x00\x00\x08\x06\x00" + number.to_bytes(4, "big") + bytes(8)


@pytest.mark.parametrize("octets, reason", [(bad_push, "push"), (bad_hpack, "hpack"), (content_first, "protocol")], ids=["push", "hpack", "content"])
def test_a_fault_in_the_frame_of_a_stream_fails_that_one_and_others_have_lost_their_connection_rfc9113_5_4_1(octets, reason):
    origin = Http2Origin(lambda request: None)
    origin.early = wrong_behind(origin, 5, octets)
    with Front(origin) as front, connected(front.port) as client:
        numbers = [client.request(f"/{number}") for number in range(5)]
        streams = client.wait(*numbers)
        malformed = [stream for stream in streams if stream.status == 502]
        assert len(malformed) == 1 and "h2_connection" in malformed[0].value("proxy-status")
        assert sorted(stream.status for stream in streams) == [200] * 4 + [502]
        assert len(origin.requests) == 5 + 4 and origin.connections == 2
        assert front.proxyd.metric("proxyd_upstream_h2_conn_error_total", reason=reason) == 1
        assert front.proxyd.metric("proxyd_upstream_bad_total", reason="h2_connection") == 1


@pytest.mark.parametrize("octets, reason", [(bad_ping, "ping"), (ping_on_a_stream, "protocol")], ids=["size", "stream"])
def test_a_fault_of_no_stream_is_a_lost_connection_for_all_and_counts_once_rfc9113_5_4_1(octets, reason):
    origin = Http2Origin(lambda request: None)
    origin.early = wrong_behind(origin, 6, octets)
    with Front(origin) as front, connected(front.port) as client:
        gets = [client.request(f"/{number}") for number in range(3)]
        posts = [post(client, "/post") for _ in range(3)]
        assert [(stream.status, stream.body) for stream in client.wait(*gets)] == [(200, b"/%d" % number) for number in range(3)]
        for stream in client.wait(*posts):   # the target may have done what it was asked for
            assert stream.status == 502 and "http_response_incomplete" in stream.value("proxy-status")
        assert len(origin.requests) == 6 + 3 and origin.connections == 2
        assert front.proxyd.metric("proxyd_upstream_h2_conn_error_total", reason=reason) == 1
        assert front.proxyd.metric("proxyd_upstream_bad_total", reason="h2_connection") == 0


# -- what is counted of connections


def connects(front, result, target="one"):
    return front.proxyd.metric("proxyd_upstream_connect_total", result=result, upstream="app", target=target)


def test_one_connection_that_is_not_greeted_is_one_failed_connect_and_all_who_waited_ask_another_target():
    go_on = threading.Event()

    def serve(connection):
        assert go_on.wait(10)
        connection.socket.recv(65536)
        connection.socket.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    silent, other = Http2Origin(serve=serve), Http2Origin()

    def change(document):
        document["upstreams"]["app"]["targets"]["two"] = {"address": other.address}
        document["upstreams"]["app"]["balance"] = "round_robin"

    with Front(silent, change=change) as front, connected(front.port) as client:
        numbers = [post(client, f"/{number}") for number in range(6)]
        eventually(lambda: len(other.requests) >= 3)   # the others wait for the first target
        go_on.set()
        assert [stream.status for stream in client.wait(*numbers)] == [200] * 6
        assert sorted(request.path for request in other.requests) == [f"/{number}" for number in range(6)]
        assert silent.connections <= 2   # the last may have come when the first was told
        assert (connects(front, "ok"), connects(front, "failed")) == (0, silent.connections)
        assert (connects(front, "ok", "two"), connects(front, "failed", "two")) == (1, 0)
    other.stop()
