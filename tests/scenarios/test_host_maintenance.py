"""Hosts that are closed for now, by the document or by an operator's word."""
import json
import os
import signal

import pytest
from client import exchange, get
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site


class World:
    def __init__(self, folder, state=None):
        page = folder / "503.html"
        page.write_text("closed for repairs")
        self.origin, self.port = Origin(), free_port()
        document = site(self.port, self.origin.address, cached={"default_ttl": {"200": "1h"}}, error_pages={"503": str(page)}, force_https={}, purge={"allow": ["127.0.0.1/32"]})
        document["hosts"]["all"].update({"names": ["a.test"]})
        document["hosts"]["all"]["routes"].insert(0, {"name": "ready", "match": {"path": "/ready"}, "ready": True})
        document["hosts"]["other"] = {"names": ["other.test"], "routes": [{"name": "all", "upstream": "app"}]}
        document["defaults"] = {"trusted_proxies": ["127.0.0.1/32"]}
        self.document = document
        self.state = state
        self.proxyd = Proxyd(document, workers=2, state=state)

    def ask(self, path=b"/", host=b"a.test", method=b"GET"):
        return exchange(self.port, get(path, b"X-Forwarded-Proto: https", host=host, method=method), method.decode())

    def host(self, name="all"):
        return self.proxyd.api("GET", f"/api/v1/hosts/{name}")[1]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.proxyd.logs())
        self.proxyd.stop()
        self.origin.stop()


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as world:
        yield world


def test_a_host_in_maintenance_answers_503_with_its_page_and_when_to_come_again(world):
    assert world.ask(b"/stored").status == 200
    done = world.proxyd.proxyctl("host", "maintenance", "all", "--for", "10m", "--reason", "new disks")
    assert done.returncode == 0 and "override, not in the document; undo: proxyctl host ready all" in done.stderr, done
    assert "new disks" in done.stdout
    seen = len(world.origin.requests)
    for path in (b"/", b"/stored"):
        answer = world.ask(path)
        assert (answer.status, answer.body) == (503, b"closed for repairs")
        assert 590 <= int(answer.value("Retry-After")) <= 600 and answer.value("Cache-Control") == "no-store"
    assert exchange(world.port, get(b"/")).status == 503, "before anyone is sent to https"
    assert world.ask(b"/", method=b"HEAD").body == b""
    assert len(world.origin.requests) == seen
    assert world.ask(b"/ready").status == 200
    assert world.ask(b"/.well-known/acme-challenge/token").status == 200
    assert world.ask(b"/stored", method=b"PURGE").status == 200
    assert world.ask(b"/", host=b"other.test").status == 200
    listed = world.proxyd.proxyctl("host", "list", "-o", "wide").stdout
    assert "maintenance" in listed and "new disks" in listed
    assert "host all" in world.proxyd.attention()["override"]["message"] or "host:all" in world.proxyd.attention()["override"]["message"]
    assert world.proxyd.attention()["override"]["command"] == "proxyctl host ready all"
    assert "maintenance" in world.proxyd.api("POST", "/api/v1/explain", {"url": "https://a.test/"})[1]["result"]
    assert world.proxyd.proxyctl("host", "ready", "all").returncode == 0
    assert world.ask(b"/").status == 200 and world.host()["state"] == "serving"


def test_it_outlives_a_worker_an_apply_and_a_restart_and_goes_with_its_host(world, tmp_path):
    assert world.proxyd.api("POST", "/api/v1/hosts/all:maintenance", {"for": "1h"})[0] == 200
    pids = world.proxyd.pids()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(world.proxyd.pids()) == 2 and not set(world.proxyd.pids()) & set(pids), what="other workers")
    eventually(lambda: all(one["state"] == "running" for one in world.proxyd.workers()), what="running")
    assert world.ask().status == 503
    world.document["defaults"]["cache_status"] = "off"
    world.proxyd.apply(world.document)
    assert world.ask().status == 503
    without = json.loads(json.dumps(world.document))
    del without["hosts"]["all"]
    world.proxyd.apply(without)
    world.proxyd.apply(world.document)
    assert world.ask().status == 200 and world.host()["overrides"] == []


def test_it_is_there_again_after_a_restart(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    with World(tmp_path, state=str(state)) as world:
        assert world.proxyd.api("POST", "/api/v1/hosts/all:maintenance", {})[0] == 200
        assert world.ask().value("Retry-After") == "60", "nobody knows its end"
        world.proxyd.stop()
        world.proxyd = Proxyd(None, state=str(state))
        assert world.ask().status == 503 and world.host()["state"] == "maintenance"


def test_it_ends_by_itself(world):
    assert world.proxyd.api("POST", "/api/v1/hosts/all:maintenance", {"for": "1s"})[0] == 200
    eventually(lambda: world.ask().status == 200, what="the end")
    assert world.host()["overrides"] == []


def test_what_the_document_closes_no_word_opens(world):
    world.document["hosts"]["all"]["maintenance"] = True
    world.proxyd.apply(world.document)
    assert world.ask().status == 503
    assert world.host()["state"] == "maintenance" and world.host()["reason"]
    ready = world.proxyd.proxyctl("host", "ready", "all")
    assert ready.returncode == 1 and "the document says so" in ready.stderr
    assert world.proxyd.attention()["maintenance"]["command"] == "proxyctl host list"


def test_what_is_wrong_is_refused_and_a_dry_run_changes_nothing(world):
    assert world.proxyd.api("POST", "/api/v1/hosts/none:maintenance", {})[0] == 404
    assert world.proxyd.api("POST", "/api/v1/hosts/all:maintenance", {"for": "soon"})[0] == 422
    assert world.proxyd.api("POST", "/api/v1/hosts/all:maintenance", {"until": "1h"})[0] == 422
    status, planned = world.proxyd.api("POST", "/api/v1/hosts/all:maintenance?dry_run=true", {})
    assert (status, planned["state"], planned["dry_run"]) == (200, "maintenance", True)
    assert world.ask().status == 200 and world.host()["state"] == "serving"
    missed = world.proxyd.proxyctl("host", "maintenance", "al")
    assert missed.returncode == 5 and "did you mean 'all'" in missed.stderr
    actions = [one["action"] for one in world.proxyd.api("GET", "/api/v1/audit")[1]["items"]]
    assert "POST /api/v1/hosts/none:maintenance" in actions, actions
