"""How much one client may take: requests at once, connections of a listener, octets a second of a response."""
import concurrent.futures
import os
import signal
import threading
import time

import pytest
from client import Client, exchange, get
from http2 import connected
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site


def by(client):
    return b"X-Forwarded-For: " + client.encode()


class Held:
    """Requests that an origin holds until the gate opens."""

    def __init__(self, workers, most=3):
        self.gate, self.port = threading.Event(), free_port()
        self.origin = Origin(lambda request: [self.gate, ok(b"hello")] if "held" in request.target else ok(b"hello"))
        document = site(self.port, self.origin.address)
        document["defaults"] = {"trusted_proxies": ["127.0.0.1"], "limits": {"connections_per_client": most}}
        document["hosts"]["all"]["routes"].insert(0, {"name": "free", "match": {"path_prefix": "/free"}, "limits": {"connections_per_client": "off"}, "upstream": "app"})
        self.proxyd = Proxyd(document, workers=workers)
        self.clients = []

    def hold(self, count, client="192.0.2.1"):
        """So many more requests at once, each on a connection of its own; waits until the origin has them all."""
        seen = len(self.origin.requests)
        for _ in range(count):
            self.clients.append(Client(self.port))
            self.clients[-1].send(get(b"/held", by(client)))
        eventually(lambda: len(self.origin.requests) == seen + count, what="the requests")

    def ask(self, client="192.0.2.1", path=b"/"):
        return exchange(self.port, get(path, by(client)))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.proxyd.logs())
        self.gate.set()
        for client in self.clients:
            client.socket.close()
        self.proxyd.stop()
        self.origin.stop()


@pytest.mark.parametrize("workers", [1, 4])
def test_a_client_has_so_many_requests_at_once_in_all_workers_and_no_more(workers):
    with Held(workers) as held:
        held.hold(3)
        for _ in range(8):
            answer = held.ask()
            assert (answer.status, answer.value("Proxy-Status")) == (503, 'proxyd; error=connection_limit_reached; details="too many requests of this client at once"')
        assert held.ask("192.0.2.2").status == 200
        assert held.ask(path=b"/free").status == 200
        held.gate.set()
        assert [client.response().status for client in held.clients] == [200] * 3
        eventually(lambda: held.ask().status == 200, what="room again")


def test_explain_tells_how_many():
    with Held(1) as held:
        told = held.proxyd.api("POST", "/api/v1/explain", {"url": "http://a.test/"})[1]["action"]
        assert told["requests_at_once"] == 3
        assert "3 requests of one client" in held.proxyd.proxyctl("explain", "http://a.test/").stdout
        assert "requests of one client" not in held.proxyd.proxyctl("explain", "http://a.test/free").stdout


def test_an_abandoned_request_leaves_room():
    with Held(1) as held:
        held.hold(3)
        assert held.ask().status == 503
        held.clients.pop().reset()
        eventually(lambda: held.ask().status == 200, what="room again")


def test_what_a_dead_worker_ran_is_not_counted_any_more():
    with Held(2) as held:
        held.hold(3)
        assert held.ask().status == 503
        before = held.proxyd.pids()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(held.proxyd.pids()) == 2 and not set(before) & set(held.proxyd.pids()), what="new workers")
        eventually(lambda: all(worker["state"] == "running" for worker in held.proxyd.workers()), what="they run")
        held.gate.set()
        assert held.ask().status == 200


@pytest.mark.parametrize("workers", [1, 4])
def test_a_listener_has_so_many_connections_in_all_workers(workers):
    origin, port = Origin(lambda request: ok(b"hello")), free_port()
    document = site(port, origin.address)
    document["listeners"]["main"]["max_connections"] = 10
    with Proxyd(document, workers=workers) as proxyd:
        clients = [Client(port) for _ in range(40)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\n")   # busy, so that none is closed for another
        eventually(lambda: proxyd.metric("proxyd_downstream_accepted_total", listener="main") == 10, what="ten connections")
        for client in clients:
            client.send(b"Host: a.test\r\nConnection: close\r\n\r\n")
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            assert list(pool.map(lambda client: client.response().status, clients)) == [200] * 40, "who waited is served when others have left"
        for client in clients:
            client.socket.close()
    origin.stop()


CONTENT = bytes(range(256)) * 2048   # 512 KiB
PACED = {"rate": "512KiB/s", "after": "256KiB"}   # which takes half a second, less what was made up for


@pytest.fixture(scope="module")
def paced():
    origin, port = Origin(lambda request: ok(CONTENT, b"Cache-Control: max-age=100") if "chunked" not in request.target else
                          b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(CONTENT) + CONTENT + b"\r\n0\r\n\r\n"), free_port()
    document = site(port, origin.address, cached=True, bandwidth=PACED)
    document["listeners"]["main"]["protocols"] = ["h1", "h2c"]
    document["hosts"]["all"]["routes"][:0] = [
        {"name": "relayed", "match": {"path_prefix": "/relayed"}, "upstream": "app"},
        {"name": "quick", "match": {"path_prefix": "/quick"}, "upstream": "app", "cache": "main", "bandwidth": None}]
    with Proxyd(document):
        exchange(port, get(b"/cached"))
        exchange(port, get(b"/quick"))
        yield port
    origin.stop()


def seconds(ask):
    began = time.monotonic()
    body = ask()
    assert body == CONTENT
    return time.monotonic() - began


@pytest.mark.parametrize("path", [b"/relayed", b"/relayed/chunked", b"/cached", b"/cached?miss"])
def test_the_content_of_a_response_leaves_no_faster_than_its_bandwidth(paced, path):
    assert seconds(lambda: exchange(paced, get(path)).body) > 0.3


@pytest.mark.parametrize("path", ["/relayed", "/cached"])
def test_and_so_it_does_in_http2_beside_another_that_is_not_held_up(paced, path):
    with connected(paced) as client:
        began = time.monotonic()
        slow, quick = client.request(path), client.request("/quick")
        assert client.wait(quick)[0].body == CONTENT
        assert client.wait(slow)[0].body == CONTENT and time.monotonic() - began > 0.3


def test_a_range_within_what_leaves_at_once_is_not_held_up_and_a_client_that_leaves_is_noticed(paced):
    assert len(exchange(paced, get(b"/cached", b"Range: bytes=0-9999")).body) == 10_000
    with Client(paced) as client:
        client.send(get(b"/relayed"))
        client.exactly(1000)
        client.reset()
    assert len(exchange(paced, get(b"/cached")).body) == len(CONTENT)
