"""What operators do while traffic flows: targets, overrides, long calls, workers, events."""
import contextlib
import os
import signal
import tempfile
import threading

import pytest
from admin import AdminProxyd, EventStream
from client import Client
from origin import Origin, ok
from proxyd import eventually, free_port, site

TARGET = "/api/v1/upstreams/app/targets/one"


class World:
    def __init__(self, **more):
        self.origin, self.port = Origin(), free_port()
        self.document = site(self.port, self.origin.address)
        self.document["upstreams"]["app"]["targets"]["two"] = {"address": self.origin.address, "weight": 50}
        self.proxyd = AdminProxyd(self.document, **more)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.proxyd.nothing_undocumented() if not what[0] else print(self.proxyd.logs())
        self.proxyd.stop()
        self.origin.stop()

    def occupy(self):
        """One request that stays at target one until the event is set."""
        gate = threading.Event()
        self.origin.answer = lambda request: [gate, ok(b"done")]
        assert self.proxyd.root("POST", "/api/v1/upstreams/app/targets/two:maintenance", {}).status == 200
        client = Client(self.port)
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        eventually(lambda: self.proxyd.root("GET", TARGET).json["in_flight"] == 1, what="a request in flight")
        return client, gate


@pytest.fixture
def world():
    with World() as made:
        yield made


def test_what_is_being_removed_does_not_count_as_a_target_that_stays(world):
    client, gate = world.occupy()
    begun = world.proxyd.root("DELETE", TARGET + "?drain=60s")
    assert begun.status == 202
    for suffix in ("", "?dry_run=true"):
        last = world.proxyd.root("DELETE", "/api/v1/upstreams/app/targets/two" + suffix)
        assert last.status == 409 and last.type == "last-target", suffix
    assert world.proxyd.root("POST", begun.fields["Location"] + ":cancel").status == 200
    eventually(lambda: world.proxyd.root("GET", TARGET).json["state"] == "up")
    assert world.proxyd.root("DELETE", "/api/v1/upstreams/app/targets/two").status == 200
    gate.set()
    assert client.response().status == 200


def test_a_removal_that_is_cancelled_leaves_the_target_as_it_was(world):
    client, gate = world.occupy()
    assert world.proxyd.root("POST", TARGET + ":maintenance", {"reason": "a new disk", "for": "1h"}).status == 200
    before = world.proxyd.root("GET", TARGET).json["overrides"]
    for begin in (lambda: world.proxyd.root("DELETE", TARGET + "?drain=60s"), lambda: world.proxyd.root("POST", TARGET + ":drain", {})):
        begun = begin()
        assert begun.status == 202 and world.proxyd.root("GET", TARGET).json["state"] == "draining"
        assert world.proxyd.root("POST", begun.fields["Location"] + ":cancel").status == 200
        eventually(lambda: world.proxyd.root("GET", TARGET).json["state"] == "maintenance")
        assert world.proxyd.root("GET", TARGET).json["overrides"] == before
    gate.set()
    assert client.response().status == 200


def test_a_drain_is_an_operation_that_ends_when_nothing_is_in_flight(world):
    client, gate = world.occupy()
    begun = world.proxyd.root("POST", TARGET + ":drain", {"reason": "a new disk", "timeout": "60s"})
    place = begun.fields["Location"]
    assert begun.status == 202 and place.startswith("/api/v1/operations/") and begun.json["state"] == "draining"
    assert begun.json["overrides"][0]["reason"] == "a new disk" and begun.json["overrides"][0]["owner"].startswith("unix:")
    again = world.proxyd.root("POST", TARGET + ":drain?wait=10ms", {})
    assert again.status == 202 and again.fields["Location"] == place, "asking again joins"
    running = world.proxyd.root("GET", place).json
    assert running["state"] == "running" and running["progress"] == {"in_flight": 1} and running["kind"] == "drain"
    gate.set()
    assert client.response().status == 200
    over = world.proxyd.root("GET", place + "?wait=10s").json
    assert over["state"] == "done" and over["result"]["drained"] is True
    assert world.proxyd.root("POST", TARGET + ":drain?wait=10s", {}).json["drained"] is True


def test_a_drain_whose_time_is_over_says_what_is_left(world):
    client, gate = world.occupy()
    late = world.proxyd.root("POST", TARGET + ":drain?wait=10s", {"timeout": "100ms"})
    assert late.status == 200 and late.json["drained"] is False and late.json["in_flight"] == 1
    gate.set()
    assert client.response().status == 200


def test_a_removal_drains_first_and_may_be_given_up(world):
    client, gate = world.occupy()
    begun = world.proxyd.root("DELETE", TARGET + "?drain=60s")
    place = begun.fields["Location"]
    assert begun.status == 202
    assert world.proxyd.root("POST", place + ":cancel?dry_run=true").json["state"] == "running"
    assert world.proxyd.root("POST", place + ":cancel").json["state"] == "cancelled"
    assert world.proxyd.root("GET", TARGET).json["state"] == "up"
    assert world.proxyd.root("POST", place + ":cancel").status == 422
    cut = world.proxyd.root("DELETE", TARGET + "?drain=100ms&wait=10s")
    assert cut.status == 200 and cut.json["cut"] == 1 and cut.json["in_flight"] == 0 and cut.json["changes"][0]["op"] == "remove"
    assert world.proxyd.root("GET", TARGET).status == 404
    assert client.response().status in (502, 503)   # where it could go instead is in maintenance
    gate.set()


def test_an_idle_target_is_removed_at_once_and_the_last_one_is_not(world):
    assert world.proxyd.root("DELETE", "/api/v1/upstreams/app/targets/two?min_up=2").type == "last-target"
    gone = world.proxyd.root("DELETE", "/api/v1/upstreams/app/targets/two?min_up=1")
    assert gone.status == 200 and gone.json["revision"] == 2
    assert world.proxyd.root("DELETE", "/api/v1/upstreams/app/targets/two").status == 404
    assert world.proxyd.root("DELETE", "/api/v1/upstreams/app/targets/two?missing_ok=true").status == 200
    assert world.proxyd.root("DELETE", "/api/v1/upstreams/none/targets/two?missing_ok=true").status == 200
    for query in ("", "?dry_run=true"):
        last = world.proxyd.root("DELETE", TARGET + query)
        assert last.status == 409 and last.type == "last-target"
    assert world.proxyd.root("GET", TARGET).json["state"] == "up"


def test_a_target_put_twice_is_there_once(world):
    body = {"address": world.origin.address, "weight": 10}
    assert world.proxyd.root("PUT", "/api/v1/upstreams/app/targets/three", body).json["revision"] == 2
    again = world.proxyd.root("PUT", "/api/v1/upstreams/app/targets/three", body)
    assert again.status == 200 and again.json["changes"] == [] and again.json["revision"] == 2
    got = world.proxyd.root("GET", "/api/v1/upstreams/app/targets/three")
    assert got.fields["ETag"] == '"three@r2"' and got.json["weight"] == 10
    assert world.proxyd.root("PATCH", "/api/v1/upstreams/app/targets/three", {"weight": 20}, If_Match='"three@r1"').status == 412
    assert world.proxyd.root("PATCH", "/api/v1/upstreams/app/targets/three", {"weight": 20}, If_Match='"three@r2"').status == 200
    assert world.proxyd.root("PUT", "/api/v1/upstreams/none/targets/x", body).status == 404


def test_weights_are_for_now_and_by_number_or_share(world):
    two = "/api/v1/upstreams/app/targets/two"
    assert world.proxyd.root("POST", two + ":weight", {"weight": "50%"}).json["effective_weight"] == 25
    assert world.proxyd.root("POST", two + ":weight", {"weight": 7}).json["effective_weight"] == 7
    assert world.proxyd.root("GET", "/api/v1/config").fields["ETag"] == '"r1"', "not in the document"
    for body in ({}, {"weight": -1}, {"weight": 10001}, {"weight": "abc%"}, {"weight": "%"}, {"weight": "99999999%"}, {"weight": 1.5}, {"weight": "7"}, {"weight": 1, "for": "soon"}, {"weight": 1, "fro": "1h"}):
        for query in ("", "?dry_run=true"):
            assert world.proxyd.root("POST", two + ":weight" + query, body).status == 422, body
    assert world.proxyd.root("GET", two).json["effective_weight"] == 7
    back = world.proxyd.root("POST", two + ":weight", {"weight": "100%"}).json
    assert back["effective_weight"] == 50 and back["overrides"] == []


def test_a_dry_run_of_a_verb_changes_nothing(world):
    for verb, body, state in (("drain", {}, "draining"), ("maintenance", {}, "maintenance"), ("weight", {"weight": 3}, "up")):
        answer = world.proxyd.root("POST", TARGET + f":{verb}?dry_run=true", body)
        assert answer.status == 200 and answer.json["state"] == state and answer.json["dry_run"] is True
    assert world.proxyd.root("GET", TARGET).json["overrides"] == []
    world.proxyd.root("POST", TARGET + ":maintenance", {})
    assert world.proxyd.root("POST", TARGET + ":ready?dry_run=true", {}).json["state"] == "up"
    assert world.proxyd.root("GET", TARGET).json["state"] == "maintenance"
    assert world.proxyd.root("POST", "/api/v1/upstreams/app/targets/none:drain?dry_run=true", {}).status == 404


def test_an_override_goes_back_by_itself(world):
    put = world.proxyd.root("POST", TARGET + ":maintenance", {"for": "1s", "reason": "short"})
    assert put.json["state"] == "maintenance" and put.json["overrides"][0]["expires"] > put.json["overrides"][0]["created"]
    eventually(lambda: world.proxyd.root("GET", TARGET).json["state"] == "up", what="the override's end")


def test_overrides_go_with_what_they_name(world):
    two = "/api/v1/upstreams/app/targets/two"
    world.proxyd.root("POST", two + ":maintenance", {})
    assert world.proxyd.root("DELETE", two + "?force=true").status == 200
    assert world.proxyd.root("PUT", two, {"address": world.origin.address}).status == 200
    assert world.proxyd.root("GET", two).json["overrides"] == [] and world.proxyd.root("GET", two).json["state"] == "up"


def test_overrides_outlive_a_restart():
    with tempfile.TemporaryDirectory() as state:
        with World(state=state) as first:
            first.proxyd.root("POST", TARGET + ":maintenance", {"reason": "later"})
            first.proxyd.root("PATCH", "/api/v1/workers", {"count": 2, "reason": "more"})
            first.proxyd.root("PATCH", "/api/v1/logs/level", {"level": "debug"})
        with World(state=state) as second:
            assert second.proxyd.root("GET", TARGET).json["state"] == "maintenance"
            eventually(lambda: [w["state"] for w in second.proxyd.workers()] == ["running"] * 2, what="two workers")
            attention = second.proxyd.root("GET", "/api/v1/status").json["attention"]
            assert {"workers", "log-level"} <= {word for one in attention for word in one["message"].split()}
            assert second.proxyd.root("PATCH", "/api/v1/workers", {"count": None}).json == {"count": 1, "override": False}
            eventually(lambda: len(second.proxyd.workers()) == 1, what="one worker")


def test_attention_is_sorted_and_says_what_helps(world):
    for target in ("one", "two"):
        world.proxyd.root("POST", f"/api/v1/upstreams/app/targets/{target}:maintenance", {"reason": "all of it"})
    attention = world.proxyd.root("GET", "/api/v1/status").json["attention"]
    ranks = [["error", "warning", "info"].index(one["severity"]) for one in attention]
    assert ranks == sorted(ranks) and ranks[0] == 0 and "app" in attention[0]["message"]
    assert all(one["command"].startswith("proxyctl ") for one in attention)
    assert any(one["command"] == "proxyctl upstream ready app one" for one in attention)


def test_a_level_goes_back_by_itself(world):
    levels = world.proxyd.root("PATCH", "/api/v1/logs/level", {"level": "debug", "for": "1s"})
    assert levels.status == 200 and levels.json["expires"]
    assert any(one["code"] == "override" for one in world.proxyd.root("GET", "/api/v1/status").json["attention"])
    eventually(lambda: not any(one["code"] == "override" for one in world.proxyd.root("GET", "/api/v1/status").json["attention"]), what="the end of the override")
    for body in ({}, {"level": "loud"}, {"level": "debug", "for": 3}, {"level": "debug", "fro": "1s"}):
        assert world.proxyd.root("PATCH", "/api/v1/logs/level", body).status == 422


def test_a_level_without_a_time_goes_back_too_and_no_change_of_the_document_takes_its_place(world):
    set_back = world.proxyd.root("PATCH", "/api/v1/logs/level", {"level": "error"})
    assert set_back.status == 200 and set_back.json["expires"]
    assert world.proxyd.root("PUT", "/api/v1/config/logging", {"error": {"to": "stderr", "level": "debug"}}).status == 200
    assert world.proxyd.root("PUT", "/api/v1/config/defaults", {"timeouts": {"connect": "9s"}}).status == 200
    assert "revision 3 is active" not in world.proxyd.logs()
    assert world.proxyd.root("PATCH", "/api/v1/logs/level", {"level": None}).status == 200
    assert world.proxyd.root("PUT", "/api/v1/config/defaults", {"timeouts": {"connect": "8s"}}).status == 200
    assert "revision 4 is active" in world.proxyd.logs()


def test_a_worker_restarts_as_an_operation(world):
    before = world.proxyd.pids()
    assert world.proxyd.root("POST", "/api/v1/workers/0:restart?dry_run=true").status == 200 and world.proxyd.pids() == before
    for slot in ("9", "x", "00000"):
        for query in ("", "?dry_run=true"):
            assert world.proxyd.root("POST", f"/api/v1/workers/{slot}:restart{query}").status == 404
    slot = world.proxyd.workers()[0]["slot"]
    over = world.proxyd.root("POST", f"/api/v1/workers/{slot}:restart?wait=20s")
    assert over.status == 200
    assert not set(before) & set(world.proxyd.pids())


def test_what_a_worker_says_of_itself(world):
    worker = world.proxyd.workers()[0]
    assert set(worker) >= {"slot", "pid", "generation", "state", "revision", "connections", "in_flight", "memory_bytes", "loop_lag", "restarts", "last_exit"}
    assert worker["memory_bytes"] > 100_000 and worker["revision"] == 1 and worker["last_exit"] is None
    os.kill(worker["pid"], signal.SIGKILL)
    eventually(lambda: [w["state"] for w in world.proxyd.workers()] == ["running"] and world.proxyd.workers()[0]["restarts"] == 1, what="another worker")
    assert "9" in world.proxyd.workers()[0]["last_exit"]


def test_explain_asks_a_worker_and_does_not_wait_for_ever(world):
    answer = world.proxyd.root("POST", "/api/v1/explain", {"url": "http://a.test/x", "headers": {"X-A": "1"}})
    assert answer.status == 200 and answer.json["route"] == "all" and answer.json["action"]["forward"]["upstream"] == "app"
    for body in ({}, {"url": 1}, {"url": "http://a.test/", "headers": []}, {"url": "http://a.test/", "headers": {"A": 1}}, {"url": "http://a.test/", "methd": "GET"},
                 {"url": "nonsense"}, {"url": "http://a.test/", "client": "nowhere"}, {"url": "http://a.test/", "headers": {"A": "x" * 70000}}):
        assert world.proxyd.root("POST", "/api/v1/explain", body).status == 422, body
    pid = world.proxyd.workers()[0]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        late = world.proxyd.root("POST", "/api/v1/explain", {"url": "http://a.test/"})
    finally:
        os.kill(pid, signal.SIGCONT)
    assert late.status == 504 and late.type == "worker-timeout" and "detail" not in late.json
    assert world.proxyd.root("POST", "/api/v1/explain", {"url": "http://a.test/"}).json["route"] == "all"


def test_rejects_have_pages_and_no_secrets(world):
    for i in range(5):
        with Client(world.port) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\nCookie: hunter2\r\nBad Name: %d\r\n\r\n" % i)
            assert client.response().status == 400
    seen, cursor = [], ""
    while True:
        page = world.proxyd.root("GET", f"/api/v1/rejects?limit=2&client=127.0.0.1{cursor and '&cursor=' + cursor}")
        assert "hunter2" not in page.text
        seen += [one["id"] for one in page.json["items"]]
        if not page.json["next_cursor"]:
            break
        cursor = page.json["next_cursor"]
    assert len(seen) == len(set(seen)) == 5 and seen == sorted(seen, reverse=True)
    assert world.proxyd.root("GET", "/api/v1/rejects?client=192.0.2.1").json["items"] == []


def test_events_tell_of_stats_revisions_and_targets_and_resume(world):
    with EventStream(world.proxyd) as stream:
        world.proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"balance": "round_robin"})
        world.proxyd.root("POST", TARGET + ":maintenance", {"reason": "x"})
        world.proxyd.root("PATCH", "/api/v1/workers", {"count": 2})
        kinds, last, second_runs = {}, 0, False
        for number, kind, data in stream.events():
            assert number > last
            kinds.setdefault(kind, (number, data))
            last = number
            second_runs = second_runs or (kind == "worker" and data.get("slot") == 1 and data["state"] == "running")
            if second_runs and {"stats", "revision", "target"} <= set(kinds):
                break
    assert kinds["revision"][1]["revision"] == 2 and kinds["target"][1]["state"] == "maintenance"
    with EventStream(world.proxyd, fields={"Last-Event-ID": str(kinds["revision"][0] - 1)}) as stream:
        assert next(stream.events())[:2] == (kinds["revision"][0], "revision")


def test_64_streams_are_enough_and_none_holds_up_the_end(world):
    token = world.proxyd.token("read")
    streams = [EventStream(world.proxyd, over=over, token=token) for over in ("unix", "tcp") for _ in range(32)]
    assert {stream.status for stream in streams} == {200}
    assert world.proxyd.ask("GET", "/api/v1/events", token=token).status == 503, "of all doors"
    refused = world.proxyd.root("GET", "/api/v1/events")
    assert refused.status == 503 and refused.type == "too-many-streams" and refused.fields["Retry-After"]
    assert world.proxyd.root("GET", "/api/v1/status").status == 200, "others are served meanwhile"
    streams.pop().close()
    eventually(lambda: EventStream(world.proxyd).status == 200, seconds=25, what="a place for another stream")
    world.proxyd.process.send_signal(signal.SIGTERM)
    assert world.proxyd.process.wait(20) == 0
    for stream in streams:
        list(stream.events())
        stream.close()


def test_a_long_call_does_not_hold_up_the_end(world):
    client, gate = world.occupy()
    def call():   # its answer, if it gets one, is not what this is about
        with contextlib.suppress(Exception):
            world.proxyd.root("POST", TARGET + ":drain?wait=10m", {"timeout": "1h"})

    caller = threading.Thread(target=call)
    caller.start()
    eventually(lambda: world.proxyd.root("GET", "/api/v1/operations").json["items"], what="the operation")
    gate.set()
    stop = world.proxyd.root("POST", "/api/v1/shutdown", {"grace": "5s"})
    assert stop.status == 202 and stop.fields["Location"].startswith("/api/v1/operations/")
    assert world.proxyd.process.wait(20) == 0
    client.socket.close()
    caller.join(10)


def test_metrics_are_prometheus_text_and_openmetrics(world):
    with Client(world.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        client.response()
    eventually(lambda: world.proxyd.metric("proxyd_http_requests_total", route="all", **{"class": "2xx"}) == 1)   # counted at its end
    plain = world.proxyd.root("GET", "/metrics")
    assert plain.fields["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE proxyd_http_requests_total counter" in plain.text and 'proxyd_http_requests_total{host="all",route="all",class="2xx"} 1' in plain.text
    assert "\nproxyd_metrics_overflow_total 0\n" in plain.text   # every series that anybody looked for is registered
    new = world.proxyd.root("GET", "/metrics", Accept="application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
    assert new.fields["Content-Type"].startswith("application/openmetrics-text; version=1.0.0") and new.text.endswith("# EOF\n")
    assert "# TYPE proxyd_http_requests counter" in new.text and "# TYPE proxyd_http_requests_total" not in new.text
    families = [line.split()[2] for line in new.text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
