"""Who may ask the admin API what, and how they show who they are."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from admin import AdminProxyd, EventStream
from origin import Origin
from proxyd import BUILD, eventually, free_port, site


def test_whoever_is_not_logged_in_learns_nothing_about_what_there_is(proxyd):
    for path in ("/api/v1/status", "/api/v1/no-such-thing", "/api/v1/upstreams/app", "/api/v1/upstreams/none"):
        answer = proxyd.ask("GET", path)
        assert answer.status == 401 and answer.fields["WWW-Authenticate"] == "Bearer" and answer.type == "unauthenticated"
    assert proxyd.ask("GET", "/livez").status == 200
    assert proxyd.ask("GET", "/readyz").text == "ready\n"
    assert proxyd.ask("GET", "/metrics").status == 401


def test_a_token_may_what_its_scopes_say_and_no_more(proxyd):
    token = proxyd.token("viewer")
    assert proxyd.ask("GET", "/api/v1/status", token=token).status == 200
    refused = proxyd.ask("POST", "/api/v1/upstreams/app/targets/one:drain", {}, token=token)
    assert refused.status == 403 and refused.type == "forbidden" and "upstreams:runtime" in refused.json["detail"]
    assert proxyd.ask("GET", "/api/v1/tokens", token=token).status == 403
    operator = proxyd.token("operator")
    assert proxyd.ask("POST", "/api/v1/upstreams/app/targets/one:ready", {}, token=operator).status == 200
    assert proxyd.ask("PUT", "/api/v1/config/defaults", {}, token=operator).status == 403
    assert proxyd.ask("GET", "/metrics", token=proxyd.token("metrics")).status == 200


def test_a_token_is_shown_once_and_hashed_at_rest(proxyd):
    made = proxyd.root("POST", "/api/v1/tokens", {"name": "ci", "scopes": ["read"]}).json
    assert re.fullmatch(r"pxy_[0-9a-f]+_[0-9a-f]{64}", made["token"]) and made["expires"] > made["created"]
    secret = made["token"].rsplit("_", 1)[1]
    listed = proxyd.root("GET", "/api/v1/tokens")
    assert secret not in listed.text and any(one["id"] == made["id"] for one in listed.json["items"])
    for file in Path(proxyd.state).glob("proxyd.db*"):
        assert secret.encode() not in file.read_bytes()
    assert secret not in proxyd.logs() and secret not in str(proxyd.audit())


def test_a_token_that_is_revoked_or_over_is_no_longer_good(proxyd):
    token = proxyd.token("read", expires="1s")
    assert proxyd.ask("GET", "/api/v1/status", token=token).status == 200
    eventually(lambda: proxyd.ask("GET", "/api/v1/openapi.json", token=token).status == 401, what="expiry")
    token = proxyd.token("read")
    identity = token.split("_")[1]
    assert proxyd.root("DELETE", f"/api/v1/tokens/{identity}?dry_run=true").status == 200
    assert proxyd.ask("GET", "/api/v1/status", token=token).status == 200
    assert proxyd.root("DELETE", f"/api/v1/tokens/{identity}").status == 200
    assert proxyd.ask("GET", "/api/v1/status", token=token).status == 401
    assert proxyd.root("DELETE", f"/api/v1/tokens/{identity}").status == 404
    assert proxyd.root("DELETE", f"/api/v1/tokens/{identity}?missing_ok=true").status == 200


def test_nobody_gives_away_what_they_do_not_have(proxyd):
    token = proxyd.token("access")
    assert proxyd.ask("POST", "/api/v1/tokens", {"scopes": ["admin"]}, token=token).status == 403
    assert proxyd.ask("POST", "/api/v1/tokens", {"scopes": ["access"]}, token=token).status == 201


@pytest.mark.parametrize("body", [{}, {"scopes": []}, {"scopes": ["root"]}, {"scopes": "read"}, {"scopes": ["read"], "expires": "soon"},
                                  {"scopes": ["read"], "expires": 30}, {"scopes": ["read"], "name": "a b"}, {"scopes": ["read"], "color": "red"}])
def test_a_token_that_makes_no_sense_is_not_made(proxyd, body):
    answer = proxyd.root("POST", "/api/v1/tokens", body)
    assert answer.status == 422 and answer.json["errors"][0]["pointer"].startswith("/")
    dry = proxyd.root("POST", "/api/v1/tokens?dry_run=true", body)
    assert dry.status == 422


def test_a_login_code_becomes_a_session_once(proxyd):
    made = proxyd.root("POST", "/api/v1/login-codes")
    assert made.status == 201 and made.json["url"] == f"http://127.0.0.1:{proxyd.admin_port}/#login={made.json['code']}"
    login = proxyd.ask("POST", "/api/v1/session", {"code": made.json["code"]})
    assert login.status == 201 and "admin" not in login.text.split("csrf_token")[1]
    cookie = login.fields["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    assert proxyd.ask("POST", "/api/v1/session", {"code": made.json["code"]}).status == 401
    value = cookie.split(";")[0]
    who = proxyd.ask("GET", "/api/v1/session", fields={"Cookie": value})
    assert who.status == 200 and who.json["csrf_token"] == login.json["csrf_token"] and "config:write" in who.json["scopes"]
    for file in Path(proxyd.state).glob("proxyd.db*"):
        assert value.split("=")[1].encode() not in file.read_bytes()


def test_login_codes_are_made_by_peers_of_the_unix_socket_alone(proxyd):
    token = proxyd.token("admin")
    assert proxyd.ask("POST", "/api/v1/login-codes", token=token).status == 403
    assert proxyd.ask("POST", "/api/v1/login-codes", token=token, over="unix").status == 403
    assert proxyd.ask("POST", "/api/v1/login-codes").status == 401


def session(proxyd):
    code = proxyd.root("POST", "/api/v1/login-codes").json["code"]
    login = proxyd.ask("POST", "/api/v1/session", {"code": code})
    return {"Cookie": login.fields["Set-Cookie"].split(";")[0]}, login.json["csrf_token"]


def test_a_cookie_alone_changes_nothing(proxyd):
    cookie, csrf = session(proxyd)
    path, body = "/api/v1/upstreams/app/targets/one:ready", {}
    own = f"http://127.0.0.1:{proxyd.admin_port}"
    for fields in ({}, {"X-CSRF-Token": csrf}, {"Origin": own}, {"X-CSRF-Token": csrf, "Origin": "http://evil.example"},
                   {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"}, {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "same-site"},
                   {"X-CSRF-Token": csrf[:-1] + ("0" if csrf[-1] != "0" else "1"), "Sec-Fetch-Site": "same-origin"},
                   {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site", "Origin": own}):
        refused = proxyd.ask("POST", path, body, fields={**cookie, **fields})
        assert refused.status == 403 and refused.type == "csrf", fields
    for fields in ({"Origin": own}, {"Sec-Fetch-Site": "same-origin"}):
        assert proxyd.ask("POST", path, body, fields={**cookie, **fields, "X-CSRF-Token": csrf}).status == 200
    assert proxyd.ask("GET", "/api/v1/status", fields=cookie).status == 200


def test_whoever_logs_out_is_out(proxyd):
    cookie, csrf = session(proxyd)
    own = {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "same-origin"}
    assert proxyd.ask("DELETE", "/api/v1/session", fields=cookie).status == 403
    out = proxyd.ask("DELETE", "/api/v1/session", fields={**cookie, **own})
    assert out.status == 200 and "Max-Age=0" in out.fields["Set-Cookie"]
    assert proxyd.ask("GET", "/api/v1/status", fields=cookie).status == 401


def test_another_site_cannot_log_a_browser_in(proxyd):
    code = proxyd.root("POST", "/api/v1/login-codes").json["code"]
    assert proxyd.ask("POST", "/api/v1/session", {"code": code}, fields={"Sec-Fetch-Site": "cross-site"}).type == "csrf"
    assert proxyd.ask("POST", "/api/v1/session", "code=" + code, fields={"Content-Type": "application/x-www-form-urlencoded"}).status == 415
    assert proxyd.ask("POST", "/api/v1/session", {"code": code}).status == 201


def test_ten_failed_logins_from_an_address_are_enough():
    origin = Origin()
    with AdminProxyd(site(free_port(), origin.address)) as proxyd:
        good = proxyd.token("read")
        for attempt in range(10):
            if attempt % 2:
                assert proxyd.ask("GET", "/api/v1/status", token="pxy_00_00").status == 401
            else:
                assert proxyd.ask("POST", "/api/v1/session", {"code": "wrong"}).status == 401
        for answer in (proxyd.ask("GET", "/api/v1/status", token=good), proxyd.ask("POST", "/api/v1/session", {"code": "wrong"})):
            assert answer.status == 429 and answer.type == "too-many" and 0 < int(answer.fields["Retry-After"]) <= 301
        assert proxyd.root("GET", "/api/v1/status").status == 200
        assert proxyd.ask("GET", "/livez").status == 200
        refused = [one for one in proxyd.audit() if one["status"] in (401, 429)]
        assert len(refused) >= 10 and all("127.0.0.1" in one["author"] for one in refused)
        for _ in range(40):
            proxyd.ask("GET", "/api/v1/status", token="pxy_00_00")
        assert len(proxyd.audit()) < 40, "nobody fills the disk by knocking"
    origin.stop()


def test_the_server_answers_under_its_own_names_alone(proxyd):
    for host, status in ((f"127.0.0.1:{proxyd.admin_port}", 200), (f"localhost:{proxyd.admin_port}", 200), ("LOCALHOST", 200),
                         ("evil.example", 421), (f"evil.example:{proxyd.admin_port}", 421), ("127.0.0.1.evil.example", 421), ("", 421)):
        assert proxyd.ask("GET", "/livez", fields={"Host": host}).status == status, host
    assert proxyd.raw(b"GET /livez HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 421")
    assert proxyd.ask("GET", "/livez", fields={"Host": "evil.example"}).type == "misdirected"


def test_a_stream_ends_when_its_token_is_revoked(proxyd):
    token = proxyd.token("read")
    with EventStream(proxyd, over="tcp", token=token) as stream:
        assert stream.status == 200
        assert next(stream.events())
        proxyd.root("DELETE", "/api/v1/tokens/" + token.split("_")[1])
        for _ in stream.events():
            pass   # ends, or the socket's own deadline fails the test


def test_every_change_and_every_refused_attempt_is_written_down_for_ever(proxyd):
    token = proxyd.token("read")
    last = proxyd.audit()[0]["number"]
    proxyd.ask("PUT", "/api/v1/config/defaults?message=x", {}, token=token)
    proxyd.root("POST", "/api/v1/upstreams/app/targets/one:ready", {})
    proxyd.root("POST", "/api/v1/upstreams/app/targets/one:maintenance?dry_run=true", {})
    proxyd.root("GET", "/api/v1/status")
    entries = [one for one in proxyd.audit() if one["number"] > last]
    assert [(one["author"].split(":")[0], one["status"]) for one in entries] == [("unix", 200), ("token", 403)]
    import sqlite3
    with sqlite3.connect(Path(proxyd.state) / "proxyd.db") as database:
        for statement in ("DELETE FROM audit", "UPDATE audit SET author = 'nobody'"):
            with pytest.raises(sqlite3.Error):
                database.execute(statement)
    database.close()


def bootstrap_file(folder, text):
    path = Path(folder) / "proxyd.yaml"
    path.write_text(text)
    return path


def test_an_address_that_everyone_reaches_without_tls_is_refused_at_start():
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run([BUILD / "bin/proxyd", "run", "--state-dir", folder, "--run-dir", folder, "--admin", f"0.0.0.0:{free_port()}"], capture_output=True, text=True, timeout=30)
    assert ended.returncode != 0 and "admin.tcp.tls" in ended.stderr and "admin.tcp.address" in ended.stderr


def test_the_metrics_address_needs_no_login_and_shows_nothing_else():
    origin, port = Origin(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = bootstrap_file(folder, f'metrics: {{ address: "127.0.0.1:{port}" }}\n')
        with AdminProxyd(site(free_port(), origin.address), bootstrap=file) as proxyd:
            proxyd.admin_port, admin = port, proxyd.admin_port
            assert "proxyd_workers_running 1" in proxyd.ask("GET", "/metrics").text
            assert proxyd.ask("GET", "/livez").status == 200 and proxyd.ask("GET", "/readyz").status == 200
            for path in ("/", "/api/v1/status", "/api/v1/openapi.json"):
                assert proxyd.ask("GET", path, token=None).status in (401, 404), path
                assert proxyd.ask("GET", path, fields={"Authorization": "Bearer pxy_a_b"}).status in (401, 404), path
            assert proxyd.ask("POST", "/metrics", {}).status == 405
            proxyd.admin_port = admin
    origin.stop()


def test_read_only_refuses_changes_and_nothing_else():
    origin = Origin()
    with tempfile.TemporaryDirectory() as folder:
        file = bootstrap_file(folder, "admin: { read_only: true }\n")
        with AdminProxyd(site(free_port(), origin.address), bootstrap=file) as proxyd:
            assert proxyd.root("PUT", "/api/v1/config/defaults", {}).type == "read-only"
            assert proxyd.root("POST", "/api/v1/upstreams/app/targets/one:drain?dry_run=true", {}).status == 403
            assert proxyd.root("POST", "/api/v1/config:diff", site(1, "a:1")).status == 200
            assert proxyd.root("POST", "/api/v1/login-codes").status == 201
    origin.stop()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_the_groups_of_the_sockets_peer_say_what_it_may():
    origin = Origin()
    program = "import os,sys,http.client,socket; os.setgroups([int(g) for g in sys.argv[2].split(',') if g]); os.setgid(65534); os.setuid(65534)\n" \
              "s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b'%s %s HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n' % (sys.argv[3].encode(), sys.argv[4].encode()))\n" \
              "print(s.makefile().read())"

    def as_nobody(groups, method, path):
        return subprocess.run([sys.executable, "-c", program, proxyd.socket, groups, method, path], capture_output=True, text=True, timeout=30).stdout

    with tempfile.TemporaryDirectory() as folder:
        # daemon (1) and bin (2) are groups of every Debian
        file = bootstrap_file(folder, "admin: { unix: { group: nogroup, grants: [ { group: daemon, role: viewer }, { group: bin, role: operator } ] } }\n")
        with AdminProxyd(site(free_port(), origin.address), bootstrap=file) as proxyd:
            os.chmod(proxyd.folder.name, 0o755)
            assert os.stat(proxyd.socket).st_mode & 0o777 == 0o660
            stranger = as_nobody("", "GET", "/api/v1/status")
            assert " 403 " in stranger and "daemon" in stranger and "bin" in stranger
            assert " 200 " in as_nobody("1", "GET", "/api/v1/status")
            assert " 403 " in as_nobody("1", "POST", "/api/v1/upstreams/app/targets/one:ready")
            assert " 200 " in as_nobody("2", "POST", "/api/v1/upstreams/app/targets/one:ready")
    origin.stop()
