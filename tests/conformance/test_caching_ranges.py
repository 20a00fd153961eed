"""Parts of stored content, and parts that are stored: RFC 9111 3.3, 3.4, RFC 9110 13.1.5, 14, 15.3.7, 15.5.17."""
import re

import pytest
from pages import DAY, date

OLD_FRESH = ["Cache-Control: max-age=60", "Age: 70"]
FRESH, BODY = ["Cache-Control: max-age=3600", "Content-Type: text/plain"], b"01234567890"
LARGE = bytes(range(256)) * 1200


@pytest.mark.parametrize("asked, part, where", [
    ("bytes=0-1", b"01", "0-1"), ("bytes=1-", b"1234567890", "1-10"), ("bytes=-1", b"0", "10-10"), ("bytes=0-0", b"0", "0-0"), ("bytes=5-100", b"567890", "5-10"),
    ("bytes=-100", BODY, "0-10"), ("BYTES=2-3", b"23", "2-3"), ("bytes= 2-3 , ", b"23", "2-3"), ("bytes=2-3, 100-200", b"23", "2-3"), ("bytes=0-10", BODY, "0-10"),
])
def test_a_range_of_what_is_stored_whole_is_served_from_it_rfc9110_14_2(caches, asked, part, where):
    for policy in ("plain", "open"):
        page = caches.saying(*FRESH, 'ETag: "a"', "A: 1", body=BODY, policy=policy)
        page.get()
        got = page.get("Range: " + asked)
        assert (got.fate, got.status, got.body) == ("hit", 206, part)
        assert got.value("Content-Range") == f"bytes {where}/11" and got.value("Content-Length") == str(len(part))
        assert (got.value("ETag"), got.value("A"), got.value("Cache-Control")) == ('"a"', "1", "max-age=3600") and got.value("Date") and got.age is not None


@pytest.mark.parametrize("asked", ["bytes=11-", "bytes=100-200", "bytes=-0", "bytes=50-60, 11-12"])
def test_a_range_beyond_the_end_is_answered_416_with_the_length_rfc9110_15_5_17(caches, asked):
    page = caches.saying(*FRESH, body=BODY)
    page.get()
    got = page.get("Range: " + asked)
    assert (got.fate, got.status, got.value("Content-Range")) == ("hit", 416, "bytes */11")
    assert page.get().body == BODY


def test_a_416_has_nothing_of_the_stored_answer_that_a_cache_could_keep_it_by_rfc9111_3(caches):
    page = caches.saying(*FRESH, "Expires: " + date(DAY), 'ETag: "a"', "Last-Modified: " + date(-DAY), "Content-Encoding: x", "Content-Digest: sha-256=:AAAA:", "CDN-Cache-Control: max-age=99", "A: 1", body=BODY)
    page.get()
    got = page.get("Range: bytes=11-")
    gone = ("Expires", "ETag", "Last-Modified", "Content-Encoding", "Content-Type", "Content-Digest", "CDN-Cache-Control")
    assert got.status == 416 and [got.value(name) for name in gone] == [None] * len(gone)
    assert (got.value("Cache-Control"), got.value("A")) == ("no-store", "1")


@pytest.mark.parametrize("asked", ["bytes=0-1", "bytes=0-1, -1"])
def test_a_part_has_no_digest_of_the_whole_content_rfc9530_2(caches, asked):
    page = caches.saying(*FRESH, "Content-Digest: sha-256=:AAAA:", "Content-MD5: BBBB", "Repr-Digest: sha-256=:AAAA:", body=BODY * 100)
    assert page.get().value("Content-Digest")
    got = page.get("Range: " + asked)
    assert (got.status, got.value("Content-Digest"), got.value("Content-MD5"), got.value("Repr-Digest")) == (206, None, None, "sha-256=:AAAA:")
    assert page.get().value("Content-Digest") == "sha-256=:AAAA:"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=", "bytes=a-b", "lines=0-1", "bytes", "bytes=1-2-3", "bytes=0x1-2", "bytes=0-1," + ",".join(f"{i}-{i}" for i in range(0, 400))], ids=lambda text: text[:15])
def test_what_is_no_range_or_asks_for_too_much_is_ignored_rfc9110_14_2(caches, asked):
    page = caches.saying(*FRESH, body=BODY)
    page.get()
    got = page.get("Range: " + asked)
    assert (got.fate, got.status, got.body) == ("hit", 200, BODY)


def parts_of(response):
    """(Content-Range, Content-Type, content) of each part of a multipart answer."""
    boundary = re.fullmatch(r'multipart/byteranges; *boundary="?([^"]+)"?', response.value("Content-Type"))[1].encode()
    pieces = (b"\r\n" + response.body).split(b"\r\n--" + boundary)
    assert pieces[0] == b"" and pieces[-1].rstrip() == b"--"
    parts = []
    for piece in pieces[1:-1]:
        head, content = piece.split(b"\r\n\r\n", 1)
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        parts.append((fields["Content-Range"], fields.get("Content-Type"), content))
    return parts


def test_several_ranges_are_served_as_parts_rfc9110_14_6(caches):
    page = caches.saying(*FRESH, body=LARGE)
    page.get()
    got = page.get("Range: bytes=0-99, 100000-100009, -5")
    assert (got.fate, got.status, got.value("Content-Range")) == ("hit", 206, None)
    size = len(LARGE)
    wanted = [(0, 99), (100000, 100009), (size - 5, size - 1)]
    assert parts_of(got) == [(f"bytes {first}-{last}/{size}", "text/plain", LARGE[first:last + 1]) for first, last in wanted]
    assert got.value("Content-Length") == str(len(got.body))


def test_ranges_that_overlap_are_one_rfc9110_15_3_7_2(caches):
    page = caches.saying(*FRESH, body=LARGE)
    page.get()
    got = page.get("Range: bytes=0-99, 50-199")
    assert (got.status, got.value("Content-Range"), got.body) == (206, f"bytes 0-199/{len(LARGE)}", LARGE[:200])


def test_range_is_of_get_alone_and_of_success_alone_rfc9110_14_2(caches):
    page = caches.saying(*FRESH, body=BODY)
    page.get()
    head = page.get("Range: bytes=0-1", method="HEAD")
    assert (head.status, head.value("Content-Length"), head.value("Content-Range")) == (200, "11", None)
    page = caches.saying(*FRESH, body=BODY, status=404)
    page.get()
    assert page.get("Range: bytes=0-1").status == 404


OLD, JUST_NOW = "Last-Modified: " + date(-DAY), "Last-Modified: " + date()


@pytest.mark.rows("CA-026")
@pytest.mark.parametrize("validator, if_range, status", [
    ('ETag: "a"', '"a"', 206), ('ETag: "a"', '"b"', 200), ('ETag: W/"a"', 'W/"a"', 200), ('ETag: W/"a"', '"a"', 200), ('ETag: "a"', 'W/"a"', 200), (OLD, OLD[15:], 206),
    (OLD, date(-DAY + 60), 200), (OLD, date(-2 * DAY), 200), (JUST_NOW, JUST_NOW[15:], 200), ("X: no", '"a"', 200), ('ETag: "a"', "a", 200),
], ids=["same", "other", "both-weak", "stored-weak", "asked-weak", "date", "later", "earlier", "just-now", "none", "bare"])
def test_if_range_gives_the_part_of_the_very_same_content_and_else_the_whole_rfc9110_13_1_5(caches, validator, if_range, status):
    said_at = [JUST_NOW.replace("Last-Modified", "Date")] if validator == JUST_NOW else []   # a date that is no strong validator (8.8.2.2)
    page = caches.saying(*FRESH, validator, *said_at, body=BODY)
    page.get()
    got = page.get("Range: bytes=0-1", "If-Range: " + if_range)
    assert (got.fate, got.status, got.body) == ("hit", status, BODY if status == 200 else b"01")


def test_if_none_match_goes_before_range_rfc9110_13_2_2(caches):
    page = caches.saying(*FRESH, 'ETag: "a"', body=BODY)
    page.get()
    assert page.get("Range: bytes=0-1", 'If-None-Match: "a"').status == 304
    assert page.get("Range: bytes=0-1", 'If-None-Match: "b"').status == 206
    assert page.get("Range: bytes=100-", 'If-None-Match: "a"').status == 304


@pytest.mark.rows("CA-024")
def test_a_range_of_a_cold_page_fetches_the_whole_and_later_serves_it_rfc9111_3_4(caches):
    page = caches.saying(*FRESH, 'ETag: "a"', body=BODY)
    got = page.get("Range: bytes=2-3", 'If-Range: "a"')
    assert (got.status, got.body) == (206, b"23")
    assert not page.asked[0].values("Range") and not page.asked[0].values("If-Range")
    whole = page.get()
    assert (whole.fate, whole.status, whole.body) == ("hit", 200, BODY)


def test_a_range_of_what_is_stale_is_served_after_validation_rfc9111_4_3_1(caches):
    page = caches.saying("Cache-Control: max-age=60", "Age: 61", 'ETag: "a"', body=BODY)
    page.get()
    got = page.get("Range: bytes=2-3")
    assert (got.fate, got.status, got.body) == ("validated", 206, b"23")


@pytest.mark.parametrize("fields", [["Cache-Control: no-store"], ["Cache-Control: private"], [], [*FRESH, "Set-Cookie: a=b"], [*FRESH, "Vary: *"], [*FRESH, "Vary: X-Forwarded-For"]], ids=str)
def test_a_range_of_what_is_not_stored_is_what_the_origin_gives_rfc9110_14_2(caches, fields):
    for ranges, status, body in ((False, 200, BODY), (True, 206, b"23")):
        page = caches.saying(*fields, body=BODY, ranges=ranges)
        for _ in range(2):
            got = page.get("Range: bytes=2-3")
            assert (got.fate, got.status, got.body) == ("miss", status, body)
        assert not page.asked[0].values("Range") and page.asked[1].values("Range") == ["bytes=2-3"]


def test_a_range_of_what_was_stored_and_is_not_to_be_any_more_is_what_the_origin_gives_rfc9110_14_2(caches):
    page = caches.saying(*OLD_FRESH, 'ETag: "a"', body=BODY, ranges=True).says("Cache-Control: no-store", body=BODY[::-1], ranges=True)
    page.get()
    got = page.get("Range: bytes=2-3")
    assert (got.status, got.body, len(page.asked)) == (206, BODY[::-1][2:4], 3)


def test_a_part_that_nobody_asked_for_is_neither_stored_nor_taken_for_the_whole_rfc9110_15_3_7(caches):
    page = caches.saying(*FRESH, "Content-Range: bytes 0-4/11", status=206, body=BODY[:5]).says(*FRESH, body=BODY)
    assert page.get().status in (200, 206, 502)
    later = page.get()
    assert (later.status, later.body) == (200, BODY)


@pytest.mark.rows("CA-025")
@pytest.mark.parametrize("policy", ["plain", "open"])
@pytest.mark.parametrize("value", ["bytes 0-9/5", "bytes 5-2/10", "bytes */10", "lines 0-4/10", "nothing", ""])
def test_a_part_that_does_not_say_what_it_is_is_never_stored_rfc9110_14_4(caches, value, policy):
    page = caches.saying(*FRESH, "Content-Range: " + value, status=206, body=BODY[:5], policy=policy).says(*FRESH, body=BODY)
    page.get("Range: bytes=0-4")
    later = page.get("Range: bytes=0-4")
    assert later.body in (BODY, BODY[:5]) and later.number == len(page.asked) >= 2
    assert page.get().body == BODY


def partial(caches, where, *more, body=b"01234"):
    return caches.saying("Cache-Control: max-age=3600", "Content-Range: bytes " + where, *more, status=206, body=body, policy="open")


@pytest.mark.parametrize("asked, part", [("bytes=-5", b"01234"), ("bytes=6-8", b"234"), ("bytes=6-", b"234"), ("bytes=-1", b"4"), ("bytes=4-5", b"01")])
def test_a_stored_part_serves_what_lies_within_it_rfc9111_3_4(caches, asked, part):
    page = partial(caches, "4-9/10")   # says one octet more than comes: what comes counts
    assert page.get("Range: bytes=-5").body == b"01234"
    assert page.asked[0].values("Range") == ["bytes=-5"]
    got = page.get("Range: " + asked)
    assert (got.fate, got.status, got.body) == ("hit", 206, part)


@pytest.mark.parametrize("asked", ["bytes=0-3", "bytes=3-5", "bytes=0-", "bytes=0-1, 5-6"])
def test_a_stored_part_serves_nothing_that_reaches_beyond_it_rfc9111_3_4(caches, asked):
    page = partial(caches, "5-9/10", 'ETag: "a"').says(*FRESH, body=b"9876543210")
    page.get("Range: bytes=-5")
    assert page.get("Range: " + asked).number == 2


@pytest.mark.rows("CA-024")
def test_a_part_is_never_given_to_who_asks_for_the_whole_rfc9111_3_3(caches):
    page = partial(caches, "5-9/10", 'ETag: "a"').says(*FRESH, body=b"9876543210")
    page.get("Range: bytes=-5")
    got = page.get()
    assert (got.status, got.body, got.number) == (200, b"9876543210", 2)


def test_what_is_stored_whole_is_validated_whole_rfc9111_4_3_1(caches):
    page = caches.saying("Cache-Control: max-age=0", 'ETag: "a"', body=BODY, policy="open").says(*FRESH, body=BODY)
    page.get()
    got = page.get("Range: bytes=0-1")
    assert page.asked[1].values("Range") == [] and page.asked[1].values("If-None-Match") == ['"a"']
    assert (got.status, got.body) == (206, BODY[:2])
    assert page.get().body == BODY


def test_a_stored_beginning_is_completed_by_asking_for_the_rest_rfc9111_3_4(caches):
    page = partial(caches, "0-4/10", 'ETag: "a"').says(*FRESH, body=b"whole, and new")
    page.get("Range: bytes=-5")
    got = page.get()
    assert page.asked[1].values("Range") == ["bytes=5-"] and len(page.asked) == 2
    assert (got.status, got.body) == (200, b"whole, and new")


def test_a_part_and_the_rest_under_one_strong_validator_make_the_whole_rfc9110_15_3_7_3(caches):
    page = caches.saying("Cache-Control: max-age=3600", 'ETag: "a"', body=b"0123456789", ranges=True, policy="open")
    assert page.get("Range: bytes=0-4").status == 206
    got = page.get()
    assert (got.status, got.body, got.value("Content-Range")) == (200, b"0123456789", None)
    assert page.asked[1].values("Range") == ["bytes=5-"] and page.asked[1].values("If-Range") == ['"a"']
    hit = page.get()
    assert (hit.fate, hit.status, hit.body) == ("hit", 200, b"0123456789")


def test_what_is_joined_has_the_fields_of_the_stored_part_that_the_rest_need_not_say_again_rfc9111_3_4(caches):
    first = ["Cache-Control: max-age=3600", 'ETag: "a"']
    page = caches.saying(*first, "Content-Type: text/css", "Content-Encoding: gzip", "A: 1", body=b"0123456789", ranges=True, policy="open")
    page.says(*first, "A: 2", body=b"0123456789", ranges=True)
    page.get("Range: bytes=0-4", "Accept-Encoding: gzip")
    for fate in ("miss", "hit"):
        got = page.get("Accept-Encoding: gzip")
        assert (got.fate, got.status, got.body) == (fate, 200, b"0123456789")
        assert [got.value(name) for name in ("Content-Type", "Content-Encoding", "A", "Content-Range")] == ["text/css", "gzip", "2", None]


def test_what_is_joined_keeps_the_tags_of_the_stored_part_rfc9111_3_4(caches):
    first = ["Cache-Control: max-age=3600", 'ETag: "a"']
    page = caches.saying(*first, "Cache-Tag: joined", body=b"0123456789", ranges=True, policy="open").says(*first, body=b"0123456789", ranges=True)
    page.get("Range: bytes=0-4"), page.get()
    assert page.get().fate == "hit"
    assert caches.proxyd.api("POST", "/api/v1/cache/purges", {"tags": ["joined"]})[0] in (200, 201)
    assert page.get().fate == "miss"


def test_what_is_joined_of_parts_has_no_digest_of_one_of_them_rfc9530_2(caches):
    page = caches.saying("Cache-Control: max-age=3600", 'ETag: "a"', "Content-Digest: sha-256=:AAAA:", body=b"0123456789", ranges=True, policy="open")
    page.get("Range: bytes=0-4")
    for fate in ("miss", "hit"):
        got = page.get()
        assert (got.fate, got.body, got.value("Content-Digest")) == (fate, b"0123456789", None)


def test_a_416_to_the_question_for_the_rest_is_not_for_the_client_rfc9110_15_5_17(caches):
    page = partial(caches, "0-4/*", 'ETag: "a"').says("Content-Range: bytes */5", status=416).says(*FRESH, 'ETag: "a"', body=b"01234")
    page.get("Range: bytes=0-4")
    got = page.get()
    assert (got.status, got.body) == (200, b"01234")
    assert page.asked[1].values("Range") == ["bytes=5-"] and not page.asked[2].values("Range")
    assert page.get().fate == "hit"


def test_parts_of_what_changed_are_never_joined_rfc9110_15_3_7_3(caches):
    page = partial(caches, "0-4/10", 'ETag: "a"')
    page.says("Cache-Control: max-age=3600", "Content-Range: bytes 5-9/10", 'ETag: "b"', status=206, body=b"NEWER").says(*FRESH, body=b"abcdefghij")
    page.get("Range: bytes=0-4")
    got = page.get()
    assert got.body == b"abcdefghij" or got.status == 502
    assert page.get().body == b"abcdefghij"


@pytest.mark.parametrize("validator", ['ETag: W/"a"', "Last-Modified: " + date(-DAY), "X: none"], ids=["weak", "date", "none"])
def test_parts_without_a_strong_entity_tag_are_never_joined_rfc9110_15_3_7_3(caches, validator):
    page = caches.saying("Cache-Control: max-age=3600", validator, body=b"0123456789", ranges=True, policy="open")
    assert page.get("Range: bytes=0-4").body == b"01234"
    page.says("Cache-Control: max-age=3600", validator, body=b"ABCDEFGHIJ", ranges=True)
    assert [page.get().body for _ in range(2)] == [b"ABCDEFGHIJ"] * 2
    assert len(page.asked) == 2, "the rest alone would be of no use"


def test_the_fields_of_what_is_stored_whole_are_those_of_its_parts_rfc9111_3_4(caches):
    page = caches.saying(*FRESH, "A: 1", body=BODY, policy="open").says(*FRESH, "A: 2", body=BODY)
    page.get()
    got = page.get("Range: bytes=0-1")
    assert (got.fate, got.status, got.body, got.value("A")) == ("hit", 206, b"01", "1")


def test_parts_without_a_validator_are_never_joined_rfc9110_15_3_7_3(caches):
    page = caches.saying("Cache-Control: max-age=3600", body=b"0123456789", ranges=True, policy="open")
    assert page.get("Range: bytes=0-4").body == b"01234"
    page.says("Cache-Control: max-age=3600", body=b"9876543210", ranges=True)
    assert page.get().body == b"9876543210"


def test_a_post_that_is_answered_by_a_part_is_sent_once_rfc9110_9_2_2(caches):
    page = caches.saying("Cache-Control: max-age=3600", "Content-Range: bytes 0-4/10", status=206, body=b"01234", policy="open")
    assert page.get(method="POST", body=b"x").status == 206
    assert len(page.asked) == 1
