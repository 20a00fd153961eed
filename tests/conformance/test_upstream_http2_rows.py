"""The rows of bad-input.tsv about what origins of HTTP/2 send, each with the outcome named there."""
import threading

import pytest
from client import exchange, get
from http2 import connected
from http2_origin import Http2Origin
from hyperframe.frame import DataFrame, HeadersFrame, PushPromiseFrame, RstStreamFrame, WindowUpdateFrame
from proxyd import Proxyd, eventually, free_port, site

PROTOCOL_ERROR, END_STREAM = 1, 1
MAX_CONCURRENT_STREAMS = 3
POST = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc"


class World:
    def __init__(self, origin, **upstream):
        self.origin, self.port = origin, free_port()
        document = site(self.port, origin.address)
        document["listeners"]["main"]["protocols"] = ["h1", "h2c"]
        document["defaults"] = {"timeouts": {"connect": "1s", "first_byte": "5s"}}
        document["upstreams"]["app"].update({"protocol": "h2c", **upstream})
        self.document = document

    def __enter__(self):
        self.proxyd = Proxyd(self.document)
        return self

    def __exit__(self, *how):
        self.proxyd.__exit__(*how)
        self.origin.stop()


@pytest.mark.rows("UP-040")
def test_requests_above_goaway_are_sent_again_elsewhere_and_those_below_go_on_rfc9113_6_8():
    first, all_here = [], threading.Event()

    def early(request):
        if request.connection is not request.connection.origin.http2_connections[0]:
            return request.respond(body=b"elsewhere")
        first.append(request)
        if len(first) == 5:
            all_here.set()

    with World(Http2Origin(answer=lambda request: None, early=early)) as world, connected(world.port) as client:
        numbers = [client.request("/", method="POST", body=b"abc") for _ in range(5)]
        assert all_here.wait(10)
        order = sorted(first, key=lambda request: request.number)
        order[0].connection.goaway(order[2].number)
        eventually(lambda: len(world.origin.requests) == 7)
        for request in order[:3]:
            request.respond(body=b"here")
        answers = client.wait(*numbers)
        assert [stream.status for stream in answers] == [200] * 5
        assert sorted(stream.body for stream in answers) == [b"elsewhere"] * 2 + [b"here"] * 3
        assert world.origin.connections == 2
        eventually(lambda: order[0].connection.closed, what="the end of the connection with its last request")
        assert exchange(world.port).status == 200


@pytest.mark.rows("UP-040")
def test_goaway_before_a_request_is_sent_is_no_failure_rfc9113_6_8():
    def early(request):
        request.respond()
        request.connection.goaway(request.number)

    with World(Http2Origin(answer=lambda request: None, early=early)) as world:
        assert [exchange(world.port, POST).status for _ in range(6)] == [200] * 6
        assert world.origin.connections == 6


@pytest.mark.rows("UP-041")
def test_a_target_that_takes_no_streams_makes_requests_wait_and_then_fail_rfc9113_6_5_2():
    origin = Http2Origin(settings={MAX_CONCURRENT_STREAMS: 0})
    with World(origin) as world:
        got = exchange(world.port)
        assert got.status == 503 and "connection_limit_reached" in got.value("Proxy-Status") and not origin.requests
        assert origin.connections == 1
        results = []
        waiting = threading.Thread(target=lambda: results.append(exchange(world.port)))
        waiting.start()
        connection = origin.http2_connections[0]
        connection.act(lambda h2: h2.update_settings({MAX_CONCURRENT_STREAMS: 1}))
        waiting.join(10)
        assert results[0].status == 200 and origin.connections == 1


@pytest.mark.rows("UP-043")
def test_a_push_ends_the_connection_rfc9113_8_4():
    def early(request):
        if len(request.connection.origin.http2_connections) > 1:
            return request.respond()
        request.connection.send_frame(PushPromiseFrame(request.number, promised_stream_id=2, data=b"\x82\x86\x84\x41\x01a", flags=["END_HEADERS"]))

    with World(Http2Origin(answer=lambda request: None, early=early), retry={"retries": 0}) as world:
        got = exchange(world.port, POST)
        assert got.status == 502 and "h2_connection" in got.value("Proxy-Status")
        connection = world.origin.http2_connections[0]
        eventually(lambda: connection.closed)
        assert [frame.error_code for frame in connection.goaways] == [PROTOCOL_ERROR]
        assert dict(connection.h2.remote_settings)[2] == 0   # ENABLE_PUSH
        assert exchange(world.port, POST).status == 200
        assert world.proxyd.metric("proxyd_upstream_h2_conn_error_total", reason="push") == 1


@pytest.mark.rows("UP-045")
@pytest.mark.parametrize("fields", [[("grpc-status", "5"), ("grpc-message", "no%20such%20thing")], []], ids=["trailers only", "no grpc-status"])
def test_grpc_answers_without_messages_pass_as_they_are_rfc9113_8_1(fields):
    fields = [("content-type", "application/grpc"), *fields]
    with World(Http2Origin(lambda request: request.head(200, fields, end=True))) as world, connected(world.port) as client:
        stream = client.get("/s/m", method="POST", body=b"\0\0\0\0\0", fields=[("content-type", "application/grpc"), ("te", "trailers")])
        assert stream.status == 200 and stream.trailers is None and stream.body == b""
        assert [(key, value) for key, value in stream.headers if key.startswith(("grpc-", "content-type"))] == fields
        assert world.origin.requests[0].value("te") == "trailers"


@pytest.mark.rows("UP-045")
def test_grpc_trailers_without_status_pass_as_they_are_rfc9113_8_1():
    def answer(request):
        request.respond(body=b"\0\0\0\0\1x", fields=[("content-type", "application/grpc")], trailers=[("x-other", "1")])

    with World(Http2Origin(answer)) as world, connected(world.port) as client:
        stream = client.get("/s/m", method="POST", body=b"\0\0\0\0\0", fields=[("content-type", "application/grpc")])
        assert stream.body == b"\0\0\0\0\1x" and stream.trailers == [("x-other", "1")]


def headers(number, block, *flags):
    return HeadersFrame(number, data=block, flags=["END_HEADERS", *flags]).serialize()


STATUS_200 = b"\x88"


@pytest.mark.parametrize("octets, reason", [
    (lambda n: headers(n, b"\x00\x03X-A\x01b"), "name_case"),
    (lambda n: headers(n, STATUS_200 + b"\x00\x0aconnection\x05close"), "connection_header"),
    (lambda n: headers(n, b"\x00\x01a\x01b"), "pseudo"),
    (lambda n: headers(n, STATUS_200 + b"\x00\x0econtent-length\x01a"), "cl_invalid"),
    (lambda n: headers(n, STATUS_200 + b"\x00\x01a\x03b\r\n"), "value_ctl"),
    (lambda n: headers(n, b"\x08\x03101"), "pseudo_status"),
    (lambda n: headers(n, b"\x08\x03103", "END_STREAM"), "pseudo_status"),
    (lambda n: headers(n, b"\x08\x03103") + DataFrame(n, data=b"x").serialize(), "pseudo"),
    (lambda n: headers(n, STATUS_200 + b"\x00\x0econtent-length\x015") + DataFrame(n, data=b"abcdef").serialize(), "cl_mismatch"),
    (lambda n: headers(n, STATUS_200 + b"\x00\x0econtent-length\x015", "END_STREAM"), "cl_mismatch"),
    (lambda n: b"".join(headers(n, b"\x08\x03103") for _ in range(17)), "interim_many"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_malformed_response_is_502_and_costs_its_stream_alone_rfc9113_8_1_1(octets, reason):
    def early(request):
        if request.path == "/wrong":
            request.connection.send_octets(octets(request.number))
        else:
            request.respond()

    with World(Http2Origin(answer=lambda request: None, early=early), retry={"retries": 0}) as world:
        assert exchange(world.port).status == 200
        got = exchange(world.port, get(b"/wrong"))
        assert got.status == 502 and f'details="{reason}"' in got.value("Proxy-Status")
        wrong = world.origin.requests[1]
        if not octets(1)[4] & END_STREAM:   # else it has ended by itself
            wrong.wait(lambda: wrong.reset is not None)
            assert wrong.reset == PROTOCOL_ERROR
        assert exchange(world.port).status == 200 and world.origin.connections == 1


@pytest.mark.parametrize("octets", [
    lambda n: b"\x00\x00\x00\x04\x00\x00\x00\x00\x01",   # SETTINGS on a stream
    lambda n: WindowUpdateFrame(0, window_increment=2**31 - 1).serialize() * 2,
    lambda n: b"\x00\x00\x05\x01\x04" + n.to_bytes(4, "big") + b"\xff\xff\xff\xff\xff",   # no HPACK
    lambda n: b"\x00\x40\x01\x00\x00" + n.to_bytes(4, "big") + bytes(0x4001),             # a frame too large
    lambda n: headers(n + 2, STATUS_200),                                                 # nobody asked
    lambda n: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
], ids=["settings", "window", "hpack", "size", "idle", "http1"])
def test_an_origin_that_breaks_the_rules_of_the_connection_is_502_and_asked_on_another_rfc9113_5_4_1(octets):
    def early(request):
        if request.path == "/wrong":
            request.connection.send_octets(octets(request.number))
        else:
            request.respond()

    with World(Http2Origin(answer=lambda request: None, early=early), retry={"retries": 0}) as world:
        assert exchange(world.port, get(b"/wrong")).status == 502
        assert exchange(world.port).status == 200 and world.origin.connections == 2


def test_an_origin_that_never_says_hello_is_504_and_its_connection_is_closed_rfc9113_3_4():
    ended = threading.Event()

    def silent(connection):
        while connection.socket.recv(65536):
            pass
        ended.set()

    with World(Http2Origin(serve=silent)) as world:
        got = exchange(world.port)
        assert got.status == 504 and "connection_timeout" in got.value("Proxy-Status")
        assert ended.wait(10)


def test_a_reset_behind_a_refusal_is_one_failure_rfc9113_8_7():
    def early(request):
        frame = RstStreamFrame(request.number, error_code=7)
        request.connection.send_octets(frame.serialize() * 2)

    with World(Http2Origin(answer=lambda request: None, early=early)) as world:
        got = exchange(world.port, POST)
        assert got.status == 503 and len(world.origin.requests) == 2   # the one there is, once more
        assert world.origin.connections == 1
