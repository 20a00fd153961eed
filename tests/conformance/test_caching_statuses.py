"""Which statuses are stored: RFC 9111 3, 4.2.2 and RFC 9110 15.1."""
import pytest
from pages import DAY, date

STATUSES = [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599]
FRESH = ["Cache-Control: max-age=100000", "Expires: " + date(100000), "Last-Modified: " + date()]


@pytest.mark.parametrize("policy", ["plain", "open"])
@pytest.mark.parametrize("status", STATUSES)
def test_any_final_status_with_a_lifetime_is_reused_rfc9111_3(caches, status, policy):
    page = caches.saying(*FRESH, status=status, policy=policy)
    first, hit = page.get(), page.get()
    assert (first.status, first.fate, hit.status, hit.fate) == (status, "miss", status, "hit")
    assert hit.body == first.body == (b"" if status == 204 else b"answer 1")


@pytest.mark.parametrize("status", STATUSES)
def test_no_status_is_reused_once_stale_rfc9111_4_2(caches, status):
    fields = ["Expires: " + date(-5000), "Last-Modified: " + date(-100000)]
    page = caches.saying(*fields, status=status, policy="open")
    assert page.get().status == status
    later = page.get()
    assert later.status == status and later.fate in ("miss", "validated")


def test_a_status_may_change_and_the_newest_is_kept_rfc9111_4(caches):
    page = caches.saying("Cache-Control: max-age=60").says("Cache-Control: max-age=60", status=410)
    page.get()
    assert page.get("Cache-Control: no-cache").status == 410
    gone = page.get()
    assert (gone.status, gone.fate) == (410, "hit")


OLD = ["Last-Modified: " + date(-DAY)]


@pytest.mark.parametrize("status", [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
def test_these_statuses_have_a_lifetime_by_their_age_where_the_policy_says_so_rfc9110_15_1(caches, status):
    for policy in ("open", "heuristic"):
        assert caches.saying(*OLD, status=status, policy=policy).fates((), ()) == ["miss", "hit"]


@pytest.mark.parametrize("status", [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599])
def test_other_statuses_have_none_unless_they_are_public_rfc9111_4_2_2(caches, status):
    assert caches.saying(*OLD, status=status, policy="open").fates((), ()) == ["miss", "miss"]
    assert caches.saying(*OLD, "Cache-Control: public", status=status, policy="open").fates((), ()) == ["miss", "hit"]


@pytest.mark.rows("CA-004")
def test_an_error_without_a_lifetime_is_not_stored_and_a_lifetime_of_ours_is_by_status(caches):
    for policy in ("plain", "open", "ttl"):
        assert caches.saying(*OLD, status=400, policy=policy).fates((), ()) == ["miss", "miss"]
        assert caches.saying(*OLD, status=431, policy=policy).fates((), ()) == ["miss", "miss"]
    assert caches.saying(status=404, policy="ttl").fates((), ()) == ["miss", "hit"]
    assert caches.saying(status=410, policy="ttl").fates((), ()) == ["miss", "miss"]


@pytest.mark.parametrize("status", [304, 412, 416])
def test_an_answer_to_a_condition_or_range_is_not_stored_for_others_rfc9111_3(caches, status):
    page = caches.saying(*FRESH, status=status, policy="open").says(*FRESH)
    page.get()
    later = page.get()
    assert (later.status, later.fate) == (200, "miss")
