"""proxyctl that looks: status, explain, events, refused messages, workers, audit, the browser's way in."""
import json
import re
import subprocess

import pytest
from client import Client
from origin import Origin
from proxyd import BUILD, Proxyd, eventually, free_port, site


@pytest.fixture
def world():
    origin, port, admin = Origin(), free_port(), free_port()
    with Proxyd(site(port, origin.address), workers=2, admin=f"127.0.0.1:{admin}") as proxyd:
        proxyd.admin = f"http://127.0.0.1:{admin}"
        yield proxyd, origin, port
    origin.stop()


def test_status_is_one_screen_and_exits_1_when_something_needs_a_person(world):
    proxyd, _, _ = world
    well = proxyd.proxyctl("status")
    assert well.returncode == 0 and well.stdout.startswith("proxyd 0.1.0 is ready, up ")
    assert "revision 1 by " in well.stdout and "1 host, 1 upstream\n" in well.stdout and "2 of 2 workers running, 0 connections, 0 requests in flight" in well.stdout
    proxyd.apply({"version": 1})
    differs = proxyd.proxyctl("status")
    attention = proxyd.api("GET", "/api/v1/status")[1]["attention"]
    if attention:
        assert differs.returncode == 1 and attention[0]["message"] in differs.stdout and attention[0]["command"] in differs.stdout


def test_an_empty_server_says_what_to_run():
    with Proxyd({"version": 1}) as proxyd:
        for command in (["upstream", "list"], ["host", "list"], ["token", "list"], ["logs", "rejects"]):
            nothing = proxyd.proxyctl(*command)
            assert nothing.returncode == 0 and nothing.stdout == "" and nothing.stderr.startswith(("there are no", "no ")), command


def test_explain_follows_a_request_by_the_workers_own_matcher(world):
    proxyd, _, _ = world
    plain = proxyd.proxyctl("explain", "http://a.test/x")
    assert plain.returncode == 0 and re.search(r"^route +all$", plain.stdout, re.M) and re.search(r"^upstream +app \(", plain.stdout, re.M)
    assert "✓ all" in plain.stdout and re.search(r"one +up +100 +0 +yes", plain.stdout)
    document = proxyd.api("GET", "/api/v1/config")[1]
    document["hosts"]["all"]["routes"].insert(0, {"name": "posts", "match": {"path_prefix": "/", "methods": ["POST"], "header": {"X-A": "1"}}, "respond": {"status": 418}})
    proxyd.apply(document)
    other = proxyd.proxyctl("explain", "-X", "POST", "-H", "X-A: 1", "http://a.test/x")
    assert other.returncode == 0 and re.search(r"^respond +418$", other.stdout, re.M), other.stdout + other.stderr
    assert re.search(r"^route +all$", proxyd.proxyctl("explain", "-X", "POST", "http://a.test/x").stdout, re.M)
    assert proxyd.proxyctl("explain", "http://a.test/x", "-o", "name").stdout == "all\n"
    wrong = proxyd.proxyctl("explain", "http://a.test/x", "--client", "nowhere")
    assert wrong.returncode == 7 and "nowhere" in wrong.stderr


def test_explain_answers_for_an_old_revision_and_for_a_file(world, tmp_path):
    proxyd, _, _ = world
    document = proxyd.api("GET", "/api/v1/config")[1]
    document["hosts"]["all"]["routes"][0]["name"] = "renamed"
    path = tmp_path / "site.json"
    path.write_text(json.dumps(document))
    assert re.search(r"^route +renamed$", proxyd.proxyctl("explain", "http://a.test/", "-f", str(path)).stdout, re.M)
    assert re.search(r"^route +all$", proxyd.proxyctl("explain", "http://a.test/").stdout, re.M)
    proxyd.apply(document)
    assert re.search(r"^route +all$", proxyd.proxyctl("explain", "http://a.test/", "--revision", "1").stdout, re.M)
    assert re.search(r"^route +renamed$", proxyd.proxyctl("explain", "http://a.test/").stdout, re.M)
    path.write_text(json.dumps({**document, "hostz": {}}))
    wrong = proxyd.proxyctl("explain", "http://a.test/", "-f", str(path))
    assert wrong.returncode == 7 and f"{path}:1:" in wrong.stderr


def test_events_show_what_happened_and_follow_what_happens(world):
    proxyd, _, _ = world
    proxyd.proxyctl("upstream", "drain", "app", "one", "--no-wait", "--reason", "x")
    past = proxyd.proxyctl("events")
    assert past.returncode == 0 and "stats" not in past.stdout
    assert {"upstream=app", "target=one", "state=drain"} <= set(next(line for line in past.stdout.splitlines() if line.startswith("target ")).split())
    as_json = [json.loads(line) for line in proxyd.proxyctl("events", "-o", "json").stdout.splitlines()]
    assert any(one["event"] == "target" and one["data"]["target"] == "one" for one in as_json)
    following = subprocess.Popen([BUILD / "bin/proxyctl", "--addr", "unix:" + proxyd.socket, "events", "-f", "--kind", "revision"], stdout=subprocess.PIPE, text=True)
    try:
        proxyd.apply({**proxyd.api("GET", "/api/v1/config")[1], "defaults": {"timeouts": {"connect": "9s"}}})
        lines = [following.stdout.readline()]
        while "revision=2" not in lines[-1]:
            lines.append(following.stdout.readline())
        assert all(line.startswith("revision ") for line in lines)
    finally:
        following.terminate()
        following.wait()


def test_refused_messages_are_listed_filtered_and_followed(world):
    proxyd, _, port = world
    following = subprocess.Popen([BUILD / "bin/proxyctl", "--addr", "unix:" + proxyd.socket, "logs", "rejects", "-f"], stdout=subprocess.PIPE, text=True)
    with Client(port) as client:
        client.send(b"BAD\x1b[2J\r\n\r\n")
        assert client.response().status == 400
    try:
        assert "client" in following.stdout.readline()
    finally:
        following.terminate()
        following.wait()
    listed = proxyd.proxyctl("logs", "rejects").stdout
    assert listed.splitlines()[0].split()[:4] == ["TIME", "FROM", "PEER", "REASON"] and "127.0.0.1" in listed and "BAD" in listed and "\x1b" not in listed
    reason = proxyd.api("GET", "/api/v1/rejects")[1]["items"][0]["reason"]
    assert "BAD" in proxyd.proxyctl("logs", "rejects", "--client", "127.0.0.1", "--reason", reason).stdout
    assert proxyd.proxyctl("logs", "rejects", "--client", "192.0.2.1").stdout == ""


def test_the_log_level_is_an_override(world):
    proxyd, _, _ = world
    changed = proxyd.proxyctl("logs", "level", "debug")
    assert changed.returncode == 0 and changed.stdout.startswith("the error log's level is debug until 2") and "undo: proxyctl logs level default" in changed.stderr
    told = json.loads(proxyd.proxyctl("-o", "json", "status").stdout)["attention"]
    assert [one["command"] for one in told if one["code"] == "override"] == ["proxyctl logs level default"]
    assert proxyd.proxyctl("logs", "level", "default").returncode == 0
    assert "override" not in proxyd.attention()
    assert proxyd.proxyctl("logs", "level", "loud").returncode == 2


def test_workers_are_restarted_and_scaled_and_waited_for(world):
    proxyd, _, _ = world
    before = {worker["slot"]: worker["pid"] for worker in proxyd.workers()}
    restarted = proxyd.proxyctl("worker", "restart", "1", "--yes")
    assert restarted.returncode == 0, restarted.stderr
    after = {worker["pid"] for worker in proxyd.workers() if worker["state"] == "running"}
    (new,) = after - set(before.values())
    assert before[0] in after and before[1] not in after and f"worker 1 (pid {before[1]}) is replaced by pid {new}" in restarted.stdout
    grown = proxyd.proxyctl("worker", "scale", "3")
    assert grown.returncode == 0 and grown.stdout == "3 workers\n" and "undo: proxyctl worker scale auto" in grown.stderr
    assert len(proxyd.pids()) == 3 and all(worker["state"] == "running" for worker in proxyd.workers())
    assert proxyd.proxyctl("worker", "scale", "auto").stdout == "2 workers\n"
    assert len(proxyd.pids()) == 2
    missing = proxyd.proxyctl("worker", "restart", "40", "--yes")
    assert missing.returncode == 5 and "proxyctl worker list" in missing.stderr
    assert proxyd.proxyctl("worker", "restart", "0").returncode == 2


def test_audit_names_who_did_what(world):
    proxyd, _, _ = world
    proxyd.proxyctl("upstream", "drain", "app", "one", "--no-wait")
    lines = proxyd.proxyctl("audit").stdout.splitlines()
    assert lines[0].split() == ["TIME", "AUTHOR", "STATUS", "ACTION"]
    assert any("unix:" in line and "POST /api/v1/upstreams/app/targets/one:drain" in line for line in lines)


def test_reload_says_so(world):
    proxyd, _, _ = world
    assert proxyd.proxyctl("reload").stdout == "reloaded\n"


def test_shutdown_waits_until_it_has_stopped(world):
    proxyd, _, _ = world
    stopped = proxyd.proxyctl("shutdown", "--yes", "--grace", "2s")
    assert stopped.returncode == 0 and stopped.stdout == "stopped\n", stopped.stderr
    eventually(lambda: proxyd.process.poll() is not None)
    assert proxyd.process.returncode == 0


def needs_login_codes(proxyd):
    if "/api/v1/login-codes" not in proxyd.api("GET", "/api/v1/openapi.json")[1]["paths"]:
        pytest.skip("this server makes no login codes")


def test_a_login_link_is_printed_for_the_browser(world):
    proxyd, _, _ = world
    needs_login_codes(proxyd)
    assert proxyd.proxyctl("ui", "url").stdout == proxyd.admin + "/\n"
    login = proxyd.proxyctl("ui", "login")
    assert login.returncode == 0 and login.stdout.startswith(proxyd.admin + "/") and login.stdout.count("\n") == 1 and "60 s" in login.stderr
    assert proxyd.proxyctl("ui", "login").stdout != login.stdout


def test_without_a_tcp_address_there_is_no_link():
    with Proxyd({"version": 1}) as proxyd:
        needs_login_codes(proxyd)
        for command in ("login", "url"):
            none = proxyd.proxyctl("ui", command)
            assert none.returncode != 0 and none.stdout == "" and "--admin 127.0.0.1:9191" in none.stderr
