"""Serving what is stale, and what is never stale: RFC 9111 4.2.4, RFC 5861, RFC 8246."""
import threading

import pytest
from pages import date
from proxyd import eventually

OLD = ["Age: 70", 'ETag: "a"']
ERRORS = [500, 502, 503, 504]


def refreshed(page, count):
    eventually(lambda: len(page.asked) == count, what=f"{count} requests to the origin")


def becomes(page, check):
    """What is stored, once a refresh in the background has ended."""
    return eventually(lambda: (got := page.get()) and check(got) and got)


@pytest.mark.parametrize("fields", [OLD, ["Age: 70"], ["Age: 70", "Last-Modified: " + date(-5000)]], ids=["etag", "bare", "modified"])
def test_stale_while_revalidate_serves_at_once_and_refreshes_behind_rfc5861_3(caches, fields):
    gate = threading.Event()
    page = caches.saying("Cache-Control: max-age=60, stale-while-revalidate=3600", *fields).says("Cache-Control: max-age=3600", *fields[1:], "A: new", before=gate)
    page.get()
    stale = page.get()
    assert (stale.number, stale.body, stale.value("A")) == (1, b"answer 1", None) and stale.age >= 70
    refreshed(page, 2)
    assert page.get().number == 1, "served while it is asked for"
    gate.set()
    new = becomes(page, lambda got: got.value("A") == "new")
    assert new.number == 2 and len(page.asked) == 2
    assert page.asked[1].values("If-None-Match") == ([] if fields != OLD else ['"a"'])


def test_stale_while_revalidate_takes_a_new_content_rfc5861_3(caches):
    page = caches.saying("Cache-Control: max-age=0, stale-while-revalidate=3600", 'ETag: "abc"').says("Cache-Control: max-age=3600", 'ETag: "def"')
    page.get()
    assert page.get().body == b"answer 1"
    new = becomes(page, lambda got: got.value("ETag") == '"def"')
    assert (new.body, new.value("Cache-Control"), len(page.asked)) == (b"answer 2", "max-age=3600", 2)


def test_many_requests_for_what_is_stale_refresh_it_once_rfc5861_3(caches):
    gate = threading.Event()
    page = caches.saying("Cache-Control: max-age=60, stale-while-revalidate=3600", *OLD).says("Cache-Control: max-age=3600", *OLD[1:], before=gate)
    page.get()
    assert [page.get().number for _ in range(20)] == [1] * 20
    refreshed(page, 2)
    gate.set()
    becomes(page, lambda got: got.number == 2)
    assert len(page.asked) == 2


def test_a_refresh_behind_is_a_get_of_the_whole_without_the_clients_conditions_rfc5861_3(caches):
    page = caches.saying("Cache-Control: max-age=60, stale-while-revalidate=3600", *OLD).says("Cache-Control: max-age=3600", *OLD[1:])
    page.get()
    got = page.get("Range: bytes=0-1", 'If-None-Match: "zzz"')
    assert (got.status, got.body) == (206, b"an")
    refreshed(page, 2)
    assert page.asked[1].method == "GET" and page.asked[1].values("If-None-Match") == ['"a"'] and not page.asked[1].values("Range")


def test_beyond_its_window_what_is_stale_is_validated_first_rfc5861_3(caches):
    page = caches.saying("Cache-Control: max-age=60, stale-while-revalidate=5", *OLD)
    assert page.fates((), ()) == ["miss", "validated"]


def test_what_became_no_cache_behind_is_validated_next_rfc5861_3(caches):
    page = caches.saying("Cache-Control: max-age=60, stale-while-revalidate=3600", *OLD).says("Cache-Control: no-cache", 'ETag: "def"')
    page.get()
    page.get()
    becomes(page, lambda got: got.value("ETag") == '"def"' and got.fate == "validated")


def test_a_refresh_that_fails_leaves_what_is_stale_in_its_window_rfc5861_3(caches):
    page = caches.saying("Cache-Control: max-age=60, stale-while-revalidate=3600", *OLD).says(steps=["close"]).says(status=500).says("Cache-Control: max-age=3600", 'ETag: "new"')
    page.get()
    for count in (2, 3):   # at once, or after a while in which the origin is left alone
        eventually(lambda: page.get().body == b"answer 1" and len(page.asked) >= count, what=f"request {count} to the origin")
    assert becomes(page, lambda got: got.value("ETag") == '"new"').body == b"answer 4"


@pytest.mark.parametrize("cache_control, fate", [
    ("max-age=60", "hit"), ("max-age=60, stale-while-revalidate=0", "validated"), ("max-age=60, must-revalidate", "validated"), ("max-age=60, proxy-revalidate", "validated"),
    ("max-age=60, no-cache", "validated"), ("s-maxage=60", "validated"), ("s-maxage=60, stale-while-revalidate=3600", "hit"), ("max-age=0", "validated"),
    ("max-age=60, must-revalidate, stale-while-revalidate=3600", "validated"),
])
def test_a_policy_serves_stale_where_the_origin_says_nothing_else_rfc9111_4_2_4(caches, cache_control, fate):
    page = caches.saying("Cache-Control: " + cache_control, *OLD, policy="prolonged")
    page.get()
    assert page.get().number == (1 if fate == "hit" else 2)


@pytest.mark.rows("UP-039")
@pytest.mark.parametrize("failure", [*ERRORS, "close", "reset", "cut"])
def test_stale_if_error_hides_an_origin_that_fails_rfc5861_4(caches, failure):
    page = caches.saying("Cache-Control: max-age=60, stale-if-error=3600", *OLD)
    page.get()
    says_failure(page, failure)
    for _ in range(2):
        got = page.get()
        assert (got.status, got.body, got.number) == (200, b"answer 1", 1) and got.age >= 70
    assert len(page.asked) >= 3


def says_failure(page, failure):
    steps = {"close": ["close"], "reset": ["reset"], "cut": [b"HTTP/1.1 200 O", "close"]}.get(failure)
    page.says(**({"steps": steps} if steps else {"status": failure}))


@pytest.mark.parametrize("failure", [400, 404, 410, 501])
def test_an_answer_that_is_no_failure_is_not_hidden_rfc5861_4(caches, failure):
    page = caches.saying("Cache-Control: max-age=60, stale-if-error=3600", *OLD).says(status=failure)
    page.get()
    assert page.get().status == failure


@pytest.mark.parametrize("failure", [500, "close"])
@pytest.mark.parametrize("response, request_", [
    ("max-age=60, stale-if-error=5", ""), ("max-age=60", "stale-if-error=5"), ("max-age=60", ""), ("max-age=60, must-revalidate", "stale-if-error=3600"),
    ("max-age=60, no-cache, stale-if-error=3600", ""), ("s-maxage=60", "stale-if-error=3600"), ("max-age=60, stale-if-error=3600", "no-cache"),
], ids=lambda text: text or "-")
def test_without_leave_or_beyond_its_window_the_failure_is_passed_on_rfc5861_4(caches, response, request_, failure):
    page = caches.saying("Cache-Control: " + response, *OLD)
    page.get()
    says_failure(page, failure)
    got = page.get(*([f"Cache-Control: {request_}"] if request_ else []))
    assert got.status in ((500,) if failure == 500 else (502, 504)) and got.number != 1


def test_a_request_may_accept_what_is_stale_in_place_of_an_error_rfc5861_4(caches):
    page = caches.saying("Cache-Control: max-age=60", *OLD).says(status=500)
    page.get()
    got = page.get("Cache-Control: stale-if-error=3600")
    assert (got.status, got.body) == (200, b"answer 1")


@pytest.mark.parametrize("cache_control, status", [
    ("max-age=60", 200), ("max-age=60, must-revalidate", 502), ("max-age=60, proxy-revalidate", 502), ("max-age=60, no-cache", 502), ("s-maxage=60", 502),
    ("max-age=60, stale-if-error=0", 502),
])
def test_a_policy_hides_failures_where_the_origin_does_not_forbid_it_rfc9111_4_2_4(caches, cache_control, status):
    page = caches.saying("Cache-Control: " + cache_control, "Age: 70", 'ETag: "a"', policy="sturdy").says(steps=["close"])
    page.get()
    got = page.get()
    assert (got.status == 200) == (status == 200)
    assert got.number == (1 if status == 200 else None)


def test_a_variant_stands_in_for_its_own_failure_alone_rfc5861_4(caches):
    page = caches.saying("Cache-Control: max-age=60, stale-if-error=3600", "Age: 70", 'ETag: "a"', "Vary: Foo")
    page.get("Foo: 1")
    page.says(status=503)
    assert page.get("Foo: 1").status == 200
    assert page.get("Foo: 2").status == 503


def test_no_warning_is_made_for_what_is_stale_rfc9111_5_5(caches):
    page = caches.saying("Cache-Control: max-age=60, stale-if-error=3600", *OLD, 'X-A: 1').says(status=500)
    page.get()
    got = page.get()
    assert (got.status, got.value("Warning"), got.value("X-A")) == (200, None, "1")


@pytest.mark.parametrize("asked, fate", [("max-age=0", "hit"), ("max-age=10", "hit"), ("no-cache", "validated")])
def test_what_is_immutable_is_not_reloaded_within_its_lifetime_rfc8246_2(caches, asked, fate):
    page = caches.saying("Cache-Control: max-age=10000, immutable", "Age: 70", 'ETag: "a"')
    assert page.fates((), "Cache-Control: " + asked) == ["miss", fate]


def test_what_was_immutable_is_validated_once_stale_rfc8246_2(caches):
    page = caches.saying("Cache-Control: max-age=60, immutable", *OLD)
    assert page.fates((), (), "Cache-Control: max-age=0") == ["miss", "validated", "validated"]


def test_immutable_alone_is_no_lifetime_rfc8246_2(caches):
    assert caches.saying("Cache-Control: immutable", 'ETag: "a"').fates((), ()) == ["miss", "miss"]


def test_stale_if_error_is_of_head_as_well_rfc5861_4(caches):
    page = caches.saying("Cache-Control: max-age=60, stale-if-error=3600", *OLD).says(status=503)
    page.get()
    assert [page.get(method=method).status for method in ("HEAD", "GET")] == [200, 200]


@pytest.mark.parametrize("refusal", [400, 401, 403, 405, 406, 429])
def test_what_refuses_one_client_takes_nothing_from_others_rfc9111_3(caches, refusal):
    page = caches.saying("Cache-Control: max-age=3600", 'ETag: "a"').says(status=refusal)
    page.get()
    assert page.get("Cache-Control: no-cache", "User-Agent: odd").status == refusal
    assert (page.get().fate, page.get().body) == ("hit", b"answer 1")


@pytest.mark.parametrize("gone", [404, 410])
def test_what_is_gone_at_the_origin_is_gone_here_rfc9111_3(caches, gone):
    page = caches.saying("Cache-Control: max-age=3600", 'ETag: "a"').says(status=gone)
    page.get()
    assert [page.get("Cache-Control: no-cache").status, page.get().status] == [gone, gone]
