"""What a second does to stored answers, for all of them at once: RFC 9111 4.2, RFC 5861."""
import threading

import pytest
from pages import date
from proxyd import eventually

SECOND = "Cache-Control: max-age=1"
PAGES = {
    "stale": [SECOND], "validated": [SECOND, 'ETag: "a"'], "revalidated": ["Cache-Control: max-age=1, must-revalidate", 'ETag: "a"'], "expires": ["Expires: " + "{in1}", "Date: {in0}"],
    "shared": ["Cache-Control: max-age=3600, s-maxage=1"], "shared-long": ["Cache-Control: max-age=1, s-maxage=3600"], "two": ["Cache-Control: max-age=1800, max-age=1"],
    "quoted": ['Cache-Control: ext="max-age=3600", max-age=1'], "targeted": ["Cache-Control: max-age=3600", "CDN-Cache-Control: max-age=1"], "targeted-long": [SECOND, "CDN-Cache-Control: max-age=3600"],
    "aged": ["Cache-Control: max-age=3600", "Age: 30"], "aged-expires": ["Expires: {in3600}", "Age: 30"], "fresh": ["Cache-Control: max-age=3600"], "immutable": ["Cache-Control: max-age=1, immutable", 'ETag: "a"'],
    "meanwhile": ["Cache-Control: max-age=1, stale-while-revalidate=3600", 'ETag: "abc"'], "meanwhile-over": ["Cache-Control: max-age=0, stale-while-revalidate=1", 'ETag: "a"'],
    "in-error": ["Cache-Control: max-age=1, stale-if-error=3600"], "in-error-over": ["Cache-Control: max-age=0, stale-if-error=1"], "asked-in-error": ["Cache-Control: max-age=0", 'ETag: "a"'],
    "old": ["Cache-Control: max-age=3600", "Age: 3599"], "modified": ["Last-Modified: {in-5}"], "vary": [SECOND, "Vary: Abc", 'ETag: "a"'],
    **{f"closed-{name}": [f"Cache-Control: {value}", 'ETag: "a"'] for name, value in
       (("must-revalidate", "max-age=1, must-revalidate"), ("proxy-revalidate", "max-age=1, proxy-revalidate"), ("no-cache", "max-age=1, no-cache"), ("s-maxage", "max-age=1, s-maxage=1"))},
}


def dated(line):
    for seconds in (0, 1, 3600, -5):
        line = line.replace("{in%d}" % seconds, date(seconds))
    return line


@pytest.fixture(scope="module")
def later(caches):
    """All pages, fetched at once a second ago and more; one of them took that second at the origin."""
    gate, slow = threading.Event(), caches.saying("Cache-Control: max-age=3600")
    slow.answers[0].before = gate
    waiting = threading.Thread(target=slow.get)
    waiting.start()
    pages = {name: caches.saying(*map(dated, lines), policy="open") for name, lines in PAGES.items()}
    for name, page in pages.items():
        assert page.get(*(["Abc: 1"] if name == "vary" else [])).fate == "miss"
    last = caches.saying(SECOND)
    last.get()
    eventually(lambda: last.get().number == 2, what="the end of the last page's lifetime")
    gate.set()
    waiting.join()
    return {**pages, "slow": slow}


@pytest.mark.parametrize("name, fate", [
    ("stale", "miss"), ("validated", "validated"), ("revalidated", "validated"), ("expires", "miss"), ("shared", "miss"), ("shared-long", "hit"), ("two", "miss"), ("quoted", "miss"), ("targeted", "miss"),
    ("targeted-long", "hit"), ("immutable", "validated"), ("meanwhile-over", "validated"), ("old", "miss"), ("modified", "validated"),
])
def test_a_lifetime_ends_rfc9111_4_2(later, name, fate):
    assert later[name].get().fate == fate


@pytest.mark.parametrize("name, least", [("fresh", 1), ("aged", 31), ("aged-expires", 31), ("targeted-long", 1), ("slow", 1)])
def test_age_goes_on_rfc9111_4_2_3(later, name, least):
    got = later[name].get()
    assert got.number == 1 and least <= got.age <= least + 30


def test_a_request_bounds_the_age_rfc9111_5_2_1_1(later):
    assert later["aged"].get("Cache-Control: max-age=30").fate == "miss"


def test_what_is_stale_is_served_meanwhile_rfc5861_3(later):
    page = later["meanwhile"].says("Cache-Control: max-age=3600", 'ETag: "def"')
    assert page.get().number == 1
    eventually(lambda: page.get().value("ETag") == '"def"')
    assert len(page.asked) == 2


def test_what_is_stale_is_served_in_place_of_an_error_rfc5861_4(later):
    page = later["in-error"].says(steps=["close"])
    assert [page.get().status for _ in range(2)] == [200, 200]


def test_an_error_is_passed_on_once_the_window_is_over_rfc5861_4(later):
    assert later["in-error-over"].says(status=500).get().status == 500
    assert later["asked-in-error"].says(status=500).get("Cache-Control: stale-if-error=1").status == 500


@pytest.mark.parametrize("name", ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage"])
def test_what_must_be_validated_is_not_served_when_the_origin_closes_rfc9111_5_2_2_2(later, name):
    got = later[f"closed-{name}"].says(steps=["close"]).get()
    assert got.status in (502, 504) and got.number is None


def test_a_variant_is_validated_with_its_selecting_fields_rfc9111_4_3_1(later):
    page = later["vary"]
    assert page.get("Abc: 1").fate == "validated"
    assert page.asked[1].values("Abc") == ["1"]
