"""Purging by the admin API and proxyctl: what is gone for every worker once it was answered, and what is not."""
import contextlib
import os
import signal
import sqlite3
import threading

import pytest
from cached_world import PURGES, World, cached_site
from client import Client, Closed, exchange, get
from proxyd import eventually


@pytest.fixture(scope="module")
def world():
    with World() as running:
        yield running


def test_a_url_is_gone_for_all_workers_and_nothing_else_is(world):
    assert world.seen("/url/a") == world.seen("/url/b") == 1
    answer = world.purge(urls=["http://a.test/url/a"])
    assert answer["urls"] == ["http://a.test/url/a"] and answer["mode"] == "hard" and answer["sequence"] > 0 and answer["id"] > 0
    assert answer["effective_at"].endswith("Z") and answer["warnings"] == []
    assert world.seen("/url/a") == 2 and world.seen("/url/b") == 1
    world.purge(urls=["http://a.test/never/there"])


def test_a_url_is_one_for_both_schemes_and_in_whatever_form_it_is_written(world):
    for number, url in enumerate(["https://a.test/form/x", "HTTP://A.test:80/form/./y/../x", "a.test/form/x"], 1):
        assert world.seen("/form/x") == number
        world.purge(urls=[url])
    assert world.seen("/form/x") == 4


def test_a_url_goes_through_the_key_rules_of_its_route(world):
    assert world.seen("/few/x?v=1&other=2") == 1 and world.seen("/few/x?v=2") == 1
    world.purge(urls=["http://a.test/few/x?other=9&v=1"])
    assert world.seen("/few/x?v=1") == 1, "another target, the same key: asked anew"
    assert world.seen("/few/x?v=2") == 1
    assert world.seen("/query?b=1&a=2") == 1
    world.purge(urls=["http://a.test/query?a=2&b=1"])
    assert world.seen("/query?b=1&a=2") == 2


def test_all_variants_of_a_url_are_gone(world):
    world.fields = [b"Cache-Control: max-age=600", b"Vary: X-Kind"]
    try:
        assert world.seen("/vary", b"a.test", b"X-Kind: 1") == 1 and world.seen("/vary", b"a.test", b"X-Kind: 2") == 2
        world.purge(urls=["http://a.test/vary"])
        assert world.seen("/vary", b"a.test", b"X-Kind: 1") == 3 and world.seen("/vary", b"a.test", b"X-Kind: 2") == 4
    finally:
        world.fields = [b"Cache-Control: max-age=600, stale-while-revalidate=600"]


def test_a_tag_is_gone_wherever_it_is(world):
    red, blue = (b"a.test", b"X-Tags: red round"), (b"b.test", b"X-Tags: blue round")
    assert world.seen("/tag/1", *red) == world.seen("/tag/2", *blue) == 1
    world.purge(tags=["red"])
    assert world.seen("/tag/1", *red) == 2 and world.seen("/tag/2", *blue) == 1
    world.purge(tags=["round", "square"])
    assert world.seen("/tag/1", *red) == 3 and world.seen("/tag/2", *blue) == 2
    world.purge(tags=["Round"])
    assert world.seen("/tag/1", *red) == 3


def test_what_has_more_tags_than_are_kept_is_gone_with_any_tag(world):
    many = (b"a.test", b"X-Tags: " + b" ".join(b"t%d" % i for i in range(200)))
    assert world.seen("/many", *many) == 1
    world.purge(tags=["some-other-tag"])
    assert world.seen("/many", *many) == 2


def test_a_prefix_is_a_folder_and_what_is_below(world):
    paths = ["/pre/fix/a", "/pre/fix/deep/er/b", "/pre/fixed", "/pre/c"]
    assert [world.seen(path) for path in paths] == [1] * 4
    world.purge(prefixes=["a.test/pre/fix/"])
    assert [world.seen(path) for path in paths] == [2, 2, 1, 1]
    deep = "/" + "/".join("abcdefghij") + "/x"
    assert world.seen(deep) == 1
    assert world.purge(prefixes=["a.test" + deep[:-1]])["warnings"][0]["code"] == "widened"
    assert world.seen(deep) == 2


def test_a_host_is_all_of_it_and_of_no_other(world):
    hosts = [b"one.test", b"one.test:8080", b"two.test"]
    assert [world.seen("/host", host) for host in hosts] == [1] * 3
    world.purge(hosts=["one.test:8080"])
    assert [world.seen("/host", host) for host in hosts] == [1, 2, 1]
    world.purge(hosts=["ONE.test"])
    assert [world.seen("/host", host) for host in hosts] == [2, 3, 1]


def test_the_answer_names_long_subjects_whole_and_the_record_short(world):
    long = [f"http://a.test/{'x' * 300}{end}" for end in ("1", "2")]
    answer = world.proxyd.root("POST", "/api/v1/cache/purges", {"urls": long})
    assert answer.status in (200, 201) and answer.json["urls"] == long
    recorded = eventually(lambda: [item for item in world.proxyd.root("GET", "/api/v1/cache/purges").json["items"] if item["id"] == answer.json["id"]])
    assert recorded[0]["urls"] == [url[:256] for url in long]


def test_everything_is_everything_and_many_subjects_are_one_purge(world):
    assert world.seen("/all/a") == world.seen("/all/b", b"b.test") == world.seen("/all/c", b"a.test", b"X-Tags: x") == 1
    world.purge(urls=["http://a.test/all/a"], hosts=["b.test"], tags=["x"])
    assert world.seen("/all/a") == world.seen("/all/b", b"b.test") == world.seen("/all/c", b"a.test", b"X-Tags: x") == 2
    world.purge(all=True)
    assert world.seen("/all/a") == world.seen("/all/b", b"b.test") == world.seen("/all/c", b"a.test", b"X-Tags: x") == 3


def test_soft_serves_on_while_one_asks_the_origin(world):
    assert world.seen("/soft") == 1
    answer = world.purge(urls=["http://a.test/soft"], mode="soft")
    assert answer["mode"] == "soft"
    first = exchange(world.port, get(b"/soft"))
    assert first.body == b"answer 1", "stale is allowed"
    eventually(lambda: exchange(world.port, get(b"/soft")).body == b"answer 2")
    assert world.seen("/soft") == 2


def test_what_was_asked_for_before_a_purge_is_not_used_after_it(world):
    begun, go_on = threading.Event(), threading.Event()
    plain = world.origin.answer

    def slow(request):
        if request.target == "/slow" and not begun.is_set():
            begun.set()
            go_on.wait(20)
        return plain(request)

    world.origin.answer = slow
    try:
        got = []
        asking = threading.Thread(target=lambda: got.append(exchange(world.port, get(b"/slow")).body))
        asking.start()
        assert begun.wait(10)
        world.purge(urls=["http://a.test/slow"])
        go_on.set()
        asking.join(20)
        assert got and world.seen("/slow") == 2
    finally:
        go_on.set()
        world.origin.answer = plain


def test_a_dry_run_purges_nothing_and_fails_where_the_real_one_would(world):
    assert world.seen("/dry") == 1
    dry = world.proxyd.root("POST", PURGES + "?dry_run=true", {"urls": ["http://a.test/dry"]})
    assert dry.status == 200 and "id" not in dry.json and "sequence" not in dry.json
    assert world.seen("/dry") == 1
    assert world.proxyd.root("POST", PURGES + "?dry_run=true", {"urls": ["no url"]}).status == 422


def test_every_fault_of_a_purge_is_named_at_once(world):
    answer = world.proxyd.root("POST", PURGES, {"urls": ["http://a.test/x", "", 7], "tags": "red", "mode": "warm", "al": True, "reason": "x" * 600})
    pointers = [error["pointer"] for error in answer.json["errors"]]
    assert answer.status == 422 and sorted(pointers) == ["/al", "/mode", "/reason", "/tags", "/urls/1", "/urls/2"]
    answer = world.proxyd.root("POST", PURGES, {
        "urls": ["ftp://a.test/", "http://a.test/good", "http://a b/"], "prefixes": ["a.test/x", "a.test/y/"], "hosts": ["a.test/"]})
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/urls/0", "/urls/2", "/prefixes/0", "/hosts/0"]
    assert "does not end in '/'" in answer.json["errors"][2]["message"]
    for body in ({}, {"urls": []}, {"all": False}, {"reason": "why"}):
        assert world.proxyd.root("POST", PURGES, body).status == 422, body
    assert world.proxyd.root("POST", PURGES, {"urls": ["http://a.test/"] * 1001}).status == 422
    assert world.proxyd.root("POST", PURGES, {"tags": ["x" * 1025]}).status == 422


def test_a_thousand_urls_and_tags_are_one_purge(world):
    assert world.seen("/many/999") == 1
    answer = world.purge(urls=[f"http://a.test/many/{i}" for i in range(1000)], tags=[f"t{i}" for i in range(1000)])
    assert len(answer["urls"]) == 1000
    assert world.seen("/many/999") == 2
    listed = world.proxyd.root("GET", PURGES + "?limit=1").json["items"][0]
    assert listed["id"] == answer["id"] and len(listed["urls"]) == 32 and listed["urls_count"] == 1000


def test_who_may_purge_what(world):
    tags, everything = {"tags": ["x"]}, {"all": True}
    for scope, expected in (("viewer", (403, 403)), ("operator", (200, 403)), ("purge", (200, 403)), ("purge:all", (200, 200)), ("admin", (200, 200))):
        token = world.proxyd.token(scope)
        assert (world.proxyd.ask("POST", PURGES, tags, token=token).status, world.proxyd.ask("POST", PURGES, everything, token=token).status) == expected, scope
    assert world.proxyd.ask("POST", PURGES, tags).status == 401


def test_purges_are_listed_newest_first_by_pages(world):
    ids = [world.purge(tags=[f"listed-{i}"], reason=f"reason {i}")["id"] for i in range(5)]
    page = world.proxyd.root("GET", PURGES + "?limit=3").json
    assert [item["id"] for item in page["items"]] == ids[:1:-1]
    assert page["items"][0]["reason"] == "reason 4" and page["items"][0]["tags"] == ["listed-4"] and page["items"][0]["author"].startswith("unix:")
    rest = world.proxyd.root("GET", PURGES + "?limit=2&cursor=" + page["next_cursor"]).json
    assert [item["id"] for item in rest["items"]] == ids[1::-1]
    assert world.proxyd.root("GET", PURGES + "?cursor=nonsense").status == 400


def test_a_purge_is_an_event_and_in_the_audit(world):
    id = world.purge(urls=["http://a.test/event"], reason="for the test")["id"]
    assert f'"id":{id}' in world.proxyd.proxyctl("events", "-o", "json").stdout
    eventually(lambda: any(one["action"] == "POST " + PURGES and one["status"] == 200 for one in world.proxyd.root("GET", "/api/v1/audit").json["items"]))


def test_purges_survive_the_master_and_stay_in_order(tmp_path):
    with World(state=str(tmp_path), workers=1) as world:
        first = world.purge(tags=["before"])["id"]
    with World(state=str(tmp_path), workers=1) as again:
        second = again.purge(tags=["after"])["id"]
        assert [item["id"] for item in again.proxyd.root("GET", PURGES).json["items"]] == [second, first]


@contextlib.contextmanager
def locked(path):
    """The database in the hands of another process."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_a_purge_waits_for_no_database(tmp_path):
    with World(state=str(tmp_path), workers=1) as world:
        assert world.seen("/locked") == 1
        with locked(tmp_path / "proxyd.db"):
            for _ in range(3):   # of them any that waited for the lock would take 5 s
                answer = world.proxyd.ask("POST", PURGES, {"urls": ["http://a.test/locked"]}, over="unix", timeout=4)
                assert answer.status == 200
            assert world.seen("/locked") == 2
            assert world.proxyd.root("GET", PURGES).json["items"][0]["id"] == answer.json["id"]
        def stored():
            with contextlib.closing(sqlite3.connect(f"file:{tmp_path}/proxyd.db?mode=ro", uri=True)) as connection:
                return connection.execute("SELECT count(*) FROM purges").fetchone()[0]
        eventually(lambda: stored() == 3, 20)


def test_a_worker_that_is_stopped_or_killed_is_passed_over(world):
    stopped = world.proxyd.pids()[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        assert world.proxyd.root("POST", PURGES, {"urls": ["http://a.test/stopped"]}).status == 200
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_without_a_worker_tags_are_purged_and_urls_are_not():
    with World(workers=1) as world:
        pid = world.proxyd.pids()[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            assert world.proxyd.root("POST", PURGES, {"tags": ["x"], "all": True}).status == 200
            refused = world.proxyd.root("POST", PURGES, {"urls": ["http://a.test/"]})
            assert refused.status == 504 and refused.type == "worker-timeout"
        finally:
            os.kill(pid, signal.SIGCONT)


def test_the_cache_says_how_full_it_is_and_what_it_saves():
    with World(workers=1) as world:
        empty = world.proxyd.root("GET", "/api/v1/cache").json
        assert empty["objects"] == 0 and empty["hit_ratio"] == {"requests": None, "bytes": None} and empty["capacity"] == empty["ceiling"] == 64 << 20
        assert world.seen("/stats/a") == world.seen("/stats/b") == 1   # a miss and seven hits each
        show = lambda: world.proxyd.root("GET", "/api/v1/cache").json
        eventually(lambda: sum(show()["results"].values()) == 16, what="the count of the last request")
        full = show()
        assert full["objects"] == 2 and 0 < full["bytes"] < full["capacity"]
        assert full["results"] == {"hit": 14, "miss": 2} and full["reasons"]["miss"] == 2
        assert full["hit_ratio"]["requests"] == 14 / 16 and 0 < full["hit_ratio"]["bytes"] < 1
        world.purge(urls=["http://a.test/stats/a"])
        eventually(lambda: world.proxyd.root("GET", "/api/v1/cache").json["objects"] == 1)
        world.purge(tags=[f"t{i}" for i in range(1000)])
        purges = world.proxyd.root("GET", "/api/v1/cache").json["purges"]
        assert purges["sequence"] == 2 and 0.005 < purges["stamps_in_use"] < 0.05   # about 1,000 of 65,536
        for name, value in (("objects", 1), ("capacity_bytes", 64 << 20), ("purges_total", 2)):
            assert world.proxyd.metric("proxyd_cache_" + name) == value, name
        shown = world.proxyd.proxyctl("cache", "stats")
        assert "87.5 % of requests" in shown.stdout and "of 64.0 MiB, ceiling 64.0 MiB" in shown.stdout and "hit 14, miss 2" in shown.stdout, shown


def test_proxyctl_purges_what_it_is_told_and_asks_before_it_takes_much(world):
    proxyctl = world.proxyd.proxyctl
    assert world.seen("/ctl") == 1
    done = proxyctl("cache", "purge", "http://a.test/ctl", "--tag", "t", "--reason", "why not")
    assert (done.returncode, done.stdout) == (0, "purged: URL http://a.test/ctl, tag t\n"), done
    assert world.seen("/ctl") == 2
    for much in (["--all"], ["--host", "a.test"], ["--prefix", "a.test/x/"]):
        refused = proxyctl("cache", "purge", *much)
        assert refused.returncode == 2 and "--yes" in refused.stderr, refused
        assert proxyctl("cache", "purge", *much, "--yes").returncode == 0
    assert proxyctl("cache", "purge", "--host", "a.test", "--soft", "--yes").stdout == "stale from now on: host a.test\n"
    assert proxyctl("cache", "purge").returncode == 2
    wrong = proxyctl("cache", "purge", "ftp://a.test/")
    assert wrong.returncode == 7 and "is no http or https URL" in wrong.stderr
    deep = proxyctl("cache", "purge", "--prefix", "a.test/1/2/3/4/5/6/7/8/9/", "--yes")
    assert deep.returncode == 0 and "warning: 'a.test/1/2/3/4/5/6/7/8/9/' has more than 8 folders" in deep.stderr
    listed = proxyctl("cache", "purges")
    assert listed.returncode == 0 and "URL http://a.test/ctl, tag t" in listed.stdout and "why not" in listed.stdout
    assert proxyctl("cache", "purge", "--tag", "t", "-o", "name").stdout.strip().isdigit()


def objects(world, query=""):
    """All that is listed, by pages of three."""
    items, cursor = [], ""
    while True:
        page = world.proxyd.root("GET", f"/api/v1/cache/objects?limit=3{query}{cursor}")
        assert page.status == 200 and len(page.json["items"]) <= 3, page
        items += page.json["items"]
        if page.json["next_cursor"] is None:
            return items
        cursor = "&cursor=" + page.json["next_cursor"]


def test_what_is_stored_is_listed_by_host_prefix_and_tag():
    with World(workers=1) as world:
        assert objects(world) == []
        for path, host, *fields in (("/a/1?x=1", b"a.test"), ("/a/2", b"a.test", b"X-Tags: red"), ("/b", b"a.test:8080", b"X-Tags: red blue"), ("/a/1", b"b.test")):
            world.seen(path, host, *fields)
        urls = lambda query="": sorted(item["url"] for item in objects(world, query))
        assert urls() == ["http://a.test/a/1?x=1", "http://a.test/a/2", "http://a.test:8080/b", "http://b.test/a/1"]
        assert urls("&host=a.test") == ["http://a.test/a/1?x=1", "http://a.test/a/2", "http://a.test:8080/b"]
        assert urls("&host=A.test:8080") == ["http://a.test:8080/b"]
        assert urls("&prefix=a.test/a/") == ["http://a.test/a/1?x=1", "http://a.test/a/2"]
        assert urls("&tag=red") == ["http://a.test/a/2", "http://a.test:8080/b"] and urls("&tag=green") == []
        assert urls("&tag=red&host=a.test:8080") == ["http://a.test:8080/b"]
        one = objects(world, "&tag=blue")[0]
        assert (one["state"], one["status"], one["lifetime"], one["lifetime_from"], one["bytes"]) == ("fresh", 200, "10m", "max-age", 8) and one["stale_while_revalidate"] == "10m"
        world.purge(tags=["blue"], mode="soft")
        assert objects(world, "&tag=blue")[0]["state"] == "stale"
        shown = world.proxyd.proxyctl("cache", "objects", "--prefix", "a.test/a/")
        assert shown.returncode == 0 and "http://a.test/a/2" in shown.stdout and "b.test" not in shown.stdout, shown
        assert "there is more" in world.proxyd.proxyctl("cache", "objects", "--limit", "2").stderr
        assert world.proxyd.root("GET", "/api/v1/cache/objects?limit=201").status == 400
        assert world.proxyd.root("GET", "/api/v1/cache/objects?cursor=c78").status == 400


def test_cookies_and_credentials_in_keys_are_not_shown():
    with World(workers=1) as world:
        document = cached_site(world.port, world.origin.address)
        document["cache_policies"]["main"] = {"key": {"cookies": ["currency"], "headers": ["X-Country"]}}
        world.proxyd.apply(document)
        world.fields = [b"Cache-Control: public, max-age=600", b"Vary: Authorization"]
        world.seen("/secret", b"a.test", b"Cookie: currency=hidden", b"X-Country: de", b"Authorization: Basic hidden")
        listed = objects(world)
        assert listed and "hidden" not in str(listed)
        assert any("x-country:de" in item["key"] and ";currency=..." in item["key"] and "authorization:..." in item["key"] for item in listed), listed


def test_a_purge_outlives_the_master_that_was_killed_right_after_its_answer():
    with World() as world:
        clients = [Client(world.port) for _ in range(16)]

        def answers():
            bodies = set()
            for client in clients:
                try:
                    client.send(get(b"/outlive"))
                    bodies.add(client.response().body)
                except (Closed, OSError):   # it was idle when its worker began to leave
                    pass
            return bodies

        assert answers() == {b"answer 1"} and answers() == {b"answer 1"}
        world.purge(all=True)
        world.proxyd.kill()
        assert answers() <= {b"answer 2"}
