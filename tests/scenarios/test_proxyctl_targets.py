"""proxyctl with targets: the forms that scripts rely on, by what the program does to live traffic."""
import threading

import pytest
from client import Client, Closed
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site


@pytest.fixture
def world():
    origin, port = Origin(), free_port()
    document = site(port, origin.address)
    document["upstreams"]["app"]["targets"]["two"] = {"address": origin.address}
    with Proxyd(document) as proxyd:
        yield proxyd, origin, port
    origin.stop()


def target(proxyd, name):
    return proxyd.api("GET", f"/api/v1/upstreams/app/targets/{name}")[1]


class Slow:
    """Requests that the origin answers only when it is told to."""

    def __init__(self, proxyd, origin, port, name, count):
        self.go = threading.Event()
        origin.answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", self.go, b"done"] if request.target == "/slow" else ok()
        self.clients = [Client(port, timeout=30) for _ in range(count)]
        for client in self.clients:
            client.send(b"GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n")
        eventually(lambda: target(proxyd, name)["in_flight"] == count)

    def finish(self):
        self.go.set()
        return [client.response() for client in self.clients]


@pytest.fixture
def one_target(world):
    """Only target one takes requests, so that what is slow is at it."""
    proxyd, origin, port = world
    assert proxyd.proxyctl("upstream", "maintenance", "app", "two").returncode == 0
    return proxyd, origin, port


def test_a_target_is_added_by_all_its_flags_and_once(world):
    proxyd, _, _ = world
    added = proxyd.proxyctl("upstream", "target", "add", "app", "127.0.0.1:9999", "--id", "three", "--weight", "50", "--backup")
    assert added.returncode == 0 and added.stdout == "target 'three' of 'app' is added, revision 2\n"
    assert {key: target(proxyd, "three")[key] for key in ("address", "weight", "backup")} == {"address": "127.0.0.1:9999", "weight": 50, "backup": True}
    again = proxyd.proxyctl("upstream", "target", "add", "app", "127.0.0.1:9999", "--id", "three")
    assert again.returncode == 0 and again.stdout == "target 'three' of 'app' is there already, nothing was changed\n"
    assert target(proxyd, "three")["weight"] == 50
    other = proxyd.proxyctl("upstream", "target", "add", "app", "127.0.0.1:9998", "--id", "three")
    assert other.returncode == 6 and "its address is 127.0.0.1:9999, not 127.0.0.1:9998" in other.stderr
    assert "hint: change it: proxyctl upstream target set app three --address 127.0.0.1:9998" in other.stderr


def test_a_target_without_an_id_is_called_by_its_address(world):
    proxyd, _, _ = world
    assert proxyd.proxyctl("upstream", "target", "add", "app", "[::1]:80").returncode == 0
    assert target(proxyd, "---1--80")["address"] == "[::1]:80"
    assert proxyd.proxyctl("upstream", "target", "remove", "app", "--yes", "--", "---1--80").returncode == 0


def test_slow_start_of_a_target_is_part_of_it(world):
    proxyd, _, _ = world
    assert proxyd.proxyctl("upstream", "target", "add", "app", "127.0.0.1:1", "--id", "slow", "--slow-start", "30s").returncode == 0
    document = proxyd.api("GET", "/api/v1/config")[1]
    assert document["upstreams"]["app"]["targets"]["slow"]["slow_start"] == "30s"
    assert proxyd.proxyctl("upstream", "target", "remove", "app", "slow", "--yes").returncode == 0


def test_a_target_is_changed_in_what_is_given(world):
    proxyd, _, _ = world
    changed = proxyd.proxyctl("upstream", "target", "set", "app", "two", "--weight", "7")
    assert changed.returncode == 0 and changed.stdout == "target 'two' of 'app' is changed, revision 2\n"
    assert proxyd.proxyctl("upstream", "target", "set", "app", "two", "--backup").returncode == 0
    assert proxyd.proxyctl("upstream", "target", "set", "app", "two", "--no-backup").returncode == 0
    assert target(proxyd, "two")["weight"] == 7 and not target(proxyd, "two")["backup"]
    assert "nothing was changed" in proxyd.proxyctl("upstream", "target", "set", "app", "two", "--weight", "7").stdout


@pytest.mark.parametrize("command, meant, list_command", [
    (["upstream", "show", "ap"], "app", "proxyctl upstream list"),
    (["upstream", "drain", "app", "tow"], "two", "proxyctl upstream show app"),
    (["upstream", "ready", "aap", "two"], "app", "proxyctl upstream list"),
    (["upstream", "weight", "app", "twoo", "50%"], "two", "proxyctl upstream show app"),
    (["upstream", "target", "add", "apps", "127.0.0.1:1"], "app", "proxyctl upstream list"),
    (["upstream", "target", "remove", "app", "ons", "--yes"], "one", "proxyctl upstream show app"),
    (["upstream", "target", "remove", "app", "ons", "--yes", "--keep"], "one", "proxyctl upstream show app"),
    (["upstream", "target", "set", "app", "tvo", "--weight", "1"], "two", "proxyctl upstream show app"),
])
def test_a_wrong_name_exits_5_with_what_was_meant(world, command, meant, list_command):
    proxyd, _, _ = world
    missing = proxyd.proxyctl(*command)
    assert missing.returncode == 5 and missing.stdout == ""
    assert f"hint: did you mean '{meant}'? {list_command} shows what there is" in missing.stderr


@pytest.mark.parametrize("verb, arguments, undo", [
    ("drain", [], "proxyctl upstream ready app two"), ("maintenance", [], "proxyctl upstream ready app two"),
    ("weight", ["50%"], "proxyctl upstream weight app two 100%"), ("weight", ["7"], "proxyctl upstream weight app two 100%"),
])
def test_a_runtime_verb_says_that_it_is_an_override_and_how_it_is_undone(world, verb, arguments, undo):
    proxyd, _, _ = world
    done = proxyd.proxyctl("upstream", verb, "app", "two", *arguments, "--for", "30m", "--reason", "a new kernel")
    assert done.returncode == 0 and done.stderr == f"override, not in the document; undo: {undo}\n"
    shown = proxyd.proxyctl("upstream", "show", "app").stdout
    assert "(a new kernel)" in shown and " until " in shown and "two: " in shown
    undone = proxyd.proxyctl(*undo.split()[1:])
    assert undone.returncode == 0 and (verb == "weight" or undone.stderr == "")
    assert target(proxyd, "two")["state"] == "up" and target(proxyd, "two")["effective_weight"] == 100
    assert proxyd.api("GET", "/api/v1/status")[1]["revision"]["revision"] == 1


def test_a_drain_waits_until_nothing_is_in_flight(one_target):
    proxyd, origin, port = one_target
    slow = Slow(proxyd, origin, port, "one", 2)
    done = []
    waiting = threading.Thread(target=lambda: done.append(proxyd.proxyctl("upstream", "drain", "app", "one", "--timeout", "30s")))
    waiting.start()
    eventually(lambda: target(proxyd, "one")["state"] == "draining")
    assert not done
    assert [response.body for response in slow.finish()] == [b"done", b"done"]
    waiting.join()
    assert done[0].returncode == 0 and "draining" in done[0].stdout


def test_a_drain_whose_time_is_over_exits_8_and_lists_what_is_in_flight(one_target):
    proxyd, origin, port = one_target
    slow = Slow(proxyd, origin, port, "one", 2)
    for verb in ("drain", "maintenance"):
        late = proxyd.proxyctl("upstream", verb, "app", "one", "--timeout", "200ms")
        assert late.returncode == 8 and f"2 requests in flight at {origin.address}" in late.stderr, late.stderr
        by_worker = target(proxyd, "one").get("in_flight_by_worker", [])
        assert all(f"worker {one['slot']}: {one['in_flight']}" in late.stderr for one in by_worker)
        assert proxyd.proxyctl("upstream", verb, "app", "one", "--no-wait").returncode == 0
    assert all(response.complete for response in slow.finish())


def test_a_target_is_kept_when_it_is_not_idle_in_time(one_target):
    proxyd, origin, port = one_target
    slow = Slow(proxyd, origin, port, "one", 1)
    kept = proxyd.proxyctl("upstream", "target", "remove", "app", "one", "--drain", "200ms", "--keep", "--yes")
    assert kept.returncode == 8 and "is kept, draining: after 200ms there is still 1 request in flight" in kept.stderr
    assert target(proxyd, "one")["state"] == "draining"
    assert slow.finish()[0].body == b"done"
    gone = proxyd.proxyctl("upstream", "target", "remove", "app", "one", "--drain", "10s", "--keep", "--yes")
    assert gone.returncode == 0 and "is removed" in gone.stdout


def test_what_is_not_finished_when_a_target_is_removed_is_cut_and_counted(one_target):
    proxyd, origin, port = one_target
    slow = Slow(proxyd, origin, port, "one", 2)
    removed = proxyd.proxyctl("upstream", "target", "remove", "app", "one", "--drain", "200ms", "--yes")
    assert removed.returncode == 9 and "is removed, revision 2" in removed.stdout and "2 requests were cut, not ended after 200ms" in removed.stderr
    for client in slow.clients:
        with pytest.raises(Closed):
            client.response()
    slow.go.set()


def test_the_last_target_goes_by_force_only(one_target):
    proxyd, _, _ = one_target
    assert proxyd.proxyctl("upstream", "target", "remove", "app", "one", "--yes").returncode == 0
    last = proxyd.proxyctl("upstream", "target", "remove", "app", "two", "--yes")
    assert last.returncode == 6 and "proxyctl upstream target remove app two --force" in last.stderr
    assert proxyd.proxyctl("upstream", "target", "remove", "app", "two", "--yes", "--force").returncode == 0


def test_scripts_work_where_if_match_is_required(tmp_path):
    origin, port = Origin(), free_port()
    bootstrap = tmp_path / "proxyd.yaml"
    bootstrap.write_text("admin: { require_if_match: true }\n")
    with Proxyd(site(port, origin.address), arguments=["--bootstrap", bootstrap]) as proxyd:
        assert proxyd.proxyctl("upstream", "target", "add", "app", origin.address, "--id", "two").returncode == 0
        assert proxyd.proxyctl("upstream", "target", "remove", "app", "two", "--yes").returncode == 0
        exported = proxyd.proxyctl("export").stdout
        changed = exported + "defaults: { timeouts: { connect: 9s } }\n"
        without = proxyd.proxyctl("apply", "-f", "-", stdin=changed.split("\n", 1)[1])
        assert without.returncode == 6 and "--base-revision" in without.stderr
        assert proxyd.proxyctl("apply", "-f", "-", stdin=changed).returncode == 0
        assert proxyd.proxyctl("apply", "-f", "-", "--overwrite", stdin=exported).returncode == 0
        assert proxyd.proxyctl("config", "rollback", "1").returncode == 0
    origin.stop()
