"""Answers constructed from what is stored: RFC 9111 4, HEAD, interim answers, and requests that wait for one another."""
import threading

import pytest
from client import Client
from pages import date
from proxyd import eventually

FRESH = "Cache-Control: max-age=3600"


def test_a_hit_is_octet_for_octet_what_the_origin_said(caches):
    body = bytes(range(256)) * 300
    page = caches.saying(FRESH, body=body)
    assert [page.get().body for _ in range(3)] == [body] * 3 and len(page.asked) == 1


@pytest.mark.parametrize("body", [b"", b"x", b"x" * 511, b"x" * 512, b"x" * 513, b"x" * 65536, b"x" * 65537, b"x" * 500_000], ids=len)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_content_of_any_size_is_reused(caches, body, chunked):
    framed = b"".join(b"%x\r\n%b\r\n" % (len(body[i:i + 8192]), body[i:i + 8192]) for i in range(0, len(body), 8192)) + b"0\r\n\r\n"
    page = caches.saying(FRESH, "Transfer-Encoding: chunked", body=framed) if chunked else caches.saying(FRESH, body=body)
    first, hit = page.get(), page.get()
    assert (first.body, hit.body, hit.fate, hit.value("Content-Length")) == (body, body, "hit", str(len(body)))


@pytest.mark.rows("CA-042")
def test_head_is_answered_from_what_get_stored_rfc9110_9_3_2(caches):
    page = caches.saying(FRESH, "A: 1", body=b"0123456789")
    page.get()
    head = page.get(method="HEAD")
    assert (head.fate, head.status, head.body, head.value("Content-Length"), head.value("A")) == ("hit", 200, b"", "10", "1") and head.age is not None


@pytest.mark.rows("CA-042")
def test_head_of_a_cold_page_is_never_taken_for_its_content_rfc9111_4(caches):
    page = caches.saying(FRESH, body=b"0123456789")
    head = page.get(method="HEAD")
    assert (head.fate, head.status, head.body) == ("miss", 200, b"")
    for _ in range(2):
        got = page.get()
        assert (got.status, got.body) == (200, b"0123456789")


def test_a_client_of_http_1_0_is_served_from_what_is_stored_rfc9112_2_3(caches):
    page = caches.saying(FRESH, "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
    page.get()
    got = page.get(version=b"HTTP/1.0")
    assert (got.fate, got.body, got.value("Content-Length")) == ("hit", b"hello", "5")


def test_hits_are_pipelined_in_order_on_one_connection_rfc9112_9_3_2(caches):
    pages = [caches.saying(FRESH) for _ in range(10)]
    for page in pages:
        page.get()
    with Client(caches.port) as client:
        client.send(b"".join(page.request(f"X: {i}") + pages[0].request(method="HEAD") for i, page in enumerate(pages)))
        for page in pages:
            assert client.response().value("Answer") == "1" and client.response("HEAD").status == 200
    assert all(len(page.asked) == 1 for page in pages)


def test_a_request_whose_content_nobody_reads_does_not_disturb_the_next_rfc9112_9_3(caches):
    page = caches.saying(FRESH)
    page.get()
    with Client(caches.port) as client:
        client.send(page.request(body=b"GET /admin HTTP/1.1\r\nHost: b\r\n\r\n") + page.request())
        assert [client.response().status, client.response().status] == [200, 200]
        client.send(page.request())
        assert client.response().value("Answer") in ("1", "2")


HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </styles.css>; rel=preload; as=style\r\nX-My-Header: test\r\n\r\n"


@pytest.mark.parametrize("interim", [[b"HTTP/1.1 102 Processing\r\n\r\n"], [HINTS], [HINTS, b"HTTP/1.1 102 Processing\r\n\r\n", HINTS]], ids=["102", "103", "several"])
def test_interim_answers_pass_and_only_the_final_one_is_stored_rfc9110_15_2(caches, interim):
    page = caches.saying(FRESH, interim=interim)
    with Client(caches.port) as client:
        client.send(page.request())
        for octets in interim:
            status, fields = client.head()
            assert str(status).encode() == octets[9:12]
            assert status != 103 or ("Link", "</styles.css>; rel=preload; as=style") in fields and ("X-My-Header", "test") in fields
        first = client.response(interim=True)
        assert first.status == 200 and not first.value("X-My-Header") and not first.value("Link")
        client.send(page.request())
        hit = client.response(interim=True)
    assert (hit.status, hit.value("Answer"), hit.value("X-My-Header"), len(page.asked)) == (200, "1", None, 1)


def start(page, count, *fields):
    got = []
    threads = [threading.Thread(target=lambda: got.append(page.get(*fields))) for _ in range(count)]
    for thread in threads:
        thread.start()
    return got, threads


@pytest.mark.rows("CA-040")
def test_requests_for_one_cold_page_ask_the_origin_once_rfc9111_4(caches):
    gate = threading.Event()
    page = caches.saying(FRESH, before=gate)
    got, threads = start(page, 20)
    eventually(lambda: page.asked)
    gate.set()
    for thread in threads:
        thread.join()
    assert [response.body for response in got] == [b"answer 1"] * 20 and len(page.asked) == 1


def test_requests_that_wait_for_what_is_not_stored_go_to_the_origin_side_by_side_rfc9111_4(caches):
    gates = [threading.Event(), threading.Event()]
    page = caches.saying("Cache-Control: no-store", before=gates[0]).says("Cache-Control: no-store", before=gates[1])
    got, threads = start(page, 8)
    eventually(lambda: page.asked)
    gates[0].set()
    eventually(lambda: len(page.asked) == 8, what="all at the origin at once")
    gates[1].set()
    for thread in threads:
        thread.join()
    assert sorted(response.number for response in got) == list(range(1, 9))


def test_an_answer_for_the_one_that_asked_is_given_to_nobody_who_waits_rfc9111_3_5(caches):
    gate = threading.Event()
    page = caches.saying("Cache-Control: private, max-age=60", "Set-Cookie: id=1", before=gate)
    got, threads = start(page, 5)
    eventually(lambda: page.asked)
    gate.set()
    for thread in threads:
        thread.join()
    assert sorted(response.number for response in got) == [1, 2, 3, 4, 5]


def test_requests_that_wait_for_a_validation_share_it_rfc9111_4_3_1(caches):
    gate = threading.Event()
    page = caches.saying("Cache-Control: max-age=60", "Age: 61", 'ETag: "a"').says(FRESH, 'ETag: "a"', before=gate)
    page.get()
    got, threads = start(page, 10)
    eventually(lambda: len(page.asked) == 2)
    gate.set()
    for thread in threads:
        thread.join()
    assert [response.body for response in got] == [b"answer 1"] * 10 and len(page.asked) == 2


def test_a_failed_fetch_is_not_the_failure_of_all_who_wait(caches):
    gate = threading.Event()
    page = caches.saying(before=gate, status=500).says(FRESH)
    got, threads = start(page, 6)
    eventually(lambda: page.asked)
    gate.set()
    for thread in threads:
        thread.join()
    assert sorted(response.status for response in got)[:5] == [200] * 5


def test_a_response_delimited_by_the_end_of_the_connection_is_served_whole_rfc9112_6_3(caches):
    page = caches.saying(steps=[b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\nhello ", b"world", "close"])
    assert [page.get().body for _ in range(2)] == [b"hello world"] * 2


def test_what_is_large_for_the_cache_is_reused_from_its_second_request_on(caches):
    page = caches.saying(FRESH, body=bytes(range(256)) * 8000)
    assert [page.get().body == page.answers[0].body for _ in range(4)] == [True] * 4
    assert len(page.asked) <= 2


def test_the_newest_of_several_answers_is_used_rfc9111_4(caches):
    page = caches.saying(FRESH, "Date: " + date(-100)).says(FRESH)
    page.get()
    page.get("Cache-Control: no-cache")
    assert page.get().number == 2
