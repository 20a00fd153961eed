"""What a 304 and a HEAD do to what is stored: RFC 9111 3.2, 4.3.4, 4.3.5."""
import re

import pytest
from pages import DAY, date

STALE = ["Cache-Control: max-age=60", "Age: 7200", 'ETag: "e"']
FRESH = ["Cache-Control: max-age=3600", 'ETag: "e"']


@pytest.mark.parametrize("name, old, new", [
    ("Test-Header", "a", "b"), ("X-Test-Header", "a", "b"), ("Content-Foo", "a", "b"), ("X-Content-Foo", "a", "b"), ("Content-Type", "text/plain", "text/plain;charset=utf-8"),
    ("Content-Location", "/foo", "/bar"), ("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A==", "N7UdGUp1E+RbVvZSTy1R8g=="), ("X-Frame-Options", "deny", "sameorigin"),
    ("Content-Security-Policy", "default-src 'self'", "default-src 'self' cdn.example.com"), ("Expires", date(10), date(DAY)), ("X-XSS-Protection", "1", "1; mode=block"),
    ("Clear-Site-Data", '"cache"', '"cookies"'), ("Public-Key-Pins", "a", "b"), ("Set-Cookie2", "a=b", "a=c"), ("Link", "<a>", "<b>"),
], ids=lambda value: value if re.fullmatch("[A-Z][A-Za-z0-9-]+", value) else "")
def test_a_304_updates_the_stored_fields_and_the_answer_rfc9111_3_2(caches, name, old, new):
    page = caches.saying(*STALE, f"{name}: {old}").says(*FRESH, f"{name}: {new}")
    assert page.get().value(name) == old
    for fate in ("validated", "hit"):
        got = page.get()
        assert (got.fate, got.status, got.value(name), got.body) == (fate, 200, new, b"answer 1")


def test_a_304_updates_cache_control_rfc9111_3_2(caches):
    page = caches.saying(*STALE).says(*FRESH)
    page.get()
    assert [page.get().value("Cache-Control") for _ in range(2)] == ["max-age=3600"] * 2
    assert len(page.asked) == 2


def test_fields_that_a_304_leaves_out_stay_rfc9111_3_2(caches):
    page = caches.saying("Cache-Control: max-age=3600", "Age: 7200", "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT", "Test-Header: a")
    page.says("Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT")
    page.get()
    for fate in ("validated", "hit"):   # its lifetime stays as well, and its age begins anew
        got = page.get()
        assert (got.fate, got.value("Test-Header"), got.value("Cache-Control")) == (fate, "a", "max-age=3600")
        assert got.age in (None, 0, 1, 2)


@pytest.mark.rows("CA-028")
@pytest.mark.parametrize("line", ["Content-Length: 10", "Content-Encoding: gzip", "Content-Range: bytes 0-1/2"], ids=lambda line: line.split(":")[0])
def test_a_304_changes_nothing_that_describes_the_stored_content_rfc9111_3_2(caches, line):
    name = line.split(":")[0]
    page = caches.saying(*STALE, body=b"12345").says(*FRESH, line, body=b"12345")
    page.get()
    for _ in range(2):
        got = page.get()
        assert (got.status, got.body, got.value(name)) == (200, b"12345", "5" if name == "Content-Length" else None)
    assert len(page.asked) == 2


def test_every_line_of_an_updated_field_is_replaced_rfc9111_3_2(caches):
    page = caches.saying(*STALE, "A: 1", "A: 2", "B: 3").says(*FRESH, "A: 4")
    page.get()
    for _ in range(2):
        assert [value for name, value in page.get().fields if name in "AB"] in (["4", "3"], ["3", "4"])


def test_fields_of_the_connection_in_a_304_update_nothing_rfc9111_3_2(caches):
    page = caches.saying(*STALE, "A: 1").says(*FRESH, "Connection: A, close", "A: 2", "Keep-Alive: timeout=5")
    page.get()
    for _ in range(2):
        got = page.get()
        assert got.value("A") == "1" and not got.value("Keep-Alive")


def test_a_304_that_names_another_validator_freshens_nothing_rfc9111_4_3_4(caches):
    page = caches.saying(*STALE).says("Cache-Control: max-age=3600", 'ETag: "other"', status=304).says(*FRESH[:1], 'ETag: "third"')
    page.get()
    got = page.get()
    assert (got.status, got.body, got.value("ETag")) == (200, b"answer 3", '"third"')
    assert not page.asked[2].values("If-None-Match")
    assert page.get().body == b"answer 3"


def test_a_304_without_a_validator_freshens_what_was_asked_about_rfc9111_4_3_4(caches):
    page = caches.saying(*STALE).says("Cache-Control: max-age=3600", status=304)
    page.get()
    assert [(got.status, got.body) for got in (page.get(), page.get())] == [(200, b"answer 1")] * 2
    assert len(page.asked) == 2


def test_a_weak_validator_of_a_304_freshens_what_is_weakly_the_same_rfc9111_4_3_4(caches):
    page = caches.saying(*STALE[:2], 'ETag: W/"e"').says("Cache-Control: max-age=3600", 'ETag: W/"e"', status=304)
    page.get()
    assert [(got.status, got.body) for got in (page.get(), page.get())] == [(200, b"answer 1")] * 2


def test_a_304_may_end_the_storing_rfc9111_4_3_4(caches):
    for line in ("Cache-Control: no-store", "Cache-Control: private"):
        page = caches.saying(*STALE).says(line, 'ETag: "e"', status=304).says(*FRESH)
        page.get()
        served = page.get()
        assert (served.status, served.body) == (200, b"answer 1")
        assert page.get().body == b"answer 3"
        assert len(page.asked) == 3 and not page.asked[2].values("If-None-Match")


def test_a_cookie_that_a_304_sets_is_for_its_own_client_alone_rfc9111_7_3(caches):
    page = caches.saying(*STALE, policy="open").says(*FRESH, "Set-Cookie: a=b")
    page.get()
    page.get()
    hit = page.get()
    assert (hit.fate, hit.value("Set-Cookie"), hit.body) == ("hit", None, b"answer 1")


def test_the_age_of_a_304_counts_rfc9111_4_2_3(caches):
    page = caches.saying(*STALE).says(*FRESH, "Age: 100")
    page.get()
    page.get()
    hit = page.get()
    assert hit.fate == "hit" and 100 <= hit.age < 110


@pytest.mark.parametrize("heedless", [False, True], ids=["304", "200"])
def test_a_head_of_a_stale_answer_goes_to_the_origin_and_freshens_it_rfc9111_4_3_5(caches, heedless):
    page = caches.saying(*STALE, "A: 1", "B: 1").says(*FRESH, "A: 2", body=b"answer 1", heedless=heedless)
    page.get()
    head = page.get(method="HEAD")
    assert (head.status, head.value("A"), head.body) == (200, "2", b"") and len(page.asked) == 2
    hit = page.get()
    assert (hit.fate, hit.body, hit.value("A"), hit.value("B")) == ("hit", b"answer 1", "2", "1")


@pytest.mark.parametrize("change", ['ETag: "new"', "Content-Length: 99", "Last-Modified: " + date()], ids=lambda line: line.split(":")[0])
def test_a_head_that_tells_of_another_content_makes_the_stored_one_stale_rfc9111_4_3_5(caches, change):
    old = ["Cache-Control: max-age=60", "Age: 7200", 'ETag: "e"', "Last-Modified: " + date(-DAY)]
    told = ["Cache-Control: max-age=3600", change, *(['ETag: "e"'] if "ETag" not in change else [])]
    page = caches.saying(*old, body=b"answer 1").says(*told, body=b"answer 1", heedless=True).says("Cache-Control: max-age=3600", 'ETag: "new"', "A: new")
    page.get()
    page.get(method="HEAD")
    later = page.get()
    assert (later.fate, later.value("A"), later.body) == ("miss", "new", b"answer 3")


@pytest.mark.parametrize("told", ['ETag: "new"', "Last-Modified: " + date()], ids=lambda line: line.split(":")[0])
def test_a_head_gives_no_validator_to_what_was_stored_without_one_rfc9111_4_3_5(caches, told):
    page = caches.saying("Cache-Control: max-age=3600", body=b"one").says("Cache-Control: max-age=3600", told, body=b"two")
    page.get()
    page.get("Cache-Control: no-cache", method="HEAD")
    later = page.get()
    assert (later.fate, later.body) == ("miss", b"two")


def test_a_head_with_another_status_leaves_what_is_stored_rfc9111_4_3_5(caches):
    page = caches.saying(*STALE, "A: 1").says("Cache-Control: max-age=1000", "A: 2", status=410).says(*FRESH)
    page.get()
    assert page.get(method="HEAD").status == 410
    assert page.get().body == b"answer 1"


def test_a_head_carries_the_stored_validator_to_the_origin_or_none_rfc9111_4_3_1(caches):
    page = caches.saying(*STALE).says(*FRESH)
    page.get()
    head = page.get(method="HEAD")
    assert (head.status, head.body) == (200, b"") and page.asked[1].method in ("HEAD", "GET")
    assert page.get().fate == "hit"


def test_groups_that_a_304_does_not_speak_of_stay_rfc9875_2(caches):
    page = caches.saying(*STALE, 'Cache-Groups: "kept"', "Surrogate-Key: a").says(*FRESH, "Surrogate-Key: a")
    assert page.fates((), (), ()) == ["miss", "validated", "hit"]
    caches.saying('Cache-Group-Invalidation: "kept"').get(method="POST", body=b"abc")
    assert page.get().fate != "hit"


def test_a_head_of_somebody_known_makes_nothing_invalid_for_others_rfc9111_4_3_5(caches):
    page = caches.saying(*FRESH).says("Cache-Control: max-age=3600", 'ETag: "personal"', "Content-Length: 99", heedless=True)
    page.get()
    page.get("Cookie: user=1", "Cache-Control: no-cache", method="HEAD")
    assert page.get().fate == "hit"


def test_the_age_of_a_304_is_told_rfc9111_4_2_3(caches):
    page = caches.saying(*STALE).says("Cache-Control: max-age=3600", 'ETag: "e"', "Age: 100")
    page.get()
    ages = [page.get().age for _ in range(2)]
    assert all(100 <= age <= 110 for age in ages), ages
