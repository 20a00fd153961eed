"""Conditional requests, those received and those sent: RFC 9111 4.3.1 to 4.3.3, RFC 9110 13 and 15.4.5."""
import pytest
from pages import DAY, date

FRESH, STALE = ["Cache-Control: max-age=3600"], ["Cache-Control: max-age=60", "Age: 7200"]


@pytest.mark.parametrize("etag, asked, status", [
    ('"abcdef"', '"abcdef"', 304), ('W/"abcdef"', 'W/"abcdef"', 304), ('"abcdef"', 'W/"abcdef"', 304), ('W/"abcdef"', '"abcdef"', 304), ('"abcdef"', "*", 304),
    ('"abcdef"', '"abcdef", "1234", "5678"', 304), ('"abcdef"', '"1234", "abcdef", "5678"', 304), ('"abcdef"', '"1234", "5678", "abcdef"', 304), ('"abcdef"', '"1234"', 200),
    ('"a,b"', '"a", "b"', 200), ('"a,b"', '"x", "a,b"', 304), ('"\xe4"', '"\xe4"', 304), ('"abcdef"', '"ABCDEF"', 200), ('"abcdef"', ' , "abcdef" ,', 304), ('""', '""', 304),
    ('"abcdef"', "abcdef", 200),
])
def test_if_none_match_is_answered_from_what_is_fresh_rfc9110_13_1_2(caches, etag, asked, status):
    page = caches.saying(*FRESH, "ETag: " + etag)
    page.get()
    got = page.get("If-None-Match: " + asked)
    assert (got.fate, got.status) == ("hit", status)
    assert got.body == (b"" if status == 304 else b"answer 1")


def test_if_none_match_may_come_in_several_lines_rfc9110_5_3(caches):
    page = caches.saying(*FRESH, 'ETag: "a"')
    page.get()
    assert page.get('If-None-Match: "b"', 'If-None-Match: "a"').status == 304


def test_what_has_no_entity_tag_matches_only_an_asterisk_rfc9110_13_1_2(caches):
    page = caches.saying(*FRESH, "Last-Modified: " + date(-DAY))
    page.get()
    assert [page.get("If-None-Match: " + tag).status for tag in ('"a"', "*")] == [200, 304]


def test_a_304_has_the_fields_that_caches_need_and_no_others_rfc9110_15_4_5(caches):
    needed = ['ETag: "abcdef"', "Cache-Control: max-age=3600", "Content-Location: /a", "Expires: " + date(DAY), "Vary: Foo", "Date: " + date(-5)]
    page = caches.saying(*needed, "Content-Type: text/plain", "Last-Modified: " + date(-DAY))
    page.get()
    got = page.get('If-None-Match: "abcdef"')
    assert (got.fate, got.status) == ("hit", 304)
    assert [f"{name}: {got.value(name)}" for name in ("ETag", "Cache-Control", "Content-Location", "Expires", "Vary", "Date")] == needed
    assert got.age is not None and got.value("Content-Length") in (None, "8") and not got.value("Transfer-Encoding")


@pytest.mark.parametrize("modified, since, status", [(-3000, -3000, 304), (-3000, -2000, 304), (-3000, -4000, 200), (-3000, 0, 304)])
def test_if_modified_since_is_answered_from_what_is_fresh_rfc9110_13_1_3(caches, modified, since, status):
    page = caches.saying(*FRESH, "Last-Modified: " + date(modified))
    page.get()
    got = page.get("If-Modified-Since: " + date(since))
    assert (got.fate, got.status) == ("hit", status)


def test_if_modified_since_has_any_of_the_three_forms_of_a_date_rfc9110_5_6_7(caches):
    page = caches.saying(*FRESH, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT")
    page.get()
    asked = ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:36 GMT", "yesterday", "0"]
    assert [page.get("If-Modified-Since: " + value).status for value in asked] == [304, 304, 200, 200, 200]
    assert len(page.asked) == 1


def test_without_last_modified_the_date_counts_rfc9111_4_3_2(caches):
    page = caches.saying(*FRESH, "Date: " + date(-100))
    page.get()
    assert [page.get("If-Modified-Since: " + date(seconds)).status for seconds in (-50, -150)] == [304, 200]


def test_if_none_match_goes_before_if_modified_since_rfc9110_13_2_2(caches):
    page = caches.saying(*FRESH, 'ETag: "abcdef"', "Last-Modified: " + date(-5000))
    page.get()
    assert page.get('If-None-Match: "abcdef"', "If-Modified-Since: " + date(-6000)).status == 304
    assert page.get('If-None-Match: "other"', "If-Modified-Since: " + date()).status == 200
    assert len(page.asked) == 1


def test_head_is_answered_on_its_condition_as_get_is_rfc9110_13_1_2(caches):
    page = caches.saying(*FRESH, 'ETag: "a"')
    page.get()
    assert [page.get(f"If-None-Match: {tag}", method="HEAD").status for tag in ('"a"', '"b"')] == [304, 200]
    assert len(page.asked) == 1


def test_a_condition_is_not_applied_to_what_is_no_success_rfc9110_13_2_1(caches):
    page = caches.saying(*FRESH, 'ETag: "a"', status=404)
    page.get()
    assert page.get('If-None-Match: "a"').status == 404


@pytest.mark.parametrize("field", ['If-Match: "a"', "If-Unmodified-Since: " + date(-DAY)], ids=["match", "unmodified"])
def test_what_only_an_origin_can_answer_goes_to_the_origin_rfc9110_13_1_1(caches, field):
    page = caches.saying(*FRESH, 'ETag: "a"')
    page.get()
    assert page.get(field).fate == "miss"
    assert page.asked[-1].values(field.split(":")[0])
    assert page.get().number in (1, 2)


@pytest.mark.parametrize("validator, sent", [('ETag: "abcdef"', ("If-None-Match", '"abcdef"')), ('ETag: W/"abcdef"', ("If-None-Match", 'W/"abcdef"')),
                                             ("Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT", ("If-Modified-Since", "Wed, 01 Jan 2020 00:00:00 GMT"))], ids=["strong", "weak", "date"])
def test_what_is_stale_is_validated_by_its_validator_rfc9111_4_3_1(caches, validator, sent):
    for policy in ("plain", "open"):
        page = caches.saying(*STALE, validator, policy=policy)
        assert page.fates((), ()) == ["miss", "validated"]
        assert page.asked[1].values(sent[0]) == [sent[1]] and not page.asked[0].values(sent[0])


def test_both_validators_are_sent_where_there_are_both_rfc9111_4_3_1(caches):
    page = caches.saying(*STALE, 'ETag: "a"', "Last-Modified: " + date(-DAY))
    assert page.fates((), ()) == ["miss", "validated"]
    assert page.asked[1].values("If-None-Match") == ['"a"'] and page.asked[1].values("If-Modified-Since")


def test_a_validated_answer_is_served_with_the_stored_content_rfc9111_4_3_3(caches):
    page = caches.saying(*STALE, 'ETag: "a"').says(*FRESH, 'ETag: "a"')
    page.get()
    validated, hit = page.get(), page.get()
    assert (validated.status, validated.fate, validated.body, hit.fate, hit.body) == (200, "validated", b"answer 1", "hit", b"answer 1")


def test_a_full_answer_to_validation_replaces_what_was_stored_rfc9111_4_3_3(caches):
    page = caches.saying(*STALE, 'ETag: "a"').says(*FRESH, 'ETag: "b"')
    page.get()
    replaced, hit = page.get(), page.get()
    assert (replaced.fate, replaced.body, hit.fate, hit.body, hit.value("ETag")) == ("miss", b"answer 2", "hit", b"answer 2", '"b"')


def test_a_server_error_to_validation_is_passed_on_or_hidden_by_leave_rfc9111_4_3_3(caches):
    page = caches.saying(*STALE, 'ETag: "a"').says(status=503).says(*FRESH, 'ETag: "a"')
    page.get()
    assert page.get().status == 503
    later = page.get()
    assert later.status == 200 and later.fate in ("validated", "miss")


def test_a_clients_condition_is_answered_after_ours_rfc9111_4_3_2(caches):
    page = caches.saying(*STALE, 'ETag: "a"', "Last-Modified: " + date(-3000))
    page.get()
    for field in ('If-None-Match: "a"', "If-Modified-Since: " + date(-3000), "If-Modified-Since: " + date()):
        got = page.get(field)
        assert (got.fate, got.status, got.body) == ("validated", 304, b"")
    got = page.get('If-None-Match: "other"')
    assert (got.fate, got.status, got.body) == ("validated", 200, b"answer 1")
    assert all(asked.values("If-None-Match") == ['"a"'] for asked in page.asked[1:])


def test_a_clients_condition_is_held_against_a_new_answer_too_rfc9111_4_3_3(caches):
    page = caches.saying(*STALE, 'ETag: "a"').says(*FRESH, 'ETag: "b"')
    page.get()
    got = page.get('If-None-Match: "b"')
    assert (got.status, got.fate) == (304, "miss")
    assert page.get().body == b"answer 2"


def test_a_condition_on_a_cold_page_fetches_it_whole_for_all_rfc9111_4_3_1(caches):
    page = caches.saying(*FRESH, 'ETag: "a"')
    assert page.get('If-None-Match: "a"').status == 304
    assert not page.asked[0].values("If-None-Match")
    hit = page.get()
    assert (hit.fate, hit.status, hit.body) == ("hit", 200, b"answer 1")


def test_a_condition_whose_answer_is_not_stored_is_answered_or_ignored_rfc9110_13_1_2(caches):
    page = caches.saying("Cache-Control: no-store", 'ETag: "a"')
    for _ in range(2):
        got = page.get('If-None-Match: "a"')
        assert (got.status, got.body) in ((304, b""), (200, b"answer %d" % len(page.asked)))
        assert page.get('If-None-Match: "b"').status == 200


def test_no_validator_is_sent_where_the_stored_one_is_of_another_variant_rfc9111_4_3_1(caches):
    page = caches.saying(*FRESH, 'ETag: "abcdef"', "Vary: Abc")
    assert page.fates("Abc: 123", "Abc: 456") == ["miss", "miss"]
    assert not page.asked[1].values("If-None-Match")
