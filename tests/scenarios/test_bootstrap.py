"""What an operator says before the store can be opened: flags, variables, the bootstrap file, the first document."""
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from client import Client, get, status_of
from origin import Origin
from proxyd import BUILD, Proxyd, eventually, free_port, site


def run(*arguments, environment=None, seconds=30):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PROXYD_")}
    return subprocess.run([BUILD / "bin/proxyd", "run", *arguments], capture_output=True, text=True, timeout=seconds, env={**clean, **(environment or {})})


def shown(*arguments, environment=None):
    """--print-config as {key: (value, origin)}."""
    ended = run(*arguments, "--print-config", environment=environment)
    assert ended.returncode == 0, ended.stderr
    rows = (line.rsplit("(", 1) for line in ended.stdout.splitlines())
    return {text.split(maxsplit=1)[0]: (" ".join(text.split()[1:]), origin.rstrip(")")) for text, origin in rows}


def test_without_anything_each_key_has_its_default():
    values = shown()
    assert values == {
        "state_dir": ("/var/lib/proxyd", "default"), "run_dir": ("/run/proxyd", "default"), "config_source": ("database", "default"),
        "config_file": ("/etc/proxyd/site.yaml", "default"), "workers": ("auto", "default"), "cache_ceiling": ("4GiB", "default"),
        "shutdown.delay": ("0s", "default"), "shutdown.grace": ("1m", "default"), "upgrade.drain": ("1h", "default"),
        "upgrade.probation": ("10s", "default"), "admin.unix.group": ("proxyd", "default"),
        "admin.unix.grants": ("proxyd-ops:operator,proxyd-view:viewer", "default"), "admin.tcp.address": ("127.0.0.1:9191", "default"),
        "admin.tcp.hostnames": ("localhost", "default"), "admin.read_only": ("false", "default"),
        "admin.require_if_match": ("false", "default"), "metrics.address": ("off", "default"),
        "dns.servers": ("system", "default"),
    }


def test_flags_go_before_variables_before_the_file_before_defaults(tmp_path):
    file = tmp_path / "proxyd.yaml"
    file.write_text("state_dir: /file\nrun_dir: /file\nworkers: 3\nshutdown: { grace: 5s }\n"
                    "admin: { unix: { grants: [ { group: eyes, role: viewer } ] }, tcp: { hostnames: [a, b], tls: null } }\n")
    values = shown("--bootstrap", str(file), "--state-dir", "/flag", environment={"PROXYD_STATE_DIR": "/variable", "PROXYD_RUN_DIR": "/variable"})
    assert values["state_dir"] == ("/flag", "flag") and values["run_dir"] == ("/variable", "environment")
    assert values["workers"] == ("3", "file") and values["shutdown.grace"] == ("5s", "file")
    assert values["admin.unix.grants"] == ("eyes:viewer", "file") and values["admin.tcp.hostnames"] == ("a,b", "file")
    assert values["metrics.address"] == ("off", "default")


@pytest.mark.parametrize("variable, key, value", [
    ("PROXYD_STATE_DIR", "state_dir", "/a"), ("PROXYD_RUN_DIR", "run_dir", "/a"), ("PROXYD_CONFIG_SOURCE", "config_source", "file"),
    ("PROXYD_CONFIG_FILE", "config_file", "/a"), ("PROXYD_WORKERS", "workers", "2"), ("PROXYD_CACHE_CEILING", "cache_ceiling", "64MiB"),
    ("PROXYD_SHUTDOWN_DELAY", "shutdown.delay", "3s"), ("PROXYD_SHUTDOWN_GRACE", "shutdown.grace", "3s"), ("PROXYD_UPGRADE_DRAIN", "upgrade.drain", "1h"),
    ("PROXYD_UPGRADE_PROBATION", "upgrade.probation", "10s"), ("PROXYD_ADMIN_GROUP", "admin.unix.group", "staff"),
    ("PROXYD_ADMIN_GRANTS", "admin.unix.grants", "a:viewer,b:deployer"), ("PROXYD_ADMIN", "admin.tcp.address", "127.0.0.1:1"),
    ("PROXYD_ADMIN_HOSTNAMES", "admin.tcp.hostnames", "a.test,b.test"), ("PROXYD_ADMIN_READ_ONLY", "admin.read_only", "true"),
    ("PROXYD_ADMIN_REQUIRE_IF_MATCH", "admin.require_if_match", "true"), ("PROXYD_METRICS", "metrics.address", "127.0.0.1:2"),
    ("PROXYD_DNS_SERVERS", "dns.servers", "192.0.2.53,[::1]:5300"),
])
def test_each_key_has_a_variable(variable, key, value):
    assert shown(environment={variable: value})[key] == (value, "environment")


@pytest.mark.parametrize("flag, key, value", [
    ("--state-dir", "state_dir", "/a"), ("--run-dir", "run_dir", "/a"), ("--admin", "admin.tcp.address", "off"),
    ("--workers", "workers", "2"), ("--cache", "cache_ceiling", "1GiB"),
])
def test_the_flags_say_what_they_set(flag, key, value):
    assert shown(flag, value)[key] == (value, "flag")


def test_a_wrong_bootstrap_is_refused_with_every_fault_at_once(tmp_path):
    file = tmp_path / "proxyd.yaml"
    file.write_text("state_dir: here\nshutdown: { grase: 5s }\nworkers: [2]\nadmin: { unix: { grants: [ { group: a, role: king } ] } }\nmetrics: off\ndns: { servers: [here] }\n")
    ended = run("--bootstrap", str(file), "--check", environment={"PROXYD_WORKERS": "many"})
    assert ended.returncode == 7
    for part in ("1:1: state_dir 'here' must be an absolute path", "2:13: unknown key 'shutdown.grase'; did you mean 'shutdown.grace'?",
                 "3:1: workers must be a single value", "king", "dns.servers 'here' must be system", "metrics must be a map", "PROXYD_WORKERS: workers 'many' must be auto or a number"):
        assert part in ended.stderr, (part, ended.stderr)


@pytest.mark.parametrize("arguments, says", [
    (("--listen", ":1"), "go together"), (("--upstream", "a:1"), "go together"), (("--cache", "1MiB"), "'1MiB' must lie between 8MiB and 1TiB"),
    (("--listen", ":1", "--upstream", "a:1", "--config", "/x"), "one of the two"), (("--bootstrap", "/nowhere.yaml"), "cannot be read"),
    (("--admin", "nowhere"), "host:port"),
])
def test_flags_that_make_no_sense_together_are_refused(arguments, says):
    ended = run(*arguments)
    assert ended.returncode == 7 and says in ended.stderr


def test_a_key_of_a_later_version_is_refused_unless_it_says_the_default(tmp_path):
    file = tmp_path / "proxyd.yaml"
    file.write_text("cache_ceiling: 16MiB\nupgrade: { drain: 1h, probation: 10s }\n")
    assert run("--bootstrap", str(file), "--print-config").returncode == 0
    file.write_text("cache_ceiling: 1KiB\nupgrade: { drain: 2h, probation: 10s }\n")
    ended = run("--bootstrap", str(file), "--print-config", environment={"PROXYD_UPGRADE_PROBATION": "1m"})
    assert ended.returncode == 7
    for part in ("1:1: cache_ceiling '1KiB' must lie between", "2:12: upgrade.drain '2h' is not supported yet",
                 "PROXYD_UPGRADE_PROBATION: upgrade.probation '1m' is not supported yet"):
        assert part in ended.stderr, (part, ended.stderr)


def test_check_tells_valid_from_wrong_documents_and_starts_nothing(tmp_path):
    good, wrong, state = tmp_path / "good.yaml", tmp_path / "wrong.yaml", tmp_path / "state"
    good.write_text("version: 1\n")
    wrong.write_text("version: 1\nhostz: {}\nupstreams: { u: { balanse: p2c } }\n")
    flags = ("--check", "--state-dir", str(state), "--run-dir", str(state))
    assert run(*flags, "--config", str(good)).returncode == 0
    ended = run(*flags, "--config", str(wrong))
    assert ended.returncode == 7 and f"{wrong}:2:1: /hostz" in ended.stderr and f"{wrong}:3:19: /upstreams/u/balanse" in ended.stderr
    assert "did you mean" in ended.stderr
    assert run(*flags, environment={"PROXYD_CONFIG_SOURCE": "file", "PROXYD_CONFIG_FILE": str(wrong)}).returncode == 7
    assert run(*flags).returncode == 0 and not state.exists()


def test_check_looks_at_the_active_revision(tmp_path):
    import sqlite3
    state = str(tmp_path)
    with Proxyd(site(free_port(), "127.0.0.1:9"), state=state):
        ended = run("--check", "--state-dir", state)
        assert ended.returncode == 0 and "revision 1 is valid" in ended.stdout
    with sqlite3.connect(tmp_path / "proxyd.db") as database:
        database.execute("UPDATE revisions SET canonical = '{\"version\":1,\"of_tomorrow\":1}'")
    database.close()
    ended = run("--check", "--state-dir", state)
    assert ended.returncode == 7 and "revision 1" in ended.stderr and "of_tomorrow" in ended.stderr


def test_the_quick_start_fronts_a_server_and_leaves_nothing_behind():
    origin, port = Origin(), free_port()
    process = subprocess.Popen([BUILD / "bin/proxyd", "run", "--listen", f"127.0.0.1:{port}", "--upstream", origin.address, "--admin", "off", "--workers", "1"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = [process.stdout.readline() for _ in range(3)]
    assert lines[0] == f"site:   http://127.0.0.1:{port}/\n" and lines[1].startswith("admin:") and lines[2].startswith("proxyctl: PROXYCTL_ADDR=unix:/")
    folder = Path(lines[2].split("unix:")[1].strip()).parent
    assert folder.exists()
    with Client(port) as client:
        client.send(get(b"/x"))
        assert client.response().body == b"path=/x body="
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0 and not folder.exists()
    process.stdout.close()
    origin.stop()


def test_a_quick_start_over_a_kept_store_follows_its_flags_but_never_a_document(tmp_path):
    first, second, port = Origin(), Origin(), free_port()
    flags = lambda origin: ("--listen", f"127.0.0.1:{port}", "--upstream", origin.address)
    state = str(tmp_path)
    with Proxyd(None, state=state, arguments=flags(first)):
        assert status_of(port) == 200
    with Proxyd(None, state=state, arguments=flags(second)) as proxyd:
        assert status_of(port) == 200 and len(first.requests) == 1 and len(second.requests) == 1
        proxyd.apply(site(port, first.address))
    with Proxyd(None, state=state, arguments=flags(second)) as proxyd:
        assert status_of(port) == 200 and len(second.requests) == 1
        assert "revision 3, which serves" in proxyd.attention()["file-differs"]["message"]


def test_a_first_start_with_an_empty_store_waits_for_a_document():
    origin, port = Origin(), free_port()
    with Proxyd(None, ready=False) as proxyd:
        eventually(lambda: os.path.exists(proxyd.socket))
        assert eventually(lambda: proxyd.api("GET", "/livez", parse=False)[0] == 200)
        assert proxyd.api("GET", "/readyz", parse=False) == (503, "no configuration\n")
        assert proxyd.attention()["no-configuration"]["command"] == "proxyctl apply -f FILE"
        assert proxyd.proxyctl("status").returncode == 1
        applied = proxyd.proxyctl("apply", "-f", "-", stdin=json.dumps(site(port, origin.address)))
        assert applied.returncode == 0, applied.stderr
        eventually(lambda: proxyd.api("GET", "/readyz", parse=False)[0] == 200)
        assert status_of(port) == 200 and proxyd.attention() == {}


def test_a_document_that_differs_from_the_store_is_told_and_the_store_serves(tmp_path):
    origin, port = Origin(), free_port()
    with Proxyd(site(port, origin.address), state=str(tmp_path)):
        pass
    with Proxyd(site(port, "127.0.0.1:9"), state=str(tmp_path)) as proxyd:
        assert status_of(port) == 200
        told = proxyd.attention()["file-differs"]
        assert told["severity"] == "warning" and f"proxyctl diff -f {proxyd.config}" in told["message"] and f"proxyctl apply -f {proxyd.config}" in told["message"]
        assert "differs from revision 1" in proxyd.logs()
        assert proxyd.proxyctl("apply", "-f", str(proxyd.config)).returncode == 0
        assert "file-differs" not in proxyd.attention(), "it does not differ any more"
        proxyd.apply(site(port, origin.address))
    with Proxyd(site(port, origin.address), state=str(tmp_path)) as proxyd:
        assert proxyd.attention() == {}


def test_a_wrong_first_document_ends_the_start_with_7_and_all_its_errors(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nhostz: {}\nupstreamz: {}\n")
    ended = run("--config", str(wrong), "--state-dir", str(tmp_path / "state"), "--run-dir", str(tmp_path), "--admin", "off")
    assert ended.returncode == 7 and ":2:1: /hostz" in ended.stderr and ":3:1: /upstreamz" in ended.stderr


def by_file(file):
    return {"PROXYD_CONFIG_SOURCE": "file", "PROXYD_CONFIG_FILE": str(file)}


def test_with_config_source_file_the_file_is_the_document(tmp_path):
    origin, port, file, state = Origin(), free_port(), tmp_path / "site.json", str(tmp_path)
    document = site(port, origin.address)
    file.write_text(json.dumps(document))
    with Proxyd(None, state=state, environment=by_file(file)) as proxyd:
        assert status_of(port) == 200
        status, answer = proxyd.api("PUT", "/api/v1/config", {"version": 1})
        assert status == 409 and answer["type"].endswith("config-managed-by-file") and str(file) in answer["detail"]
        assert proxyd.api("DELETE", "/api/v1/upstreams/app/targets/one?force=true")[0] == 409
        assert proxyd.api("POST", "/api/v1/upstreams/app/targets/one:drain", {})[0] == 202
        assert proxyd.api("POST", "/api/v1/upstreams/app/targets/one:ready", {})[0] == 200
        pids = proxyd.pids()

        document["defaults"] = {"timeouts": {"connect": "9s"}}
        file.write_text(json.dumps(document))
        assert proxyd.proxyctl("reload").returncode == 0
        assert proxyd.api("GET", "/api/v1/config")[1]["defaults"]["timeouts"]["connect"] == "9s"

        file.write_text("version: 1\nhostz: {}\n")
        wrong = proxyd.proxyctl("reload")
        assert wrong.returncode == 7 and "/hostz" in wrong.stderr and "2:1" in wrong.stderr
        assert proxyd.attention()["file-differs"]["severity"] == "error"
        assert proxyd.api("GET", "/api/v1/revisions")[1]["items"][0]["revision"] == 2
        assert proxyd.api("GET", "/readyz", parse=False)[0] == 200 and status_of(port) == 200

        document["defaults"] = {"timeouts": {"connect": "8s"}}
        file.write_text(json.dumps(document))
        proxyd.signal(signal.SIGHUP)
        eventually(lambda: proxyd.api("GET", "/api/v1/config")[1]["defaults"]["timeouts"]["connect"] == "8s")
        assert eventually(lambda: proxyd.attention() == {}) and proxyd.pids() == pids
        file.write_text("version: 1\nhostz: {}\n")
    with Proxyd(None, state=state, environment=by_file(file)) as proxyd:
        assert proxyd.attention()["file-differs"]["severity"] == "error" and "/hostz" in proxyd.logs()
        assert proxyd.api("GET", "/api/v1/config")[1]["defaults"]["timeouts"]["connect"] == "8s" and status_of(port) == 200


def test_a_reload_that_is_refused_says_by_whom_and_waits_for_no_address(tmp_path):
    origin, file = Origin(), tmp_path / "site.json"
    document = site(free_port(), origin.address)
    file.write_text(json.dumps(document))
    with Proxyd(None, state=str(tmp_path / "state"), environment=by_file(file)) as proxyd, socket.create_server(("127.0.0.1", 0)) as other:
        address = "127.0.0.1:{}".format(other.getsockname()[1])
        document["listeners"]["second"] = {"address": address}
        file.write_text(json.dumps(document))
        status, answer = proxyd.api("POST", "/api/v1/reload", {})
        assert status == 422 and answer["type"].endswith("activation-failed") and address in answer["detail"]
        assert "trying again" not in proxyd.logs()
        assert proxyd.proxyctl("reload", "--wait").returncode == 7


def test_with_config_source_file_and_nothing_good_the_start_ends_with_7(tmp_path):
    file = tmp_path / "site.yaml"
    file.write_text("version: 1\nhostz: {}\n")
    ended = run("--state-dir", str(tmp_path / "state"), "--run-dir", str(tmp_path), "--admin", "off", environment=by_file(file))
    assert ended.returncode == 7 and f"{file}:2:1" in ended.stderr


def test_folders_that_flags_name_are_meant_from_where_the_command_was_typed(tmp_path):
    origin, port = Origin(), free_port()
    (tmp_path / "site.json").write_text(json.dumps(site(port, origin.address)))
    process = subprocess.Popen([BUILD / "bin/proxyd", "run", "--config", "site.json", "--state-dir", "state", "--run-dir", "state", "--admin", "off"],
                               cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        status = lambda: subprocess.run([BUILD / "bin/proxyctl", "status"], cwd=tmp_path, capture_output=True, env={**os.environ, "PROXYCTL_ADDR": "unix:state/admin.sock"})
        eventually(lambda: status().returncode == 0, 20)
        assert status_of(port) == 200 and (tmp_path / "state" / "proxyd.db").exists()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    (tmp_path / "proxyd.yaml").write_text("state_dir: state\n")
    ended = run("--bootstrap", str(tmp_path / "proxyd.yaml"))
    assert ended.returncode == 7 and "absolute path" in ended.stderr, "a file says where, whoever reads it"


def test_a_group_that_is_not_there_is_told():
    with Proxyd(site(free_port(), "127.0.0.1:9"), environment={"PROXYD_ADMIN_GROUP": "nobody-has-it"}) as proxyd:
        assert "there is no group nobody-has-it (admin.unix.group)" in proxyd.logs()


def test_a_lock_that_cannot_be_opened_is_no_second_proxyd(tmp_path):
    (tmp_path / "proxyd.lock").mkdir()
    ended = run("--state-dir", str(tmp_path), "--run-dir", str(tmp_path), "--admin", "off")
    assert ended.returncode == 1 and "proxyd.lock cannot be opened" in ended.stderr and "another proxyd" not in ended.stderr


def test_a_second_proxyd_on_one_store_ends_with_6_and_names_the_first():
    with Proxyd(site(free_port(), "127.0.0.1:9")) as proxyd:
        ended = run("--state-dir", proxyd.state, "--run-dir", proxyd.state, "--admin", "off")
        assert ended.returncode == 6 and str(proxyd.process.pid) in ended.stderr
