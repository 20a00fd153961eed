"""What the cache says it did: RFC 9211."""
import re

import pytest

FRESH = "Cache-Control: max-age=3600"


def members(response):
    return [value for name, value in response.fields if name.lower() == "cache-status"]


def said(response):
    """The parameters of our member, the last one."""
    name, *parameters = [part.strip() for part in members(response)[-1].split(";")]
    assert name == "proxyd"
    return {key: value or True for key, _, value in (part.partition("=") for part in parameters)}


def test_a_miss_says_why_it_went_forward_and_that_it_was_stored_rfc9211_2_2(caches):
    page = caches.saying(FRESH)
    first = said(page.get())
    assert first["fwd"] == "uri-miss" and first["fwd-status"] == "200" and first["stored"] is True and "hit" not in first


def test_a_hit_says_how_long_it_is_fresh_rfc9211_2_1(caches):
    page = caches.saying(FRESH, "Age: 600")
    page.get()
    hit = said(page.get())
    assert hit["hit"] is True and 2980 <= int(hit["ttl"]) <= 3000 and "fwd" not in hit


def test_what_is_served_stale_has_a_negative_ttl_rfc9211_2_4(caches):
    page = caches.saying("Cache-Control: max-age=60, stale-while-revalidate=600", "Age: 100", 'ETag: "a"')
    page.get()
    hit = said(page.get())
    assert hit["hit"] is True and -60 <= int(hit["ttl"]) <= -40


@pytest.mark.parametrize("fields, first, second, reason", [
    (["Cache-Control: max-age=60", "Age: 61", 'ETag: "a"'], (), (), "stale"), ([FRESH], (), ("Cache-Control: no-cache",), "request"), ([FRESH, "Vary: A"], ("A: 1",), ("A: 2",), "vary-miss"),
    ([FRESH], (), ("If-Match: \"a\"",), "bypass"), ([FRESH, "Age: 60"], (), ("Cache-Control: max-age=30",), "request"), (["Cache-Control: no-cache", 'ETag: "a"'], (), (), "stale"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_request_that_goes_forward_says_why_rfc9211_2_2(caches, fields, first, second, reason):
    page = caches.saying(*fields)
    page.get(*first)
    assert said(page.get(*second))["fwd"] == reason


def test_another_method_is_a_reason_rfc9211_2_2(caches):
    page = caches.saying(FRESH)
    assert said(page.get(method="POST", body=b"a"))["fwd"] == "method"


def test_a_part_that_is_too_small_is_a_reason_rfc9211_2_2(caches):
    page = caches.saying(FRESH, "Content-Range: bytes 0-4/10", 'ETag: "a"', status=206, body=b"01234", policy="open").says(FRESH, body=b"0123456789")
    page.get("Range: bytes=0-4")
    assert said(page.get("Range: bytes=3-7"))["fwd"] == "partial"


def test_a_validation_says_what_the_origin_answered_rfc9211_2_3(caches):
    page = caches.saying("Cache-Control: max-age=60", "Age: 61", 'ETag: "a"').says(FRESH, 'ETag: "a"')
    page.get()
    validated = said(page.get())
    assert (validated["fwd"], validated["fwd-status"]) == ("stale", "304")


@pytest.mark.parametrize("fields, status, detail", [
    (["Cache-Control: no-store"], 200, "no_store"), (["Cache-Control: private"], 200, "private"), ([], 200, "no_lifetime"), ([FRESH, "Set-Cookie: a=b"], 200, "set_cookie"),
    ([FRESH, "Vary: *"], 200, "vary"), (["Cache-Control: no-cache"], 200, "no_validator"), (["Cache-Control: max-age=60, must-understand"], 299, "not_understood"),
    (["Cache-Control: max-age=60", "Age: 61"], 200, "expired"),
])
def test_what_is_not_stored_says_why_rfc9211_2_8(caches, fields, status, detail):
    parameters = said(caches.saying(*fields, status=status).get())
    assert parameters["detail"] == detail and "stored" not in parameters


def test_a_request_that_is_not_stored_says_why_rfc9211_2_8(caches):
    assert said(caches.saying(FRESH).get("Authorization: x"))["detail"] == "authorization"
    assert said(caches.saying(FRESH).get("Cache-Control: no-store"))["detail"] == "request_no_store"
    assert said(caches.saying(FRESH).get("X-HTTP-Method-Override: PUT"))["fwd"] == "bypass"


def test_our_member_stands_behind_those_of_caches_nearer_to_the_origin_rfc9211_2(caches):
    page = caches.saying(FRESH, "Cache-Status: Origin; hit; ttl=5")
    for _ in range(2):
        lines = members(page.get())
        assert re.match(r"Origin; hit; ttl=5$", lines[0]) and lines[-1].startswith("proxyd;") and len(lines) == 2


def test_an_answer_of_our_own_is_none_of_the_caches_rfc9211_2(caches):
    page = caches.saying(FRESH)
    got = page.get("Cache-Control: only-if-cached")
    assert got.status == 504 and not members(got)


@pytest.mark.parametrize("failure, status", [({"status": 503}, "503"), ({"steps": ["close"]}, None)], ids=["503", "no-answer"])
def test_what_stands_in_for_a_failed_origin_is_no_hit_rfc9211_2_2(caches, failure, status):
    page = caches.saying("Cache-Control: max-age=60, stale-if-error=3600", "Age: 70", 'ETag: "a"').says(**failure)
    page.get()
    stale = said(page.get())
    assert "hit" not in stale and (stale["fwd"], stale.get("fwd-status"), stale["ttl"][0]) == ("stale", status, "-")
