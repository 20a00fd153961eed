"""What tells stored answers apart: RFC 9111 2, the policy's rules, and requests that take no part."""
import pytest
from client import Client, exchange
from pages import Caches

FRESH = "Cache-Control: max-age=3600"


def test_what_became_cacheable_is_stored_though_it_was_not_before(caches):
    for before in (["Cache-Control: no-store"], ["Cache-Control: private"], []):
        page = caches.saying(*before).says(FRESH)
        assert page.fates((), (), ()) == ["miss", "miss", "hit"]


@pytest.mark.parametrize("field", ["Authorization: x", "Cache-Control: no-store", "X-HTTP-Method-Override: PUT", "If-Match: *"], ids=lambda line: line.split(":")[0])
def test_a_request_that_may_not_be_shared_keeps_nobody_else_from_sharing(caches, field):
    page = caches.saying(FRESH)
    assert page.fates(field, (), ()) == ["miss", "miss", "hit"]


def test_a_query_is_part_of_the_key_rfc9111_2(caches):
    page = caches.saying(FRESH)
    assert [page.get(query=query).number for query in ("?test=1", "?test=2", "?test=1", "", "?", "?test=2")] == [1, 2, 1, 3, 4, 2]


def test_the_order_of_parameters_is_none_and_that_of_equal_names_counts(caches):
    page = caches.saying(FRESH)
    assert [page.get(query=query).number for query in ("?b=2&a=1", "?a=1&b=2", "?a=1&a=2", "?a=2&a=1")] == [1, 1, 2, 3]
    assert page.asked[0].target.endswith("?b=2&a=1"), "the origin gets it as it came"


@pytest.mark.rows("CA-009")
def test_only_an_ampersand_divides_parameters(caches):
    page = caches.saying(FRESH)
    assert [page.get(query=query).number for query in ("?a=1;a=2", "?a=1&a=2", "?a=1;a=2")] == [1, 2, 1]
    page = caches.saying(FRESH, policy="versioned")
    assert [page.get(query=query).number for query in ("?v=1&x=1", "?v=1;v=2", "?v=1&x=2")] == [1, 2, 1]


@pytest.mark.rows("CA-007")
def test_a_port_is_part_of_the_key_unless_it_is_the_schemes(caches):
    page = caches.saying(FRESH)
    assert [page.get(host=host).number for host in (b"plain.test", b"plain.test:1337", b"PLAIN.test", b"plain.test:80", b"plain.test:1337")] == [1, 2, 1, 1, 2]


def test_hosts_do_not_share(caches):
    page = caches.saying(FRESH)
    assert [page.get(host=host).number for host in (b"plain.test", b"heuristic.test", b"plain.test")] == [1, 2, 1]


@pytest.mark.rows("CA-010")
def test_an_encoded_slash_is_no_slash_rfc3986_6_2_2_2(caches):
    page = caches.page(path="/ten/a/b", also=["/ten/a%2fb", "/ten/a%2Fb"]).says(FRESH)
    assert [page.get(path=path).number for path in ("/ten/a/b", "/ten/a%2fb", "/ten/a/b", "/ten/a%2Fb")] in ([1, 2, 1, 2], [1, 2, 1, 3])


@pytest.mark.rows("CA-012")
def test_paths_that_mean_the_same_are_one_key_rfc3986_6_2_2_3(caches):
    page = caches.page(path="/twelve", also=["/twelve/", "//twelve", "/./twelve", "/twelve/../twelve"]).says(FRESH)
    assert [page.get(path=path).number for path in ("/twelve", "//twelve", "/./twelve", "/twelve/../twelve", "/%74welve")] == [1] * 5
    assert page.get(path="/twelve/").number == 2


@pytest.mark.rows("CA-015")
def test_traversal_behind_an_encoded_slash_takes_no_part(caches):
    page = caches.page(path="/static/..%2faccount", also=["/static/..%2Faccount", "/account"]).says(FRESH)
    got = [page.get(path=path) for path in ("/static/..%2faccount", "/static/..%2faccount")]
    assert [one.fate for one in got] == ["miss", "miss"] or [one.status for one in got] == [400, 400]


@pytest.mark.rows("H1-115")
def test_a_path_with_parameters_is_its_own_key_and_reaches_the_origin_unchanged(caches):
    page = caches.page(path="/admin/..", also=["/x"]).says(FRESH)
    assert [page.get(path=path).number for path in ("/admin/..;/x", "/x", "/admin/..;/x")] == [1, 2, 1]
    assert page.asked[0].target == "/admin/..;/x"


@pytest.mark.rows("CA-001")
@pytest.mark.parametrize("field", ["X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "X-Forwarded-For: 6.6.6.6", "Forwarded: host=evil", "X-Forwarded-Port: 1", "X-Forwarded-Prefix: /evil"])
def test_forwarding_fields_of_a_stranger_poison_nothing_rfc9111_7_1(caches, field):
    page = caches.saying(FRESH)
    page.get(field)
    name, value = field.split(": ")
    seen = page.asked[0].values(name)
    later = page.get()
    assert value not in seen or later.fate == "miss", "what the origin saw and no key holds is not shared"
    assert name in ("X-Forwarded-Port", "X-Forwarded-Prefix") or value not in seen


@pytest.mark.rows("CA-002")
@pytest.mark.parametrize("name", ["X-Original-URL", "X-Rewrite-URL", "X-Original-Url"])
def test_a_field_that_names_another_url_never_reaches_the_origin(caches, name):
    page = caches.saying(FRESH)
    page.get(f"{name}: /admin")
    assert not page.asked[0].values(name)
    assert page.get().fate == "hit"


@pytest.mark.rows("CA-003")
@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_request_that_overrides_its_method_takes_no_part(caches, name):
    page = caches.saying(FRESH)
    assert page.fates(f"{name}: POST", ()) == ["miss", "miss"]
    assert page.fates(f"{name}: POST", ()) == ["miss", "hit"]


@pytest.mark.rows("CA-006", "H1-033")
def test_a_get_with_content_takes_no_part_rfc9110_9_3_1(caches):
    page = caches.saying(FRESH)
    assert page.get(body=b"GET /admin HTTP/1.1\r\nHost: b\r\n\r\n").fate == "miss"
    assert [page.get().number for _ in range(2)] == [2, 2]
    assert page.get(body=b"x").fate == "miss"


@pytest.mark.rows("CA-045")
def test_purge_is_refused_where_the_host_does_not_have_it(caches):
    page = caches.saying(FRESH)
    page.get()
    assert page.get(method="PURGE").status == 405
    assert page.get().fate == "hit" and len(page.asked) == 1


@pytest.mark.rows("CA-045")
def test_purge_is_refused_to_whom_the_host_does_not_name():
    with Caches({"plain": {}}, hosts={"plain": {"purge": {"allow": ["10.0.0.0/8"]}}}) as caches:
        page = caches.saying(FRESH)
        page.get()
        assert page.get(method="PURGE").status == 403
        assert page.get().fate == "hit" and len(page.asked) == 1


@pytest.mark.rows("H1-097", "H1-104")
def test_a_method_in_lower_case_and_options_of_the_server_are_not_answered_from_the_cache_rfc9110_9_1(caches):
    page = caches.saying(FRESH)
    page.get()
    assert page.get(method="get").number == 2
    assert [exchange(caches.port, b"OPTIONS * HTTP/1.1\r\nHost: plain.test\r\n\r\n").value("Age") for _ in range(2)] == [None, None]


def test_a_policy_names_the_parameters_fields_and_cookies_of_the_key(caches):
    page = caches.saying(FRESH, policy="keyed")
    asked = [("", "X-Country: de", "Cookie: currency=eur; a=1"), ("?utm_source=x", "X-Country: de", "Cookie: b=2; currency=eur"), ("?utm_source=x&a=1", "X-Country: de", "Cookie: currency=eur"),
             ("", "X-Country: fr", "Cookie: currency=eur"), ("", "X-Country: de", "Cookie: currency=usd"), ("", "X-Country: de")]
    assert [page.get(*fields, query=query).number for query, *fields in asked] == [1, 1, 2, 3, 4, 5]
    page = caches.saying(FRESH, policy="versioned")
    assert [page.get(query=query).number for query in ("?v=1&a=1", "?v=1&a=2", "?v=2", "?a=1", "")] == [1, 1, 2, 3, 3]


@pytest.mark.parametrize("fields, query", [(["Cookie: a=1; session=1"], ""), (["Cookie: wp_in=1"], ""), (["X-Skip:"], ""), ([], "?a=1&preview=1")], ids=["cookie", "prefix", "header", "query"])
def test_a_request_that_the_policy_passes_by_is_neither_answered_from_nor_stored(caches, fields, query):
    page = caches.saying(FRESH, policy="bypassing")
    assert page.get(*fields, query=query).number == 1
    assert [page.get().number for _ in range(2)] == [2, 2]
    assert page.get(*fields, query=query).number == 3
    assert page.get().number == 2


def test_a_path_that_the_policy_passes_by_is_never_stored(caches):
    page = caches.page("bypassing", "/cart/1").says(FRESH)
    assert page.fates((), ()) == ["miss", "miss"]


def test_a_policy_without_head_passes_head_on(caches):
    page = caches.saying(FRESH, policy="getonly")
    page.get()
    assert (page.get(method="HEAD").fate, page.get().fate) == ("miss", "hit")


def test_fields_with_tags_are_shown_only_where_the_policy_says_so(caches):
    for policy, shown in (("plain", None), ("tagged", "a b")):
        page = caches.saying(FRESH, "Surrogate-Key: a b", "Cache-Tag: c,d", policy=policy)
        assert [page.get().value("Surrogate-Key") for _ in range(2)] == [shown] * 2
        assert (page.get().value("Cache-Tag") is None) == (shown is None)


@pytest.mark.rows("CA-051")
def test_http_and_https_are_two_keys_as_a_trusted_proxy_says():
    with Caches({"plain": {}, "open": {}}, {"defaults": {"trusted_proxies": ["127.0.0.1/32"]}}) as trusting:
        page = trusting.saying(FRESH)
        assert [page.get(f"X-Forwarded-Proto: {scheme}").number for scheme in ("http", "https", "http", "https")] == [1, 2, 1, 2]
        assert [page.get(f"X-Forwarded-Host: {host}").number for host in ("plain.test", "open.test", "open.test")] == [1, 3, 3]


@pytest.mark.rows("CA-012")
def test_with_raw_path_each_spelling_is_its_own_key():
    with Caches({"plain": {}}, {"defaults": {"raw_path": True}}) as raw:
        paths = ["/a", "//a", "/./a", "/b/../a", "/a/"]
        page = raw.page(path="/a", also=paths).says(FRESH)
        assert [page.get(path=path).number for path in paths * 2] == [1, 2, 3, 4, 5] * 2


def test_parameters_are_equal_by_what_they_mean_and_keep_their_order(caches):
    page = caches.saying(FRESH)
    assert page.get(query="?a=1&%61=2").fate == "miss"
    assert page.get(query="?%61=2&a=1").fate == "miss", "to the origin the other value is the last one"
    assert page.get(query="?b=3&a=1&%61=2").fate == "miss"
    assert page.get(query="?a=1&b=3&%61=2").fate == "hit"


def test_parameters_that_some_divide_at_a_semicolon_keep_their_order(caches):
    page = caches.saying(FRESH)
    assert page.get(query="?a=3&x=1;a=2").fate == "miss"
    assert page.get(query="?x=1;a=2&a=3").fate == "miss"


@pytest.mark.parametrize("forwarded, fates", [("for=192.0.2.1;host=evil;proto=http", ["miss", "miss"]), ("proto=https", ["miss", "miss"]), ('for=192.0.2.1;host="plain.test";proto=http', ["miss", "hit"])])
def test_what_a_trusted_proxy_hands_on_of_another_host_is_not_shared_rfc7239_8(forwarded, fates):
    with Caches({"plain": {}}, {"defaults": {"trusted_proxies": ["127.0.0.1/32"]}}) as trusting:
        page = trusting.saying(FRESH)
        fields = ["X-Forwarded-Proto: http", "X-Forwarded-Host: plain.test", "Forwarded: " + forwarded]
        assert page.fates(fields, fields) == fates


@pytest.mark.parametrize("match, fields, query", [({"header": {"X-Beta": "1"}}, ["X-Beta: 1"], ""), ({"cookie": {"beta": "1"}}, ["Cookie: beta=1"], ""), ({"query": {"v": "1"}}, [], "?v=1"), ({"client": ["6.6.6.6"]}, ["X-Forwarded-For: 6.6.6.6"], "")], ids=["header", "cookie", "query", "client"])
def test_a_route_that_is_taken_by_what_no_key_holds_shares_nothing_with_others(match, fields, query):
    how = {"defaults": {"trusted_proxies": ["127.0.0.1/32"]}}
    with Caches({"plain": {"key": {"query": {"except": ["v"]}}}}, how) as caches:
        beta = {"name": "beta", "match": {"path_prefix": "/", **match}, "rewrite": {"add_prefix": "/beta"}, "upstream": "app", "cache": "plain"}
        caches.document["hosts"]["plain"]["routes"].insert(0, beta)
        caches.proxyd.apply(caches.document)
        page, other = caches.page(path="/p").says(FRESH, body=b"page"), caches.page(path="/beta/p").says(FRESH, body=b"beta")

        def body(*fields, query=""):
            with Client(caches.port) as client:
                client.send(page.request(*fields, query=query))
                return client.response().body

        assert [body(*fields, query=query), body(), body(*fields, query=query), body()] == [b"beta", b"page"] * 2
        assert (len(page.asked), len(other.asked)) == (1, 1)
        status, _ = caches.proxyd.api("POST", "/api/v1/cache/purges", {"urls": ["http://plain.test/p"]})
        assert status in (200, 201)
        assert [body(*fields, query=query), body()] == [b"beta", b"page"]
        assert (len(page.asked), len(other.asked)) == (2, 2), "a purge of the URL is of both"


@pytest.mark.parametrize("template, one, other", [
    ("/{header.X-Tenant}{path}", ["X-Tenant: a"], ["X-Tenant: b"]), ("/{cookie.tenant}{path}", ["Cookie: tenant=a"], ["Cookie: tenant=b"]),
    ("/{client_ip}{path}", ["X-Forwarded-For: 6.6.6.6"], ["X-Forwarded-For: 7.7.7.7"]),
], ids=["header", "cookie", "client"])
def test_what_a_clients_fields_make_another_path_of_is_stored_apart(template, one, other):
    with Caches({"plain": {}}, {"defaults": {"trusted_proxies": ["127.0.0.1/32"]}}) as caches:
        caches.document["hosts"]["plain"]["routes"][0]["rewrite"] = {"path": template}
        caches.proxyd.apply(caches.document)
        paths = [template.split("}{")[0].split("{")[0] + line.split("=")[-1].split(": ")[-1] + "/p" for (line,) in (one, other)]
        pages = [caches.page(path=path).says(FRESH, body=path.encode()) for path in paths]

        def body(fields):
            with Client(caches.port) as client:
                client.send(pages[0].request(*fields, path="/p"))
                return client.response().body.decode()

        assert [body(fields) for fields in (one, other, one, other)] == paths * 2
        assert [len(page.asked) for page in pages] == [1, 1]
        status, _ = caches.proxyd.api("POST", "/api/v1/cache/purges", {"urls": ["http://plain.test/p"]})
        assert status in (200, 201)
        assert [body(fields) for fields in (one, other)] == paths
        assert [len(page.asked) for page in pages] == [2, 2], "a purge of the URL is of all"
