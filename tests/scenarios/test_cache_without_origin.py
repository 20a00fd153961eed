"""Where the origin gives no answer, or the worker has its hands full: what is stored stands in, and nobody queues."""
import contextlib
import random
import threading

import pytest
from crowd import Crowd, connect
from pages import Caches
from proxyd import eventually

STALE = ["Cache-Control: max-age=60", "Age: 70", 'ETag: "a"']
FRESH = "Cache-Control: max-age=3600"
LONG = random.Random(9).randbytes(8 << 20)   # more than the sockets on its way hold
PATIENT = {"collapse": {"timeout": "1h"}}


@pytest.fixture
def sturdy():
    with Caches({"sturdy": {"stale_if_error": "1h", **PATIENT}}) as running:
        yield running


def stale_page(caches, gate):
    """One that is stored, and whose origin from now on waits for the gate."""
    page = caches.saying(*STALE, policy="sturdy", body=LONG)
    for _ in range(2):   # what is large enters on its second request
        page.get()
    page.says(*STALE, body=LONG, before=gate)
    return page


def give_routes_300_ms(caches):
    caches.proxyd.apply({**caches.document, "defaults": {"timeouts": {"total": "300ms"}}})


def read_slowly(caches, page):
    """The content, by a client that can't be sent all of it at once."""
    with Crowd(connect(caches.port, 1, buffer=65536), page.request()) as one:
        one.read_all()
        return one.body(0)


def test_what_stands_in_for_an_origin_that_took_all_the_time_of_the_route_has_more_rfc5861_4(sturdy):
    gate = threading.Event()
    page = stale_page(sturdy, gate)
    give_routes_300_ms(sturdy)
    assert read_slowly(sturdy, page) == LONG and len(page.asked) == 3
    gate.set()


def test_what_stands_in_for_another_client_who_took_all_the_time_of_the_route_has_more_rfc5861_4(sturdy):
    gate = threading.Event()
    page = stale_page(sturdy, gate)
    with Crowd(connect(sturdy.port, 1), page.request()) as first:   # by the document as it was, so without an end
        eventually(lambda: len(page.asked) == 3)
        give_routes_300_ms(sturdy)
        assert read_slowly(sturdy, page) == LONG
        gate.set()
        first.read_all()
        assert first.body(0) == LONG


PADDED = {"headers": {"response": {"set": {f"X-Pad-{i}": "p" * 4000 for i in range(4)}}}}
FIRST, OTHER = "X-Who: first", "X-Who: other"


@pytest.mark.parametrize("stored", [True, False], ids=["stale", "nothing"])
def test_nobody_queues_behind_a_client_that_does_not_take_its_error(stored):
    """It has no room for a 502 that it is owed; whoever wants the same asks the origin at once."""
    with Caches({"patient": PATIENT}, hosts={"patient": PADDED}) as caches:
        page = caches.page("patient")
        if stored:
            page.says(*STALE).get()
        page.says(steps=["close"])

        def heard_of_first():
            return sum(request.values("X-Who") == ["first"] for request in page.asked)

        def others_alone():
            """The origin hears twenty of the others, and nothing of the first between them."""
            before = heard_of_first()
            assert [page.get(OTHER).status for _ in range(20)] == [502] * 20
            return before and heard_of_first() == before

        with connect(caches.port, 1, buffer=4096)[0] as first:
            first.sendall(page.request(FIRST) * 500)   # 8 MB of answers
            eventually(others_alone, 60)
            assert heard_of_first() < 500, "it is owed more"


def test_what_a_busy_worker_did_not_store_is_passed_for_a_second():
    """64 fetches go on though their clients have what they wanted; that is as many as there may be."""
    gate, head = threading.Event(), b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 100\r\n\r\n"
    with Caches({"plain": PATIENT}) as caches, contextlib.ExitStack() as ending:
        ending.callback(gate.set)   # else the worker would wait for them
        for _ in range(64):
            assert caches.saying(steps=[head + b"x" * 60, gate, b"x" * 40]).get("Range: bytes=0-0").status == 206
        page = caches.saying(FRESH, ranges=True)

        def looked_up():
            return caches.proxyd.api("POST", "/api/v1/cache:lookup", {"url": f"http://plain.test{page.path}"})[1]["result"]

        def passed():
            got = page.get("Range: bytes=0-3")
            assert (got.status, got.body) == (206, b"answ") and "detail=busy" in got.value("Cache-Status"), got
            return looked_up() == "pass"
        eventually(passed)
        eventually(lambda: looked_up() == "miss")
        gate.set()
        eventually(lambda: page.get("Range: bytes=0-3").fate == "hit")
