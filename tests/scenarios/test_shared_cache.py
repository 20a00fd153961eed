"""One cache for all workers: what it serves, how much it takes, what it says of itself."""
import json
import os
import random
import threading

import pytest
from client import Client, exchange
from crowd import Crowd, connect, spread
from mixture import Mixture
from pages import Caches
from proxyd import Proxyd, eventually
from scale import scaled

FRESH = "Cache-Control: max-age=3600"
SIZES = [100, 1000, 100_000, 10_000_000]


class Log:
    """The lines of an access log in JSON."""

    def __init__(self, path):
        self.path = path

    def lines(self, path):
        written = self.path.read_text().rpartition("\n")[0]   # the last line may be half there
        return [one for one in map(json.loads, written.splitlines()) if one["path"] == path]

    def of(self, page, count):
        eventually(lambda: len(self.lines(page.path)) >= count, what=f"{count} lines of the log")
        return self.lines(page.path)


PATIENT = {"timeouts": {"client_header": "10m"}}   # connections wait for their turn


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "access"
    with Caches({"plain": {}, "sturdy": {"stale_if_error": "1h"}}, {"logging": {"access": [{"to": "file", "file": str(path)}]}, "defaults": PATIENT}, workers=4) as running:
        running.log = Log(path)
        yield running


@pytest.mark.parametrize("size", SIZES)
def test_a_hit_from_any_worker_is_octet_for_octet_the_origins_answer(four, size):
    body = random.Random(size).randbytes(size)
    page = four.saying(FRESH, 'ETag: "a"', body=body)
    for _ in range(1 if size <= 100_000 else 2):   # what is large enters on its second request
        assert page.get(timeout=60).body == body
    fetched = len(page.asked)
    for client in spread(four.proxyd, four.port, 1):
        with Crowd([client], page.request()) as one:
            one.read_all()
            assert one.body(0) == body and "; hit" in one.fields(0)["cache-status"]
    assert len(page.asked) == fetched


def test_a_worker_that_starts_anew_finds_the_cache_warm(four):
    page = four.saying(FRESH)
    page.get()
    before = four.proxyd.pids()
    os.kill(before[0], 9)
    eventually(lambda: before[0] not in four.proxyd.pids() and len(four.proxyd.pids()) == 4)
    with Crowd(spread(four.proxyd, four.port, 1), page.request()) as everyone:
        everyone.read_all()
    assert len(page.asked) == 1


@pytest.mark.rows("RS-020")
def test_workers_that_die_at_any_moment_harm_neither_what_is_stored_nor_the_others():
    mixture, choice = Mixture(20), random.Random(20)
    with Proxyd(mixture.document, workers=4) as proxyd:
        with mixture:
            for number in range(scaled(6, 16)):
                target = mixture.answered + 100
                eventually(lambda: mixture.answered > target or mixture.wrong, 60)
                os.kill(choice.choice(eventually(proxyd.pids)), 6 if number % 2 else 9)
        assert not mixture.wrong, mixture.wrong[0]
        eventually(lambda: proxyd.metric("proxyd_upstream_in_flight") == 0)
    mixture.origin.stop()
    print(f"{mixture.answered} answers, {mixture.failed} of failures, {mixture.cut} cut")


@pytest.mark.rows("UP-039")
def test_while_no_origin_answers_what_may_be_stale_is_served_and_all_else_is_503_or_502():
    with Caches({"plain": {}, "sturdy": {"stale_if_error": "1h"}}, workers=2) as caches:
        stale = caches.saying("Cache-Control: max-age=60", "Age: 70", 'ETag: "a"', "Connection: close", policy="sturdy")
        fresh, other = caches.saying(FRESH, "Connection: close"), caches.saying(FRESH)
        stale.get(), fresh.get()
        caches.origin.stop()
        for _ in range(3):
            assert (stale.get().status, fresh.get().status) == (200, 200)
            assert other.get().status in (502, 503)


@pytest.mark.rows("RS-011")
def test_a_full_cache_drops_old_content_for_new_and_keeps_to_its_memory():
    memory = 8 << 20
    with Caches({"plain": {}}, {"cache": {"max_object": "1MiB"}}, workers=2, arguments=["--cache", "8MiB"]) as caches:
        bodies = [random.Random(i).randbytes(20_000 + i * 300) for i in range(300)]
        pages = [caches.saying(FRESH, body=body) for body in bodies]
        for _ in range(2):
            for page, body in zip(pages, bodies):
                got = page.get()
                assert got.status == 200 and got.body == body
        for page in pages[-5:] * 3:
            page.get()
        assert [page.get().fate for page in pages[-5:]].count("hit") >= 3, "what is asked for again and again is kept"
        seen = caches.proxyd.api("GET", "/api/v1/cache")[1]
        assert 0 < seen["bytes"] <= memory and 0 < seen["objects"] < 600


def test_memory_is_lowered_and_raised_while_it_serves():
    with Caches({"plain": {}}, {"cache": {"memory": "64MiB"}}, workers=2, arguments=["--cache", "64MiB"]) as caches:
        pages = [caches.saying(FRESH, body=random.Random(i).randbytes(60_000)) for i in range(300)]
        for page in pages:
            page.get()
        caches.proxyd.apply({**caches.document, "cache": {"memory": "8MiB"}})
        eventually(lambda: caches.proxyd.api("GET", "/api/v1/cache")[1]["bytes"] <= 8 << 20, 20)
        assert all(page.get().status == 200 for page in pages)
        caches.proxyd.apply({**caches.document, "cache": {"memory": "64MiB"}})
        for page in pages * 2:
            page.get()
        assert [page.get().fate for page in pages].count("hit") == 300


def test_a_change_of_policy_holds_at_once_and_keeps_what_is_stored():
    with Caches({"plain": {}}) as caches:
        page, other = caches.saying(FRESH), caches.saying()
        assert page.fates((), ()) == ["miss", "hit"] and other.fates((), ()) == ["miss", "miss"]
        caches.proxyd.apply({**caches.document, "cache_policies": {"plain": {"default_ttl": {"200": "1h"}}}})
        assert page.get().fate == "hit" and other.fates((), ()) == ["miss", "hit"]
        host = {**caches.document["hosts"]["plain"], "cache": None}
        host["routes"] = [{key: value for key, value in host["routes"][0].items() if key != "cache"}]
        caches.proxyd.apply({**caches.document, "hosts": {"plain": host}})
        assert page.fates((), ()) == ["miss", "miss"] and not page.get().value("Cache-Status")


@pytest.mark.parametrize("to", [{"respond": {"status": 200, "body": "here"}}, {"redirect": {"to": "https://b.test/", "status": 308}}], ids=["respond", "redirect"])
def test_a_download_goes_on_in_slices_where_its_route_has_no_upstream_any_more(to):
    body = bytes(range(256)) * 65536   # more than lies in sockets on its way
    with Caches({"sliced": {"range": "slice", "slice": "1MiB"}}) as caches:
        page = caches.saying("Cache-Control: max-age=60, stale-while-revalidate=3600", "Age: 61", 'ETag: "a"', body=body, ranges=True, policy="sliced")
        assert page.get().body == body   # all slices are stored, and stale
        pids = {worker["pid"] for worker in caches.proxyd.workers()}
        with Client(caches.port) as client:
            client.send(page.request())
            client.peek()
            caches.proxyd.apply({**caches.document, "hosts": {"sliced": {"names": ["sliced.test"], "cache": "sliced", "routes": [{"name": "all", "match": {"path_prefix": "/"}, **to}]}}})
            assert client.response().body == body
        assert exchange(caches.port, page.request()).status in (200, 308)
        assert {worker["pid"] for worker in caches.proxyd.workers()} == pids, "none has died"


def test_cache_status_is_left_out_where_the_document_says_so():
    with Caches({"plain": {}}, {"defaults": {"cache_status": "off"}}) as caches:
        page = caches.saying(FRESH, "Cache-Status: Origin; hit")
        for fate in ("miss", "hit"):
            got = page.get()
            assert got.fate == fate and [value for name, value in got.fields if name.lower() == "cache-status"] == ["Origin; hit"]


FIRST = ("miss", "miss")
LOGGED = {
    "hit": ([FRESH], [(), ()], [FIRST, ("hit", "")]), "no-store": (["Cache-Control: no-store"], [()], [("pass", "no_store")]), "no-lifetime": ([], [()], [("pass", "no_lifetime")]),
    "validated": (["Cache-Control: max-age=60", "Age: 61", 'ETag: "a"'], [(), ()], [FIRST, ("validated", "stale")]),
    "bypass": ([FRESH], [("X-HTTP-Method-Override: PUT",)], [("bypass", "method_override")]), "no-cache": ([FRESH], [(), ("Cache-Control: no-cache",)], [FIRST, ("miss", "request_no_cache")]),
    "stale": (["Cache-Control: max-age=60, stale-while-revalidate=600", "Age: 61", 'ETag: "a"'], [(), ()], [FIRST, ("stale", "stale")]),
    "vary": ([FRESH, "Vary: A"], [("A: 1",), ("A: 2",), ("A: 1",)], [FIRST, ("miss", "vary_miss"), ("hit", "")]), "post": ([FRESH], [("method",)], [("bypass", "method")]),
    "request-no-store": ([FRESH], [("Cache-Control: no-store",)], [("pass", "request_no_store")]),
}


@pytest.mark.parametrize("fields, requests, said", LOGGED.values(), ids=LOGGED)
def test_log_and_metrics_say_what_the_cache_was_and_why(four, fields, requests, said):
    page, route = four.saying(*fields), {"host": "plain", "route": "all"}
    before = [four.proxyd.metric("proxyd_cache_requests_total", result=result, **route) for result, _ in said]
    for one in requests:
        page.get(*one) if one != ("method",) else page.get(method="POST", body=b"")
    lines = four.log.of(page, len(requests))   # of several workers, in any order
    assert sorted((line["cache"], line.get("cache_reason", "")) for line in lines) == sorted(said)
    for (result, _), count in zip(said, before):
        eventually(lambda: four.proxyd.metric("proxyd_cache_requests_total", result=result, **route) > count)


@pytest.mark.parametrize("reason, fields", [("set_cookie", [FRESH, "Set-Cookie: a=b"]), ("no_store", ["Cache-Control: no-store"]), ("vary", [FRESH, "Vary: *"]), ("no_lifetime", [])])
def test_why_an_answer_is_not_stored_is_counted_for_its_route(four, reason, fields):
    def counted():
        return four.proxyd.metric("proxyd_cache_reasons_total", reason=reason, host="plain", route="all")
    before = counted()
    for _ in range(3):
        four.saying(*fields).get()
    eventually(lambda: counted() == before + 3)


def test_hits_go_on_while_a_fill_and_a_slow_reader_last(four):
    gate = threading.Event()
    fill, hit = four.saying(FRESH, body=b"x" * 100_000, middle=gate), four.saying(FRESH)
    hit.get()
    with Crowd(connect(four.port, 8), fill.request()) as crowd, Client(four.port) as client:
        crowd.read(lambda: crowd.have_begun() == 8)
        for _ in range(50):
            client.send(hit.request())
            assert client.response().body == b"answer 1"
        gate.set()
        crowd.read_all()
