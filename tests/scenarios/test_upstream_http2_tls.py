"""HTTP/2 toward targets in TLS, chosen there or not, and toward a server that others wrote."""
import ssl
import subprocess
import threading

import pytest
from certificates import Authority
from client import Client, exchange, get
from http2 import connected
from http2_front import CONTENT, Front, echo
from http2_origin import Http2Origin
from proxyd import eventually, free_port


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


def offering(authority, *protocols):
    """What an origin accepts with that chooses among `protocols`."""
    issued = authority.issue("origin.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate_file, issued.key_file)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def secured(authority):
    return {"tls": {"sni": "origin.test", "ca_file": str(authority.certificate)}}


@pytest.mark.parametrize("protocol", ["h2", "auto"])
def test_http_2_is_spoken_in_tls_where_the_target_chooses_it(authority, protocol):
    origin = Http2Origin(echo, tls=offering(authority, "h2", "http/1.1"))
    with Front(origin, secured(authority), protocol=protocol) as front:
        for _ in range(3):
            with connected(front.port, timeout=30) as client:
                assert client.get("/", method="POST", body=CONTENT).body == CONTENT
        assert front.origin.connections == 1 and front.origin.requests[0].value(":scheme") == "https"


@pytest.mark.parametrize("chosen", [["http/1.1"], []], ids=["http/1.1", "nothing"])
def test_auto_speaks_http_1_where_the_target_chooses_that(authority, chosen):
    origin = Http2Origin(tls=offering(authority, *chosen))
    with Front(origin, secured(authority), protocol="auto") as front:
        assert [exchange(front.port).body for _ in range(3)] == [b"http/1.1"] * 3
        assert front.origin.connections == 1
        labels = {"upstream": "app", "target": "one"}
        assert front.proxyd.metric("proxyd_upstream_connect_total", result="ok", **labels) == 1
        assert front.proxyd.metric("proxyd_upstream_connections_reused_total", **labels) == 2   # the first was its first
        gate, held = threading.Event(), []
        origin.http1.answer = lambda request: held.append(request) or [gate, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
        with connected(front.port) as client:
            numbers = [client.request() for _ in range(5)]
            eventually(lambda: len(held) == 5)
            gate.set()
            assert [stream.status for stream in client.wait(*numbers)] == [200] * 5
        assert front.origin.connections == 5


def test_a_target_that_does_not_choose_http_2_gets_no_request(authority):
    origin = Http2Origin(tls=offering(authority, "http/1.1"))
    with Front(origin, secured(authority), protocol="h2") as front:
        assert exchange(front.port).status == 502
        assert "no HTTP/2 with" in front.proxyd.logs() and not origin.http1.requests


def test_a_websocket_toward_auto_goes_by_http_1(authority):
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello"
    origin = Http2Origin(tls=offering(authority, "h2", "http/1.1"), answer_http1=lambda request: [upgrade, "end"])
    with Front(origin, secured(authority), protocol="auto") as front:
        assert exchange(front.port).body == b"/"
        with Client(front.port) as client:
            client.send(get(b"/", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
            assert client.response().status == 101 and client.exactly(5) == b"hello"
        assert exchange(front.port).body == b"/" and len(origin.http1.requests) == 1


# -- nghttpd


class Nghttpd:
    """The server of the nghttp2 project, on files of a folder."""

    def __init__(self, folder, *arguments):
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(["nghttpd", "--no-tls", "-a", "127.0.0.1", "-d", str(folder), "--echo-upload", *arguments, str(port)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.mark.parametrize("arguments", [[], ["--max-concurrent-streams=3"], ["--trailer=x-end: 1"]], ids=["plain", "few streams", "trailers"])
def test_nghttpd_is_a_target(tmp_path, arguments):
    (tmp_path / "large").write_bytes(CONTENT * 40)
    (tmp_path / "small").write_bytes(b"small")
    with Front(Nghttpd(tmp_path, *arguments)) as front:
        eventually(lambda: exchange(front.port, get(b"/small")).status == 200)
        with connected(front.port, timeout=60) as client:
            numbers = [client.request("/small") for _ in range(30)] + [client.request("/large") for _ in range(5)]
            streams = client.wait(*numbers)
            assert [stream.body for stream in streams] == [b"small"] * 30 + [CONTENT * 40] * 5
            assert all(stream.trailers == ([("x-end", "1")] if "trailer" in str(arguments) else None) for stream in streams)
            assert client.get("/", method="POST", body=CONTENT).body == CONTENT
            assert client.get("/none").status == 404
