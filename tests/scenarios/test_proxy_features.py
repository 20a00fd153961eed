"""The features of a document, each seen from outside: what the client gets, what the origin sees."""
import json
import socket
import socketserver
import struct
import threading

import pytest
from client import Client, exchange, get
from origin import Listener, Origin, ok
from proxyd import Proxyd, eventually, free_port, paced, site


SHORT = {"request_line": "64B", "request_headers": "128B", "header_count": 3}


@pytest.fixture(scope="module")
def world():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["defaults"] = {"trusted_proxies": ["127.0.0.0/8"]}
    document["listeners"]["v1"] = {"address": f"127.0.0.1:{free_port()}", "proxy_protocol": "any"}
    for name in ("drop", "pass"):
        document["listeners"][name] = {"address": f"127.0.0.1:{free_port()}", "underscore_fields": name}
    document["hosts"]["all"]["headers"] = {"response": {"set": {"X-Frame": "{host}"}, "remove": ["X-Powered-*", "Server"], "default": {"X-Default": "1"}}}
    document["hosts"]["all"]["routes"] = [
        {"name": "raw", "match": {"path_prefix": "/raw"}, "upstream": "app", "raw_path": True},
        {"name": "strip", "match": {"path_prefix": "/strip"}, "upstream": "app", "rewrite": {"strip_prefix": "/strip", "add_prefix": "/new"}},
        {"name": "by-header", "match": {"path": "/by-header"}, "upstream": "app", "rewrite": {"path": "/{header.X-Path}"}},
        {"name": "groups", "match": {"path_regex": "^/v([0-9]+)/(.*)$"}, "upstream": "app", "rewrite": {"path": "/{2}/v{1}"},
         "headers": {"request": {"set": {"X-Who": "{client_ip} {scheme} {host} {port} {query.q} {cookie.c} {1}"}, "remove": ["X-Gone"]}}},
        *({"name": f"optional-{name}", "match": {"path_regex": expression, "methods": methods}, "upstream": "app", "headers": {"request": {"set": {"X-Groups": "[{1}][{2}]"}}}}
          for name, expression, methods in (("post", "^/optional/(a)(b)", ["POST"]), ("get", "^/optional/(a)?b?(c)?", ["GET"]))),
        {"name": "away", "match": {"path": "/away"}, "redirect": {"to": "https://{host}{uri}", "status": 301}},
        {"name": "empty", "match": {"path": "/empty"}, "respond": {"status": 204}},
        {"name": "small", "match": {"path_prefix": "/small"}, "upstream": "app", "limits": {"request_body": "10B"}},
        {"name": "short", "match": {"path_prefix": "/short"}, "upstream": "app", "limits": SHORT},
        {"name": "by-length", "match": {"path": "/by-field", "header": {"content-length": "3"}}, "respond": {"status": 200, "body": "three"}},
        {"name": "by-host", "match": {"path": "/by-field", "header": {"host": {"regex": "^A\\."}}}, "respond": {"status": 200, "body": "upper"}},
        {"name": "expects", "match": {"path": "/by-field", "header": {"expect": "*"}}, "respond": {"status": 200, "body": "expects"}},
        {"name": "ready", "match": {"path": "/ready"}, "ready": True},
        {"name": "all", "upstream": "app"},
    ]
    document["hosts"]["short"] = {"names": ["s.test"], "limits": SHORT, "routes": [{"name": "all", "upstream": "app"}]}
    with Proxyd(document) as proxyd:
        ports = {name: int(listener["address"].rsplit(":", 1)[1]) for name, listener in document["listeners"].items()}
        yield proxyd, origin, ports
    origin.stop()


def test_paths_are_forwarded_in_their_normal_form_or_as_sent(world):
    _, origin, ports = world
    for sent, seen in [(b"/a/./b/%7E//c/../d?x=%7E", "/a/b/~/d?x=%7E"), (b"/raw/./%7E//x", "/raw/./%7E//x"), (b"/strip/a%2Fb?q", "/new/a%2Fb?q"),
                       (b"/strip", "/new/"), (b"/v7/x/y?q=1", "/x/y/v7?q=1")]:
        assert exchange(ports["main"], get(sent)).status == 200
        assert origin.requests[-1].target == seen


def test_a_rewrite_by_what_a_client_sends_stays_one_path(world):
    _, origin, ports = world
    for value, seen in [(b"x HTTP/1.1", "/x%20HTTP/1.1"), (b"%", "/%25"), (b"a%4", "/a%254"), (b"../../x?y#z", "/x%3Fy%23z")]:
        assert exchange(ports["main"], get(b"/by-header", b"X-Path: " + value)).status == 200
        assert origin.requests[-1].target == seen


def test_variables_and_edits_of_fields(world):
    _, origin, ports = world
    origin.answer = lambda request: ok(b"x", b"Server: s", b"X-Powered-By: p", b"X-Default: theirs")
    response = exchange(ports["main"], get(b"/v1/x?q=Q", b"Cookie: c=C", b"X-Gone: 1"))
    origin.answer = lambda request: ok()
    assert origin.requests[-1].values("X-Who") == ["127.0.0.1 http a.test 80 Q C 1"] and not origin.requests[-1].values("X-Gone")
    assert response.value("X-Frame") == "a.test" and response.value("Server") is None and response.value("X-Powered-By") is None
    assert response.value("X-Default") == "theirs"


def test_groups_that_took_no_part_are_empty_whatever_another_route_or_request_had_in_them(world):
    _, origin, ports = world
    with Client(ports["main"]) as client:
        for path, groups in ((b"/optional/ab", "[a][]"), (b"/optional/bc", "[][c]"), (b"/optional/ac", "[a][c]"), (b"/optional/", "[][]")):
            client.send(get(path))
            assert client.response().status == 200
            assert origin.requests[-1].values("X-Groups") == [groups]


def test_answers_made_here_carry_the_edits_too(world):
    _, _, ports = world
    away = exchange(ports["main"], get(b"/away?a=1", host=b"b.test:8080"))
    assert away.status == 301 and away.value("Location") == "https://b.test/away?a=1" and away.value("X-Frame") == "b.test"
    empty = exchange(ports["main"], get(b"/empty"))
    assert empty.status == 204 and empty.value("Content-Length") is None and empty.value("X-Default") == "1"
    assert exchange(ports["main"], get(b"/ready")).body == b"ready\n"
    head = exchange(ports["main"], b"HEAD /ready HTTP/1.1\r\nHost: a.test\r\n\r\n", method="HEAD")
    assert head.value("Content-Length") == "6"


def test_client_scheme_and_host_come_from_a_trusted_proxy(world):
    _, origin, ports = world
    response = exchange(ports["main"], get(b"/v1/x", b"X-Forwarded-For: 203.0.113.9", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: c.test", b"X-Request-Id: one"))
    request = origin.requests[-1]
    assert response.status == 200 and request.values("X-Who") == ["203.0.113.9 https c.test 443   1"]
    assert request.values("X-Forwarded-For") == ["203.0.113.9, 127.0.0.1"] and request.values("X-Real-IP") == ["203.0.113.9"]
    assert request.values("X-Forwarded-Proto") == ["https"] and request.values("Host") == ["c.test"] and request.values("X-Request-Id") == ["one"]


V2 = b"\r\n\r\n\x00\r\nQUIT\n"


@pytest.mark.parametrize("header, client", [
    (b"PROXY TCP4 203.0.113.7 192.0.2.2 4711 80\r\n", "203.0.113.7"),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n", "2001:db8::7"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (V2 + b"\x21\x11" + struct.pack(">H", 12) + socket.inet_aton("203.0.113.8") + socket.inet_aton("192.0.2.2") + struct.pack(">HH", 4711, 80), "203.0.113.8"),
    (V2 + b"\x20\x00\x00\x00", "127.0.0.1"),
])
def test_a_proxy_header_names_the_client(world, header, client):
    _, origin, ports = world
    assert exchange(ports["v1"], header + get()).status == 200
    assert origin.requests[-1].values("X-Forwarded-For") == [client]


@pytest.mark.parametrize("header", [b"PROXY TCP4 x y 1 2\r\n", b"PROXY " + b"a" * 200, V2 + b"\x21\x11\xff\xff", b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"])
def test_a_proxy_header_that_is_wrong_or_missing_closes_the_connection(world, header):
    proxyd, origin, ports = world
    seen, bad = len(origin.requests), proxyd.metric("proxyd_proxy_proto_bad_total")
    with Client(ports["v1"]) as client:
        client.send(header)
        assert client.is_closed()
    assert len(origin.requests) == seen
    eventually(lambda: proxyd.metric("proxyd_proxy_proto_bad_total") == bad + 1)


def test_field_names_with_an_underscore_by_the_listeners_rule(world):
    _, origin, ports = world
    assert exchange(ports["main"], get(b"/", b"X_A: 1")).status == 400
    assert exchange(ports["drop"], get(b"/", b"X_A: 1")).status == 200 and not origin.requests[-1].values("X_A")
    assert exchange(ports["pass"], get(b"/", b"X_A: 1")).status == 200 and origin.requests[-1].values("X_A") == ["1"]


def test_trailers_of_a_request_pass_but_those_that_could_be_taken_for_its_head(world):
    _, _, ports = world
    received, port = bytearray(), free_port()

    def serve(connection):
        while not received.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in received:
            received.extend(connection.recv(65536))
        connection.sendall(ok())

    listener = Listener(serve)
    with Proxyd(site(port, listener.address)):
        assert exchange(port, b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nAuthorization: a\r\nX-Forwarded-For: 6.6.6.6\r\nX-Sum: 9\r\n\r\n").status == 200
    tail = bytes(received).split(b"\r\n0\r\n")[1]
    assert tail == b"X-Sum: 9\r\n\r\n"
    listener.stop()


@pytest.mark.parametrize("octets", [b"Content-Length: 11\r\n\r\nhello world", b"Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"])
def test_content_beyond_the_routes_limit_is_413(world, octets):
    proxyd, origin, ports = world
    seen = len(origin.requests)
    response = exchange(ports["main"], b"POST /small HTTP/1.1\r\nHost: a.test\r\n" + octets)
    assert response.status == 413 and response.value("Connection") == "close"
    assert len(origin.requests) == seen
    assert proxyd.api("GET", "/api/v1/rejects")[1]["items"][0]["reason"] == "body_too_large"


@pytest.mark.parametrize("head, status", [
    (get(b"/short"), 200), (b"\r\n" + get(b"/short?" + b"x" * 44), 200), (get(b"/short?" + b"x" * 45), 414),
    (get(b"/short", b"a: " + b"x" * 107), 200), (get(b"/short", b"a: " + b"x" * 108), 431), (get(b"/short", b"a: 1", b"b: 2"), 200),
    (get(b"/short", b"a: 1", b"b: 2", b"c: 3"), 431)], ids=["short", "line", "line+1", "section", "section+1", "lines", "lines+1"])
@pytest.mark.parametrize("level", ["route", "host"])
def test_a_head_beyond_the_own_limits_of_its_route_or_host_is_refused(world, head, status, level):
    _, _, ports = world
    if level == "host":
        head = head.replace(b"a.test", b"s.test")
    assert exchange(ports["main"], head).status == status


@pytest.mark.parametrize("fields, host, body", [
    ((b"Content-Length: 3", ), b"a.test", b"three"), ((), b"A.test", b"upper"), ((b"Expect: 100-continue", b"Content-Length: 2"), b"a.test", b"expects")])
def test_what_frames_or_routes_a_request_can_be_matched_as_any_field(world, fields, host, body):
    _, _, ports = world
    content = b"x" * 3 if body == b"three" else b""
    assert exchange(ports["main"], get(b"/by-field", *fields, host=host, method=b"POST") + content).body == body


def test_explain_knows_the_host_as_a_request_brings_it(world):
    proxyd, _, _ = world
    assert [proxyd.api("POST", "/api/v1/explain", {"url": f"http://{host}/by-field", "listener": "main"})[1]["route"] for host in ("A.test", "a.test")] == ["by-host", "all"]


def test_max_forwards_is_counted_down_for_options_alone_rfc9110_7_6_2(world):
    _, origin, ports = world
    options = b"OPTIONS / HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: %s\r\n\r\n"
    assert exchange(ports["main"], options % b"5").status == 200 and origin.requests[-1].values("Max-Forwards") == ["4"]
    seen = len(origin.requests)
    assert exchange(ports["main"], options % b"00").status == 200 and len(origin.requests) == seen
    assert exchange(ports["main"], get(b"/", b"Max-Forwards: 0")).status == 200 and origin.requests[-1].values("Max-Forwards") == ["0"]


def test_a_request_that_needs_too_much_memory_is_answered_500_and_logged(world):
    proxyd, origin, port = world[0], world[1], free_port()
    document = site(port, origin.address)
    document["hosts"]["all"]["headers"] = {"request": {"set": {f"X-{i}": "{header.X-Large}{header.X-Large}" for i in range(12)}}}
    with Proxyd(document) as own:
        response = exchange(port, get(b"/", b"X-Large: " + b"x" * 30000))
        assert response.status == 500 and response.value("Connection") == "close"
        eventually(lambda: own.metric("proxyd_http_requests_total", **{"class": "5xx"}) == 1)
        assert own.metric("proxyd_unhandled_exceptions_total") == 0
        assert exchange(port, get(b"/")).status == 200


def test_many_lines_of_one_field_are_no_burden(world):
    _, origin, ports = world
    assert exchange(ports["main"], get(b"/", *[b"Via: 1.1 " + b"v" * 300] * 90)).status == 200
    assert origin.requests[-1].values("Via")[0].count(",") == 90


class UnixOrigin(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@pytest.mark.parametrize("host, seen", [("keep", "a.test"), ("target", "localhost"), ("own.test", "own.test")])
def test_a_unix_socket_as_target_and_what_it_sees_as_host(host, seen, tmp_path):
    heads = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            head = b""
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                head += line
            heads.append(head)
            self.wfile.write(ok())

    path, port = str(tmp_path / "origin"), free_port()
    server = UnixOrigin(path, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    document = site(port, "unix:" + path)
    document["upstreams"]["app"]["host"] = host
    with Proxyd(document):
        assert exchange(port, get(b"/")).status == 200
    assert f"\r\nHost: {seen}\r\n".encode() in heads[0]
    server.shutdown()


def test_a_unix_socket_as_listener(tmp_path):
    origin, path = Origin(), str(tmp_path / "front")
    document = site(free_port(), origin.address)
    document["listeners"]["unix"] = {"address": "unix:" + path}
    with Proxyd(document), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(get(b"/", b"Connection: close"))
        answer = b""
        while got := client.recv(65536):
            answer += got
    assert answer.startswith(b"HTTP/1.1 200 ") and origin.requests[-1].values("Forwarded") == ["for=unknown;host=a.test;proto=http"]


@pytest.mark.parametrize("limits, connections", [({"max_idle": 0}, 4), ({"max_requests": 2}, 2), ({"max_age": "1ms"}, 4), ({}, 1)], ids=str)
def test_pooled_connections_live_as_long_as_their_limits_say(limits, connections):
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["upstreams"]["app"]["keepalive"] = limits
    with Proxyd(document), Client(port) as client:
        for _ in paced(0.02, 4):   # so that a connection's age can pass its limit
            client.send(get(b"/"))
            assert client.response().status == 200
    assert origin.connections == connections


def test_a_target_takes_no_more_requests_at_once_than_it_may():
    gate, port = threading.Event(), free_port()
    origin = Origin(lambda request: [gate, ok()])
    document = site(port, origin.address)
    document["upstreams"]["app"]["targets"]["one"]["max_connections"] = 2
    with Proxyd(document, workers=2) as proxyd:
        busy = [Client(port) for _ in range(2)]
        for client in busy:
            client.send(get(b"/"))
        eventually(lambda: len(origin.requests) == 2)
        response = exchange(port, get(b"/"))
        assert response.status == 503 and "connection_limit_reached" in response.value("Proxy-Status")
        gate.set()
        for client in busy:
            assert client.response().status == 200
        eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == 0)
        assert exchange(port, get(b"/")).status == 200


@pytest.mark.parametrize("balance", ["p2c", "round_robin"])
def test_idle_targets_get_requests_by_their_weights(balance):
    light, heavy, port = Origin(), Origin(), free_port()
    document = site(port, light.address)
    document["upstreams"]["app"] = {"balance": balance, "targets": {"light": {"address": light.address, "weight": 50}, "heavy": {"address": heavy.address, "weight": 150}}}
    with Proxyd(document), Client(port) as client:
        for _ in range(200):
            client.send(get(b"/"))
            assert client.response().status == 200
    assert 20 <= len(light.requests) <= 80 and len(light.requests) + len(heavy.requests) == 200


def test_the_access_log_leaves_out_paths_and_hides_secrets(tmp_path):
    origin, port, log = Origin(), free_port(), tmp_path / "log"
    document = site(port, origin.address)
    document["logging"] = {"access": [{"to": "file", "file": str(log), "unless": {"path": ["/health"]}}], "redact_query": ["sig"]}
    with Proxyd(document):
        exchange(port, get(b"/x?s%69g=SECRET&token=shown", b"Referer: http://a.test/?sig=SECRET"))
        exchange(port, get(b"/health"))
        text = eventually(lambda: log.read_text() if log.exists() else "")
    record = json.loads(text)   # one line
    assert "SECRET" not in text and record["query"] == "s%69g=REDACTED&token=shown" and record["referer"] == "http://a.test/?sig=REDACTED"
    for name in ("time", "request_id", "trace_id", "client", "protocol", "host", "method", "path", "status", "bytes_in", "bytes_out", "duration_us",
                 "first_byte_us", "connect_us", "route", "upstream", "target", "attempts", "worker", "revision"):
        assert name in record, name
