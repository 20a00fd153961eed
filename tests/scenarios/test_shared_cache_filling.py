"""One fetch for all who want the same, whoever dies or leaves meanwhile."""
import os
import random
import threading

import pytest
from client import Client, Closed
from crowd import Crowd, connect, spread
from origin import ok
from pages import Caches
from process import owner_of
from proxyd import eventually

BODY = random.Random(5).randbytes(400_000)
FRESH = ["Cache-Control: max-age=3600", 'ETag: "a"']


@pytest.fixture(scope="module")
def four():
    with Caches({"plain": {}, "patient": {"collapse": {"timeout": "30s"}}, "impatient": {"collapse": {"timeout": "300ms"}}}, workers=4) as running:
        yield running


@pytest.mark.rows("CA-040")
def test_a_thousand_requests_for_a_cold_page_are_one_at_the_origin_and_all_read_while_it_comes(four):
    gate = threading.Event()
    page = four.saying(*FRESH, policy="patient", body=BODY, middle=gate)
    with Crowd(connect(four.port, 1000), page.request()) as crowd:
        crowd.read(lambda: crowd.have_begun() == 1000)
        assert not crowd.over
        gate.set()
        crowd.read_all()
        assert all(crowd.body(i) == BODY for i in range(1000))
    assert len(page.asked) == 1


def test_those_who_follow_say_so_and_later_ones_are_hits(four):
    gate = threading.Event()
    page = four.saying(*FRESH, policy="patient", body=BODY, before=gate)
    with Crowd(connect(four.port, 20), page.request()) as crowd:
        eventually(lambda: page.asked and sum(worker["connections"] for worker in four.proxyd.workers()) >= 20)
        gate.set()
        crowd.read_all()
        said = [crowd.fields(i)["cache-status"] for i in range(20)]
    assert sum("stored" in one for one in said) == 1
    assert sum("collapsed" in one for one in said) == 19
    assert "hit" in page.get().value("Cache-Status")


def killed_in_the_middle(four, page):
    """Clients of all workers, once the worker that fetched the page has been killed in the middle."""
    first = Client(four.port, timeout=30)
    first.send(page.request())
    first.head()
    first.exactly(len(BODY) // 2)
    crowd = Crowd(spread(four.proxyd, four.port), page.request())
    crowd.read(lambda: crowd.have_begun() == len(crowd.clients))
    os.kill(owner_of(four.proxyd.pids(), page.asked[0].peer_port), 9)
    return crowd


@pytest.mark.rows("CA-059")
@pytest.mark.parametrize("ranges", [True, False], ids=["206", "200"])
def test_when_the_worker_that_fetches_is_killed_exactly_one_other_goes_on(four, ranges):
    gate = threading.Event()
    page = four.saying(*FRESH, policy="patient", body=BODY, middle=gate, ranges=ranges).says(*FRESH, body=BODY, ranges=ranges)
    with killed_in_the_middle(four, page) as crowd:
        crowd.read_all()
        everyone = range(len(crowd.clients))
        whole = [i for i in everyone if crowd.is_whole(i)]
        assert all(crowd.body(i) == BODY for i in whole) and len(whole) >= 6
        assert all(BODY.startswith(crowd.body(i)) for i in everyone)
    gate.set()
    assert len(page.asked) == 2
    assert page.asked[1].values("If-Range") == ['"a"'] and page.asked[1].values("Range")[0].startswith("bytes=")
    eventually(lambda: len(four.proxyd.pids()) == 4)
    later = page.get()
    assert (later.fate, later.body) == ("hit", BODY)


@pytest.mark.rows("CA-059")
@pytest.mark.parametrize("validator, again", [([], BODY), (['ETag: W/"a"'], BODY), (['ETag: "a"'], BODY[::-1])], ids=["none", "weak", "changed"])
def test_without_the_same_strong_validator_nothing_is_joined_and_nobody_gets_a_mixture(four, validator, again):
    gate = threading.Event()
    fresh = ["Cache-Control: max-age=3600", *validator]
    page = four.saying(*fresh, policy="patient", body=BODY, middle=gate, ranges=True)
    page.says("Cache-Control: max-age=3600", *(['ETag: "b"'] if again != BODY else validator), body=again, ranges=True)
    with killed_in_the_middle(four, page) as crowd:
        crowd.read_all()
        contents = [crowd.body(i) for i in range(len(crowd.clients))]
        assert all(BODY.startswith(content) or again.startswith(content) for content in contents)
    gate.set()
    eventually(lambda: len(four.proxyd.pids()) == 4)
    assert page.get().body == again
    assert page.get().fate == "hit"


def test_a_worker_that_dies_without_followers_leaves_nothing_readable(four):
    gate = threading.Event()
    page = four.saying(*FRESH, body=BODY, middle=gate).says(*FRESH, body=BODY)
    with Client(four.port) as client:
        client.send(page.request())
        client.head()
        client.exactly(len(BODY) // 2)
        os.kill(owner_of(four.proxyd.pids(), page.asked[0].peer_port), 9)
        assert client.is_closed() or client.buffer
    gate.set()
    eventually(lambda: len(four.proxyd.pids()) == 4)
    got = page.get()
    assert (got.body, got.status) == (BODY, 200)


def test_a_client_that_leaves_does_not_end_the_fetch_that_others_read(four):
    gate = threading.Event()
    page = four.saying(*FRESH, policy="patient", body=BODY, middle=gate)
    first = Client(four.port)
    first.send(page.request())
    first.head()
    with Crowd(connect(four.port, 8), page.request()) as crowd:
        crowd.read(lambda: crowd.have_begun() == 8)
        first.reset()
        eventually(lambda: sum(worker["connections"] for worker in four.proxyd.workers()) <= 8)
        gate.set()
        crowd.read_all()
        assert all(crowd.body(i) == BODY for i in range(8))
    assert len(page.asked) == 1 and page.get().fate == "hit"


@pytest.mark.parametrize("part, kept", [(0.25, False), (0.75, True)], ids=["less than half", "more than half"])
def test_a_fetch_that_nobody_reads_any_more_goes_on_only_beyond_its_half(four, part, kept):
    gate, cut = threading.Event(), int(len(BODY) * part)
    head = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    page = four.saying(steps=[head, BODY[:cut], gate, BODY[cut:]]).says(*FRESH, body=BODY)
    with Client(four.port) as client:
        client.send(page.request())
        client.head()
        client.exactly(cut)
        client.reset()
        if not kept:
            eventually(lambda: not owner_of(four.proxyd.pids(), page.asked[0].peer_port), what="the end of the fetch")
        else:
            eventually(lambda: not any(worker["connections"] for worker in four.proxyd.workers()))
    gate.set()
    assert page.get().body == BODY
    assert len(page.asked) == (1 if kept else 2)


def test_a_client_that_does_not_read_slows_no_fetch_and_no_other(four):
    body, gate = random.Random(6).randbytes(8 << 20), threading.Event()
    page = four.saying(*FRESH, policy="patient", body=body, middle=gate)
    with Crowd(connect(four.port, 1, buffer=65536), page.request()) as slow:   # does not read yet
        eventually(lambda: page.asked)
        with Crowd(connect(four.port, 4), page.request()) as others:
            others.read(lambda: others.have_begun() == 4)
            gate.set()
            others.read_all()
            assert all(others.body(i) == body for i in range(4))
        assert len(page.asked) == 1
        slow.read_all()
        assert slow.body(0) == body


def test_what_turns_out_not_to_be_stored_makes_nobody_queue(four):
    gate = threading.Event()
    page = four.saying("Cache-Control: no-store", policy="patient", before=gate).says("Cache-Control: no-store", body=BODY)
    with Crowd(connect(four.port, 60), page.request()) as crowd:
        eventually(lambda: page.asked)
        gate.set()
        crowd.read_all(20)
        assert all(crowd.is_whole(i) for i in range(60))
        said = [crowd.fields(i)["cache-status"] for i in range(60)]
    assert len(page.asked) == 60
    assert not any(one.endswith("collapsed") or "collapsed;" in one for one in said), "who waited in vain made a request"
    held = threading.Event()   # and for a while nobody waits for it at all
    page.says("Cache-Control: no-store", before=held)
    with Crowd(connect(four.port, 10), page.request()) as crowd:
        eventually(lambda: len(page.asked) == 70, what="all at the origin at once")
        held.set()
        crowd.read_all()


def test_who_has_waited_long_enough_asks_the_origin_itself(four):
    gate = threading.Event()
    page = four.saying(*FRESH, policy="impatient", before=gate).says(*FRESH)
    with Crowd(connect(four.port, 1), page.request()) as first:
        eventually(lambda: page.asked)
        assert page.get().number == 2
        gate.set()
        first.read_all()
        assert first.body(0) == b"answer 1"


@pytest.fixture(scope="module")
def small():
    with Caches({"plain": {"max_object": "1MiB", "collapse": {"timeout": "30s"}}}, workers=2) as running:
        yield running


LARGE = random.Random(7).randbytes(2 << 20)
CHUNKED = b"200000\r\n" + LARGE + b"\r\n0\r\n\r\n"


PART = b"HTTP/1.1 206 Part\r\nCache-Control: max-age=60\r\nETag: \"a\"\r\nContent-Range: bytes 0-65535/65536\r\nContent-Length: 65536\r\n\r\n"


@pytest.mark.parametrize("policy, head", [("plain", b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 65536\r\n\r\n"), ("sliced", PART)], ids=["whole", "slices"])
def test_fetches_that_clients_wait_for_leave_room_for_what_is_fetched_for_no_client(policy, head):
    gate = threading.Event()
    with Caches({"plain": {}, "sliced": {"range": "slice", "slice": "64KiB"}}, workers=1) as one:
        clients = [Client(one.port) for _ in range(80)]   # more than may go on alone
        pages = [one.saying(policy=policy, steps=[head + b"x" * 1000, gate, b"x" * 64536]) for _ in clients]
        for client, page in zip(clients, pages):
            client.send(page.request())
        eventually(lambda: all(page.asked for page in pages))
        page = one.saying(*FRESH)
        page.get('If-None-Match: "other"')
        eventually(lambda: page.get().number == 1 and len(page.asked) == 1, what="a hit")
        gate.set()
        for client in clients:
            assert client.response().body == b"x" * 65536
            client.socket.close()


@pytest.fixture
def early():
    """A stored page whose POST is answered before its content has ended, which may be 1 KiB."""
    with Caches({"open": {"methods": ["GET", "HEAD", "POST"]}}, hosts={"open": {"limits": {"request_body": "1KiB"}}}) as caches:
        page = caches.page("open")
        page.says(*FRESH)
        assert page.get().body == b"answer 1"
        answer = [ok(b"early", b"Cache-Control: max-age=60", b"Content-Location: " + page.path.encode()), "end"]
        caches.origin.early = lambda request: answer if request.method == "POST" else None
        with Client(caches.port) as client:
            client.send(page.request("Transfer-Encoding: chunked", method="POST") + b"400\r\n" + b"x" * 1024 + b"\r\n")
            yield page, client


def test_an_upload_that_grows_too_large_after_an_early_answer_is_refused_as_ever(early):
    page, client = early
    client.send(b"1\r\nx\r\n")
    assert client.response().status == 413
    assert page.get().body in (b"answer 1", b"answer 2"), "nothing was stored of it"


def test_an_early_answer_invalidates_though_its_upload_never_ends_rfc9111_4_4(early):
    page, client = early
    eventually(lambda: page.get().body == b"answer 2")
    client.reset()


def received_by_six(page, reading=False):
    """What six clients at once get; None for one that was cut. `reading`: the origin stops in the middle of its content
    until all of them have begun to read."""
    gate, began, got = threading.Event(), threading.Semaphore(0), []
    setattr(page.answers[0], "middle" if reading else "before", gate)

    def ask():
        with Client(page.caches.port, timeout=30) as client:
            client.send(page.request())
            try:
                if reading:
                    client.peek()
                    began.release()
                got.append(client.response().body)
            except Closed:
                got.append(None)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    eventually(lambda: page.asked)
    if reading:
        for _ in threads:
            assert began.acquire(timeout=30)
    gate.set()
    for thread in threads:
        thread.join()
    return got


def test_an_answer_known_to_be_too_large_reaches_everyone_whole(small):
    page = small.saying(*FRESH, body=LARGE)
    assert [one == LARGE for one in received_by_six(page)] == [True] * 6
    assert page.get().number == len(page.asked), "nothing was stored"


def test_who_reads_what_turns_out_too_large_goes_on_by_range_under_a_strong_validator(small):
    page = small.saying(*FRESH, "Transfer-Encoding: chunked", body=CHUNKED).says(*FRESH, body=LARGE, ranges=True)
    assert [one == LARGE for one in received_by_six(page, reading=True)] == [True] * 6
    assert page.get().number == len(page.asked)


def test_who_goes_on_passes_over_what_it_has_where_the_origin_says_all_again(small):
    page = small.saying(*FRESH, "Transfer-Encoding: chunked", body=CHUNKED)
    assert [one == LARGE for one in received_by_six(page, reading=True)] == [True] * 6
    assert any(asked.values("If-Range") == ['"a"'] for asked in page.asked)


@pytest.mark.parametrize("ranges", [True, False])
def test_who_would_go_on_with_something_else_is_cut_and_given_no_mixture(small, ranges):
    page = small.saying(*FRESH, "Transfer-Encoding: chunked", body=CHUNKED)
    page.says("Cache-Control: max-age=3600", 'ETag: "b"', body=LARGE[::-1], ranges=ranges)
    got = received_by_six(page, reading=True)
    assert sorted(got, key=bool) == [None] * 5 + [LARGE]


def test_who_reads_what_turns_out_too_large_is_cut_and_given_no_mixture_without_one(small):
    page = small.saying("Cache-Control: max-age=60", "Transfer-Encoding: chunked", body=CHUNKED)
    got = received_by_six(page, reading=True)
    assert sorted(got, key=bool) == [None] * 5 + [LARGE]
    assert page.get().body == LARGE and page.get().number == len(page.asked)


@pytest.mark.rows("CA-058")
@pytest.mark.parametrize("when", ["before", "middle"])
def test_what_was_asked_for_before_a_purge_is_never_used_after_it(four, when):
    gate = threading.Event()
    page = four.saying(*FRESH, "Cache-Tag: news", body=BODY, **{when: gate}).says(*FRESH, body=b"new")
    with Crowd(connect(four.port, 1), page.request()) as crowd:
        eventually(lambda: page.asked)
        if when == "middle":
            crowd.read(lambda: crowd.have_begun() == 1)
        status, answer = four.proxyd.api("POST", "/api/v1/cache/purges", {"urls": [f"http://plain.test{page.path}"]})
        assert status in (200, 201), answer
        gate.set()
        crowd.read_all()
        assert crowd.body(0) == BODY
    for _ in range(3):
        assert page.get().body == b"new"


@pytest.mark.parametrize("control", ["no-cache", "max-age=0"])
def test_what_may_be_given_to_nobody_else_is_validated_by_all_side_by_side(four, control):
    """One after the other would make a page as slow as the origin's way there and back, times the clients."""
    page = four.saying(f"Cache-Control: {control}", 'ETag: "a"', policy="patient", body=BODY)
    page.get()
    gate = threading.Event()
    page.says(f"Cache-Control: {control}", 'ETag: "a"', before=gate)
    page.answers.pop(0)
    with Crowd(connect(four.port, 20), page.request()) as crowd:
        eventually(lambda: len(page.asked) == 21)
        assert all(asked.values("If-None-Match") == ['"a"'] for asked in page.asked[1:])
        gate.set()
        crowd.read_all()
        assert all(crowd.body(i) == BODY for i in range(20))


@pytest.mark.parametrize("field", [[], ["Cache-Control: no-cache"], ["Cache-Control: max-age=0"]])
def test_who_comes_after_a_soft_purge_is_not_given_what_was_asked_for_before_it(four, field):
    gate = threading.Event()
    page = four.saying(*FRESH, policy="patient", body=b"old", before=gate).says('ETag: "b"', "Cache-Control: max-age=3600", body=b"new")
    with Crowd(connect(four.port, 1), page.request()) as first:
        eventually(lambda: page.asked)
        status, answer = four.proxyd.api("POST", "/api/v1/cache/purges", {"urls": [f"http://patient.test{page.path}"], "mode": "soft"})
        assert status in (200, 201), answer
        before = sum(worker["connections"] for worker in four.proxyd.workers())
        with Crowd(connect(four.port, 1), page.request(*field)) as second:
            eventually(lambda: sum(worker["connections"] for worker in four.proxyd.workers()) > before)
            gate.set()
            first.read_all()
            second.read_all()
            assert (first.body(0), second.body(0)) == (b"old", b"new")


def test_what_all_validate_for_themselves_stays_however_many_former_heads_are_read(four):
    gates = [threading.Event(), threading.Event()]
    said = ("Cache-Control: no-cache", 'ETag: "a"')
    page = four.saying(*said).says(*said, before=gates[0]).says(*said).says(*said, before=gates[1]).says(*said)
    page.get()
    with Client(four.port) as one, Client(four.port) as other:
        one.send(page.request())
        eventually(lambda: len(page.asked) == 2)
        page.get()
        other.send(page.request())
        eventually(lambda: len(page.asked) == 4)
        for _ in range(4):
            assert page.get().body == b"answer 1"
        assert all(asked.values("If-None-Match") == ['"a"'] for asked in page.asked[1:])
        for gate, client in zip(gates, (one, other)):
            gate.set()
            assert client.response().body == b"answer 1"


def stand_before(four, page, first, fields=()):
    """Twelve who want it validated: one asks the origin, the others wait for that."""
    crowd = Crowd(connect(four.port, 12), page.request(*fields))
    eventually(lambda: len(page.asked) == 2 and sum(worker["in_flight"] for worker in four.proxyd.workers()) == 12)
    first.set()
    return crowd


STALE_OR_FRESH = pytest.mark.parametrize("age, fields", [(70, []), (0, ["Cache-Control: no-cache"])], ids=["stale", "fresh"])


@STALE_OR_FRESH
def test_a_validation_that_fails_makes_nobody_queue(four, age, fields):
    first, others = threading.Event(), threading.Event()
    page = four.saying("Cache-Control: max-age=60", f"Age: {age}", 'ETag: "a"', policy="patient")
    page.says(status=503, before=first).says(status=503, before=others)
    page.get()
    with stand_before(four, page, first, fields) as crowd:
        eventually(lambda: len(page.asked) == 13, what="all others at the origin at once")
        others.set()
        crowd.read_all()


@STALE_OR_FRESH
def test_after_two_who_are_refused_all_ask_for_themselves_and_one_304_is_for_all(four, age, fields):
    gates = [threading.Event() for _ in range(3)]
    page = four.saying("Cache-Control: max-age=60", f"Age: {age}", 'ETag: "a"', policy="patient")
    page.says(status=403, before=gates[0]).says(status=403, before=gates[1]).says(*FRESH, before=gates[2])
    page.get()
    with stand_before(four, page, gates[0], fields) as crowd:
        eventually(lambda: len(page.asked) == 3, what="another who asks for all")
        gates[1].set()
        eventually(lambda: len(page.asked) == 13, what="all others at the origin at once")
        assert all(asked.values("If-None-Match") == ['"a"'] for asked in page.asked[1:])
        gates[2].set()
        crowd.read_all()
        assert sorted(crowd.body(i) == b"answer 1" for i in range(12)) == [False] * 2 + [True] * 10
    assert page.get().fate == "hit", "what is refused to some takes nothing from others"


@pytest.mark.parametrize("answers", [True, False])
def test_who_waits_for_a_validation_that_fails_shares_what_stands_in_rfc5861_4(four, answers):
    first = threading.Event()
    page = four.saying("Cache-Control: max-age=60, stale-if-error=600", "Age: 70", 'ETag: "a"', policy="patient")
    page.says(status=503, before=first, steps=None if answers else [first, "close"])
    page.get()
    with stand_before(four, page, first) as crowd:
        crowd.read_all()
        assert all(crowd.body(i) == b"answer 1" for i in range(12))
        statuses = [crowd.fields(i)["cache-status"] for i in range(12)]
    assert len([one for one in statuses if "collapsed" in one and "collapsed=?0" not in one]) == 11, statuses
    assert all("ttl=-" in one for one in statuses), statuses
    assert not answers or len(page.asked) == 2   # what gives no answer may be asked once more


def test_a_client_that_leaves_its_validation_sends_not_all_others_to_the_origin(four):
    gates = [threading.Event() for _ in range(2)]
    page = four.saying("Cache-Control: max-age=60", "Age: 70", 'ETag: "a"', policy="patient")
    page.says(*FRESH, before=gates[0]).says(*FRESH, before=gates[1])
    page.get()
    with Client(four.port) as leader:
        leader.send(page.request())
        eventually(lambda: len(page.asked) == 2)
        with Crowd(connect(four.port, 12), page.request()) as crowd:
            eventually(lambda: sum(worker["in_flight"] for worker in four.proxyd.workers()) == 13)
            leader.reset()
            eventually(lambda: len(page.asked) == 3, what="another who asks for all")
            gates[1].set()
            crowd.read_all()
            assert all(crowd.body(i) == b"answer 1" for i in range(12))
    gates[0].set()
    assert len(page.asked) == 3
