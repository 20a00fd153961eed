"""Content that is stored in aligned parts: RFC 9111 3.4, RFC 9110 15.3.7.3, range: slice of a policy."""
import threading

import pytest
from client import Closed
from pages import Caches
from proxyd import eventually

LARGE = bytes(range(256)) * 1200
OTHER = LARGE[::-1]
SIZE = 65536
FRESH = ["Cache-Control: max-age=3600", 'ETag: "a"']


@pytest.fixture(scope="module")
def caches():
    with Caches({"slices": {"range": "slice", "slice": "64KiB"}}) as running:
        yield running


def sliced(caches, *fields, **rest):
    return caches.saying(*(fields or FRESH), body=LARGE, ranges=True, policy="slices", **rest)


def asked(page):
    return [request.values("Range") for request in page.asked]


def slices(first, last):
    return [[f"bytes={number * SIZE}-{number * SIZE + SIZE - 1}"] for number in range(first, last + 1)]


def test_a_slice_of_a_failed_origin_is_not_asked_for_again_at_each_hit_rfc5861_3(caches):
    page = sliced(caches, "Cache-Control: max-age=60, stale-while-revalidate=600, stale-if-error=600", "Age: 61", 'ETag: "a"').says(status=503)
    assert page.get("Range: bytes=0-9").body == LARGE[:10]
    for _ in range(40):
        assert page.get("Range: bytes=0-9").body == LARGE[:10]
    assert len(page.asked) < 20, "one question, and a second's rest"


def test_slices_are_fetched_once_each_and_serve_any_range_rfc9111_3_4(caches):
    page = caches.saying("Cache-Control: max-age=3600", 'ETag: "a"', body=LARGE, ranges=True, policy="slices")
    got = page.get("Range: bytes=70000-70009")
    assert (got.status, got.body) == (206, LARGE[70000:70010]) and got.value("Content-Range") == f"bytes 70000-70009/{len(LARGE)}"
    before = len(page.asked)
    again = page.get("Range: bytes=80000-80099")
    assert (again.status, again.body, len(page.asked)) == (206, LARGE[80000:80100], before)
    assert page.get("Range: bytes=0-299999").body == LARGE[:300000]
    whole, before = page.get(), len(page.asked)
    assert (whole.status, whole.body) == (200, LARGE)
    assert page.get().body == LARGE and len(page.asked) == before


def test_slices_without_a_strong_validator_are_not_joined_rfc9110_15_3_7_3(caches):
    page = caches.saying("Cache-Control: max-age=3600", 'ETag: W/"a"', body=LARGE, ranges=True, policy="slices")
    for _ in range(2):
        assert page.get("Range: bytes=70000-140000").body == LARGE[70000:140001]
        assert page.get().body == LARGE


def test_slices_of_content_that_changed_are_fetched_anew_rfc9110_15_3_7_3(caches):
    page = caches.saying("Cache-Control: max-age=3600", 'ETag: "a"', body=LARGE, ranges=True, policy="slices")
    page.get("Range: bytes=0-9")
    page.says("Cache-Control: max-age=3600", 'ETag: "b"', body=OTHER, ranges=True)
    got = page.get("Range: bytes=100000-200000")
    assert got.body == OTHER[100000:200001]
    for _ in range(2):
        assert page.get().body == OTHER


def test_the_origin_is_asked_for_each_slice_once_by_its_range_rfc9110_14_2(caches):
    page = sliced(caches)
    got = page.get()
    assert (got.status, got.body, got.value("Content-Length"), got.value("Content-Range")) == (200, LARGE, str(len(LARGE)), None)
    assert asked(page) == slices(0, 4)
    assert page.get("Range: bytes=65530-65545").body == LARGE[65530:65546] and len(page.asked) == 5
    assert "; hit; ttl=" in page.get().value("Cache-Status")


@pytest.mark.parametrize("wanted, part", [("bytes=-10", LARGE[-10:]), ("bytes=65536-131071", LARGE[65536:131072]), ("bytes=300000-", LARGE[300000:]),
                                          ("bytes=65535-65536", LARGE[65535:65537]), ("bytes=300000-900000", LARGE[300000:])],
                         ids=["the end", "a slice", "to the end", "two octets", "beyond the end"])
def test_any_range_is_served_from_slices_cold_and_warm_rfc9110_14_2(caches, wanted, part):
    page = sliced(caches)
    for _ in range(2):
        got = page.get("Range: " + wanted)
        first = len(LARGE) - len(part) if part == LARGE[-len(part):] else LARGE.index(part)
        assert (got.status, got.body) == (206, part) and got.value("Content-Range").endswith(f"/{len(LARGE)}"), first
        before = len(page.asked)
    assert len(page.asked) == before


def test_a_range_behind_the_end_of_slices_is_416_rfc9110_15_5_17(caches):
    page = sliced(caches)
    page.get()
    got = page.get(f"Range: bytes={len(LARGE) + SIZE}-")
    assert (got.status, got.value("Content-Range")) == (416, f"bytes */{len(LARGE)}")


def test_conditions_are_about_the_whole_of_slices_rfc9110_13_2_2(caches):
    page = sliced(caches)
    page.get()
    for condition in ('If-None-Match: "a"', 'If-None-Match: W/"a", "b"'):
        got = page.get(condition)
        assert (got.status, got.body, got.value("ETag"), got.value("Content-Range")) == (304, b"", '"a"', None)
    assert page.get('If-None-Match: "b"').body == LARGE
    held = page.get("Range: bytes=70000-70009", 'If-Range: "a"')
    assert (held.status, held.body) == (206, LARGE[70000:70010])
    changed = page.get("Range: bytes=70000-70009", 'If-Range: "b"')
    assert (changed.status, changed.body) == (200, LARGE) and len(page.asked) == 5


def test_head_is_answered_from_slices_rfc9110_9_3_2(caches):
    page = sliced(caches)
    page.get("Range: bytes=0-9")
    got = page.get(method="HEAD")
    assert (got.status, got.fate, got.value("Content-Length"), got.value("Content-Range")) == (200, "hit", str(len(LARGE)), None)
    cold = sliced(caches)
    assert cold.get(method="HEAD").status == 200 and [request.method for request in cold.asked] == ["HEAD"]


def test_only_what_is_stored_whole_answers_only_if_cached_rfc9111_5_2_1_7(caches):
    page = sliced(caches)
    page.get("Range: bytes=0-70000")
    assert page.get("Cache-Control: only-if-cached", "Range: bytes=10-66000").body == LARGE[10:66001]
    assert page.get("Cache-Control: only-if-cached").status == 504
    page.get()
    assert page.get("Cache-Control: only-if-cached").body == LARGE and len(page.asked) == 5


def test_stale_slices_are_validated_one_by_one_rfc9111_4_3(caches):
    page = sliced(caches, "Cache-Control: max-age=0, must-revalidate", 'ETag: "a"')
    page.get("Range: bytes=0-70000")
    assert page.get("Range: bytes=10-69999").body == LARGE[10:70000]
    assert [request.answered for request in page.asked[-2:]] == [304, 304] and [request.values("If-None-Match") for request in page.asked[-2:]] == [['"a"']] * 2


def test_an_origin_without_ranges_is_asked_for_the_whole_and_for_no_slice_again_rfc9110_14_2(caches):
    page = caches.saying(*FRESH, body=LARGE, policy="slices")
    assert page.get().body == LARGE
    before = len(page.asked)
    assert before == 2 and page.asked[1].values("Range") == []
    got = page.get("Range: bytes=70000-70009")
    assert (got.status, got.body) == (206, LARGE[70000:70010])
    assert page.get().body == LARGE and len(page.asked) == before, "what is stored whole is given"


def test_several_ranges_are_answered_from_the_whole_rfc9110_14_6(caches):
    page = sliced(caches)
    got = page.get("Range: bytes=0-9, 100000-100009")
    assert got.status == 206 and got.value("Content-Type").startswith("multipart/byteranges")


def test_a_slice_is_fetched_once_for_all_who_want_it_rfc9111_4(caches):
    held = threading.Event()
    page = sliced(caches, middle=held)
    got = []
    readers = [threading.Thread(target=lambda: got.append(page.get("Range: bytes=100-200000", timeout=30).body)) for _ in range(4)]
    for reader in readers:
        reader.start()
    eventually(lambda: len(page.asked) >= 1)
    held.set()
    for reader in readers:
        reader.join()
    assert got == [LARGE[100:200001]] * 4 and sorted(asked(page)) == sorted(slices(0, 3))


def test_content_that_changes_while_it_is_sent_is_cut_and_then_whole_rfc9110_15_3_7_3(caches):
    page = sliced(caches).says("Cache-Control: max-age=3600", 'ETag: "b"', body=OTHER, ranges=True)
    with pytest.raises(Closed):
        page.get()
    assert page.get().body == OTHER


def test_a_slice_that_breaks_off_goes_on_by_if_range_rfc9110_13_1_5(caches):
    head = ["HTTP/1.1 206 P", "Cache-Control: max-age=3600", 'ETag: "a"', f"Content-Range: bytes 0-65535/{len(LARGE)}", "Content-Length: 65536", "", ""]
    page = caches.page("slices").says(steps=["\r\n".join(head).encode() + LARGE[:30000], "close"]).says(*FRESH, body=LARGE, ranges=True)
    got = page.get()
    assert (got.status, got.body) == (200, LARGE)
    assert page.asked[1].values("Range") == [f"bytes=30000-{len(LARGE) - 1}"] and page.asked[1].values("If-Range") == ['"a"']


def test_a_purge_takes_all_slices_rfc9111_4_4(caches):
    page = sliced(caches)
    page.get()
    page.says("Cache-Control: max-age=3600", 'ETag: "b"', body=OTHER, ranges=True)
    assert page.get().body == LARGE
    page.answers.pop(0)
    page.get(method="POST", body=b"x")
    assert page.get().body == OTHER


def test_a_condition_that_the_origin_has_to_judge_goes_to_it_rfc9110_13_1_1(caches):
    page = sliced(caches)
    page.get()
    page.get('If-Match: "b"', "Range: bytes=70000-70009")
    assert page.asked[-1].values("If-Match") == ['"b"'] and page.asked[-1].values("Range") == ["bytes=70000-70009"]


def test_an_origin_that_fails_is_asked_once_rfc9110_15_6_3(caches):
    page = caches.page("slices").says(steps=["close"])
    assert page.get("Range: bytes=70000-").status == 502 and len(page.asked) == 1


def test_a_client_whose_answer_is_its_own_turns_no_slices_off_rfc9111_3_5(caches):
    page = sliced(caches)
    assert page.get("Authorization: Basic eA==", "Range: bytes=0-9").body == LARGE[:10]
    before = len(page.asked)
    assert page.get("Range: bytes=10-70000").body == LARGE[10:70001]
    assert asked(page)[before:] == slices(0, 1)


def test_ranges_of_which_most_lie_behind_the_end_are_answered_rfc9110_14_2(caches):
    page = sliced(caches)
    page.get()
    got = page.get("Range: bytes=0-9,100000-100009," + ",".join(f"{i}-{i + 5}" for i in range(1000000, 1000900, 60)))
    assert got.status == 206 and got.value("Content-Type").startswith("multipart/byteranges") and LARGE[100000:100010] in got.body


def test_who_goes_past_the_end_again_and_again_asks_no_origin_rfc9110_15_5_17(caches):
    page = sliced(caches)
    page.get("Range: bytes=0-9")
    for number in range(5, 12):
        assert page.get(f"Range: bytes={number * SIZE}-").status == 416
    assert len(page.asked) == 1
