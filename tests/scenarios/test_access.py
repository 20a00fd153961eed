"""Access lists: which clients may ask, by the longest prefix that holds them, and what guarded routes do not guess about."""
import json

import pytest
from client import exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site

LISTS = {"office": {"allow": ["10.0.0.0/8", "2001:db8:1::/48"], "deny": ["10.9.0.0/16"]}, "bots": {"deny": ["198.51.100.0/24"]},
         "one": {"allow": ["10.0.0.1"]}}


class World:
    def __init__(self, proxyd, port, origin, log, document):
        self.proxyd, self.port, self.origin, self.log, self.document = proxyd, port, origin, log, document

    def ask(self, path, client=None, *fields, **more):
        said = (b"X-Forwarded-For: " + client.encode(),) if client else ()
        return exchange(self.port, get(path, *said, *fields, **more))

    def explained(self, url, client):
        return self.proxyd.api("POST", "/api/v1/explain", {"url": url, "client": client})[1]["action"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    origin, port, log = Origin(lambda request: ok(b"hello")), free_port(), tmp_path_factory.mktemp("log") / "access"
    document = site(port, origin.address, cached={"default_ttl": {"200": "1h"}})
    document["defaults"] = {"trusted_proxies": ["127.0.0.1"], "access": "bots"}
    document["access_lists"] = LISTS
    document["logging"] = {"access": [{"to": "file", "file": str(log), "format": "json"}]}
    document["hosts"] = {
        "guarded": {"names": ["a.test"], "access": "office", "routes": [
            {"name": "one", "match": {"path_prefix": "/one"}, "access": "one", "upstream": "app"},
            {"name": "open", "match": {"path_prefix": "/open"}, "access": None, "upstream": "app"},
            {"name": "own", "match": {"path_prefix": "/own"}, "respond": {"body": "own"}},
            {"name": "cached", "match": {"path_prefix": "/cached"}, "upstream": "app", "cache": "main"},
            {"name": "all", "upstream": "app"}]},
        "open": {"names": ["b.test"], "routes": [{"name": "all", "upstream": "app"}]},
        "free": {"names": ["c.test"], "access": None, "routes": [{"name": "all", "upstream": "app"}]}}
    with Proxyd(document) as proxyd:
        yield World(proxyd, port, origin, log, document)
    origin.stop()


@pytest.mark.parametrize("client, status", [
    ("10.1.2.3", 200), ("10.9.0.1", 403), ("10.8.255.255", 200), ("10.10.0.0", 200), ("192.0.2.1", 403), ("198.51.100.1", 403),
    ("2001:db8:1::5", 200), ("2001:db8:2::5", 403), (None, 403)])
def test_the_longest_prefix_decides_and_who_is_in_neither_list_is_denied_where_some_are_allowed(world, client, status):
    assert world.ask(b"/x", client).status == status


def test_lists_of_defaults_host_and_route_all_apply_and_null_drops_what_is_inherited(world):
    assert world.ask(b"/one/x", "10.0.0.1").status == 200
    assert world.ask(b"/one/x", "10.0.0.2").status == 403
    assert world.ask(b"/open/x", "198.51.100.1").status == 200
    assert world.ask(b"/x", "192.0.2.1", host=b"b.test").status == 200
    assert world.ask(b"/x", "198.51.100.1", host=b"b.test").status == 403
    assert world.ask(b"/x", "198.51.100.1", host=b"c.test").status == 200


def test_a_denied_client_gets_neither_what_is_stored_nor_our_own_answers_and_the_origin_is_not_asked(world):
    assert world.ask(b"/cached/a", "10.0.0.1").status == 200
    seen = len(world.origin.requests)
    assert world.ask(b"/cached/a", "192.0.2.1").status == 403
    assert world.ask(b"/own", "192.0.2.1").status == 403
    assert world.ask(b"/x", "192.0.2.1").status == 403
    assert len(world.origin.requests) == seen


def test_a_denial_says_why_in_the_answer_the_log_and_the_metrics(world):
    denied = world.proxyd.metric("proxyd_access_denied_total", list="office")
    answer = world.ask(b"/told", "192.0.2.77", b"Accept: application/json")
    assert (answer.status, answer.value("Proxy-Status")) == (403, "proxyd; error=http_request_denied")
    assert json.loads(answer.body)["error"] == "http_request_denied"
    assert world.proxyd.metric("proxyd_access_denied_total", list="office") == denied + 1

    def record():
        lines = [json.loads(line) for line in world.log.read_text().splitlines()]
        return next((one for one in lines if one["path"] == "/told"), None)
    record = eventually(record, what="the record")
    assert (record["status"], record["error"], record["client"], record["route"]) == (403, "http_request_denied", "192.0.2.77", "all")


def test_the_client_is_whom_trusted_proxies_name_and_nobody_else(world):
    with Proxyd({**world.document, "defaults": {}, "listeners": {"main": {"address": f"127.0.0.1:{(port := free_port())}"}}, "logging": {}}):
        assert exchange(port, get(b"/x", b"X-Forwarded-For: 10.0.0.1")).status == 403


@pytest.mark.parametrize("path", [b"/a%2fb", b"/a%2Fb", b"/a%5cb", b"/x/..%2f..%2fb"])
def test_a_guarded_route_does_not_guess_what_an_encoded_slash_or_backslash_means(world, path):
    seen = len(world.origin.requests)
    assert world.ask(path, "10.0.0.1").status == 400
    assert len(world.origin.requests) == seen
    assert world.ask(path, "10.0.0.1", host=b"c.test").status == 200


def test_a_change_of_a_list_holds_from_the_next_request_on(world):
    assert world.ask(b"/x", "203.0.113.5").status == 403
    world.proxyd.apply({**world.document, "access_lists": {**LISTS, "office": {"allow": ["203.0.113.0/24"]}}})
    try:
        assert world.ask(b"/x", "203.0.113.5").status == 200
        assert world.ask(b"/x", "10.0.0.1").status == 403
    finally:
        world.proxyd.apply(world.document)


def test_explain_tells_which_network_decides(world):
    steps = world.explained("http://a.test/x", "10.9.1.1")
    assert steps["access"] == [{"list": "bots", "allowed": True, "network": None}, {"list": "office", "allowed": False, "network": "10.9.0.0/16"}]
    assert steps["refused"].startswith("403") and "forward" not in steps
    allowed = world.explained("http://a.test/x", "10.0.0.1")
    assert allowed["access"][1] == {"list": "office", "allowed": True, "network": "10.0.0.0/8"} and allowed["forward"]
    assert world.explained("http://a.test/a%2fb", "10.0.0.1")["refused"].startswith("400")
    told = world.proxyd.proxyctl("explain", "http://a.test/x", "--client", "192.0.2.1")
    assert "office: denied (in neither list)" in told.stdout
