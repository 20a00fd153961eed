"""Rate limits: how often requests with one key may come, the same however many workers there are, over every change of
the document and every death of a worker."""
import concurrent.futures
import json
import os
import re
import signal
import threading

import grpc
import pytest
from client import Client, exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site



def by(client):
    return b"X-Forwarded-For: " + client.encode()


class World:
    """Routes whose first path segment names the limit that holds there; each test is a client of its own."""

    def __init__(self, limits, workers=1, routes=(), lists=None, log=None):
        self.gate, self.port = None, free_port()
        self.origin = Origin(self.answer)
        document = site(self.port, self.origin.address, cached={"default_ttl": {"200": "1h"}})
        document["defaults"] = {"trusted_proxies": ["127.0.0.1"]}
        document["rate_limits"], document["access_lists"] = limits, lists or {}
        if log:
            document["logging"] = {"access": [{"to": "file", "file": str(log), "format": "json"}]}
        document["hosts"]["all"]["routes"] = [*routes, *(
            {"name": name, "match": {"path_prefix": "/" + name}, "rate_limit": name, "upstream": "app"} for name in limits), {"name": "rest", "upstream": "app"}]
        self.document = document
        self.proxyd = Proxyd(document, workers=workers)

    def answer(self, request):
        return [self.gate, ok(b"hello")] if self.gate else ok(b"hello")

    def ask(self, path, client="192.0.2.1", *fields, **more):
        return exchange(self.port, get(path, by(client), *fields, **more))

    def statuses(self, count, path, client="192.0.2.1", *fields):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return sorted(pool.map(lambda _: self.ask(path, client, *fields).status, range(count)))

    def counted(self, limit, result):
        return self.proxyd.metric("proxyd_rate_limit_total", limit=limit, result=result)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.proxyd.logs())
        self.proxyd.stop()
        self.origin.stop()


LIMITS = {
    "few": {"rate": "3/h", "burst": 2}, "window": {"rate": "4/d", "type": "window"}, "watched": {"rate": "1/h", "mode": "observe"},
    "busy": {"rate": "1/h", "status": 503}, "header": {"rate": "2/h", "key": "header:X-Key"},
    "fallen": {"rate": "2/h", "key": "header:X-Key", "fallback": "client_ip"}, "cookie": {"rate": "1/h", "key": "cookie:user"},
    "query": {"rate": "1/h", "key": "query:u"}, "path": {"rate": "1/h", "key": "path"}, "spared": {"rate": "1/h", "except": "office"},
    "origin": {"rate": "2/h", "count": "origin"}, "wide": {"rate": "100/h"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    routes = [
        {"name": "both", "match": {"path_prefix": "/both"}, "rate_limit": ["wide", "few"], "upstream": "app"},
        {"name": "own", "match": {"path_prefix": "/own"}, "rate_limit": "few", "respond": {"body": "own"}},
        {"name": "cached", "match": {"path_prefix": "/origin"}, "rate_limit": "origin", "upstream": "app", "cache": "main"}]
    with World(LIMITS, routes=routes, lists={"office": {"allow": ["10.0.0.0/8"]}}, log=tmp_path_factory.mktemp("log") / "access") as running:
        yield running


@pytest.mark.parametrize("workers", [1, 4])
def test_a_limit_is_the_same_however_many_workers_there_are(workers):
    with World({"few": {"rate": "3/h", "burst": 7}, "window": {"rate": "10/d", "type": "window"}}, workers) as world:
        for limit in ("few", "window"):
            assert world.statuses(60, f"/{limit}".encode()) == [200] * 10 + [429] * 50
            assert (world.counted(limit, "admitted"), world.counted(limit, "denied")) == (10, 50)
        assert world.statuses(10, b"/few", "192.0.2.2") == [200] * 10, "of another client"


def test_one_too_many_is_told_when_to_come_back_and_why(world):
    for _ in range(5):
        assert world.ask(b"/few", "192.0.2.10").status == 200
    answer = world.ask(b"/few", "192.0.2.10", b"Accept: application/json")
    assert (answer.status, answer.value("Proxy-Status")) == (429, 'proxyd; error=http_request_denied; details="too many requests"')
    assert answer.value("RateLimit-Policy") == '"few";q=5;w=6000'
    wait = int(answer.value("Retry-After"))
    assert 0 < wait <= 1200 and answer.value("RateLimit") == f'"few";r=0;t={wait}'
    assert json.loads(answer.body)["error"] == "http_request_denied" and answer.value("Cache-Control") == "no-store"
    assert world.ask(b"/window", "192.0.2.10").value("RateLimit") is None, "what is let in says nothing of it"


def test_what_we_answer_ourselves_counts_too(world):
    statuses = [world.ask(b"/own", "192.0.2.11").status for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_an_ipv6_client_is_its_network_of_64_bits(world):
    for i in range(5):
        assert world.ask(b"/few", f"2001:db8:1:1::{i}").status == 200
    assert world.ask(b"/few", "2001:db8:1:1:ffff::1").status == 429
    assert world.ask(b"/few", "2001:db8:1:2::1").status == 200


def test_a_limit_that_only_observes_counts_and_logs_but_lets_in(world):
    assert world.statuses(4, b"/watched", "192.0.2.12") == [200] * 4
    assert (world.counted("watched", "admitted"), world.counted("watched", "observed"), world.counted("watched", "denied")) == (1, 3, 0)
    eventually(lambda: "rate limit 'watched' would turn 192.0.2.12 away" in world.proxyd.logs())


def test_the_status_may_be_another(world):
    assert [world.ask(b"/busy", "192.0.2.13").status for _ in range(2)] == [200, 503]
    assert len([name for name, _ in world.ask(b"/busy", "192.0.2.13").fields if name.lower() == "retry-after"]) == 1


@pytest.mark.parametrize("limit, one, other", [
    ("cookie", (b"Cookie: a=b; user=anna",), (b"Cookie: user=bert",)), ("query", b"?u=anna", b"?x=1&u=bert"), ("path", b"/anna", b"/bert")])
def test_the_key_is_any_value_of_the_request(world, limit, one, other):
    def ask(what):
        return world.ask(f"/{limit}".encode() + (what if isinstance(what, bytes) else b""), "192.0.2.14", *(what if isinstance(what, tuple) else ())).status
    assert [ask(one), ask(one), ask(other), ask(other)] == [200, 429, 200, 429]


def test_requests_without_the_key_are_counted_by_the_fallback_or_not_at_all(world):
    assert world.statuses(5, b"/header", "192.0.2.15") == [200] * 5
    assert world.statuses(3, b"/header", "192.0.2.15", b"X-Key: k1") == [200, 200, 429]
    assert world.statuses(3, b"/fallen", "192.0.2.15", b"X-Key: k1") == [200, 200, 429]
    assert world.statuses(3, b"/fallen", "192.0.2.15") == [200, 200, 429]
    assert world.statuses(2, b"/fallen", "192.0.2.16") == [200, 200]


def test_whom_an_access_list_excepts_is_not_counted(world):
    assert world.statuses(4, b"/spared", "10.0.0.1") == [200] * 4
    assert world.statuses(4, b"/spared", "192.0.2.17") == [200, 429, 429, 429]


def test_of_several_limits_all_must_let_in_and_a_denial_takes_nothing_of_the_others(world):
    before = world.counted("wide", "admitted")
    assert world.statuses(20, b"/both", "192.0.2.18") == [200] * 5 + [429] * 15
    assert world.counted("wide", "admitted") == before + 5


def test_a_hit_costs_nothing_where_only_what_an_origin_is_asked_for_counts(world):
    assert world.ask(b"/origin/a", "192.0.2.19").status == 200
    assert world.statuses(10, b"/origin/a", "192.0.2.19") == [200] * 10
    assert [world.ask(path, "192.0.2.19").status for path in (b"/origin/b", b"/origin/c", b"/origin/a")] == [200, 429, 200]
    assert world.ask(b"/origin/c", "192.0.2.20").status == 200, "whom it was denied holds nobody up"


def test_who_waits_for_anothers_fetch_costs_nothing_either(world):
    world.gate = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        first = pool.submit(world.ask, b"/origin/slow", "192.0.2.21")
        eventually(lambda: any(request.target == "/origin/slow" for request in world.origin.requests), what="the first")
        others = [pool.submit(world.ask, b"/origin/slow", "192.0.2.21") for _ in range(5)]
        eventually(lambda: world.proxyd.workers()[0]["in_flight"] >= 6, what="the others wait")
        world.gate.set()
        assert [one.result().status for one in (first, *others)] == [200] * 6
    world.gate = None
    assert [world.ask(path, "192.0.2.21").status for path in (b"/origin/d", b"/origin/e")] == [200, 429]


def in_parts(request):
    """The part that was asked for of 3000 octets."""
    first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", request.values("range")[0]).groups()
    body = (b"0123456789" * 300)[int(first):int(last) + 1]
    return (b"HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nCache-Control: max-age=100\r\nContent-Range: bytes %s-%d/3000\r\nContent-Length: %d\r\n\r\n"
            % (first.encode(), int(first) + len(body) - 1, len(body)) + body)


def test_an_answer_in_slices_costs_one_request_and_a_hit_on_all_of_them_none():
    origin, port = Origin(in_parts), free_port()
    document = site(port, origin.address, cached={"range": "slice", "slice": "1KiB"}, rate_limit="each")
    document["rate_limits"] = {"each": {"rate": "1/h", "count": "origin"}}
    with Proxyd(document):
        assert [len(exchange(port, get(b"/a")).body) for _ in range(3)] == [3000] * 3
        asked = len(origin.requests)
        answer = exchange(port, get(b"/b"))
        assert (answer.status, answer.value("RateLimit-Policy"), len(origin.requests)) == (429, '"each";q=1;w=3600', asked)
        assert exchange(port, get(b"/a")).status == 200
    origin.stop()


def test_explain_tells_what_counts_a_request(world):
    steps = world.proxyd.api("POST", "/api/v1/explain", {"url": "http://a.test/spared", "client": "10.0.0.1"})[1]["action"]["rate_limits"]
    assert steps == [{"limit": "spared", "counted_by": None, "requests": 1, "count": "all", "mode": "enforce"}]
    told = world.proxyd.proxyctl("explain", "http://a.test/origin/x", "--client", "192.0.2.1").stdout
    assert re.search(r"rate +origin: by client_ip, 2 at once, count origin, enforce", told), told


def test_counts_outlive_changes_of_the_document_and_workers():
    with World({"few": {"rate": "3/h", "burst": 7}}, workers=2) as world:
        assert world.statuses(6, b"/few") == [200] * 6
        world.proxyd.apply({**world.document, "defaults": {**world.document["defaults"], "timeouts": {"connect": "3s"}}})
        assert world.statuses(2, b"/few") == [200] * 2
        before = world.proxyd.pids()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(world.proxyd.pids()) == 2 and not set(before) & set(world.proxyd.pids()), what="new workers")
        eventually(lambda: all(worker["state"] == "running" for worker in world.proxyd.workers()), what="they run")
        assert world.statuses(5, b"/few") == [200] * 2 + [429] * 3
        assert world.counted("few", "admitted") == 10


def test_a_new_rate_holds_from_the_next_request_on():
    with World({"few": {"rate": "1/d"}}) as world:
        assert world.statuses(2, b"/few") == [200, 429]
        world.proxyd.apply({**world.document, "rate_limits": {"few": {"rate": "100/s"}}})
        eventually(lambda: world.ask(b"/few").status == 200, what="the new rate")


def test_a_grpc_call_too_many_is_told_in_its_own_words():
    port = free_port()
    document = site(port, "127.0.0.1:9", rate_limit="few")
    document["rate_limits"] = {"few": {"rate": "1/h", "status": 503}}
    document["listeners"]["main"]["protocols"] = ["h2c"]
    with Proxyd(document), grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]) as channel:
        codes = []
        for _ in range(2):
            with pytest.raises(grpc.RpcError) as failed:
                channel.unary_unary("/t.Service/Unary")(b"", timeout=10)
            codes.append(failed.value.code())
    assert codes == [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED]


def test_a_connection_that_was_denied_goes_on(world):
    with Client(world.port) as client:
        for expected in [200] * 5 + [429] * 3:
            client.send(get(b"/few", by("192.0.2.30")))
            assert client.response().status == expected
