"""The rows of bad-input.tsv about what origins send, each with the outcome named there."""
import itertools
import socket
import threading

import pytest
from client import Client, Closed, exchange, get, status_of
from origin import Listener, Origin, ok
from proxyd import Proxyd, eventually, free_port, paced, site


@pytest.fixture(scope="module")
def shared():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["defaults"] = {"timeouts": {"first_byte": "2s", "between_bytes": "2s", "client_body": "5s"}}
    document["hosts"]["all"]["routes"].insert(0, {"name": "bounded", "match": {"path_prefix": "/bounded"}, "upstream": "app", "timeouts": {"total": "1s"}})
    with Proxyd(document) as proxyd:
        yield proxyd, origin, port
    origin.stop()


@pytest.fixture
def world(shared):
    proxyd, origin, port = shared
    origin.answer = lambda request: ok()
    origin.requests.clear()
    with Client(port) as client:   # what an earlier case left in the pool is used up or found wanting
        client.send(get(b"/"))
        assert client.response().status == 200
    origin.requests.clear()
    return proxyd, origin, port


POST = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc"


def is_cut(port, octets=get(b"/")):
    """True when the answer begins and then breaks off."""
    with Client(port) as client:
        client.send(octets)
        try:
            client.response()
        except Closed:
            return True
    return False


@pytest.mark.rows("UP-002")
def test_a_new_connection_that_ends_without_an_octet_is_retried_for_idempotent_methods_only_rfc9110_9_2_2():
    good, bad, port = Origin(), Origin(lambda request: ["close"]), free_port()
    document = site(port, good.address)
    document["upstreams"]["app"] = {"balance": "round_robin", "keepalive": {"max_idle": 0}, "health": {"passive": "off"}, "targets": {"a": {"address": bad.address}, "b": {"address": good.address}}}
    with Proxyd(document):
        answers = [exchange(port).status for _ in range(6)]
        assert answers == [200] * 6 and len(bad.requests) >= 2
        answers = [exchange(port, POST).status for _ in range(6)]
        assert sorted(answers) == [200] * 3 + [502] * 3
    lonely = Origin(lambda request: ["close"])
    with Proxyd(site(port, lonely.address)):
        response = exchange(port)
        assert response.status == 502 and "http_response_incomplete" in response.value("Proxy-Status")
        assert len(lonely.requests) == 2   # the one there is, once more


@pytest.mark.rows("UP-003")
def test_a_pooled_connection_that_drops_a_post_it_has_taken_is_no_reason_to_send_it_twice_rfc9112_9_3_1():
    seen, port = [], free_port()

    def answers_once(connection):
        seen.append(connection.recv(65536))
        connection.sendall(ok())
        seen.append(connection.recv(65536))   # and closes

    origin = Listener(answers_once)
    with Proxyd(site(port, origin.address)):
        assert exchange(port).status == 200
        assert exchange(port, POST).status == 502
        assert sum(request.startswith(b"POST") for request in seen) == 1
        assert exchange(port).status == 200
        assert exchange(port).status == 200   # a GET is sent again, on a new connection
    origin.stop()


@pytest.mark.rows("UP-004", "UP-036")
def test_what_a_resting_connection_says_or_its_end_discards_it_rfc9112_9_2():
    port, numbers, ended, rested = free_port(), itertools.count(), set(), threading.Event()

    def serve(connection):
        number = next(numbers)
        connection.recv(65536)
        connection.sendall(ok(b"right"))
        if number == 0:
            rested.wait(10)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
        elif number == 1:
            connection.shutdown(socket.SHUT_WR)
        if connection.recv(1) == b"":
            ended.add(number)

    listener = Listener(serve)
    with Proxyd(site(port, listener.address)) as proxyd:
        assert exchange(port).body == b"right"
        rested.set()
        eventually(lambda: proxyd.metric("proxyd_upstream_bad_total", reason="unsolicited") == 1)
        assert exchange(port).body == b"right"
        eventually(lambda: 1 in ended, what="the end of our side too")
        assert exchange(port).body == b"right" and next(numbers) == 3
    listener.stop()


@pytest.mark.rows("UP-005", "UP-021")
@pytest.mark.parametrize("answer", [
    ok(b"right") + b"extra",
    b"HTTP/1.1 200 OK\r\nX-Echo: a\r\nContent-Length: 5\r\n\r\nright" + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
])
def test_octets_behind_the_content_cost_the_connection_and_reach_nobody_rfc9112_11_1(world, answer):
    _, origin, port = world
    origin.answer = lambda request: answer
    opened = origin.connections
    for _ in range(3):
        assert exchange(port).body == b"right"
    assert origin.connections >= opened + 2


@pytest.mark.rows("UP-006", "UP-031", "UP-012")
@pytest.mark.parametrize("steps", [
    [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50, "close"],
    [b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 150000, "reset"],
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close"],
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "reset"],
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5;" + b"e" * 1_000_000 + b"\r\nhello\r\n0\r\n\r\n"],
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"],
])
def test_a_response_that_breaks_off_is_cut_for_the_client_too_rfc9112_8(world, steps):
    _, origin, port = world
    origin.answer = lambda request: steps
    assert is_cut(port)


@pytest.mark.rows("UP-006")
def test_a_response_cut_short_is_cut_by_reset_for_http_1_0_whose_end_would_look_whole_rfc9112_8(world):
    _, origin, port = world
    origin.answer = lambda request: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close"]
    with Client(port) as client:
        client.send(get(b"/", version=b"HTTP/1.0"))
        with pytest.raises(ConnectionResetError):
            while client.socket.recv(65536):
                pass


@pytest.mark.rows("UP-007", "UP-008", "UP-009", "UP-010", "UP-013", "UP-017")
@pytest.mark.parametrize("answer, reason", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "te_and_cl"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "cl_duplicate"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "cl_invalid"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", "cl_invalid"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n", "body_too_large"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "te_unknown"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", "header_size"),
    (b"<html>hello there</html>\r\n\r\n", "status_line"),
    (b"HTTP/1.1 20 OK\r\n\r\n", "status_line"),
    (b"HTTP/2.0 200 OK\r\n\r\n", "status_line"),
    (b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "bare_lf"),
    (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "ws_before_colon"),
    (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "te_in_http10"),
    (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "unexpected_101"),
])
def test_a_head_that_makes_no_sense_is_502_is_counted_and_costs_the_connection_rfc9112_6_3(world, answer, reason):
    proxyd, origin, port = world
    before, opened = proxyd.metric("proxyd_upstream_bad_total", reason=reason), origin.connections
    origin.answer = lambda request: [answer]
    response = exchange(port)
    assert response.status == 502 and "http_protocol_error" in response.value("Proxy-Status")
    assert proxyd.metric("proxyd_upstream_bad_total", reason=reason) == before + 1
    newest = proxyd.api("GET", "/api/v1/rejects")[1]["items"][0]
    assert newest["reason"] == reason
    origin.answer = lambda request: ok()
    assert exchange(port).status == 200 and origin.connections > opened


@pytest.mark.parametrize("lines", [
    b"Set-Cookie: s=SECRET", b"set-cookie : s=SECRET", b"Set-Cookie: s=\r\n SECRET", b"Set-Cookie: s=\n\tSECRET", b"Set-Cookie: a\r\nSet-Cookie: s=SECRET",
], ids=str)
def test_what_is_kept_of_a_refused_response_has_no_cookie(world, lines):
    proxyd, origin, port = world
    origin.answer = lambda request: [b"HTTP/1.1 200 OK\r\nX-Shown: 1\r\n" + lines + b"\r\nContent-Length: none\r\n\r\n"]
    assert status_of(port) == 502
    newest = proxyd.api("GET", "/api/v1/rejects")[1]["items"][0]
    assert "X-Shown: 1" in str(newest) and "SECRET" not in str(newest)


@pytest.mark.rows("UP-019")
def test_obs_fold_in_a_response_is_502_rfc9112_5_2(world):
    _, origin, port = world
    origin.answer = lambda request: b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"
    assert exchange(port).status == 502


@pytest.mark.rows("UP-023")
def test_early_hints_are_dropped_for_a_client_of_http_1_0_rfc9110_15_2(world):
    _, origin, port = world
    origin.answer = lambda request: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok(b"done")
    with Client(port) as client:
        client.send(get(b"/", version=b"HTTP/1.0"))
        assert client.head()[0] == 200


@pytest.mark.rows("UP-025")
@pytest.mark.parametrize("head", [b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n"])
def test_content_behind_204_and_304_is_not_forwarded_and_closes_rfc9112_6_3(world, head):
    _, origin, port = world
    origin.answer = lambda request: head + b"hello"
    opened = origin.connections
    with Client(port) as client:
        for _ in range(2):
            client.send(get(b"/"))
            assert client.response().status in (204, 304)
    assert origin.connections > opened


@pytest.mark.rows("UP-025")
def test_a_204_that_announces_content_costs_the_connection_even_before_it_comes_rfc9110_15_3_5(world):
    _, origin, port = world
    origin.answer = lambda request: b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
    opened = origin.connections
    for _ in range(3):
        assert exchange(port).value("Content-Length") is None
    assert origin.connections >= opened + 2


@pytest.mark.rows("UP-026")
def test_content_in_answer_to_head_is_ignored_and_closes_rfc9112_6_3(world):
    _, origin, port = world
    origin.answer = lambda request: ok(b"hello")
    opened = origin.connections
    with Client(port) as client:
        for _ in range(2):
            client.send(get(b"/", method=b"HEAD"))
            assert client.response("HEAD").value("Content-Length") == "5"
        origin.answer = lambda request: ok(b"next")
        client.send(get(b"/"))
        assert client.response().body == b"next"
    assert origin.connections >= opened + 2


@pytest.mark.rows("UP-027")
def test_an_early_413_reaches_the_client_and_stops_the_upload_rfc9112_9_5():
    heard, port = threading.Event(), free_port()
    origin = Origin(early=lambda request: [b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig", heard, "end"])
    with Proxyd(site(port, origin.address)), Client(port, timeout=20) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 50000000\r\n\r\n")
        threading.Thread(target=client.send, args=(b"x" * 50_000_000,), daemon=True).start()
        response = client.response()
        assert (response.status, response.body) == (413, b"big")
        assert client.is_closed()
        heard.set()
        eventually(lambda: origin.open == 0, what="the end of the upload")
    origin.stop()


@pytest.mark.rows("UP-032")
def test_content_without_end_ends_with_the_total_deadline(world):
    proxyd, origin, port = world
    stop, before = threading.Event(), proxyd.metric("proxyd_timeout_total", phase="total")

    def endless(request):
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for _ in paced(0.05, until=stop):
            yield b"5\r\nhello\r\n"

    origin.answer = endless
    assert is_cut(port, get(b"/bounded"))
    stop.set()
    assert proxyd.metric("proxyd_timeout_total", phase="total") == before + 1


@pytest.mark.rows("UP-033")
def test_a_redirect_of_the_origin_passes_unchanged(world):
    _, origin, port = world
    origin.answer = lambda request: b"HTTP/1.1 302 Found\r\nLocation: http://a.test/?x=%0d%0aSet-Cookie:%20a\r\nContent-Length: 0\r\n\r\n"
    response = exchange(port)
    assert response.status == 302 and response.value("Location") == "http://a.test/?x=%0d%0aSet-Cookie:%20a"
    assert response.value("Set-Cookie") is None


@pytest.mark.rows("UP-034")
def test_fields_that_a_response_names_hop_by_hop_are_removed_rfc9110_7_6_1(world):
    _, origin, port = world
    origin.answer = lambda request: ok(b"x", b"Connection: keep-alive, X-Secret", b"X-Secret: 1", b"Keep-Alive: timeout=5", b"Proxy-Authenticate: Basic", b"X-Open: 1")
    response = exchange(port)
    assert response.value("X-Open") == "1"
    for name in ("X-Secret", "Keep-Alive", "Proxy-Authenticate", "Connection"):
        assert response.value(name) is None


@pytest.mark.rows("UP-035")
def test_trailers_that_frame_route_or_set_cookies_are_dropped_rfc9110_6_5(world):
    _, origin, port = world
    origin.answer = lambda request: (b"HTTP/1.1 200 OK\r\nTrailer: Set-Cookie, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
                                     b"Set-Cookie: a=b\r\nContent-Length: 9\r\nX-Sum: 7\r\nx_under: 1\r\n\r\n")
    trailers = dict(exchange(port).trailers)
    assert trailers == {"X-Sum": "7", "x_under": "1"}


@pytest.mark.rows("UP-039")
def test_without_an_eligible_target_the_answer_is_503_with_retry_after_rfc9110_15_6_4(world):
    proxyd, origin, port = world
    assert proxyd.proxyctl("upstream", "maintenance", "app", "one").returncode == 0
    try:
        response = exchange(port)
        assert response.status == 503 and response.value("Retry-After")
        assert "destination_unavailable" in response.value("Proxy-Status")
    finally:
        assert proxyd.proxyctl("upstream", "ready", "app", "one").returncode == 0


def test_interim_answers_do_not_prolong_the_wait_for_the_final_one_rfc9110_15_2(world):
    _, origin, port = world
    stop = threading.Event()

    def endless(request):
        for _ in paced(0.1, until=stop):
            yield b"HTTP/1.1 103 Early Hints\r\n\r\n"

    origin.answer = endless
    response = exchange(port)
    stop.set()
    assert response.status == 504 and "http_response_timeout" in response.value("Proxy-Status")


def test_interim_answers_pass_up_to_32_and_one_more_costs_the_response_rfc9110_15_2(world):
    proxyd, origin, port = world
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    for count, status in ((32, 200), (33, 502)):
        before, opened = proxyd.metric("proxyd_upstream_bad_total", reason="header_count"), origin.connections
        origin.answer = lambda request: hint * count + ok(b"done")
        with Client(port) as client:
            client.send(get())
            heads = [client.head()[0] for _ in range(33)]
        assert heads == [103] * 32 + [status]
        assert proxyd.metric("proxyd_upstream_bad_total", reason="header_count") == before + count - 32
        origin.answer = lambda request: ok()
        assert status_of(port) == 200 and origin.connections == opened + count - 32


def test_an_upload_that_takes_longer_than_first_byte_is_not_cut_by_an_early_interim_answer():
    def serve(connection):
        received = connection.recv(65536)
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        while not received.endswith(b"end"):
            received += connection.recv(65536)
        connection.sendall(ok(b"whole"))

    listener, port = Listener(serve), free_port()
    document = site(port, listener.address)
    document["defaults"] = {"timeouts": {"first_byte": "2s"}}
    with Proxyd(document), Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100003\r\n\r\n")
        for _ in paced(0.1, 25):
            client.send(b"x" * 4000)
        client.send(b"end")
        assert client.response().body == b"whole"
    listener.stop()


def test_a_stream_of_a_few_octets_now_and_then_is_no_gap():
    def serve(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in paced(0.1, 25):
            connection.sendall(b"1\r\n:\r\n")
        connection.sendall(b"0\r\n\r\n")

    listener, port = Listener(serve), free_port()
    document = site(port, listener.address)
    document["defaults"] = {"timeouts": {"between_bytes": "2s"}}
    with Proxyd(document):
        assert exchange(port).body == b":" * 25
    listener.stop()


def test_a_retry_goes_to_another_target_and_answers_503_only_when_that_fails_too():
    good, busy, port = Origin(), Origin(lambda request: b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), free_port()
    document = site(port, good.address)
    document["upstreams"]["app"] = {"balance": "round_robin", "retry": {"when": ["503"]}, "targets": {"a": {"address": busy.address}, "b": {"address": good.address}}}
    with Proxyd(document) as proxyd:
        assert [exchange(port).status for _ in range(6)] == [200] * 6
        assert proxyd.metric("proxyd_upstream_retries_total") == 3
        assert sorted(exchange(port, POST).status for _ in range(4)) == [200, 200, 503, 503]
