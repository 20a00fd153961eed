"""What is stored and what is not: RFC 9111 3, and the directives of responses that decide it (5.2.2)."""
import pytest
from client import Client
from origin import ok
from pages import DAY, date

FRESH = "Cache-Control: max-age=3600"
FOREVER = ["Cache-Control: max-age=10000", "Expires: " + date(DAY)]


@pytest.mark.parametrize("fields", [
    ["Cache-Control: no-store"], ["Cache-Control: No-StOrE"], ["Cache-Control: max-age=10000, no-store", "Expires: " + date(DAY)],
    ["Cache-Control: max-age=10000", "Cache-Control: no-store"], ['Cache-Control: max-age=100, x="never ends'],
], ids=["alone", "case", "fresh", "lines", "open-quote"])
def test_what_says_no_store_is_not_stored_rfc9111_5_2_2_5(caches, fields):
    assert caches.saying(*fields, 'ETag: "a"').fates((), ()) == ["miss", "miss"]
    assert caches.saying(*fields, policy="ttl").fates((), ()) == ["miss", "miss"]


@pytest.mark.parametrize("value", ["private", "PRIVATE", "private, max-age=3600", 'private="X-A", max-age=3600', "max-age=3600, private=x"])
def test_what_is_private_is_not_stored_by_a_shared_cache_rfc9111_5_2_2_7(caches, value):
    assert caches.saying("Cache-Control: " + value, 'ETag: "a"').fates((), ()) == ["miss", "miss"]


def test_what_nobody_gave_a_lifetime_is_not_stored_rfc9111_3(caches):
    assert caches.saying().fates((), ()) == ["miss", "miss"]
    assert caches.saying('ETag: "a"', "Last-Modified: " + date(-DAY)).fates((), ()) == ["miss", "miss"]
    assert caches.saying(policy="open").fates((), ()) == ["miss", "miss"]


def test_no_store_leaves_what_was_stored_before_rfc9111_5_2_2_5(caches):
    for later in ("no-store", "no-store, max-age=0"):
        page = caches.saying(*FOREVER, "A: 1").says("Cache-Control: " + later, "A: 2")
        page.get()
        assert page.get("Cache-Control: no-cache", "Cookie: who=me").value("A") == "2", "asked for, and not stored"
        assert [page.get().value("A") for _ in range(2)] == ["1", "1"] and len(page.asked) == 2


@pytest.mark.parametrize("status, fate", [(200, "hit"), (404, "hit"), (599, "miss"), (299, "miss")])
def test_must_understand_stores_known_statuses_in_spite_of_no_store_rfc9111_5_2_2_3(caches, status, fate):
    page = caches.saying("Cache-Control: max-age=3600, no-store, must-understand", status=status)
    assert page.fates((), ()) == ["miss", fate]


def test_must_understand_alone_forbids_unknown_statuses_rfc9111_5_2_2_3(caches):
    assert caches.saying("Cache-Control: max-age=3600, must-understand", status=299).fates((), ()) == ["miss", "miss"]
    assert caches.saying(FRESH, status=299).fates((), ()) == ["miss", "hit"]


@pytest.mark.rows("CA-033")
@pytest.mark.parametrize("value", ["max-age=10000, no-cache", "max-age=10000, No-CaChE", 'no-cache="Set-Cookie", max-age=60', "no-cache"])
def test_no_cache_is_stored_where_it_can_be_validated_and_never_used_without_rfc9111_5_2_2_4(caches, value):
    fields = ["Cache-Control: " + value, "Expires: " + date(DAY)]
    assert caches.saying(*fields).fates((), ()) == ["miss", "miss"]
    assert caches.saying(*fields, 'ETag: "abcd"').fates((), (), ()) == ["miss", "validated", "validated"]


@pytest.mark.rows("CA-017")
@pytest.mark.parametrize("value, fate", [
    ("max-age=60", "miss"), ("max-age=60, proxy-revalidate", "miss"), ("max-age=60, public", "hit"), ("max-age=60, must-revalidate", "hit"), ("s-maxage=60", "hit"),
])
def test_answers_to_authorized_requests_need_leave_to_be_shared_rfc9111_3_5(caches, value, fate):
    page = caches.saying("Cache-Control: " + value)
    assert page.fates("Authorization: Basic QTpC", ()) == ["miss", fate]
    assert page.asked[0].values("Authorization") == ["Basic QTpC"]


def test_expires_alone_is_no_leave_to_share_with_others_rfc9111_3_5(caches):
    assert caches.saying("Expires: " + date(30 * DAY)).fates("Authorization: Basic QTpC", ()) == ["miss", "miss"]


def test_what_is_stored_serves_authorized_requests_as_well_rfc9111_3_5(caches):
    assert caches.saying(FRESH).fates((), "Authorization: Basic QTpC") == ["miss", "hit"]


@pytest.mark.rows("CA-016")
def test_what_sets_a_cookie_is_not_stored_by_default_rfc9111_7_3(caches):
    page = caches.saying("Cache-Control: public, max-age=60", "Set-Cookie: a=b")
    assert [page.get().value("Set-Cookie") for _ in range(2)] == ["a=b", "a=b"]
    assert len(page.asked) == 2


@pytest.mark.rows("CA-016")
def test_a_stripped_cookie_reaches_only_whom_it_was_set_for_rfc9111_7_3(caches):
    for policy in ("cookieless", "open"):
        page = caches.saying("Cache-Control: public, max-age=60", "Set-Cookie: a=b", "A: 1", policy=policy)
        assert page.get().value("Set-Cookie") == "a=b"
        later = page.get()
        assert (later.fate, later.value("Set-Cookie"), later.value("A")) == ("hit", None, "1")


@pytest.mark.rows("CA-018")
def test_a_lifetime_of_ours_holds_for_requests_without_cookies_alone_rfc9111_7_3(caches):
    assert caches.saying(policy="ttl").fates("Cookie: a=1", ()) == ["miss", "miss"]
    assert caches.saying(policy="ttl").fates((), "Cookie: a=1") == ["miss", "hit"]
    assert caches.saying(policy="knowing").fates("Cookie: a=1", "Cookie: a=2") == ["miss", "hit"]
    assert caches.saying(policy="cookies").fates("Cookie: a=1; currency=eur", "Cookie: currency=eur; b=3", "Cookie: currency=usd") == ["miss", "hit", "miss"]


@pytest.mark.rows("CA-018")
def test_a_lifetime_of_the_origin_holds_for_requests_with_cookies_rfc9111_7_3(caches):
    assert caches.saying(FRESH).fates((), "Cookie: a=b") == ["miss", "hit"]
    assert caches.saying(FRESH).fates("Cookie: a=b", ()) == ["miss", "hit"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "POST", "PROPFIND", "M-SEARCH", "get"])
def test_answers_to_other_methods_are_not_stored_rfc9111_3(caches, method):
    page = caches.saying(FRESH, "Access-Control-Allow-Origin: *")
    assert [page.get(method=method, body=b"" if method != "OPTIONS" else None).fate for _ in range(2)] == ["miss", "miss"]
    assert page.get().fate == "miss"


def test_a_method_in_lower_case_is_another_and_given_nothing_stored_rfc9110_9_1(caches):
    page = caches.saying(FRESH, "A: 1")
    assert page.get().fate == "miss" and page.get(method="get").fate == "miss"
    assert page.asked[1].method == "get" and page.get().number == len(page.asked), "what is unknown may be unsafe: it invalidates"


@pytest.mark.rows("CA-043")
def test_an_answer_to_post_is_not_stored_unless_the_policy_says_so_rfc9110_9_3_3(caches):
    page = caches.page()
    page.says(FRESH, "Content-Location: " + page.path)
    assert page.get(method="POST", body=b"12345").fate == "miss"
    assert page.get().fate == "miss"


@pytest.mark.parametrize("location, lifetime, fate", [
    (True, "Expires: " + date(30 * DAY), "hit"), (True, FRESH, "hit"), (False, FRESH, "miss"), (True, "Last-Modified: " + date(-DAY), "miss"),
], ids=["expires", "max-age", "elsewhere", "heuristic"])
def test_an_answer_to_post_serves_get_where_it_says_it_is_that_rfc9110_9_3_3(caches, location, lifetime, fate):
    page = caches.page("open")
    page.says(lifetime, "Content-Location: " + (page.path if location else page.path + "-other"))
    posted = page.get("Content-Type: text/plain", method="POST", body=b"12345")
    later = page.get()
    assert (posted.fate, later.fate) == ("miss", fate)
    assert fate == "miss" or later.body == posted.body


def test_every_post_reaches_the_origin_though_its_answer_is_stored_rfc9110_9_3_3(caches):
    page = caches.page("open")
    page.says(FRESH, "Content-Location: " + page.path)
    assert [page.get(method="POST", body=b"12345").number for _ in range(3)] == [1, 2, 3]
    assert page.get().number == 3


@pytest.mark.parametrize("sent, fate", [(b"12345", "hit"), (b"123", "miss")], ids=["the rest comes", "the rest is held back"])
def test_an_answer_to_post_that_comes_before_its_content_is_stored_where_that_ends_at_once_rfc9110_9_3_3(caches, sent, fate):
    page = caches.page("open")
    page.says(FRESH, "Content-Location: " + page.path)
    answer = [ok(b"early", FRESH.encode(), b"Content-Location: " + page.path.encode()), "rest"]
    caches.origin.early = lambda request: answer if (request.method, request.target) == ("POST", page.path) else None
    with Client(caches.port) as client:
        client.send(page.request(method="POST", body=b"12345")[:-5])
        client.send(sent)
        assert client.response().body == b"early"
        assert page.get().fate == fate
    caches.origin.early = lambda request: None


NEVER_STORED = ["Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Proxy-Authentication-Info: a=b", "Proxy-Authorization: x", "Proxy-Connection: keep-alive",
                "TE: trailers", "Upgrade: x/1", "Connection: keep-alive", "Connection: something-else"]


@pytest.mark.parametrize("line", NEVER_STORED, ids=lambda line: line.split(":")[0])
def test_fields_of_the_connection_and_of_proxies_are_not_stored_rfc9111_3_1(caches, line):
    page = caches.saying(FRESH, line)
    page.get()
    hit = page.get()
    assert hit.fate == "hit"
    assert hit.value(line.split(":")[0]) != line.split(": ")[1]


def test_fields_that_connection_names_are_not_stored_rfc9111_3_1(caches):
    page = caches.saying(FRESH, "Connection: a, b", "a: 1", "b: 2", "c: 3")
    page.get()
    hit = page.get()
    assert (hit.fate, hit.value("a"), hit.value("b"), hit.value("c")) == ("hit", None, None, "3")


STORED = ["Test-Header: a", "X-Test-Header: a", "Content-Foo: a", "X-Content-Foo: a", "Content-Encoding: other", "Content-Location: /elsewhere",
          "Content-MD5: rL0Y20zC+Fzt72VPzMSk2A==", "Content-Range: other", "Content-Security-Policy: default-src 'self'", "Content-Type: text/plain;charset=utf-8",
          "Clear-Site-Data: \"cookies\"", 'ETag: "ghijkl"', "Expires: Mon, 11 Jan 2038 11:11:11 GMT", "Public-Key-Pins: a", "Set-Cookie2: a=c", "X-Frame-Options: deny",
          "X-XSS-Protection: 1; mode=block", "WWW-Authenticate: Basic", "Strict-Transport-Security: max-age=3", "Link: <a>; rel=b", "Content-Disposition: attachment; filename=a"]


@pytest.mark.parametrize("line", STORED, ids=lambda line: line.split(":")[0])
def test_all_other_fields_are_stored_as_they_came_rfc9111_3_1(caches, line):
    name, value = line.split(": ", 1)
    page = caches.saying(FRESH, line)
    assert page.get().value(name) == value
    hit = page.get()
    assert (hit.fate, hit.value(name)) == ("hit", value)


def test_repeated_fields_and_octets_beyond_ascii_are_stored_in_order_rfc9111_3_1(caches):
    page = caches.saying(FRESH, "A: 1", "B: x", "A: 2", 'ETag: "\xe4\xff"')
    first, hit = page.get(), page.get()
    changing = ("age", "cache-status", "connection", "via")
    assert [f for f in first.fields if f[0].lower() not in changing] == [f for f in hit.fields if f[0].lower() not in changing]
    assert [value for name, value in hit.fields if name == "A"] == ["1", "2"] and hit.value("ETag") == '"\xe4\xff"'


@pytest.mark.rows("UP-010")
def test_an_answer_in_an_unknown_transfer_coding_is_refused_and_not_stored_rfc9112_6_3(caches):
    page = caches.saying(steps=[b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: gzip\r\n\r\nabc", "close"]).says(FRESH)
    assert page.get().status == 502
    later = page.get()
    assert (later.status, later.fate) == (200, "miss")


@pytest.mark.rows("UP-032")
def test_content_without_an_end_is_stored_up_to_the_most_and_passed_as_long_as_it_is_read(caches):
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    page = caches.saying(steps=[b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 50_000, "close"], policy="small").says(FRESH)
    with Client(caches.port) as client:
        client.send(page.request())
        client.head()
        assert client.exactly(1_000_000).count(b"x") > 990_000
        client.reset()
    assert page.get().number == 2


@pytest.mark.rows("H1-137")
def test_a_refusal_of_ours_is_not_stored(caches):
    page = caches.saying(FRESH)
    assert page.get("Cookie: " + "; ".join(f"c{i:04}=vvvv" for i in range(3000))).status == 431
    assert page.fates((), ()) == ["miss", "hit"]


def test_content_length_says_where_the_content_ends_whatever_follows_rfc9111_3_3(caches):
    page = caches.saying(FRESH, "Content-Length: 10", body=b"0123456789 and what belongs to nobody")
    assert page.get().body == b"0123456789"
    hit = page.get()
    assert (hit.fate, hit.body) == ("hit", b"0123456789")


def test_trailer_fields_do_not_become_header_fields_of_what_is_stored_rfc9111_3_1(caches):
    page = caches.saying(steps=[b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"])
    assert page.get().body == b"hello"
    hit = page.get()
    assert (hit.fate, hit.body, hit.value("X-T")) == ("hit", b"hello", None)


CUT = {
    "length": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 100\r\n\r\n" + b"x" * 50,
    "chunked": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n" + b"x" * 50 + b"\r\n",
    "in-chunk": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 50,
}


@pytest.mark.rows("CA-046", "CA-047", "UP-006", "UP-031")
@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("kind", CUT)
def test_what_was_cut_short_is_cut_for_the_client_and_nothing_is_stored_rfc9111_3_3(caches, kind, end):
    page = caches.saying(steps=[CUT[kind], end]).says(FRESH)
    with Client(caches.port) as client:
        client.send(page.request())
        client.head()
        received = client.buffer
        while got := receive(client.socket):
            received += got
    assert not received.endswith(b"0\r\n\r\n") and len(received) < 100
    later = page.get()
    assert (later.fate, later.body) == ("miss", b"answer 2")
    assert page.get().fate == "hit"


def receive(socket):
    try:
        return socket.recv(65536)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("fields, body", [(["Transfer-Encoding: chunked"], b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), (["Content-Length: 11"], b"hello world")], ids=["chunked", "length"])
def test_content_is_stored_without_its_framing_and_served_with_its_length_rfc9111_3_3(caches, fields, body):
    page = caches.saying(FRESH, *fields, body=body)
    assert page.get().body == b"hello world"
    hit = page.get()
    assert (hit.fate, hit.body, hit.value("Content-Length"), hit.value("Transfer-Encoding")) == ("hit", b"hello world", "11", None)


def test_what_is_larger_than_the_policy_allows_is_passed_and_not_stored_rfc9111_3(caches):
    large, chunked = b"x" * 5000, b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n"
    for page in (caches.saying(FRESH, policy="small", body=large), caches.saying(FRESH, "Transfer-Encoding: chunked", policy="small", body=chunked)):
        for _ in range(2):
            got = page.get()
            assert (got.fate, got.body) == ("miss", large)
    assert caches.saying(FRESH, policy="small", body=b"x" * 4000).fates((), ()) == ["miss", "hit"]


@pytest.mark.rows("CA-013")
def test_no_extension_makes_a_page_cacheable_that_its_origin_forbids_to_store(caches):
    for policy in ("plain", "ttl", "open"):
        page = caches.page(policy, f"/account-{policy}/x.css").says("Cache-Control: no-store", "Last-Modified: " + date(-DAY))
        assert page.fates((), ()) == ["miss", "miss"]


@pytest.mark.rows("CA-053", "CA-055")
@pytest.mark.parametrize("fields, body", [(["Content-Encoding: gzip"], b"no gzip at all"), (["Content-Type: text/html", "Surrogate-Control: content=\"ESI/1.0\""], b'<esi:include src="/a"/>')], ids=["gzip", "esi"])
def test_content_is_stored_and_served_unread(caches, fields, body):
    page = caches.saying(FRESH, *fields, body=body)
    assert [page.get("Accept-Encoding: gzip").body for _ in range(2)] == [body, body]
    assert len(page.asked) == 1


def test_a_websocket_handshake_is_none_of_the_caches_rfc6455_4(caches):
    page = caches.saying(FRESH, 'ETag: "a"')
    page.get()
    handshake = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
    got = page.get(*handshake)
    assert got.fate == "miss" and "detail" not in got.value("Cache-Status") and "fwd=bypass" in got.value("Cache-Status")
    assert page.asked[1].values("Upgrade") == ["websocket"] and not page.asked[1].values("If-None-Match")
    assert page.get().number == 1
