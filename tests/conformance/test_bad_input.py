"""Every h1 row of bad-input.tsv against the running program: status, fate of the connection, what the origin saw, the
counter it names."""
import re

import bad_input
import pytest
from client import Client, exchange, get
from origin import Origin
from proxyd import Proxyd, eventually, free_port, site

# Rows that need more than one exchange, or time; each has a test of its own below.
ELSEWHERE = {"H1-062", "H1-081", "H1-148", "H1-149", "H1-154", "H1-161", "H1-162", "H1-145", "H1-104", "H1-132", "H1-157"}
ROWS = [row for row in bad_input.rows() if row["area"].startswith("h1/")]


@pytest.fixture(scope="module")
def world():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["hosts"]["all"]["names"] = ["a.test", "*"]
    document["defaults"] = {"timeouts": {"client_body": "1s", "client_header": "2s"}}
    with Proxyd(document) as proxyd:
        yield proxyd, origin, port
    origin.stop()


@pytest.mark.parametrize("row", [r for r in ROWS if r["id"] not in ELSEWHERE], ids=lambda r: r["id"])
def test_a_bad_message_gets_the_answer_its_row_names(row, world):
    proxyd, origin, port = world
    before, expected = len(origin.requests), bad_input.outcome(row)
    metric = re.search(r'metric=h1_reject\{reason="(\w+)"\}', expected)
    count = proxyd.metric("proxyd_h1_reject_total", reason=metric[1]) if metric else 0
    with Client(port) as client:
        client.send(bad_input.payload(row))
        response = client.response()
        assert response.status == bad_input.status(row), expected
        if "conn=close" in expected:
            assert client.is_closed(), expected
        elif "conn=keepalive" in expected:
            assert response.value("Connection") != "close", expected
    if "upstream=0" in expected:
        assert len(origin.requests) == before, origin.requests[-1].line
    elif "upstream=1" in expected:
        assert len(origin.requests) == before + 1
    if metric:
        eventually(lambda: proxyd.metric("proxyd_h1_reject_total", reason=metric[1]) == count + 1, what=expected)


@pytest.mark.parametrize("lines", [
    b"Cookie: s=SECRET", b"cookie:SECRET", b"COOKIE : s=SECRET", b"Authorization: Basic SECRET", b"Proxy-Authorization: Basic SECRET",
    b"Cookie: a\r\n SECRET", b"Cookie: a\n\tSECRET", b"Cookie: a\rSECRET", b"X: a\rCookie: SECRET", b" Cookie: SECRET", b"Cookie: a\r\nCookie: SECRET", b"Cookie: \0SECRET",
    b"X-Long: " + b"x" * 700 + b"\r\nCookie: " + b"SECRET" * 100,
], ids=lambda lines: str(lines[:30]))
def test_what_is_kept_of_a_refused_request_has_no_secret(world, lines):
    proxyd, _, port = world
    assert exchange(port, get(b"/", b"X-Shown: 1", lines, b"Content-Length: none")).status == 400
    newest = proxyd.api("GET", "/api/v1/rejects")[1]["items"][0]
    assert "X-Shown: 1" in str(newest) and "SECRET" not in str(newest)


@pytest.mark.rows("H1-062", "H1-161")
@pytest.mark.parametrize("content", [b"Content-Length: 100\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nab"], ids=["length", "chunked"])
def test_a_request_body_that_stalls_is_given_up_with_408_rfc9110_15_5_9(world, content):
    proxyd, origin, port = world
    before = len(origin.requests)
    with Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\n" + content)
        assert client.response().status == 408
        assert client.is_closed()
    eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == 0)
    assert len(origin.requests) == before


@pytest.mark.rows("H1-081")
def test_garbage_behind_a_request_is_refused_by_itself_rfc9112_9_3_2(world):
    _, origin, port = world
    with Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nX: a\r\n\r\n\x16\x03\x01\x02\x00\x01")
        assert client.response().status == 200
        assert client.response().status == 400
        assert client.is_closed()


@pytest.mark.rows("H1-148")
def test_five_hundred_pipelined_requests_are_answered_in_order_rfc9112_9_3_2(world):
    _, _, port = world
    with Client(port, timeout=30) as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a.test\r\n\r\n" % i for i in range(500)))
        for i in range(500):
            assert client.response().body == b"path=/%d body=" % i


@pytest.mark.rows("H1-149")
def test_nothing_behind_connection_close_is_processed_rfc9112_9_6(world):
    _, origin, port = world
    before = len(origin.requests)
    with Client(port) as client:
        client.send(b"GET /1 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.response().body == b"path=/1 body="
        assert client.is_closed()
    assert len(origin.requests) == before + 1


@pytest.mark.rows("H1-154")
def test_an_unknown_upgrade_is_dropped_and_tunnels_nothing_rfc9110_7_8(world):
    _, origin, port = world
    with Client(port) as client:
        client.send(b"GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nGET /next HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.response().body == b"path=/ws body="
        assert client.response().body == b"path=/next body="
    assert not origin.requests[-2].values("Upgrade")


@pytest.mark.rows("H1-162")
def test_octets_behind_a_body_are_the_next_request_rfc9112_9_3(world):
    _, _, port = world
    with Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabcdEXTRA\r\n\r\n")
        assert client.response().body == b"path=/ body=abc"
        assert client.response().status == 400
        assert client.is_closed()


@pytest.mark.rows("H1-145")
def test_http_1_0_without_host_goes_to_the_host_for_all_and_closes_rfc9112_9_3(world):
    _, _, port = world
    with Client(port) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        response = client.response()
        assert response.status == 200 and response.value("Connection") == "close"
        assert client.is_closed()


@pytest.mark.rows("H1-104")
def test_options_star_is_answered_here_rfc9112_3_2_4(world):
    _, origin, port = world
    before = len(origin.requests)
    with Client(port) as client:
        client.send(b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.response().status == 200
    assert len(origin.requests) == before


@pytest.mark.rows("H1-157")
def test_fields_that_connection_names_go_but_ours_are_still_set_rfc9110_7_6_1(world):
    _, origin, port = world
    with Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close, X-Auth-User, X-Forwarded-For\r\nX-Auth-User: u\r\n\r\n")
        assert client.response().status == 200
    assert not origin.requests[-1].values("X-Auth-User")
    assert origin.requests[-1].values("X-Forwarded-For") == ["127.0.0.1"]


@pytest.mark.rows("H1-132")
def test_an_unknown_host_gets_404_and_never_another_site():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["hosts"]["all"]["names"] = ["a.test"]
    with Proxyd(document) as proxyd, Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: unknown.test\r\n\r\n")
        assert client.response().status == 404
        assert proxyd.metric("proxyd_route_miss_total") == 1
    assert not origin.requests


@pytest.mark.parametrize("row, check", [
    ("H1-014", lambda request: request.body == b"abc"),
    ("H1-033", lambda request: request.target == "/" and request.values("Content-Length") == ["31"]),
    ("H1-035", lambda request: request.values("Host") == ["a.test"] and request.values("Transfer-Encoding") == ["chunked"]),
    ("H1-058", lambda request: not request.values("X-T")),
    ("H1-097", lambda request: request.method == "get"),
    ("H1-109", lambda request: request.target == "/a%00b"),
    ("H1-115", lambda request: request.target == "/admin/..;/x"),
    ("H1-127", lambda request: request.target == "/x" and request.values("Host") == ["a.test"]),
    ("H1-133", lambda request: request.values("X-Forwarded-For") == ["127.0.0.1"] and request.values("X-Real-IP") == ["127.0.0.1"]
        and request.values("X-Forwarded-Host") != ["evil"] and "1.2.3.4" not in str(request.fields)),
    ("H1-138", lambda request: len(request.values("Range")[0].split(",")) == 1000),
    ("H1-140", lambda request: request.values("Range") == ["bytes="]),
    ("H1-141", lambda request: request.values("Range") == ["bytes=5-2,-0,abc"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_the_origin_sees_what_the_row_says(row, check, world):
    _, origin, port = world
    with Client(port) as client:
        client.send(bad_input.payload(next(r for r in ROWS if r["id"] == row)))
        assert client.response().status == 200
    assert check(origin.requests[-1]), origin.requests[-1].head
