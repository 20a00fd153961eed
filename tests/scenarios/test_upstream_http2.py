"""HTTP/2 toward targets."""
import threading

import pytest
from client import Client, Closed, exchange, get
from http2 import connected
from http2_front import CONTENT, Front, before, echo
from http2_origin import Http2Origin
from origin import Listener
from proxyd import eventually


@pytest.fixture
def front():
    with Front(Http2Origin()) as made:
        yield made


def test_a_request_is_what_an_http_2_server_expects_rfc9113_8_3_1(front):
    octets = get(b"/a?b=c", b"X-Own: 1", b"Connection: X-Gone, TE", b"X-Gone: 1", b"TE: trailers, gzip;q=0.5", b"Cookie: a=1; b=2")
    assert exchange(front.port, octets).body == b"/a?b=c"
    request = front.origin.requests[0]
    assert [key for key, _ in request.headers[:4]] == [":method", ":scheme", ":authority", ":path"]
    assert (request.method, request.value(":scheme"), request.value(":authority"), request.path) == ("GET", "http", "a.test", "/a?b=c")
    assert request.value("x-own") == "1" and request.value("te") == "trailers" and request.value("cookie") == "a=1; b=2"
    assert not {"host", "connection", "x-gone", "transfer-encoding", "keep-alive"} & {key for key, _ in request.headers}


@pytest.mark.parametrize("version", ["h1", "h2"])
@pytest.mark.parametrize("size", [0, 1, 16_384, 65_536, 300_000, 5_000_000])
def test_content_of_any_size_arrives_whole_both_ways(front, version, size):
    front.origin.answer = echo
    content = (CONTENT * (size // len(CONTENT) + 1))[:size]
    if version == "h1":
        got = exchange(front.port, b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % size + content)
    else:
        with connected(front.port, timeout=60) as client:
            got = client.get("/", method="POST", body=content)
    assert got.status == 200 and got.body == content
    assert front.origin.requests[0].body == content


def test_content_of_unknown_length_and_trailers_pass_both_ways(front):
    front.origin.answer = echo
    with Client(front.port) as client:
        client.send(b"POST /one HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n")
        got = client.response()
    assert got.body == b"abcde" and dict(got.trailers) == {"x-end": "/one", "x-sum": "5"}
    with connected(front.port) as client:
        number = client.request("/two", method="POST", end=False)
        client.upload(number, b"abcde", trailers=[("x-sum", "5")])
        stream, = client.wait(number)
    assert stream.body == b"abcde" and dict(stream.trailers) == {"x-end": "/two", "x-sum": "5"}
    assert front.origin.requests[1].trailers == [("x-sum", "5")]


@pytest.mark.parametrize("method, status", [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_content_ends_with_its_head(front, method, status):
    front.origin.answer = lambda request: request.head(status, [("etag", '"x"')] + ([("content-length", "7")] if method == "HEAD" else []), end=True)
    with Client(front.port) as client:
        for _ in range(2):
            client.send(get(method=method.encode()))
            got = client.response(method)
            assert got.status == status and got.value("ETag") == '"x"' and got.body == b""
            assert got.value("Content-Length") == ("7" if method == "HEAD" else None)


def test_interim_answers_pass(front):
    def answer(request):
        request.head(103, [("link", "</a>")])
        request.respond()

    front.origin.answer = answer
    with connected(front.port) as client:
        stream = client.get()
    assert stream.status == 200 and dict(stream.interim[0])[":status"] == "103" and dict(stream.interim[0])["link"] == "</a>"


def test_a_client_that_waits_for_100_gets_it_from_the_target_rfc9110_10_1_1(front):
    def early(request):
        assert request.value("expect") == "100-continue"
        request.head(100)

    front.origin.early, front.origin.answer = early, echo
    with Client(front.port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.response(interim=True).status == 100
        client.send(b"abc")
        assert client.response().body == b"abc"


def test_many_requests_at_once_share_few_connections(front):
    """Those who wait for a connection share it: none opens one of its own."""
    held, all_here = [], threading.Event()

    def answer(request):
        held.append(request)
        if len(held) == 150:
            all_here.set()

    front.origin.answer = answer
    clients = [connected(front.port) for _ in range(3)]
    numbers = [[client.request(f"/{i}/{n}") for n in range(50)] for i, client in enumerate(clients)]
    assert all_here.wait(20)
    assert front.origin.connections == 2   # of 100 streams each
    for request in held:
        request.respond(body=request.path.encode())
    for i, client in enumerate(clients):
        assert [stream.body for stream in client.wait(*numbers[i])] == [f"/{i}/{n}".encode() for n in range(50)]
        client.socket.close()
    labels = {"upstream": "app", "target": "one"}
    assert front.proxyd.metric("proxyd_upstream_connect_total", result="ok", **labels) == 2
    assert front.proxyd.metric("proxyd_upstream_connections_reused_total", **labels) == 148
    assert front.proxyd.metric("proxyd_upstream_requests_total", **{"class": "2xx"}, **labels) == 150


def test_no_more_streams_are_open_than_the_target_takes_rfc9113_5_1_2():
    running, most, lock = [0], [0], threading.Lock()
    gate = threading.Event()

    def answer(request):
        with lock:
            running[0] += 1
            most[0] = max(most[0], sum(1 for r in request.connection.requests.values() if r.ended and not getattr(r, "answered", False)))

        def later():
            gate.wait(20)
            request.answered = True
            request.respond()
        threading.Thread(target=later, daemon=True).start()

    with Front(Http2Origin(answer, settings={3: 5})) as front, connected(front.port, timeout=30) as client:
        numbers = [client.request() for _ in range(40)]
        eventually(lambda: running[0] == 40)
        gate.set()
        assert [stream.status for stream in client.wait(*numbers)] == [200] * 40
        assert most[0] <= 5 and not front.origin.errors
        assert 2 <= front.origin.connections <= 8


def test_a_cancelled_request_costs_its_stream_alone(front):
    waiting = []
    front.origin.answer = lambda request: waiting.append(request) if request.path == "/slow" else request.respond()
    with connected(front.port) as client:
        number = client.request("/slow")
        eventually(lambda: waiting)
        client.connection.reset_stream(number, 8)
        client.flush()
        waiting[0].wait(lambda: waiting[0].reset is not None)
        assert waiting[0].reset == 8
        assert client.get("/next").status == 200
    with Client(front.port) as client:   # a client of HTTP/1.1 cancels by leaving
        client.send(get(b"/slow"))
        eventually(lambda: len(waiting) == 2)
    waiting[1].wait(lambda: waiting[1].reset is not None)
    assert exchange(front.port).status == 200
    assert front.origin.connections == 1


def test_a_client_that_stalls_stops_its_target_and_nobody_else(front):
    """Only what the windows allow is taken from the target: 128 KiB wait here, and what the sockets hold."""
    sent = threading.Event()

    def answer(request):
        request.respond(body=bytes(8 << 20) if request.path == "/large" else b"small")
        sent.set()

    front.origin.answer = answer
    with connected(front.port) as client:
        client.reads = False
        client.request("/large")
        assert sent.wait(10)
        for _ in range(20):
            assert exchange(front.port).body == b"small"
        connection = front.origin.http2_connections[0]
        with connection.lock:
            left = sum(len(body) for body, _, _ in connection.pending[front.origin.requests[0].number])
        assert left >= (8 << 20) - (1 << 20)
    assert front.origin.connections == 1


def test_an_upload_stops_while_its_target_does_not_read(front):
    """The target lets 65,535 octets come; what else the client may send waits in proxyd's window."""
    front.origin.reads, front.origin.answer = False, lambda request: request.respond()
    content = (CONTENT * (200_000 // len(CONTENT) + 1))[:200_000]
    with connected(front.port) as client:
        number = client.request("/", method="POST", end=False)
        client.upload(number, content[:90_000], end=False)
        eventually(lambda: front.origin.requests)
        request = front.origin.requests[0]
        request.wait(lambda: len(request.body) >= 65_535)
        assert client.get("/other").status == 200   # on the same connection
        assert len(request.body) == 65_535
        front.origin.reads = True
        request.connection.act(lambda h2: h2.acknowledge_received_data(65_535, request.number))
        client.upload(number, content[90_000:])
        assert client.wait(number)[0].status == 200
    assert request.body == content and front.origin.connections == 1


def test_a_response_that_contradicts_its_length_is_502_and_costs_its_stream_alone_rfc9113_8_1_1(front):
    front.origin.answer = lambda request: request.respond(body=b"abc", fields=[("content-length", "5")]) if request.path == "/wrong" else request.respond()
    assert exchange(front.port).status == 200
    got = exchange(front.port, get(b"/wrong"))
    assert got.status == 502 and "cl_mismatch" in got.value("Proxy-Status")
    assert exchange(front.port).status == 200 and front.origin.connections == 1
    assert front.proxyd.metric("proxyd_upstream_bad_total", reason="cl_mismatch") == 1


def test_a_response_that_is_reset_on_its_way_is_cut_for_the_client_too(front):
    def answer(request):
        request.head(200, [("content-length", "100000")])
        request.send(bytes(50_000))
        request.abort()

    front.origin.answer = answer
    with connected(front.port) as client:
        assert client.get().reset is not None
        assert client.get().reset is not None
    with Client(front.port) as client:
        client.send(get())
        with pytest.raises(Closed):
            client.response()
    assert front.origin.connections == 1


def test_a_target_that_is_lost_is_tried_again_only_for_what_may_be_repeated(front):
    front.origin.answer = lambda request: request.abort() if len(front.origin.requests) == 1 else request.respond()
    assert exchange(front.port).status == 200
    assert len(front.origin.requests) == 2
    front.origin.requests.clear()
    got = exchange(front.port, b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc")
    assert got.status == 502 and len(front.origin.requests) == 1


def test_a_refused_request_is_sent_again_whatever_its_method_rfc9113_8_7(front):
    def answer(request):
        if len(front.origin.requests) == 1:
            request.connection.refuse(request.number)
        else:
            request.respond(body=request.body)

    front.origin.answer = answer
    got = exchange(front.port, b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc")
    assert got.status == 200 and got.body == b"abc" and len(front.origin.requests) == 2


def test_an_early_answer_passes_while_the_request_still_comes_and_goes(front):
    """Messages of both sides in turns, as a bidirectional stream of gRPC has them."""
    def early(request):
        request.head(200)

        def turns():
            for n in range(1, 4):
                request.wait(lambda: len(request.body) >= 4 * n)
                request.send(b"<%d>" % n)
            request.wait(lambda: request.ended)
            request.send(b"", trailers=[("x-end", "1")])
        threading.Thread(target=turns, daemon=True).start()

    front.origin.early, front.origin.answer = early, lambda request: None
    with connected(front.port) as client:
        number = client.request("/", method="POST", end=False)
        stream = client.streams[number]
        while stream.headers is None:
            assert client.receive()
        for n in range(1, 4):
            client.connection.send_data(number, b"ping")
            client.flush()
            while len(stream.body) < 3 * n:
                assert client.receive()
        client.connection.end_stream(number)
        client.flush()
        client.wait(number)
    assert stream.body == b"<1><2><3>" and stream.trailers == [("x-end", "1")]


def test_an_early_whole_answer_with_a_reset_behind_it_arrives_rfc9113_8_1(front):
    def early(request):
        request.respond(413, b"too much")
        request.abort(0)

    front.origin.early, front.origin.answer = early, lambda request: None
    with connected(front.port) as client:
        number = client.request("/", method="POST", end=False)
        stream, = client.wait(number)
    assert stream.status == 413 and stream.body == b"too much"


def test_keepalive_limits_hold_for_shared_connections():
    with Front(Http2Origin(), {"keepalive": {"max_requests": 3}}) as front:
        assert [exchange(front.port).status for _ in range(7)] == [200] * 7
        assert front.origin.connections == 3
        eventually(lambda: front.origin.open == 1, what="the end of what is used up")
    with Front(Http2Origin(), {"keepalive": {"max_idle": 0}}) as front:
        assert [exchange(front.port).status for _ in range(3)] == [200] * 3
        eventually(lambda: front.origin.open == 0)
        assert front.origin.connections == 3 and front.origin.http2_connections[0].goaways[0].error_code == 0
    with Front(Http2Origin(), {"keepalive": {"idle_timeout": "1s"}}) as front:
        assert exchange(front.port).status == 200
        eventually(lambda: front.origin.open == 0)
        assert exchange(front.port).status == 200


def test_the_connections_of_a_target_that_is_removed_end_with_what_runs_on_them(front):
    gate = threading.Event()

    def answer(request):
        request.head(200)
        threading.Thread(target=lambda: (gate.wait(10), request.send(b"end", end=True)), daemon=True).start()

    front.origin.answer = answer
    with connected(front.port) as client:
        number = client.request()
        while client.streams[number].headers is None:
            assert client.receive()
        other = Http2Origin()
        front.proxyd.apply(before(other, front.port))
        assert exchange(front.port).status == 200 and other.requests
        gate.set()
        assert client.wait(number)[0].body == b"end"
    eventually(lambda: front.origin.open == 0)
    other.stop()


def test_a_target_that_speaks_http_1_is_502_and_the_log_says_why():
    def answer(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with Front(Listener(answer)) as front:
        got = exchange(front.port)
        assert got.status == 502 and "http_protocol_error" in got.value("Proxy-Status")
        assert "no HTTP/2 with" in front.proxyd.logs()


def test_a_websocket_toward_http_2_is_refused_with_a_reason(front):
    octets = get(b"/", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    got = exchange(front.port, octets)
    assert got.status == 502 and "no WebSocket over HTTP/2" in got.value("Proxy-Status")


def test_the_cache_is_filled_and_validated_over_http_2():
    validated = []

    def answer(request):
        if request.value("if-none-match") == '"v"':
            validated.append(request)
            return request.head(304, [("etag", '"v"'), ("cache-control", "max-age=600")], end=True)
        return request.respond(body=CONTENT, fields=[("etag", '"v"'), ("cache-control", "max-age=0")])

    with Front(Http2Origin(answer), cached=True) as front:
        assert exchange(front.port).body == CONTENT
        assert exchange(front.port).body == CONTENT
        assert len(validated) == 1
        got = exchange(front.port)
        assert got.body == CONTENT and "hit" in got.value("Cache-Status")
        assert len(front.origin.requests) == 2


# -- the end of connections, under load


def test_goaway_on_the_way_loses_nothing_rfc9113_6_8():
    """The origin ends each connection after ten requests, those above the last one unseen."""
    def answer(request):
        connection = request.connection
        order = [number for number, one in sorted(connection.requests.items())]
        if len(order) >= 10 and not getattr(connection, "last", None):
            connection.last = order[9]
            connection.goaway(connection.last)
        if getattr(connection, "last", None) is None or request.number <= connection.last:
            request.respond(body=request.body or request.path.encode())

    with Front(Http2Origin(answer)) as front:
        def load(i, results):
            with connected(front.port, timeout=30) as client:
                for turn in range(10):
                    numbers = [client.request(f"/{i}/{turn}/{n}", method="POST", body=b"%d-%d" % (i, n)) for n in range(8)]
                    results.extend((stream.status, stream.body, b"%d-%d" % (i, n)) for n, stream in enumerate(client.wait(*numbers)))

        results = [[] for _ in range(4)]
        threads = [threading.Thread(target=load, args=(i, results[i])) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        for each in results:
            assert len(each) == 80 and not [one for one in each if one[0] != 200 or one[1] != one[2]]
        assert front.origin.connections >= 20
