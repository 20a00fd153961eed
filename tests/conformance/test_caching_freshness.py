"""How long a response is fresh: RFC 9111 4.2.1, 4.2.2, 5.3, and how Cache-Control is read (5.2)."""
import pytest
from pages import DAY, date


def reused(page):
    """Whether the second request is served without asking the origin."""
    fates = page.fates((), ())
    assert fates[0] == "miss"
    return fates[1] == "hit"


@pytest.mark.rows("CA-031")
@pytest.mark.parametrize("value", [
    "max-age=3600", "max-age=2147483647", "max-age=2147483648", "max-age=2147483649", "max-age=99999999999", "max-age=9999999999999",
    "max-age=99999999999999999999999999", "MaX-aGe=3600", "foobar, max-age=3600", 'max-age="3600"', "max-age=003600", "s-maxage=3600", "max-age=1, s-maxage=3600",
    "max-age=0, s-maxage=3600", "S-MaxAge=60, max-age=0", 'ext="a, no-store, max-age=0", max-age=60', " ,, max-age=60 ,", "max-age=3600, must-revalidate",
    "max-age=60;x, s-maxage=60",
])
def test_a_positive_lifetime_makes_fresh_rfc9111_4_2_1(caches, value):
    assert reused(caches.saying("Cache-Control: " + value))
    assert reused(caches.saying("Cache-Control: " + value, "Expires: " + date(-7200)))
    assert reused(caches.saying("Cache-Control: " + value, "Expires: 0", policy="open"))


@pytest.mark.rows("CA-031", "CA-032")
@pytest.mark.parametrize("value", [
    "max-age=0", "max-age=-3600", "max-age='3600'", "max-age=3600.0", "max-age=60.5", "max-age=a3600", "max-age=3600a", "max-age=", "max-age", "max-age= 3600",
    "max-age=+5", "s-maxage=-1", "s-maxage=0, max-age=3600", "max-age=3600, s-maxage=0", "max-age=60, max-age=0", "max-age=0, max-age=60",
    'ext="max-age=3600", max-age=0', 'max-age=0, ext="max-age=3600"', "max-age=60, max-age=x",
])
def test_no_or_an_invalid_lifetime_makes_stale_and_the_least_of_several_holds_rfc9111_4_2_1(caches, value):
    for policy in ("plain", "open"):
        assert not reused(caches.saying("Cache-Control: " + value, "Expires: " + date(3600), policy=policy))


def test_a_space_before_the_sign_makes_another_directive_rfc9111_5_2(caches):
    assert not reused(caches.saying("Cache-Control: max-age =3600"))


@pytest.mark.parametrize("lines, fresh", [
    (["max-age=3600", "s-maxage=0"], False), (["max-age=0", "s-maxage=3600"], True), (["max-age=0", "max-age=1800"], False), (["", "max-age=1800"], True), (["no-cache", "max-age=60"], False),
])
def test_cache_control_may_come_in_several_lines_rfc9110_5_3(caches, lines, fresh):
    assert reused(caches.saying(*("Cache-Control: " + line for line in lines))) == fresh


def test_expires_makes_fresh_until_then_rfc9111_5_3(caches):
    assert reused(caches.saying("Expires: " + date(30 * DAY)))
    assert reused(caches.saying("Expires: " + date(30), "Date: none"))


@pytest.mark.rows("CA-036")
def test_expires_is_held_against_the_date_of_the_response_rfc9111_4_2_1(caches):
    assert reused(caches.saying("Date: " + date(DAY), "Expires: " + date(DAY + 60)))
    assert not reused(caches.saying("Date: " + date(400), "Expires: " + date(300)))
    assert not reused(caches.saying("Date: " + date(-DAY), "Expires: " + date(-DAY)))
    now = date()
    assert not reused(caches.saying("Date: " + now, "Expires: " + now))


def test_expires_counts_though_date_is_none_rfc9111_4_2_1(caches):
    assert reused(caches.saying("Date: foo", "Expires: " + date(60)))
    assert not reused(caches.saying("Date: foo", "Expires: " + date(-1)))


@pytest.mark.parametrize("value", [
    "Thursday, 18-Aug-50 02:01:18 GMT", "Thu Aug 18 02:01:18 2050", "Thu, 18 Aug 2050 02:01:18 GMT", "THU, 18 Aug 2050 02:01:18 GMT", "Thu, 18 AUG 2050 02:01:18 gMT",
])
def test_expires_has_any_of_the_three_forms_of_a_date_rfc9110_5_6_7(caches, value):
    assert reused(caches.saying("Expires: " + value))


@pytest.mark.parametrize("value", [
    "0", "-1", "", "Thu, 18 Aug 2050 02:01:18 UTC", "Thu, 18 Aug 2050 02:01:18 AEST", "Thu, 18 Aug 50 02:01:18 GMT", "Thu 18 Aug 2050 02:01:18 GMT",
    "Thu, 18  Aug  2050 02:01:18 GMT", "Thu, 18-Aug-2050 02:01:18 GMT", "Thu, 18 Aug 2050 02.01.18 GMT", "Thu, 18 Aug 2050 2:01:18 GMT", "2050-08-18T02:01:18Z", "Thu, 18 Aug 2050",
])
def test_an_expires_that_is_no_date_lies_in_the_past_rfc9111_5_3(caches, value):
    for policy in ("plain", "open", "ttl"):
        assert not reused(caches.saying("Expires: " + value, "Last-Modified: " + date(-DAY), policy=policy))


def test_the_least_of_several_expires_holds_rfc9111_4_2_1(caches):
    assert not reused(caches.saying("Expires: " + date(60), "Expires: 0"))
    assert reused(caches.saying("Expires: " + date(60), "Expires: " + date(90)))


@pytest.mark.parametrize("fields", [
    ["Cache-Control: max-age=3600", "Age: 7200"], ["Date: " + date(-7200), "Cache-Control: max-age=3600"], ["Date: " + date(-10), "Expires: " + date(10), "Age: 25"],
    ["Date: " + date(600), "Expires: " + date(700), "Age: 150"], ["Expires: " + date(60), "Age: 61"],
], ids=["age", "date", "slow-date", "fast-date", "expires"])
def test_what_is_older_than_its_lifetime_on_arrival_is_stale_rfc9111_4_2_3(caches, fields):
    for policy in ("plain", "open"):
        assert not reused(caches.saying(*fields, policy=policy))


@pytest.mark.parametrize("delta, fresh", [(100, True), (3600, True), (DAY, True), (0, False), (-60, False)])
def test_a_tenth_of_its_age_is_a_lifetime_where_the_policy_guesses_rfc9111_4_2_2(caches, delta, fresh):
    assert reused(caches.saying("Last-Modified: " + date(-delta), policy="heuristic")) == fresh
    assert not reused(caches.saying("Last-Modified: " + date(-delta)))


def test_nothing_is_guessed_beside_a_lifetime_of_the_origin_rfc9111_4_2_2(caches):
    old = "Last-Modified: " + date(-DAY)
    for line in ("Cache-Control: max-age=0", "Expires: 0", "Cache-Control: s-maxage=0"):
        assert not reused(caches.saying(old, line, policy="heuristic"))
    assert not reused(caches.saying(old, "Pragma: no-cache", policy="heuristic"))
    assert reused(caches.saying(old, "Pragma: other", policy="heuristic"))
    assert reused(caches.saying(old, "Content-Disposition: attachment", policy="heuristic"))


def test_nothing_is_guessed_for_requests_with_cookies_rfc9111_7_3(caches):
    page = caches.saying("Last-Modified: " + date(-DAY), policy="heuristic")
    assert page.fates("Cookie: a=b", ()) == ["miss", "miss"]


def test_a_policy_gives_lifetimes_where_the_origin_gives_none_and_clamps_them(caches):
    assert reused(caches.saying(policy="ttl"))
    for fields in (["Cache-Control: max-age=0"], ["Cache-Control: no-cache"], ["Cache-Control: private"], ["Expires: 0"]):
        assert not reused(caches.saying(*fields, policy="ttl"))
    assert reused(caches.saying("Cache-Control: max-age=10", "Age: 30", policy="ttl"))       # at least a minute
    assert not reused(caches.saying("Cache-Control: max-age=86400", "Age: 7500", policy="ttl"))   # at most two hours


def test_a_policy_ignores_what_it_names(caches):
    for fields in (["Cache-Control: no-store"], ["Cache-Control: private, max-age=0"], ["Expires: 0"], ["Pragma: no-cache"], ["Vary: *"]):
        assert caches.saying(*fields, policy="ignoring").fates("A: 1", ("A: 2", "Cache-Control: no-cache", "Pragma: no-cache")) == ["miss", "hit"]
