"""What ends HTTP/2 connections to targets, or must not end them."""
import threading

from admin import AdminProxyd
from client import Client, exchange, get
from http2 import connected
from http2_front import CONTENT, Front, before
from http2_origin import Http2Origin
from hyperframe.frame import GoAwayFrame, SettingsFrame
from proxyd import eventually, free_port


def exchange_within(port, seconds):
    with Client(port, timeout=seconds) as client:
        client.send(get())
        return client.response()


def test_streams_that_clients_cancel_give_back_the_window_of_the_connection():
    """2 MiB are one connection's, of which each of these may owe some 5 KiB when it ends: more than all of it in sum."""
    origin = Http2Origin(lambda request: request.respond(body=bytes(200_000) if request.path == "/cancelled" else CONTENT))
    with Front(origin) as front:
        for _ in range(5):   # clients, for one that cancels so often is sent away
            with connected(front.port, timeout=30, connection_window=1 << 30) as client:
                client.reads = False
                for _ in range(90):
                    number = client.request("/cancelled")
                    while len(client.streams[number].body) < 10_000:
                        assert client.receive()
                    client.connection.reset_stream(number, 8)
                    client.flush()
        for _ in range(5):
            assert exchange(front.port).body == CONTENT
        assert origin.connections == 1


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
