"""What is known of the health of targets: by checks and by requests, the same in all workers, and kept."""
import json
import os
import signal
import ssl
import threading

import pytest
from certificates import Authority
from client import Client, Closed, exchange, get
from named_origins import NamedOrigins
from origin import Origin, ok
from proxyd import Proxyd, eventually, free_port, site as site_of

FAST = {"interval": "100ms", "timeout": "2s", "rise": 2, "fall": 2, "path": "/health"}
TWO = {"a": {}, "b": {}}


def checked(**more):
    return {"health": {"active": {**FAST, **more}}}


def states(site):
    return {name: site.state(name) for name in site.document["upstreams"]["app"]["targets"]}


def all_up(site):
    eventually(lambda: set(states(site).values()) == {"up"})


def test_a_target_that_fails_its_checks_gets_nothing_until_it_has_passed_again():
    with NamedOrigins(TWO, checked(), workers=2) as site:
        all_up(site)
        assert set(site.names(30)) == {"a", "b"}
        site.well["a"] = False
        eventually(lambda: site.state("a") == "down")
        assert set(site.names(20)) == {"b"}
        assert "failed checks: status 503" in site.target("a")["reason"]
        site.well["a"] = True
        eventually(lambda: site.state("a") == "up")
        assert set(site.names(40)) == {"a", "b"}
        causes = [one["cause"] for one in site.health("a")["transitions"]]
        assert causes == ["checks_passed", "checks_failed", "checks_passed"]


def test_the_last_64_results_are_kept_and_shown():
    with NamedOrigins({"a": {}}, checked()) as site:
        eventually(lambda: len(site.health("a")["checks"]) == 64, seconds=30)
        last = site.health("a")["checks"][-1]
        assert last["passed"] and last["finding"] == "ok" and last["status"] == 200 and last["at"].endswith("Z")


def test_a_new_target_waits_for_its_first_passed_check_when_others_are_up():
    late = Origin(lambda request: b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" if request.target == "/health" else ok(b"new"))
    with NamedOrigins({"a": {}}, checked(fall=50)) as site:
        all_up(site)
        status, _ = site.proxyd.api("PUT", "/api/v1/upstreams/app/targets/new", {"address": late.address})
        assert status in (200, 201)
        eventually(lambda: any(r.target == "/health" for r in late.requests))
        assert site.state("new") == "checking" and set(site.names(20)) == {"a"}
        late.answer = lambda request: ok(b"new")
        eventually(lambda: site.state("new") == "up")
        assert set(site.names(40)) == {"a", "new"}
    late.stop()


def test_when_all_are_down_it_is_503_with_retry_after_and_attention_says_so():
    with NamedOrigins(TWO, checked()) as site:
        all_up(site)
        site.well.update(a=False, b=False)
        eventually(lambda: set(states(site).values()) == {"down"})
        response = exchange(site.port)
        assert response.status == 503 and response.value("Retry-After")
        assert "destination_unavailable" in response.value("Proxy-Status")
        attention = site.proxyd.attention()["no-target-up"]
        assert attention["severity"] == "error" and "proxyctl upstream show app" in attention["command"]


def test_stale_content_is_served_while_all_targets_are_down():
    with NamedOrigins({"a": {}}, checked()) as site:
        site.document["cache_policies"] = {"main": {"stale_if_error": "1h"}}
        site.document["hosts"]["all"]["routes"][0]["cache"] = "main"
        site.proxyd.apply(site.document)
        site.scripts["a"] = lambda request: ok(b"kept", b"Cache-Control: max-age=1", b"Age: 1")
        assert exchange(site.port).body == b"kept"
        all_up(site)
        site.well["a"] = False
        eventually(lambda: site.state("a") == "down")
        assert exchange(site.port).body == b"kept"


@pytest.mark.parametrize("active, answer, finding", [
    ({"expect_status": [204]}, ok(b"well"), "status"),
    ({"expect_body": "ready"}, ok(b"not quite"), "content"),
    ({}, b"no http at all\r\n\r\n", "malformed"),
    ({}, b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "ok"),
    ({"expect_body": "ready"}, ok(b"x" * 1000 + b"ready"), "ok"),
], ids=["status", "body", "malformed", "redirect", "body found"])
def test_a_check_judges_status_and_content(active, answer, finding):
    with NamedOrigins({"a": {}}, checked(**active), well={"a": answer}) as site:
        eventually(lambda: site.health("a")["checks"] and site.health("a")["checks"][-1]["finding"] == finding)
        assert {check["finding"] for check in site.health("a")["checks"]} == {finding}


def test_a_check_sends_its_fields_and_host_and_may_go_to_another_port(tmp_path):
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    other = Origin(lambda request: ok(b"fine"))
    active = {**FAST, "host": "health.test", "port": int(other.address.split(":")[1]), "headers": {"Authorization": {"file": str(secret)}, "X-Probe": "1"}}
    with NamedOrigins({"a": {}}, {"health": {"active": active}}) as site:
        all_up(site)
        request = other.requests[0]
        assert request.values("Host") == ["health.test"] and request.values("Authorization") == ["s3cret"]
        assert request.values("X-Probe") == ["1"] and request.line.startswith("GET /health ")
        assert "s3cret" not in json.dumps(site.proxyd.api("GET", "/api/v1/config")[1])
    other.stop()


def test_tcp_checks_only_connect():
    with NamedOrigins({"a": {}}, {"health": {"active": {"type": "tcp", "interval": "100ms", "fall": 2}}}) as site:
        all_up(site)
        site.stop_origin("a")
        eventually(lambda: site.state("a") == "down")
        assert site.health("a")["checks"][-1]["finding"] == "connection_refused"


def test_https_checks_verify_the_target(tmp_path):
    authority = Authority(tmp_path)
    issued = authority.issue("origin.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate_file, issued.key_file)
    origin = Origin(lambda request: ok(b"well"), tls=context)
    document = site_of(free_port(), origin.address)
    document["upstreams"]["app"].update(
        tls={"sni": "origin.test", "ca_file": str(authority.certificate)}, health={"active": {**FAST, "type": "https"}})
    with Proxyd(document) as proxyd:
        eventually(lambda: proxyd.api("GET", "/api/v1/upstreams/app/targets/one")[1]["state"] == "up")
        document["upstreams"]["app"]["tls"]["sni"] = "another.test"
        proxyd.apply(document)
        eventually(lambda: proxyd.api("GET", "/api/v1/upstreams/app/targets/one")[1]["state"] == "down")
        last = proxyd.api("GET", "/api/v1/upstreams/app/targets/one")[1]["addresses"][0]["health"]["checks"][-1]
        assert last["finding"] == "tls_handshake"
    origin.stop()


def told(site, name):
    """What changed its state, and how often it was ejected."""
    health = site.health(name)
    return [(one["cause"], one.get("finding"), one["state"]) for one in health["transitions"]], health["times_ejected"]


def test_another_worker_checks_on_when_the_prober_hangs_and_dies_and_nothing_resets_to_up():
    with NamedOrigins(TWO, checked(), workers=2) as site:
        all_up(site)
        site.well["a"] = False
        eventually(lambda: site.state("a") == "down")
        before = told(site, "a")
        prober = next(worker["pid"] for worker in site.proxyd.workers() if worker["slot"] == 0)
        os.kill(prober, signal.SIGSTOP)   # it renews nothing, and no other worker has its slot
        checks = len(site.origins["a"].requests)
        eventually(lambda: len(site.origins["a"].requests) > checks + 5, seconds=20)
        os.kill(prober, signal.SIGKILL)
        eventually(lambda: prober not in site.proxyd.pids())
        assert site.state("a") == "down" and told(site, "a") == before
        assert set(site.names(10)) == {"b"}
        site.well["a"] = True
        eventually(lambda: site.state("a") == "up", seconds=15)


def test_health_and_ejections_are_the_same_after_an_apply_and_a_dead_worker():
    with NamedOrigins(TWO, {**checked(), "retry": {"retries": 0}}, workers=2) as site:
        all_up(site)
        site.scripts["a"] = lambda request: b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
        eventually(lambda: 503 not in site.statuses(12))
        before = told(site, "a")
        assert site.state("a") == "down" and before[0][-1][0] == "failures_in_a_row"
        site.document["hosts"]["all"]["headers"] = {"response": {"set": {"X-Other": "1"}}}
        site.proxyd.apply(site.document)
        for pid in site.proxyd.pids():
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: pid not in site.proxyd.pids() and len(site.proxyd.pids()) == 2)
        assert site.state("a") == "down" and told(site, "a") == before
        assert set(site.names(10)) == {"b"}


def test_a_target_that_was_removed_and_comes_again_is_a_new_one():
    with NamedOrigins(TWO, checked(), workers=2) as site:
        all_up(site)
        site.well["a"] = False
        eventually(lambda: site.state("a") == "down")
        address = site.target("a")["address"]
        assert site.proxyd.api("DELETE", "/api/v1/upstreams/app/targets/a?drain=0s&wait=10s")[0] == 200
        assert site.proxyd.api("PUT", "/api/v1/upstreams/app/targets/a", {"address": address})[0] in (200, 201)
        assert site.state("a") == "checking" and set(site.names(8)) == {"b"}


def test_checks_that_ask_for_something_else_begin_anew():
    with NamedOrigins(TWO, checked(expect_body="never")) as site:
        eventually(lambda: set(states(site).values()) == {"down"})
        site.document["upstreams"]["app"]["health"]["active"].pop("expect_body")
        site.proxyd.apply(site.document)
        assert set(site.statuses(4)) == {200}
        all_up(site)


def passive(**more):
    return {"health": {"passive": {"failures": 3, "eject_for": "500ms", **more}}, "retry": {"retries": 0}}


def fails(request):
    return b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n"


def test_failures_in_a_row_eject_and_a_trial_brings_it_back():
    with NamedOrigins(TWO, passive(), workers=2) as site:
        site.scripts["a"] = fails
        eventually(lambda: site.statuses(5) and site.state("a") == "down")
        site.scripts["a"] = lambda request: ok(b"a")
        eventually(lambda: "a" in site.names(5))
        eventually(lambda: site.state("a") == "up")
        assert [one["cause"] for one in site.health("a")["transitions"]][-1] == "trial_passed"


def test_an_answer_that_breaks_off_is_a_failure_and_one_that_is_whole_ends_the_row():
    with NamedOrigins({"a": {}, "b": {"backup": True}}, passive()) as site:
        site.scripts["a"] = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal", "close"]

        def broken():
            with Client(site.port) as client, pytest.raises(Closed):
                client.send(get())
                client.response()
        broken()
        broken()
        assert site.health("a")["failures_in_a_row"] == 2 and site.state("a") == "degraded"
        site.scripts["a"] = lambda request: ok(b"a")
        assert site.names(1) == ["a"]
        eventually(lambda: site.health("a")["failures_in_a_row"] == 0)


def test_a_client_that_leaves_says_nothing_of_the_target():
    gate = threading.Event()
    with NamedOrigins({"a": {}, "b": {"backup": True}}, passive()) as site:
        site.scripts["a"] = lambda request: [gate, ok(b"a")]
        for _ in range(4):
            with Client(site.port) as client:
                client.send(get())
                eventually(lambda: site.target("a")["in_flight"] == 1)
            eventually(lambda: site.target("a")["in_flight"] == 0)
        assert site.health("a")["failures_in_a_row"] == 0
        gate.set()


def test_passive_health_may_be_off():
    with NamedOrigins(TWO, {"health": {"passive": "off"}, "retry": {"retries": 0}}) as site:
        site.scripts["a"] = fails
        site.statuses(60)
        assert site.state("a") == "up" and 502 in site.statuses(20)


def test_the_last_one_that_is_well_is_never_ejected():
    with NamedOrigins({"a": {}}, passive(max_ejected_percent=100)) as site:
        site.scripts["a"] = fails
        assert set(site.statuses(10)) == {502}
        assert site.state("a") == "degraded"


def test_a_target_that_dies_is_hidden_by_retries_and_comes_back_with_slow_start():
    with NamedOrigins(TWO, {"health": {"active": FAST, "passive": {"eject_for": "200ms"}}, "slow_start": "30s"}) as site:
        all_up(site)
        site.well["a"] = False
        site.scripts["a"] = lambda request: ["reset"]
        assert set(site.statuses(40)) == {200}
        eventually(lambda: site.state("a") == "down")
        site.scripts.pop("a")
        site.well["a"] = True
        eventually(lambda: set(site.statuses(2)) == {200} and site.state("a") == "up", seconds=60)
        target = site.target("a")
        assert target["starting_percent"] < 100 and target["effective_weight"] < 100
        assert "up (starting" in site.proxyd.proxyctl("upstream", "show", "app").stdout


def test_a_target_that_comes_back_from_a_drain_starts_slowly_and_one_from_the_start_does_not():
    with NamedOrigins(TWO, {"slow_start": "30s"}) as site:
        assert "starting_percent" not in site.target("a")
        site.proxyd.proxyctl("upstream", "drain", "app", "a")
        site.proxyd.proxyctl("upstream", "ready", "app", "a")
        assert site.target("a")["starting_percent"] < 100


def test_proxyctl_checks_a_target_now_and_tells_what_it_said():
    with NamedOrigins({"a": {}}, checked(interval="1h", fall=5)) as site:
        all_up(site)
        passed = site.proxyd.proxyctl("upstream", "check", "app", "a")
        assert passed.returncode == 0 and "passed, status 200" in passed.stdout and "GET /health" in passed.stdout
        site.well["a"] = False
        failed = site.proxyd.proxyctl("upstream", "check", "app", "a")
        assert failed.returncode == 1 and "status 503" in failed.stdout, failed
        assert site.state("a") == "degraded"
        assert site.proxyd.proxyctl("upstream", "check", "app", "zzz").returncode == 5
    with NamedOrigins({"a": {}}) as site:
        assert site.proxyd.proxyctl("upstream", "check", "app", "a").returncode == 7


def test_transitions_are_lines_of_the_log_and_need_attention():
    with NamedOrigins(TWO, checked()) as site:
        all_up(site)
        site.well["a"] = False
        eventually(lambda: "target a of upstream app" in site.proxyd.logs() and "is down: checks_failed (status 503)" in site.proxyd.logs())
        assert site.proxyd.attention()["targets-down"]["severity"] == "warning"


def test_upstream_show_tells_why_each_target_is_in_its_state():
    with NamedOrigins({"a": {}, "b": {}, "c": {}}, checked()) as site:
        all_up(site)
        site.well["a"] = False
        site.proxyd.proxyctl("upstream", "drain", "app", "b", "--reason", "kernel")
        eventually(lambda: site.state("a") == "down")
        shown = site.proxyd.proxyctl("upstream", "show", "app").stdout
        assert "a: failed checks: status 503" in shown and "(kernel)" in shown


def test_a_target_that_dies_under_load_fails_no_request_that_may_be_sent_again():
    with NamedOrigins({"a": {}, "b": {}, "c": {}}, {"health": {"active": FAST, "passive": {"eject_for": "200ms"}}, "slow_start": "10s"}, workers=2) as site:
        all_up(site)
        over, statuses, posts = threading.Event(), [], []

        def ask(method, into):
            while not over.is_set():
                octets = get(method=method) if method == b"GET" else b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi"
                into.append(exchange(site.port, octets).status)
        threads = [threading.Thread(target=ask, args=one) for one in [(b"GET", statuses)] * 6 + [(b"POST", posts)] * 2]
        for thread in threads:
            thread.start()
        try:
            eventually(lambda: len(statuses) > 200)
            host, port = site.target("a")["address"].split(":")
            site.scripts["a"] = lambda request: ["reset"]
            site.stop_origin("a")
            eventually(lambda: site.state("a") == "down", seconds=30)
            before = len(statuses)
            eventually(lambda: len(statuses) > before + 200, seconds=30)
            site.scripts.pop("a")
            site.origins["a"] = Origin(site._answering("a"), at=(host, int(port)))
            eventually(lambda: site.state("a") == "up", seconds=60)
            assert site.target("a").get("starting_percent", 100) < 100
            asked = len(site.asked)
            eventually(lambda: any(name == "a" for name, _ in site.asked[asked:]), seconds=30)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert set(statuses) == {200}
        # Only what it had taken already: two connections sent such requests.
        assert len([status for status in posts if status != 200]) <= 12, posts
