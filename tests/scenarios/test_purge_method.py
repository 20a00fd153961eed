"""The PURGE method of a host, as plugins of content systems send it: who may, what it names, and that it holds."""
import contextlib
import itertools
import json
import threading
import time

import pytest
from client import Client, exchange, get
from origin import Origin, ok
from process import accepted_by
from proxyd import Proxyd, eventually, free_port, site

FRESH = b"Cache-Control: max-age=600"
REGEX = b"X-Purge-Method: regex"
NUMBERS = itertools.count()


class World:
    """A running proxyd whose origin numbers its answers, none twice, so that a new one is told from a stored one."""

    def __init__(self, document, origin, port, proxyd):
        self.document, self.origin, self.port, self.proxyd = document, origin, port, proxyd

    def got(self, path, *fields, host=b"a.test"):
        answer = exchange(self.port, get(path, *fields, host=host))
        assert answer.status == 200, answer
        return answer.body

    def purge(self, path, *fields, host=b"a.test"):
        return exchange(self.port, get(path, *fields, host=host, method=b"PURGE"))

    def purged(self, path, *fields, host=b"a.test"):
        answer = self.purge(path, *fields, host=host)
        assert answer.status == 200 and answer.value("Content-Type") == "application/json", answer
        said = json.loads(answer.body)
        assert said["status"] == "ok"
        return said["purged"]

    def asked(self):
        return len(self.origin.requests)


def numbered(origin, *fields):
    origin.answer = lambda request: ok(b"%d" % next(NUMBERS), FRESH, *fields)


def document_of(port, origin, purge, **policy):
    document = site(port, origin.address)
    document["defaults"] = {"trusted_proxies": ["127.0.0.1/32"]}   # so that a test can say which scheme a client came by
    document["cache_policies"] = {"main": policy}
    host = document["hosts"]["all"]
    host["names"] = ["a.test", "b.test"]
    host["routes"][0]["cache"] = "main"
    host["routes"].insert(0, {"name": "old", "match": {"path_prefix": "/old"}, "redirect": {"to": "/new{path}", "status": 308}})
    if purge:
        host["purge"] = purge
    document["hosts"]["other"] = {"names": ["other.test"], "routes": [{"name": "all", "match": {"path_prefix": "/"}, "upstream": "app", "cache": "main"}]}
    return document


@contextlib.contextmanager
def running(purge, workers=1, **policy):
    origin, port = Origin(), free_port()
    document = document_of(port, origin, purge, **policy)
    with Proxyd(document, workers=workers) as proxyd:
        yield World(document, origin, port, proxyd)
    origin.stop()


@pytest.fixture(scope="module")
def shared():
    tags = {"headers": ["Surrogate-Key", "Cache-Tag", "X-Cache-Tags", "xkey", "X-Magento-Tags"]}
    with running({"allow": ["127.0.0.0/8"]}, tags=tags) as world:
        yield world


@pytest.fixture
def world(shared):
    numbered(shared.origin)
    shared.origin.requests.clear()
    return shared


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    token = tmp_path_factory.mktemp("token") / "purge.token"
    token.write_text("the-secret\n")
    origin, port = Origin(), free_port()
    document = document_of(port, origin, None)
    for name, purge in {"address": {"allow": ["192.0.2.0/24"]}, "token": {"token_file": str(token)},
                        "both": {"allow": ["127.0.0.1"], "token_file": str(token)}, "far": {"allow": ["192.0.2.1"], "token_file": str(token)}}.items():
        document["hosts"][name] = {**document["hosts"]["other"], "names": [f"{name}.test"], "purge": purge}
    with Proxyd(document) as proxyd:
        numbered(origin)
        yield World(document, origin, port, proxyd)
    origin.stop()


@pytest.mark.rows("CA-045")
def test_purge_is_a_method_of_the_hosts_that_say_so_rfc9110_15_5_6(guarded):
    for host in (b"a.test", b"nobody.test"):
        answer = guarded.purge(b"/x", host=host)
        assert answer.status == 405 and "GET" in answer.value("Allow") and "PURGE" not in answer.value("Allow")
    assert guarded.purge(b"/x", b"X-Forwarded-For: 192.0.2.1", host=b"address.test").status == 403
    assert guarded.asked() == 0


@pytest.mark.parametrize("host, fields, status", [
    (b"token.test", [], 403), (b"token.test", [b"Authorization: Bearer the-secret"], 200), (b"token.test", [b"X-Purge-Token: the-secret"], 200),
    (b"token.test", [b"X-Purge-Token: another"], 403), (b"token.test", [b"Authorization: Basic the-secret"], 403),
    (b"both.test", [], 403), (b"both.test", [b"X-Purge-Token: the-secret"], 200), (b"both.test", [b"X-Purge-Token: wrong"], 403),
    (b"far.test", [b"X-Purge-Token: the-secret"], 403), (b"far.test", [b"X-Purge-Token: the-secret", b"X-Forwarded-For: 192.0.2.1"], 403)])
def test_the_address_of_the_peer_or_the_token_decides_and_both_where_both_are_given(guarded, host, fields, status):
    stored = guarded.got(b"/guarded", host=host)
    answer = guarded.purge(b"/guarded", *fields, host=host)
    assert answer.status == status, answer
    assert (guarded.got(b"/guarded", host=host) == stored) == (status == 403)


def test_a_url_goes_in_all_variants_and_both_schemes_and_no_other_url(world):
    numbered(world.origin, b"Vary: Accept-Language")
    views = [(b"Accept-Language: " + language, b"X-Forwarded-Proto: " + scheme) for language in (b"de", b"en") for scheme in (b"http", b"https")]
    before = [world.got(b"/page?b=1&a=1", *view) for view in views]
    beside = world.got(b"/page")
    assert [world.got(b"/page?a=1&b=1", *view) for view in views] == before and len(set(before)) == 4
    assert world.purged(b"/page?b=1&a=1") == {"urls": ["a.test/page?a=1&b=1"]}
    assert not set(before) & {world.got(b"/page?b=1&a=1", *view) for view in views}
    assert world.got(b"/page") == beside


def test_a_url_is_purged_in_its_normal_form_and_what_is_not_stored_is_no_fault(world):
    before = world.got(b"/a/b")
    assert world.purged(b"/x/../a//%62", host=b"A.test") == {"urls": ["a.test/a/b"]}
    assert world.got(b"/a/b") != before
    assert world.purged(b"/never") == {"urls": ["a.test/never"]}
    before = world.got(b"/port", b"X-Forwarded-Proto: https")
    assert world.purged(b"/port", host=b"a.test:443")["urls"] == ["a.test/port", "a.test:443/port"]
    assert world.got(b"/port", b"X-Forwarded-Proto: https") != before


def test_purge_comes_before_redirects(world):
    assert exchange(world.port, get(b"/old")).status == 308
    assert world.purged(b"/old") == {"urls": ["a.test/old"]}
    assert world.asked() == 0


@pytest.mark.parametrize("carried, sent, tags", [
    (b"Surrogate-Key: one two", b"Surrogate-Key: two three", ["three", "two"]),
    (b"Cache-Tag: one, big one", b"Cache-Tag: big one,three", ["big one", "three"]),
    (b"X-Cache-Tags: node:1 node:2", b"X-Cache-Tags: node:2", ["node:2"]),
    (b"X-Cache-Tags: node:1 node:2", b"X-Cache-Tags: node:1|node:3", ["node:1", "node:1|node:3", "node:3"]),
    (b"xkey: one two", b"xkey: two", ["two"]),
    (b"X-Magento-Tags: cat_p,cat_p_1,cat_c_2", b"X-Magento-Tags-Pattern: ((^|,)cat_p_1(,|$))|((^|,)cat_p_9(,|$))", ["cat_p_1", "cat_p_9"]),
    (b"X-Cache-Tags: p-1,t-2", b"X-Cache-Tags-Pattern: t-2|t-3", ["t-2", "t-3"])])
def test_tags_are_purged_as_each_plugin_names_them(world, carried, sent, tags):
    numbered(world.origin, carried)
    tagged = world.got(b"/tagged"), world.got(b"/tagged/other")
    numbered(world.origin)
    plain = world.got(b"/untagged")
    assert world.purged(b"/", sent) == {"tags": tags}
    again = world.got(b"/tagged"), world.got(b"/tagged/other"), world.got(b"/untagged")
    assert again[2] == plain and not set(tagged) & set(again[:2])
    world.purged(b"/.*")


def test_a_folder_goes_by_an_expression_with_an_open_end(world):
    inside, deep, beside, root = (world.got(path) for path in (b"/blog/1", b"/blog/2026/1?x=1", b"/blogs/1", b"/"))
    assert world.purged(b"/blog/.*", b"X-Purge-Method: regex") == {"prefixes": ["a.test/blog/"]}
    assert world.got(b"/blog/1") != inside and world.got(b"/blog/2026/1?x=1") != deep
    assert world.got(b"/blogs/1") == beside and world.got(b"/") == root


@pytest.mark.parametrize("path, fields", [(b"/.*", [b"X-Purge-Method: regex"]), (b"/.*", []), (b"/", [b"X-Magento-Tags-Pattern: .*"])])
def test_a_host_goes_by_an_expression_for_all_of_it(world, path, fields):
    mine, second, other = world.got(b"/h"), world.got(b"/h", host=b"b.test:8080"), world.got(b"/h", host=b"other.test")
    assert world.purged(path, *fields) == {"hosts": ["a.test", "b.test"]}
    assert world.got(b"/h") != mine and world.got(b"/h", host=b"b.test:8080") != second
    assert world.got(b"/h", host=b"other.test") == other


def test_any_other_expression_of_paths_is_a_ban_of_what_it_is_found_in(world):
    taken = [b"/p/1", b"/p/22", b"/deep/p/3", b"/q?id=7"]
    spared = [b"/p/x", b"/p/", b"/q?id=8", b"/"]
    before = {path: world.got(path) for path in taken + spared}
    other = world.got(b"/p/1", host=b"other.test")
    assert world.purged(b"/p/[0-9]+$|[?&]id=7", REGEX) == {"ban": {"paths": "/p/[0-9]+$|[?&]id=7", "hosts": ["a.test"]}}
    after = {path: world.got(path) for path in taken + spared}
    assert {path for path in after if after[path] != before[path]} == set(taken)
    assert world.got(b"/p/1", host=b"other.test") == other
    assert {path: world.got(path) for path in taken + spared} == after   # what was fetched again is served


def test_a_ban_is_of_the_expression_in_each_spelling(world):
    before = world.got(b"/~list/5"), world.got(b"/~list/x")
    world.purged(b"/%7Elist/%5B0-9%5D", REGEX)
    assert world.got(b"/~list/5") != before[0] and world.got(b"/~list/x") == before[1]


def test_an_expression_of_tags_takes_whatever_of_the_host_has_one(world):
    """Which is too much, for tags are not kept as such; the answer says so."""
    plain, other = world.got(b"/no-tag"), world.got(b"/tag", host=b"other.test")
    numbered(world.origin, b"xkey: cat_p_1 z")
    mine, second = world.got(b"/tag"), world.got(b"/tag", host=b"b.test")
    numbered(world.origin)
    said = world.purged(b"/", b"X-Magento-Tags-Pattern: cat_p_.*", b"Cache-Tag: one")
    assert said["tags"] == ["one"] and said["ban"]["tags"] == ["cat_p_.*"] and said["ban"]["hosts"] == ["a.test", "b.test"]
    assert "has a tag" in said["ban"]["takes"]
    assert world.got(b"/tag") != mine and world.got(b"/tag", host=b"b.test") != second
    assert world.got(b"/no-tag") == plain and world.got(b"/tag", host=b"other.test") == other


@pytest.mark.parametrize("path, fields, why", [
    (b"/x/(", [REGEX], b"missing )"), (b"/x(?=y)", [REGEX], b"(?="), (b"/x" + b"y" * 1200 + b"+", [REGEX], b"1024 octets"),
    (b"/((x{1,99}){1,9}y{1,99}){1,9}", [REGEX], b"RE2"), (b"/x", [b"X-Magento-Tags-Pattern: cat_p_(.*"], b"missing )"),
    (b"/x", [b"xkey:"], b"names none"), (b"/x", [b"xkey: " + b" ".join(b"t%d" % i for i in range(1025))], b"1024 tags")], ids=range(7))
def test_what_it_cannot_do_is_refused_and_nothing_is_purged(world, path, fields, why):
    stored = world.got(b"/x")
    answer = world.purge(path, *fields)
    assert answer.status == 400 and why in answer.body and b"nothing is purged" in answer.body, answer
    assert world.got(b"/x") == stored


@pytest.mark.parametrize("path, fields", [(b"/soft", []), (b"/s[aeiou]ft$", [REGEX])], ids=["url", "ban"])
def test_a_soft_purge_makes_stale_and_one_fetch_renews(world, path, fields):
    gone_on = threading.Event()
    world.purged(b"/soft")
    world.origin.answer = lambda request: ok(b"old", b"Cache-Control: max-age=600, stale-while-revalidate=600")
    assert world.got(b"/soft") == b"old"
    world.origin.answer = lambda request: [gone_on, ok(b"new", FRESH)]
    answer = world.purge(path, b"Fastly-Soft-Purge: 1", *fields)
    assert answer.status == 200 and json.loads(answer.body)["mode"] == "soft"
    assert [world.got(b"/soft") for _ in range(3)] == [b"old"] * 3
    gone_on.set()
    eventually(lambda: world.got(b"/soft") == b"new")
    assert world.asked() == 2
    numbered(world.origin)
    assert json.loads(world.purge(path, *fields).body)["mode"] == "hard"
    assert world.got(b"/soft") != b"new"


def test_the_mode_of_the_host_counts_where_the_request_says_none():
    with running({"allow": ["127.0.0.1"], "mode": "soft"}, stale_while_revalidate="10m") as world:
        numbered(world.origin)
        before = world.got(b"/")
        answer = world.purge(b"/")
        assert answer.status == 200 and json.loads(answer.body)["mode"] == "soft"
        assert world.got(b"/") == before
        eventually(lambda: world.got(b"/") != before)


PURGES_IN_FLIGHT = {"url": lambda path: [path], "tag": lambda path: [b"/", b"xkey: flying"], "host": lambda path: [b"/.*"],
                    "ban": lambda path: [b"/fl[aeiou]ght/[0-9]+$", REGEX], "ban of tags": lambda path: [b"/", b"X-Cache-Tags-Pattern: fl.+"]}


@pytest.mark.parametrize("purge", PURGES_IN_FLIGHT.values(), ids=PURGES_IN_FLIGHT.keys())
@pytest.mark.parametrize("where", ["in the head", "in the content"])
def test_a_fetch_that_began_before_a_purge_is_never_reused_after_it(world, where, purge):
    """The client that waits for it gets it; whoever asks after the purge was answered gets what the origin says then."""
    go_on, path = threading.Event(), b"/flight/%d" % next(NUMBERS)
    old = ok(b"o" * 100_000, FRESH, b"xkey: flying")
    sent = old[:50_000] if where == "in the content" else b""
    first_steps = iter([[sent, go_on, old[len(sent):]]])
    world.origin.early = lambda request: next(first_steps, None) if request.target == path.decode() else None
    with Client(world.port) as client:
        client.send(get(path))
        eventually(lambda: any(request.target == path.decode() for request in world.origin.requests))
        if sent:
            assert client.head()[0] == 200
        world.purged(*purge(path))
        if sent:   # what it is stored under is known, so nobody waits for the rest
            assert world.got(path).isdigit()
        go_on.set()
        assert (client.exactly(100_000) if sent else client.response().body) == b"o" * 100_000
        assert world.got(path).isdigit()
    world.origin.early = lambda request: None


def test_a_purge_that_one_worker_answers_holds_for_all():
    with running({"allow": ["127.0.0.1"]}, workers=3) as world:
        numbered(world.origin)
        for _ in range(5):
            before = world.got(b"/all")
            assert {world.got(b"/all") for _ in range(12)} == {before}
            world.purged(b"/all")
            assert before not in {world.got(b"/all") for _ in range(12)}
        assert 'hard purged by 127.0.0.1: {"urls":["a.test/all"]}' in world.proxyd.logs()


def test_more_bans_than_there_is_room_for_take_too_much_and_never_too_little():
    """The first of 64 gives way to its whole host, as far as it reaches back."""
    with running({"allow": ["127.0.0.1"]}, workers=3) as world:
        numbered(world.origin)
        taken, other = world.got(b"/first/1"), world.got(b"/first/1", host=b"b.test")
        world.purged(b"/first/[0-9]", REGEX)
        later = world.got(b"/later")
        for number in range(64):
            world.purged(b"/another%d/[0-9]" % number, REGEX)
        assert taken not in {world.got(b"/first/1") for _ in range(12)}
        assert {world.got(b"/later") for _ in range(12)} == {later}
        assert {world.got(b"/first/1", host=b"b.test") for _ in range(12)} == {other}
        assert world.proxyd.api("GET", "/api/v1/cache")[1]["purges"]["bans"] == 64


def test_bans_hold_for_all_workers_and_give_memory_back():
    with running({"allow": ["127.0.0.1"]}, workers=3) as world:
        numbered(world.origin)
        for _ in range(5):
            before = [world.got(b"/all/%d" % number) for number in range(10)]
            world.purged(b"/all/[0-4]$", REGEX)
            after = [world.got(b"/all/%d" % number) for number in range(10)]
            assert after[5:] == before[5:] and not set(after[:5]) & set(before)
            for _ in range(12):
                assert [world.got(b"/all/%d" % number) for number in (0, 9)] == [after[0], after[9]]
        world.purged(b"/all/[0-4]$", REGEX)
        eventually(lambda: world.proxyd.api("GET", "/api/v1/cache")[1]["objects"] == 5)
        assert world.proxyd.api("GET", "/api/v1/cache")[1]["purges"]["bans"] == 1


def recorded(world, url):
    """The records of purges of URLs that begin so."""
    items, cursor = [], ""
    while cursor is not None:
        page = world.proxyd.api("GET", "/api/v1/cache/purges?limit=100" + cursor)[1]
        items += [item for item in page["items"] if any(one.startswith(url) for one in item.get("urls", []))]
        cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
    return items


def test_a_purge_by_a_plugin_is_recorded_beside_those_of_the_api(world):
    """Of the tests before it more may have purged in this second than are recorded: then it is sent again."""
    one = eventually(lambda: world.purged(b"/recorded?x=1") and recorded(world, "a.test/recorded?x=1"))[0]
    assert (one["author"], one["reason"], one["mode"]) == ("127.0.0.1", "PURGE", "hard") and one["effective_at"]

    def bans():
        return [item["ban"].get("paths") for item in world.proxyd.api("GET", "/api/v1/cache/purges")[1]["items"] if "ban" in item]
    eventually(lambda: world.purged(b"/[a-z]+-folder$", REGEX) and "/[a-z]+-folder$" in bans())
    listed = world.proxyd.proxyctl("cache", "purges", "-o", "wide").stdout
    assert "ban /[a-z]+-folder$ of a.test" in listed and "URL a.test/recorded?x=1" in listed and "127.0.0.1" in listed


def test_of_many_purges_in_a_second_twenty_are_recorded_and_all_carried_out():
    """The log has each of them."""
    with running({"allow": ["127.0.0.1"]}) as world, Client(world.port, timeout=60) as client:
        numbered(world.origin)
        before = [world.got(b"/many/%d" % number) for number in (0, 299)]
        begun = time.monotonic()
        client.send(b"".join(get(b"/many/%d" % number, method=b"PURGE") for number in range(300)))
        assert [client.response().status for _ in range(300)] == [200] * 300
        most = 20 * (int(time.monotonic() - begun) + 1)
        assert not set(before) & {world.got(b"/many/%d" % number) for number in (0, 299)}
        eventually(lambda: world.purge(b"/later") and recorded(world, "a.test/later"))
        assert 20 <= len(recorded(world, "a.test/many/")) <= most
        assert world.proxyd.logs().count('purged by 127.0.0.1: {"urls":["a.test/many/') == 300


def test_a_ban_holds_for_all_workers_while_no_master_lives():
    """A worker that leaves answers once more on each connection that has asked for nothing yet."""
    with running({"allow": ["127.0.0.1"]}, workers=2) as world, contextlib.ExitStack() as left:
        numbered(world.origin)
        taken, spared = world.got(b"/orphan/1"), world.got(b"/orphan/x")
        pids = world.proxyd.pids()
        clients = []

        def of_each():
            clients.append(left.enter_context(Client(world.port)))
            owner = accepted_by(pids, world.port)
            found = [[client for client in clients if owner.get(client.socket.getsockname()[1]) == pid] for pid in pids]
            return min(map(len, found)) >= 4 and found
        idle = eventually(of_each)
        world.proxyd.kill()
        eventually(lambda: world.proxyd.logs().count("the master has gone") == 2)

        def asked(worker, *what, **how):
            client = idle[worker].pop()
            client.send(get(*what, **how))
            return client.response()
        assert [asked(worker, b"/orphan/1").body for worker in (0, 1)] == [taken] * 2
        assert asked(0, b"/orphan/[0-9]", REGEX, method=b"PURGE").status == 200
        assert taken not in [asked(worker, b"/orphan/1").body for worker in (1, 0)]
        assert [asked(worker, b"/orphan/x").body for worker in (1, 0)] == [spared] * 2
