"""The rows of bad-input.tsv in the area admin that what there is covers: each by its id."""
import json
import socket
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest
from admin import EventStream, serving
from client import exchange
from proxyd import BUILD, eventually, free_port, site


@pytest.fixture(scope="module")
def world():
    port = free_port()
    with serving(lambda origin: site(port, origin.address)) as proxyd:
        yield proxyd, port
        assert proxyd.process.poll() is None


@pytest.fixture(scope="module")
def knocked_at():
    """Another one, which refuses everybody on its TCP side after ten attempts."""
    with serving() as proxyd:
        yield proxyd


@pytest.fixture(scope="module")
def token(world):
    return world[0].token("admin")


def serves(port):
    return exchange(port).status == 200


def head(proxyd, *lines, line=b"GET /api/v1/status HTTP/1.1"):
    return b"\r\n".join([line, b"Host: 127.0.0.1:%d" % proxyd.admin_port, *lines, b"Connection: close", b"", b""])


def status_of(octets):
    return int(octets.split(b" ", 2)[1]) if octets.startswith(b"HTTP/1.1 ") else 0


def test_ad_001_no_token_a_wrong_one_and_one_in_the_url_are_401_rfc6750_3(knocked_at):
    proxyd = knocked_at
    token = proxyd.token("admin")
    for answer in (proxyd.ask("GET", "/api/v1/status"), proxyd.ask("GET", "/api/v1/status", token=token[:-1] + ("0" if token[-1] != "0" else "1")),
                   proxyd.ask("GET", f"/api/v1/status?access_token={token}"), proxyd.ask("GET", f"/api/v1/status?token={token}")):
        assert answer.status == 401 and answer.fields["WWW-Authenticate"] == "Bearer"
    assert token.split("_")[2] not in proxyd.logs() + str(proxyd.audit())


@pytest.mark.parametrize("value", [b"Bearer " + b"a" * 1_000_000, b"Bearer pxy_\0_\0", "Bearer pxy_ä_ö".encode(), b"Bearer", b"", b"Basic YTpi", b"Bearer pxy_", b"Bearer pxy__"])
def test_ad_002_an_authorization_that_is_nonsense_is_400_or_401(knocked_at, value):
    proxyd = knocked_at
    assert status_of(proxyd.raw(head(proxyd, b"Authorization: " + value))) in (400, 401, 429)
    assert proxyd.root("GET", "/livez").status == 200


def test_ad_003_authorization_twice_is_400_rfc9110_5_3(world, token):
    proxyd, _ = world
    good = b"Authorization: Bearer " + token.encode()
    for pair in ((good, good), (good, b"Authorization: Bearer x"), (b"authorization: x", good)):
        assert status_of(proxyd.raw(head(proxyd, *pair))) == 400


@pytest.mark.parametrize("path", [b"/api/v1/%2e%2e/%2e%2e/etc/passwd", b"/ui/../../etc/shadow", b"/ui/..%5c", b"/../etc/passwd", b"/api/v1/config/hosts/..%2f..", b"/api/v1/config/hosts/%2e%2e"])
def test_ad_004_no_path_leads_to_a_file(world, path):
    proxyd, _ = world
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(proxyd.socket)
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b" 404 " in client.makefile("rb").readline()


@pytest.mark.parametrize("path", ["//api//v1//upstreams", "/api/v1/upstreams/", "/API/V1/upstreams", "/api/v1//upstreams", "/api/v1/./upstreams", "/api/v1/upstreams;x"])
def test_ad_005_a_path_has_one_spelling_and_the_login_comes_first(world, path):
    proxyd, _ = world
    assert proxyd.ask("GET", path).status in (401, 404)
    assert proxyd.root("GET", path).status == 404


def test_ad_007_the_method_is_the_method(world):
    proxyd, _ = world
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        assert proxyd.root("GET", "/api/v1/config/upstreams/app", **{name.replace("-", "_"): "DELETE"}).json["targets"]
    assert proxyd.root("GET", "/api/v1/config/upstreams/app").status == 200


def test_ad_009_no_other_origin_is_ever_allowed(world):
    proxyd, _ = world
    for method in ("OPTIONS", "GET", "POST"):
        answer = proxyd.ask(method, "/api/v1/status", fields={"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"})
        assert not [name for name in answer.fields if name.lower().startswith("access-control-")] and answer.status in (401, 405)
    assert proxyd.root("OPTIONS", "/api/v1/status").fields["Allow"]


def test_ad_012_the_page_runs_no_script_of_others(world):
    policy = world[0].ask("GET", "/").fields["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy


def test_ad_013_a_body_of_100_mb_is_413_and_not_read(world, token):
    proxyd, _ = world
    fields = (b"Authorization: Bearer " + token.encode(), b"Content-Type: application/json")
    announced = head(proxyd, *fields, b"Content-Length: 104857600", line=b"PUT /api/v1/config HTTP/1.1")
    assert status_of(proxyd.raw(announced)) == 413
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    chunked = head(proxyd, *fields, b"Transfer-Encoding: chunked", line=b"PUT /api/v1/config HTTP/1.1") + chunk * 9
    assert status_of(proxyd.raw(chunked)) == 413
    nobody = head(proxyd, b"Content-Type: application/json", b"Content-Length: 104857600", line=b"PUT /api/v1/config HTTP/1.1")
    assert status_of(proxyd.raw(nobody)) == 401, "who is unknown makes the server read nothing"


@pytest.mark.parametrize("text", [b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b"{} x", b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e999}', b'{"a":-0}', b'{"a":01}', b'{"a":1,}', b"{'a':1}", b"{}{}", b"", b"nul",
                                  b'{"a":' + b"[" * 65 + b"]" * 65 + b"}", b"[" * 100000], ids=lambda text: text[:12].decode("latin-1"))
def test_ad_015_json_that_is_not_json_is_400_rfc8259(world, text):
    proxyd, _ = world
    for path in ("/api/v1/config", "/api/v1/config/upstreams/x", "/api/v1/upstreams/app/targets/x"):
        answer = proxyd.root("PUT", path, text)
        assert (answer.status, answer.type) == (400, "malformed"), path
    patch = proxyd.root("PATCH", "/api/v1/config", text)
    assert patch.status == 400


@pytest.mark.parametrize("text", [b'{"a\xff":1}', b'{"a":"\\ud800"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\xaf"}'])
def test_ad_017_text_that_is_not_utf_8_is_400_rfc8259_8(world, text):
    proxyd, _ = world
    for path in ("/api/v1/config", "/api/v1/config/upstreams/x"):
        assert proxyd.root("PUT", path, text).status == 400, path


def test_ad_017_names_hold_no_nul_and_nothing_strange(world):
    proxyd, _ = world
    for path in ("/api/v1/config/upstreams/a%00b", "/api/v1/config/upstreams/a%ff", "/api/v1/config/upstreams/a%0d%0aX", "/api/v1/config/upstreams/a%2"):
        assert proxyd.root("PUT", path, {"targets": {}}).status == 400, path
    for name in ("a b", "a/b", "ä", "x" * 65, "<img src=x onerror=alert(1)>", "a\u0000b"):
        document = proxyd.root("GET", "/api/v1/config").json
        document["upstreams"][name] = {"targets": {}}
        answer = proxyd.root("PUT", "/api/v1/config", document)
        assert answer.status in (400, 422), name


def test_ad_018_a_name_is_never_a_statement(world):
    proxyd, _ = world
    name = "x'); DROP TABLE revisions;--"
    from urllib.parse import quote
    assert proxyd.root("PUT", "/api/v1/config/upstreams/" + quote(name), {"targets": {}}).status == 422
    assert proxyd.root("GET", "/api/v1/config/upstreams/" + quote(name)).status == 404
    assert proxyd.root("DELETE", "/api/v1/tokens/" + quote(name)).status == 404
    assert proxyd.root("GET", "/api/v1/revisions").json["items"]


def test_ad_020_ten_thousand_members_are_too_many_and_harm_nobody(world):
    proxyd, port = world
    document = proxyd.root("GET", "/api/v1/config").json
    for change in (lambda d: d["upstreams"].update({f"u{i}": {"targets": {}} for i in range(10000)}),
                   lambda d: d["upstreams"]["app"]["targets"].update({f"t{i}": {"address": f"127.0.0.1:{i + 1}"} for i in range(10000)})):
        many = json.loads(json.dumps(document))
        change(many)
        answer = proxyd.root("PUT", "/api/v1/config", many)
        assert answer.status == 422, answer
        assert serves(port)
    assert proxyd.root("GET", "/api/v1/config").fields["ETag"] == '"r1"'


def test_ad_027_a_locked_store_is_503_with_retry_after_and_traffic_goes_on(world):
    proxyd, port = world
    database = sqlite3.connect(Path(proxyd.state) / "proxyd.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    answers = []
    try:
        caller = threading.Thread(target=lambda: answers.append(proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"balance": "round_robin"})))
        caller.start()
        while caller.is_alive():
            assert serves(port)
            assert proxyd.ask("GET", "/livez").status == 200
            caller.join(0.2)
    finally:
        database.execute("ROLLBACK")
        database.close()
    assert answers[0].status == 503 and answers[0].type == "store-busy" and answers[0].fields["Retry-After"]
    assert "detail" not in answers[0].json
    assert proxyd.root("GET", "/api/v1/config").fields["ETag"] == '"r1"'


def test_ad_031_half_requests_hold_up_nobody_on_the_socket(world):
    proxyd, _ = world
    half = []
    for _ in range(500):
        client = socket.create_connection(("127.0.0.1", proxyd.admin_port), 10)
        client.sendall(b"GET /livez HTTP/1.1\r\nHo")
        half.append(client)
    assert proxyd.root("GET", "/api/v1/status").status == 200
    closed = 0
    for client in half:
        client.settimeout(30)
        try:
            closed += client.recv(1) == b""
        except ConnectionResetError:
            closed += 1
        client.close()
    assert closed == 500, "each is closed: at once, or when its time for a head is over"
    assert eventually(lambda: proxyd.ask("GET", "/livez").status == 200)


def test_ad_031_a_head_that_trickles_in_is_not_waited_for(world):
    proxyd, _ = world
    with socket.create_connection(("127.0.0.1", proxyd.admin_port), 30) as client:
        client.settimeout(0.5)
        for octet in b"GET /livez HTTP/1.1\r\nX-Long: " + b"a" * 100:
            try:
                client.sendall(bytes([octet]))
                if client.recv(1) == b"":
                    break
            except TimeoutError:
                pass
            except OSError:
                break
        else:
            pytest.fail("it took the whole head")


def test_ad_033_a_thousand_streams_are_64(world):
    proxyd, _ = world
    token = proxyd.token("read")
    streams, refused = [], 0
    for _ in range(200):
        try:
            stream = EventStream(proxyd, over="tcp", token=token)
        except (OSError, IndexError):
            refused += 1
            continue
        if stream.status == 200:
            streams.append(stream)
        else:
            assert stream.status == 503
            refused += 1
            stream.close()
    assert len(streams) == 64 and refused == 136
    assert proxyd.root("GET", "/api/v1/status").status == 200
    for stream in streams:
        stream.close()


def test_ad_034_no_line_of_a_log_is_somebody_elses(world):
    proxyd, _ = world
    proxyd.raw(b"GET /api/v1/\x1b[31mX%%0d%%0aforged HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % proxyd.admin_port)
    proxyd.root("PATCH", "/api/v1/config/upstreams/app?message=a%0d%0aforged", {})
    proxyd.root("PATCH", "/api/v1/config/upstreams/app", {"x\r\nforged": 1})
    proxyd.root("POST", "/api/v1/tokens", {"name": "a\r\nforged", "scopes": ["read"]})
    assert not [line for line in proxyd.logs().splitlines() if line.startswith("forged")]
    assert "\x1b" not in proxyd.logs()
    assert all("\n" not in one["author"] + one["action"] for one in proxyd.audit())


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_ad_035_json_under_another_name_is_415_rfc9110_15_5_16(world, content_type):
    proxyd, _ = world
    for method, path in (("PUT", "/api/v1/config"), ("POST", "/api/v1/tokens"), ("POST", "/api/v1/upstreams/app/targets/one:drain"), ("POST", "/api/v1/explain")):
        answer = proxyd.root(method, path, "{}", Content_Type=content_type)
        assert answer.status == 415 and answer.type == "media-type", path
    assert proxyd.root("PUT", "/api/v1/config/upstreams/x", "a: 1", Content_Type="application/yaml").status == 415


def test_ad_038_a_command_that_does_not_exist_does_nothing(world):
    proxyd, _ = world
    ended = subprocess.run([BUILD / "bin/proxyctl", "--addr", "unix:" + proxyd.socket, "fly"], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2 and ended.stderr
    assert proxyd.root("GET", "/api/v1/config").fields["ETag"] == '"r1"'


def test_ws_010_an_upgrade_is_ignored_and_never_a_way_in_rfc6455_10_2(world):
    proxyd, _ = world
    fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13", "Origin": "http://evil.example"}
    assert proxyd.ask("GET", "/api/v1/events", fields=fields).status == 401
    assert proxyd.ask("GET", "/livez", fields=fields).status == 200


def test_a_body_that_is_cut_short_is_no_document_rfc9112_8(world, token):
    proxyd, _ = world
    fields = (b"Authorization: Bearer " + token.encode(), b"Content-Type: application/yaml")
    for framing, body in ((b"Content-Length: 100", b"version: 1\n"), (b"Transfer-Encoding: chunked", b"b\r\nversion: 1\n\r\n"), (b"Transfer-Encoding: chunked", b"ff\r\nversion: 1\n")):
        got = proxyd.raw(head(proxyd, *fields, framing, line=b"PUT /api/v1/config HTTP/1.1") + body)
        assert status_of(got) == 400, got
    assert proxyd.root("GET", "/api/v1/config").fields["ETag"] == '"r1"'


def test_octets_behind_a_body_that_was_refused_are_no_request_rfc9112_9_3(world):
    proxyd, _ = world
    body = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % proxyd.admin_port
    sent = b"PUT /api/v1/config HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (proxyd.admin_port, len(body)) + body
    got = proxyd.raw(sent)
    assert got.count(b"HTTP/1.1 ") == 1 and status_of(got) == 401
