"""Shares of a split that change for now: who was in a larger share stays, and what becomes of them."""
import os
import signal

import pytest
from client import Client, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site

TENANTS = [b"tenant-%d" % number for number in range(300)]


class World:
    def __init__(self):
        self.origins, self.port = {name: Origin() for name in ("old", "new")}, free_port()
        for name, origin in self.origins.items():
            origin.answer = lambda request, name=name: ok(name.encode())
        document = site(self.port, self.origins["old"].address)
        document["upstreams"] = {name: {"targets": {"one": {"address": origin.address}}} for name, origin in self.origins.items()}
        document["hosts"]["all"]["routes"] = [{"name": "v1", "split": {"upstreams": {"old": 95, "new": 5}, "by": "header:X-Tenant"}},
                                              {"name": "plain", "match": {"path": "/plain"}, "upstream": "old"}]
        self.document = document
        self.proxyd = Proxyd(document, workers=2)

    def drawn(self):
        """The tenants that go to the new one."""
        with Client(self.port) as client:
            found = set()
            for tenant in TENANTS:
                client.send(get(b"/", b"X-Tenant: " + tenant))
                if client.response().body == b"new":
                    found.add(tenant)
            return found

    def split(self, weights, **more):
        return self.proxyd.api("POST", "/api/v1/hosts/all/routes/v1:split", {"weights": weights, **more})


@pytest.fixture
def world():
    world = World()
    with world.proxyd:
        yield world
    for origin in world.origins.values():
        origin.stop()


def test_a_larger_share_keeps_who_was_in_it_and_undo_goes_back(world):
    before = world.drawn()
    assert 1 <= len(before) <= 40
    done = world.proxyd.proxyctl("route", "split", "all", "v1", "old=50", "new=50", "--reason", "half of them")
    assert done.returncode == 0 and "override, not in the document; undo: proxyctl route split all v1 --undo" in done.stderr, done
    half = world.drawn()
    assert before < half and 100 <= len(half) <= 200
    assert world.proxyd.proxyctl("route", "split", "all", "v1", "old=0").returncode == 0
    assert len(world.drawn()) == len(TENANTS)
    shown = world.proxyd.proxyctl("route", "show", "all", "v1").stdout
    assert "header:X-Tenant" in shown and "95" in shown and "old=0" in shown
    assert world.proxyd.attention()["override"]["command"] == "proxyctl route split all v1 --undo"
    assert world.proxyd.proxyctl("route", "split", "all", "v1", "--undo").returncode == 0
    assert world.drawn() == before
    assert world.proxyd.api("GET", "/api/v1/hosts/all")[1]["splits"][0]["overrides"] == []


def test_shares_outlive_workers_and_an_apply_and_go_with_what_they_name(world):
    assert world.split({"old": 0})[1]["shares"] == {"old": 0, "new": 5}
    pids = world.proxyd.pids()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(world.proxyd.pids()) == 2 and not set(world.proxyd.pids()) & set(pids), what="other workers")
    eventually(lambda: all(one["state"] == "running" for one in world.proxyd.workers()), what="running")
    assert len(world.drawn()) == len(TENANTS)
    split = world.document["hosts"]["all"]["routes"][0]["split"]
    split["upstreams"]["new"] = 10
    world.proxyd.apply(world.document)
    assert len(world.drawn()) == len(TENANTS), "what is not named follows the document"
    split["upstreams"] = {"new": 10}
    world.proxyd.apply(world.document)
    assert world.proxyd.api("GET", "/api/v1/hosts/all")[1]["splits"][0]["overrides"] == []
    split["upstreams"] = {"old": 95, "new": 5}
    world.proxyd.apply(world.document)
    assert len(world.drawn()) < 40


def test_they_end_by_themselves(world):
    assert world.split({"old": 0}, **{"for": "1s"})[0] == 200
    eventually(lambda: world.proxyd.api("GET", "/api/v1/hosts/all")[1]["splits"][0]["overrides"] == [], what="the end")
    assert len(world.drawn()) < 40


def test_what_is_wrong_is_refused_and_a_dry_run_changes_nothing(world):
    for weights, status in (({"other": 1}, 422), ({"old": -1}, 422), ({"old": "50%"}, 422), ({"old": 0, "new": 0}, 422), ([1], 422), (5, 422)):
        assert world.split(weights)[0] == status, weights
    assert world.proxyd.api("POST", "/api/v1/hosts/all/routes/v1:split", {})[0] == 422
    assert world.proxyd.api("POST", "/api/v1/hosts/all/routes/plain:split", {"weights": {"old": 1}})[0] == 422
    assert world.proxyd.api("POST", "/api/v1/hosts/all/routes/none:split", {"weights": {"old": 1}})[0] == 404
    status, planned = world.proxyd.api("POST", "/api/v1/hosts/all/routes/v1:split?dry_run=true", {"weights": {"old": 0}})
    assert (status, planned["shares"], planned["dry_run"]) == (200, {"old": 0, "new": 5}, True)
    assert world.proxyd.api("GET", "/api/v1/hosts/all")[1]["splits"][0]["overrides"] == []
    assert world.proxyd.proxyctl("route", "split", "all", "v1").returncode == 2
    assert world.proxyd.proxyctl("route", "split", "all", "v1", "old=x").returncode == 2
