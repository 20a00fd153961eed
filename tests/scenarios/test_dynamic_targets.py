"""Targets that come and go by the API: no revision, no document, no request lost, and they outlive every process."""
import contextlib
import http.client
import json
import os
import signal
import threading
from pathlib import Path

import pytest
from admin import AdminProxyd, EventStream
from client import Client, exchange, get
from killed_apply import BEFORE_COMMIT, STEPS, has_steps
from name_server import NameServer
from origin import Origin, ok
from proxyd import eventually, free_port, paced, site

TARGETS = "/api/v1/upstreams/app/targets"


def dynamic(port, **upstream):
    document = site(port, "")
    document["upstreams"]["app"] = {"membership": "dynamic", **upstream}
    return document


class World:
    """An upstream whose targets are dynamic, and `count` origins that say which they are."""

    def __init__(self, count=2, workers=2, **more):
        self.origins = [Origin(lambda request, n=n: ok(f"{n}".encode())) for n in range(count)]
        self.port = free_port()
        self.document = dynamic(self.port)
        self.proxyd = AdminProxyd(self.document, workers=workers, **more)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.proxyd.nothing_undocumented() if not what[0] else print(self.proxyd.logs())
        self.proxyd.stop()
        for origin in self.origins:
            origin.stop()

    def address(self, n):
        return self.origins[n].address

    def put(self, name, n, **more):
        """With the address of an origin, unless another is given."""
        answer = self.proxyd.root("PUT", f"{TARGETS}/{name}", {"address": self.address(n), **more})
        assert answer.status == 200, answer
        return answer

    def sync(self, targets, query="?wait=20s", status=200):
        answer = self.proxyd.root("PUT", TARGETS + query, {"targets": targets})
        assert answer.status == status, answer
        return answer

    def target(self, name):
        return self.proxyd.root("GET", f"{TARGETS}/{name}")

    def names(self):
        return [one["id"] for one in self.proxyd.root("GET", "/api/v1/upstreams/app").json["targets"]]

    def answered_by(self, requests=16):
        return set(exchange(self.port).body.decode() for _ in range(requests))

    @contextlib.contextmanager
    def load(self, clients=4):
        """Clients that ask all the time; what they were answered with that was not 200 must stay empty."""
        over, wrong, count = threading.Event(), [], [0]

        def ask():
            with Client(self.port, timeout=20) as client:
                while not over.is_set():
                    client.send(get())
                    status = client.response().status
                    count[0] += 1
                    wrong.extend([status] if status != 200 else [])

        threads = [threading.Thread(target=ask) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield count
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert wrong == [] and count[0] > 0


def test_a_target_is_added_changed_and_removed_without_a_revision_and_serves_when_that_is_answered():
    with World() as world:
        assert exchange(world.port).status == 503 and "proxyctl upstream target add app" in world.proxyd.attention()["empty"]["message"]
        added = world.put("one", 0)
        assert world.answered_by(4) == {"0"} and "empty" not in world.proxyd.attention()
        assert added.json["revision"] == added.json["parent"] == 1 and added.json["acknowledged"] == 2
        assert added.json["changes"] == [{"op": "add", "pointer": "/upstreams/app/targets/one", "from": None,
                                          "to": {"address": world.address(0)}, "class": "live"}]
        again = world.put("one", 0)
        assert again.json["changes"] == [] and again.fields["ETag"] == added.fields["ETag"] == world.target("one").fields["ETag"]
        changed = world.proxyd.root("PATCH", TARGETS + "/one", {"address": world.address(1), "weight": 7})
        assert changed.status == 200 and world.answered_by(4) == {"1"} and world.target("one").json["weight"] == 7
        assert changed.fields["ETag"] != added.fields["ETag"]
        world.put("two", 0)
        removed = world.proxyd.root("DELETE", TARGETS + "/one")
        assert removed.status == 200 and removed.json["changes"][0]["op"] == "remove" and world.answered_by(4) == {"0"}
        last = world.proxyd.root("DELETE", TARGETS + "/two")
        assert (last.status, last.type) == (409, "last-target")
        assert world.proxyd.root("DELETE", TARGETS + "/two?force=true").status == 200 and exchange(world.port).status == 503
        assert world.proxyd.root("DELETE", TARGETS + "/two").status == 404
        assert world.proxyd.root("DELETE", TARGETS + "/two?missing_ok=true").status == 200
        assert len(world.proxyd.root("GET", "/api/v1/revisions").json["items"]) == 1
        assert world.proxyd.root("GET", "/api/v1/config").json["upstreams"]["app"] == {"membership": "dynamic"}


def test_each_change_is_told_and_audited_but_not_each_renewal():
    with World() as world, EventStream(world.proxyd) as stream:
        told = (data for _, kind, data in stream.events() if kind == "target")
        world.put("one", 0, lease="1h")
        assert next(told) == {"upstream": "app", "target": "one", "state": "added", "owner": "unix:root"}
        before = len(world.proxyd.audit())
        for _ in range(5):
            world.put("one", 0, lease="1h")
        assert len(world.proxyd.audit()) == before
        world.put("one", 0, weight=3)
        assert next(told)["state"] == "changed"
        world.sync([{"id": "two", "address": world.address(1)}])
        assert {**next(told), "owner": ""} == {"upstream": "app", "state": "synced", "added": 1, "changed": 0, "removed": 1, "owner": ""}
        gone = next(told)
        assert (gone["target"], gone["state"]) == ("one", "removed")
        world.put("three", 0)
        assert next(told)["target"] == "three"
        world.proxyd.root("DELETE", TARGETS + "/three")
        assert [next(told)["state"] for _ in range(2)] == ["drain", "removed"]
        rows = world.proxyd.audit()
        assert [row["action"] for row in rows][:2] == [f"DELETE {TARGETS}/three", f"PUT {TARGETS}/three"]
        assert any(row["action"] == f"PUT {TARGETS}" and row["detail"] == "added: two; changed: ; removed: one" for row in rows), rows


def test_tags_are_of_one_target_and_honoured():
    with World() as world:
        one, two = world.put("one", 0).fields["ETag"], world.put("two", 1).fields["ETag"]
        assert one != two
        refused = world.proxyd.root("PUT", TARGETS + "/one", {"address": world.address(0)}, If_None_Match="*")
        assert (refused.status, refused.type) == (409, "already-exists")
        changed = world.proxyd.root("PATCH", TARGETS + "/one", {"weight": 5}, If_Match=one)
        assert changed.status == 200 and world.target("two").fields["ETag"] == two
        for method, path, body in (("PATCH", "", {"weight": 6}), ("PUT", "", {"address": world.address(0)}), ("DELETE", "?drain=1s", None)):
            stale = world.proxyd.root(method, TARGETS + "/one" + path, body, If_Match=one)
            assert (stale.status, stale.type) == (412, "changed-meanwhile") and stale.fields["ETag"] == changed.fields["ETag"], stale
            assert stale.json["by"] == "unix:root"
        assert world.proxyd.root("PUT", TARGETS + "/none", {"address": "127.0.0.1:1"}, If_Match='"none@m1"').status == 412
        assert world.proxyd.root("DELETE", TARGETS + "/one", If_Match=f'{two}, {changed.fields["ETag"]}').status == 200
        assert world.proxyd.root("PUT", TARGETS, {"targets": ["127.0.0.1:1"]}, If_Match=two).type == "malformed"


@pytest.mark.parametrize("body, pointer, code", [
    ({}, "/address", "missing"),
    ({"address": "nonsense"}, "/address", None),
    ({"address": "127.0.0.1:80", "weight": 10001}, "/weight", "range"),
    ({"address": "127.0.0.1:80", "wieght": 1}, "/wieght", "unknown-key"),
    ({"address": "127.0.0.1:80", "labels": {}}, "/labels", "unsupported"),
    ({"address": "127.0.0.1:80", "lease": "90"}, "/lease", "unit"),
    ({"address": "127.0.0.1:80", "lease": 90}, "/lease", "unit"),
    ({"address": "127.0.0.1:80", "lease": "10ms"}, "/lease", "range"),
    ({"address": "127.0.0.1:80", "lease": "500d"}, "/lease", "range"),
])
def test_what_is_wrong_with_a_target_is_told_where_it_is(shared_world, body, pointer, code):
    for method, path, sent, place in (("PUT", "/x", body, pointer), ("PUT", "", {"targets": {"x": body}}, "/targets/x" + pointer),
                                      ("PUT", "", {"targets": [{"id": "x", **body}]}, "/targets/0" + pointer)):
        refused = shared_world.proxyd.root(method, TARGETS + path, sent)
        assert (refused.status, refused.type) == (422, "invalid"), refused
        assert refused.json["errors"][0]["pointer"] == place and code in (None, refused.json["errors"][0]["code"]), refused
    assert shared_world.names() == []


@pytest.mark.parametrize("body, status, pointer", [
    ({}, 422, "/targets"), ({"targets": 1}, 422, "/targets"), ({"targets": [7]}, 422, "/targets/0"), ({"targets": [{}]}, 422, "/targets/0/address"),
    ({"targets": ["127.0.0.1:1"], "drain": "1s"}, 422, "/drain"), ({"targets": ["127.0.0.1:1", "127.0.0.1-1"]}, 422, "/targets/1"),
    ({"targets": ["127.0.0.1:1", "127.0.0.1:1"]}, 422, "/targets/1"), ({"targets": {"a/b": {"address": "127.0.0.1:1"}}}, 422, "/targets/a~1b"),
    ({"targets": [{"id": 1, "address": "127.0.0.1:1"}]}, 422, "/targets/0/id"), ({"targets": ["127.0.0.1:1"] * 4097}, 422, "/targets"),
    ({"targets": []}, 409, None), ({"targets": {}}, 409, None),
])
def test_a_set_that_is_wrong_anywhere_changes_nothing(shared_world, body, status, pointer):
    refused = shared_world.proxyd.root("PUT", TARGETS, body)
    assert refused.status == status, refused
    assert pointer is None or refused.json["errors"][0]["pointer"] == pointer, refused
    assert shared_world.names() == []


@pytest.fixture(scope="module")
def shared_world():
    with World(0, workers=1) as world:
        yield world


def test_nothing_comes_of_what_is_only_tried():
    with World() as world:
        planned = world.proxyd.root("PUT", TARGETS + "/one?dry_run=true", {"address": world.address(0)})
        assert planned.status == 200 and planned.json["dry_run"] and planned.json["changes"][0]["op"] == "add" and world.names() == []
        world.put("one", 0)
        world.put("two", 1)
        for method, path, body in (("PUT", "/one?dry_run=true", {"address": "127.0.0.1:1"}), ("PATCH", "/one?dry_run=true", {"weight": 1}),
                                   ("DELETE", "/one?dry_run=true", None), ("PUT", "?dry_run=true", {"targets": ["127.0.0.1:1"]})):
            tried = world.proxyd.root(method, TARGETS + path, body)
            assert tried.status == 200 and tried.json["dry_run"], tried
        assert world.proxyd.root("PATCH", TARGETS + "/none?dry_run=true", {"weight": 1}).status == 404
        assert world.proxyd.root("PUT", TARGETS + "/one?dry_run=true", {"address": "x"}).status == 422
        assert world.names() == ["one", "two"] and world.target("one").json["weight"] == 100
        assert not any("dry_run" in row["action"] for row in world.proxyd.audit())


def test_targets_come_and_go_and_are_set_anew_under_load_and_no_request_fails():
    with World(3) as world:
        world.put("a", 0)
        with world.load() as count:
            for turn in range(2):
                world.put("b", 1)
                assert world.proxyd.root("DELETE", TARGETS + "/b?wait=20s").status == 200
                world.sync([world.address(1), world.address(2)])
                world.sync([{"id": "a", "address": world.address(0)}])
            assert count[0] > 20
        assert world.names() == ["a"]


def test_a_set_says_what_was_added_kept_and_removed_and_those_who_leave_are_drained():
    with World(3) as world:
        world.put("zero", 0, weight=7)
        world.put("one", 1)
        go = threading.Event()
        world.origins[1].answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", go, b"done"]
        world.proxyd.root("POST", TARGETS + "/zero:maintenance", {})
        with Client(world.port, timeout=30) as slow:
            slow.send(get())
            eventually(lambda: world.target("one").json["in_flight"] == 1)
            world.proxyd.root("POST", TARGETS + "/zero:ready", {})
            begun = world.sync([world.address(0), world.address(2)], "?drain=1h", 202)
            new = world.address(2).replace(":", "-")
            assert (begun.json["added"], begun.json["kept"], begun.json["changed"], begun.json["removed"]) == ([new], ["zero"], [], ["one"])
            leaving = world.target("one").json
            assert leaving["state"] == "draining" and leaving["reason"] == "it is not in the set that unix:root put"
            assert world.target("zero").json["weight"] == 7, "what is named by its address alone stays as it is"
            assert world.answered_by() <= {"0", "2"}
            go.set()
            assert slow.response().body == b"done"
        ended = eventually(lambda: [one for one in [world.proxyd.root("GET", begun.fields["Location"]).json] if one["state"] == "done"])[0]
        assert ended["result"]["cut"] == 0 and ended["result"]["removed"] == ["one"] and sorted(world.names()) == sorted([new, "zero"])


def test_what_does_not_end_in_time_is_cut_when_its_target_leaves_a_set():
    with World() as world:
        world.origins[0].answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", threading.Event()]
        world.put("zero", 0)
        with Client(world.port, timeout=30) as client:
            client.send(get())
            eventually(lambda: world.target("zero").json["in_flight"] == 1)
            ended = world.sync([world.address(1)], "?drain=1s&wait=30s")
            assert ended.json["cut"] == 1 and ended.json["removed"] == ["zero"], ended


def test_who_is_put_again_while_it_leaves_stays():
    with World() as world:
        world.origins[0].answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", threading.Event()]
        world.put("zero", 0)
        with Client(world.port, timeout=30) as client:
            client.send(get())
            eventually(lambda: world.target("zero").json["in_flight"] == 1)
            for begin in (lambda: world.sync([world.address(1)], "?drain=1h", 202),
                          lambda: world.proxyd.root("DELETE", TARGETS + "/zero?drain=1h")):
                begun = begin()
                assert begun.status == 202 and world.target("zero").json["state"] == "draining", begun
                world.put("zero", 0)
                eventually(lambda: world.target("zero").json["state"] == "up", what="it serves again")
                eventually(lambda: world.proxyd.root("GET", begun.fields["Location"]).json["state"] != "running")
            cancelled = world.sync([world.address(1)], "?drain=1h", 202)
            assert world.proxyd.root("POST", cancelled.fields["Location"] + ":cancel", {}).status == 200
            eventually(lambda: world.target("zero").json["state"] == "up", what="the cancelled sync's target serves again")
            assert world.target("zero").json["in_flight"] == 1


def test_a_set_with_too_few_that_are_up_is_refused_as_a_whole():
    with World(3) as world:
        world.sync([world.address(0), world.address(1)])
        before = world.names()
        world.proxyd.root("POST", f"{TARGETS}/{before[0]}:maintenance", {})
        for targets in ([world.address(0), world.address(1)], [world.address(2)]):
            refused = world.sync(targets, "?min_up=2", 409)
            assert refused.type == "last-target" and "fewer than min_up=2" in refused.json["detail"] and world.names() == before
        assert world.sync([world.address(0), world.address(1), world.address(2)], "?min_up=2").json["added"]


def test_a_lease_ends_unless_it_is_put_again():
    with World() as world:
        world.put("stays", 1)
        world.put("leased", 0, lease="3s")
        shown = world.target("leased").json
        assert shown["lease"] == "3s" and shown["lease_ends"].endswith("Z") and shown["added_by"] == "unix:root"
        tag = world.target("leased").fields["ETag"]
        with world.load():
            for _ in paced(0.15, times=30):
                ends = world.target("leased").json["lease_ends"]
                renewed = world.put("leased", 0, lease="3s")
                assert renewed.json["changes"] == [] and world.target("leased").json["lease_ends"] > ends
            assert world.target("leased").fields["ETag"] == tag
            eventually(lambda: world.names() == ["stays"], 20, "the lease's end")
        assert world.answered_by(4) == {"1"}
        row = next(row for row in world.proxyd.audit() if row["author"] == "lease")
        assert row["action"] == f"DELETE {TARGETS}/leased" and row["detail"] == "its lease of 3s ended"
        world.put("leased", 0, lease="1h")
        assert world.proxyd.root("PATCH", TARGETS + "/leased", {"lease": None}).status == 200
        assert world.target("leased").json["lease"] is None and "lease_ends" not in world.target("leased").json


def test_a_lease_is_for_dynamic_targets_alone():
    port = free_port()
    with AdminProxyd(site(port, "127.0.0.1:1")) as proxyd:
        for path, body in (("/api/v1/upstreams/app/targets/two", {"address": "127.0.0.1:2", "lease": "90s"}),
                           ("/api/v1/config/upstreams/app", {"targets": {"two": {"address": "127.0.0.1:2", "lease": "90s"}}})):
            refused = proxyd.root("PUT", path, body)
            assert refused.status == 422 and "membership: dynamic" in refused.json["errors"][0]["message"], refused
        refused = proxyd.root("PUT", TARGETS, {"targets": ["127.0.0.1:2"]})
        assert (refused.status, refused.type) == (409, "not-dynamic")
        refused = proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"membership": "dynamic"})
        assert refused.status == 422 and refused.json["errors"][0]["pointer"] == "/upstreams/app/targets", refused
        proxyd.nothing_undocumented()


def test_apply_rollback_and_export_leave_dynamic_targets_alone_until_their_upstream_goes():
    with World() as world:
        world.put("one", 0)
        drained = world.proxyd.root("POST", TARGETS + "/one:weight", {"weight": 50})
        assert drained.status == 200 and drained.json["effective_weight"] == 50
        other = dict(world.document, upstreams={**world.document["upstreams"], "more": {"targets": {"x": {"address": world.address(1)}}}})
        world.proxyd.apply(other)
        assert world.names() == ["one"] and world.target("one").json["effective_weight"] == 50 and world.answered_by(4) == {"0"}
        assert world.proxyd.root("POST", "/api/v1/revisions/1:activate", {}).status == 200
        assert world.names() == ["one"] and world.answered_by(4) == {"0"}
        assert "one" not in world.proxyd.proxyctl("export").stdout
        declared = dict(world.document, upstreams={"app": {"targets": {"x": {"address": world.address(1)}}}})
        gone = world.proxyd.apply(declared)
        assert [one["code"] for one in gone["warnings"]] == ["members-dropped"] and world.answered_by(4) == {"1"}
        world.proxyd.apply(world.document)
        assert world.names() == [], "it comes back empty"
        assert not any("weight" in one["message"] for one in world.proxyd.attention().values())


def test_an_upstream_that_would_be_wrong_for_its_dynamic_targets_is_refused(tmp_path):
    with World() as world:
        world.put("one", 0)
        assert world.proxyd.root("PUT", TARGETS + "/two", {"address": f"unix:{tmp_path}/none"}).status == 200
        refused = world.proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"tls": {}})
        assert refused.status == 422 and "of the targets that the API added" in refused.json["detail"], refused
        assert world.names() == ["one", "two"]


def test_they_outlive_the_death_of_a_worker_and_of_the_master(tmp_path):
    with World(state=str(tmp_path), workers=1) as world:
        world.put("one", 0, weight=7, lease="1h")
        world.put("two", 1, weight=7)
        before = world.proxyd.pids()
        os.kill(before[0], signal.SIGKILL)
        eventually(lambda: world.proxyd.pids() not in ([], before) and all(w["state"] == "running" for w in world.proxyd.workers()))
        assert world.answered_by() == {"0", "1"}
        tag = world.target("one").fields["ETag"]
        world.proxyd.kill()
        with AdminProxyd(world.document, state=str(tmp_path)) as again:
            shown = again.root("GET", TARGETS + "/one")
            assert shown.fields["ETag"] == tag and shown.json["weight"] == 7 and shown.json["lease"] == "1h" and "lease_ends" in shown.json
            assert world.answered_by() == {"0", "1"}
            assert again.root("GET", "/api/v1/status").json["revision"]["revision"] == 1


def test_a_lease_begins_anew_with_the_master_and_ends_then(tmp_path):
    with World(state=str(tmp_path)) as world:
        world.put("leased", 0, lease="2s")
        world.put("stays", 1)
        world.proxyd.kill()
        with AdminProxyd(world.document, state=str(tmp_path)) as again:
            assert [one["id"] for one in again.root("GET", "/api/v1/upstreams/app").json["targets"]][-1] == "stays"
            eventually(lambda: again.root("GET", TARGETS + "/leased").status == 404, 20, "the end of the lease")


def test_a_thousand_targets_are_set_at_once_and_counted_as_one():
    with World(1) as world:
        many = {f"t{n}": {"address": f"127.{n // 250 + 1}.{n % 250}.1:9", "weight": 0} for n in range(1000)}
        made = world.sync({**many, "one": {"address": world.address(0)}})
        assert len(made.json["added"]) == 1001 and len(world.names()) == 1001
        assert world.answered_by(4) == {"0"}
        assert world.proxyd.metric("proxyd_upstream_requests_total", upstream="app", target="_dynamic", **{"class": "2xx"}) == 4
        shown = world.proxyd.root("GET", "/api/v1/upstreams/app").json
        assert shown["counters"]["responses"]["2xx"] == 4 and shown["targets"][0]["counters"] is None
        assert "metrics-full" not in world.proxyd.attention()
        assert len(world.sync([world.address(0)]).json["removed"]) == 1000 and world.names() == ["one"]


def test_a_file_that_manages_the_configuration_does_not_manage_dynamic_targets(tmp_path):
    origin, port = Origin(), free_port()
    document = tmp_path / "site.json"
    document.write_text(json.dumps(dynamic(port)))
    bootstrap = tmp_path / "bootstrap.yaml"
    bootstrap.write_text(f"config_source: file\nconfig_file: {document}\n")
    with AdminProxyd(None, bootstrap=bootstrap) as proxyd:
        assert proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"host": "target"}).type == "config-managed-by-file"
        assert proxyd.root("PUT", TARGETS + "/one", {"address": origin.address}).status == 200
        assert exchange(port).status == 200
        assert proxyd.root("POST", "/api/v1/reload", {}).status == 200 and exchange(port).status == 200
        proxyd.nothing_undocumented()
    origin.stop()


def test_names_of_dynamic_targets_are_resolved_as_those_of_declared_ones():
    with NameServer() as names, World(environment=names.environment) as world:
        port = world.address(0).rsplit(":", 1)[1]
        unknown = world.put("named", 0, address=f"app.test:{port}")
        assert [one["code"] for one in unknown.json["warnings"]] == ["unresolved"] and world.target("named").json["state"] == "checking"
        names.set("app.test", "127.0.0.1")
        eventually(lambda: world.target("named").json["state"] == "up", what="the name's address")
        assert world.answered_by(4) == {"0"}
        names.set("app.test", "127.0.0.1", "127.0.0.9")
        eventually(lambda: len(world.target("named").json["addresses"]) == 2, what="another address")
        assert world.proxyd.root("PATCH", TARGETS + "/named", {"address": world.address(1)}).status == 200 and world.answered_by(4) == {"1"}


def test_a_registry_that_adds_many_at_once_is_answered_for_each():
    with World(1) as world:
        answers = []

        def add(n):
            answers.append(world.proxyd.root("PUT", f"{TARGETS}/t{n}", {"address": world.address(0) if n else "nonsense", "weight": n}))

        threads = [threading.Thread(target=add, args=[n]) for n in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status for answer in answers) == [200] * 23 + [422]
        assert len(world.names()) == 23 and world.answered_by(4) == {"0"}


@pytest.mark.skipif(not has_steps(), reason="this build does not let a test hold the master")
@pytest.mark.parametrize("step", STEPS)
def test_a_master_that_is_killed_in_the_middle_of_a_change_of_targets_has_all_of_it_or_nothing(tmp_path, step):
    file = tmp_path / "step"
    file.write_text("")
    with World(3, state=str(tmp_path), environment={"PROXYD_TEST_STOP": str(file)}) as world:
        world.sync({"a": {"address": world.address(0)}, "b": {"address": world.address(1)}})
        file.write_text(step)

        def change():
            with contextlib.suppress(OSError, http.client.HTTPException):
                world.proxyd.root("PUT", TARGETS, {"targets": {"b": {"address": world.address(1)}, "c": {"address": world.address(2)}}})

        thread = threading.Thread(target=change)
        thread.start()
        eventually(lambda: Path(f"/proc/{world.proxyd.process.pid}/stat").read_text().rsplit(") ", 1)[1][0] == "T", what="the stop")
        world.proxyd.kill()
        thread.join()
        with AdminProxyd(None, state=str(tmp_path), workers=2) as again:
            names = [one["id"] for one in again.root("GET", "/api/v1/upstreams/app").json["targets"]]
            assert names == (["a", "b"] if step in BEFORE_COMMIT else ["b", "c"]), "what drained has drained"
            assert world.answered_by() == ({"0", "1"} if step in BEFORE_COMMIT else {"1", "2"})


def test_a_worker_that_dies_with_the_last_request_at_a_leaving_target_lets_it_go():
    with World() as world:
        world.origins[0].answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", threading.Event()]
        world.put("zero", 0)
        with Client(world.port, timeout=30) as client:
            client.send(get())
            eventually(lambda: world.target("zero").json["in_flight"] == 1)
            begun = world.sync([world.address(1)], "?drain=1h", 202)
            slot = world.target("zero").json["in_flight_by_worker"][0]["slot"]
            os.kill(next(one["pid"] for one in world.proxyd.workers() if one["slot"] == slot), signal.SIGKILL)
            eventually(lambda: world.target("zero").status == 404, 20, "its removal")
        ended = eventually(lambda: [one for one in [world.proxyd.root("GET", begun.fields["Location"]).json] if one["state"] == "done"])[0]
        assert ended["result"]["cut"] == 0, ended
