"""Fields for caches of one kind: RFC 9213."""
import pytest
from pages import date

STALE, LONG = "Cache-Control: max-age=0", ["Cache-Control: max-age=10000", "Expires: " + date(10000)]


def fate(caches, *fields, policy="plain", validator=()):
    return caches.saying(*fields, *validator, policy=policy).fates((), ())[1]


@pytest.mark.parametrize("policy", ["plain", "open"])
@pytest.mark.parametrize("value", [
    "max-age=3600", "max-age=2147483648", "max-age=99999999999", "foobar, max-age=3600", "max-age=3600, foo=bar;x=1, bar=(a b)", "max-age=3600;x=1", "s-maxage=60, max-age=0",
    "max-age=3600, no-store=?0", "max-age=0, max-age=60", " max-age=60 ,\tpublic",
])
def test_a_targeted_field_gives_a_lifetime_whatever_the_others_say_rfc9213_2_1(caches, value, policy):
    field = "CDN-Cache-Control: " + value
    for others in ([], ["Expires: " + date(-10000)], ["Expires: 0"], [STALE], ["Cache-Control: no-store"], ["Cache-Control: private, no-cache"]):
        assert fate(caches, *others, field, policy=policy) == "hit"


@pytest.mark.parametrize("policy", ["plain", "open"])
@pytest.mark.parametrize("value", ["max-age=0", "no-store", "private", "no-cache", "max-age=-5", "s-maxage=0, max-age=60", "private=\"a\", max-age=60", "max-age=60, max-age=0"])
def test_a_targeted_field_forbids_whatever_the_others_allow_rfc9213_2_1(caches, value, policy):
    assert fate(caches, *LONG, "CDN-Cache-Control: " + value, policy=policy) == "miss"
    assert fate(caches, "CDN-Cache-Control: " + value, *LONG, policy=policy) == "miss"


def test_a_targeted_no_cache_is_validated_rfc9213_2_1(caches):
    assert fate(caches, *LONG, "CDN-Cache-Control: no-cache", validator=['ETag: "a"']) == "validated"


def test_age_counts_against_a_targeted_lifetime_rfc9213_2_1(caches):
    assert fate(caches, *LONG, "CDN-Cache-Control: max-age=3600", "Age: 7200") == "miss"
    assert fate(caches, STALE, "CDN-Cache-Control: max-age=3600", "Age: 1200") == "hit"


@pytest.mark.parametrize("value", [
    "max-age=10000, &&&&&", 'max-age="10000"', "max-age=10.5", "max-age", "max-age =100", "max-age= 100", "no-store=1", "max-age=abc", "MaX-aGe=3600", "", ",", "max-age=1000000000000000000",
    "max-age=60,",
])
def test_a_field_that_is_no_dictionary_or_of_wrong_types_is_ignored_rfc9213_2_1(caches, value):
    assert fate(caches, "Cache-Control: no-store", "CDN-Cache-Control: " + value) == "miss"
    assert fate(caches, "Cache-Control: max-age=60", "CDN-Cache-Control: " + value) == "hit"


def test_lines_of_a_targeted_field_are_one_dictionary_rfc9213_2_1(caches):
    assert fate(caches, STALE, "CDN-Cache-Control: max-age=60", "CDN-Cache-Control: public") == "hit"
    assert fate(caches, STALE, "CDN-Cache-Control: max-age=60", "CDN-Cache-Control: no-store") == "miss"


def test_the_first_valid_field_of_the_list_counts_alone_rfc9213_2_2(caches):
    first, second = "Proxyd-Cache-Control: ", "CDN-Cache-Control: "
    assert fate(caches, STALE, second + "no-store", first + "max-age=60") == "hit"
    assert fate(caches, *LONG, second + "max-age=60", first + "no-store") == "miss"
    assert fate(caches, *LONG, second + "no-store", first + "not valid!") == "miss"
    assert fate(caches, STALE, second + "max-age=60", first) == "hit"


def test_a_policy_names_its_own_fields_rfc9213_2_2(caches):
    assert fate(caches, STALE, "Edge-Cache-Control: max-age=60", policy="edge") == "hit"
    assert fate(caches, STALE, "CDN-Cache-Control: max-age=60", policy="edge") == "miss"
    assert fate(caches, STALE, "Edge-Cache-Control: max-age=60") == "miss"


def test_targeted_directives_of_staleness_count_rfc9213_2_1(caches):
    page = caches.saying("Cache-Control: max-age=60", "CDN-Cache-Control: max-age=60, stale-if-error=600", "Age: 70", 'ETag: "a"').says(status=500)
    page.get()
    assert page.get().status == 200
    page = caches.saying("Cache-Control: max-age=60, stale-if-error=600", "CDN-Cache-Control: max-age=60", "Age: 70", 'ETag: "a"').says(status=500)
    page.get()
    assert page.get().status == 500


def test_fields_pass_and_say_to_the_next_cache_what_the_origin_said_rfc9213_2(caches):
    then = date(-3)
    fields = ["Cache-Control: max-age=1", "Expires: " + date(1), "CDN-Cache-Control: max-age=10000, foo", "Date: " + then]
    page = caches.saying(*fields)
    for fate_ in ("miss", "hit"):
        got = page.get()
        assert got.fate == fate_ and [got.value(line.split(":")[0]) for line in fields] == [line.split(": ", 1)[1] for line in fields]
    assert got.age >= 2


def test_surrogate_control_is_no_targeted_field_rfc9213_2(caches):
    assert fate(caches, STALE, "Surrogate-Control: max-age=60") == "miss"
