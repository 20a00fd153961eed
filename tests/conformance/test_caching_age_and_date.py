"""Age and Date: RFC 9111 4.2.3, 5.1 and RFC 9110 6.6.1."""
import pytest
from pages import DAY, date
from proxyd import eventually

FRESH = "Cache-Control: max-age=3600"


@pytest.mark.rows("CA-030")
@pytest.mark.parametrize("lines, fate", [
    (["abc"], "hit"), (["-7200"], "hit"), (["-5"], "hit"), (["7200.0"], "hit"), (["7200;foo=bar"], "hit"), ([""], "hit"), (["2147483647"], "miss"), (["2147483648"], "miss"),
    (["2147483649"], "miss"), (["99999999999999999999999"], "miss"), (["7200, 0"], "miss"), (["0, 7200"], "hit"), (["7200", "0"], "miss"), (["0", "7200"], "hit"), (["0, 0"], "hit"),
    (["0", "0"], "hit"), (["3599, 3599"], "hit"), (["abc, 7200"], "miss"), (["abc", "0"], "hit"), (["007200"], "miss"), (["3500", "3500"], "hit"),
], ids=lambda value: "|".join(value) if isinstance(value, list) else value)
def test_the_first_valid_member_of_age_counts_rfc9111_5_1(caches, lines, fate):
    ages = [f"Age: {line}" for line in lines]
    assert caches.saying(FRESH, *ages).fates((), ()) == ["miss", fate]


def test_a_stored_answer_says_how_old_it_is_rfc9111_5_1(caches):
    for fields in ([FRESH], ["Expires: " + date(30 * DAY)]):
        page = caches.saying(*fields)
        page.get()
        assert page.get().age in (0, 1, 2)
        page = caches.saying(*fields, "Age: 30")
        page.get()
        hit = page.get()
        assert hit.fate == "hit" and 30 <= hit.age <= 40
        assert [name.lower() for name, _ in hit.fields].count("age") == 1


def test_age_counts_from_date_where_that_is_longer_ago_rfc9111_4_2_3(caches):
    page = caches.saying(FRESH, "Age: 30", "Date: " + date(-1000))
    page.get()
    assert 999 <= page.get().age <= 1010
    page = caches.saying(FRESH, "Date: " + date(1000))
    page.get()
    assert page.get().age in (0, 1, 2)


@pytest.mark.rows("CA-036")
def test_a_date_in_the_future_makes_nothing_older_or_fresher_rfc9111_4_2_3(caches):
    page = caches.saying(FRESH, "Date: " + date(DAY))
    page.get()
    hit = page.get()
    assert hit.fate == "hit" and hit.age <= 2
    assert caches.saying("Cache-Control: max-age=60", "Age: 61", "Date: " + date(DAY)).fates((), ()) == ["miss", "miss"]


def test_an_age_that_does_not_fit_is_said_as_the_most_rfc9111_1_2_2(caches):
    page = caches.saying("Cache-Control: max-age=60", 'ETag: "a"', "Age: 99999999999999")
    page.get()
    stale = page.get("Cache-Control: max-stale")
    assert (stale.fate, stale.age) == ("hit", 2147483648)


def test_date_and_expires_stay_as_the_origin_said_rfc9110_6_6_1(caches):
    then, later = date(-100), date(30 * DAY)
    page = caches.saying("Expires: " + later, "Date: " + then)
    assert [(r.value("Date"), r.value("Expires")) for r in (page.get(), page.get())] == [(then, later)] * 2


@pytest.mark.rows("CA-036")
def test_an_answer_without_a_date_is_stored_with_that_of_its_arrival_rfc9110_6_6_1(caches):
    page = caches.saying(FRESH, "Date: none")
    first = page.get()
    assert first.value("Date")
    eventually(lambda: date() != first.value("Date"))
    hit = page.get()
    assert (hit.fate, hit.value("Date")) == ("hit", first.value("Date"))


def test_age_is_not_said_by_what_was_not_stored_here_unless_the_origin_did_rfc9111_5_1(caches):
    page = caches.saying("Cache-Control: no-store", "Age: 17")
    assert page.get().age == 17
    assert caches.saying("Cache-Control: no-store").get().age is None

