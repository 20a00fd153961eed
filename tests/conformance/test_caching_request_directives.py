"""What a request says about caching: RFC 9111 5.2.1 and 5.4."""
import threading

import pytest
from pages import DAY, date
from proxyd import eventually

FRESH = "Cache-Control: max-age=3600"


@pytest.mark.parametrize("stored, asked, fate", [
    ([], "no-cache", "miss"), ([], "max-age=0", "miss"), ([], "No-Cache", "miss"), (["Age: 1800"], "max-age=600", "miss"), (["Age: 1800"], "max-age=3000", "hit"), ([], "max-age=3000", "hit"),
    ([], "min-fresh=4000", "miss"), (["Age: 1000"], "min-fresh=3000", "miss"), (["Age: 1000"], "min-fresh=1000", "hit"), ([], "nothing-to-see-here", "hit"), ([], "max-age=x", "hit"),
    ([], "min-fresh=-1", "hit"), ([], "max-stale=x", "hit"), ([], "only-if-cached", "hit"), ([], "no-transform", "hit"), ([], "no-store", "hit"),
])
def test_a_request_may_ask_for_something_fresher_rfc9111_5_2_1(caches, stored, asked, fate):
    for policy in ("plain", "open"):
        assert caches.saying(FRESH, *stored, policy=policy).fates((), "Cache-Control: " + asked) == ["miss", fate]


@pytest.mark.parametrize("asked", ["no-cache", "max-age=0", "min-fresh=7200"])
@pytest.mark.parametrize("validator", ['ETag: "abc"', "ETag: abc", "Last-Modified: " + date(-10000)], ids=["etag", "bare", "modified"])
def test_what_is_asked_for_fresher_is_validated_rfc9111_5_2_1_4(caches, asked, validator):
    page = caches.saying(FRESH, validator)
    page.get()
    assert page.get("Cache-Control: " + asked).fate in ("validated", "miss")
    name, value = validator.split(": ", 1)
    assert page.asked[1].values("If-None-Match" if name == "ETag" else "If-Modified-Since") == [value]


def test_what_came_for_no_cache_serves_later_requests_rfc9111_5_2_1_4(caches):
    page = caches.saying(FRESH)
    assert [page.get(*fields).number for fields in ((), ("Cache-Control: no-cache",), ())] == [1, 2, 2]


STALE = ["Cache-Control: max-age=1500", "Age: 2000", 'ETag: "a"']


@pytest.mark.parametrize("asked, fate", [("max-stale=1000", "hit"), ("max-stale", "hit"), ("max-stale=100", "validated"), ("max-stale=0", "validated"), ("max-stale, no-cache", "validated"), ("max-stale=1000, max-age=10", "validated")])
def test_a_request_may_accept_what_is_stale_rfc9111_5_2_1_2(caches, asked, fate):
    assert caches.saying(*STALE).fates((), "Cache-Control: " + asked) == ["miss", fate]


@pytest.mark.parametrize("value", ["max-age=1500, must-revalidate", "max-age=1500, proxy-revalidate", "max-age=1500, no-cache", "s-maxage=1500"])
def test_what_must_be_validated_is_whatever_a_request_accepts_rfc9111_4_2_4(caches, value):
    assert caches.saying("Cache-Control: " + value, "Age: 2000", 'ETag: "a"').fates((), "Cache-Control: max-stale=100000") == ["miss", "validated"]


def test_an_answer_to_a_no_store_request_is_not_stored_rfc9111_5_2_1_5(caches):
    page = caches.saying(FRESH)
    assert page.fates("Cache-Control: no-store", (), ()) == ["miss", "miss", "hit"]


@pytest.mark.rows("CA-039")
def test_only_if_cached_is_answered_504_without_asking_rfc9111_5_2_1_7(caches):
    page = caches.saying(*STALE)
    got = page.get("Cache-Control: only-if-cached")
    assert (got.status, len(page.asked)) == (504, 0)
    page.get()
    assert (page.get("Cache-Control: only-if-cached").status, len(page.asked)) == (504, 1)
    assert (page.get("Cache-Control: only-if-cached, max-stale").status, len(page.asked)) == (200, 1)
    page = caches.saying(FRESH, "Vary: Foo")
    page.get("Foo: 1")
    assert [page.get("Cache-Control: only-if-cached", f"Foo: {i}").status for i in (1, 2)] == [200, 504]


@pytest.mark.rows("CA-039")
def test_pragma_no_cache_counts_where_there_is_no_cache_control_rfc9111_5_4(caches):
    assert caches.saying(FRESH).fates((), "Pragma: no-cache") == ["miss", "miss"]
    assert caches.saying(FRESH).fates((), ("Pragma: no-cache", "Cache-Control: max-age=3000")) == ["miss", "hit"]
    assert caches.saying(FRESH).fates((), ("Pragma: no-cache", "Cache-Control: nothing-to-see-here")) == ["miss", "hit"]
    assert caches.saying(FRESH).fates((), "Pragma: unrecognised") == ["miss", "hit"]


def test_pragma_in_a_response_means_nothing_beside_a_lifetime_rfc9111_5_4(caches):
    assert caches.saying(FRESH, "Pragma: no-cache").fates((), ()) == ["miss", "hit"]
    assert caches.saying("Expires: " + date(DAY), "Pragma: other").fates((), ()) == ["miss", "hit"]


@pytest.mark.rows("CA-038")
@pytest.mark.parametrize("validator", [[], ['ETag: "a"']], ids=["whole", "validated"])
def test_a_flood_of_no_cache_asks_the_origin_a_few_times_rfc9111_5_2_1(caches, validator):
    gate = threading.Event()
    page = caches.saying(FRESH, *validator).says(FRESH, *validator, before=gate)
    page.get()
    got = []
    threads = [threading.Thread(target=lambda: got.append(page.get("Cache-Control: no-cache").status)) for _ in range(50)]
    for thread in threads:
        thread.start()
    eventually(lambda: caches.proxyd.api("GET", "/api/v1/status")[1]["in_flight"] == 50)
    gate.set()
    for thread in threads:
        thread.join()
    assert got == [200] * 50 and len(page.asked) <= 10, len(page.asked)


@pytest.mark.parametrize("also", ['If-Match: "a"', "Cookie: session=1", "X-HTTP-Method-Override: GET"])
def test_only_if_cached_asks_no_origin_where_the_cache_takes_no_part_rfc9111_5_2_1_7(caches, also):
    page = caches.saying(FRESH, policy="bypassing")
    assert (page.get("Cache-Control: only-if-cached", also).status, page.asked) == (504, [])
