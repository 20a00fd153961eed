"""Selecting among variants: RFC 9111 4.1, RFC 9110 12.5.5."""
import re
import threading

import pytest
from pages import Caches, date

FRESH = ["Cache-Control: max-age=5000", "Last-Modified: " + date(-3000)]


def fates(caches, vary, *requests, extra=()):
    lines = [vary] if isinstance(vary, str) else vary
    return caches.saying(*FRESH, *(f"Vary: {line}" for line in lines), *extra).fates(*requests)


THREE = ("Foo: 1", "Bar: abc", "Baz: 789")


@pytest.mark.parametrize("vary, first, second, fate", [
    ("Foo", "Foo: 1", "Foo: 1", "hit"), ("Foo", "Foo: 1", "Foo: 2", "miss"), ("Foo", (), "Foo: 1", "miss"), ("Foo", "Foo: 1", (), "miss"), ("Foo", (), (), "hit"),
    ("foo", "FOO: 1", "fOO: 1", "hit"), ("Foo", "Foo:", (), "miss"), ("Foo", ("Foo: 1", "Other: 2"), ("Foo: 1", "Other: 3"), "hit"),
    ("Foo, Bar", THREE[:2], THREE[:2], "hit"), ("Foo, Bar", THREE[:2], ("Foo: 2", "Bar: abc"), "miss"), ("Foo, Bar", THREE[:2], (), "miss"), ("Foo, Bar", THREE[:2], "Foo: 1", "miss"),
    ("Foo, Bar, Baz", THREE, THREE, "hit"), ("Foo, Bar, Baz", THREE, THREE[::-1], "hit"), ("Foo, Bar, Baz", THREE, ("Foo: 2", *THREE[1:]), "miss"),
    ("Foo, Bar, Baz", THREE, ("Foo: 1", "Baz: 789", "Bar: abcde"), "miss"), ("Foo, Bar, Baz", THREE[::2], THREE[::2], "hit"), (["Foo", "Bar"], THREE, ("Foo: 1", "Bar: x"), "miss"),
    (["", "Foo"], "Foo: 1", "Foo: 2", "miss"), (", ,Foo,", "Foo: 1", "Foo: 1", "hit"), ("", "Foo: 1", "Foo: 2", "hit"),
])
def test_what_varies_is_reused_where_every_selecting_field_is_the_same_rfc9111_4_1(caches, vary, first, second, fate):
    assert fates(caches, vary, first, second) == ["miss", fate]


@pytest.mark.rows("CA-019")
@pytest.mark.parametrize("vary", ["*", "*, *", ["*", "*"], ", *", ["", "*"], "*, Foo", "Foo, *", ["Foo", "*"], "Foo Bar", "(Foo)"])
def test_an_asterisk_or_what_is_no_name_never_matches_rfc9111_4_1(caches, vary):
    assert fates(caches, vary, ("Foo: 1", "Baz: 789"), ("Foo: 1", "Baz: 789"), ("*: 1", "Foo: 1")) == ["miss"] * 3


@pytest.mark.rows("CA-022")
@pytest.mark.parametrize("name, first, second", [
    ("Foo", ("Foo: 1,2",), ("Foo:  1, 2 ",)), ("Foo", ("Foo: 1, 2",), ("Foo: 1", "Foo: 2")), ("Accept-Language", ("Accept-Language: en, de",), ("Accept-Language: de, en",)),
    ("Accept-Language", ("Accept-Language: en, de",), ("Accept-Language: eN, De",)), ("Accept-Language", ("Accept-Language: en, de",), ("Accept-Language:  en ,   de",)),
    ("Accept-Language", ("Accept-Language: fr;q=0.5, de",), ("Accept-Language: de;q=1.0, fr;q=0.50",)),
    ("Accept-Encoding", ("Accept-Encoding: gzip, br",), ("Accept-Encoding: br;q=0.9,gzip;q=1, unheard-of",)), ("Accept-Encoding", (), ("Accept-Encoding: identity",)),
    ("Accept-Encoding", ("Accept-Encoding: gzip",), ("Accept-Encoding: x-gzip, deflate",)), ("Accept-Encoding", ("Accept-Encoding: gzip;q=0",), ()),
], ids=str)
def test_what_means_the_same_selects_the_same_rfc9111_4_1(caches, name, first, second):
    assert fates(caches, name, first, second) == ["miss", "hit"]


@pytest.mark.rows("CA-022")
@pytest.mark.parametrize("name, first, second", [
    ("Foo", "Foo: 1, 2", "Foo: 2, 1"), ("Foo", "Foo: a", "Foo: A"), ("Accept-Language", "Accept-Language: en, de", "Accept-Language: en;q=0.5, de"),
    ("Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: br"), ("Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip;q=0"),
    ("Accept-Encoding", "Accept-Encoding: gzip", ()),
], ids=str)
def test_what_means_something_else_selects_something_else_rfc9111_4_1(caches, name, first, second):
    assert fates(caches, name, first, second) == ["miss", "miss"]


def test_the_language_liked_best_selects_what_is_stored_in_it_rfc9110_12_5_4(caches):
    german = ("Content-Language: de",)
    assert fates(caches, "Accept-Language", "Accept-Language: en, de", "Accept-Language: fr;q=0.5, de;q=1.0", extra=german) == ["miss", "hit"]
    assert fates(caches, "Accept-Language", "Accept-Language: en, de", "Accept-Language: fr, de;q=0.5", extra=german) == ["miss", "miss"]


def test_an_answer_in_another_language_is_not_that_of_all_with_the_same_favourite_rfc9111_4_1(caches):
    def says(language, *fields):
        return [*FRESH, "Vary: Accept-Language", f"Content-Language: {language}", *fields]
    page = caches.saying(*says("de", "Cache-Tag: german")).says(*says("en")).says(*says("en")).says(*says("fr"))
    page.get("Accept-Language: de"), page.get("Accept-Language: en")
    assert caches.proxyd.api("POST", "/api/v1/cache/purges", {"tags": ["german"]})[0] in (200, 201)
    assert page.get("Accept-Language: de, en;q=0.5").value("Content-Language") == "en"
    assert page.get("Accept-Language: de, fr;q=0.9").value("Content-Language") == "fr"


def test_variants_are_stored_beside_each_other_rfc9111_4_1(caches):
    page = caches.saying(*FRESH, "Vary: Foo")
    assert [page.get(f"Foo: {i}").number for i in (1, 2, 3, 1, 2, 3)] == [1, 2, 3, 1, 2, 3]


def test_an_answer_that_varies_by_more_makes_its_own_variant_and_keeps_others_right_rfc9111_4_1(caches):
    page = caches.saying(*FRESH, "Vary: Foo").says(*FRESH, "Vary: Foo, Bar")
    assert page.get("Foo: 1", "Bar: 1").fate == "miss"
    assert page.get("Foo: 2", "Bar: 1").fate == "miss"
    assert page.get("Foo: 2", "Bar: 2").fate == "miss"
    assert page.get("Foo: 2", "Bar: 1").fate == "hit"
    assert page.get("Foo: 2", "Bar: 2").fate == "hit"


def test_a_variant_is_validated_by_its_own_validator_and_with_its_selecting_fields_rfc9111_4_3_1(caches):
    page = caches.saying("Cache-Control: max-age=60", "Age: 61", 'ETag: "one"', "Vary: Abc").says("Cache-Control: max-age=60", "Age: 61", 'ETag: "two"', "Vary: Abc")
    assert page.fates("Abc: 123", "Abc: 456") == ["miss", "miss"]
    page.says("Cache-Control: max-age=60", "Age: 61", 'ETag: "one"', "Vary: Abc")
    assert page.get("Abc: 123").fate == "validated"
    assert page.asked[-1].values("If-None-Match") == ['"one"'] and page.asked[-1].values("Abc") == ["123"]
    assert all('"one"' not in str(asked.values("If-None-Match")) for asked in page.asked[1:2])


@pytest.mark.rows("CA-021")
def test_what_varies_by_more_than_sixteen_fields_is_not_stored_rfc9111_4_1(caches):
    names = [f"X-{i}" for i in range(17)]
    assert fates(caches, ", ".join(names[:16]), (), ()) == ["miss", "hit"]
    assert fates(caches, ", ".join(names), (), ()) == ["miss", "miss"]


@pytest.mark.rows("CA-021")
def test_names_that_change_with_every_answer_never_mix_up_answers_rfc9111_4_1(caches):
    page = caches.page()
    for i in range(30):
        page.says(*FRESH, f"Vary: Accept-Encoding, X-{i}")
    assert [page.get(f"X-{i}: {i}").number for i in range(30)] == list(range(1, 31))


def test_a_variant_too_long_to_tell_apart_is_not_stored_rfc9111_4_1(caches):
    long = "Foo: " + "x" * 6000
    assert fates(caches, "Foo", long, long, "Foo: 1", "Foo: 1") == ["miss", "miss", "miss", "hit"]


def test_more_than_sixty_four_variants_are_answered_right_and_the_first_ones_kept(caches):
    page = caches.saying(*FRESH, "Vary: Foo")
    for i in range(80):
        assert page.get(f"Foo: {i}").number == i + 1
    fates = []
    for i in range(80):
        got = page.get(f"Foo: {i}")
        assert page.asked[got.number - 1].values("Foo") == [str(i)]
        fates.append(got.fate)
    assert fates[:64] == ["hit"] * 64
    assert fates[64:].count("miss") >= 12   # a list knows its variants by 16 bits each, so chance may let one in


def test_an_answer_in_a_coding_the_request_did_not_name_is_not_given_to_others_rfc9110_12_5_3(caches):
    page = caches.saying(*FRESH, "Vary: Accept-Encoding", "Content-Encoding: br")
    assert page.fates("Accept-Encoding: gzip", "Accept-Encoding: gzip") == ["miss", "miss"]
    assert page.fates("Accept-Encoding: br", "Accept-Encoding: br, x") == ["miss", "hit"]


def test_requests_for_two_variants_wait_for_their_own_rfc9111_4_1(caches):
    gate = threading.Event()
    page = caches.saying(*FRESH, "Vary: Foo", before=gate)
    got = {}
    threads = [threading.Thread(target=lambda i=i: got.update({i: page.get(f"Foo: {i % 2}")})) for i in range(6)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert all(page.asked[response.number - 1].values("Foo") == [str(i % 2)] for i, response in got.items())


@pytest.mark.parametrize("name", ["X-Real-IP", "X-Forwarded-For", "Forwarded", "X-Request-Id", "x-set"])
def test_what_varies_by_a_field_that_we_set_for_each_client_is_not_shared_rfc9111_4_1(name):
    edits = {"defaults": {"headers": {"request": {"set": {"X-Set": "{client_ip}"}}}}}
    with Caches({"plain": {}}, edits) as setting:
        page = setting.saying("Cache-Control: max-age=3600", "Vary: " + name)
        assert [page.get().fate for _ in range(2)] == ["miss", "miss"]
        assert page.asked[0].values(name)


def test_what_varies_by_a_field_that_we_set_alike_for_all_is_shared_rfc9111_4_1():
    edits = {"defaults": {"headers": {"request": {"set": {"X-Set": "always"}}}}}
    with Caches({"plain": {}}, edits) as setting:
        for name in ("X-Set", "X-Forwarded-Proto", "X-Forwarded-Host"):
            page = setting.saying("Cache-Control: max-age=3600", "Vary: " + name)
            assert [page.get().fate for _ in range(2)] == ["miss", "hit"]


@pytest.mark.parametrize("name, first, second", [
    ("Cookie", ("Cookie: a=x, b",), ("Cookie: a=x,b",)), ("User-Agent", ("User-Agent: A (b, c)",), ("User-Agent: A (b,c)",)), ("Referer", ("Referer: /a, b",), ("Referer: /a,b",)),
], ids=str)
def test_a_comma_of_a_field_that_is_no_list_is_an_octet_like_others_rfc9111_4_1(caches, name, first, second):
    assert fates(caches, name, first, second) == ["miss", "miss"]


@pytest.mark.parametrize("lifetime, least", [("max-age=86400", 86000), ("max-age=1", 3500)])
def test_the_list_of_variants_lives_as_long_as_they_do(caches, lifetime, least):
    page = caches.saying("Cache-Control: " + lifetime, "Vary: Foo")
    page.get("Foo: 1")
    page.get("Foo: 2")
    _, listed = caches.proxyd.api("GET", f"/api/v1/cache/objects?prefix=http://plain.test{page.path}")
    (lists,) = [item for item in listed["items"] if item["state"] == "varies"]
    assert seconds(lists["for"]) >= least


def test_a_known_variant_that_is_stored_again_prolongs_the_list(caches):
    page = caches.saying("Cache-Control: max-age=0", 'ETag: "a"', "Vary: Foo").says("Cache-Control: max-age=86400", 'ETag: "a"', "Vary: Foo")
    page.get("Foo: 1")
    assert page.get("Foo: 1").fate == "validated"
    _, listed = caches.proxyd.api("GET", f"/api/v1/cache/objects?prefix=http://plain.test{page.path}")
    assert [seconds(item["for"]) >= 86000 for item in listed["items"] if item["state"] == "varies"] == [True]


def seconds(text):
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([dhms])", text))
