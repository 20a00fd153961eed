"""Hosts that have everyone come by https: whom they send there, whom not, and what their answers by https promise."""
import pytest
from certificates import Authority, unverified
from client import Client, exchange, get
from origin import Origin, ok
from proxyd import Proxyd, free_port, site

HTTPS = b"X-Forwarded-Proto: https"
PROMISE = "max-age=15552000"


class World:
    def __init__(self, origin, port, proxyd, document):
        self.origin, self.port, self.proxyd, self.document = origin, port, proxyd, document

    def ask(self, path=b"/", *fields, host=b"a.test", method=b"GET"):
        return exchange(self.port, get(path, *fields, host=host, method=method), method.decode())


def promise(answer):
    """Every Strict-Transport-Security of an answer."""
    return [value for name, value in answer.fields if name.lower() == "strict-transport-security"]


@pytest.fixture(scope="module")
def world():
    origin, port = Origin(), free_port()
    document = site(port, origin.address, cached={"default_ttl": {"200": "1h"}})
    document["defaults"] = {"trusted_proxies": ["127.0.0.0/8"]}
    host = document["hosts"]["all"]
    host.update({"names": ["a.test", "[::1]"], "force_https": {"hsts": "180d"}, "purge": {"allow": ["127.0.0.1/32"]}})
    host["routes"] = [
        {"name": "ready", "match": {"path": "/ready"}, "ready": True},
        {"name": "small", "match": {"path": "/small"}, "upstream": "app", "limits": {"request_headers": "64B"}},
        {"name": "away", "match": {"path": "/away"}, "redirect": {"to": "/new"}},
        {"name": "own", "match": {"path_prefix": "/own"}, "upstream": "app", "headers": {"response": {"set": {"Strict-Transport-Security": "max-age=1"}}}},
        {"name": "none", "match": {"path_prefix": "/none"}, "upstream": "app", "headers": {"response": {"remove": ["Strict-Transport-Security"]}}},
        {"name": "cached", "match": {"path_prefix": "/cached"}, "upstream": "app", "cache": "main"},
        {"name": "all", "match": {"path_prefix": "/site"}, "upstream": "app"}]
    document["hosts"]["bare"] = {"names": ["bare.test"], "force_https": {"status": 301}, "routes": [{"name": "all", "upstream": "app"}]}
    document["hosts"]["open"] = {"names": ["open.test"], "routes": [{"name": "all", "upstream": "app"}]}
    origin.answer = lambda request: ok(b"hello", *([b"Strict-Transport-Security: max-age=5"] if "promise" in str(request.target) else []))
    with Proxyd(document) as proxyd:
        yield World(origin, port, proxyd, document)
    origin.stop()


@pytest.mark.parametrize("asked, location", [
    (b"/site/a?b=c&d", "https://a.test/site/a?b=c&d"), (b"/", "https://a.test/"), (b"/no/route", "https://a.test/no/route"), (b"/site/./x//%7Ey?", "https://a.test/site/x/~y?"),
    (b"/small", "https://a.test/small"), (b"/away", "https://a.test/away"), (b"/cached/x", "https://a.test/cached/x"), (b"/readyz", "https://a.test/readyz"),
    (b"/.well-known/acme-challenges", "https://a.test/.well-known/acme-challenges"), (b"/site/.well-known/acme-challenge/x", "https://a.test/site/.well-known/acme-challenge/x"),
])
def test_a_request_by_http_is_sent_to_https_before_anything_else_is_looked_at(world, asked, location):
    seen = len(world.origin.requests)
    answer = world.ask(asked, b"X-Long: " + 100 * b"x")
    assert (answer.status, answer.value("Location")) == (308, location)
    assert promise(answer) == [], "never by http (RFC 6797 7.2)"
    assert len(world.origin.requests) == seen


def test_the_port_of_http_is_not_that_of_https_and_every_method_is_sent(world):
    for method in (b"POST", b"HEAD", b"DELETE"):
        answer = world.ask(b"/site", b"Content-Length: 0", host=b"A.test:8080", method=method)
        assert (answer.status, answer.value("Location")) == (308, "https://a.test/site"), method
    assert world.ask(b"/site", host=b"[::1]:80").value("Location") == "https://[::1]/site"


def test_the_status_is_the_hosts_own_and_without_hsts_nothing_is_promised(world):
    answer = world.ask(b"/x", host=b"bare.test")
    assert (answer.status, answer.value("Location")) == (301, "https://bare.test/x")
    assert promise(world.ask(b"/x", HTTPS, host=b"bare.test")) == []
    assert world.ask(b"/x", host=b"open.test").status == 200


def test_challenges_ready_routes_and_purges_are_never_sent_away(world):
    world.ask(b"/cached/purged", HTTPS)
    assert world.ask(b"/ready").status == 200
    assert world.ask(b"/cached/purged", method=b"PURGE").status == 200
    assert world.ask(b"/.well-known/acme-challenge/token", host=b"bare.test").status == 200
    assert world.ask(b"/x/../.well-known/acme-challenge/token", host=b"bare.test").status == 200
    assert world.ask(b"/.well-known/acme-challenge/../../x", host=b"bare.test").status == 301


def test_whom_a_trusted_proxy_brought_by_https_is_served_with_the_promise(world):
    for path, status in ((b"/site", 200), (b"/away", 308), (b"/ready", 200), (b"/no/route", 404), (b"/small", 431)):
        answer = world.ask(path, HTTPS, b"X-Long: " + 100 * b"x")
        assert answer.status == status and promise(answer) == [PROMISE], path


def test_hits_carry_the_promise_too_and_once(world):
    for path in (b"/cached/a", b"/cached/promise"):
        for expected in ("fwd", "hit", "hit"):
            answer = world.ask(path, HTTPS)
            assert answer.status == 200 and expected in answer.value("Cache-Status") and answer.body == b"hello"
            assert promise(answer) == [PROMISE], (path, expected)
        assert promise(world.ask(path, HTTPS, b"Range: bytes=1-2")) == [PROMISE]
        assert promise(world.ask(path, HTTPS, b"If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT")) == [PROMISE]


def test_the_promise_goes_before_the_origins_and_edits_go_before_both(world):
    assert promise(world.ask(b"/site/promise", HTTPS)) == [PROMISE]
    assert promise(world.ask(b"/own/promise", HTTPS)) == ["max-age=1"]
    assert promise(world.ask(b"/none/promise", HTTPS)) == []


def test_the_scheme_of_a_direct_client_is_that_of_its_connection(world, tmp_path):
    http, https = free_port(), free_port()
    document = {**world.document, "defaults": {}, "certificates": {"a": Authority(tmp_path).issue("a.test").document()},
                "listeners": {"http": {"address": f"127.0.0.1:{http}"}, "https": {"address": f"127.0.0.1:{https}", "tls": {}}}}
    with Proxyd(document):
        assert exchange(http, get(b"/site", HTTPS)).status == 308
        with Client(https) as client:
            client.socket = unverified().wrap_socket(client.socket, server_hostname="a.test")
            client.send(get(b"/site", b"X-Forwarded-Proto: http"))
            answer = client.response()
        assert answer.status == 200 and promise(answer) == [PROMISE]


def test_who_is_not_trusted_does_not_get_around_it(world):
    with Proxyd({**world.document, "defaults": {}, "listeners": {"main": {"address": f"127.0.0.1:{(port := free_port())}"}}}):
        assert exchange(port, get(b"/site", HTTPS)).status == 308
        assert exchange(port, get(b"/site", b"Forwarded: proto=https")).status == 308


def test_explain_tells_it(world):
    def told(url):
        return world.proxyd.api("POST", "/api/v1/explain", {"url": url})[1]
    assert told("http://a.test/site")["result"] == "308: sent to https (force_https)" and "action" not in told("http://a.test/site")
    assert "result" not in told("https://a.test/site") and told("https://a.test/site")["action"]["forward"]
    assert told("http://a.test/ready")["action"] == {"ready": True}
